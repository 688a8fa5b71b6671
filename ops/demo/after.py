"""The days after the day, drafted: which payments are refunded or disputed, and what is published on which day."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

import orjson

from ops.demo.aftersales import Aftersale, policy
from ops.demo.cases import DAYS, OF_THE_DAY, OF_THEIR_OWN, ON_A_TEST_CLOCK, PER_EVENTS
from ops.demo.marketplace import Record, merchants_of, message
from ops.demo.merchants import MARKETS, SANDBOX, price_minor, sandbox_merchant, worth_minor
from schemas.outgoing import partition_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ops.demo.cases import Case, Wanted
    from ops.demo.merchants import Market, Merchant
    from ops.demo.orders import Cue, Step

DAY_S: Final = 86_400
EVENING_S: Final = 20 * 3600
DUPLICATE_EVERY: Final = 20
FEES_KEPT_BY: Final = frozenset({"sakura"})
"""Who keeps its fee when money goes back; the others return the share."""
PRICE_EUROS: Final = 80
"""The least price of an order that is opened for a case, so that all of its parts fit."""


@dataclass(frozen=True, slots=True)
class Act:
    """What is published `day` days after the day."""

    day: int
    title: str
    records: tuple[Record, ...]


def acts(events: int, seed: int, paid: Iterable[Mapping[str, Any]]) -> list[Act]:
    """The days after a day of so many events.

    `paid` are the day's payments in the order of their ids, each with tenant, order_id, merchant_id, customer_id,
    currency, amount_minor, state and method. The same payments and seed give the same acts, byte for byte.
    """
    return _Draft(events, seed).acts(list(paid))


class _Draft:
    def __init__(self, events: int, seed: int) -> None:
        self.random = Random(f"after {seed}")  # noqa: S311 - a play that can be repeated, no secret
        self.seed = seed
        self.share = events / PER_EVENTS
        self.merchants = merchants_of(events, seed)
        self.sandbox = sandbox_merchant(self.random)
        self.records: dict[int, list[Record]] = defaultdict(list)
        self._ids = 0
        self._orders = 0

    def acts(self, paid: list[Mapping[str, Any]]) -> list[Act]:
        self._open()
        for case, order in (*self._of_the_day(paid), *self._of_their_own()):
            self._enact(order.merchant.market, order.order_id, case.steps(order))
        return [Act(day, title, tuple(self.records[day])) for day, title in DAYS.items()]

    def _open(self) -> None:
        """Policies, and the fees of the merchant on the test clock."""
        for market in (*MARKETS, SANDBOX):
            fees = "keep" if market.tenant in FEES_KEPT_BY else "return_proportionally"
            data = policy(market.currencies, fees)
            self._say(0, market, "refund_policy", "checkout.refund_policy_set.v1", data, None)
        merchant = self.sandbox
        for terms in merchant.fees:
            self._say(0, merchant.market, merchant.merchant_id, "checkout.merchant_fees_set.v1", terms, None)

    def _of_the_day(self, paid: list[Mapping[str, Any]]) -> Iterator[tuple[Case, Aftersale]]:
        """Cases with payments of the day, as far as there are enough."""
        merchants = {(one.market.tenant, one.merchant_id): one for one in self.merchants}
        left = self.random.sample(paid, k=len(paid))
        customers: set[tuple[str, str]] = set()
        for case in OF_THE_DAY:
            wanted, count = case.wanted, self._count(case)
            kept = []
            for row in left:
                customer = row["tenant"], row["customer_id"]
                if not count or wanted is None or customer in customers or not _suits(row, wanted):
                    kept.append(row)
                    continue
                count -= 1
                customers.add(customer)
                merchant = merchants[row["tenant"], row["merchant_id"]]
                yield (
                    case,
                    self._order(
                        merchant, row["order_id"], row["currency"], row["amount_minor"], row["customer_id"]
                    ),
                )
            left = kept

    def _of_their_own(self) -> Iterator[tuple[Case, Aftersale]]:
        for case in OF_THEIR_OWN:
            for _ in range(self._count(case)):
                yield case, self._opened(self.random.choice(self.merchants))
        for case in ON_A_TEST_CLOCK:
            for _ in range(self._count(case)):
                yield case, self._opened(self.sandbox)

    def _opened(self, merchant: Merchant) -> Aftersale:
        self._orders += 1
        currency = self.random.choice(merchant.market.currencies)
        least_minor = worth_minor(PRICE_EUROS, currency)
        order_id = f"after-{self.seed}-{self._orders:05d}"
        amount_minor = least_minor + price_minor(self.random, currency)
        return self._order(merchant, order_id, currency, amount_minor, f"customer-of-{order_id}")

    def _order(
        self, merchant: Merchant, order_id: str, currency: str, amount_minor: int, customer_id: str | None
    ) -> Aftersale:
        return Aftersale(self.random, merchant, order_id, currency, amount_minor, customer_id)

    def _count(self, case: Case) -> int:
        return max(1, round(case.weight * self.share))

    def _enact(self, market: Market, order_id: str, steps: list[Step]) -> None:
        for step in steps:
            self._say(step.day, market, order_id, step.type, step.data, step.cue)

    def _say(
        self, day: int, market: Market, object_id: str, event_type: str, data: dict[str, Any], cue: Cue | None
    ) -> None:
        """Publish it on that day; every so many once more."""
        self._ids += 1
        at_s = day * DAY_S + EVENING_S + self._ids * 0.1
        event = message(f"after-{self.seed}-{self._ids:06d}", market, object_id, event_type, at_s, data)
        key = partition_key(market.tenant, object_id).encode()
        record = Record(key, orjson.dumps(event), cue)
        self.records[day].append(record)
        if self._ids % DUPLICATE_EVERY == 0:
            self.records[day].append(Record(key, record.value))


def _suits(row: Mapping[str, Any], wanted: Wanted) -> bool:
    return (
        row["method"] in wanted.methods
        and row["state"] in wanted.states
        and row["amount_minor"] >= worth_minor(wanted.at_least_euros, row["currency"])
    )
