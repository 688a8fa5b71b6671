"""The days after the day, played: on each, time passes at the provider and on the test clock, and people act.

First the provider's clock moves, and all that it tells is handled; then the test clock, with the timers that become
due; then what is published on that day. Each is settled before the next, so that the order of days is that of events.
At the end what banks said is told once more, and a stranger tries to say something: both must change nothing.
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
from ops.demo.after import acts
from ops.demo.cases import DECIDED
from ops.demo.merchants import SANDBOX

if TYPE_CHECKING:
    from collections.abc import Callable

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
    stage: Stage, *, events: int, seed: int, deadline_s: float, tell: Tell, observe: Observer | None = None
) -> Aftermath:
    """Play what follows a day of so many events that is settled. `deadline_s` holds for each of its parts.

    Raises:
        NotSettledError: a part took longer.
        RoleEndedError, KafkaError, httpx.HTTPError: as `Stage.play`.
    """
    draft = acts(events, seed, await _paid(stage, seed))
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
            await stage.play((), deadline_s=deadline_s, observe=observe)
            await _set_clock(stage, opened_at + timedelta(days=act.day, milliseconds=MARGIN_MS))
            day = act.day
        await stage.play(act.records, deadline_s=deadline_s, observe=observe)
        webhooks = (await stage.provider.told()).delivered - before
        tell(
            f"day {act.day:2}  {act.title}: {len(act.records):,} messages, {webhooks:,} webhooks, "
            f"{time.monotonic() - started:.1f} s"
        )
    refused = await stage.letterbox.forge()
    await stage.letterbox.hang_up_at(stage.provider, plain=True)
    again = await stage.provider.tell_again(told_since)
    await stage.play((), deadline_s=deadline_s, observe=observe)
    tell(
        f"told again: {again:,} events of day {DECIDED} and later; {refused.total()} webhooks of a stranger's: refused"
    )
    return Aftermath(sum(len(act.records) for act in draft), refused)


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
    await _set_clock(stage, now_at)
    return now_at


async def _set_clock(stage: Stage, now_at: datetime) -> None:
    """Move the test clock of the tenant that has one, as `counterfoil clock` does."""
    connection: Any = await connect(stage.at.database_url, application="counterfoil clock")
    try:
        async with connection.transaction():
            await clocks.set_clock(connection, tenant=SANDBOX.tenant, now_at=now_at)
            await clocks.note_clock(
                connection, tenant=SANDBOX.tenant, actor="demo", detail=f"to {now_at.isoformat()}"
            )
    finally:
        await connection.close()
