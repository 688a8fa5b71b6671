"""A payment's first state: the fields that every way of opening one has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.decision import Waiting
from handlers.fees.rules import fee_of, terms_at
from handlers.payments.model import Payment, payment_id_of
from handlers.payments.states import State
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.fees.model import FeeHistory
    from schemas.checkout import CardMethod, PaymentDeferred, PaymentRecorded, PaymentRequested


def open_payment(
    fees: FeeHistory | None,
    message: PaymentRequested | PaymentRecorded | PaymentDeferred,
    state: State,
    now: datetime,
    *,
    capture_method: str,
    method: str | None,
    card: CardMethod | None = None,
) -> Payment | Waiting:
    """The order's payment at version 1, with the fee terms in force at the event's time; Waiting when there are none.

    One that opens as succeeded has been paid in full.
    """
    data = message.data
    terms = terms_at(fees, message.time, data.amount.currency)
    if terms is None:
        return Waiting(
            Reason.MERCHANT_FEES_UNKNOWN,
            f"merchant {data.merchant_id} has no fee schedule in force at {message.time}",
            "fees",
        )
    amount_minor = data.amount.amount_minor
    paid_minor = amount_minor if state is State.SUCCEEDED else 0
    return Payment(
        tenant=message.tenant,
        payment_id=payment_id_of(message.tenant, data.order_id),
        order_id=data.order_id,
        merchant_id=data.merchant_id,
        customer_id=data.customer_id,
        state=state,
        version=1,
        currency=data.amount.currency,
        amount_minor=amount_minor,
        authorized_minor=paid_minor,
        captured_minor=paid_minor,
        refunding_minor=0,
        refunded_minor=0,
        disputed_minor=0,
        fee_minor=fee_of(terms, paid_minor),
        fee_version=terms.version,
        fee_bps=terms.bps,
        fee_fixed_minor=terms.fixed_minor,
        fee_rounding=terms.rounding,
        capture_method=capture_method,
        method=method,
        method_token=card.token if card else None,
        method_network=card.network if card else None,
        method_last4=card.last4 if card else None,
        provider=None,
        provider_reference=None,
        call_id=None,
        call_operation=None,
        call_final=True,
        certain=True,
        attempts=0,
        calls=0,
        reason=None,
        redirect_url=None,
        authorization_expires_at=None,
        metadata=data.metadata,
        created_at=now,
        updated_at=now,
    )
