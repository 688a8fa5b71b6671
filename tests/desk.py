"""The desk of the books without a database: ledger commands through the real reader, routes, rules and world.

desk = Desk()
assert desk.send(journal("j1")) == "applied"
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from consumers.intake import Incoming, Reader, Record
from consumers.judge import Verdict, judge
from consumers.world import World
from db.writes import Writes
from handlers.journals.model import BookedLine, Journal
from handlers.ledger.model import CHART, Code
from handlers.wallets.model import Bucket, Hold, Wallet
from tests.books import LEDGER
from tests.shop import TENANT

if TYPE_CHECKING:
    from db.ledger import Entry

NOW: Final = datetime(2026, 11, 23, 10, tzinfo=UTC)
TIMERS: Final = "timer.events"


class Desk:
    """Everything that was decided, in memory; each message is a batch of its own."""

    def __init__(self) -> None:
        self.now = NOW
        self.world = World()
        self.entries: list[Entry] = []
        self.verdicts: dict[str, Verdict] = {}
        self.writes = Writes(LEDGER, NOW)
        self._readers = {topic: Reader(topic) for topic in (LEDGER, TIMERS)}

    def send(self, body: bytes, topic: str = LEDGER) -> str:
        """One message. The reason why it was refused or waits, or "applied"."""
        read = self._readers[topic].read(Record(topic, 0, len(self.verdicts), b"key", {}, body))
        if not isinstance(read, Incoming):
            return f"{read.reason}: {read.detail}"
        self.world.clocks[TENANT] = self.now
        self.writes = Writes(topic, self.now)
        verdict = judge(read, self.world, self.writes)
        self.verdicts[read.message.id] = verdict
        for entry in self.writes.entries:
            self._book(entry)
        self._read_wallets()
        return str(verdict.reason or verdict.outcome)

    def told(self) -> list[str]:
        """Types of what the last message published of its own objects."""
        lists: Any = self.writes._outbox  # noqa: SLF001 - what a flush would write
        _, payloads = lists.get("account.events", ([], []))
        return [payload.split(b'"type":"', 1)[1].split(b'"', 1)[0].decode() for payload in payloads]

    @property
    def wallets(self) -> list[Wallet]:
        """All of them."""
        return list(self.world.states["wallet"].values())

    @property
    def holds(self) -> list[Hold]:
        """All of them."""
        return list(self.world.states["hold"].values())

    @property
    def journals(self) -> list[Journal]:
        """All of them."""
        return list(self.world.states["journal"].values())

    def bucket(self, account: str) -> Bucket:
        """An account of the only wallet there is, by its code."""
        (wallet,) = self.wallets
        (found,) = (bucket for bucket in wallet.buckets if bucket.account == account)
        return found

    def balances(self) -> dict[tuple[str, str, str], int]:
        """Each account's balance on its normal side, added up from the lines and nothing else."""
        sums: dict[tuple[str, str, str], int] = {}
        for entry in self.entries:
            for leg in entry.posting.legs:
                name = (str(leg.account), leg.owner, leg.currency)
                grows = leg.side == CHART[Code(leg.account)].type.normal_side
                sums[name] = sums.get(name, 0) + (leg.amount_minor if grows else -leg.amount_minor)
        return sums

    def _book(self, entry: Entry) -> None:
        """As the view booked_lines shows it."""
        self.entries.append(entry)
        posting = entry.posting
        booked = self.world.states["booked"]
        before = booked.get((TENANT, posting.object_id), ())
        number = 1 + len({line.number for line in before})
        lines = tuple(
            BookedLine(
                TENANT,
                posting.object_id,
                number,
                place,
                len(self.entries),
                posting.object_type,
                posting.effective_at,
                leg.side,
                leg.account,
                leg.owner,
                leg.amount_minor,
                leg.currency,
            )
            for place, leg in enumerate(posting.legs, 1)
        )
        booked[TENANT, posting.object_id] = (*before, *lines)

    def _read_wallets(self) -> None:
        """The next batch would read the balances of a wallet that this one opened or that others posted to."""
        balances = self.balances()
        wallets = self.world.states["wallet"]
        for key, wallet in wallets.items():
            wallets[key] = replace(
                wallet,
                buckets=tuple(
                    replace(
                        bucket,
                        posted_minor=balances.get((str(bucket.account), bucket.owner, wallet.currency), 0),
                    )
                    for bucket in wallet.buckets
                ),
            )
