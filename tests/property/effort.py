"""How many examples Hypothesis tries: the usual few, or many in a long run.

COUNTERFOIL_EFFORT=20 pytest tests/property
"""

from __future__ import annotations

import os
from typing import Final

EFFORT: Final = int(os.environ.get("COUNTERFOIL_EFFORT", "1"))


def examples(usual: int) -> int:
    """So many times the usual number."""
    return usual * EFFORT
