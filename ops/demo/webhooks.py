"""Where the provider's webhooks are taken in: an endpoint of the ingress for each tenant, and how each is told.

The provider has one account for all tenants, so every endpoint hears everything; what is another tenant's means
nothing to it. Each is told in a way of its own: twice, newest first, late, or before the request is answered.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx
import orjson

from ops.sandbox.webhooks import new_secret, signed
from producers.ingress.server import listen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ops.demo.provider import Provider

HOST: Final = "127.0.0.1"
PATIENCE_S: Final = 30
LOOK_EVERY_S: Final = 0.05
MANNERS: Final[tuple[Mapping[str, Any], ...]] = (
    {"newest_first_within_ms": 300},
    {"before_answer": True},
    {"copies": 2, "delay_ms": 400},
    {"copies": 1},
)
"""How the endpoints are told, in turn. Newest first is one after the other, and so told once."""
PLAIN: Final[Mapping[str, Any]] = {"copies": 1}
STALE: Final = timedelta(hours=1)
"""Longer ago than any honest provider signs."""


class Letterbox:
    """The endpoints of an ingress that is to be started with `settings`, on a port that was free just now."""

    def __init__(self, tenants: Iterable[str]) -> None:
        listener = listen(HOST, 0)
        self._port: int = listener.getsockname()[1]
        listener.close()
        self._secrets = {tenant: new_secret() for tenant in tenants}

    def settings(self) -> dict[str, str]:
        """The ingress's. They hold the secrets."""
        endpoints = [
            {"provider": "sandbox", "account": tenant, "tenant": tenant, "secrets": [secret]}
            for tenant, secret in self._secrets.items()
        ]
        return {
            "COUNTERFOIL_INGRESS_PORT": str(self._port),
            "COUNTERFOIL_WEBHOOKS": orjson.dumps(endpoints).decode(),
        }

    async def hang_up_at(self, provider: Provider, *, plain: bool = False) -> None:
        """Have the provider tell everything from now on, each endpoint in its manner; or all of them plainly.

        Raises:
            httpx.HTTPError: the provider or the ingress is not there.
        """
        await self._open()
        for number, (tenant, secret) in enumerate(self._secrets.items()):
            manners = PLAIN if plain else MANNERS[number % len(MANNERS)]
            await provider.tell(self._url(tenant), secret, manners)

    async def forge(self) -> Counter[str]:
        """What a stranger gets who sends webhooks of their own: HTTP status -> how often."""
        tenant, secret = next(iter(self._secrets.items()))
        body = orjson.dumps({"id": "evt_forged", "type": "refund.succeeded", "data": {}})
        now = datetime.now(UTC)
        good = signed("evt_forged", body, secret, now)
        attempts: tuple[tuple[str, bytes, Mapping[str, str]], ...] = (
            (tenant, body, signed("evt_forged", body, new_secret(), now)),
            (tenant, body + b" ", good),
            (tenant, body, signed("evt_forged", body, secret, now - STALE)),
            (tenant, body, {"content-type": "application/json"}),
            (tenant, body, good | {"webhook-timestamp": "yesterday"}),
            ("nobody", body, good),
        )
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as stranger:
            answers = [
                await stranger.post(self._url(account), content=content, headers=headers)
                for account, content, headers in attempts
            ]
        return Counter(str(answer.status_code) for answer in answers)

    async def _open(self) -> None:
        """Wait until the ingress listens."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection(HOST, self._port)
                except OSError:
                    await asyncio.sleep(LOOK_EVERY_S)
                    continue
                writer.close()
                await writer.wait_closed()
                return

    def _url(self, tenant: str) -> str:
        return f"http://{HOST}:{self._port}/webhooks/sandbox/{tenant}"
