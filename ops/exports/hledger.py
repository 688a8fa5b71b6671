"""An hledger journal: https://hledger.org/hledger.html#journal.

Every commodity and account is declared, so that `hledger check --strict` passes, and a last entry asserts what each
account holds, from a sum of the database's own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, TextIO

from ops.statements.csv_files import major
from schemas.currencies import MINOR_DIGITS

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Sequence

    from ops.exports.journal import JournalEntry, OpenAccount
    from ops.statements.moments import Basis

_ESCAPES: Final = str.maketrans({"%": "%25", ",": "%2C", "\n": "%0A", "\r": "%0D"})
"""A tag's value ends at a comma or at the end of its line."""


async def write_hledger(
    to: TextIO,
    tenant: str,
    basis: Basis,
    accounts: Sequence[OpenAccount],
    entries: AsyncIterable[JournalEntry],
) -> int:
    """Write a journal; gives the number of its entries. Entries stand on the date of `basis`, in UTC."""
    to.write(f"; Books of {tenant}, by {basis} date\ndecimal-mark .\n")
    currencies = sorted({account.currency for account in accounts})
    to.writelines(f"commodity 1000.{'0' * MINOR_DIGITS[currency]} {currency}\n" for currency in currencies)
    named = {account.name: account for account in accounts}
    for name, account in sorted(named.items()):
        tags = {"code": account.code, "owner": account.owner}
        to.write(f"account {name}  ; {', '.join(f'{tag}:{_tag(text)}' for tag, text in tags.items())}\n")
    number = 0
    last = max((account.opened_at for account in accounts), default=None)
    async for entry in entries:
        number += 1
        last = entry.at
        _write_entry(to, entry)
    if last is not None:
        to.write(f"\n{last + timedelta(days=1):%Y-%m-%d} * balances\n")
        for account in accounts:
            held = f"{major(account.held_minor, account.currency)} {account.currency}"
            to.write(f"    {account.name}  {major(0, account.currency)} {account.currency} = {held}\n")
    return number


def _write_entry(to: TextIO, entry: JournalEntry) -> None:
    to.write(f"\n{entry.at:%Y-%m-%d} * ({entry.entry_id}) {entry.rule}\n")
    tags = {
        "entry": str(entry.entry_id),
        "object": f"{entry.object_type}:{entry.object_id}",
        "source": entry.source,
        "event": entry.event_id,
        "effective_at": entry.effective_at.isoformat(),
        "posted_at": entry.posted_at.isoformat(),
    }
    to.writelines(f"    ; {name}: {_tag(value)}\n" for name, value in tags.items())
    to.writelines(
        f"    {leg.account}  {major(leg.signed_minor, leg.currency)} {leg.currency}\n" for leg in entry.legs
    )


def _tag(text: str) -> str:
    return text.translate(_ESCAPES)
