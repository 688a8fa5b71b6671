"""Journals on the screen: legs as a table or as T-accounts, their sums, and all that is known of one."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from handlers.journals.legs import currencies_of, debits_of, sums_of
from handlers.journals.states import State
from handlers.ledger.model import CREDIT, DEBIT
from ops.desk.roles import deciders
from ops.inspect.words import amount, moment, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from rich.console import RenderableType

    from ops.journals.case import JournalCase
    from schemas.journal import LegData
    from schemas.ledger import Leg

COLUMN: Final = 24
"""Characters of one side of a T-account."""
_DONE_BY: Final = {"reverses": "reversed by", "replaces": "replaced by"}


def moved(sums: Mapping[str, int]) -> str:
    """What a journal moves: its debits, currency by currency."""
    return ", ".join(amount(minor, currency) for currency, minor in debits_of(sums).items())


def waits_for(journal: Mapping[str, Any]) -> str:
    """Who has to act on a row of `journals`; empty when nobody has."""
    if journal["state"] == State.COLLECTING:
        return f"{printable(journal['proposed_by'])}, for its other parts"
    if journal["state"] == State.PROPOSED:
        return printable(deciders(journal["needs_approval_of"], journal["proposed_by"]))
    return ""


def case_parts(case: JournalCase, most: int, *, as_t_accounts: bool = False) -> list[RenderableType]:
    """All that is known of a journal, part by part."""
    journal = case.journal
    name = printable(journal["journal_id"])
    proposer = f"{printable(journal['proposed_by'])} as {journal['proposed_role']}"
    effective = moment(journal["effective_at"]) if journal["effective_at"] else "when it is approved"
    parts: list[RenderableType] = [
        Text(f"{name} of {journal['tenant']} is {journal['state']} ({journal['kind']})", "bold"),
        Text(f"proposed by {proposer}, {moment(journal['proposed_at'])}"),
        Text(f"why: {printable(journal['note'])}"),
        Text(f"effective {effective}"),
    ]
    if waits_for(journal):
        parts.append(Text(f"waits for {waits_for(journal)}, until {moment(journal['act_by'])}"))
    elif journal["decided_by"]:
        parts.append(Text(f"decided by {printable(journal['decided_by'])}, {moment(journal['updated_at'])}"))
    if case.reversed_entry_id is not None:
        parts.append(Text(f"reverses entry {case.reversed_entry_id}"))
    if journal["external_references"]:
        told = ", ".join(f"{key}={content}" for key, content in journal["external_references"].items())
        parts.append(Text(f"references: {printable(told)}"))
    if journal["terms"]:
        parts.append(
            Text("terms: " + printable(", ".join(f"{key} {text}" for key, text in journal["terms"].items())))
        )
    legs = case.legs
    parts += [t_accounts(legs, most) if as_t_accounts else legs_table(legs, most), totals_table(legs)]
    if case.entries:
        parts.append(_entries_table(case))
    return parts


def _entries_table(case: JournalCase) -> Table:
    """What it posted, with what that reverses or replaces, and what later reversed or replaced that."""
    table = Table(
        "entry", "rule", "legs", "effective", "posted", "belongs to", title="Entries", title_justify="left"
    )
    for row in case.entries:
        links = [f"{row['kind']} entry {row['linked_entry_id']}"] if row["kind"] else []
        links += [
            f"{_DONE_BY[later['kind']]} entry {later['entry_id']} ({later['journal_id']})"
            for later in case.later
            if later["linked_entry_id"] == row["entry_id"]
        ]
        dates = moment(row["effective_at"]), moment(row["posted_at"])
        table.add_row(
            str(row["entry_id"]), row["rule"], f"{row['legs']:,}", *dates, Text(printable("; ".join(links)))
        )
    return table


def legs_table(legs: Sequence[Leg | LegData], most: int) -> Table:
    """The first `most` legs, a line each, as a journal is written: debits left, credits right."""
    table = Table("line", "account", "owner", "debit", "credit", title="Legs", title_justify="left")
    for column in (0, 3, 4):
        table.columns[column].justify = "right"
    for line, leg in enumerate(legs[:most], 1):
        money = amount(leg.amount_minor, leg.currency)
        sides = (money, "") if leg.side == DEBIT else ("", money)
        table.add_row(str(line), leg.account, Text(printable(leg.owner)), *sides)
    if len(legs) > most:
        table.add_row("", f"and {len(legs) - most:,} more", "", "", "")
    return table


def totals_table(legs: Sequence[Leg | LegData]) -> Table:
    """Debits and credits of each currency; for a reader to see that they are equal, and what is moved."""
    sums = sums_of(legs)
    table = Table("currency", "legs", "debits", "credits", title="Totals", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for currency in currencies_of(sums):
        count = sum(leg.currency == currency for leg in legs)
        sides = (amount(sums.get(f"{currency}/{side}", 0), currency) for side in (DEBIT, CREDIT))
        table.add_row(currency, f"{count:,}", *sides)
    return table


def t_accounts(legs: Sequence[Leg | LegData], most: int) -> Text:
    """Each account of the first `most` legs as a T, with the numbers of its lines before the amounts."""
    accounts: dict[tuple[str, str, str], list[tuple[int, Leg | LegData]]] = {}
    for line, leg in enumerate(legs[:most], 1):
        accounts.setdefault((leg.account, leg.owner, leg.currency), []).append((line, leg))
    drawn = [_t_account(name, own) for name, own in accounts.items()]
    if len(legs) > most:
        drawn.append(f"and {len(legs) - most:,} more legs; see them with --limit")
    return Text("\n\n".join(drawn))


def _t_account(name: tuple[str, str, str], legs: list[tuple[int, Leg | LegData]]) -> str:
    account, owner, currency = name
    left, right = (
        [f"{line}  {amount(leg.amount_minor, currency)}" for line, leg in legs if leg.side == side]
        for side in (DEBIT, CREDIT)
    )
    head = [
        printable(f"{account} of {owner}").center(2 * COLUMN + 3).rstrip(),
        f"{'debit':^{COLUMN}} │ {'credit':^{COLUMN}}".rstrip(),
        f"{'─' * (COLUMN + 1)}┼{'─' * (COLUMN + 1)}",
    ]
    body = [
        f"{debit:>{COLUMN}} │ {credit:>{COLUMN}}".rstrip()
        for debit, credit in zip_longest(left, right, fillvalue="")
    ]
    return "\n".join([*head, *body])
