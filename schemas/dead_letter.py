"""`<topic>.<group>.dlq`: what could not be handled, with all that a replay needs. Key: topic + partition."""

from __future__ import annotations

from typing import Final

from schemas.value import message

DEAD_LETTER: Final = "dead_letter.written.v1"


@message
class DeadLettered:
    """A message set aside. `body_base64` is the body byte for byte, unless a card number was masked in it."""

    topic: str
    partition: int
    offset: int
    key_base64: str | None
    headers: dict[str, str]
    body_base64: str
    reason: str
    detail: str
    masked: bool
