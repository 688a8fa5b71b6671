"""The report as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from handlers.ledger.model import Code
from handlers.payments.states import State
from ops.demo.report import OUTCOMES
from schemas.currencies import format_amount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import RenderableType

    from ops.demo.report import Report

OWED: Final = {
    "card processors owe us": Code.PROCESSOR_RECEIVABLE,
    "carriers owe us": Code.CARRIER_RECEIVABLE,
    "tills hold for us": Code.TERMINAL_RECEIVABLE,
    "transfers came in": Code.BANK_CLEARING,
    "we owe merchants": Code.MERCHANT_PAYABLE,
    "fees earned": Code.PLATFORM_FEE_REVENUE,
}
"""Who owes whom, in a finance person's words: heading -> account code."""


def printed(report: Report) -> RenderableType:
    """All of it, in the order of a finance person's questions."""
    return Group(
        _came_in(report),
        _counts("Payments, by state", {state: report.payments.get(state, 0) for state in State}),
        _who_owes_whom(report),
        _trial_balance(report),
        _counts("Refused, and why", report.rejections),
        _counts("Set aside as unreadable, and why", report.dead_letters),
        _provider(report),
        _counts("Published, by topic", report.published_by_topic),
        _laws(report),
        _summary(report),
    )


def _table(title: str, first: str, *numbers: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column(first)
    for heading in numbers:
        table.add_column(heading, justify="right")
    return table


def _came_in(report: Report) -> Table:
    table = _table(
        "What came in, and what became of it", "topic", "received", *(f"{name}" for name in OUTCOMES)
    )
    for topic, counts in report.by_topic.items():
        table.add_row(topic, *(f"{counts[name]:,}" for name in ("received", *OUTCOMES)))
    table.add_section()
    table.add_row("all", *(f"{report.totals[name]:,}" for name in ("received", *OUTCOMES)))
    return table


def _counts(title: str, counts: Mapping[str, int]) -> Table:
    table = _table(title, "", "number")
    for name, count in counts.items():
        if count:
            table.add_row(name, f"{count:,}")
    return table


def _who_owes_whom(report: Report) -> Table:
    table = _table("Who owes whom", "currency", *OWED)
    for currency, money in report.money.items():
        table.add_row(currency, *(format_amount(money.get(code, 0), currency) for code in OWED.values()))
    return table


def _trial_balance(report: Report) -> Table:
    table = _table("Trial balance, all tenants", "currency", "debits", "credits", "difference")
    for currency, turnover in report.turnover.items():
        amounts = (turnover.debit_minor, turnover.credit_minor, turnover.debit_minor - turnover.credit_minor)
        table.add_row(currency, *(format_amount(amount_minor, currency) for amount_minor in amounts))
    return table


def _provider(report: Report) -> Table:
    table = _table("Asked of the card provider", "", "calls", "tries", "outcome unknown for a while")
    for operation, counts in report.provider_calls.items():
        table.add_row(operation, *(f"{counts[name]:,}" for name in ("calls", "tries", "were_unknown")))
    return table


def _laws(report: Report) -> Table:
    table = _table("The laws", "law", "what was looked for", "checked", "broken")
    table.columns[1].justify = "left"
    for verdict in sorted(report.laws, key=lambda verdict: verdict.law):
        broken = Text("none", "green") if verdict.ok else Text(f"{verdict.broken:,}", "bold red")
        table.add_row(str(verdict.law), verdict.title, f"{verdict.checked:,}", broken)
        for offender in verdict.offenders:
            table.add_row("", Text(offender, "red"))
    return table


def _summary(report: Report) -> Text:
    totals = report.totals
    sums = " + ".join(f"{totals[name]:,} {name}" for name in OUTCOMES)
    again = f", {report.published_again:,} of them again after a restart" if report.published_again else ""
    return Text.assemble(
        f"{totals['received']:,} received = {sums}\n",
        f"{sum(report.entries_by_rule.values()):,} journal entries, ",
        f"{sum(report.published_by_topic.values()):,} events published{again}\n",
        f"{report.events:,} events in {report.seconds:.1f} s: {report.events_per_second:,.0f} a second, ",
        "from the first record to the last settled payment\n",
        ("every law holds", "bold green") if report.ok else ("a law is broken", "bold red"),
    )
