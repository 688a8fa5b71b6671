"""Questions about the past of a large ledger: how long a balance as of a moment and a page of a statement take."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

from db.connection import connect
from db.queries import bench_books as sql
from db.queries import books as questions
from ops.bench.percentiles import summary
from ops.periods.closings import take_closings
from ops.statements.moments import Basis, Period
from ops.statements.sheets import balance_sheets
from ops.statements.slices import slice_accounts
from ops.statements.statement import PAGE, Account, Place, accounts, page, statement

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from db.connection import Connection

MERCHANTS: Final = 2_000
ENTRIES_AT_ONCE: Final = 100_000
ASKED: Final = {
    "platform": "platform_fee_revenue of all merchants",
    "m1": "merchant_payable, the busiest",
    "m50": "merchant_payable, a busy one",
    "m1500": "merchant_payable, an ordinary one",
}
"""Owner -> which account that is."""
_YEAR: Final = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Question:
    """Milliseconds of a question, p50, p90, p99 and the largest, for an account of so many lines."""

    account: str
    lines: int
    basis: Basis
    question: str
    ms: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class BooksRun:
    """A ledger of so many lines, what slicing it took, and how quickly it answered."""

    lines: int
    slices: int
    slicing_seconds: float
    closing_seconds: float
    sheet_seconds: Mapping[str, float]
    """Of balance sheets, by what they start from."""
    bytes_of: Mapping[str, int]
    questions: tuple[Question, ...]
    plans: Mapping[str, str]


async def run_books(
    admin_url: str, lines: int, rounds: int, seed: int, tell: Callable[[str], None]
) -> BooksRun:
    """Write a ledger into an empty database, slice it, then ask `rounds` times each, at random moments of its year."""
    connection = await connect(admin_url, application="counterfoil bench")
    try:
        await _fill(connection, lines // 3, tell)
        tell("slicing")
        began = time.perf_counter()
        slices = await slice_accounts(connection)
        sliced = time.perf_counter() - began
        await sql.settle(connection)
        random = Random(seed)  # noqa: S311 - to be repeatable
        asked = []
        for owner in ASKED:
            (account,) = await accounts(connection, owner=owner)
            for basis in Basis:
                asked += await _ask(connection, account, basis, rounds, random)
        sheets = {"slices": await _sheet(connection)}
        tell("closing the first half of the year")
        await sql.close_half(connection)
        began = time.perf_counter()
        await take_closings(connection)
        closed = time.perf_counter() - began
        await sql.settle(connection)
        sheets["slices and the closing"] = await _sheet(connection)
        return BooksRun(
            lines=lines // 3 * 3,
            slices=slices,
            slicing_seconds=sliced,
            closing_seconds=closed,
            sheet_seconds=sheets,
            bytes_of={
                row["name"]: row["table_bytes"] + row["index_bytes"] for row in await sql.sizes(connection)
            },
            questions=tuple(asked),
            plans=await _plans(connection),
        )
    finally:
        await connection.close()


def table(run: BooksRun) -> Table:
    """The result as a person reads it."""
    told = Table("account", "lines", "by", "question", title="counterfoil bench books", title_justify="left")
    names = list(run.questions[0].ms)
    for name in names:
        told.add_column(f"{name} ms", justify="right")
    for asked in run.questions:
        times = (f"{asked.ms[name]:.1f}" for name in names)
        told.add_row(asked.account, f"{asked.lines:,}", asked.basis, asked.question, *times)
    told.add_section()
    for start, seconds in run.sheet_seconds.items():
        told.add_row("all", f"{run.lines:,}", "effective", f"balance sheet from {start}: {seconds:.2f} s")
    told.add_row("all", "", "", f"half a year closed in {run.closing_seconds:.1f} s")
    told.add_row("all", "", "", f"{run.slices:,} slices made in {run.slicing_seconds:.1f} s")
    for name, size in run.bytes_of.items():
        told.add_row(name, "", "", f"{size / 1e6:,.0f} MB with indexes")
    for question, plan in run.plans.items():
        told.add_row("plan", "", "", f"{question}: {plan}")
    return told


async def _fill(connection: Connection, entries: int, tell: Callable[[str], None]) -> None:
    await sql.open_accounts(connection, merchants=MERCHANTS)
    known = await sql.account_ids(connection)
    ids = {row["owner"]: row["account_id"] for row in known}
    for start in range(0, entries, ENTRIES_AT_ONCE):
        async with connection.transaction():
            reserved = await sql.reserve_entries(connection, entries=min(ENTRIES_AT_ONCE, entries - start))
            numbers = {"first_id": reserved["first_id"], "last_id": reserved["last_id"]}
            await sql.add_entries(connection, **numbers, entries=entries)
            await sql.add_lines(
                connection,
                **numbers,
                merchants=MERCHANTS,
                provider=ids["sandbox"],
                platform=ids["platform"],
                merchant_ids=[ids[f"m{number}"] for number in range(1, MERCHANTS + 1)],
            )
        tell(f"{reserved['last_id'] * 3:,} lines")
    await sql.add_balances(connection)
    await sql.settle(connection)


async def _ask(
    connection: Connection, account: Account, basis: Basis, rounds: int, random: Random
) -> list[Question]:
    """Balances at any second; first pages of any month; pages that begin anywhere in one."""
    took: dict[str, list[float]] = {"balance": [], "month, first page": [], "month, a later page": []}
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await questions.plan_for_account(connection)
        lines = int((await _balance(connection, account, _YEAR + timedelta(days=400), basis))["lines"])
        for _ in range(rounds):
            since = _YEAR + timedelta(days=random.randrange(330))
            before = since + timedelta(seconds=random.randrange(30 * 86_400))
            await _timed(took["balance"], _balance(connection, account, before, basis))
            told = await statement(connection, account, Period(since, since + timedelta(days=30), "m"), basis)
            await _timed(took["month, first page"], page(connection, told))
            await _timed(took["month, a later page"], page(connection, told, Place(before, 0, 0, 0)))
    return [
        Question(ASKED[account.owner], lines, basis, question, summary([1e3 * second for second in seconds]))
        for question, seconds in took.items()
    ]


async def _timed(into: list[float], work: Awaitable[Any]) -> Any:
    began = time.perf_counter()
    found = await work
    into.append(time.perf_counter() - began)
    return found


async def _balance(connection: Connection, account: Account, before: datetime, basis: Basis) -> Any:
    return await questions.balance_before(
        connection, account_id=account.account_id, before=before, basis=basis
    )


async def _sheet(connection: Connection) -> float:
    began = time.perf_counter()
    await balance_sheets(connection, _YEAR + timedelta(days=200.6), Basis.EFFECTIVE)
    return time.perf_counter() - began


async def _plans(connection: Connection) -> dict[str, str]:
    """How each table is read for a balance and for a page, as EXPLAIN says: of an index alone where it can be."""
    (account,) = await accounts(connection, owner="platform")
    since = _YEAR + timedelta(days=160)
    values = {
        "account_id": account.account_id,
        "tenant": account.tenant,
        "basis": "effective",
        "before": _YEAR + timedelta(days=180.6),
        "after_at": since,
        "after_entry": 0,
        "after_line": 0,
        "most": PAGE,
    }
    plans = {}
    async with connection.transaction(readonly=True):
        await questions.plan_for_account(connection)
        for name, query in (("balance", questions.balance_before), ("month's page", questions.movements)):
            prepared = await connection.prepare(query.sql)
            names = questions.driver_adapter.var_sorted[query.__name__]
            (plan,) = await prepared.explain(*(values[one] for one in names), analyze=True)
            found = Counter(_scans(plan["Plan"]))
            heap = sum(found[scan] for scan in found if scan[2])
            told = "; ".join(sorted({f"{kind} of {table}" for kind, table, _fetches in found}))
            plans[name] = f"{told}; index-only scans that had to look into a table: {heap}"
    return plans


def _scans(node: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    """How the plan reads tables: kind, table, and how often an index alone was not enough."""
    if "Relation Name" in node:
        yield node["Node Type"], node["Relation Name"], node.get("Heap Fetches", 0)
    for child in node.get("Plans", ()):
        yield from _scans(child)
