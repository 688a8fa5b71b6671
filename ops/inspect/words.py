"""Values as people read them: amounts with their currency's decimals, times in UTC, harmless bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.currencies import format_amount, is_currency
from schemas.reasons import REASONS, Reason

if TYPE_CHECKING:
    from datetime import datetime, timedelta


def amount(amount_minor: int, currency: str) -> str:
    """'1,999.00 EUR'. In minor units, and saying so, for a currency that ISO 4217 does not list."""
    if is_currency(currency):
        return f"{format_amount(int(amount_minor), currency)} {currency}"
    return f"{amount_minor} minor units of {currency}"


def moment(at: datetime) -> str:
    """'2026-11-23 10:00:00 UTC'."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def age(since: timedelta) -> str:
    """'4 s', '12 min', '3 h' or '5 d'."""
    seconds = max(int(since.total_seconds()), 0)
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def advice(reason: str) -> str:
    """What to do about a reason code; a row may hold one that a later version no longer gives."""
    return REASONS[Reason(reason)].action if reason in set(Reason) else "See the detail."


def body_text(body: bytes) -> str:
    """A body to be shown: its text, or its bytes in hexadecimal when it is not UTF-8."""
    try:
        return printable(body.decode())
    except UnicodeDecodeError:
        return f"not UTF-8, in hexadecimal: {body.hex(' ', -4)}"


def printable(text: str) -> str:
    """The text with control characters escaped: a sender has no say over the terminal of who looks at it."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
