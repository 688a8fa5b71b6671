"""What follows when it is certain what a provider did: an answer, a webhook or a person may be the one who says so.

Each function takes the payment, says where it stands afterwards, and closes the call under way.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from handlers.decision import Decision
from handlers.payments.networks import network_of
from handlers.payments.policy import (
    CHALLENGE_LIFETIME,
    FIRST_PENDING_CHECK,
    LONGEST_PENDING_CHECK,
    MAX_ATTEMPTS,
    NO_FURTHER_ATTEMPT,
    PENDING_DEADLINE,
)
from handlers.payments.postings import book_taken, fee_after
from handlers.payments.remarks import RELEASED, costs, remark
from handlers.payments.retry import retry_after
from handlers.payments.rules.steps import advance, answered, ask, notify, tell, wake
from handlers.payments.states import State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Timer
    from handlers.payments.model import Payment


def hold(
    payment: Payment,
    amount_minor: int,
    now: datetime,
    *,
    trigger: Trigger = Trigger.AUTHORIZE,
    reason: Reason | None = None,
) -> Decision:
    """Money is held: until its network lets go of it, and with a warning before that."""
    network = network_of(payment.method_network)
    held, step = advance(
        payment,
        trigger,
        now,
        reason,
        authorized_minor=amount_minor,
        state_ends_at=now + network.hold,
        redirect_url=None,
        **answered(),
    )
    return Decision(states=(held,), transitions=(step,), events=(tell(held),), timers=_ends(held, now))


def take(
    payment: Payment,
    taken_minor: int,
    effective_at: datetime,
    now: datetime,
    *,
    final: bool,
    trigger: Trigger = Trigger.CAPTURE,
    reason: Reason | None = None,
) -> Decision:
    """Book a capture; a final one completes the payment in the same breath.

    What exceeds the hold was allowed to: the network extends it by itself, so both amounts rise with it (law 7).
    """
    captured_minor = payment.captured_minor + taken_minor
    authorized_minor = max(payment.authorized_minor, captured_minor)
    whole_fee_minor = fee_after(payment, taken_minor)
    posting = book_taken(payment, taken_minor, whole_fee_minor - payment.fee_minor, effective_at)
    captured, step = advance(
        payment,
        trigger,
        now,
        reason,
        authorized_minor=authorized_minor,
        captured_minor=captured_minor,
        fee_minor=whole_fee_minor,
        redirect_url=None,
        **costs(payment, authorized_minor),
        **answered(),
    )
    if not final:
        timers: tuple[Timer, ...] = ()
        if payment.state not in {State.AUTHORIZED, State.CAPTURED}:
            expires_at = now + network_of(payment.method_network).hold
            captured = replace(captured, state_ends_at=expires_at)
            timers = _ends(captured, now)
        return Decision(
            states=(captured,),
            transitions=(step,),
            postings=(posting,),
            events=(tell(captured),),
            timers=timers,
        )
    paid, last_step = advance(captured, Trigger.COMPLETE, now, reason, state_ends_at=None)
    return Decision(
        states=(paid,),
        transitions=(step, last_step),
        postings=(posting,),
        events=(tell(captured), tell(paid)),
    )


def increase(payment: Payment, total_minor: int, now: datetime, reason: Reason | None = None) -> Decision:
    """More is held; the order costs at least that."""
    after = replace(
        payment,
        authorized_minor=total_minor,
        reason=reason,
        updated_at=now,
        **costs(payment, total_minor),
        **answered(),
    )
    return Decision(states=(after,), events=(tell(after),))


def challenge(payment: Payment, reference: str, redirect_url: str, now: datetime) -> Decision:
    """The customer must authenticate; where none is present, somebody must tell them."""
    until = now + CHALLENGE_LIFETIME
    waiting, step = advance(
        payment,
        Trigger.CHALLENGE,
        now,
        provider_reference=reference,
        redirect_url=redirect_url,
        state_ends_at=until,
        **answered(),
    )
    told = (
        notify(waiting, "payment.customer_needed", f"authenticate at {redirect_url}", act_by=until)
        if payment.off_session
        else ()
    )
    return Decision(
        states=(waiting,),
        transitions=(step,),
        events=(tell(waiting), *told),
        timers=(wake(waiting, "challenge_expiry", until),),
    )


def pend(payment: Payment, reference: str, now: datetime) -> Decision:
    """The bank decides later: we wait for the provider's webhook, and ask from time to time."""
    settling, step = advance(
        payment,
        Trigger.PEND,
        now,
        provider_reference=reference,
        state_ends_at=now + PENDING_DEADLINE,
        redirect_url=None,
        **answered(),
    )
    timer = wake(settling, "pending_check", now + FIRST_PENDING_CHECK)
    return Decision(states=(settling,), transitions=(step,), events=(tell(settling),), timers=(timer,))


def pend_on(payment: Payment, now: datetime) -> Decision:
    """Still pending: ask again after as long again."""
    after = replace(payment, updated_at=now, **answered())
    until = payment.state_ends_at or now
    waited = now - (until - PENDING_DEADLINE)
    next_at = now + max(FIRST_PENDING_CHECK, min(waited, LONGEST_PENDING_CHECK))
    return Decision(states=(after,), timers=(wake(after, "pending_check", next_at),))


def decline(payment: Payment, reason: Reason, now: datetime) -> Decision:
    """No: another method is needed, or a later try by ourselves, or it is the end."""
    last = _last_reason(payment, reason)
    if last is not None:
        return end(payment, Trigger.GIVE_UP, last, now)
    return _retried(end(payment, Trigger.DECLINE, reason, now), reason, now)


def find_unavailable(payment: Payment, reason: Reason, now: datetime) -> Decision:
    """The provider certainly did nothing: the same method can be confirmed again, by the shop or by ourselves."""
    after = end(payment, Trigger.FIND_UNAVAILABLE, reason, now)
    return _retried(after, Reason.PROVIDER_UNAVAILABLE, now)


def voided(
    payment: Payment, now: datetime, reason: Reason | None = None, *, word: str = RELEASED
) -> Decision:
    """The provider let go: of an abandoned challenge, of a hold, or of what was left of one.

    `word` is what is remembered of a charge that never held anything.
    """
    if payment.state == State.PROCESSING:
        remembered = replace(payment, **remark(payment, payment.provider_reference, word))
        return end(remembered, Trigger.GIVE_UP, reason or Reason.CHALLENGE_ABANDONED, now)
    if payment.state == State.CAPTURED:
        return end(payment, Trigger.RELEASE, None, now)
    if payment.state == State.REQUIRES_ACTION:
        payment = replace(payment, **remark(payment, payment.provider_reference, word))
    return end(payment, Trigger.CANCEL, reason or Reason.REQUESTED_BY_CALLER, now)


def end(payment: Payment, trigger: Trigger, reason: Reason | None, now: datetime) -> Decision:
    """One step that closes the call."""
    after, step = advance(payment, trigger, now, reason, redirect_url=None, state_ends_at=None, **answered())
    return Decision(states=(after,), transitions=(step,), events=(tell(after),))


def stay(payment: Payment, reason: Reason, now: datetime) -> Decision:
    """The call is over and the state stays; the reason is told."""
    after = replace(payment, reason=reason, updated_at=now, **answered())
    return Decision(states=(after,), events=(tell(after),))


def look_again(payment: Payment, now: datetime) -> Decision:
    """Ask how it stands: a void that was refused may have met money that was taken meanwhile."""
    if payment.state == State.REQUIRES_ACTION:
        leaving, step = advance(payment, Trigger.RETURN_FROM_CHALLENGE, now, redirect_url=None)
        asking, call = ask(leaving, "confirm", now)
        return Decision(states=(asking,), transitions=(step,), events=(tell(asking),), calls=(call,))
    asking, call = ask(payment, "confirm", now)
    return Decision(states=(asking,), calls=(call,))


def _ends(held: Payment, now: datetime) -> tuple[Timer, ...]:
    """Before a hold ends, and when it does."""
    expires_at = held.state_ends_at or now
    warning = network_of(held.method_network).warning
    return (
        wake(held, "authorization_expiring", expires_at - warning),
        wake(held, "authorization_expiry", expires_at),
    )


def _retried(declined: Decision, reason: Reason, now: datetime) -> Decision:
    """The same, with a try of our own where the rule for the reason says so."""
    (payment,) = declined.states
    wait = retry_after(payment, reason)
    if wait is None:
        return declined
    waiting = replace(payment, state_ends_at=now + wait)
    return replace(declined, states=(waiting,), timers=(wake(waiting, "confirmation_retry", now + wait),))


def _last_reason(payment: Payment, reason: Reason) -> Reason | None:
    """Why a decline for `reason` is the last word; None when the customer may try another method."""
    if payment.reason is Reason.CHALLENGE_ABANDONED:
        return Reason.CHALLENGE_ABANDONED
    if reason in NO_FURTHER_ATTEMPT:
        return reason
    return Reason.ATTEMPTS_EXHAUSTED if payment.attempts >= MAX_ATTEMPTS else None
