"""What could not be taken, kept as a file that can be mended and imported."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, BinaryIO

from ops.imports.rows import read_records

if TYPE_CHECKING:
    from pathlib import Path

    from ops.imports.orders import OrderBook


def write_rejects(raw: BinaryIO, book: OrderBook, target: Path) -> int:
    """Copy the header and every row of the orders with a problem, good rows too; returns how many rows."""
    spoiled, mapping = book.spoiled(), book.mapping
    records = read_records(raw, mapping)
    _, header = next(records)
    place = header.index(mapping.columns.order)
    count = 0
    with target.open("w", encoding=mapping.encoding, newline="") as file:
        writer = csv.writer(file, delimiter=mapping.delimiter)
        writer.writerow(header)
        for _, fields in records:
            if place < len(fields) and fields[place].strip() in spoiled:
                writer.writerow(fields)
                count += 1
    return count
