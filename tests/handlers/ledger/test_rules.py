"""Law 1 where entries are made: what does not balance is never posted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, get_args

import pytest

from handlers.ledger.model import CHART, CREDIT, DEBIT, AccountType, Code, PostingRule, RuleLeg
from handlers.ledger.rules import UnbalancedPostingError, post
from handlers.payments.postings import PAYMENT_TAKEN
from schemas.checkout import Collection

NOW: Final = datetime(2026, 11, 23, 10, tzinfo=UTC)
RULE: Final = PostingRule(
    "sale",
    "Somebody owes us the gross, we owe the net and keep the fee.",
    (
        RuleLeg(DEBIT, Code.PROCESSOR_RECEIVABLE, "holder", "gross"),
        RuleLeg(CREDIT, Code.MERCHANT_PAYABLE, "merchant", "net"),
        RuleLeg(CREDIT, Code.PLATFORM_FEE_REVENUE, "platform", "fee"),
    ),
)
OWNERS: Final = {"holder": "sandbox", "merchant": "shoes", "platform": "acme"}


def legs(gross: int, net: int, fee: int) -> list[tuple[str, str, str, int, str]]:
    """The legs of a sale."""
    posting = post(
        RULE,
        object_type="payment",
        object_id="p-1",
        currency="EUR",
        effective_at=NOW,
        owners=OWNERS,
        amounts={"gross": gross, "net": net, "fee": fee},
    )
    return [(leg.side, leg.account, leg.owner, leg.amount_minor, leg.currency) for leg in posting.legs]


def test_amounts_are_booked_where_the_rule_says() -> None:
    assert legs(1000, 950, 50) == [
        ("debit", "processor_receivable", "sandbox", 1000, "EUR"),
        ("credit", "merchant_payable", "shoes", 950, "EUR"),
        ("credit", "platform_fee_revenue", "acme", 50, "EUR"),
    ]


@pytest.mark.parametrize(("gross", "net", "fee", "booked"), [(1000, 1000, 0, 2), (50, 0, 50, 2)])
def test_a_leg_of_zero_is_left_out(gross: int, net: int, fee: int, booked: int) -> None:
    assert len(legs(gross, net, fee)) == booked


@pytest.mark.parametrize(
    ("gross", "net", "fee", "why"),
    [
        (1000, 950, 51, "debits exceed credits by -1 EUR"),
        (1000, 950, 49, "debits exceed credits by 1 EUR"),
        (1000, 1050, -50, "fee is negative"),
        (-1000, -950, -50, "gross is negative"),
        (0, 0, 0, "debits exceed credits by 0 EUR"),
    ],
)
def test_what_does_not_balance_or_moves_nothing_is_a_bug(gross: int, net: int, fee: int, why: str) -> None:
    with pytest.raises(UnbalancedPostingError, match=why):
        legs(gross, net, fee)


def test_every_account_of_a_rule_is_in_the_chart() -> None:
    assert set(CHART) == set(Code)
    assert {leg.code for rule in PAYMENT_TAKEN.values() for leg in rule.legs} <= set(CHART)


@pytest.mark.parametrize(
    ("account_type", "side"),
    [("asset", DEBIT), ("expense", DEBIT), ("liability", CREDIT), ("equity", CREDIT), ("revenue", CREDIT)],
)
def test_an_account_grows_on_its_normal_side(account_type: str, side: str) -> None:
    assert AccountType(account_type).normal_side == side


# fmt: off
RECEIVABLES: Final = {
    "card":             ("card_captured",     Code.PROCESSOR_RECEIVABLE),
    "cash_on_delivery": ("cash_collected",    Code.CARRIER_RECEIVABLE),
    "point_of_sale":    ("terminal_sale",     Code.TERMINAL_RECEIVABLE),
    "bank_transfer":    ("transfer_received", Code.BANK_CLEARING),
    "bank_debit":       ("debit_collected",   Code.DEBIT_RECEIVABLE),
}
# fmt: on


def test_every_method_has_a_rule_that_names_who_owes_us() -> None:
    named = {method: (rule.name, rule.legs[0].code) for method, rule in PAYMENT_TAKEN.items()}
    assert named == RECEIVABLES
    assert set(RECEIVABLES) == {"card", "bank_debit", *get_args(Collection)}


@pytest.mark.parametrize("method", RECEIVABLES)
def test_whoever_owes_us_the_gross_we_owe_the_net_and_keep_the_fee(method: str) -> None:
    assert [(leg.side, leg.code, leg.amount) for leg in PAYMENT_TAKEN[method].legs] == [
        (DEBIT, RECEIVABLES[method][1], "gross"),
        (CREDIT, Code.MERCHANT_PAYABLE, "net"),
        (CREDIT, Code.PLATFORM_FEE_REVENUE, "fee"),
    ]
