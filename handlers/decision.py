"""What a rule answers: a Decision (everything to write and publish), a Rejection, or Waiting for something unknown.

A rule takes the message, the aggregates it named in `handlers.routes`, and `now`. It changes nothing; the engine
writes the Decision in one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from handlers.ledger.model import Posting
    from schemas.provider import Operation
    from schemas.reasons import Reason
    from schemas.timer import TimerKind

ObjectType = Literal["payment", "refund", "dispute", "period", "journal", "hold"]
"""What has a state, and a history of it."""


@value
class Transition:
    """One step of an object along its table; `version` is the object's version after it."""

    object_id: UUID
    version: int
    from_state: str | None
    event: str
    to_state: str
    reason: Reason | None
    object_type: ObjectType = "payment"


@value
class Event:
    """Something to publish: `data` is the data class of `type` in schemas.topics.

    `object_id` is the key within the tenant that keeps its events in order.
    """

    type: str
    object_id: str
    data: Any


@value
class Call:
    """A provider call to be made by the gateway, outside any transaction. `call_id` is its idempotency key there.

    `object_id` is the refund or dispute that it is about, None when it is about the payment itself;
    `object_reference` is the provider's id of that. Other fields as in producers.providers.base.ProviderRequest.
    """

    call_id: UUID
    payment_id: UUID
    order_id: str
    provider: str
    operation: Operation
    amount_minor: int
    currency: str
    method_type: str | None = None
    token: str | None = None
    provider_reference: str | None = None
    capture: bool = False
    final: bool = True
    object_id: UUID | None = None
    object_reference: str | None = None
    evidence: Mapping[str, str] | None = None


@value
class Timer:
    """A message to ourselves at `due_at`. Stale timers are recognized by the rule, so none is ever cancelled."""

    timer_id: UUID
    kind: TimerKind
    due_at: datetime
    payment_id: UUID
    order_id: str
    object_id: UUID | None = None


@value
class Audit:
    """Something a person did or decided, for the audit log."""

    actor: str
    action: str
    object_type: str
    object_id: str
    detail: str


@value
class Decision:
    """Everything that follows from one message. `states` are aggregates of handlers.routes.Kind as they now are."""

    states: tuple[Any, ...] = ()
    transitions: tuple[Transition, ...] = ()
    postings: tuple[Posting, ...] = ()
    events: tuple[Event, ...] = ()
    calls: tuple[Call, ...] = ()
    timers: tuple[Timer, ...] = ()
    audit: tuple[Audit, ...] = ()


@value
class Rejection:
    """Nothing changes; the sender is told why."""

    reason: Reason
    detail: str


@value
class Waiting:
    """The message refers to something that is not known yet; it is parked, in order, until it is.

    `kind` is the one of the rule's aggregates that must change first; `key` is which, where the message names none.
    """

    reason: Reason
    detail: str
    kind: str = "payment"
    key: tuple[str, UUID | str] | None = None


Outcome = Decision | Rejection | Waiting
