"""Currencies against ISO 4217 as another project publishes it, and what people read."""

from __future__ import annotations

import csv
import json
import re
from decimal import Decimal
from typing import Final

import pytest

from schemas.currencies import MINOR_DIGITS, format_amount, is_currency, to_major, to_minor
from tests.schemas.vectors import vectors

NO_MONEY: Final = {
    "XAG": "silver",
    "XAU": "gold",
    "XPD": "palladium",
    "XPT": "platinum",
    "XBA": "bond unit EURCO",
    "XBB": "bond unit EMU-6",
    "XBC": "bond unit EUA 9",
    "XBD": "bond unit EUA 17",
    "XDR": "drawing rights",
    "XSU": "Sucre",
    "XUA": "ADB unit",
    "XTS": "for testing",
    "XXX": "no currency",
}
"""Active codes without a minor unit: money cannot be counted in them."""

LEFT: Final = {"ANG": 2, "BGN": 2, "CUC": 2}
"""In the table of 2024-06-25, withdrawn since."""

JOINED: Final = {"XAD": 2, "XCG": 2}
"""Not in that table yet."""


def test_minor_units_are_those_of_iso_4217() -> None:
    with vectors("currency/iso4217_codes-all.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["AlphabeticCode"] and not row["WithdrawalDate"]]
    units = {row["AlphabeticCode"]: row["MinorUnit"] for row in rows}
    assert {code for code, digits in units.items() if digits == "-"} == set(NO_MONEY)
    assert {code: int(digits) for code, digits in units.items() if digits != "-"} == MINOR_DIGITS


def test_what_changed_since_the_table_of_2024_is_known() -> None:
    text = vectors("currency/iso4217_table_a1.xml").read_text(encoding="utf-8")
    units = dict(re.findall(r"<Ccy>(\w{3})</Ccy>.*?<CcyMnrUnts>([^<]+)</CcyMnrUnts>", text, re.DOTALL))
    then = {code: int(digits) for code, digits in units.items() if digits != "N.A."}
    assert then | JOINED == MINOR_DIGITS | LEFT


def test_where_a_popular_table_differs_from_iso_we_follow_iso() -> None:
    theirs = json.loads(vectors("currency/rubymoney_currency_iso.json").read_text(encoding="utf-8"))
    ratios = {row["iso_code"]: row["subunit_to_unit"] for row in theirs.values()}
    differ = {
        code for code, ratio in ratios.items() if code in MINOR_DIGITS and ratio != 10 ** MINOR_DIGITS[code]
    }
    assert differ == {"HUF", "MGA", "MRU"}
    assert [MINOR_DIGITS[code] for code in sorted(differ)] == [2, 2, 2]


@pytest.mark.parametrize("code", ["", "eur", "EU", "EURO", "DEM", "BTC", *NO_MONEY, *LEFT])
def test_is_no_currency_that_money_is_held_in(code: str) -> None:
    assert not is_currency(code)


# fmt: off
AMOUNTS: Final = [
    (123_456, "EUR", "1234.56", "1,234.56"),
    (123_456, "JPY", "123456", "123,456"),
    (123_456, "KWD", "123.456", "123.456"),
    (123_456, "CLF", "12.3456", "12.3456"),
    (-5, "USD", "-0.05", "-0.05"),
    (0, "USD", "0.00", "0.00"),
    (10**15, "USD", "10000000000000.00", "10,000,000,000,000.00"),
]
# fmt: on


@pytest.mark.parametrize(("amount_minor", "currency", "major", "text"), AMOUNTS)
def test_an_amount_in_major_units_and_as_people_read_it(
    amount_minor: int, currency: str, major: str, text: str
) -> None:
    assert to_major(amount_minor, currency) == Decimal(major)
    assert to_minor(Decimal(major), currency) == amount_minor
    assert format_amount(amount_minor, currency) == text


@pytest.mark.parametrize(
    ("major", "currency"), [("0.5", "JPY"), ("1.005", "EUR"), ("0.00001", "CLF"), ("NaN", "EUR")]
)
def test_what_has_no_whole_minor_units_is_refused(major: str, currency: str) -> None:
    with pytest.raises(ValueError, match="has more decimals than"):
        to_minor(Decimal(major), currency)
