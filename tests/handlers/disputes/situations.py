"""A dispute in each of its states, and how it came there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from handlers.disputes.states import State
from tests.handlers.disputes.case import Case

SITUATIONS: Final[dict[State, Callable[[], Case]]] = {
    State.INQUIRY: lambda: Case().report("needs_response", stage="inquiry"),
    State.OPENED: lambda: Case().report("needs_response"),
    State.EVIDENCE_DUE: lambda: Case().report("needs_response").time_out("evidence_reminder"),
    State.EVIDENCE_SUBMITTED: lambda: Case().report("needs_response").submit().answer(),
    State.WON: lambda: Case().report("won"),
    State.LOST: lambda: Case().report("lost"),
    State.ACCEPTED: lambda: Case().report("needs_response").accept().answer(),
    State.EXPIRED: lambda: Case().report("needs_response").time_out("evidence_expiry"),
}
