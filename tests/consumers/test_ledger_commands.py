"""Journals, reversals, conversions, wallets and holds on the real database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from handlers.journals.model import journal_uuid_of
from handlers.wallets.model import hold_uuid_of
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
    leg,
    limited,
    opened,
    part,
    refuse,
    reversal,
    spent,
    wallet,
)
from tests.engines import Feed, broken_laws, feeds, outcomes, published, reasons
from tests.shop import TENANT, fees, sale

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Connection, Database


@pytest.fixture
async def books(database: Database) -> AsyncIterator[Feed]:
    """The engine of `ledger.commands`."""
    async with feeds(database.app_url, 1, LEDGER) as (only,):
        yield only


async def balances(admin: Connection) -> dict[str, int]:
    """What each account holds, by code, owner and currency."""
    rows = await admin.fetch("SELECT code, owner, currency, balance_minor FROM account_balances")
    return {f"{row['code']}/{row['owner']}/{row['currency']}": row["balance_minor"] for row in rows}


async def test_a_journal_is_in_the_books_when_somebody_else_agrees(books: Feed, admin: Connection) -> None:
    await books.take(journal("j1"), approve("j1", who="ada", event_id="own"), approve("j1"))
    assert await reasons(admin) == {"j1": None, "own": "four_eyes", "j1-approved": None}
    assert await balances(admin) == {"suspense/main/EUR": -1000, "bank_clearing/main/EUR": -1000}
    told = [message["type"] for message in await published(admin, "account.events")]
    assert told == ["journal.proposed.v1", "journal.posted.v1"]
    assert [m["data"]["about"] for m in await published(admin, "notification.requests")] == [
        "journal.approval_needed"
    ]
    assert await admin.fetchval("SELECT count(*) FROM audit_log") == 2
    assert await broken_laws(admin) == []


async def test_a_wallet_spends_what_it_has(books: Feed, admin: Connection) -> None:
    await books.take(opened(), credited("c1", 1000), spent("s1", 300), spent("s2", 800))
    await books.settle_parked(admin)
    assert await reasons(admin) == {"open": None, "c1": None, "s1": None, "s2": "limit_reached"}
    assert (await balances(admin))["prepaid_balance/cus_7/EUR"] == 700
    assert await broken_laws(admin) == []
