"""Every example that Adyen publishes for its webhooks, and those that SDKs and users have kept: what each is to us."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from pydantic import SecretStr

from producers.providers.adyen.webhooks import AdyenWebhooks
from producers.providers.webhooks import Endpoint, Forged, Genuine, Unreadable
from producers.signatures.adyen import sign_body, sign_item
from schemas.reasons import Reason
from schemas.webhook import DisputeReported, PaymentReported, RefundReported, Unrecognized

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.webhook import WebhookMessage

DATA = Path(__file__).resolve().parents[5] / "shared" / "data" / "webhooks"
KEY = SecretStr("74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174")
ENDPOINT = Endpoint("adyen", "main", "acme", (KEY,))
SCHEME = AdyenWebhooks()
CALL, REFUND = UUID(int=1), UUID(int=2)

PAYMENT, REFUNDED, DISPUTE = PaymentReported, RefundReported, DisputeReported
PUBLISHED: dict[str, tuple[type, str]] = {
    # Adyen's example -> our message, and what it says
    "ACH_NOTIFICATION_OF_CHANGE-ach_notification_of_change": (Unrecognized, ""),
    "AUTHORISATION-authorisation": (PAYMENT, "authorized"),
    "AUTHORISATION_ADJUSTMENT-authorisation_adjustment": (PAYMENT, "authorized"),
    "AUTORESCUE-autorescue": (Unrecognized, ""),
    "CANCELLATION-cancellation": (PAYMENT, "canceled"),
    "CANCEL_AUTORESCUE-cancel_autorescue": (Unrecognized, ""),
    "CANCEL_OR_REFUND-cancel_or_refund": (
        Unrecognized,
        "",
    ),  # which of the two is not signed, and we never ask so
    "CAPTURE-capture": (PAYMENT, "captured"),
    "CAPTURE_FAILED-capture_failed": (PAYMENT, "failed"),
    "CHARGEBACK-chargeback": (DISPUTE, "chargeback needs_response"),
    "CHARGEBACK_REVERSED-chargeback_reversed": (Unrecognized, ""),  # names no payment
    "DIRECT_DEBIT_NOTICE_OF_CHANGE_NOTIFICATION-ach_notice_of_change": (Unrecognized, ""),
    "DIRECT_DEBIT_NOTICE_OF_CHANGE_NOTIFICATION-eft_notice_of_change": (Unrecognized, ""),
    "DISPUTE_DEFENSE_PERIOD_ENDED-dispute_defense_period_ended": (DISPUTE, "chargeback lost"),
    "EXPIRE-expire": (PAYMENT, "canceled"),
    "INFORMATION_SUPPLIED-information_supplied": (Unrecognized, ""),  # does not say who holds the money
    "ISSUER_COMMENTS-issuer_comments": (Unrecognized, ""),
    "ISSUER_RESPONSE_TIMEFRAME_EXPIRED-issuer_response_timeframe_expired": (DISPUTE, "chargeback won"),
    "MANUAL_REVIEW_ACCEPT-manual_review_accept": (Unrecognized, ""),
    "MANUAL_REVIEW_REJECT-manual_review_reject": (Unrecognized, ""),
    "NOTIFICATION_OF_CHARGEBACK-notification_of_chargeback": (DISPUTE, "chargeback needs_response"),
    "NOTIFICATION_OF_FRAUD-notification_of_fraud": (Unrecognized, ""),
    "OFFER_CLOSED-offer_closed": (PAYMENT, "failed"),
    "ORDER_CLOSED-order_closed": (Unrecognized, ""),
    "ORDER_OPENED-order_opened": (Unrecognized, ""),
    "PAIDOUT_REVERSED-paidout_reversed": (Unrecognized, ""),
    "PAYOUT_DECLINE-payout_decline": (Unrecognized, ""),
    "PAYOUT_EXPIRE-payout_expire": (Unrecognized, ""),
    "PAYOUT_THIRDPARTY-payout_thirdparty": (Unrecognized, ""),
    "POSTPONED_REFUND-postponed_refund": (REFUNDED, "pending"),
    "PREARBITRATION_LOST-prearbitration_lost": (Unrecognized, ""),  # names no payment
    "PREARBITRATION_WON-prearbitration_won": (Unrecognized, ""),  # names no payment
    "RECURRING_CONTRACT-recurring_contract": (Unrecognized, ""),
    "REFUND-refund": (REFUNDED, "failed"),
    "REFUNDED_REVERSED-refunded_reversed": (REFUNDED, "failed"),
    "REFUND_FAILED-refund_failed": (REFUNDED, "failed"),
    "REFUND_WITH_DATA-refund_with_data": (REFUNDED, "succeeded"),
    "REPORT_AVAILABLE-report_available": (Unrecognized, ""),
    "REQUEST_FOR_INFORMATION-request_for_information": (DISPUTE, "inquiry needs_response"),
    "SECOND_CHARGEBACK-second_chargeback": (Unrecognized, ""),  # names no payment
    "TECHNICAL_CANCEL-technical_cancel": (PAYMENT, "canceled"),
    "VOID_PENDING_REFUND-void_pending_refund": (Unrecognized, ""),  # does not say which refund
}

KEPT: dict[str, tuple[type, str]] = {
    # file of Adyen's SDKs or of GOV.UK Pay -> our message, and what it says
    "adyen-java/authorisation-true.json": (PAYMENT, "authorized"),
    "adyen-java/authorisation-true-additional-attribute.json": (PAYMENT, "authorized"),
    "adyen-java/balancePlatform-transaction-created.json": (Unrecognized, ""),
    "adyen-java/balancePlatform-transaction-created-bank-category.json": (Unrecognized, ""),
    "adyen-java/cancellation-true.json": (PAYMENT, "canceled"),
    "adyen-java/capture-false.json": (PAYMENT, "authorized"),
    "adyen-java/capture-true.json": (PAYMENT, "captured"),
    "adyen-java/chargeback.json": (DISPUTE, "chargeback needs_response"),
    "adyen-java/display-notification.json": (Unreadable, "type"),  # of a terminal, no webhook
    "adyen-java/event-invalid-notification.json": (Unreadable, "type"),
    "adyen-java/event-notification.json": (Unreadable, "type"),
    "adyen-java/event-notification-additional-attribute.json": (Unreadable, "type"),
    "adyen-java/hmac-validation-webhook.json": (Unreadable, "type"),  # an item without its wrapping
    "adyen-java/management-webhook-payment-method-created.json": (Unrecognized, ""),
    "adyen-java/management-webhook-payment-method-created-unknown-enum.json": (Unrecognized, ""),
    "adyen-java/offer-closed.json": (PAYMENT, "failed"),
    "adyen-java/refund-false.json": (REFUNDED, "failed"),
    "adyen-java/refund-true.json": (REFUNDED, "succeeded"),
    "adyen-java/tokenization-webhook-recurring-token-alreadyExisting.json": (Unrecognized, ""),
    "adyen-java/tokenization-webhook-recurring-token-created.json": (Unrecognized, ""),
    "adyen-java/tokenization-webhook-recurring-token-disabled.json": (Unrecognized, ""),
    "adyen-java/tokenization-webhook-recurring-token-updated.json": (Unrecognized, ""),
    "adyen-node/accountHolderCreated.json": (Unrecognized, ""),
    "adyen-node/authorisationTrue.json": (PAYMENT, "authorized"),
    "adyen-node/captureFalse.json": (PAYMENT, "authorized"),
    "adyen-node/captureTrue.json": (PAYMENT, "captured"),
    "adyen-node/refundFalse.json": (REFUNDED, "failed"),
    "adyen-node/refundTrue.json": (REFUNDED, "succeeded"),
    "govuk-pay/adyen_cancellation-failed.json": (PAYMENT, "authorized"),
    "govuk-pay/adyen_cancellation-successful.json": (PAYMENT, "canceled"),
    "govuk-pay/adyen_capture-successful.json": (PAYMENT, "captured"),
    "govuk-pay/adyen_notification.json": (Unreadable, "eventDate"),  # Adyen dates every item
    "govuk-pay/adyen_refund-failed.json": (REFUNDED, "failed"),
    "govuk-pay/adyen_refund-successful.json": (REFUNDED, "succeeded"),
    "govuk-pay/adyen_token-notification.json": (Unrecognized, ""),
}


def read(body: bytes) -> Sequence[WebhookMessage] | Unreadable:
    return SCHEME.read(body, ENDPOINT, UUID(int=9))


def says(told: Sequence[WebhookMessage] | Unreadable) -> tuple[type, str]:
    if isinstance(told, Unreadable):
        return Unreadable, told.detail
    [message] = told
    match message:
        case PaymentReported() | RefundReported():
            return type(message), message.data.status
        case DisputeReported():
            return type(message), f"{message.data.stage} {message.data.status}"
        case Unrecognized():
            return type(message), ""


def examples(name: str) -> dict[str, Any]:
    path = DATA / "adyen-openapi" / f"{name}.examples.json"
    if not path.exists():
        pytest.skip("needs ../shared/data/webhooks beside the repository: Adyen's published examples")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_each_of_the_42_published_examples_is_recognized_or_deliberately_not() -> None:
    published = {
        name.removeprefix("post-"): says(read(json.dumps(example["value"]).encode()))
        for name, example in examples("Webhooks-v1").items()
    }
    assert published == PUBLISHED
    assert len(PUBLISHED) == 42


@pytest.mark.parametrize("name", KEPT)
def test_what_sdks_and_users_have_kept(name: str) -> None:
    path = DATA / name
    if not path.exists():
        pytest.skip("needs ../shared/data/webhooks beside the repository")
    kind, words = says(read(path.read_bytes()))
    expected, said = KEPT[name]
    assert kind is expected
    assert said in words if kind is Unreadable else said == words


def test_every_file_that_was_kept_is_in_the_table() -> None:
    if not DATA.exists():
        pytest.skip("needs ../shared/data/webhooks beside the repository")
    files = {f"{path.parent.name}/{path.name}" for path in DATA.glob("adyen-[jn]*/*.json")}
    files |= {f"{path.parent.name}/{path.name}" for path in DATA.glob("govuk-pay/adyen_*.json")}
    assert files == set(KEPT)


@pytest.mark.parametrize(
    "name",
    [
        "BalancePlatformReportNotification-v1",
        "BalancePlatformTransactionNotification-v4",
        "BalancePlatformTransferNotification-v4",
    ],
)
def test_webhooks_of_the_platform_are_kept_and_mean_nothing_yet(name: str) -> None:
    for title, example in examples(name).items():
        if title.startswith("post-"):
            assert says(read(json.dumps(example["value"]).encode()))[0] is Unrecognized


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
