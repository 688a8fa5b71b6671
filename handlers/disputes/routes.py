"""The messages that disputes handle: commands and facts, answers of the provider, its webhooks, timers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from handlers.needs import Route

ROUTES: Final[dict[str, Route]] = {}

OPERATIONS: Final = ("submit_evidence", "accept_dispute")
"""What disputes ask their provider for; the answers come back to them."""

ANSWERS: Final[dict[str, Route]] = {}

TIMERS: Final[dict[str, Route]] = {}
