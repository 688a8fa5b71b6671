"""Orders, shops, the gateway, the provider and time, around the engine in memory; every step is checked."""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from handlers.payments.model import Payment, payment_id_of
from tests.handlers.scene import TYPE_OF
from tests.property.machine.laws import hold_now, hold_when_settled
from tests.property.machine.luck import START, Clock, Luck
from tests.property.machine.memory import Memory, Verdict
from tests.property.machine.objects import CURRENCY, PROVIDER
from tests.property.machine.provider import Provider
from tests.schemas.samples import ABSENT, TOPIC_OF, cloud_event, read

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Call
    from tests.property.machine.commands import Command
    from tests.property.machine.objects import Charge, Report
    from tests.property.machine.provider import Answer

TENANT: Final = "acme"
SHOP: Final = "/shops/shoes"
GATEWAY: Final = "/counterfoil/gateway"
HOOKS: Final = "/webhooks/sandbox/main"
LIMITS: Final = (
    ("system", 300, None),
    ("support", 200, None),
    ("support", 10**9, "manager"),
    ("manager", 10**9, None),
    ("finance", 10**9, None),
)
"""Role, up to how much, who must approve."""
SETTLED_WITHIN: Final = 60
"""Rounds of answers and deliveries after which nothing may be under way any more."""


@dataclass
class Errand:
    """A call of the gateway's; `in_doubt` when a try of it may have had an effect."""

    call: Call
    in_doubt: bool = False
    told: bool = False


class Town:
    """One run. `refused` counts (command, state) -> reasons; `taken` of the memory counts transitions."""

    def __init__(self, *, names_calls: bool = True, fees: str = "return_proportionally") -> None:
        self.clock = Clock()
        self.memory = Memory(self.clock)
        self.provider = Provider(self.clock, names_calls=names_calls)
        self.orders: list[str] = []
        self.errands: list[Errand] = []
        self.results: defaultdict[str, deque[tuple[str, dict[str, Any]]]] = defaultdict(deque)
        self.heard: list[tuple[str, str, dict[str, Any]]] = []
        """Results that arrived: event id, type, data."""
        self.refused: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self.collected_minor: Counter[str] = Counter()
        self.handed_out_minor: Counter[str] = Counter()
        self.misjudged: defaultdict[str, list[Call]] = defaultdict(list)
        """Order -> calls of which a person said that they had no effect."""
        self.did: Counter[str] = Counter()
        self.sent: list[tuple[str, bytes, datetime]] = []
        """All messages so far: topic, body, and the time at which they came."""
        self._prices: dict[str, int] = {}
        self._facts: dict[str, tuple[str, str, int]] = {}
        self._sent = 0
        self._opened = 0
        lines = [
            {"role": role, "currency": CURRENCY, "at_most_minor": most, "with_approval_of": approver}
            for role, most, approver in LIMITS
        ]
        self.send(
            "merchant_fees_set", {"fixed_minor": {CURRENCY: 7}, "effective_from": "2020-01-01T00:00:00Z"}
        )
        self.send(
            "refund_policy_set",
            {
                "limits": lines,
                "velocity": [],
                "fees": fees,
                "service_credit": True,
                "effective_from": "2020-01-01T00:00:00Z",
                "never_after_days": 3000,
                "finance_after_days": 3000,
            },
        )

    # ---- what is known

    def payment(self, order_id: str) -> Payment | None:
        """The order's payment."""
        found = self.memory.find("payment", (TENANT, payment_id_of(TENANT, order_id)))
        assert found is None or isinstance(found, Payment)
        return found

    def price(self, order_id: str, luck: Luck) -> int:
        """What the order costs; sometimes somebody gets it wrong."""
        payment = self.payment(order_id)
        price_minor = payment.amount_minor if payment else self._prices[order_id]
        return price_minor + (1 if luck.one_in(12) else 0)

    def refund_names(self, order_id: str) -> list[str]:
        """Refunds of the order, by the names that callers gave them; one made in the provider's console has none."""
        own = (one for one in self.memory.of("refund") if one.order_id == order_id)
        return [one.refund_id for one in own if one.cause != "made_at_provider"]

    def dispute_names(self, order_id: str) -> list[str]:
        """Disputes of the order that we know."""
        return [one.dispute_reference for one in self.memory.of("dispute") if one.order_id == order_id]

    def own(self, charge: Charge) -> bool:
        """Whether our payment counts on the charge, and knows that it has the money."""
        payment = self.payment(charge.order_id)
        return (
            payment is not None
            and payment.captured_minor > 0
            and payment.provider_reference == charge.reference
        )

    # ---- messages

    def send(
        self,
        name: str,
        data: dict[str, Any],
        *,
        source: str = SHOP,
        event_id: str | None = None,
        crash: bool = False,
    ) -> Verdict:
        """Let the engine take in a message; then the laws of its order must hold."""
        self._sent += 1
        event_type = TYPE_OF[name]
        event = cloud_event(
            event_type, time=self.clock.now.isoformat(), id=event_id or f"e{self._sent}", source=source
        )
        if "idempotency_key" in event["data"]:
            data = {"idempotency_key": f"k{self._sent}"} | data
        kept = {**event["data"], **data}
        event["data"] = {member: value for member, value in kept.items() if value is not ABSENT}
        body = json.dumps(event, default=str).encode()
        message = read(TOPIC_OF[event_type], body)
        self.sent.append((TOPIC_OF[event_type], body, self.clock.now))
        order_id = event["data"].get("order_id")
        before = self.payment(order_id) if order_id else None
        verdict = self.memory.handle(message, crash=crash)
        if verdict.outcome != "applied":
            assert order_id is None or self.payment(order_id) == before, "what is not applied changes nothing"
        self.errands += [Errand(call) for call in self.memory.asked]
        self.memory.asked.clear()
        if name == "payment_recorded":
            amount_minor = event["data"]["amount"]["amount_minor"]
            self._facts[message.id] = ("collected", event["data"]["order_id"], amount_minor)
        if name == "refund_recorded" and event["data"]["handed_out"]:
            refund = self._refund(order_id, event["data"]["refund_id"])
            self._facts[message.id] = ("handed_out", order_id, refund.amount_minor if refund else 0)
        self._count_facts()
        if order_id in self.orders:
            hold_now(self, order_id)
        return verdict

    def _refund(self, order_id: str, name: str) -> Any:
        found = (one for one in self.memory.of("refund") if (one.order_id, one.refund_id) == (order_id, name))
        return next(found, None)

    def _count_facts(self) -> None:
        """Cash counts as soon as its message is applied, perhaps after it has waited."""
        for event_id, (kind, order_id, amount_minor) in list(self._facts.items()):
            outcome = self.memory.verdict(SHOP, event_id).outcome
            if outcome == "applied":
                counter = self.collected_minor if kind == "collected" else self.handed_out_minor
                counter[order_id] += amount_minor
            if outcome != "parked":
                del self._facts[event_id]

    def command(self, command: Command, order_id: str, luck: Luck) -> None:
        """Ask for something; where its state does not allow it, it must be refused with a reason."""
        data = command.build(self, order_id, luck)
        if data is None:
            return
        target = self._target(command, order_id, data)
        verdict = self.send(command.name, data | {"order_id": order_id}, crash=luck.one_in(4))
        if target is None:
            return
        state, busy = str(target.state), target.call_id is not None
        allowed = {str(one) for one in command.granted}
        if state in allowed or verdict.outcome == "duplicate":
            return
        payment = self.payment(order_id)
        busy = busy or (payment is not None and payment.call_id is not None)
        if verdict.outcome == "parked":
            assert busy or verdict.reason is None, (command.name, state, verdict)
            if state == "processing":
                self.refused[command.name, state].add("call_in_progress")
            return
        assert verdict.outcome == "rejected", (command.name, state, verdict)
        if verdict.reason in command.reasons:
            self.refused[command.name, state].add(str(verdict.reason))

    def _target(self, command: Command, order_id: str, data: dict[str, Any]) -> Any:
        if command.about == "payment":
            return self.payment(order_id)
        if command.about == "refund":
            return self._refund(order_id, data["refund_id"])
        name = data["dispute_reference"]
        return next((one for one in self.memory.of("dispute") if one.dispute_reference == name), None)

    # ---- the gateway

    def work(self, errand: Errand, luck: Luck) -> None:
        """One try of a call."""
        call = errand.call
        match luck.below(8):
            case 4:  # it took effect, and the answer got lost
                self.provider.execute(call, luck)
                self._in_doubt(errand)
            case 5:  # nobody knows, and it did not even get there
                self._in_doubt(errand)
            case 6 if not errand.in_doubt:  # certainly without effect
                self._tell(errand, ("call_failed", {"reason": "provider_unavailable", "detail": "away"}))
            case 7:  # the gateway dies between the effect and its report
                self.provider.execute(call, luck)
                errand.in_doubt = True
            case _:
                self._tell(errand, self.provider.execute(call, luck))

    def _in_doubt(self, errand: Errand) -> None:
        if not errand.told:
            self._queue(errand.call, ("call_unknown", {"detail": "timed out"}))
        errand.in_doubt = errand.told = True

    def _tell(self, errand: Errand, answer: Answer) -> None:
        self.errands.remove(errand)
        self._queue(errand.call, answer)

    def _queue(self, call: Call, answer: Answer) -> None:
        name, told = answer
        about = {
            "call_id": call.call_id,
            "payment_id": call.payment_id,
            "object_id": call.object_id,
            "order_id": call.order_id,
            "provider": call.provider,
            "operation": call.operation,
        }
        self.results[call.order_id].append((name, about | told))

    def hear(self, order_id: str, *, crash: bool = False) -> None:
        """The next result of an order arrives."""
        name, data = self.results[order_id].popleft()
        event_id = f"r{self._sent}"
        self.heard.append((event_id, name, data))
        self.send(name, data, source=GATEWAY, event_id=event_id, crash=crash)

    def hear_again(self, event_id: str, name: str, data: dict[str, Any]) -> None:
        """A result arrives again, under another id: it moves no money."""
        before = self.memory.verdict(GATEWAY, event_id)
        self._no_money(before, self.send(name, data, source=GATEWAY))

    # ---- webhooks

    def deliver(self, report: Report, *, crash: bool = False) -> None:
        """A webhook arrives, in whatever order."""
        self.provider.reports.remove(report)
        self.provider.delivered.append(report)
        self.send(report.type.split(".")[1], report.data, source=HOOKS, event_id=report.event_id, crash=crash)

    def deliver_again(self, report: Report, *, other_id: bool) -> None:
        """A webhook arrives again: with its id it changes nothing, as another event it moves no money."""
        event_id = None if other_id else report.event_id
        before = self.memory.verdict(HOOKS, report.event_id)
        verdict = self.send(report.type.split(".")[1], report.data, source=HOOKS, event_id=event_id)
        assert other_id or verdict.outcome == "duplicate"
        self._no_money(before, verdict)

    @staticmethod
    def _no_money(before: Verdict, verdict: Verdict) -> None:
        if before.outcome != "applied":  # it was refused, or given up, when it came first
            return
        assert not verdict.decision.postings, "what is said again is booked again"
        assert not verdict.decision.transitions, "what is said again moves a state again"

    # ---- people

    def judge(self, payment: Payment, luck: Luck) -> None:
        """A person looks in the provider's console and decides about a call whose outcome is unknown."""
        call = self.memory.calls[payment.call_id] if payment.call_id else None
        if call is None:
            return
        verdict: dict[str, Any] = {"verdict": "no_effect", "amount_minor": None, "provider_reference": None}
        if self.provider.has(call):
            name, told = self.provider.execute(call, luck)
            if name == "call_succeeded":
                reference = told["provider_reference"]
                amount_minor = told["amount_minor"] or payment.call_amount_minor
                verdict = {
                    "verdict": "succeeded",
                    "amount_minor": amount_minor,
                    "provider_reference": reference,
                }
            elif name in {"challenge_required", "call_pending"}:
                return
        elif call.operation == "confirm":
            return
        else:
            self.misjudged[payment.order_id].append(call)
        for name, role in (("fay", "finance"), ("max", "manager")):
            about = {
                "order_id": payment.order_id,
                "call_id": call.call_id,
                "actor": {"id": name, "role": role},
            }
            self.send("outcome_decided", about | verdict)

    # ---- the end of an order

    def settle(self, order_id: str) -> None:
        """Everything is answered and delivered; then our books are the provider's, and nothing hangs."""
        for _ in range(SETTLED_WITHIN):
            if not self._settle_more(order_id):
                break
        else:
            raise AssertionError(f"{order_id} does not come to rest")
        misjudged = any(self.provider.has(call) for call in self.misjudged[order_id])
        if not misjudged:
            hold_when_settled(self, order_id)

    def _settle_more(self, order_id: str) -> bool:
        moved = False
        for errand in [one for one in self.errands if one.call.order_id == order_id]:
            self._tell(errand, self.provider.execute(errand.call, Luck(0)))
        while self.results[order_id]:
            moved = True
            self.hear(order_id)
        for report in [one for one in self.provider.reports if one.data["order_id"] == order_id]:
            moved = True
            self.deliver(report)
        for letter in [one for one in self.memory.dead if one.data.ordering_key() == order_id]:
            self.memory.dead.remove(letter)
            self.memory.replay(letter)
        self.errands += [Errand(call) for call in self.memory.asked]
        moved |= bool(self.memory.asked)
        self.memory.asked.clear()
        self._count_facts()
        payment = self.payment(order_id)
        if not moved and payment is not None and payment.call_id is not None and not payment.certain:
            version = payment.updated_at
            self.clock.tick()
            self.judge(payment, Luck(0))
            after = self.payment(order_id)
            moved = after is not None and after.updated_at != version
        return moved or any(one.call.order_id == order_id for one in self.errands)

    def open(self, luck: Luck, prices: tuple[int, ...]) -> str:
        """A new order; nothing is known of it yet."""
        self._opened += 1
        order_id = f"o{self._opened}"
        self._prices[order_id] = luck.pick(prices)
        self.orders.append(order_id)
        return order_id

    def retire(self, order_id: str) -> None:
        """Settle an order, and forget it."""
        self.settle(order_id)
        self.orders.remove(order_id)
        self.memory.forget(order_id)
        self.provider.forget(order_id)
        self.heard = [one for one in self.heard if one[2]["order_id"] != order_id]
        self.results.pop(order_id, None)

    def wait(self, hours: int) -> None:
        """Time passes, and with it the patience with what waits."""
        self.clock.jump(self.clock.now + timedelta(hours=hours))
        self.memory.give_up_waiting()


__all__ = ["PROVIDER", "START", "Errand", "Town"]
