"""From bytes to a message, or to the reason why not. Nothing here raises for what a sender did."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from handlers.routes import route_of
from schemas.envelope import MAX_MESSAGE_BYTES, Message
from schemas.outgoing import Cause
from schemas.reasons import Reason
from schemas.safe_text import card_numbers
from schemas.topics import TOPICS
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handlers.needs import Kind, Route

MAX_ERRORS_TOLD: Final = 5
MAX_DETAIL: Final = 1000
"""Characters of a detail: it may quote a type or a name that the sender made long, or a card number."""


Identity = tuple[str, str, str]
"""What makes it the same event when it comes again (law 3): tenant, source, id."""


@value
class Record:
    """A Kafka record as it came."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: Mapping[str, str]
    body: bytes

    @property
    def number(self) -> int:
        """Tells the record from every other that says to be the same event, by its place and its body."""
        place = f"{self.topic}/{self.partition}/{self.offset}/"
        return int.from_bytes(blake2b(place.encode() + self.body, digest_size=8).digest())


@value
class Incoming:
    """A record that could be read."""

    record: Record
    message: Message
    identity: Identity
    key: str
    command: str | None
    """The idempotency key of a command; None for a fact."""
    cause: Cause
    route: Route
    needs: tuple[tuple[Kind, Any], ...]
    """The aggregates that its rule needs, each by kind and key."""


@value
class Unreadable:
    """A record that could not be read; `record.body` has card numbers masked when there were any."""

    record: Record
    reason: Reason
    detail: str
    masked: bool = False


class Reader:
    """Reads the messages of one topic."""

    def __init__(self, topic: str) -> None:
        self._adapter: TypeAdapter[Any] = TypeAdapter(TOPICS[topic].inbound)

    def read(self, record: Record) -> Incoming | Unreadable:
        """Decode and validate; the detail of a refusal names the field and the reason, never the value."""
        size = len(record.body)
        if size > MAX_MESSAGE_BYTES:
            detail = f"{size} bytes, the limit is {MAX_MESSAGE_BYTES}"
            body, masked = mask_card_numbers(record.body)
            return Unreadable(replace(record, body=body), Reason.MESSAGE_TOO_LARGE, detail, masked)
        try:
            message = self._adapter.validate_json(record.body)
        except ValidationError as error:
            return _unreadable(record, error)
        except Exception as error:  # noqa: BLE001 - no message may stop its partition, whatever it does to a parser
            return Unreadable(record, Reason.INVALID_MESSAGE, f"cannot be read: {type(error).__name__}")
        cause = Cause(message.tenant, message.source, message.id, message.correlation, message.traceparent)
        route = route_of(message)
        if route is None:
            return Unreadable(
                record, Reason.UNKNOWN_TYPE, "data: nobody handles this kind of answer or timer"
            )
        needs = tuple([(need.kind, need.key(message)) for need in route.needs])
        identity = (message.tenant, message.source, message.id)
        data = message.data
        return Incoming(
            record, message, identity, data.ordering_key(), data.command_key(), cause, route, needs
        )


def _unreadable(record: Record, error: ValidationError) -> Unreadable:
    errors = error.errors(include_url=False, include_input=False, include_context=False)
    types = {problem["type"] for problem in errors}
    if "json_invalid" in types:
        reason = Reason.INVALID_JSON
    elif types & {"union_tag_invalid", "literal_error"} and _names_type(errors):
        reason = Reason.UNKNOWN_TYPE
    else:
        reason = Reason.INVALID_MESSAGE
    told = "; ".join(f"{_place(problem['loc'])}: {problem['msg']}" for problem in errors[:MAX_ERRORS_TOLD])
    more = len(errors) - MAX_ERRORS_TOLD
    detail = f"{told}; and {more} more" if more > 0 else told
    body, masked = mask_card_numbers(record.body)
    if masked:
        reason = Reason.CARD_NUMBER_PRESENT
        record = Record(record.topic, record.partition, record.offset, record.key, record.headers, body)
    safe_detail, _ = mask_card_numbers(detail.replace("\x00", "")[:MAX_DETAIL].encode())
    return Unreadable(record, reason, safe_detail.decode(), masked)


def mask_card_numbers(body: bytes) -> tuple[bytes, bool]:
    """The body with card numbers replaced but for the last four digits, and whether there was one."""
    masked = bytearray(body)
    # Latin-1 gives every byte a character of its own, so that places in the text are places in the body.
    spans = card_numbers(body.decode("latin-1"))
    for start, end in spans:
        masked[start : end - 4] = re.sub(rb"\d", b"*", body[start : end - 4])
    return bytes(masked), bool(spans)


def _names_type(errors: Any) -> bool:
    return any(problem["type"] == "union_tag_invalid" or problem["loc"] == ("type",) for problem in errors)


def _place(location: tuple[int | str, ...]) -> str:
    """`data.amount.currency`; the tags of unions, which have dots in them, are not part of the path."""
    return ".".join(str(part) for part in location if "." not in str(part)) or "message"


def same_event(first: bytes, second: bytes) -> bool:
    """Whether two bodies under one id say the same; how the JSON was written, and when it was sent, do not matter."""
    return first == second or _meaning(first) == _meaning(second)


def _meaning(body: bytes) -> Any:
    event = from_json(body)  # as lenient as the reader, which has accepted both
    return {name: event.get(name) for name in ("type", "tenant", "data", "subject")}
