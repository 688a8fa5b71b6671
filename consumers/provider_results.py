"""The consumer of `provider.results`: what became of provider calls."""

from __future__ import annotations

from functools import partial

from consumers.subscription import subscribe

register = partial(subscribe, topic="provider.results")
