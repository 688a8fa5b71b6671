"""The messages that refunds handle: commands and facts, answers of the provider, its webhooks, timers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from handlers.needs import PAYMENT, REPORTED_PAYMENT, Need, Route
from handlers.payments.model import payment_id_of
from handlers.refunds.model import POLICY, found_refund_id_of, refund_id_of
from handlers.refunds.rules.approvals import approval_expired, approve, cancel, disapprove
from handlers.refunds.rules.checks import check_refund
from handlers.refunds.rules.policies import set_policy
from handlers.refunds.rules.progress import fee_subject
from handlers.refunds.rules.provider_results import call_answered
from handlers.refunds.rules.recorded import record_refund
from handlers.refunds.rules.reports import report_refund
from handlers.refunds.rules.requests import count_subjects, request_refund

if TYPE_CHECKING:
    from handlers.needs import Key
    from schemas.envelope import Message


def _named_key(message: Message) -> Key:
    return message.tenant, refund_id_of(message.tenant, message.data.order_id, message.data.refund_id)


def _object_key(message: Message) -> Key | None:
    object_id = message.data.object_id
    return None if object_id is None else (message.tenant, object_id)


def _reported_key(message: Message) -> Key:
    data = message.data
    found_id = found_refund_id_of(message.tenant, data.provider, data.refund_reference)
    return message.tenant, data.refund_id or found_id


def _policy_key(message: Message) -> Key:
    return message.tenant, POLICY


def _customer_key(message: Message) -> Key | None:
    return _subject_key(message, "customer")


def _actor_key(message: Message) -> Key | None:
    return _subject_key(message, "actor")


def _subject_key(message: Message, subject: str) -> Key | None:
    name = count_subjects(message)[subject]  # type: ignore[arg-type]  # the route says which message it is
    return None if name is None else (message.tenant, name)


def _fee_key(message: Message) -> Key | None:
    """A report that names no order is about a refund that we did not ask for, and that one keeps the fee."""
    order_id = message.data.order_id
    return (
        None if order_id is None else (message.tenant, fee_subject(payment_id_of(message.tenant, order_id)))
    )


NAMED: Final = Need("refund", _named_key)
"""By the caller's name for it."""
OBJECT: Final = Need("refund", _object_key)
"""By the identity that our calls and timers carry."""
REPORTED: Final = Need("refund", _reported_key)
"""By the identity that we gave the provider, else by the provider's own."""
REFUND_POLICY: Final = Need("refund_policy", _policy_key)
OF_CUSTOMER: Final = Need("refund_count", _customer_key)
OF_ACTOR: Final = Need("refund_count", _actor_key)
OF_PAYMENT: Final = Need("refund_count", _fee_key)

ROUTES: Final[dict[str, Route]] = {
    "checkout.refund_policy_set.v1": Route(set_policy, (REFUND_POLICY,)),
    "checkout.refund_requested.v1": Route(
        request_refund, (PAYMENT, NAMED, REFUND_POLICY, OF_CUSTOMER, OF_ACTOR, OF_PAYMENT)
    ),
    "checkout.refund_approved.v1": Route(approve, (PAYMENT, NAMED, OF_PAYMENT)),
    "checkout.refund_disapproved.v1": Route(disapprove, (PAYMENT, NAMED)),
    "checkout.refund_canceled.v1": Route(cancel, (PAYMENT, NAMED)),
    "checkout.refund_recorded.v1": Route(record_refund, (PAYMENT, NAMED, OF_PAYMENT)),
    "webhook.refund_reported.v1": Route(report_refund, (REPORTED_PAYMENT, REPORTED, OF_PAYMENT)),
}

OPERATIONS: Final = ("refund", "confirm_refund")
"""What refunds ask their provider for; the answers come back to them."""

ANSWERS: Final[dict[str, Route]] = {
    f"provider.call_{outcome}.v1": Route(call_answered, (PAYMENT, OBJECT, OF_PAYMENT))
    for outcome in ("succeeded", "pending", "declined", "failed", "unknown")
}

TIMERS: Final[dict[str, Route]] = {
    "refund_approval_expiry": Route(approval_expired, (PAYMENT, OBJECT)),
    "refund_check": Route(check_refund, (PAYMENT, OBJECT)),
}
