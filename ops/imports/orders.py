"""Rows to orders, and orders to the totals that a person compares with the shop's own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Context, Decimal, Inexact
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from ops.imports.rows import Problem, Row

if TYPE_CHECKING:
    from ops.imports.mapping import Mapping

ZERO: Final = Decimal(0)
_EXACT: Final = Context(prec=60, traps=[Inexact])


class Kind(StrEnum):
    """What an order is, by the prefix of its number and its total."""

    SALE = "sale"
    NOT_POSITIVE = "not_positive"
    CANCELLATION = "cancellation"
    ADJUSTMENT = "adjustment"


@dataclass(slots=True)
class Order:
    """The sum of its rows, in major units; the time of its earliest row; the first customer it names."""

    number: str
    line: int
    time: datetime
    currency: str
    customer: str | None
    amount: Decimal = ZERO
    rows: int = 0


@dataclass(frozen=True, slots=True)
class DayTotal:
    """What the orders of one kind, currency and day come to, in major units."""

    orders: int = 0
    rows: int = 0
    amount: Decimal = ZERO

    def plus(self, other: DayTotal) -> DayTotal:
        """The sum of both."""
        return DayTotal(
            self.orders + other.orders, self.rows + other.rows, _EXACT.add(self.amount, other.amount)
        )


@dataclass(slots=True)
class OrderBook:
    """Everything a file says: its orders by number, and what is wrong with its rows."""

    mapping: Mapping
    rows: int = 0
    problems: list[Problem] = field(default_factory=list)
    _orders: dict[str, Order] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row | Problem], mapping: Mapping) -> OrderBook:
        """Group rows to orders, wherever in the file they stand."""
        book = cls(mapping)
        for row in rows:
            book.rows += 1
            if isinstance(row, Problem):
                book.problems.append(row)
            else:
                book._add(row)
        return book

    def orders(self, kind: Kind) -> list[Order]:
        """The orders of one kind, in the file's order; those that have a problem are left out whole."""
        spoiled = self.spoiled()
        return [
            order
            for order in self._orders.values()
            if order.number not in spoiled and self.kind(order) is kind
        ]

    def spoiled(self) -> set[str]:
        """Numbers of the orders that have a problem: what is known of them is not their whole amount."""
        return {problem.order for problem in self.problems if problem.order is not None}

    def kind(self, order: Order) -> Kind:
        """What the order is."""
        for prefix, kind in (
            (self.mapping.cancellation_prefix, Kind.CANCELLATION),
            (self.mapping.adjustment_prefix, Kind.ADJUSTMENT),
        ):
            if prefix is not None and order.number.startswith(prefix):
                return kind
        return Kind.SALE if order.amount > 0 else Kind.NOT_POSITIVE

    def totals(self) -> dict[tuple[str, date], dict[Kind, DayTotal]]:
        """By currency and day of the mapping's time zone, then by kind; days in order."""
        totals: dict[tuple[str, date], dict[Kind, DayTotal]] = {}
        for kind in Kind:
            for order in self.orders(kind):
                day = totals.setdefault((order.currency, order.time.date()), {})
                day[kind] = day.get(kind, DayTotal()).plus(DayTotal(1, order.rows, order.amount))
        return dict(sorted(totals.items()))

    def _add(self, row: Row) -> None:
        order = self._orders.get(row.order)
        if order is None:
            order = self._orders[row.order] = Order(row.order, row.line, row.time, row.currency, row.customer)
        if row.currency != order.currency:
            reason = f"{row.currency}, but the order began with {order.currency} on line {order.line}"
            self.problems.append(Problem(row.line, self.mapping.columns.currency or "", reason, row.order))
            return
        order.amount = _EXACT.add(order.amount, row.amount)
        order.rows += 1
        order.time = min(order.time, row.time)
        order.customer = order.customer or row.customer
