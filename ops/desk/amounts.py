"""Amounts as people write them: decimal text of a currency, exact, and nothing that could mean two things."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from schemas.currencies import MINOR_DIGITS, to_minor
from schemas.money import MAX_AMOUNT_MINOR

_PLAIN: Final = re.compile(r"[0-9]{1,18}([.][0-9]{1,18})?")
_WHOLE: Final = re.compile(r"[0-9]{1,18}")
_GROUPED: Final = re.compile(r"[0-9]{1,3}([ ,.'\u00a0\u202f][0-9]{3})+([.,][0-9]*)?")
_EXPONENT: Final = re.compile(r"[+-]?[0-9.,]+[eE][+-]?[0-9]+")
_SHOWN: Final = 40


class AmountError(ValueError):
    """The text is no amount; the message quotes it and says how to write it."""


def minor_of(text: str, currency: str) -> int:
    """'1234.5' EUR -> 123450. As many decimals as the currency has at most; above zero.

    "1.000" is one thousand to some and one to others, so it is refused wherever the currency has fewer decimals.

    Raises:
        AmountError: it is anything else.
    """
    if _PLAIN.fullmatch(text) is None:
        raise AmountError(_not_plain(text))
    digits = MINOR_DIGITS[currency]
    decimals = len(text.partition(".")[2])
    if decimals > digits:
        raise AmountError(f"{_quoted(text)} has more decimals than {currency}, which has {digits or 'none'}")
    return _bounded(to_minor(Decimal(text), currency), text)


def whole_minor_of(text: str) -> int:
    """'123450' -> 123450, minor units; above zero.

    Raises:
        AmountError: it is anything else.
    """
    if _WHOLE.fullmatch(text) is None:
        if _PLAIN.fullmatch(text) is not None:
            raise AmountError(f"{_quoted(text)} is no whole number of minor units; put decimals under amount")
        raise AmountError(_not_plain(text))
    return _bounded(int(text), text)


def _bounded(amount_minor: int, text: str) -> int:
    if amount_minor == 0:
        raise AmountError("is zero; leave the leg out")
    if amount_minor > MAX_AMOUNT_MINOR:
        raise AmountError(f"{_quoted(text)} is above {MAX_AMOUNT_MINOR} minor units")
    return amount_minor


def _not_plain(text: str) -> str:
    if not text:
        return "is missing"
    if text.startswith("="):
        return f"{_quoted(text)} is a formula; save the sheet with its values"
    if text[0] in "-(\u2212" and any(char.isdigit() for char in text):
        return f"{_quoted(text)} is negative; write the amount without a sign on the other side"
    if _EXPONENT.fullmatch(text) is not None:
        return f"{_quoted(text)} was rounded by a spreadsheet; format the column as text or with its decimals"
    if _GROUPED.fullmatch(text) is not None or "," in text:
        return f"{_quoted(text)}: write no thousands separators, and a point before the decimals: 1234.56"
    return f"{_quoted(text)} is no plain decimal number like 1234.56"


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
