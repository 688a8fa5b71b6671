"""The consumer of `timer.events`: timers that are due."""

from __future__ import annotations

from functools import partial

from consumers.subscription import subscribe

register = partial(subscribe, topic="timer.events")
