"""Where an entry goes whose date lies in a closed period: into the open one, with the name of where it comes from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from handlers.decision import Rejection
from handlers.periods.model import period_at
from schemas.ledger import Origin
from schemas.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from handlers.ledger.model import Posting
    from handlers.periods.model import Bounds

MANUAL: Final = frozenset({"journal"})
"""Object types of entries that people date themselves: a soft-closed period takes them, a closed one refuses.

The trigger `entries_xid` (0011_periods.sql) says the same.
"""


def shut_before(bounds: Bounds, object_type: str) -> datetime | None:
    """Until when the books are shut to entries of this kind; None when they are not."""
    return bounds.closed_before if object_type in MANUAL else bounds.soft_closed_before


def refused(bounds: Bounds | None, postings: Sequence[Posting]) -> Rejection | None:
    """Why a decision cannot be booked: somebody dates an entry into a closed period by hand. None when it can."""
    if bounds is None or bounds.closed_before is None:
        return None
    for posting in postings:
        if posting.object_type in MANUAL and posting.effective_at < bounds.closed_before:
            period = period_at(posting.effective_at, bounds.zone, bounds.unit)
            detail = (
                f"effective_at {posting.effective_at.isoformat()} lies in period {period}; "
                f"the books are closed before {bounds.closed_before.isoformat()}"
            )
            return Rejection(Reason.PERIOD_CLOSED, detail)
    return None


def placed(posting: Posting, bounds: Bounds) -> tuple[Posting, Origin | None]:
    """The entry as it is booked. What comes late is effective when the first open period starts, and names its origin.

    The start, and not now: it depends on the bounds alone, so that a replay books the same.
    """
    shut = shut_before(bounds, posting.object_type)
    if shut is None or posting.effective_at >= shut:
        return posting, None
    period = period_at(posting.effective_at, bounds.zone, bounds.unit)
    return replace(posting, effective_at=shut), Origin(posting.effective_at, period)
