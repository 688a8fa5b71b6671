"""What the reader refuses: a valid message with one thing wrong, and the member that is named for it.

The published JSON Schema refuses it too, unless `SCHEMA_SILENT`: then JSON Schema has no words for the rule.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from tests.schemas.samples import ABSENT, CARD, DEBIT

REQUESTED: Final = "checkout.payment_requested.v1"
RECORDED: Final = "checkout.payment_recorded.v1"
FEES: Final = "checkout.merchant_fees_set.v1"
CAPTURE: Final = "checkout.capture_requested.v1"
DECLINED: Final = "provider.call_declined.v1"
CHALLENGE: Final = "provider.challenge_required.v1"
TIMER: Final = "timer.due.v1"

SCHEMA_SILENT: Final = False

LUHN: Final = "4242424242424242"
"""A test card number of the payment industry."""


class Refused(NamedTuple):
    """One wrong message."""

    about: str
    type: str
    changes: dict[str, Any]
    named: str
    in_schema: bool = True


REFUSED: Final = [
    # the envelope
    Refused("another version of CloudEvents", REQUESTED, {"specversion": "0.3"}, "specversion"),
    Refused("no id", REQUESTED, {"id": ABSENT}, "id"),
    Refused("an empty id", REQUESTED, {"id": ""}, "id"),
    Refused("an id that is a number", REQUESTED, {"id": 7}, "id"),
    Refused("an id with a space", REQUESTED, {"id": "evt 1"}, "id"),
    Refused("an id with a newline at the end", REQUESTED, {"id": "evt-1\n"}, "id", SCHEMA_SILENT),
    Refused("an id that is not ASCII", REQUESTED, {"id": "évt"}, "id"),
    Refused("an id of 129 characters", REQUESTED, {"id": "x" * 129}, "id"),
    Refused("NUL in the id", REQUESTED, {"id": "evt\x001"}, "id"),
    Refused("no source", REQUESTED, {"source": ABSENT}, "source"),
    Refused("a source of 257 characters", REQUESTED, {"source": "/" * 257}, "source"),
    Refused("no time", REQUESTED, {"time": ABSENT}, "time"),
    Refused("a time without a zone", REQUESTED, {"time": "2026-11-23T10:00:00"}, "time", SCHEMA_SILENT),
    Refused("a day", REQUESTED, {"time": "2026-11-23"}, "time", SCHEMA_SILENT),
    Refused("no day of the calendar", REQUESTED, {"time": "2026-02-30T10:00:00Z"}, "time", SCHEMA_SILENT),
    Refused("seconds since 1970", REQUESTED, {"time": 1_795_428_000}, "time"),
    Refused("no tenant", REQUESTED, {"tenant": ABSENT}, "tenant"),
    Refused("an empty tenant", REQUESTED, {"tenant": ""}, "tenant"),
    Refused("a tenant with capitals", REQUESTED, {"tenant": "Acme"}, "tenant"),
    Refused("a tenant with a colon, which parts the key", REQUESTED, {"tenant": "acme:x"}, "tenant"),
    Refused("a tenant that begins with a hyphen", REQUESTED, {"tenant": "-acme"}, "tenant"),
    Refused("a tenant of 64 characters", REQUESTED, {"tenant": "a" * 64}, "tenant"),
    Refused("NUL in the subject", REQUESTED, {"subject": "a\x00"}, "subject"),
    Refused("a traceparent that is none", REQUESTED, {"traceparent": "hello"}, "traceparent"),
    Refused("no data", REQUESTED, {"data": ABSENT}, "data"),
    Refused("data that is null", REQUESTED, {"data": None}, "data"),
    Refused("data that is a text", REQUESTED, {"data": "{}"}, "data"),
    # identifiers and texts
    Refused("no order", REQUESTED, {"data__order_id": ABSENT}, "data.order_id"),
    Refused("an order that is a number", REQUESTED, {"data__order_id": 17}, "data.order_id"),
    Refused("an empty order", REQUESTED, {"data__order_id": ""}, "data.order_id"),
    Refused("NUL in metadata", RECORDED, {"data__metadata__till": "4\x00"}, "data.metadata.till"),
    Refused("metadata that is a number", RECORDED, {"data__metadata__till": 4}, "data.metadata.till"),
    Refused(
        "metadata of 501 characters", RECORDED, {"data__metadata__till": "x" * 501}, "data.metadata.till"
    ),
    Refused("21 metadata", RECORDED, {"data__metadata": {f"n{n}": "" for n in range(21)}}, "data.metadata"),
    Refused(
        "a metadata name with a space", RECORDED, {"data__metadata": {"a b": ""}}, "data.metadata.a b.[key]"
    ),
    Refused("no idempotency key", CAPTURE, {"data__idempotency_key": ABSENT}, "data.idempotency_key"),
    Refused("an unknown member", REQUESTED, {"data__colour": 5}, "data.colour"),
    Refused("an unknown member of the amount", REQUESTED, {"data__amount__cents": 5}, "data.amount.cents"),
    Refused(
        "an unknown member of the card",
        REQUESTED,
        {"data__payment_method__cvc": "123"},
        "data.payment_method.card.cvc",
    ),
    # money
    Refused("no amount", REQUESTED, {"data__amount": ABSENT}, "data.amount"),
    Refused("an amount that is a bare number", REQUESTED, {"data__amount": 1999}, "data.amount"),
    Refused("an amount that is an array", REQUESTED, {"data__amount": [1999, "EUR"]}, "data.amount"),
    Refused("an amount of zero", REQUESTED, {"data__amount__amount_minor": 0}, "data.amount.amount_minor"),
    Refused("a negative amount", REQUESTED, {"data__amount__amount_minor": -1}, "data.amount.amount_minor"),
    Refused(
        "an amount as text", REQUESTED, {"data__amount__amount_minor": "1999"}, "data.amount.amount_minor"
    ),
    Refused("a fraction", REQUESTED, {"data__amount__amount_minor": 19.99}, "data.amount.amount_minor"),
    Refused(
        "a float that is whole",
        REQUESTED,
        {"data__amount__amount_minor": 1999.0},
        "data.amount.amount_minor",
        SCHEMA_SILENT,
    ),
    Refused("true for 1", REQUESTED, {"data__amount__amount_minor": True}, "data.amount.amount_minor"),
    Refused("null", REQUESTED, {"data__amount__amount_minor": None}, "data.amount.amount_minor"),
    Refused(
        "more than the limit",
        REQUESTED,
        {"data__amount__amount_minor": 10**15 + 1},
        "data.amount.amount_minor",
    ),
    Refused(
        "more than 64 bits", REQUESTED, {"data__amount__amount_minor": 2**64}, "data.amount.amount_minor"
    ),
    Refused(
        "more than any machine word",
        REQUESTED,
        {"data__amount__amount_minor": 10**400},
        "data.amount.amount_minor",
    ),
    Refused("a capture of zero", CAPTURE, {"data__amount_minor": 0}, "data.amount_minor"),
    Refused(
        "an unknown currency",
        REQUESTED,
        {"data__amount__currency": "ZZZ"},
        "data.amount.currency",
        SCHEMA_SILENT,
    ),
    Refused(
        "a withdrawn currency",
        REQUESTED,
        {"data__amount__currency": "DEM"},
        "data.amount.currency",
        SCHEMA_SILENT,
    ),
    Refused("gold", REQUESTED, {"data__amount__currency": "XAU"}, "data.amount.currency", SCHEMA_SILENT),
    Refused(
        "a currency in small letters", REQUESTED, {"data__amount__currency": "eur"}, "data.amount.currency"
    ),
    Refused("a currency by its number", REQUESTED, {"data__amount__currency": 978}, "data.amount.currency"),
    # methods and flags
    Refused(
        "a method of another kind",
        REQUESTED,
        {"data__payment_method": CARD | {"type": "iban"}},
        "data.payment_method",
    ),
    Refused(
        "an unknown network",
        REQUESTED,
        {"data__payment_method": CARD | {"network": "elo"}},
        "data.payment_method.card.network",
    ),
    Refused(
        "last4 of three digits",
        REQUESTED,
        {"data__payment_method": CARD | {"last4": "424"}},
        "data.payment_method.card.last4",
    ),
    Refused("to confirm without a method", REQUESTED, {"data__payment_method": None}, "data", SCHEMA_SILENT),
    Refused(
        "a bank debit that waits for a capture",
        REQUESTED,
        {"data__payment_method": DEBIT},
        "data",
        SCHEMA_SILENT,
    ),
    Refused(
        "a network of a bank debit",
        "checkout.confirmation_requested.v1",
        {"data__payment_method": DEBIT | {"network": "visa"}},
        "data.payment_method.bank_debit.network",
    ),
    Refused(
        "an increase to nothing",
        "checkout.authorization_increase_requested.v1",
        {"data__amount_minor": 0},
        "data.amount_minor",
    ),
    Refused(
        "a verdict that is none",
        "checkout.outcome_decided.v1",
        {"data__verdict": "perhaps"},
        "data.verdict",
    ),
    Refused(
        "a decision without a reason",
        "checkout.outcome_decided.v1",
        {"data__note": ""},
        "data.note",
    ),
    Refused(
        "a decision by nobody",
        "checkout.outcome_decided.v1",
        {"data__actor": ABSENT},
        "data.actor",
    ),
    Refused("a flag as text", REQUESTED, {"data__confirm": "true"}, "data.confirm"),
    Refused("a flag as a number", CAPTURE, {"data__final": 1}, "data.final"),
    Refused("an unknown capture method", REQUESTED, {"data__capture_method": "later"}, "data.capture_method"),
    Refused("an unknown collection", RECORDED, {"data__collection": "barter"}, "data.collection"),
    # card numbers (ISO/IEC 7812-1): digits of any script, with spaces and hyphens
    Refused(
        "a card number for a token",
        REQUESTED,
        {"data__payment_method": CARD | {"token": LUHN}},
        "data.payment_method.card.token",
        SCHEMA_SILENT,
    ),
    Refused(
        "a card number for a customer",
        REQUESTED,
        {"data__customer_id": LUHN},
        "data.customer_id",
        SCHEMA_SILENT,
    ),
    Refused(
        "a card number in metadata",
        RECORDED,
        {"data__metadata__till": f"paid by {LUHN}, thanks"},
        "data.metadata.till",
        SCHEMA_SILENT,
    ),
    Refused(
        "a card number in groups",
        RECORDED,
        {"data__metadata__till": "4242 4242-4242 4242"},
        "data.metadata.till",
        SCHEMA_SILENT,
    ),
    Refused(
        "a card number of 15 digits",
        RECORDED,
        {"data__metadata__till": "3782 822463 10005"},
        "data.metadata.till",
        SCHEMA_SILENT,
    ),
    Refused(
        "a card number in Arabic digits",
        RECORDED,
        {"data__metadata__till": "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"},
        "data.metadata.till",
        SCHEMA_SILENT,
    ),
    # fee schedules
    Refused("version zero", FEES, {"data__version": 0}, "data.version"),
    Refused("more than all of it", FEES, {"data__bps": 10_001}, "data.bps"),
    Refused("a negative rate", FEES, {"data__bps": -1}, "data.bps"),
    Refused("a rate with a fraction", FEES, {"data__bps": 2.9}, "data.bps"),
    Refused("a negative fixed fee", FEES, {"data__fixed_minor": {"EUR": -1}}, "data.fixed_minor.EUR"),
    Refused(
        "a fixed fee in no currency",
        FEES,
        {"data__fixed_minor": {"ZZZ": 1}},
        "data.fixed_minor.ZZZ.[key]",
        SCHEMA_SILENT,
    ),
    Refused("a rounding without a name here", FEES, {"data__rounding": "ceil"}, "data.rounding"),
    Refused(
        "effective at no zone",
        FEES,
        {"data__effective_from": "2026-01-01T00:00:00"},
        "data.effective_from",
        SCHEMA_SILENT,
    ),
    # from our own gateway and scheduler
    Refused("a call that is no UUID", DECLINED, {"data__call_id": "call-1"}, "data.call_id", SCHEMA_SILENT),
    Refused("a reason that is not ours", DECLINED, {"data__reason": "card_declined"}, "data.reason"),
    Refused("an unknown operation", DECLINED, {"data__operation": "teleport"}, "data.operation"),
    Refused(
        "a redirect that runs a script",
        CHALLENGE,
        {"data__redirect_url": "javascript:alert(1)"},
        "data.redirect_url",
    ),
    Refused("a redirect with a space", CHALLENGE, {"data__redirect_url": "https://a b"}, "data.redirect_url"),
    Refused("an unknown timer", TIMER, {"data__kind": "renewal"}, "data.kind"),
]
