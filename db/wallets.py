"""Wallets to rows and back: a wallet is one locked row, its accounts are rows beside it, their balances are sums."""

from __future__ import annotations

from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from db.queries import engine
from db.queries import wallets as sql
from handlers.ledger.model import CHART, Code
from handlers.wallets.model import Bucket, Wallet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from db.connection import Connection
    from handlers.needs import Key, Kind

_COLUMNS: Final = (
    "tenant",
    "name",
    "family",
    "owner_id",
    "currency",
    "version",
    "limits",
    "opened_at",
    "updated_at",
)
_BUCKET: Final = (
    "tenants",
    "wallets",
    "accounts",
    "owners",
    "currencies",
    "priorities",
    "expires_ats",
    "overdrafts",
    "helds",
)


class WalletTable:
    """As db.tables.Table, for values that are of two tables, and of the balances, which only entries move."""

    kind: Kind = "wallet"
    name = "wallets"
    cls = Wallet
    history = False
    key_of: Callable[[Any], Key] = staticmethod(attrgetter("tenant", "name"))

    async def load(self, connection: Connection, keys: Iterable[Key]) -> list[Wallet]:
        """The wallets with these keys, locked in key order.

        The balances are read when the locks are held: whoever lowers one holds its wallet's lock.
        """
        tenants, names = zip(*keys, strict=True)
        rows = await sql.lock_wallets(connection, tenants=tenants, names=names)
        if not rows:
            return []
        buckets: defaultdict[Key, list[Bucket]] = defaultdict(list)
        tenants, names = zip(*((row["tenant"], row["name"]) for row in rows), strict=True)
        for tenant, wallet, *bucket in await sql.buckets(connection, tenants=tenants, names=names):
            buckets[tenant, wallet].append(Bucket(*bucket))
        return [Wallet(**dict(row), buckets=tuple(buckets[row["tenant"], row["name"]])) for row in rows]

    async def insert(self, connection: Connection, values: Iterable[Wallet]) -> None:
        """New wallets. To open one is to use its accounts for the first time."""
        wallets = list(values)
        rows = [tuple(getattr(wallet, column) for column in _COLUMNS) for wallet in wallets]
        await connection.copy_records_to_table(self.name, records=rows, columns=_COLUMNS)
        accounts = sorted(
            {
                (wallet.tenant, bucket.account, bucket.owner, wallet.currency)
                for wallet in wallets
                for bucket in wallet.buckets
            }
        )
        tenants, codes, owners, currencies = zip(*accounts, strict=True)
        await engine.open_accounts(
            connection,
            tenants=tenants,
            codes=codes,
            owners=owners,
            currencies=currencies,
            types=[CHART[Code(code)].type for code in codes],
        )
        await self._keep(connection, wallets)

    async def update(self, connection: Connection, values: Iterable[Wallet]) -> None:
        """Wallets as they are now."""
        wallets = list(values)
        await sql.update_wallets(
            connection,
            tenants=[wallet.tenant for wallet in wallets],
            names=[wallet.name for wallet in wallets],
            versions=[wallet.version for wallet in wallets],
            limits=[wallet.limits for wallet in wallets],
            updated_ats=[wallet.updated_at for wallet in wallets],
        )
        await self._keep(connection, wallets)

    async def _keep(self, connection: Connection, wallets: list[Wallet]) -> None:
        rows = [
            (
                wallet.tenant,
                wallet.name,
                bucket.account,
                bucket.owner,
                wallet.currency,
                bucket.priority,
                bucket.expires_at,
                bucket.overdraft_minor,
                bucket.held_minor,
            )
            for wallet in wallets
            for bucket in wallet.buckets
        ]
        columns = dict(zip(_BUCKET, zip(*rows, strict=True), strict=True))
        await sql.keep_buckets(connection, **columns)
