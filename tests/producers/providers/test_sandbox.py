"""The sandbox adapter: the conformance suite, and answers that make no sense."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from ops.sandbox.messages import DAY_MS
from ops.sandbox.tokens import TOKENS
from producers.providers.base import (
    Ambiguous,
    Declined,
    Provider,
    ProviderAnswer,
    ProviderRequest,
    Refused,
    Succeeded,
    Transient,
)
from producers.providers.sandbox import SandboxProvider, declines
from tests.ops.sandbox.process import API_KEY, running
from tests.producers.providers.conformance import DECLINE_REASONS, ProviderConformance, Rig, following

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN_OF = {
    "approve": "tok_approve",
    "insufficient_funds": "tok_decline_insufficient_funds",
    "do_not_honor": "tok_decline_do_not_honor",
    "expired_card": "tok_decline_expired_card",
    "incorrect_cvc": "tok_decline_incorrect_cvc",
    "lost_card": "tok_decline_lost_card",
    "stolen_card": "tok_decline_stolen_card",
    "suspected_fraud": "tok_decline_fraudulent",
    "try_again_later": "tok_decline_try_again_later",
    "challenge": "tok_challenge",
    "slow": "tok_slow",
    "timeout_before_effect": "tok_timeout_before_effect",
    "timeout_after_effect": "tok_timeout_after_effect",
    "error_before_effect": "tok_error_500_before_effect",
    "error_after_effect": "tok_error_500_after_effect",
    "rate_limited": "tok_rate_limited",
    "reset_before_effect": "tok_connection_reset",
    "capture_decline": "tok_capture_decline",
    "capture_timeout": "tok_capture_timeout",
    "increase": "tok_approve",
    "increase_decline": "tok_increase_decline",
    "increase_timeout_before_effect": "tok_increase_timeout_before_effect",
    "increase_timeout_after_effect": "tok_increase_timeout_after_effect",
    "over_capture": "tok_over_capture",
    "single_capture": "tok_single_capture",
    "refund_pending": "tok_refund_pending",
    "refund_fail": "tok_refund_fail",
    "refund_bounce": "tok_refund_bounce",
    "refund_decline": "tok_refund_decline",
    "refund_timeout_before_effect": "tok_refund_timeout_before_effect",
    "refund_timeout_after_effect": "tok_refund_timeout_after_effect",
    "debit_approve": "tok_debit_approve",
    "debit_fail": "tok_debit_fail",
    "debit_return": "tok_debit_return",
}


@pytest.fixture(scope="session")
async def rig() -> AsyncIterator[Rig]:
    with running("--late-ms", "600") as started, socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # taken, so that nobody else listens there, but not listening
        nobody = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with AsyncExitStack() as stack:
            api = await stack.enter_async_context(started.client())

            def adapter(url: str = started.url, key: SecretStr = API_KEY, read_ms: int = 20_000) -> Provider:
                built = SandboxProvider(base_url=url, api_key=key, read_timeout_ms=read_ms)
                stack.push_async_callback(built.aclose)
                return built

            async def captured(order_id: str) -> list[int]:
                ledger = (await api.get("/v1/ledger", params={"reference": order_id})).json()
                return [charge["captured_amount_minor"] for charge in ledger["charges"]]

            async def refunded(order_id: str) -> int:
                ledger = (await api.get("/v1/ledger", params={"reference": order_id})).json()
                return sum(charge["refunded_amount_minor"] for charge in ledger["charges"])

            async def post(path: str, document: dict[str, Any]) -> dict[str, Any]:
                answer = await api.post(path, json=document, headers={"Idempotency-Key": str(uuid4())})
                found: dict[str, Any] = answer.raise_for_status().json()
                return found

            async def answer_challenge(reference: str, result: str) -> None:
                await post(f"/v1/authorizations/{reference}/challenge", {"result": result})

            async def pass_days(days: int) -> None:
                await post("/v1/test/clock", {"advance_ms": days * DAY_MS})

            async def open_dispute(reference: str, stage: str) -> str:
                opened = await post("/v1/test/disputes", {"authorization_id": reference, "stage": stage})
                return str(opened["id"])

            yield Rig(
                provider=adapter(),
                impatient=adapter(read_ms=300),
                unreachable=adapter(nobody),
                stranger=adapter(key=SecretStr("wrong")),
                tokens=TOKEN_OF,
                captured=captured,
                answer_challenge=answer_challenge,
                refunded=refunded,
                pass_days=pass_days,
                open_dispute=open_dispute,
            )


class TestSandboxProvider(ProviderConformance):
    """The whole suite, against the sandbox provider in its own process."""


def test_every_token_of_the_provider_is_part_of_the_suite() -> None:
    disputed_by_token = {"tok_dispute_inquiry", "tok_dispute_chargeback"}  # tests/ops/sandbox
    assert set(TOKEN_OF.values()) == set(TOKENS) - disputed_by_token
    assert set(DECLINE_REASONS) <= set(TOKEN_OF)


def test_every_decline_code_of_the_provider_has_one_of_our_reasons() -> None:
    codes = {
        code
        for script in TOKENS.values()
        for code in (
            script.decline,
            script.increase_decline,
            script.capture_decline,
            script.refund_decline,
            *(step.code for step in (*script.course, *script.refund_course)),
        )
        if code
    }
    assert codes | {"challenge_failed"} == set(declines.DECLINE_REASONS)


CALL = ProviderRequest(
    call_id=UUID(int=1),
    tenant="acme",
    operation="authorize",
    amount_minor=100,
    currency="EUR",
    method_type="card",
    token="tok_approve",  # noqa: S106  # no secret
    order_id="order-1",
    capture=True,
)
CONFIRM = following(CALL, "confirm", "auth_1")
CAPTURE = following(CALL, "capture", "auth_1")

HELD = (
    b'{"id":"a","status":"authorized","amount_minor":100,"captured_amount_minor":0,"captures":[],'
    b'"decline_code":null,"redirect_url":null}'
)
STRANGE = [
    # (what comes over the wire, what execute, confirm and query make of it)
    (b"", Ambiguous, Transient, Ambiguous),
    (b"SSH-2.0-OpenSSH\r\n", Ambiguous, Transient, Ambiguous),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", Ambiguous, Transient, Ambiguous),
    (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        Ambiguous,
        Transient,
        Ambiguous,
    ),
    ((200, b""), Ambiguous, Transient, Ambiguous),
    ((200, b"<html>maintenance</html>"), Ambiguous, Transient, Ambiguous),
    ((200, b"{}"), Ambiguous, Transient, Ambiguous),
    ((200, HELD.replace(b"authorized", b"exploded")), Ambiguous, Transient, Ambiguous),
    ((200, HELD.replace(b"authorized", b"declined")), Ambiguous, Declined, Ambiguous),
    ((200, HELD.replace(b"authorized", b"voided")), Ambiguous, Refused, Ambiguous),
    ((200, HELD.replace(b"authorized", b"requires_action")), Ambiguous, Transient, Ambiguous),
    ((200, HELD.replace(b"100", b'"100"')), Ambiguous, Transient, Ambiguous),
    ((200, HELD), Succeeded, Succeeded, Ambiguous),
    ((200, b'{"http_status":200,"answer":' + HELD + b"}"), Ambiguous, Transient, Succeeded),
    ((200, b'{"http_status":503,"answer":{}}'), Ambiguous, Transient, Ambiguous),
    ((200, b'{"http_status":429,"answer":{}}'), Ambiguous, Transient, Ambiguous),
    ((301, b""), Ambiguous, Transient, Ambiguous),
    ((402, b""), Ambiguous, Transient, Ambiguous),
    (
        (402, b'{"error":{"type":"declined","message":"","decline_code":"brand_new"}}'),
        Declined,
        Declined,
        Ambiguous,
    ),
    ((402, b'{"error":{"type":"declined","message":""}}'), Declined, Declined, Ambiguous),
    ((403, b"<html>"), Refused, Refused, Ambiguous),
    ((404, b"<html>no such page</html>"), Refused, Refused, Ambiguous),
    ((408, b""), Ambiguous, Transient, Ambiguous),
    ((429, b""), Transient, Transient, Ambiguous),
    ((502, b"<html>bad gateway</html>"), Ambiguous, Transient, Ambiguous),
    ((503, b""), Ambiguous, Transient, Ambiguous),
]


@asynccontextmanager
async def answering(wire: bytes) -> AsyncIterator[SandboxProvider]:
    """An adapter whose provider reads one request and then says exactly this."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(wire)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        provider = SandboxProvider(base_url=f"http://127.0.0.1:{port}", api_key=API_KEY)
        yield provider
        await provider.aclose()


def over_the_wire(answer: bytes | tuple[int, bytes]) -> bytes:
    if isinstance(answer, bytes):
        return answer
    status, body = answer
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


@pytest.mark.parametrize(
    ("wire", "executed", "confirmed", "queried"), STRANGE, ids=lambda value: str(value)[:50]
)
async def test_a_strange_answer_is_never_taken_for_success_or_failure(
    wire: bytes | tuple[int, bytes],
    executed: type[ProviderAnswer],
    confirmed: type[ProviderAnswer],
    queried: type[ProviderAnswer],
) -> None:
    async with answering(over_the_wire(wire)) as provider:
        assert type(await provider.execute(CALL)) is executed
        assert type(await provider.execute(CONFIRM)) is confirmed
        assert type(await provider.query(CALL)) is queried


async def test_a_decline_code_nobody_has_mapped_is_a_general_decline() -> None:
    new = (402, b'{"error":{"type":"declined","message":"","decline_code":"brand_new"}}')
    async with answering(over_the_wire(new)) as provider:
        answer = await provider.execute(CALL)
    assert answer == Declined("processing_declined", "brand_new", new[1])


async def test_a_capture_answered_without_a_capture_is_ambiguous() -> None:
    async with answering(over_the_wire((200, HELD.replace(b"authorized", b"captured")))) as provider:
        assert isinstance(await provider.execute(CAPTURE), Ambiguous)


@pytest.mark.parametrize(
    ("header", "retry_after_ms"),
    [
        (b"2", 2_000),
        (b"0", 0),
        (b"Wed, 21 Oct 2026 07:28:00 GMT", None),
        (b"-1", None),
        (b"9" * 5_000, None),
        (b"", None),
    ],
)
async def test_retry_after_is_read_in_seconds(header: bytes, retry_after_ms: int | None) -> None:
    wire = b"HTTP/1.1 429 X\r\nRetry-After: %b\r\nContent-Length: 0\r\n\r\n" % header
    async with answering(wire) as provider:
        assert await provider.execute(CALL) == Transient("HTTP 429", retry_after_ms)


async def test_no_secret_shows_in_what_is_logged_or_printed() -> None:
    async with answering(b"") as provider:
        answer = await provider.execute(CALL)
        shown = f"{provider!r} {vars(provider)!r} {answer!r} {CALL!r}"
    assert API_KEY.get_secret_value() not in shown
    assert "tok_approve" not in shown
