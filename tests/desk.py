"""The desk of the books without a database: messages through the real reader, routes, rules and world.

desk = Desk()
assert desk.send(journal("j1")) == "applied"

Beside the engine it keeps a calendar of its own (tests/months.py), and says of every entry where it belongs: `places`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from consumers.intake import Incoming, Reader, Record
from consumers.judge import APPLIED, Verdict, judge
from consumers.world import World
from db.writes import Writes
from handlers.journals.model import BookedLine, Journal, journal_uuid_of
from handlers.ledger.model import CHART, Code
from handlers.wallets.model import Bucket, Hold, Wallet, grant_uuid_of
from tests.books import LEDGER, WALLET
from tests.engines import CHECKOUT
from tests.months import Months
from tests.shop import TENANT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from db.ledger import Entry

NOW: Final = datetime(2026, 11, 23, 10, tzinfo=UTC)
TIMERS: Final = "timer.events"


@dataclass(frozen=True)
class Place:
    """Where an entry of a message belongs: `came_from` and `happened` only where its own month was shut."""

    event_id: str
    effective_at: datetime
    happened: datetime | None
    came_from: str | None


class Desk:
    """Everything that was decided, in memory; each message is a batch of its own."""

    def __init__(self, zone: str = "UTC") -> None:
        self.now = NOW
        self.months = Months(zone)
        self.places: list[Place] = []
        self._asked: dict[str, Any] = {}
        self.world = World()
        self.entries: list[Entry] = []
        self.verdicts: dict[str, Verdict] = {}
        self.writes = Writes(LEDGER, NOW)
        self._readers = {topic: Reader(topic) for topic in (LEDGER, TIMERS, CHECKOUT)}

    def send(self, body: bytes, topic: str = LEDGER) -> str:
        """One message. The reason why it was refused or waits, or "applied"."""
        read = self._readers[topic].read(Record(topic, 0, len(self.verdicts), b"key", {}, body))
        if not isinstance(read, Incoming):
            return f"{read.reason}: {read.detail}"
        self.world.clocks[TENANT] = self.now
        self.writes = Writes(topic, self.now)
        verdict = judge(read, self.world, self.writes)
        self.verdicts[read.message.id] = verdict
        said = orjson.loads(body)
        self._remember(said)
        for entry in self.writes.entries:
            self._place(said, entry)
            self._book(entry)
        if verdict is APPLIED:
            self._turn_page(said)
        self._read_wallets()
        return str(verdict.reason or verdict.outcome)

    def told(self) -> list[str]:
        """Types of what the last message published of its own objects."""
        return [event["type"] for event in self.published("account.events")]

    def published(self, *topics: str) -> list[dict[str, Any]]:
        """What the last message published, in those topics, or in all."""
        outbox = self.writes._outbox  # noqa: SLF001 - what a flush would write
        rows = [
            row for topic, pages in outbox.items() if not topics or topic in topics for row in pages.rows()
        ]
        return [orjson.loads(event) for _, _, payloads in rows for event in payloads.split("\n")]

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

    def may_post_by_hand(self, journal: Journal) -> bool:
        """Whether the month is not shut in which the journal would be effective, were it approved now."""
        return self.months.goes(self._date_of(str(journal.object_id)), by_hand=True)[1] is None

    def _remember(self, said: Mapping[str, Any]) -> None:
        """The dates that people gave to what may be posted later."""
        data = said["data"]
        date: datetime | None = None
        match said["type"].split(".")[1]:
            case "journal_proposed" | "conversion_proposed":
                date = datetime.fromisoformat(data["effective_at"])
            case "reversal_proposed" if data["effective"] == "original":
                date = self._effective_at(**data["entry"])
            case "reversal_proposed":
                pass
            case "promotion_granted":
                name = str(grant_uuid_of(TENANT, WALLET, data["grant_id"]))
                self._asked.setdefault(name, datetime.fromisoformat(data["expires_at"]))
                return
            case _:
                return
        self._asked.setdefault(str(journal_uuid_of(TENANT, data["journal_id"])), date)

    def _effective_at(self, object_id: str, number: int) -> datetime | None:
        """Of an entry of an object that was booked."""
        entries = [entry for entry in self.entries if entry.posting.object_id == object_id]
        return entries[number - 1].posting.effective_at if len(entries) >= number else None

    def _date_of(self, object_id: str) -> datetime:
        """What somebody asked for; else, today."""
        return self._asked.get(object_id) or self.now

    def _place(self, said: Mapping[str, Any], entry: Entry) -> None:
        posting = entry.posting
        by_hand = posting.object_type == "journal"
        if by_hand or posting.rule == "promotion_expired":
            happened = self._date_of(posting.object_id)
        else:
            happened = datetime.fromisoformat(said["time"])
            if posting.object_type in {"wallet", "hold"}:  # nobody spends tomorrow
                happened = min(happened, self.now)
        effective_at, came_from = self.months.goes(happened, by_hand=by_hand)
        self.places.append(Place(said["id"], effective_at, happened if came_from else None, came_from))

    def _turn_page(self, said: Mapping[str, Any]) -> None:
        kind, data = said["type"].split(".")[1], said["data"]
        if kind == "calendar_set":
            self.months.zone = data["zone"]
        elif kind.startswith("period_"):
            self.months.took(kind.removeprefix("period_"), data["period"])

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
