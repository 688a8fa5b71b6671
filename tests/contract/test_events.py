"""What we publish is what we promise: each event that the rules emit is valid by its published schema."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator

from handlers.decision import Rejection
from ops.contracts.json_schemas import json_schemas
from schemas.dead_letter import DEAD_LETTER, DeadLettered
from schemas.ledger import ENTRY_POSTED, EntryPosted
from schemas.notification import NOTIFICATION_REQUESTED
from schemas.outgoing import Cause, encode
from schemas.payment import PAYMENT_EVENT_TYPES, CommandRepeated
from schemas.reasons import REASONS, Reason
from schemas.rejection import REJECTED, Rejected
from schemas.topics import COMMAND_REPEATED, TOPIC_OF_TYPE
from tests.handlers.payments.matrix import cells, played
from tests.handlers.scene import NOW, Scene

REFUND_STATES: Final = ("partially_refunded", "refunded")
CHARGEBACK_STATES: Final = ("chargeback_open", "chargeback_won", "chargeback_lost")
"""Told by refunds and disputes; their own tests hold those events against their schemas."""
CAUSE: Final = Cause(
    "acme", "/shops/shoes", "evt-1", traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
)


def promised_and_published(message_type: str, data: Any, cause: Cause = CAUSE) -> dict[str, Any]:
    """The event as it is published, once its schema has taken it and knows each of its members."""
    event: dict[str, Any] = json.loads(encode(cause, message_type, 0, "object-1", NOW, data))
    schema = json_schemas()[message_type]
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(event)
    assert event.keys() <= schema["properties"].keys()
    assert event.keys() >= set(schema["required"])
    members = schema["$defs"][schema["properties"]["data"]["$ref"].rsplit("/", 1)[1]]["properties"]
    assert event["data"].keys() == members.keys()
    return event


def scenes() -> list[Scene]:
    """Every message in every situation."""
    return [played(situation, message)[0] for situation, message, _ in cells()]


def test_every_event_of_a_payment_is_what_its_schema_promises() -> None:
    events = {(event.type, event.data): event for scene in scenes() for event in scene.events}
    for event in events.values():
        published = promised_and_published(event.type, event.data)
        if event.type != NOTIFICATION_REQUESTED:
            assert published["data"]["state"] in {event.type.split(".")[1], event.data.state}
    told = {kind for kind, _ in events}
    of_others = {f"payment.{state}.v1" for state in (*REFUND_STATES, *CHARGEBACK_STATES)}
    assert told == {*PAYMENT_EVENT_TYPES, NOTIFICATION_REQUESTED} - {COMMAND_REPEATED} - of_others
    assert {TOPIC_OF_TYPE[kind] for kind in told} == {"payment.events", "notification.requests"}


def test_every_entry_is_what_its_schema_promises() -> None:
    postings = {posting for scene in scenes() for posting in scene.postings}
    assert {posting.rule for posting in postings} >= {
        "card_captured",
        "terminal_sale",
        "debit_collected",
        "debit_returned",
        "late_success_received",
        "late_success_returned",
    }
    for number, posting in enumerate(postings):
        told = EntryPosted(
            number,
            posting.rule,
            posting.object_type,
            posting.object_id,
            posting.effective_at,
            datetime.now(UTC),
            posting.legs,
        )
        event = promised_and_published(ENTRY_POSTED, told)
        sides = {"debit": 0, "credit": 0}
        for leg in event["data"]["legs"]:
            sides[leg["side"]] += leg["amount_minor"]
        assert sides["debit"] == sides["credit"] > 0


def test_every_refusal_is_what_its_schema_promises() -> None:
    refused = {scene.outcome for scene in scenes() if isinstance(scene.outcome, Rejection)}
    assert refused
    for rejection in refused:
        info = REASONS[rejection.reason]
        told = Rejected(
            "/shops/shoes",
            "evt-1",
            "checkout.capture_requested.v1",
            "order-1",
            rejection.reason,
            rejection.detail,
            info.retryable,
            info.fault,
            info.action,
        )
        assert promised_and_published(REJECTED, told)["data"]["reason"] in set(Reason)


@pytest.mark.parametrize("reason", [None, Reason.STATE_FORBIDS])
def test_a_repeated_command_is_answered_as_its_schema_promises(reason: Reason | None) -> None:
    told = CommandRepeated("order-1", "checkout.capture_requested", "key-1", "evt-1", "applied", reason)
    promised_and_published(COMMAND_REPEATED, told)


@pytest.mark.parametrize("key", [None, "YWNtZTpvcmRlci0x"])
def test_a_dead_letter_is_what_its_schema_promises(key: str | None) -> None:
    told = DeadLettered(
        "checkout.events",
        3,
        17,
        key,
        {"content-type": "text/plain"},
        "ew==",
        Reason.INVALID_JSON,
        "EOF",
        masked=False,
    )
    promised_and_published(DEAD_LETTER, told)


def test_an_event_without_a_trace_is_valid_too() -> None:
    told = CommandRepeated("order-1", "checkout.capture_requested", "key-1", "evt-1", "applied", None)
    event = promised_and_published(COMMAND_REPEATED, told, Cause("acme", "/shops/shoes", "evt-1"))
    assert "traceparent" not in event
