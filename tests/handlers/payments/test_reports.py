"""A provider's webhooks: forward only, by totals, in whatever order; about whose charge is found out first."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any, Final

import pytest

from handlers.decision import Decision, Rejection
from schemas.reasons import Reason
from tests.handlers.payments.situations import (
    authorized,
    canceled,
    captured,
    capturing,
    debited,
    increasing,
    nothing,
    processing,
    requires_action,
    returned,
    selling,
    settling,
    succeeded,
    voiding,
)
from tests.handlers.scene import Scene
from tests.schemas.samples import ABSENT


def money(scene: Scene) -> list[tuple[str, int]]:
    """The entries so far: rule and amount."""
    return [(posting.rule, posting.legs[0].amount_minor) for posting in scene.postings]


def test_a_webhook_before_the_answer_is_the_answer_and_the_answer_is_stale() -> None:
    scene = selling()
    call_id = scene.payment.call_id
    scene.report("captured")
    assert (scene.payment.state, scene.payment.call_id) == ("succeeded", None)
    assert scene.payment.provider_reference == "auth_1"
    scene.answer("call_succeeded", call_id=call_id, captured=True, amount_minor=1999)
    assert scene.rejection.reason is Reason.CALL_STALE
    assert money(scene) == [("card_captured", 1999)]


@pytest.mark.parametrize("unknown", [False, True])
def test_a_webhook_resolves_what_nobody_knew(unknown: bool) -> None:  # noqa: FBT001 - a column
    scene = processing()
    if unknown:
        scene.answer("call_unknown")
    scene.report("authorized")
    payment = scene.payment
    assert (payment.state, payment.certain, payment.call_id) == ("authorized", True, None)


def test_a_capture_is_booked_once_by_whoever_says_it_first() -> None:
    told = capturing().report("captured", captured_minor=1999).postings
    answered = capturing().answer("call_succeeded").postings
    assert [posting.legs for posting in told] == [posting.legs for posting in answered]


@pytest.mark.parametrize("totals", list(permutations([500, 1200, 1999])))
def test_captures_in_parts_come_in_any_order_and_twice(totals: tuple[int, ...]) -> None:
    scene = authorized()
    for total_minor in (*totals, *totals):
        scene.report("captured", captured_minor=total_minor)
    assert (scene.payment.captured_minor, scene.payment.fee_minor) == (1999, 75)
    assert scene.payment.state == "succeeded"
    assert sum(amount for _, amount in money(scene)) == 1999


DAY: Final[list[tuple[str, dict[str, Any]]]] = [
    ("requires_action", {}),
    ("authorized", {}),
    ("captured", {"captured_minor": 700}),
    ("captured", {"captured_minor": 1999}),
]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_day_s_webhooks_replayed_in_any_order_change_nothing(order: tuple[int, ...]) -> None:
    scene = processing()
    for status, data in DAY:
        scene.report(status, **data)
    before, entries = scene.payment, list(scene.postings)
    assert before.state == "succeeded"
    for number in order:
        status, data = DAY[number]
        outcome = scene.report(status, **data).outcome
        assert outcome == Decision() or (
            isinstance(outcome, Rejection) and outcome.reason is Reason.REPORT_OUTDATED
        )
    assert (scene.payment, scene.postings) == (before, entries)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_webhooks_in_any_order_end_in_the_same_place(order: tuple[int, ...]) -> None:
    scene = processing()
    for number in order:
        status, data = DAY[number]
        scene.report(status, **data)
    assert (scene.payment.state, scene.payment.captured_minor, scene.payment.fee_minor) == (
        "succeeded",
        1999,
        75,
    )
    assert sum(amount for _, amount in money(scene)) == 1999


def test_a_report_that_says_less_than_is_known_is_told_so() -> None:
    scene = captured().report("captured", captured_minor=499)
    assert scene.rejection.reason is Reason.REPORT_OUTDATED


# ruff: noqa: E501 - tables
# fmt: off
FOREIGN: Final = [
    (processing,    {"currency": "USD"},                                  Reason.CURRENCY_DIFFERS, "currency USD"),
    (processing,    {"authorized_minor": 2000},                           Reason.AMOUNT_DIFFERS,   "has 2000"),
    (authorized,    {"captured_minor": 2500},                             Reason.AMOUNT_DIFFERS,   "has 2500"),
    (settling,      {},                                                   Reason.PROVIDER_OBJECT_UNKNOWN, "nobody asked"),
    (succeeded,     {},                                                   Reason.PROVIDER_OBJECT_UNKNOWN, "nobody asked"),
    (authorized,    {"provider_reference": "auth_9"},                     Reason.PROVIDER_OBJECT_UNKNOWN, "auth_1"),
    (processing,    {"call_id": "00000000-0000-4000-8000-000000000000"},  Reason.PROVIDER_OBJECT_UNKNOWN, "none of"),
    (canceled,      {"provider_reference": "auth_9", "captured_minor": 5, "authorized_minor": 5},
                                                                          Reason.PROVIDER_OBJECT_UNKNOWN, "auth_1"),
]
# fmt: on


@pytest.mark.parametrize(("scene", "data", "reason", "told"), FOREIGN)
def test_an_object_that_is_not_this_order_s_is_refused_and_says_why(
    scene: Callable[[], Scene], data: dict[str, Any], reason: Reason, told: str
) -> None:
    reported = scene()
    before = reported.payment
    reported.report("captured", **data)
    assert reported.rejection.reason is reason
    assert told in reported.rejection.detail
    assert reported.payment == before


def test_a_report_of_an_order_that_is_not_known_yet_waits_for_it() -> None:
    assert nothing().report("captured").waiting.reason is Reason.PAYMENT_UNKNOWN


def test_a_report_that_names_no_order_waits_for_its_reference() -> None:
    scene = nothing().report("captured", order_id=None)
    assert scene.waiting.reason is Reason.PROVIDER_OBJECT_UNKNOWN
    assert "auth_1" in scene.waiting.detail


def test_a_report_that_may_be_about_the_call_under_way_waits_for_its_answer() -> None:
    scene = processing().report("failed", call_id=None, provider_reference="auth_first")
    assert scene.waiting.reason is Reason.CALL_IN_PROGRESS


# fmt: off
RESOLVED: Final = [
    # under way        report                                                                    state         held, taken
    (capturing,       "captured",        {"captured_minor": 1999},                              "succeeded",  (1999, 1999)),
    (capturing,       "captured",        {"captured_minor": 1000},                              "succeeded",  (1999, 1000)),
    (voiding,         "canceled",        {},                                                    "canceled",   (1999, 0)),
    (increasing,      "authorized",      {"authorized_minor": 2500},                            "authorized", (2500, 0)),
    (returned,        "authorized",      {},                                                    "authorized", (1999, 0)),
    (returned,        "failed",          {"reason": "authentication_failed"},        "requires_payment_method", (0, 0)),
    (requires_action, "authorized",      {},                                                    "authorized", (1999, 0)),
    (requires_action, "captured",        {},                                                    "succeeded",  (1999, 1999)),
    (requires_action, "failed",          {"reason": "authentication_failed"},        "requires_payment_method", (0, 0)),
    (processing,      "requires_action", {},                                                    "requires_action", (0, 0)),
    (processing,      "authorized",      {"authorized_minor": 1200},                            "authorized", (1200, 0)),
]
# fmt: on


@pytest.mark.parametrize(("under_way", "status", "data", "state", "amounts"), RESOLVED)
def test_a_report_closes_the_call_that_it_answers(
    under_way: Callable[[], Scene], status: str, data: dict[str, Any], state: str, amounts: tuple[int, int]
) -> None:
    payment = under_way().report(status, **data).payment
    assert (payment.state, payment.call_id) == (state, None)
    assert (payment.authorized_minor, payment.captured_minor) == amounts


def test_a_sale_that_is_held_first_waits_for_its_capture() -> None:
    scene = selling().report("authorized")
    assert (scene.outcome, scene.payment.state) == (Decision(), "processing")


def test_a_hold_that_the_provider_let_go_of_by_itself_is_gone() -> None:
    assert authorized().report("canceled", reason="authorization_expired").payment.state == "expired"
    assert authorized().report("canceled").payment.state == "canceled"
    assert captured().report("canceled").payment.state == "succeeded"


def test_money_captured_in_the_provider_s_console_is_booked() -> None:
    scene = authorized().report("captured", captured_minor=800)
    assert (scene.payment.state, money(scene)) == ("captured", [("card_captured", 800)])


def test_money_captured_beyond_what_we_ended_is_told_to_finance() -> None:
    scene = authorized().send("capture_requested", amount_minor=500, final=True).answer("call_succeeded")
    scene.report("captured", captured_minor=1999)
    assert (scene.payment.captured_minor, scene.notices) == (500, ["payment.captured_elsewhere"] * 2)


def test_an_old_hold_does_not_come_back_after_its_failure_was_reported() -> None:
    scene = processing().report("failed", provider_reference="auth_1")
    assert scene.payment.state == "requires_payment_method"
    assert scene.report("authorized", provider_reference="auth_1").outcome == Decision()
    assert scene.payment.state == "requires_payment_method"


def test_what_means_nothing_to_us_is_applied_without_effect() -> None:
    scene = debited()
    before = scene.payment
    assert scene.send("unrecognized").outcome == Decision()
    assert scene.payment == before


def test_a_manual_capture_told_first_by_webhook_still_ends_its_hold_by_itself() -> None:
    scene = requires_action().report("captured", captured_minor=500)
    assert (scene.payment.state, scene.payment.capturable_minor) == ("captured", 1499)
    assert scene.time_out("authorization_expiry").payment.state == "succeeded"
    assert scene.send("capture_requested", amount_minor=ABSENT).rejection.reason is Reason.STATE_FORBIDS
