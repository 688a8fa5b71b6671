"""What a superuser can do who knows how the chain is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.ledger.chain import GENESIS, Block, block_hash
from tests.producers.chain.book import seal_all

if TYPE_CHECKING:
    from producers.chain.keys import Signer
    from tests.conftest import Connection


async def build_anew(intruder: Connection, signer: Signer | None = None) -> None:
    """Throw the whole chain away and build another over the book as it is now."""
    await intruder.execute("TRUNCATE chain_blocks")
    await seal_all(intruder, signer)


async def replace_block(intruder: Connection, number: int) -> None:
    """Make one block fit the book as it is now: its leaves, its own hash, all but its signature."""
    await intruder.execute("CREATE TEMP TABLE kept AS SELECT * FROM chain_blocks")
    await build_anew(intruder)
    leaves = {
        entry_id: row["leaves"][place * 32 : place * 32 + 32]
        for row in await intruder.fetch("SELECT entry_ids, leaves FROM chain_blocks")
        for place, entry_id in enumerate(row["entry_ids"])
    }
    await intruder.execute("TRUNCATE chain_blocks; INSERT INTO chain_blocks SELECT * FROM kept")
    row = await intruder.fetchrow(
        "SELECT *, through_xid::text AS through FROM chain_blocks WHERE number = $1", number
    )
    assert row is not None
    block = Block(
        row["tenant"],
        row["number"],
        row["form"],
        row["first_position"],
        int(row["through"]),
        row["previous_hash"] if number > 1 else GENESIS,
        tuple(row["entry_ids"]),
        b"".join(leaves[entry_id] for entry_id in row["entry_ids"]),
        row["built_at"],
    )
    await intruder.execute(
        "UPDATE chain_blocks SET leaves = $2, block_hash = $3 WHERE number = $1",
        *(number, block.leaves, block_hash(block)),
    )
