"""The consumer of `webhook.events`: what providers told us unasked, verified by the ingress."""

from __future__ import annotations

from functools import partial

from consumers.subscription import subscribe

register = partial(subscribe, topic="webhook.events")
