"""The chart of accounts, as data, and what a posting is."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from schemas.ledger import Leg, Side

DEBIT: Final[Side] = "debit"
CREDIT: Final[Side] = "credit"


class AccountType(StrEnum):
    """The five classes of accounts of double-entry bookkeeping."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    REVENUE = "revenue"
    EXPENSE = "expense"

    @property
    def normal_side(self) -> Side:
        """The side on which the account grows."""
        return DEBIT if self in {AccountType.ASSET, AccountType.EXPENSE} else CREDIT


class Code(StrEnum):
    """Account codes of the chart."""

    PROCESSOR_RECEIVABLE = "processor_receivable"
    CARRIER_RECEIVABLE = "carrier_receivable"
    TERMINAL_RECEIVABLE = "terminal_receivable"
    BANK_CLEARING = "bank_clearing"
    MERCHANT_PAYABLE = "merchant_payable"
    PLATFORM_FEE_REVENUE = "platform_fee_revenue"
    DEBIT_RECEIVABLE = "debit_receivable"
    REFUND_CLEARING = "refund_clearing"
    CUSTOMER_CREDIT = "customer_credit"
    CHARGEBACK_CLEARING = "chargeback_clearing"
    DISPUTE_FEE_EXPENSE = "dispute_fee_expense"
    GOODWILL_EXPENSE = "goodwill_expense"
    SUSPENSE = "suspense"
    TRADING = "trading"
    ROUNDING_DIFFERENCE = "rounding_difference"
    OPENING_BALANCE = "opening_balance"
    PREPAID_BALANCE = "prepaid_balance"
    PROMOTIONAL_CREDIT = "promotional_credit"
    PROMOTION_EXPENSE = "promotion_expense"
    LIMIT_SHORTFALL = "limit_shortfall"


NOBODY: Final[frozenset[str]] = frozenset()
FINANCE: Final = frozenset({"system", "finance"})
BACK_OFFICE: Final = FINANCE | {"manager"}
"""Roles that may propose a manual journal to an account; somebody else approves it. Nobody: only rules post to it."""


@value
class ChartAccount:
    """A line of the chart. An account instance is tenant + code + owner + currency, created on first use.

    `people` are the roles that may propose manual journals to it.
    """

    type: AccountType
    owner: str
    about: str
    people: frozenset[str] = NOBODY


CHART: Final[dict[Code, ChartAccount]] = {
    Code.PROCESSOR_RECEIVABLE: ChartAccount(
        AccountType.ASSET, "provider", "Captured by a card processor, not yet paid to us.", FINANCE
    ),
    Code.CARRIER_RECEIVABLE: ChartAccount(
        AccountType.ASSET, "carrier", "Cash collected by carriers on delivery.", FINANCE
    ),
    Code.TERMINAL_RECEIVABLE: ChartAccount(
        AccountType.ASSET, "terminal", "Taken at points of sale.", FINANCE
    ),
    Code.BANK_CLEARING: ChartAccount(
        AccountType.ASSET, "bank", "Bank transfers reported, not yet on a statement.", FINANCE
    ),
    Code.MERCHANT_PAYABLE: ChartAccount(
        AccountType.LIABILITY, "merchant", "What we owe a merchant.", FINANCE
    ),
    Code.PLATFORM_FEE_REVENUE: ChartAccount(
        AccountType.REVENUE, "platform", "Fees earned from merchants.", FINANCE
    ),
    Code.DEBIT_RECEIVABLE: ChartAccount(
        AccountType.ASSET, "provider", "Debited from bank accounts, may still be returned.", FINANCE
    ),
    Code.REFUND_CLEARING: ChartAccount(
        AccountType.LIABILITY, "provider", "Refunds asked of a provider, not yet confirmed."
    ),
    Code.CUSTOMER_CREDIT: ChartAccount(AccountType.LIABILITY, "customer", "Service credit of customers."),
    Code.CHARGEBACK_CLEARING: ChartAccount(
        AccountType.ASSET, "provider", "Withdrawn for disputes that nobody has decided yet."
    ),
    Code.DISPUTE_FEE_EXPENSE: ChartAccount(
        AccountType.EXPENSE, "provider", "What providers charge for disputes.", FINANCE
    ),
    Code.GOODWILL_EXPENSE: ChartAccount(
        AccountType.EXPENSE, "platform", "Given to customers at the platform's own cost.", BACK_OFFICE
    ),
    Code.SUSPENSE: ChartAccount(
        AccountType.LIABILITY, "provider", "Money that came in and belongs to no payment we know.", FINANCE
    ),
    Code.TRADING: ChartAccount(
        AccountType.EQUITY,
        "currency pair",
        "What conversions took in one currency and gave in another.",
        FINANCE,
    ),
    Code.ROUNDING_DIFFERENCE: ChartAccount(
        AccountType.EXPENSE, "platform", "What rounding cost, or brought when it is negative.", FINANCE
    ),
    Code.OPENING_BALANCE: ChartAccount(
        AccountType.EQUITY, "platform", "Balances taken over from other books.", FINANCE
    ),
    Code.PREPAID_BALANCE: ChartAccount(
        AccountType.LIABILITY, "customer", "Paid in by customers before they bought."
    ),
    Code.PROMOTIONAL_CREDIT: ChartAccount(
        AccountType.LIABILITY, "customer and grant", "Credit given for promotion, until it expires."
    ),
    Code.PROMOTION_EXPENSE: ChartAccount(
        AccountType.EXPENSE,
        "platform",
        "What promotional credit costs; less what expired unused.",
        BACK_OFFICE,
    ),
    Code.LIMIT_SHORTFALL: ChartAccount(
        AccountType.ASSET,
        "merchant or customer",
        "Owed by who has a limit: what facts, as a chargeback, took beyond it.",
        FINANCE,
    ),
}


@value
class RuleLeg:
    """One leg of a posting rule: which side of which account, whose, and which named amount."""

    side: Side
    code: Code
    owner: str
    amount: str


@value
class PostingRule:
    """How a business event is booked. `owner` and `amount` of its legs are names that the caller fills in."""

    name: str
    about: str
    legs: tuple[RuleLeg, ...]


@value
class Posting:
    """A journal entry to be written, balanced in each currency. `effective_at` is when the business event happened.

    `references` are external ones, by the caller's own names.
    """

    rule: str
    object_type: str
    object_id: str
    effective_at: datetime
    legs: tuple[Leg, ...]
    references: Mapping[str, str] | None = None
