"""Rows of the intake: what became of a message, and the tuples that the bulk statements take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from schemas.outgoing import Cause


class InboxRow(NamedTuple):
    """A message as it came, with what became of it; the columns of `inbox` but for the batch."""

    tenant: str
    source: str
    event_id: str
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

    @property
    def identity(self) -> tuple[str, str, str]:
        """Tenant, source and event id."""
        return self[:3]

    @property
    def decision(self) -> tuple[str, str | None, str | None]:
        """Outcome, reason, detail."""
        return self[10:]


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
