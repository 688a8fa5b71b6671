"""What is said at the desks on each day, and what must have become of all of it in the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from ops.demo.books.houses import at
from ops.demo.marketplace import Record
from schemas.envelope import SPEC_VERSION
from schemas.outgoing import partition_key

if TYPE_CHECKING:
    from datetime import datetime

    from ops.demo.merchants import Market

COMMANDS: Final = "ledger.commands"
APPLIED: Final = "applied"
DUPLICATE: Final = "duplicate"
SENT_AGAIN_EVERY: Final = 25
"""Every so many messages come once more, byte for byte."""
REPEATED_EVERY: Final = 60
"""Every so many commands are repeated under a new event id."""

Account = tuple[str, str, str, str]
"""Tenant, code, owner, currency."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What a wallet has: posted, of that held, and what can still be spent, overdrafts included."""

    posted_minor: int
    held_minor: int
    available_minor: int


@dataclass(slots=True)
class Expected:
    """What must be there in the end; nothing of it is read from the system.

    `outcomes`: (tenant, event id) -> applied, duplicate, or the reason of its refusal. `accounts`: debits less credits
    of what the desks book. `origins`: (tenant, period, happened at, booked as of) -> how many entries came late.
    """

    outcomes: dict[tuple[str, str], str] = field(default_factory=dict)
    accounts: Counter[Account] = field(default_factory=Counter)
    journals: dict[tuple[str, str], str] = field(default_factory=dict)
    differences: dict[tuple[str, str], int] = field(default_factory=dict)
    wallets: dict[tuple[str, str], Holding] = field(default_factory=dict)
    holds: dict[tuple[str, str, str], tuple[str, int]] = field(default_factory=dict)
    periods: dict[tuple[str, str], str] = field(default_factory=dict)
    origins: Counter[tuple[str, str, datetime, datetime]] = field(default_factory=Counter)


class Script:
    """Takes down what is said, day by day, in order; and what is expected of it."""

    def __init__(self, seed: int) -> None:
        self.expected = Expected()
        self.sources: set[str] = set()
        self.seed = seed
        self._days: dict[int, list[Record]] = defaultdict(list)
        self._ids = 0

    @property
    def commands(self) -> int:
        """How many records there are in all."""
        return sum(map(len, self._days.values()))

    def on(self, day: int) -> list[Record]:
        """What is published on that day."""
        return self._days[day]

    def say(
        self,
        day: int,
        market: Market,
        key: str,
        name: str,
        data: dict[str, Any],
        refused: str | None = None,
        happened_at: datetime | None = None,
    ) -> None:
        """Somebody asks the books for something; `refused`: the reason why they must not do it.

        `data` names who; `happened_at` is when it happened, where that is not just now.
        """
        event_id = self._new_id()
        event = {
            "specversion": SPEC_VERSION,
            "id": event_id,
            "source": market.source,
            "type": f"ledger.{name}.v1",
            "time": (happened_at or at(day)).isoformat(),
            "tenant": market.tenant,
            "data": data | {"idempotency_key": event_id},
        }
        self.sources.add(market.source)
        self._put(day, market, key, event, refused or APPLIED)
        if self._ids % REPEATED_EVERY == 0:
            self._put(day, market, key, event | {"id": self._new_id()}, DUPLICATE)

    def book(self, market: Market, legs: list[dict[str, Any]]) -> None:
        """What is expected in the accounts."""
        for leg in legs:
            sign = 1 if leg["side"] == "debit" else -1
            account = market.tenant, leg["account"], leg["owner"], leg["currency"]
            self.expected.accounts[account] += sign * leg["amount_minor"]

    def _put(self, day: int, market: Market, key: str, event: dict[str, Any], outcome: str) -> None:
        self.expected.outcomes[market.tenant, event["id"]] = outcome
        record = Record(partition_key(market.tenant, key).encode(), orjson.dumps(event), topic=COMMANDS)
        self._days[day] += [record, record] if self._ids % SENT_AGAIN_EVERY == 0 else [record]

    def _new_id(self) -> str:
        self._ids += 1
        return f"books-{self.seed}-{self._ids:06d}"
