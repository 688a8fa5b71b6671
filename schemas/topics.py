"""The topic registry: keys, partitions, retention, message types. Topics and AsyncAPI are made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

from pydantic import Field

from schemas.checkout import CheckoutMessage
from schemas.dead_letter import DEAD_LETTER, DeadLettered
from schemas.dispute import DISPUTE_EVENT_TYPES, DisputeChanged, DisputeMessage
from schemas.journal import JOURNAL_EVENT_TYPES, JournalChanged, JournalMessage
from schemas.ledger import ENTRY_POSTED, EntryPosted
from schemas.notification import NOTIFICATION_REQUESTED, NotificationRequested
from schemas.payment import PAYMENT_EVENT_TYPES, CommandRepeated, PaymentChanged
from schemas.period import PERIOD_EVENT_TYPES, PeriodChanged, PeriodMessage
from schemas.provider import ProviderMessage
from schemas.refund import REFUND_EVENT_TYPES, RefundChanged, RefundMessage
from schemas.rejection import REJECTED, Rejected
from schemas.repeated import JOURNAL_REPEATED, PERIOD_REPEATED, WALLET_REPEATED, LedgerCommandRepeated
from schemas.timer import TimerMessage
from schemas.value import value
from schemas.wallet import HOLD_EVENT_TYPES, WALLET_EVENT_TYPES, HoldChanged, WalletChanged, WalletMessage
from schemas.webhook import WebhookMessage

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUP: Final = "counterfoil"
"""The consumer group of the workers."""

DAY_MS: Final = 86_400_000
COMMAND_REPEATED: Final = "payment.command_repeated.v1"


@value
class Topic:
    """One topic. `inbound` is the union that its messages must fit; `outbound` maps type to data class."""

    name: str
    direction: Literal["in", "internal", "out", "dead"]
    about: str
    key: str
    partitions: int
    retention_ms: int
    inbound: Any = None
    outbound: Mapping[str, type] | None = None


def dead_letter_topic(topic: str) -> str:
    """The dead-letter topic of an inbound topic."""
    return f"{topic}.{GROUP}.dlq"


_INBOUND: Final = (
    Topic(
        "checkout.events",
        "in",
        "Commands and facts from upstream shops.",
        "tenant:order (tenant:merchant for fee schedules, tenant:refund_policy)",
        6,
        7 * DAY_MS,
        inbound=Annotated[CheckoutMessage | RefundMessage | DisputeMessage, Field(discriminator="type")],
    ),
    Topic(
        "ledger.commands",
        "in",
        "What people and services ask of the books: journals, reversals, conversions, wallets, holds, periods.",
        "tenant:journal, tenant:wallet, tenant:periods",
        6,
        7 * DAY_MS,
        inbound=Annotated[JournalMessage | WalletMessage | PeriodMessage, Field(discriminator="type")],
    ),
    Topic(
        "provider.results",
        "internal",
        "What became of calls to payment providers.",
        "tenant:order",
        6,
        7 * DAY_MS,
        inbound=ProviderMessage,
    ),
    Topic(
        "webhook.events",
        "internal",
        "What providers told us unasked: verified, kept verbatim, in our own terms.",
        "tenant:order (tenant:provider's reference where the order is not named)",
        6,
        7 * DAY_MS,
        inbound=WebhookMessage,
    ),
    Topic(
        "timer.events",
        "internal",
        "Timers that are due.",
        "tenant:order",
        6,
        7 * DAY_MS,
        inbound=TimerMessage,
    ),
)
_OUTBOUND: Final = (
    Topic(
        "payment.events",
        "out",
        "Every state a payment enters.",
        "tenant:payment",
        6,
        30 * DAY_MS,
        outbound=dict.fromkeys(PAYMENT_EVENT_TYPES, PaymentChanged) | {COMMAND_REPEATED: CommandRepeated},
    ),
    Topic(
        "refund.events",
        "out",
        "Every state a refund enters.",
        "tenant:payment",
        6,
        30 * DAY_MS,
        outbound=dict.fromkeys(REFUND_EVENT_TYPES, RefundChanged),
    ),
    Topic(
        "dispute.events",
        "out",
        "Every state a dispute enters.",
        "tenant:payment",
        6,
        30 * DAY_MS,
        outbound=dict.fromkeys(DISPUTE_EVENT_TYPES, DisputeChanged),
    ),
    Topic(
        "period.events",
        "out",
        "Every state an accounting period enters.",
        "tenant:period",
        1,
        30 * DAY_MS,
        outbound=dict.fromkeys(PERIOD_EVENT_TYPES, PeriodChanged) | {PERIOD_REPEATED: LedgerCommandRepeated},
    ),
    Topic(
        "account.events",
        "out",
        "Every state a journal or a hold enters, and what happens to wallets.",
        "tenant:journal, tenant:hold, tenant:wallet",
        6,
        30 * DAY_MS,
        outbound=dict.fromkeys(JOURNAL_EVENT_TYPES, JournalChanged)
        | dict.fromkeys(HOLD_EVENT_TYPES, HoldChanged)
        | dict.fromkeys(WALLET_EVENT_TYPES, WalletChanged)
        | dict.fromkeys((JOURNAL_REPEATED, WALLET_REPEATED), LedgerCommandRepeated),
    ),
    Topic(
        "notification.requests",
        "out",
        "What somebody should be told.",
        "tenant:order (tenant:period)",
        6,
        7 * DAY_MS,
        outbound={NOTIFICATION_REQUESTED: NotificationRequested},
    ),
    Topic(
        "ledger.entries",
        "out",
        "Every journal entry posted.",
        "tenant:object",
        6,
        30 * DAY_MS,
        outbound={ENTRY_POSTED: EntryPosted},
    ),
    Topic(
        "rejections",
        "out",
        "The answer to every refused message.",
        "tenant:object",
        6,
        30 * DAY_MS,
        outbound={REJECTED: Rejected},
    ),
)
TOPICS: Final[dict[str, Topic]] = {
    topic.name: topic
    for topic in (
        *_INBOUND,
        *_OUTBOUND,
        *(
            Topic(
                dead_letter_topic(source.name),
                "dead",
                f"Messages of {source.name} that could not be handled.",
                "topic:partition",
                1,
                30 * DAY_MS,
                outbound={DEAD_LETTER: DeadLettered},
            )
            for source in _INBOUND
        ),
    )
}
INBOUND: Final = tuple(topic.name for topic in _INBOUND)
TOPIC_OF_TYPE: Final[dict[str, str]] = {
    event_type: topic.name
    for topic in TOPICS.values()
    if topic.direction != "dead"
    for event_type in (topic.outbound or {})
}


def _commands(answer: str, *unions: Any) -> dict[str, str]:
    """The types that these unions of messages read, each with the type of what answers its repeats."""
    members = (member for union in unions for member in get_args(union))
    return {get_args(member.model_fields["type"].annotation)[0]: answer for member in members}


REPEATED: Final[dict[str, str]] = {
    **_commands(COMMAND_REPEATED, CheckoutMessage, RefundMessage, DisputeMessage),
    **_commands(JOURNAL_REPEATED, JournalMessage),
    **_commands(WALLET_REPEATED, WalletMessage),
    **_commands(PERIOD_REPEATED, PeriodMessage),
}
"""Command -> the event that answers its repeat: about the same kind of object, where that object's events go."""
