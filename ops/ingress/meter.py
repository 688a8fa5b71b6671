"""The ingress's metrics: what was answered and why, how large the group commits are, who was shown the door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Histogram

from producers.ingress.app import UNKNOWN
from producers.ingress.connections import DROPS
from producers.ingress.refusals import STATUS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WEBHOOKS: Final = Counter(
    "counterfoil_webhooks_total", "Webhooks by what became of them", ["provider", "outcome"]
)
ANSWER_SECONDS: Final = Histogram(
    "counterfoil_webhook_answer_seconds",
    "From a webhook's headers to its answer",
    ["provider"],
    buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10),
)
COMMIT_SIZE: Final = Histogram(
    "counterfoil_webhook_commit_size",
    "Webhooks of one transaction",
    buckets=(1, 3, 10, 30, 100, 300, 1000),
)
COMMIT_SECONDS: Final = Histogram("counterfoil_webhook_commit_seconds", "One transaction of webhooks")
REPEATED: Final = Counter("counterfoil_webhooks_repeated_total", "Webhooks that were kept already")
DROPPED: Final = Counter(
    "counterfoil_webhook_connections_dropped_total", "Connections closed before they asked", ["reason"]
)
KEPT: Final = ("new", "repeated", "unreadable")
HUNG_UP: Final = "hung_up"


class Meter:
    """The observer of an ingress. `alive` is the role's."""

    def __init__(self, providers: Iterable[str], alive: Callable[[], None]) -> None:
        self.alive = alive
        # A series that starts at its first event has no increase to alert on; so every series starts at zero.
        for provider in {*providers}:
            for outcome in (*KEPT, *STATUS, HUNG_UP):
                WEBHOOKS.labels(provider, outcome)
        WEBHOOKS.labels(UNKNOWN, "unknown_endpoint")
        for reason in DROPS:
            DROPPED.labels(reason)

    def answered(self, provider: str, outcome: str, seconds: float) -> None:
        """A request was kept or refused."""
        WEBHOOKS.labels(provider, outcome).inc()
        ANSWER_SECONDS.labels(provider).observe(seconds)

    def untold(self, provider: str) -> None:
        """A sender hung up."""
        WEBHOOKS.labels(provider, HUNG_UP).inc()

    def committed(self, webhooks: int, repeated: int, seconds: float) -> None:
        """A transaction."""
        COMMIT_SIZE.observe(webhooks)
        COMMIT_SECONDS.observe(seconds)
        REPEATED.inc(repeated)

    def dropped(self, reason: str) -> None:
        """A connection was closed."""
        DROPPED.labels(reason).inc()
