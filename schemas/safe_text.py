"""Text that a caller may send: short, and without a card number in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from schemas.envelope import Identifier, ShortText

_DIGIT_RUN: Final = re.compile(r"\d(?:[ -]?\d){12,}")
_GROUP: Final = re.compile(r"\d+")
_LENGTHS: Final = range(13, 20)
_FIRST_DIGITS: Final = range(2, 7)
_NINE: Final = 9
MOST_GROUPS: Final = 7
"""Into which people part a card number."""


def card_numbers(text: str) -> list[tuple[int, int]]:
    """Where `text` holds what looks like a card number (ISO/IEC 7812-1): its first and the place after its last digit.

    13 to 19 digits that begin with 2 to 6 and pass the Luhn check. They may be parted by a space or a hyphen, also
    from digits that do not belong to them: an expiry date behind the number does not hide it.
    """
    return [span for run in _DIGIT_RUN.finditer(text) for span in _within(text, run)]


def holds_card_number(text: str) -> bool:
    """Whether `text` holds what looks like a card number."""
    return _DIGIT_RUN.search(text) is not None and bool(card_numbers(text))


def _within(text: str, run: re.Match[str]) -> Iterator[tuple[int, int]]:
    """The numbers in a run of digits, of at most MOST_GROUPS groups each, so that no text takes long."""
    groups = [group.span() for group in _GROUP.finditer(text, *run.span())]
    for first, (start, _) in enumerate(groups):
        if int(text[start]) not in _FIRST_DIGITS:
            continue
        length = 0
        for group_start, end in groups[first : first + MOST_GROUPS]:
            length += end - group_start
            if length >= _LENGTHS.stop:
                break
            if length in _LENGTHS and _luhn(re.sub(r"\D", "", text[start:end])):
                yield start, end


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(value - _NINE if value > _NINE else value for value in doubled) % 10 == 0


def _no_card_number(text: str) -> str:
    if holds_card_number(text):
        msg = "looks like a card number; send the provider's token instead"
        raise ValueError(msg)
    return text


SafeText = Annotated[ShortText, AfterValidator(_no_card_number)]
SafeName = Annotated[Identifier, AfterValidator(_no_card_number)]
Metadata = Annotated[dict[SafeName, SafeText], Field(max_length=20)]
