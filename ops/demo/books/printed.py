"""The books of a play as a finance person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.journals.states import State as JournalState
from handlers.wallets.states import State as HoldState
from ops.demo.books.summary import MONEY
from ops.demo.tables import counts_table, new_table
from schemas.currencies import format_amount

if TYPE_CHECKING:
    from rich.table import Table

    from ops.demo.books.summary import BooksSummary


def printed_books(books: BooksSummary) -> list[Table]:
    """Journals, conversions, wallets, holds, periods, and what is sealed."""
    return [
        _journals(books),
        _conversions(books),
        _rounding(books),
        _wallets(books),
        counts_table("Holds, by state", {state: books.holds.get(state, 0) for state in HoldState}),
        _periods(books),
        _proof(books),
    ]


def _journals(books: BooksSummary) -> Table:
    table = new_table("Journals, by what they are and how they stand", "", *JournalState)
    for kind, states in books.journals.items():
        table.add_row(kind, *(f"{states.get(state, 0):,}" for state in JournalState))
    return table


def _conversions(books: BooksSummary) -> Table:
    table = new_table("Conversions", "pair", "number", "sold", "by the rate", "arrived")
    for row in books.conversions:
        sold, bought = row["pair"].split("/")
        table.add_row(
            row["pair"],
            f"{row['conversions']:,}",
            format_amount(row["sold_minor"], sold),
            format_amount(row["by_rate_minor"], bought),
            format_amount(row["arrived_minor"], bought),
        )
    return table


def _rounding(books: BooksSummary) -> Table:
    table = new_table("What rounding cost, and brought where it is negative", "account", "currency", "cost")
    for row in books.rounding:
        cost = format_amount(row["cost_minor"], row["currency"])
        table.add_row(f"rounding_difference of {row['owner']}", row["currency"], cost)
    return table


def _wallets(books: BooksSummary) -> Table:
    table = new_table("Wallets", "currency", "wallets", *MONEY)
    for currency, sums in books.wallets.items():
        money = (format_amount(sums[name], currency) for name in MONEY)
        table.add_row(currency, f"{sums['wallets']:,}", *money)
    return table


def _periods(books: BooksSummary) -> Table:
    table = new_table(
        "Periods", "books of", "period", "is", "closings kept", "accounts", "lines", "entries that came late"
    )
    for row in books.periods:
        numbers = (f"{row[name]:,}" for name in ("closings", "accounts", "lines", "late"))
        table.add_row(row["tenant"], row["period"], row["state"], *numbers)
    return table


def _proof(books: BooksSummary) -> Table:
    proof = books.proof
    table = new_table("What is sealed", "", "number")
    for what, number in (
        ("entries in the hash chain", proof.entries),
        ("blocks of it", proof.blocks),
        ("entries in no block", proof.unsealed),
        ("differences that verify found", proof.findings),
        ("closings whose balances are kept", proof.closings),
        ("balances kept", proof.balances_kept),
        ("slices of long accounts", proof.slices),
        ("lines in them", proof.lines_in_slices),
    ):
        table.add_row(what, f"{number:,}")
    return table
