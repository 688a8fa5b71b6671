"""Every example that Adyen publishes for its webhooks, and those that SDKs and users have kept: what each is to us."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from producers.providers.webhooks import Unreadable
from schemas.webhook import DisputeReported, PaymentReported, RefundReported, Unrecognized
from tests.producers.providers.adyen.reading import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.webhook import WebhookMessage

DATA = Path(__file__).resolve().parents[5] / "shared" / "data" / "webhooks"

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
