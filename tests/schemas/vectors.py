"""Published data to test against. It lies beside the project; tests that need it are skipped without it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

DATA: Final = Path(__file__).resolve().parents[3] / "shared" / "data"


def vectors(path: str) -> Path:
    """A file of the development data; the calling test module is skipped when it is not there."""
    found = DATA / path
    if not found.is_file():
        pytest.skip(f"the development data is not here: {found}", allow_module_level=True)
    return found
