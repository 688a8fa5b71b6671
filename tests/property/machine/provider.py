"""A provider in memory: the model of the money. It knows none of our rules, only what it holds, took and gave back.

Like the sandbox provider it keeps idempotency keys, decides what it was asked, and tells what changed by webhooks.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from tests.property.machine.objects import CURRENCY, PROVIDER, Charge, Contested, GivenBack, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from uuid import UUID

    from handlers.decision import Call
    from tests.property.machine.luck import Clock, Luck

Answer = tuple[str, dict[str, Any]]
"""(short type of the message, members of its data)."""

DECLINES: Final = ("insufficient_funds", "do_not_honor", "suspected_fraud", "try_again_later")
DISPUTE_FEE_MINOR: Final = 15
OVERCAPTURE_PERCENT: Final = 15
"""What the network of all these cards, Visa, allows beyond the hold."""


def _declined(reason: str) -> Answer:
    return "call_declined", {"reason": reason, "provider_code": reason}


REFUSED: Final[Answer] = (
    "call_failed",
    {"reason": "provider_refused_request", "detail": "not in this state"},
)


class Provider:
    """All charges, refunds and disputes; `reports` are the webhooks that have not been delivered."""

    def __init__(self, clock: Clock, *, names_calls: bool) -> None:
        """`names_calls`: whether its webhooks say which of our requests they answer; not every provider's do."""
        self.clock = clock
        self.charges: dict[str, Charge] = {}
        self.refunds: dict[str, GivenBack] = {}
        self.disputes: dict[str, Contested] = {}
        self.reports: list[Report] = []
        self.delivered: list[Report] = []
        self._answers: dict[UUID, Answer] = {}
        self._names_calls = names_calls
        self._told = 0
        self._named = 0
        self._operations: dict[str, Callable[[Call, Luck], Answer]] = {
            "authorize": self._authorize,
            "increase": self._increase,
            "capture": self._capture,
            "void": self._void,
            "refund": self._refund,
            "submit_evidence": self._take_evidence,
            "accept_dispute": self._take_acceptance,
        }

    # ---- what we ask of it

    def has(self, call: Call) -> bool:
        """Whether a request with the call's id took effect."""
        return call.call_id in self._answers

    def execute(self, call: Call, luck: Luck) -> Answer:
        """Do what is asked, once for a call id; a reading says how it stands now."""
        if call.operation != "authorize" and not call.provider_reference:
            return REFUSED
        if call.operation == "confirm":
            return self._read(self.charges[call.provider_reference or ""])
        if call.operation == "confirm_refund":
            return self._read_refund(self.refunds[call.object_reference or ""])
        if call.call_id not in self._answers:
            self._answers[call.call_id] = self._operations[call.operation](call, luck)
        return self._answers[call.call_id]

    def _authorize(self, call: Call, luck: Luck) -> Answer:
        charge = Charge(
            self._name("auth"),
            call.order_id,
            call.call_id,
            call.method_type or "",
            call.capture,
            call.amount_minor,
            held_minor=call.amount_minor,
        )
        self.charges[charge.reference] = charge
        if charge.method == "bank_debit":
            charge.status = luck.pick(("pending", "pending", "pending", "declined"))
        else:
            charge.status = luck.pick(("authorized", "authorized", "requires_action", "declined", "pending"))
        if charge.status == "declined":
            charge.reason = luck.pick(DECLINES)
        if charge.status == "authorized" and not charge.capture and luck.one_in(8):
            charge.held_minor = max(1, call.amount_minor // 2)
        if charge.status == "authorized" and charge.capture:
            self._take_whole(charge)
        self._say_charge(charge, call.call_id)
        return self._read(charge)

    def _increase(self, call: Call, luck: Luck) -> Answer:
        charge = self.charges[call.provider_reference or ""]
        if (
            charge.status not in {"authorized", "partially_captured"}
            or call.amount_minor <= charge.held_minor
        ):
            return REFUSED
        if luck.one_in(4):
            return _declined("do_not_honor")
        charge.held_minor = call.amount_minor
        self._say_charge(charge, call.call_id)
        return self._done(charge.reference, call.amount_minor, captured=False)

    def _capture(self, call: Call, luck: Luck) -> Answer:
        charge = self.charges[call.provider_reference or ""]
        most_minor = (
            charge.held_minor + charge.held_minor * OVERCAPTURE_PERCENT // 100 - charge.captured_minor
        )
        if charge.status not in {"authorized", "partially_captured"} or call.amount_minor > most_minor:
            return REFUSED
        if luck.one_in(6):
            return _declined("do_not_honor")
        charge.captured_minor += call.amount_minor
        whole = call.final or charge.captured_minor >= charge.held_minor
        charge.held_minor = max(charge.held_minor, charge.captured_minor)
        charge.status = "captured" if whole else "partially_captured"
        self._say_charge(charge, call.call_id)
        return self._done(charge.reference, call.amount_minor, captured=True)

    def _void(self, call: Call, luck: Luck) -> Answer:
        del luck
        charge = self.charges[call.provider_reference or ""]
        released_minor = charge.held_minor - charge.captured_minor
        if charge.status == "partially_captured":
            charge.status = "captured"  # a network's way to let go of the rest
        elif charge.status in {"authorized", "requires_action", "pending"}:
            charge.status = "voided"
        else:
            return REFUSED
        self._say_charge(charge, call.call_id)
        return self._done(charge.reference, released_minor, captured=False)

    def _refund(self, call: Call, luck: Luck) -> Answer:
        charge = self.charges[call.provider_reference or ""]
        if call.amount_minor > charge.refundable_minor or luck.one_in(6):
            return _declined("refund_declined")
        status = luck.pick(("succeeded", "pending", "succeeded"))
        refund = self._give_back(charge, call.object_id, call.amount_minor, status)
        return self._read_refund(refund)

    def _take_evidence(self, call: Call, luck: Luck) -> Answer:
        dispute = self.disputes[call.object_reference or ""]
        if dispute.status != "needs_response" or luck.one_in(8):
            return REFUSED
        self._move(dispute, status="under_review")
        return self._done(dispute.reference, dispute.amount_minor, captured=False)

    def _take_acceptance(self, call: Call, luck: Luck) -> Answer:
        dispute = self.disputes[call.object_reference or ""]
        if not dispute.is_open or luck.one_in(8):
            return REFUSED
        self._move(dispute, status="accepted")
        return self._done(dispute.reference, dispute.amount_minor, captured=False)

    def _read(self, charge: Charge) -> Answer:
        match charge.status:
            case "authorized":
                return self._done(charge.reference, charge.held_minor, captured=False)
            case "captured" | "partially_captured":
                return self._done(charge.reference, charge.captured_minor, captured=True)
            case "requires_action":
                url = "https://bank.example/3ds"
                return "challenge_required", {"provider_reference": charge.reference, "redirect_url": url}
            case "pending":
                return "call_pending", {"provider_reference": charge.reference}
            case "declined" | "returned":
                return _declined(charge.reason or "do_not_honor")
            case _:
                return REFUSED

    def _read_refund(self, refund: GivenBack) -> Answer:
        if refund.status == "succeeded":
            return self._done(refund.reference, refund.amount_minor, captured=False)
        if refund.status == "pending":
            return "call_pending", {"provider_reference": refund.reference}
        return _declined("account_closed")

    @staticmethod
    def _done(reference: str, amount_minor: int, *, captured: bool) -> Answer:
        done = {"provider_reference": reference, "amount_minor": amount_minor, "captured": captured}
        return "call_succeeded", done

    # ---- what happens there by itself

    def decide(self, charge: Charge, refusal: str | None) -> None:
        """The customer authenticates, the bank decides: yes, or no for a reason.

        A customer who failed may try the same charge once more.
        """
        charge.status, charge.reason = ("declined", refusal) if refusal else ("authorized", None)
        if refusal is None and charge.capture:
            self._take_whole(charge)
        self._say_charge(charge)

    def return_debit(self, charge: Charge) -> None:
        """The bank takes back what is left of a debit."""
        charge.returned_minor = charge.refundable_minor
        charge.status, charge.reason = "returned", "account_closed"
        self._say_charge(charge)

    def expire(self, charge: Charge) -> None:
        """The network lets go of a hold."""
        charge.status = "captured" if charge.captured_minor else "expired"
        charge.reason = None if charge.captured_minor else "authorization_expired"
        self._say_charge(charge)

    def void_by_hand(self, charge: Charge) -> None:
        """Somebody lets go of it in the console."""
        charge.status = "voided"
        self._say_charge(charge)

    def capture_by_hand(self, charge: Charge) -> None:
        """Somebody captures all of it in the console."""
        self._take_whole(charge)
        self._say_charge(charge)

    def refund_by_hand(self, charge: Charge, amount_minor: int, status: str) -> None:
        """Somebody gives money back in the console."""
        self._give_back(charge, None, amount_minor, status)

    def end_refund(self, refund: GivenBack, *, paid: bool) -> None:
        """A refund that was pending ends, or one that had arrived comes back."""
        refund.status = "succeeded" if paid else "failed"
        refund.ever_succeeded |= paid
        if not paid:
            refund.charge.refunded_minor -= refund.amount_minor
        self._say("refund_reported", refund.told())

    def dispute(self, charge: Charge, amount_minor: int, *, inquiry: bool) -> None:
        """The customer complains at the bank."""
        self.clock.tick()
        dispute = Contested(
            self._name("dp"),
            charge,
            "inquiry" if inquiry else "chargeback",
            "needs_response",
            amount_minor,
            self.clock.now + timedelta(days=10),
        )
        self.disputes[dispute.reference] = dispute
        self._move(dispute, funds_minor=0 if inquiry else amount_minor)

    def escalate(self, dispute: Contested) -> None:
        """The next stage; the bank takes the money again."""
        stage = "chargeback" if dispute.stage == "inquiry" else "second_chargeback"
        self._move(
            dispute,
            stage=stage,
            status="needs_response",
            funds_minor=dispute.amount_minor,
            due_at=self.clock.now + timedelta(days=10),
        )

    def end_dispute(self, dispute: Contested, status: str) -> None:
        """The bank decides, or takes back what it had decided."""
        keeps = dispute.stage != "inquiry" and status != "won"
        self._move(dispute, status=status, funds_minor=dispute.amount_minor if keeps else 0)

    # ---- what it holds of ours

    def owes_minor(self, order_id: str) -> int:
        """What it owes us for an order: taken, less all that it gave to customers, banks and itself."""
        charges = [charge for charge in self.charges.values() if charge.order_id == order_id]
        taken = sum(charge.captured_minor - charge.returned_minor for charge in charges)
        given = sum(r.amount_minor for r in self._refunds_of(order_id) if r.status == "succeeded")
        held = sum(d.funds_minor + d.fee_minor for d in self.disputes_of(order_id))
        return taken - given - held

    def ever_taken_minor(self, order_id: str) -> int:
        """All that it ever captured of an order."""
        return sum(c.captured_minor for c in self.charges.values() if c.order_id == order_id)

    def ever_given_minor(self, order_id: str) -> int:
        """All that it ever began to give back of an order."""
        return sum(refund.amount_minor for refund in self._refunds_of(order_id))

    def came_back_minor(self, order_id: str) -> int:
        """What it could not give back of an order."""
        return sum(refund.amount_minor for refund in self._refunds_of(order_id) if refund.status == "failed")

    def disputes_of(self, order_id: str) -> Iterable[Contested]:
        """Disputes of an order."""
        return (one for one in self.disputes.values() if one.charge.order_id == order_id)

    def _refunds_of(self, order_id: str) -> Iterable[GivenBack]:
        return (one for one in self.refunds.values() if one.charge.order_id == order_id)

    def forget(self, order_id: str) -> None:
        """The order is over."""
        self.refunds = {n: r for n, r in self.refunds.items() if r.charge.order_id != order_id}
        self.disputes = {n: d for n, d in self.disputes.items() if d.charge.order_id != order_id}
        self.charges = {n: c for n, c in self.charges.items() if c.order_id != order_id}
        self.delivered = [report for report in self.delivered if report.data["order_id"] != order_id]

    # ---- steps

    def _name(self, kind: str) -> str:
        self._named += 1
        return f"{kind}_{self._named}"

    def _take_whole(self, charge: Charge) -> None:
        charge.captured_minor, charge.status = charge.held_minor, "captured"

    def _give_back(self, charge: Charge, refund_id: UUID | None, amount_minor: int, status: str) -> GivenBack:
        refund = GivenBack(self._name("re"), charge, refund_id, amount_minor, status, status == "succeeded")
        self.refunds[refund.reference] = refund
        charge.refunded_minor += amount_minor
        self._say("refund_reported", refund.told())
        return refund

    def _move(self, dispute: Contested, **changes: Any) -> None:
        self.clock.tick()
        dispute.charge.disputed_minor -= dispute.funds_minor
        for name, value in changes.items():
            setattr(dispute, name, value)
        dispute.charge.disputed_minor += dispute.funds_minor
        dispute.fee_minor = DISPUTE_FEE_MINOR if dispute.funds_minor or dispute.fee_minor else 0
        self._say("dispute_reported", dispute.told())

    def _say_charge(self, charge: Charge, call_id: UUID | None = None) -> None:
        self._say("payment_reported", charge.told(call_id if self._names_calls else None))

    def _say(self, kind: str, told: dict[str, Any]) -> None:
        self._told += 1
        event_id = f"evt_{self._told}"
        about = {
            "webhook_id": f"00000000-0000-4000-8000-{self._told:012}",
            "provider": PROVIDER,
            "account": "main",
            "provider_event_id": event_id,
            "provider_type": kind,
            "occurred_at": self.clock.now.isoformat(),
        }
        self.reports.append(Report(event_id, f"webhook.{kind}.v1", about | told))


__all__ = ["CURRENCY", "PROVIDER", "Answer", "Provider"]
