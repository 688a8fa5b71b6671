"""What every scheme does with secrets in rotation, late and early times, and headers that a sender made up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from producers.providers.webhooks import Forged, Genuine, Verdict
from producers.signatures import adyen, common, gocardless, standard_webhooks, stripe
from producers.signatures.common import MALFORMED, MISMATCH, MISSING, TOLERANCE_S, TOO_NEW, TOO_OLD

NOW = datetime(2026, 3, 29, 0, 59, 59, 500_000, tzinfo=UTC)
"""Half a second before the clocks of Europe go forward."""
BODY = b'{"id":"evt_1","amount":1000}'


@dataclass(frozen=True)
class Scheme:
    """How to verify and how to sign, with two good secrets and one that cannot be a key."""

    verify: Callable[[bytes, Mapping[str, str], Sequence[SecretStr], datetime], Verdict]
    sign: Callable[[bytes, SecretStr, datetime], dict[str, str]]
    old: SecretStr
    new: SecretStr
    bad: SecretStr
    header: str


def gocardless_sign(body: bytes, secret: SecretStr, _: datetime) -> dict[str, str]:
    """As GoCardless does."""
    return {gocardless.HEADER: common.hmac_sha256(secret.get_secret_value().encode(), body).hex()}


SCHEMES = {
    "stripe": Scheme(
        stripe.verify,
        stripe.sign,
        SecretStr("whsec_old"),
        SecretStr("whsec_new"),
        SecretStr(""),
        stripe.HEADER,
    ),
    "standard": Scheme(
        standard_webhooks.verify,
        lambda body, secret, at: standard_webhooks.sign(body, secret, "msg_1", at),
        SecretStr("whsec_b2xkLW9sZC1vbGQtb2xkLW9sZA=="),
        SecretStr("bmV3LW5ldy1uZXctbmV3LW5ldw"),
        SecretStr("whsec_not base64"),
        standard_webhooks.SIGNATURE,
    ),
    "adyen": Scheme(
        adyen.verify,
        lambda body, secret, _: adyen.sign_body(body, secret),
        SecretStr("AB" * 32),
        SecretStr("cd" * 32),
        SecretStr("xyz"),
        adyen.HEADER,
    ),
    "gocardless": Scheme(
        gocardless.verify,
        gocardless_sign,
        SecretStr("old"),
        SecretStr("new"),
        SecretStr(""),
        gocardless.HEADER,
    ),
}
TIMED = {name: SCHEMES[name] for name in ("stripe", "standard")}

every_scheme = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
timed_scheme = pytest.mark.parametrize("scheme", TIMED.values(), ids=TIMED)


def reason(verdict: Verdict) -> str | None:
    """Why it was refused."""
    return verdict.reason if isinstance(verdict, Forged) else None


@every_scheme
def test_while_secrets_are_rotated_both_are_good(scheme: Scheme) -> None:
    for secret in (scheme.old, scheme.new):
        headers = scheme.sign(BODY, secret, NOW)
        assert scheme.verify(BODY, headers, [scheme.old, scheme.new], NOW) == Genuine()
        assert scheme.verify(BODY, headers, [scheme.new, scheme.old], NOW) == Genuine()
        assert scheme.verify(BODY, headers, [secret], NOW) == Genuine()
    assert reason(scheme.verify(BODY, scheme.sign(BODY, scheme.old, NOW), [scheme.new], NOW)) == MISMATCH


@every_scheme
def test_without_any_secret_nothing_is_genuine(scheme: Scheme) -> None:
    assert reason(scheme.verify(BODY, scheme.sign(BODY, scheme.new, NOW), [], NOW)) == MISMATCH


@every_scheme
def test_a_secret_that_cannot_be_a_key_is_told_without_being_repeated(scheme: Scheme) -> None:
    with pytest.raises(ValueError, match=r"is empty|is not") as told:
        scheme.verify(BODY, {}, [scheme.new, scheme.bad], NOW)
    assert told.value.__cause__ is None
    for value in (scheme.new.get_secret_value(), scheme.bad.get_secret_value()):
        assert not value or value not in str(told.value)


@every_scheme
def test_without_a_signature_it_is_refused(scheme: Scheme) -> None:
    assert reason(scheme.verify(BODY, {}, [scheme.new], NOW)) == MISSING
    headers = scheme.sign(BODY, scheme.new, NOW)
    assert reason(scheme.verify(BODY, headers | {scheme.header: ""}, [scheme.new], NOW)) in {
        MISSING,
        MISMATCH,
    }


@every_scheme
@pytest.mark.parametrize(
    "edit",
    [
        lambda text: f"{text[:-1]}\u00e9",
        lambda text: text[:-1],
        lambda text: text.replace("=", ":"),
        lambda text: "\u0660" + text,
        lambda _: "v1,",
        lambda _: "t=,v1=",
        lambda _: "," * 50_000,
        lambda _: " " * 50_000,
        lambda _: "v1,x " * 10_000,
        lambda _: "t=1," + "v1=x," * 10_000,
        lambda _: "\ud800",
    ],
)
def test_a_header_that_was_tampered_with_is_refused(scheme: Scheme, edit: Callable[[str], str]) -> None:
    headers = scheme.sign(BODY, scheme.new, NOW)
    edited = headers | {scheme.header: edit(headers[scheme.header])}
    if edited != headers:
        assert reason(scheme.verify(BODY, edited, [scheme.new], NOW)) in {MISSING, MALFORMED, MISMATCH}


@every_scheme
def test_a_header_that_came_twice_is_one_list_and_only_lists_of_signatures_are_good(scheme: Scheme) -> None:
    headers = scheme.sign(BODY, scheme.new, NOW)
    twice = headers | {scheme.header: f"{headers[scheme.header]}, {headers[scheme.header]}"}
    allowed = {None} if scheme is SCHEMES["standard"] else {MALFORMED, MISMATCH}
    assert reason(scheme.verify(BODY, twice, [scheme.new], NOW)) in allowed


@timed_scheme
@pytest.mark.parametrize(
    ("late_s", "expected"),
    [
        (0, None),
        (TOLERANCE_S, None),
        (TOLERANCE_S + 1, TOO_OLD),
        (86_400 * 365, TOO_OLD),
        (-TOLERANCE_S, None),
        (-TOLERANCE_S - 1, TOO_NEW),
        (-86_400 * 365, TOO_NEW),
    ],
)
def test_a_signed_time_may_be_off_by_so_much_in_both_directions(
    scheme: Scheme, late_s: int, expected: str | None
) -> None:
    headers = scheme.sign(BODY, scheme.new, NOW - timedelta(seconds=late_s))
    assert reason(scheme.verify(BODY, headers, [scheme.new], NOW)) == expected


@timed_scheme
@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1e9", "1_000", " 1", "01", "nan", "\u0661", "9" * 400, "1.5"]
)
def test_a_time_is_a_plain_whole_number(scheme: Scheme, text: str) -> None:
    headers = {
        name: value.replace(str(int(NOW.timestamp())), text)
        for name, value in scheme.sign(BODY, scheme.new, NOW).items()
    }
    assert reason(scheme.verify(BODY, headers, [scheme.new], NOW)) in {MALFORMED, MISSING}


def test_stripe_must_say_the_time_once() -> None:
    stamped = stripe.sign(BODY, SCHEMES["stripe"].new, NOW)[stripe.HEADER]
    twice = {stripe.HEADER: f"t=1,{stamped}"}
    assert reason(stripe.verify(BODY, twice, [SCHEMES["stripe"].new], NOW)) == MALFORMED


def test_another_version_of_a_signature_is_no_signature() -> None:
    for name, old, new in (("stripe", "v1=", "v0="), ("standard", "v1,", "v1a,")):
        scheme = SCHEMES[name]
        headers = scheme.sign(BODY, scheme.new, NOW)
        edited = headers | {scheme.header: headers[scheme.header].replace(old, new)}
        assert reason(scheme.verify(BODY, edited, [scheme.new], NOW)) == MALFORMED


ITEM: dict[str, Any] = {
    "amount": {"currency": "EUR", "value": 1000},
    "eventCode": "CAPTURE",
    "merchantAccountCode": "Shop",
    "merchantReference": "order:7",
    "originalReference": "PSP1",
    "pspReference": "PSP2",
    "success": "true",
}


def signed_items(*items: dict[str, Any]) -> bytes:
    """A standard webhook of Adyen's."""
    key = SCHEMES["adyen"].new
    wrapped = [
        {"NotificationRequestItem": item | {"additionalData": {"hmacSignature": adyen.sign_item(item, key)}}}
        for item in items
    ]
    return orjson.dumps({"live": "false", "notificationItems": wrapped})


def test_text_cannot_move_from_one_signed_field_of_adyen_into_another() -> None:
    key = SCHEMES["adyen"].new
    genuine = signed_items(ITEM)
    assert adyen.verify(genuine, {}, [key], NOW) == Genuine()
    document = orjson.loads(genuine)
    item = document["notificationItems"][0]["NotificationRequestItem"]
    item |= {"merchantAccountCode": "Shop:order", "merchantReference": "7"}
    assert reason(adyen.verify(orjson.dumps(document), {}, [key], NOW)) == MALFORMED


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"7",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"notificationItems":[]}',
        b'{"notificationItems":{}}',
        b'{"notificationItems":[7]}',
        b'{"notificationItems":[{"NotificationRequestItem":7}]}',
        b'{"notificationItems":[{"NotificationRequestItem":{}}]}',
        b'{"notificationItems":[{"NotificationRequestItem":{"additionalData":7}}]}',
        b'{"notificationItems":[{"NotificationRequestItem":{"amount":{"value":1.5}}}]}',
        b'{"notificationItems":[{"NotificationRequestItem":{"pspReference":{}}}]}',
        b'{"notificationItems":[' + b",".join([b"{}"] * 101) + b"]}",
    ],
)
def test_adyen_refuses_what_has_no_signed_items(body: bytes) -> None:
    assert reason(adyen.verify(body, {}, [SCHEMES["adyen"].new], NOW)) in {MISSING, MALFORMED}


def test_adyen_takes_numbers_and_truth_as_they_are_or_as_text() -> None:
    as_text = ITEM | {"amount": {"currency": "EUR", "value": "1000"}, "success": "true"}
    as_values = ITEM | {"success": True}
    assert adyen.signed_string(ITEM) == adyen.signed_string(as_text) == adyen.signed_string(as_values)


@given(body=st.binary(max_size=300), name=st.sampled_from(sorted(SCHEMES)))
def test_any_bytes_can_be_signed_and_only_those_pass(body: bytes, name: str) -> None:
    scheme = SCHEMES[name]
    headers = scheme.sign(body, scheme.new, NOW)
    assert scheme.verify(body, headers, [scheme.old, scheme.new], NOW) == Genuine()
    assert reason(scheme.verify(body + b" ", headers, [scheme.old, scheme.new], NOW)) == MISMATCH


@given(
    body=st.binary(max_size=200),
    text=st.text(max_size=200),
    timestamp=st.text(max_size=12),
    name=st.sampled_from(sorted(SCHEMES)),
)
def test_whatever_comes_is_refused_and_nothing_raises(
    body: bytes, text: str, timestamp: str, name: str
) -> None:
    scheme = SCHEMES[name]
    headers = {
        scheme.header: text,
        standard_webhooks.ID: text or "x",
        standard_webhooks.TIMESTAMP: timestamp,
    }
    headers[scheme.header] = text
    assert isinstance(scheme.verify(body, headers, [scheme.new], NOW), Forged)
