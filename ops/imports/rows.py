"""A CSV file, line by line, to rows of values; what is wrong with a row is a value too, with its line."""

from __future__ import annotations

import csv
import gzip
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact
from typing import TYPE_CHECKING, BinaryIO, Final
from zoneinfo import ZoneInfo

from schemas.currencies import is_currency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.imports.mapping import Mapping

MAX_LINE_BYTES: Final = 65_536
MAX_FIELD_CHARACTERS: Final = 10_000
MAX_ORDER_CHARACTERS: Final = 90
"""An event id is the order's number and a digest of 32 digits, and at most 128 characters."""
GZIP_MAGIC: Final = b"\x1f\x8b"

_NUMBER: Final = re.compile(r"-?\d{1,15}(\.\d{1,9})?", re.ASCII)
_EXACT: Final = Context(prec=60, traps=[Inexact])


class UnreadableFileError(Exception):
    """From some line on the file is not CSV, or its header lacks a column: nothing of it can be trusted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where. `order` is None when the row does not say which order it belongs to."""

    line: int
    column: str
    reason: str
    order: str | None

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of an order; the amount in major units, exact."""

    line: int
    order: str
    time: datetime
    amount: Decimal
    currency: str
    customer: str | None


class FieldError(Exception):
    """A field's value makes no sense."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(column, reason)
        self.column = column
        self.reason = reason


def read_rows(raw: BinaryIO, mapping: Mapping) -> Iterator[Row | Problem]:
    """The rows of a file, gzip or not, without ever holding more than one of them.

    Raises:
        UnreadableFileError: the file stops being CSV, or lacks a column.
    """
    records = read_records(raw, mapping)
    _, header = next(records, (1, []))
    missing = [name for name in mapping.columns.names() if header.count(name) != 1]
    if missing:
        raise UnreadableFileError(f"line 1: the header needs exactly one {', one '.join(missing)}")
    reader = _RowReader(mapping, header)
    for line, fields in records:
        yield reader.read(line, fields)


def read_records(raw: BinaryIO, mapping: Mapping) -> Iterator[tuple[int, list[str]]]:
    """Each record as it is, with the line it starts on; the header first, blank lines left out."""
    compressed = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    raw.seek(0)
    stream = gzip.GzipFile(fileobj=raw) if compressed else raw
    reader = csv.reader(_lines(stream, mapping.encoding), delimiter=mapping.delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except (csv.Error, UnicodeDecodeError, EOFError, OSError) as error:
            raise UnreadableFileError(f"line {line}: {error}") from error
        if fields:
            yield line, fields


def _lines(stream: BinaryIO | gzip.GzipFile, encoding: str) -> Iterator[str]:
    start = "utf-8-sig" if encoding == "utf-8" else encoding
    while line := stream.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            raise csv.Error(f"longer than {MAX_LINE_BYTES} bytes")
        yield line.decode(start)
        start = encoding


class _RowReader:
    """Makes values of fields."""

    def __init__(self, mapping: Mapping, header: list[str]) -> None:
        self._mapping = mapping
        self._width = len(header)
        self._places = {name: header.index(name) for name in mapping.columns.names()}
        self._zone = ZoneInfo(mapping.timezone)

    def read(self, line: int, fields: list[str]) -> Row | Problem:
        order = None
        try:
            order = self._order(fields)
            self._count(fields)
            time, amount = self._time(fields), self._amount(fields)
            return Row(line, order, time, amount, self._currency(fields), self._customer(fields))
        except FieldError as error:
            return Problem(line, error.column, error.reason, order)

    def _count(self, fields: list[str]) -> None:
        if len(fields) != self._width:
            raise FieldError("row", f"has {len(fields)} fields, the header {self._width}")

    def _text(self, fields: list[str], column: str) -> str:
        place = self._places[column]
        text = fields[place].strip() if place < len(fields) else ""
        if len(text) > MAX_FIELD_CHARACTERS:
            raise FieldError(column, f"longer than {MAX_FIELD_CHARACTERS} characters")
        return text

    def _order(self, fields: list[str]) -> str:
        column = self._mapping.columns.order
        order = self._text(fields, column)
        if not order or len(order) > MAX_ORDER_CHARACTERS:
            raise FieldError(column, f"needs 1 to {MAX_ORDER_CHARACTERS} characters")
        return order

    def _time(self, fields: list[str]) -> datetime:
        column, form = self._mapping.columns.time, self._mapping.time_format
        text = self._text(fields, column)
        try:
            time = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 - zoned below
        except ValueError:
            raise FieldError(column, f"{text[:40]!r} is not a time ({form or 'ISO 8601'})") from None
        if time.tzinfo is not None:
            return time.astimezone(self._zone)
        zoned = time.replace(tzinfo=self._zone)
        if zoned.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) != time:
            zone = self._mapping.timezone
            raise FieldError(column, f"{text} did not exist in {zone}: the clock went forward over it")
        return zoned

    def _amount(self, fields: list[str]) -> Decimal:
        columns = self._mapping.columns
        if columns.amount is not None:
            return self._number(fields, columns.amount)
        quantity, price = columns.quantity or "", columns.unit_price or ""
        return _EXACT.multiply(self._number(fields, quantity), self._number(fields, price))

    def _number(self, fields: list[str], column: str) -> Decimal:
        text = self._text(fields, column)
        if _NUMBER.fullmatch(text) is None:
            raise FieldError(column, f"{text[:40]!r} is not a plain decimal number")
        return Decimal(text)

    def _currency(self, fields: list[str]) -> str:
        column = self._mapping.columns.currency
        if column is None:
            return self._mapping.currency or ""
        code = self._text(fields, column)
        if not is_currency(code):
            raise FieldError(column, f"{code[:40]!r} is not an active ISO 4217 currency")
        return code

    def _customer(self, fields: list[str]) -> str | None:
        column = self._mapping.columns.customer
        if column is None:
            return None
        return self._text(fields, column).removesuffix(self._mapping.customer_suffix) or None
