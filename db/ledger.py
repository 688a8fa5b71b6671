"""Journal entries to rows: accounts on first use, entries and lines by COPY, balances in one upsert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from db.queries import engine as sql
from handlers.ledger.model import CHART, DEBIT, Code
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from db.connection import Connection
    from handlers.ledger.model import Posting
    from schemas.ledger import Origin
    from schemas.outgoing import Cause

AccountName = tuple[str, str, str, str]
"""(tenant, code, owner, currency)."""

_ENTRY_COLUMNS = (
    "tenant",
    "entry_id",
    "rule",
    "object_type",
    "object_id",
    "source",
    "event_id",
    "legs",
    "effective_at",
    "posted_at",
)
_ORIGIN_COLUMNS = ("tenant", "entry_id", "origin_effective_at", "period")
_REFERENCE_COLUMNS = ("tenant", "entry_id", "name", "value")
_LINE_COLUMNS = ("tenant", "entry_id", "line", "account_id", "direction", "amount_minor", "currency")


@value
class Entry:
    """A posting with the message that caused it and when it was written; `origin` says that it came late."""

    cause: Cause
    posting: Posting
    posted_at: datetime
    origin: Origin | None = None


class Ledger:
    """One writer of the ledger: remembers account ids, owns a stripe of every balance."""

    def __init__(self, stripe: int) -> None:
        self.stripe = stripe
        self._ids: dict[AccountName, int] = {}
        self._found: dict[AccountName, int] = {}

    async def write(self, connection: Connection, entries: Sequence[Entry], entry_ids: Sequence[int]) -> None:
        """Write the entries within the caller's transaction. The database refuses what does not balance."""
        ids = await self._account_ids(connection, entries)
        # Rows are made while they are sent: a whole batch of them would leave the processor's cache in between.
        await connection.copy_records_to_table(
            "entries", records=map(_entry_row, entries, entry_ids), columns=_ENTRY_COLUMNS
        )
        sums: dict[tuple[str, int], list[int]] = {}
        await connection.copy_records_to_table(
            "lines", records=_line_rows(entries, entry_ids, ids, sums), columns=_LINE_COLUMNS
        )
        numbered = list(zip(entries, entry_ids, strict=True))
        origins = [
            (one.cause.tenant, entry_id, one.origin.effective_at, one.origin.period)
            for one, entry_id in numbered
            if one.origin is not None
        ]
        references = [
            (one.cause.tenant, entry_id, *reference)
            for one, entry_id in numbered
            if one.posting.references
            for reference in one.posting.references.items()
        ]
        if origins:
            await connection.copy_records_to_table("entry_origins", records=origins, columns=_ORIGIN_COLUMNS)
        if references:
            await connection.copy_records_to_table(
                "entry_references", records=references, columns=_REFERENCE_COLUMNS
            )
        tenants, accounts = zip(*sums, strict=True)
        debits, credits_, counts = zip(*sums.values(), strict=True)
        await sql.add_to_balances(
            connection,
            stripe=self.stripe,
            tenants=tenants,
            accounts=accounts,
            debits=debits,
            credits=credits_,
            lines=counts,
        )

    def committed(self) -> None:
        """The transaction is committed: the accounts that it looked up or opened exist, and are remembered."""
        self._ids.update(self._found)
        self._found = {}

    async def _account_ids(self, connection: Connection, entries: Sequence[Entry]) -> dict[AccountName, int]:
        names = {
            (entry.cause.tenant, leg.account, leg.owner, leg.currency)
            for entry in entries
            for leg in entry.posting.legs
        }
        self._found = {}
        missing = sorted(names - self._ids.keys())
        if not missing:
            return self._ids
        tenants, codes, owners, currencies = zip(*missing, strict=True)
        types = [CHART[Code(code)].type for code in codes]
        columns = {"tenants": tenants, "codes": codes, "owners": owners, "currencies": currencies}
        await sql.open_accounts(connection, types=types, **columns)
        self._found = {
            (row["tenant"], row["code"], row["owner"], row["currency"]): row["account_id"]
            for row in await sql.account_ids(connection, **columns)
        }
        return self._ids | self._found


def _entry_row(entry: Entry, entry_id: int) -> tuple[Any, ...]:
    posting, cause = entry.posting, entry.cause
    return (
        cause.tenant,
        entry_id,
        posting.rule,
        posting.object_type,
        posting.object_id,
        cause.source,
        cause.event_id,
        len(posting.legs),
        posting.effective_at,
        entry.posted_at,
    )


def _line_rows(
    entries: Sequence[Entry],
    entry_ids: Sequence[int],
    account_ids: dict[AccountName, int],
    sums: dict[tuple[str, int], list[int]],
) -> Iterator[tuple[Any, ...]]:
    """The entries' lines; `sums` gets (debits, credits, lines) of each account on the way."""
    for entry, entry_id in zip(entries, entry_ids, strict=True):
        tenant = entry.cause.tenant
        for number, leg in enumerate(entry.posting.legs, 1):
            account_id = account_ids[tenant, leg.account, leg.owner, leg.currency]
            amount_minor = leg.amount_minor
            debit = leg.side == DEBIT
            yield tenant, entry_id, number, account_id, 1 if debit else -1, amount_minor, leg.currency
            total = sums.get((tenant, account_id))
            if total is None:
                total = sums[tenant, account_id] = [0, 0, 0]
            total[0 if debit else 1] += amount_minor
            total[2] += 1
