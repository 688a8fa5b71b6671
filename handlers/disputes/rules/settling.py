"""What a change of a dispute means for the money and for its payment: entries, the payment's state, who is told.

Everything follows from the difference between the dispute before and after, and from the payment's register. So the
same end is booked whichever way led to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from handlers.disputes.policy import POLICY
from handlers.disputes.postings import book, book_change
from handlers.disputes.register import read_register, with_dispute, written
from handlers.disputes.rules.steps import notify
from handlers.disputes.states import Standing
from handlers.payments.rules.steps import advance as advance_payment
from handlers.payments.rules.steps import tell as tell_payment
from handlers.payments.states import TRANSITIONS as PAYMENT_TRANSITIONS
from handlers.payments.states import State as PaymentState
from handlers.payments.states import Trigger as PaymentTrigger
from schemas.reasons import Reason
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from handlers.decision import Event, Transition
    from handlers.disputes.model import Dispute
    from handlers.disputes.policy import Policy
    from handlers.disputes.register import Register
    from handlers.ledger.model import Posting
    from handlers.payments.model import Payment

_ENDS = {
    Standing.WON: (PaymentState.CHARGEBACK_WON, PaymentTrigger.WIN_CHARGEBACK, None),
    Standing.LOST: (PaymentState.CHARGEBACK_LOST, PaymentTrigger.LOSE_CHARGEBACK, Reason.CHARGEBACK),
}


@value
class Change:
    """A dispute before and after.

    `opened`: on the way it was open, perhaps only for a moment; `new_stage`: it entered a stage that takes money.
    """

    before: Dispute | None
    after: Dispute
    opened: bool
    new_stage: bool
    effective_at: datetime

    @property
    def standing_before(self) -> Standing:
        """NONE for a new one."""
        return Standing(self.before.standing) if self.before else Standing.NONE

    @property
    def standing(self) -> Standing:
        """After it."""
        return Standing(self.after.standing)

    @property
    def withdrawn_before_minor(self) -> int:
        """Nothing for a new one."""
        return self.before.withdrawn_minor if self.before else 0


@value
class Settled:
    """What follows from a change. `payment` is None when nothing of it changed."""

    dispute: Dispute
    payment: Payment | None
    transitions: tuple[Transition, ...]
    postings: tuple[Posting, ...]
    events: tuple[Event, ...]


def settle(payment: Payment, change: Change, now: datetime, policy: Policy = POLICY) -> Settled:
    """Book the change and move the payment."""
    register = read_register(payment)
    after = with_dispute(register, payment, change.after)
    dispute = replace(change.after, fee_passed_minor=_fee_passed(change.after, policy))
    postings = (
        *_book_funds(payment, change, register, after),
        *_book_platform_fee(payment, change, register, after, policy),
        *_book_fee(payment, change.before, dispute, change.effective_at),
    )
    moved, transitions, events = _move(payment, change, after, now)
    if change.standing is Standing.LOST and change.standing_before is not Standing.LOST:
        events = (*events, _tell_finance(dispute, after))
    return Settled(dispute, None if moved is payment else moved, transitions, postings, events)


def _book_funds(payment: Payment, change: Change, register: Register, after: Register) -> Iterator[Posting]:
    """What came back from a loss, then what the provider took or gave, then what is lost."""
    dispute, at = change.after, change.effective_at
    lost_minor = after.lost_minor - register.lost_minor
    excess_minor = after.suspense_minor - register.suspense_minor
    merchant_minor = lost_minor - excess_minor
    # of this loss, what the merchant bears; what is left over moves between the merchant and suspense
    borne_minor = min(max(merchant_minor, 0), lost_minor) if lost_minor > 0 else 0
    returned_minor = min(max(-merchant_minor, 0), -lost_minor) if lost_minor < 0 else 0
    if lost_minor < 0:
        yield book(
            "dispute_loss_undone",
            payment,
            dispute,
            at,
            funds=-lost_minor,
            merchant=returned_minor,
            excess=-lost_minor - returned_minor,
        )
    yield from _book_withdrawal(payment, change)
    if lost_minor > 0:
        yield book(
            "dispute_lost",
            payment,
            dispute,
            at,
            funds=lost_minor,
            merchant=borne_minor,
            excess=lost_minor - borne_minor,
        )
    left_over_minor = merchant_minor - borne_minor + returned_minor
    yield from book_change(
        ("dispute_excess_cleared", "dispute_loss_suspended"),
        payment,
        dispute,
        at,
        ("merchant", left_over_minor),
    )


def _book_withdrawal(payment: Payment, change: Change) -> Iterator[Posting]:
    """A chargeback that was won took the money first, also when we hear of both at once."""
    dispute, held_minor = change.after, change.withdrawn_before_minor
    steps = [dispute.withdrawn_minor]
    if change.new_stage and change.standing is Standing.WON:
        steps.insert(0, max(held_minor, dispute.withdrawn_minor, dispute.amount_minor))
    for wanted_minor in steps:
        yield from book_change(
            ("dispute_withdrawn", "dispute_reinstated"),
            payment,
            dispute,
            change.effective_at,
            ("funds", wanted_minor - held_minor),
        )
        held_minor = wanted_minor


def _book_platform_fee(
    payment: Payment, change: Change, register: Register, after: Register, policy: Policy
) -> tuple[Posting, ...]:
    if policy.platform_fee == "keep" or not payment.captured_minor:
        return ()
    returned_minor, was_minor = (
        payment.fee_minor * (one.lost_minor - one.suspense_minor) // payment.captured_minor
        for one in (after, register)
    )
    return book_change(
        ("dispute_platform_fee_returned", "dispute_platform_fee_kept"),
        payment,
        change.after,
        change.effective_at,
        ("fee", returned_minor - was_minor),
    )


def _fee_passed(dispute: Dispute, policy: Policy) -> int:
    return dispute.fee_minor if policy.fee_borne_by[Standing(dispute.standing)] == "merchant" else 0


def _book_fee(payment: Payment, before: Dispute | None, dispute: Dispute, at: datetime) -> Iterator[Posting]:
    """What the provider charged, and who bears it."""
    charged_minor, passed_minor = (before.fee_minor, before.fee_passed_minor) if before else (0, 0)
    charge = ("dispute_fee_charged", "dispute_fee_refunded")
    passing = ("dispute_fee_passed_on", "dispute_fee_taken_back")
    yield from book_change(charge, payment, dispute, at, ("fee", dispute.fee_minor - charged_minor))
    change = ("fee", dispute.fee_passed_minor - passed_minor)
    yield from book_change(passing, payment, dispute, at, change)


def _move(
    payment: Payment, change: Change, register: Register, now: datetime
) -> tuple[Payment, tuple[Transition, ...], tuple[Event, ...]]:
    """The payment as all its disputes together leave it: open before lost before won."""
    noted = replace(
        payment, disputed_minor=register.disputed_minor, metadata=written(payment, register), updated_at=now
    )
    if (noted.disputed_minor, noted.metadata) == (payment.disputed_minor, payment.metadata):
        noted = payment
    transitions, events = [], []
    for trigger, reason in _payment_steps(payment, change, register.standing):
        if (noted.state, trigger) not in PAYMENT_TRANSITIONS:
            break  # not complete, or never paid to our knowledge: the money is booked all the same
        noted, step = advance_payment(noted, trigger, now, reason)
        transitions.append(step)
        events.append(tell_payment(noted))
    if not events and noted.disputed_minor != payment.disputed_minor:
        events.append(tell_payment(noted))
    return noted, tuple(transitions), tuple(events)


def _payment_steps(
    payment: Payment, change: Change, standing: Standing
) -> Iterator[tuple[PaymentTrigger, Reason | None]]:
    if not change.opened and change.standing is change.standing_before:
        return
    if standing is Standing.NONE:
        return
    end = _ENDS.get(standing)
    stands_so = end is not None and payment.state == end[0]
    if change.opened or (payment.state != PaymentState.CHARGEBACK_OPEN and not stands_so):
        yield PaymentTrigger.OPEN_CHARGEBACK, Reason.CHARGEBACK
        stands_so = False
    if end is not None and not stands_so:
        yield end[1], end[2]


def _tell_finance(dispute: Dispute, register: Register) -> Event:
    detail = f"{dispute.withdrawn_minor} {dispute.currency} (minor units) are lost by {dispute.state}"
    if register.suspense_minor:
        detail += (
            f"; {register.suspense_minor} of the payment's losses exceed what was left of it: see suspense"
        )
    return notify(dispute, "finance", "lost", detail)
