"""What comes in is read strictly: each wrong message is refused, and the refusal names what is wrong."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from pydantic import ValidationError

from schemas.safe_text import holds_card_number
from tests.schemas.refused import CAPTURE, FEES, LUHN, RECORDED, REFUSED, REQUESTED, TIMER, Refused
from tests.schemas.samples import ABSENT, CARD, DATA, TOPIC_OF, cloud_event, read


def read_json(event: dict[str, Any], topic: str | None = None) -> Any:
    """The message, by way of bytes."""
    return read(topic or TOPIC_OF[event["type"]], json.dumps(event).encode())


def refused_members(event: dict[str, Any]) -> list[str]:
    """The members that a refusal names, less the tag of the union that a path begins with."""
    with pytest.raises(ValidationError) as refusal:
        read_json(event)
    places = [tuple(str(part) for part in error["loc"]) for error in refusal.value.errors()]
    return [".".join(place[1:] if place[:1] == (event["type"],) else place) for place in places]


@pytest.mark.parametrize("message_type", DATA)
def test_a_valid_message_of_every_type_is_read(message_type: str) -> None:
    message = read_json(cloud_event(message_type))
    assert message.type == message_type
    assert message.data.model_dump(mode="json") == DATA[message_type]


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.about)
def test_a_wrong_message_is_refused_by_the_name_of_what_is_wrong(row: Refused) -> None:
    assert refused_members(cloud_event(row.type, **row.changes)) == [row.named]


DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    REQUESTED: {
        "customer_id": None,
        "capture_method": "automatic",
        "confirm": False,
        "off_session": False,
        "metadata": {},
    },
    RECORDED: {"customer_id": None, "metadata": {}},
    "checkout.payment_deferred.v1": {"customer_id": None, "metadata": {}},
    "checkout.payment_not_collected.v1": {"detail": ""},
    "checkout.confirmation_requested.v1": {"payment_method": None, "off_session": None},
    CAPTURE: {"amount_minor": None, "final": True},
    "checkout.refund_requested.v1": {
        "customer_id": None,
        "amount_minor": None,
        "destination": "original_method",
        "note": "",
    },
    "checkout.refund_canceled.v1": {"note": ""},
    "checkout.refund_recorded.v1": {"note": ""},
    "checkout.refund_policy_set.v1": {
        "velocity": (),
        "finance_after_days": 180,
        "never_after_days": 365,
        "approval_days": 14,
        "service_credit": False,
        "fees": "return_proportionally",
    },
    "checkout.evidence_submitted.v1": {"links": ()},
    "checkout.dispute_accepted.v1": {"note": ""},
    "ledger.calendar_set.v1": {"unit": "month"},
    "ledger.journal_proposed.v1": {"references": {}, "parts": 1},
    "ledger.reversal_proposed.v1": {"lines": None, "legs": (), "repost": None, "references": {}},
    "ledger.conversion_proposed.v1": {"bought_minor": None, "references": {}},
    "ledger.journal_approved.v1": {"reverses": None},
    "ledger.wallet_opened.v1": {"note": "", "references": {}},
    "ledger.wallet_limit_set.v1": {"note": "", "references": {}},
    "ledger.wallet_credited.v1": {"note": "", "references": {}},
    "ledger.promotion_granted.v1": {"note": "", "references": {}, "priority": 100},
    "ledger.wallet_spent.v1": {"note": "", "references": {}},
    "ledger.hold_placed.v1": {"note": "", "references": {}},
    "ledger.hold_posted.v1": {"note": "", "references": {}, "amount_minor": None, "final": True},
    "ledger.hold_voided.v1": {"note": "", "references": {}},
    "ledger.period_soft_close_requested.v1": {"note": ""},
    "ledger.period_close_requested.v1": {"note": ""},
    "checkout.shipment_recorded.v1": {"carrier": "", "detail": "", "sha256": None},
    "webhook.payment_reported.v1": {
        "order_id": None,
        "currency": None,
        "authorized_minor": None,
        "captured_minor": None,
        "call_id": None,
        "reason": None,
        "provider_code": "",
        "redirect_url": None,
    },
    "webhook.refund_reported.v1": {
        "order_id": None,
        "provider_reference": None,
        "refund_id": None,
        "reason": None,
        "provider_code": "",
    },
    "webhook.dispute_reported.v1": {
        "order_id": None,
        "fee_minor": 0,
        "network_reason": "",
        "evidence_due_at": None,
    },
    "webhook.unrecognized.v1": {"order_id": None, "provider_reference": None},
    TIMER: {"object_id": None},
    **{
        f"provider.{result}.v1": {"object_id": None}
        for result in (
            "call_succeeded",
            "call_declined",
            "challenge_required",
            "call_pending",
            "call_unknown",
            "call_failed",
        )
    },
}
"""What an absent member means."""
OPTIONAL: Final = {
    (message_type, name): default
    for message_type, members in DEFAULTS.items()
    for name, default in members.items()
}

NEEDED_BY_ANOTHER: Final = {
    (REQUESTED, "payment_method"),
    ("checkout.outcome_decided.v1", "amount_minor"),
    ("checkout.outcome_decided.v1", "provider_reference"),
}
"""Optional, but the samples ask to confirm, and say that it succeeded."""

REQUIRED: Final = [
    (message_type, name)
    for message_type, data in DATA.items()
    for name in data
    if (message_type, name) not in {*OPTIONAL, *NEEDED_BY_ANOTHER}
]


@pytest.mark.parametrize(("message_type", "name"), OPTIONAL)
def test_an_absent_member_means_its_default(message_type: str, name: str) -> None:
    message = read_json(cloud_event(message_type, **{f"data__{name}": ABSENT}))
    assert getattr(message.data, name) == OPTIONAL[message_type, name]


@pytest.mark.parametrize(("message_type", "name"), REQUIRED)
def test_every_other_member_is_required(message_type: str, name: str) -> None:
    assert refused_members(cloud_event(message_type, **{f"data__{name}": ABSENT})) == [f"data.{name}"]


def test_attributes_that_we_do_not_know_are_ignored_as_cloudevents_asks() -> None:
    message = read_json(cloud_event(RECORDED) | {"sequence": 7, "dataschema": "https://shop.example/1"})
    assert not hasattr(message, "sequence")


@pytest.mark.parametrize(
    "message_type", ["checkout.payment_paid.v1", "checkout.payment_recorded.v2", "timer.due.v1"]
)
def test_a_type_of_no_message_or_of_another_topic_is_refused(message_type: str) -> None:
    with pytest.raises(ValidationError, match="does not match any of the expected tags"):
        read_json(cloud_event(RECORDED) | {"type": message_type}, "checkout.events")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b'"text"', b"\xff", b"[" * 300, b'{"a": NaN}', b"\xef\xbb\xbf{}"]
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(ValidationError):
        read("checkout.events", body)


def test_a_number_of_five_thousand_digits_is_refused_like_any_other() -> None:
    body = json.dumps(cloud_event(RECORDED)).replace("1999", "9" * 5000).encode()
    with pytest.raises(ValidationError, match="Invalid JSON: number out of range"):
        read("checkout.events", body)


def test_half_a_surrogate_pair_is_refused() -> None:
    body = json.dumps(cloud_event(RECORDED)).replace('"till": "4"', '"till": "\\ud800"').encode()
    with pytest.raises(ValidationError, match="Invalid JSON"):
        read("checkout.events", body)


KEYS: Final = [
    (REQUESTED, "order-1", "key-1"),
    (CAPTURE, "order-1", "key-1"),
    (RECORDED, "order-1", None),
    (FEES, "shoes", None),
    ("provider.call_unknown.v1", "order-1", None),
    (TIMER, "order-1", None),
]


@pytest.mark.parametrize(("message_type", "ordered_by", "command_key"), KEYS)
def test_a_message_names_its_order_and_a_command_its_key(
    message_type: str, ordered_by: str, command_key: str | None
) -> None:
    data = read_json(cloud_event(message_type)).data
    assert (data.ordering_key(), data.command_key()) == (ordered_by, command_key)


# fmt: off
CARD_NUMBERS: Final = [
    ("4242424242424242",         True,  "Visa, 16 digits"),
    ("4222222222222",            True,  "Visa, 13 digits"),
    ("378282246310005",          True,  "American Express, 15 digits"),
    ("30569309025904",           True,  "Diners Club, 14 digits"),
    ("6304000000000000000",      True,  "Maestro, 19 digits"),
    ("5555-5555-5555-4444",      True,  "in groups"),
    ("no. 5555 5555 5555 4444!", True,  "within a text"),
    ("4242424242424241",         False, "wrong check digit"),
    ("424242424242",             False, "12 digits"),
    ("order 2026-11-23 17:00",   False, "a date"),
    ("",                         False, "nothing"),
]
# fmt: on


@pytest.mark.parametrize(("text", "found", "about"), CARD_NUMBERS)
def test_a_card_number_is_seen(text: str, found: bool, about: str) -> None:  # noqa: FBT001 - a column
    assert holds_card_number(text) is found, about


@pytest.mark.parametrize("text", [f"1 {LUHN}", f"{LUHN} 12/29", f"7-{LUHN}"])
def test_digits_beside_a_card_number_do_not_hide_it(text: str) -> None:
    assert holds_card_number(text)


@pytest.mark.parametrize("time", ["1795428000", "1795428000.5", "-1"])
def test_a_time_is_a_date_not_a_number_as_text(time: str) -> None:
    assert refused_members(cloud_event(RECORDED, time=time)) == ["time"]


@pytest.mark.parametrize("name", ["amount_minor", "provider_reference"])
def test_a_success_that_a_person_decides_has_an_amount_and_a_reference(name: str) -> None:
    decided = "checkout.outcome_decided.v1"
    assert refused_members(cloud_event(decided, **{f"data__{name}": ABSENT})) == ["data"]
    assert read_json(cloud_event(decided, **{f"data__{name}": ABSENT, "data__verdict": "no_effect"}))


def test_last4_are_ascii_digits() -> None:
    event = cloud_event(REQUESTED, data__payment_method=CARD | {"last4": "٤٢٤٢"})
    assert refused_members(event) == ["data.payment_method.card.last4"]


def test_a_card_number_for_a_name_of_metadata_is_refused() -> None:
    assert refused_members(cloud_event(RECORDED, data__metadata={LUHN: "4"}))
