"""Ask the system for something as a person does: publish commands, and wait for what becomes of them.

A command is known by its idempotency key: whoever sends it again with the same key asks for nothing new, and is told
what became of the first. So a person who does not know whether something was done may safely do it again.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from db.queries import asking as sql
from ops.charge.sending import SOURCE, command
from producers.client import Client, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from db.connection import Connection

PATIENCE_S: Final = 15.0
"""How long to wait for workers to take something in."""
WAITING_S: Final = 3.0
"""How long to look on while it waits for something itself: what was sent just before it comes by then."""
LOOK_AGAIN_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Asked:
    """Commands about one object, in their order: (type without its version, data). `key` makes them one wish."""

    tenant: str
    topic: str
    commands: Sequence[tuple[str, Mapping[str, Any]]]
    key: str

    def keys(self) -> list[str]:
        """The idempotency key of each command."""
        if len(self.commands) == 1:
            return [self.key]
        return [f"{self.key}/{number}" for number in range(1, len(self.commands) + 1)]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a command: `outcome` as in the inbox, the reason code, and the words for it."""

    outcome: str
    reason: str | None = None
    detail: str = ""
    is_repeat: bool = False
    """Whether the key was used before; then the outcome is that of the first."""


NOTHING_YET: Final = Answer("waiting")
"""Nobody has taken it in."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """Commands on their way; the events' ids are new each time, the keys say what is the same."""

    event_ids: list[str]
    keys: list[str]


async def ask_and_wait(
    connection: Connection,
    kafka: str,
    asked: Asked,
    patience_s: float = PATIENCE_S,
    waiting_s: float = WAITING_S,
) -> Answer:
    """Publish the first command, wait, and then the others. The first answer that is not "applied", or the last one.

    The others mean something only together with the first: were they sent when it is refused, they might become part
    of an object of the same name.

    Raises:
        InvalidEventError: one of them breaks the contract; nothing was sent.
        KafkaError: the broker did not take them.
    """
    keys = asked.keys()
    event_ids = [f"asked-{uuid.uuid4()}" for _ in keys]
    bodies = [
        command(asked.tenant, f"{kind}.v1", event_id, {"idempotency_key": key, **data})
        for event_id, key, (kind, data) in zip(event_ids, keys, asked.commands, strict=True)
    ]
    records = [(key_of(asked.topic, body), body) for body in bodies]  # all are checked before any is sent
    answer = NOTHING_YET
    async with Client(kafka, asked.topic) as client:
        for part in (slice(1), slice(1, None)):
            for record in records[part]:
                await client.send(*record)
            await client.flush()
            sent = _Sent(event_ids[part], keys[part])
            if sent.keys:
                answer = await _answer_to(connection, asked.tenant, sent, patience_s, waiting_s)
            if answer.outcome != "applied":
                break
    return answer


async def _answer_to(
    connection: Connection, tenant: str, sent: _Sent, patience_s: float, waiting_s: float
) -> Answer:
    deadline = monotonic() + patience_s
    while True:
        rows = await sql.outcomes_of_commands(
            connection, event_ids=sent.event_ids, idempotency_keys=sent.keys, source=SOURCE, tenant=tenant
        )
        answer = _answer([_told(row) for row in rows], len(sent.keys))
        now = monotonic()
        if answer.outcome == "parked":
            deadline = min(deadline, now + waiting_s)
        if answer.outcome not in {"waiting", "parked"} or now >= deadline:
            return answer
        await asyncio.sleep(LOOK_AGAIN_S)


def _told(row: Any) -> Answer:
    """A repeat gives the outcome of the first; its detail was told then, and is not kept."""
    if row["outcome"] == "duplicate" and row["first_outcome"] is not None:
        return Answer(row["first_outcome"], row["first_reason"], row["detail"] or "", is_repeat=True)
    return Answer(row["outcome"], row["reason"], row["detail"] or "")


def _answer(answers: Sequence[Answer], expected: int) -> Answer:
    """The first that is not done; NOTHING_YET while some are still to come; else the last."""
    refused = next((answer for answer in answers if answer.outcome != "applied"), None)
    if refused is not None:
        return refused
    return answers[-1] if len(answers) == expected else NOTHING_YET
