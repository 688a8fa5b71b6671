"""Real stacks in folders of their own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ops.embedded import Stack

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """An empty folder which also PostgreSQL's account can reach, unlike pytest's own when we are root."""
    with tempfile.TemporaryDirectory(prefix="counterfoil-") as name:
        root = Path(name)
        root.chmod(0o755)
        yield root


@pytest.fixture(scope="session")
def stack(folder: Path) -> Iterator[Stack]:
    """A running stack that the tests of this folder share."""
    stack = Stack(folder / "shared", owned=True)
    with stack:
        yield stack
    stack.reset()
