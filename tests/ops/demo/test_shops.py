"""What waits until its shop has heard of the payment, and what does not."""

from __future__ import annotations

from ops.demo.marketplace import Record
from ops.demo.orders import DECLINED, PASSED
from ops.demo.shops import hold_back


def test_an_orders_records_wait_from_its_first_cue_on_and_no_others_do() -> None:
    request, back, again, other_card, capture = (
        Record(b"t:o1", b"request"),
        Record(b"t:o1", b"back", PASSED),
        Record(b"t:o1", b"back"),
        Record(b"t:o1", b"other card", DECLINED),
        Record(b"t:o1", b"capture"),
    )
    sale = Record(b"t:o2", b"sale")
    at_once, shops = hold_back([request, back, sale, again, other_card, capture])
    assert at_once == [request, sale]
    assert {key: list(queue) for key, queue in shops.held.items()} == {
        b"t:o1": [back, again, other_card, capture]
    }
    assert shops.records_held == 4
