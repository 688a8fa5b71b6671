"""How wallets stand: read without a lock, by the model with which the rules decide."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from db.queries import wallet_standings as sql
from db.queries import wallets as wallets_sql
from handlers.wallets.model import Bucket, Wallet

if TYPE_CHECKING:
    from datetime import datetime

    from db.connection import Connection


@dataclass(frozen=True, slots=True)
class Standing:
    """A wallet at its tenant's time. Amounts are minor units of the wallet's currency."""

    wallet: Wallet
    now: datetime

    @property
    def buckets(self) -> list[Bucket]:
        """Its accounts in the order in which they are spent; grants that are used up are gone."""
        return sorted((bucket for bucket in self.wallet.buckets if not bucket.is_used_up), key=Bucket.place)

    @property
    def posted_minor(self) -> int:
        """What is in its accounts."""
        return sum(bucket.posted_minor or 0 for bucket in self.wallet.buckets)

    @property
    def held_minor(self) -> int:
        """What holds reserve of it."""
        return sum(bucket.held_minor for bucket in self.wallet.buckets)

    @property
    def available_minor(self) -> int:
        """What can be spent now, overdrafts included, expired grants not."""
        return self.wallet.available_minor(self.now) or 0

    def available_of(self, bucket: Bucket) -> int:
        """What can be spent of one of its accounts now."""
        return max(bucket.free_minor + bucket.overdraft_minor, 0) if bucket.is_spendable(self.now) else 0

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        names = ("posted_minor", "held_minor", "available_minor")
        buckets = [asdict(bucket) | {"available_minor": self.available_of(bucket)} for bucket in self.buckets]
        return asdict(self.wallet) | {name: getattr(self, name) for name in names} | {"buckets": buckets}


async def standings(
    connection: Connection,
    tenant: str | None = None,
    name: str | None = None,
    owner: str | None = None,
    most: int = 1,
) -> list[Standing]:
    """The first wallets of that tenant, name and owner; whatever is not said is every."""
    rows = await sql.wallets(connection, tenant=tenant, name=name, owner=owner, most=most)
    buckets: defaultdict[tuple[str, str], list[Bucket]] = defaultdict(list)
    tenants, names = [row["tenant"] for row in rows], [row["name"] for row in rows]
    for of_tenant, wallet, *bucket in await wallets_sql.buckets(connection, tenants=tenants, names=names):
        buckets[of_tenant, wallet].append(Bucket(*bucket))
    return [
        Standing(
            Wallet(
                **{column: content for column, content in row.items() if column != "now_at"},
                buckets=tuple(buckets[row["tenant"], row["name"]]),
            ),
            row["now_at"],
        )
        for row in rows
    ]
