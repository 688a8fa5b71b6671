"""Wallets, their limits and holds: commands on `ledger.commands`, and `wallet.*`, `hold.<state>.v1` out.

A wallet is what one owner can spend in one currency: the ledger accounts of a family, in an order, none of them below
its limit. Key: tenant + wallet. A merchant's payable account with a limit is a wallet of one account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field

from schemas.actor import Actor
from schemas.envelope import Command, Message, Timestamp
from schemas.money import AmountMinor, CurrencyCode, PositiveMinor
from schemas.safe_text import Metadata, SafeName, SafeText
from schemas.value import message

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

Family = Literal["customer", "merchant"]
"""Which accounts make up the wallet, and which may be overdrawn, is data: handlers/wallets/families.py."""
OwnerId = Annotated[
    SafeName, Field(max_length=64, pattern=r"^[\x21-\x2e\x30-\x7e]+$", description="without a slash")
]


def wallet_name(family: str, owner_id: str, currency: str) -> str:
    """The name of a wallet: what its commands and events are keyed by."""
    return f"{family}/{owner_id}/{currency}"


class WalletCommand(Command):
    """Base: the wallet is named by its family, its owner and its currency."""

    family: Family
    owner_id: OwnerId
    currency: CurrencyCode
    actor: Actor
    note: SafeText = ""
    references: Metadata = Field(
        default_factory=dict, description="external references of the entry, by names of your own"
    )

    def ordering_key(self) -> str:
        """The wallet."""
        return wallet_name(self.family, self.owner_id, self.currency)


class WalletOpenedData(WalletCommand):
    """From now on the accounts of the wallet keep their limits: none may be overdrawn."""


class WalletLimitSetData(WalletCommand):
    """A new version of the limit: by how much `account` may be overdrawn. Beyond it already, it may only rise."""

    version: Annotated[int, Field(ge=1, le=1_000_000)]
    account: SafeName
    overdraft_minor: AmountMinor


class WalletCreditedData(WalletCommand):
    """Money or credit comes in: `way` says from where and into which account (handlers/wallets/families.py).

    `source` is the owner of the account on the other side: the bank, the provider.
    """

    way: SafeName
    source: SafeName
    amount_minor: PositiveMinor


class PromotionGrantedData(WalletCommand):
    """Credit for promotion, which expires. Lower `priority` is spent first, then what expires first."""

    grant_id: OwnerId
    amount_minor: PositiveMinor
    expires_at: Timestamp
    priority: Annotated[int, Field(ge=0, le=1_000)] = 100


class WalletSpentData(WalletCommand):
    """Spend at once. `payee` is the owner of the account that receives, which `way` names."""

    way: SafeName
    payee: SafeName
    amount_minor: PositiveMinor


class HoldPlacedData(WalletCommand):
    """Reserve an amount: it counts as spent until it is posted, voided, or expires."""

    hold_id: SafeName
    amount_minor: PositiveMinor
    expires_at: Timestamp


class HoldPostedData(WalletCommand):
    """Spend what a hold keeps, all of it or `amount_minor`. Unless `final` is false, the rest is free again."""

    hold_id: SafeName
    way: SafeName
    payee: SafeName
    amount_minor: PositiveMinor | None = None
    final: bool = True


class HoldVoidedData(WalletCommand):
    """Let go what a hold reserves."""

    hold_id: SafeName


class WalletOpened(Message):
    """ledger.wallet_opened.v1."""

    type: Literal["ledger.wallet_opened.v1"]
    data: WalletOpenedData


class WalletLimitSet(Message):
    """ledger.wallet_limit_set.v1."""

    type: Literal["ledger.wallet_limit_set.v1"]
    data: WalletLimitSetData


class WalletCredited(Message):
    """ledger.wallet_credited.v1."""

    type: Literal["ledger.wallet_credited.v1"]
    data: WalletCreditedData


class PromotionGranted(Message):
    """ledger.promotion_granted.v1."""

    type: Literal["ledger.promotion_granted.v1"]
    data: PromotionGrantedData


class WalletSpent(Message):
    """ledger.wallet_spent.v1."""

    type: Literal["ledger.wallet_spent.v1"]
    data: WalletSpentData


class HoldPlaced(Message):
    """ledger.hold_placed.v1."""

    type: Literal["ledger.hold_placed.v1"]
    data: HoldPlacedData


class HoldPosted(Message):
    """ledger.hold_posted.v1."""

    type: Literal["ledger.hold_posted.v1"]
    data: HoldPostedData


class HoldVoided(Message):
    """ledger.hold_voided.v1."""

    type: Literal["ledger.hold_voided.v1"]
    data: HoldVoidedData


WalletMessage = (
    WalletOpened
    | WalletLimitSet
    | WalletCredited
    | PromotionGranted
    | WalletSpent
    | HoldPlaced
    | HoldPosted
    | HoldVoided
)
"""A part of the union of `ledger.commands`."""

WALLET_EVENT_TYPES: Final = tuple(
    f"wallet.{what}.v1" for what in ("opened", "limit_set", "credited", "granted", "spent", "expired")
)
HOLD_EVENT_TYPES: Final = tuple(
    f"hold.{state}.v1" for state in ("placed", "partly_posted", "posted", "voided", "expired")
)


@message
class BucketStanding:
    """One account of a wallet. `posted_minor` is its balance, `available_minor` what may still be spent of it."""

    account: str
    owner: str
    posted_minor: int
    held_minor: int
    available_minor: int
    expires_at: datetime | None


@message
class WalletChanged:
    """What happened to a wallet, and how it stands after that; `amount_minor` is what came, went or expired."""

    wallet: str
    family: str
    owner_id: str
    currency: str
    version: int
    amount_minor: int
    available_minor: int | None
    buckets: tuple[BucketStanding, ...]


@message
class HoldChanged:
    """The hold as it is after the change: `hold.<state>.v1`. `reserved_minor` is what it still keeps."""

    hold_uuid: UUID
    hold_id: str
    wallet: str
    state: str
    version: int
    currency: str
    amount_minor: int
    posted_minor: int
    reserved_minor: int
    available_minor: int | None
    reason: str | None
    expires_at: datetime
