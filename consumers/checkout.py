"""The consumer of `checkout.events`: what shops ask for and report."""

from __future__ import annotations

from functools import partial

from consumers.subscription import subscribe

register = partial(subscribe, topic="checkout.events")
