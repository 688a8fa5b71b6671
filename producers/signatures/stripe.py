"""Stripe's webhook signature: `Stripe-Signature: t=<Unix time>,v1=<hex HMAC-SHA256 of "t.body">[,v1=...]`.

Source: https://docs.stripe.com/webhooks#verify-manually. Other schemes than v1 are ignored, as it asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from producers.providers.webhooks import Forged, Genuine
from producers.signatures.common import (
    MALFORMED,
    MISSING,
    MOST_SIGNATURES,
    any_matches,
    hmac_sha256,
    mismatch,
    raw,
    seconds,
    untimely,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pydantic import SecretStr

    from producers.providers.webhooks import Verdict

HEADER: Final = "stripe-signature"
SCHEME: Final = "v1"


def verify(body: bytes, headers: Mapping[str, str], secrets: Sequence[SecretStr], now: datetime) -> Verdict:
    """Whether Stripe sent this, within the tolerance. Header names are lower-case; a secret is used as it is written.

    Raises:
        ValueError: a secret is empty.
    """
    keys = [_key(secret) for secret in secrets]
    header = headers.get(HEADER)
    if not header:
        return Forged(MISSING, f"no {HEADER} header")
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    given = [value for name, _, value in parts if name == SCHEME]
    at_s = seconds(times[0]) if len(times) == 1 else None
    if at_s is None or not given or len(given) > MOST_SIGNATURES:
        return Forged(
            MALFORMED,
            f"{HEADER} needs one t and 1 to {MOST_SIGNATURES} {SCHEME}: t=<Unix time>,{SCHEME}=<hex>",
        )
    signed = b"%d.%b" % (at_s, body)
    expected = [hmac_sha256(key, signed).hex().encode() for key in keys]
    if not any_matches(expected, [raw(one) for one in given]):
        return mismatch()
    return untimely(at_s, now) or Genuine()


def sign(body: bytes, secret: SecretStr, at: datetime) -> dict[str, str]:
    """The header that Stripe would send: for a sandbox and for tests."""
    at_s = int(at.timestamp())
    return {HEADER: f"t={at_s},{SCHEME}={hmac_sha256(_key(secret), b'%d.%b' % (at_s, body)).hex()}"}


def _key(secret: SecretStr) -> bytes:
    key = secret.get_secret_value().encode()
    if not key:
        raise ValueError("a Stripe secret is empty")
    return key
