"""The evidence package: its canonical form and hash, what is on file for the order, and until when it can be sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from handlers.decision import Decision
from handlers.disputes.evidence import canonical, digest
from schemas.reasons import Reason
from tests.handlers.disputes.case import DUE, Case


@pytest.mark.parametrize(
    ("fields", "links", "expected"),
    [
        ({}, (), '{"fields":{},"links":[]}'),
        ({"b": "2", "a": "1"}, (), '{"fields":{"a":"1","b":"2"},"links":[]}'),
        (
            {"a": 'Zürich "\\/\n\t\x01\x7f\u2028'},
            (),
            '{"fields":{"a":"Zürich \\"\\\\/\\n\\t\\u0001\x7f\u2028"},"links":[]}',
        ),
        (
            {},
            ({"reference": "r", "kind": "order"},),
            '{"fields":{},"links":[{"kind":"order","reference":"r"}]}',
        ),
    ],
)
def test_the_canonical_form(fields: dict[str, str], links: tuple[dict[str, str], ...], expected: str) -> None:
    assert canonical(fields, links).decode() == expected
    assert digest(fields, links) == sha256(expected.encode()).hexdigest()


def test_what_is_on_file_for_the_order_is_part_of_the_evidence_once() -> None:
    hashed = "ab" * 32
    case = (
        Case()
        .send("shipment_recorded", sha256=hashed)
        .send("shipment_recorded", reference="m-1", kind="message")
    )
    case.report("needs_response").submit()
    links = case.evidence[0].links
    assert [(link["kind"], link["reference"], link.get("sha256")) for link in links] == [
        ("payment", str(case.payment.payment_id), None),
        ("order", "order-1", None),
        ("shipment", "1Z999", hashed),
        ("message", "m-1", None),
    ]
    assert case.evidence[0].sha256 == digest(case.evidence[0].fields, links)


def test_a_document_is_recorded_before_there_is_a_payment_and_only_once() -> None:
    case = Case()
    case.payment = None  # type: ignore[assignment] # as the engine finds none
    case.send("shipment_recorded")
    assert case.send("shipment_recorded").outcome == Decision()
    assert case.send("shipment_recorded", carrier="others").rejection.reason is Reason.IDEMPOTENCY_KEY_REUSED


def test_every_evidence_that_a_provider_refused_is_kept_as_a_version() -> None:
    case = Case().report("needs_response").submit().answer("call_declined", reason="processing_declined")
    case.submit(fields={"uncategorized_text": "second try"}).answer()
    assert [(one.version, one.sha256) for one in case.evidence] == [
        (1, case.evidence[0].sha256),
        (2, case.dispute.evidence_sha256),
    ]


@pytest.mark.parametrize(("early_s", "in_time"), [(1, True), (0, False), (-1, False)])
@pytest.mark.parametrize("stage", ["inquiry", "chargeback"])
def test_nothing_is_sent_from_the_due_date_on(early_s: int, stage: str, *, in_time: bool) -> None:
    case = Case().report("needs_response", stage=stage)
    case.now = DUE - timedelta(seconds=early_s)
    case.submit()
    if in_time:
        assert case.calls
    else:
        assert case.rejection.reason is Reason.EVIDENCE_TOO_LATE
        assert DUE.isoformat().replace("T", " ") in case.rejection.detail


def test_a_due_date_that_moved_moves_the_reminder_and_the_end() -> None:
    case = (
        Case()
        .report("needs_response")
        .report("needs_response", 1, evidence_due_at=(DUE + timedelta(days=30)).isoformat())
    )
    first, second = (timer for timer in case.timers if timer.kind == "evidence_expiry")
    assert (first.due_at, second.due_at) == (DUE, DUE + timedelta(days=30))
    case.now = DUE
    late = {"timer_id": first.timer_id, "object_id": first.object_id, "payment_id": first.payment_id}
    assert case.send("due", kind="evidence_expiry", **late).outcome == Decision()
    assert case.time_out("evidence_expiry").dispute.state == "expired"


def test_an_inquiry_is_reminded_of_without_leaving_its_state() -> None:
    case = Case().report("needs_response", stage="inquiry").time_out("evidence_reminder")
    assert case.dispute.state == "inquiry"
    assert case.told("notification.requested.v1")[-1].about == "dispute.evidence_due"


def test_without_a_due_date_there_is_no_timer_and_no_late() -> None:
    case = Case().report("needs_response", evidence_due_at=None)
    assert case.timers == []
    case.wait(days=1000).submit()
    assert case.calls


def test_a_timer_of_an_unknown_dispute_waits_for_it() -> None:
    case = Case().report("needs_response")
    case.kept.clear()
    assert case.time_out("evidence_expiry").waiting.kind == "dispute"


def test_a_dispute_of_another_order_is_not_answered_from_this_one() -> None:
    case = Case().report("needs_response")
    case.payment = replace(case.payment, payment_id=case.dispute.object_id)
    assert case.submit().rejection.reason is Reason.DISPUTE_UNKNOWN
    assert "order-1" in case.rejection.detail
