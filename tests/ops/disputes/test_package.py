"""Disputes on the command line: the list, one of them, and its evidence package on a real database."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from ops.cli import disputes
from tests.consumers.test_disputes import answer, desks, evidence, report, shipment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ops.embedded import Endpoints
    from tests.conftest import Connection, Database

    Run = Callable[..., Any]


@pytest.fixture
async def run(database: Database, endpoints: Endpoints) -> Run:
    """A command as from a shell, on a database with an order that is disputed and answered, and one that was won."""
    async with desks(database.app_url) as desk:
        await desk.pay("o1", "o2")
        await desk.shop.take(shipment("d1"))
        await desk.webhooks.take(report("needs_response", 0, by_reference=True), report("won", 1, "o2"))
        await desk.shop.take(evidence("e1"))
        await desk.results.take(answer("a1"))
    app = typer.Typer()
    app.add_typer(disputes.commands)
    environment = {
        "DATABASE_READ_URL": database.read_url,
        "DATABASE_URL": database.app_url,
        "KAFKA_BOOTSTRAP_SERVERS": endpoints.kafka_bootstrap,
    }

    async def invoke(*arguments: object, code: int = 0) -> Result:
        words = ["disputes", *map(str, arguments)]
        result = await asyncio.to_thread(CliRunner().invoke, app, words, env=environment)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    return invoke


async def test_disputes_are_listed_by_their_state(run: Run) -> None:
    printed = (await run("list")).stdout
    assert "25.00 EUR" in printed
    assert "2 of 2" in printed
    won = orjson.loads((await run("list", "--state", "won", "--json")).stdout)
    assert [row["dispute_reference"] for row in won] == ["dp_o2"]


async def test_a_dispute_is_shown_with_all_that_it_is_about(run: Run, admin: Connection) -> None:
    printed = (await run("show", "dp_o1")).stdout
    for part in ("evidence_submitted", "dispute_withdrawn", "1Z999", "chargeback_open"):
        assert part in printed
    object_id = await admin.fetchval("SELECT object_id FROM disputes WHERE dispute_reference = 'dp_o1'")
    shown = orjson.loads((await run("show", object_id, "--json")).stdout)
    assert shown["dispute"]["dispute_reference"] == "dp_o1"
    assert [row["operation"] for row in shown["calls"]] == ["submit_evidence"]


async def test_a_package_holds_every_paper_and_its_hash(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "package"
    await run("package", "dp_o1", folder)
    sums = [line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines()]
    for digest, path in sums:
        assert sha256((folder / path).read_bytes()).hexdigest() == digest
    written = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {path for _, path in sums} | {"SHA256SUMS"} == written
    case = orjson.loads((folder / "dispute.json").read_bytes())
    assert case["evidence"][0]["sha256"] in (folder / "SHA256SUMS").read_text()
    assert [paper["reference"] for paper in orjson.loads((folder / "documents.json").read_bytes())] == [
        "1Z999"
    ]
    types = {orjson.loads(path.read_bytes())["type"] for path in (folder / "messages").iterdir()}
    assert types == {
        "checkout.payment_requested.v1",
        "provider.call_succeeded.v1",
        "checkout.shipment_recorded.v1",
        "webhook.dispute_reported.v1",
        "checkout.evidence_submitted.v1",
    }
    assert "method_token" not in case["payment"]
    again = tmp_path / "again"
    await run("package", "dp_o1", again)
    assert (again / "SHA256SUMS").read_bytes() == (folder / "SHA256SUMS").read_bytes()
    assert "is not empty" in (await run("package", "dp_o1", folder, code=1)).output


async def test_what_is_not_there_or_ambiguous_is_said(run: Run, admin: Connection) -> None:
    assert "there is no dispute dp_x" in (await run("show", "dp_x", code=1)).output
    await admin.execute(
        "UPDATE disputes SET tenant = 'other', dispute_reference = 'dp_o1' WHERE order_id = 'o2'"
    )
    assert "several tenants (acme, other)" in (await run("show", "dp_o1", code=1)).output
