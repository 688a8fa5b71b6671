"""What the documentation names: its links, and the words in its code spans and blocks."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"^ {4}\S.*$", re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def name(page: Path) -> str:
    """The page as tests call it."""
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    """Fenced blocks of a language."""
    return [text for kind, text in _BLOCK.findall(page.read_text()) if kind == language]


def code(page: Path) -> list[str]:
    """Everything that is set as code."""
    text = page.read_text()
    fenced = [block for _, block in _BLOCK.findall(text)]
    rest = _BLOCK.sub("", text)
    return fenced + _INDENTED.findall(rest) + _SPAN.findall(rest)


def links(page: Path) -> list[str]:
    """Targets of links that stay within the project."""
    return [target for target in _LINK.findall(page.read_text()) if "://" not in target]


def anchors(page: Path) -> set[str]:
    """Names of the page's headings in links."""
    return {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")
        for title in _HEADING.findall(page.read_text())
    }
