"""A payment's first state: the fields that every way of opening one has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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
    token, network, last4 = _NO_DETAILS if details is None else _details_of(details)
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
        fee_minor=fee_of(terms, paid_minor),
        fee_version=terms.version,
        fee_bps=terms.bps,
        fee_fixed_minor=terms.fixed_minor,
        fee_rounding=terms.rounding,
        capture_method=capture_method,
        metadata=data.metadata,
        created_at=now,
        updated_at=now,
        method=method if details is None else details.type,
        method_token=token,
        method_network=network,
        method_last4=last4,
        off_session=off_session,
    )


_NO_DETAILS: Final = (None, None, None)


def _details_of(method: BankDebitMethod | CardMethod) -> tuple[str, str | None, str]:
    """Token, network and last four; a debit has no network."""
    return method.token, method.network if method.type == "card" else None, method.last4


def method_of(details: BankDebitMethod | CardMethod) -> dict[str, Any]:
    """A payment method as the members of a payment."""
    token, network, last4 = _details_of(details)
    return {
        "method": details.type,
        "method_token": token,
        "method_network": network,
        "method_last4": last4,
    }
