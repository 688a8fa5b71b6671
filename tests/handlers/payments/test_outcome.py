"""When nobody knows: said, waited for, asked of a person at last, and recognized when the provider says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest

from handlers.decision import Decision
from handlers.payments.policy import OUTCOME_DEADLINE
from schemas.reasons import Reason
from tests.handlers.payments.situations import authorized, capturing, processing, reversing, selling, voiding
from tests.handlers.scene import NOW, STALE_ID, Scene

GRACE: Final = {"id": "grace", "role": "finance"}
ADA: Final = {"id": "ada", "role": "manager"}
MONEY: Final = {"amount_minor": 250_000, "currency": "EUR"}


def unknown(asked: Callable[[], Scene]) -> Scene:
    """Nobody knows what became of the call under way."""
    return asked().answer("call_unknown")


def decide(scene: Scene, verdict: str = "succeeded", **data: Any) -> Scene:
    """A person decides about the call under way, with the amount that it asked for."""
    succeeded = verdict == "succeeded"
    call_id = scene.payment.call_id or STALE_ID
    said = {
        "call_id": call_id,
        "verdict": verdict,
        "amount_minor": scene.payment.call_amount_minor if succeeded else None,
        "provider_reference": "auth_1" if succeeded else None,
        "actor": GRACE,
        "idempotency_key": f"{call_id}/{verdict}",
    }
    return scene.send("outcome_decided", **(said | data))


def test_after_the_deadline_operations_are_told_once_and_the_provider_is_asked_on() -> None:
    scene = unknown(processing)
    assert [(timer.kind, timer.due_at) for timer in scene.timers] == [
        ("outcome_deadline", NOW + OUTCOME_DEADLINE)
    ]
    assert timedelta(hours=24) == OUTCOME_DEADLINE
    call_id = scene.payment.call_id
    scene.time_out("outcome_deadline")
    assert scene.notices == ["payment.outcome_undecided"]
    assert (scene.payment.call_id, scene.payment.certain) == (call_id, False)
    assert scene.answer("call_succeeded").payment.state == "authorized"


def test_the_deadline_of_a_call_that_was_answered_means_nothing() -> None:
    scene = unknown(processing).answer("call_succeeded")
    assert scene.time_out("outcome_deadline").outcome == Decision()


def test_the_deadline_of_an_earlier_call_does_not_speak_for_a_later_one() -> None:
    scene = unknown(processing).answer("call_declined")
    first = scene.timers[0].timer_id
    scene.wait(hours=23).send("confirmation_requested").answer("call_unknown")
    assert scene.time_out("outcome_deadline", timer_id=first).outcome == Decision()


# fmt: off
VERDICTS: Final = [
    (processing, "succeeded", "authorized",            (1999, 0)),
    (selling,    "succeeded", "succeeded",             (1999, 1999)),
    (capturing,  "succeeded", "succeeded",             (1999, 1999)),
    (voiding,    "succeeded", "canceled",              (1999, 0)),
    (processing, "no_effect", "requires_confirmation", (0, 0)),
    (capturing,  "no_effect", "authorized",            (1999, 0)),
    (voiding,    "no_effect", "authorized",            (1999, 0)),
]
# fmt: on


@pytest.mark.parametrize(("asked", "verdict", "state", "amounts"), VERDICTS)
def test_a_person_decides_as_the_provider_would_have_answered(
    asked: Callable[[], Scene], verdict: str, state: str, amounts: tuple[int, int]
) -> None:
    scene = decide(unknown(asked), verdict)
    payment = scene.payment
    assert (payment.state, payment.call_id, payment.certain) == (state, None, True)
    assert (payment.authorized_minor, payment.captured_minor) == amounts
    assert payment.reason is Reason.OUTCOME_DECIDED_BY_PERSON
    (audit,) = scene.audit
    assert (audit.actor, audit.action) == ("grace", f"outcome_decided/{verdict}")
    assert "seen in the provider's console" in audit.detail


# ruff: noqa: E501 - a table
# fmt: off
REFUSED: Final = [
    (lambda: unknown(processing), {"call_id": STALE_ID},                         Reason.CALL_STALE,              "waits for call"),
    (processing,                  {},                                            Reason.STATE_FORBIDS,           "not unknown"),
    (lambda: unknown(processing), {"actor": {"id": "bo", "role": "support"}},    Reason.ACTOR_NOT_ALLOWED,       "finance or manager"),
    (lambda: unknown(processing), {"actor": {"id": "bot", "role": "system"}},    Reason.ACTOR_NOT_ALLOWED,       "actor.role system"),
    (lambda: unknown(processing), {"amount_minor": 2000},                        Reason.AMOUNT_ABOVE_AUTHORIZED, "asked for, 1999"),
    (authorized,                  {"amount_minor": 1999},                        Reason.CALL_STALE,              "waits for call None"),
]
# fmt: on


@pytest.mark.parametrize(("scene", "data", "reason", "told"), REFUSED)
def test_not_everybody_may_decide_everything(
    scene: Callable[[], Scene], data: dict[str, Any], reason: Reason, told: str
) -> None:
    asked = scene()
    before = asked.payment
    decide(asked, **data)
    assert asked.rejection.reason is reason
    assert told in asked.rejection.detail
    assert (asked.payment, asked.audit) == (before, [])


def large() -> Scene:
    """2,500.00 EUR, and nobody knows."""
    return Scene().send("payment_requested", amount=MONEY, capture_method="automatic").answer("call_unknown")


def test_a_large_amount_needs_two_people_who_say_the_same() -> None:
    scene = decide(large())
    assert (scene.payment.state, scene.payment.certain, scene.postings) == ("processing", False, [])
    assert decide(scene).rejection.reason is Reason.FOUR_EYES
    decide(scene, actor=ADA)
    assert (scene.payment.state, scene.payment.captured_minor) == ("succeeded", 250_000)
    assert [audit.actor for audit in scene.audit] == ["grace", "ada"]


def test_two_people_who_say_different_things_have_not_decided() -> None:
    scene = decide(decide(large()), amount_minor=200_000, actor=ADA)
    assert (scene.payment.state, scene.payment.captured_minor) == ("processing", 0)
    decide(scene, amount_minor=200_000)
    assert scene.payment.captured_minor == 200_000


def test_a_large_amount_is_large_in_every_currency() -> None:
    yen = Scene().send("payment_requested", amount={"amount_minor": 1000, "currency": "JPY"})
    assert decide(yen.answer("call_unknown")).payment.state == "processing"
    dinar = Scene().send("payment_requested", amount={"amount_minor": 999_999, "currency": "KWD"})
    assert decide(dinar.answer("call_unknown")).payment.state == "authorized"


def test_an_answer_closes_it_between_two_people() -> None:
    scene = decide(large()).answer("call_declined")
    assert scene.payment.state == "requires_payment_method"
    assert decide(scene, amount_minor=1, actor=ADA).rejection.reason is Reason.CALL_STALE


def contradicted(asked: Callable[[], Scene], verdict: str, answer: str, **data: Any) -> Scene:
    """A person decided, and the provider says otherwise later."""
    scene = unknown(asked)
    call = scene.calls[-1]
    decide(scene, verdict)
    return scene.send(
        answer,
        call_id=call.call_id,
        payment_id=call.payment_id,
        operation=call.operation,
        **data,
    )


def test_a_charge_that_a_person_had_denied_is_a_late_success() -> None:
    scene = contradicted(
        selling, "no_effect", "call_succeeded", amount_minor=1999, captured=True, provider_reference="auth_1"
    )
    assert (scene.payment.state, scene.payment.captured_minor) == ("succeeded", 1999)
    assert scene.notices == ["payment.late_success_attached"] * 2


def test_a_capture_that_a_person_had_denied_is_booked_after_all() -> None:
    scene = contradicted(capturing, "no_effect", "call_succeeded", amount_minor=1999, captured=True)
    assert (scene.payment.state, scene.payment.captured_minor) == ("succeeded", 1999)
    assert scene.notices == ["payment.decision_contradicted"] * 2


def test_a_success_that_a_person_had_seen_and_was_none_is_told() -> None:
    scene = contradicted(capturing, "succeeded", "call_declined")
    assert (scene.payment.state, scene.payment.captured_minor) == ("succeeded", 1999)
    assert scene.notices == ["payment.decision_contradicted"] * 2


@pytest.mark.parametrize(
    ("verdict", "answer"),
    [("no_effect", "call_declined"), ("no_effect", "call_failed"), ("succeeded", "call_succeeded")],
)
def test_a_provider_that_agrees_with_the_person_is_only_late(verdict: str, answer: str) -> None:
    data = {"amount_minor": 1999, "captured": True} if answer == "call_succeeded" else {}
    scene = contradicted(capturing, verdict, answer, **data)
    assert scene.rejection.reason is Reason.CALL_STALE


def test_an_impossible_answer_is_decided_by_a_person() -> None:
    scene = capturing().answer("call_succeeded", amount_minor=5000)
    decide(scene, amount_minor=1999)
    assert (scene.payment.state, scene.payment.captured_minor) == ("succeeded", 1999)


@pytest.mark.parametrize(("verdict", "word"), [("succeeded", "reversed"), ("no_effect", "not_refunded")])
def test_a_person_decides_about_the_giving_back_of_a_late_success(verdict: str, word: str) -> None:
    scene = decide(reversing().answer("call_unknown"), verdict)
    assert (scene.payment.remarks or {})["auth_1"] == word
    assert scene.payment.state == "canceled"


def test_a_capture_that_a_webhook_has_told_of_is_not_booked_again_by_its_late_answer() -> None:
    scene = unknown(capturing)
    call_id = scene.payment.call_id
    decide(scene, "no_effect", amount_minor=None, provider_reference=None).report(
        "captured", captured_minor=500, call_id=None
    )
    assert scene.payment.captured_minor == 500
    scene.answer("call_succeeded", call_id=call_id, operation="capture", amount_minor=500, captured=True)
    assert (scene.rejection.reason, scene.payment.captured_minor) == (Reason.CALL_STALE, 500)
