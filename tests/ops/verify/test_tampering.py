"""History tampered with in every way a superuser has who drops the triggers first: found, and the entry named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ops.checks import check
from ops.verify import export_heads
from producers.chain.keys import Signer, key_id
from tests.ops.verify.forger import build_anew, replace_block
from tests.ops.verify.tamperings import SET_THE_SCENE, TAMPERINGS
from tests.producers.chain.book import Sale, seal_all, verified, write

if TYPE_CHECKING:
    from tests.conftest import Connection
    from tests.ops.verify.tamperings import Tampering


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda tampering: tampering.name)
async def test_tampering_is_found_and_the_entry_named(
    tampering: Tampering, intruder: Connection, reader: Connection
) -> None:
    heads = (await export_heads(reader, None, None)).heads
    named = {"victim": await victim_of(intruder), "newest before": await newest(intruder)}
    await intruder.execute(tampering.sql)
    named["newest after"] = await newest(intruder)
    told = tampering.told.format(entry=named[tampering.entry])
    if tampering.found_by == "check":
        found = [offender for verdict in await check(reader) for offender in verdict.offenders]
    else:
        verdict = await verified(reader, heads=heads if tampering.found_by == "head" else ())
        assert not verdict.ok
        found = [finding.told for finding in verdict.findings]
    assert any(told in one for one in found), (told, found)


async def victim_of(intruder: Connection) -> int:
    """The entry that is tampered with."""
    await intruder.execute(SET_THE_SCENE)
    number: int = await intruder.fetchval("SELECT v FROM victim")
    return number


async def newest(connection: Connection) -> int:
    """The last entry."""
    number: int = await connection.fetchval("SELECT max(entry_id) FROM entries")
    return number


async def edit(intruder: Connection) -> int:
    """Make ten times as much of the victim; its number."""
    entry = await victim_of(intruder)
    await intruder.execute("UPDATE lines SET amount_minor = amount_minor * 10 WHERE entry_id = $1", entry)
    return entry


async def test_untouched_history_is_unchanged(reader: Connection, key: Ed25519PrivateKey) -> None:
    heads = (await export_heads(reader, None, None)).heads
    keys = {key_id(key.public_key()): key.public_key()}
    verdict = await verified(reader, heads=heads, keys=keys)
    assert verdict.findings == []
    assert verdict.blocks == 3
    assert verdict.entries == await reader.fetchval("SELECT count(*) FROM entries")


async def test_a_replaced_block_is_found_by_the_next_one_and_its_signature_and_check_names_the_entry(
    intruder: Connection, reader: Connection, key: Ed25519PrivateKey
) -> None:
    entry = await edit(intruder)
    await replace_block(intruder, 2)
    told = [finding.told for finding in (await verified(reader)).findings]
    assert told == ["block 3 of acme follows another block 2 than is there: that one was replaced"]
    keys = {key_id(key.public_key()): key.public_key()}
    told = [finding.told for finding in (await verified(reader, keys=keys)).findings]
    assert f"block 2 of acme says it is signed by key {next(iter(keys))}, but it is not" in told
    offenders = [offender for verdict in await check(reader) for offender in verdict.offenders]
    assert any(f"entry {entry} of acme" in offender for offender in offenders), offenders


@pytest.mark.parametrize("signs", [False, True], ids=["unsigned", "signed with a key of his own"])
async def test_a_chain_that_was_built_anew_is_no_longer_the_one_that_was_exported(
    intruder: Connection,
    reader: Connection,
    key: Ed25519PrivateKey,
    *,
    signs: bool,
) -> None:
    """All of it fits together; only who kept a head, or the key, can tell."""
    heads = (await export_heads(reader, None, Signer(key))).heads
    await edit(intruder)
    await build_anew(intruder, Signer(Ed25519PrivateKey.generate()) if signs else None)
    assert (await verified(reader)).ok
    (finding,) = (await verified(reader, heads=heads)).findings
    assert finding.entry_id == heads[0].last_entry_id
    assert ("written anew" in finding.told) or ("it was exported with block" in finding.told)
    keys = {key_id(key.public_key()): key.public_key()}
    (finding,) = (await verified(reader, keys=keys)).findings
    assert "are not signed by a key that is believed" in finding.told


async def test_a_tenant_that_was_made_up_has_no_signature(
    intruder: Connection, reader: Connection, key: Ed25519PrivateKey
) -> None:
    await write(intruder, Sale("ghost"))
    await seal_all(intruder)
    keys = {key_id(key.public_key()): key.public_key()}
    assert [finding.told for finding in (await verified(reader, keys=keys)).findings] == [
        "blocks 1 to 1 of ghost are not signed by a key that is believed"
    ]


async def test_a_key_is_rotated_without_a_gap(
    intruder: Connection, reader: Connection, key: Ed25519PrivateKey
) -> None:
    """A signature covers all before it: the newest key alone is enough, the old one alone is not."""
    new = Ed25519PrivateKey.generate()
    await write(intruder)
    await seal_all(intruder, Signer(new))
    both = {key_id(one.public_key()): one.public_key() for one in (key, new)}
    assert (await verified(reader, keys=both)).ok
    assert (await verified(reader, keys={key_id(new.public_key()): new.public_key()})).ok
    assert not (await verified(reader, keys={key_id(key.public_key()): key.public_key()})).ok


async def test_what_is_not_in_a_block_yet_is_counted(intruder: Connection, reader: Connection) -> None:
    await write(intruder)
    verdict = await verified(reader)
    assert (verdict.ok, verdict.unsealed) == (True, 1)


async def test_progress_is_told(reader: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.verify.walk.TELL_EVERY", 1)
    told: list[tuple[int, int]] = []
    verdict = await verified(reader, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (verdict.entries, verdict.entries)
    assert len(told) == verdict.blocks
