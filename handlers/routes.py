"""Which rule decides each message type, and which aggregates the engine loads for it, in this order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from handlers.fees.rules import set_fees
from handlers.payments.model import payment_id_of
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
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Callable

    from handlers.decision import Outcome
    from schemas.envelope import Message

Kind = Literal["payment", "fees"]


@value
class Need:
    """An aggregate that a rule needs: its kind, and its key as read from the message."""

    kind: Kind
    key: Callable[[Any], Any]


@value
class Route:
    """`rule(*aggregates, message, now)`; an aggregate that does not exist is None."""

    rule: Callable[..., Outcome]
    needs: tuple[Need, ...]


def _payment_key(message: Message) -> Any:
    return message.tenant, payment_id_of(message.tenant, message.data.order_id)


def _merchant_key(message: Message) -> Any:
    return message.tenant, message.data.merchant_id


PAYMENT: Final = Need("payment", _payment_key)
FEES: Final = Need("fees", _merchant_key)

ROUTES: Final[dict[str, Route]] = {
    "checkout.merchant_fees_set.v1": Route(set_fees, (FEES,)),
    "checkout.payment_requested.v1": Route(request_payment, (PAYMENT, FEES)),
    "checkout.confirmation_requested.v1": Route(request_confirmation, (PAYMENT,)),
    "checkout.challenge_completed.v1": Route(complete_challenge, (PAYMENT,)),
    "checkout.capture_requested.v1": Route(request_capture, (PAYMENT,)),
    "checkout.cancellation_requested.v1": Route(request_cancellation, (PAYMENT,)),
    "checkout.payment_recorded.v1": Route(record, (PAYMENT, FEES)),
    "checkout.payment_deferred.v1": Route(defer, (PAYMENT, FEES)),
    "checkout.payment_not_collected.v1": Route(miss_collection, (PAYMENT,)),
    "provider.call_succeeded.v1": Route(call_succeeded, (PAYMENT,)),
    "provider.call_declined.v1": Route(call_declined, (PAYMENT,)),
    "provider.challenge_required.v1": Route(challenge_required, (PAYMENT,)),
    "provider.call_unknown.v1": Route(call_unknown, (PAYMENT,)),
    "provider.call_failed.v1": Route(call_failed, (PAYMENT,)),
    "timer.due.v1": Route(timer_due, (PAYMENT,)),
}
