"""Holds: an amount is reserved, then posted whole or in part, voided, or let go when its time has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.decision import Decision, Rejection, Waiting
from handlers.wallets.families import WAYS_OUT
from handlers.wallets.model import Hold, hold_uuid_of, parts_of, share
from handlers.wallets.rules.progress import Progress, begun, too_much, unready, way_closed
from handlers.wallets.states import RESERVING, TRANSITIONS, State, Trigger
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.wallets.model import BucketName, Wallet
    from schemas.timer import TimerDue
    from schemas.wallet import HoldPlaced, HoldPosted, HoldVoided


def place(wallet: Wallet | None, hold: Hold | None, message: HoldPlaced, now: datetime) -> Outcome:
    """Reserve an amount of what is available, in the order of the buckets."""
    data = message.data
    waiting = unready(wallet, data.ordering_key())
    if waiting is not None or wallet is None:
        return waiting or Decision()
    if hold is not None:
        return Rejection(
            Reason.HOLD_ID_REUSED, f"hold_id {hold.hold_id} of wallet {wallet.name} is {hold.state}"
        )
    if data.expires_at <= now:
        return Rejection(Reason.INVALID_MESSAGE, f"expires_at {data.expires_at} is not after now, {now}")
    shares = share(wallet.buckets, data.amount_minor, now)
    if shares is None:
        return too_much(wallet, data.amount_minor, now)
    placed = Hold(
        tenant=wallet.tenant,
        object_id=hold_uuid_of(wallet.tenant, wallet.name, data.hold_id),
        hold_id=data.hold_id,
        wallet=wallet.name,
        state=State.PLACED,
        version=0,
        currency=wallet.currency,
        amount_minor=data.amount_minor,
        posted_minor=0,
        parts=parts_of(shares),
        placed_by=data.actor.id,
        reason=None,
        expires_at=data.expires_at,
        placed_at=now,
        updated_at=now,
    )
    progress = begun(wallet, placed, message, now).held(shares).step(Trigger.PLACE)
    return progress.set_timer("hold_expiry", data.expires_at, placed.object_id).decision()


def post_hold(wallet: Wallet | None, hold: Hold | None, message: HoldPosted, now: datetime) -> Outcome:
    """Spend what is reserved, all or a part; the rest is free again, unless more is to come."""
    data = message.data
    found = _known(wallet, hold, data.hold_id)
    if not isinstance(found, tuple):
        return found
    wallet, hold = found
    amount_minor = hold.reserved_minor if data.amount_minor is None else data.amount_minor
    last = data.final or amount_minor == hold.reserved_minor
    trigger = Trigger.POST if last else Trigger.POST_PART
    refused = _forbidden(hold, trigger) or way_closed(WAYS_OUT, data.way, wallet, data.actor)
    if refused is not None:
        return refused
    if now >= hold.expires_at:
        return Rejection(Reason.HOLD_EXPIRED, f"hold {hold.hold_id} expired at {hold.expires_at}")
    if amount_minor > hold.reserved_minor:
        detail = f"amount_minor {amount_minor} is above what hold {hold.hold_id} keeps, {hold.reserved_minor}"
        return Rejection(Reason.AMOUNT_ABOVE_HELD, detail)
    spent, rest = _taken(hold.reserved, amount_minor)
    progress = begun(wallet, hold, message, now)
    return _post(progress, spent, rest, trigger, message).decision()


def void_hold(wallet: Wallet | None, hold: Hold | None, message: HoldVoided, now: datetime) -> Outcome:
    """Let go what is reserved."""
    found = _known(wallet, hold, message.data.hold_id)
    if not isinstance(found, tuple):
        return found
    wallet, hold = found
    refused = _forbidden(hold, Trigger.VOID)
    if refused is not None:
        return refused
    progress = begun(wallet, hold, message, now).audit(
        message.data.actor, "hold_voided", f"{hold.hold_id}: {message.data.note}"
    )
    return _let_go(progress, hold, Trigger.VOID, Reason.REQUESTED_BY_CALLER).decision()


def expire_hold(wallet: Wallet | None, hold: Hold | None, message: TimerDue, now: datetime) -> Outcome:
    """Its time has come. Once it was posted or voided, the timer means nothing."""
    found = _known(wallet, hold, str(message.data.object_id))
    if not isinstance(found, tuple):
        return found
    wallet, hold = found
    if hold.state not in RESERVING:
        return Decision()
    progress = Progress(wallet, hold, max(now, message.data.due_at), message.data.due_at)
    return _let_go(progress, hold, Trigger.EXPIRE, Reason.HOLD_EXPIRED).decision()


def _post(
    progress: Progress,
    spent: Mapping[BucketName, int],
    rest: Mapping[BucketName, int],
    trigger: Trigger,
    message: HoldPosted,
) -> Progress:
    """The reserved shares are spent; then what is left is kept, or free."""
    hold, data = progress.hold, message.data
    if hold is None:
        return progress
    amount_minor = sum(spent.values())
    freed = {} if trigger is Trigger.POST_PART else rest
    after = progress.spend(spent, data.way, data.payee, hold.object_id)
    after = after.held(spent, -1).held(freed, -1)
    kept = {} if freed or trigger is Trigger.POST else rest
    after = after.step(trigger, posted_minor=hold.posted_minor + amount_minor).keep(kept)
    detail = f"{amount_minor} of hold {hold.hold_id} by {data.way} to {data.payee}: {data.note}"
    return after.audit(data.actor, "hold_posted", detail).tell("spent", amount_minor)


def _let_go(progress: Progress, hold: Hold, trigger: Trigger, reason: Reason) -> Progress:
    return progress.held(hold.reserved, -1).step(trigger, reason=reason).keep({})


def _taken(
    reserved: Mapping[BucketName, int], amount_minor: int
) -> tuple[dict[BucketName, int], dict[BucketName, int]]:
    """What is taken of the shares for an amount, in their order, and what is left of them."""
    spent: dict[BucketName, int] = {}
    left_minor = amount_minor
    for name, minor in reserved.items():
        spent[name] = min(minor, left_minor)
        left_minor -= spent[name]
    rest = {name: minor - spent[name] for name, minor in reserved.items()}
    return {name: minor for name, minor in spent.items() if minor}, {
        n: minor for n, minor in rest.items() if minor
    }


def _known(wallet: Wallet | None, hold: Hold | None, name: str) -> tuple[Wallet, Hold] | Waiting | Rejection:
    if hold is None:
        # What a wallet is asked comes in order: a hold that is not there by now was refused, and never comes.
        return Rejection(Reason.HOLD_UNKNOWN, f"hold {name} is not known")
    waiting = unready(wallet, hold.wallet)
    if waiting is not None or wallet is None:
        return waiting or Waiting(Reason.WALLET_UNKNOWN, f"wallet {hold.wallet} is not open", "wallet")
    return wallet, hold


def _forbidden(hold: Hold, trigger: Trigger) -> Rejection | None:
    if (hold.state, trigger) in TRANSITIONS:
        return None
    detail = f"hold {hold.hold_id} is {hold.state}, which does not allow {trigger}"
    return Rejection(Reason.STATE_FORBIDS, detail)
