"""The one way in which the embedded stack fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

TAIL_LINES = 20


class EmbeddedStackError(RuntimeError):
    """The embedded stack cannot do what was asked; the message says why and what a person can do about it."""


def log_tail(log: Path) -> str:
    """The last lines of a log, named, to end an error message with; what went wrong is usually in there."""
    if not log.exists():
        return f"({log} was never written)"
    lines = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([f"the end of {log}:", *(f"  {line}" for line in lines)])
