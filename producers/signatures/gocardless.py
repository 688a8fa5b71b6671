"""GoCardless: `Webhook-Signature: <hex HMAC-SHA256 of the body>`, with the endpoint's secret as it is written.

Source: https://developer.gocardless.com/api-reference/#webhooks-signing-webhooks. No time is signed, so a repeat is
known by the events' ids alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from producers.providers.webhooks import Forged, Genuine
from producers.signatures.common import MISSING, any_matches, hmac_sha256, mismatch, raw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pydantic import SecretStr

    from producers.providers.webhooks import Verdict

HEADER: Final = "webhook-signature"


def verify(body: bytes, headers: Mapping[str, str], secrets: Sequence[SecretStr], now: datetime) -> Verdict:  # noqa: ARG001 - every scheme is asked alike; this one signs no time
    """Whether GoCardless sent this.

    Raises:
        ValueError: a secret is empty.
    """
    keys = [secret.get_secret_value().encode() for secret in secrets]
    if not all(keys):
        raise ValueError("a GoCardless secret is empty")
    given = headers.get(HEADER)
    if not given:
        return Forged(MISSING, f"no {HEADER} header")
    expected = [hmac_sha256(key, body).hex().encode() for key in keys]
    matches = any_matches(expected, [raw(given)])
    return Genuine() if matches else mismatch()
