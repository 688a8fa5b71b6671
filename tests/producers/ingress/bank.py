"""A provider for these tests: signs by Standard Webhooks, and says in a few words how it sees a payment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import BaseModel, Field, SecretStr, TypeAdapter, ValidationError

from producers.ingress.endpoints import source_of
from producers.providers.webhooks import Endpoint, Unreadable, Verdict
from producers.signatures import standard_webhooks
from schemas.webhook import WebhookMessage

OLD, NEW = SecretStr("whsec_b2xkLW9sZC1vbGQtb2xkLW9sZA=="), SecretStr("whsec_bmV3LW5ldy1uZXctbmV3LW5ldw==")
BANK = Endpoint("bank", "main", "acme", (OLD, NEW))
OTHER_ACCOUNT = Endpoint("bank", "side", "globex", (NEW,))
PATH = "/webhooks/bank/main"
_MESSAGE: TypeAdapter[WebhookMessage] = TypeAdapter(WebhookMessage)


class Told(BaseModel):
    """One thing that the bank says."""

    id: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")]
    type: str
    order: str
    at: datetime


class Note(BaseModel):
    """A body."""

    events: list[Told]


class Bank:
    """The scheme: real signatures, a real reader."""

    def verify(
        self, body: bytes, headers: Mapping[str, str], secrets: Sequence[SecretStr], now: datetime
    ) -> Verdict:
        """By Standard Webhooks."""
        return standard_webhooks.verify(body, headers, secrets, now)

    def read(
        self, body: bytes, endpoint: Endpoint, webhook_id: UUID
    ) -> Sequence[WebhookMessage] | Unreadable:
        """Each event is a payment that was captured, or unrecognized."""
        try:
            note = Note.model_validate_json(body)
        except ValidationError as error:
            return Unreadable("; ".join(f"{problem['loc']}: {problem['msg']}" for problem in error.errors()))
        return [_message(event, endpoint, webhook_id) for event in note.events]


def _message(event: Told, endpoint: Endpoint, webhook_id: UUID) -> WebhookMessage:
    known = event.type == "captured"
    data: dict[str, Any] = {
        "webhook_id": webhook_id,
        "provider": endpoint.provider,
        "account": endpoint.account,
        "provider_event_id": event.id,
        "provider_type": event.type,
        "occurred_at": event.at,
        "order_id": event.order,
    }
    if known:
        data |= {"provider_reference": f"ref-{event.order}", "status": "captured", "captured_minor": 1000}
    return _MESSAGE.validate_python(
        {
            "specversion": "1.0",
            "id": event.id,
            "source": source_of(endpoint),
            "type": f"webhook.{'payment_reported' if known else 'unrecognized'}.v1",
            "time": event.at,
            "tenant": endpoint.tenant,
            "data": data,
        }
    )


def note(*ids: str, kind: str = "captured", order: str = "order-1") -> bytes:
    """A body that says these events, by their ids."""
    at = "2026-01-31T12:00:00Z"
    return orjson.dumps({"events": [{"id": one, "type": kind, "order": order, "at": at} for one in ids]})


def signed(body: bytes, secret: SecretStr = NEW, at: datetime | None = None) -> dict[str, str]:
    """The headers of a genuine request."""
    return {
        "content-type": "application/json",
        **standard_webhooks.sign(body, secret, "msg_1", at or datetime.now(UTC)),
    }
