"""A journal's legs in messages that Kafka and the contract take: one, or numbered parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from schemas.journal import LegData

PART_BYTES: Final = 200_000
"""Of legs in one message. The largest one is 262,144 bytes; what is around the legs takes a few thousand."""
PART_LEGS: Final = 3_000

Row = dict[str, Any]


def rows_of(legs: Sequence[LegData]) -> list[Row]:
    """Legs as messages write them."""
    return [leg.model_dump() for leg in legs]


def parts_of(rows: Sequence[Row]) -> list[list[Row]]:
    """The legs in their order, as few parts as it takes."""
    return list(_parts(rows))


def _parts(rows: Sequence[Row]) -> Iterator[list[Row]]:
    part: list[Row] = []
    part_bytes = 0
    for row in rows:
        row_bytes = len(orjson.dumps(row)) + 1
        if part and (part_bytes + row_bytes > PART_BYTES or len(part) == PART_LEGS):
            yield part
            part, part_bytes = [], 0
        part.append(row)
        part_bytes += row_bytes
    yield part


def commands_of(
    journal_id: str, legs: Sequence[LegData], head: Mapping[str, Any], actor: Mapping[str, str]
) -> list[tuple[str, dict[str, Any]]]:
    """What to publish, in this order: the proposal with `head`, then its other parts."""
    first, *others = parts = parts_of(rows_of(legs))
    common = {"journal_id": journal_id, "actor": actor}
    return [
        ("ledger.journal_proposed", {**common, **head, "legs": first, "parts": len(parts)}),
        *(
            ("ledger.journal_part_added", {**common, "part": number, "legs": part})
            for number, part in enumerate(others, 2)
        ),
    ]
