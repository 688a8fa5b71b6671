"""Several disputes of one payment, and disputes of money that was refunded: law 7, and whose loss it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from handlers.disputes.policy import POLICY, Policy
from handlers.disputes.register import read_register
from handlers.disputes.rules.settling import Change, settle
from handlers.disputes.states import Standing
from tests.handlers.disputes.case import CAPTURED_MINOR, NOW, Case, paid

A: Final[dict[str, Any]] = {"dispute_reference": "dp_a", "amount_minor": 6000, "fee_minor": 0}
B: Final[dict[str, Any]] = {"dispute_reference": "dp_b", "amount_minor": 3000, "fee_minor": 0}


@pytest.mark.parametrize(
    ("ends", "state"),
    [
        (("needs_response", "won"), "chargeback_open"),
        (("needs_response", "lost"), "chargeback_open"),
        (("won", "lost"), "chargeback_lost"),
        (("lost", "won"), "chargeback_lost"),
        (("won", "won"), "chargeback_won"),
        (("lost", "lost"), "chargeback_lost"),
    ],
)
@pytest.mark.parametrize("first", [0, 1])
def test_open_comes_before_lost_before_won(ends: tuple[str, str], state: str, first: int) -> None:
    case = Case()
    disputes = ((A, ends[0]), (B, ends[1]))
    for data, _ in disputes:
        case.report("needs_response", **data)
    for data, end in (disputes[first], disputes[1 - first]):
        case.report(end, 1, **data)
    assert case.payment.state == state
    held = [data["amount_minor"] for data, end in disputes if end != "won"]
    assert case.payment.disputed_minor == sum(held)
    assert read_register(case.payment).disputed_minor == case.payment.disputed_minor


def refunded(minor: int, refunding_minor: int = 0) -> Case:
    """A payment of which so much was given back."""
    return Case(replace(paid(), refunded_minor=minor, refunding_minor=refunding_minor))


@pytest.mark.parametrize(
    ("refunded_minor", "refunding_minor", "suspense_minor"),
    [(0, 0, 0), (4000, 0, 0), (4001, 0, 1), (7000, 0, 3000), (0, 5000, 1000), (CAPTURED_MINOR, 0, 6000)],
)
def test_a_loss_beyond_what_the_payment_has_left_is_suspense_and_no_merchant_s(
    refunded_minor: int, refunding_minor: int, suspense_minor: int
) -> None:
    case = refunded(refunded_minor, refunding_minor).report("needs_response", **A).report("lost", 1, **A)
    assert case.find("dp_a").state == "lost"
    assert case.balances.get("suspense", 0) == suspense_minor
    charged_minor = case.balances.get("merchant_payable", 0)
    assert charged_minor == 6000 - suspense_minor
    assert refunded_minor + refunding_minor + charged_minor <= CAPTURED_MINOR
    assert read_register(case.payment).suspense_minor == suspense_minor
    assert ("suspense" in case.told("notification.requested.v1")[-1].detail) == bool(suspense_minor)


def test_suspense_is_cleared_when_another_dispute_makes_room() -> None:
    both = {**B, "amount_minor": 7000}
    case = Case().report("lost", **A).report("lost", **both)
    assert case.balances["suspense"] == 3000
    case.report("won", 1, stage="second_chargeback", **A)
    assert case.balances == {"merchant_payable": 7000, "processor_receivable": -7000}


def test_a_refund_that_failed_meanwhile_makes_room_at_the_next_report() -> None:
    case = refunded(0, 5000).report("lost", **A)
    assert case.balances["suspense"] == 1000
    case.payment = replace(case.payment, refunding_minor=0)
    case.report("lost", 1, **A)
    assert case.balances == {"merchant_payable": 6000, "processor_receivable": -6000}


def test_a_refund_that_grew_meanwhile_takes_room_at_the_next_report() -> None:
    case = Case().report("lost", **A)
    case.payment = replace(case.payment, refunded_minor=5000)
    case.report("lost", 1, **A)
    assert case.balances["suspense"] == 1000


def test_what_the_provider_takes_beyond_the_dispute_is_suspense() -> None:
    case = Case().report("lost", funds_minor=6500, **A)
    assert case.balances == {"merchant_payable": 6000, "suspense": 500, "processor_receivable": -6500}


@pytest.mark.parametrize("state", ["captured", "failed", "canceled"])
def test_a_payment_that_cannot_be_charged_back_by_its_table_is_booked_all_the_same(state: str) -> None:
    payment = replace(paid(), state=type(paid().state)(state))
    case = Case(payment).report("needs_response", **A)
    assert case.payment.state == state
    assert case.payment.disputed_minor == 6000
    assert case.balances["chargeback_clearing"] == 6000
    assert [event.type for event in case.events].count(f"payment.{state}.v1") == 1
    case.payment = replace(case.payment, state=type(payment.state)("succeeded"))
    case.report("lost", 1, **A)
    assert case.payment.state == "chargeback_lost"


def test_a_shop_s_metadata_is_left_alone() -> None:
    case = Case()
    before = dict(case.payment.metadata)
    case.report("needs_response")
    assert before.items() < case.payment.metadata.items()
    case.report("needs_response", 1, stage="inquiry")
    assert before.items() < case.payment.metadata.items()


@pytest.mark.parametrize(
    ("platform_fee", "bearer", "merchant_minor"),
    [("keep", "platform", 5000), ("keep", "merchant", 5700), ("return_proportionally", "platform", 4863)],
)
def test_who_bears_the_fees_is_policy(platform_fee: str, bearer: str, merchant_minor: int) -> None:
    case = Case()
    assert case.payment.fee_minor == 275
    lost = Case().report("lost", amount_minor=5000, fee_minor=700).dispute
    policy = Policy({**POLICY.fee_borne_by, Standing.LOST: bearer}, platform_fee)  # type: ignore[arg-type,dict-item]
    change = Change(None, replace(lost, fee_passed_minor=0), opened=True, new_stage=True, effective_at=NOW)
    case.postings += settle(case.payment, change, NOW, policy).postings
    # half of the payment is lost: of the fee of 275, 137 go back, rounded down
    assert case.balances["merchant_payable"] == merchant_minor
    assert sum(case.balances.values()) == 0
