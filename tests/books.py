"""Ledger commands as people and services would send them; whatever a test does not care about has a value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from tests.shop import event

if TYPE_CHECKING:
    from datetime import datetime

    from tests.conftest import Connection

LEDGER: Final = "ledger.commands"
PROPOSER: Final = "ada"
APPROVER: Final = "grace"
WALLET: Final = "customer/cus_7/EUR"
LATER: Final = "2999-01-01T00:00:00Z"


def leg(side: str, account: str, minor: int, owner: str = "main", currency: str = "EUR") -> dict[str, Any]:
    """A leg of a journal."""
    return {"side": side, "account": account, "owner": owner, "amount_minor": minor, "currency": currency}


def pair(minor: int = 1000, debit: str = "suspense", credit: str = "bank_clearing") -> list[dict[str, Any]]:
    """A debit and a credit."""
    return [leg("debit", debit, minor), leg("credit", credit, minor)]


def command(event_id: str, name: str, data: dict[str, Any], who: str = PROPOSER, **members: Any) -> bytes:
    """A command of somebody's in finance."""
    asked = {"idempotency_key": event_id, "actor": {"id": who, "role": "finance"}} | data | members
    return event(event_id, f"ledger.{name}", asked)


def journal(event_id: str, legs: list[dict[str, Any]] | None = None, **members: Any) -> bytes:
    """A journal, named after its message."""
    data = {
        "journal_id": event_id,
        "reason": "to put it right",
        "effective_at": "2026-11-20T00:00:00Z",
        "legs": pair() if legs is None else legs,
    }
    return command(event_id, "journal_proposed", data, **members)


def part(journal_id: str, number: int, legs: list[dict[str, Any]], **members: Any) -> bytes:
    """Another part of a journal."""
    data = {"journal_id": journal_id, "part": number, "legs": legs}
    return command(f"{journal_id}-part{number}", "journal_part_added", data, **members)


def reversal(event_id: str, object_id: str, number: int = 1, **members: Any) -> bytes:
    """A reversal of all that is left of an entry."""
    data = {
        "journal_id": event_id,
        "entry": {"object_id": object_id, "number": number},
        "effective": "today",
        "reason": "booked twice",
    }
    return command(event_id, "reversal_proposed", data, **members)


def conversion(event_id: str, **members: Any) -> bytes:
    """100.00 USD into EUR at 0.9234."""
    data = {
        "journal_id": event_id,
        "sold": {"amount_minor": 10_000, "currency": "USD"},
        "sold_from": {"account": "bank_clearing", "owner": "main"},
        "currency": "EUR",
        "bought_into": {"account": "bank_clearing", "owner": "main"},
        "rate": "0.9234",
        "rate_source": "ecb",
        "rate_at": "2026-11-20T15:00:00Z",
        "rounding": "half_even",
        "effective_at": "2026-11-20T16:00:00Z",
        "reason": "payroll",
    }
    return command(event_id, "conversion_proposed", data, **members)


def approve(journal_id: str, who: str = APPROVER, event_id: str | None = None, **members: Any) -> bytes:
    """Somebody else agrees."""
    data = {"journal_id": journal_id, "note": "as agreed"}
    return command(event_id or f"{journal_id}-approved", "journal_approved", data, who, **members)


def refuse(journal_id: str, who: str = APPROVER, **members: Any) -> bytes:
    """Somebody decides against it."""
    return command(
        f"{journal_id}-refused", "journal_refused", {"journal_id": journal_id, "note": "no"}, who, **members
    )


def wallet(event_id: str, name: str, who: str = PROPOSER, **members: Any) -> bytes:
    """A command about a customer's wallet."""
    data = {"family": "customer", "owner_id": "cus_7", "currency": "EUR"}
    return command(event_id, name, data, who, **members)


def opened(event_id: str = "open", **members: Any) -> bytes:
    """A wallet is opened."""
    return wallet(event_id, "wallet_opened", **members)


def credited(event_id: str, minor: int, way: str = "bank_transfer", **members: Any) -> bytes:
    """Money comes in."""
    return wallet(event_id, "wallet_credited", way=way, source="main", amount_minor=minor, **members)


def granted(event_id: str, minor: int, expires_at: str = LATER, **members: Any) -> bytes:
    """Promotional credit, named after its message."""
    return wallet(
        event_id, "promotion_granted", grant_id=event_id, amount_minor=minor, expires_at=expires_at, **members
    )


def spent(event_id: str, minor: int, **members: Any) -> bytes:
    """A purchase at once."""
    return wallet(event_id, "wallet_spent", way="purchase", payee="m1", amount_minor=minor, **members)


def held(event_id: str, minor: int, expires_at: str = LATER, **members: Any) -> bytes:
    """A reservation, named after its message."""
    return wallet(
        event_id, "hold_placed", hold_id=event_id, amount_minor=minor, expires_at=expires_at, **members
    )


def hold_posted(event_id: str, hold_id: str, minor: int | None = None, **members: Any) -> bytes:
    """A reservation is spent."""
    data: dict[str, Any] = {"hold_id": hold_id, "way": "purchase", "payee": "m1"}
    return wallet(event_id, "hold_posted", **(data | ({"amount_minor": minor} if minor else {}) | members))


def hold_voided(event_id: str, hold_id: str) -> bytes:
    """A reservation is let go."""
    return wallet(event_id, "hold_voided", hold_id=hold_id)


def limited(event_id: str, version: int, overdraft: int, **members: Any) -> bytes:
    """A limit."""
    data: dict[str, Any] = {
        "version": version,
        "account": "prepaid_balance",
        "overdraft_minor": overdraft,
    }
    return wallet(event_id, "wallet_limit_set", **(data | members))


def due(kind: str, object_id: str, order_id: str, at: str) -> bytes:
    """A timer is due."""
    data = {
        "timer_id": object_id,
        "kind": kind,
        "payment_id": object_id,
        "order_id": order_id,
        "object_id": object_id,
        "due_at": at,
    }
    return event(f"{kind}-{object_id}", "timer.due", data)


def about_period(event_id: str, name: str, period: str, who: str = PROPOSER, **members: Any) -> bytes:
    """What somebody wants done with a month: `close_requested`, for one."""
    return command(event_id, f"period_{name}", {"period": period, "note": "as agreed"}, who, **members)


def counted_in(zone: str, event_id: str = "calendar") -> bytes:
    """The tenant's months are those of a zone."""
    return command(event_id, "calendar_set", {"zone": zone, "unit": "month"})


def refund_policy(event_id: str = "policy") -> bytes:
    """Finance may give anything back, alone."""
    limits = [{"role": "finance", "currency": "EUR", "at_most_minor": 10**15, "with_approval_of": None}]
    data = {"version": 1, "effective_from": "2020-01-01T00:00:00Z", "limits": limits}
    return event(event_id, "checkout.refund_policy_set", data)


def refund(event_id: str, order: str, minor: int | None, who: str = PROPOSER) -> bytes:
    """Finance gives money back, all of it unless said otherwise; the refund is named after its message."""
    data: dict[str, Any] = {
        "idempotency_key": event_id,
        "order_id": order,
        "refund_id": event_id,
        "cause": "requested_by_customer",
        "actor": {"id": who, "role": "finance"},
    }
    return event(event_id, "checkout.refund_requested", data | ({"amount_minor": minor} if minor else {}))


def handed_out(event_id: str, order: str, refund_id: str, *, was: bool = True) -> bytes:
    """The money was given to the customer, or it was not."""
    actor = {"id": PROPOSER, "role": "finance"}
    data = {"order_id": order, "refund_id": refund_id, "handed_out": was, "actor": actor}
    return event(event_id, "checkout.refund_recorded", data)


def at(moment: datetime, body: bytes) -> bytes:
    """The same message about something that happened then."""
    return orjson.dumps(orjson.loads(body) | {"time": moment.isoformat()})


async def balances(admin: Connection) -> dict[str, int]:
    """What each account holds, by code, owner and currency."""
    rows = await admin.fetch("SELECT code, owner, currency, balance_minor FROM account_balances")
    return {f"{row['code']}/{row['owner']}/{row['currency']}": row["balance_minor"] for row in rows}
