"""The one place that maps a dataclass to its table: column order, types, the bulk statements, and back to values."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from handlers.fees.model import FeeSchedule
from handlers.payments.model import Payment
from handlers.payments.states import State
from schemas.money import Rounding
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import asyncpg

    from db.connection import Connection

T = TypeVar("T")

_PG_TYPES: Final = {
    "str": "text",
    "int": "bigint",
    "bool": "boolean",
    "UUID": "uuid",
    "datetime": "timestamptz",
    "Mapping[str, str]": "jsonb",
    "Mapping[str, int]": "jsonb",
    "State": "text",
    "Reason": "text",
    "Rounding": "text",
    "Operation": "text",
}
"""A field's annotation -> the PostgreSQL type of its column in a bulk statement."""

_READERS: Final[dict[str, Callable[[Any], Any]]] = {"State": State, "Reason": Reason, "Rounding": Rounding}
"""Annotations whose values need more than asyncpg gives."""


class Table(Generic[T]):
    """A table whose rows are values of a frozen dataclass; the columns are its fields, in their order."""

    def __init__(self, name: str, cls: type[T], key: tuple[str, ...]) -> None:
        self.name = name
        self.cls = cls
        self.key = key
        annotations = {field.name: str(field.type).removesuffix(" | None") for field in fields(cls)}  # type: ignore[arg-type]
        self.columns = tuple(annotations)
        types = {column: _PG_TYPES[annotation] for column, annotation in annotations.items()}
        self.row: Callable[[T], tuple[Any, ...]] = attrgetter(*self.columns)
        self._readers = tuple(
            (place, _READERS[annotation])
            for place, annotation in enumerate(annotations.values())
            if annotation in _READERS
        )
        listed = ", ".join(self.columns)
        keys = " AND ".join(f"t.{column} = k.{column}" for column in key)
        arrays = ", ".join(f"${place}::{types[column]}[]" for place, column in enumerate(key, 1))
        order = ", ".join(f"t.{column}" for column in key)
        self.select_for_update = (
            f"SELECT {', '.join(f't.{column}' for column in self.columns)} "
            f"FROM unnest({arrays}) AS k ({', '.join(key)}) JOIN {name} AS t ON {keys} "
            f"ORDER BY {order} FOR UPDATE OF t"
        )
        everything = ", ".join(f"${place}::{types[column]}[]" for place, column in enumerate(self.columns, 1))
        changes = ", ".join(f"{column} = k.{column}" for column in self.columns if column not in key)
        self.update_statement = (
            f"UPDATE {name} AS t SET {changes} FROM unnest({everything}) AS k ({listed}) WHERE {keys}"
        )

    def value(self, record: asyncpg.Record | Sequence[Any]) -> T:
        """The value of a row."""
        values = list(record)
        for place, reader in self._readers:
            if values[place] is not None:
                values[place] = reader(values[place])
        return self.cls(*values)

    async def load_for_update(self, connection: Connection, keys: Sequence[tuple[Any, ...]]) -> list[T]:
        """The rows with these keys, locked in key order."""
        columns = list(zip(*keys, strict=True))
        return [self.value(record) for record in await connection.fetch(self.select_for_update, *columns)]

    async def insert(self, connection: Connection, values: Iterable[T]) -> None:
        """New rows, by COPY."""
        await connection.copy_records_to_table(self.name, records=map(self.row, values), columns=self.columns)

    async def update(self, connection: Connection, values: Iterable[T]) -> None:
        """Rows as they are now, in one statement."""
        await connection.execute(self.update_statement, *zip(*map(self.row, values), strict=True))


PAYMENTS: Final = Table("payments", Payment, ("tenant", "payment_id"))
FEE_SCHEDULES: Final = Table("fee_schedules", FeeSchedule, ("tenant", "merchant_id", "version"))
