"""An explanation: a tree of sentences with their facts. People get the tree, programs the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rich.text import Text
from rich.tree import Tree

from ops.inspect.words import printable

STYLES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("payment", "refund", "dispute", "journal", "wallet", "hold", "period"), "bold"),
    **dict.fromkeys(("balance", "total", "code"), "bold"),
    **dict.fromkeys(("call", "webhook", "timer"), "yellow"),
    **dict.fromkeys(("body", "answer", "named", "hint", "rest"), "dim"),
    "entry": "bold green",
    "message": "bold cyan",
    "published": "magenta",
    "missing": "bold red",
}
MOST_SHOWN: Final = 4_000
"""Characters of a sentence or body in a tree: a message may have a megabyte. JSON has all of them."""


@dataclass(frozen=True, slots=True)
class Node:
    """One sentence of an explanation. `kind` says what it is about, `facts` are its values for programs."""

    kind: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    children: tuple[Node, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The node and all below it."""
        told = {"kind": self.kind, "text": self.text, "facts": dict(self.facts)}
        return told | {"children": [child.as_json() for child in self.children]}

    def as_tree(self) -> Tree:
        """The node and all below it, for a terminal."""
        text = printable(self.text[:MOST_SHOWN])
        if len(self.text) > MOST_SHOWN:
            text += f" ... and {len(self.text) - MOST_SHOWN:,} more characters, which --json shows"
        tree = Tree(Text(text, style=STYLES.get(self.kind, "")))
        for child in self.children:
            tree.add(child.as_tree())
        return tree
