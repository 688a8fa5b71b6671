"""Answers in Stripe's documented shapes, and answers that make no sense, from a server that says exactly this.

Increases, disputes and refunds that wait or fail are not known to localstripe: these shapes are read here,
and have not met Stripe.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from uuid import UUID

import pytest

from producers.providers.base import (
    Ambiguous,
    ChallengeRequired,
    Declined,
    NotFound,
    Pending,
    ProviderAnswer,
    ProviderRequest,
    Refused,
    Succeeded,
    Transient,
)
from producers.providers.stripe.adapter import StripeProvider
from tests.producers.providers.stripe.process import API_KEY, RETURN_URL
from tests.producers.providers.suite.rig import following
from tests.producers.providers.wire import Asked, Wire, saying

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

CALL = ProviderRequest(
    call_id=UUID(int=1),
    tenant="acme",
    operation="authorize",
    amount_minor=100,
    currency="EUR",
    method_type="card",
    token="pm_1",  # noqa: S106 - no secret
    order_id="order-1",
    capture=True,
)
CAPTURE = following(CALL, "capture", "pi_1")
INCREASE = following(CALL, "increase", "pi_1", amount_minor=150)
VOID = following(CALL, "void", "pi_1")
CONFIRM = following(CALL, "confirm", "pi_1")
REFUND = following(CALL, "refund", "pi_1", object_id=UUID(int=7))
CONFIRM_REFUND = following(CALL, "confirm_refund", "pi_1", object_reference="re_1")
EVIDENCE = following(
    CALL,
    "submit_evidence",
    "pi_1",
    object_reference="dp_1",
    evidence={"customer_name": "A. Lee", "refund_policy": "30 days", "uncategorized_text": "Sent."},
)
ACCEPT = following(CALL, "accept_dispute", "pi_1", object_reference="dp_1")


def intent(status: str, received: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "id": "pi_1",
        "currency": "eur",
        "status": status,
        "amount": 100,
        "amount_received": received,
        **more,
    }


def refund(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "re_1", "currency": "eur", "status": status, "amount": 100, "metadata": {}, **more}


def failed(reason: str) -> dict[str, Any]:
    return refund("failed", failure_reason=reason)


def dispute(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "dp_1", "currency": "eur", "status": status, "amount": 100, "metadata": {}, **more}


def error(**fields: str) -> dict[str, Any]:
    return {"error": {"type": "invalid_request_error", "message": "no", **fields}}


def card(code: str) -> dict[str, Any]:
    return error(type="card_error", code="card_declined", decline_code=code)


def page(*objects: dict[str, Any]) -> tuple[int, Any]:
    return 200, {"data": objects, "has_more": False}


def done(amount_minor: int, *, of: str = "pi_1", captured: bool = False) -> Succeeded:
    return Succeeded(of, amount_minor, captured=captured, raw=b"")


def said(code: str, reason: str | None = None) -> Declined:
    return Declined(reason or code, code, b"")


def marked(call: ProviderRequest, amount: str) -> dict[str, Any]:
    return {"metadata": {f"call_{call.call_id.hex}": amount}}


@asynccontextmanager
async def answering(*wires: Wire, **options: Any) -> AsyncIterator[tuple[StripeProvider, list[Asked]]]:
    """An adapter whose Stripe says these, and what it was asked."""
    async with saying(*wires) as (url, asked):
        provider = StripeProvider(api_key=API_KEY, return_url=RETURN_URL, base_url=url, **options)
        yield provider, asked
        await provider.aclose()


UNCONFIRMED = (200, intent("requires_confirmation"))
NO_HITS = page()
PAID = intent("succeeded", 100, id="pi_8")
EVIDENCE_MARK = {"evidence_call_id": str(EVIDENCE.call_id)}

SENSE: Sequence[tuple[str, ProviderRequest, Sequence[Wire], ProviderAnswer | type]] = [
    # (execute or query, what was asked, what comes over the wire) -> the answer, `raw` aside
    ("execute", CALL, [UNCONFIRMED, (200, intent("succeeded", 100))], done(100, captured=True)),
    ("execute", CALL, [UNCONFIRMED, (200, intent("requires_capture"))], done(100)),
    ("execute", CALL, [UNCONFIRMED, (200, intent("processing"))], Pending("pi_1", b"")),
    (
        "execute",
        CALL,
        [UNCONFIRMED, (200, intent("requires_action", next_action={"redirect_to_url": {"url": "https://a/b"}}))],
        ChallengeRequired("pi_1", "https://a/b", b""),
    ),
    ("execute", CALL, [UNCONFIRMED, (200, intent("requires_action", next_action={"type": "x"}))], Ambiguous),
    (
        "execute",
        CALL,
        [UNCONFIRMED, (402, card("stolen_card"))],
        said("stolen_card"),
    ),
    # nothing was confirmed yet
    ("execute", CALL, [(500, error())], Transient),
    ("execute", CALL, [(409, error(code="idempotency_key_in_use"))], Transient),
    ("execute", CALL, [(200, b"<html>")], Transient),
    ("execute", CALL, [b""], Transient),
    ("execute", CALL, [(400, error(type="idempotency_error"))], Refused),
    ("execute", CALL, [(401, error())], Refused),
    # something was
    ("execute", CALL, [UNCONFIRMED, (409, error(code="idempotency_key_in_use"))], Ambiguous),
    ("execute", CALL, [UNCONFIRMED, (500, error())], Ambiguous),
    ("execute", CALL, [UNCONFIRMED, b""], Ambiguous),
    ("execute", CALL, [UNCONFIRMED, UNCONFIRMED], Ambiguous),
    ("execute", CALL, [UNCONFIRMED, (429, error(code="lock_timeout"))], Transient),
    # asking: the intent is made again under its key, read, and searched when nothing came of it
    ("query", CALL, [UNCONFIRMED, (200, intent("succeeded", 100))], done(100, captured=True)),
    ("query", CALL, [UNCONFIRMED, UNCONFIRMED, NO_HITS], NotFound),
    ("query", CALL, [UNCONFIRMED, UNCONFIRMED, page(intent("requires_confirmation"))], NotFound),
    ("query", CALL, [UNCONFIRMED, UNCONFIRMED, page(PAID), (200, PAID)], done(100, of="pi_8", captured=True)),
    ("query", CALL, [UNCONFIRMED, UNCONFIRMED, page(PAID, intent("canceled", id="pi_9"))], Ambiguous),
    ("query", CALL, [UNCONFIRMED, UNCONFIRMED, (200, {"data": [], "has_more": True})], Ambiguous),
    ("query", CALL, [UNCONFIRMED, UNCONFIRMED, (500, error())], Ambiguous),
    ("query", CALL, [UNCONFIRMED, UNCONFIRMED, page(PAID), (404, error())], Ambiguous),
    ("query", CALL, [UNCONFIRMED, (404, error())], Ambiguous),
    ("query", CALL, [(400, error())], Ambiguous),
    # captures
    ("execute", CAPTURE, [(200, intent("succeeded", 100))], done(100, captured=True)),
    ("execute", CAPTURE, [(200, intent("requires_capture", 100))], done(100, captured=True)),
    ("execute", CAPTURE, [(200, intent("processing"))], Pending("pi_1", b"")),
    ("execute", CAPTURE, [(200, intent("succeeded", 99))], Ambiguous),
    ("execute", CAPTURE, [(200, intent("canceled"))], Ambiguous),
    ("execute", CAPTURE, [(402, card("expired_card"))], said("expired_card")),
    ("query", CAPTURE, [(200, intent("requires_capture", 100, **marked(CAPTURE, "100")))], done(100, captured=True)),
    ("query", CAPTURE, [(200, intent("requires_capture", 100))], NotFound),
    ("query", CAPTURE, [(200, intent("succeeded", 100))], Refused),
    ("query", CAPTURE, [(200, intent("requires_capture", **marked(CAPTURE, "a hundred")))], Ambiguous),
    ("query", CAPTURE, [(404, error())], Ambiguous),
    ("query", CAPTURE, [(200, intent("requires_payment_method"))], Declined),
    # increases
    ("execute", INCREASE, [(200, intent("requires_capture") | {"amount": 150})], done(150)),
    ("execute", INCREASE, [(200, intent("requires_capture"))], Ambiguous),
    ("execute", INCREASE, [(402, card("insufficient_funds"))], Declined),
    ("query", INCREASE, [(200, intent("requires_capture", **marked(INCREASE, "150")))], done(150)),
    ("query", INCREASE, [(200, intent("requires_capture"))], NotFound),
    # voids
    ("execute", VOID, [(200, intent("canceled", 30))], done(70)),
    ("execute", VOID, [(200, intent("succeeded", 100))], Ambiguous),
    ("query", VOID, [(200, intent("canceled"))], done(100)),
    ("query", VOID, [(200, intent("requires_capture"))], NotFound),
    ("query", VOID, [(200, intent("succeeded", 100))], Refused),
    # readings are read anew
    ("execute", CONFIRM, [(500, error())], Transient),
    ("query", CONFIRM, [(200, b"{}")], Transient),
    ("query", CONFIRM, [UNCONFIRMED], Transient),
    ("execute", CONFIRM, [(200, intent("requires_capture", 40))], done(40, captured=True)),
    ("execute", CONFIRM, [(200, intent("canceled"))], Refused),
    # refunds
    ("execute", REFUND, [(200, refund("succeeded"))], done(100, of="re_1")),
    ("execute", REFUND, [(200, refund("pending"))], Pending("re_1", b"")),
    ("execute", REFUND, [(200, refund("requires_action"))], Pending("re_1", b"")),
    ("execute", REFUND, [(200, failed("lost_or_stolen_card"))], said("lost_or_stolen_card", "refund_returned")),
    ("execute", REFUND, [(200, refund("canceled"))], said("canceled", "refund_returned")),
    ("execute", REFUND, [(500, error())], Ambiguous),
    ("execute", REFUND, [(200, refund("exploded"))], Ambiguous),
    ("query", REFUND, [page(refund("pending", metadata={"call_id": str(REFUND.call_id)}))], Pending("re_1", b"")),
    ("query", REFUND, [page(refund("pending"))], NotFound),
    ("query", REFUND, [(200, {"data": [], "has_more": True})], NotFound),
    ("execute", CONFIRM_REFUND, [(200, failed("unknown"))], said("unknown", "refund_returned")),
    ("query", CONFIRM_REFUND, [(502, b"")], Transient),
    # disputes
    ("execute", EVIDENCE, [(200, dispute("under_review"))], done(100, of="dp_1")),
    ("query", EVIDENCE, [(200, dispute("under_review", metadata=EVIDENCE_MARK))], done(100, of="dp_1")),
    ("query", EVIDENCE, [(200, dispute("needs_response"))], NotFound),
    ("query", EVIDENCE, [(200, dispute("lost"))], Refused),
    ("execute", replace(EVIDENCE, evidence={"customer_name": "x" * 20_001}), [b""], Refused),
    ("execute", ACCEPT, [(200, dispute("lost"))], done(100, of="dp_1")),
    ("execute", ACCEPT, [(200, dispute("needs_response"))], Ambiguous),
    ("query", ACCEPT, [(200, dispute("lost"))], done(100, of="dp_1")),
    ("query", ACCEPT, [(200, dispute("needs_response"))], NotFound),
    ("query", ACCEPT, [(200, dispute("won"))], Refused),
    # nothing that makes sense
    ("execute", CAPTURE, [b"SSH-2.0-OpenSSH\r\n"], Ambiguous),
    ("execute", CAPTURE, [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"], Ambiguous),
    ("execute", CAPTURE, [(200, b"\xff\xfe")], Ambiguous),
    ("execute", CAPTURE, [(200, b"[]")], Ambiguous),
    ("execute", CAPTURE, [(200, b"null")], Ambiguous),
    ("execute", CAPTURE, [(200, b'"text"')], Ambiguous),
    ("execute", CAPTURE, [(200, intent("exploded"))], Ambiguous),
    ("execute", CAPTURE, [(200, intent("succeeded", 100) | {"amount_received": "100"})], Ambiguous),
    ("execute", CAPTURE, [(200, intent("succeeded", 150) | {"currency": "isk"})], Ambiguous),
    ("execute", CAPTURE, [(301, b"")], Ambiguous),
    ("execute", CAPTURE, [(402, b"")], Ambiguous),
    ("execute", CAPTURE, [(402, b'{"error":[]}')], Ambiguous),
    ("execute", CAPTURE, [(400, b'{"error":[]}')], Ambiguous),
    ("execute", CAPTURE, [(400, b'{"error":"text"}')], Ambiguous),
    ("execute", CAPTURE, [(403, b"<html>")], Refused),
    ("execute", CAPTURE, [(408, b"")], Ambiguous),
    ("execute", CAPTURE, [(503, b"")], Ambiguous),
]  # fmt: skip


@pytest.mark.parametrize(("asking", "call", "wires", "expected"), SENSE, ids=range(len(SENSE)))
async def test_what_comes_over_the_wire_means_this_for_money(
    asking: str, call: ProviderRequest, wires: Sequence[Wire], expected: ProviderAnswer | type
) -> None:
    async with answering(*wires) as (provider, _):
        answer = await (provider.query(call) if asking == "query" else provider.execute(call))
    if isinstance(expected, type):
        assert type(answer) is expected, answer
    else:
        assert isinstance(answer, Succeeded | Declined | ChallengeRequired | Pending)
        assert replace(answer, raw=b"") == expected


async def test_nothing_is_sent_twice_by_the_sdk() -> None:
    async with answering((500, error())) as (provider, asked):
        await provider.execute(CAPTURE)
    assert len(asked) == 1


async def test_each_step_of_a_call_has_its_own_key() -> None:
    async with answering(UNCONFIRMED, (200, intent("succeeded", 100))) as (provider, asked):
        await provider.execute(CALL)
    create, confirm = asked
    assert (create.line, create.headers["idempotency-key"]) == ("POST /v1/payment_intents", str(CALL.call_id))
    assert confirm.line == "POST /v1/payment_intents/pi_1/confirm"
    assert confirm.headers["idempotency-key"] == f"{CALL.call_id}:confirm"
    assert dict(parse_qsl(create.body)) == {
        "amount": "100",
        "currency": "eur",
        "payment_method": "pm_1",
        "allowed_payment_method_types[0]": "card",
        "capture_method": "automatic",
        "metadata[tenant]": "acme",
        "metadata[order_id]": "order-1",
        "metadata[call_id]": str(CALL.call_id),
    }
    assert dict(parse_qsl(confirm.body)) == {"return_url": RETURN_URL}


async def test_what_an_account_may_do_is_asked_for_at_the_hold() -> None:
    features = ("multicapture", "incremental_authorization")
    async with answering(UNCONFIRMED, (200, intent("requires_capture")), features=features) as (
        provider,
        asked,
    ):
        await provider.execute(replace(CALL, capture=False))
    told = dict(parse_qsl(asked[0].body))
    assert told["capture_method"] == "manual"
    for feature in features:
        assert told[f"payment_method_options[card][request_{feature}]"] == "if_available"


async def test_a_part_that_is_not_the_last_says_so_and_leaves_its_mark() -> None:
    part = replace(CAPTURE, final=False)
    async with answering((200, intent("requires_capture", 100))) as (provider, asked):
        await provider.execute(part)
    assert dict(parse_qsl(asked[0].body)) == {
        "amount_to_capture": "100",
        f"metadata[call_{part.call_id.hex}]": "100",
        "final_capture": "false",
    }


async def test_evidence_that_stripe_takes_as_files_is_told_as_text() -> None:
    async with answering((200, dispute("under_review"))) as (provider, asked):
        await provider.execute(EVIDENCE)
    assert dict(parse_qsl(asked[0].body)) == {
        "evidence[customer_name]": "A. Lee",
        "evidence[uncategorized_text]": "Sent.\n\nRefund policy:\n30 days",
        "submit": "true",
        "metadata[evidence_call_id]": str(EVIDENCE.call_id),
    }


async def test_a_kind_of_method_that_is_not_taken_is_refused_unsent() -> None:
    async with answering(b"") as (provider, asked):
        assert isinstance(await provider.execute(replace(CALL, method_type="voucher")), Refused)
    assert asked == []


@pytest.mark.parametrize(
    ("header", "retry_after_ms"),
    [
        (b"2", 2_000),
        (b"Wed, 21 Oct 2026 07:28:00 GMT", None),
        (b"-1", None),
        (b"9" * 5_000, None),
        (b"", None),
    ],
)
async def test_retry_after_is_read_in_seconds(header: bytes, retry_after_ms: int | None) -> None:
    body = b'{"error":{"type":"invalid_request_error","code":"rate_limit"}}'
    wire = b"HTTP/1.1 429 X\r\nRetry-After: %b\r\nContent-Length: %d\r\n\r\n%b" % (header, len(body), body)
    async with answering(wire) as (provider, _):
        assert await provider.execute(CAPTURE) == Transient("HTTP 429", retry_after_ms)


async def test_no_secret_shows_in_what_is_logged_or_printed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with answering((401, error(message="Invalid API Key provided"))) as (provider, _):
        answer = await provider.execute(CALL)
        shown = f"{provider!r} {vars(provider)!r} {answer!r} {CALL!r} {caplog.text}"
    assert API_KEY.get_secret_value() not in shown
    assert "pm_1" not in shown


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with answering((200, intent("succeeded", 100))) as (provider, _):
        assert isinstance(await provider.execute(CAPTURE), Succeeded)
