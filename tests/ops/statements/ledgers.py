"""Entries with dates of one's choice, written as the engine writes them; and what they come to, computed naively."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

from db.ledger import Entry, Ledger
from db.queries import engine
from handlers.ledger.model import CREDIT, DEBIT, Code, Posting
from ops.statements.moments import Basis
from schemas.ledger import Leg
from schemas.outgoing import Cause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conftest import Connection

START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = 40


@dataclass(frozen=True)
class Sale:
    """Taken for a merchant, less a fee; amounts are minor units."""

    effective_at: datetime
    posted_at: datetime
    merchant: str = "m1"
    minor: int = 1000
    fee_minor: int = 30
    currency: str = "EUR"
    tenant: str = "acme"
    object_id: str = "o1"

    def at(self, basis: Basis) -> datetime:
        """The date that places it."""
        return self.effective_at if basis is Basis.EFFECTIVE else self.posted_at


def sale(minor: int = 1000, **parts: object) -> Sale:
    """A sale at the start, unless said otherwise."""
    return Sale(**{"effective_at": START, "posted_at": START, "minor": minor, **parts})  # type: ignore[arg-type]


def some_sales(seed: int, number: int) -> list[Sale]:
    """Sales in the order in which they were posted: most at once, some late, many at the very same instant."""
    random = Random(seed)  # noqa: S311 - to be repeatable
    sales = []
    for place in range(number):
        posted = START + timedelta(hours=place * 24 * DAYS // number)
        late = random.choice([timedelta(), timedelta(), timedelta(hours=random.randrange(24 * 30))])
        minor = random.randrange(100, 10_000)
        merchant = random.choice(["m1", "m1", "m1", "m2"])
        sales.append(Sale(posted - late, posted, merchant, minor, minor // 40))
    return sales


async def post(connection: Connection, sales: Sequence[Sale], stripe: int = 0) -> list[int]:
    """Write the entries in one transaction; gives their numbers."""
    async with connection.transaction():
        return await post_within(connection, sales, stripe)


async def post_within(connection: Connection, sales: Sequence[Sale], stripe: int = 0) -> list[int]:
    """The same, in the caller's transaction; which has locked something, as the engine has."""
    await connection.execute("SELECT pg_current_xact_id()")
    ids: list[int] = (await engine.reserve_ids(connection, entries=len(sales)))["entry_ids"]
    entries = [_entry(sold, number) for number, sold in enumerate(sales)]
    await Ledger(stripe).write(connection, entries, ids)
    return ids


def held_before(sales: Sequence[Sale], merchant: str, before: datetime, basis: Basis) -> int:
    """What a merchant was owed, line by line."""
    return sum(
        sold.minor - sold.fee_minor for sold in sales if sold.merchant == merchant and sold.at(basis) < before
    )


def _entry(sold: Sale, number: int) -> Entry:
    legs = (
        Leg(DEBIT, Code.PROCESSOR_RECEIVABLE, "sandbox", sold.minor, sold.currency),
        Leg(CREDIT, Code.MERCHANT_PAYABLE, sold.merchant, sold.minor - sold.fee_minor, sold.currency),
        Leg(CREDIT, Code.PLATFORM_FEE_REVENUE, "platform", sold.fee_minor, sold.currency),
    )
    posting = Posting(
        "card_captured",
        "payment",
        sold.object_id,
        sold.effective_at,
        tuple(leg for leg in legs if leg.amount_minor),
    )
    return Entry(Cause(sold.tenant, "/shops/a", f"e{number}"), posting, sold.posted_at)
