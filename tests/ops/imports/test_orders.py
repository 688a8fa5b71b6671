"""Files to orders: what is read, what is refused, and where the refusal points."""

from __future__ import annotations

import gzip
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from ops.imports.mapping import Mapping, load_mapping
from ops.imports.orders import Kind, OrderBook
from ops.imports.rows import MAX_LINE_BYTES, UnreadableFileError, read_rows

PLAIN = load_mapping("orders")
RETAIL = load_mapping("online-retail")
HEADER = "order_id,time,amount,currency\n"


def book_of(text: str | bytes, mapping: Mapping = PLAIN) -> OrderBook:
    raw = io.BytesIO(text.encode() if isinstance(text, str) else text)
    return OrderBook.of(read_rows(raw, mapping), mapping)


def retail(*rows: str) -> OrderBook:
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
    return book_of("\n".join([header, *rows]), RETAIL)


def test_rows_of_an_order_are_summed_exactly_wherever_they_stand() -> None:
    book = book_of(
        HEADER
        + "a,2026-01-02T10:00:00Z,0.10,EUR\nb,2026-01-02T10:00:00Z,7,EUR\na,2026-01-02T09:59:00Z,0.20,EUR\n"
    )
    first, second = book.orders(Kind.SALE)
    assert (first.number, first.amount, first.rows) == ("a", Decimal("0.30"), 2)
    assert first.time == datetime(2026, 1, 2, 9, 59, tzinfo=UTC)
    assert second.amount == 7


def test_an_amount_is_quantity_times_unit_price_where_the_mapping_says_so() -> None:
    book = retail(
        '536365,85123A,"HEART, WHITE ""T""",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom',
        "536365,71053,LANTERN,-1,2010-12-01 08:26:00,3.39,,United Kingdom",
    )
    (order,) = book.orders(Kind.SALE)
    assert (order.amount, order.customer, order.currency) == (Decimal("11.91"), "17850", "GBP")


@pytest.mark.parametrize(
    ("number", "quantity", "kind"),
    [
        ("1", "1", Kind.SALE),
        ("1", "0", Kind.NOT_POSITIVE),
        ("1", "-1", Kind.NOT_POSITIVE),
        ("C1", "-1", Kind.CANCELLATION),
        ("C1", "1", Kind.CANCELLATION),
        ("A1", "1", Kind.ADJUSTMENT),
    ],
)
def test_an_order_is_what_its_prefix_and_its_total_say(number: str, quantity: str, kind: Kind) -> None:
    book = retail(f"{number},S,D,{quantity},2010-12-01 08:26:00,2.50,,United Kingdom")
    assert [order.number for order in book.orders(kind)] == [number]
    assert sum(len(book.orders(other)) for other in Kind) == 1


@pytest.mark.parametrize(
    ("row", "line", "column", "told"),
    [
        ("a,2026-01-02T10:00:00Z,1e3,EUR", 2, "amount", "not a plain decimal number"),
        ("a,2026-01-02T10:00:00Z,NaN,EUR", 2, "amount", "not a plain decimal number"),
        ('a,2026-01-02T10:00:00Z,"1,000.00",EUR', 2, "amount", "not a plain decimal number"),
        ("a,2026-01-02T10:00:00Z,\u0661,EUR", 2, "amount", "not a plain decimal number"),
        ("a,2026-01-02T10:00:00Z,,EUR", 2, "amount", "not a plain decimal number"),
        ("a,yesterday,1,EUR", 2, "time", "not a time"),
        ("a,2026-02-30,1,EUR", 2, "time", "not a time"),
        ("a,2026-01-02T10:00:00Z,1,EURO", 2, "currency", "not an active ISO 4217 currency"),
        ("a,2026-01-02T10:00:00Z,1,DEM", 2, "currency", "not an active ISO 4217 currency"),
        ("a,2026-01-02T10:00:00Z,1", 2, "row", "has 3 fields, the header 4"),
        ("a,2026-01-02T10:00:00Z,1,EUR,x", 2, "row", "has 5 fields, the header 4"),
        (
            "a,2026-01-02T10:00:00Z,1,EUR\na,2026-01-02T10:00:00Z,1,USD",
            3,
            "currency",
            "began with EUR on line 2",
        ),
        (f"a,2026-01-02T10:00:00Z,{'9' * 10_001},EUR", 2, "amount", "longer than"),
        ('b,2026-01-02T10:00:00Z,1,"EUR\n"\na,never,1,EUR', 4, "time", "not a time"),
    ],
)
def test_a_bad_row_is_told_with_line_column_and_reason(row: str, line: int, column: str, told: str) -> None:
    (problem,) = book_of(HEADER + row).problems
    assert (problem.line, problem.column, problem.order) == (line, column, "a")
    assert told in problem.reason


@pytest.mark.parametrize("number", ["", " ", "x" * 91])
def test_a_row_that_names_no_order_says_so(number: str) -> None:
    (problem,) = book_of(f"{HEADER}{number},2026-01-02T10:00:00Z,1,EUR").problems
    assert (problem.column, problem.order) == ("order_id", None)


def test_an_order_with_one_bad_row_is_left_out_whole() -> None:
    book = book_of(
        HEADER + "a,2026-01-02T10:00:00Z,1,EUR\na,2026-01-02T10:00:00Z,?,EUR\nb,2026-01-02T10:00:00Z,1,EUR"
    )
    assert [order.number for order in book.orders(Kind.SALE)] == ["b"]
    assert book.spoiled() == {"a"}
    assert book.rows == 3


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "line 1: the header needs"),
        (b"order_id,time,amount\n", "one currency"),
        (b"order_id,time,amount,currency,amount\n", "one amount"),
        (HEADER.encode() + b'a,"2026', "line 2: unexpected end of data"),
        (HEADER.encode() + b"a,\xff,1,EUR\n", "line 2: .*can't decode"),
        (HEADER.encode() + b"x" * (MAX_LINE_BYTES + 1), "line 2: longer than"),
        (gzip.compress(HEADER.encode() * 99, mtime=0)[:-9], "line"),
        (b"\x1f\x8bnot gzip", "line 1"),
    ],
)
def test_a_file_that_stops_being_csv_is_refused_with_the_line(content: bytes, told: str) -> None:
    with pytest.raises(UnreadableFileError, match=told):
        book_of(content)


def test_gzip_a_byte_order_mark_and_blank_lines_make_no_difference() -> None:
    text = HEADER + "a,2026-01-02T10:00:00Z,1.50,EUR\n"
    plain = book_of(text).orders(Kind.SALE)
    assert book_of(gzip.compress(text.encode())).orders(Kind.SALE) == plain
    assert book_of(b"\xef\xbb\xbf" + text.encode()).orders(Kind.SALE) == plain
    assert book_of(text + "\n\n").orders(Kind.SALE) == plain


@pytest.mark.parametrize(
    ("written", "offset_hours"),
    [
        ("2010-12-01 08:26:00", 0),
        ("2011-06-01 08:26:00", 1),
        ("2011-10-30 01:30:00", 1),
        ("2011-06-01T08:26:00+05:00", 1),
    ],
)
def test_a_time_without_an_offset_is_of_the_mapping_s_zone(written: str, offset_hours: int) -> None:
    (order,) = retail(f"1,S,D,1,{written},1,,United Kingdom").orders(Kind.SALE)
    assert order.time.utcoffset() == timedelta(hours=offset_hours)
    given = datetime.fromisoformat(written)
    expected = given if given.tzinfo else given.replace(tzinfo=UTC) - timedelta(hours=offset_hours)
    assert order.time.astimezone(UTC) == expected


def test_a_time_that_the_clock_skipped_is_refused() -> None:
    (problem,) = retail("1,S,D,1,2011-03-27 01:30:00,1,,United Kingdom").problems
    assert "did not exist in Europe/London" in problem.reason


def test_totals_are_by_currency_and_by_day_of_the_zone() -> None:
    late, early = "2026-06-01T23:30:00+01:00", "2026-06-01T23:30:00Z"
    mapping = PLAIN.changed(currency=None, timezone="Europe/London")
    rows = f"a,{late},1.10,GBP\nb,{late},2.20,EUR\nc,{early},4,GBP\nd,{late},-9,GBP\ne,{late},3.30,GBP\n"
    totals = book_of(HEADER + rows, mapping).totals()
    assert [(currency, str(day)) for currency, day in totals] == [
        ("EUR", "2026-06-01"),
        ("GBP", "2026-06-01"),
        ("GBP", "2026-06-02"),
    ]
    first = totals["GBP", datetime(2026, 6, 1, tzinfo=UTC).date()]
    assert (first[Kind.SALE].orders, first[Kind.SALE].rows, first[Kind.SALE].amount) == (
        2,
        2,
        Decimal("4.40"),
    )
    assert first[Kind.NOT_POSITIVE].amount == -9
