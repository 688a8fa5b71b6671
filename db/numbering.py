"""Numbers of entries in what was decided about them before they had one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from handlers.needs import Key, Kind


def number_entries(
    states: Mapping[Kind, dict[Key, Any]], histories: Mapping[Kind, list[Any]], entry_ids: Sequence[int]
) -> None:
    """What reverses entries of this very batch knows them by their place in it (-1 is the first), and now by number."""
    links, reversals = histories.get("entry_links", []), states.get("reversal", {})
    for place, link in enumerate(links):
        if link.linked_entry_id < 0:
            links[place] = replace(link, linked_entry_id=entry_ids[-link.linked_entry_id - 1])
    for key, reversal in reversals.items():
        if reversal.entry_id < 0:
            reversals[key] = replace(reversal, entry_id=entry_ids[-reversal.entry_id - 1])
