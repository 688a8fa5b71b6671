"""Amounts in Adyen's units: the same money, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.providers.adyen.currencies import OTHER_THAN_ISO, UNITS
from producers.providers.adyen.refusals import REFUSALS, by_code, by_words
from schemas.currencies import MINOR_DIGITS, to_major

AMOUNTS = [
    # (currency, our minor units) -> Adyen's, or None where it cannot say it
    ("EUR", 1_234, 1_234),
    ("JPY", 500, 500),
    ("KWD", 1_005, 1_005),
    ("CLP", 10, 1_000),
    ("ISK", 10, 1_000),
    ("CVE", 1_000, 10),
    ("CVE", 1_050, None),
    ("IDR", 1_000, 10),
    ("IDR", 1_001, None),
    ("CLF", 10_000, None),
    ("UYW", 10_000, None),
]


@pytest.mark.parametrize(("currency", "ours", "theirs"), AMOUNTS)
def test_an_amount_in_adyens_units(currency: str, ours: int, theirs: int | None) -> None:
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
        assert currency in {"CVE", "IDR", "CLF", "UYW"}
        return
    decimals = OTHER_THAN_ISO.get(currency, MINOR_DIGITS[currency])
    assert to_major(amount_minor, currency) * 10**decimals == theirs
    assert UNITS.ours(theirs, currency) == amount_minor


def test_a_refusal_is_the_same_by_its_code_and_by_its_words() -> None:
    assert {code: by_words(words) for code, (words, _) in REFUSALS.items()} == {
        code: by_code(code) for code in REFUSALS
    }
