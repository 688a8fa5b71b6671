"""The Online Retail files, against totals that were computed from them independently."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from functools import cache

import pytest

from ops.imports.events import Importer
from ops.imports.mapping import load_mapping
from ops.imports.orders import Kind, OrderBook
from ops.imports.rows import read_rows
from tests.ops.imports.retail import FILES, Expected, expected_days, expected_sum, retail_file

MAPPING = load_mapping("online-retail")


@cache
def book_of(name: str) -> OrderBook:
    with retail_file(name).open("rb") as raw:
        return OrderBook.of(read_rows(raw, MAPPING), MAPPING)


@pytest.mark.parametrize("name", FILES)
def test_every_row_is_read_and_every_order_can_be_a_payment(name: str) -> None:
    book = book_of(name)
    assert book.problems == []
    assert Importer(tenant="main", merchant="shop").check(book) == []
    assert book.rows == int(expected_sum(name, "data rows"))


@pytest.mark.parametrize("name", FILES)
def test_each_day_equals_the_independent_totals(name: str) -> None:
    found = {}
    for (currency, day), kinds in book_of(name).totals().items():
        assert currency == "GBP"
        sales = sum(total.amount for kind, total in kinds.items() if kind is not Kind.CANCELLATION)
        found[str(day)] = Expected(
            sum(total.rows for total in kinds.values()),
            sum(total.orders for total in kinds.values()),
            Decimal(sales),
            kinds[Kind.CANCELLATION].amount,
        )
    wanted = expected_days(name)
    assert found == wanted
    assert len(wanted) == {"first_days": 28, "edge_days": 6}[name]


@pytest.mark.parametrize("name", FILES)
def test_the_sums_equal_the_independent_ones(name: str) -> None:
    counts: Counter[Kind] = Counter()
    orders: Counter[Kind] = Counter()
    sums = {kind: Decimal(0) for kind in Kind}
    for kinds in book_of(name).totals().values():
        for kind, total in kinds.items():
            sums[kind] += total.amount
            orders[kind] += total.orders
            counts[kind] += total.rows
    normal = sums[Kind.SALE] + sums[Kind.NOT_POSITIVE]
    assert str(normal) == expected_sum(name, "amount, normal")
    assert str(sums[Kind.CANCELLATION]) == expected_sum(name, "amount, C")
    assert sums[Kind.ADJUSTMENT] == Decimal(expected_sum(name, "amount, A"))
    assert sum(sums.values()) == Decimal(expected_sum(name, "amount, all"))
    counted = (
        orders[Kind.SALE] + orders[Kind.NOT_POSITIVE],
        orders[Kind.CANCELLATION],
        orders[Kind.ADJUSTMENT],
    )
    assert " / ".join(map(str, counted)) == expected_sum(name, "invoices (normal / C / A)")
    rows = (
        counts[Kind.SALE] + counts[Kind.NOT_POSITIVE],
        counts[Kind.CANCELLATION],
        counts[Kind.ADJUSTMENT],
    )
    assert " / ".join(map(str, rows)) == expected_sum(name, "rows (normal / C / A)")


@pytest.mark.parametrize("name", FILES)
def test_what_is_not_imported_of_the_sales_comes_to_nothing(name: str) -> None:
    assert {order.amount for order in book_of(name).orders(Kind.NOT_POSITIVE)} == {Decimal(0)}
