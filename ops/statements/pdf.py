"""Statements and sheets as PDF/A, set by Typst from `books.typ`; the same books give the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from ops.inspect.words import printable
from ops.statements.moments import local
from ops.statements.tables import plain_amount, what

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Iterable
    from datetime import datetime

    from ops.statements.sheets import BalanceSheet, IncomeStatement, Line
    from ops.statements.statement import Movement, Statement

MOST_MOVEMENTS: Final = 20_000
"""In one document: some 350 pages. More are for CSV."""
POINTS: Final = 400
"""Of a picture; a period's movements are thinned out to so many."""
_TEMPLATE: Final = Path(__file__).with_name("books.typ")
_STANDARD: Final = "a-2a"


class PdfError(Exception):
    """No document can be made; the message says why and what to do."""


async def statement_part(told: Statement, movements: AsyncIterable[Movement]) -> dict[str, Any]:
    """An account's statement for `render`.

    Raises:
        PdfError: it has more than MOST_MOVEMENTS.
    """
    if told.lines > MOST_MOVEMENTS:
        raise PdfError(
            f"{told.lines:,} movements are too many for a PDF (at most {MOST_MOVEMENTS:,}):"
            " take a shorter period, or --format csv"
        )
    account = told.account
    moved = [movement async for movement in movements]
    held = [told.opening_minor, *(movement.balance_minor for movement in moved)]
    low, high = min(held), max(held)

    def plain(amount_minor: int) -> str:
        return plain_amount(amount_minor, account.currency)

    return {
        "kind": "statement",
        "title": printable(f"{account.code} of {account.owner}"),
        "subtitle": f"{account.tenant}, {account.currency}, {told.period.name} by {told.basis} date",
        "period": told.period.name,
        "since": local(told.period.since, told.period.zone),
        "before": local(told.period.before, told.period.zone),
        "opening": plain(told.opening_minor),
        "closing": plain(told.closing_minor),
        "debit": plain(told.debit_minor),
        "credit": plain(told.credit_minor),
        "lowest": plain(low),
        "highest": plain(high),
        "points": _points(told, moved, low, high),
        "rows": [
            (
                local(movement.at, told.period.zone),
                str(movement.entry_id),
                what(movement),
                printable(f"{movement.object_type} {movement.object_id}"),
                plain(movement.debit_minor) if movement.debit_minor else "",
                plain(movement.credit_minor) if movement.credit_minor else "",
                plain(movement.balance_minor),
            )
            for movement in moved
        ],
    }


def balance_sheet_part(sheet: BalanceSheet, when: str) -> dict[str, Any]:
    """A balance sheet for `render`."""
    largest = max(abs(sheet.assets_minor), abs(sheet.claims_minor), 1)
    rows = [
        *_section("assets", sheet.assets, sheet.assets_minor, sheet.currency, largest),
        *_section("liabilities", sheet.liabilities, sheet.liabilities_minor, sheet.currency, largest),
        *_section("equity", sheet.equity, sheet.equity_minor, sheet.currency, largest),
        _row("result to date", sheet.result_minor, sheet.currency, largest),
        ("liabilities, equity and result", plain_amount(sheet.claims_minor, sheet.currency), 0, "total"),
    ]
    title = f"Balance sheet of {sheet.tenant} in {sheet.currency}"
    return {"kind": "sheet", "title": title, "subtitle": when, "rows": rows}


def income_statement_part(told: IncomeStatement, when: str) -> dict[str, Any]:
    """An income statement for `render`."""
    largest = max(abs(told.revenue_minor), abs(told.expenses_minor), 1)
    rows = [
        *_section("revenue", told.revenue, told.revenue_minor, told.currency, largest),
        *_section("expenses", told.expenses, told.expenses_minor, told.currency, largest),
        ("result", plain_amount(told.result_minor, told.currency), 0, "total"),
    ]
    title = f"Income statement of {told.tenant} in {told.currency}"
    return {"kind": "sheet", "title": title, "subtitle": when, "rows": rows}


def render(title: str, parts: Iterable[dict[str, Any]], at: datetime) -> bytes:
    """A document of these parts, each on a page of its own; `at` stands in it as when it was made.

    Raises:
        PdfError: the package `typst` is not installed (`pip install counterfoil[books]`); no font has a character.
    """
    try:
        import typst  # noqa: PLC0415 - an optional package, of 30 MB
    except ImportError as error:
        raise PdfError("a PDF needs the package typst: pip install 'counterfoil[books]'") from error
    data = orjson.dumps({"title": title, "parts": list(parts)}).decode()

    def compiled(*, with_system_fonts: bool) -> bytes:
        document: bytes = typst.compile(
            _TEMPLATE,
            root=_TEMPLATE.parent,
            ignore_system_fonts=not with_system_fonts,
            format="pdf",
            sys_inputs={"data": data},
            pdf_standards=_STANDARD,
            timestamp=at.replace(microsecond=0),
        )
        return document

    try:
        return compiled(with_system_fonts=False)  # the same everywhere, and quick
    except typst.TypstError:
        try:
            return compiled(with_system_fonts=True)
        except typst.TypstError as error:
            raise PdfError(
                f"{str(error).splitlines()[0]}: install a font that has it, or take --format csv"
            ) from error


def _points(told: Statement, moved: list[Movement], low: int, high: int) -> list[tuple[float, float]]:
    """What was held over the period as corners of a step line, both axes from 0 to 1. For the eye: floats will do."""
    if not moved:
        return []
    span = (told.period.before - told.period.since).total_seconds()
    last_of = {
        int((movement.at - told.period.since).total_seconds() / span * POINTS): movement for movement in moved
    }

    def height(held_minor: int) -> float:
        return (held_minor - low) / (high - low) if high > low else 0.5

    points = [(0.0, height(told.opening_minor))]
    for place, movement in sorted(last_of.items()):
        points += [(place / POINTS, points[-1][1]), (place / POINTS, height(movement.balance_minor))]
    return [*points, (1.0, points[-1][1])]


def _section(
    name: str, lines: tuple[Line, ...], total_minor: int, currency: str, largest: int
) -> list[tuple[str, str, float, str]]:
    total = (name, plain_amount(total_minor, currency), 0.0, "total")
    return [total, *(_row(ln.code, ln.amount_minor, currency, largest) for ln in lines)]


def _row(name: str, amount_minor: int, currency: str, largest: int) -> tuple[str, str, float, str]:
    return name, plain_amount(amount_minor, currency), max(amount_minor, 0) / largest, "line"
