"""The walk: every block beside the entries that it sealed, in the order of the chain, in the memory of one round.

What a block says of its entries is compared with what the book says now, hash by hash, so that what was changed,
inserted or removed is named: an entry, or which of its particulars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from db.queries import chain as sql
from handlers.ledger.chain import (
    FORMS,
    GENESIS,
    HASH_BYTES,
    PARTICULARS_SINCE,
    Block,
    block_hash,
    signed_block,
)
from ops.verify.heads import Expected
from ops.verify.reading import read_rounds
from ops.verify.verdict import Verdict
from producers.chain.keys import is_signed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from db.connection import Connection
    from ops.verify.heads import Head
    from ops.verify.reading import Posted, Round, Sealed

    Progress = Callable[[int, int], None]
    """Is told how many entries were looked at, and how many there are in blocks."""

TELL_EVERY: Final = 10_000
"""Entries between two reports of progress."""


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
    async for found in read_rounds(connection, tenant, walk.verdict):
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
        now: dict[str, dict[int, Posted]] = {}
        for posted in found.entries:
            now.setdefault(posted.tenant, {})[posted.entry_id] = posted
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

    def _compare(self, block: Block, now: dict[int, Posted]) -> None:
        where = f"block {block.number}"
        if block.form not in FORMS:
            told = f"{where} of {block.tenant} is of form {block.form}, which this version does not know"
            self.verdict.found(block.tenant, told, block=block.number)
            return
        sealed = _particulars(block)
        for place, entry_id in enumerate(block.entry_ids):
            was = block.leaves[place * HASH_BYTES : (place + 1) * HASH_BYTES]
            found = now.pop(entry_id, None)
            changes = []
            if found is None:
                changes.append(" was removed or moved")
            else:
                if found.leaf != was:
                    changes.append(" was changed")
                if block.form >= PARTICULARS_SINCE:
                    changes += _changes(sealed.get(entry_id, {}), found.particulars)
            for change in changes:
                told = (
                    f"entry {entry_id} of {block.tenant}{change} since it was sealed "
                    f"({where}, position {block.first_position + place})"
                )
                self.verdict.found(block.tenant, told, block=block.number, entry_id=entry_id)
        for entry_id in now:
            told = f"entry {entry_id} of {block.tenant} was inserted or moved since {where} was sealed, which lacks it"
            self.verdict.found(block.tenant, told, block=block.number, entry_id=entry_id)


def _particulars(block: Block) -> dict[int, dict[str, bytes]]:
    """What the block says, by entry and kind."""
    sealed: dict[int, dict[str, bytes]] = {}
    for place, (entry_id, kind) in enumerate(zip(block.particular_ids, block.particular_kinds, strict=True)):
        digest = block.particular_leaves[place * HASH_BYTES : (place + 1) * HASH_BYTES]
        sealed.setdefault(entry_id, {})[kind] = digest
    return sealed


def _changes(was: Mapping[str, bytes], now: Mapping[str, bytes]) -> list[str]:
    """What became of an entry's particulars, as it continues "entry 17 of acme"."""
    changes = []
    for kind in sorted({*was, *now}):
        if was.get(kind) != now.get(kind):
            verb = "were" if kind == "references" else "was"
            deed = "added" if kind not in was else "removed" if kind not in now else "changed"
            changes.append(f": its {kind} {verb} {deed}")
    return changes
