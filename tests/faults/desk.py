"""A provider's side of a test on real engines: the model of tests/property/machine answers the calls."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from handlers.decision import Call
from tests.engines import RESULTS, Feed, feeds
from tests.property.machine.luck import Clock, Luck
from tests.property.machine.provider import Provider
from tests.shop import event, fees

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from tests.conftest import Connection, Database
    from tests.property.machine.objects import Report

WEBHOOKS: Final = "webhook.events"
HOOKS: Final = "/webhooks/sandbox/main"
GATEWAY: Final = "/counterfoil/gateway"
_CALL: Final = tuple(Call.__dataclass_fields__)
_OPEN: Final = "SELECT * FROM provider_calls WHERE status <> 'answered' ORDER BY created_at, call_id"
_ANSWER: Final = """
    WITH done AS (UPDATE provider_calls SET status = 'answered', answered_at = now()
                  WHERE call_id = any($1) RETURNING tenant, call_id)
    INSERT INTO provider_answers (tenant, call_id, try, asked, answer, detail, answered_at)
    SELECT tenant, call_id, 1, 'execute', 'any', '', now() FROM done
"""
_BOOKS: Final = """
    SELECT coalesce(sum(balance_minor), 0)::bigint FROM account_balances
    WHERE code IN ('processor_receivable', 'debit_receivable')
"""


def agree() -> Luck:
    """The provider agrees to all."""
    return Luck(0)


class Desk:
    """Some engines for each topic, and the provider. `luck` decides how it answers a call."""

    def __init__(
        self, url: str, admin: Connection, shops: list[Feed], results: list[Feed], hooks: list[Feed]
    ) -> None:
        self.url = url
        self.admin = admin
        self.shops = shops
        self.results = results
        self.hooks = hooks
        clock = Clock()
        clock.now = datetime.now(UTC) - timedelta(minutes=5)
        self.provider = Provider(clock, names_calls=True)

    async def take(self, *bodies: bytes) -> None:
        """Commands, as one batch."""
        await self.shops[0].take(*bodies)

    async def answers(self, luck: Callable[[], Luck] = agree, operation: str | None = None) -> list[bytes]:
        """The provider does what it is asked by all open calls; the gateway's results, not yet taken in."""
        rows = [row for row in await self.admin.fetch(_OPEN) if operation in {None, row["operation"]}]
        told = []
        for row in rows:
            call = Call(**{name: row[name] for name in _CALL})
            name, answer = self.provider.execute(call, luck())
            about = {key: row[key] for key in ("call_id", "payment_id", "object_id", "order_id", "provider")}
            data = json.loads(json.dumps(about | {"operation": call.operation} | answer, default=str))
            told.append(event(f"a-{call.call_id}-{name}", _full(name), data, source=GATEWAY))
        await self.admin.execute(_ANSWER, [row["call_id"] for row in rows])
        return told

    async def answer(self, luck: Callable[[], Luck] = agree, operation: str | None = None) -> None:
        """The provider does what it is asked, and we hear of it."""
        told = await self.answers(luck, operation)
        if told:
            await self.results[0].take(*told)

    def reports(self) -> list[bytes]:
        """The webhooks that were not delivered yet, in order."""
        sent = list(map(body, self.provider.reports))
        self.provider.delivered += self.provider.reports
        self.provider.reports.clear()
        return sent

    async def settle(self) -> None:
        """Everything is answered, delivered, and looked at again."""
        for _ in range(6):
            for feed in (self.shops[0], self.results[0], self.hooks[0]):
                await feed.settle_parked(self.admin)
            await self.answer()
            reports = self.reports()
            if reports:
                await self.hooks[0].take(*reports)

    async def difference(self, orders: Iterable[str]) -> int:
        """What our books say that the provider has for us, less what it says itself."""
        ours: int = await self.admin.fetchval(_BOOKS)
        return ours - sum(map(self.provider.owes_minor, orders))

    async def states(self) -> dict[str, tuple[str, int, int, int]]:
        """Order -> state, captured, refunded, disputed."""
        rows = await self.admin.fetch(
            "SELECT order_id, state, captured_minor, refunded_minor, disputed_minor FROM payments"
        )
        return {row["order_id"]: tuple(row)[1:] for row in rows}


def body(report: Report, event_id: str | None = None) -> bytes:
    """A webhook as the ingress publishes it."""
    return event(event_id or report.event_id, report.type.removesuffix(".v1"), report.data, source=HOOKS)


def _full(name: str) -> str:
    return f"provider.{name}"


def policy() -> bytes:
    """Support may refund whatever it likes."""
    limits = [{"role": "support", "currency": "EUR", "at_most_minor": 10**9, "with_approval_of": None}]
    data = {"version": 1, "effective_from": "2020-01-01T00:00:00Z", "limits": limits, "fees": "keep"}
    return event("policy", "checkout.refund_policy_set", data)


def refund(event_id: str, order: str, minor: int) -> bytes:
    """The command to give money back; the refund is called as the event."""
    data: dict[str, Any] = {
        "idempotency_key": event_id,
        "order_id": order,
        "refund_id": event_id,
        "amount_minor": minor,
        "cause": "requested_by_customer",
        "actor": {"id": "ada", "role": "support"},
    }
    return event(event_id, "checkout.refund_requested", data)


@asynccontextmanager
async def desk_of(database: Database, admin: Connection, engines: int = 2) -> AsyncIterator[Desk]:
    """A merchant, a policy, engines and a provider."""
    async with AsyncExitStack() as opened:
        shops, results, hooks = [
            await opened.enter_async_context(feeds(database.app_url, engines, topic))
            for topic in ("checkout.events", RESULTS, WEBHOOKS)
        ]
        await shops[0].take(fees(), policy())
        yield Desk(database.app_url, admin, shops, results, hooks)
