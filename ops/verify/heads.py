"""Exported heads: a small file to be kept where no administrator of the database can reach it.

Each names a tenant's last block by its hash, and so all history up to it. A chain that was built anew, by whomever, has
other hashes; one that was cut off has no such block.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from db.queries import chain as sql
from producers.chain.keys import is_signed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from db.connection import Connection
    from handlers.ledger.chain import Block
    from ops.verify.verdict import Verdict
    from producers.chain.keys import Signer

FORMAT: Final = "counterfoil.heads.1"
MAX_FILE_BYTES: Final = 64 * 2**20
"""Room for a quarter of a million tenants."""

_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class HeadsUnusableError(ValueError):
    """A file of heads cannot be read, or is not signed by a key that is believed."""


class Head(BaseModel):
    """The end of one tenant's chain. `position` is how many entries the chain had, `last_entry_id` the last one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tenant: str
    block: Annotated[int, Field(ge=1)]
    position: Annotated[int, Field(ge=1)]
    last_entry_id: int
    block_hash: _Hash
    built_at: datetime


class Heads(BaseModel):
    """The file. `signature` (base64) is over all of it but itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["counterfoil.heads.1"]
    exported_at: datetime
    heads: tuple[Head, ...]
    key_id: str | None
    signature: str | None = None

    def signed_bytes(self) -> bytes:
        """What the signature signs."""
        return self.model_dump_json(exclude={"signature"}).encode()


async def export_heads(connection: Connection, tenant: str | None, signer: Signer | None) -> Heads:
    """The heads of all tenants, or of one, as they are now; signed when there is a key."""
    heads = tuple(
        Head(
            tenant=row["tenant"],
            block=row["number"],
            position=row["last_position"],
            last_entry_id=row["last_entry_id"],
            block_hash=row["block_hash"].hex(),
            built_at=row["built_at"],
        )
        for row in await sql.heads(connection, tenant=tenant)
    )
    made = Heads(
        format=FORMAT, exported_at=datetime.now(UTC), heads=heads, key_id=signer.key_id if signer else None
    )
    if signer is None:
        return made
    return made.model_copy(update={"signature": base64.b64encode(signer.sign(made.signed_bytes())).decode()})


def read_heads(raw: bytes, keys: Mapping[str, Ed25519PublicKey]) -> Heads:
    """Heads as exported. With `keys`, only what one of them signed is believed.

    Raises:
        HeadsUnusableError: it is no such file, or not signed.
    """
    if len(raw) > MAX_FILE_BYTES:
        raise HeadsUnusableError(f"{len(raw)} bytes, the limit is {MAX_FILE_BYTES}")
    try:
        heads = Heads.model_validate_json(raw)
        signature = base64.b64decode(heads.signature, validate=True) if heads.signature else None
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, problem["loc"])) or "file"
        raise HeadsUnusableError(f"{place}: {problem['msg']}") from None
    except ValueError:
        raise HeadsUnusableError("signature: not base64") from None
    if keys and not is_signed(keys, heads.key_id, signature, heads.signed_bytes()):
        raise HeadsUnusableError(f"not signed by a key that is believed (key {heads.key_id or 'none'})")
    return heads


class Expected:
    """The heads that a walk has still to meet; of one tenant there may be several, from different days."""

    def __init__(self, heads: Iterable[Head]) -> None:
        self._open: dict[tuple[str, int], list[Head]] = {}
        for head in heads:
            self._open.setdefault((head.tenant, head.block), []).append(head)

    def met(self, block: Block, digest: bytes, verdict: Verdict) -> None:
        """Compare a block that the walk came to; `digest` is what its content says."""
        for head in self._open.pop((block.tenant, block.number), ()):
            if digest.hex() != head.block_hash:
                told = (
                    f"block {block.number} of {block.tenant} is not the one that was exported: history up to entry "
                    f"{head.last_entry_id} (position {head.position}) was written anew since {head.built_at:%F %T} UTC"
                )
                verdict.found(block.tenant, told, block=block.number, entry_id=head.last_entry_id)

    def unmet(self, ends: Mapping[str, Block], verdict: Verdict) -> None:
        """Blocks that were exported and are not there."""
        for (tenant, number), heads in sorted(self._open.items()):
            end, head = ends.get(tenant), heads[0]
            now = f"ends at block {end.number}, position {end.last_position}" if end else "is gone"
            told = (
                f"the chain of {tenant} {now}; it was exported with block {number}, up to entry "
                f"{head.last_entry_id} (position {head.position})"
            )
            verdict.found(tenant, told, block=number, entry_id=head.last_entry_id)
