"""The policy engine: who may give back how much, and who else must agree. The policy itself is data of the tenant's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from handlers.decision import Rejection, Waiting
from handlers.refunds.model import RefundCount
from schemas.reasons import Reason
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from handlers.payments.model import Payment
    from handlers.refunds.model import PolicyHistory, RefundPolicy
    from schemas.actor import Actor, Role
    from schemas.refund import RefundRequestedData

RANK: Final[dict[str, int]] = {"system": 0, "support": 1, "manager": 2, "finance": 3}
"""Who stands above whom: a role may do what needs one that is not above it."""


@value
class Allowed:
    """`policy` allows it, once somebody with the role `approver` has agreed; at once when that is None."""

    policy: RefundPolicy
    approver: str | None


def policy_at(history: PolicyHistory | None, moment: datetime) -> RefundPolicy | None:
    """The policy in force: the last version that had taken effect; None when there was none."""
    return next((policy for policy in reversed(history or ()) if policy.effective_from <= moment), None)


def may_refund(
    history: PolicyHistory | None,
    payment: Payment,
    asked: RefundRequestedData,
    amount_minor: int,
    counts: Mapping[str, RefundCount | None],
    now: datetime,
) -> Allowed | Rejection | Waiting:
    """Judge a request for `amount_minor`; `counts` are those of the velocity limits, by subject."""
    policy = policy_at(history, now)
    if policy is None:
        detail = f"tenant {payment.tenant} has no refund policy in force at {now}"
        return Waiting(Reason.POLICY_MISSING, detail, "refund_policy")
    refused = _destination(policy, payment, asked) or _too_old(policy, payment, asked, now)
    if refused is not None:
        return refused
    line = _limit(policy, asked.actor.role, payment.currency, amount_minor)
    if isinstance(line, Rejection):
        return line
    approvers = [line]
    if _days(policy.finance_after_days, payment, now) and asked.actor.role != "finance":
        approvers.append("finance")
    if any(_is_too_often(rule, counts.get(rule["subject"]), now) for rule in _rows(policy.velocity)):
        approvers.append("finance")
    named = (role for role in approvers if role is not None)
    return Allowed(policy, max(named, key=RANK.__getitem__, default=None))


def counted(
    policy: RefundPolicy, subject: str, key: tuple[str, str], count: RefundCount | None, now: datetime
) -> RefundCount | None:
    """The count of `key` (tenant, name) with one more refund, as far back as the policy's limits look at `subject`.

    None when no limit does.
    """
    rules = [rule for rule in _rows(policy.velocity) if rule["subject"] == subject]
    if not rules:
        return None
    since = now - timedelta(days=max(rule["days"] for rule in rules))
    most = max(rule["at_most"] for rule in rules)
    times = [*(at for at in (count.requested_at if count else ()) if at > since), now]
    return RefundCount(*key, tuple(times[-most:]), 0, 0, now)


def may_approve(actor: Actor, needs: str, requested_by: str) -> Rejection | None:
    """Why `actor` may not decide about what `requested_by` asked for: four eyes see more. None when they may."""
    if not outranks(actor.role, needs):
        detail = f"actor.role {actor.role}: it needs {needs}"
        return Rejection(Reason.ACTOR_NOT_ALLOWED, detail)
    if actor.id == requested_by:
        return Rejection(Reason.FOUR_EYES, f"actor.id {actor.id} asked for the refund")
    return None


def outranks(role: Role, needed: str) -> bool:
    """Whether `role` may do what needs `needed`; a program never stands in for a person."""
    return role != "system" and RANK[role] >= RANK[needed]


def _destination(policy: RefundPolicy, payment: Payment, asked: RefundRequestedData) -> Rejection | None:
    if asked.destination == "original_method":
        return None
    if not policy.service_credit:
        detail = f"destination {asked.destination}: policy {policy.version} allows only original_method"
        return Rejection(Reason.DESTINATION_NOT_ALLOWED, detail)
    if payment.customer_id is None:
        detail = f"destination {asked.destination}: payment {payment.payment_id} names no customer"
        return Rejection(Reason.DESTINATION_NOT_ALLOWED, detail)
    return None


def _too_old(
    policy: RefundPolicy, payment: Payment, asked: RefundRequestedData, now: datetime
) -> Rejection | None:
    """The schemes' limit is one on the way back through them; service credit does not go that way."""
    if asked.destination == "original_method" and _days(policy.never_after_days, payment, now):
        age = (now - payment.created_at).days
        detail = f"payment {payment.payment_id} is {age} days old, the limit is {policy.never_after_days}"
        return Rejection(Reason.REFUND_TOO_OLD, detail)
    return None


def _days(limit: int, payment: Payment, now: datetime) -> bool:
    """Whether the payment was opened more than `limit` days ago."""
    return now - payment.created_at > timedelta(days=limit)


def _limit(policy: RefundPolicy, role: str, currency: str, amount_minor: int) -> str | Rejection | None:
    """Who must approve by the lowest line that is high enough; None when nobody must."""
    lines = sorted(
        (line["at_most_minor"], line["with_approval_of"])
        for line in _rows(policy.limits)
        if (line["role"], line["currency"]) == (role, currency)
    )
    for at_most_minor, approver in lines:
        if amount_minor <= at_most_minor:
            found: str | None = approver
            return found
    most = f"at most {lines[-1][0]}" if lines else "nothing"
    detail = f"amount_minor {amount_minor} {currency}: actor.role {role} may refund {most}"
    return Rejection(Reason.REFUND_NOT_ALLOWED, f"{detail} by policy {policy.version}")


def _is_too_often(rule: Mapping[str, Any], count: RefundCount | None, now: datetime) -> bool:
    """Whether one more now is above the limit."""
    since = now - timedelta(days=rule["days"])
    recent = sum(at > since for at in count.requested_at) if count else 0
    return recent + 1 > int(rule["at_most"])


def _rows(rows: tuple[Mapping[str, Any], ...]) -> tuple[Mapping[str, Any], ...]:
    """Rows of the message's JSON; it was validated when it came in."""
    return rows
