"""What became of a batch, for whoever watches."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from handlers.ledger.model import DEBIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.ledger import Entry


@dataclass(slots=True)
class Report:
    """One committed transaction. `received` is the sum of what came in new; `outcomes` says what became of it."""

    topic: str
    size: int
    seconds: float = 0.0
    received: int = 0
    redelivered: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    entries: Counter[str] = field(default_factory=Counter)
    money_minor: Counter[str] = field(default_factory=Counter)

    def count_entries(self, entries: Sequence[Entry]) -> None:
        """Entries by rule, and the debits posted by currency."""
        self.entries.update([entry.posting.rule for entry in entries])
        for entry in entries:
            for leg in entry.posting.legs:
                if leg.side == DEBIT:
                    self.money_minor[leg.currency] += leg.amount_minor


class Observer(Protocol):
    """Who wants to know: metrics, health, benchmarks."""

    def committed(self, report: Report) -> None:
        """A transaction is committed."""

    def retried(self, topic: str, reason: str) -> None:
        """A transaction is tried again, a batch is halved, or taken in anew with more wallets."""

    def lagging(self, topic: str, partition: int, records: int) -> None:
        """So many records of a partition are not taken in yet."""

    def alive(self) -> None:
        """The consumer and its database answer."""
