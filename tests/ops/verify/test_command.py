"""The commands as typed: what they say, and their exit codes."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING

import orjson
import pytest
from typer.testing import CliRunner

from ops.cli.proof import Sealing, commands
from ops.metrics import Telemetry
from ops.processes import Processes
from tests.brokers import until
from tests.ops.verify.test_heads import private_pem, public_pem
from tests.producers.chain.book import write

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from click.testing import Result
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from tests.conftest import Connection, Database

    Type = Callable[..., Awaitable[Result]]


@pytest.fixture
def typed(sealed: Database, tmp_path: Path, key: Ed25519PrivateKey, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Types a command, on the sealed hour, with keys in files."""
    (tmp_path / "key.pem").write_bytes(private_pem(key))
    (tmp_path / "public.pem").write_bytes(public_pem(key))
    monkeypatch.chdir(tmp_path)
    for name, value in (
        ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1"),
        ("DATABASE_URL", sealed.app_url),
        ("DATABASE_ADMIN_URL", sealed.admin_url),
        ("DATABASE_READ_URL", sealed.read_url),
        ("COUNTERFOIL_CHAIN_KEY_FILE", "key.pem"),
        ("COUNTERFOIL_CHAIN_PUBLIC_KEYS_FILE", "public.pem"),
    ):
        monkeypatch.setenv(name, value)
    return lambda *words: asyncio.to_thread(CliRunner().invoke, commands, list(words))


async def test_a_head_is_exported_and_history_verified_with_it(typed: Type) -> None:
    assert (await typed("chain", "seal")).output == "0 entries sealed in 0 blocks\n"
    written = await typed("chain", "export", "heads.json")
    assert written.exit_code == 0
    assert "1 heads written to heads.json, signed by key" in written.output
    verified = await typed("verify", "--head", "heads.json")
    assert (verified.exit_code, verified.output) == (
        0,
        "6 entries in 3 blocks, 1 exported heads: unchanged\n",
    )


async def test_tampering_ends_with_1_and_names_the_entry(typed: Type, intruder: Connection) -> None:
    await intruder.execute("UPDATE lines SET amount_minor = amount_minor + 1 WHERE entry_id = 2")
    verified = await typed("verify")
    assert verified.exit_code == 1
    assert "entry 2 of acme was changed since it was sealed" in verified.output
    assert "CHANGED, 1 findings" in verified.output
    told = orjson.loads((await typed("verify", "--json")).output)
    assert (told["ok"], told["findings"][0]["entry_id"]) == (False, 2)


async def test_what_cannot_be_told_ends_with_2(
    typed: Type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "heads.json").write_bytes(b"{}")
    for words, told in (
        (("--head", "heads.json"), "format: Field required"),
        (("--head", "nowhere"), "nowhere: No such file"),
        (("--public-keys", "heads.json"), "there is no public key in the file"),
    ):
        verified = await typed("verify", *words)
        assert (verified.exit_code, told in verified.output) == (2, True), verified.output
    monkeypatch.setenv("DATABASE_READ_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert (await typed("verify")).exit_code == 2


async def test_a_replay_says_what_was_compared_and_what_differs(typed: Type, intruder: Connection) -> None:
    replayed = await typed("replay")
    assert replayed.exit_code == 0, replayed.output
    assert "payments: 8 rows, identical" in replayed.output
    assert "replayed: identical" in replayed.output
    await intruder.execute("UPDATE payments SET reason = 'lost' WHERE order_id = 'o1'")
    replayed = await typed("replay")
    assert replayed.exit_code == 1
    assert "reason is 'lost', the messages say None" in replayed.output
    assert "NOT THE SAME" in replayed.output


async def test_the_builder_runs_until_it_is_told_to_stop(
    typed: Type, intruder: Connection, tmp_path: Path
) -> None:
    del typed  # for the settings that it sets
    await write(intruder)
    script = "from ops.cli.proof import commands; commands()"
    with Processes(tmp_path, {"COUNTERFOIL_HTTP_PORT": "0"}) as processes:
        processes.start("chain", sys.executable, "-c", script, "chain", "run")

        async def is_sealed() -> bool:
            processes.check()
            return bool(
                await intruder.fetchval("SELECT count(*) = 4 FROM chain_blocks WHERE signature IS NOT NULL")
            )

        await until(is_sealed)
        await asyncio.to_thread(processes.stop, "chain")
    assert "Traceback" not in processes.log("chain").read_text()


def test_a_round_that_found_nothing_to_seal_is_progress_too(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = Telemetry("chain")
    later = time.monotonic() + 100
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert telemetry.stalled_seconds() > 99
    Sealing(telemetry).sealed(0, 0)
    assert telemetry.stalled_seconds() == 0
