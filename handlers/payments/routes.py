"""The messages that payments handle: commands and facts, answers of their provider, its webhooks, their timers."""

from __future__ import annotations

from typing import Final

from handlers.needs import FEES, PAYMENT, REPORTED_PAYMENT, Route
from handlers.payments.rules.checkout import complete_challenge, request_confirmation, request_payment
from handlers.payments.rules.expiry import timer_due
from handlers.payments.rules.holds import request_cancellation, request_capture, request_increase
from handlers.payments.rules.outcome import decide
from handlers.payments.rules.provider_results import (
    call_declined,
    call_failed,
    call_pending,
    call_succeeded,
    call_unknown,
    challenge_required,
)
from handlers.payments.rules.recorded import defer, miss_collection, record
from handlers.payments.rules.webhooks import payment_reported, unrecognized

ROUTES: Final[dict[str, Route]] = {
    "checkout.payment_requested.v1": Route(request_payment, (PAYMENT, FEES)),
    "checkout.confirmation_requested.v1": Route(request_confirmation, (PAYMENT,)),
    "checkout.challenge_completed.v1": Route(complete_challenge, (PAYMENT,)),
    "checkout.capture_requested.v1": Route(request_capture, (PAYMENT,)),
    "checkout.authorization_increase_requested.v1": Route(request_increase, (PAYMENT,)),
    "checkout.cancellation_requested.v1": Route(request_cancellation, (PAYMENT,)),
    "checkout.outcome_decided.v1": Route(decide, (PAYMENT,)),
    "checkout.payment_recorded.v1": Route(record, (PAYMENT, FEES)),
    "checkout.payment_deferred.v1": Route(defer, (PAYMENT, FEES)),
    "checkout.payment_not_collected.v1": Route(miss_collection, (PAYMENT,)),
    "webhook.payment_reported.v1": Route(payment_reported, (REPORTED_PAYMENT,)),
    "webhook.unrecognized.v1": Route(unrecognized, ()),
}

OPERATIONS: Final = ("authorize", "increase", "capture", "void", "confirm", "refund")
"""What payments ask their provider for; the answers come back to them.

A `refund` is theirs when it gives back a late success: its call is then the payment's own. Other refunds have an
object of their own, and a context of their own.
"""

ANSWERS: Final[dict[str, Route]] = {
    "provider.call_succeeded.v1": Route(call_succeeded, (PAYMENT,)),
    "provider.call_declined.v1": Route(call_declined, (PAYMENT,)),
    "provider.challenge_required.v1": Route(challenge_required, (PAYMENT,)),
    "provider.call_pending.v1": Route(call_pending, (PAYMENT,)),
    "provider.call_unknown.v1": Route(call_unknown, (PAYMENT,)),
    "provider.call_failed.v1": Route(call_failed, (PAYMENT,)),
}

TIMERS: Final[dict[str, Route]] = dict.fromkeys(
    (
        "authorization_expiring",
        "authorization_expiry",
        "challenge_expiry",
        "confirmation_retry",
        "outcome_deadline",
        "pending_check",
    ),
    Route(timer_due, (PAYMENT,)),
)
