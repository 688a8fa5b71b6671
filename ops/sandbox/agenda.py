"""What time brings: which state leads to which happening, when, and what it then does to the charge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

from ops.sandbox import disputes, refunds, rules
from ops.sandbox.messages import DisputeRequest
from ops.sandbox.model import Authorization, Refusal
from ops.sandbox.tokens import TOKENS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.sandbox.model import Dispute, Refund
    from ops.sandbox.tokens import Ending

REVIEW_DAYS = 5
"""How long the customer's bank looks at evidence."""

What: TypeAlias = Literal[
    "debit_decided",
    "hold_ends",
    "refund_decided",
    "dispute_opens",
    "evidence_due",
    "evidence_reviewed",
    "day_ends",
    "payout_arrives",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that will happen by itself, to an authorization, or to the object of it that is named."""

    due_at: datetime
    what: What
    authorization_id: str = ""
    object_id: str = ""
    becomes: Ending | None = None
    code: str | None = None
    """Why it becomes that; for reviewed evidence, the stage it was for."""


def follow_ups(
    before: Authorization | None, after: Authorization, now: datetime, day_ms: int
) -> Iterator[Happening]:
    """What a charge's new state will lead to. `day_ms` is how long a day lasts that a token makes its caller wait."""
    day = timedelta(milliseconds=day_ms)
    if before is None or after.status != before.status:
        yield from _of_authorization(after, now, day)
    for made in after.refunds[len(before.refunds) if before else 0 :]:
        yield from _of_refund(made, after, now, day)
    known = {dispute.id: (dispute.stage, dispute.status) for dispute in before.disputes} if before else {}
    for dispute in after.disputes:
        if known.get(dispute.id) != (dispute.stage, dispute.status):
            yield from _of_dispute(dispute, after.id, now, day)


def _of_authorization(after: Authorization, now: datetime, day: timedelta) -> Iterator[Happening]:
    script = TOKENS[after.token]
    match after.status:
        case "pending":
            for step in script.course:
                yield Happening(
                    due_at=now + step.after_days * day,
                    what="debit_decided",
                    authorization_id=after.id,
                    becomes=step.becomes,
                    code=step.code,
                )
        case "authorized":
            ends_at = now + timedelta(days=after.rules.hold_days)
            yield Happening(due_at=ends_at, what="hold_ends", authorization_id=after.id)
        case "captured" if script.dispute and not after.disputes:
            yield Happening(due_at=now, what="dispute_opens", authorization_id=after.id)
        case _:
            return


def _of_refund(made: Refund, after: Authorization, now: datetime, day: timedelta) -> Iterator[Happening]:
    for step in TOKENS[after.token].refund_course:
        if made.status == "pending" or step.after_days:
            yield Happening(
                due_at=now + step.after_days * day,
                what="refund_decided",
                authorization_id=after.id,
                object_id=made.id,
                becomes=step.becomes,
                code=step.code,
            )


def _of_dispute(
    dispute: Dispute, authorization_id: str, now: datetime, day: timedelta
) -> Iterator[Happening]:
    match dispute.status:
        case "needs_response":
            yield Happening(
                due_at=dispute.evidence_due_at,
                what="evidence_due",
                authorization_id=authorization_id,
                object_id=dispute.id,
            )
        case "under_review":
            yield Happening(
                due_at=now + REVIEW_DAYS * day,
                what="evidence_reviewed",
                authorization_id=authorization_id,
                object_id=dispute.id,
                code=dispute.stage,
            )
        case _:
            return


def come_to_pass(authorization: Authorization, happening: Happening) -> Authorization | None:
    """The charge after the happening; None when it no longer applies."""
    match happening:
        case Happening(what="debit_decided", becomes=becomes) if becomes:
            return rules.proceed(authorization, becomes, happening.code)
        case Happening(what="refund_decided", becomes=becomes) if becomes:
            return refunds.proceed(authorization, happening.object_id, becomes, happening.code)
        case Happening(what="hold_ends"):
            return rules.expire(authorization)
        case Happening(what="evidence_due"):
            return disputes.expire(authorization, happening.object_id, happening.due_at)
        case Happening(what="evidence_reviewed"):
            return disputes.review(authorization, happening.object_id, happening.code)
        case Happening(what="dispute_opens"):
            return _opened_by_token(authorization, happening.due_at)
        case _:
            raise ValueError(f"{happening.what} does not happen to a charge")


def _opened_by_token(authorization: Authorization, now: datetime) -> Authorization | None:
    stage = TOKENS[authorization.token].dispute
    if stage is None:
        return None
    request = DisputeRequest(authorization_id=authorization.id, stage=stage)
    opened = disputes.open_dispute(authorization, request, f"{authorization.idempotency_key}:dispute", now)
    return None if isinstance(opened, Refusal) else opened
