"""The laws that data can show, verified on a live database: `await check(connection)`."""

from __future__ import annotations

from ops.checks.verdict import Verdict, check

__all__ = ["Verdict", "check"]
