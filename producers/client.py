"""The upstream client: checks an event against its topic's schema and publishes it under its ordering key.

It does nothing that an upstream service in another language cannot do with any Kafka library: structured CloudEvents
JSON, key `tenant:order` (fee schedules: `tenant:merchant`), acks=all, an idempotent producer.
"""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic import TypeAdapter, ValidationError

from producers.kafka import CONTENT_TYPE_HEADER, create_producer
from schemas.envelope import MAX_MESSAGE_BYTES
from schemas.outgoing import partition_key
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

UNACKNOWLEDGED_AT_MOST: Final = 2000
"""Events on their way together; `publish` waits when there are more."""


class InvalidEventError(ValueError):
    """The event would become a dead letter. `problems` has `(field, what is wrong with it)`, never the value."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {problem}" for field, problem in problems))
        self.problems = problems


class Client:
    """Publishes to one inbound topic, as `async with Client(kafka) as client`; leaving waits for all acknowledgements.

    Events of one order keep their order. Raises KafkaError, from any method, when the broker did not take an event.
    """

    def __init__(self, kafka: str, topic: str = "checkout.events") -> None:
        self.topic = topic
        self.acknowledged = 0
        """How many events Kafka has."""
        self._kafka = kafka
        self._under_way: set[asyncio.Future[Any]] = set()
        self._error: BaseException | None = None

    async def publish(self, body: bytes) -> None:
        """Check and send an event.

        Raises:
            InvalidEventError: nobody could read it; nothing was sent.
        """
        await self.send(key_of(self.topic, body), body)

    async def send(self, key: bytes | None, body: bytes) -> None:
        """Send a message as it is."""
        sent = await self._producer.send(self.topic, body, key=key, headers=[CONTENT_TYPE_HEADER])
        self._under_way.add(sent)
        sent.add_done_callback(self._answered)
        if len(self._under_way) >= UNACKNOWLEDGED_AT_MOST:
            await self.flush()

    async def flush(self) -> None:
        """Wait until Kafka has all that was sent so far."""
        if self._under_way:
            await asyncio.wait(self._under_way)
        if self._error is not None:
            raise self._error

    def _answered(self, sent: asyncio.Future[Any]) -> None:
        self._under_way.discard(sent)
        if sent.cancelled() or (error := sent.exception()) is None:
            self.acknowledged += not sent.cancelled()
        else:
            self._error = self._error or error

    async def __aenter__(self) -> Self:
        self._producer = create_producer(self._kafka)
        await self._producer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                await self.flush()
        finally:
            await self._producer.stop()


def key_of(topic: str, body: bytes) -> bytes:
    """The key under which an event is published to an inbound topic.

    Raises:
        InvalidEventError: it does not fit the topic's schema.
    """
    if len(body) > MAX_MESSAGE_BYTES:
        raise InvalidEventError([("message", f"{len(body)} bytes, the limit is {MAX_MESSAGE_BYTES}")])
    try:
        message = _schema_of(topic).validate_json(body)
    except ValidationError as error:
        raise InvalidEventError(_problems(error)) from None
    return partition_key(message.tenant, message.data.ordering_key()).encode()


def likely_key(body: bytes) -> bytes | None:
    """The key that an event would have if it were valid; None when it does not say what it is about."""
    try:
        event = orjson.loads(body)
        data = event["data"]
        return partition_key(event["tenant"], data.get("order_id") or data["merchant_id"]).encode()
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError, UnicodeEncodeError):
        return None


@cache
def _schema_of(topic: str) -> TypeAdapter[Any]:
    return TypeAdapter(TOPICS[topic].inbound)


def _problems(error: ValidationError) -> list[tuple[str, str]]:
    """Field and problem of each; the tags of unions, which have dots in them, are not part of a field's path."""
    return [
        (".".join(str(part) for part in problem["loc"] if "." not in str(part)) or "message", problem["msg"])
        for problem in error.errors(include_url=False, include_input=False, include_context=False)
    ]
