"""What the provider tells unasked: every difference between a charge before and after, as an event with its body."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import orjson

from ops.sandbox.resources import (
    authorization_resource,
    capture_resource,
    dispute_resource,
    refund_resource,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.sandbox.model import Authorization, Dispute
    from ops.sandbox.resources import Document


@dataclass(frozen=True, slots=True)
class Event:
    """One thing to tell. Its body never changes, however often it is told."""

    id: str
    type: str
    subject: str
    """The authorization or payout whose events keep their order."""
    created_at: datetime
    body: bytes


def event(kind: str, subject: str, key: str | None, now: datetime, data: Document) -> Event:
    """An event about what `data` shows. `key` is the idempotency key of the request that led to it, if one did.

    Its id follows from what it says, so that equal runs tell equal events.
    """
    content = {"type": kind, "created_at": now, "idempotency_key": key, "data": data}
    event_id = f"evt_{hashlib.sha256(orjson.dumps(content)).hexdigest()[:24]}"
    return Event(event_id, kind, subject, now, orjson.dumps({"object": "event", "id": event_id, **content}))


def events_between(
    before: Authorization | None, after: Authorization, key: str | None, now: datetime, public_url: str
) -> Iterator[Event]:
    """Everything that changed, authorization first.

    Without the key of a request, what happened to the authorization or a refund goes back to the request that made it.
    """
    document = {"authorization": authorization_resource(after, public_url)}
    opener = key or after.idempotency_key
    if before and after.amount_minor != before.amount_minor:
        yield event("authorization.increased", after.id, opener, now, document)
    taken = after.captures[len(before.captures) if before else 0 :]
    for capture in taken:
        data = document | {"capture": capture_resource(capture)}
        yield event("capture.succeeded", after.id, opener, now, data)
    if not taken and after.status != (before.status if before else None):
        yield event(f"authorization.{after.status}", after.id, opener, now, document)

    refunds = {refund.id: refund for refund in before.refunds} if before else {}
    for refund in after.refunds:
        known = refunds.get(refund.id)
        if known is None or known.status != refund.status:
            data = {"refund": refund_resource(refund, after)}
            yield event(f"refund.{refund.status}", after.id, refund.idempotency_key, now, data)

    disputes = {dispute.id: dispute for dispute in before.disputes} if before else {}
    for dispute in after.disputes:
        data = {"dispute": dispute_resource(dispute, after)}
        for kind in _told_of(disputes.get(dispute.id), dispute):
            yield event(f"dispute.{kind}", after.id, key, now, data)


def _told_of(before: Dispute | None, after: Dispute) -> Iterator[str]:
    if before is None:
        yield "opened"
    elif before.stage != after.stage:
        yield "escalated"
    elif before.status != after.status:
        yield after.status
    withheld_minor = after.funds_minor - (before.funds_minor if before else 0)
    if withheld_minor:
        yield "funds_withdrawn" if withheld_minor > 0 else "funds_reinstated"
