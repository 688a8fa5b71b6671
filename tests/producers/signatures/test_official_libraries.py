"""What the providers' own libraries sign is accepted, and what we sign they accept: two opinions on each scheme."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from producers.providers.webhooks import Genuine
from producers.signatures import adyen, standard_webhooks, stripe
from tests.producers.signatures.test_vectors import wrapped

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=":"), max_size=20)
KEY = SecretStr("44" * 32)


@given(body=TEXTS, secret=st.text("abcdef0123456789_", min_size=1))
def test_stripe_agrees(body: str, secret: str) -> None:
    theirs: Any = pytest.importorskip("stripe").WebhookSignature
    now = datetime.now(UTC)
    header = theirs.generate_signature_header(body, f"whsec_{secret}")
    ours = SecretStr(f"whsec_{secret}")
    assert stripe.verify(body.encode(), {stripe.HEADER: header}, [ours], now) == Genuine()
    assert theirs.verify_header(
        body.encode(), stripe.sign(body.encode(), ours, now)[stripe.HEADER], f"whsec_{secret}"
    )


@given(body=TEXTS, secret=st.binary(min_size=1, max_size=64))
def test_standard_webhooks_agrees(body: str, secret: bytes) -> None:
    library: Any = pytest.importorskip("standardwebhooks.webhooks")
    theirs = library.Webhook(secret)
    now = datetime.now(UTC)
    ours = SecretStr(f"whsec_{base64.b64encode(secret).decode()}")
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": theirs.sign("msg_1", now, body),
    }
    assert standard_webhooks.verify(body.encode(), headers, [ours], now) == Genuine()
    theirs.verify(body, standard_webhooks.sign(body.encode(), ours, "msg_1", now), json_parse=False)


@given(
    fields=st.fixed_dictionaries(
        {"pspReference": PLAIN, "merchantAccountCode": PLAIN, "eventCode": PLAIN, "merchantReference": TEXTS},
        optional={"originalReference": PLAIN, "reason": TEXTS},
    ),
    value=st.integers(0, 10**12) | st.integers(0, 10**12).map(str),
    success=st.sampled_from(["true", "false"]),
)
def test_adyen_agrees(fields: dict[str, str], value: int | str, success: str) -> None:
    theirs: Any = pytest.importorskip("Adyen.util")
    item = fields | {"amount": {"value": value, "currency": "EUR"}, "success": success}
    signature = theirs.generate_notification_sig(item, KEY.get_secret_value()).decode()
    assert adyen.sign_item(item, KEY) == signature
    signed = item | {"additionalData": {"hmacSignature": signature}}
    assert adyen.verify(wrapped(signed), {}, [KEY], datetime.now(UTC)) == Genuine()
