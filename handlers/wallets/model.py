"""A wallet with its buckets, each a ledger account; a hold; and the versions of limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from schemas import ids
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from handlers.wallets.states import State
    from schemas.reasons import Reason

BucketName = tuple[str, str]
"""(account code, owner)."""
_FOR_EVER: Final = datetime.max.replace(tzinfo=UTC)


@value
class Bucket:
    """A ledger account of a wallet. `posted_minor` is its balance, which only entries move; None until it was read.

    `held_minor` is reserved by holds, `overdraft_minor` is by how much it may be overdrawn.
    """

    account: str
    owner: str
    priority: int
    expires_at: datetime | None
    overdraft_minor: int
    held_minor: int
    posted_minor: int | None

    @property
    def name(self) -> BucketName:
        """Which account it is."""
        return self.account, self.owner

    @property
    def is_used_up(self) -> bool:
        """Whether it is a grant of which nothing is left: such are loaded no more, and told no more."""
        return self.expires_at is not None and not self.held_minor and not self.posted_minor

    @property
    def free_minor(self) -> int:
        """Posted and not held; what is not read yet is nothing."""
        return (self.posted_minor or 0) - self.held_minor

    def is_spendable(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return self.expires_at is None or now < self.expires_at

    def place(self) -> tuple[int, datetime, str, str]:
        """Its place in the order of spending."""
        return self.priority, self.expires_at or _FOR_EVER, self.account, self.owner


@value
class Wallet:
    """What one owner can spend in one currency; `limits` is the last version of its limits. Locked when loaded."""

    tenant: str
    name: str
    family: str
    owner_id: str
    currency: str
    version: int
    limits: int
    opened_at: datetime
    updated_at: datetime
    buckets: tuple[Bucket, ...]

    @property
    def is_read(self) -> bool:
        """Whether the balances are known: of a wallet that was opened by this very batch they are not."""
        return all(bucket.posted_minor is not None for bucket in self.buckets)

    def available_minor(self, now: datetime) -> int | None:
        """What can be spent or held now, overdrafts included; None while the balances are not known."""
        if not self.is_read:
            return None
        spendable = (bucket for bucket in self.buckets if bucket.is_spendable(now))
        return sum(max(bucket.free_minor + bucket.overdraft_minor, 0) for bucket in spendable)

    def bucket(self, name: BucketName) -> Bucket:
        """The bucket of this account. KeyError when there is none."""
        return {bucket.name: bucket for bucket in self.buckets}[name]

    def moved(self, posted: Mapping[BucketName, int], held: Mapping[BucketName, int]) -> Wallet:
        """The wallet after so much was posted to its accounts, and so much more is held of them."""
        return replace(
            self,
            buckets=tuple(
                replace(
                    bucket,
                    posted_minor=(bucket.posted_minor or 0) + posted.get(bucket.name, 0),
                    held_minor=bucket.held_minor + held.get(bucket.name, 0),
                )
                for bucket in self.buckets
            ),
        )


@value
class Hold:
    """A reservation. `parts` say of which accounts it still keeps how much: account, owner, amount_minor."""

    tenant: str
    object_id: UUID
    hold_id: str
    wallet: str
    state: State
    version: int
    currency: str
    amount_minor: int
    posted_minor: int
    parts: tuple[Mapping[str, object], ...]
    placed_by: str
    reason: Reason | None
    expires_at: datetime
    placed_at: datetime
    updated_at: datetime

    @property
    def reserved(self) -> dict[BucketName, int]:
        """What it still keeps, in the order of spending."""
        return {
            (str(part["account"]), str(part["owner"])): int(str(part["amount_minor"])) for part in self.parts
        }

    @property
    def reserved_minor(self) -> int:
        """What it still keeps, in all."""
        return sum(self.reserved.values())


@value
class WalletLimit:
    """One version of a limit, immutable once written."""

    tenant: str
    wallet: str
    version: int
    account: str
    overdraft_minor: int
    set_by: str
    note: str
    set_at: datetime


def parts_of(shares: Mapping[BucketName, int]) -> tuple[Mapping[str, object], ...]:
    """Shares as a hold keeps them."""
    return tuple(
        {"account": account, "owner": owner, "amount_minor": minor}
        for (account, owner), minor in shares.items()
        if minor
    )


def share(buckets: Iterable[Bucket], amount_minor: int, now: datetime) -> dict[BucketName, int] | None:
    """From which buckets an amount is taken: what is there by order, then overdrafts. None when it is too much."""
    order = sorted((bucket for bucket in buckets if bucket.is_spendable(now)), key=Bucket.place)
    shares: dict[BucketName, int] = {}
    left_minor = amount_minor
    for bucket in order:
        taken_minor = min(max(bucket.free_minor, 0), left_minor)
        shares[bucket.name] = taken_minor
        left_minor -= taken_minor
    for bucket in order:
        more_minor = min(max(bucket.free_minor + bucket.overdraft_minor - shares[bucket.name], 0), left_minor)
        shares[bucket.name] += more_minor
        left_minor -= more_minor
    return None if left_minor else {name: minor for name, minor in shares.items() if minor}


def hold_uuid_of(tenant: str, wallet: str, hold_id: str) -> UUID:
    """The identity of a wallet's hold. Derived from its name, so that a name cannot have two."""
    return ids.derived_id(ids.NAMESPACE, f"hold/{tenant}/{wallet}/{hold_id}")


def grant_uuid_of(tenant: str, wallet: str, grant_id: str) -> UUID:
    """The identity of a grant: what its entries are posted for."""
    return ids.derived_id(ids.NAMESPACE, f"grant/{tenant}/{wallet}/{grant_id}")


def grant_owner(owner_id: str, grant_id: str) -> str:
    """The owner of a grant's account."""
    return f"{owner_id}/{grant_id}"
