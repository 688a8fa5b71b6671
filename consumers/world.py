"""What a batch needs to know before it can decide: its messages' aggregates, locked; clocks; used command keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import groupby
from typing import TYPE_CHECKING, Any

import orjson

from db.queries import engine as sql
from db.tables import FEE_SCHEDULES, PAYMENTS
from handlers.fees.model import FeeSchedule
from handlers.routes import ROUTES
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from consumers.intake import Incoming
    from db.connection import Connection
    from db.writes import Writes
    from handlers.decision import Decision
    from handlers.fees.model import FeeHistory
    from handlers.payments.model import Payment
    from schemas.envelope import Message

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

    payments: dict[tuple[str, UUID], Payment] = field(default_factory=dict)
    fees: dict[tuple[str, str], FeeHistory] = field(default_factory=dict)
    clocks: dict[str, datetime] = field(default_factory=dict)
    uses: dict[CommandKey, Use] = field(default_factory=dict)

    @classmethod
    async def load(cls, connection: Connection, batch: Sequence[Incoming], writes: Writes) -> World:
        """One set-based query for each table; payments are locked in key order."""
        world = cls()
        keys: dict[str, set[Any]] = {"payment": set(), "fees": set()}
        for incoming in batch:
            for need in ROUTES[incoming.message.type].needs:
                keys[need.kind].add(need.key(incoming.message))
        if keys["payment"]:
            for payment in await PAYMENTS.load_for_update(connection, list(keys["payment"])):
                world.payments[payment.tenant, payment.payment_id] = payment
                writes.exists(payment)
        if keys["fees"]:
            await world._load_fees(connection, keys["fees"])
        tenants = list({incoming.cause.tenant for incoming in batch})
        world.clocks = {row["tenant"]: row["now_at"] for row in await sql.clocks(connection, tenants=tenants)}
        commands = [key for key in map(command_key, batch) if key is not None]
        if commands:
            await world._load_uses(connection, commands)
        return world

    async def _load_fees(self, connection: Connection, merchants: Iterable[tuple[str, str]]) -> None:
        tenants, ids = zip(*merchants, strict=True)
        rows = await sql.fee_histories(connection, tenants=tenants, merchants=ids)
        for key, versions in groupby(
            map(FEE_SCHEDULES.value, rows), key=lambda row: (row.tenant, row.merchant_id)
        ):
            self.fees[key] = tuple(versions)

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

    def aggregates(self, message: Message) -> list[Any]:
        """What the message's rule needs, in the order of its route; None for what does not exist."""
        return [
            (self.payments if need.kind == "payment" else self.fees).get(need.key(message))
            for need in ROUTES[message.type].needs
        ]

    def is_new(self, state: Payment | FeeSchedule) -> bool:
        """Whether there was nothing of this before; a fee schedule's version always is new."""
        return isinstance(state, FeeSchedule) or (state.tenant, state.payment_id) not in self.payments

    def advance(self, decision: Decision) -> None:
        """Later messages of the batch see what this one did."""
        for state in decision.states:
            if isinstance(state, FeeSchedule):
                key = (state.tenant, state.merchant_id)
                self.fees[key] = (*self.fees.get(key, ()), state)
            else:
                self.payments[state.tenant, state.payment_id] = state


def command_key(incoming: Incoming) -> CommandKey | None:
    """The scope and key of a command; None for a fact."""
    data = incoming.message.data
    key = data.command_key()
    if key is None:
        return None
    operation = incoming.message.type.rsplit(".", 1)[0]
    return incoming.cause.tenant, operation, incoming.key, key


def fingerprint(incoming: Incoming) -> bytes:
    """What the command asks for, as a digest that ignores how its JSON was written."""
    asked = orjson.dumps(incoming.message.data.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    return blake2b(asked, digest_size=16).digest()
