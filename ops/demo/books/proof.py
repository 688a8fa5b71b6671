"""The books sealed: long accounts summed up, closings kept, every entry in the hash chain, and the chain verified."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from db.queries import demo_books as sql
from ops.checks import Verdict
from ops.periods.closings import take_closings
from ops.statements.slices import slice_accounts
from ops.verify import verify
from producers.chain.builder import seal

if TYPE_CHECKING:
    from db.connection import Connection

LOOK_EVERY_S: Final = 0.2
PATIENCE_S: Final = 60
NAMED_AT_MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Proof:
    """What is sealed. `unsealed` entries are in no block; `findings` is how many differences `verify` found."""

    slices: int
    lines_in_slices: int
    closings: int
    balances_kept: int
    blocks: int
    entries: int
    unsealed: int
    findings: int


async def prove(connection: Connection) -> tuple[Proof, list[Verdict]]:
    """Do what the roles behind the writers do until nothing is left of it, and verify; with a verdict on the chain.

    Any role that does the same may be at it, too. Entries that stay out of the chain for PATIENCE_S are an offence.
    """
    await take_closings(connection)
    await slice_accounts(connection)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        while (await seal(connection))[0]:
            continue
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            found = await verify(connection)
        if not found.unsealed or time.monotonic() > deadline:
            break
        # another builder is at it, or a transaction that may hold entries has not ended
        await asyncio.sleep(LOOK_EVERY_S)
    kept = await sql.slices_and_closings(connection)
    proof = Proof(
        **dict(kept),
        blocks=found.blocks,
        entries=found.entries,
        unsealed=found.unsealed,
        findings=found.broken,
    )
    named = [finding.told for finding in found.findings[:NAMED_AT_MOST]]
    if found.unsealed:
        named.append(f"{found.unsealed} entries are in no block after {PATIENCE_S} s")
    broken = found.broken + found.unsealed
    title = "Every entry is sealed, and history is as it was sealed"
    return proof, [Verdict(9, title, not broken, found.entries, named, broken)]
