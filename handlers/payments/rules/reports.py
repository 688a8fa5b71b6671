"""What a report about the payment's own charge does, by its status; whose it is, webhooks.py has found out.

Totals only: what says no more than is known changes nothing, in whatever order reports come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from handlers.decision import Decision, Outcome, Rejection
from handlers.payments.model import Payment
from handlers.payments.remarks import FAILED, RELEASED, counted, remark
from handlers.payments.rules.progress import (
    challenge,
    decline,
    end,
    hold,
    increase,
    look_again,
    pend,
    take,
    voided,
)
from handlers.payments.rules.returns import give_up_success
from handlers.payments.rules.steps import busy, notify
from handlers.payments.rules.strays import Charge, found
from handlers.payments.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from schemas.webhook import PaymentReportedData

_UNDECIDED: Final = frozenset({State.PROCESSING, State.REQUIRES_ACTION, State.SETTLING})
"""Where the provider, the customer or the bank has the word."""
_HELD: Final = frozenset({State.AUTHORIZED, State.CAPTURED})
_GIVEN_UP: Final = frozenset(
    {
        State.REQUIRES_PAYMENT_METHOD,
        State.REQUIRES_CONFIRMATION,
        State.FAILED,
        State.EXPIRED,
        State.CANCELED,
    }
)
_ASKS: Final = frozenset({None, "authorize", "confirm"})
"""Calls that a report about an authorization answers."""


def _captured(payment: Payment, data: PaymentReportedData, now: datetime) -> Outcome:
    total_minor = captured_minor(payment, data)
    taken_minor = total_minor - payment.captured_minor
    if taken_minor <= 0:
        return no_news(older=taken_minor < 0)
    if payment.state in _UNDECIDED:
        held_minor = max(data.authorized_minor or 0, total_minor)
        final = payment.capture_method == "automatic" or total_minor >= held_minor
        known = replace(payment, authorized_minor=held_minor)
        return take(known, taken_minor, data.occurred_at, now, final=final)
    if payment.state in _HELD:
        if payment.call_operation not in {None, "capture"}:
            return busy(payment) or no_news()
        final = payment.call_final if payment.call_id else taken_minor >= payment.capturable_minor
        noted = replace(payment, **counted(payment))
        return take(noted, taken_minor, data.occurred_at, now, final=final)
    if payment.state in _GIVEN_UP:
        return found(payment, charge_of(payment, data) or _never(), now)
    detail = f"{data.provider} {data.provider_reference} captured {total_minor}, we know of {payment.captured_minor}"
    return Decision(events=notify(payment, "payment.captured_elsewhere", detail))


def _authorized(payment: Payment, data: PaymentReportedData, now: datetime) -> Outcome:
    total_minor = authorized_minor(payment, data)
    if payment.state in _UNDECIDED:
        return _first_held(payment, total_minor, now)
    if total_minor <= payment.authorized_minor:
        return no_news(older=total_minor < payment.authorized_minor)
    if payment.state in _HELD:
        waits = busy(payment) if payment.call_operation != "increase" else None
        return waits or increase(payment, total_minor, now)
    if payment.state in _GIVEN_UP:
        return found(payment, charge_of(payment, data) or _never(), now)
    return no_news()


def _first_held(payment: Payment, total_minor: int, now: datetime) -> Outcome:
    """Held at last. What is to be captured at once is captured next: the answer will say so, or we ask for one."""
    if not total_minor or payment.call_operation not in _ASKS:
        return no_news()
    if payment.capture_method == "manual":
        return hold(payment, total_minor, now)
    return no_news() if payment.call_id or payment.state == State.SETTLING else look_again(payment, now)


def _requires_action(payment: Payment, data: PaymentReportedData, now: datetime) -> Outcome:
    fresh = payment.state == State.PROCESSING and payment.call_operation == "authorize"
    if not fresh or data.redirect_url is None:
        return no_news()
    return challenge(payment, data.provider_reference, data.redirect_url, now)


def _pending(payment: Payment, data: PaymentReportedData, now: datetime) -> Outcome:
    fresh = payment.state == State.PROCESSING and payment.call_operation in {"authorize", "confirm"}
    if not fresh or payment.method != "bank_debit":
        return no_news()
    return pend(payment, data.provider_reference, now)


def _failed(payment: Payment, data: PaymentReportedData, now: datetime) -> Outcome:
    reason = data.reason or Reason.PROCESSING_DECLINED
    if payment.state in _UNDECIDED:
        if payment.call_operation == "void":
            # the void may come too late: a customer who failed may have tried the same charge once more
            return voided(payment, now, word=FAILED)
        return decline(_failing(payment), reason, now)
    returned_minor = payment.captured_minor - (data.captured_minor or 0)
    if payment.method == "bank_debit" and returned_minor > 0:
        return give_up_success(payment, returned_minor, data.occurred_at, now)
    return no_news()


def _canceled(payment: Payment, data: PaymentReportedData, now: datetime) -> Outcome:
    """Let go of by our void, or by the provider on its own."""
    if payment.call_operation == "void":
        return voided(payment, now)
    if payment.state in _UNDECIDED:
        return decline(_failing(payment), data.reason or Reason.PROCESSING_DECLINED, now)
    if payment.state in _HELD:
        return busy(payment) or _let_go(payment, data, now)
    if payment.state not in _GIVEN_UP or payment.captured_minor:
        return no_news()
    return let_go_of(payment, data, now)


def _let_go(payment: Payment, data: PaymentReportedData, now: datetime) -> Decision:
    if payment.state == State.CAPTURED:
        return end(payment, Trigger.RELEASE, None, now)
    trigger = Trigger.EXPIRE if data.reason is Reason.AUTHORIZATION_EXPIRED else Trigger.CANCEL
    return end(payment, trigger, data.reason or Reason.PROCESSING_DECLINED, now)


def let_go_of(payment: Payment, data: PaymentReportedData, now: datetime) -> Decision:
    """Remember that a charge is gone, so that an older report of its hold, which comes later, is no late success."""
    remembered = remark(payment, data.provider_reference, RELEASED)
    return Decision(states=(replace(payment, updated_at=now, **remembered),))


def _failing(payment: Payment) -> Payment:
    """An earlier report about the same charge that comes later must not bring it back."""
    return replace(payment, **remark(payment, payment.provider_reference, FAILED))


def charge_of(payment: Payment, data: PaymentReportedData) -> Charge | None:
    """The money that the report says is held or taken; None when it says that none is."""
    if data.status not in {"authorized", "captured"}:
        return None
    captured = data.status == "captured"
    amount_minor = captured_minor(payment, data) if captured else authorized_minor(payment, data)
    if not amount_minor:
        return None
    return Charge(data.provider, data.provider_reference, amount_minor, captured, data.occurred_at)


def authorized_minor(payment: Payment, data: PaymentReportedData) -> int:
    """What the provider holds in all; all of it when it does not say."""
    return payment.amount_minor if data.authorized_minor is None else data.authorized_minor


def captured_minor(payment: Payment, data: PaymentReportedData) -> int:
    """What the provider has captured in all; all of what it held when it does not say."""
    return authorized_minor(payment, data) if data.captured_minor is None else data.captured_minor


def no_news(*, older: bool = False) -> Outcome:
    """Nothing follows; a report that says less than is known came late."""
    if older:
        return Rejection(Reason.REPORT_OUTDATED, "a newer report or answer said more")
    return Decision()


def _never() -> Charge:
    msg = "a report of money held or taken names an amount"
    raise AssertionError(msg)


REPORTED: Final[dict[str, Callable[[Payment, PaymentReportedData, datetime], Outcome]]] = {
    "captured": _captured,
    "authorized": _authorized,
    "requires_action": _requires_action,
    "pending": _pending,
    "failed": _failed,
    "canceled": _canceled,
}
"""By what the provider says of the payment's own charge."""
