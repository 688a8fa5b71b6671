"""On honest data `check` is silent; what a superuser changes behind the guards' back it finds, by law and by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ops.checks import check
from ops.checks.guards import GUARDS
from ops.checks.verdict import NAMED_AT_MOST
from tests.ops.busy import marketplace
from tests.ops.checks.deeds import BREACHES, DEEDS, Deed
from tests.ops.checks.traffic import sale
from tests.shop import capture, request

if TYPE_CHECKING:
    from ops.checks import Verdict
    from tests.conftest import Connection, Database


def broken(verdicts: list[Verdict]) -> list[Verdict]:
    """What does not hold."""
    return [verdict for verdict in verdicts if not verdict.ok]


async def guards(intruder: Connection, state: str) -> None:
    """Switch every guard off or on again: what a superuser can do."""
    for table, triggers in GUARDS.items():
        for trigger in triggers:
            await intruder.execute(f"ALTER TABLE {table} {state} TRIGGER {trigger}")


async def test_honest_traffic_breaks_no_law(reader: Connection) -> None:
    verdicts = await check(reader, settled=True)
    assert broken(verdicts) == []
    assert {verdict.law for verdict in verdicts} == {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12}
    assert all(verdict.checked for verdict in verdicts)


async def test_an_empty_database_breaks_no_law(admin: Connection) -> None:
    assert broken(await check(admin, settled=True)) == []


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.sql[:60])
async def test_a_deed_is_found(deed: Deed, intruder: Connection, reader: Connection) -> None:
    await guards(intruder, "DISABLE")
    await intruder.execute(deed.sql)
    await guards(intruder, "ENABLE ALWAYS")
    assert_named(deed, broken(await check(reader)))


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.sql[:60])
async def test_a_breach_of_the_guards_is_found(
    breach: Deed, intruder: Connection, reader: Connection
) -> None:
    await intruder.execute(breach.sql)
    assert_named(breach, broken(await check(reader)))


def assert_named(deed: Deed, verdicts: list[Verdict]) -> None:
    """The right laws are reported, and one of them names the culprit."""
    offenders = [offender for verdict in verdicts for offender in verdict.offenders]
    assert {verdict.law for verdict in verdicts} == deed.laws, offenders
    assert any(deed.named in offender for offender in offenders), offenders


async def test_what_is_under_way_breaks_a_law_only_when_all_should_be_settled(
    busy: Database, reader: Connection
) -> None:
    async with marketplace(busy, partition=1) as market:
        await market.receive(sale("u1", "u1"), request("u2", "u2"), capture("u3", "nowhere"))
    assert broken(await check(reader)) == []
    offenders = [
        offender for verdict in broken(await check(reader, settled=True)) for offender in verdict.offenders
    ]
    assert any("events for payment.events" in offender for offender in offenders)
    assert any("waits for its call" in offender for offender in offenders)
    assert any("event u3 of /shops/a of acme waits" in offender for offender in offenders)


async def test_many_offenders_are_counted_but_not_all_named(intruder: Connection, reader: Connection) -> None:
    await guards(intruder, "DISABLE")
    await intruder.execute(
        "INSERT INTO entries (tenant, entry_id, rule, object_type, object_id, source, event_id, legs,"
        " effective_at, posted_at) SELECT 'acme', 1000 + n, 'r', 'o', 'o', '/shops/a', 's1', 2, now(), now()"
        " FROM generate_series(1, 50) AS n"
    )
    await guards(intruder, "ENABLE ALWAYS")
    verdict = next(verdict for verdict in broken(await check(reader)) if verdict.law == 1)
    assert (verdict.broken, len(verdict.offenders)) == (50, NAMED_AT_MOST)


async def test_work_goes_on_while_check_runs(busy: Database, reader: Connection) -> None:
    async with (
        marketplace(busy, partition=1) as market,
        reader.transaction(isolation="repeatable_read", readonly=True),
    ):
        before = await check(reader)
        await market.receive(sale("w1", "w1"))
        assert await check(reader) == before
    assert broken(await check(reader)) == []
