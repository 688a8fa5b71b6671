"""What Stripe's errors, and no answer at all, say about money.

Source: https://docs.stripe.com/api/errors, https://docs.stripe.com/error-low-level and
https://docs.stripe.com/api/idempotent_requests. The SDK's exceptions only carry what came; the tables decide.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import httpx
import stripe

from producers.providers.base import Ambiguous, Declined, Refused, Transient
from producers.providers.classification import Meaning, meaning, transport_failure
from producers.providers.stripe.declines import decline_reason

if TYPE_CHECKING:
    from producers.providers.base import ProviderAnswer

SDK_STUMBLES: Final = (AttributeError, KeyError, TypeError, ValueError)
"""What the SDK raises, beside its own errors, when an answer is JSON but not of Stripe's shape."""
SAME_KEY_UNDER_WAY: Final = 409
"""Another request with this idempotency key has not ended yet: ours of before, so its effect is still to come."""
MOST_DETAIL: Final = 300


def failure(error: Exception) -> ProviderAnswer:
    """The answer that an exception of the SDK stands for."""
    if isinstance(error, stripe.APIConnectionError) and isinstance(error.__cause__, httpx.RequestError):
        return transport_failure(error.__cause__)
    if not isinstance(error, stripe.StripeError) or error.http_status is None:
        return Ambiguous(f"an answer that the SDK cannot read: {type(error).__name__}")
    status, raw = error.http_status, (error.http_body or "").encode()
    answer: ProviderAnswer = Ambiguous(f"HTTP {status} with an answer that settles nothing")
    match meaning(status):
        case Meaning.REFUSED if status != SAME_KEY_UNDER_WAY:
            answer = Refused(f"HTTP {status}: {_message(error)}", raw)
        case Meaning.DECLINED if isinstance(error, stripe.CardError):
            reason, code = decline_reason(_text(error, "decline_code"), error.code)
            answer = Declined(reason, code, raw)
        case Meaning.TRANSIENT:
            answer = Transient(f"HTTP {status}", _retry_after_ms(error))
        case _:
            pass
    return answer


def without_effect(answer: ProviderAnswer) -> ProviderAnswer:
    """The same failure of a request that can move no money, whatever became of it."""
    return Transient(answer.detail) if isinstance(answer, Ambiguous) else answer


def as_open(answer: ProviderAnswer) -> Ambiguous:
    """A question that failed: it says nothing about the call that it asked about."""
    detail = getattr(answer, "detail", type(answer).__name__)
    return Ambiguous(f"the status query failed: {detail}")


def _text(error: stripe.StripeError, field: str) -> str | None:
    told = getattr(error.error, field, None)
    return told if isinstance(told, str) else None


def _message(error: stripe.StripeError) -> str:
    return (_text(error, "message") or "without a message that can be read")[:MOST_DETAIL]


def _retry_after_ms(error: stripe.StripeError) -> int | None:
    """The seconds of RFC 9110, section 10.2.3; its other form, a date, would need clocks that agree."""
    given = (error.headers or {}).get("retry-after", "")
    return int(given) * 1000 if re.fullmatch("[0-9]{1,6}", given) else None
