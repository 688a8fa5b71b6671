"""Tells what was loaded as a tree: every message, call and webhook once, word for word; after that by name only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ops.inspect.explain.calls import asked_text, call_node
from ops.inspect.explain.messages import body_node, message_node, message_text, missing_message
from ops.inspect.explain.trail import pointer_of
from ops.inspect.node import Node
from ops.inspect.words import moment

if TYPE_CHECKING:
    import asyncpg

    from ops.inspect.explain.messages import Identity
    from ops.inspect.explain.trail import Name, Trail

ABOVE: Final = "told above"


class Teller:
    """Of one tree, from top to bottom."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._told: set[Identity | Name] = set()

    def message(self, cause: Identity, *effects: Node) -> Node:
        """A message with what is behind it, and with what it led to."""
        row = self._trail.messages.get(cause)
        if row is None:
            if cause in self._trail.looked_for:
                return missing_message(cause, *effects)
            return Node(
                "rest",
                f"before that {cause[2]} of {cause[1]}: counterfoil explain event {cause[2]}",
                {},
                effects,
            )
        if cause in self._told:
            facts = dict(zip(("tenant", "source", "event_id"), cause, strict=True))
            return Node("named", f"{message_text(row)}, {ABOVE}", facts, effects)
        self._told.add(cause)
        return message_node(row, *self._behind(row), *effects)

    def call(self, row: asyncpg.Record, *more: Node) -> Node:
        """A call with its answers."""
        name = row["tenant"], row["call_id"]
        if name in self._told:
            return Node(
                "named", f"{asked_text(row)} (call {row['call_id']}), {ABOVE}", {"call_id": name[1]}, more
            )
        self._told.add(name)
        return call_node(row, self._trail.answers[name], *more)

    def has_told(self, cause: Identity) -> bool:
        """Whether the message is in the tree."""
        return cause in self._told

    def _behind(self, row: asyncpg.Record) -> tuple[Node, ...]:
        name = pointer_of(row)
        if name is None:
            return ()
        if row["topic"] == "provider.results":
            return (self._answered(name),)
        if row["topic"] == "webhook.events":
            return self._reported(name)
        return (self._due(name),)

    def _answered(self, name: Name) -> Node:
        call = self._trail.calls.get(name)
        if call is None:
            return _missing("call", name, "what was answered")
        if name in self._told:
            return self.call(call)
        return self.call(call, self.message((call["tenant"], call["source"], call["event_id"])))

    def _reported(self, name: Name) -> tuple[Node, ...]:
        if name in self._told:
            return (Node("named", f"webhook {name[1]}, {ABOVE}", {"webhook_id": name[1]}),)
        self._told.add(name)
        rows = self._trail.webhooks[name]
        return tuple(map(_webhook_node, rows)) or (
            _missing("webhook", name, "what the provider said word for word"),
        )

    def _due(self, name: Name) -> Node:
        rows = self._trail.timers[name]
        if not rows:
            return _missing("timer", name, "what made it due")
        timer = rows[0]
        setters = self._trail.setters(name)
        text = f"timer {timer['kind']} of {timer['order_id']}, due {moment(timer['due_at'])}, set by"
        facts = {column: timer[column] for column in ("timer_id", "kind", "due_at", "object_id", "causation")}
        if not setters:
            gone = Node("missing", f"{timer['causation']}: NOT in the inbox, which breaks law 3")
            return Node("timer", text, facts, (gone,))
        return Node("timer", text, facts, tuple(map(self.message, setters)))


def _webhook_node(row: asyncpg.Record) -> Node:
    unread = f"; it could not be read: {row['unreadable']}" if row["unreadable"] else ""
    text = (
        f"webhook {row['webhook_id']} of {row['provider']}, account {row['account']}, "
        f"received {moment(row['received_at'])}, as it came{unread}"
    )
    names = ("webhook_id", "provider", "account", "received_at", "headers", "unreadable")
    facts: dict[str, Any] = {name: row[name] for name in names}
    return Node("webhook", text, facts, (body_node(row["body"]),))


def _missing(kind: str, name: Name, what: str) -> Node:
    text = f"{kind} {name[1]}: NOT there, so nobody can say {what}"
    return Node("missing", text, {f"{kind}_id": name[1]})
