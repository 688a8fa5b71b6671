"""What becomes of refunds: pure functions on the authorization that they belong to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ops.sandbox.model import Refund, Refusal, identifier, too_large

if TYPE_CHECKING:
    from datetime import datetime

    from ops.sandbox.messages import RefundRequest
    from ops.sandbox.model import Authorization
    from ops.sandbox.tokens import Ending, Script


def refund(
    authorization: Authorization, request: RefundRequest, script: Script, key: str, now: datetime
) -> Authorization | Refusal:
    """Give part or all of the captured money back, never more than is left of it."""
    if not authorization.captures:
        return Refusal(409, "invalid_state", "refund is not possible: nothing was captured, void it instead")
    left = authorization.refundable_amount_minor
    if request.amount_minor > left:
        return too_large(request.amount_minor, left, "refundable")
    if script.refund_decline is not None:
        return Refusal(402, "declined", "the refund was declined", script.refund_decline)
    first = script.refund_course[0]
    made = Refund(
        id=identifier("re", key),
        idempotency_key=key,
        amount_minor=request.amount_minor,
        status="succeeded" if (first.after_days, first.becomes) == (0, "succeeded") else "pending",
        failure_code=None,
        metadata=request.metadata,
        created_at=now,
    )
    return replace(authorization, refunds=(*authorization.refunds, made))


def proceed(
    authorization: Authorization, refund_id: str, becomes: Ending, code: str | None
) -> Authorization | None:
    """The customer's bank took the money, or sent it back, even after taking it; None when that is old news."""
    refunds = {one.id: one for one in authorization.refunds}
    made = refunds[refund_id]
    match becomes, made.status:
        case "succeeded", "pending":
            refunds[refund_id] = replace(made, status="succeeded")
        case "failed", ("pending" | "succeeded"):
            refunds[refund_id] = replace(made, status="failed", failure_code=code)
        case _:
            return None
    return replace(authorization, refunds=tuple(refunds.values()))
