"""From a genuine body to what is kept and published: one row, and its messages for `webhook.events`.

A row's `webhook_id` follows from the endpoint and the ids of the events in the body, or from the body itself when it
has none. So a provider that tells an event again, word for word or not, yields the same message, and the inbox of
the consumer knows it for a repeat (law 3).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson
import structlog

from producers.ingress.endpoints import source_of
from producers.providers.webhooks import Unreadable
from schemas.envelope import SPEC_VERSION
from schemas.outgoing import partition_key
from schemas.webhook import Unrecognized, UnrecognizedData

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from producers.providers.webhooks import Endpoint, WebhookScheme
    from schemas.webhook import WebhookMessage

log = structlog.get_logger()

TOPIC: Final = "webhook.events"
UNREADABLE: Final = "unreadable"
"""The `provider_type` of a webhook that its reader could make nothing of."""
MAX_WORDS: Final = 500
NOT_YET: Final = UUID(int=0)
_NAMESPACE: Final = uuid5(NAMESPACE_URL, "counterfoil/webhooks")
_SECRET_WORDS: Final = ("auth", "cookie", "secret", "password", "token", "api-key", "apikey", "credential")
REMOVED: Final = "[removed]"


@dataclass(frozen=True, slots=True)
class Received:
    """A genuine request: what is kept of it, and what it is published as."""

    endpoint: Endpoint
    webhook_id: UUID
    digest: bytes
    received_at: datetime
    headers: str
    body: bytes
    event_ids: tuple[str, ...]
    keys: tuple[str, ...]
    payloads: tuple[bytes, ...]
    unreadable: str | None

    @property
    def identity(self) -> tuple[UUID, bytes]:
        """The same for the same body at the same endpoint."""
        return self.webhook_id, self.digest


def receive(
    endpoint: Endpoint, scheme: WebhookScheme, body: bytes, headers: Sequence[tuple[str, str]], now: datetime
) -> Received:
    """Read what was verified. Never raises: what cannot be read is kept, and published as unrecognized."""
    digest = sha256(body).digest()
    messages = _read(endpoint, scheme, body)
    unreadable = messages.detail[:MAX_WORDS] if isinstance(messages, Unreadable) else None
    if isinstance(messages, Unreadable):
        webhook_id = _id_of(endpoint, digest.hex())
        messages = [_unrecognized(endpoint, webhook_id, now)]
    else:
        webhook_id = _id_of(endpoint, "\x1f".join(message.id for message in messages) or digest.hex())
        messages = [_stamped(message, webhook_id) for message in messages]
    return Received(
        endpoint=endpoint,
        webhook_id=webhook_id,
        digest=digest,
        received_at=now,
        headers=_kept_headers(headers),
        body=body,
        event_ids=tuple(message.id for message in messages),
        keys=tuple(partition_key(message.tenant, message.data.ordering_key()) for message in messages),
        payloads=tuple(message.model_dump_json(exclude_none=True).encode() for message in messages),
        unreadable=unreadable,
    )


def _read(endpoint: Endpoint, scheme: WebhookScheme, body: bytes) -> Sequence[WebhookMessage] | Unreadable:
    """What the reader says, and nothing of it when it breaks its promises."""
    try:
        messages = scheme.read(body, endpoint, NOT_YET)
    except Exception as error:
        # A reader's bug must not lose what a provider tells only once.
        log.exception("webhook reader raised", source=source_of(endpoint))
        return Unreadable(f"reader raised {type(error).__name__}")
    if isinstance(messages, Unreadable):
        return messages
    for message in messages:
        if (message.tenant, message.source) != (endpoint.tenant, source_of(endpoint)):
            log.error("webhook reader speaks for another endpoint", source=source_of(endpoint))
            return Unreadable("reader named another tenant or source than the endpoint's")
    if len({message.id for message in messages}) < len(messages):
        return Unreadable("two events in it have the same id")
    return messages


def _stamped(message: WebhookMessage, webhook_id: UUID) -> WebhookMessage:
    data: Any = message.data.model_copy(update={"webhook_id": webhook_id})
    return message.model_copy(update={"data": data})


def _unrecognized(endpoint: Endpoint, webhook_id: UUID, now: datetime) -> Unrecognized:
    return Unrecognized(
        specversion=SPEC_VERSION,
        id=str(webhook_id),
        source=source_of(endpoint),
        type="webhook.unrecognized.v1",
        time=now,
        tenant=endpoint.tenant,
        data=UnrecognizedData(
            webhook_id=webhook_id,
            provider=endpoint.provider,
            account=endpoint.account,
            provider_event_id=str(webhook_id),
            provider_type=UNREADABLE,
            occurred_at=now,
        ),
    )


def _id_of(endpoint: Endpoint, name: str) -> UUID:
    return uuid5(_NAMESPACE, f"{endpoint.tenant}\x1f{source_of(endpoint)}\x1f{name}")


def _kept_headers(headers: Sequence[tuple[str, str]]) -> str:
    """JSON pairs in the order in which they came; signatures are evidence, credentials are not kept."""
    return orjson.dumps(
        [(name, REMOVED if any(word in name for word in _SECRET_WORDS) else value) for name, value in headers]
    ).decode()
