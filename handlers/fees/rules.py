"""Which schedule holds, and what it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.decision import Decision, Rejection
from handlers.fees.model import FeeSchedule, FeeTerms
from schemas.money import bps_of
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.fees.model import FeeHistory
    from schemas.checkout import MerchantFeesSet


def set_fees(history: FeeHistory | None, message: MerchantFeesSet, now: datetime) -> Outcome:  # noqa: ARG001
    """Add a version. A version is never rewritten, and a later one never takes effect before an earlier one."""
    data = message.data
    last = history[-1] if history else None
    if last is not None and data.version <= last.version:
        return Rejection(
            Reason.FEE_VERSION_EXISTS, f"version {data.version} is not above the last, {last.version}"
        )
    if last is not None and data.effective_from < last.effective_from:
        return Rejection(
            Reason.FEE_VERSION_EXISTS,
            f"effective_from {data.effective_from} is before that of version {last.version}, {last.effective_from}",
        )
    schedule = FeeSchedule(
        message.tenant,
        data.merchant_id,
        data.version,
        data.effective_from,
        data.bps,
        data.fixed_minor,
        data.rounding,
    )
    return Decision(states=(schedule,))


def terms_at(history: FeeHistory | None, moment: datetime, currency: str) -> FeeTerms | None:
    """The terms in force at `moment`: the last version that had taken effect; None when there was none."""
    for schedule in reversed(history or ()):
        if schedule.effective_from <= moment:
            fixed_minor = schedule.fixed_minor.get(currency, 0)
            return FeeTerms(schedule.version, schedule.bps, fixed_minor, schedule.rounding)
    return None


def fee_of(terms: FeeTerms, captured_minor: int) -> int:
    """The fee on all that is captured of a payment so far: basis points of the sum, plus the fixed part once.

    Never more than what was captured: a merchant is not charged for having sold something cheap.
    """
    return min(captured_minor, bps_of(captured_minor, terms.bps, terms.rounding) + terms.fixed_minor)
