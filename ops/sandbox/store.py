"""The provider's books in SQLite: a file that survives the process, or memory.

Everything here is synchronous on purpose. A statement takes microseconds, and a request that runs from its
first read to its commit without a pause needs no lock against another one with the same idempotency key.
"""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiosql
import orjson

from ops.sandbox.agenda import Happening
from ops.sandbox.model import Authorization, Capture, Dispute, Refund

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HERE = Path(__file__).parent
_CHARGES = aiosql.from_path(_HERE / "queries" / "charges.sql", "sqlite3", mandatory_parameters=False)
_AGENDA = aiosql.from_path(_HERE / "queries" / "agenda.sql", "sqlite3", mandatory_parameters=False)

VERSION = 2
"""Of the tables in schema.sql; a file of another version is not opened."""


class OtherVersionError(Exception):
    """The file has the books of another version of the sandbox provider: begin a new one."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What the books know of an idempotency key."""

    fingerprint: bytes
    operation: str
    http_status: int | None
    """None while the key was only seen on a request that took no effect."""
    answer: bytes | None


def text_of(at: datetime) -> str:
    """A time as it stands in the books: in UTC, with microseconds, so that it sorts as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


class Store:
    """The books. One process writes them; the file may be copied or opened by another that only reads."""

    def __init__(self, file: Path | None = None) -> None:
        self.db = sqlite3.connect(file or ":memory:", isolation_level=None)
        self.db.row_factory = sqlite3.Row
        # With a write-ahead log a commit survives the death of the process without waiting for the disk.
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.execute("PRAGMA foreign_keys = ON")
        [version] = self.db.execute("PRAGMA user_version").fetchone()
        [tables] = self.db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and version != VERSION:
            self.db.close()
            raise OtherVersionError(f"{file} has books of version {version}, not {VERSION}")
        self.db.executescript((_HERE / "schema.sql").read_text())
        self.db.execute(f"PRAGMA user_version = {VERSION}")
        _AGENDA.begin_books(self.db, id=uuid.uuid4().hex)
        self._upcoming: tuple[int, Happening] | None = None
        self._upcoming_known = False
        self.books_id: str = _AGENDA.books_id(self.db)["id"]

    def close(self) -> None:
        """Close the file; nothing may be called afterwards."""
        self.db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            self._upcoming_known = False
            raise
        self.db.execute("COMMIT")

    # ------------------------------------------------------------ idempotency keys

    def operation(self, key: str) -> Operation | None:
        """What was answered to an idempotency key; None when it was never seen."""
        row = _CHARGES.operation(self.db, key=key)
        return Operation(**dict(row)) if row else None

    def put_operation(self, key: str, operation: Operation, authorization_id: str | None = None) -> None:
        """Remember a key, with the answer if there is one."""
        _CHARGES.put_operation(self.db, key=key, authorization_id=authorization_id, **columns_of(operation))

    # ------------------------------------------------------------ charges

    def authorization(self, authorization_id: str) -> Authorization | None:
        """The authorization with all that came of it; None when there is none."""
        row = _CHARGES.authorization(self.db, id=authorization_id)
        if row is None:
            return None
        captures = _CHARGES.captures_of(self.db, authorization_id=authorization_id)
        refunds = _CHARGES.refunds_of(self.db, authorization_id=authorization_id)
        disputes = _CHARGES.disputes_of(self.db, authorization_id=authorization_id)
        return Authorization(
            **{
                **_values(row),
                "capture": bool(row["capture"]),
                "captures": tuple(
                    Capture(taken["id"], taken["amount_minor"], bool(taken["final"])) for taken in captures
                ),
                "refunds": tuple(Refund(**_values(refund)) for refund in refunds),
                "disputes": tuple(Dispute(**_values(dispute)) for dispute in disputes),
            }
        )

    def authorization_of_refund(self, refund_id: str) -> Authorization | None:
        """The authorization that a refund belongs to."""
        found = _CHARGES.authorization_of_refund(self.db, id=refund_id)
        return self.authorization(found["authorization_id"]) if found else None

    def authorization_of_dispute(self, dispute_id: str) -> Authorization | None:
        """The authorization that a dispute belongs to."""
        found = _CHARGES.authorization_of_dispute(self.db, id=dispute_id)
        return self.authorization(found["authorization_id"]) if found else None

    def put_authorization(self, before: Authorization | None, after: Authorization) -> None:
        """Write the authorization's state and those of its captures, refunds and disputes that changed."""
        _CHARGES.put_authorization(self.db, **columns_of(after, without=("captures", "refunds", "disputes")))
        owner = {"authorization_id": after.id}
        for put, now_there, was_there in (
            (_CHARGES.add_captures, after.captures, before.captures if before else ()),
            (_CHARGES.put_refunds, after.refunds, before.refunds if before else ()),
            (_CHARGES.put_disputes, after.disputes, before.disputes if before else ()),
        ):
            changed = [columns_of(one) | owner for one in now_there if one not in was_there]
            if changed:
                put(self.db, changed)

    # ------------------------------------------------------------ reports

    def charges(self, *, reference: str | None, after: int, row_limit: int) -> list[dict[str, Any]]:
        """Every authorization that really held or took money, in order of `position`, beginning after one."""
        rows = _CHARGES.charges(self.db, reference=reference, after=after, row_limit=row_limit)
        return [{**dict(row), "idempotency_keys": orjson.loads(row["idempotency_keys"])} for row in rows]

    def captured_totals(self, *, reference: str | None) -> list[dict[str, Any]]:
        """What was captured in all, by currency, and what of it went back."""
        return [dict(row) for row in _CHARGES.captured_totals(self.db, reference=reference)]

    # ------------------------------------------------------------ time

    def offset_ms(self) -> int:
        """How far the provider's clock is ahead of the real one."""
        return int(_AGENDA.offset_ms(self.db)["offset_ms"])

    def set_offset_ms(self, offset_ms: int) -> None:
        """Move the provider's clock."""
        _AGENDA.set_offset_ms(self.db, offset_ms=offset_ms)

    def add_happenings(self, happenings: Sequence[Happening]) -> None:
        """Note what time will bring."""
        if happenings:
            _AGENDA.add_happenings(self.db, [columns_of(happening) for happening in happenings])
            self._upcoming_known = False

    def next_happening(self) -> tuple[int, Happening] | None:
        """What comes to pass first, with its position. It is asked for all the time, and so remembered."""
        if not self._upcoming_known:
            row = _AGENDA.next_happening(self.db)
            values = _values(row) if row else None
            self._upcoming = (values.pop("position"), Happening(**values)) if values else None
            self._upcoming_known = True
        return self._upcoming

    def strike_happening(self, position: int) -> None:
        """It has come to pass."""
        _AGENDA.strike_happening(self.db, position=position)
        self._upcoming_known = False


_MAPPINGS = frozenset({"metadata", "evidence"})


def _values(row: sqlite3.Row) -> dict[str, Any]:
    """A row as the fields of a dataclass: columns of times and mappings are text in the books."""
    values = dict(row)
    for name, value in values.items():
        if name in _MAPPINGS:
            values[name] = orjson.loads(value)
        elif name.endswith("_at"):
            values[name] = datetime.fromisoformat(value)
    return values


def columns_of(thing: Any, without: Sequence[str] = ()) -> dict[str, Any]:
    """A dataclass with slots as the columns of its table: times and mappings become text."""
    columns = {name: getattr(thing, name) for name in thing.__slots__ if name not in without}
    for name, value in columns.items():
        if name in _MAPPINGS:
            columns[name] = orjson.dumps(value).decode()
        elif isinstance(value, datetime):
            columns[name] = text_of(value)
    return columns
