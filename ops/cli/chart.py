"""The command `chart`: the accounts there are, who may post to them by hand, and the rules that post to them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.table import Table

from handlers.journals.rules.decisions import CORRECTION, RULE_OF
from handlers.ledger.model import CHART, CREDIT, DEBIT, Code
from ops.docs.ledger import CHAPTERS, rules_of
from ops.inspect.screen import show, show_json

if TYPE_CHECKING:
    from collections.abc import Iterator

commands = typer.Typer()

ANY: Final = ("as proposed",)


@dataclass(frozen=True, slots=True)
class Rule:
    """A posting rule by the accounts that it debits and credits; ANY stands for what a journal says."""

    rule: str
    debit: tuple[str, ...]
    credit: tuple[str, ...]
    about: str


@commands.command("chart")
def show_chart(
    account: Annotated[Code | None, typer.Argument(help="Only this account, and its rules.")] = None,
    *,
    rules: Annotated[bool, typer.Option("--rules", help="Also by which rules they are posted to.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """The chart of accounts: code, type, the side on which it grows, and who may post journals to it."""
    codes = [account] if account else list(CHART)
    told = [rule for rule in every_rule() if account is None or account in {*rule.debit, *rule.credit}]
    with_rules = rules or account is not None
    if as_json:
        accounts = [_account(code) for code in codes]
        show_json(
            {"accounts": accounts, **({"rules": [asdict(rule) for rule in told]} if with_rules else {})}
        )
        return
    table = Table("account", "type", "grows on", "one for each", "journals by", "what it holds")
    for code in codes:
        one = CHART[code]
        people = " or ".join(sorted(one.people)) or "nobody: only rules post to it"
        table.add_row(code, one.type, one.type.normal_side, one.owner, people, one.about)
    show(table)
    if with_rules:
        table = Table("rule", "debits", "credits", "when")
        for rule in told:
            table.add_row(rule.rule, ", ".join(rule.debit), ", ".join(rule.credit), rule.about)
        show(table)


def every_rule() -> Iterator[Rule]:
    """All rules by which entries say they were booked."""
    for chapter in CHAPTERS:
        for rule in rules_of(chapter.postings):
            sides = [
                tuple(str(leg.code) for leg in rule.legs if leg.side == side) for side in (DEBIT, CREDIT)
            ]
            yield Rule(rule.name, sides[0], sides[1], rule.about)
    for kind, name in RULE_OF.items():
        yield Rule(name, ANY, ANY, f"A journal ({kind}) that a second person approved.")
    yield Rule(CORRECTION, ANY, ANY, "What should have been posted, with the reversal of what was.")


def _account(code: Code) -> dict[str, Any]:
    account = CHART[code]
    return {
        "code": str(code),
        "type": str(account.type),
        "grows_on": account.type.normal_side,
        "owner": account.owner,
        "people": sorted(account.people),
        "about": account.about,
    }
