"""The messages that wallets handle: commands, and timers of holds and grants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from handlers.needs import Need, Route
from handlers.wallets.model import grant_uuid_of, hold_uuid_of
from handlers.wallets.rules.holds import expire_hold, place, post_hold, void_hold
from handlers.wallets.rules.money import credit, expire_grant, grant, open_wallet, set_limit, spend

if TYPE_CHECKING:
    from handlers.needs import Key
    from schemas.envelope import Message


def _wallet_key(message: Message) -> Key:
    return message.tenant, message.data.ordering_key()


def _hold_key(message: Message) -> Key:
    return message.tenant, hold_uuid_of(message.tenant, message.data.ordering_key(), message.data.hold_id)


def _grant_key(message: Message) -> Key:
    object_id = grant_uuid_of(message.tenant, message.data.ordering_key(), message.data.grant_id)
    return message.tenant, str(object_id)


def _object_key(message: Message) -> Key | None:
    object_id = message.data.object_id
    return None if object_id is None else (message.tenant, object_id)


WALLET: Final = Need("wallet", _wallet_key)
"""Of a timer, too: its ordering key is the wallet's name."""
OF_GRANT: Final = Need("booked", _grant_key)
"""What is in the books for a grant of this name."""
HOLD: Final = Need("hold", _hold_key)
HOLD_OBJECT: Final = Need("hold", _object_key)

ROUTES: Final[dict[str, Route]] = {
    "ledger.wallet_opened.v1": Route(open_wallet, (WALLET,)),
    "ledger.wallet_limit_set.v1": Route(set_limit, (WALLET,)),
    "ledger.wallet_credited.v1": Route(credit, (WALLET,)),
    "ledger.promotion_granted.v1": Route(grant, (WALLET, OF_GRANT)),
    "ledger.wallet_spent.v1": Route(spend, (WALLET,)),
    "ledger.hold_placed.v1": Route(place, (WALLET, HOLD)),
    "ledger.hold_posted.v1": Route(post_hold, (WALLET, HOLD)),
    "ledger.hold_voided.v1": Route(void_hold, (WALLET, HOLD)),
}

TIMERS: Final[dict[str, Route]] = {
    "hold_expiry": Route(expire_hold, (WALLET, HOLD_OBJECT)),
    "promotion_expiry": Route(expire_grant, (WALLET,)),
}
