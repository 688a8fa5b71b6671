"""The operator's commands: find a payment by any name, charge with eyes open, decide what nobody knows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from handlers.payments.model import call_id_of, payment_id_of
from ops.cli import charge, find, unknown
from tests.consumers.test_payment_webhooks import call_of, opened
from tests.shop import TENANT, event, fees, request, sale, succeeded

if TYPE_CHECKING:
    from ops.embedded import Endpoints
    from tests.conftest import Connection, Database


class Commands:
    """The command line, pointed at one database."""

    def __init__(self, database: Database, kafka: str) -> None:
        self._app = typer.Typer()
        for group in (find, unknown, charge):
            self._app.add_typer(group.commands)
        self._environment = {
            "DATABASE_URL": database.app_url,
            "DATABASE_READ_URL": database.read_url,
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
        }

    async def run(self, *arguments: str, code: int = 0) -> Result:
        """A command as from a shell; `code` is the exit code that it must have."""
        result = await asyncio.to_thread(CliRunner().invoke, self._app, arguments, env=self._environment)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    async def json(self, *arguments: str) -> Any:
        """What it prints with `--json`."""
        return orjson.loads((await self.run(*arguments, "--json")).stdout)


@pytest.fixture
def cli(database: Database, endpoints: Endpoints, kafka: str) -> Commands:
    """The commands, for the test's database."""
    del endpoints
    return Commands(database, kafka)


def unclear(order: str) -> bytes:
    """Nobody knows what became of the order's first call."""
    data = {
        "call_id": call_of(order),
        "payment_id": str(payment_id_of(TENANT, order)),
        "order_id": order,
        "provider": "sandbox",
        "operation": "authorize",
        "detail": "timed out",
    }
    return event("unclear", "provider.call_unknown", data)


@pytest.fixture
async def traffic(database: Database) -> None:
    """A card payment held, one that nobody knows, one at a till."""
    basket = {"metadata": {"basket": "b-17"}, "customer_id": "cus_7"}
    async with opened(database.app_url) as (shop, answers, _):
        await shop.take(
            fees(),
            request("r1", "held", capture="manual", data=basket),
            request("r2", "doubt"),
            sale("s", "till"),
        )
        await answers.take(
            succeeded("a1", "held", call_of("held"), "authorize", 2500, captured=False), unclear("doubt")
        )


@pytest.mark.parametrize(
    ("name", "found_by", "order"),
    [
        ("auth_held", "provider_reference", "held"),
        (str(call_id_of(payment_id_of(TENANT, "held"), 1)), "call_id", "held"),
        (str(payment_id_of(TENANT, "till")), "payment_id", "till"),
        ("held", "order_id", "held"),
        ("till", "order_id", "till"),
        ("basket=b-17", "metadata", "held"),
        ("b-17", "metadata", "held"),
        ("cus_7", "customer_id", "held"),
    ],
)
@pytest.mark.usefixtures("traffic")
async def test_a_payment_is_found_by_any_of_its_names(
    cli: Commands, name: str, found_by: str, order: str
) -> None:
    for tenant in ([], ["--tenant", TENANT]):
        (row,) = await cli.json("find", name, *tenant)
        assert (row["found_by"], row["order_id"]) == (found_by, order)
    assert order in (await cli.run("find", name)).stdout
    await cli.run("find", name, "--tenant", "other", code=1)


@pytest.mark.usefixtures("traffic")
async def test_what_nobody_knows_is_listed_with_its_deadline_and_can_be_decided(
    cli: Commands, admin: Connection
) -> None:
    (row,) = await cli.json("calls", "unknown")
    assert (row["order_id"], row["call_id"], row["call_amount_minor"]) == ("doubt", call_of("doubt"), 2500)
    assert row["deadline_at"] is not None
    listed = (await cli.run("calls", "unknown")).stdout
    assert call_of("doubt") in listed
    assert "25.00 EUR" in listed
    decision = ("calls", "resolve", call_of("doubt"), "succeeded", "--note", "console", "--actor", "grace")
    refused = await cli.run(*decision, code=1)
    assert "amount_minor or provider_reference is missing" in refused.output
    told = await cli.run(*decision, "--amount-minor", "2500", "--reference", "auth_9")
    assert "authorize of order doubt succeeded" in told.stdout
    await cli.run("calls", "resolve", str(payment_id_of(TENANT, "x")), "no_effect", "--note", "n", code=1)
    assert await admin.fetchval("SELECT count(*) FROM payments WHERE NOT certain") == 1, (
        "only a message decides"
    )


@pytest.mark.usefixtures("traffic")
async def test_an_operator_charges_only_with_the_code_of_what_was_shown(cli: Commands) -> None:
    card = ("--token", "tok_approve", "--network", "visa", "--last4", "4242", "--tenant", TENANT)
    shown = await cli.run("charge", "doubt", *card, code=3)
    assert "the customer may have been charged" in shown.output
    code = shown.output.rsplit("--seen ", 1)[1].split()[0]
    assert "asked for" in (await cli.run("charge", "doubt", *card, "--seen", code)).stdout
    stale = await cli.run("charge", "doubt", *card, "--seen", "0000", code=3)
    assert "out of date" in stale.output


@pytest.mark.usefixtures("traffic")
async def test_a_new_order_of_the_same_customer_and_amount_is_warned_of(cli: Commands) -> None:
    card = ("--token", "tok_approve", "--network", "visa", "--last4", "4242", "--tenant", TENANT)
    new = ("--merchant", "m1", "--customer", "cus_7", "--amount-minor", "2500", "--currency", "EUR")
    shown = await cli.run("charge", "new", *card, *new, code=3)
    assert "order held: the same amount, authorized" in shown.output
    assert "WARNING: the customer has other payments of the same amount" in shown.output
