"""The report as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.text import Text

from handlers.disputes.states import State as DisputeState
from handlers.ledger.model import Code
from handlers.payments.states import State
from handlers.refunds.states import State as RefundState
from ops.demo.books.printed import printed_books
from ops.demo.report import CATEGORIES, OUTCOMES
from ops.demo.tables import counts_table, new_table
from schemas.currencies import format_amount

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from ops.demo.report import Report

OWED: Final = {
    "card processors owe us": Code.PROCESSOR_RECEIVABLE,
    "banks owe us": Code.DEBIT_RECEIVABLE,
    "carriers owe us": Code.CARRIER_RECEIVABLE,
    "tills hold for us": Code.TERMINAL_RECEIVABLE,
    "transfers came in": Code.BANK_CLEARING,
    "we owe merchants": Code.MERCHANT_PAYABLE,
    "fees earned": Code.PLATFORM_FEE_REVENUE,
}
"""Who owes whom, in a finance person's words: heading -> account code."""
PICTURE_WIDTH: Final = 40
WENT: Final = {"refunded": "▒", "in_flight": "░", "disputed": "▓", "lost": "x"}
"""Category of money that does not stay -> its mark in the picture."""


def printed(report: Report) -> RenderableType:
    """All of it, in the order of a finance person's questions."""
    return Group(
        _came_in(report),
        counts_table("Payments, by state", {state: report.payments.get(state, 0) for state in State}),
        counts_table("Refunds, by state", {state: report.refunds.get(state, 0) for state in RefundState}),
        counts_table("Disputes, by state", {state: report.disputes.get(state, 0) for state in DisputeState}),
        _categories(report),
        _where_it_went(report),
        _who_owes_whom(report),
        _trial_balance(report),
        *printed_books(report.books),
        counts_table("Refused, and why", report.rejections),
        counts_table("Set aside as unreadable, and why", report.dead_letters),
        _provider(report),
        counts_table("Told by the provider's webhooks", report.webhooks),
        counts_table("Published, by topic", report.published_by_topic),
        _laws(report),
        _summary(report),
    )


def _came_in(report: Report) -> Table:
    table = new_table(
        "What came in, and what became of it", "topic", "received", *(f"{name}" for name in OUTCOMES)
    )
    for topic, counts in report.by_topic.items():
        table.add_row(topic, *(f"{counts[name]:,}" for name in ("received", *OUTCOMES)))
    table.add_section()
    table.add_row("all", *(f"{report.totals[name]:,}" for name in ("received", *OUTCOMES)))
    return table


def _categories(report: Report) -> Table:
    """What was taken, and what became of it."""
    table = new_table("Money by category", "currency", *(name.replace("_", " ") for name in CATEGORIES))
    for currency, amounts in report.categories.items():
        table.add_row(currency, *(format_amount(amounts[name], currency) for name in CATEGORIES))
    return table


def _where_it_went(report: Report) -> Table:
    """Of what was captured: how much was given back, is in flight, disputed or lost; drawn with the marks of WENT."""
    headings = (f"{name.replace('_', ' ')} {mark}" for name, mark in WENT.items())
    table = new_table("Of 100 captured", "currency", "stays █", *headings, "")
    table.columns[-1].justify = "left"
    for currency, amounts in report.categories.items():
        if not amounts["captured"]:
            continue
        gone = {name: 100 * amounts[name] / amounts["captured"] for name in WENT}
        stays = 100 - sum(gone.values())
        picture = "█" * round(stays * PICTURE_WIDTH / 100)
        for name, share in gone.items():
            picture += WENT[name] * (max(1, round(share * PICTURE_WIDTH / 100)) if share else 0)
        table.add_row(currency, f"{stays:.1f}", *(f"{share:.1f}" for share in gone.values()), picture)
    return table


def _who_owes_whom(report: Report) -> Table:
    table = new_table("Who owes whom", "currency", *OWED)
    for currency, money in report.money.items():
        table.add_row(currency, *(format_amount(money.get(code, 0), currency) for code in OWED.values()))
    return table


def _trial_balance(report: Report) -> Table:
    table = new_table("Trial balance, all tenants", "currency", "debits", "credits", "difference")
    for currency, turnover in report.turnover.items():
        amounts = (turnover.debit_minor, turnover.credit_minor, turnover.debit_minor - turnover.credit_minor)
        table.add_row(currency, *(format_amount(amount_minor, currency) for amount_minor in amounts))
    return table


def _provider(report: Report) -> Table:
    table = new_table("Asked of the card provider", "", "calls", "tries", "outcome unknown for a while")
    for operation, counts in report.provider_calls.items():
        table.add_row(operation, *(f"{counts[name]:,}" for name in ("calls", "tries", "were_unknown")))
    return table


def _laws(report: Report) -> Table:
    table = new_table("The laws", "law", "what was looked for", "checked", "broken")
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
        "from the first record to the last settled payment, with most of ",
        f"{report.commands:,} commands to the books beside them\n",
        ("every law holds", "bold green") if report.ok else ("a law is broken", "bold red"),
    )
