"""Any life of a payment: Hypothesis sends whatever may come, in any order, and the laws hold after each message."""
# ruff: noqa: D102, FBT001 - a rule's and an invariant's name is its sentence, and its arguments are drawn

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from handlers.decision import Decision
from handlers.fees.rules import fee_of
from handlers.payments.model import Payment
from handlers.payments.states import TERMINAL, TRANSITIONS
from tests.handlers.scene import STALE_ID, Scene, schedule
from tests.schemas.samples import ABSENT

AMOUNT_MINOR: Final = 1000
MONEY: Final = {"amount_minor": AMOUNT_MINOR, "currency": "EUR"}

ANSWERS: Final = {
    "authorize": ["call_succeeded", "call_declined", "challenge_required", "call_unknown", "call_failed"],
    "confirm": ["call_succeeded", "call_declined", "challenge_required", "call_unknown", "call_failed"],
    "capture": ["call_succeeded", "call_declined", "call_unknown", "call_failed"],
    "void": ["call_succeeded", "call_declined", "call_unknown", "call_failed"],
}
"""What a provider may answer to which operation."""

REASONS: Final = {
    "call_declined": ["insufficient_funds", "do_not_honor", "suspected_fraud", "try_again_later"],
    "call_failed": ["provider_unavailable", "provider_refused_request"],
}


class PaymentLife(RuleBasedStateMachine):
    """Messages in, and a model beside them: what was asked, what was answered, what was booked."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene((schedule(bps=290, fixed_minor=7),))
        self.automatic = False
        self.held_minor = 0
        self.taken_minor = 0
        self.before: Payment | None = None

    def play(self, message: Callable[[Scene], Scene]) -> bool:
        """Send a message; whether it was decided. What was refused has changed nothing."""
        self.before = self.scene.payment if self.scene.opened else None
        decided = isinstance(message(self.scene).outcome, Decision)
        if not decided:
            assert (self.scene.payment if self.scene.opened else None) == self.before
        return decided

    @rule(automatic=st.booleans(), confirm=st.booleans(), method=st.booleans())
    def request(self, automatic: bool, confirm: bool, method: bool) -> None:
        data = {"confirm": confirm and method, "amount": MONEY} | (
            {} if method else {"payment_method": ABSENT}
        )
        data |= {"capture_method": "automatic" if automatic else "manual"}
        new = not self.scene.opened
        assert self.play(lambda scene: scene.send("payment_requested", **data)) is new
        self.automatic = automatic if new else self.automatic

    @rule(method=st.booleans())
    def confirm(self, method: bool) -> None:
        data = {} if method else {"payment_method": ABSENT}
        self.play(lambda scene: scene.send("confirmation_requested", **data))

    @rule()
    def come_back(self) -> None:
        self.play(lambda scene: scene.send("challenge_completed"))

    @rule(amount_minor=st.integers(1, AMOUNT_MINOR + 1) | st.just(ABSENT), final=st.booleans())
    def capture(self, amount_minor: object, final: bool) -> None:
        self.play(lambda scene: scene.send("capture_requested", amount_minor=amount_minor, final=final))

    @rule()
    def cancel(self) -> None:
        self.play(lambda scene: scene.send("cancellation_requested"))

    @rule(fact=st.sampled_from(["payment_recorded", "payment_deferred"]))
    def learn(self, fact: str) -> None:
        if self.play(lambda scene: scene.send(fact, amount=MONEY)) and fact == "payment_recorded":
            self.held_minor = self.taken_minor = AMOUNT_MINOR

    @rule()
    def miss(self) -> None:
        self.play(lambda scene: scene.send("payment_not_collected"))

    @precondition(lambda self: self.scene.opened and self.scene.payment.call_id is not None)
    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        call = self.scene.calls[-1]
        name = data.draw(st.sampled_from(ANSWERS[call.operation]))
        changes: dict[str, object] = {}
        if name in REASONS:
            changes["reason"] = data.draw(st.sampled_from(REASONS[name]))
        if name == "call_succeeded" and call.operation == "capture":
            changes["amount_minor"] = taken = data.draw(st.integers(1, call.amount_minor))
            self.taken_minor += taken
        if name == "call_succeeded" and call.operation in {"authorize", "confirm"}:
            changes |= {"amount_minor": (held := data.draw(st.integers(1, AMOUNT_MINOR)))}
            changes |= {"captured": self.automatic}
            self.held_minor, self.taken_minor = held, held if self.automatic else 0
        assert self.play(lambda scene: scene.answer(name, **changes))

    @rule(name=st.sampled_from(ANSWERS["authorize"]))
    def answer_late(self, name: str) -> None:
        assert not self.play(lambda scene: scene.answer(name, call_id=STALE_ID))

    @precondition(lambda self: self.scene.opened)
    @rule(kind=st.sampled_from(["authorization_expiry", "challenge_expiry"]))
    def time_out(self, kind: str) -> None:
        assert self.play(lambda scene: scene.time_out(kind))

    @invariant()
    def nobody_takes_more_than_is_held_or_holds_more_than_was_asked(self) -> None:
        if self.scene.opened:
            payment = self.scene.payment
            assert 0 <= payment.captured_minor <= payment.authorized_minor <= payment.amount_minor

    @invariant()
    def amounts_are_those_of_the_model(self) -> None:
        if self.scene.opened:
            payment = self.scene.payment
            assert (payment.authorized_minor, payment.captured_minor) == (self.held_minor, self.taken_minor)

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
        booked = {"debit": 0, "credit": 0, "platform_fee_revenue": 0}
        for posting in self.scene.postings:
            for leg in posting.legs:
                booked[leg.side] += leg.amount_minor
                booked[leg.account] = booked.get(leg.account, 0) + leg.amount_minor
        taken = self.scene.payment.captured_minor if self.scene.opened else 0
        assert booked["debit"] == booked["credit"] == taken
        if self.scene.opened:
            payment = self.scene.payment
            assert booked["platform_fee_revenue"] == payment.fee_minor == fee_of(payment.fee_terms, taken)

    @invariant()
    def at_most_one_call_is_under_way_and_it_is_the_last(self) -> None:
        calls = self.scene.calls
        assert len({call.call_id for call in calls}) == len(calls)
        if self.scene.opened:
            payment = self.scene.payment
            assert payment.calls == len(calls)
            assert payment.call_id in {None, *(call.call_id for call in calls[-1:])}
            assert (payment.call_id is None) is (payment.call_operation is None)
            assert (payment.state == "processing") <= (payment.call_id is not None)
            assert payment.certain or payment.call_id is not None

    @invariant()
    def an_end_is_an_end(self) -> None:
        if self.before is not None and self.before.state in TERMINAL:
            assert self.scene.payment == self.before

    @invariant()
    def the_world_was_told_where_the_payment_stands(self) -> None:
        if not self.scene.opened:
            assert self.scene.events == []
            return
        told, payment = self.scene.events[-1].data, self.scene.payment
        assert (told.state, told.version) == (payment.state, payment.version)
        assert (told.captured_minor, told.fee_minor) == (payment.captured_minor, payment.fee_minor)


PaymentLife.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
test_any_life_of_a_payment_keeps_the_laws = PaymentLife.TestCase
