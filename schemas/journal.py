"""Manual journals, reversals and conversions: commands on `ledger.commands`, and `journal.<state>.v1` out.

Key of the commands: tenant + journal. All three are proposed by one person and approved by another; then they post at
once, whole or not at all. A journal of many legs comes in numbered parts, each a message within the size limit.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, model_validator

from schemas.actor import Actor
from schemas.envelope import Command, Data, Identifier, Message, Timestamp
from schemas.ledger import Side
from schemas.money import AmountMinor, CurrencyCode, Money, PositiveMinor, Rounding
from schemas.safe_text import Metadata, SafeName, SafeText
from schemas.value import message

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

MAX_LEGS: Final = 10_000
"""Of one journal, in all its parts."""
MAX_PARTS: Final = 50

Note = Annotated[SafeText, Field(min_length=1)]
Rate = Annotated[
    str,
    Field(
        pattern=r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,18})?$",
        description="exact decimal text: units of the bought currency for one of the sold",
    ),
]


class LegData(Data):
    """One leg; `account` is a code of the chart that manual journals may post to."""

    side: Side
    account: Identifier
    owner: SafeName
    amount_minor: PositiveMinor
    currency: CurrencyCode


Legs = Annotated[tuple[LegData, ...], Field(max_length=3_000, strict=False)]
"""Of one message, which has a limit in bytes, too."""


class EntryName(Data):
    """A journal entry, by what it was posted for: the `number`-th entry of the object, from 1, as they were posted."""

    object_id: Identifier
    number: Annotated[int, Field(ge=1, le=100_000)]


class JournalCommand(Command):
    """Base: `journal_id` is the caller's name for the journal, one in a tenant."""

    journal_id: SafeName
    actor: Actor

    def ordering_key(self) -> str:
        """The journal."""
        return self.journal_id


class JournalProposedData(JournalCommand):
    """Propose a journal, balanced in each currency. In several currencies it must go through `trading` in each.

    With `parts` above 1 these legs are the first part, and it stands open until the others have come.
    """

    reason: Note
    effective_at: Timestamp
    references: Metadata = Field(default_factory=dict)
    legs: Legs = Field(min_length=1)
    parts: Annotated[int, Field(ge=1, le=MAX_PARTS)] = 1


class JournalPartAddedData(JournalCommand):
    """Part `part` of a journal that was proposed in several."""

    part: Annotated[int, Field(ge=2, le=MAX_PARTS)]
    legs: Legs = Field(min_length=1)


class ReversedLineData(Data):
    """How much of a line to reverse."""

    line: Annotated[int, Field(ge=1, le=MAX_LEGS)]
    amount_minor: PositiveMinor


Names = Annotated[dict[Identifier, SafeName], Field(max_length=20)]
Amounts = Annotated[dict[Identifier, AmountMinor], Field(max_length=20)]


class RepostData(Data):
    """Book it anew by a posting rule as it is now (docs/ledger.md). `owners` and `amounts_minor` by the rule's names.

    What the old entry shows on the same side of the same account need not be named.
    """

    rule: Identifier
    owners: Names = Field(default_factory=dict)
    amounts_minor: Amounts = Field(default_factory=dict)


class ReversalProposedData(JournalCommand):
    """Propose to reverse an entry: of each line what is named, or, without `lines`, all that is left of it.

    What should have been posted instead is named by its `legs`, or by a rule to `repost` it by; it posts with the
    reversal, in one group with the old entry.
    """

    entry: EntryName
    lines: (
        Annotated[tuple[ReversedLineData, ...], Field(min_length=1, max_length=3_000, strict=False)] | None
    ) = None
    effective: Literal["today", "original"]
    legs: Legs = ()
    repost: RepostData | None = None
    reason: Note
    references: Metadata = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_way(self) -> ReversalProposedData:
        if self.legs and self.repost is not None:
            msg = "legs, repost: what should have been posted is named by one of them"
            raise ValueError(msg)
        return self


class PlaceData(Data):
    """An account in whatever currency."""

    account: Identifier
    owner: SafeName


class ConversionProposedData(JournalCommand):
    """Propose to sell `sold` from one account for `currency` in another, through the trading accounts of both.

    `bought_minor` is what really arrived, where that is known: what differs from the rate is a rounding difference in
    an account of its own, and refused beyond a few minor units.
    """

    sold: Money
    sold_from: PlaceData
    currency: CurrencyCode
    bought_into: PlaceData
    rate: Rate
    rate_source: SafeName
    rate_at: Timestamp
    rounding: Rounding = Field(strict=False)
    bought_minor: PositiveMinor | None = None
    effective_at: Timestamp
    reason: Note
    references: Metadata = Field(default_factory=dict)

    @property
    def exact_rate(self) -> Decimal:
        """The rate as a number."""
        return Decimal(self.rate)


class JournalApprovedData(JournalCommand):
    """Approve a journal, by somebody else than who proposed it. Whoever approves a reversal names the entry, too."""

    reverses: EntryName | None = None
    note: Note


class JournalRefusedData(JournalCommand):
    """Decide against a journal; also who proposed it may, to withdraw it."""

    note: Note


class JournalProposed(Message):
    """ledger.journal_proposed.v1."""

    type: Literal["ledger.journal_proposed.v1"]
    data: JournalProposedData


class JournalPartAdded(Message):
    """ledger.journal_part_added.v1."""

    type: Literal["ledger.journal_part_added.v1"]
    data: JournalPartAddedData


class ReversalProposed(Message):
    """ledger.reversal_proposed.v1."""

    type: Literal["ledger.reversal_proposed.v1"]
    data: ReversalProposedData


class ConversionProposed(Message):
    """ledger.conversion_proposed.v1."""

    type: Literal["ledger.conversion_proposed.v1"]
    data: ConversionProposedData


class JournalApproved(Message):
    """ledger.journal_approved.v1."""

    type: Literal["ledger.journal_approved.v1"]
    data: JournalApprovedData


class JournalRefused(Message):
    """ledger.journal_refused.v1."""

    type: Literal["ledger.journal_refused.v1"]
    data: JournalRefusedData


JournalMessage = (
    JournalProposed
    | JournalPartAdded
    | ReversalProposed
    | ConversionProposed
    | JournalApproved
    | JournalRefused
)
"""A part of the union of `ledger.commands`."""

JOURNAL_EVENT_TYPES: Final = tuple(
    f"journal.{state}.v1" for state in ("collecting", "proposed", "posted", "refused", "lapsed")
)


@message
class JournalChanged:
    """The journal as it is after the change: `journal.<state>.v1`. Its entries are in `ledger.entries` under its id."""

    journal_uuid: UUID
    journal_id: str
    kind: str
    state: str
    version: int
    legs: int
    totals_minor: dict[str, int]
    reason: str | None
    note: str
    effective_at: datetime | None
    needs_approval_of: str
    proposed_by: str
    decided_by: str | None
    reverses_object: str | None
    reverses_number: int | None
    act_by: datetime
    proposed_at: datetime
    references: Mapping[str, str]
