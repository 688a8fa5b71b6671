"""What keeps a benchmark from giving an honest number."""

from __future__ import annotations


class BenchError(Exception):
    """The benchmark cannot be run here, or its result would not be true; the message says why."""
