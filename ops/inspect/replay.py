"""Dead letters go back: one that was read to the queue of its key, one that was not to its topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from consumers.aside import NO_TENANT
from db.queries import replay as sql
from ops.inspect.explain.messages import place
from producers.kafka import create_producer

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import asyncpg
    from aiokafka import AIOKafkaProducer

    from db.connection import Connection


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of a dead letter; `done` is False when it stays where it is, and `told` says why."""

    dead_letter_id: int
    done: bool
    told: str


class Replayer:
    """Sends dead letters back on behalf of `actor`, whom the audit log remembers. Use it as `async with`."""

    def __init__(self, connection: Connection, kafka: str, actor: str) -> None:
        self._connection = connection
        self._kafka = kafka
        self._actor = actor
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._producer is not None:
            await self._producer.stop()

    async def replay(self, dead_letter_id: int) -> Replay:
        """Send one back, in a transaction of its own.

        A message that was read is parked again, due now, behind what waits under its key. One that was not is
        published to its topic with its key and headers, byte for byte, to be read like a new message; a crash
        between Kafka's acknowledgement and our commit publishes it again.
        """
        try:
            async with self._connection.transaction():
                letter = await sql.lock_dead_letter(self._connection, dead_letter_id=dead_letter_id)
                obstacle = _obstacle(letter)
                if obstacle is not None:
                    return Replay(dead_letter_id, done=False, told=obstacle)
                told = await (self._park(letter) if letter["event_id"] else self._publish(letter))
                await self._mark(letter, told)
        except KafkaError as error:
            return Replay(dead_letter_id, done=False, told=f"Kafka did not take it: {error}")
        return Replay(dead_letter_id, done=True, told=told)

    async def _park(self, letter: asyncpg.Record) -> str:
        message = {name: letter[name] for name in ("tenant", "source", "event_id")}
        detail = f"replayed by {self._actor}: {letter['reason']}"
        await sql.revive(self._connection, detail=detail, **message)
        queue = {name: letter[name] for name in ("topic", "key", "reason")}
        await sql.park_again(self._connection, detail=detail, **queue, **message)
        return f"event {letter['event_id']} waits in {letter['topic']} under {letter['key']}, due now"

    async def _publish(self, letter: asyncpg.Record) -> str:
        if self._producer is None:
            producer = create_producer(self._kafka)
            await producer.start()
            self._producer = producer
        headers = [(name, value.encode()) for name, value in letter["headers"].items()]
        sent = await self._producer.send_and_wait(
            letter["topic"], letter["body"], key=letter["message_key"], headers=headers
        )
        return f"published again as {sent.topic}/{sent.partition}/{sent.offset}"

    async def _mark(self, letter: asyncpg.Record, told: str) -> None:
        names = ("dead_letter_id", "tenant", "source", "event_id")
        await sql.mark_replayed(self._connection, **{name: letter[name] for name in names})
        await sql.note(
            self._connection,
            tenant=letter["tenant"] or NO_TENANT,
            actor=self._actor,
            action="dead_letter.replayed",
            object_type="dead_letter",
            object_id=str(letter["dead_letter_id"]),
            detail=f"{letter['reason']} at {place(letter)}: {told}",
        )


def _obstacle(letter: asyncpg.Record | None) -> str | None:
    """Why it cannot go back."""
    if letter is None:
        return "there is no such dead letter"
    if letter["replayed_at"] is not None:
        return f"it was replayed at {letter['replayed_at']:%Y-%m-%d %H:%M:%S} UTC"
    if letter["masked"]:
        return "a card number was masked in it, so it is not what was sent; the sender has to publish it anew"
    if letter["event_id"] is not None and letter["outcome"] != "dead":
        return f"its message is no longer dead, but {letter['outcome']}"
    return None
