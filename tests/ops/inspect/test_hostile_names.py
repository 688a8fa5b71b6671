"""A sender chooses names; one that looks like markup is printed as it is, by every command that lists it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import pytest
import typer
from typer.testing import CliRunner

from ops.cli import charge, disputes, inspect, periods, queues, unknown
from tests.consumers.test_disputes import desks, report
from tests.consumers.test_payment_webhooks import call_of, opened
from tests.consumers.test_periods import Shop, close, shop
from tests.ops.charge.test_commands import unclear
from tests.shop import TENANT, capture, fees, request

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from tests.conftest import Database

    Out = Callable[..., Coroutine[Any, Any, str]]

__all__ = ["shop"]

NAME: Final = "[/x]:boom:"
"""Closes a style that nobody opened, and is a picture: a command that takes it for markup fails or changes it."""
CARD: Final = ("--token", "t", "--network", "visa", "--last4", "4242")


@pytest.fixture
def out(database: Database, kafka: str) -> Out:
    """What a command prints; with `code`, the exit code that it must have."""
    app = typer.Typer()
    for group in (charge, disputes, inspect, periods, queues, unknown):
        app.add_typer(group.commands)
    environment = {
        "DATABASE_URL": database.app_url,
        "DATABASE_READ_URL": database.read_url,
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
    }

    async def printed(*arguments: str, code: int = 0) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=environment)
        assert result.exit_code == code, (result.output, result.exception)
        return result.stdout

    return printed


async def test_of_orders_that_wait_or_that_nobody_knows(database: Database, out: Out) -> None:
    async with opened(database.app_url) as (feed, answers, _):
        await feed.take(fees(), request("r", NAME), capture(NAME, f"{NAME}2"))
        await answers.take(unclear(NAME))
    assert call_of(NAME) in await out("calls", "unknown")
    assert NAME in await out("calls", "unknown")
    assert NAME in await out("charge", NAME, "--tenant", TENANT, *CARD, code=3)
    assert NAME in await out("explain", "payment", NAME)
    assert f"{TENANT}:{NAME}2" in await out("parked", "list")


async def test_of_dead_letters(database: Database, out: Out) -> None:
    async with opened(database.app_url) as (feed, _, _):
        await feed.take(b'{"specversion": "' + NAME.encode() + b'"}')
    assert "checkout.events/" in await out("dead-letters", "list")
    assert NAME in await out("dead-letters", "show", "1")


async def test_of_disputes(database: Database, out: Out) -> None:
    async with desks(database.app_url) as desk:
        await desk.pay(NAME)
        await desk.webhooks.take(report("needs_response", 0, NAME))
    assert NAME in await out("disputes", "list")
    assert f"of order {NAME}," in await out("disputes", "show", f"dp_{NAME}")


async def test_of_who_closes_a_period(out: Out, shop: Shop) -> None:
    await shop.take(close(who=NAME))
    assert NAME in await out("periods", "list")
