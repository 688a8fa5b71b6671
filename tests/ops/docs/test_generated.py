"""The generated parts of the documentation are what the code says now."""

from __future__ import annotations

import re
from decimal import Decimal
from operator import attrgetter

import pytest

from handlers.disputes.postings import RULES as DISPUTE_RULES
from handlers.ledger.model import CREDIT, DEBIT, PostingRule
from handlers.payments.postings import PAYMENT_TAKEN
from handlers.refunds.postings import RULES as REFUND_RULES
from handlers.wallets.postings import CREDITED, EXPIRED, GRANTED, SPENT
from ops.docs.ledger import CHAPTERS, postings, rules_of
from ops.docs.pages import replace, stale
from ops.docs.states import DISPUTES, PAYMENTS, REFUNDS, StateMachine

BLOCK = re.compile(r"\*\*`(\w+)`\*\* .+?\n\n```text\n(.+?)\n```", re.DOTALL)
T_WIDTH = 3 + 31
"""Of a T-account; its stroke parts debit and credit."""
PICTURES: dict[str, str] = dict(BLOCK.findall(postings()))

each_machine = pytest.mark.parametrize(
    "machine", [PAYMENTS, REFUNDS, DISPUTES], ids=["payments", "refunds", "disputes"]
)


def drawn_legs(picture: str) -> set[tuple[str, str, str]]:
    """(side, account, amount's name) of each leg that a picture shows; and its two sides are equal."""
    names, _, _, amounts = picture.splitlines()
    strokes = [at.start() for at in re.finditer("│", amounts)]
    found: set[tuple[str, str, str]] = set()
    totals = {DEBIT: Decimal(0), CREDIT: Decimal(0)}
    for match in re.finditer(r"([\d.]+) (\w+)", amounts):
        place = match.start() // T_WIDTH
        side = DEBIT if match.start() < strokes[place] else CREDIT
        totals[side] += Decimal(match[1])
        found.add((side, names.split()[place], match[2]))
    assert totals[DEBIT] == totals[CREDIT] > 0
    return found


def test_no_page_has_drifted() -> None:
    assert list(stale()) == [], "run: python -m ops.docs"


def test_a_changed_part_is_replaced_and_nothing_else() -> None:
    page = "before\n<!-- generated: x -->\n\nold\n\n<!-- end: x -->\nafter\n"
    assert replace(page, "x", "new") == page.replace("old", "new")


@pytest.mark.parametrize(
    "page", ["", "<!-- generated: x -->\n", 2 * "<!-- generated: x -->\n<!-- end: x -->\n"]
)
def test_a_part_without_its_one_place_is_an_error(page: str) -> None:
    with pytest.raises(LookupError, match="'x'"):
        replace(page, "x", "new")


@each_machine
def test_the_picture_has_every_step_of_the_table_once(machine: StateMachine) -> None:
    arrows = re.findall(r"^    (\S+) --> (\S+): (.+)$", machine.picture(), re.MULTILINE)
    assert len({(before, after) for before, after, _ in arrows}) == len(arrows), "one arrow each way"
    drawn = [(before, trigger, after) for before, after, named in arrows for trigger in named.split(", ")]
    assert sorted(drawn) == sorted(
        (str(before or "[*]"), str(trigger), str(after))
        for (before, trigger), after in machine.transitions.items()
    )


@each_machine
def test_both_tables_have_every_step_once(machine: StateMachine) -> None:
    steps = len(machine.transitions)
    assert machine.by_state().count("**") == 2 * steps
    allowed = [
        line.split(" | ")[1].rstrip(" |").split(", ") for line in machine.by_trigger().splitlines()[2:]
    ]
    assert sum(map(len, allowed)) == steps
    assert len(allowed) == len(machine.triggers)


def test_a_state_that_nothing_leaves_ends_the_picture() -> None:
    assert "    canceled --> [*]" in REFUNDS.picture().splitlines()
    assert "| canceled | nothing: final |" in REFUNDS.by_state().splitlines()
    assert "--> [*]" not in DISPUTES.picture()


def test_every_posting_rule_is_drawn_in_its_own_chapter() -> None:
    taken, refunds, disputes, wallets = (set(rules_of(chapter.postings)) for chapter in CHAPTERS)
    assert set(PAYMENT_TAKEN.values()) <= taken
    assert refunds == set(REFUND_RULES)
    assert disputes == set(DISPUTE_RULES.values())
    assert wallets == {*CREDITED.values(), GRANTED, EXPIRED, *SPENT.values()}
    assert not taken & refunds
    assert set(PICTURES) == {rule.name for rule in taken | refunds | disputes | wallets}


@pytest.mark.parametrize(
    "rule", [rule for chapter in CHAPTERS for rule in rules_of(chapter.postings)], ids=attrgetter("name")
)
def test_a_picture_shows_the_legs_of_its_rule_and_balances(rule: PostingRule) -> None:
    assert drawn_legs(PICTURES[rule.name]) == {(leg.side, leg.code, leg.amount) for leg in rule.legs}


def test_a_leg_on_the_other_side_is_seen() -> None:
    assert (DEBIT, "processor_receivable", "gross") in drawn_legs(PICTURES["card_captured"])
    turned = PICTURES["card_captured"].replace(
        "19.99 gross   │               ", "              │   19.99 gross"
    )
    with pytest.raises(AssertionError):
        drawn_legs(turned)


def test_the_fee_of_the_example_is_the_schedules() -> None:
    assert re.findall(r"[\d.]+", PICTURES["card_captured"].splitlines()[3]) == ["19.99", "19.19", "0.80"]
    assert re.findall(r"[\d.]+", PICTURES["refund_submitted"].splitlines()[3]) == ["9.60", "0.40", "10.00"]
