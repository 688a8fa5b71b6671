"""What the items of Adyen's webhooks say of our payments, refunds and disputes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from producers.providers.webhooks import Forged, Genuine, Unreadable
from producers.signatures.adyen import sign_body, sign_item
from schemas.reasons import Reason
from schemas.webhook import DisputeReported, PaymentReported, RefundReported, Unrecognized
from tests.producers.providers.adyen.reading import KEY, SCHEME, read

if TYPE_CHECKING:
    from schemas.webhook import WebhookMessage

CALL, REFUND = UUID(int=1), UUID(int=2)


def item(code: str, *, success: bool = True, **fields: Any) -> dict[str, Any]:
    """An item as Adyen sends it for a payment of ours."""
    plain = {
        "pspReference": "PSP_OF_THIS",
        "originalReference": "PSP_OF_PAYMENT",
        "merchantAccountCode": "Acme",
        "merchantReference": "order-1",
        "eventCode": code,
        "success": str(success).lower(),
        "amount": {"currency": "EUR", "value": 1_000},
        "eventDate": "2026-01-01T01:00:00+01:00",
        "reason": "",
    }
    return plain | fields


def wrapped(*items: dict[str, Any]) -> bytes:
    told = [{"NotificationRequestItem": one} for one in items]
    return json.dumps({"live": "false", "notificationItems": told}).encode()


def message(code: str, **fields: Any) -> WebhookMessage:
    told = read(wrapped(item(code, **fields)))
    assert not isinstance(told, Unreadable), told
    [one] = told
    assert (one.source, one.tenant, one.time) == (
        "/webhooks/adyen/main",
        "acme",
        datetime(2026, 1, 1, tzinfo=UTC),
    )
    return one


def payment(code: str, **fields: Any) -> Any:
    told = message(code, **fields)
    assert isinstance(told, PaymentReported)
    return told.data


def test_an_authorization_names_order_payment_and_attempt() -> None:
    told = payment(
        "AUTHORISATION",
        pspReference="PSP_OF_PAYMENT",
        originalReference=None,
        additionalData={"metadata.call_id": str(CALL), "metadata.tenant": "acme"},
    )
    assert (told.order_id, told.provider_reference, told.call_id) == ("order-1", "PSP_OF_PAYMENT", CALL)
    assert (told.status, told.authorized_minor, told.captured_minor) == ("authorized", 10_00, None)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Not enough balance", Reason.INSUFFICIENT_FUNDS),
        ("FRAUD", Reason.SUSPECTED_FRAUD),
        ("3d not authenticated", Reason.AUTHENTICATION_FAILED),
        ("Expired Card: 54", Reason.EXPIRED_CARD),
        ("brand new", Reason.PROCESSING_DECLINED),
        ("", Reason.PROCESSING_DECLINED),
    ],
)
def test_a_refused_authorization_has_our_reason_and_adyens_words(words: str, reason: Reason) -> None:
    told = payment("AUTHORISATION", success=False, reason=words, originalReference=None)
    assert (told.status, told.reason, told.provider_code) == ("failed", reason, words)
    assert told.authorized_minor is None


@pytest.mark.parametrize("code", ["CAPTURE", "CANCELLATION", "AUTHORISATION_ADJUSTMENT"])
@pytest.mark.parametrize("success", [True, False])
def test_a_modification_names_its_call_by_a_signed_reference(code: str, *, success: bool) -> None:
    told = payment(
        code,
        success=success,
        merchantReference=f"call-{CALL}",
        additionalData={"metadata.call_id": str(REFUND)},  # not signed, so not believed
    )
    assert (told.call_id, told.provider_reference, told.order_id) == (CALL, "PSP_OF_PAYMENT", None)
    assert told.status == ("authorized" if not success else payment(code).status)
    assert (told.reason is None) == success


def test_what_was_captured_in_all_is_not_said_by_one_capture() -> None:
    assert payment("CAPTURE").captured_minor is None


def test_an_order_named_like_a_call_is_still_an_order() -> None:
    assert payment("CAPTURE", merchantReference=str(CALL)).order_id == str(CALL)
    assert payment("CAPTURE", merchantReference="call-me").order_id == "call-me"


@pytest.mark.parametrize("told", ["", "two words", "x" * 129, None])
def test_a_reference_that_is_no_order_of_ours_names_none(told: str | None) -> None:
    assert payment("AUTHORISATION", merchantReference=told).order_id is None


@pytest.mark.parametrize(
    ("code", "success", "status", "reason"),
    [
        ("REFUND", True, "succeeded", None),
        ("REFUND", False, "failed", Reason.REFUND_DECLINED),
        ("REFUND_FAILED", True, "failed", Reason.REFUND_RETURNED),
        ("REFUNDED_REVERSED", True, "failed", Reason.REFUND_RETURNED),
        ("POSTPONED_REFUND", True, "pending", None),
    ],
)
def test_a_refund_names_ours(code: str, *, success: bool, status: str, reason: Reason | None) -> None:
    told = message(code, success=success, merchantReference=f"refund-{REFUND}")
    assert isinstance(told, RefundReported)
    data = told.data
    assert (data.refund_id, data.refund_reference, data.provider_reference) == (
        REFUND,
        "PSP_OF_THIS",
        "PSP_OF_PAYMENT",
    )
    assert (data.status, data.amount_minor, data.reason) == (status, 10_00, reason)


DISPUTES = [
    # (event code, disputeStatus) -> stage, status, what Adyen holds
    ("REQUEST_FOR_INFORMATION", None, "inquiry", "needs_response", 0),
    ("REQUEST_FOR_INFORMATION", "Responded", "inquiry", "under_review", 0),
    ("REQUEST_FOR_INFORMATION", "Expired", "inquiry", "expired", 0),
    ("NOTIFICATION_OF_CHARGEBACK", "Undefended", "chargeback", "needs_response", 0),
    ("NOTIFICATION_OF_CHARGEBACK", "Pending", "chargeback", "under_review", 0),
    ("CHARGEBACK", "Undefended", "chargeback", "needs_response", 10_00),
    ("CHARGEBACK", "Accepted", "chargeback", "accepted", 10_00),
    ("CHARGEBACK", "Won", "chargeback", "needs_response", 10_00),  # not signed: it wins nothing
    ("DISPUTE_DEFENSE_PERIOD_ENDED", "Expired", "chargeback", "expired", 10_00),
    ("CHARGEBACK_REVERSED", "Won", "chargeback", "won", 0),
    ("CHARGEBACK_REVERSED", "Pending", "chargeback", "under_review", 0),
    ("ISSUER_RESPONSE_TIMEFRAME_EXPIRED", None, "chargeback", "won", 0),
    ("SECOND_CHARGEBACK", "Lost", "second_chargeback", "lost", 10_00),
    ("PREARBITRATION_WON", None, "second_chargeback", "won", 0),
    ("PREARBITRATION_LOST", None, "second_chargeback", "lost", 10_00),
]


@pytest.mark.parametrize(("code", "hint", "stage", "status", "funds"), DISPUTES)
def test_a_dispute_says_its_stage_and_who_holds_the_money(
    code: str, hint: str | None, stage: str, status: str, funds: int
) -> None:
    additional = {"disputeStatus": hint} if hint else {}
    told = message(code, additionalData=additional | {"chargebackReasonCode": " 4853"})
    assert isinstance(told, DisputeReported)
    data = told.data
    assert (data.stage, data.status, data.funds_minor, data.amount_minor) == (stage, status, funds, 10_00)
    assert (data.dispute_reference, data.provider_reference, data.order_id) == (
        "PSP_OF_THIS",
        "PSP_OF_PAYMENT",
        "order-1",
    )
    assert data.network_reason == "4853"


@pytest.mark.parametrize(
    ("told", "due"),
    [("2021-07-31T03:03:07+02:00", datetime(2021, 7, 31, 1, 3, 7, tzinfo=UTC)), ("soon", None), (None, None)],
)
def test_a_dispute_says_until_when_it_can_be_answered(told: str | None, due: datetime | None) -> None:
    dispute = message("CHARGEBACK", additionalData={"defensePeriodEndsAt": told})
    assert isinstance(dispute, DisputeReported)
    assert dispute.data.evidence_due_at == due


@pytest.mark.parametrize("code", ["CHARGEBACK", "CAPTURE", "CANCELLATION", "REFUND"])
def test_what_names_no_payment_is_kept_for_a_person(code: str) -> None:
    told = message(code, originalReference="")
    assert isinstance(told, Unrecognized)
    assert told.data.order_id == "order-1"


def test_another_tenants_item_reaches_no_order_of_ours() -> None:
    told = message("AUTHORISATION", additionalData={"metadata.tenant": "other"})
    assert isinstance(told, Unrecognized)
    assert told.data.order_id is None


def test_the_event_id_is_made_of_what_is_signed() -> None:
    first = message("CAPTURE")
    assert first.id == "PSP_OF_THIS:CAPTURE:true:1000EUR"
    assert message("CAPTURE", reason="other", additionalData={"x": "y"}).id == first.id
    assert message("CAPTURE", success=False).id != first.id
    assert message("CAPTURE", amount={"currency": "EUR", "value": 999}).id != first.id


def test_items_are_told_in_their_order() -> None:
    told = read(wrapped(item("AUTHORISATION"), item("CAPTURE"), item("REFUND")))
    assert not isinstance(told, Unreadable)
    assert [one.data.provider_type for one in told] == ["AUTHORISATION", "CAPTURE", "REFUND"]


UNREADABLE = [
    # (body, what the detail names)
    (b"", "not JSON"),
    (b"[]", "not a JSON object"),
    (b"{}", "type"),
    (b'{"type":"x"}', "createdAt"),
    (b'{"notificationItems":[]}', "notificationItems"),
    (b'{"notificationItems":[{}]}', "notificationItems[0]"),
    (wrapped(item("CAPTURE"), item("CAPTURE", pspReference="")), "notificationItems[1]: pspReference"),
    (wrapped(item("CAPTURE", eventDate=1_700_000_000)), "eventDate"),
    (wrapped(item("CAPTURE", eventDate="2026-01-01T01:00:00")), "eventDate"),
    (wrapped(item("CAPTURE") | {"success": "maybe"}), "success"),
    (wrapped(item("AUTHORISATION", amount={"currency": "EUR", "value": "-1"})), "amount.value"),
    (wrapped(item("AUTHORISATION", amount={"currency": "EUR", "value": 1.5})), "amount.value"),
    (wrapped(item("AUTHORISATION", amount={"currency": "CLF", "value": 1})), "CLF"),
    (wrapped(item("AUTHORISATION", amount={"currency": "CLP", "value": 150})), "CLP"),
    (wrapped(item("AUTHORISATION", amount={"currency": "EUR", "value": 10**17})), "authorized_minor"),
]


@pytest.mark.parametrize(("body", "named"), UNREADABLE, ids=range(len(UNREADABLE)))
def test_what_cannot_be_read_names_the_field(body: bytes, named: str) -> None:
    told = read(body)
    assert isinstance(told, Unreadable)
    assert named in told.detail


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"notificationItems":' * 10_000, b"\xff\xfe", b"\x00"])
def test_no_body_makes_the_reader_raise(body: bytes) -> None:
    assert isinstance(read(body), Unreadable)


def test_items_and_bodies_that_adyen_signed_are_genuine() -> None:
    now = datetime.now(UTC)
    signed = item("CAPTURE")
    signed["additionalData"] = {"hmacSignature": sign_item(signed, KEY)}
    assert isinstance(SCHEME.verify(wrapped(signed), {}, [KEY], now), Genuine)
    signed["amount"]["value"] = 1_001
    assert isinstance(SCHEME.verify(wrapped(signed), {}, [KEY], now), Forged)
    body = b'{"type":"recurring.token.created"}'
    assert isinstance(SCHEME.verify(body, sign_body(body, KEY), [KEY], now), Genuine)
