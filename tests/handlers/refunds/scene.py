"""A payment and its refunds, driven by the messages that the workers read, through the routes, with no database.

scene = paid().refund(500).answer("call_succeeded")
assert scene.of().state == "succeeded"
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from db.tables import TABLE_OF, TABLES
from handlers.decision import Audit, Call, Decision, Event, Outcome, Rejection, Timer, Transition, Waiting
from handlers.ledger.model import Posting
from handlers.needs import Reference
from handlers.payments.model import Payment, payment_id_of
from handlers.refunds.model import Refund, found_refund_id_of, refund_id_of
from handlers.routes import route_of
from schemas.envelope import Message
from tests.handlers.scene import FEES, STALE_ID, TYPE_OF
from tests.schemas.samples import ABSENT, TOPIC_OF, cloud_event, read

START: Final = datetime(2026, 11, 23, 10, tzinfo=UTC)
ORDER: Final = "order-1"
AMOUNT_MINOR: Final = 1999

LIMITS: Final = [
    # role, at most, who must approve
    ("system", 500, None),
    ("support", 1000, None),
    ("support", 5000, "manager"),
    ("manager", 5000, None),
    ("manager", 50_000, "finance"),
    ("finance", 10**15, None),
]


def policy(**members: Any) -> dict[str, Any]:
    """The members of a policy: limits in the currency `currency`, no velocity, fees returned in proportion."""
    currency = members.pop("currency", "EUR")
    lines = members.pop("lines", LIMITS)
    limits = [
        {"role": role, "currency": currency, "at_most_minor": most, "with_approval_of": approver}
        for role, most, approver in lines
    ]
    base = {"limits": limits, "velocity": [], "fees": "return_proportionally", "service_credit": True}
    return base | members


class Scene:
    """Everything that one order's messages have led to, by the routes; aggregates as the engine would load them."""

    def __init__(self) -> None:
        self.now = START
        self.outcome: Outcome = Decision()
        self.transitions: list[Transition] = []
        self.postings: list[Posting] = []
        self.events: list[Event] = []
        self.calls: list[Call] = []
        self.timers: list[Timer] = []
        self.audit: list[Audit] = []
        self._states: dict[tuple[str, Any], Any] = {("fees", ("acme", "shoes")): FEES}
        self._commands = 0

    @property
    def payment(self) -> Payment:
        """The order's payment."""
        found = self._states["payment", ("acme", payment_id_of("acme", ORDER))]
        assert isinstance(found, Payment)
        return found

    @property
    def refunds(self) -> list[Refund]:
        """All refunds, in the order in which they came up."""
        return [state for (kind, _), state in self._states.items() if kind == "refund"]

    def of(self, refund_id: str = "r-1") -> Refund:
        """The refund that the caller, or the provider, calls so."""
        (found,) = (refund for refund in self.refunds if refund.refund_id == refund_id)
        return found

    def counted(self, subject: str) -> Any:
        """What is counted of a subject; None when nothing is."""
        return self._states.get(("refund_count", ("acme", subject)))

    @property
    def rejection(self) -> Rejection:
        """The last message's rejection."""
        assert isinstance(self.outcome, Rejection), self.outcome
        return self.outcome

    @property
    def waiting(self) -> Waiting:
        """What the last message waits for."""
        assert isinstance(self.outcome, Waiting), self.outcome
        return self.outcome

    def send(self, name: str, **data: Any) -> Scene:
        """A message, as JSON, to the rule that it is routed to; `data` changes members, ABSENT drops one."""
        message_type = TYPE_OF[name]
        event = cloud_event(message_type, time=self.now.isoformat())
        self._commands += 1
        if "idempotency_key" in event["data"]:
            data = {"idempotency_key": f"key-{self._commands}"} | data
        kept = {**event["data"], **data}
        event["data"] = {member: value for member, value in kept.items() if value is not ABSENT}
        message = read(TOPIC_OF[message_type], json.dumps(event, default=str).encode())
        self.settle(message)
        return self

    def settle(self, message: Message) -> None:
        """What the engine does with a message."""
        route = route_of(message)
        assert route is not None, message.type
        known = [self._load(need.kind, need.key(message)) for need in route.needs]
        self.outcome = route.rule(*known, message, self.now)
        if not isinstance(self.outcome, Decision):
            return
        for state in self.outcome.states:
            table = TABLE_OF[type(state)]
            key = (table.kind, table.key_of(state))
            self._states[key] = (*self._states.get(key, ()), state) if table.history else state
        for name in ("transitions", "postings", "events", "calls", "timers", "audit"):
            getattr(self, name).extend(getattr(self.outcome, name))

    def _load(self, kind: Any, key: Any) -> Any:
        assert kind in TABLES
        if isinstance(key, Reference):
            return next(
                (
                    state
                    for (_, _), state in self._states.items()
                    if isinstance(state, Payment)
                    and (state.provider, state.provider_reference) == (key.provider, key.reference)
                ),
                None,
            )
        return None if key is None else self._states.get((kind, key))

    def refund(self, amount_minor: object = ABSENT, refund_id: str = "r-1", **data: Any) -> Scene:
        """Ask for a refund, as support unless `role` says otherwise; `actor` is who."""
        actor = {"id": data.pop("actor", "ada"), "role": data.pop("role", "support")}
        told = {"customer_id": self.payment.customer_id or ABSENT} | data
        return self.send(
            "refund_requested", refund_id=refund_id, amount_minor=amount_minor, actor=actor, **told
        )

    def decide(self, name: str, actor: str = "max", role: str = "manager", refund_id: str = "r-1") -> Scene:
        """`name` is refund_approved, refund_disapproved, refund_canceled or refund_recorded."""
        return self.send(name, refund_id=refund_id, actor={"id": actor, "role": role})

    def answer(self, name: str, refund_id: str = "r-1", **data: Any) -> Scene:
        """The provider's answer to the refund's call under way; to a stale one when there is none."""
        refund = self.of(refund_id)
        calls = [call for call in self.calls if call.object_id == refund.object_id]
        about: dict[str, Any] = {
            "call_id": refund.call_id or STALE_ID,
            "payment_id": self.payment.payment_id,
            "object_id": refund.object_id,
            "operation": calls[-1].operation if calls else "refund",
        }
        if name in {"call_succeeded", "call_pending"}:
            about["provider_reference"] = f"re_{refund_id}"
        if name == "call_succeeded":
            about["amount_minor"] = refund.amount_minor
        return self.send(name, **(about | data))

    def report(self, status: str, refund_id: str | None = "r-1", *, after: int = 0, **data: Any) -> Scene:
        """The provider's webhook, `after` so many seconds; without a `refund_id`, of one made in its console."""
        amount_minor = self.of(refund_id).amount_minor if refund_id else 300
        about: dict[str, Any] = {
            "status": status,
            "occurred_at": (START + timedelta(seconds=after)).isoformat(),
            "refund_id": refund_id_of("acme", ORDER, refund_id) if refund_id else None,
            "refund_reference": f"re_{refund_id}" if refund_id else "re_console",
            "order_id": ORDER if refund_id else None,
            "provider_reference": self.payment.provider_reference,
            "amount_minor": amount_minor,
        }
        return self.send("refund_reported", **(about | data))

    def time_out(self, kind: str, refund_id: str = "r-1", timer_id: UUID | None = None) -> Scene:
        """The refund's last timer of this kind is due, and the clock with it."""
        refund = self.of(refund_id)
        mine = [t for t in self.timers if t.kind == kind and t.object_id == refund.object_id]
        last = mine[-1] if mine else None
        if last is not None:
            self.now = max(self.now, last.due_at)
        return self.send(
            "due",
            kind=kind,
            timer_id=timer_id or (last.timer_id if last else STALE_ID),
            payment_id=self.payment.payment_id,
            object_id=refund.object_id,
            due_at=self.now.isoformat(),
        )

    def dispute(self, disputed_minor: int | None = None, *, state: str = "chargeback_open") -> Scene:
        """A dispute has come in between; how it comes is another context's story."""
        self.become(
            state=type(self.payment.state)(state),
            disputed_minor=disputed_minor or self.payment.captured_minor,
        )
        return self

    def become(self, **changes: Any) -> Scene:
        """The payment as another context leaves it."""
        payment = replace(self.payment, **changes)
        self._states["payment", ("acme", payment.payment_id)] = payment
        return self

    def wait(self, **duration: int) -> Scene:
        """Let time pass."""
        self.now += timedelta(**duration)
        return self

    def balances(self) -> dict[str, int]:
        """Account -> debits less credits, over all entries; accounts that are even are left out."""
        found: dict[str, int] = {}
        for posting in self.postings:
            for leg in posting.legs:
                signed = leg.amount_minor if leg.side == "debit" else -leg.amount_minor
                found[leg.account] = found.get(leg.account, 0) + signed
        return {account: balance for account, balance in found.items() if balance}

    def told(self) -> list[str]:
        """What was published about refunds and to whom something is said, in order."""
        return [
            event.data.about + " to " + event.data.audience
            if event.type.startswith("notification")
            else event.type
            for event in self.events
            if event.type.startswith(("refund.", "notification."))
        ]


def unpaid(**policy_members: Any) -> Scene:
    """A tenant with a policy."""
    return Scene().send("refund_policy_set", **policy(**policy_members))


def authorized(**policy_members: Any) -> Scene:
    """Money is held by card, none of it captured."""
    return _asked(unpaid(**policy_members), "manual")


def paid(amount_minor: int = AMOUNT_MINOR, currency: str = "EUR", **policy_members: Any) -> Scene:
    """Paid by card."""
    scene = unpaid(currency=currency, **policy_members)
    return _asked(scene, "automatic", amount_minor, currency)


def paid_in_cash(
    amount_minor: int = AMOUNT_MINOR, collection: str = "point_of_sale", **policy_members: Any
) -> Scene:
    """Paid at a point of sale, or in another way that no provider sees."""
    amount = {"amount_minor": amount_minor, "currency": "EUR"}
    return unpaid(**policy_members).send("payment_recorded", amount=amount, collection=collection)


def found_id(reference: str = "re_console") -> UUID:
    """The identity of a refund made in the provider's console."""
    return found_refund_id_of("acme", "sandbox", reference)


def _asked(scene: Scene, capture: str, amount_minor: int = AMOUNT_MINOR, currency: str = "EUR") -> Scene:
    amount = {"amount_minor": amount_minor, "currency": currency}
    scene.send("payment_requested", amount=amount, capture_method=capture)
    call = scene.calls[-1]
    return scene.send(
        "call_succeeded",
        call_id=call.call_id,
        payment_id=call.payment_id,
        provider=call.provider,
        operation=call.operation,
        provider_reference="auth_1",
        amount_minor=amount_minor,
        captured=capture == "automatic",
    )
