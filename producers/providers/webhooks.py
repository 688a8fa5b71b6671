"""The narrow interface behind which every provider's webhooks are verified and read.

Verifying looks at the raw bytes and nothing else; reading happens only after the request is kept. Neither raises for
what a sender did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from pydantic import SecretStr

    from schemas.webhook import WebhookMessage


@dataclass(frozen=True, slots=True)
class Genuine:
    """Signed with one of the secrets, and recent enough."""


@dataclass(frozen=True, slots=True)
class Forged:
    """Not to be believed: `reason` is a word for a counter, `detail` a sentence without any secret."""

    reason: str
    detail: str


Verdict: TypeAlias = Genuine | Forged


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Signed, and yet not what this provider sends: `detail` names the field and what is wrong with it."""

    detail: str


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider's webhooks for one account come in, and whose they are."""

    provider: str
    account: str
    tenant: str
    secrets: tuple[SecretStr, ...]
    """Every one of them is good: while a secret is rotated there are two."""


class WebhookScheme(Protocol):
    """How one provider signs its webhooks, and what they mean."""

    def verify(
        self, body: bytes, headers: Mapping[str, str], secrets: Sequence[SecretStr], now: datetime
    ) -> Verdict:
        """Compare signatures in constant time, over the body as it came; header names are lower-case."""
        ...

    def read(
        self, body: bytes, endpoint: Endpoint, webhook_id: UUID
    ) -> Sequence[WebhookMessage] | Unreadable:
        """What a genuine body says, as messages of `webhook.events`, in the order in which it says it."""
        ...
