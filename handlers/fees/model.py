"""A merchant's fee schedules and the terms that a payment takes from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from schemas.money import Rounding


@value
class FeeSchedule:
    """One version, immutable once written. `fixed_minor` is per payment, by currency."""

    tenant: str
    merchant_id: str
    version: int
    effective_from: datetime
    bps: int
    fixed_minor: Mapping[str, int]
    rounding: Rounding


@value
class FeeTerms:
    """What one payment will be charged, fixed when it is opened."""

    version: int
    bps: int
    fixed_minor: int
    rounding: Rounding


FeeHistory = tuple[FeeSchedule, ...]
"""All versions of one merchant, in order of version."""
