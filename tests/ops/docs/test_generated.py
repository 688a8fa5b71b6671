"""The generated parts of the documentation are what the code says now."""

from __future__ import annotations

import pytest

from handlers.payments.states import TRANSITIONS
from ops.docs.ledger import postings
from ops.docs.pages import replace, stale
from ops.docs.payments import picture


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


def test_the_picture_has_every_step_of_the_table_once() -> None:
    drawn = [line.strip() for line in picture().splitlines() if ":" in line]
    assert sorted(drawn) == sorted(
        f"{before or '[*]'} --> {after}: {trigger}" for (before, trigger), after in TRANSITIONS.items()
    )


def test_the_t_accounts_show_a_balanced_entry() -> None:
    (drawn,) = {line for line in postings().splitlines() if "gross" in line}
    debit, *credits_ = [part.split()[0] for part in drawn.split("│") for part in [part.strip()] if part]
    assert (debit, credits_) == ("19.99", ["19.19", "0.80"])
