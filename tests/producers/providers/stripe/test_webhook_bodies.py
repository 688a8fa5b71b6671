"""Whole bodies: those that users of Stripe have kept, those that localstripe sends, and those that are none."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from pydantic import SecretStr

from producers.providers.base import Succeeded
from producers.providers.stripe.webhooks import StripeWebhooks
from producers.providers.webhooks import Endpoint, Forged, Genuine, Unreadable
from producers.signatures.stripe import sign
from schemas.webhook import DisputeReported, PaymentReported, RefundReported, Unrecognized

if TYPE_CHECKING:
    import httpx

    from tests.producers.providers.suite.rig import Rig

DATA = Path(__file__).resolve().parents[5] / "shared" / "data" / "webhooks"
ENDPOINT = Endpoint("stripe", "main", "acme", (SecretStr("whsec_test"),))
SCHEME = StripeWebhooks()

KEPT_BY_USERS = [
    # (file of GOV.UK Pay, what fills its placeholder) -> what it is to us
    ("stripe_account_updated.json", {}, Unrecognized),
    ("stripe_balance_available.json", {}, Unrecognized),
    ("stripe_payout_notification.json", {"type": "payout.paid"}, Unrecognized),
    ("stripe_charge_refund_updated.json", {}, RefundReported),
    (
        "stripe_charge_dispute.json",
        {"type": "charge.dispute.created", "status": "needs_response"},
        DisputeReported,
    ),
    (
        "stripe_charge_dispute_lost_with_multiple_balance_transactions.json",
        {"type": "charge.dispute.closed", "status": "lost"},
        DisputeReported,
    ),
    # cut short by those who kept it: an intent has a status and a currency
    (
        "stripe_notification_payment_intent.json",
        {"type": "payment_intent.succeeded", "id": "pi_1"},
        Unreadable,
    ),
    (
        "stripe_notification_payment_intent_payment_failed.json",
        {"type": "payment_intent.payment_failed", "id": "pi_1"},
        PaymentReported,
    ),
]


@pytest.mark.parametrize(("name", "fill", "kind"), KEPT_BY_USERS, ids=lambda value: str(value)[:40])
def test_what_users_of_stripe_have_kept(name: str, fill: dict[str, str], kind: type) -> None:
    path = DATA / "govuk-pay" / name
    if not path.exists():
        pytest.skip("needs ../shared/data/webhooks beside the repository")
    text = path.read_text()
    for placeholder, value in fill.items():
        text = text.replace("{{" + placeholder + "}}", value)
    told = SCHEME.read(text.encode(), ENDPOINT, UUID(int=9))
    assert type(told if isinstance(told, Unreadable) else told[0]) is kind


def test_the_lost_dispute_that_users_have_kept_is_told_to_the_penny() -> None:
    path = DATA / "govuk-pay" / "stripe_charge_dispute_lost_with_multiple_balance_transactions.json"
    if not path.exists():
        pytest.skip("needs ../shared/data/webhooks beside the repository")
    text = path.read_text().replace("{{type}}", "charge.dispute.closed").replace("{{status}}", "lost")
    messages = SCHEME.read(text.encode(), ENDPOINT, UUID(int=9))
    assert not isinstance(messages, Unreadable)
    data = messages[0].data
    assert data.model_dump(exclude={"webhook_id"}, exclude_none=True, mode="json") == {
        "provider": "stripe",
        "account": "main",
        "provider_event_id": "evt_00000000000000",
        "provider_type": "charge.dispute.closed",
        "occurred_at": "2012-01-18T02:24:38Z",
        "provider_reference": "pi_1111111111",
        "dispute_reference": "du_1111111111",
        "stage": "chargeback",
        "status": "lost",
        "amount_minor": 65_00,
        "currency": "GBP",
        "funds_minor": 64_50,
        "fee_minor": 15_01,
        "network_reason": "general",
        "evidence_due_at": "2022-02-14T23:59:59Z",
    }


INTENT = b'{"id":"pi_1","currency":"eur","status":"succeeded","amount":1,"amount_received":%b}'
EVENT = b'{"id":"evt_1","type":"payment_intent.succeeded","created":%b,"data":{"object":%b}}'
UNREADABLE = [
    # (body, the field that the detail names)
    (b"", "body"),
    (b"[]", "body"),
    (b"{}", "id"),
    (b'{"id":"","type":"x","created":1}', "provider_event_id"),
    (EVENT % (b"true", b"{}"), "created"),
    (EVENT % (b"9" * 30, b"{}"), "created"),
    (EVENT % (b"1", b"[]"), "data.object"),
    (EVENT % (b"1", b"{}"), "id"),
    (EVENT % (b"1", INTENT % b'"1"'), "amount_received"),
    (EVENT % (b"1", INTENT % b"-1"), "captured_minor"),
    (EVENT % (b"1", INTENT % (b"9" * 40)), "captured_minor"),
    (EVENT % (b"1", (INTENT % b"1").replace(b"eur", b"currency")), "currency"),
    (EVENT % (b"1", (INTENT % b"1").replace(b"eur", b"clf")), "CLF"),
    (EVENT % (b"1", (INTENT % b"1").replace(b"eur", b"isk")), "ISK"),
]


@pytest.mark.parametrize(("body", "field"), UNREADABLE, ids=range(len(UNREADABLE)))
def test_what_cannot_be_read_names_the_field(body: bytes, field: str) -> None:
    told = SCHEME.read(body, ENDPOINT, UUID(int=9))
    assert isinstance(told, Unreadable)
    assert field in told.detail


async def test_what_localstripe_sends_is_genuine_and_read(rig: Rig, api: httpx.AsyncClient) -> None:
    arrived: asyncio.Queue[tuple[dict[str, str], bytes]] = asyncio.Queue()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
        headers = {name.lower(): value for name, _, value in lines}
        arrived.put_nowait((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        told = {"url": url, "secret": "whsec_test", "events": ["payment_intent.succeeded"]}
        (await api.post("/_config/webhooks/ours", json=told)).raise_for_status()
        call = rig.authorize()
        paid = await rig.provider.execute(call)
        assert isinstance(paid, Succeeded)
        async with asyncio.timeout(100):
            while True:
                headers, body = await arrived.get()
                if paid.provider_reference.encode() in body:
                    break
    now = datetime.now(UTC)
    assert isinstance(SCHEME.verify(body, headers, ENDPOINT.secrets, now), Genuine)
    assert isinstance(SCHEME.verify(body + b" ", headers, ENDPOINT.secrets, now), Forged)
    messages = SCHEME.read(body, ENDPOINT, UUID(int=9))
    assert not isinstance(messages, Unreadable), messages
    [message] = messages
    assert isinstance(message, PaymentReported)
    assert (message.data.order_id, message.data.call_id) == (call.order_id, call.call_id)
    assert (message.data.status, message.data.captured_minor) == ("captured", 12_34)


def test_a_secret_that_is_rotated_out_is_good_until_it_is_gone() -> None:
    old, new = SecretStr("whsec_old"), SecretStr("whsec_new")
    now = datetime.now(UTC)
    headers = sign(b"{}", old, now)
    assert isinstance(SCHEME.verify(b"{}", headers, [new, old], now), Genuine)
    assert isinstance(SCHEME.verify(b"{}", headers, [new], now), Forged)
