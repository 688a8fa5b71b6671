"""A charge and all that can happen to it, as values: the authorization with its captures, refunds and disputes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from ops.sandbox.networks import NETWORKS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ops.sandbox.networks import MethodType, Network, NetworkName

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
Stage: TypeAlias = Literal["inquiry", "chargeback", "second_chargeback"]
DisputeStatus: TypeAlias = Literal["needs_response", "under_review", "won", "lost", "accepted", "expired"]

CAPTURABLE: frozenset[Status] = frozenset({"authorized", "partially_captured"})
BPS = 10_000


@dataclass(frozen=True, slots=True)
class Capture:
    """Money taken from an authorization."""

    id: str
    amount_minor: int
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Money given back."""

    id: str
    idempotency_key: str
    amount_minor: int
    status: RefundStatus
    failure_code: str | None
    metadata: Mapping[str, str]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """The customer's bank asks for money back. It keeps its id through all its stages."""

    id: str
    stage: Stage
    status: DisputeStatus
    amount_minor: int
    funds_minor: int
    """What is withheld for it just now."""
    fee_minor: int
    """What it has cost so far."""
    network_reason: str
    evidence: Mapping[str, str]
    evidence_due_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """A hold on the customer's money, with everything that came of it."""

    id: str
    idempotency_key: str
    reference: str
    token: str
    network: NetworkName
    amount_minor: int
    currency: str
    capture: bool
    metadata: Mapping[str, str]
    status: Status
    decline_code: str | None
    created_at: datetime
    returned_amount_minor: int = 0
    """What the customer's bank took back of a debit."""
    captures: tuple[Capture, ...] = ()
    refunds: tuple[Refund, ...] = ()
    disputes: tuple[Dispute, ...] = ()

    @property
    def rules(self) -> Network:
        """What its network allows."""
        return NETWORKS[self.network]

    @property
    def method_type(self) -> MethodType:
        """The kind of payment method."""
        return self.rules.method_type

    @property
    def captured_amount_minor(self) -> int:
        """What was captured so far."""
        return sum(capture.amount_minor for capture in self.captures)

    @property
    def capturable_amount_minor(self) -> int:
        """What may still be captured of what was authorized."""
        return max(0, self.amount_minor - self.captured_amount_minor) if self.status in CAPTURABLE else 0

    @property
    def maximum_capturable_amount_minor(self) -> int:
        """The same with what the network allows beyond it."""
        if self.status not in CAPTURABLE:
            return 0
        over_minor = self.amount_minor * self.rules.over_capture_bps // BPS
        return max(0, self.amount_minor + over_minor - self.captured_amount_minor)

    @property
    def refunded_amount_minor(self) -> int:
        """What was given back, or is on its way."""
        return sum(refund.amount_minor for refund in self.refunds if refund.status != "failed")

    @property
    def disputed_amount_minor(self) -> int:
        """What is withheld or lost for disputes."""
        return sum(dispute.funds_minor for dispute in self.disputes)

    @property
    def refundable_amount_minor(self) -> int:
        """What is left of the captured money: refunds, disputes and returns can take no more than this."""
        gone = self.refunded_amount_minor + self.disputed_amount_minor + self.returned_amount_minor
        return self.captured_amount_minor - gone


@dataclass(frozen=True, slots=True)
class Refusal:
    """An operation that changed nothing."""

    http_status: int
    type: str
    message: str
    decline_code: str | None = None


def identifier(prefix: str, idempotency_key: str) -> str:
    """The id of what a request creates: drawn from its key, so that equal runs yield equal ids."""
    return f"{prefix}_{hashlib.sha256(idempotency_key.encode()).hexdigest()[:24]}"


def invalid_state(operation: str, what: str, status: str) -> Refusal:
    """The refusal of an operation that comes too early or too late."""
    return Refusal(409, "invalid_state", f"{operation} is not possible: the {what} is {status}")


def too_large(amount_minor: int, limit_minor: int, what: str) -> Refusal:
    """The refusal of an amount above what is there."""
    return Refusal(422, "amount_too_large", f"amount_minor: {amount_minor} of {limit_minor} {what}")
