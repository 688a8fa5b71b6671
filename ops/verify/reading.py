"""What a verification reads: blocks, and the book beside them, in the order of the chain, a round at a time.

The book is hashed here, by `handlers.ledger.chain`; the builder does it in SQL, so that each checks the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from db.queries import chain as sql
from handlers.ledger.chain import Block, leaf, particular_leaf

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Mapping

    from db.connection import Connection
    from ops.verify.verdict import Verdict

ROWS_AT_ONCE: Final = 10_000
BLOCKS_AT_ONCE: Final = 10
BOOKED: Final = {"link": sql.booked_links, "origin": sql.booked_origins, "references": sql.booked_references}
"""Where the particulars are."""

NAMED: Final = {"link": "a link", "origin": "an origin", "references": "references"}
_NONE: Final[Mapping[str, bytes]] = {}


@dataclass(slots=True)
class Sealed:
    """A block as it is stored."""

    block: Block
    stored_hash: bytes
    key_id: str | None
    signature: bytes | None


@dataclass(slots=True)
class Posted:
    """An entry as the book has it now: its hash, and those of its particulars, by kind."""

    tenant: str
    entry_id: int
    xid: int
    leaf: bytes
    particulars: Mapping[str, bytes]


@dataclass(slots=True)
class Round:
    """Blocks that were built together, and the entries of the transactions that they took in."""

    through_xid: int
    blocks: list[Sealed] = field(default_factory=list)
    entries: list[Posted] = field(default_factory=list)


async def read_rounds(connection: Connection, tenant: str | None, verdict: Verdict) -> AsyncIterator[Round]:
    """Round by round, with what the book has for it; entries that no round covers are only counted."""
    book = _book(connection, tenant, verdict)
    entry = await anext(book, None)
    async for found in _blocks(connection, tenant):
        while entry is not None and entry.xid <= found.through_xid:
            found.entries.append(entry)
            entry = await anext(book, None)
        yield found
    while entry is not None:
        verdict.unsealed += 1
        entry = await anext(book, None)


async def _blocks(connection: Connection, tenant: str | None) -> AsyncIterator[Round]:
    current: Round | None = None
    rows = connection.cursor(sql.sealed_blocks.sql, tenant, prefetch=BLOCKS_AT_ONCE)
    async for row in rows:
        block = Block(
            row["tenant"],
            row["number"],
            row["form"],
            row["first_position"],
            int(row["through_xid"]),
            row["previous_hash"],
            tuple(row["entry_ids"]),
            row["leaves"],
            row["built_at"],
            tuple(row["particular_ids"]),
            tuple(row["particular_kinds"]),
            row["particular_leaves"],
        )
        if current is None or block.through_xid != current.through_xid:
            if current is not None:
                yield current
            current = Round(block.through_xid)
        current.blocks.append(Sealed(block, row["block_hash"], row["key_id"], row["signature"]))
    if current is not None:
        yield current


class _Particulars:
    """All of one kind, entry by entry; `entry` is the (xid, tenant, number) that `rows` are of, None at the end."""

    def __init__(self, connection: Connection, kind: str, tenant: str | None) -> None:
        self.kind = kind
        self.entry: tuple[str | None, str, int] | None = None
        self.rows: list[Any] = []
        self._groups = _by_entry(connection.cursor(BOOKED[kind].sql, tenant, prefetch=ROWS_AT_ONCE))

    async def go_on(self) -> None:
        """To the next entry that has any."""
        self.rows = await anext(self._groups, [])
        self.entry = _name(self.rows[0]) if self.rows else None


async def _book(connection: Connection, tenant: str | None, verdict: Verdict) -> AsyncIterator[Posted]:
    """Entries in the order of the chain, each with its hashes as of now; last, particulars that are of no entry."""
    kinds = [_Particulars(connection, kind, tenant) for kind in BOOKED]
    for particulars in kinds:
        await particulars.go_on()
    async for rows in _by_entry(connection.cursor(sql.book.sql, tenant, prefetch=ROWS_AT_ONCE)):
        first, name = rows[0], _name(rows[0])
        found = _NONE
        for particulars in kinds:
            if particulars.entry == name:
                digest = particular_leaf(
                    particulars.kind, first["tenant"], first["entry_id"], particulars.rows
                )
                found = {**found, particulars.kind: digest}
                await particulars.go_on()
        lines = rows if first["line"] is not None else []
        yield Posted(first["tenant"], first["entry_id"], int(first["xid"]), leaf(first, lines), found)
    for particulars in kinds:
        while particulars.entry is not None:
            _, of_tenant, entry_id = particulars.entry
            told = f"there is no entry {entry_id} of {of_tenant}, but it has {NAMED[particulars.kind]}"
            verdict.found(of_tenant, told, entry_id=entry_id)
            await particulars.go_on()


async def _by_entry(rows: AsyncIterable[Any]) -> AsyncIterator[list[Any]]:
    """Rows that follow each other and are of the same entry."""
    group: list[Any] = []
    async for row in rows:
        if group and (row["entry_id"], row["tenant"]) != (group[0]["entry_id"], group[0]["tenant"]):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _name(row: Any) -> tuple[str | None, str, int]:
    return row["xid"], row["tenant"], row["entry_id"]
