"""The desks' share of a play through the real engines, without Kafka and without the other roles."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from db.queries import clocks, delivery
from db.queries import demo as sql
from ops.demo.books.closing import DAYS as CLOSING_DAYS
from ops.demo.books.draft import Books
from ops.demo.books.houses import NIGHT, at
from ops.demo.books.script import COMMANDS
from ops.demo.cases import DAYS
from ops.demo.marketplace import generate
from ops.periods.closings import take_closings
from producers.scheduler import SOURCE, TIMER_DUE, TIMERS_AT_ONCE
from schemas.outgoing import Cause, encode
from tests.engines import CHECKOUT, Feed

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

EVENTS: Final = 150
SEED: Final = 7
TIMERS: Final = "timer.events"
TIMER_DATA: Final = ("timer_id", "kind", "payment_id", "order_id", "object_id", "due_at")


class Town:
    """Engines of the three topics that the desks need."""

    def __init__(self, database: Database, admin: Connection) -> None:
        self.admin = admin
        self.shop = Feed(database.app_url, CHECKOUT)
        self.books = Feed(database.app_url, COMMANDS)
        self.timers = Feed(database.app_url, TIMERS)

    async def play(self, events: int = EVENTS, seed: int = SEED) -> Books:
        """Everything that is said at the desks, after a day that has tills alone."""
        books = Books(events, seed)
        tills = (b"checkout.merchant_fees_set.v1", b'"collection":"point_of_sale"')
        day = [one.value for one in generate(events, seed) if any(kind in one.value for kind in tills)]
        await self.shop.take(*day)
        await self.shop.settle_parked(self.admin)
        paid = [dict(row) for row in await sql.paid_orders(self.admin, orders=f"order-{seed}-")]
        books.take_back_sales(paid)
        dice = Random(seed)  # noqa: S311 - batches of any size
        for day_number in sorted({*DAYS, *CLOSING_DAYS}):
            await self.begin(books, day_number)
            bodies = [record.value for record in books.script.on(day_number)]
            while bodies:
                size = dice.randint(1, 40)
                await self.books.take(*bodies[:size])
                del bodies[:size]
            await self.books.settle_parked(self.admin)
            await take_closings(self.admin)
        return books

    async def begin(self, books: Books, day: int) -> None:
        """Night falls on that day, and what is due by then comes."""
        for house in books.houses:
            await clocks.set_clock(self.admin, tenant=house.market.tenant, now_at=at(day, NIGHT))
        rows = await delivery.due_timers(self.admin, most=TIMERS_AT_ONCE)
        if not rows:
            return
        fired = []
        for row in rows:
            cause = Cause(row["tenant"], SOURCE, str(row["timer_id"]), row["causation"])
            data = {name: row[name] for name in TIMER_DATA}
            fired.append(encode(cause, TIMER_DUE, 0, row["order_id"], row["now_at"], data))
        await self.timers.take(*fired)
        await self.timers.settle_parked(self.admin)
        await delivery.timers_published(
            self.admin,
            tenants=[row["tenant"] for row in rows],
            timer_ids=[row["timer_id"] for row in rows],
        )

    async def close(self) -> None:
        """No engine is connected any more."""
        for feed in (self.shop, self.books, self.timers):
            await feed.engine.close()
