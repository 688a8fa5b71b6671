"""What the schemes share: comparing in constant time, and when a signed time is recent enough."""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from producers.providers.webhooks import Forged

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERANCE_S: Final = 300
"""How far a signed time may lie in the past or the future: what Stripe and Standard Webhooks recommend."""
MOST_SIGNATURES: Final = 16
"""In one header; a sender that rotates its secrets sends two."""

MISSING: Final = "signature_missing"
MALFORMED: Final = "signature_malformed"
MISMATCH: Final = "signature_mismatch"
TOO_OLD: Final = "timestamp_too_old"
TOO_NEW: Final = "timestamp_too_new"
"""Words for a counter; every scheme uses the same."""

_SECONDS: Final = re.compile(r"0|[1-9][0-9]{0,11}")


def hmac_sha256(key: bytes, signed: bytes) -> bytes:
    """The 32 bytes of RFC 2104's HMAC with SHA-256."""
    return hmac.digest(key, signed, "sha256")


def any_matches(expected: Sequence[bytes], given: Sequence[bytes]) -> bool:
    """Whether one of the signatures is one of the expected; all are compared, so that time tells nothing."""
    found = False
    for ours in expected:
        for theirs in given:
            found |= hmac.compare_digest(ours, theirs)
    return found


def mismatch() -> Forged:
    """No signature fits."""
    return Forged(MISMATCH, "no signature was made with a secret of this endpoint")


def raw(text: str) -> bytes:
    """A header's bytes as they came: HTTP servers hand them over as Latin-1."""
    return text.encode("latin-1", "replace")


def seconds(text: str) -> int | None:
    """A Unix time in whole seconds, written in the one way that it can be; None for anything else."""
    return int(text) if _SECONDS.fullmatch(text) else None


def untimely(at_s: int, now: datetime) -> Forged | None:
    """Why a signed time is not believed; None when it is recent enough."""
    late_s = int(now.timestamp()) - at_s
    if abs(late_s) <= TOLERANCE_S:
        return None
    reason = TOO_OLD if late_s > 0 else TOO_NEW
    when = f"{abs(late_s)} s {'ago' if late_s > 0 else 'ahead'} of {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return Forged(reason, f"signed {when}, more than {TOLERANCE_S} s")
