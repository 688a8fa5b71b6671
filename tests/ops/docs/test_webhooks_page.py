"""The page on webhooks says what the ingress does: which providers it serves, and with which statuses it answers."""

from __future__ import annotations

import re

from ops.ingress.role import SCHEMES
from producers.ingress.refusals import OTHERWISE, STATUS
from tests.ops.docs.pages import ROOT

PAGE = (ROOT / "docs" / "webhooks.md").read_text()


def first_cells(heading: str) -> list[str]:
    """The first column of the table under a heading."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("|")]
    return rows[2:]


def test_the_schemes_are_those_of_the_providers_that_are_served() -> None:
    assert {cell.strip("`") for cell in first_cells("Schemes")} == set(SCHEMES)
    (sentence,) = re.findall(r"`provider` is one of [^:]+: (.+?) \(", PAGE)
    assert set(re.findall(r"`(\w+)`", sentence)) == set(SCHEMES)


def test_every_answer_is_on_the_page_and_no_other() -> None:
    said = {int(number) for cell in first_cells("Answers") for number in re.findall(r"\b\d{3}\b", cell)}
    assert said == {200, OTHERWISE, *STATUS.values()}
