"""Any life of a payment: Hypothesis sends whatever may come, in any order, and the laws hold after each message.

Nothing here knows what a provider would do: answers and webhooks come for any call and charge, true or absurd. What is
allowed follows from the laws, and the laws must hold whatever is said.
"""
# ruff: noqa: D102, FBT001 - a rule's and an invariant's name is its sentence, and its arguments are drawn

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from handlers.decision import Call, Decision
from handlers.fees.rules import fee_of
from handlers.payments.model import Payment
from handlers.payments.states import TRANSITIONS
from schemas.notification import NOTIFICATION_REQUESTED
from tests.handlers.scene import STALE_ID, Scene, schedule
from tests.property.effort import examples
from tests.schemas.samples import ABSENT, DEBIT

AMOUNT_MINOR: Final = 1000
MONEY: Final = {"amount_minor": AMOUNT_MINOR, "currency": "EUR"}

ANSWERS: Final = {
    "authorize": (
        "call_succeeded",
        "call_declined",
        "challenge_required",
        "call_pending",
        "call_unknown",
        "call_failed",
    ),
    "confirm": ("call_succeeded", "call_declined", "challenge_required", "call_pending", "call_failed"),
    "capture": ("call_succeeded", "call_declined", "call_pending", "call_unknown", "call_failed"),
    "increase": ("call_succeeded", "call_declined", "call_unknown", "call_failed"),
    "void": ("call_succeeded", "call_declined", "call_unknown", "call_failed"),
    "refund": ("call_succeeded", "call_declined", "call_pending", "call_unknown", "call_failed"),
}
"""What a provider may answer to which operation."""

REASONS: Final = {
    "call_declined": ["insufficient_funds", "do_not_honor", "suspected_fraud", "try_again_later"],
    "call_failed": ["provider_unavailable", "provider_refused_request"],
}
TIMERS: Final = [
    "authorization_expiring",
    "authorization_expiry",
    "challenge_expiry",
    "confirmation_retry",
    "outcome_deadline",
    "pending_check",
]
STATUSES: Final = ["requires_action", "pending", "authorized", "captured", "failed", "canceled"]
TAKEN: Final = {"card_captured", "debit_collected", "cash_on_delivery", "terminal_sale", "transfer_received"}


AMOUNTS: Final = st.sampled_from([AMOUNT_MINOR, AMOUNT_MINOR, 400, None, 0]) | st.integers(0, 1500)


class PaymentLife(RuleBasedStateMachine):
    """Messages in; what was decided is held against the laws."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene((schedule(bps=290, fixed_minor=7),))
        self.before: Payment | None = None

    def play(self, message: Callable[[Scene], Scene]) -> bool:
        """Send a message; whether it was decided. What was refused or waits has changed nothing."""
        self.before = self.scene.payment if self.scene.opened else None
        decided = isinstance(message(self.scene).outcome, Decision)
        if not decided:
            assert (self.scene.payment if self.scene.opened else None) == self.before
        return decided

    @initialize(debit=st.booleans(), automatic=st.booleans())
    def begin(self, debit: bool, automatic: bool) -> None:
        self.request(automatic, True, "debit" if debit else "card")  # noqa: FBT003 - as drawn

    @rule(automatic=st.booleans(), confirm=st.booleans(), method=st.sampled_from(["card", "debit", None]))
    def request(self, automatic: bool, confirm: bool, method: str | None) -> None:
        data: dict[str, Any] = {"confirm": confirm and method is not None, "amount": MONEY}
        if method is None:
            data["payment_method"] = ABSENT
        if method == "debit":
            data["payment_method"] = DEBIT
        data["capture_method"] = "automatic" if automatic or method == "debit" else "manual"
        data["off_session"] = confirm
        new = not self.scene.opened
        assert self.play(lambda scene: scene.send("payment_requested", **data)) is new

    @rule(method=st.sampled_from([{}, {"payment_method": ABSENT}, {"payment_method": DEBIT}]))
    def confirm(self, method: dict[str, Any]) -> None:
        self.play(lambda scene: scene.send("confirmation_requested", **method))

    @rule()
    def come_back(self) -> None:
        self.play(lambda scene: scene.send("challenge_completed"))

    @rule(amount_minor=st.integers(1, 1200) | st.just(ABSENT), final=st.booleans())
    def capture(self, amount_minor: object, final: bool) -> None:
        self.play(lambda scene: scene.send("capture_requested", amount_minor=amount_minor, final=final))

    @rule(total_minor=st.integers(1, 1500))
    def increase(self, total_minor: int) -> None:
        self.play(lambda scene: scene.send("authorization_increase_requested", amount_minor=total_minor))

    @rule()
    def cancel(self) -> None:
        self.play(lambda scene: scene.send("cancellation_requested"))

    @rule(fact=st.sampled_from(["payment_recorded", "payment_deferred"]), rarely=st.integers(0, 7))
    def learn(self, fact: str, rarely: int) -> None:
        if rarely:
            return
        amount = (
            {"amount_minor": self.scene.payment.amount_minor, "currency": "EUR"}
            if self.scene.opened
            else MONEY
        )
        self.play(lambda scene: scene.send(fact, amount=amount))

    @rule()
    def miss(self) -> None:
        self.play(lambda scene: scene.send("payment_not_collected"))

    @precondition(lambda self: self.scene.opened and self.scene.payment.call_id is not None)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        payment = self.scene.payment
        name = data.draw(st.sampled_from(ANSWERS[payment.call_operation or ""]))
        changes = self.details(data, name, payment.call_operation or "", payment.call_amount_minor or 1)
        assert self.play(lambda scene: scene.answer(name, **changes))
        if name != "call_unknown" and changes.get("amount_minor") != 0:
            self.must_have_moved_on(payment, name)

    def details(self, data: st.DataObject, name: str, operation: str, most_minor: int) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if name in REASONS:
            changes["reason"] = data.draw(st.sampled_from(REASONS[name]))
        if name == "call_succeeded":
            captured = operation == "capture" or self.scene.payment.capture_method == "automatic"
            amount_minor = (
                data.draw(st.just(most_minor) | st.integers(0, most_minor))
                if operation != "refund"
                else most_minor
            )
            changes |= {"amount_minor": amount_minor, "captured": captured}
            if operation in {"authorize", "confirm"}:
                changes["provider_reference"] = f"auth_{self.scene.payment.attempts}"
            if operation == "increase":
                changes["amount_minor"] = most_minor
        if name in {"challenge_required", "call_pending"}:
            changes["provider_reference"] = f"auth_{self.scene.payment.attempts}"
        return changes

    def must_have_moved_on(self, before: Payment, name: str) -> None:
        """An answer closes its call, unless it says nothing about the money; then a person is asked."""
        after = self.scene.payment
        assert after.call_id != before.call_id or not after.certain, name

    @precondition(lambda self: self.scene.opened and self.scene.calls)
    @rule(name=st.sampled_from(ANSWERS["authorize"]), data=st.data())
    def answer_late(self, name: str, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.scene.calls))
        if call.call_id == self.scene.payment.call_id:
            return
        reference = data.draw(st.sampled_from(["auth_1", "auth_2"]))
        changes: dict[str, Any] = {"call_id": call.call_id, "operation": call.operation}
        if name == "call_succeeded":
            changes |= {"amount_minor": AMOUNT_MINOR, "captured": True, "provider_reference": reference}
        self.play(lambda scene: scene.answer(name, **changes))

    @rule(name=st.sampled_from(ANSWERS["authorize"]))
    def answer_to_nobody(self, name: str) -> None:
        assert not self.play(lambda scene: scene.answer(name, call_id=STALE_ID))

    @precondition(lambda self: self.scene.opened)
    @rule(
        status=st.sampled_from(STATUSES),
        attempt=st.integers(1, 3),
        held=AMOUNTS,
        taken=AMOUNTS,
        named=st.booleans(),
        data=st.data(),
    )
    def report(
        self, status: str, attempt: int, held: int | None, taken: int | None, named: bool, data: st.DataObject
    ) -> None:
        calls: list[Call] = self.scene.calls
        call_id: UUID | None = data.draw(st.sampled_from(calls)).call_id if named and calls else None
        self.play(
            lambda scene: scene.report(
                status,
                provider_reference=f"auth_{attempt}",
                authorized_minor=held,
                captured_minor=taken,
                call_id=call_id,
            )
        )

    @precondition(lambda self: self.scene.opened and not self.scene.payment.certain)
    @rule(verdict=st.sampled_from(["succeeded", "no_effect"]), data=st.data())
    def decide(self, verdict: str, data: st.DataObject) -> None:
        payment = self.scene.payment
        amount_minor = data.draw(st.integers(1, payment.call_amount_minor or 1))
        self.play(
            lambda scene: scene.send(
                "outcome_decided",
                call_id=payment.call_id,
                verdict=verdict,
                amount_minor=amount_minor,
                provider_reference=f"auth_{payment.attempts}",
            )
        )

    @precondition(lambda self: self.scene.opened)
    @rule(kind=st.sampled_from(TIMERS))
    def time_out(self, kind: str) -> None:
        assert self.play(lambda scene: scene.time_out(kind))

    @rule(hours=st.integers(1, 30))
    def wait(self, hours: int) -> None:
        self.scene.wait(hours=hours)

    @invariant()
    def nobody_takes_more_than_is_held_or_holds_more_than_was_asked(self) -> None:
        if self.scene.opened:
            payment = self.scene.payment
            assert 0 <= payment.captured_minor <= payment.authorized_minor <= payment.amount_minor
            assert 0 <= payment.fee_minor <= payment.captured_minor

    @invariant()
    def state_moves_only_along_the_table_and_versions_count_its_steps(self) -> None:
        steps = self.scene.transitions
        assert [step.version for step in steps] == list(range(1, len(steps) + 1))
        state = None
        for step in steps:
            assert step.from_state == state
            assert TRANSITIONS[step.from_state, step.event] == step.to_state  # type: ignore[index]
            state = step.to_state
        if self.scene.opened:
            assert (self.scene.payment.state, self.scene.payment.version) == (state, len(steps))

    @invariant()
    def the_entries_are_what_was_taken_and_what_it_cost(self) -> None:
        booked = self.booked()
        assert booked["debit"] == booked["credit"]
        taken_minor = self.scene.payment.captured_minor if self.scene.opened else 0
        assert booked["merchant_payable"] + booked["platform_fee_revenue"] == taken_minor
        if self.scene.opened:
            payment = self.scene.payment
            assert (
                booked["platform_fee_revenue"] == payment.fee_minor == fee_of(payment.fee_terms, taken_minor)
            )

    @invariant()
    def what_stands_in_suspense_is_being_given_back_or_is_for_a_person(self) -> None:
        remarks = (self.scene.payment.remarks or {}) if self.scene.opened else {}
        open_ones = [
            word for word in remarks.values() if word.startswith("reversing") or word == "not_refunded"
        ]
        assert (self.booked()["suspense"] == 0) or open_ones

    def booked(self) -> dict[str, int]:
        """Sums by side, and credits less debits by account."""
        sums = dict.fromkeys(("debit", "credit", "merchant_payable", "platform_fee_revenue", "suspense"), 0)
        for posting in self.scene.postings:
            for leg in posting.legs:
                sums[leg.side] += leg.amount_minor
                signed = leg.amount_minor if leg.side == "credit" else -leg.amount_minor
                sums[leg.account] = sums.get(leg.account, 0) + signed
        return sums

    @invariant()
    def at_most_one_call_is_under_way_and_it_is_the_last(self) -> None:
        calls = self.scene.calls
        assert len({call.call_id for call in calls}) == len(calls)
        if self.scene.opened:
            payment = self.scene.payment
            assert payment.calls == len(calls)
            assert payment.call_id in {None, *(call.call_id for call in calls[-1:])}
            assert (
                (payment.call_id is None)
                is (payment.call_operation is None)
                is (payment.call_amount_minor is None)
            )
            assert (payment.state == "processing") <= (payment.call_id is not None)
            assert payment.certain or payment.call_id is not None

    @invariant()
    def no_state_that_ends_by_itself_is_without_an_end(self) -> None:
        if self.scene.opened:
            payment = self.scene.payment
            waits = payment.state in {"authorized", "captured", "requires_action"}
            assert waits <= (payment.state_ends_at is not None)

    @invariant()
    def the_world_was_told_where_the_payment_stands(self) -> None:
        told = [event.data for event in self.scene.events if event.type != NOTIFICATION_REQUESTED]
        if not self.scene.opened:
            assert told == []
            return
        payment = self.scene.payment
        assert (told[-1].state, told[-1].version) == (payment.state, payment.version)
        assert (told[-1].captured_minor, told[-1].fee_minor) == (payment.captured_minor, payment.fee_minor)


PaymentLife.TestCase.settings = settings(max_examples=examples(60), stateful_step_count=40)
test_any_life_of_a_payment_keeps_the_laws = PaymentLife.TestCase
