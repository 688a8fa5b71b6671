"""What is sealed of an entry besides its lines: what others call it, when it happened, what it takes back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg
import pytest

from db.connection import connect, prepare
from handlers.journals.model import journal_uuid_of
from handlers.ledger.chain import Block, block_hash, particular_bytes
from ops.verify import export_heads, read_heads
from producers.chain import builder
from producers.chain.keys import Signer, key_id
from tests.books import LEDGER, about_period, approve, journal, reversal
from tests.engines import feeds
from tests.ops.busy import copy_of
from tests.ops.verify.forger import build_anew
from tests.producers.chain.book import Sale, seal_all, verified, write
from tests.shop import TENANT, fees, sale

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from ops.embedded import Endpoints
    from tests.conftest import Connection, Database

OCTOBER: Final = "2026-10-20T10:00:00Z"
NOVEMBER: Final = "2026-11-20T10:00:00Z"
J1: Final = str(journal_uuid_of(TENANT, "j1"))
FIRST: Final = {"object_id": J1, "number": 1}
_numbers = count(1)


@dataclass(frozen=True)
class History:
    """A database with a block of the old form and two of the new, and the head of the old one as it was exported."""

    database: str
    old_heads: bytes


@pytest.fixture(scope="session")
async def history(endpoints: Endpoints, template: str, key: Ed25519PrivateKey) -> AsyncIterator[History]:
    """One journal before the change of form; after it a late sale, a journal, a reversal, and a timely sale."""
    async with copy_of(endpoints, template, "sealed_particulars") as database:
        admin = await asyncpg.connect(database.admin_url)
        await prepare(admin)
        await admin.execute("INSERT INTO clocks VALUES ($1, '2026-12-05 12:00Z')", TENANT)
        async with feeds(database.app_url, 1) as (shops,), feeds(database.app_url, 1, LEDGER) as (books,):
            await shops.take(fees())
            await books.take(journal("j1", references={"ticket": "FIN-1"}), approve("j1"))
            await seal_in_old_form(admin, Signer(key))
            old = await export_heads(admin, None, Signer(key))
            await books.take(about_period("close", "close_requested", "2026-10"))
            await shops.take(sale("late", "o1", time=OCTOBER))
            await books.take(
                journal("j2", references={"statement_line": "2026-11-20/17", "ticket": "FIN-7"}),
                approve("j2"),
                reversal("r1", J1),
                approve("r1", reverses=FIRST),
            )
            await seal_all(admin, Signer(key))
            await shops.take(sale("timely", "o2", time=NOVEMBER))
            await seal_all(admin, Signer(key))
        await admin.close()
        yield History("sealed_particulars", old.model_dump_json().encode())


async def seal_in_old_form(connection: Connection, signer: Signer) -> None:
    """As a builder did that knew nothing of particulars."""

    async def none(*_args: object) -> dict[str, tuple[tuple[int, ...], tuple[str, ...], bytes]]:
        return {}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builder, "FORM", 1)
        patch.setattr(builder, "_particulars", none)
        await seal_all(connection, signer)


@pytest.fixture
async def sealed(endpoints: Endpoints, history: History) -> AsyncIterator[Database]:
    """A copy that no other test touches."""
    async with copy_of(endpoints, history.database, f"sealed_particulars_{next(_numbers)}") as database:
        yield database


async def numbered(connection: Connection) -> dict[str, int]:
    """The entries by what they are."""
    named = "CASE rule WHEN 'entry_reversal' THEN 'reversal' ELSE split_part(event_id, '-', 1) END"
    rows = await connection.fetch(f"SELECT {named} AS named, entry_id FROM entries")  # noqa: S608
    return {row["named"]: row["entry_id"] for row in rows}


@dataclass(frozen=True)
class Deed:
    """What is done with triggers off to an entry, and what is then said of it."""

    name: str
    entry: str
    told: str
    sql: str
    then: str | None = None


_REFER: Final = "INSERT INTO entry_references VALUES ('acme', {entry}, 'order', 'o9')"
_ORIGINATE: Final = "INSERT INTO entry_origins VALUES ('acme', {entry}, '2026-10-20 10:00Z', '2026-10')"
_LINK: Final = (
    "INSERT INTO entry_links SELECT tenant, gen_random_uuid(), rule, kind, linked_entry_id, {entry}, root_entry_id"
    " FROM entry_links"
)
_EXCHANGE: Final = (
    "UPDATE entry_references AS r SET value = o.value FROM entry_references AS o"
    " WHERE o.entry_id = {entry} AND r.entry_id = {entry} AND o.name <> r.name"
)
_TWICE: Final = "ALTER TABLE entry_origins DROP CONSTRAINT entry_origins_pkey; " + _ORIGINATE
_BOTH: Final = "DELETE FROM entry_references {this}; UPDATE lines SET amount_minor = 1 {this}"
_EARLIER: Final = (
    "UPDATE entry_origins SET origin_effective_at = origin_effective_at - interval '1 microsecond' {this}"
)

DEEDS: Final = [
    Deed(
        "edit a reference",
        "j2",
        "references were changed",
        "UPDATE entry_references SET value = 'x' {ticket}",
    ),
    Deed(
        "rename a reference",
        "j2",
        "references were changed",
        "UPDATE entry_references SET name = 'x' {ticket}",
    ),
    Deed("exchange references' values", "j2", "references were changed", _EXCHANGE),
    Deed(
        "remove one of two references",
        "j2",
        "references were changed",
        "DELETE FROM entry_references {ticket}",
    ),
    Deed("remove all references", "j2", "references were removed", "DELETE FROM entry_references {this}"),
    Deed("add a third reference", "j2", "references were changed", _REFER),
    Deed("add a first reference", "timely", "references were added", _REFER),
    Deed("move an origin", "late", "origin was changed", _EARLIER),
    Deed("name another period", "late", "origin was changed", "UPDATE entry_origins SET period = 'x' {this}"),
    Deed("remove an origin", "late", "origin was removed", "DELETE FROM entry_origins {this}"),
    Deed("add an origin", "timely", "origin was added", _ORIGINATE),
    Deed("add a second origin", "late", "origin was changed", _TWICE),
    Deed(
        "link another entry",
        "reversal",
        "link was changed",
        "UPDATE entry_links SET linked_entry_id = 2 {this}",
    ),
    Deed(
        "link in another way",
        "reversal",
        "link was changed",
        "UPDATE entry_links SET kind = 'replaces' {this}",
    ),
    Deed(
        "link to another group",
        "reversal",
        "link was changed",
        "UPDATE entry_links SET root_entry_id = 0 {this}",
    ),
    Deed("remove a link", "reversal", "link was removed", "DELETE FROM entry_links {this}"),
    Deed("add a link", "timely", "link was added", _LINK),
    Deed("remove references, edit lines", "j2", "was changed", _BOTH, "references were removed"),
]
"""Of an entry that was sealed in the new form."""


@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.name)
async def test_the_entry_is_named_and_what_of_it_differs(
    deed: Deed, intruder: Connection, reader: Connection
) -> None:
    entry = (await numbered(intruder))[deed.entry]
    this = f"WHERE entry_id = {entry}"
    await intruder.execute(deed.sql.format(entry=entry, this=this, ticket=f"{this} AND name = 'ticket'"))
    findings = (await verified(reader)).findings
    assert {finding.entry_id for finding in findings} == {entry}
    expected = [deed.told, *([deed.then] if deed.then else [])]
    for finding, told in zip(findings, expected, strict=True):
        colon = " " if told == "was changed" else ": its "
        assert finding.told.startswith(f"entry {entry} of acme{colon}{told} since it was sealed (block ")


async def test_references_that_move_to_another_entry_are_missed_at_one_and_found_at_the_other(
    intruder: Connection, reader: Connection
) -> None:
    entries = await numbered(intruder)
    await intruder.execute(
        "UPDATE entry_references SET entry_id = $2 WHERE entry_id = $1", entries["j2"], entries["timely"]
    )
    assert [finding.told for finding in (await verified(reader)).findings] == [
        f"entry {entries['j2']} of acme: its references were removed since it was sealed (block 2, position 3)",
        f"entry {entries['timely']} of acme: its references were added since it was sealed (block 3, position 5)",
    ]


async def test_what_is_of_no_entry_is_found(intruder: Connection, reader: Connection) -> None:
    await intruder.execute(
        "INSERT INTO entry_references VALUES ('acme', 900, 'order', 'o9'), ('globex', 1, 'order', 'o9');"
        "INSERT INTO entry_origins VALUES ('acme', 901, now(), '2026-10');"
        "UPDATE entry_links SET entry_id = 902"
    )
    told = [finding.told for finding in (await verified(reader)).findings]
    assert len(told) == 5
    assert "its link was removed" in told[0]
    assert told[1:] == [
        "there is no entry 902 of acme, but it has a link",
        "there is no entry 901 of acme, but it has an origin",
        "there is no entry 1 of globex, but it has references",
        "there is no entry 900 of acme, but it has references",
    ]
    assert len((await verified(reader, tenant="globex")).findings) == 1


async def test_blocks_of_both_forms_follow_each_other_and_a_head_of_the_old_form_is_met(
    reader: Connection, history: History, key: Ed25519PrivateKey
) -> None:
    forms = await reader.fetch(
        "SELECT form, cardinality(particular_ids) AS had FROM chain_blocks ORDER BY number"
    )
    assert [tuple(row) for row in forms] == [(1, 0), (2, 3), (2, 0)]
    keys = {key_id(key.public_key()): key.public_key()}
    old = read_heads(history.old_heads, keys)
    verdict = await verified(reader, heads=old.heads, keys=keys)
    assert (verdict.findings, verdict.blocks, verdict.unsealed) == ([], 3, 0)


async def test_a_block_of_the_old_form_says_nothing_of_particulars(
    intruder: Connection, reader: Connection
) -> None:
    """It was built before they were hashed: of these, `check` and `replay` have the word."""
    entry = (await numbered(intruder))["j1"]
    await intruder.execute("DELETE FROM entry_references WHERE entry_id = $1", entry)
    assert (await verified(reader)).ok
    await intruder.execute("UPDATE entries SET rule = 'other' WHERE entry_id = $1", entry)
    assert [finding.entry_id for finding in (await verified(reader)).findings] == [entry]


async def test_an_old_head_tells_a_chain_that_was_built_anew_in_the_new_form(
    intruder: Connection, reader: Connection, history: History
) -> None:
    await build_anew(intruder)
    assert (await verified(reader)).ok
    findings = (await verified(reader, heads=read_heads(history.old_heads, {}).heads)).findings
    assert ["written anew" in finding.told for finding in findings] == [True]


@pytest.mark.parametrize(
    "disguise",
    [
        "SET form = 1, particular_ids = '{}', particular_kinds = '{}', particular_leaves = ''",
        "SET particular_ids = '{}', particular_kinds = '{}', particular_leaves = ''",
        "SET particular_leaves = overlay(particular_leaves PLACING '\\x00' FROM 1)",
        "SET particular_kinds = array_replace(particular_kinds, 'references', 'origin')",
        "SET particular_ids = array_replace(particular_ids, particular_ids[1], 0::bigint)",
    ],
    ids=["the old form", "none", "another hash", "another kind", "another entry"],
)
async def test_what_a_block_says_of_particulars_is_in_its_hash(
    intruder: Connection, reader: Connection, disguise: str
) -> None:
    await intruder.execute(f"UPDATE chain_blocks {disguise} WHERE number = 2")
    told = [finding.told for finding in (await verified(reader)).findings]
    assert "block 2 of acme does not have the hash it says" in told


ODD_TEXTS: Final = ("a", "B", "Zürich", "zebra", "\U0001f9fe", "\uffff", '["x", 1]', "\\ \n \x01", " ", "")


async def test_both_ways_of_hashing_agree_whatever_others_call_an_entry(
    database: Database, admin: Connection
) -> None:
    """Also on the order of names, which PostgreSQL would have by its own collation."""
    async with admin.transaction():
        first = await write(admin, Sale(object_id=str(UUID(int=1))))
        second = await write(admin, Sale(object_id=str(UUID(int=2)), rule=ODD_TEXTS[6]))
        for entry in (first, second):
            await admin.executemany(
                "INSERT INTO entry_references VALUES ('acme', $1, $2, $3)",
                [(entry, text, text[::-1]) for text in ODD_TEXTS],
            )
        await admin.execute(
            "INSERT INTO entry_origins VALUES ('acme', $1, '1969-07-20T20:17:40.000001Z', $2)",
            *(first, ODD_TEXTS[7]),
        )
        await admin.execute(
            "INSERT INTO entry_links (tenant, object_id, rule, kind, linked_entry_id)"
            " VALUES ('acme', $1, $2, 'replaces', $3)",
            *(UUID(int=2), ODD_TEXTS[6], first),
        )
    app = await connect(database.app_url, application="chain", by_key=True)
    await seal_all(app)
    await app.close()
    kinds = await admin.fetchval("SELECT particular_kinds FROM chain_blocks")
    assert sorted(kinds) == ["link", "origin", "references", "references"]
    assert (await verified(admin)).findings == []


def test_what_is_hashed_is_as_the_documents_say() -> None:
    rows = [{"name": "ticket", "value": "FIN-7"}, {"name": "statement_line", "value": "2026-11-20/17"}]
    assert particular_bytes("references", "acme", 17, rows).decode() == (
        '[["references", "acme", 17], ["statement_line", "2026-11-20/17"], ["ticket", "FIN-7"]]'
    )
    late = {"origin_effective_at": datetime(2026, 10, 20, 10, tzinfo=UTC), "period": "2026-10"}
    assert particular_bytes("origin", "acme", 18, [late]) == (
        b'[["origin", "acme", 18], [1792490400000000, "2026-10"]]'
    )


def test_a_block_of_the_old_form_has_the_hash_that_it_had() -> None:
    built_at = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
    block = Block("acme", 2, 1, 5, 7421, bytes(range(32)), (17, 18), bytes(64), built_at)
    assert block_hash(block).hex() == "98488fbece40d2f6a388c89d3462d1bf083f31e47f4de53df80cef766b21dc13"
