"""A small day with every number of decimals and the most awkward owners; connections to look at it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from db.connection import connect
from tests.ops.statements.ledgers import START, post, sale

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Connection, Database

AWKWARD: Final = ('a"b\\c', "a;b,c%d", "X-m1", "m1", "M1", "-x--y-", "a:b", "(c)", "=1+1", "*", "#t^l")
"""Identifiers that a shop may send: any printable ASCII without spaces."""
DAY: Final = [
    sale(1_999),
    sale(1_500, currency="JPY", fee_minor=40),
    sale(12_345, currency="KWD", fee_minor=429),
    sale(10_000_001, currency="CLF", fee_minor=1, posted_at=START + timedelta(days=2)),
    sale(10**15, fee_minor=0, effective_at=START + timedelta(hours=30)),
    *(sale(100 + number, merchant=owner, object_id=owner) for number, owner in enumerate(AWKWARD)),
]


@pytest.fixture
async def app(database: Database) -> AsyncIterator[Connection]:
    """The application's role."""
    connection = await connect(database.app_url, application="test")
    yield connection
    await connection.close()


@pytest.fixture
async def booked(app: Connection) -> Connection:
    """The day is in the books."""
    await post(app, DAY)
    return app
