"""The books of the demo's houses as plain text: Beancount takes them, and comes to the trial balance."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from beancount import loader
from beancount.core import data

from ops.exports.beancount import write_beancount
from ops.exports.journal import entries, open_accounts
from ops.exports.names import account_name
from ops.inspect.balances import trial_balances_before
from ops.statements.moments import Basis
from schemas.currencies import to_minor

if TYPE_CHECKING:
    from ops.demo.books.draft import Books
    from tests.conftest import Connection

END = datetime(2199, 1, 1, tzinfo=UTC)
BEAN_CHECK = str(Path(sys.executable).with_name("bean-check"))


async def test_bean_check_accepts_every_houses_books_and_comes_to_its_trial_balance(
    keeper: Connection, books: Books, tmp_path: Path
) -> None:
    for house in books.houses:
        tenant = house.market.tenant
        path = tmp_path / f"{tenant}.beancount"
        async with keeper.transaction(isolation="repeatable_read"):
            opened = await open_accounts(keeper, tenant, END, Basis.EFFECTIVE)
            with path.open("w") as to:
                journal = entries(keeper, tenant, END, Basis.EFFECTIVE)
                await write_beancount(to, tenant, Basis.EFFECTIVE, opened, journal)
        found, errors, _ = loader.load_file(str(path))
        assert errors == []
        checking = await asyncio.create_subprocess_exec(BEAN_CHECK, str(path))
        assert await checking.wait() == 0
        assert of_postings(found) == await trial(keeper, tenant)


Totals = dict[tuple[str, str], int]
"""(root and code, currency) -> debits less credits."""


async def trial(connection: Connection, tenant: str) -> Totals:
    """From the trial balance; what is at zero is left out."""
    found = {
        (account_name(code.type, code.code, "X").rpartition(":")[0], book.currency): code.debit_minor
        - code.credit_minor
        for book in await trial_balances_before(connection, END, Basis.EFFECTIVE, tenant=tenant)
        for code in book.codes
    }
    return {account: minor for account, minor in found.items() if minor}


def of_postings(found: list[data.Directive]) -> Totals:
    """The same as Beancount understood the file."""
    totals: Counter[tuple[str, str]] = Counter()
    for transaction in data.filter_txns(found):
        for posting in transaction.postings:
            unit = posting.units
            assert unit is not None
            assert unit.number is not None
            assert unit.currency is not None
            totals[posting.account.rpartition(":")[0], unit.currency] += to_minor(unit.number, unit.currency)
    return {account: minor for account, minor in totals.items() if minor}
