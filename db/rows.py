"""Rows of the intake: what became of a message, and the tuples that the bulk statements take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.outgoing import Cause


@dataclass(slots=True)
class InboxRow:
    """A message as it came, with what became of it."""

    cause: Cause
    type: str
    key: str
    topic: str
    partition: int
    offset: int
    received_at: datetime
    body: bytes
    outcome: str
    reason: str | None = None
    detail: str | None = None


@dataclass(slots=True)
class Wait:
    """A message that is to be parked: why, what it waits for, and when to look again at the latest."""

    cause: Cause
    key: str
    reason: str
    detail: str
    waits_for: str | None
    delay_ms: int


@dataclass(slots=True)
class DeadLetter:
    """A message set aside."""

    topic: str
    partition: int
    offset: int
    message_key: bytes | None
    headers: dict[str, str]
    body: bytes
    masked: bool
    reason: str
    detail: str
    tenant: str | None
    source: str | None
    event_id: str | None
    dead_at: datetime


@dataclass(slots=True)
class UsedKey:
    """A command's idempotency key with what it was used for."""

    cause: Cause
    operation: str
    object_id: str
    idempotency_key: str
    fingerprint: bytes
    outcome: str
    reason: str | None
    expires_at: datetime


IDENTITY = (
    "tenant",
    "source",
    "event_id",
    "type",
    "key",
    "topic",
    "partition",
    "offset",
    "received_at",
    "body",
)


def who(row: InboxRow) -> tuple[str, str, str]:
    """What identifies a message."""
    return row.cause.tenant, row.cause.source, row.cause.event_id


def identity(row: InboxRow) -> tuple[Any, ...]:
    """The values of IDENTITY."""
    cause = row.cause
    return (
        cause.tenant,
        cause.source,
        cause.event_id,
        row.type,
        row.key,
        row.topic,
        row.partition,
        row.offset,
        row.received_at,
        row.body,
    )


def decision(row: InboxRow) -> tuple[str, str | None, str | None]:
    """Outcome, reason, detail."""
    return row.outcome, row.reason, row.detail
