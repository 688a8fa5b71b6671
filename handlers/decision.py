"""What a rule answers: a Decision (everything to write and publish), a Rejection, or Waiting for something unknown.

A rule takes the message, the aggregates it named in `handlers.routes`, and `now`. It changes nothing; the engine
writes the Decision in one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.value import value

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from handlers.fees.model import FeeSchedule
    from handlers.ledger.model import Posting
    from handlers.payments.model import Payment
    from schemas.payment import PaymentChanged
    from schemas.provider import Operation
    from schemas.reasons import Reason
    from schemas.timer import TimerKind


@value
class Transition:
    """One step of a payment along its table; `version` is the payment's version after it."""

    payment_id: UUID
    version: int
    from_state: str | None
    event: str
    to_state: str
    reason: Reason | None


@value
class Event:
    """Something to publish. `object_id` is the key within the tenant that keeps its events in order."""

    type: str
    object_id: str
    data: PaymentChanged


@value
class Call:
    """A provider call to be made by the gateway, outside any transaction. `call_id` is its idempotency key there."""

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


@value
class Timer:
    """A message to ourselves at `due_at`. Stale timers are recognized by the rule, so none is ever cancelled."""

    timer_id: UUID
    kind: TimerKind
    due_at: datetime
    payment_id: UUID
    order_id: str


@value
class Decision:
    """Everything that follows from one message."""

    states: tuple[Payment | FeeSchedule, ...] = ()
    transitions: tuple[Transition, ...] = ()
    postings: tuple[Posting, ...] = ()
    events: tuple[Event, ...] = ()
    calls: tuple[Call, ...] = ()
    timers: tuple[Timer, ...] = ()


@value
class Rejection:
    """Nothing changes; the sender is told why."""

    reason: Reason
    detail: str


@value
class Waiting:
    """The message refers to something that is not known yet; it is parked, in order, until it is."""

    reason: Reason
    detail: str


Outcome = Decision | Rejection | Waiting
