"""Reading as the endpoint of tenant acme."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import SecretStr

from producers.providers.adyen.webhooks import AdyenWebhooks
from producers.providers.webhooks import Endpoint, Unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.webhook import WebhookMessage

KEY = SecretStr("74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174")
ENDPOINT = Endpoint("adyen", "main", "acme", (KEY,))
SCHEME = AdyenWebhooks()


def read(body: bytes) -> Sequence[WebhookMessage] | Unreadable:
    """What a body says."""
    return SCHEME.read(body, ENDPOINT, UUID(int=9))
