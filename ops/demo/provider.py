"""What the play does at the provider itself, as its customers, their banks and the calendar would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

    from pydantic import SecretStr

PATIENCE_S: Final = 30


@dataclass(frozen=True, slots=True)
class Told:
    """How many webhooks were delivered, and how many are on their way."""

    delivered: int
    outstanding: int


class Provider:
    """The sandbox provider's own controls; see docs/sandbox-provider.md.

    Every method raises httpx.HTTPError when the provider does not do it.
    """

    def __init__(self, url: str, api_key: SecretStr) -> None:
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {api_key.get_secret_value()}"},
            timeout=PATIENCE_S,
            trust_env=False,
        )

    async def tell(self, url: str, secret: str, manners: Mapping[str, Any]) -> None:
        """From now on, tell everything to this URL too; a known one gets the new manners."""
        await self._post("/v1/webhook_endpoints", {"url": url, "secret": secret, **manners})

    async def told(self) -> Told:
        """How far the webhooks have come."""
        endpoints = (await self._get("/v1/webhook_endpoints"))["endpoints"]
        return Told(sum(one["delivered"] for one in endpoints), sum(one["outstanding"] for one in endpoints))

    async def tell_again(self, since: str) -> int:
        """Tell once more what was told since then; how many events that are."""
        events: int = (await self._post("/v1/test/redeliveries", {"since": since}))["events"]
        return events

    async def now(self) -> str:
        """The time at the provider."""
        now: str = (await self._get("/v1/test/clock"))["now"]
        return now

    async def advance(self, milliseconds: int) -> str:
        """Let time pass there, and all that it brings; the time that it is then."""
        now: str = (await self._post("/v1/test/clock", {"advance_ms": milliseconds}))["now"]
        return now

    async def answer_challenge(self, url: str, result: str, key: str) -> None:
        """The customer, on the bank's page."""
        await self._post(url, {"result": result}, key)

    async def dispute(self, authorization_id: str, key: str) -> None:
        """The customer's bank takes back what is left."""
        body = {"authorization_id": authorization_id, "stage": "chargeback"}
        await self._post("/v1/test/disputes", body, key)

    async def escalate(self, dispute_reference: str, key: str) -> None:
        """The customer's bank goes on to the next stage."""
        await self._post(f"/v1/test/disputes/{dispute_reference}/escalate", {}, key)

    async def dispute_of(self, dispute_reference: str) -> dict[str, Any]:
        """A dispute as the provider has it."""
        return await self._get(f"/v1/disputes/{dispute_reference}")

    async def totals(self) -> list[dict[str, Any]]:
        """What was captured by currency, and what of it went back."""
        answer = await self._get("/v1/ledger?limit=1")
        found: list[dict[str, Any]] = answer["captured"]
        return found

    async def charges_of(self, reference: str) -> list[dict[str, Any]]:
        """The charges of an order as the provider has them."""
        found: list[dict[str, Any]] = (await self._get(f"/v1/ledger?reference={reference}"))["charges"]
        return found

    async def _get(self, path: str) -> dict[str, Any]:
        return _document(await self._http.get(path))

    async def _post(self, path: str, body: Mapping[str, Any], key: str | None = None) -> dict[str, Any]:
        headers = {"Idempotency-Key": key} if key else {}
        return _document(await self._http.post(path, json=body, headers=headers))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()


def _document(answer: httpx.Response) -> dict[str, Any]:
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
