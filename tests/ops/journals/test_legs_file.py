"""Files of legs as spreadsheets and people make them: what is read, and what is refused, by line and column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.desk.amounts import AmountError, minor_of, whole_minor_of
from ops.journals.legs_file import MAX_FILE_BYTES, LegsFileError, legs_of, read_legs
from ops.journals.parts import PART_LEGS, parts_of, rows_of
from schemas.actor import Actor
from schemas.currencies import format_amount
from schemas.envelope import MAX_MESSAGE_BYTES
from schemas.journal import MAX_PARTS, LegData
from schemas.money import MAX_AMOUNT_MINOR

if TYPE_CHECKING:
    from pathlib import Path

FINANCE: Final = Actor(id="ada", role="finance")
HEADER: Final = "account,owner,side,amount,currency"
GOOD: Final = "suspense,stripe,debit,1234.56,EUR"


def legs(text: str | bytes, header: str = HEADER, actor: Actor = FINANCE) -> list[LegData]:
    """The legs of a file; of text, below a header."""
    raw = text if isinstance(text, bytes) else f"{header}\n{text}\n".encode()
    return legs_of(raw, actor)


def problems(text: str | bytes, header: str = HEADER, actor: Actor = FINANCE) -> list[str]:
    """What is wrong with it."""
    with pytest.raises(LegsFileError) as raised:
        legs(text, header, actor)
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize(
    "raw",
    [
        f"{HEADER}\n{GOOD}\n",
        f"\ufeff{HEADER}\r\n{GOOD}\r\n",
        f"{HEADER}\r{GOOD}\r",
        f"{HEADER}\n{GOOD}",
        f"\n{HEADER}\n\n{GOOD}\n,,,,\n",
        "Account , OWNER,side,amount,currency\n suspense,stripe ,DEBIT, 1234.56 ,EUR",
        '"account","owner","side","amount","currency"\n"suspense","stripe","debit","1234.56","EUR"',
        f"{HEADER}\n{GOOD}\n".replace(",", ";"),
        "currency,amount_minor,side,owner,account\nEUR,123456,debit,stripe,suspense",
    ],
)
def test_what_spreadsheets_save_is_read(raw: str) -> None:
    (leg,) = legs(raw.encode())
    assert leg == LegData(
        side="debit", account="suspense", owner="stripe", amount_minor=123456, currency="EUR"
    )


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("5", "JPY", 5),
        ("0.01", "EUR", 1),
        ("1.5", "EUR", 150),
        ("0001.50", "EUR", 150),
        ("1.234", "BHD", 1234),
        ("0.0001", "CLF", 1),
        ("1.2345", "UYW", 12345),
        ("10000000000000.00", "EUR", MAX_AMOUNT_MINOR),
    ],
)
def test_amounts_have_their_currency_s_decimals(text: str, currency: str, minor: int) -> None:
    assert minor_of(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "why"),
    [
        ("1.0", "JPY", "has more decimals than JPY, which has none"),
        ("1.005", "EUR", "has more decimals than EUR, which has 2"),
        ("1.000", "EUR", "has more decimals than EUR, which has 2"),
        ("1.0000", "BHD", "has more decimals than BHD, which has 3"),
        ("1.00000", "CLF", "has more decimals than CLF, which has 4"),
        ("1,234.56", "EUR", "no thousands separators"),
        ("1.234,56", "EUR", "no thousands separators"),
        ("1 234.56", "EUR", "no thousands separators"),
        ("1\u00a0234.56", "EUR", "no thousands separators"),
        ("1'234.56", "EUR", "no thousands separators"),
        ("12,5", "EUR", "a point before the decimals"),
        ("1.23E+05", "EUR", "rounded by a spreadsheet"),
        ("1e5", "EUR", "rounded by a spreadsheet"),
        ("=A1+A2", "EUR", "is a formula"),
        ("-5.00", "EUR", "is negative"),
        ("(5.00)", "EUR", "is negative"),
        ("\u22125", "EUR", "is negative"),
        ("0.00", "EUR", "is zero"),
        ("", "EUR", "is missing"),
        ("NaN", "EUR", "no plain decimal"),
        ("inf", "EUR", "no plain decimal"),
        ("0x10", "EUR", "no plain decimal"),
        ("1_000", "EUR", "no plain decimal"),
        ("\uff11\uff12", "EUR", "no plain decimal"),
        ("5.", "EUR", "no plain decimal"),
        (".5", "EUR", "no plain decimal"),
        ("+5", "EUR", "no plain decimal"),
        ("5 EUR", "EUR", "no plain decimal"),
        ("10000000000000.01", "EUR", "is above 1000000000000000 minor units"),
        ("9" * 400, "EUR", "no plain decimal"),
    ],
)
def test_what_is_no_exact_amount_is_refused_with_how_to_write_it(text: str, currency: str, why: str) -> None:
    with pytest.raises(AmountError) as raised:
        minor_of(text, currency)
    assert why in str(raised.value)
    assert len(str(raised.value)) < 200


@given(st.integers(1, MAX_AMOUNT_MINOR), st.sampled_from(["JPY", "EUR", "BHD", "CLF"]))
def test_what_is_shown_without_separators_is_read_back_exactly(minor: int, currency: str) -> None:
    assert minor_of(format_amount(minor, currency).replace(",", ""), currency) == minor
    assert whole_minor_of(str(minor)) == minor


@given(st.text(max_size=30))
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        minor = minor_of(text, "EUR")
    except AmountError:
        return
    assert 0 < minor <= MAX_AMOUNT_MINOR


def test_minor_units_are_whole() -> None:
    header = "account,owner,side,amount_minor,currency"
    assert (
        "line 2, amount_minor: '10.5' is no whole number" in problems("suspense,s,debit,10.5,EUR", header)[0]
    )


def test_everything_that_is_wrong_is_told_at_once_by_line_and_column() -> None:
    rows = [
        GOOD,
        "bank,main,credit,10.00,EUR",
        "refund_clearing,main,soll,1.5,JPY",
        "suspense,,credit,10.00,EURO",
        "suspense,=cmd(),credit,10.00,EUR",
        "suspense,two words,credit,10.00,EUR",
        "suspense,4242424242424242,credit,10.00,EUR",
        "suspense,main,credit,10.00",
    ]
    told = problems("\n".join(rows))
    assert told == [
        "line 3, account: account bank is not in the chart; see `counterfoil chart`",
        "line 4, account: account refund_clearing takes journals of nobody, not of finance; see `counterfoil chart`",
        "line 4, side: is debit or credit",
        "line 4, amount: '1.5' has more decimals than JPY, which has none",
        "line 5, owner: is missing",
        "line 5, currency: 'EURO' is no active ISO 4217 currency",
        "line 6, owner: '=cmd()' begins like a formula of a spreadsheet",
        "line 7, owner: has 1 to 128 printable ASCII characters and no space",
        "line 8, owner: looks like a card number; send the provider's token instead",
        "line 9: has 4 fields, the header 5",
    ]
    assert not any("4242424242424242" in one for one in told)


def test_an_account_that_the_role_may_not_post_to_is_told() -> None:
    manager = Actor(id="mia", role="manager")
    assert "takes journals of finance or system, not of manager" in problems(GOOD, actor=manager)[0]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "line 1, account: is missing in the header"),
        (
            b"account,owner,side,amount,amount_minor,currency\n",
            "one of amount and amount_minor, and not both",
        ),
        (b"account,owner,side,currency\n", "one of amount and amount_minor, and not both"),
        (b"account,owner,owner,side,amount,currency\n", "line 1, owner: is twice in the header"),
        (b"account,owner,side,amount,currency,acct\n", "column 6, 'acct', is none of account"),
        (b"account,owner,side,amount,currency\n", "there is no leg below the header"),
        (b"\xff\xfea\x00", "the file is UTF-16"),
        (b"PK\x03\x04rest", "this is a workbook"),
        (
            HEADER.encode() + b"\nsuspense,stripe,debit,1,EUR\nsuspense,K\xf6ln,debit,1,EUR\n",
            "line 3: is not UTF-8",
        ),
        (HEADER.encode() + b'\nsuspense,"stripe,debit,1,EUR\n', "line 2: is not CSV"),
        (HEADER.encode() + b"\nsuspense,a\x00b,debit,1,EUR\n", "line 2, owner: has 1 to 128 printable"),
        (
            HEADER.encode() + b"\nsuspense," + 200_000 * b"x" + b",debit,1,EUR\n",
            "line 2: is not CSV: field larger",
        ),
    ],
)
def test_a_file_that_is_no_table_of_legs_is_refused(raw: bytes, why: str) -> None:
    assert why in problems(raw)[0]


def test_a_line_is_counted_where_its_record_begins() -> None:
    assert problems('suspense,"two\nlines",debit,1,EUR\nsuspense,s,debit,x,EUR')[1].startswith(
        "line 4, amount"
    )


def test_ten_thousand_legs_are_read_and_one_more_is_not() -> None:
    most = "\n".join([GOOD] * 10_000)
    assert len(legs(most)) == 10_000
    assert problems(f"{most}\n{GOOD}") == ["line 10002: more than 10,000 legs; make several journals of them"]


def test_thousands_of_problems_are_told_in_a_screenful() -> None:
    with pytest.raises(LegsFileError) as raised:
        legs("\n".join(["no,such,account,1,EUR"] * 10_000))
    told = str(raised.value).splitlines()
    assert (len(told), told[-1]) == (21, "and 19,980 more")


def test_a_huge_file_is_not_read_and_a_missing_one_is_named(tmp_path: Path) -> None:
    huge = tmp_path / "huge.csv"
    with huge.open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(LegsFileError, match="larger than"):
        read_legs(huge, FINANCE)
    with pytest.raises(LegsFileError, match="No such file"):
        read_legs(tmp_path / "none.csv", FINANCE)


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_whatever_they_are(raw: bytes) -> None:
    with pytest.raises(LegsFileError) as raised:
        legs_of(raw, FINANCE)
    assert raised.value.problems


def test_the_largest_journal_is_split_into_parts_that_messages_can_hold() -> None:
    longest = LegData(
        side="credit", account="s" * 128, owner="\\" * 128, amount_minor=MAX_AMOUNT_MINOR, currency="EUR"
    )
    rows = rows_of([longest] * 10_000)
    parts = parts_of(rows)
    assert [row for part in parts for row in part] == rows
    assert len(parts) <= MAX_PARTS
    assert max(len(orjson.dumps(part)) for part in parts) < MAX_MESSAGE_BYTES - 50_000
    short = rows_of(legs("\n".join([GOOD] * 7000)))
    assert max(map(len, parts_of(short))) <= PART_LEGS
