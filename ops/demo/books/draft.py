"""The ledger's share of a play, drafted: how many of each case, in which tenant, all from the seed."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

from ops.demo.books.closing import close_books
from ops.demo.books.desk import Desk
from ops.demo.books.houses import desks, houses
from ops.demo.books.journal_cases import CASES
from ops.demo.books.purse import Purse
from ops.demo.books.sale_cases import SALE_CASES, SaleDesk
from ops.demo.books.script import Script
from ops.demo.books.wallet_cases import ANYWHERE, IN_A_HOUSE
from ops.demo.cases import PER_EVENTS
from ops.demo.merchants import worth_minor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ops.demo.books.houses import House
    from ops.demo.books.wallet_cases import WalletCase
    from ops.demo.merchants import Market

SALES_TAKEN_BACK: Final = 12
"""Of the day's sales, how many are taken back by hand in PER_EVENTS events; one for each of SALE_CASES at least."""
A_SALE_EUROS: Final = 5
"""What such a sale was worth at least, so that a third of it is less than what the merchant got."""


class Books:
    """What is said at the desks in a play of so many events. The same events and seed give the same messages."""

    def __init__(self, events: int, seed: int) -> None:
        self.houses: tuple[House, ...] = houses(seed)
        self.script = Script(seed)
        self._random = Random(f"books {seed}")  # noqa: S311 - a play that can be repeated, no secret
        self._share = events / PER_EVENTS
        self._desks = desks(seed)
        for house in self.houses:
            close_books(self.script, self._random, house)
        self._desk_work()
        self._programme(ANYWHERE, [*self._desks, *(house.market for house in self.houses)])
        self._programme(IN_A_HOUSE, [house.market for house in self.houses])

    def take_back_sales(self, paid: Iterable[Mapping[str, Any]]) -> None:
        """Draft what happens to sales of the day: `paid` are payments that nothing else happens to, in their order."""
        by_tenant = {market.tenant: market for market in self._desks}
        sold = [dict(row) for row in paid if _is_sale(row)]
        count = min(max(len(SALE_CASES), round(SALES_TAKEN_BACK * self._share)), len(sold))
        for number, sale in enumerate(self._random.sample(sold, k=count)):
            desk = Desk(self.script, self._random, by_tenant[sale["tenant"]], f"sale-{sale['order_id']}")
            SALE_CASES[number % len(SALE_CASES)](SaleDesk(desk, sale))

    def _desk_work(self) -> None:
        for case in CASES:
            for number in range(self._count(case.weight)):
                market = self._random.choice(self.houses).market
                case.play(Desk(self.script, self._random, market, f"{case.name}-{number}"))

    def _programme(self, cases: Iterable[WalletCase], markets: list[Market]) -> None:
        for case in cases:
            for number in range(self._count(case.weight)):
                name = f"{case.name}-{self.script.seed}-{number}"
                market = self._random.choice(markets)
                purse = Purse(self.script, self._random, market, name, case.family)
                case.play(purse)
                purse.end()

    def _count(self, weight: int) -> int:
        return max(1, round(weight * self._share))


def _is_sale(row: Mapping[str, Any]) -> bool:
    least_minor = worth_minor(A_SALE_EUROS, row["currency"])
    return row["method"] == "point_of_sale" and bool(row["amount_minor"] >= least_minor)
