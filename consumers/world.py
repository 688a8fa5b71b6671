"""What a batch needs to know before it can decide: its messages' aggregates, locked; clocks; used command keys."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import orjson

from db.queries import engine as sql
from db.queries import periods
from db.tables import TABLE_OF, TABLES
from handlers.needs import Reference
from handlers.periods.model import Bounds
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from consumers.intake import Incoming
    from db.connection import Connection
    from db.tables import Table
    from db.writes import Writes
    from handlers.decision import Decision
    from handlers.needs import Key, Kind

CommandKey = tuple[str, str, str, str]
"""(tenant, operation, object, idempotency key)."""


@value
class Use:
    """What a command key was used for."""

    event: tuple[str, str]
    fingerprint: bytes
    outcome: str
    reason: str | None
    expires_at: datetime


@dataclass(slots=True)
class World:
    """The state that the batch's decisions read and move forward, message by message."""

    states: defaultdict[Kind, dict[Key, Any]] = field(default_factory=lambda: defaultdict(dict))
    clocks: dict[str, datetime] = field(default_factory=dict)
    bounds: dict[str, Bounds] = field(default_factory=dict)
    """Up to when the tenants' books are closed; the guard of `entries` has the last word."""
    uses: dict[CommandKey, Use] = field(default_factory=dict)
    unforeseen: set[Key] = field(default_factory=set)
    """Wallets, if they are open, that entries take from and nobody asked for; see consumers.limits."""
    reread: set[Key] = field(default_factory=set)
    """Objects whose entries are read back, to be reversed."""
    _named: dict[Any, Key] = field(default_factory=dict)
    """What References stand for."""

    @classmethod
    async def load(
        cls, connection: Connection, batch: Sequence[Incoming], writes: Writes, wallets: Iterable[Key] = ()
    ) -> World:
        """One set-based query for each table; what can change is locked, in the order of tables and keys.

        `wallets` are more of them than the messages name.
        """
        world = cls()
        keys: defaultdict[Kind, set[Any]] = defaultdict(set)
        keys["wallet"].update(wallets)
        tenants = {incoming.cause.tenant for incoming in batch}
        for incoming in batch:
            for kind, key in incoming.needs:
                keys[kind].add(key)
        await world._read_bounds(connection, tenants, moves="period_bounds" in keys)
        world.reread = keys["booked"] - {None}
        references = {key for key in keys["payment"] if isinstance(key, Reference)}
        if references:
            await world._find_references(connection, references)
            keys["payment"] = (keys["payment"] - references) | set(world._named.values())
        for kind, table in TABLES.items():
            wanted = keys[kind] - {None}
            if wanted:
                world._take(table, await table.load(connection, wanted), writes)
        commands = [key for one in batch if (key := command_key(one)) is not None]
        if commands:
            await world._load_uses(connection, commands)
        return world

    async def _read_bounds(self, connection: Connection, tenants: Iterable[str], *, moves: bool) -> None:
        """Up to when the books are closed, for this transaction; a batch that `moves` that is alone with it.

        So batches have their numbers in the order in which bounds and entries came, which a replay follows. Before a
        tenant has bounds nothing can be late, and nobody waits: the guard of `entries` finds the first that came.
        """
        wanted = list(tenants)
        if moves:
            await periods.stop_entries(connection)
        rows = await periods.tenants_now(connection, tenants=wanted)
        if not moves and any(row["calendar"] is not None for row in rows):
            await periods.hold_bounds(connection)
            rows = await periods.tenants_now(connection, tenants=wanted)
        for row in rows:
            tenant, now_at, *bounds = row
            if now_at is not None:
                self.clocks[tenant] = now_at
            if bounds[0] is not None:
                self.bounds[tenant] = Bounds(tenant, *bounds)

    def _take(self, table: Table[Any], rows: Iterable[Any], writes: Writes) -> None:
        states = self.states[table.kind]
        for row in rows:
            key = table.key_of(row)
            if table.history:
                states[key] = (*states.get(key, ()), row)
            else:
                states[key] = row
                writes.stored.add((table.kind, key))

    async def _find_references(self, connection: Connection, references: Iterable[Reference]) -> None:
        wanted = sorted((one.tenant, one.provider, one.reference) for one in references)
        tenants, providers, names = zip(*wanted, strict=True)
        rows = await sql.payments_by_reference(connection, tenants=tenants, providers=providers, names=names)
        self._named = {
            Reference(row["tenant"], row["provider"], row["provider_reference"]): (
                row["tenant"],
                row["payment_id"],
            )
            for row in rows
        }

    async def _load_uses(self, connection: Connection, keys: Iterable[CommandKey]) -> None:
        tenants, operations, objects, names = zip(*keys, strict=True)
        for row in await sql.used_idempotency_keys(
            connection, tenants=tenants, operations=operations, objects=objects, keys=names
        ):
            key = (row["tenant"], row["operation"], row["object_id"], row["idempotency_key"])
            self.uses[key] = Use(
                (row["source"], row["event_id"]),
                row["fingerprint"],
                row["outcome"],
                row["reason"],
                row["expires_at"],
            )

    def aggregates(self, incoming: Incoming) -> list[Any]:
        """What the message's rule needs, in the order of its route; None for what does not exist."""
        needs = incoming.needs
        if self._named:
            needs = tuple((kind, self._named.get(key, key)) for kind, key in needs)
        return [self.states[kind].get(key) for kind, key in needs]

    def is_new(self, state: Any) -> bool:
        """Whether there was nothing of this before; a row of a history always is new."""
        table = TABLE_OF[type(state)]
        return table.history or table.key_of(state) not in self.states[table.kind]

    def advance(self, decision: Decision) -> None:
        """Later messages of the batch see what this one did."""
        for state in decision.states:
            table = TABLE_OF[type(state)]
            states, key = self.states[table.kind], table.key_of(state)
            states[key] = (*states.get(key, ()), state) if table.history else state
            if isinstance(state, Bounds):
                self.bounds[state.tenant] = state


def command_key(incoming: Incoming) -> CommandKey | None:
    """The scope and key of a command; None for a fact."""
    if incoming.command is None:
        return None
    operation = incoming.message.type.rsplit(".", 1)[0]
    return incoming.cause.tenant, operation, incoming.key, incoming.command


def fingerprint(incoming: Incoming) -> bytes:
    """What the command asks for, as a digest that ignores how its JSON was written, and what has its default.

    So a field that a later version adds does not make a repeat another request.
    """
    told = incoming.message.data.model_dump(mode="json", exclude_defaults=True)
    asked = orjson.dumps(told, option=orjson.OPT_SORT_KEYS)
    return blake2b(asked, digest_size=16).digest()
