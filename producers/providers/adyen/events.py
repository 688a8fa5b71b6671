"""What the items of Adyen's standard webhooks mean: https://docs.adyen.com/development-resources/webhooks/webhook-types.

Only some fields of an item are signed: its references, amount, event code and success. What moves money is read from
those alone; a date, a reason and the additional data only say more about it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.webhook import DisputeStage, DisputeStatus

PaymentStatus: TypeAlias = Literal[
    "requires_action", "pending", "authorized", "captured", "failed", "canceled"
]
RefundStatus: TypeAlias = Literal["pending", "succeeded", "failed", "canceled"]


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """What an event says about a payment."""

    status: PaymentStatus
    reason: Reason | None = None
    """None: read from the item's words, when the payment failed."""
    authorizes: bool = False
    """Whether the item's amount is what is authorized in all."""
    modifies: bool = False
    """Whether it is about a modification, and so has to name the payment as `originalReference`."""


PAYMENTS: Final[Mapping[tuple[str, bool], PaymentEvent]] = {
    # (eventCode, success) -> where the payment stands
    ("AUTHORISATION", True): PaymentEvent("authorized", authorizes=True),
    ("AUTHORISATION", False): PaymentEvent("failed"),
    ("PENDING", True): PaymentEvent("pending"),
    ("OFFER_CLOSED", True): PaymentEvent("failed", Reason.CHALLENGE_ABANDONED),
    ("AUTHORISATION_ADJUSTMENT", True): PaymentEvent("authorized", authorizes=True, modifies=True),
    ("EXPIRE", True): PaymentEvent("canceled", Reason.AUTHORIZATION_EXPIRED),
    ("CANCELLATION", True): PaymentEvent("canceled", modifies=True),
    ("TECHNICAL_CANCEL", True): PaymentEvent("canceled", modifies=True),
    ("CAPTURE", True): PaymentEvent("captured", modifies=True),
    ("CAPTURE_FAILED", True): PaymentEvent("failed", Reason.RETURNED_BY_BANK, modifies=True),
    # what was asked for did not come about: the hold is as it was
    ("AUTHORISATION_ADJUSTMENT", False): PaymentEvent(
        "authorized", Reason.PROCESSING_DECLINED, modifies=True
    ),
    ("CANCELLATION", False): PaymentEvent("authorized", Reason.PROVIDER_REFUSED_REQUEST, modifies=True),
    ("CAPTURE", False): PaymentEvent("authorized", Reason.PROCESSING_DECLINED, modifies=True),
}

REFUNDS: Final[Mapping[tuple[str, bool], tuple[RefundStatus, Reason | None]]] = {
    # (eventCode, success) -> where the refund stands, and why
    ("POSTPONED_REFUND", True): ("pending", None),
    ("REFUND", True): ("succeeded", None),
    ("REFUND", False): ("failed", Reason.REFUND_DECLINED),
    ("REFUND_WITH_DATA", True): ("succeeded", None),
    ("REFUND_WITH_DATA", False): ("failed", Reason.REFUND_DECLINED),
    ("REFUND_FAILED", True): ("failed", Reason.REFUND_RETURNED),
    ("REFUNDED_REVERSED", True): ("failed", Reason.REFUND_RETURNED),
}


@dataclass(frozen=True, slots=True)
class DisputeEvent:
    """What an event says about a dispute."""

    stage: DisputeStage
    status: DisputeStatus
    taken: bool
    """Whether Adyen holds the disputed amount now."""
    told: Mapping[str, DisputeStatus] = field(default_factory=dict)
    """`disputeStatus` of the additional data -> a finer status, under which the same money is where it is."""


DISPUTES: Final[Mapping[str, DisputeEvent]] = {
    # eventCode -> where the dispute stands
    "REQUEST_FOR_INFORMATION": DisputeEvent(
        "inquiry",
        "needs_response",
        taken=False,
        told={"Responded": "under_review", "Expired": "expired"},
    ),
    "NOTIFICATION_OF_CHARGEBACK": DisputeEvent(
        "chargeback", "needs_response", taken=False, told={"Pending": "under_review"}
    ),
    "CHARGEBACK": DisputeEvent(
        "chargeback",
        "needs_response",
        taken=True,
        told={"Pending": "under_review", "Accepted": "accepted", "Expired": "expired", "Lost": "lost"},
    ),
    "DISPUTE_DEFENSE_PERIOD_ENDED": DisputeEvent("chargeback", "expired", taken=True, told={"Lost": "lost"}),
    "CHARGEBACK_REVERSED": DisputeEvent("chargeback", "won", taken=False, told={"Pending": "under_review"}),
    "ISSUER_RESPONSE_TIMEFRAME_EXPIRED": DisputeEvent("chargeback", "won", taken=False),
    "SECOND_CHARGEBACK": DisputeEvent("second_chargeback", "lost", taken=True),
    "PREARBITRATION_WON": DisputeEvent("second_chargeback", "won", taken=False),
    "PREARBITRATION_LOST": DisputeEvent("second_chargeback", "lost", taken=True),
}
"""All with success; and an item that names no payment (`originalReference`) is not of use: Adyen sends it once the
account is set to. INFORMATION_SUPPLIED and ISSUER_COMMENTS do not say who holds the money, and are left alone."""
