"""Prometheus metrics: what every role tells, under fixed names (ops/dashboards and the alert rules use them)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge, Histogram

from schemas.topics import INBOUND

if TYPE_CHECKING:
    from collections import Counter as Counts

    from consumers.report import Report

OUTCOMES: Final = ("applied", "duplicate", "rejected", "parked", "dead")
MESSAGES: Final = Counter(
    "counterfoil_messages_total", "Messages by what became of them", ["topic", "outcome"]
)
RECEIVED: Final = Counter("counterfoil_messages_received_total", "Messages taken in", ["topic"])
REDELIVERED: Final = Counter(
    "counterfoil_messages_redelivered_total", "Repeats by Kafka, not counted twice", ["topic"]
)
ENTRIES: Final = Counter("counterfoil_entries_total", "Journal entries posted", ["rule"])
MONEY: Final = Counter("counterfoil_money_posted_minor_total", "Debits posted, minor units", ["currency"])
PUBLISHED: Final = Counter("counterfoil_published_total", "Events acknowledged by Kafka", ["topic"])
CALLS: Final = Counter(
    "counterfoil_provider_calls_total", "Provider calls", ["provider", "operation", "outcome"]
)
RETRIES: Final = Counter("counterfoil_batch_retries_total", "Transactions tried again", ["topic", "reason"])
BATCH_SECONDS: Final = Histogram("counterfoil_batch_seconds", "From first query to last", ["topic"])
BATCH_SIZE: Final = Histogram(
    "counterfoil_batch_size",
    "Messages of one transaction",
    ["topic"],
    buckets=(1, 3, 10, 30, 100, 300, 1000, 3000, 10_000),
)
CALL_SECONDS: Final = Histogram(
    "counterfoil_provider_call_seconds", "One provider call", ["provider", "operation"]
)
LAG: Final = Gauge("counterfoil_consumer_lag", "Records not taken in yet", ["topic", "partition"])
OUTBOX_AGE: Final = Gauge(
    "counterfoil_outbox_age_seconds", "How long the oldest unpublished event has waited"
)
OUTBOX_BACKLOG: Final = Gauge("counterfoil_outbox_backlog", "Batches not published yet")
UNKNOWN_CALLS: Final = Gauge("counterfoil_unknown_calls", "Provider calls whose outcome nobody knows")
PARKED: Final = Gauge("counterfoil_parked", "Messages that wait")
DEAD_LETTERS: Final = Gauge("counterfoil_dead_letters", "Messages set aside and not replayed")
LEADER: Final = Gauge("counterfoil_relay_leader", "1 while this relay leads")
SLICES: Final = Counter("counterfoil_slices_total", "Slices of long accounts added")
CLOSINGS: Final = Counter("counterfoil_closings_total", "Closings whose balances were taken")
UPKEEP_SECONDS: Final = Histogram(
    "counterfoil_upkeep_seconds",
    "One round of upkeep",
    buckets=(0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000),
)
UPKEEP_DONE: Final = Gauge(
    "counterfoil_last_upkeep_timestamp_seconds", "When the last round of upkeep was over, by who leads"
)
UNSLICED: Final = Gauge("counterfoil_unsliced_lines", "Lines of long accounts that are in no slice")
UNTAKEN: Final = Gauge("counterfoil_untaken_closings", "Closings whose balances nobody took")
PROGRESS: Final = Gauge("counterfoil_last_progress_timestamp_seconds", "When the role last got on", ["role"])


class Telemetry:
    """The observer of every role: counts, and remembers when the role last got on. One to a process."""

    def __init__(self, role: str) -> None:
        self.role = role
        # A series that starts at its first event has no increase to alert on; so every series starts at zero.
        for topic in INBOUND:
            for outcome in OUTCOMES:
                MESSAGES.labels(topic, outcome)
        self._last_progress = time.monotonic()
        self._lag: dict[tuple[str, int], int] = {}
        self._last_commit = time.monotonic()
        self._due: dict[str, float] = {}

    def committed(self, report: Report) -> None:
        """A batch is in the database."""
        topic = report.topic
        RECEIVED.labels(topic).inc(report.received)
        REDELIVERED.labels(topic).inc(report.redelivered)
        for outcome, count in report.outcomes.items():
            if count > 0:
                MESSAGES.labels(topic, outcome).inc(count)
        for rule, count in report.entries.items():
            ENTRIES.labels(rule).inc(count)
        for currency, amount_minor in report.money_minor.items():
            MONEY.labels(currency).inc(amount_minor)
        BATCH_SECONDS.labels(topic).observe(report.seconds)
        BATCH_SIZE.labels(topic).observe(report.size)
        self._last_commit = time.monotonic()
        self.alive()

    def retried(self, topic: str, reason: str) -> None:
        """A transaction is tried again, or a batch halved."""
        RETRIES.labels(topic, reason).inc()

    def lagging(self, topic: str, partition: int, records: int) -> None:
        """So many records are not taken in yet."""
        LAG.labels(topic, partition).set(records)
        self._lag[topic, partition] = records

    def led(self, *, leading: bool) -> None:
        """This relay leads, or no longer does."""
        LEADER.set(leading)
        self.alive()

    def published(self, counts: Counts[str], age_seconds: float) -> None:
        """Events were acknowledged, or there were none."""
        for topic, count in counts.items():
            PUBLISHED.labels(topic).inc(count)
        OUTBOX_AGE.set(age_seconds)
        self.alive()

    def fired(self, timers: int) -> None:
        """Timers are in Kafka."""
        if timers:
            PUBLISHED.labels("timer.events").inc(timers)
        self.alive()

    def stands_by(self) -> None:
        """Another one leads."""
        self.alive()

    def called(self, provider: str, operation: str, outcome: str, seconds: float) -> None:
        """A provider was asked."""
        CALLS.labels(provider, operation, outcome).inc()
        CALL_SECONDS.labels(provider, operation).observe(seconds)

    def attends(self, duty: str, within_s: float) -> None:
        """A duty beside the role's work got on; it says so again within so many seconds."""
        self._due[duty] = time.monotonic() + within_s

    def kept(self, slices: int, closings: int) -> None:
        """Upkeep took a step."""
        SLICES.inc(slices)
        CLOSINGS.inc(closings)

    def upkeep_done(self, seconds: float, unsliced_lines: int, untaken_closings: int) -> None:
        """A round of upkeep is over, and that is left."""
        UPKEEP_SECONDS.observe(seconds)
        UPKEEP_DONE.set_to_current_time()
        UNSLICED.set(unsliced_lines)
        UNTAKEN.set(untaken_closings)

    def overdue(self) -> dict[str, float]:
        """Each duty of this process with the seconds by which its word is late; zero when it is not."""
        now = time.monotonic()
        return {duty: max(0.0, now - due) for duty, due in self._due.items()}

    def alive(self) -> None:
        """The role got on, or had nothing to do and could have."""
        self._last_progress = time.monotonic()
        PROGRESS.labels(self.role).set_to_current_time()

    def stalled_seconds(self) -> float:
        """How long nothing got on; with records waiting in Kafka, how long none of them was committed.

        Or by how long a duty is late, when that is more.
        """
        now = time.monotonic()
        behind = any(self._lag.values())
        return max(
            now - self._last_progress, now - self._last_commit if behind else 0.0, *self.overdue().values()
        )
