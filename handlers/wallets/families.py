"""Which accounts make up a wallet, which is spent first, and by which ways money comes and goes; as data."""

from __future__ import annotations

from typing import Final

from handlers.ledger.model import Code
from schemas.value import value


@value
class Plan:
    """An account of a wallet. What has the lowest `priority` is spent first. `overdraft`: whether it may have one."""

    code: Code
    priority: int
    overdraft: bool = False


FAMILIES: Final[dict[str, tuple[Plan, ...]]] = {
    # grants of promotional credit come in between, each by a priority of its own
    "customer": (Plan(Code.CUSTOMER_CREDIT, 200), Plan(Code.PREPAID_BALANCE, 300, overdraft=True)),
    "merchant": (Plan(Code.MERCHANT_PAYABLE, 100, overdraft=True),),
}
"""An account code is in one family at most, so that an account is in one wallet at most."""

PROMOTED: Final = frozenset({"customer"})
"""Families that take promotional credit."""


@value
class Way:
    """How money comes or goes. `inside` is the wallet's account: None for whatever is spent first.

    `other` is the account on the other side, `owned` whether the platform owns that; `roles` may use it.
    """

    family: str
    inside: Code | None
    other: Code
    roles: frozenset[str]
    owned: bool = False


_PROGRAMS: Final = frozenset({"system", "finance"})
_HELPERS: Final = frozenset({"support", "manager", "finance"})

WAYS_IN: Final[dict[str, Way]] = {
    "bank_transfer": Way("customer", Code.PREPAID_BALANCE, Code.BANK_CLEARING, _PROGRAMS),
    "card": Way("customer", Code.PREPAID_BALANCE, Code.PROCESSOR_RECEIVABLE, _PROGRAMS),
    "goodwill": Way("customer", Code.CUSTOMER_CREDIT, Code.GOODWILL_EXPENSE, _HELPERS, owned=True),
    "merchant_transfer": Way("merchant", Code.MERCHANT_PAYABLE, Code.BANK_CLEARING, _PROGRAMS),
}
WAYS_OUT: Final[dict[str, Way]] = {
    "purchase": Way("customer", None, Code.MERCHANT_PAYABLE, _PROGRAMS | _HELPERS),
    "platform_service": Way("customer", None, Code.PLATFORM_FEE_REVENUE, _PROGRAMS | _HELPERS, owned=True),
    "withdrawal": Way("merchant", None, Code.BANK_CLEARING, _PROGRAMS),
}
