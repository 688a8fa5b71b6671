"""What becomes of our answers at the provider: taken, refused, unknown, or overtaken by its decision."""

from __future__ import annotations

from typing import Any, Final

import pytest

from handlers.decision import Decision
from schemas.reasons import Reason
from tests.handlers.disputes.case import CAPTURED_MINOR, DUE, FEE_MINOR, Case

REFUSALS: Final = {
    "call_declined": {"reason": "processing_declined"},
    "call_failed": {"reason": "provider_unavailable"},
}


def asked(operation: str) -> Case:
    """The provider was asked, and has not answered."""
    case = Case().report("needs_response")
    return case.submit() if operation == "submit_evidence" else case.accept()


def test_evidence_is_kept_and_sent_with_what_the_provider_needs() -> None:
    case = asked("submit_evidence")
    (call,) = case.calls
    assert (call.operation, call.object_reference, call.object_id) == (
        "submit_evidence", "dp_1", case.dispute.object_id
    )  # fmt: skip
    assert call.provider_reference == case.payment.provider_reference
    assert call.evidence == case.evidence[0].fields == {"shipping_tracking_number": "1Z999"}
    assert (case.dispute.state, case.dispute.call_id) == ("opened", call.call_id)
    assert [(done.actor, done.action) for done in case.decision.audit] == [("ada", "evidence_submitted")]


def test_taken_evidence_is_the_dispute_s() -> None:
    case = asked("submit_evidence").answer()
    assert (case.dispute.state, case.dispute.call_id) == ("evidence_submitted", None)
    assert case.dispute.evidence_sha256 == case.evidence[0].sha256
    (told,) = case.told("dispute.evidence_submitted.v1")
    assert {link["kind"] for link in told.links} == {"payment", "order", "shipment"}


def test_an_acceptance_is_a_loss_at_once_and_audited() -> None:
    case = asked("accept_dispute")
    assert [(done.actor, done.action) for done in case.decision.audit] == [("ada", "dispute_accepted")]
    assert case.dispute.state == "opened"
    case.answer()
    assert (case.dispute.state, case.payment.state) == ("accepted", "chargeback_lost")
    assert case.balances["merchant_payable"] == CAPTURED_MINOR + FEE_MINOR
    entries = case.entries
    case.report("lost", 9)
    assert (case.dispute.state, case.entries) == ("lost", entries)
    assert [told.about for told in case.told("notification.requested.v1")].count("dispute.lost") == 1


def test_pending_evidence_is_with_the_provider_and_a_pending_acceptance_waits_for_its_report() -> None:
    assert asked("submit_evidence").answer("call_pending").dispute.state == "evidence_submitted"
    case = asked("accept_dispute").answer("call_pending")
    assert (case.dispute.state, case.dispute.call_id) == ("opened", None)


@pytest.mark.parametrize("operation", ["submit_evidence", "accept_dispute"])
@pytest.mark.parametrize("name", REFUSALS)
def test_a_refused_answer_leaves_the_dispute_and_tells_the_merchant(operation: str, name: str) -> None:
    case = asked(operation).answer(name, **REFUSALS[name])
    assert (case.dispute.state, case.dispute.call_id) == ("opened", None)
    assert case.dispute.reason == REFUSALS[name]["reason"]
    assert case.dispute.evidence_sha256 is None
    told = case.told("notification.requested.v1")[-1]
    assert (told.audience, told.about, told.act_by) == ("merchant", "dispute.answer_refused", DUE)
    case.submit()
    assert case.dispute.calls == 2


@pytest.mark.parametrize("operation", ["submit_evidence", "accept_dispute"])
def test_an_unknown_outcome_is_said_once_and_nothing_is_guessed(operation: str) -> None:
    case = asked(operation).answer("call_unknown")
    assert (case.dispute.certain, case.dispute.state) == (False, "opened")
    assert case.answer("call_unknown").outcome == Decision()
    case.time_out("evidence_expiry")
    assert case.dispute.state == "opened"
    assert [timer.kind for timer in case.decision.timers] == ["evidence_expiry"]
    case.answer()
    assert case.dispute.certain


def test_the_due_date_looks_again_until_the_outcome_is_known() -> None:
    case = asked("submit_evidence").answer("call_unknown").time_out("evidence_expiry")
    ids = {timer.timer_id for timer in case.timers}
    case.time_out("evidence_expiry")
    assert len({timer.timer_id for timer in case.timers}) == len(ids) + 1
    case.answer("call_failed", reason="provider_unavailable").time_out("evidence_expiry")
    assert case.dispute.state == "expired"


@pytest.mark.parametrize("status", ["won", "lost", "accepted"])
@pytest.mark.parametrize("operation", ["submit_evidence", "accept_dispute"])
def test_what_the_provider_decided_meanwhile_stands(operation: str, status: str) -> None:
    case = asked(operation).report(status, 9)
    balances = case.balances
    case.answer()
    assert (case.dispute.state, case.dispute.call_id) == (status, None)
    assert case.balances == balances


@pytest.mark.parametrize(
    "name", ["call_succeeded", "call_declined", "call_pending", "call_unknown", "call_failed"]
)
def test_an_answer_to_another_call_is_stale(name: str) -> None:
    case = Case().report("needs_response").answer(name)
    assert case.rejection.reason is Reason.CALL_STALE


@pytest.mark.parametrize("name", ["call_succeeded", "call_failed"])
@pytest.mark.parametrize("lost", ["payment", "dispute"])
def test_an_answer_waits_for_what_it_is_about(name: str, lost: str) -> None:
    case = asked("submit_evidence")
    dispute = case.dispute
    data: dict[str, Any] = {"object_id": dispute.object_id, "operation": "submit_evidence"}
    if lost == "payment":
        case.payment = None  # type: ignore[assignment] # as the engine finds none
    else:
        case.kept.clear()
    case.send(name, **data)
    assert case.waiting.reason is (Reason.PAYMENT_UNKNOWN if lost == "payment" else Reason.DISPUTE_UNKNOWN)


def test_commands_wait_for_the_call_under_way() -> None:
    case = asked("submit_evidence")
    for command in (case.accept, case.submit):
        waiting = command().waiting
        assert (waiting.reason, waiting.kind) == (Reason.CALL_IN_PROGRESS, "dispute")


def test_commands_wait_for_the_dispute_and_its_payment() -> None:
    case = Case()
    assert (case.submit().waiting.kind, case.waiting.reason) == ("dispute", Reason.DISPUTE_UNKNOWN)
    case.payment = None  # type: ignore[assignment] # as the engine finds none
    assert case.accept().waiting.reason is Reason.PAYMENT_UNKNOWN
