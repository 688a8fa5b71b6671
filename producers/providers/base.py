"""The narrow interface behind which every payment provider lives.

A provider is asked two things: *do this* (`execute`) and *what became of this* (`query`). Both answer with
one of a closed set of values, because what may happen next depends on one question: **did money move?**

    Succeeded, Declined, ChallengeRequired    the provider decided, and we know what
    Pending                                   the provider took it on; a webhook or a later reading says how it ended
    Refused                                   our request was wrong; certainly nothing happened
    Transient                                 the request took no effect; the same call may be sent again
    Ambiguous                                 nobody knows: ask, wait for a webhook or report, never guess
    NotFound                                  (`query` only) no request of this call took effect

No method raises for anything the provider or the network does; an exception means a bug of ours.
The reasons for this shape are in docs/adr/0004-provider-interface.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

Operation: TypeAlias = Literal[
    "authorize",
    "increase",
    "capture",
    "void",
    "confirm",
    "refund",
    "confirm_refund",
    "submit_evidence",
    "accept_dispute",
]
"""What a provider can be asked to do.

`increase` raises an authorization to a new total. `confirm` reads what became of an authorization after a challenge
or while it was pending, `confirm_refund` what became of a refund; both have no effect.
"""

READINGS: Final[frozenset[Operation]] = frozenset({"confirm", "confirm_refund"})
"""Operations that only read: whatever becomes of the request, asking again does no harm."""
MOVES_AMOUNT: Final[frozenset[Operation]] = frozenset({"authorize", "increase", "capture", "refund"})
ABOUT_OBJECT: Final[frozenset[Operation]] = frozenset({"confirm_refund", "submit_evidence", "accept_dispute"})
"""Operations on something other than the authorization: a refund or a dispute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRequest:
    """One call to a provider, complete in itself, so that its stored row can repeat it after a crash.

    Raises `ValueError` when the fields do not fit the operation: only a bug can build such a call.
    """

    call_id: UUID
    """Identity of the call and the provider's idempotency key: a repeat with the same id has one effect."""
    tenant: str
    operation: Operation
    amount_minor: int
    """To authorize, capture or refund, or the new total of an `increase`, in minor units of `currency`.

    Not looked at by the other operations.
    """
    currency: str
    """ISO 4217 alphabetic code."""
    order_id: str
    """Sent as the merchant's reference, so that a person finds the order in the provider's console."""
    method_type: str | None = None
    """Kind of payment method, for example `card`; for `authorize`."""
    token: str | None = field(default=None, repr=False)
    """The provider's token of the customer's payment method; for `authorize`. Never logged."""
    provider_reference: str | None = None
    """The authorization's id at the provider; for every operation but `authorize`."""
    object_reference: str | None = None
    """The refund's or the dispute's id at the provider; for the operations on those."""
    object_id: UUID | None = None
    """Our refund's id; for `refund`. Sent as metadata, so that a webhook about it names it."""
    evidence: Mapping[str, str] = field(default_factory=dict)
    """`submit_evidence`: field -> text, by the names of schemas/dispute.py."""
    capture: bool = False
    """`authorize`: capture the whole amount at once."""
    final: bool = True
    """`capture`: release what remains uncaptured, no further capture follows."""

    def __post_init__(self) -> None:
        if self.operation == "authorize":
            if not self.method_type or not self.token:
                msg = "authorize needs a method_type and a token"
                raise ValueError(msg)
        elif not self.provider_reference:
            msg = f"{self.operation} needs the provider_reference of an authorization"
            raise ValueError(msg)
        if self.operation in ABOUT_OBJECT and not self.object_reference:
            msg = f"{self.operation} needs the object_reference of a refund or dispute"
            raise ValueError(msg)
        if self.operation in MOVES_AMOUNT and self.amount_minor <= 0:
            msg = f"{self.operation} needs a positive amount_minor, not {self.amount_minor}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The provider did what was asked."""

    provider_reference: str
    """The id of what the call was about: of the refund or the dispute for operations on those, else the
    authorization's, also when it was a capture: one payment keeps one reference."""
    amount_minor: int
    """What this operation authorized, captured, released or refunded; for an `increase` the new total."""
    captured: bool
    """Whether the amount was captured, and not merely held or released."""
    raw: bytes
    """The provider's answer, verbatim (law 8)."""


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider, the network or the issuer said no. A new attempt is a new call."""

    reason_code: str
    """Our reason, a member of the reason enum."""
    provider_code: str
    """The provider's own code, for a person who looks it up."""
    raw: bytes


@dataclass(frozen=True, slots=True)
class ChallengeRequired:
    """The customer must act first (3-D Secure); afterwards ask with a `confirm` call."""

    provider_reference: str
    redirect_url: str
    """Where the customer is to be sent."""
    raw: bytes


@dataclass(frozen=True, slots=True)
class Pending:
    """The provider took it on and decides later: a bank debit, a refund that waits for funds.

    No money has moved for certain. A webhook will say how it ended; `confirm` or `confirm_refund` asks.
    """

    provider_reference: str
    """As in `Succeeded`."""
    raw: bytes


@dataclass(frozen=True, slots=True)
class Transient:
    """The request certainly took no effect: it never left, or the provider turned it away unread."""

    detail: str
    retry_after_ms: int | None = None
    """How long the provider asked us to wait, if it did."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """The request may have taken effect. Neither success nor failure may be assumed."""

    detail: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """No request with this call's id has taken effect so far.

    One that is still on its way may yet arrive, so what follows is the same call with the same id, never a
    new one.
    """


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider would not process the request: wrong data, wrong state or wrong credentials. No effect."""

    detail: str
    raw: bytes


ProviderAnswer: TypeAlias = (
    Succeeded | Declined | ChallengeRequired | Pending | Transient | Ambiguous | NotFound | Refused
)
"""Everything that `execute` and `query` can say; match on the class, and mypy proves that none is missing."""


class Provider(Protocol):
    """One account at one payment provider. Safe for concurrent use within one event loop."""

    async def execute(self, call: ProviderRequest) -> ProviderAnswer:
        """Carry out the call once, however often it is repeated with the same `call_id`.

        Never answers `NotFound`. What only reads (READINGS) fails as `Transient`, never as `Ambiguous`.
        """
        ...

    async def query(self, call: ProviderRequest) -> ProviderAnswer:
        """Ask what became of an earlier `execute` of the same call; this has no effect at the provider.

        The answer speaks of that call, not of the question: when the question itself fails, for whatever
        cause, the call's outcome stays `Ambiguous`. Never `Transient`, except for what only reads (READINGS):
        that has no outcome of its own and is simply read anew.
        """
        ...

    async def aclose(self) -> None:
        """Release the connections. No method may be called afterwards."""
        ...
