"""Which people may decide what needs a role."""

from __future__ import annotations

from handlers.refunds.policy import RANK, outranks


def deciders(needed: str, but: str | None = None) -> str:
    """Who may decide what needs the role `needed`: 'manager or finance, but not ada'."""
    roles = " or ".join(role for role in RANK if outranks(role, needed))  # type: ignore[arg-type]  # RANK has every role
    return f"{roles}, but not {but}" if but else roles
