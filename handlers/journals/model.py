"""A journal with its lines, an entry in the books as it may be reversed, and what links entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from schemas import ids
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from handlers.journals.states import State
    from schemas.reasons import Reason

JournalKind = Literal["manual", "reversal", "conversion"]


@value
class Journal:
    """A journal; its legs are JournalLines. `object_id` is its identity, `journal_id` the caller's name for it.

    `sums` are by currency and side, as "EUR/debit", and count the legs in trading accounts, as "EUR/trading".
    `part_legs` says how many legs each part brought. `effective_at` is None for what is effective when it is approved.
    `terms` are those of a conversion or a re-posting. `reverses_object` and `reverses_number` name what it reverses.
    """

    tenant: str
    object_id: UUID
    journal_id: str
    kind: str
    state: State
    version: int
    note: str
    effective_at: datetime | None
    external_references: Mapping[str, str]
    parts: int
    part_legs: Mapping[str, int]
    legs: int
    sums: Mapping[str, int]
    terms: Mapping[str, str]
    reverses_object: str | None
    reverses_number: int | None
    needs_approval_of: str
    proposed_by: str
    proposed_role: str
    decided_by: str | None
    reason: Reason | None
    act_by: datetime
    proposed_at: datetime
    updated_at: datetime


@value
class JournalLine:
    """A leg of a journal, as it will be posted. `reverses_line` is the line of the entry that it takes back."""

    tenant: str
    object_id: UUID
    line: int
    side: str
    account: str
    owner: str
    amount_minor: int
    currency: str
    reverses_line: int | None


@value
class BookedLine:
    """A line in the books with its entry's header; `number` counts the entries of the object, from 1."""

    tenant: str
    object_id: str
    number: int
    line: int
    entry_id: int
    object_type: str
    effective_at: datetime
    side: str
    account: str
    owner: str
    amount_minor: int
    currency: str


@value
class Reversal:
    """How much of each line of an entry was reversed. `entry` is its name: `object/number`; by line, as text."""

    tenant: str
    entry: str
    version: int
    entry_id: int
    reversed_minor: Mapping[str, int]
    updated_at: datetime


@value
class EntryLink:
    """The entry that a journal posts by `rule` belongs to another one; the database adds the ids of both ends."""

    tenant: str
    object_id: UUID
    rule: str
    kind: str
    linked_entry_id: int
    entry_id: int | None = None
    root_entry_id: int | None = None


def journal_uuid_of(tenant: str, journal_id: str) -> UUID:
    """The identity of a journal. Derived from its name, so that a name cannot have two."""
    return ids.derived_id(ids.NAMESPACE, f"journal/{tenant}/{journal_id}")


def entry_name(object_id: str, number: int) -> str:
    """The name of an entry; it is the same when history is replayed, which its id is not."""
    return f"{object_id}/{number}"
