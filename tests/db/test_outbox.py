"""Events in rows of the outbox: none lost, none moved, and as few rows as pages allow."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from db.outbox import ROW_BYTES, Pages, as_lines

EVENTS = st.lists(
    st.tuples(st.text("k", min_size=1, max_size=90), st.integers(1, 2 * ROW_BYTES).map(lambda n: b"e" * n)),
    min_size=1,
    max_size=60,
)


def size(keys: list[str], payloads: list[bytes]) -> int:
    return sum(len(key) + len(payload) + 2 for key, payload in zip(keys, payloads, strict=True))


@given(EVENTS)
def test_rows_hold_all_events_in_order_and_fill_a_page(events: list[tuple[str, bytes]]) -> None:
    pages = Pages()
    for key, payload in events:
        pages.add(key, payload)
    rows = [(keys.split("\n"), payloads.encode().split(b"\n")) for _, keys, payloads in pages.rows()]
    assert [pair for row in rows for pair in zip(*row, strict=True)] == events
    assert [number for number, _, _ in pages.rows()] == [len(keys) for keys, _ in rows]
    assert all(keys and (len(keys) == 1 or size(keys, payloads) <= ROW_BYTES) for keys, payloads in rows)
    for row, after in pairwise(rows):
        assert size(*row) + size(after[0][:1], after[1][:1]) > ROW_BYTES, "the next one would have fitted"


def test_lines_are_told_apart_by_line_breaks() -> None:
    assert as_lines(["a", "b"], [b"{}", '{"n":"ü"}'.encode()]) == ("a\nb", '{}\n{"n":"ü"}')
