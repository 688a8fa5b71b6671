"""Builds the hash chain behind the writers' backs: every round, a block for each tenant that has new entries.

A round takes in the entries of transactions below `pg_snapshot_xmin`: these have all ended, so none can still add one
(docs/adr/0016-hash-chain.md). No writer waits for it, and it waits for no lock. Any number of builders may run; a
round's lock lets one at a time through, and the database refuses a block that does not follow the last.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

import asyncpg
import structlog

from db.connection import LOST_RACE, UNFIT, UNREACHABLE, connect
from db.queries import chain as sql
from handlers.ledger.chain import FORM, GENESIS, Block, block_hash, signed_block
from producers.leadership import pause

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from db.connection import Connection
    from producers.chain.keys import Signer

log = structlog.get_logger()

ENTRIES_AT_ONCE: Final = 20_000
"""Of a round; the transaction that reaches it is taken in whole."""
LOOK_EVERY_S: Final = 1.0
AFTER_TROUBLE_S: Final = 1.0
COLUMNS: Final = (
    "tenant",
    "number",
    "form",
    "first_position",
    "last_position",
    "through_xid",
    "previous_hash",
    "entry_ids",
    "leaves",
    "built_at",
    "block_hash",
    "key_id",
    "signature",
    "particular_ids",
    "particular_kinds",
    "particular_leaves",
)


class ChainAheadError(Exception):
    """The chain is ahead of the server's transaction ids, as after a restore from a dump; see docs/proof.md."""


class ChainObserver(Protocol):
    """Who wants to know."""

    def sealed(self, entries: int, blocks: int) -> None:
        """So many entries are in so many new blocks; zero is told, too."""


async def run_chain(
    database_url: str, observer: ChainObserver, stop: asyncio.Event, signer: Signer | None = None
) -> None:
    """Build blocks until told to stop; starts over after any trouble with PostgreSQL."""
    while not stop.is_set():
        try:
            connection = await connect(database_url, application="counterfoil chain", by_key=True)
            try:
                while not stop.is_set():
                    entries, blocks = await seal(connection, signer)
                    observer.sealed(entries, blocks)
                    if entries < ENTRIES_AT_ONCE:
                        await pause(stop, LOOK_EVERY_S)
            finally:
                connection.terminate()
        except (
            *UNREACHABLE,
            *UNFIT,
            *LOST_RACE,
            asyncpg.IntegrityConstraintViolationError,
            ChainAheadError,
        ) as error:
            log.warning("chain builder starts over", error=f"{type(error).__name__}: {error}")
            await pause(stop, AFTER_TROUBLE_S)


async def seal(
    connection: Connection, signer: Signer | None = None, *, most: int = ENTRIES_AT_ONCE
) -> tuple[int, int]:
    """One round: how many entries are in how many new blocks. Nothing when another builder is at it.

    Raises:
        ChainAheadError: new entries cannot be told from old ones by their transaction.
    """
    async with connection.transaction():
        if not await sql.try_seal(connection):
            return 0, 0
        ahead = await sql.next_round(connection, most=most)
        if ahead["lost"]:
            raise ChainAheadError(
                f"the chain is at transaction {ahead['after']}, which is still to come here"
            )
        if ahead["through"] is None:
            return 0, 0
        rows = await sql.round_leaves(connection, after=ahead["after"], through=ahead["through"])
        particulars = await _particulars(connection, rows, ahead["after"], ahead["through"])
        now = datetime.now(UTC)
        blocks = [
            Block(
                row["tenant"],
                row["number"] + 1,
                FORM,
                row["position"] + 1,
                int(ahead["through"]),
                row["block_hash"] or GENESIS,
                tuple(row["entry_ids"]),
                row["leaves"],
                now,
                *particulars.get(row["tenant"], ()),
            )
            for row in rows
        ]
        await connection.copy_records_to_table(
            "chain_blocks", records=[_row(block, signer) for block in blocks], columns=COLUMNS
        )
    return sum(len(block.entry_ids) for block in blocks), len(blocks)


async def _particulars(
    connection: Connection, rows: Iterable[asyncpg.Record], after: str, through: str
) -> dict[str, tuple[tuple[int, ...], tuple[str, ...], bytes]]:
    """Of the entries of a round, by tenant: the entries that have any, of which kind, and the hashes."""
    found = await sql.round_particulars(
        connection,
        lowest=min(min(row["entry_ids"]) for row in rows),
        highest=max(max(row["entry_ids"]) for row in rows),
        after=after,
        through=through,
    )
    return {row["tenant"]: (tuple(row["entry_ids"]), tuple(row["kinds"]), row["leaves"]) for row in found}


def _row(block: Block, signer: Signer | None) -> tuple[object, ...]:
    digest = block_hash(block)
    signature = signer.sign(signed_block(digest)) if signer else None
    return (
        block.tenant,
        block.number,
        block.form,
        block.first_position,
        block.last_position,
        block.through_xid,
        block.previous_hash,
        block.entry_ids,
        block.leaves,
        block.built_at,
        digest,
        signer.key_id if signer else None,
        signature,
        block.particular_ids,
        block.particular_kinds,
        block.particular_leaves,
    )
