"""Journals from a CSV file to the statement, by two people, on a real Kafka and a real PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.engines import broken_laws
from tests.ops.clerk import Clerk, at_the_desk
from tests.shop import TENANT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.conftest import Connection, Database

LEGS: Final = (
    "account,owner,side,amount,currency\n"
    "suspense,stripe,debit,1234.56,EUR\n"
    "bank_clearing,main,credit,1234.56,EUR\n"
)
ADA: Final = ("--actor", "ada")
GRACE: Final = ("--actor", "grace")
BOOKED: Final = ("--tenant", TENANT, "--reason", "late bank fee", "--yes")


@pytest.fixture
async def clerk(database: Database, kafka: str, tmp_path: Path) -> AsyncIterator[Clerk]:
    """Somebody at the desk."""
    async with at_the_desk(database, kafka, tmp_path) as clerk:
        yield clerk


async def test_a_journal_goes_from_a_file_by_two_people_into_the_statement(
    clerk: Clerk, admin: Connection
) -> None:
    proposed = await clerk.out(
        "journals", "propose", clerk.file(LEGS), *BOOKED, *ADA, "--effective", "2026-11-20"
    )
    (row,) = await clerk.json("journals", "list", "--state", "proposed")
    name = row["journal_id"]
    assert (row["proposed_by"], row["legs"], row["sums"]["EUR/debit"]) == ("ada", 2, 123456)
    assert f"counterfoil journals approve {name} --tenant acme" in proposed
    assert "finance, but not ada" in proposed
    note = ("--note", "agreed", "--yes")
    own = await clerk.refused("journals", "approve", name, *note, *ADA)
    assert "four_eyes" in own
    assert "ada" in own
    posted = await clerk.out("journals", "approve", name, *note, *GRACE)
    assert "posted as entry" in posted
    shown = await clerk.out("journals", "show", name)
    assert "is posted" in shown
    assert "decided by grace" in shown
    statement = await clerk.out("statement", "suspense", "--period", "2026-11")
    assert "1,234.56" in statement
    assert "2026-11-20" in statement
    assert await broken_laws(admin) == []
