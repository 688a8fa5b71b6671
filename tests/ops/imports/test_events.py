"""Orders to events: what is said, under which id, and what cannot be said."""

from __future__ import annotations

import io

import orjson
import pytest
from pydantic import TypeAdapter, ValidationError

from ops.imports.events import Importer
from ops.imports.mapping import load_mapping
from ops.imports.orders import OrderBook
from ops.imports.rows import read_rows
from schemas.checkout import CheckoutMessage, MerchantFeesSet, PaymentRecorded

PLAIN = load_mapping("orders")
IMPORTER = Importer(tenant="acme", merchant="corner")
READER: TypeAdapter[CheckoutMessage] = TypeAdapter(CheckoutMessage)


def book_of(*rows: str) -> OrderBook:
    text = "\n".join(["order_id,time,amount,currency", *rows])
    return OrderBook.of(read_rows(io.BytesIO(text.encode()), PLAIN), PLAIN)


def ids(importer: Importer, *rows: str) -> list[str]:
    return [orjson.loads(message.body)["id"] for message in importer.messages(book_of(*rows))]


SALE = "order-1,2026-01-02T10:00:00+01:00,19.99,EUR"


def test_the_fee_schedule_comes_first_and_holds_since_ever() -> None:
    first, second = IMPORTER.messages(book_of(SALE))
    fees, sale = READER.validate_json(first.body), READER.validate_json(second.body)
    assert isinstance(fees, MerchantFeesSet)
    assert isinstance(sale, PaymentRecorded)
    assert (first.key, fees.data.bps, fees.data.version) == (b"acme:corner", 0, 1)
    assert fees.data.effective_from < sale.time
    assert second.key == b"acme:order-1"


def test_existing_fees_are_left_alone_when_asked() -> None:
    importer = Importer(tenant="acme", merchant="corner", fee_bps=None)
    (only,) = importer.messages(book_of(SALE))
    assert isinstance(READER.validate_json(only.body), PaymentRecorded)


@pytest.mark.parametrize(
    ("written", "currency", "amount_minor"),
    [("19.99", "EUR", 1999), ("1999", "JPY", 1999), ("1.999", "KWD", 1999), ("0.1999", "CLF", 1999)],
)
def test_an_amount_becomes_minor_units_of_its_currency(
    written: str, currency: str, amount_minor: int
) -> None:
    *_, message = IMPORTER.messages(book_of(f"o,2026-01-02T10:00:00Z,{written},{currency}"))
    sale = READER.validate_json(message.body)
    assert isinstance(sale, PaymentRecorded)
    assert (sale.data.amount.amount_minor, sale.data.amount.currency) == (amount_minor, currency)


def test_the_same_content_has_the_same_ids_wherever_it_stands() -> None:
    other = "order-2,2026-01-02T10:00:00Z,1,EUR"
    assert ids(IMPORTER, SALE, other) == [
        ids(IMPORTER, SALE)[0],
        ids(IMPORTER, SALE)[1],
        ids(IMPORTER, other)[1],
    ]
    assert set(ids(IMPORTER, SALE)) == set(ids(IMPORTER, SALE))


@pytest.mark.parametrize(
    "changed",
    [
        "order-1,2026-01-02T10:00:00+01:00,20.00,EUR",
        "order-1,2026-01-02T10:00:01+01:00,19.99,EUR",
        "order-1,2026-01-02T10:00:00+01:00,19.99,USD",
    ],
)
def test_an_order_that_says_something_else_has_another_id(changed: str) -> None:
    before, after = ids(IMPORTER, SALE)[1], ids(IMPORTER, changed)[1]
    assert before != after
    assert before.startswith("order-1-")
    assert after.startswith("order-1-")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("o,2026-01-02T10:00:00Z,0.001,EUR", "more decimals than EUR"),
        ("o,2026-01-02T10:00:00Z,1.5,JPY", "more decimals than JPY"),
        ("o,2026-01-02T10:00:00Z,99999999999999,EUR", "less than or equal"),
        ("o x,2026-01-02T10:00:00Z,1,EUR", "pattern"),
        ("\u00fc,2026-01-02T10:00:00Z,1,EUR", "pattern"),
    ],
)
def test_an_order_that_its_consumer_would_refuse_is_a_problem_of_its_line(row: str, told: str) -> None:
    (problem,) = IMPORTER.check(book_of(SALE, row))
    assert problem.line == 3
    assert told in problem.reason


@pytest.mark.parametrize(("tenant", "merchant"), [("Acme", "corner"), ("", "corner"), ("acme", "the corner")])
def test_a_tenant_or_merchant_that_cannot_be_is_refused(tenant: str, merchant: str) -> None:
    with pytest.raises(ValidationError):
        Importer(tenant=tenant, merchant=merchant)
