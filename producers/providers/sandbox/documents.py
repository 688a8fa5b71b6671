"""What this adapter reads of the provider's documents, in answers and webhooks alike; it may add fields to them."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from schemas.webhook import DisputeStage, DisputeStatus

Status: TypeAlias = Literal[
    "requires_action",
    "pending",
    "authorized",
    "partially_captured",
    "captured",
    "declined",
    "voided",
    "expired",
    "returned",
]
RefundStatus: TypeAlias = Literal["pending", "succeeded", "failed"]


class Document(BaseModel):
    """Base of all: strict, and open for fields that we do not know."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Capture(Document):
    """Part of an authorization."""

    amount_minor: int


class Authorization(Document):
    """A payment."""

    id: str
    status: Status
    amount_minor: int
    captured_amount_minor: int
    captures: list[Capture]
    decline_code: str | None
    redirect_url: str | None
    returned_amount_minor: int = 0


class Refund(Document):
    """A refund."""

    id: str
    status: RefundStatus
    amount_minor: int
    failure_code: str | None


class Dispute(Document):
    """A dispute."""

    id: str
    stage: DisputeStage
    status: DisputeStatus
    amount_minor: int


class Error(Document):
    """Why not."""

    type: str
    message: str
    decline_code: str | None = None


class Problem(Document):
    """The body of every answer that is not a success."""

    error: Error


class StoredOperation(Document):
    """What was answered to an idempotency key."""

    http_status: int
    answer: Any
