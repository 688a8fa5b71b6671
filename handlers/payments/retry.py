"""When we try a declined payment again by ourselves, as data. Only where no customer waits (`off_session`).

A decline that is not listed is never tried again: the issuer has said so, or only the customer can mend it. Networks
fine merchants who try without regard to the reason.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from schemas.reasons import Reason

if TYPE_CHECKING:
    from handlers.payments.model import Payment


def _hours(*hours: int) -> tuple[timedelta, ...]:
    return tuple(timedelta(hours=hour) for hour in hours)


RETRIES: Final[dict[Reason, tuple[timedelta, ...]]] = {
    Reason.INSUFFICIENT_FUNDS: _hours(72, 120, 168),
    Reason.LIMIT_EXCEEDED: _hours(24, 72),
    Reason.TRY_AGAIN_LATER: _hours(6, 24, 72),
    Reason.ISSUER_UNAVAILABLE: _hours(1, 6, 24),
    Reason.PROVIDER_UNAVAILABLE: _hours(1, 6, 24),
}
"""Reason -> how long after the first, second, ... failure of the payment to try again; then never."""


def retry_after(payment: Payment, reason: Reason) -> timedelta | None:
    """How long to wait before trying the same method again; None when we do not."""
    waits = RETRIES.get(reason, ())
    number = payment.attempts - 1
    if not payment.off_session or payment.method_token is None or not 0 <= number < len(waits):
        return None
    return waits[number]
