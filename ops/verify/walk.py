"""The walk: every block beside the entries that it sealed, in the order of the chain, in the memory of one round.

What a block says of its entries is compared with what the book says now, hash by hash, so that what was changed,
inserted or removed is named. The book is hashed here, by `handlers.ledger.chain`; the builder does it in SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from db.queries import chain as sql
from handlers.ledger.chain import FORM, GENESIS, HASH_BYTES, Block, block_hash, leaf, signed_block
from ops.verify.heads import Expected
from ops.verify.verdict import Verdict
from producers.chain.keys import is_signed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from db.connection import Connection
    from ops.verify.heads import Head

    Progress = Callable[[int, int], None]
    """Is told how many entries were looked at, and how many there are in blocks."""

ROWS_AT_ONCE: Final = 10_000
BLOCKS_AT_ONCE: Final = 10
TELL_EVERY: Final = 10_000
"""Entries between two reports of progress."""


@dataclass(slots=True)
class Sealed:
    """A block as it is stored."""

    block: Block
    stored_hash: bytes
    key_id: str | None
    signature: bytes | None


@dataclass(slots=True)
class Posted:
    """An entry as the book has it now."""

    tenant: str
    entry_id: int
    xid: int
    leaf: bytes


@dataclass(slots=True)
class Round:
    """Blocks that were built together, and the entries of the transactions that they took in."""

    through_xid: int
    blocks: list[Sealed] = field(default_factory=list)
    entries: list[Posted] = field(default_factory=list)


async def verify(
    connection: Connection,
    *,
    tenant: str | None = None,
    heads: Iterable[Head] = (),
    keys: Mapping[str, Ed25519PublicKey] | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Compare all history that is in blocks with the book, of one tenant or of all, on one snapshot.

    `heads` were exported before: history up to them must be the same. With `keys`, one of them must have signed the
    end of each chain: a block's signature covers all before it, for each names the hash of the last. Reads in the
    caller's transaction, which must be a read-only snapshot.
    """
    await sql.stream(connection)
    walk = _Walk(keys or {}, Expected(head for head in heads if tenant in {None, head.tenant}))
    total = await sql.sealed_entries(connection, tenant=tenant)
    told = 0
    async for found in _rounds(connection, tenant, walk.verdict):
        walk.look_at(found)
        if progress is not None and walk.verdict.entries - told >= TELL_EVERY:
            told = walk.verdict.entries
            progress(told, total)
    walk.close()
    return walk.verdict


class _Walk:
    """One verification under way."""

    def __init__(self, keys: Mapping[str, Ed25519PublicKey], expected: Expected) -> None:
        self.verdict = Verdict()
        self._expected = expected
        self._keys = keys
        self._ends: dict[str, Block] = {}
        self._hashes: dict[str, bytes] = {}
        self._signed: dict[str, int] = {}

    def look_at(self, found: Round) -> None:
        """Blocks first, then their entries."""
        now: dict[str, dict[int, bytes]] = {}
        for posted in found.entries:
            now.setdefault(posted.tenant, {})[posted.entry_id] = posted.leaf
        self.verdict.entries += len(found.entries)
        for sealed in found.blocks:
            self._look_at_block(sealed)
            self._compare(sealed.block, now.pop(sealed.block.tenant, {}))
        for tenant, entries in now.items():
            for entry_id in entries:
                told = (
                    f"entry {entry_id} of {tenant} is in no block, but its transaction is of an earlier round"
                )
                self.verdict.found(tenant, told, entry_id=entry_id)

    def close(self) -> None:
        """What only the end shows: heads that were not met, ends that nobody signed."""
        self._expected.unmet(self._ends, self.verdict)
        for tenant, end in sorted(self._ends.items()) if self._keys else ():
            signed = self._signed.get(tenant, 0)
            if signed < end.number:
                told = f"blocks {signed + 1} to {end.number} of {tenant} are not signed by a key that is believed"
                self.verdict.found(tenant, told, block=signed + 1)

    def _look_at_block(self, sealed: Sealed) -> None:
        block, verdict = sealed.block, self.verdict
        verdict.blocks += 1
        name = f"block {block.number} of {block.tenant}"
        before = self._ends.get(block.tenant)
        number, position = (before.number + 1, before.last_position + 1) if before else (1, 1)
        if block.number > number:
            told = (
                f"blocks {number} to {block.number - 1} of {block.tenant} are missing, "
                f"with positions {position} to {block.first_position - 1}"
            )
            verdict.found(block.tenant, told, block=number)
        elif (block.number, block.first_position) != (number, position):
            told = (
                f"{name} is at position {block.first_position}, in the place of block {number} at {position}"
            )
            verdict.found(block.tenant, told, block=block.number)
        elif block.previous_hash != self._hashes.get(block.tenant, GENESIS):
            told = (
                f"{name} follows another block {number - 1} than is there: that one was replaced"
                if before
                else f"{name} follows another block, but is the first"
            )
            verdict.found(block.tenant, told, block=number - 1 if before else 1)
        digest = block_hash(block)
        if digest != sealed.stored_hash:
            verdict.found(block.tenant, f"{name} does not have the hash it says", block=block.number)
        self._check_signature(sealed, digest, name)
        self._expected.met(block, digest, verdict)
        self._ends[block.tenant] = block
        self._hashes[block.tenant] = sealed.stored_hash

    def _check_signature(self, sealed: Sealed, digest: bytes, name: str) -> None:
        if sealed.key_id not in self._keys:
            return
        if is_signed(self._keys, sealed.key_id, sealed.signature, signed_block(digest)):
            self._signed[sealed.block.tenant] = sealed.block.number
            return
        told = f"{name} says it is signed by key {sealed.key_id}, but it is not"
        self.verdict.found(sealed.block.tenant, told, block=sealed.block.number)

    def _compare(self, block: Block, now: dict[int, bytes]) -> None:
        where = f"block {block.number}"
        if block.form != FORM:
            told = f"{where} of {block.tenant} is of form {block.form}, which this version does not know"
            self.verdict.found(block.tenant, told, block=block.number)
            return
        for place, entry_id in enumerate(block.entry_ids):
            was = block.leaves[place * HASH_BYTES : (place + 1) * HASH_BYTES]
            found = now.pop(entry_id, None)
            if found == was:
                continue
            change = "was removed or moved" if found is None else "was changed"
            position = block.first_position + place
            told = f"entry {entry_id} of {block.tenant} {change} since it was sealed ({where}, position {position})"
            self.verdict.found(block.tenant, told, block=block.number, entry_id=entry_id)
        for entry_id in now:
            told = f"entry {entry_id} of {block.tenant} was inserted or moved since {where} was sealed, which lacks it"
            self.verdict.found(block.tenant, told, block=block.number, entry_id=entry_id)


async def _rounds(connection: Connection, tenant: str | None, verdict: Verdict) -> AsyncIterator[Round]:
    """Round by round, with what the book has for it; entries that no round covers are only counted."""
    book = _book(connection, tenant)
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
        )
        if current is None or block.through_xid != current.through_xid:
            if current is not None:
                yield current
            current = Round(block.through_xid)
        current.blocks.append(Sealed(block, row["block_hash"], row["key_id"], row["signature"]))
    if current is not None:
        yield current


async def _book(connection: Connection, tenant: str | None) -> AsyncIterator[Posted]:
    """Entries in the order of the chain, each with its hash as of now."""
    lines: list[Any] = []
    async for row in connection.cursor(sql.book.sql, tenant, prefetch=ROWS_AT_ONCE):
        if lines and (row["entry_id"], row["tenant"]) != (lines[0]["entry_id"], lines[0]["tenant"]):
            yield _posted(lines)
            lines = []
        lines.append(row)
    if lines:
        yield _posted(lines)


def _posted(rows: list[Any]) -> Posted:
    first = rows[0]
    lines = rows if first["line"] is not None else []
    return Posted(first["tenant"], first["entry_id"], int(first["xid"]), leaf(first, lines))
