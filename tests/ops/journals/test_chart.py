"""The chart on the command line is the data: every account, every rule of every context, nothing twice."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

import orjson
import pytest
from typer.testing import CliRunner

import handlers
from handlers.ledger.model import CHART, Code, PostingRule
from ops.cli.chart import ANY, every_rule
from ops.cli.chart import commands as app
from ops.docs.ledger import rules_of


def told(*arguments: str) -> str:
    """What the command prints."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def rules_of_all_contexts() -> set[str]:
    """Names of the posting rules in every module of the domain, found without the chart's list of chapters."""
    modules = [import_module(found.name) for found in walk_packages(handlers.__path__, "handlers.")]
    named = {rule.name for module in modules for rule in rules_of(module)}
    alone = {one.name for module in modules for one in vars(module).values() if isinstance(one, PostingRule)}
    return named | alone


def test_every_rule_of_every_context_is_there_once() -> None:
    rules = list(every_rule())
    names = [rule.rule for rule in rules]
    assert len(set(names)) == len(names)
    assert rules_of_all_contexts() <= set(names)
    assert {code for rule in rules for code in (*rule.debit, *rule.credit)} <= {*Code, *ANY}


def test_the_chart_says_of_every_account_who_may_post_to_it() -> None:
    accounts = {row["code"]: row for row in orjson.loads(told("--json"))["accounts"]}
    assert list(accounts) == list(CHART)
    assert {code: set(row["people"]) for code, row in accounts.items()} == {
        code: set(account.people) for code, account in CHART.items()
    }
    assert (accounts["suspense"]["type"], accounts["suspense"]["grows_on"]) == ("liability", "credit")
    assert "nobody: only rules post to it" in told("refund_clearing")


@pytest.mark.parametrize("code", list(CHART))
def test_an_account_is_shown_with_its_rules_alone(code: Code) -> None:
    found = orjson.loads(told(code, "--json"))
    assert [row["code"] for row in found["accounts"]] == [code]
    assert all(code in {*rule["debit"], *rule["credit"]} for rule in found["rules"])
