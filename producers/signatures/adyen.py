"""Adyen's two signatures: in each item of a standard webhook, and in a header over the body of all newer ones.

Sources: https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures (standard
webhooks: HMAC-SHA256 over eight fields with colons between, in `additionalData.hmacSignature`) and the same page on
platform, transfer and management webhooks (header `HmacSignature` over the body). Keys are hexadecimal.

Neither signs a time, so a repeat is known by the event's id alone. Of a standard item only SIGNED_FIELDS are signed:
its date, its reason and its additional data are hints, never a ground to move money.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final

import orjson

from producers.providers.webhooks import Forged, Genuine
from producers.signatures.common import MALFORMED, MISSING, any_matches, hmac_sha256, mismatch, raw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pydantic import SecretStr

    from producers.providers.webhooks import Verdict

HEADER: Final = "hmacsignature"
SIGNED_FIELDS: Final = (
    "pspReference",
    "originalReference",
    "merchantAccountCode",
    "merchantReference",
    "amount.value",
    "amount.currency",
    "eventCode",
    "success",
)
"""In the order in which they are signed; one that is missing counts as empty."""
MAY_HOLD_COLONS: Final = "merchantReference"
"""Fields are joined by colons that nobody escapes. If two fields could hold one, text could be moved from one field
into the other under the same signature; so only the field that a merchant chooses may."""
MOST_ITEMS: Final = 100
"""Of one request; Adyen sends one."""


def verify(body: bytes, headers: Mapping[str, str], secrets: Sequence[SecretStr], now: datetime) -> Verdict:  # noqa: ARG001 - every scheme is asked alike; this one signs no time
    """Whether Adyen sent this: by the header where there is one, else by every single item.

    Raises:
        ValueError: a secret is not hexadecimal.
    """
    keys = [_key(secret) for secret in secrets]
    given = headers.get(HEADER)
    if given is not None:
        return _judge(keys, body, given)
    try:
        items = items_of(body)
    except ValueError as error:
        return Forged(MISSING, f"no {HEADER} header, and the body has no signed items: {error}")
    for number, item in enumerate(items):
        try:
            signed = signed_string(item)
        except ValueError as error:
            return Forged(MALFORMED, f"notificationItems[{number}]: {error}")
        additional = item.get("additionalData")
        signature = additional.get("hmacSignature") if isinstance(additional, dict) else None
        if not isinstance(signature, str) or not signature:
            return Forged(MISSING, f"notificationItems[{number}]: no additionalData.hmacSignature")
        verdict = _judge(keys, signed, signature)
        if isinstance(verdict, Forged):
            return verdict
    return Genuine()


def items_of(body: bytes) -> list[dict[str, Any]]:
    """The notification items of a standard webhook, in order.

    Raises:
        ValueError: the body is not such a webhook; the message says in which field.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ValueError("not JSON") from None
    wrapped = document.get("notificationItems") if isinstance(document, dict) else None
    if not isinstance(wrapped, list) or not 1 <= len(wrapped) <= MOST_ITEMS:
        raise ValueError(f"notificationItems is not a list of 1 to {MOST_ITEMS}")
    items = []
    for number, one in enumerate(wrapped):
        item = one.get("NotificationRequestItem") if isinstance(one, dict) else None
        if not isinstance(item, dict):
            raise ValueError(f"notificationItems[{number}] has no NotificationRequestItem")  # noqa: TRY004 - of a value, not of an argument
        items.append(item)
    return items


def signed_string(item: Mapping[str, Any]) -> bytes:
    """What Adyen signs of an item.

    Raises:
        ValueError: a signed field is neither text nor a whole number, or holds a colon that it may not.
    """
    return ":".join(_text(item, field) for field in SIGNED_FIELDS).encode("utf-8", "surrogatepass")


def sign_item(item: Mapping[str, Any], secret: SecretStr) -> str:
    """The `hmacSignature` of an item: for a sandbox and for tests."""
    return base64.b64encode(hmac_sha256(_key(secret), signed_string(item))).decode()


def sign_body(body: bytes, secret: SecretStr) -> dict[str, str]:
    """The header of a platform webhook: for a sandbox and for tests."""
    return {HEADER: base64.b64encode(hmac_sha256(_key(secret), body)).decode()}


def _judge(keys: Sequence[bytes], signed: bytes, given: str) -> Verdict:
    expected = [base64.b64encode(hmac_sha256(key, signed)) for key in keys]
    return Genuine() if any_matches(expected, [raw(given)]) else mismatch()


def _text(item: Mapping[str, Any], field: str) -> str:
    outer, _, inner = field.partition(".")
    value: Any = item.get(outer)
    if inner:
        value = value.get(inner) if isinstance(value, dict) else None
    if value is None:
        return ""
    if not isinstance(value, int | str):
        raise ValueError(f"{field} is neither text nor a whole number")  # noqa: TRY004 - of a value, not of an argument
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if ":" in text and field != MAY_HOLD_COLONS:
        raise ValueError(f"{field} holds a colon")
    return text


def _key(secret: SecretStr) -> bytes:
    try:
        key = binascii.a2b_hex(secret.get_secret_value())
    except ValueError:
        key = b""
    if not key:
        raise ValueError("an Adyen HMAC key is not hexadecimal") from None
    return key
