"""The table of decline codes against Stripe's published ones, and the amounts that Stripe can and cannot express."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.providers.stripe.currencies import THREE_DECIMAL, UNITS, ZERO_DECIMAL, ZERO_WRITTEN_WITH_TWO
from producers.providers.stripe.declines import DECLINE_REASONS, REFUND_REASONS, decline_reason
from schemas.currencies import MINOR_DIGITS, to_major
from schemas.reasons import Reason

PUBLISHED = Path(__file__).resolve().parents[5] / "shared" / "data" / "codes" / "stripe_decline_codes.csv"
NO_DECLINE = frozenset(Reason) - {*DECLINE_REASONS.values(), *REFUND_REASONS.values()}


def test_every_published_decline_code_has_a_reason() -> None:
    if not PUBLISHED.exists():
        pytest.skip("needs ../shared/data/codes beside the repository")
    with PUBLISHED.open(newline="") as rows:
        codes = {row["code"] for row in csv.DictReader(rows)}
    assert len(codes) == 43
    assert codes <= set(DECLINE_REASONS)


KNOWN = [
    (("insufficient_funds", "card_declined"), (Reason.INSUFFICIENT_FUNDS, "insufficient_funds")),
    (("brand_new", "expired_card"), (Reason.EXPIRED_CARD, "expired_card")),
    (("brand_new", "newer"), (Reason.PROCESSING_DECLINED, "brand_new")),
    ((None, "card_declined"), (Reason.PROCESSING_DECLINED, "card_declined")),
    ((None, None), (Reason.PROCESSING_DECLINED, "")),
]


@pytest.mark.parametrize(("codes", "reason"), KNOWN)
def test_the_first_code_that_is_known_decides(
    codes: tuple[str | None, str | None], reason: tuple[Reason, str]
) -> None:
    assert decline_reason(*codes) == reason


def test_a_refusal_of_ours_is_never_a_decline() -> None:
    assert {Reason.STATE_FORBIDS, Reason.AMOUNT_DIFFERS, Reason.PAYMENT_UNKNOWN} <= NO_DECLINE


AMOUNTS = [
    # (currency, our minor units) -> Stripe's, or None where it cannot say it
    ("EUR", 1_234, 1_234),
    ("HUF", 1_050, 1_050),
    ("JPY", 500, 500),
    ("ISK", 5, 500),
    ("UGX", 5, 500),
    ("MGA", 500, 5),
    ("MGA", 550, None),
    ("KWD", 5_120, 5_120),
    ("KWD", 5_124, None),
    ("IQD", 1_000, None),
    ("CLF", 10_000, None),
    ("UYW", 10_000, None),
    ("UYI", 1, None),
]


@pytest.mark.parametrize(("currency", "ours", "theirs"), AMOUNTS)
def test_an_amount_in_stripes_units(currency: str, ours: int, theirs: int | None) -> None:
    if theirs is None:
        with pytest.raises(ValueError, match=currency):
            UNITS.theirs(ours, currency)
    else:
        assert UNITS.theirs(ours, currency) == theirs
        assert UNITS.ours(theirs, currency) == ours


@given(currency=st.sampled_from(sorted(MINOR_DIGITS)), amount_minor=st.integers(1, 10**15))
def test_an_amount_is_the_same_money_or_refused(currency: str, amount_minor: int) -> None:
    try:
        theirs = UNITS.theirs(amount_minor, currency)
    except ValueError:
        return
    decimals = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    assert to_major(amount_minor, currency) * 10**decimals == theirs
    assert UNITS.ours(theirs, currency) == amount_minor
    if currency in ZERO_WRITTEN_WITH_TWO:
        assert theirs % 100 == 0


@given(currency=st.sampled_from(sorted(UNITS.decimals)), amount=st.integers(0, 10**15))
def test_what_stripe_says_is_read_exactly_or_not_at_all(currency: str, amount: int) -> None:
    try:
        ours = UNITS.ours(amount, currency)
    except ValueError:
        return
    assert to_major(ours, currency) * 10 ** UNITS.decimals[currency] == amount
