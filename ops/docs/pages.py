"""Where the generated parts stand: a page keeps its prose, and a part of it follows from the code.

A part lies between `<!-- generated: NAME -->` and `<!-- end: NAME -->`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ops.docs import ledger, metrics
from ops.docs.states import DISPUTES, PAYMENTS, PERIODS, REFUNDS

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS: Final = Path(__file__).parents[2] / "docs"

PAGES: Final[dict[str, dict[str, Callable[[], str]]]] = {
    "ledger.md": {"accounts": ledger.accounts, "postings": ledger.postings},
    "operations.md": {"metrics": metrics.metrics},
    "payments.md": PAYMENTS.parts(),
    "refunds.md": {**REFUNDS.parts(), "postings": ledger.refunds_table},
    "disputes.md": DISPUTES.parts(),
    "periods.md": PERIODS.parts(),
}
"""Page -> its generated parts."""


def stale() -> dict[str, str]:
    """The pages that differ from the code, as they should be.

    Raises:
        LookupError: a page does not have the place for one of its parts.
    """
    found = {}
    for name, parts in PAGES.items():
        before = (DOCS / name).read_text(encoding="utf-8")
        after = before
        for part, write in parts.items():
            after = replace(after, part, write())
        if after != before:
            found[name] = after
    return found


def replace(page: str, part: str, text: str) -> str:
    """The page with `text` as its part. Raises LookupError when it does not have the place exactly once."""
    place = re.compile(rf"(<!-- generated: {part} -->\n).*?(<!-- end: {part} -->)", re.DOTALL)
    if len(place.findall(page)) != 1:
        raise LookupError(f"no place, or several, for {part!r}")
    return place.sub(lambda found: f"{found[1]}\n{text.strip()}\n\n{found[2]}", page)
