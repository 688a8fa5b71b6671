"""`counterfoil demo` on servers that are somebody else's."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from ops.cli.demo import commands
from producers.client import Client
from tests.shop import sale

if TYPE_CHECKING:
    from tests.conftest import Connection, Database


@pytest.fixture
def external(kafka: str, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka)
    monkeypatch.setenv("DATABASE_URL", database.app_url)
    monkeypatch.setenv("DATABASE_ADMIN_URL", database.admin_url)


@pytest.mark.usefixtures("external")
async def test_a_database_that_was_used_is_left_alone(admin: Connection) -> None:
    await admin.execute("INSERT INTO intake (topic, partition) VALUES ('checkout.events', 0)")
    result = await asyncio.to_thread(lambda: CliRunner().invoke(commands, []))
    assert result.exit_code == 1
    assert "the database holds messages; empty servers are needed, or --keep" in result.output


@pytest.mark.usefixtures("external")
async def test_a_topic_that_holds_messages_is_left_alone(kafka: str) -> None:
    async with Client(kafka) as client:
        await client.publish(sale("e1", "order-1"))
    result = await asyncio.to_thread(lambda: CliRunner().invoke(commands, []))
    assert result.exit_code == 1
    assert "checkout.events holds messages" in result.output


@pytest.mark.parametrize("arguments", [["--events", "149"], ["--workers", "0"], ["--seed", "seven"]])
def test_a_day_that_cannot_be_is_refused(arguments: list[str]) -> None:
    assert CliRunner().invoke(commands, arguments).exit_code == 2
