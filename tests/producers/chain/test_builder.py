"""The chain takes in every entry once, however late it commits; nobody waits for it; the database holds it together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import asyncpg
import pytest

from db.connection import connect
from handlers.ledger.chain import FORM, HEADER, LINE, PARTICULARS
from producers.chain import builder
from producers.chain.builder import ChainAheadError, run_chain, seal
from tests.brokers import until
from tests.cable import cable_to
from tests.engines import Feed, feeds
from tests.producers.chain.book import Sale, seal_all, sealed_ids, verified, write
from tests.shop import fees, sale

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

ODD_TEXTS = (
    'quote " and \\ backslash',
    "line\nbreak\r\ttab\b\f",
    "control \x01 \x1f \x7f",
    "Zürich 東京 🧾 \u2028\u2029\ufeff",
    '["acme", 1]',
    "</script>",
    " ",
    "",
)


async def test_both_ways_of_hashing_agree_whatever_the_texts_are(
    database: Database, admin: Connection
) -> None:
    for number, text in enumerate(ODD_TEXTS):
        await write(admin, Sale(text, text, text, text, text, text, minor=10**number))
    await write(admin, Sale(minor=2**62))
    app = await connect(database.app_url, application="chain", by_key=True)
    await seal_all(app)
    await app.close()
    verdict = await verified(admin)
    assert (verdict.entries, verdict.findings) == (len(ODD_TEXTS) + 1, [])


async def test_every_column_of_the_book_is_hashed_or_is_known_not_to_be(admin: Connection) -> None:
    """Who adds a column gives the canonical bytes a new form."""
    rows = await admin.fetch(
        "SELECT attrelid::regclass::text AS named, attname FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped"
        " AND attrelid IN ('entries'::regclass, 'lines'::regclass, 'accounts'::regclass,"
        " 'entry_references'::regclass, 'entry_origins'::regclass, 'entry_links'::regclass)"
    )
    there = {(row["named"], row["attname"]) for row in rows}
    hashed = {("entries", name) for name in HEADER}
    hashed |= {("lines", name) for name in ("line", "account_id", "direction", "amount_minor", "currency")}
    hashed |= {("accounts", name) for name in ("account_id", "tenant", "code", "owner", "currency", "type")}
    for kind, table in (
        ("link", "entry_links"),
        ("origin", "entry_origins"),
        ("references", "entry_references"),
    ):
        hashed |= {(table, name) for name in ("tenant", "entry_id", *PARTICULARS[kind])}
    not_hashed = {
        ("lines", "tenant"),
        ("lines", "entry_id"),
        ("accounts", "created_at"),
    }  # keys; no part of a name
    assert there == hashed | not_hashed
    assert len(LINE) == 10
    assert FORM == 2


async def test_an_entry_that_commits_late_is_not_skipped(database: Database, admin: Connection) -> None:
    slow = await connect(database.app_url, application="writer")
    quick = await connect(database.app_url, application="writer")
    under_way = slow.transaction()
    await under_way.start()
    first = await write(slow, Sale(owner="slow"))
    second = await write(quick, Sale(owner="quick"))
    assert first < second
    before = await seal(admin)
    assert second not in await sealed_ids(admin)
    third = await write(slow, Sale(owner="slow"))
    await under_way.commit()
    await seal_all(admin)
    assert before == (0, 0)
    assert await sealed_ids(admin) == [first, third, second]
    assert (await verified(admin)).ok
    await asyncio.gather(slow.close(), quick.close())


async def test_a_transaction_that_takes_its_id_early_and_writes_late_is_not_skipped(
    database: Database, admin: Connection
) -> None:
    """A number of the sequence says nothing; who has only read holds nothing back; a savepoint is no transaction."""
    slow = await connect(database.app_url, application="writer")
    under_way = slow.transaction()
    await under_way.start()
    await slow.fetchval("SELECT count(*) FROM entries")
    other = await write(admin, Sale(owner="other"))
    await until(lambda: _is_sealed(admin, other))
    late = await write(slow, Sale(owner="late"))
    after = await write(admin, Sale(owner="after"))
    assert await seal(admin) == (0, 0)
    await under_way.commit()
    await seal_all(admin)
    assert await sealed_ids(admin) == [other, late, after]
    assert (await verified(admin)).ok
    await slow.close()


async def _is_sealed(admin: Connection, entry_id: int) -> bool:
    await seal(admin)
    return entry_id in await sealed_ids(admin)


async def test_what_was_rolled_back_is_not_missed(admin: Connection) -> None:
    kept = await write(admin)
    under_way = admin.transaction()
    await under_way.start()
    await write(admin)
    await under_way.rollback()
    await seal_all(admin)
    assert await sealed_ids(admin) == [kept]


async def test_many_writers_and_builders_at_once_leave_every_entry_in_one_block(
    database: Database, admin: Connection
) -> None:
    stop = asyncio.Event()

    async def build() -> None:
        connection = await connect(database.app_url, application="chain", by_key=True)
        while not stop.is_set():
            await seal(connection, most=7)
        await connection.close()

    async def trade(feed: Feed) -> None:
        for batch in range(10):
            await feed.take(
                *(sale(f"s{feed.partition}-{batch}-{n}", f"o{feed.partition}-{batch}-{n}") for n in range(20))
            )

    async with feeds(database.app_url, 3) as opened, asyncio.timeout(60):
        await opened[0].take(fees())
        builders = [asyncio.create_task(build()) for _ in range(3)]
        await asyncio.gather(*map(trade, opened))
        stop.set()
        await asyncio.gather(*builders)
    await seal_all(admin)
    found = await sealed_ids(admin)
    assert len(found) == len(set(found)) == 600
    verdict = await verified(admin)
    assert (verdict.entries, verdict.unsealed, verdict.findings) == (600, 0, [])
    assert verdict.blocks > 1


async def test_a_transaction_is_never_split_between_blocks(admin: Connection) -> None:
    async with admin.transaction():
        many = [await write(admin, Sale(object_id=str(number))) for number in range(5)]
    one = await write(admin)
    await seal_all(admin, most=2)
    assert [len(row["entry_ids"]) for row in await admin.fetch("SELECT entry_ids FROM chain_blocks")] == [
        5,
        1,
    ]
    assert await sealed_ids(admin) == [*many, one]


async def test_each_tenant_has_a_chain_of_its_own(admin: Connection) -> None:
    for number in range(3):
        for tenant in ("acme", "globex"):
            await write(admin, Sale(tenant, object_id=str(number)))
        await seal_all(admin)
    rows = await admin.fetch(
        "SELECT tenant, number, first_position, last_position FROM chain_blocks ORDER BY 1, 2"
    )
    assert [tuple(row) for row in rows] == [
        (tenant, number, number, number) for tenant in ("acme", "globex") for number in (1, 2, 3)
    ]
    assert (await verified(admin, tenant="globex")).entries == 3


async def test_the_role_builds_until_it_is_told_to_stop_and_outlives_its_connection(
    database: Database, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "LOOK_EVERY_S", 0.02)
    monkeypatch.setattr(builder, "AFTER_TROUBLE_S", 0.02)
    stop, seen = asyncio.Event(), []

    class Watcher:
        def sealed(self, entries: int, blocks: int) -> None:
            seen.append((entries, blocks))

    async def all_sealed() -> bool:
        return bool(await admin.fetchval("SELECT count(*) FROM entries") == len(await sealed_ids(admin)))

    async with cable_to(database.app_url) as (cable, url):
        role = asyncio.create_task(run_chain(url, Watcher(), stop))
        await write(admin)
        await until(all_sealed)
        cable.cut()
        await write(admin)
        await until(all_sealed)
        stop.set()
        async with asyncio.timeout(100):
            await role
    assert sum(entries for entries, _ in seen) == 2


async def test_a_chain_that_is_ahead_of_the_server_is_said_aloud(admin: Connection) -> None:
    """After a restore from a dump transaction ids begin anew: new entries would never be found."""
    await write(admin)
    await seal_all(admin)
    await admin.execute("ALTER TABLE chain_blocks DISABLE TRIGGER chain_blocks_append_only")
    await admin.execute("UPDATE chain_blocks SET through_xid = '9000000000000'::xid8")
    with pytest.raises(ChainAheadError, match="9000000000000"):
        await seal(admin)


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE chain_blocks SET built_at = now()",
        "DELETE FROM chain_blocks",
        "TRUNCATE chain_blocks",
        (
            "INSERT INTO chain_blocks SELECT tenant, number + 2, form, first_position + 1, last_position + 1,"
            " '5', block_hash, entry_ids, leaves, built_at, block_hash FROM chain_blocks"
        ),
        (
            "INSERT INTO chain_blocks SELECT tenant, number + 1, form, first_position + 1, last_position + 1,"
            " through_xid, block_hash, entry_ids, leaves, built_at, block_hash FROM chain_blocks"
        ),
        (
            "INSERT INTO chain_blocks SELECT tenant, number + 1, form, first_position + 1, last_position + 1,"
            " pg_current_xact_id(), block_hash, entry_ids, leaves, built_at, block_hash FROM chain_blocks"
        ),
        (
            "INSERT INTO chain_blocks SELECT 'other', 1, form, 1, 1, through_xid, block_hash, entry_ids, leaves,"
            " built_at, block_hash FROM chain_blocks"
        ),
    ],
)
async def test_the_database_refuses_to_rewrite_the_chain_also_a_superuser(
    admin: Connection, deed: str
) -> None:
    await write(admin)
    await seal_all(admin)
    await admin.execute("SET session_replication_role = replica")
    with pytest.raises((asyncpg.RestrictViolationError, asyncpg.CheckViolationError)):
        await admin.execute(deed)


async def test_the_application_may_only_add_and_readers_only_read(
    database: Database, admin: Connection
) -> None:
    await write(admin)
    await seal_all(admin)
    for url, deeds in (
        (database.app_url, ("UPDATE chain_blocks SET form = 2", "DELETE FROM chain_blocks")),
        (database.read_url, ("INSERT INTO chain_blocks SELECT * FROM chain_blocks",)),
    ):
        connection = await connect(url, application="test")
        for deed in deeds:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(deed)
        await connection.close()
