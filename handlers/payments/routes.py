"""The messages that payments handle: commands and facts, answers of their provider, their timers."""

from __future__ import annotations

from typing import Final

from handlers.needs import FEES, PAYMENT, Route
from handlers.payments.rules.checkout import (
    complete_challenge,
    request_cancellation,
    request_capture,
    request_confirmation,
    request_payment,
)
from handlers.payments.rules.expiry import timer_due
from handlers.payments.rules.provider_results import (
    call_declined,
    call_failed,
    call_succeeded,
    call_unknown,
    challenge_required,
)
from handlers.payments.rules.recorded import defer, miss_collection, record

ROUTES: Final[dict[str, Route]] = {
    "checkout.payment_requested.v1": Route(request_payment, (PAYMENT, FEES)),
    "checkout.confirmation_requested.v1": Route(request_confirmation, (PAYMENT,)),
    "checkout.challenge_completed.v1": Route(complete_challenge, (PAYMENT,)),
    "checkout.capture_requested.v1": Route(request_capture, (PAYMENT,)),
    "checkout.cancellation_requested.v1": Route(request_cancellation, (PAYMENT,)),
    "checkout.payment_recorded.v1": Route(record, (PAYMENT, FEES)),
    "checkout.payment_deferred.v1": Route(defer, (PAYMENT, FEES)),
    "checkout.payment_not_collected.v1": Route(miss_collection, (PAYMENT,)),
}

OPERATIONS: Final = ("authorize", "increase", "capture", "void", "confirm")
"""What payments ask their provider for; the answers come back to them."""

ANSWERS: Final[dict[str, Route]] = {
    "provider.call_succeeded.v1": Route(call_succeeded, (PAYMENT,)),
    "provider.call_declined.v1": Route(call_declined, (PAYMENT,)),
    "provider.challenge_required.v1": Route(challenge_required, (PAYMENT,)),
    "provider.call_unknown.v1": Route(call_unknown, (PAYMENT,)),
    "provider.call_failed.v1": Route(call_failed, (PAYMENT,)),
}

TIMERS: Final[dict[str, Route]] = {
    "authorization_expiry": Route(timer_due, (PAYMENT,)),
    "challenge_expiry": Route(timer_due, (PAYMENT,)),
}
