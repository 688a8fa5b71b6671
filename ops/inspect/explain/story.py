"""An object's story, message by message: what each changed, posted, asked of a provider and published."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from db.queries import explain as sql
from ops.inspect.explain.entries import Entries
from ops.inspect.explain.published import load_published
from ops.inspect.explain.teller import Teller
from ops.inspect.explain.trail import Trail
from ops.inspect.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    import asyncpg

    from db.connection import Connection
    from ops.inspect.explain.messages import Identity

MOST: Final = 50
"""Messages of a story, the newest, unless asked for another number."""
UNSEEN: Final = Node("rest", "what was published is not for this role to see")


@dataclass(slots=True)
class Story:
    """The records of an object, and of what stands beside it. `effects` gives those that follow from one message."""

    tenant: str
    most: int
    transitions: list[asyncpg.Record] = field(default_factory=list)
    entries: list[asyncpg.Record] = field(default_factory=list)
    told: Entries = field(default_factory=Entries)
    calls: list[asyncpg.Record] = field(default_factory=list)
    beside: frozenset[UUID] = frozenset()
    """Objects whose steps are told where a message moved them, too, but that bring no messages of their own."""

    @classmethod
    async def load(  # noqa: PLR0913 - what a story is about
        cls,
        connection: Connection,
        tenant: str,
        object_ids: Sequence[UUID],
        *,
        payment_ids: Sequence[UUID] = (),
        calls_of: Sequence[UUID] | None = None,
        beside: Iterable[UUID] = (),
        only: Identity | None = None,
        until: datetime | None = None,
        most: int = MOST,
    ) -> Story:
        """Everything about objects but the messages; calls about these payments, or of those about `calls_of`.

        With `only`, what follows from that message; with `until`, what was there at that time.
        """
        _, source, event_id = only or (tenant, None, None)
        asked = {"tenant": tenant, "source": source, "event_id": event_id, "until": until, "most": most}
        also = frozenset(beside)
        story = cls(tenant, most, beside=also)
        story.transitions = await sql.transitions_of(connection, object_ids=[*object_ids, *also], **asked)
        story.entries = await sql.entries_of(connection, object_ids=list(map(str, object_ids)), **asked)
        story.told = await Entries.load(connection, story.entries)
        if payment_ids:
            story.calls = await sql.calls_about(
                connection, payment_ids=list(payment_ids), object_ids=calls_of, **asked
            )
        return story

    def causes(self) -> list[Identity]:
        """The messages that had an effect, in the order in which they had it."""
        first = self._first_effects()
        return sorted(first, key=lambda cause: first[cause])

    def _first_effects(self) -> dict[Identity, datetime]:
        first: dict[Identity, datetime] = {}
        steps = [row for row in self.transitions if row["object_id"] not in self.beside]
        for rows, when in ((steps, "at"), (self.entries, "posted_at"), (self.calls, "created_at")):
            for row in rows:
                cause = (self.tenant, row["source"], row["event_id"])
                first[cause] = min(first.get(cause, row[when]), row[when])
        return first

    def removed(self, object_id: UUID, version: int) -> tuple[Node, ...]:
        """Steps of an object that stands at `version` which somebody removed."""
        rows = [row for row in self.transitions if row["object_id"] == object_id]
        there = {row["version"] for row in rows}
        whole = not rows or rows[0]["there"] <= len(rows)
        wanted = range(1 if whole else min(there), version + 1)
        gone = [str(number) for number in wanted if number not in there]
        if not gone:
            return ()
        shown = ", ".join(gone[:MOST]) + (", ..." if len(gone) > MOST else "")
        return (
            Node("missing", f"it stands at version {version}; NOT there: step {shown}, which breaks law 9"),
        )

    async def chapters(self, connection: Connection, more: Iterable[Identity] = ()) -> tuple[Node, ...]:
        """A node for each message, the newest `most` of them; `more` are messages that changed nothing of this."""
        causes, first = self.causes(), self._first_effects()
        extra = [cause for cause in dict.fromkeys(more) if cause not in first]
        earlier = self._earlier(causes)
        chosen = causes[-self.most :]
        trail = await Trail.follow(connection, [*chosen, *extra], self.calls)
        if extra:  # there is no time at which they had an effect
            chosen = sorted((*chosen, *extra), key=lambda cause: _place(trail, cause))
        else:
            chosen = sorted(chosen, key=lambda cause: (first[cause], *_place(trail, cause)))
        there = [trail.messages[cause] for cause in chosen if cause in trail.messages]
        published = await load_published(connection, there)
        teller = Teller(trail)
        unseen = (UNSEEN,) if published is None else ()
        told = [
            teller.message(cause, *self.effects(teller, cause), *(published or {}).get(cause, ()))
            for cause in chosen
        ]
        return (*earlier, *told, *unseen)

    def _earlier(self, causes: Sequence[Identity]) -> tuple[Node, ...]:
        hidden = [
            f"{row['there'] - self.most:,} steps" for row in self.transitions[:1] if row["there"] > self.most
        ]
        if not hidden and len(causes) > self.most:
            hidden = [f"{len(causes) - self.most:,} messages"]
        return (Node("rest", f"and {hidden[0]} earlier; see them with --last"),) if hidden else ()

    def effects(self, teller: Teller, cause: Identity) -> tuple[Node, ...]:
        """What one message changed, posted and asked."""

        def follows(row: asyncpg.Record) -> bool:
            return (self.tenant, row["source"], row["event_id"]) == cause

        return (
            *(_transition_node(row) for row in filter(follows, self.transitions)),
            *(self.told.node(row) for row in filter(follows, self.entries)),
            *(teller.call(row) for row in filter(follows, self.calls)),
        )


async def commands_about(
    connection: Connection, tenant: str, name: str, operations: Sequence[str], most: int = MOST
) -> list[asyncpg.Record]:
    """Commands by the name that they are ordered by; also those that were refused. The newest, oldest first."""
    rows: list[asyncpg.Record] = await sql.commands_about(
        connection, tenant=tenant, name=name, operations=list(operations), most=most
    )
    return rows


def _place(trail: Trail, cause: Identity) -> tuple[bool, object, str, int, int]:
    row = trail.messages.get(cause)
    if row is None:
        return False, "", "", 0, 0
    return True, row["received_at"], row["topic"], row["partition"], row["offset"]


def _transition_node(row: asyncpg.Record) -> Node:
    before = f"was {row['from_state']}, " if row["from_state"] else ""
    why = f", because of {row['reason']}" if row["reason"] else ""
    whose = "" if row["object_type"] == "payment" else f"{row['object_type']} "
    text = f"{whose}{before}became {row['to_state']} ({row['event']}{why}), version {row['version']}"
    names = ("object_type", "object_id", "version", "from_state", "event", "to_state", "reason", "at")
    return Node("transition", text, {name: row[name] for name in names})
