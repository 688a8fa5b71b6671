"""`rejections`: the answer to what was refused. Key: tenant + the refused message's key."""

from __future__ import annotations

from typing import Final

from schemas.value import message

REJECTED: Final = "rejection.issued.v1"


@message
class Rejected:
    """Nothing was changed by the event named here, and why."""

    event_source: str
    event_id: str
    event_type: str
    object_id: str
    reason: str
    detail: str
    retryable: bool
    fault: str
    action: str
