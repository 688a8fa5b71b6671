"""What one message does to a wallet and a hold, gathered step by step into a Decision."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from handlers.decision import Audit, Decision, Event, Rejection, Timer, Transition, Waiting
from handlers.ledger.model import Code, Posting
from handlers.ledger.rules import post
from handlers.payments.model import derived_id
from handlers.wallets.families import WAYS_OUT
from handlers.wallets.model import grant_uuid_of, parts_of
from handlers.wallets.postings import EXPIRED, SPENT
from handlers.wallets.states import TRANSITIONS
from schemas.ledger import Leg
from schemas.notification import NOTIFICATION_REQUESTED, NotificationRequested
from schemas.reasons import Reason
from schemas.value import value
from schemas.wallet import BucketStanding, HoldChanged, WalletChanged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from handlers.ledger.model import PostingRule
    from handlers.wallets.families import Way
    from handlers.wallets.model import Bucket, BucketName, Hold, Wallet
    from handlers.wallets.states import Trigger
    from schemas.actor import Actor
    from schemas.envelope import Message
    from schemas.notification import Audience
    from schemas.timer import TimerKind


@value
class Progress:
    """A wallet and perhaps a hold, as they are by now. Every method returns the progress after it.

    `moment` is the time of deciding; `effective_at` is when the business event happened, for the entries, and
    `references` are the external ones that they get.
    """

    wallet: Wallet
    hold: Hold | None
    moment: datetime
    effective_at: datetime
    references: Mapping[str, str] | None = None
    decided: Decision = Decision()

    def held(self, shares: Mapping[BucketName, int], sign: int = 1) -> Progress:
        """Reserve these shares, or with -1 let them go; what has expired meanwhile is not spendable again."""
        wallet = self.wallet.moved({}, {name: sign * minor for name, minor in shares.items()})
        after = replace(self, wallet=wallet)
        if sign > 0:
            return after
        for name in shares:
            after = after.expire(after.wallet.bucket(name))
        return after

    def credit(
        self,
        rule: PostingRule,
        bucket: BucketName,
        amount_minor: int,
        owners: dict[str, str],
        object_id: UUID,
    ) -> Progress:
        """An entry that brings `amount_minor` into one account."""
        posting = post(
            rule,
            object_type="wallet",
            object_id=str(object_id),
            currency=self.wallet.currency,
            effective_at=self.effective_at,
            owners=owners,
            amounts={"amount": amount_minor},
        )
        posting = replace(posting, references=self.references)
        return replace(self, wallet=self.wallet.moved({bucket: amount_minor}, {})).with_(postings=(posting,))

    def spend(self, shares: Mapping[BucketName, int], way: str, payee: str, object_id: UUID) -> Progress:
        """An entry that takes these shares to `payee`, whom `way` says the account of."""
        rule, currency = SPENT[way], self.wallet.currency
        *debits, credit = rule.legs
        sides = {leg.code: leg.side for leg in debits}
        legs = [
            Leg(sides[Code(account)], account, owner, minor, currency)
            for (account, owner), minor in shares.items()
        ]
        receiver = self.wallet.tenant if WAYS_OUT[way].owned else payee
        legs.append(Leg(credit.side, credit.code, receiver, sum(shares.values()), currency))
        object_type = "wallet" if self.hold is None else "hold"
        posting = Posting(
            rule.name, object_type, str(object_id), self.effective_at, tuple(legs), self.references
        )
        wallet = self.wallet.moved({name: -minor for name, minor in shares.items()}, {})
        return replace(self, wallet=wallet).with_(postings=(posting,))

    def expire(self, bucket: Bucket) -> Progress:
        """Take out what an expired bucket has left and no hold keeps; its hold's end brings us back."""
        if bucket.is_spendable(self.moment) or bucket.free_minor <= 0:
            return self
        minor, wallet = bucket.free_minor, self.wallet
        object_id = grant_uuid_of(wallet.tenant, wallet.name, bucket.owner.split("/")[-1])
        posting = post(
            EXPIRED,
            object_type="wallet",
            object_id=str(object_id),
            currency=wallet.currency,
            effective_at=bucket.expires_at or self.moment,
            owners={"grant": bucket.owner, "platform": wallet.tenant},
            amounts={"amount": minor},
        )
        gone = replace(self, wallet=wallet.moved({bucket.name: -minor}, {})).with_(postings=(posting,))
        told = gone.tell("expired", minor)
        detail = f"{minor} {wallet.currency} (minor units) of promotional credit expired"
        return told.notify("wallet.expired", detail)

    def step(self, trigger: Trigger, **changes: Any) -> Progress:
        """The hold goes along its table, and tells. KeyError when the table forbids it: rules ask `forbidden` first."""
        before = self.hold
        if before is None:
            raise KeyError(trigger)
        came_from = before.state if before.version else None
        after = replace(
            before,
            state=TRANSITIONS[came_from, trigger],
            version=before.version + 1,
            updated_at=self.moment,
            **changes,
        )
        step = Transition(
            after.object_id, after.version, came_from, trigger, after.state, after.reason, "hold"
        )
        return replace(self, hold=after).with_(transitions=(step,))

    def keep(self, shares: Mapping[BucketName, int], **changes: Any) -> Progress:
        """The hold keeps these shares from now on."""
        if self.hold is None:
            return self
        return replace(self, hold=replace(self.hold, parts=parts_of(shares), **changes))

    def tell(self, what: str, amount_minor: int) -> Progress:
        """Say what happened to the wallet."""
        grown = replace(
            self, wallet=replace(self.wallet, version=self.wallet.version + 1, updated_at=self.moment)
        )
        wallet = grown.wallet
        told = WalletChanged(
            wallet.name,
            wallet.family,
            wallet.owner_id,
            wallet.currency,
            wallet.version,
            amount_minor,
            wallet.available_minor(self.moment),
            _standings(wallet, self.moment),
        )
        return grown.with_(events=(Event(f"wallet.{what}.v1", wallet.name, told),))

    def notify(self, about: str, detail: str) -> Progress:
        """Have the owner told."""
        wallet = self.wallet
        audience: Audience = "customer" if wallet.family == "customer" else "merchant"
        told = NotificationRequested(
            audience,
            wallet.owner_id,
            about,
            "wallet",
            wallet.name,
            wallet.name,
            None,
            detail,
            None,
        )
        return self.with_(events=(Event(NOTIFICATION_REQUESTED, wallet.name, told),))

    def set_timer(self, kind: TimerKind, due_at: datetime, object_id: UUID) -> Progress:
        """Come back at `due_at`."""
        timer = Timer(derived_id(object_id, kind, 1), kind, due_at, object_id, self.wallet.name, object_id)
        return self.with_(timers=(timer,))

    def audit(self, actor: Actor, action: str, detail: str) -> Progress:
        """Write down what a person did; a program's deeds are in the messages."""
        if actor.role == "system":
            return self
        done = Audit(actor.id, f"wallet.{action}", "wallet", self.wallet.name, f"as {actor.role}: {detail}")
        return self.with_(audit=(done,))

    def with_(self, **more: tuple[Any, ...]) -> Progress:
        """More to write."""
        grown = {name: (*getattr(self.decided, name), *added) for name, added in more.items()}
        return replace(self, decided=replace(self.decided, **grown))

    def decision(self) -> Decision:
        """All of it. A hold tells how it stands at the end of the message."""
        wallet, hold = replace(self.wallet, updated_at=self.moment), self.hold
        if hold is None:
            return replace(self.decided, states=(wallet, *self.decided.states))
        told = HoldChanged(
            hold.object_id,
            hold.hold_id,
            hold.wallet,
            hold.state,
            hold.version,
            hold.currency,
            hold.amount_minor,
            hold.posted_minor,
            hold.reserved_minor,
            wallet.available_minor(self.moment),
            hold.reason,
            hold.expires_at,
        )
        event = Event(f"hold.{hold.state}.v1", str(hold.object_id), told)
        return replace(
            self.decided, states=(wallet, hold, *self.decided.states), events=(event, *self.decided.events)
        )


def begun(wallet: Wallet, hold: Hold | None, message: Message, now: datetime) -> Progress:
    """What a command does, from its start: expired credit that came back since its time, by a reversal, goes first.

    It happened when the message says, but not in the future: no money is spent ahead.
    """
    progress = Progress(wallet, hold, now, min(message.time, now), message.data.references or None)
    for bucket in wallet.buckets if wallet.is_read else ():
        progress = progress.expire(bucket)
    return progress


def unready(wallet: Wallet | None, name: str) -> Waiting | None:
    """Why the wallet cannot be judged yet: nobody opened it, or this very batch did, and its balances are not read."""
    if wallet is None:
        return Waiting(Reason.WALLET_UNKNOWN, f"wallet {name} is not open", "wallet")
    if not wallet.is_read:
        return Waiting(Reason.WALLET_UNKNOWN, f"wallet {name} is being opened", "wallet")
    return None


def too_much(wallet: Wallet, amount_minor: int, now: datetime) -> Rejection:
    """The wallet has less than that."""
    available = wallet.available_minor(now)
    detail = f"amount_minor {amount_minor} is above what wallet {wallet.name} has available, {available}"
    return Rejection(Reason.LIMIT_REACHED, detail)


def way_closed(ways: Mapping[str, Way], way: str, wallet: Wallet, actor: Actor) -> Rejection | None:
    """Why `actor` may not move the wallet's money by `way`; None when they may."""
    path = ways.get(way)
    if path is None or path.family != wallet.family:
        known = ", ".join(name for name, one in ways.items() if one.family == wallet.family)
        return Rejection(Reason.WAY_UNKNOWN, f"way {way}: a wallet of a {wallet.family} knows {known}")
    if actor.role not in path.roles:
        detail = f"actor.role {actor.role}: {way} needs {' or '.join(sorted(path.roles))}"
        return Rejection(Reason.ACTOR_NOT_ALLOWED, detail)
    return None


def _standings(wallet: Wallet, now: datetime) -> tuple[BucketStanding, ...]:
    """How its accounts stand; of a wallet that is being opened nobody knows yet."""
    if not wallet.is_read:
        return ()
    return tuple(_standing(bucket, now) for bucket in wallet.buckets if not bucket.is_used_up)


def _standing(bucket: Bucket, now: datetime) -> BucketStanding:
    available = max(bucket.free_minor + bucket.overdraft_minor, 0) if bucket.is_spendable(now) else 0
    return BucketStanding(
        bucket.account,
        bucket.owner,
        bucket.posted_minor or 0,
        bucket.held_minor,
        available,
        bucket.expires_at,
    )
