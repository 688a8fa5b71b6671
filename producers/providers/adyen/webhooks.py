"""What Adyen tells unasked: standard notification items, and its other webhooks, which mean nothing to us yet."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any, Literal

import orjson
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from producers.providers.adyen import calls
from producers.providers.adyen.answers import AdyenDocument
from producers.providers.adyen.currencies import UNITS
from producers.providers.adyen.events import DISPUTES, PAYMENTS, REFUNDS
from producers.providers.adyen.refusals import by_words
from producers.providers.messages import Fact, first_fault, our_uuid
from producers.providers.webhooks import Unreadable
from producers.signatures import adyen as signature
from schemas.envelope import Identifier, Timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from pydantic import SecretStr

    from producers.providers.webhooks import Endpoint, Verdict
    from schemas.webhook import WebhookMessage

MOST_WORDS = 500


def _number(told: object) -> object:
    return int(told) if isinstance(told, str) and told.isascii() and told.isdigit() else told


def _truth(told: object) -> object:
    return {"true": True, "false": False}.get(told, told) if isinstance(told, str) else told


class _Amount(AdyenDocument):
    currency: str
    value: Annotated[int, BeforeValidator(_number), Field(ge=0)]


class _Item(AdyenDocument):
    """A `NotificationRequestItem`."""

    pspReference: Identifier  # noqa: N815 - Adyen's names
    originalReference: Identifier | Literal[""] | None = None  # noqa: N815
    merchantReference: str | None = None  # noqa: N815
    eventCode: str  # noqa: N815
    success: Annotated[bool, BeforeValidator(_truth)]
    amount: _Amount
    eventDate: Timestamp  # noqa: N815
    reason: str | None = None
    additionalData: dict[str, Any] = Field(default_factory=dict)  # noqa: N815

    @property
    def event_id(self) -> str:
        """Adyen gives none. By its page on duplicates the code and the reference tell; all of it is signed."""
        amount = f"{self.amount.value}{self.amount.currency}"
        return f"{self.pspReference}:{self.eventCode}:{str(self.success).lower()}:{amount}"

    @property
    def payment(self) -> str:
        """The payment that it is about, whether or not by way of something else."""
        return self.originalReference or self.pspReference

    @property
    def order_id(self) -> str | None:
        """The payment's reference is the order; a modification's is ours, or the payment's again."""
        told = self.merchantReference or ""
        return told if calls.ours(told) == (None, None) and _is_identifier(told) else None

    @property
    def words(self) -> str:
        """Why, as a person reads it."""
        return (self.reason or "").replace("\x00", "")[:MOST_WORDS]

    @property
    def amount_minor(self) -> int:
        """In our minor units. Raises ValueError when it is none."""
        return UNITS.ours(self.amount.value, self.amount.currency)

    def hint(self, name: str) -> str | None:
        """A field of the additional data: not signed, so it never moves money."""
        told = self.additionalData.get(name)
        return told.strip() if isinstance(told, str) else None


class _Platform(AdyenDocument):
    """Any webhook of Adyen's that is no notification item."""

    type: str
    eventId: str | None = None  # noqa: N815
    createdAt: Timestamp | None = None  # noqa: N815
    timestamp: Timestamp | None = None
    data: dict[str, Any] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AdyenWebhooks:
    """A `WebhookScheme`."""

    def verify(
        self, body: bytes, headers: Mapping[str, str], secrets: Sequence[SecretStr], now: datetime
    ) -> Verdict:
        """See `WebhookScheme.verify`."""
        return signature.verify(body, headers, secrets, now)

    def read(
        self, body: bytes, endpoint: Endpoint, webhook_id: UUID
    ) -> Sequence[WebhookMessage] | Unreadable:
        """See `WebhookScheme.read`. A body has one item or, in old accounts, several."""
        where = "body"
        try:
            if not _has_items(body):
                return [_platform(body, endpoint, webhook_id)]
            messages = []
            for number, told in enumerate(signature.items_of(body)):
                where = f"notificationItems[{number}]"
                item = _Item.model_validate_json(orjson.dumps(told))
                fact = Fact(endpoint, webhook_id, item.event_id, item.eventCode, item.eventDate)
                messages.append(_message(item, fact))
        except ValidationError as error:
            return Unreadable(f"{where}: {first_fault(error)}")
        except ValueError as error:
            return Unreadable(f"{where}: {error}")
        return messages


def _message(item: _Item, fact: Fact) -> WebhookMessage:
    # An account may be shared; what another tenant's metadata says must not reach an order of this one.
    if item.hint("metadata.tenant") not in {None, fact.endpoint.tenant}:
        return fact.unrecognized()
    told, names_payment = (item.eventCode, item.success), bool(item.originalReference)
    if told in PAYMENTS and (names_payment or not PAYMENTS[told].modifies):
        return _payment(item, fact)
    if told in REFUNDS and names_payment:
        return _refund(item, fact)
    if item.eventCode in DISPUTES and item.success and names_payment:
        return _dispute(item, fact)
    return fact.unrecognized(order_id=item.order_id, provider_reference=item.payment)


def _payment(item: _Item, fact: Fact) -> WebhookMessage:
    event = PAYMENTS[item.eventCode, item.success]
    call_id, _ = calls.ours(item.merchantReference or "")
    failed = event.status == "failed"
    return fact.payment(
        provider_reference=item.payment,
        order_id=item.order_id,
        status=event.status,
        currency=item.amount.currency,
        authorized_minor=item.amount_minor if event.authorizes else None,
        # A payment's own reference is the order; which attempt it was, the metadata may say.
        call_id=call_id or (None if item.originalReference else our_uuid(item.hint("metadata.call_id"))),
        reason=event.reason or (by_words(item.words) if failed else None),
        provider_code=item.words if failed or event.reason else "",
    )


def _refund(item: _Item, fact: Fact) -> WebhookMessage:
    status, reason = REFUNDS[item.eventCode, item.success]
    _, refund_id = calls.ours(item.merchantReference or "")
    return fact.refund(
        provider_reference=item.payment,
        order_id=item.order_id,
        refund_reference=item.pspReference,
        refund_id=refund_id,
        status=status,
        amount_minor=item.amount_minor,
        currency=item.amount.currency,
        reason=reason,
        provider_code=item.words if reason else "",
    )


def _dispute(item: _Item, fact: Fact) -> WebhookMessage:
    event = DISPUTES[item.eventCode]
    return fact.dispute(
        provider_reference=item.payment,
        order_id=item.order_id,
        dispute_reference=item.pspReference,
        stage=event.stage,
        status=event.told.get(item.hint("disputeStatus") or "", event.status),
        amount_minor=item.amount_minor,
        currency=item.amount.currency,
        funds_minor=item.amount_minor if event.taken else 0,
        network_reason=item.hint("chargebackReasonCode") or item.words,
        evidence_due_at=_time(item.hint("defensePeriodEndsAt")),
    )


def _platform(body: bytes, endpoint: Endpoint, webhook_id: UUID) -> WebhookMessage:
    told = _Platform.model_validate_json(body)
    at = told.createdAt or told.timestamp or _time(told.data.get("creationDate"))
    if at is None:
        raise ValueError("createdAt, timestamp or data.creationDate: none of them is a time")
    event_id = told.eventId or f"body-{sha256(body).hexdigest()}"
    return Fact(endpoint, webhook_id, event_id, told.type, at).unrecognized()


_TIME: TypeAdapter[datetime] = TypeAdapter(Timestamp)
_IDENTIFIER: TypeAdapter[str] = TypeAdapter(Identifier)


def _time(told: object) -> datetime | None:
    """A hint that is no time is no hint."""
    try:
        return _TIME.validate_python(told) if isinstance(told, str) else None
    except ValidationError:
        return None


def _is_identifier(text: str) -> bool:
    try:
        _IDENTIFIER.validate_python(text)
    except ValidationError:
        return False
    return True


def _has_items(body: bytes) -> bool:
    """Raises ValueError for what is no JSON object."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ValueError("not JSON") from None
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - of a value, not of an argument
    return "notificationItems" in document
