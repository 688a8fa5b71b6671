"""What waits for a customer at the bank's page, and what does not."""

from __future__ import annotations

from ops.demo.customers import hold_back
from ops.demo.marketplace import Record


def test_a_challenged_orders_later_records_wait_in_order_and_no_others() -> None:
    request, returned, again, capture = (
        Record(b"t:o1", b"request"),
        Record(b"t:o1", b"returned", "passed"),
        Record(b"t:o1", b"returned"),
        Record(b"t:o1", b"capture"),
    )
    other = Record(b"t:o2", b"sale")
    at_once, customers = hold_back([request, returned, other, again, capture])
    assert at_once == [request, other]
    assert customers.held == {b"t:o1": [returned, again, capture]}
    assert customers.records_held == 3
