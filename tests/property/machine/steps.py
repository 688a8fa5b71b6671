"""What can happen in one step. Each takes the town and luck; where there is nothing to do, it does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.property.machine.commands import AMOUNTS, COMMANDS, collected, opening
from tests.property.machine.luck import Luck
from tests.property.machine.objects import PROVIDER
from tests.property.machine.town import GATEWAY, HOOKS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from handlers.decision import Timer
    from tests.property.machine.objects import Charge, Contested, GivenBack
    from tests.property.machine.town import Town

ORDERS_AT_ONCE: Final = 6
NOBODY: Final = "00000000-0000-4000-8000-00000000dead"


def _open(town: Town, luck: Luck) -> None:
    if len(town.orders) >= ORDERS_AT_ONCE:
        town.retire(town.orders[0])
    order_id = town.open(luck, AMOUNTS)
    how = luck.below(8)
    if how == 5:
        town.send("payment_recorded", collected(town, order_id, luck) | {"order_id": order_id})
    elif how == 6:
        town.send("payment_deferred", collected(town, order_id, luck) | {"order_id": order_id})
    elif how != 7:  # else nothing yet: what comes about it waits
        town.send("payment_requested", opening(town, order_id, luck) | {"order_id": order_id})


def _command(town: Town, luck: Luck) -> None:
    """Half of them are what the payment's state allows, so that orders get somewhere."""
    if not town.orders:
        return
    order_id = luck.pick(town.orders)
    payment = town.payment(order_id)
    granted = [one for one in COMMANDS if payment is not None and payment.state in one.granted]
    some = granted if granted and luck.below(2) else COMMANDS
    town.command(luck.pick(some), order_id, luck)


def _call(town: Town, luck: Luck) -> None:
    if town.errands:
        town.work(luck.pick(town.errands), luck)


def _hear(town: Town, luck: Luck) -> None:
    waiting = [order_id for order_id, results in town.results.items() if results]
    if waiting:
        town.hear(luck.pick(waiting), crash=luck.one_in(4))


def _hear_again(town: Town, luck: Luck) -> None:
    if town.heard:
        town.hear_again(*luck.pick(town.heard[-12:]))


def _deliver(town: Town, luck: Luck) -> None:
    if town.provider.reports:
        town.deliver(luck.pick(town.provider.reports[:8]), crash=luck.one_in(4))


def _deliver_again(town: Town, luck: Luck) -> None:
    if town.provider.delivered:
        town.deliver_again(luck.pick(town.provider.delivered[-12:]), other_id=luck.pick((True, False)))


def _customer(town: Town, luck: Luck) -> None:
    """Customers, banks and networks act on a charge; people do, in the provider's console."""
    charges = [charge for charge in town.provider.charges.values() if charge.order_id in town.orders]
    if charges:
        charge = luck.pick(charges[-8:])
        _CHARGES.get(charge.status, _rest)(town, charge, luck)


def _rest(town: Town, charge: Charge, luck: Luck) -> None:
    """A charge about which nothing happens any more."""


def _undecided(town: Town, charge: Charge, luck: Luck) -> None:
    refusals = (None, "authentication_failed", None, "suspected_fraud", "insufficient_funds")
    town.provider.decide(charge, luck.pick(refusals))


def _declined(town: Town, charge: Charge, luck: Luck) -> None:
    """The customer tries the same charge once more, and is let through; a debit that failed stays so."""
    if charge.method == "card" and luck.one_in(3):
        town.provider.decide(charge, None)


def _held(town: Town, charge: Charge, luck: Luck) -> None:
    act = luck.pick((town.provider.expire, town.provider.void_by_hand, town.provider.capture_by_hand))
    act(charge)


def _partly(town: Town, charge: Charge, luck: Luck) -> None:
    del luck
    town.provider.expire(charge)


def _captured(town: Town, charge: Charge, luck: Luck) -> None:
    if not town.own(charge):
        return
    act = luck.below(6)
    part_minor = luck.pick((charge.captured_minor, max(charge.captured_minor // 3, 1)))
    if act < 3:
        town.provider.dispute(charge, part_minor, inquiry=luck.one_in(3))
    elif act < 5 and 0 < part_minor <= charge.refundable_minor:
        town.provider.refund_by_hand(charge, part_minor, luck.pick(("succeeded", "pending")))
    elif charge.method == "bank_debit" and charge.refundable_minor > 0:
        town.provider.return_debit(charge)


_CHARGES: Final[Mapping[str, Callable[[Town, Charge, Luck], None]]] = {
    "requires_action": _undecided,
    "pending": _undecided,
    "declined": _declined,
    "authorized": _held,
    "partially_captured": _partly,
    "captured": _captured,
}


def _refund_moves(town: Town, luck: Luck) -> None:
    moving: list[GivenBack] = [
        one for one in town.provider.refunds.values() if one.status in {"pending", "succeeded"}
    ]
    if moving:
        refund = luck.pick(moving[-8:])
        town.provider.end_refund(refund, paid=refund.status == "pending" and luck.pick((True, True, False)))


def _dispute_moves(town: Town, luck: Luck) -> None:
    disputes: list[Contested] = list(town.provider.disputes.values())
    if not disputes:
        return
    dispute = luck.pick(disputes[-8:])
    act = luck.below(8)
    if act == 6 and dispute.stage != "second_chargeback":
        town.provider.escalate(dispute)
    elif dispute.is_open:
        ends = ("won", "lost", "expired", "accepted", "under_review", "needs_response")
        if dispute.stage == "inquiry":
            ends = ("won", "expired", "under_review", "accepted", "needs_response", "won")
        town.provider.end_dispute(dispute, luck.pick(ends))
    elif act > 3:
        again = (
            ("needs_response", "won", "lost", "under_review") if dispute.funds_minor else ("needs_response",)
        )
        town.provider.end_dispute(dispute, luck.pick(again))


def _time_out(town: Town, luck: Luck) -> None:
    """One of the next timers is due; they need not come in order."""
    timers = sorted(
        (one for one in town.memory.timers if one.order_id in town.orders), key=lambda one: one.due_at
    )
    if not timers:
        return
    timer = luck.pick(timers[:4])
    if not luck.one_in(6):  # else it will come once more
        town.memory.timers.remove(timer)
    fall_due(town, timer, crash=luck.one_in(4))


def fall_due(town: Town, timer: Timer, *, crash: bool = False) -> None:
    """It is so late, and the scheduler says so."""
    town.clock.jump(timer.due_at)
    town.memory.give_up_waiting()
    about = {
        "kind": timer.kind,
        "timer_id": timer.timer_id,
        "payment_id": timer.payment_id,
        "order_id": timer.order_id,
        "object_id": timer.object_id,
        "due_at": timer.due_at.isoformat(),
    }
    town.send("due", about, source="/counterfoil/scheduler", crash=crash)


def _wait(town: Town, luck: Luck) -> None:
    town.wait(luck.pick((1, 5, 23, 25, 170)))


def _judge(town: Town, luck: Luck) -> None:
    unsure = [payment for payment in map(town.payment, town.orders) if payment and not payment.certain]
    if unsure:
        town.judge(luck.pick(unsure), luck)


def _foreign(town: Town, luck: Luck) -> None:
    """Somebody else's charge, an answer to nobody, another currency: nothing of it is believed."""
    if not town.orders:
        return
    order_id = luck.pick(town.orders)
    if luck.pick((True, False)):
        about: dict[str, Any] = {"order_id": order_id, "call_id": NOBODY, "amount_minor": 5, "captured": True}
        verdict = town.send("call_succeeded", about, source=GATEWAY)
    else:
        said: dict[str, Any] = {
            "order_id": order_id,
            "provider": PROVIDER,
            "provider_reference": "auth_foreign",
        }
        changes: dict[str, Any] = luck.pick(
            ({"currency": "USD"}, {"captured_minor": 10**9}, {"call_id": NOBODY, "captured_minor": 1})
        )
        verdict = town.send("payment_reported", said | changes, source=HOOKS)
    assert verdict.outcome != "applied" or not verdict.decision.postings


STEPS: Final[tuple[Callable[[Town, Luck], None], ...]] = (
    *(_open,),
    *(_command,) * 9,
    *(_call,) * 7,
    *(_hear,) * 7,
    *(_deliver,) * 6,
    _hear_again,
    _deliver_again,
    *(_customer,) * 3,
    *(_refund_moves,),
    *(_dispute_moves,) * 3,
    *(_time_out,) * 2,
    _wait,
    _judge,
    _foreign,
)
"""As often as each should happen."""


def take(town: Town, number: int) -> None:
    """One step: the number says which, and how it goes."""
    luck, which = divmod(number, len(STEPS))
    step = STEPS[which]
    town.did[step.__name__] += 1
    if which:
        town.clock.tick()
    step(town, Luck(luck))
