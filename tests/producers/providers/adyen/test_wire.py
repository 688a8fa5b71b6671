"""Adyen's documented answers, and answers that make no sense, from a server on loopback that says exactly this.

Adyen has no server to run: what is here has met its documents, not Adyen.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from producers.providers.adyen.adapter import AdyenAccount, AdyenProvider
from producers.providers.base import (
    Ambiguous,
    ChallengeRequired,
    Declined,
    Pending,
    ProviderAnswer,
    ProviderRequest,
    Refused,
    Succeeded,
    Transient,
)
from tests.producers.providers.suite.rig import following
from tests.producers.providers.wire import Asked, Wire, saying

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

API_KEY = SecretStr("adyen-test-key")
HOLD = ProviderRequest(
    call_id=UUID(int=1),
    tenant="acme",
    operation="authorize",
    amount_minor=100,
    currency="EUR",
    method_type="card",
    token="shopper:1:M5N7TQ4TG5PFWR50",  # noqa: S106 - no secret
    order_id="order-1",
)
SALE = replace(HOLD, capture=True)
CAPTURE = following(HOLD, "capture", "PSP")
INCREASE = following(HOLD, "increase", "PSP", amount_minor=150)
VOID = following(HOLD, "void", "PSP")
CONFIRM = following(HOLD, "confirm", "PSP")
REFUND = following(HOLD, "refund", "PSP", object_id=UUID(int=7))
CONFIRM_REFUND = following(HOLD, "confirm_refund", "PSP", object_reference="PSP_R")
EVIDENCE = following(
    HOLD, "submit_evidence", "PSP", object_reference="PSP_D", evidence={"customer_name": "A"}
)
ACCEPT = following(HOLD, "accept_dispute", "PSP", object_reference="PSP_D")
EVERY_CALL = [HOLD, SALE, CAPTURE, INCREASE, VOID, REFUND, EVIDENCE, ACCEPT]


def result(code: str, **more: Any) -> tuple[int, Any]:
    return 200, {"resultCode": code, "pspReference": "PSP", "merchantReference": "order-1", **more}


def received(reference: str = "PSP_M") -> tuple[int, Any]:
    return 201, {"status": "received", "pspReference": reference, "paymentPspReference": "PSP"}


def problem(status: int, code: str = "000") -> tuple[int, Any]:
    return status, {"status": status, "errorCode": code, "message": "no", "errorType": "validation"}


AUTHORISED = result("Authorised", amount={"currency": "EUR", "value": 100})
REDIRECT = {"type": "redirect", "method": "GET", "url": "https://checkoutshopper-test.adyen.com/x"}
HELD = Succeeded("PSP", 100, captured=False, raw=b"")

SENSE: Sequence[tuple[ProviderRequest, Sequence[Wire], ProviderAnswer | type]] = [
    # (what was asked, what comes over the wire) -> the answer, `raw` aside
    (HOLD, [AUTHORISED], HELD),
    (HOLD, [result("Authorised")], HELD),
    (HOLD, [result("PartiallyAuthorised", amount={"currency": "EUR", "value": 60})], replace(HELD, amount_minor=60)),
    (HOLD, [result("Refused", refusalReasonCode="12")], Declined("insufficient_funds", "12", b"")),
    (HOLD, [result("Refused", refusalReasonCode="999")], Declined("processing_declined", "999", b"")),
    (HOLD, [result("Refused", refusalReason="Refused")], Declined("processing_declined", "Refused", b"")),
    (HOLD, [result("Error", refusalReasonCode="4")], Declined("try_again_later", "4", b"")),
    (HOLD, [result("Cancelled", refusalReasonCode="16")], Declined("challenge_abandoned", "16", b"")),
    (HOLD, [result("RedirectShopper", action=REDIRECT)], ChallengeRequired("PSP", REDIRECT["url"], b"")),
    (
        HOLD,
        [(200, {"resultCode": "RedirectShopper", "action": REDIRECT})],
        ChallengeRequired(f"call-{HOLD.call_id}", REDIRECT["url"], b""),
    ),
    (HOLD, [result("IdentifyShopper", action={"type": "threeDS2"})], Ambiguous),
    (HOLD, [result("Pending")], Pending("PSP", b"")),
    (HOLD, [result("Received")], Pending("PSP", b"")),
    (HOLD, [result("Exploded")], Ambiguous),
    (HOLD, [(200, {"resultCode": "Authorised"})], Ambiguous),
    (HOLD, [result("Authorised", amount={"currency": "CLF", "value": 1})], Ambiguous),
    (HOLD, [(200, {})], Ambiguous),
    # a sale is a hold and its capture, and that one is decided by its webhook
    (SALE, [AUTHORISED, received()], Pending("PSP", b"")),
    (SALE, [AUTHORISED, (500, b"")], Pending("PSP", b"")),
    (SALE, [AUTHORISED, b""], Pending("PSP", b"")),
    (SALE, [AUTHORISED, problem(422, "117")], HELD),
    (SALE, [AUTHORISED, problem(429)], HELD),
    (SALE, [result("Refused", refusalReasonCode="6")], Declined("expired_card", "6", b"")),
    # modifications are taken on, never more
    (CAPTURE, [received()], Pending("PSP", b"")),
    (INCREASE, [received()], Pending("PSP", b"")),
    (VOID, [received()], Pending("PSP", b"")),
    (REFUND, [received("PSP_R")], Pending("PSP_R", b"")),
    (CAPTURE, [(201, {"status": "done", "pspReference": "PSP_M"})], Ambiguous),
    (CAPTURE, [(201, {"status": "received"})], Ambiguous),
    # what cannot be read at Adyen is waited for
    (CONFIRM, [b""], Pending("PSP", b"")),
    (CONFIRM_REFUND, [b""], Pending("PSP_R", b"")),
    # disputes
    (ACCEPT, [(200, {"disputeServiceResult": {"success": True}})], Succeeded("PSP_D", 100, captured=False, raw=b"")),
    (ACCEPT, [(200, {"disputeServiceResult": {"success": False, "errorMessage": "too late"}})], Refused),
    (ACCEPT, [(500, b"")], Ambiguous),
    (EVIDENCE, [b""], Refused),
    # our mistakes, and theirs
    (CAPTURE, [problem(400)], Refused),
    (CAPTURE, [problem(401)], Refused),
    (CAPTURE, [problem(402)], Refused),
    (CAPTURE, [problem(403, "901")], Refused),
    (CAPTURE, [problem(422, "167")], Refused),
    (CAPTURE, [problem(422, "704")], Ambiguous),
    (CAPTURE, [b"HTTP/1.1 422 X\r\nTransient-Error: true\r\nContent-Length: 2\r\n\r\n{}"], Ambiguous),
    (CAPTURE, [problem(429)], Transient),
    (CAPTURE, [problem(500)], Ambiguous),
    (CAPTURE, [(503, b"<html>")], Ambiguous),
    (CAPTURE, [(301, b"")], Ambiguous),
    (CAPTURE, [(404, b"<html>")], Refused),
    (CAPTURE, [(200, b"<html>")], Ambiguous),
    (CAPTURE, [(200, b"\xff")], Ambiguous),
    (CAPTURE, [b""], Ambiguous),
    (CAPTURE, [b"SSH-2.0-OpenSSH\r\n"], Ambiguous),
    (CAPTURE, [b"HTTP/1.1 201 X\r\nContent-Length: 100\r\n\r\n{"], Ambiguous),
    # refused before anything is sent
    (replace(HOLD, currency="CLF"), [AUTHORISED], Refused),
    (replace(HOLD, currency="IDR", amount_minor=150), [AUTHORISED], Refused),
    (replace(HOLD, token="M5N7TQ4TG5PFWR50"), [AUTHORISED], Refused),  # noqa: S106 - no secret
    (replace(HOLD, order_id="x" * 81), [AUTHORISED], Refused),
    (replace(HOLD, method_type="voucher"), [AUTHORISED], Refused),
    (replace(CAPTURE, provider_reference=f"call-{HOLD.call_id}"), [received()], Refused),
]  # fmt: skip


@asynccontextmanager
async def answering(*wires: Wire, **options: Any) -> AsyncIterator[tuple[AdyenProvider, list[Asked]]]:
    """An adapter whose Adyen says these, and what it was asked."""
    async with saying(*wires) as (url, asked):
        account = AdyenAccount(
            api_key=API_KEY,
            merchant_account="Acme",
            return_url="https://shop.example/back",
            checkout_url=f"{url}/checkout/",
            disputes_url=url,
            **options,
        )
        provider = AdyenProvider(account)
        yield provider, asked
        await provider.aclose()


@pytest.mark.parametrize(("call", "wires", "expected"), SENSE, ids=range(len(SENSE)))
async def test_what_comes_over_the_wire_means_this_for_money(
    call: ProviderRequest, wires: Sequence[Wire], expected: ProviderAnswer | type
) -> None:
    async with answering(*wires) as (provider, _):
        answer = await provider.execute(call)
    if isinstance(expected, type):
        assert type(answer) is expected, answer
    else:
        assert isinstance(answer, Succeeded | Declined | ChallengeRequired | Pending)
        assert replace(answer, raw=b"") == expected


@pytest.mark.parametrize("call", EVERY_CALL, ids=lambda call: call.operation)
async def test_adyen_cannot_be_asked_so_an_unknown_outcome_stays_open(call: ProviderRequest) -> None:
    async with answering(AUTHORISED) as (provider, asked):
        assert isinstance(await provider.query(call), Ambiguous)
    assert asked == []


async def test_a_payment_is_told_as_adyen_documents_it() -> None:
    async with answering(AUTHORISED, received(), adjustable=True) as (provider, asked):
        await provider.execute(SALE)
    payment, capture = asked
    assert payment.line == "POST /checkout/v72/payments"
    assert payment.headers["idempotency-key"] == str(SALE.call_id)
    assert payment.headers["x-api-key"] == API_KEY.get_secret_value()
    assert json.loads(payment.body) == {
        "merchantAccount": "Acme",
        "amount": {"currency": "EUR", "value": 100},
        "reference": "order-1",
        "paymentMethod": {"type": "scheme", "storedPaymentMethodId": "M5N7TQ4TG5PFWR50"},
        "shopperReference": "shopper:1",
        "shopperInteraction": "ContAuth",
        "recurringProcessingModel": "CardOnFile",
        "returnUrl": "https://shop.example/back",
        "authenticationData": {"threeDSRequestData": {"nativeThreeDS": "disabled"}},
        "additionalData": {"manualCapture": "true"},
        "metadata": {"tenant": "acme", "call_id": str(SALE.call_id)},
    }
    assert capture.line == "POST /checkout/v72/payments/PSP/captures"
    assert capture.headers["idempotency-key"] == f"{SALE.call_id}:capture"
    assert len(capture.headers["idempotency-key"]) <= 64
    assert json.loads(capture.body) == {
        "merchantAccount": "Acme",
        "reference": f"call-{SALE.call_id}",
        "amount": {"currency": "EUR", "value": 100},
    }


async def test_a_hold_that_may_grow_is_a_pre_authorization() -> None:
    async with answering(AUTHORISED, adjustable=True) as (provider, asked):
        await provider.execute(HOLD)
    assert json.loads(asked[0].body)["additionalData"] == {
        "manualCapture": "true",
        "authorisationType": "PreAuth",
    }


AMOUNT = {"currency": "EUR", "value": 100}


@pytest.mark.parametrize(
    ("call", "line", "body"),
    [
        (CAPTURE, "captures", {"reference": f"call-{CAPTURE.call_id}", "amount": AMOUNT}),
        (INCREASE, "amountUpdates", {"reference": f"call-{INCREASE.call_id}", "amount": AMOUNT | {"value": 150}}),
        (VOID, "cancels", {"reference": f"call-{VOID.call_id}"}),
        (REFUND, "refunds", {"reference": f"refund-{UUID(int=7)}", "amount": AMOUNT}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
async def test_a_modification_carries_a_reference_that_leads_back(
    call: ProviderRequest, line: str, body: dict[str, Any]
) -> None:
    async with answering(received()) as (provider, asked):
        await provider.execute(call)
    [sent] = asked
    assert sent.line == f"POST /checkout/v72/payments/PSP/{line}"
    assert sent.headers["idempotency-key"] == str(call.call_id)
    assert json.loads(sent.body) == {"merchantAccount": "Acme", **body}


@pytest.mark.parametrize("reference", ["../x", "a/b?c#d", "ä %2F"])
async def test_a_reference_is_never_a_path(reference: str) -> None:
    async with answering(problem(404)) as (provider, asked):
        assert isinstance(await provider.execute(replace(CAPTURE, provider_reference=reference)), Refused)
    path = asked[0].line.removeprefix("POST /checkout/v72/payments/").removesuffix("/captures")
    assert "/" not in path
    assert "?" not in path


async def test_nobody_listening_is_transient_but_leaves_the_query_open() -> None:
    async with saying(b"") as (url, _):
        gone = url
    account = AdyenAccount(
        api_key=API_KEY, merchant_account="Acme", return_url="https://a/b", checkout_url=gone
    )
    provider = AdyenProvider(account)
    assert isinstance(await provider.execute(HOLD), Transient)
    assert isinstance(await provider.query(HOLD), Ambiguous)
    await provider.aclose()


async def test_no_secret_shows_in_what_is_logged_or_printed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with answering(problem(401)) as (provider, _):
        answer = await provider.execute(HOLD)
        shown = f"{provider!r} {vars(provider)!r} {answer!r} {HOLD!r} {caplog.text}"
    assert API_KEY.get_secret_value() not in shown
    assert "M5N7TQ4TG5PFWR50" not in shown


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with answering(AUTHORISED) as (provider, _):
        assert isinstance(await provider.execute(HOLD), Succeeded)
