"""The messages that refunds handle: commands and facts, answers of the provider, its webhooks, timers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from handlers.needs import Route

ROUTES: Final[dict[str, Route]] = {}

OPERATIONS: Final = ("refund", "confirm_refund")
"""What refunds ask their provider for; the answers come back to them."""

ANSWERS: Final[dict[str, Route]] = {}

TIMERS: Final[dict[str, Route]] = {}
