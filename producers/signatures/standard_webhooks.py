"""Standard Webhooks, symmetric (v1): base64 HMAC-SHA256 of "id.timestamp.body" with a base64 secret `whsec_...`.

Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md. Signatures stand in
one header, separated by spaces, each with its version; other versions than v1 are ignored, as it asks.
"""

from __future__ import annotations

import base64
import binascii
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

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
VERSION: Final = "v1"
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the public prefix of all secrets


def verify(body: bytes, headers: Mapping[str, str], secrets: Sequence[SecretStr], now: datetime) -> Verdict:
    """Whether the sender holds one of the secrets, within the tolerance. Header names are lower-case.

    Raises:
        ValueError: a secret is not base64.
    """
    keys = [_key(secret) for secret in secrets]
    message_id, timestamp, header = (headers.get(name) for name in (ID, TIMESTAMP, SIGNATURE))
    if not message_id or not timestamp or not header:
        return Forged(MISSING, f"{ID}, {TIMESTAMP} and {SIGNATURE} are needed")
    at_s = seconds(timestamp)
    parts = [part.partition(",") for part in header.split(" ") if part]
    given = [value for version, _, value in parts if version == VERSION]
    if at_s is None or not given or len(given) > MOST_SIGNATURES:
        return Forged(
            MALFORMED,
            f"{TIMESTAMP} is a Unix time, {SIGNATURE} 1 to {MOST_SIGNATURES} of {VERSION},<base64>, spaces between",
        )
    signed = _signed(message_id, at_s, body)
    expected = [base64.b64encode(hmac_sha256(key, signed)) for key in keys]
    if not any_matches(expected, [raw(one) for one in given]):
        return mismatch()
    return untimely(at_s, now) or Genuine()


def sign(body: bytes, secret: SecretStr, message_id: str, at: datetime) -> dict[str, str]:
    """The three headers that a sender adds: for a sandbox and for tests."""
    at_s = int(at.timestamp())
    digest = hmac_sha256(_key(secret), _signed(message_id, at_s, body))
    return {
        ID: message_id,
        TIMESTAMP: str(at_s),
        SIGNATURE: f"{VERSION},{base64.b64encode(digest).decode()}",
    }


def _signed(message_id: str, at_s: int, body: bytes) -> bytes:
    return b"%b.%d.%b" % (raw(message_id), at_s, body)


def _key(secret: SecretStr) -> bytes:
    text = secret.get_secret_value().removeprefix(SECRET_PREFIX)
    try:
        # Some senders leave the padding out.
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if not key:
        # Not chained: the cause would be read beside the secret's length.
        raise ValueError(f"a Standard Webhooks secret is not base64 after {SECRET_PREFIX}") from None
    return key
