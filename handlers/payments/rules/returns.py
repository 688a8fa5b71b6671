"""The bank takes back a debit that had succeeded: the entry is reversed, and the payment has failed after all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from handlers.decision import Decision
from handlers.payments.postings import RETURN_UNAPPLIED, book_aside, book_returned
from handlers.payments.remarks import RETURNED, remark
from handlers.payments.rules.steps import advance, notify, tell
from handlers.payments.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.payments.model import Payment


def give_up_success(
    payment: Payment,
    returned_minor: int,
    at: datetime,
    now: datetime,
    reason: Reason = Reason.RETURNED_BY_BANK,
) -> Decision:
    """The money of a payment is gone again: `returned_minor` of it, which a provider may have given back in part.

    What was refunded or disputed in the meantime cannot be taken back from the merchant a second time: then the
    whole return stands in suspense until a person has decided who bears it, and the payment stays as it is.
    """
    remembered = remark(payment, payment.provider_reference, RETURNED)
    detail = f"{payment.provider} {payment.provider_reference}: {returned_minor} {payment.currency}"
    given_back_minor = payment.refunding_minor + payment.refunded_minor + payment.disputed_minor
    if payment.state != State.SUCCEEDED or given_back_minor or returned_minor < payment.captured_minor:
        kept = replace(payment, updated_at=now, **remembered)
        posting = book_aside(RETURN_UNAPPLIED, payment, payment.provider or "", returned_minor, at)
        told = notify(payment, "payment.returned_unapplied", detail, reason=reason)
        return Decision(states=(kept,), postings=(posting,), events=told)
    posting = book_returned(payment, at)
    failed, step = advance(
        payment,
        Trigger.RETURN,
        now,
        reason,
        captured_minor=0,
        authorized_minor=0,
        fee_minor=0,
        **remembered,
    )
    return Decision(
        states=(failed,),
        transitions=(step,),
        postings=(posting,),
        events=(tell(failed), *notify(failed, "payment.returned", detail, reason=reason)),
    )
