"""How an event of ours becomes bytes: a CloudEvent whose id follows from its cause."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import orjson

from schemas.envelope import SPEC_VERSION
from schemas.value import value

if TYPE_CHECKING:
    from datetime import datetime

    from _typeshed import DataclassInstance

SOURCE: Final = "/counterfoil"


@value
class Cause:
    """The message that led to an event."""

    tenant: str
    source: str
    event_id: str
    correlation: str | None = None
    traceparent: str | None = None


def event_id_of(cause: Cause, event_type: str, number: int) -> str:
    """The id of the `number`-th event of its type that follows from `cause`; 32 hexadecimal digits."""
    seed = f"{cause.tenant}\x1f{cause.source}\x1f{cause.event_id}\x1f{event_type}\x1f{number}"
    return blake2b(seed.encode(), digest_size=16).hexdigest()


def encode(
    cause: Cause,
    event_type: str,
    number: int,
    subject: str,
    now: datetime,
    data: DataclassInstance | dict[str, Any],
) -> bytes:
    """The event as structured CloudEvents JSON."""
    envelope = {
        "specversion": SPEC_VERSION,
        "id": event_id_of(cause, event_type, number),
        "source": SOURCE,
        "type": event_type,
        "time": now,
        "subject": subject,
        "tenant": cause.tenant,
        "causation": cause.event_id,
        "correlation": cause.correlation or cause.event_id,
        "data": data,
    }
    if cause.traceparent:
        envelope["traceparent"] = cause.traceparent
    return orjson.dumps(envelope, default=str)


def partition_key(tenant: str, object_id: str) -> str:
    """The Kafka key of everything about one object of a tenant."""
    return f"{tenant}:{object_id}"
