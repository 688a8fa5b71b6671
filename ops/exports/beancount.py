"""A Beancount journal: https://beancount.github.io/docs/beancount_language_syntax.html.

It ends with a balance assertion for each account, without tolerance, from a sum of the database's own: `bean-check`
thereby proves that the entries in the file come to the trial balance.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, TextIO

from ops.exports.names import link
from ops.statements.csv_files import major

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Sequence

    from ops.exports.journal import JournalEntry, OpenAccount
    from ops.statements.moments import Basis

_ESCAPES: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": " "})


async def write_beancount(
    to: TextIO,
    tenant: str,
    basis: Basis,
    accounts: Sequence[OpenAccount],
    entries: AsyncIterable[JournalEntry],
) -> int:
    """Write a journal; gives the number of its entries. Entries stand on the date of `basis`, in UTC."""
    to.write(f'option "title" {_text(f"Books of {tenant}, by {basis} date")}\n')
    currencies = sorted({account.currency for account in accounts})
    to.writelines(f'option "operating_currency" "{currency}"\n' for currency in currencies)
    to.write("\n")
    opened: dict[str, OpenAccount] = {}
    for account in sorted(accounts, key=lambda account: account.opened_at):
        if account.name not in opened:  # one name holds all currencies
            opened[account.name] = account
            to.write(f"{account.opened_at:%Y-%m-%d} open {account.name}\n")
            to.write(f"  code: {_text(account.code)}\n  owner: {_text(account.owner)}\n")
    number = 0
    last = max((account.opened_at for account in accounts), default=None)
    async for entry in entries:
        number += 1
        last = entry.at
        _write_entry(to, entry)
    to.write("\n")
    for account in accounts:
        assert last is not None  # noqa: S101 - an account was opened, so that there is a date
        held = f"{major(account.held_minor, account.currency)} ~ 0 {account.currency}"
        to.write(f"{last + timedelta(days=1):%Y-%m-%d} balance {account.name} {held}\n")
    return number


def _write_entry(to: TextIO, entry: JournalEntry) -> None:
    links = f"^entry-{entry.entry_id} ^{link(f'{entry.object_type}-{entry.object_id}')}"
    to.write(f"\n{entry.at:%Y-%m-%d} * {_text(entry.rule)} #{link(entry.rule)} {links}\n")
    metadata = {
        "entry": str(entry.entry_id),
        "object": f"{entry.object_type}:{entry.object_id}",
        "source": entry.source,
        "event": entry.event_id,
        "effective_at": entry.effective_at.isoformat(),
        "posted_at": entry.posted_at.isoformat(),
    }
    to.writelines(f"  {name}: {_text(value)}\n" for name, value in metadata.items())
    to.writelines(
        f"  {leg.account}  {major(leg.signed_minor, leg.currency)} {leg.currency}\n" for leg in entry.legs
    )


def _text(value: str) -> str:
    return f'"{value.translate(_ESCAPES)}"'
