"""The days after the day, played: on each, time passes at the provider and on the test clocks, and people act.

First the provider's clock moves, and those of the houses that keep books, and all that follows is handled; then the
marketplace's test clock, with the timers that become due; then what is published on that day. Each is settled before
the next, so that the order of days is that of events. Then what banks said is told once more, and a stranger tries to
say something: both must change nothing. In the end the houses close their books.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from db.connection import connect
from db.queries import clocks
from db.queries import demo as sql
from db.queries import demo_books as books_sql
from ops.demo.after import acts
from ops.demo.books.closing import CLOSED, FINAL
from ops.demo.books.closing import DAYS as CLOSING_DAYS
from ops.demo.books.houses import NIGHT, at
from ops.demo.cases import DECIDED
from ops.demo.merchants import SANDBOX
from ops.periods.closings import take_closings
from schemas.outgoing import partition_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.demo.after import Act
    from ops.demo.books.draft import Books
    from ops.demo.stage import Observer, Stage

    Tell = Callable[[str], None]

MARGIN_MS: Final = 3_600_000
"""What is due in so many days was asked for a little after the day began."""
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What was played: how many records were published, and the HTTP statuses that a stranger's webhooks met."""

    records: int
    refused: Counter[str]


async def play_weeks(
    stage: Stage,
    *,
    events: int,
    seed: int,
    books: Books,
    deadline_s: float,
    tell: Tell,
    observe: Observer | None = None,
) -> Aftermath:
    """Play what follows a day of so many events that is settled. `deadline_s` holds for each of its parts.

    `books` is what its desks say; what they said on the day itself was played.

    Raises:
        NotSettledError: a part took longer.
        RoleEndedError, KafkaError, httpx.HTTPError: as `Stage.play`.
    """
    paid = await _paid(stage, seed)
    draft = acts(events, seed, paid)
    books.take_back_sales(_untouched(paid, draft))
    opened_at = await _start_clock(stage)
    await stage.letterbox.hang_up_at(stage.provider)
    told_since = ""
    day = 0
    for act in draft:
        started, before = time.monotonic(), (await stage.provider.told()).delivered
        if act.day > day:
            told_since = told_since or await stage.provider.now()
            margin_ms = MARGIN_MS if day == 0 else 0
            await stage.provider.advance((act.day - day) * DAY_MS + margin_ms)
            await set_house_clocks(stage, books, act.day)
            await stage.play((), deadline_s=deadline_s, observe=observe)
            moment = opened_at + timedelta(days=act.day, milliseconds=MARGIN_MS)
            await _set_clocks(stage, [SANDBOX.tenant], moment)
            day = act.day
        asked = books.script.on(act.day) if act.day else []
        await stage.play([*act.records, *asked], deadline_s=deadline_s, observe=observe)
        webhooks = (await stage.provider.told()).delivered - before
        tell(
            f"day {act.day:2}  {act.title}: {len(act.records):,} messages, {webhooks:,} webhooks, "
            f"{len(asked):,} commands to the books, {time.monotonic() - started:.1f} s"
        )
    refused = await stage.letterbox.forge()
    await stage.letterbox.hang_up_at(stage.provider, plain=True)
    again = await stage.provider.tell_again(told_since)
    await stage.play((), deadline_s=deadline_s, observe=observe)
    tell(
        f"told again: {again:,} events of day {DECIDED} and later; {refused.total()} webhooks of a stranger's: refused"
    )
    await _close_books(stage, books, deadline_s, tell, observe)
    return Aftermath(sum(len(act.records) for act in draft), refused)


async def set_house_clocks(stage: Stage, books: Books, day: int) -> None:
    """Make it the night of that day for those who keep books."""
    await _set_clocks(stage, [house.market.tenant for house in books.houses], at(day, NIGHT))


async def _close_books(
    stage: Stage, books: Books, deadline_s: float, tell: Tell, observe: Observer | None
) -> None:
    for day, title in CLOSING_DAYS.items():
        started = time.monotonic()
        await set_house_clocks(stage, books, day)
        asked = books.script.on(day)
        await stage.play(asked, deadline_s=deadline_s, observe=observe)
        kept = ""
        if day in {CLOSED, FINAL}:
            closings = await _take_closings(stage)
            kept = f", {closings} closings kept"
        tell(
            f"day {day:2}  {title}: {len(asked):,} commands to the books{kept}, {time.monotonic() - started:.1f} s"
        )


async def _take_closings(stage: Stage) -> int:
    """Keep the balances of closings, as an hourly job does; how many there are."""
    connection: Any = await connect(stage.at.database_url, application="counterfoil closings")
    try:
        await take_closings(connection)
        return cast("int", (await books_sql.slices_and_closings(connection))["closings"])
    finally:
        await connection.close()


def _untouched(paid: list[dict[str, Any]], draft: list[Act]) -> list[dict[str, Any]]:
    """Payments of the day of which nothing more is heard."""
    heard = {record.key for act in draft for record in act.records}
    return [row for row in paid if partition_key(row["tenant"], row["order_id"]).encode() not in heard]


async def _paid(stage: Stage, seed: int) -> list[dict[str, Any]]:
    connection: Any = await connect(stage.at.database_url, application="counterfoil aftermath")
    try:
        return [dict(row) for row in await sql.paid_orders(connection, orders=f"order-{seed}-")]
    finally:
        await connection.close()


async def _start_clock(stage: Stage) -> datetime:
    """Start the test clock with the provider's; or go on from where an earlier play on these servers left it."""
    connection: Any = await connect(stage.at.database_url, application="counterfoil clock")
    try:
        stands_at = await clocks.clock_of(connection, tenant=SANDBOX.tenant)
    finally:
        await connection.close()
    now_at = datetime.now(UTC)
    if stands_at is not None and stands_at > now_at:
        await stage.provider.advance(math.ceil((stands_at - now_at) / timedelta(milliseconds=1)))
        return cast("datetime", stands_at)
    await _set_clocks(stage, [SANDBOX.tenant], now_at)
    return now_at


async def _set_clocks(stage: Stage, tenants: list[str], now_at: datetime) -> None:
    """Move the test clocks of tenants that have one, as `counterfoil clock` does."""
    connection: Any = await connect(stage.at.database_url, application="counterfoil clock")
    try:
        async with connection.transaction():
            for tenant in tenants:
                await clocks.set_clock(connection, tenant=tenant, now_at=now_at)
                detail = f"to {now_at.isoformat()}"
                await clocks.note_clock(connection, tenant=tenant, actor="demo", detail=detail)
    finally:
        await connection.close()
