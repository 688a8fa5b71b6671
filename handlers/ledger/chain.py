"""What the hash chain hashes: the canonical bytes of an entry with its lines, and of a block.

An entry is one JSON document, an array of its header and then of its lines, as PostgreSQL's `json_build_array` and
Python's `json` both write it: `[["acme", 17, ...], [1, 3, ...], [2, 9, ...]]`, UTF-8, ", " between members. JSON quotes
texts, so no two entries have the same bytes. A line names its account in full: a renamed account changes every entry
that used it. docs/proof.md shows one.

What else was said of an entry when it was posted, its particulars, is hashed by itself, one hash for each kind that it
has: an array of kind, tenant and entry, and then of the rows: `[["references", "acme", 17], ["invoice", "R-1"]]`. So
entries without any cost nothing, and a change is called by its name.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from json import JSONEncoder
from typing import TYPE_CHECKING, Any, Final

from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FORM: Final = 2
"""Of the canonical bytes. Other fields are another form: a block says its own."""

FORMS: Final = (1, 2)
"""That can be verified. In form 1 a block knows no particulars of its entries."""

PARTICULARS_SINCE: Final = 2
"""The form from which on a block has them."""

HEADER: Final = (
    "tenant",
    "entry_id",
    "rule",
    "object_type",
    "object_id",
    "source",
    "event_id",
    "legs",
    "effective_at",
    "posted_at",
    "xid",
)
"""Fields of an entry's header, in order; times are microseconds since 1970, `xid` is text."""

LINE: Final = (
    "line",
    "account_id",
    "account_tenant",
    "code",
    "owner",
    "account_currency",
    "type",
    "direction",
    "amount_minor",
    "currency",
)
"""Fields of a line, in order; from `account_tenant` to `type` they are its account's."""

PARTICULARS: Final = {
    "link": ("object_id", "rule", "kind", "linked_entry_id", "root_entry_id"),
    "origin": ("origin_effective_at", "period"),
    "references": ("name", "value"),
}
"""Kinds of particulars, and the fields of a row in order: what it reverses or replaces; when it happened, if that was
in a closed period; what others call it. Rows are in the order of these fields, texts by code point."""

HASH_BYTES: Final = 32
GENESIS: Final = bytes(HASH_BYTES)
"""What the first block follows."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_encode: Final = JSONEncoder(ensure_ascii=False).encode


@value
class Block:
    """Consecutive entries of one tenant. The first has position 1 in the chain; `leaves` are 32 bytes an entry.

    `particular_leaves` are 32 bytes for each particular: of entry `particular_ids`, and the kind at the same place.
    """

    tenant: str
    number: int
    form: int
    first_position: int
    through_xid: int
    previous_hash: bytes
    entry_ids: tuple[int, ...]
    leaves: bytes
    built_at: datetime
    particular_ids: tuple[int, ...] = ()
    particular_kinds: tuple[str, ...] = ()
    particular_leaves: bytes = b""

    @property
    def last_position(self) -> int:
        """Of its last entry."""
        return self.first_position + len(self.entry_ids) - 1


def microseconds(at: datetime) -> int:
    """Since 1970, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def entry_bytes(header: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> bytes:
    """An entry as it is hashed. `header` and `lines` have the fields of HEADER and LINE, times as datetimes."""
    head = [header[name] for name in HEADER]
    head[8], head[9] = microseconds(head[8]), microseconds(head[9])
    return _encode([head, *([line[name] for name in LINE] for line in lines)]).encode()


def leaf(header: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]) -> bytes:
    """The SHA-256 of an entry, as blocks keep it."""
    return sha256(entry_bytes(header, lines)).digest()


def particular_bytes(kind: str, tenant: str, entry_id: int, rows: Iterable[Mapping[str, Any]]) -> bytes:
    """All particulars of a kind that an entry has, as they are hashed. `rows` have the fields of the kind."""
    told = [
        [
            microseconds(row[name]) if name == "origin_effective_at" else row[name]
            for name in PARTICULARS[kind]
        ]
        for row in rows
    ]
    return _encode([[kind, tenant, entry_id], *sorted(told)]).encode()


def particular_leaf(kind: str, tenant: str, entry_id: int, rows: Iterable[Mapping[str, Any]]) -> bytes:
    """The SHA-256 of an entry's particulars of a kind, as blocks keep it."""
    return sha256(particular_bytes(kind, tenant, entry_id, rows)).digest()


def block_hash(block: Block) -> bytes:
    """The SHA-256 of a block: of everything in it, and of the hash of the block before."""
    header: list[object] = [
        "counterfoil.block",
        block.form,
        block.tenant,
        block.number,
        block.first_position,
        block.last_position,
        block.through_xid,
        block.previous_hash.hex(),
        microseconds(block.built_at),
    ]
    parts = [_ids(block.entry_ids), block.leaves]
    if block.form >= PARTICULARS_SINCE:
        header.append(block.particular_kinds)
        parts += [_ids(block.particular_ids), block.particular_leaves]
    return sha256(b"".join((_encode(header).encode(), b"\n", *parts))).digest()


def _ids(ids: tuple[int, ...]) -> bytes:
    return struct.pack(f">{len(ids)}q", *ids)


def signed_block(digest: bytes) -> bytes:
    """What a block's signature signs; nothing else that we sign begins like this."""
    return b"counterfoil.block.signature:" + digest
