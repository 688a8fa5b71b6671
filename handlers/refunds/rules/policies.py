"""A tenant's refund policy: versions, of which none is ever rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.decision import Audit, Decision, Rejection
from handlers.refunds.model import POLICY, RefundPolicy
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.refunds.model import PolicyHistory
    from schemas.refund import RefundPolicySet


def set_policy(refund_policy: PolicyHistory | None, message: RefundPolicySet, now: datetime) -> Outcome:  # noqa: ARG001
    """Add a version. A later one never takes effect before an earlier one."""
    data = message.data
    last = refund_policy[-1] if refund_policy else None
    if last is not None and data.version <= last.version:
        detail = f"version {data.version} is not above the last, {last.version}"
        return Rejection(Reason.POLICY_VERSION_EXISTS, detail)
    if last is not None and data.effective_from < last.effective_from:
        detail = (
            f"effective_from {data.effective_from} is before that of version {last.version}, "
            f"{last.effective_from}"
        )
        return Rejection(Reason.POLICY_VERSION_EXISTS, detail)
    policy = RefundPolicy(
        message.tenant,
        POLICY,
        data.version,
        data.effective_from,
        tuple(line.model_dump() for line in data.limits),
        tuple(rule.model_dump() for rule in data.velocity),
        data.finance_after_days,
        data.never_after_days,
        data.approval_days,
        data.service_credit,
        data.fees,
    )
    done = Audit(message.source, "refund_policy.set", POLICY, POLICY, f"version {data.version}")
    return Decision(states=(policy,), audit=(done,))
