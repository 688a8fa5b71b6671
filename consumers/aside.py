"""Setting a message aside: a dead letter with all that a replay needs, kept and published."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from db.rows import DeadLetter
from schemas.dead_letter import DEAD_LETTER, DeadLettered
from schemas.outgoing import SOURCE, Cause, encode
from schemas.topics import dead_letter_topic

if TYPE_CHECKING:
    from consumers.intake import Record
    from db.writes import Writes
    from schemas.reasons import Reason

NO_TENANT = "unknown"
"""The tenant in a dead letter's envelope when the message did not say, or could not be read."""
MAX_TOLD_BYTES: Final = 900_000
"""A dead letter to be published. Kafka's own limit for a topic is 1 MiB, and one that it refuses stops the relay."""


def set_aside(
    writes: Writes,
    record: Record,
    reason: Reason,
    detail: str,
    *,
    masked: bool = False,
    cause: Cause | None = None,
) -> None:
    """Add a dead letter to the writes. `cause` is given when the message could be read."""
    place = f"{record.topic}/{record.partition}/{record.offset}"
    writes.dead_letters.append(
        DeadLetter(
            record.topic,
            record.partition,
            record.offset,
            record.key,
            dict(record.headers),
            record.body,
            masked,
            reason,
            detail,
            cause.tenant if cause else None,
            cause.source if cause else None,
            cause.event_id if cause else None,
            writes.now,
        )
    )
    told = DeadLettered(
        record.topic,
        record.partition,
        record.offset,
        b64encode(record.key).decode() if record.key is not None else None,
        dict(record.headers),
        b64encode(record.body).decode(),
        reason,
        detail,
        masked,
    )
    origin = cause or Cause(NO_TENANT, SOURCE, place)
    # One that is replayed may die again, and a topic made anew has other records at the same offsets.
    died_us = int(writes.now.timestamp() * 1_000_000)
    payload = encode(origin, DEAD_LETTER, died_us, place, writes.now, told)
    if len(payload) > MAX_TOLD_BYTES:
        detail = f"{detail}; too large to be told, the table dead_letters has it whole"
        told = replace(told, key_base64=None, headers={}, body_base64="", detail=detail)
        payload = encode(origin, DEAD_LETTER, died_us, place, writes.now, told)
    writes.publish(dead_letter_topic(record.topic), f"{record.topic}:{record.partition}", payload)
