"""Random lives of the books through the real engine, with lost connections and redeliveries, against the desk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

from handlers.journals.model import journal_uuid_of
from handlers.ledger.model import Code
from handlers.wallets.model import grant_uuid_of, hold_uuid_of
from ops.inspect.balances import balances_before
from ops.rebuild.replay import replay
from ops.statements.moments import Basis
from tests.books import (
    LEDGER,
    WALLET,
    approve,
    conversion,
    credited,
    due,
    granted,
    held,
    hold_posted,
    hold_voided,
    journal,
    limited,
    opened,
    pair,
    refuse,
    reversal,
    spent,
)
from tests.desk import TIMERS, Desk
from tests.engines import Feed, broken_laws, feeds, reasons
from tests.shop import TENANT

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

MESSAGES = 120
START = datetime(2026, 11, 23, 10, tzinfo=UTC)


def a_message(dice: Random, number: int, now: datetime) -> bytes:
    """Anything that anybody might ask, about names that may exist."""
    minor, older = dice.randint(1, 400), dice.randrange(max(number, 1))
    soon = (now + timedelta(days=dice.randint(1, 5))).isoformat()
    effective = (now - timedelta(days=dice.randint(0, 40))).isoformat()
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
    ]
    return dice.choice(choices)


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


async def send(dice: Random, feed: Feed, bodies: list[bytes]) -> None:
    """In batches of any size; a connection may be lost at any time, and Kafka brings a batch again."""
    left = list(bodies)
    while left:
        size = dice.randint(1, 9)
        connection = feed.engine._connection  # noqa: SLF001 - what a network does
        if connection is not None and dice.random() < 0.2:
            connection.terminate()
        await feed.take(*left[:size])
        del left[:size]
        if dice.random() < 0.2:
            await feed.again(feed.log[-dice.randint(1, len(feed.log)) :])


@pytest.mark.parametrize("seed", range(4))
async def test_any_life_ends_as_it_does_at_the_desk(database: Database, admin: Connection, seed: int) -> None:
    dice = Random(seed)  # noqa: S311 - any life will do
    desk = Desk()
    now = START
    await admin.execute("INSERT INTO clocks VALUES ($1, $2)", TENANT, now)
    async with feeds(database.app_url, 1, LEDGER) as (books,), feeds(database.app_url, 1, TIMERS) as (clock,):
        first = opened()
        desk.now = now
        desk.send(first)
        await books.take(first)
        for start in range(0, MESSAGES, 20):
            bodies = [a_message(dice, number, now) for number in range(start, start + 15)]
            bodies += reversals(dice, range(start + 15, start + 20))
            for body in bodies:
                desk.send(body)
            await send(dice, books, bodies)
            now += timedelta(days=dice.randint(0, 2), hours=dice.randint(0, 20))
            await admin.execute("UPDATE clocks SET now_at = $1", now)
            desk.now = now
            fired = timers_of(desk, now)
            dice.shuffle(fired)
            for body in fired:
                desk.send(body, TIMERS)
            if fired:
                await send(dice, clock, fired)
        told = await reasons(admin)
        assert {event: told[event] for event in desk.verdicts if told[event] != "behind_parked"} == {
            event: verdict.reason
            for event, verdict in desk.verdicts.items()
            if told[event] != "behind_parked"
        }
    rows = await admin.fetch("SELECT code, owner, currency, balance_minor FROM account_balances")
    assert {tuple(row)[:3]: row["balance_minor"] for row in rows} == desk.balances()
    for _ in range(8):
        moment = START + timedelta(hours=dice.randint(-1000, 300))
        naive: dict[tuple[str, str, str], int] = {}
        for entry in desk.entries:
            if entry.posting.effective_at < moment:
                for leg in entry.posting.legs:
                    key = (str(leg.account), leg.owner, leg.currency)
                    naive[key] = naive.get(key, 0) + leg.amount_minor * (1 if leg.side == "debit" else -1)
        assert await held_before(admin, moment) == {key: minor for key, minor in naive.items() if minor}
    assert await broken_laws(admin) == []
    outcome = await replay(database.app_url, database.admin_url)
    assert [part.name for part in outcome.parts if part.broken] == []


async def held_before(admin: Connection, moment: datetime) -> dict[tuple[str, str, str], int]:
    """What the books say that every account held, debits less credits."""
    found = {}
    async with admin.transaction():
        for code in Code:
            for one in await balances_before(admin, code, moment, Basis.EFFECTIVE):
                found[code.value, one.owner, one.currency] = one.debit_minor - one.credit_minor
    return {key: minor for key, minor in found.items() if minor}
