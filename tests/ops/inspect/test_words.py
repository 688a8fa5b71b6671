"""Values as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ops.inspect.words import advice, age, amount, body_text, moment, printable


@pytest.mark.parametrize(
    ("amount_minor", "currency", "said"),
    [
        (199900, "EUR", "1,999.00 EUR"),
        (1, "EUR", "0.01 EUR"),
        (-250, "EUR", "-2.50 EUR"),
        (1500, "JPY", "1,500 JPY"),
        (12345, "KWD", "12.345 KWD"),
        (12345, "CLF", "1.2345 CLF"),
        (7, "XTS", "7 minor units of XTS"),
    ],
)
def test_amounts_have_their_currencys_decimals(amount_minor: int, currency: str, said: str) -> None:
    assert amount(amount_minor, currency) == said


def test_times_say_that_they_are_utc() -> None:
    assert moment(datetime(2026, 11, 23, 10, 0, 5, tzinfo=UTC)) == "2026-11-23 10:00:05 UTC"


@pytest.mark.parametrize(
    ("seconds", "said"), [(-1, "0 s"), (59, "59 s"), (60, "1 min"), (7199, "1 h"), (172_800, "2 d")]
)
def test_ages_are_round(seconds: int, said: str) -> None:
    assert age(timedelta(seconds=seconds)) == said


def test_a_reason_of_an_earlier_version_has_no_advice_but_is_shown() -> None:
    assert advice("invalid_json") == "Send one JSON object in UTF-8."
    assert advice("a_reason_of_old") == "See the detail."


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"a": "\xc3\xa4"}', '{"a": "ä"}'),
        (b"\xff\x00\x01\x02\x03", "not UTF-8, in hexadecimal: ff000102 03"),
        (b"", ""),
    ],
)
def test_bodies_are_text_or_hexadecimal(body: bytes, shown: str) -> None:
    assert body_text(body) == shown


@pytest.mark.parametrize("evil", ["\x1b[2J", "\x07", "a\rb", "\u202eabc", "\x9b31m"])
def test_a_sender_cannot_steer_the_terminal(evil: str) -> None:
    shown = printable(evil)
    assert shown.isprintable()
    assert shown.encode().decode("unicode_escape") == evil
