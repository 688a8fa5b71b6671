"""A Stripe account for the whole run: localstripe, and adapters around it."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from producers.providers.stripe.adapter import StripeProvider
from tests.producers.providers.stripe.process import API_KEY, RETURN_URL, LocalStripe, card, running
from tests.producers.providers.suite.rig import Rig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import httpx


GOOD, DECLINED_WHEN_CHARGED, NEEDS_CHALLENGE = "4242424242424242", "4000000000000341", "4000002500003155"

FAULTS = [
    "slow",
    "timeout_before_effect",
    "timeout_after_effect",
    "error_before_effect",
    "error_after_effect",
    "rate_limited",
    "reset_before_effect",
    "capture_timeout",
    "refund_timeout_before_effect",
    "refund_timeout_after_effect",
    "breakdown",
]


@pytest.fixture(scope="session")
def localstripe() -> Iterator[LocalStripe]:
    """The server."""
    with running() as started:
        yield started


@pytest.fixture(scope="session")
async def api(localstripe: LocalStripe) -> AsyncIterator[httpx.AsyncClient]:
    """A way around the adapter."""
    async with localstripe.client() as client:
        yield client


@pytest.fixture(scope="session")
async def rig(localstripe: LocalStripe, api: httpx.AsyncClient) -> AsyncIterator[Rig]:
    """What the conformance suite asks for."""
    tokens = {fault: await card(api, GOOD, fault) for fault in FAULTS}
    tokens |= {
        "approve": await card(api, GOOD),
        "processing_declined": await card(api, DECLINED_WHEN_CHARGED),
        "challenge": await card(api, NEEDS_CHALLENGE),
    }
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # taken, so that nobody else listens there, but not listening
        nobody = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with AsyncExitStack() as stack:

            def adapter(
                url: str = localstripe.url, key: SecretStr = API_KEY, read_ms: int = 20_000
            ) -> StripeProvider:
                built = StripeProvider(
                    api_key=key, return_url=RETURN_URL, base_url=url, read_timeout_ms=read_ms
                )
                stack.push_async_callback(built.aclose)
                return built

            async def captured(order_id: str) -> list[int]:
                return [
                    intent["amount_received"]
                    for intent in await intents_of(api, order_id)
                    if intent["latest_charge"]
                ]

            async def refunded(order_id: str) -> int:
                page = (await api.get("/v1/refunds", params={"limit": 1_000_000})).raise_for_status().json()
                return sum(
                    refund["amount"]
                    for refund in page["data"]
                    if refund["metadata"].get("order_id") == order_id
                )

            async def answer_challenge(reference: str, result: str) -> None:
                intent = (await api.get(f"/v1/payment_intents/{reference}")).raise_for_status().json()
                answer = await api.post(
                    f"/v1/payment_intents/{reference}/_authenticate",
                    data={
                        "client_secret": intent["client_secret"],
                        "success": "true" if result == "passed" else "false",
                    },
                )
                answer.raise_for_status()

            yield Rig(
                provider=adapter(),
                impatient=adapter(read_ms=300),
                unreachable=adapter(nobody),
                stranger=adapter(key=SecretStr("wrong")),
                tokens=tokens,
                captured=captured,
                answer_challenge=answer_challenge,
                refunded=refunded,
            )


async def intents_of(api: httpx.AsyncClient, order_id: str) -> list[dict[str, Any]]:
    """Every payment intent of an order."""
    page = (await api.get("/v1/payment_intents", params={"limit": 1_000_000})).raise_for_status().json()
    return [intent for intent in page["data"] if intent["metadata"].get("order_id") == order_id]
