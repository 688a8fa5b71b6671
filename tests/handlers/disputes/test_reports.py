"""What the provider reports decides state and money: late, early, twice, in parts, in another currency."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any, Final

import pytest

from handlers.decision import Decision
from schemas.reasons import Reason
from tests.handlers.disputes.case import CAPTURED_MINOR, DUE, FEE_MINOR, REFERENCE, Case, paid

Report = tuple[str, float, dict[str, Any]]

ENDS: Final[dict[str, dict[str, int]]] = {
    "won": {"dispute_fee_expense": FEE_MINOR, "processor_receivable": -FEE_MINOR},
    "lost": {
        "merchant_payable": CAPTURED_MINOR + FEE_MINOR,
        "processor_receivable": -CAPTURED_MINOR - FEE_MINOR,
    },
}
"""How a whole dispute ends -> what it leaves in the accounts, debits above zero."""


def after(*reports: Report, case: Case | None = None) -> Case:
    """The end of some reports, in this order."""
    case = case or Case()
    for status, at, data in reports:
        case.report(status, at, **data)
    return case


def test_an_open_dispute_holds_the_money_in_clearing_and_nothing_can_be_refunded() -> None:
    case = Case().report("needs_response")
    assert case.balances == {
        "chargeback_clearing": CAPTURED_MINOR,
        "dispute_fee_expense": FEE_MINOR,
        "processor_receivable": -CAPTURED_MINOR - FEE_MINOR,
    }
    assert case.payment.state == "chargeback_open"
    assert case.payment.disputed_minor == CAPTURED_MINOR
    assert case.payment.refundable_minor == 0
    assert [event.payment_id for event in case.told("dispute.opened.v1")] == [case.payment.payment_id]


def test_a_part_that_is_disputed_holds_all_refunds_back_until_it_is_decided() -> None:
    case = Case().report("needs_response", amount_minor=4000)
    assert (case.payment.disputed_minor, case.payment.refundable_minor) == (4000, 0)
    case.report("lost", 1, amount_minor=4000)
    assert (case.payment.disputed_minor, case.payment.refundable_minor) == (4000, CAPTURED_MINOR - 4000)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_reports_in_any_order_end_in_the_same_state_and_entries(end: str, order: tuple[int, ...]) -> None:
    day: list[Report] = [("needs_response", 0, {}), ("under_review", 1, {}), (end, 2, {})]
    straight = after(*day)
    shuffled = after(*(day[place] for place in order))
    again = after(*(day[place] for place in order), *day, *reversed(day))
    for case in (straight, shuffled, again):
        assert case.dispute.state == end
        assert case.payment.state == f"chargeback_{end}"
        assert case.entries == straight.entries
        assert case.balances == ENDS[end]
        assert case.payment.disputed_minor == (CAPTURED_MINOR if end == "lost" else 0)


def test_an_older_report_is_outdated_and_the_same_again_is_nothing_new() -> None:
    case = Case().report("lost", 2)
    before = case.dispute
    assert case.report("needs_response", 0).rejection.reason is Reason.REPORT_OUTDATED
    assert case.report("lost", 2).outcome == Decision()
    assert case.dispute is before


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("needs_response", {"funds_minor": 0, "fee_minor": 0}), ("needs_response", {})),
        (("needs_response", {}), ("under_review", {})),
        (("under_review", {}), ("won", {})),
        (("won", {"funds_minor": CAPTURED_MINOR}), ("won", {"funds_minor": 0})),
        (("needs_response", {"stage": "inquiry"}), ("needs_response", {})),
        (("won", {}), ("needs_response", {"stage": "second_chargeback"})),
    ],
)
def test_of_one_moment_what_is_later_in_a_dispute_s_life_is_newer(
    first: tuple[str, dict[str, Any]], second: tuple[str, dict[str, Any]]
) -> None:
    straight, reversed_ = Case(), Case()
    for case, said in ((straight, (first, second)), (reversed_, (second, first))):
        for status, data in said:
            case.report(status, **data)
    assert reversed_.rejection.reason is Reason.REPORT_OUTDATED
    assert (straight.dispute.state, straight.dispute.stage) == (
        reversed_.dispute.state,
        reversed_.dispute.stage,
    )
    assert straight.balances == reversed_.balances


def test_an_inquiry_takes_no_money_and_stops_no_refund() -> None:
    case = Case().report("needs_response", stage="inquiry", fee_minor=0)
    assert (case.dispute.state, case.balances, case.payment.state) == ("inquiry", {}, "succeeded")
    assert case.payment.refundable_minor == CAPTURED_MINOR
    assert [told.about for told in case.told("notification.requested.v1")] == ["dispute.inquiry"]


@pytest.mark.parametrize("status", ["lost", "accepted"])
def test_an_inquiry_that_takes_money_is_a_chargeback(status: str) -> None:
    case = Case().report("needs_response", stage="inquiry", fee_minor=0)
    case.report(status, 1, stage="inquiry", funds_minor=CAPTURED_MINOR, fee_minor=0)
    assert (case.dispute.state, case.dispute.stage) == (status, "chargeback")
    assert case.payment.state == "chargeback_lost"
    assert case.balances == {"merchant_payable": CAPTURED_MINOR, "processor_receivable": -CAPTURED_MINOR}


@pytest.mark.parametrize("first", ["won", "lost"])
@pytest.mark.parametrize("second", ["won", "lost"])
def test_a_second_stage_takes_the_money_again(first: str, second: str) -> None:
    again = {"stage": "second_chargeback", "fee_minor": 2 * FEE_MINOR}
    case = after(("needs_response", 0, {}), (first, 1, {}), ("needs_response", 2, again), (second, 3, again))
    assert case.steps.count("escalate") == 1
    assert case.payment.state == f"chargeback_{second}"
    lost_minor = CAPTURED_MINOR if second == "lost" else 0
    assert case.balances["processor_receivable"] == -lost_minor - 2 * FEE_MINOR
    assert "chargeback_clearing" not in case.balances
    overtaken = after(
        ("needs_response", 0, {}), (second, 3, again), ("needs_response", 2, again), (first, 1, {})
    )
    assert (overtaken.dispute.state, overtaken.balances) == (case.dispute.state, case.balances)


def test_expired_by_our_clock_holds_the_money_until_the_provider_says_whose_loss_it_is() -> None:
    case = Case().report("needs_response").time_out("evidence_expiry")
    assert (case.dispute.state, case.payment.state) == ("expired", "chargeback_open")
    assert case.balances["chargeback_clearing"] == CAPTURED_MINOR
    case.report("expired", 300)
    assert (case.dispute.state, case.payment.state) == ("expired", "chargeback_lost")
    assert case.balances == ENDS["lost"]


def test_a_late_report_that_it_is_open_takes_no_answer_and_no_expiry_back() -> None:
    for case in (
        Case().report("needs_response").wait(hours=5).submit().answer(),
        Case().report("needs_response").wait(hours=5).accept().answer(),
        Case().report("needs_response").time_out("evidence_expiry"),
    ):
        before = case.dispute.state
        assert case.report("needs_response", 1).decision.transitions == ()
        assert case.dispute.state is before


def test_a_bank_that_asks_again_after_our_answer_opens_it_again() -> None:
    case = Case().report("needs_response").submit().answer().report("needs_response", 6)
    assert (case.dispute.state, case.steps) == ("opened", ["open", "submit_evidence", "reopen"])


def test_a_dispute_in_another_currency_is_refused() -> None:
    case = Case().report("needs_response", currency="USD")
    assert case.rejection.reason is Reason.CURRENCY_DIFFERS
    assert case.rejection.detail == "currency USD, payment EUR"


def test_a_dispute_of_nothing_is_refused() -> None:
    assert Case().report("needs_response", amount_minor=0).rejection.reason is Reason.AMOUNT_DIFFERS


@pytest.mark.parametrize("data", [{"provider": "stripe"}, {"provider_reference": "auth_2"}])
def test_a_foreign_object_is_refused(data: dict[str, Any]) -> None:
    assert Case().report("needs_response", **data).rejection.reason is Reason.PROVIDER_OBJECT_UNKNOWN


def test_a_dispute_of_another_payment_is_refused() -> None:
    case = Case().report("needs_response")
    case.kept = {key: replace(kept, payment_id=kept.object_id) for key, kept in case.kept.items()}
    assert case.report("won", 1).rejection.reason is Reason.PROVIDER_OBJECT_UNKNOWN


def test_an_unknown_payment_is_waited_for() -> None:
    case = Case()
    known, case.payment = case.payment, None  # type: ignore[assignment] # as the engine finds none
    assert case.report("needs_response").waiting.reason is Reason.PAYMENT_UNKNOWN
    assert case.report("needs_response", order_id=None).waiting.reason is Reason.PROVIDER_OBJECT_UNKNOWN
    case.payment = replace(known, provider_reference=None)
    assert case.report("needs_response").waiting.reason is Reason.PROVIDER_OBJECT_UNKNOWN
    assert known.provider_reference == REFERENCE


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 1999), ("KWD", 12_345), ("CLF", 12_3456)])
def test_minor_units_are_minor_units_in_every_currency(currency: str, minor: int) -> None:
    case = Case(replace(paid(CAPTURED_MINOR), currency=currency, amount_minor=minor, captured_minor=minor))
    case.report("lost", currency=currency, amount_minor=minor, fee_minor=0)
    assert case.balances == {"merchant_payable": minor, "processor_receivable": -minor}
    assert {leg.currency for posting in case.postings for leg in posting.legs} == {currency}


def test_merchant_and_finance_are_told() -> None:
    case = Case().report("needs_response").time_out("evidence_reminder").report("lost", 200)
    told = [(said.audience, said.about, said.act_by) for said in case.told("notification.requested.v1")]
    assert told == [
        ("merchant", "dispute.opened", DUE),
        ("merchant", "dispute.evidence_due", DUE),
        ("finance", "dispute.lost", None),
    ]


def test_the_fee_that_a_provider_returns_is_booked_back() -> None:
    case = after(("needs_response", 0, {}), ("won", 1, {"fee_minor": 0}))
    assert case.balances == {}
