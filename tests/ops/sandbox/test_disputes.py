"""Disputes through all their stages, and where the money is meanwhile."""

from __future__ import annotations

import pytest

from ops.sandbox import messages
from tests.ops.sandbox.books import Bench

EVIDENCE = messages.EvidenceRequest(evidence={"uncategorized_text": "It was delivered."})
WEAK = messages.EvidenceRequest(evidence={"uncategorized_text": "losing_evidence"})
WON = messages.DecisionRequest(result="won")
LOST = messages.DecisionRequest(result="lost")

WAYS = [
    # opened as,   answered by,                 after a month,  withheld
    ("inquiry", None, "expired", 0),
    ("inquiry", EVIDENCE, "won", 0),
    ("inquiry", WEAK, "lost", 10_000),
    ("inquiry", messages.AcceptRequest(), "accepted", 10_000),
    ("inquiry", WON, "won", 0),
    ("chargeback", None, "expired", 10_000),
    ("chargeback", EVIDENCE, "won", 0),
    ("chargeback", WEAK, "lost", 10_000),
    ("chargeback", messages.AcceptRequest(), "accepted", 10_000),
    ("chargeback", LOST, "lost", 10_000),
]


@pytest.mark.parametrize(("stage", "answer", "ends", "withheld_minor"), WAYS)
def test_every_way_a_dispute_can_end(
    stage: str, answer: messages.AboutDispute | None, ends: str, withheld_minor: int
) -> None:
    bench = Bench()
    charge = bench.pay()
    dispute = bench.dispute(charge, stage)
    assert dispute["funds_minor"] == (10_000 if stage == "chargeback" else 0)
    if answer is not None:
        assert bench.ask(answer, dispute["id"])["http_status"] == 200
    bench.days_pass(30)
    assert bench.dispute_now(dispute["id"]) == (stage, ends, withheld_minor)
    again = bench.ask(answer or EVIDENCE, dispute["id"])
    assert (again["http_status"], again["error"]["type"]) == (409, "invalid_state")
    left = bench.refund(charge, 10_000 - withheld_minor or 1)
    assert left["http_status"] == (422 if withheld_minor else 200)


def test_an_inquiry_becomes_a_chargeback_and_what_was_won_comes_back_once() -> None:
    bench = Bench()
    dispute = bench.dispute(bench.pay(), "inquiry")["id"]
    steps: list[tuple[messages.AboutDispute, str, str, int]] = [
        (EVIDENCE, "inquiry", "under_review", 0),
        (messages.EscalationRequest(), "chargeback", "needs_response", 10_000),
        (EVIDENCE, "chargeback", "under_review", 10_000),
        (WON, "chargeback", "won", 0),
        (messages.EscalationRequest(), "second_chargeback", "needs_response", 10_000),
        (EVIDENCE, "second_chargeback", "under_review", 10_000),
        (WON, "second_chargeback", "won", 0),
    ]
    for body, stage, status, withheld_minor in steps:
        shown = bench.ask(body, dispute)
        assert (shown["stage"], shown["status"], shown["funds_minor"]) == (stage, status, withheld_minor)
    assert bench.ask(messages.EscalationRequest(), dispute)["http_status"] == 409
    assert bench.types()[1:] == [
        "dispute.opened",
        "dispute.under_review",
        "dispute.escalated",
        "dispute.funds_withdrawn",
        "dispute.under_review",
        "dispute.won",
        "dispute.funds_reinstated",
        "dispute.escalated",
        "dispute.funds_withdrawn",
        "dispute.under_review",
        "dispute.won",
        "dispute.funds_reinstated",
    ]
    assert bench.told()[-1]["data"]["dispute"]["fee_minor"] == 2 * 1_500


def test_the_due_time_of_an_earlier_stage_ends_nothing() -> None:
    bench = Bench()
    dispute = bench.dispute(bench.pay(), "inquiry", evidence_due_ms=60_000)["id"]
    bench.ask(messages.EscalationRequest(), dispute)
    bench.days_pass(1)
    assert bench.dispute_now(dispute)[:2] == ("chargeback", "needs_response")
    bench.days_pass(7)
    assert bench.dispute_now(dispute)[:2] == ("chargeback", "expired")


def test_evidence_of_an_earlier_stage_decides_nothing() -> None:
    bench = Bench()
    dispute = bench.dispute(bench.pay(), "inquiry")["id"]
    bench.ask(WEAK, dispute)
    bench.days_pass(2)
    bench.ask(messages.EscalationRequest(), dispute)
    bench.ask(EVIDENCE, dispute)
    bench.days_pass(3.5)
    assert bench.dispute_now(dispute)[:2] == ("chargeback", "under_review")
    bench.days_pass(2)
    assert bench.dispute_now(dispute)[:2] == ("chargeback", "won")


def test_refunds_returns_and_disputes_together_never_exceed_what_was_captured() -> None:
    bench = Bench()
    charge = bench.pay()
    assert bench.refund(charge, 3_000)["http_status"] == 200
    assert bench.dispute(charge, "chargeback", amount_minor=7_001)["error"]["type"] == "amount_too_large"
    assert bench.dispute(charge, "chargeback", amount_minor=5_000)["http_status"] == 200
    assert bench.refund(charge, 2_001)["error"]["type"] == "amount_too_large"
    inquiry = bench.dispute(charge, "inquiry")
    assert inquiry["amount_minor"] == 2_000
    assert bench.refund(charge, 1_500)["http_status"] == 200  # an inquiry withholds nothing
    assert bench.ask(messages.EscalationRequest(), inquiry["id"])["error"]["type"] == "amount_too_large"
    assert bench.ask(messages.AcceptRequest(), inquiry["id"])["funds_minor"] == 500
    assert bench.dispute(charge)["http_status"] == 409


def test_nothing_captured_nothing_disputed() -> None:
    bench = Bench()
    for charge in (bench.pay(capture=False), bench.pay("tok_decline_lost_card"), "auth_unknown"):
        assert bench.dispute(charge)["http_status"] in {404, 409}


@pytest.mark.parametrize("stage", ["inquiry", "chargeback"])
def test_a_token_disputes_as_soon_as_it_is_captured(stage: str) -> None:
    bench = Bench()
    charge = bench.pay(f"tok_dispute_{stage}", capture=False)
    bench.processor.catch_up()
    assert bench.types() == ["authorization.authorized"]
    bench.ask(messages.CaptureRequest(amount_minor=5_000), charge)
    bench.processor.catch_up()
    bench.processor.catch_up()
    found = bench.processor.store.authorization(charge)
    assert found is not None
    assert [(one.stage, one.amount_minor) for one in found.disputes] == [(stage, 5_000)]
