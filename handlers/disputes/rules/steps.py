"""The steps that every dispute rule is made of: go along the table, ask the provider, tell the world."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from handlers.decision import Call, Event, Rejection, Transition, Waiting
from handlers.disputes.evidence import about
from handlers.disputes.states import TRANSITIONS, standing_of
from handlers.payments.model import derived_id
from schemas.dispute import DisputeChanged
from schemas.notification import NOTIFICATION_REQUESTED, NotificationRequested
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from handlers.disputes.model import Dispute
    from handlers.disputes.states import State, Trigger
    from schemas.notification import Audience
    from schemas.provider import Operation


def refusal(dispute: Dispute, trigger: Trigger) -> Rejection | None:
    """Why `trigger` may not happen to the dispute now; None when the table allows it."""
    if (dispute.state, trigger) in TRANSITIONS:
        return None
    return Rejection(
        Reason.STATE_FORBIDS,
        f"dispute {dispute.dispute_reference} is {dispute.state}, which does not allow {trigger}",
    )


def busy(dispute: Dispute) -> Waiting | None:
    """A command that arrives while the provider is being told something waits for the answer, in order."""
    if dispute.call_id is None:
        return None
    return Waiting(
        Reason.CALL_IN_PROGRESS,
        f"dispute {dispute.dispute_reference} waits for its provider ({dispute.call_operation} {dispute.call_id})",
        "dispute",
    )


def advance(
    dispute: Dispute, trigger: Trigger, now: datetime, reason: Reason | None = None, **changes: Any
) -> tuple[Dispute, Transition]:
    """Take one step along the table. KeyError when the table forbids it: rules ask `refusal` first."""
    state = TRANSITIONS[dispute.state, trigger]
    after = restand(
        replace(dispute, state=state, version=dispute.version + 1, reason=reason, updated_at=now, **changes)
    )
    return after, transition(after, dispute.state, trigger)


def restand(dispute: Dispute) -> Dispute:
    """The dispute with the standing that follows from the rest of it."""
    return replace(dispute, standing=standing_of(dispute.state, dispute.stage, dispute.reported_status))


def transition(after: Dispute, before: State | None, trigger: Trigger) -> Transition:
    """The record of the step that led to `after`."""
    return Transition(
        after.object_id, after.version, before, trigger, after.state, after.reason, object_type="dispute"
    )


def ask(
    dispute: Dispute, operation: Operation, now: datetime, evidence: Mapping[str, str] | None = None
) -> tuple[Dispute, Call]:
    """Open a provider call: the dispute remembers it, the gateway makes it."""
    number = dispute.calls + 1
    call_id = derived_id(dispute.object_id, "call", number)
    asking = replace(
        dispute, call_id=call_id, call_operation=operation, calls=number, certain=True, updated_at=now
    )
    call = Call(
        call_id,
        dispute.payment_id,
        dispute.order_id,
        dispute.provider,
        operation,
        dispute.amount_minor,
        dispute.currency,
        provider_reference=dispute.provider_reference,
        object_id=dispute.object_id,
        object_reference=dispute.dispute_reference,
        evidence=evidence,
    )
    return asking, call


def answered() -> dict[str, Any]:
    """The changes that close the call under way."""
    return {"call_id": None, "call_operation": None, "certain": True}


def tell(dispute: Dispute, links: tuple[Mapping[str, str], ...] | None = None) -> Event:
    """The event that says where the dispute now stands; `links` are those of its evidence, if it has any."""
    return Event(
        f"dispute.{dispute.state}.v1",
        str(dispute.payment_id),
        DisputeChanged(
            dispute.object_id,
            dispute.dispute_reference,
            dispute.payment_id,
            dispute.order_id,
            dispute.merchant_id,
            dispute.state,
            dispute.stage,
            dispute.version,
            dispute.currency,
            dispute.amount_minor,
            dispute.withdrawn_minor,
            dispute.fee_minor,
            dispute.network_reason,
            dispute.reason,
            dispute.evidence_due_at,
            dispute.evidence_sha256,
            about(dispute) if links is None else links,
        ),
    )


def notify(
    dispute: Dispute, audience: Audience, what: str, detail: str, act_by: datetime | None = None
) -> Event:
    """Ask that somebody be told of `dispute.<what>`."""
    return Event(
        NOTIFICATION_REQUESTED,
        dispute.order_id,
        NotificationRequested(
            audience=audience,
            recipient=dispute.merchant_id if audience == "merchant" else audience,
            about=f"dispute.{what}",
            object_type="dispute",
            object_id=str(dispute.object_id),
            order_id=dispute.order_id,
            reason=dispute.reason,
            detail=detail,
            act_by=act_by,
        ),
    )
