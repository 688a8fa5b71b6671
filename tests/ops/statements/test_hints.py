"""Under every statement and sheet stands the command that explains its number; it works, and gives that number."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.ops.busy import busy_template, copy_of
from tests.ops.statements.test_command import Commands

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ops.embedded import Endpoints


@pytest.fixture(scope="module")
async def cli(endpoints: Endpoints, template: str) -> AsyncIterator[Commands]:
    """The command line, pointed at a marketplace after its day."""
    async with (
        busy_template(endpoints, template, "busy_hints") as name,
        copy_of(endpoints, name, "hints_to_follow") as database,
    ):
        yield Commands(database)


async def explained(cli: Commands, hint: str) -> dict[str, Any]:
    """The facts of what the command tells, typed as it stands."""
    program, *arguments = shlex.split(hint)
    assert program == "counterfoil"
    (node,) = orjson.loads(await cli.out(*arguments, "--json"))
    facts: dict[str, Any] = node["facts"]
    return facts


@pytest.mark.parametrize("dated", [(), ("--basis", "posting"), ("--zone", "Asia/Kathmandu")])
async def test_the_command_under_a_statement_explains_its_closing(
    cli: Commands, dated: tuple[str, ...]
) -> None:
    asked = ("statement", "--owner", "m1", "--period", "2026", *dated)
    told = orjson.loads(await cli.out(*asked, "--format", "json"))
    shown = (await cli.out(*asked)).splitlines()
    assert len({one["explain"] for one in told}) == len(told) == 3
    for one in told:
        assert (await explained(cli, one["explain"]))["balance_minor"] == one["closing_minor"]
        assert one["explain"] in shown


@pytest.mark.parametrize(
    "asked",
    [
        ("balance-sheet",),
        ("balance-sheet", "--as-of", "2026-12-31", "--zone", "Europe/Berlin"),
        ("balance-sheet", "--as-of", "2999-12-31T12:00:00Z", "--basis", "posting"),
        ("income-statement", "--period", "2026"),
        ("income-statement", "--period", "2026-01-01..2999-12-31", "--basis", "posting", "--zone", "UTC"),
    ],
)
async def test_the_command_under_a_sheet_explains_its_total(cli: Commands, asked: tuple[str, ...]) -> None:
    told = orjson.loads(await cli.out(*asked, "--format", "json"))
    shown = (await cli.out(*asked)).splitlines()
    total = "assets_minor" if asked[0] == "balance-sheet" else "result_minor"
    assert len(told) == 3
    for one in told:
        assert (await explained(cli, one["explain"]))["amount_minor"] == one[total]
        assert one["explain"] in shown


async def test_no_such_command_is_among_the_rows_of_a_csv(cli: Commands) -> None:
    for asked in (
        ("statement", "--owner", "m1", "--period", "2026"),
        ("balance-sheet",),
        ("income-statement", "--period", "2026"),
    ):
        assert "counterfoil explain" not in await cli.out(*asked, "--format", "csv")


async def test_where_nothing_is_posted_there_is_nothing_to_explain(cli: Commands) -> None:
    for asked in (("balance-sheet", "--as-of", "2020-01-01"), ("income-statement", "--period", "2020")):
        assert "counterfoil explain" not in await cli.out(*asked)
        assert {one["explain"] for one in orjson.loads(await cli.out(*asked, "--format", "json"))} <= {None}
