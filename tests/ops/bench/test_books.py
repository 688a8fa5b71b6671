"""The bench of the books, small: a ledger that holds the laws, questions with answers, a table that shows them."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console

from db.queries import books as questions
from ops.bench.books import run_books, table
from ops.inspect.balances import trial_balances
from tests.engines import broken_laws

if TYPE_CHECKING:
    from tests.conftest import Connection, Database


async def test_the_bench_of_the_books_asks_a_sound_ledger(database: Database, admin: Connection) -> None:
    run = await run_books(database.admin_url, lines=12_000, rounds=2, seed=7, tell=lambda _line: None)
    assert run.lines == await admin.fetchval("SELECT count(*) FROM lines") == 12_000
    (book,) = await trial_balances(admin)
    assert book.off_by_minor == 0
    assert [law for law in await broken_laws(admin) if law[0] in "12"] == []
    assert run.slices > 0
    assert await questions.wrong_slices(admin) == []
    assert len(run.questions) == 4 * 2 * 3
    for plan in run.plans.values():
        assert "Index Only Scan of account_slices" in plan
        assert "Index Only Scan of account_sums" in plan
        assert "Seq Scan" not in plan
    assert await admin.fetchval("SELECT count(*) FROM standing_closings") == 1
    shown = StringIO()
    Console(file=shown, width=200).print(table(run))
    assert "platform_fee_revenue of all merchants" in shown.getvalue()
