"""Every public vector is accepted or refused as its source says, and nothing else passes with its signature."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import SecretStr

from producers.providers.webhooks import Forged, Genuine
from producers.signatures import adyen, gocardless, standard_webhooks
from tests.producers.signatures.vectors import body_of, data_file, vectors

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


def flipped(body: bytes) -> list[bytes]:
    """The body with one bit of it changed, at several places."""
    places = range(0, len(body), max(1, len(body) // 17))
    return [body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :] for at in places]


def item_of(vector: dict[str, Any]) -> dict[str, Any]:
    item = vector.get("item") or orjson.loads(data_file(vector["file"]))
    assert isinstance(item, dict)
    return item


def wrapped(*items: dict[str, Any]) -> bytes:
    """A standard webhook with these items."""
    return orjson.dumps(
        {"live": "false", "notificationItems": [{"NotificationRequestItem": item} for item in items]}
    )


def test_adyen_items_are_signed_over_these_strings() -> None:
    for vector in vectors("adyen-standard-item"):
        item, key = item_of(vector), SecretStr(vector["key_hex"])
        assert adyen.signed_string(item).decode() == vector["signed_string"]
        assert adyen.sign_item(item, key) == vector["signature"]
        assert adyen.verify(wrapped(item), {}, [key], NOW) == Genuine()


def test_an_adyen_item_with_any_signed_field_changed_is_forged() -> None:
    for vector in vectors("adyen-standard-item"):
        item, key = item_of(vector), SecretStr(vector["key_hex"])
        for field in adyen.SIGNED_FIELDS:
            outer, _, inner = field.partition(".")
            changed = item[outer] | {inner: "7"} if inner else "changed"
            forged = adyen.verify(wrapped(item | {outer: changed}), {}, [key], NOW)
            assert isinstance(forged, Forged), field


def test_one_forged_adyen_item_among_genuine_ones_spoils_them_all() -> None:
    for vector in vectors("adyen-standard-item"):
        item, key = item_of(vector), SecretStr(vector["key_hex"])
        forged = item | {"pspReference": "FORGED0000000000"}
        assert adyen.verify(wrapped(item, item), {}, [key], NOW) == Genuine()
        assert isinstance(adyen.verify(wrapped(item, forged), {}, [key], NOW), Forged)


def test_adyen_platform_bodies_are_signed_as_they_are() -> None:
    for vector in vectors("adyen-platform-raw-body"):
        body, key = body_of(vector), SecretStr(vector["key_hex"])
        headers = {"hmacsignature": vector["signature"]}
        assert adyen.verify(body, headers, [key], NOW) == Genuine()
        assert adyen.sign_body(body, key) == headers
        for other in (*flipped(body), body + b"\n", b""):
            assert isinstance(adyen.verify(other, headers, [key], NOW), Forged)


def test_gocardless_bodies_are_signed_as_they_are() -> None:
    for vector in vectors("gocardless-hex-hmac-sha256-of-stripped-body"):
        stored = body_of(vector)
        assert len(stored) == vector["body_bytes_as_stored"]
        body, secret = stored.strip(), SecretStr(vector["secret"])
        headers = {"webhook-signature": vector["signature"]}
        assert gocardless.verify(body, headers, [secret], NOW) == Genuine()
        for other in (*flipped(body), stored):
            assert isinstance(gocardless.verify(other, headers, [secret], NOW), Forged)


def test_standard_webhooks_vectors_are_accepted_and_refused_as_stated() -> None:
    vector = orjson.loads(data_file("webhooks/standardwebhooks/rust_vectors.json"))
    body, secret = vector["payload"].encode(), SecretStr(vector["secret"])
    at = datetime.fromtimestamp(vector["timestamp"], UTC)

    def verdict(signature: str, body: bytes = body) -> Genuine | Forged:
        headers = {
            "webhook-id": vector["id"],
            "webhook-timestamp": str(vector["timestamp"]),
            "webhook-signature": signature,
        }
        return standard_webhooks.verify(body, headers, [secret], at)

    assert verdict(vector["valid_signature"]) == Genuine()
    assert verdict(vector["valid_multi_signature_header"]) == Genuine()
    assert (
        standard_webhooks.sign(body, secret, vector["id"], at)["webhook-signature"]
        == vector["valid_signature"]
    )
    for header in vector["invalid_signature_headers"]:
        assert isinstance(verdict(header), Forged), header
    for other in flipped(body):
        assert isinstance(verdict(vector["valid_signature"], other), Forged)
