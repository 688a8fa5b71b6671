"""The one place that maps a dataclass to its table: column order, types, the bulk statements, and back to values."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from db.wallets import WalletTable
from handlers.disputes.model import Dispute, Evidence, OrderDocument
from handlers.disputes.states import State as DisputeState
from handlers.fees.model import FeeSchedule
from handlers.journals.model import BookedLine, EntryLink, Journal, JournalLine, Reversal
from handlers.journals.states import State as JournalState
from handlers.payments.model import Payment
from handlers.payments.states import State as PaymentState
from handlers.periods.model import Bounds, Period
from handlers.periods.states import State as PeriodState
from handlers.refunds.model import Refund, RefundCount, RefundPolicy
from handlers.refunds.states import State as RefundState
from handlers.wallets.model import Hold, WalletLimit
from handlers.wallets.states import State as HoldState
from schemas.money import Rounding
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from enum import StrEnum

    import asyncpg

    from db.connection import Connection
    from handlers.needs import Key, Kind

T = TypeVar("T")

_PG_TYPES: Final = {
    "str": "text",
    "int": "bigint",
    "bool": "boolean",
    "UUID": "uuid",
    "datetime": "timestamptz",
    "Mapping[str, str]": "jsonb",
    "Mapping[str, int]": "jsonb",
    "tuple[Mapping[str, object], ...]": "jsonb",
    "tuple[datetime, ...]": "jsonb",
    "State": "text",
    "Reason": "text",
    "Rounding": "text",
    "Operation": "text",
    "Unit": "text",
}
"""A field's annotation -> the PostgreSQL type of its column in a bulk statement."""

_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "Reason": Reason,
    "Rounding": Rounding,
    "tuple[Mapping[str, object], ...]": tuple,
    "tuple[datetime, ...]": lambda times: tuple(map(datetime.fromisoformat, times)),
}
"""Annotations whose values need more than asyncpg gives; a state's reader is the table's."""


class Table(Generic[T]):
    """A table whose rows are values of a dataclass; the columns are its fields, in their order.

    The first two columns of `key` identify an aggregate; where the key is longer, the aggregate is a `history`: all
    rows under these two, which are only ever added to.
    """

    def __init__(
        self, kind: Kind, name: str, cls: type[T], key: tuple[str, ...], states: type[StrEnum] | None = None
    ) -> None:
        self.kind: Kind = kind
        self.name = name
        self.cls = cls
        self.history = len(key) > 2  # noqa: PLR2004 - tenant and id
        self.key_of: Callable[[T], Key] = attrgetter(*key[:2])
        annotations = {field.name: str(field.type).removesuffix(" | None") for field in fields(cls)}  # type: ignore[arg-type]
        self.columns = tuple(annotations)
        types = {column: _PG_TYPES[annotation] for column, annotation in annotations.items()}
        readers = _READERS | ({"State": states} if states else {})
        self.row: Callable[[T], tuple[Any, ...]] = attrgetter(*self.columns)
        self._readers = tuple(
            (place, readers[annotation])
            for place, annotation in enumerate(annotations.values())
            if annotation in readers
        )
        self.select, self.change = _statements(name, types, key, history=self.history)

    def value(self, record: asyncpg.Record | Sequence[Any]) -> T:
        """The value of a row."""
        values = list(record)
        for place, reader in self._readers:
            if values[place] is not None:
                values[place] = reader(values[place])
        return self.cls(*values)

    async def load(self, connection: Connection, keys: Iterable[Key]) -> list[T]:
        """The rows with these keys, locked in key order; of a history all rows, oldest first, which nobody changes."""
        columns = zip(*keys, strict=True)
        return [self.value(record) for record in await connection.fetch(self.select, *columns)]

    async def insert(self, connection: Connection, values: Iterable[T]) -> None:
        """New rows, by COPY."""
        await connection.copy_records_to_table(self.name, records=map(self.row, values), columns=self.columns)

    async def update(self, connection: Connection, values: Iterable[T]) -> None:
        """Rows as they are now, in one statement."""
        await connection.execute(self.change, *zip(*map(self.row, values), strict=True))


def _statements(table: str, types: dict[str, str], key: tuple[str, ...], *, history: bool) -> tuple[str, str]:
    """The bulk SELECT by the first two columns of the key, and the bulk UPDATE by the whole key."""
    listed = ", ".join(f"t.{column}" for column in types)
    order = ", ".join(f"t.{column}" for column in key)
    tenant, name = key[:2]
    if types[name] == "uuid":
        # Derived from the tenant too, so it is enough: one scan of the index, where a join is one for each key.
        select = (
            f"SELECT {listed} FROM {table} AS t "
            f"WHERE t.{tenant} = any($1::text[]) AND t.{name} = any($2::uuid[]) ORDER BY {order}"
        )
    else:
        select = (
            f"SELECT {listed} FROM unnest($1::text[], $2::{types[name]}[]) AS k ({tenant}, {name}) "
            f"JOIN {table} AS t ON t.{tenant} = k.{tenant} AND t.{name} = k.{name} ORDER BY {order}"
        )
    everything = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(types.values(), 1))
    changes = ", ".join(f"{column} = k.{column}" for column in types if column not in key)
    same = " AND ".join(f"t.{column} = k.{column}" for column in key)
    update = (
        f"UPDATE {table} AS t SET {changes} FROM unnest({everything}) AS k ({', '.join(types)}) WHERE {same}"
    )
    return select if history else f"{select} FOR UPDATE OF t", update


PAYMENTS: Final = Table("payment", "payments", Payment, ("tenant", "payment_id"), PaymentState)
FEE_SCHEDULES: Final = Table("fees", "fee_schedules", FeeSchedule, ("tenant", "merchant_id", "version"))

TABLES: Final[dict[Kind, Table[Any]]] = {
    table.kind: table
    for table in (
        # locked, in this order
        PAYMENTS,
        Table("refund", "refunds", Refund, ("tenant", "object_id"), RefundState),
        Table("refund_count", "refund_counts", RefundCount, ("tenant", "subject")),
        Table("dispute", "disputes", Dispute, ("tenant", "object_id"), DisputeState),
        Table("period", "periods", Period, ("tenant", "object_id"), PeriodState),
        Table("journal", "journals", Journal, ("tenant", "object_id"), JournalState),
        Table("reversal", "entry_reversals", Reversal, ("tenant", "entry")),
        cast("Table[Any]", WalletTable()),  # the same interface, over two tables
        Table("hold", "holds", Hold, ("tenant", "object_id"), HoldState),
        # histories
        FEE_SCHEDULES,
        Table("refund_policy", "refund_policies", RefundPolicy, ("tenant", "policy", "version")),
        Table("evidence", "dispute_evidence", Evidence, ("tenant", "object_id", "version")),
        Table("period_bounds", "period_bounds", Bounds, ("tenant", "calendar", "number")),
        Table("journal_lines", "journal_lines", JournalLine, ("tenant", "object_id", "line")),
        Table("entry_links", "entry_links", EntryLink, ("tenant", "object_id", "rule")),
        Table("wallet_limits", "wallet_limits", WalletLimit, ("tenant", "wallet", "version")),
        # a view; nobody writes it
        Table("booked", "booked_lines", BookedLine, ("tenant", "object_id", "entry_id", "line")),
        Table("order_documents", "order_documents", OrderDocument, ("tenant", "order_id", "reference")),
    )
}
TABLE_OF: Final[dict[type, Table[Any]]] = {table.cls: table for table in TABLES.values()}
