"""Every flaw makes a message unreadable, for the reason that its row names."""

from __future__ import annotations

import pytest

from consumers.intake import Reader, Record, Unreadable
from ops.demo.unreadable import FLAWS, Flaw
from tests.shop import sale

TOPIC = "checkout.events"


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: flaw.name)
def test_a_flaw_has_its_reason_and_the_detail_shows_no_secret(flaw: Flaw) -> None:
    body = flaw.spoil(sale("e1", "order-1", merchant="merchant-1"))
    read = Reader(TOPIC).read(Record(TOPIC, 0, 0, None, {}, body))
    assert isinstance(read, Unreadable)
    assert read.reason is flaw.reason
    assert read.detail
    assert "4111 1111" not in read.detail
    assert b"4111 1111" not in read.record.body
