"""One fact of a provider's webhook as a message of `webhook.events`: the envelope and what all of them carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from producers.ingress.endpoints import source_of
from schemas.envelope import SPEC_VERSION
from schemas.webhook import (
    DisputeReported,
    DisputeReportedData,
    PaymentReported,
    PaymentReportedData,
    RefundReported,
    RefundReportedData,
    Unrecognized,
    UnrecognizedData,
)

if TYPE_CHECKING:
    from datetime import datetime

    from pydantic import ValidationError

    from producers.providers.webhooks import Endpoint


@dataclass(frozen=True, slots=True)
class Fact:
    """Who said what kind of thing, and when. Its methods raise `ValidationError` for a field out of bounds."""

    endpoint: Endpoint
    webhook_id: UUID
    event_id: str
    kind: str
    """The provider's own name for it."""
    occurred_at: datetime

    def payment(self, **fields: Any) -> PaymentReported:
        """How the provider sees an authorization."""
        data = PaymentReportedData(**self._shared(), **fields)
        return PaymentReported(**self._envelope(), type="webhook.payment_reported.v1", data=data)

    def refund(self, **fields: Any) -> RefundReported:
        """How the provider sees a refund."""
        data = RefundReportedData(**self._shared(), **fields)
        return RefundReported(**self._envelope(), type="webhook.refund_reported.v1", data=data)

    def dispute(self, **fields: Any) -> DisputeReported:
        """How the provider sees a dispute."""
        data = DisputeReportedData(**self._shared(), **fields)
        return DisputeReported(**self._envelope(), type="webhook.dispute_reported.v1", data=data)

    def unrecognized(self, **fields: Any) -> Unrecognized:
        """Something that means nothing to us, yet."""
        data = UnrecognizedData(**self._shared(), **fields)
        return Unrecognized(**self._envelope(), type="webhook.unrecognized.v1", data=data)

    def _envelope(self) -> dict[str, Any]:
        return {
            "specversion": SPEC_VERSION,
            "id": self.event_id,
            "source": source_of(self.endpoint),
            "time": self.occurred_at,
            "tenant": self.endpoint.tenant,
        }

    def _shared(self) -> dict[str, Any]:
        return {
            "webhook_id": self.webhook_id,
            "provider": self.endpoint.provider,
            "account": self.endpoint.account,
            "provider_event_id": self.event_id,
            "provider_type": self.kind,
            "occurred_at": self.occurred_at,
        }


def first_fault(error: ValidationError) -> str:
    """The field that is wrong and why, without its value: it may be anybody's data."""
    fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['msg']}"


def our_uuid(text: str | None) -> UUID | None:
    """Ours are UUIDs; another's key or id is nothing to us."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
