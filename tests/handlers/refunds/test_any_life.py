"""Any life of a payment's refunds: Hypothesis sends what may come, in any order, and law 7 and the books hold."""
# ruff: noqa: D102, FBT001 - a rule's name is its sentence, and its arguments are drawn

from __future__ import annotations

from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from handlers.decision import Decision
from handlers.refunds.states import IN_FLIGHT, TRANSITIONS, State
from schemas.currencies import MINOR_DIGITS
from tests.handlers.refunds.scene import Scene, paid, paid_in_cash
from tests.handlers.refunds.test_matrix import agrees

LINES: Final = [("support", 400, None), ("support", 10**15, "manager")]
VELOCITY: Final = [{"subject": "customer", "days": 3, "at_most": 6}]
names: Final = st.sampled_from([f"r-{number}" for number in range(8)])
amounts: Final = st.integers(1, 300) | st.integers(1, 1200)


class RefundLife(RuleBasedStateMachine):
    """Messages in; after each, the payment's sums, the entries and the histories agree."""

    def __init__(self) -> None:
        super().__init__()
        self.scene = Scene()

    @initialize(
        cash=st.booleans(),
        fees=st.sampled_from(["keep", "return_proportionally"]),
        amount=st.integers(1, 1200),
    )
    def open(self, cash: bool, fees: str, amount: int) -> None:
        way = paid_in_cash if cash else paid
        self.scene = way(amount, fees=fees, lines=LINES, velocity=VELOCITY)

    def known(self, name: str) -> bool:
        return any(refund.refund_id == name for refund in self.scene.refunds)

    @rule(
        name=names,
        amount=amounts,
        cause=st.sampled_from(["goodwill", "duplicate"]),
        credit=st.sampled_from(["original_method", "original_method", "service_credit"]),
    )
    def ask(self, name: str, amount: int, cause: str, credit: str) -> None:
        before = self.scene.payment
        self.scene.refund(amount, name, cause=cause, destination=credit)
        if not isinstance(self.scene.outcome, Decision):
            assert self.scene.payment == before

    @rule(
        name=names,
        decision=st.sampled_from(["refund_approved", "refund_disapproved", "refund_canceled"]),
        role=st.sampled_from(["support", "manager", "finance"]),
        actor=st.sampled_from(["ada", "max"]),
    )
    def decide(self, name: str, decision: str, role: str, actor: str) -> None:
        self.scene.decide(decision, actor, role, name)

    @rule(name=names, handed_out=st.booleans())
    def hand_out(self, name: str, handed_out: bool) -> None:
        self.scene.send("refund_recorded", refund_id=name, handed_out=handed_out)

    @precondition(lambda self: self.scene.refunds)
    @rule(
        name=names,
        word=st.sampled_from(
            ["call_succeeded", "call_pending", "call_declined", "call_failed", "call_unknown"]
        ),
    )
    def answer(self, name: str, word: str) -> None:
        if self.known(name):
            self.scene.answer(word, name)

    @rule(
        name=names | st.none(),
        status=st.sampled_from(["pending", "succeeded", "failed", "canceled"]),
        after=st.integers(0, 5),
    )
    def report(self, name: str | None, status: str, after: int) -> None:
        if name is None or self.known(name):
            self.scene.report(status, name, after=after)

    @rule(name=names, kind=st.sampled_from(["refund_approval_expiry", "refund_check"]))
    def time_out(self, name: str, kind: str) -> None:
        if self.known(name):
            self.scene.time_out(kind, name)

    @rule(share=st.integers(0, 100), state=st.sampled_from(["chargeback_open", "chargeback_lost"]))
    def dispute(self, share: int, state: str) -> None:
        payment = self.scene.payment
        if payment.state in {"succeeded", "partially_refunded"}:
            free = payment.captured_minor - payment.refunding_minor - payment.refunded_minor
            if disputed := free * share // 100:
                self.scene.dispute(disputed, state=state)

    @invariant()
    def law_7_the_books_and_the_histories_hold(self) -> None:
        if not self.scene.refunds:
            return
        agrees(self.scene)
        payment = self.scene.payment
        given = payment.refunding_minor + payment.refunded_minor + payment.disputed_minor
        assert given <= payment.captured_minor

    @invariant()
    def every_step_is_in_the_table(self) -> None:
        for step in self.scene.transitions:
            if step.object_type == "refund":
                assert TRANSITIONS[step.from_state, step.event] == step.to_state  # type: ignore[index]

    @invariant()
    def the_fee_that_went_back_is_the_sum_of_its_parts_and_all_of_it_when_all_went_back(self) -> None:
        if not self.scene.refunds:
            return
        live = [r for r in self.scene.refunds if r.state in IN_FLIGHT or r.state == State.SUCCEEDED]
        returned = sum(refund.fee_returned_minor for refund in live)
        platform = self.scene.balances().get("platform_fee_revenue", 0)
        assert platform == returned - self.scene.payment.fee_minor
        shared = sum(refund.placed_minor for refund in live if refund.fee_policy != "keep")
        if shared == self.scene.payment.captured_minor:
            assert returned == self.scene.payment.fee_minor

    @invariant()
    def nobody_approved_their_own_and_nothing_that_needs_it_went_without(self) -> None:
        for refund in self.scene.refunds:
            assert refund.approved_by != refund.requested_by
            if refund.submitted_at is not None:
                assert (refund.approved_by is None) is (refund.needs_approval_of is None)


RefundLife.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
test_any_life_of_refunds_keeps_the_laws = RefundLife.TestCase


@given(
    whole=st.integers(1, 400) | st.integers(1, 10**15),
    data=st.data(),
    currency=st.sampled_from(sorted(MINOR_DIGITS)),
)
@settings(max_examples=60, deadline=None)
def test_whatever_parts_fail_once_all_went_back_all_of_the_fee_did(
    whole: int, data: st.DataObject, currency: str
) -> None:
    scene = paid(whole, currency, lines=[("support", 10**15, None)])
    number = 0
    while scene.payment.refundable_minor and number < 12:
        part = data.draw(st.integers(1, scene.payment.refundable_minor))
        name = f"r-{number}"
        scene.refund(part, name).answer(data.draw(st.sampled_from(["call_succeeded", "call_declined"])), name)
        number += 1
    for refund in list(scene.refunds):
        if refund.state == State.SUCCEEDED and data.draw(st.booleans()):
            scene.report("failed", refund.refund_id, after=60)
    if scene.payment.refundable_minor:
        scene.refund(refund_id="last").answer("call_succeeded", "last")
    assert scene.payment.refundable_minor == 0
    assert scene.balances() == {}
