"""An entry by its number: what it was posted for, the message it follows from and all behind it, where it was told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from db.queries import explain as sql
from ops.inspect.explain.entries import Entries
from ops.inspect.explain.journals import commands_of
from ops.inspect.explain.messages import identity
from ops.inspect.explain.objects import KINDS, load_objects, missing_object, uuid_of
from ops.inspect.explain.published import load_published
from ops.inspect.explain.story import UNSEEN, Story
from ops.inspect.explain.teller import Teller
from ops.inspect.explain.trail import Trail
from ops.inspect.node import Node
from schemas.ledger import ENTRY_POSTED

if TYPE_CHECKING:
    import asyncpg

    from db.connection import Connection
    from ops.inspect.explain.messages import Identity

MOST_BEFORE = 20
"""Messages that led up to the entry."""


async def explain_entry(
    connection: Connection, entry_id: int, tenant: str | None = None, *, lines: int = 100
) -> list[Node]:
    """The entry with this number: none or one, as numbers are not used twice.

    One that was removed is told by the traces that it left.
    """
    rows = await sql.entry(connection, entry_id=entry_id, tenant=tenant)
    if rows:
        return [await _explained(connection, row, lines) for row in rows]
    traces = await sql.traces_of_entry(connection, entry_id=entry_id, tenant=tenant)
    return [
        Node(
            "missing",
            f"entry {entry_id} of {row['tenant']}: NOT in the journal, but in {row['place']}: somebody removed it, "
            "which breaks law 9",
            {"entry_id": entry_id, "tenant": row["tenant"], "found_in": row["place"]},
        )
        for row in traces
    ]


async def _explained(connection: Connection, row: asyncpg.Record, lines: int) -> Node:
    cause = identity(row)
    told = await Entries.load(connection, [row], lines)
    about, before = await _object_of(connection, row)
    trail = await Trail.follow(connection, [cause, *before])
    there = [trail.messages[cause]] if cause in trail.messages else []
    published = await load_published(connection, there)
    teller = Teller(trail)
    message = teller.message(cause)
    earlier = tuple(teller.message(one) for one in before if one != cause and not teller.has_told(one))
    led = (Node("before", "what led up to it", {}, earlier),) if earlier else ()
    out = (UNSEEN,) if published is None else _published(row, told, published.get(cause, ()), bool(there))
    return told.node(row, *about, message, *led, *out)


async def _object_of(connection: Connection, row: asyncpg.Record) -> tuple[tuple[Node, ...], list[Identity]]:
    """What the entry was posted for, with its details, and the messages that had moved that before."""
    tenant, kind = row["tenant"], row["object_type"]
    uuid = uuid_of(row["object_id"])
    story = Story(tenant, MOST_BEFORE)
    bounds: dict[str, Any] = {"until": row["posted_at"], "most": MOST_BEFORE}
    if kind == "wallet":
        wallets = await sql.wallets_of_entries(connection, tenants=[tenant], entry_ids=[row["entry_id"]])
        nodes = tuple(map(_wallet_node, wallets)) or (missing_object(kind, row["object_id"]),)
        if uuid is not None:
            story = await Story.load(connection, tenant, [uuid], **bounds)
        return nodes, _before(story, row)
    if kind not in KINDS or uuid is None:
        return (), []
    there = await KINDS[kind].load(connection, tenants=[tenant], object_ids=[uuid])
    if not there:
        gone = (await load_objects(connection, [(tenant, kind, row["object_id"])])).values()
        return tuple(gone), []
    thing = there[0]
    payments = () if "payment_id" not in thing else (thing["payment_id"],)
    only = None if kind == "payment" else [uuid]
    story = await Story.load(connection, tenant, [uuid], payment_ids=payments, calls_of=only, **bounds)
    before = _before(story, row)
    if kind == "journal":
        commands = await commands_of(connection, tenant, thing["journal_id"], MOST_BEFORE)
        asked = [(tenant, command["source"], command["event_id"]) for command in commands]
        before = list(dict.fromkeys((*asked, *before)))
    hint = Node("hint", f"counterfoil explain {kind} {uuid}")
    return (KINDS[kind].node(thing, (*KINDS[kind].details(thing), hint)),), before


def _before(story: Story, row: asyncpg.Record) -> list[Identity]:
    """The messages that had an effect before the entry's; of one time, in the order in which they had it."""
    causes = story.causes()
    cause = identity(row)
    return causes[: causes.index(cause)] if cause in causes else []


def _wallet_node(row: asyncpg.Record) -> Node:
    hint = Node(
        "hint", f"counterfoil explain wallet {row['owner_id']} {row['currency']} --family {row['family']}"
    )
    return Node("wallet", f"moves wallet {row['name']} ({row['tenant']})", {"wallet": row["name"]}, (hint,))


def _published(
    row: asyncpg.Record,
    told: Entries,
    published: tuple[Node, ...],
    is_known: bool,  # noqa: FBT001
) -> tuple[Node, ...]:
    """Where the entry was told, and whether it was told as it is."""
    events = [
        node
        for node in published
        if node.facts["event"]["type"] == ENTRY_POSTED
        and node.facts["event"]["data"]["entry_id"] == row["entry_id"]
    ]
    if not events and is_known:
        return (Node("missing", "what was published of it: NOT in the outbox, which breaks law 4"),)
    legs = told.legs(row)
    return tuple(
        Node(node.kind, node.text, node.facts, _changed(node.facts["event"]["data"]["legs"], legs))
        for node in events
    )


def _changed(published: list[dict[str, Any]], legs: list[dict[str, Any]] | None) -> tuple[Node, ...]:
    """That the lines are not what was told of them when they were written."""
    names = ("side", "account", "owner", "amount_minor", "currency")
    told = [{name: leg.get(name) for name in names} for leg in published]
    if legs is None or told == legs:
        return ()
    text = "it was published with other lines than are there now: somebody changed them, which breaks law 9"
    return (Node("missing", text, {"published": told, "now": legs}),)
