"""A wallet is opened, gets its limits, is credited, and is spent from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from handlers.decision import Decision, Rejection
from handlers.ledger.model import Code
from handlers.refunds.policy import outranks
from handlers.wallets.families import FAMILIES, PROMOTED, WAYS_IN, WAYS_OUT
from handlers.wallets.model import Bucket, Wallet, WalletLimit, grant_owner, grant_uuid_of, share
from handlers.wallets.postings import CREDITED, GRANTED
from handlers.wallets.rules.progress import Progress, begun, too_much, unready, way_closed
from schemas import ids
from schemas.reasons import Reason
from schemas.wallet import wallet_name

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from handlers.decision import Outcome
    from handlers.journals.model import BookedLine
    from schemas.envelope import Message
    from schemas.timer import TimerDue
    from schemas.wallet import PromotionGranted, WalletCredited, WalletLimitSet, WalletOpened, WalletSpent


def open_wallet(wallet: Wallet | None, message: WalletOpened, now: datetime) -> Outcome:
    """Its accounts keep their limits from now on. What is in them already is counted when it is read."""
    data = message.data
    if wallet is not None:
        return Rejection(Reason.WALLET_EXISTS, f"wallet {wallet.name} is open since {wallet.opened_at}")
    buckets = tuple(
        Bucket(plan.code, data.owner_id, plan.priority, None, 0, 0, None) for plan in FAMILIES[data.family]
    )
    opened = Wallet(
        message.tenant,
        wallet_name(data.family, data.owner_id, data.currency),
        data.family,
        data.owner_id,
        data.currency,
        0,
        0,
        now,
        now,
        buckets,
    )
    progress = begun(opened, None, message, now).audit(data.actor, "opened", data.note)
    return progress.tell("opened", 0).decision()


def set_limit(wallet: Wallet | None, message: WalletLimitSet, now: datetime) -> Outcome:
    """A new version of how far an account may be overdrawn; never rewritten, and decided by finance or a manager."""
    data = message.data
    waiting = unready(wallet, data.ordering_key())
    if waiting is not None or wallet is None:
        return waiting or Decision()
    plan = next((plan for plan in FAMILIES[wallet.family] if plan.code == data.account), None)
    if plan is None or not plan.overdraft:
        return Rejection(Reason.ACCOUNT_NOT_POSTABLE, f"account {data.account} cannot have an overdraft")
    if not outranks(data.actor.role, "manager"):
        return Rejection(Reason.ACTOR_NOT_ALLOWED, f"actor.role {data.actor.role}: it needs manager")
    if data.version <= wallet.limits:
        return Rejection(Reason.POLICY_VERSION_EXISTS, f"version {data.version} is not above {wallet.limits}")
    buckets = tuple(
        replace(bucket, overdraft_minor=data.overdraft_minor) if bucket.account == data.account else bucket
        for bucket in wallet.buckets
    )
    limit = WalletLimit(
        wallet.tenant,
        wallet.name,
        data.version,
        data.account,
        data.overdraft_minor,
        data.actor.id,
        data.note,
        now,
    )
    limited = replace(wallet, limits=data.version, buckets=buckets)
    progress = begun(limited, None, message, now).with_(states=(limit,))
    detail = f"{data.account} may be overdrawn by {data.overdraft_minor}: {data.note}"
    return progress.audit(data.actor, "limit_set", detail).tell("limit_set", data.overdraft_minor).decision()


def credit(wallet: Wallet | None, message: WalletCredited, now: datetime) -> Outcome:
    """Money or credit comes in."""
    data = message.data
    waiting = unready(wallet, data.ordering_key())
    if waiting is not None or wallet is None:
        return waiting or Decision()
    refused = way_closed(WAYS_IN, data.way, wallet, data.actor)
    if refused is not None:
        return refused
    way = WAYS_IN[data.way]
    bucket = (str(way.inside), wallet.owner_id)
    owners = {"source": wallet.tenant if way.owned else data.source, "owner": wallet.owner_id}
    progress = begun(wallet, None, message, now)
    progress = progress.credit(CREDITED[data.way], bucket, data.amount_minor, owners, _deed(message))
    detail = f"{data.amount_minor} by {data.way}: {data.note}"
    return progress.audit(data.actor, "credited", detail).tell("credited", data.amount_minor).decision()


def grant(
    wallet: Wallet | None, booked: tuple[BookedLine, ...] | None, message: PromotionGranted, now: datetime
) -> Outcome:
    """Credit for promotion, in an account of its own until it expires; what is `booked` for it was given before."""
    data = message.data
    waiting = unready(wallet, data.ordering_key())
    if waiting is not None or wallet is None:
        return waiting or Decision()
    if wallet.family not in PROMOTED:
        return Rejection(Reason.WAY_UNKNOWN, f"family {wallet.family} takes no promotional credit")
    owner = grant_owner(wallet.owner_id, data.grant_id)
    if booked or any(bucket.owner == owner for bucket in wallet.buckets):
        return Rejection(Reason.GRANT_ID_REUSED, f"grant_id {data.grant_id} of wallet {wallet.name} is there")
    if data.expires_at <= now:
        return Rejection(Reason.INVALID_MESSAGE, f"expires_at {data.expires_at} is not after now, {now}")
    bucket = Bucket(Code.PROMOTIONAL_CREDIT, owner, data.priority, data.expires_at, 0, 0, 0)
    object_id = grant_uuid_of(wallet.tenant, wallet.name, data.grant_id)
    granted = replace(wallet, buckets=(*wallet.buckets, bucket))
    progress = begun(granted, None, message, now)
    progress = progress.credit(
        GRANTED, bucket.name, data.amount_minor, {"platform": wallet.tenant, "grant": owner}, object_id
    ).set_timer("promotion_expiry", data.expires_at, object_id)
    detail = f"{data.amount_minor} as {data.grant_id}: {data.note}"
    return progress.audit(data.actor, "granted", detail).tell("granted", data.amount_minor).decision()


def spend(wallet: Wallet | None, message: WalletSpent, now: datetime) -> Outcome:
    """Spend at once, in the order of the buckets; never beyond what is available."""
    data = message.data
    waiting = unready(wallet, data.ordering_key())
    if waiting is not None or wallet is None:
        return waiting or Decision()
    refused = way_closed(WAYS_OUT, data.way, wallet, data.actor)
    if refused is not None:
        return refused
    shares = share(wallet.buckets, data.amount_minor, now)
    if shares is None:
        return too_much(wallet, data.amount_minor, now)
    progress = begun(wallet, None, message, now).spend(shares, data.way, data.payee, _deed(message))
    detail = f"{data.amount_minor} by {data.way} to {data.payee}: {data.note}"
    return progress.audit(data.actor, "spent", detail).tell("spent", data.amount_minor).decision()


def expire_grant(wallet: Wallet | None, message: TimerDue, now: datetime) -> Outcome:
    """Promotional credit has expired: what no hold keeps of it is taken out."""
    waiting = unready(wallet, message.data.order_id)
    if waiting is not None or wallet is None:
        return waiting or Decision()
    due = [
        bucket
        for bucket in wallet.buckets
        if grant_uuid_of(wallet.tenant, wallet.name, bucket.owner.split("/")[-1]) == message.data.object_id
    ]
    # The tenant's clock says when; a timer that comes a moment before it by ours is on time all the same.
    moment = max(now, message.data.due_at)
    progress = Progress(wallet, None, moment, message.data.due_at)
    for bucket in due:
        progress = progress.expire(bucket)
    return progress.decision()


def _deed(message: Message) -> UUID:
    """What an entry is posted for that has no object of its own: the command, by its key."""
    data = message.data
    name = f"deed/{message.tenant}/{message.type}/{data.ordering_key()}/{data.idempotency_key}"
    return ids.derived_id(ids.NAMESPACE, name)
