"""What comes after the day: every case as a row, how often it comes in 20,000 events, and its messages.

A case is about a payment of the day that is `wanted`, or about an order of its own. Where a message follows what the
provider does, or what a person has seen, it has a cue; so a case ends alike however fast anybody is. `on(day, ...)`:
so many days after the day.

- One order of a customer at most is in a case, so that limits per customer do not depend on whose message is first.
- No case asks for two refunds of which the second depends on how the first one ends, but by a cue.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ops.demo.aftersales import (
    COLLEAGUE,
    DEBIT_FAILED,
    DISPUTED,
    DISPUTED_NOW,
    FINANCE,
    HELD,
    INQUIRY,
    INQUIRY_ESCALATED,
    MANAGER,
    PAID,
    PROMOTED,
    REFUND_FAILED,
    REMINDED,
    SHOP,
    SUPPORT,
    WON,
    WON_AND_ESCALATED,
)
from ops.demo.journeys import APPROVE, CHALLENGE, FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.demo.aftersales import Aftersale
    from ops.demo.orders import Step

PER_EVENTS: Final = 20_000
DECIDED, REVIEWED, EXPIRED, RETURNED, LAPSED = 3, 6, 8, 11, 15
"""The days on which something of it comes to pass: debits and refunds; evidence; holds and due dates; returns;
approvals that nobody gave."""
DAYS: Final[dict[int, str]] = {
    0: "the evening: refunds, approvals, disputes, debits",
    DECIDED: "banks decide on debits and refunds",
    REVIEWED: "evidence is judged, refunds bounce",
    EXPIRED: "holds and unanswered disputes expire",
    RETURNED: "banks take debits back",
    LAPSED: "approvals that nobody gave lapse",
}


def on(day: int, step: Step) -> Step:
    """The step, so many days later."""
    return replace(step, day=day)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A payment of the day that a case is about."""

    methods: tuple[str, ...]
    states: tuple[str, ...] = ("succeeded",)
    at_least_euros: int = 5


@dataclass(frozen=True, slots=True)
class Case:
    """`weight`: how many there are in PER_EVENTS events, at least one."""

    name: str
    weight: int
    steps: Callable[[Aftersale], list[Step]]
    wanted: Wanted | None = None


CARD: Final = ("card",)
CASH: Final = ("point_of_sale", "cash_on_delivery", "bank_transfer")
HOLD: Final = Wanted(CARD, ("authorized",))


def _paid(order: Aftersale, token: str = APPROVE) -> Step:
    return order.request(token)


def _velocity(order: Aftersale) -> list[Step]:
    """Four small refunds, and a fifth that is one too many for the customer."""
    return [*(order.refund(SUPPORT, order.minor(5)) for _ in range(5)), order.approve(FINANCE)]


def _complete_first(order: Aftersale) -> list[Step]:
    refused = order.refund(FINANCE)
    return [refused, order.capture(), order.refund(FINANCE, cue=PAID)]


def _second_round(order: Aftersale) -> list[Step]:
    opened = [_paid(order, "tok_dispute_chargeback"), order.prove(DISPUTED)]
    again = [order.sent_off(WON_AND_ESCALATED), order.give_in(DISPUTED)]
    return [*opened, *(on(REVIEWED, step) for step in again)]


def _refund_of(token: str) -> Callable[[Aftersale], list[Step]]:
    return lambda o: [_paid(o, token), o.refund(FINANCE, cue=PAID)]


def _raised(token: str) -> Callable[[Aftersale], list[Step]]:
    return lambda o: [o.request(token, manual=True), o.increase(10), o.capture()]


OF_THE_DAY: Final = (
    Case("small", 60, lambda o: [o.refund(SHOP, o.minor(20))], Wanted(CARD, at_least_euros=20)),
    Case("whole", 40, lambda o: [o.refund(FINANCE)], Wanted(CARD)),
    Case(
        "in_parts",
        15,
        lambda o: [o.refund(SUPPORT, o.minor(part)) for part in (10, 10, 15)],
        Wanted(CARD, at_least_euros=60),
    ),
    Case("once_too_often", 4, _velocity, Wanted(CARD, at_least_euros=60)),
    Case(
        "manager_approves",
        30,
        lambda o: [o.refund(SUPPORT, o.minor(100)), o.approve(MANAGER)],
        Wanted(CARD, at_least_euros=100),
    ),
    Case(
        "finance_approves",
        15,
        lambda o: [o.refund(SUPPORT, o.minor(400)), o.approve(FINANCE)],
        Wanted(CARD, at_least_euros=400),
    ),
    Case(
        "manager_refuses",
        12,
        lambda o: [o.refund(SUPPORT, o.minor(90)), o.disapprove(MANAGER)],
        Wanted(CARD, at_least_euros=90),
    ),
    Case(
        "same_eyes",
        6,
        lambda o: [o.refund(SUPPORT, o.minor(80)), o.approve(PROMOTED), o.approve(MANAGER, None)],
        Wanted(CARD, at_least_euros=80),
    ),
    Case(
        "wrong_rank",
        4,
        lambda o: [o.refund(SUPPORT, o.minor(70)), o.approve(COLLEAGUE), o.approve(FINANCE, None)],
        Wanted(CARD, at_least_euros=70),
    ),
    Case(
        "withdrawn",
        6,
        lambda o: [o.refund(SUPPORT, o.minor(60)), o.withdraw(SUPPORT)],
        Wanted(CARD, at_least_euros=60),
    ),
    Case("undecided", 4, lambda o: [o.refund(SUPPORT, o.minor(100))], Wanted(CARD, at_least_euros=100)),
    Case("beyond_the_limit", 8, lambda o: [o.refund(SHOP, o.minor(31))], Wanted(CARD, at_least_euros=40)),
    Case("too_much", 6, lambda o: [o.refund(FINANCE, o.amount_minor + 1)], Wanted(CARD)),
    Case(
        "name_used_twice",
        4,
        lambda o: [o.refund(SUPPORT, o.minor(5)), o.refund(SUPPORT, o.minor(5), again=True)],
        Wanted(CARD, at_least_euros=20),
    ),
    Case(
        "as_credit",
        12,
        lambda o: [o.refund(SUPPORT, o.minor(20), destination="service_credit")],
        Wanted((*CARD, *CASH), at_least_euros=20),
    ),
    Case(
        "goodwill",
        8,
        lambda o: [o.refund(SUPPORT, o.minor(5), cause="goodwill")],
        Wanted(CARD, at_least_euros=20),
    ),
    Case("not_captured_yet", 10, lambda o: [o.refund(SUPPORT)], HOLD),
    Case("part_of_a_hold", 3, lambda o: [o.refund(SUPPORT, o.minor(1))], HOLD),
    Case("complete_first", 5, _complete_first, Wanted(CARD, ("captured",))),
    Case(
        "over_the_counter",
        40,
        lambda o: [o.refund(SUPPORT, o.minor(10)), o.hand_out(handed_out=True)],
        Wanted(CASH, at_least_euros=20),
    ),
    Case(
        "nobody_came",
        6,
        lambda o: [o.refund(SUPPORT, o.minor(10)), o.hand_out(handed_out=False)],
        Wanted(CASH, at_least_euros=20),
    ),
)
"""About payments of the day."""

OF_THEIR_OWN: Final = (
    # refunds that go wrong, late or in silence
    Case("refund_pending", 6, _refund_of("tok_refund_pending")),
    Case(
        "refund_fails",
        6,
        lambda o: [
            *_refund_of("tok_refund_fail")(o),
            on(DECIDED, o.refund(FINANCE, cue=REFUND_FAILED, destination="service_credit")),
        ],
    ),
    Case("refund_bounces", 6, _refund_of("tok_refund_bounce")),
    Case("refund_declined", 4, _refund_of("tok_refund_decline")),
    Case("refund_silent_before", 3, _refund_of("tok_refund_timeout_before_effect")),
    Case("refund_silent_after", 3, _refund_of("tok_refund_timeout_after_effect")),
    # holds that are raised, over-captured, or of a network that knows neither
    Case("raised", 6, _raised(APPROVE)),
    Case("not_raised", 3, _raised("tok_increase_decline")),
    Case("raised_in_silence_before", 2, _raised("tok_increase_timeout_before_effect")),
    Case("raised_in_silence_after", 2, _raised("tok_increase_timeout_after_effect")),
    Case("single_capture", 3, lambda o: [o.request("tok_single_capture", manual=True), o.capture()]),
    Case(
        "more_than_held", 3, lambda o: [o.request("tok_over_capture", manual=True), o.capture(o.amount_minor)]
    ),
    # the provider in trouble, while its webhooks tell what happened
    Case("provider_in_trouble", 12, lambda o: [_paid(o, o.random.choice(FAULTS))]),
    # banks that decide days later
    Case("debit", 10, lambda o: [o.debit("tok_debit_approve")]),
    Case(
        "debit_refunded",
        3,
        lambda o: [o.debit("tok_debit_approve"), on(DECIDED, o.refund(FINANCE, cue=PAID))],
    ),
    Case("debit_fails", 5, lambda o: [o.debit("tok_debit_fail")]),
    Case(
        "debit_fails_then_card",
        5,
        lambda o: [o.debit("tok_debit_fail"), on(DECIDED, o.confirm(APPROVE, DEBIT_FAILED))],
    ),
    Case(
        "debit_refunded_then_returned",
        2,
        lambda o: [o.debit("tok_debit_return"), on(DECIDED, o.refund(FINANCE, o.third_minor, PAID))],
    ),
    Case("debit_returned", 6, lambda o: [o.debit("tok_debit_return")]),
    # customers who go to their bank
    Case(
        "dispute_won",
        8,
        lambda o: [_paid(o, "tok_dispute_chargeback"), o.sent_off(), o.prove(DISPUTED)],
    ),
    Case(
        "dispute_won_then_refunded",
        3,
        lambda o: [
            _paid(o, "tok_dispute_chargeback"),
            o.prove(DISPUTED),
            on(REVIEWED, o.refund(FINANCE, cue=WON)),
        ],
    ),
    Case(
        "dispute_lost", 6, lambda o: [_paid(o, "tok_dispute_chargeback"), o.prove(DISPUTED, convincing=False)]
    ),
    Case("dispute_accepted", 6, lambda o: [_paid(o, "tok_dispute_chargeback"), o.give_in(DISPUTED)]),
    Case("dispute_ignored", 5, lambda o: [_paid(o, "tok_dispute_chargeback")]),
    Case(
        "refund_while_disputed",
        4,
        lambda o: [_paid(o, "tok_dispute_chargeback"), o.refund(FINANCE, cue=DISPUTED), o.give_in(None)],
    ),
    Case("second_round", 3, _second_round),
    Case(
        "refunded_then_disputed",
        4,
        lambda o: [
            _paid(o),
            o.refund(FINANCE, o.third_minor, PAID),
            o.sent_off(DISPUTED_NOW),
            o.prove(DISPUTED, convincing=o.random.random() < 0.5),  # noqa: PLR2004 - every other one
        ],
    ),
    Case("inquiry_answered", 5, lambda o: [_paid(o, "tok_dispute_inquiry"), o.prove(INQUIRY)]),
    Case("inquiry_accepted", 3, lambda o: [_paid(o, "tok_dispute_inquiry"), o.give_in(INQUIRY)]),
    Case(
        "inquiry_escalated",
        4,
        lambda o: [_paid(o, "tok_dispute_inquiry"), o.sent_off(INQUIRY_ESCALATED), o.prove(DISPUTED)],
    ),
    Case("inquiry_ignored", 3, lambda o: [_paid(o, "tok_dispute_inquiry")]),
)
"""About orders that are opened for them, with a card or a bank account that behaves so."""

ON_A_TEST_CLOCK: Final = (
    Case("approval_lapses", 3, lambda o: [_paid(o), o.refund(SUPPORT, o.minor(60), PAID)]),
    Case("hold_expires", 3, lambda o: [o.request(APPROVE, manual=True)]),
    Case("challenge_left", 2, lambda o: [o.request(CHALLENGE)]),
    Case("debit_asked_about", 2, lambda o: [o.debit("tok_debit_approve")]),
    Case("refund_asked_about", 2, _refund_of("tok_refund_pending")),
    Case(
        "proved_after_the_reminder",
        3,
        lambda o: [_paid(o, "tok_dispute_chargeback"), on(REVIEWED, o.prove(REMINDED))],
    ),
    Case("reminded_in_vain", 2, lambda o: [_paid(o, "tok_dispute_chargeback")]),
    Case("hold_let_go", 2, lambda o: [o.request(APPROVE, manual=True), o.refund(SUPPORT, cue=HELD)]),
)
"""In the tenant that lives by a test clock, where our own timers are due as well."""
