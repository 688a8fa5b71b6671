"""Four eyes: who may decide, what becomes of what waits, and what came in between."""

from __future__ import annotations

from typing import Final

import pytest

from schemas.reasons import Reason
from tests.handlers.refunds.scene import Scene, paid
from tests.handlers.refunds.situations import pending_approval

# fmt: off
DECIDERS: Final = [
    # who,  as,         why not
    ("max", "manager",  None),
    ("fin", "finance",  None),
    ("bob", "support",  Reason.ACTOR_NOT_ALLOWED),
    ("bot", "system",   Reason.ACTOR_NOT_ALLOWED),
    ("ada", "manager",  Reason.FOUR_EYES),
    ("ada", "finance",  Reason.FOUR_EYES),
]
# fmt: on


@pytest.mark.parametrize("decision", ["refund_approved", "refund_disapproved"])
@pytest.mark.parametrize(("actor", "role", "reason"), DECIDERS)
def test_who_may_decide(decision: str, actor: str, role: str, reason: Reason | None) -> None:
    scene = pending_approval().decide(decision, actor, role)
    if reason is not None:
        assert scene.rejection.reason is reason
        assert scene.of().state == "pending_approval"
    else:
        assert scene.of().state == ("submitted" if decision == "refund_approved" else "canceled")


def test_a_program_s_request_is_approved_by_a_person_of_the_same_name_never() -> None:
    scene = paid(lines=[("system", 5000, "support")]).refund(500, role="system", actor="bot")
    assert scene.decide("refund_approved", "bot", "support").rejection.reason is Reason.FOUR_EYES


def test_what_waits_is_reserved_and_the_approver_is_told_until_when() -> None:
    scene = pending_approval()
    assert (scene.payment.refunding_minor, scene.payment.refundable_minor) == (1500, 499)
    assert scene.refund(500, "r-2").rejection.reason is Reason.AMOUNT_ABOVE_REFUNDABLE
    told = [event.data for event in scene.events if event.type == "notification.requested.v1"]
    assert [(n.audience, n.recipient, n.about, n.act_by) for n in told] == [
        ("support", "manager", "refund.approval_needed", scene.timers[-1].due_at)
    ]
    assert scene.calls[-1].operation == "authorize", "nothing is sent, nothing booked"
    assert "refund_clearing" not in scene.balances()


def test_what_is_approved_is_sent_and_both_are_known() -> None:
    scene = pending_approval().decide("refund_approved")
    refund = scene.of()
    assert (refund.state, refund.requested_by, refund.approved_by) == ("submitted", "ada", "max")
    assert scene.told()[-3:] == [
        "refund.approval_needed to support",
        "refund.requested.v1",
        "refund.submitted.v1",
    ]
    assert [(done.actor, done.action) for done in scene.audit if done.object_type == "refund"] == [
        ("ada", "refund.requested"),
        ("max", "refund.approved"),
    ]
    assert scene.calls[-1].operation == "refund"


def test_what_is_not_approved_is_free_again() -> None:
    scene = pending_approval().decide("refund_disapproved")
    assert (scene.of().reason, scene.payment.refunding_minor) == (Reason.DISAPPROVED, 0)
    assert scene.told()[-1] == "refund.canceled to support"
    assert scene.refund(refund_id="r-2", role="manager").of("r-2").state == "submitted"


# fmt: off
WITHDRAWERS: Final = [
    # who,  as,         why not
    ("ada", "support",  None),                       # who asked
    ("max", "manager",  None),                       # who may approve
    ("bob", "support",  Reason.ACTOR_NOT_ALLOWED),
    ("bot", "system",   Reason.ACTOR_NOT_ALLOWED),
]
# fmt: on


@pytest.mark.parametrize(("actor", "role", "reason"), WITHDRAWERS)
def test_who_may_withdraw_what_waits(actor: str, role: str, reason: Reason | None) -> None:
    scene = pending_approval().decide("refund_canceled", actor, role)
    if reason is not None:
        assert scene.rejection.reason is reason
    else:
        assert (scene.of().state, scene.of().reason) == ("canceled", Reason.REQUESTED_BY_CALLER)
        assert scene.payment.refunding_minor == 0


def test_an_approval_that_nobody_gives_lapses_and_a_late_one_finds_nothing() -> None:
    scene = paid(approval_days=3).refund(1500).time_out("refund_approval_expiry")
    assert (scene.of().state, scene.of().reason) == ("canceled", Reason.APPROVAL_LAPSED)
    assert (scene.payment.refunding_minor, (scene.now - scene.of().requested_at).days) == (0, 3)
    assert scene.decide("refund_approved").rejection.reason is Reason.STATE_FORBIDS


def test_a_dispute_that_comes_in_between_stops_it_and_what_is_left_may_go_on_after() -> None:
    scene = pending_approval().dispute()
    assert scene.decide("refund_approved").rejection.reason is Reason.DISPUTE_OPEN
    assert scene.of().state == "pending_approval"
    scene.dispute(1999, state="chargeback_lost").decide("refund_approved")
    assert scene.rejection.reason is Reason.AMOUNT_ABOVE_REFUNDABLE
    assert "has 1500 less than its refunds under way ask for, disputes over 1999" in scene.rejection.detail
    scene.become(disputed_minor=0, state=type(scene.payment.state)("chargeback_won"))
    assert scene.decide("refund_approved").answer("call_succeeded").payment.state == "partially_refunded"


def test_it_can_be_decided_once() -> None:
    scene = pending_approval().decide("refund_approved")
    entries = len(scene.postings)
    assert scene.decide("refund_approved", "fin", "finance").rejection.reason is Reason.STATE_FORBIDS
    assert len(scene.postings) == entries


def test_what_is_not_known_is_waited_for() -> None:
    scene = Scene().send("refund_approved")
    assert scene.waiting.reason is Reason.PAYMENT_UNKNOWN
    scene = paid().decide("refund_approved", refund_id="r-9")
    assert (scene.waiting.reason, scene.waiting.kind) == (Reason.REFUND_UNKNOWN, "refund")
