"""Random lives of the books through real engines, with lost connections and redeliveries, against the desk.

Sales, refunds, wallets, journals, reversals, conversions and closes; what the desk says of each entry, its date and
its origin is in the database, and what every account held at any moment is what a naive sum says, by either date.
"""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Final

import asyncpg
import pytest

from handlers.journals.model import journal_uuid_of
from handlers.ledger.model import Code
from handlers.wallets.model import grant_uuid_of, hold_uuid_of
from ops.inspect.balances import balances_before
from ops.periods.closings import take_closings
from ops.rebuild.replay import replay
from ops.statements.moments import Basis
from ops.statements.slices import slice_accounts
from tests.books import (
    LEDGER,
    WALLET,
    about_period,
    approve,
    at,
    conversion,
    counted_in,
    credited,
    due,
    granted,
    handed_out,
    held,
    hold_posted,
    hold_voided,
    journal,
    limited,
    opened,
    pair,
    refund,
    refund_policy,
    refuse,
    reversal,
    spent,
)
from tests.cable import cable_to
from tests.desk import TIMERS, Desk
from tests.engines import CHECKOUT, Feed, broken_laws, feeds, reasons
from tests.months import begins
from tests.property.effort import examples
from tests.shop import TENANT, fees, sale

if TYPE_CHECKING:
    from tests.cable import Cable
    from tests.conftest import Connection, Database

MESSAGES = 120
START = datetime(2026, 11, 23, 10, tzinfo=UTC)
ZONES: Final = ("Europe/Berlin", "America/Havana", "Pacific/Kiritimati", "UTC")
"""Of each life, one: in Berlin October ends with winter time, in Havana its last midnight comes twice."""
STEPS: Final = (
    "soft_close_requested",
    "close_requested",
    "close_requested",
    "reopening_requested",
    "reopening_approved",
    "reopening_refused",
)


def near_a_months_end(dice: Random, zone: str) -> datetime:
    """Before, at or after the first instant of a month, or any day of it."""
    first = begins((2026, dice.randint(9, 12)), zone)
    return first + dice.choice(
        [
            timedelta(microseconds=-1),
            timedelta(),
            timedelta(seconds=1),
            timedelta(hours=dice.randint(-400, 400)),
        ]
    )


def a_message(dice: Random, number: int, now: datetime, zone: str) -> bytes:
    """Anything that anybody might ask, about names that may exist."""
    minor, older = dice.randint(1, 400), dice.randrange(max(number, 1))
    soon = (now + timedelta(days=dice.randint(1, 5))).isoformat()
    effective = min(now, near_a_months_end(dice, zone)).isoformat()
    month = f"2026-{dice.choice(['09', '09', '10', '10', '11'])}"
    entry = {"object_id": str(journal_uuid_of(TENANT, f"n{older}")), "number": 1}
    name = f"n{number}"
    choices = [
        credited(name, minor, way=dice.choice(["bank_transfer", "goodwill"])),
        granted(name, minor, soon, priority=dice.choice([50, 250])),
        limited(name, number + 1, dice.choice([0, 50, 200])),
        spent(name, minor),
        held(name, minor, soon),
        hold_posted(name, f"n{older}", dice.choice([None, minor]), final=dice.random() < 0.5),
        hold_voided(name, f"n{older}"),
        journal(name, pair(minor), effective_at=effective),
        conversion(name, bought_minor=9_234 + dice.randint(-6, 6)),
        approve(f"n{older}", event_id=name),
        approve(f"n{older}", event_id=name, reverses=entry),
        refuse(f"n{older}", idempotency_key=name).replace(f"n{older}-refused".encode(), name.encode()),
        *(about_period(name, step, month, dice.choice(["ada", "grace"])) for step in STEPS),
    ]
    return at(near_a_months_end(dice, zone), dice.choice(choices))


def of_a_shop(dice: Random, number: int, zone: str, desk: Desk) -> bytes:
    """A sale that is told late; money that is given back for one that is known, or is not."""
    name, minor = f"s{number}", dice.randint(1, 4_000)
    sold = [one.order_id for one in desk.world.states["payment"].values()]
    given = [(one.order_id, one.refund_id) for one in desk.world.states["refund"].values()]
    choices = [sale(name, name, minor)]
    choices += [refund(name, order, dice.choice([None, minor])) for order in sold]
    choices += [handed_out(name, *of, was=dice.random() < 0.7) for of in given]
    return at(near_a_months_end(dice, zone), dice.choice(choices))


def reversals(dice: Random, numbers: range) -> list[bytes]:
    """Proposals to take back what was posted before, perhaps; others approve them later, perhaps."""
    return [
        reversal(
            f"n{number}",
            str(journal_uuid_of(TENANT, f"n{dice.randrange(numbers.start)}")),
            effective=dice.choice(["today", "original"]),
        )
        for number in numbers
    ]


def timers_of(desk: Desk, now: datetime) -> list[bytes]:
    """What is due by then, and might be late, or come twice."""
    grants = [
        (bucket.expires_at, grant_uuid_of(TENANT, WALLET, bucket.owner.split("/")[-1]), "promotion_expiry")
        for wallet in desk.wallets
        for bucket in wallet.buckets
        if bucket.expires_at is not None
    ]
    holds = [
        (hold.expires_at, hold_uuid_of(TENANT, WALLET, hold.hold_id), "hold_expiry") for hold in desk.holds
    ]
    return [
        due(kind, str(object_id), WALLET, at.isoformat())
        for at, object_id, kind in grants + holds
        if at <= now
    ]


async def send(dice: Random, feed: Feed, cable: Cable, bodies: list[bytes]) -> None:
    """In batches of any size; a connection may be lost at any time, in COMMIT too, and Kafka repeats."""
    left = list(bodies)
    while left:
        size = dice.randint(1, 9)
        connection = feed.engine._connection  # noqa: SLF001 - what a network does
        if connection is not None and dice.random() < 0.2:
            connection.terminate()
        if dice.random() < 0.1:
            cable.lose_answers_to = b"COMMIT"
        await feed.take(*left[:size])
        del left[:size]
        if dice.random() < 0.2:
            await feed.again(feed.log[-dice.randint(1, len(feed.log)) :])


@pytest.mark.parametrize("seed", range(examples(2)))
async def test_any_life_ends_as_it_does_at_the_desk(database: Database, admin: Connection, seed: int) -> None:
    dice = Random(seed)  # noqa: S311 - any life will do
    zone, now = ZONES[seed % len(ZONES)], START
    desk = Desk()
    await admin.execute("INSERT INTO clocks VALUES ($1, $2)", TENANT, now)
    app = await asyncpg.connect(database.app_url)
    async with (
        cable_to(database.app_url) as (cable, url),
        feeds(url, 1, LEDGER) as (books,),
        feeds(url, 1, TIMERS) as (clock,),
        feeds(url, 1, CHECKOUT) as (shop,),
    ):

        async def take(feed: Feed, bodies: list[bytes]) -> None:
            for body in bodies:
                desk.send(body, feed.topic)
            await send(dice, feed, cable, bodies)

        await take(books, [counted_in(zone), opened()])
        await take(shop, [fees(), refund_policy()])
        for start in range(0, MESSAGES, 20):
            for number in (start, start + 5):
                await take(shop, [of_a_shop(dice, number + more, zone, desk) for more in range(5)])
            await take(books, [a_message(dice, number, now, zone) for number in range(start, start + 15)])
            await take(books, reversals(dice, range(start + 15, start + 20)))
            now += timedelta(days=dice.randint(0, 2), hours=dice.randint(0, 20))
            await admin.execute("UPDATE clocks SET now_at = $1", now)
            desk.now = now
            fired = timers_of(desk, now)
            dice.shuffle(fired)
            await take(clock, fired)
            if dice.random() < 0.5:
                await take_closings(app)
            if dice.random() < 0.5:
                await slice_accounts(app, size=4)
        told = await reasons(admin)
        assert {event: told[event] for event in desk.verdicts if told[event] != "behind_parked"} == {
            event: verdict.reason
            for event, verdict in desk.verdicts.items()
            if told[event] != "behind_parked"
        }
    await app.close()
    rows = await admin.fetch("SELECT code, owner, currency, balance_minor FROM account_balances")
    assert {tuple(row)[:3]: row["balance_minor"] for row in rows} == desk.balances()
    assert await places(admin) == sorted(map(astuple, desk.places), key=repr)
    for basis in Basis:
        for _ in range(12):
            moment = near_a_months_end(dice, zone)
            assert await held_before(admin, moment, basis) == naively(desk, moment, basis)
    for table in ("entry_origins", "period_closings", "account_slices"):
        assert await admin.fetchval(f"SELECT count(*) FROM {table}"), f"this life has no {table}"  # noqa: S608
    assert await broken_laws(admin) == []
    outcome = await replay(database.app_url, database.admin_url)
    assert [part.name for part in outcome.parts if part.broken] == []


async def places(admin: Connection) -> list[tuple[object, ...]]:
    """Where the entries are, as tests.desk.Place says it."""
    rows = await admin.fetch(
        "SELECT e.event_id, e.effective_at, o.origin_effective_at, o.period FROM entries AS e"
        " LEFT JOIN entry_origins AS o ON o.entry_id = e.entry_id AND o.tenant = e.tenant"
    )
    return sorted(map(tuple, rows), key=repr)


def naively(desk: Desk, moment: datetime, basis: Basis) -> dict[tuple[str, str, str], int]:
    """Debits less credits of every account, line by line from the desk's own places."""
    sums: dict[tuple[str, str, str], int] = {}
    for entry, place in zip(desk.entries, desk.places, strict=True):
        dated = place.effective_at if basis is Basis.EFFECTIVE else entry.posted_at
        if dated < moment:
            for leg in entry.posting.legs:
                key = (str(leg.account), leg.owner, leg.currency)
                sums[key] = sums.get(key, 0) + leg.amount_minor * (1 if leg.side == "debit" else -1)
    return {key: minor for key, minor in sums.items() if minor}


async def held_before(admin: Connection, moment: datetime, basis: Basis) -> dict[tuple[str, str, str], int]:
    """What the books say that every account held, debits less credits."""
    found = {}
    async with admin.transaction():
        for code in Code:
            for one in await balances_before(admin, code, moment, basis):
                found[code.value, one.owner, one.currency] = one.debit_minor - one.credit_minor
    return {key: minor for key, minor in found.items() if minor}
