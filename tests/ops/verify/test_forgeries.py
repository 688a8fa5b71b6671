"""Forgeries of everything the books keep beside the entries: found by `verify`, `check` or `replay`, and named."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import asyncpg
import pytest

from db.connection import prepare
from handlers.journals.model import journal_uuid_of
from ops.checks import check
from ops.periods.closings import take_closings
from ops.rebuild.replay import replay
from ops.statements.slices import slice_accounts
from tests.books import (
    LEDGER,
    about_period,
    approve,
    at,
    conversion,
    credited,
    granted,
    held,
    hold_posted,
    journal,
    opened,
    pair,
    reversal,
    spent,
)
from tests.engines import broken_laws, feeds
from tests.months import begins
from tests.ops.busy import copy_of
from tests.ops.verify.forgeries import FORGERIES, NAMES, UNDER_GUARD
from tests.producers.chain.book import seal_all, verified
from tests.shop import TENANT, fees, sale

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ops.embedded import Endpoints
    from tests.conftest import Connection, Database
    from tests.ops.verify.forgeries import Forgery

_numbers = count(1)


@pytest.fixture(scope="session")
async def sealed_books(endpoints: Endpoints, template: str) -> AsyncIterator[str]:
    """A database with a bit of everything: a closing, a late sale, journals, a reversal, a wallet with a hold."""
    first = begins((2026, 10), "UTC")
    async with copy_of(endpoints, template, "sealed_books") as database:
        app = await asyncpg.connect(database.app_url)
        await prepare(app)
        admin = await asyncpg.connect(database.admin_url)
        await admin.execute("INSERT INTO clocks VALUES ($1, '2026-12-05 12:00Z')", TENANT)
        await admin.close()
        async with (
            feeds(database.app_url, 1) as (shop,),
            feeds(database.app_url, 1, LEDGER) as (books,),
        ):
            await shop.take(fees(), sale("s1", "o1", time="2026-10-20T10:00:00Z"), sale("s2", "o2", 500))
            await shop.take(fees("fg", tenant="globex"), sale("sg", "og", 4200, tenant="globex"))
            await seal_all(app)
            await books.take(about_period("close", "close_requested", "2026-10"))
            await take_closings(app)
            await shop.take(sale("late", "o3", time="2026-10-20T10:00:00Z"))
            await seal_all(app)
            await books.take(opened())
            await books.take(credited("c1", 1000), granted("g1", 300), spent("p1", 200), held("h1", 150))
            await books.take(hold_posted("hp1", "h1", 100, final=False))
            await books.take(journal("j1", pair(700)), journal("j2", pair(700)), conversion("x1"))
            await books.take(approve("j1"), approve("j2"), approve("x1"))
            entry = str(journal_uuid_of(TENANT, "j1"))
            await books.take(reversal("r1", entry))
            await books.take(approve("r1", reverses={"object_id": entry, "number": 1}))
            await books.take(at(first, credited("c2", 70)))
        await slice_accounts(app, size=1)
        await seal_all(app)
        await app.close()
        yield "sealed_books"


@pytest.fixture
async def books(endpoints: Endpoints, sealed_books: str) -> AsyncIterator[Database]:
    """A copy that no other test touches."""
    async with copy_of(endpoints, sealed_books, f"sealed_books_{next(_numbers)}") as database:
        yield database


@pytest.fixture
async def forger(books: Database) -> AsyncIterator[Connection]:
    """A superuser."""
    connection = await asyncpg.connect(books.admin_url)
    await prepare(connection)
    yield connection
    connection.terminate()


async def told_of(books: Database, forger: Connection, forgery: Forgery) -> tuple[str, list[str]]:
    """What should be told of a forgery, and what is."""
    names = {name: await forger.fetchval(sql) for name, sql in NAMES.items()}
    assert None not in names.values(), names
    sql, told = forgery.sql, forgery.told
    for name, number in names.items():
        sql = sql.replace("{" + name + "}", str(number))
        told = told.replace("{" + name + "}", str(number))
    await forger.execute(sql)
    if forgery.found_by == "verify":
        return told, [finding.told for finding in (await verified(forger)).findings]
    if forgery.found_by == "check":
        verdicts = await check(forger, settled=True)
        return told, [offender for verdict in verdicts for offender in verdict.offenders]
    outcome = await replay(books.app_url, books.admin_url)
    return told, [line for part in outcome.parts for line in part.differences]


async def test_nothing_is_said_of_books_that_nobody_forged(books: Database, forger: Connection) -> None:
    assert await broken_laws(forger) == []
    assert (await verified(forger)).findings == []
    assert [part.name for part in (await replay(books.app_url, books.admin_url)).parts if part.broken] == []


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda forgery: forgery.name)
async def test_a_forgery_without_guards_is_found(
    forgery: Forgery, books: Database, forger: Connection
) -> None:
    for row in await forger.fetch(
        "SELECT tgname, tgrelid::regclass::text AS guarded FROM pg_trigger WHERE NOT tgisinternal"
    ):
        await forger.execute(f"DROP TRIGGER {row['tgname']} ON {row['guarded']}")
    told, found = await told_of(books, forger, forgery)
    assert any(told in one for one in found), (told, found)


@pytest.mark.parametrize("forgery", UNDER_GUARD, ids=lambda forgery: forgery.name)
async def test_a_guard_that_was_tricked_is_found(
    forgery: Forgery, books: Database, forger: Connection
) -> None:
    told, found = await told_of(books, forger, forgery)
    assert any(told in one for one in found), (told, found)
