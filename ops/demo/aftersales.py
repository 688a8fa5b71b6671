"""What a shop and its people say about an order after it is paid: refunds, approvals, answers to disputes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from ops.demo.merchants import worth_minor
from ops.demo.orders import DISPUTE_REFERENCE, Cue, Order, Step

SHOP: Final = {"id": "returns-portal", "role": "system"}
SUPPORT: Final = {"id": "kim", "role": "support"}
COLLEAGUE: Final = {"id": "sam", "role": "support"}
PROMOTED: Final = {"id": "kim", "role": "manager"}
"""Who asked for it as support, and now has another hat on."""
MANAGER: Final = {"id": "maya", "role": "manager"}
FINANCE: Final = {"id": "fritz", "role": "finance"}

LIMITS_EUROS: Final[tuple[tuple[str, int, str | None], ...]] = (
    ("system", 30, None),
    ("support", 50, None),
    ("support", 300, "manager"),
    ("support", 1_500, "finance"),
    ("manager", 1_000, None),
    ("manager", 10_000, "finance"),
    ("finance", 100_000, None),
)
"""Who may give back how much, and who must approve it; in every currency what is worth about so much."""
PER_CUSTOMER: Final = {"subject": "customer", "days": 30, "at_most": 4}
IN_FORCE: Final = "2020-01-01T00:00:00Z"
KEYS_OF_THE_DAY: Final = 100
"""More idempotency keys than an order used up while it was paid."""

PAID: Final = Cue("payment.succeeded.v1")
HELD: Final = Cue("payment.authorized.v1")
DEBIT_FAILED: Final = Cue("payment.requires_payment_method.v1")
PARTLY_REFUNDED: Final = Cue("payment.partially_refunded.v1")
DISPUTED_NOW: Final = Cue("payment.partially_refunded.v1", "dispute")
TO_APPROVE: Final = Cue("refund.pending_approval.v1")
TO_HAND_OUT: Final = Cue("refund.submitted.v1")
REFUND_FAILED: Final = Cue("refund.failed.v1")
INQUIRY: Final = Cue("dispute.inquiry.v1")
INQUIRY_ESCALATED: Final = Cue("dispute.inquiry.v1", "escalate")
DISPUTED: Final = Cue("dispute.opened.v1")
REMINDED: Final = Cue("dispute.evidence_due.v1")
WON: Final = Cue("dispute.won.v1")
WON_AND_ESCALATED: Final = Cue("dispute.won.v1", "escalate")


def policy(currencies: tuple[str, ...], fees: str) -> dict[str, Any]:
    """A tenant's refund policy; `fees`: whether the platform keeps its fee."""
    return {
        "version": 1,
        "effective_from": IN_FORCE,
        "limits": [
            {"role": role, "currency": currency, "at_most_minor": worth_minor(euros, currency)}
            | ({"with_approval_of": approver} if approver else {})
            for currency in currencies
            for role, euros, approver in LIMITS_EUROS
        ],
        "velocity": [PER_CUSTOMER],
        "service_credit": True,
        "fees": fees,
    }


@dataclass(slots=True)
class Aftersale(Order):
    """An order with what may follow it. Amounts in euros are about that much in the order's currency."""

    _refunds: int = field(default=0)
    _papers: int = field(default=0)

    def __post_init__(self) -> None:
        Order.__post_init__(self)
        self._keys = KEYS_OF_THE_DAY

    def minor(self, euros: int) -> int:
        """About so many euros, in minor units of the order's currency."""
        return worth_minor(euros, self.currency)

    def debit(self, token: str) -> Step:
        """Pay by bank debit."""
        last4 = f"{self.random.randrange(10_000):04d}"
        method = {"type": "bank_debit", "token": token, "last4": last4}
        data = self._basket() | {"payment_method": method, "confirm": True}
        return self._command("payment_requested", data, 0)

    def increase(self, euros: int) -> Step:
        """Something is added to the order."""
        data = {"order_id": self.order_id, "amount_minor": self.amount_minor + self.minor(euros)}
        return self._command("authorization_increase_requested", data, 600, HELD)

    def refund(
        self,
        actor: dict[str, str],
        amount_minor: int | None = None,
        cue: Cue | None = None,
        *,
        cause: str = "requested_by_customer",
        destination: str = "original_method",
        again: bool = False,
    ) -> Step:
        """Ask for money back, all that is left without an amount; `again`: under the name of the refund before."""
        self._refunds += not again
        data: dict[str, Any] = {
            "order_id": self.order_id,
            "refund_id": self._refund_id,
            "cause": cause,
            "destination": destination,
            "actor": actor,
        }
        if self.customer_id is not None:
            data["customer_id"] = self.customer_id
        if amount_minor is not None:
            data["amount_minor"] = amount_minor
        return self._command("refund_requested", data, 3600, cue)

    def approve(self, actor: dict[str, str], cue: Cue | None = TO_APPROVE) -> Step:
        """Agree to the last refund."""
        return self._decide("refund_approved", actor, "the goods are back", cue)

    def disapprove(self, actor: dict[str, str], cue: Cue | None = TO_APPROVE) -> Step:
        """Decide against the last refund."""
        return self._decide("refund_disapproved", actor, "the goods are not back", cue)

    def withdraw(self, actor: dict[str, str]) -> Step:
        """Think better of the last refund."""
        return self._decide("refund_canceled", actor, "the customer keeps it", TO_APPROVE)

    def hand_out(self, *, handed_out: bool) -> Step:
        """The money went back over the counter, or nobody came for it."""
        data = {
            "order_id": self.order_id,
            "refund_id": self._refund_id,
            "handed_out": handed_out,
            "actor": COLLEAGUE,
        }
        return self._fact("refund_recorded", data, 3600, TO_HAND_OUT)

    def sent_off(self, cue: Cue | None = None) -> Step:
        """A shipment, for the evidence of a dispute that may come."""
        self._papers += 1
        data = {
            "order_id": self.order_id,
            "kind": "shipment",
            "reference": f"parcel-{self.order_id}-{self._papers}",
            "occurred_at": "2026-03-06T18:00:00Z",
            "carrier": "Parcel Post",
        }
        return self._command("shipment_recorded", data, 600, cue)

    def prove(self, cue: Cue | None, *, convincing: bool = True) -> Step:
        """Answer the dispute; what does not convince the provider's bank says so in its words."""
        said = (
            "signed for at the door" if convincing else "no record of the parcel was found (losing_evidence)"
        )
        fields = {"product_description": "A parcel of goods.", "shipping_documentation": said}
        return self._of_dispute("evidence_submitted", {"actor": SUPPORT, "fields": fields}, cue)

    def give_in(self, cue: Cue | None) -> Step:
        """Accept the dispute."""
        return self._of_dispute("dispute_accepted", {"actor": MANAGER, "note": "not worth it"}, cue)

    @property
    def _refund_id(self) -> str:
        return f"refund-{self._refunds}"

    def _decide(self, name: str, actor: dict[str, str], note: str, cue: Cue | None) -> Step:
        data = {"order_id": self.order_id, "refund_id": self._refund_id, "actor": actor, "note": note}
        return self._command(name, data, 1800, cue)

    def _of_dispute(self, name: str, data: dict[str, Any], cue: Cue | None) -> Step:
        about = {"order_id": self.order_id, "dispute_reference": DISPUTE_REFERENCE.decode()}
        return self._command(name, about | data, 86_400, cue)
