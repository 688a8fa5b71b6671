"""The merchant's balance: what moves it, what it costs, and what is paid out for each day.

    every change of a charge -> lines (gross, fee) -> at midnight, for each currency: one payout of the day's net

A line that goes back on an earlier one has its type and the opposite sign: a failed refund is a refund above zero,
a returned debit a charge below zero, a won dispute a dispute above zero. So every total of a type is a net total.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import aiosql
import orjson

from ops.sandbox.agenda import Happening
from ops.sandbox.events import event
from ops.sandbox.fees import capture_fee_minor, return_fee_minor
from ops.sandbox.model import identifier
from ops.sandbox.store import columns_of, text_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from ops.sandbox.events import Event
    from ops.sandbox.model import Authorization
    from ops.sandbox.resources import Document

_QUERIES = aiosql.from_path(
    Path(__file__).parent / "queries" / "settlements.sql", "sqlite3", mandatory_parameters=False
)

LineType: TypeAlias = Literal["charge", "refund", "dispute", "fee"]
PAYOUT_DAYS = 1
"""How long a payout is on its way."""
CSV_COLUMNS = (
    "type",
    "authorization_id",
    "object_id",
    "reference",
    "currency",
    "gross_minor",
    "fee_minor",
    "net_minor",
    "booked_at",
    "payout_id",
)
CSV_METADATA = ("tenant", "order_id", "refund_id")
"""The metadata that becomes columns, as `metadata[…]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One movement of the balance: `gross_minor` less `fee_minor`."""

    type: LineType
    object_id: str
    metadata: Mapping[str, str]
    gross_minor: int
    fee_minor: int = 0


def lines_between(before: Authorization | None, after: Authorization) -> Iterator[Line]:
    """What a change of a charge does to the balance."""
    for capture in after.captures[len(before.captures) if before else 0 :]:
        yield Line(
            type="charge",
            object_id=capture.id,
            metadata=after.metadata,
            gross_minor=capture.amount_minor,
            fee_minor=capture_fee_minor(after.method_type, capture.amount_minor, after.currency),
        )
    returned_minor = after.returned_amount_minor - (before.returned_amount_minor if before else 0)
    if returned_minor:
        yield Line(
            type="charge",
            object_id=after.id,
            metadata=after.metadata,
            gross_minor=-returned_minor,
            fee_minor=return_fee_minor(after.currency),
        )

    paid = {refund.id for refund in before.refunds if refund.status == "succeeded"} if before else set()
    for refund in after.refunds:
        if (refund.status == "succeeded") != (refund.id in paid):
            gross_minor = refund.amount_minor if refund.id in paid else -refund.amount_minor
            yield Line(type="refund", object_id=refund.id, metadata=refund.metadata, gross_minor=gross_minor)

    known = {dispute.id: dispute for dispute in before.disputes} if before else {}
    for dispute in after.disputes:
        earlier = known.get(dispute.id)
        withheld_minor = dispute.funds_minor - (earlier.funds_minor if earlier else 0)
        fee_minor = dispute.fee_minor - (earlier.fee_minor if earlier else 0)
        about: dict[str, Any] = {"object_id": dispute.id, "metadata": after.metadata}
        if withheld_minor:
            yield Line(type="dispute", gross_minor=-withheld_minor, **about)
        if fee_minor:
            yield Line(type="fee", gross_minor=0, fee_minor=fee_minor, **about)


class Balance:
    """The lines and payouts in the books."""

    def __init__(self, db: sqlite3.Connection, books_id: str) -> None:
        self._db = db
        self._books_id = books_id

    def book(self, authorization: Authorization, lines: Sequence[Line], now: datetime) -> list[Happening]:
        """Write lines; what follows is the end of their day."""
        if not lines:
            return []
        shared = {
            "authorization_id": authorization.id,
            "reference": authorization.reference,
            "currency": authorization.currency,
            "booked_at": text_of(now),
        }
        _QUERIES.add_lines(self._db, [columns_of(line) | shared for line in lines])
        day = now.astimezone(UTC).date()
        ends_at = datetime.combine(day + timedelta(days=1), time(), UTC)
        return [Happening(due_at=ends_at, what="day_ends", object_id=day.isoformat())]

    def close_day(self, day: str, now: datetime) -> tuple[list[Event], list[Happening]]:
        """Pay out what a day brought, by currency; below zero it is collected, and zero is told too."""
        rows = [
            {
                "id": identifier("po", f"{self._books_id}:{day}:{row['currency']}"),
                "settlement_date": day,
                "currency": row["currency"],
                "amount_minor": row["net_minor"],
                "created_at": text_of(now),
            }
            for row in _QUERIES.unsettled(self._db, settlement_date=day)
        ]
        _QUERIES.add_payouts(self._db, rows)
        _QUERIES.settle_lines(self._db, settlement_date=day)
        made = [payout for row in rows for payout in self.payouts(row["id"])]
        arrives_at = now + timedelta(days=PAYOUT_DAYS)
        return (
            [_told("payout.created", payout, now) for payout in made],
            [Happening(due_at=arrives_at, what="payout_arrives", object_id=payout["id"]) for payout in made],
        )

    def arrive(self, payout_id: str, now: datetime) -> list[Event]:
        """A payout is on the merchant's account."""
        _QUERIES.payout_arrives(self._db, id=payout_id, paid_at=text_of(now))
        return [_told("payout.paid", payout, now) for payout in self.payouts(payout_id)]

    def payouts(self, payout_id: str | None = None) -> list[Document]:
        """All payouts, or one."""
        return [{"object": "payout", **dict(row)} for row in _QUERIES.payouts(self._db, id=payout_id)]

    def settlements(self, day: date | None, currency: str | None) -> list[Document]:
        """Each day and currency with its totals."""
        rows = _QUERIES.settlements(self._db, date=day.isoformat() if day else None, currency=currency)
        return [
            {"object": "settlement", "status": "closed" if row["payout_id"] else "open", **dict(row)}
            for row in rows
        ]

    def lines(self, day: date, currency: str) -> list[Document]:
        """The lines of one settlement."""
        rows = _QUERIES.settlement_lines(self._db, date=day.isoformat(), currency=currency)
        return [{**dict(row), "metadata": orjson.loads(row["metadata"])} for row in rows]


def lines_csv(lines: Sequence[Document]) -> str:
    """A settlement's lines as CSV (RFC 4180), with a header."""
    rows = [
        [line[column] for column in CSV_COLUMNS] + [line["metadata"].get(name, "") for name in CSV_METADATA]
        for line in lines
    ]
    return _csv([*CSV_COLUMNS, *(f"metadata[{name}]" for name in CSV_METADATA)], rows)


PAYOUT_COLUMNS = ("id", "settlement_date", "currency", "amount_minor", "status", "created_at", "paid_at")


def payouts_csv(payouts: Sequence[Document]) -> str:
    """Payouts as CSV (RFC 4180), with a header."""
    return _csv(PAYOUT_COLUMNS, [[payout[column] for column in PAYOUT_COLUMNS] for payout in payouts])


def _csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(header)
    writer.writerows(rows)
    return written.getvalue()


def _told(kind: str, payout: Document, now: datetime) -> Event:
    return event(kind, payout["id"], None, now, {"payout": payout})
