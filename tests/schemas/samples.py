"""A valid message of every type that we read, as JSON says it, and how to change one."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from pydantic import TypeAdapter

from schemas.envelope import Message
from schemas.topics import INBOUND, TOPICS

Json = dict[str, Any]

ABSENT: Final = object()
"""In a change: the member is left out."""

CARD: Final[Json] = {"type": "card", "token": "tok_approve", "network": "visa", "last4": "4242"}
_AMOUNT: Final[Json] = {"amount_minor": 1999, "currency": "EUR"}
_COMMAND: Final[Json] = {"idempotency_key": "key-1", "order_id": "order-1"}
_RECORDED: Final[Json] = {
    "order_id": "order-1",
    "merchant_id": "shoes",
    "customer_id": "cus_7",
    "amount": _AMOUNT,
    "collection": "point_of_sale",
    "metadata": {"till": "4"},
}
_CALL: Final[Json] = {
    "call_id": "0b5f3a52-6f0e-5a55-8a3c-2f7f10a9f0aa",
    "payment_id": "7c7f3a52-6f0e-5a55-8a3c-2f7f10a9f0bb",
    "order_id": "order-1",
    "provider": "sandbox",
    "operation": "authorize",
    "object_id": None,
}
DEBIT: Final[Json] = {"type": "bank_debit", "token": "tok_debit_approve", "last4": "6789"}
_ACTOR: Final[Json] = {"id": "ada", "role": "support"}
_FINANCE: Final[Json] = {"id": "grace", "role": "finance"}
_REFUND: Final[Json] = _COMMAND | {"refund_id": "r-1", "actor": _ACTOR, "note": "agreed by telephone"}
_JOURNAL: Final[Json] = {
    "idempotency_key": "key-1",
    "journal_id": "j-1",
    "actor": {"id": "ada", "role": "finance"},
}
_WALLET: Final[Json] = {
    "idempotency_key": "key-1",
    "family": "customer",
    "owner_id": "cus_7",
    "currency": "EUR",
    "actor": {"id": "ada", "role": "finance"},
    "note": "",
    "references": {"statement_line": "2026-11-20/17"},
}
_WEBHOOK: Final[Json] = {
    "webhook_id": "5b5f3a52-6f0e-5a55-8a3c-2f7f10a9f0dd",
    "provider": "sandbox",
    "account": "main",
    "provider_event_id": "evt_1",
    "provider_type": "authorization.captured",
    "occurred_at": "2026-11-23T09:59:59Z",
    "order_id": "order-1",
    "provider_reference": "auth_1",
}

DATA: Final[dict[str, Json]] = {
    "checkout.merchant_fees_set.v1": {
        "merchant_id": "shoes",
        "version": 1,
        "effective_from": "2026-01-01T00:00:00Z",
        "bps": 290,
        "fixed_minor": {"EUR": 25, "JPY": 30},
        "rounding": "half_even",
    },
    "checkout.payment_requested.v1": _COMMAND
    | {
        "merchant_id": "shoes",
        "customer_id": "cus_7",
        "amount": _AMOUNT,
        "capture_method": "manual",
        "payment_method": CARD,
        "confirm": True,
        "off_session": False,
        "metadata": {"basket": "b-17"},
    },
    "checkout.confirmation_requested.v1": _COMMAND | {"payment_method": CARD, "off_session": None},
    "checkout.challenge_completed.v1": {"order_id": "order-1"},
    "checkout.capture_requested.v1": _COMMAND | {"amount_minor": 500, "final": False},
    "checkout.authorization_increase_requested.v1": _COMMAND | {"amount_minor": 2500},
    "checkout.cancellation_requested.v1": _COMMAND,
    "checkout.outcome_decided.v1": _COMMAND
    | {
        "call_id": "0b5f3a52-6f0e-5a55-8a3c-2f7f10a9f0aa",
        "verdict": "succeeded",
        "amount_minor": 1999,
        "provider_reference": "auth_1",
        "actor": {"id": "grace", "role": "finance"},
        "note": "seen in the provider's console",
    },
    "checkout.payment_recorded.v1": _RECORDED,
    "checkout.payment_deferred.v1": _RECORDED | {"collection": "cash_on_delivery"},
    "checkout.payment_not_collected.v1": {"order_id": "order-1", "detail": "parcel refused"},
    "checkout.refund_requested.v1": _REFUND
    | {
        "customer_id": "cus_7",
        "amount_minor": 500,
        "cause": "requested_by_customer",
        "destination": "original_method",
    },
    "checkout.refund_approved.v1": _REFUND,
    "checkout.refund_disapproved.v1": _REFUND,
    "checkout.refund_canceled.v1": _REFUND,
    "checkout.refund_recorded.v1": {
        "order_id": "order-1",
        "refund_id": "r-1",
        "handed_out": True,
        "actor": _ACTOR,
        "note": "at the till",
    },
    "checkout.refund_policy_set.v1": {
        "version": 1,
        "effective_from": "2026-01-01T00:00:00Z",
        "limits": [
            {"role": "system", "currency": "EUR", "at_most_minor": 5000, "with_approval_of": None},
            {
                "role": "support",
                "currency": "EUR",
                "at_most_minor": 50000,
                "with_approval_of": "manager",
            },
        ],
        "velocity": [{"subject": "customer", "days": 30, "at_most": 5}],
        "finance_after_days": 180,
        "never_after_days": 365,
        "approval_days": 14,
        "service_credit": False,
        "fees": "keep",
    },
    "checkout.evidence_submitted.v1": _COMMAND
    | {
        "dispute_reference": "dp_1",
        "actor": _ACTOR,
        "fields": {"shipping_tracking_number": "1Z999"},
        "links": [{"kind": "shipment", "reference": "1Z999", "sha256": None}],
    },
    "checkout.dispute_accepted.v1": _COMMAND | {"dispute_reference": "dp_1", "actor": _ACTOR, "note": ""},
    "checkout.shipment_recorded.v1": _COMMAND
    | {
        "kind": "shipment",
        "reference": "1Z999",
        "occurred_at": "2026-11-20T08:00:00Z",
        "carrier": "parcels",
        "detail": "",
        "sha256": None,
    },
    "ledger.calendar_set.v1": {
        "idempotency_key": "key-1",
        "zone": "Europe/Berlin",
        "unit": "month",
        "actor": _FINANCE,
    },
    **{
        f"ledger.period_{command}.v1": {
            "idempotency_key": "key-1",
            "period": "2026-10",
            "actor": _FINANCE,
            "note": "all invoices are in",
        }
        for command in (
            "soft_close_requested",
            "close_requested",
            "reopening_requested",
            "reopening_approved",
            "reopening_refused",
        )
    },
    "ledger.journal_proposed.v1": _JOURNAL
    | {
        "reason": "fee of the bank",
        "effective_at": "2026-11-22T00:00:00Z",
        "references": {"statement": "2026-11"},
        "legs": [
            {"side": "debit", "account": "goodwill_expense", "owner": "acme", **_AMOUNT},
            {"side": "credit", "account": "bank_clearing", "owner": "main", **_AMOUNT},
        ],
        "parts": 1,
    },
    "ledger.journal_part_added.v1": _JOURNAL
    | {"part": 2, "legs": [{"side": "credit", "account": "bank_clearing", "owner": "main", **_AMOUNT}]},
    "ledger.reversal_proposed.v1": _JOURNAL
    | {
        "entry": {"object_id": "e9278d42-6921-5cca-9f65-8face8edb726", "number": 1},
        "lines": [{"line": 1, "amount_minor": 500}, {"line": 2, "amount_minor": 500}],
        "effective": "today",
        "legs": [],
        "repost": {"rule": "card_captured", "owners": {"platform": "acme"}, "amounts_minor": {"fee": 80}},
        "reason": "booked twice",
        "references": {},
    },
    "ledger.conversion_proposed.v1": _JOURNAL
    | {
        "sold": {"amount_minor": 10000, "currency": "USD"},
        "sold_from": {"account": "bank_clearing", "owner": "main"},
        "currency": "EUR",
        "bought_into": {"account": "bank_clearing", "owner": "main"},
        "rate": "0.9234",
        "rate_source": "ecb",
        "rate_at": "2026-11-22T15:00:00Z",
        "rounding": "half_even",
        "bought_minor": 9235,
        "effective_at": "2026-11-22T16:00:00Z",
        "reason": "payroll in euros",
        "references": {},
    },
    "ledger.journal_approved.v1": _JOURNAL | {"reverses": None, "note": "as agreed"},
    "ledger.journal_refused.v1": _JOURNAL | {"note": "wrong account"},
    "ledger.wallet_opened.v1": _WALLET,
    "ledger.wallet_limit_set.v1": _WALLET
    | {"version": 1, "account": "prepaid_balance", "overdraft_minor": 5000},
    "ledger.wallet_credited.v1": _WALLET | {"way": "bank_transfer", "source": "main", "amount_minor": 1000},
    "ledger.promotion_granted.v1": _WALLET
    | {"grant_id": "spring", "amount_minor": 500, "expires_at": "2026-12-24T00:00:00Z", "priority": 100},
    "ledger.wallet_spent.v1": _WALLET | {"way": "purchase", "payee": "shoes", "amount_minor": 300},
    "ledger.hold_placed.v1": _WALLET
    | {"hold_id": "h-1", "amount_minor": 400, "expires_at": "2026-11-24T10:00:00Z"},
    "ledger.hold_posted.v1": _WALLET
    | {"hold_id": "h-1", "way": "purchase", "payee": "shoes", "amount_minor": 300, "final": True},
    "ledger.hold_voided.v1": _WALLET | {"hold_id": "h-1"},
    "provider.call_succeeded.v1": _CALL
    | {"provider_reference": "auth_1", "amount_minor": 1999, "captured": False},
    "provider.call_declined.v1": _CALL | {"reason": "insufficient_funds", "provider_code": "51"},
    "provider.challenge_required.v1": _CALL
    | {"provider_reference": "auth_1", "redirect_url": "https://bank.example/3ds?id=1"},
    "provider.call_pending.v1": _CALL | {"provider_reference": "auth_1"},
    "provider.call_unknown.v1": _CALL | {"detail": "timed out after 10 s"},
    "provider.call_failed.v1": _CALL | {"reason": "provider_unavailable", "detail": "connection refused"},
    "webhook.payment_reported.v1": _WEBHOOK
    | {
        "status": "captured",
        "currency": "EUR",
        "authorized_minor": 1999,
        "captured_minor": 1999,
        "call_id": None,
        "reason": None,
        "provider_code": "",
        "redirect_url": None,
    },
    "webhook.refund_reported.v1": _WEBHOOK
    | {
        "refund_reference": "re_1",
        "refund_id": "6b5f3a52-6f0e-5a55-8a3c-2f7f10a9f0ee",
        "status": "succeeded",
        "amount_minor": 500,
        "currency": "EUR",
        "reason": None,
        "provider_code": "",
    },
    "webhook.dispute_reported.v1": _WEBHOOK
    | {
        "dispute_reference": "dp_1",
        "stage": "chargeback",
        "status": "needs_response",
        "amount_minor": 1999,
        "currency": "EUR",
        "funds_minor": 1999,
        "fee_minor": 1500,
        "network_reason": "10.4",
        "evidence_due_at": "2026-12-07T00:00:00Z",
    },
    "webhook.unrecognized.v1": _WEBHOOK | {"provider_type": "balance.available"},
    "timer.due.v1": {
        "timer_id": "1c7f3a52-6f0e-5a55-8a3c-2f7f10a9f0cc",
        "kind": "authorization_expiry",
        "payment_id": "7c7f3a52-6f0e-5a55-8a3c-2f7f10a9f0bb",
        "order_id": "order-1",
        "object_id": None,
        "due_at": "2026-11-30T10:00:00Z",
    },
}

TOPIC_OF: Final = {
    message_type: topic
    for topic, family in zip(
        INBOUND, ("checkout.", "ledger.", "provider.", "webhook.", "timer."), strict=True
    )
    for message_type in DATA
    if message_type.startswith(family)
}
_READERS: Final[dict[str, TypeAdapter[Any]]] = {name: TypeAdapter(TOPICS[name].inbound) for name in INBOUND}


def cloud_event(message_type: str, **changes: Any) -> Json:
    """A valid event; `changes` name members by path ("data__amount__currency"), ABSENT leaves one out."""
    event: Json = {
        "specversion": "1.0",
        "id": "evt-1",
        "source": "/shops/shoes",
        "type": message_type,
        "time": "2026-11-23T10:00:00Z",
        "tenant": "acme",
        "data": deepcopy(DATA[message_type]),
    }
    for path, value in changes.items():
        *parents, name = path.split("__")
        holder = event
        for parent in parents:
            holder = holder[parent]
        if value is ABSENT:
            del holder[name]
        else:
            holder[name] = value
    return event


def read(topic: str, body: bytes) -> Message:
    """The message, as the workers read it. ValidationError when it is not valid."""
    message: Message = _READERS[topic].validate_json(body)
    return message
