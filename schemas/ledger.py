"""`ledger.entries`: every journal entry as it was posted. Key: tenant + the object it was posted for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from schemas.value import message

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ENTRY_POSTED: Final = "ledger.entry_posted.v1"

Side = Literal["debit", "credit"]


@message
class Leg:
    """A positive amount on one side of one account; `account` is its code in the chart, `owner` whose it is."""

    side: Side
    account: str
    owner: str
    amount_minor: int
    currency: str


@message
class Origin:
    """Of an entry that came late: when it happened, in a `period` that was closed by then."""

    effective_at: datetime
    period: str


@message
class EntryPosted:
    """A balanced journal entry. `effective_at` is when it happened, `posted_at` when we wrote it.

    With an `origin` it happened in a closed period, and is effective from the start of the first open one.
    `references` are external ones, by the caller's names: what a journal or a wallet's command came with.
    """

    entry_id: int
    rule: str
    object_type: str
    object_id: str
    effective_at: datetime
    posted_at: datetime
    legs: tuple[Leg, ...]
    origin: Origin | None = None
    references: Mapping[str, str] | None = None
