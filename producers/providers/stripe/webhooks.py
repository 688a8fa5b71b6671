"""What Stripe tells unasked: https://docs.stripe.com/webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pydantic import AwareDatetime, ValidationError

from producers.providers.messages import Fact, first_fault
from producers.providers.stripe import events
from producers.providers.stripe.answers import Intent, StripeDocument, UnixTime
from producers.providers.webhooks import Unreadable
from producers.signatures import stripe as signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from uuid import UUID

    from pydantic import SecretStr

    from producers.providers.webhooks import Endpoint, Verdict
    from schemas.webhook import WebhookMessage


class _Data(StripeDocument):
    object: dict[str, Any]


class _Request(StripeDocument):
    idempotency_key: str | None = None


class _Event(StripeDocument):
    """An event of v1; one of v2 has its time as text and its object elsewhere, and means nothing to us."""

    id: str
    type: str
    created: UnixTime | AwareDatetime
    data: _Data | None = None
    request: _Request | str | None = None

    @property
    def occurred_at(self) -> datetime:
        """In whole seconds, as Stripe has it."""
        return datetime.fromtimestamp(self.created, UTC) if isinstance(self.created, int) else self.created

    @property
    def idempotency_key(self) -> str | None:
        """Of the request that caused it, where one did."""
        return self.request.idempotency_key if isinstance(self.request, _Request) else None


Reader: TypeAlias = "Callable[[Mapping[str, Any], _Event], dict[str, Any] | None]"
"""The fields of a message, or None when the object says nothing to us."""


@dataclass(frozen=True, slots=True)
class StripeWebhooks:
    """A `WebhookScheme`."""

    def verify(
        self, body: bytes, headers: Mapping[str, str], secrets: Sequence[SecretStr], now: datetime
    ) -> Verdict:
        """See `WebhookScheme.verify`."""
        return signature.verify(body, headers, secrets, now)

    def read(
        self, body: bytes, endpoint: Endpoint, webhook_id: UUID
    ) -> Sequence[WebhookMessage] | Unreadable:
        """See `WebhookScheme.read`. One body tells one event."""
        try:
            event = _Event.model_validate_json(body)
            fact = Fact(endpoint, webhook_id, event.id, event.type, event.occurred_at)
            return [_message(event, fact)]
        except ValidationError as error:
            return Unreadable(first_fault(error))
        except ValueError as error:  # an amount that cannot be
            return Unreadable(f"data.object: {error}")


READERS: Final[Sequence[tuple[frozenset[str], Reader, Callable[..., WebhookMessage]]]] = (
    # which events, what is read of their object, and what it is told as
    (
        events.INTENT_EVENTS,
        lambda told, event: events.intent_fields(Intent.model_validate(told), event.idempotency_key),
        Fact.payment,
    ),
    (
        events.CHARGE_EVENTS,
        lambda told, event: events.charge_fields(events.Charge.model_validate(told), event.type),
        Fact.payment,
    ),
    (
        events.REFUND_EVENTS,
        lambda told, _event: events.refund_fields(events.ToldRefund.model_validate(told)),
        Fact.refund,
    ),
    (
        events.DISPUTE_EVENTS,
        lambda told, _event: events.dispute_fields(events.ToldDispute.model_validate(told)),
        Fact.dispute,
    ),
)


def _message(event: _Event, fact: Fact) -> WebhookMessage:
    told = event.data.object if event.data else {}
    for kinds, read, report in READERS:
        if event.type in kinds:
            fields = None if _is_foreign(told, fact) else read(told, event)
            return report(fact, **fields) if fields else fact.unrecognized()
    return fact.unrecognized()


def _is_foreign(told: Mapping[str, Any], fact: Fact) -> bool:
    """An account may be shared; what another tenant's metadata says must not reach an order of this one."""
    metadata = told.get("metadata")
    return isinstance(metadata, dict) and metadata.get("tenant", fact.endpoint.tenant) != fact.endpoint.tenant
