"""The provider's books in SQLite: a file that survives the process, or memory.

Everything here is synchronous on purpose. A statement takes microseconds, and a request that runs from its
first read to its commit without a pause needs no lock against another one with the same idempotency key.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiosql
import orjson

from ops.sandbox.rules import Authorization, Capture

if TYPE_CHECKING:
    from collections.abc import Iterator

_HERE = Path(__file__).parent
_QUERIES = aiosql.from_path(_HERE / "queries.sql", "sqlite3", mandatory_parameters=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """What the books know of an idempotency key."""

    fingerprint: bytes
    operation: str
    http_status: int | None
    """None while the key was only seen on a request that took no effect."""
    answer: bytes | None


class Store:
    """The books. One process writes them; the file may be copied or opened by another that only reads."""

    def __init__(self, file: Path | None = None) -> None:
        self._db = sqlite3.connect(file or ":memory:", isolation_level=None)
        self._db.row_factory = sqlite3.Row
        # With a write-ahead log a commit survives the death of the process without waiting for the disk.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.executescript((_HERE / "schema.sql").read_text())

    def close(self) -> None:
        """Close the file; nothing may be called afterwards."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def operation(self, key: str) -> Operation | None:
        """What was answered to an idempotency key; None when it was never seen."""
        row = _QUERIES.operation(self._db, key=key)
        return Operation(**dict(row)) if row else None

    def put_operation(self, key: str, operation: Operation, authorization_id: str | None = None) -> None:
        """Remember a key, with the answer if there is one."""
        _QUERIES.put_operation(
            self._db,
            key=key,
            fingerprint=operation.fingerprint,
            operation=operation.operation,
            authorization_id=authorization_id,
            http_status=operation.http_status,
            answer=operation.answer,
        )

    def authorization(self, authorization_id: str) -> Authorization | None:
        """The authorization with its captures; None when there is none."""
        row = _QUERIES.authorization(self._db, id=authorization_id)
        if row is None:
            return None
        captures = _QUERIES.captures_of(self._db, authorization_id=authorization_id)
        return Authorization(
            **{
                **dict(row),
                "capture": bool(row["capture"]),
                "metadata": orjson.loads(row["metadata"]),
                "created_at": datetime.fromisoformat(row["created_at"]),
                "captures": tuple(
                    Capture(taken["id"], taken["amount_minor"], bool(taken["final"])) for taken in captures
                ),
            }
        )

    def put_authorization(self, authorization: Authorization) -> None:
        """Write the authorization's state and those of its captures that are new."""
        _QUERIES.put_authorization(
            self._db,
            id=authorization.id,
            reference=authorization.reference,
            token=authorization.token,
            method_type=authorization.method_type,
            amount_minor=authorization.amount_minor,
            currency=authorization.currency,
            capture=authorization.capture,
            metadata=orjson.dumps(authorization.metadata).decode(),
            status=authorization.status,
            decline_code=authorization.decline_code,
            created_at=authorization.created_at.isoformat(),
        )
        for taken in authorization.captures:
            _QUERIES.add_capture(
                self._db,
                id=taken.id,
                authorization_id=authorization.id,
                amount_minor=taken.amount_minor,
                final=taken.final,
            )

    def charges(self, *, reference: str | None, after: int, row_limit: int) -> list[dict[str, Any]]:
        """Every authorization that really held or took money, in order of `position`, beginning after one."""
        rows = _QUERIES.charges(self._db, reference=reference, after=after, row_limit=row_limit)
        return [{**dict(row), "idempotency_keys": orjson.loads(row["idempotency_keys"])} for row in rows]

    def captured_totals(self, *, reference: str | None) -> list[dict[str, Any]]:
        """What was captured in all, by currency."""
        return [dict(row) for row in _QUERIES.captured_totals(self._db, reference=reference)]
