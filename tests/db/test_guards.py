"""The guards refuse a superuser too, in a session that pretends to be a replica, where ordinary triggers sleep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

from ops.checks.guards import GUARDS
from tests.ops.busy import copy_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ops.embedded import Endpoints
    from tests.conftest import Connection, Database

ENTRY = (
    "INSERT INTO entries (tenant, entry_id, rule, object_type, object_id, source, event_id, legs, effective_at,"
    " posted_at) VALUES ('acme', $1, 'rule', 'payment', 'p', '/shops/a', 'e', $2, now(), now())"
)
LINES = (
    "INSERT INTO lines (tenant, entry_id, line, account_id, direction, amount_minor, currency)"
    " SELECT * FROM unnest($1::text[], $2::bigint[], $3::smallint[], $4::bigint[], $5::smallint[], $6::bigint[],"
    " $7::text[])"
)
MESSAGE = (
    'INSERT INTO inbox (tenant, source, event_id, type, key, topic, partition, "offset", batch_id, received_at,'
    " body, outcome) VALUES ('acme', '/shops/a', $1, 't', 'k', 'checkout.events', 0, $2, 1, now(), 'body', $3)"
)
Line = tuple[str, int, int, int, int, int, str]
"""tenant, entry, line, account, direction, minor units, currency."""

CASH, SALES, OTHER_TENANTS, IN_YEN = 1, 2, 3, 4


@pytest.fixture(scope="module")
async def books(endpoints: Endpoints, template: str) -> AsyncIterator[Database]:
    """A database with one entry of yesterday, and a decided and a waiting message."""
    async with copy_of(endpoints, template, "guarded") as database:
        admin = await asyncpg.connect(database.admin_url)
        await admin.execute(
            "INSERT INTO accounts (tenant, code, owner, currency, type) VALUES"
            " ('acme', 'cash', 'x', 'EUR', 'asset'), ('acme', 'sales', 'x', 'EUR', 'revenue'),"
            " ('rival', 'cash', 'x', 'EUR', 'asset'), ('acme', 'cash', 'x', 'JPY', 'asset')"
        )
        async with admin.transaction():
            await admin.execute(ENTRY, 1, 2)
            await write(admin, pair(1))
        await admin.execute(MESSAGE, "decided", 0, "applied")
        await admin.execute(MESSAGE, "parked", 1, "parked")
        await admin.close()
        yield database


@pytest.fixture
async def intruder(books: Database) -> AsyncIterator[Connection]:
    """A superuser who pretends to be a replica; what he gets done is rolled back afterwards."""
    connection = await asyncpg.connect(books.admin_url)
    await connection.execute("SET session_replication_role = replica")
    attempt = connection.transaction()
    await attempt.start()
    yield connection
    await attempt.rollback()
    await connection.close()


def pair(entry_id: int, first: int = 1, amount_minor: int = 100) -> list[Line]:
    """A balanced pair of lines."""
    return [
        ("acme", entry_id, first, CASH, 1, amount_minor, "EUR"),
        ("acme", entry_id, first + 1, SALES, -1, amount_minor, "EUR"),
    ]


async def write(connection: Connection, lines: list[Line]) -> None:
    """Lines in one statement."""
    await connection.execute(LINES, *zip(*lines, strict=True))


REWRITES = [
    *(f"TRUNCATE {table}" for table in GUARDS),
    *(f"DELETE FROM {table}" for table in GUARDS),  # noqa: S608 - names of a table of ours
    "UPDATE lines SET amount_minor = amount_minor",
    "UPDATE entries SET rule = rule",
    "UPDATE accounts SET owner = owner",
    "UPDATE transitions SET event = event",
    "UPDATE fee_schedules SET bps = bps",
    "UPDATE inbox_conflicts SET body = body",
    "UPDATE audit_log SET actor = actor",
    "UPDATE provider_answers SET raw = raw",
    "TRUNCATE accounts, entries, lines",
    "TRUNCATE entries CASCADE",
    "INSERT INTO lines SELECT * FROM lines ON CONFLICT (entry_id, line, tenant) DO UPDATE SET amount_minor = 1",
    "MERGE INTO lines USING entries ON lines.entry_id = entries.entry_id WHEN MATCHED THEN DELETE",
    "WITH gone AS (DELETE FROM lines RETURNING *) SELECT FROM gone",
]


@pytest.mark.parametrize("statement", REWRITES)
async def test_history_is_not_rewritten(intruder: Connection, statement: str) -> None:
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        await intruder.execute(statement)


# lines of a new entry with two legs | what is said of them
WRONG_LINES = [
    ([("acme", 2, 1, CASH, 1, 100, "EUR"), ("acme", 2, 2, SALES, -1, 99, "EUR")], "does not balance: off by 1 EUR"),
    ([("acme", 2, 1, CASH, 1, 100, "EUR"), ("acme", 2, 2, SALES, 1, 100, "EUR")], "off by 200 EUR"),
    ([("acme", 2, 1, CASH, 1, 100, "EUR"), ("acme", 2, 2, IN_YEN, -1, 100, "JPY")], "does not balance"),
    ([*pair(2), ("acme", 2, 3, CASH, 1, 1, "EUR")], "does not balance"),
    ([*pair(2), *pair(2, 3)], "takes all its lines at once"),
    (pair(2, 2), "takes all its lines at once"),
    (pair(3), "takes all its lines at once"),
    ([*pair(2), *pair(1, 3)], "entry 1 of acme takes all its lines at once"),
    ([("acme", 2, 1, OTHER_TENANTS, 1, 9, "EUR"), ("acme", 2, 2, SALES, -1, 9, "EUR")], "account 3 is not an account"),
    ([("acme", 2, 1, IN_YEN, 1, 9, "EUR"), ("acme", 2, 2, SALES, -1, 9, "EUR")], "account 4 is not an account"),
    ([("acme", 2, 1, 99, 1, 9, "EUR"), ("acme", 2, 2, SALES, -1, 9, "EUR")], "account 99 is not an account"),
    ([("acme", 2, 1, CASH, 1, -9, "EUR"), ("acme", 2, 2, SALES, -1, -9, "EUR")], "amount_minor_check"),
    ([("acme", 2, 1, CASH, 1, 0, "EUR"), ("acme", 2, 2, SALES, -1, 0, "EUR")], "amount_minor_check"),
    ([("acme", 2, 1, CASH, 2, 50, "EUR"), ("acme", 2, 2, SALES, -1, 100, "EUR")], "direction_check"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "said"), WRONG_LINES, ids=lambda value: value if isinstance(value, str) else ""
)
async def test_wrong_lines_are_refused(intruder: Connection, lines: list[Line], said: str) -> None:
    async with intruder.transaction():
        await intruder.execute(ENTRY, 2, 2)
        with pytest.raises(asyncpg.CheckViolationError, match=said):
            async with intruder.transaction():
                await write(intruder, lines)


async def test_right_lines_are_taken(intruder: Connection) -> None:
    async with intruder.transaction():
        await intruder.execute(ENTRY, 2, 2)
        await write(intruder, pair(2))
    assert await intruder.fetchval("SELECT count(*) FROM lines WHERE entry_id = 2") == 2


async def test_a_balanced_pair_is_not_appended_to_yesterdays_entry(intruder: Connection) -> None:
    with pytest.raises(asyncpg.CheckViolationError, match="from the transaction that wrote it"):
        await write(intruder, pair(1, 3))


async def test_a_balanced_pair_is_not_appended_in_the_same_transaction_either(intruder: Connection) -> None:
    async with intruder.transaction():
        await intruder.execute(ENTRY, 2, 2)
        await write(intruder, pair(2))
        with pytest.raises(asyncpg.CheckViolationError, match="takes all its lines at once"):
            async with intruder.transaction():
                await write(intruder, pair(2, 3))


async def test_lines_by_copy_are_checked_too(intruder: Connection) -> None:
    columns = ("tenant", "entry_id", "line", "account_id", "direction", "amount_minor", "currency")
    unbalanced = [("acme", 2, 1, CASH, 1, 100, "EUR"), ("acme", 2, 2, SALES, -1, 99, "EUR")]
    async with intruder.transaction():
        await intruder.execute(ENTRY, 2, 2)
        with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
            async with intruder.transaction():
                await intruder.copy_records_to_table("lines", records=unbalanced, columns=columns)


async def test_one_bad_entry_among_many_is_found(intruder: Connection) -> None:
    async with intruder.transaction():
        for entry_id in range(2, 102):
            await intruder.execute(ENTRY, entry_id, 2)
        lines = [line for entry_id in range(2, 101) for line in pair(entry_id)]
        bad: list[Line] = [("acme", 101, 1, CASH, 1, 7, "EUR"), ("acme", 101, 2, SALES, -1, 8, "EUR")]
        with pytest.raises(
            asyncpg.CheckViolationError, match="entry 101 of acme does not balance: off by -1"
        ):
            async with intruder.transaction():
                await write(intruder, [*lines, *bad])


@pytest.mark.parametrize("forged", ["'1'", "pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 5"])
async def test_a_forged_transaction_id_is_refused(intruder: Connection, forged: str) -> None:
    statement = ENTRY.replace("posted_at)", "posted_at, xid)").replace(
        "now(), now())", f"now(), now(), ({forged})::text::xid8)"
    )
    with pytest.raises(asyncpg.CheckViolationError, match="the id of the transaction that writes it"):
        await intruder.execute(statement, 2, 2)


DECIDED = "outcome = 'rejected', reason = 'x', detail = 'x', batch_id = 2"
KEPT = ("tenant", "source", "event_id", "type", "key", "topic")


@pytest.mark.parametrize("column", KEPT)
async def test_a_waiting_message_stays_what_it_was(intruder: Connection, column: str) -> None:
    with pytest.raises(asyncpg.RestrictViolationError, match="cannot change"):
        await intruder.execute(f"UPDATE inbox SET {column} = 'other' WHERE event_id = 'parked'")  # noqa: S608


@pytest.mark.parametrize(
    "change", ["body = 'other'", "partition = 5", '"offset" = 5', "received_at = 'epoch'"]
)
async def test_a_waiting_message_stays_as_it_came(intruder: Connection, change: str) -> None:
    with pytest.raises(asyncpg.RestrictViolationError, match="cannot change"):
        await intruder.execute(f"UPDATE inbox SET {change} WHERE event_id = 'parked'")  # noqa: S608


async def test_a_waiting_message_is_decided_once(intruder: Connection) -> None:
    await intruder.execute(f"UPDATE inbox SET {DECIDED} WHERE event_id = 'parked'")  # noqa: S608
    with pytest.raises(asyncpg.RestrictViolationError, match="is decided; it cannot change"):
        await intruder.execute("UPDATE inbox SET outcome = 'applied' WHERE event_id = 'parked'")


async def test_a_decided_message_does_not_change(intruder: Connection) -> None:
    with pytest.raises(asyncpg.RestrictViolationError, match="is decided; it cannot change"):
        await intruder.execute(f"UPDATE inbox SET {DECIDED} WHERE event_id = 'decided'")  # noqa: S608
