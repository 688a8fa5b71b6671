"""A payment's first state: the fields that every way of opening one has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handlers.decision import Waiting
from handlers.fees.rules import fee_of, terms_at
from handlers.payments.model import Payment, payment_id_of
from handlers.payments.states import State
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.fees.model import FeeHistory
    from schemas.checkout import (
        BankDebitMethod,
        CardMethod,
        PaymentDeferred,
        PaymentRecorded,
        PaymentRequested,
    )


def open_payment(  # noqa: PLR0913 - the ways of opening differ in these
    fees: FeeHistory | None,
    message: PaymentRequested | PaymentRecorded | PaymentDeferred,
    state: State,
    now: datetime,
    *,
    capture_method: str,
    method: str | None = None,
    details: BankDebitMethod | CardMethod | None = None,
    off_session: bool = False,
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
        **({"method": method, **_NO_DETAILS} if details is None else method_of(details)),
        provider=None,
        provider_reference=None,
        call_id=None,
        call_operation=None,
        call_final=True,
        call_amount_minor=None,
        certain=True,
        attempts=0,
        calls=0,
        reason=None,
        redirect_url=None,
        state_ends_at=None,
        off_session=off_session,
        remarks=None,
        metadata=data.metadata,
        created_at=now,
        updated_at=now,
    )


_NO_DETAILS: Any = {"method_token": None, "method_network": None, "method_last4": None}


def method_of(details: BankDebitMethod | CardMethod) -> dict[str, Any]:
    """A payment method as the members of a payment; a debit has no network."""
    return {
        "method": details.type,
        "method_token": details.token,
        "method_network": details.network if details.type == "card" else None,
        "method_last4": details.last4,
    }
