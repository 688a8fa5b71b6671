"""What becomes of orders: every way through the checkout, how often it is taken, and its messages.

A journey's end does not depend on when its messages are handled, only on their order:

- All messages of an order have one key, so Kafka keeps them in order, and the engine parks what comes too early.
- While the provider is asked, a capture or cancellation of the order waits (`call_in_progress`), so that it meets the
  outcome of what came before it, however late.
- A record of money handed over never meets an open card payment: that would be a race with the provider.
- A shop sends another card when it has heard of the decline, and the customer's return when the challenge is answered
  at the provider (`Step.cue`); until then it holds the order's further messages back.
- Declines, faults and refusals come from the card's token and the amounts alone, and no timer is due on the day.

What is sold in two of the same kind (two captures, two requests) is never sent out of order, for there the order of
arrival is the meaning. `may_overtake` says that the second message may come before the first: it refers to a payment
that is not known yet, and waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ops.demo.orders import DECLINED, FAILED, PASSED, Order, Step

if TYPE_CHECKING:
    from collections.abc import Callable

APPROVE: Final = "tok_approve"
CHALLENGE: Final = "tok_challenge"
DECLINES: Final = (
    "tok_decline_insufficient_funds",
    "tok_decline_do_not_honor",
    "tok_decline_expired_card",
    "tok_decline_incorrect_cvc",
    "tok_decline_try_again_later",
)
DECLINES_FOR_GOOD: Final = ("tok_decline_lost_card", "tok_decline_stolen_card", "tok_decline_fraudulent")
FAULTS: Final = (
    "tok_slow",
    "tok_timeout_before_effect",
    "tok_timeout_after_effect",
    "tok_error_500_before_effect",
    "tok_error_500_after_effect",
    "tok_rate_limited",
    "tok_connection_reset",
    "tok_capture_timeout",
)
CONFIRMATIONS_AT_MOST: Final = 5


def _decline(order: Order) -> str:
    return order.random.choice(DECLINES)


def _several_captures(order: Order) -> list[Step]:
    return [
        _hold(order),
        order.capture(order.third_minor, final=False),
        order.capture(order.third_minor, final=False),
        order.capture(),
    ]


def _no_card_works(order: Order) -> list[Step]:
    again = [order.confirm(_decline(order), DECLINED) for _ in range(CONFIRMATIONS_AT_MOST - 1)]
    return [order.request(_decline(order)), *again]


def _challenge_then_capture(order: Order) -> list[Step]:
    return [order.request(CHALLENGE, manual=True), order.return_from_challenge(PASSED), order.capture()]


def _challenge_then_another(order: Order) -> list[Step]:
    return [order.request(CHALLENGE), order.return_from_challenge(FAILED), order.confirm(APPROVE, DECLINED)]


def _wrong_amount(order: Order) -> list[Step]:
    wrong = order.record("bank_transfer", order.amount_minor + 1)
    return [order.defer("bank_transfer"), wrong, order.record("bank_transfer")]


def _pay(order: Order) -> Step:
    return order.request(APPROVE)


def _hold(order: Order) -> Step:
    return order.request(APPROVE, manual=True)


@dataclass(frozen=True, slots=True)
class Journey:
    """One way through the checkout; `weight` is how often it is taken, in parts of the sum of all."""

    name: str
    weight: int
    steps: Callable[[Order], list[Step]]
    may_overtake: bool = False


JOURNEYS: Final = (
    # cards, taken at once
    Journey("card", 220, lambda o: [_pay(o)]),
    Journey(
        "card_confirmed",
        60,
        lambda o: [o.request(APPROVE, confirm=False), o.confirm(None)],
        may_overtake=True,
    ),
    Journey("card_chosen_later", 40, lambda o: [o.request(), o.confirm(APPROVE)], may_overtake=True),
    Journey("faulty_provider", 24, lambda o: [o.request(o.random.choice(FAULTS))]),
    Journey("cancelled_too_late", 10, lambda o: [_pay(o), o.cancel()]),
    # cards, held first and taken when the goods leave
    Journey("held_then_taken", 90, lambda o: [_hold(o), o.capture()], may_overtake=True),
    Journey("held_then_part_taken", 20, lambda o: [_hold(o), o.capture(o.third_minor)]),
    Journey("taken_in_parts", 15, _several_captures),
    Journey("first_part_taken", 8, lambda o: [_hold(o), o.capture(o.third_minor, final=False)]),
    Journey("held", 12, lambda o: [_hold(o)]),
    Journey("held_then_cancelled", 20, lambda o: [_hold(o), o.cancel()], may_overtake=True),
    Journey("taken_too_much", 6, lambda o: [_hold(o), o.capture(o.amount_minor + 1), o.capture()]),
    Journey("silent_at_capture", 6, lambda o: [o.request("tok_capture_timeout", manual=True), o.capture()]),
    Journey(
        "capture_declined",
        6,
        lambda o: [o.request("tok_capture_decline", manual=True), o.capture(), o.cancel()],
    ),
    # cards that are declined
    Journey("declined_then_another", 50, lambda o: [o.request(_decline(o)), o.confirm(APPROVE, DECLINED)]),
    Journey("declined_and_left", 20, lambda o: [o.request(_decline(o))]),
    Journey("declined_and_cancelled", 10, lambda o: [o.request(_decline(o)), o.cancel()], may_overtake=True),
    Journey("declined_for_good", 14, lambda o: [o.request(o.random.choice(DECLINES_FOR_GOOD))]),
    Journey("no_card_works", 4, _no_card_works),
    # cards whose bank wants to see the customer
    Journey("challenge_passed", 40, lambda o: [o.request(CHALLENGE), o.return_from_challenge(PASSED)]),
    Journey("challenge_then_taken", 12, _challenge_then_capture),
    Journey("challenge_failed", 8, _challenge_then_another),
    Journey("challenge_left", 6, lambda o: [o.request(CHALLENGE)]),
    # money that no provider sees
    Journey("at_the_till", 420, lambda o: [o.record("point_of_sale")]),
    Journey("transfer_received", 90, lambda o: [o.record("bank_transfer")]),
    Journey("transfer_awaited", 80, lambda o: [o.defer("bank_transfer"), o.record("bank_transfer")]),
    Journey("cash_on_delivery", 150, lambda o: [o.defer("cash_on_delivery"), o.record("cash_on_delivery")]),
    Journey(
        "parcel_refused", 20, lambda o: [o.defer("cash_on_delivery"), o.miss("refused")], may_overtake=True
    ),
    Journey("on_its_way", 20, lambda o: [o.defer("cash_on_delivery")]),
    Journey("rather_cash", 16, lambda o: [o.request(), o.record("point_of_sale")]),
    # shops that make mistakes, and customers who change their minds
    Journey("cancelled_before_paying", 20, lambda o: [o.request(), o.cancel()], may_overtake=True),
    Journey("paid_twice", 6, lambda o: [o.record("point_of_sale"), o.record("bank_transfer")]),
    Journey("requested_twice", 6, lambda o: [o.request(), o.request(), o.cancel()]),
    Journey("wrong_amount", 6, _wrong_amount),
)
AT_THE_TILL: Final = next(journey for journey in JOURNEYS if journey.name == "at_the_till")
