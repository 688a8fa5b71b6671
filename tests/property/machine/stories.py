"""Short lives that come where chance seldom does: between them, every step of the tables is taken."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from tests.property.machine.life import MANAGER, SUPPORT, Life
from tests.schemas.samples import ABSENT, CARD, DEBIT


def _tried_again(life: Life) -> Life:
    """The customer tries the first charge once more, and is let through."""
    return life.happens(life.provider.decide, life.charges[0], None)


# ---- payments


def taken_in_parts_and_the_rest_let_go(life: Life) -> None:
    """Two captures, and a void of what is left."""
    life.hold().capture(300).capture(300).ask("cancellation_requested").answered()


def the_first_card_comes_late(life: Life, capture: str) -> None:
    """The one card was declined, and the customer tries again at the provider."""
    _tried_again(life.request(capture=capture).answered("no"))


def the_first_card_comes_after_the_second_one_s_hold_ended(life: Life) -> None:
    """The second hold expired; the first card's comes."""
    life.request().answered("no").ask("confirmation_requested", payment_method=CARD).answered()
    _tried_again(life.time_out("authorization_expiry"))


def the_first_card_comes_after_the_second_one_s_hold_was_increased(life: Life) -> None:
    """It has the amount of then, and is given back."""
    life.request().answered("no").ask("confirmation_requested", payment_method=CARD).answered()
    life.ask("authorization_increase_requested", amount_minor=1100).answered()
    _tried_again(life).answered()


def the_card_comes_after_a_debit_failed(life: Life) -> None:
    """Nobody knows which of the two it is; it is given back."""
    life.request(capture="automatic").answered("no")
    _tried_again(life.ask("confirmation_requested", payment_method=DEBIT).answered("no")).answered()


def a_hold_that_ended_is_captured_by_hand(life: Life) -> None:
    """By our clock it had expired; not by the provider's."""
    life.hold().time_out("authorization_expiry").happens(life.provider.capture_by_hand, life.charges[0])


def the_first_card_comes_after_the_last_attempt(life: Life, capture: str) -> None:
    """Five declines are the end; and yet the first card's charge comes."""
    life.request(capture=capture).answered("no")
    for _ in range(4):
        life.ask("confirmation_requested", payment_method=CARD).answered("no")
    _tried_again(life)


def the_first_card_comes_while_nobody_is_there(life: Life, capture: str) -> None:
    """The second attempt finds the provider away."""
    life.request(capture=capture).answered("no")
    _tried_again(life.ask("confirmation_requested", payment_method=CARD).unavailable())


def the_bank_is_faster_than_the_browser(life: Life, capture: str, refusal: str | None) -> None:
    """The customer authenticates, or fails, and the provider's webhook says so first."""
    life.request(capture=capture).answered("challenge")
    life.happens(life.provider.decide, life.charges[0], refusal)


def the_customer_returns(life: Life) -> None:
    """And is asked to authenticate a second time, and stays away then."""
    life.request().answered("challenge").ask("challenge_completed").answered()
    life.time_out("challenge_expiry")


def the_customer_is_not_waited_for(life: Life) -> None:
    """The shop gives up while the customer should authenticate."""
    life.request().answered("challenge").ask("cancellation_requested").answered()


def a_review_ends(life: Life, refusal: str | None) -> None:
    """The provider takes its time over a card."""
    life.request().answered("later").happens(life.provider.decide, life.charges[0], refusal)


def a_debit_comes_back(life: Life) -> None:
    """Collected, and taken back by the bank."""
    life.request(DEBIT, "automatic").answered().happens(life.provider.decide, life.charges[0], None)
    life.happens(life.provider.return_debit, life.charges[0])


def asked_for_something_while_the_provider_is(life: Life) -> None:
    """All of it waits for the answer."""
    life.request().ask_in_vain().done().hear().deliver()


def opened(life: Life, method: object, then: str) -> None:
    """Not confirmed yet; the shop goes on, or gives up, or is paid otherwise."""
    life.request(method, confirm=False)
    if then.startswith("payment"):
        life.pay_otherwise(then)
    else:
        life.ask(then)


def promised(life: Life, then: tuple[str, ...]) -> None:
    """To be paid on delivery; it is, or it is not, or later."""
    life.pay_otherwise("payment_deferred")
    for name in then:
        if name == "payment_recorded":
            life.pay_otherwise()
        else:
            life.ask(name)


def given_up_and_paid_at_the_till(life: Life) -> None:
    """A fact, whatever came before."""
    life.hold().ask("cancellation_requested").answered().pay_otherwise()


def a_hold_ended_and_the_order_was_paid_at_the_till(life: Life) -> None:
    """A fact, whatever came before; and then the hold, which was partial, is captured by hand and given back."""
    life.request().answered("half").time_out("authorization_expiry").pay_otherwise()
    life.happens(life.provider.capture_by_hand, life.charges[0]).answered()


# ---- refunds


def given_back_bit_by_bit(life: Life) -> None:
    """In three refunds, the last of which comes back."""
    life.sell().give_back("r-1", 300).give_back("r-2", 300).give_back("r-3", 400)
    life.happens(life.provider.end_refund, life.refund, paid=False)


def a_first_of_two_comes_back(life: Life) -> None:
    """A part remains refunded."""
    life.sell().give_back("r-1", 300).give_back("r-2", 300)
    life.happens(life.provider.end_refund, life.refund, paid=False)


def a_refund_is_slow(life: Life, *, paid: bool) -> None:
    """The provider says how it ended days later."""
    life.sell().give_back("r-1", 300, "refund later").happens(
        life.provider.end_refund, life.refund, paid=paid
    )


def nobody_was_there_to_take_the_cash(life: Life) -> None:
    """The second time the customer is."""
    life.pay_otherwise().ask_back("r-1", 300)
    for there in (False, True):
        life.ask("refund_recorded", refund_id="r-1", handed_out=there, actor=SUPPORT)


def a_refund_by_hand(life: Life) -> None:
    """Made in the provider's console."""
    life.sell().happens(life.provider.refund_by_hand, life.charges[0], 300, "succeeded")


def a_refund_that_nobody_approves(life: Life) -> None:
    """Lapses."""
    life.sell().ask_back("r-1", 300, SUPPORT).time_out("refund_approval_expiry")


def a_refund_before_anything_was_taken(life: Life) -> None:
    """Is a void."""
    life.hold().ask_back("r-1", 1000).answered()


def a_refund_needs_another_s_word(life: Life, word: str) -> None:
    """And gets it, or not; or it is not wanted any more."""
    life.sell().ask_back("r-1", 300, SUPPORT)
    life.ask(f"refund_{word}", refund_id="r-1", actor=SUPPORT if word == "canceled" else MANAGER)
    if word == "approved":
        life.answered()


# ---- refunds beside disputes


def refunded_while_it_is_disputed(life: Life, amount_minor: int) -> None:
    """The refund was under way when the dispute came, and arrives; then it comes back."""
    life.sell().give_back("r-1", amount_minor, "refund later").contest(1000)
    life.happens(life.provider.end_refund, life.refund, paid=True)
    life.happens(life.provider.end_refund, life.refund, paid=False)


def refunded_while_it_is_lost(life: Life) -> None:
    """The refund was under way when the dispute came, and arrives after its end."""
    life.sell().give_back("r-1", 1000, "refund later").contest(1000).end("lost")
    life.happens(life.provider.end_refund, life.refund, paid=True)


def refunded_and_disputed(life: Life) -> None:
    """All was given back already when the customer complains."""
    life.sell().give_back("r-1", 1000).contest(1000)


def a_part_refunded_and_disputed(life: Life) -> None:
    """A part was."""
    life.sell().give_back("r-1", 300).contest(500)


def refunded_after_it_was_lost(life: Life) -> None:
    """What was not disputed is given back, and comes back."""
    life.sell().contest(400).end("lost").give_back("r-1", 600)
    life.happens(life.provider.end_refund, life.refund, paid=False)


def refunded_after_it_was_won(life: Life, amount_minor: int) -> None:
    """The customer gets it all the same."""
    life.sell().contest(1000).end("won").give_back("r-1", amount_minor)


def refunded_before_it_was_won(life: Life) -> None:
    """And that refund comes back afterwards."""
    life.sell().give_back("r-1", 300).contest(700).end("won")
    life.happens(life.provider.end_refund, life.refund, paid=False)


def disputed_once_more_after_it_was_won(life: Life) -> None:
    """By another complaint."""
    life.sell().contest(300).end("won").contest(300)


# ---- disputes


def _due(life: Life) -> Life:
    """The evidence is due soon."""
    return life.sell().contest(1000).time_out("evidence_reminder")


def _defended(life: Life) -> Life:
    """The bank has our evidence."""
    return life.sell().contest(1000).about_dispute("evidence_submitted").answered()


def the_evidence_is_due(life: Life, then: str) -> None:
    """And then the bank decides all the same."""
    _due(life).end(then)


def the_evidence_is_due_and_the_shop_gives_in(life: Life) -> None:
    """At the last moment."""
    _due(life).about_dispute("dispute_accepted").answered()


def the_evidence_is_due_and_sent(life: Life) -> None:
    """At the last moment."""
    _due(life).about_dispute("evidence_submitted").answered()


def the_evidence_is_due_and_the_next_stage_comes(life: Life) -> None:
    """The bank asks again."""
    _due(life).happens(life.provider.escalate, life.dispute)


def the_evidence_is_due_and_nobody_answers(life: Life) -> None:
    """By our clock it is over; the bank says the rest."""
    _due(life).time_out("evidence_expiry")


def the_evidence_is_there_before_its_answer(life: Life) -> None:
    """The provider's webhook is faster."""
    life.sell().contest(1000).about_dispute("evidence_submitted").done().deliver().hear()


def defended(life: Life, then: str) -> None:
    """With evidence, and the bank decides, or asks for more."""
    _defended(life).end(then)


def defended_and_given_in(life: Life) -> None:
    """After all."""
    _defended(life).about_dispute("dispute_accepted").answered()


def defended_and_the_next_stage_comes(life: Life) -> None:
    """The bank asks again."""
    _defended(life).happens(life.provider.escalate, life.dispute)


def asked_and_answered(life: Life) -> None:
    """An inquiry, and our evidence."""
    life.sell().contest(1000, inquiry=True).about_dispute("evidence_submitted").answered()


def asked(life: Life, then: tuple[str, ...]) -> None:
    """An inquiry that ends, and perhaps is taken up again."""
    life.sell().contest(1000, inquiry=True)
    for status in then:
        life.end(status)


def asked_and_taken(life: Life) -> None:
    """An inquiry that becomes a chargeback."""
    life.sell().contest(1000, inquiry=True).happens(life.provider.escalate, life.dispute)


def ended(life: Life, how: tuple[str, ...]) -> None:
    """A chargeback that ends so, and is taken up again, or ends otherwise."""
    life.sell().contest(1000)
    for status in how:
        life.end(status)


def ended_and_the_next_stage_comes(life: Life, how: str) -> None:
    """However it ended."""
    life.sell().contest(1000).end(how).happens(life.provider.escalate, life.dispute)


def not_ended_and_the_next_stage_comes(life: Life) -> None:
    """The report of the next stage overtakes that of the end."""
    life.sell().contest(1000).happens(life.provider.escalate, life.dispute)


ENDS: Final = ("won", "lost", "accepted", "expired")
BOTH: Final = ("manual", "automatic")
OPENED: Final = ("cancellation_requested", "payment_recorded", "payment_deferred")
MISSED: Final = ("payment_not_collected",)
REFUSALS: Final = ("insufficient_funds", "suspected_fraud")
STORIES: Final[tuple[Callable[[Life], None], ...]] = (
    taken_in_parts_and_the_rest_let_go,
    the_first_card_comes_after_the_second_one_s_hold_ended,
    the_first_card_comes_after_the_second_one_s_hold_was_increased,
    the_card_comes_after_a_debit_failed,
    a_hold_that_ended_is_captured_by_hand,
    *(partial(the_first_card_comes_late, capture=capture) for capture in BOTH),
    *(partial(the_first_card_comes_after_the_last_attempt, capture=capture) for capture in BOTH),
    *(partial(the_first_card_comes_while_nobody_is_there, capture=capture) for capture in BOTH),
    *(partial(the_bank_is_faster_than_the_browser, capture=capture, refusal=None) for capture in BOTH),
    *(partial(the_bank_is_faster_than_the_browser, capture="manual", refusal=why) for why in REFUSALS),
    the_customer_returns,
    the_customer_is_not_waited_for,
    *(partial(a_review_ends, refusal=refusal) for refusal in (None, *REFUSALS)),
    a_debit_comes_back,
    asked_for_something_while_the_provider_is,
    *(partial(opened, method=method, then=then) for method in (CARD, ABSENT) for then in OPENED),
    partial(opened, method=CARD, then="confirmation_requested"),
    *(
        partial(promised, then=then)
        for then in (("payment_recorded",), MISSED, (*MISSED, "payment_recorded"))
    ),
    given_up_and_paid_at_the_till,
    a_hold_ended_and_the_order_was_paid_at_the_till,
    given_back_bit_by_bit,
    a_first_of_two_comes_back,
    *(partial(a_refund_is_slow, paid=paid) for paid in (True, False)),
    nobody_was_there_to_take_the_cash,
    a_refund_by_hand,
    a_refund_that_nobody_approves,
    a_refund_before_anything_was_taken,
    *(partial(a_refund_needs_another_s_word, word=word) for word in ("approved", "disapproved", "canceled")),
    *(partial(refunded_while_it_is_disputed, amount_minor=amount_minor) for amount_minor in (300, 1000)),
    refunded_while_it_is_lost,
    refunded_and_disputed,
    a_part_refunded_and_disputed,
    refunded_after_it_was_lost,
    *(partial(refunded_after_it_was_won, amount_minor=amount_minor) for amount_minor in (300, 1000)),
    refunded_before_it_was_won,
    disputed_once_more_after_it_was_won,
    *(partial(the_evidence_is_due, then=then) for then in ("won", "lost")),
    the_evidence_is_due_and_the_shop_gives_in,
    the_evidence_is_due_and_sent,
    the_evidence_is_due_and_the_next_stage_comes,
    the_evidence_is_due_and_nobody_answers,
    the_evidence_is_there_before_its_answer,
    *(partial(defended, then=then) for then in ("won", "lost", "needs_response")),
    defended_and_given_in,
    defended_and_the_next_stage_comes,
    asked_and_answered,
    *(partial(asked, then=then) for then in (("won",), ("accepted",), ("expired",))),
    *(partial(asked, then=(end, "needs_response")) for end in ("won", "accepted", "expired")),
    asked_and_taken,
    *(partial(ended, how=(end, "needs_response")) for end in ENDS),
    *(partial(ended, how=(end, "lost")) for end in ("accepted", "expired")),
    partial(ended, how=("expired", "won")),
    *(partial(ended_and_the_next_stage_comes, how=end) for end in ENDS),
    not_ended_and_the_next_stage_comes,
)
