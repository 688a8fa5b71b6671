"""What shops and people ask for, in any state, sensible or not; and in which states each may be granted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from handlers.payments.states import REFUNDABLE
from handlers.payments.states import State as P
from handlers.refunds.states import State as R
from schemas.reasons import Reason
from tests.property.machine.objects import CURRENCY
from tests.schemas.samples import ABSENT, CARD, DEBIT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.property.machine.luck import Luck
    from tests.property.machine.town import Town

Data = dict[str, Any]
AMOUNTS: Final = (1000, 1, 999, 250_000)
"""Of orders; the last one is large, and needs four eyes."""
PEOPLE: Final = (("max", "manager"), ("ada", "support"), ("fay", "finance"), ("bot", "system"))
REFUND_NAMES: Final = ("r-1", "r-2", "r-3", "r-4", "r-5", "r-6", "r-7", "r-8")


@dataclass(frozen=True)
class Command:
    """A message, of what kind of object, and the states in which it can be granted.

    In all others it is refused for one of `reasons`, or waits for the call under way.
    """

    name: str
    about: str
    granted: frozenset[Any]
    build: Callable[[Town, str, Luck], Data | None]
    reasons: frozenset[Reason] = frozenset({Reason.STATE_FORBIDS})


def method(luck: Luck) -> Any:
    """How the customer pays; perhaps not said."""
    return luck.pick((CARD, DEBIT, CARD, ABSENT))


def opening(town: Town, order_id: str, luck: Luck) -> Data:
    """An order's request for payment."""
    how = method(luck)
    manual = how is not DEBIT and luck.pick((True, False))
    return {
        "amount": {"amount_minor": town.price(order_id, luck), "currency": CURRENCY},
        "payment_method": how,
        "confirm": how is not ABSENT and luck.pick((True, True, False)),
        "capture_method": "manual" if manual else "automatic",
        "off_session": luck.pick((False, True)),
    }


def collected(town: Town, order_id: str, luck: Luck) -> Data:
    """Money, or the promise of it, outside of any provider."""
    return {
        "amount": {"amount_minor": town.price(order_id, luck), "currency": CURRENCY},
        "collection": luck.pick(("point_of_sale", "cash_on_delivery", "bank_transfer")),
    }


def _actor(luck: Luck) -> Data:
    name, role = luck.pick(PEOPLE)
    return {"id": name, "role": role}


def _some(luck: Luck, most_minor: int) -> Any:
    """All of it, a part, a bit too much, or far too much."""
    return luck.pick(
        (ABSENT, max(most_minor // 2, 1), max(most_minor // 3, 1), most_minor + 1, most_minor * 3 + 1)
    )


def _confirm(town: Town, order_id: str, luck: Luck) -> Data:
    del town, order_id
    return {"payment_method": method(luck), "off_session": luck.pick((None, True, False))}


def _nothing(town: Town, order_id: str, luck: Luck) -> Data:
    del town, order_id, luck
    return {}


def _capture(town: Town, order_id: str, luck: Luck) -> Data:
    payment = town.payment(order_id)
    left_minor = payment.capturable_minor if payment else 1
    return {"amount_minor": _some(luck, left_minor), "final": luck.pick((False, True))}


def _increase(town: Town, order_id: str, luck: Luck) -> Data:
    payment = town.payment(order_id)
    return {"amount_minor": max(payment.authorized_minor if payment else 0, 1) + luck.pick((100, 0, 1))}


def _refund(town: Town, order_id: str, luck: Luck) -> Data:
    payment = town.payment(order_id)
    return {
        "refund_id": luck.pick(REFUND_NAMES),
        "amount_minor": _some(luck, payment.refundable_minor if payment else 1),
        "customer_id": "cus_7",
        "cause": luck.pick(("requested_by_customer", "goodwill")),
        "destination": luck.pick(("original_method", "original_method", "original_method", "service_credit")),
        "actor": _actor(luck),
    }


def _about_refund(town: Town, order_id: str, luck: Luck) -> Data | None:
    names = town.refund_names(order_id)
    return {"refund_id": luck.pick(names), "actor": _actor(luck)} if names else None


def _hand_out(town: Town, order_id: str, luck: Luck) -> Data | None:
    about = _about_refund(town, order_id, luck)
    return about and about | {"handed_out": luck.pick((True, False))}


def _about_dispute(town: Town, order_id: str, luck: Luck) -> Data | None:
    names = town.dispute_names(order_id)
    return {"dispute_reference": luck.pick(names), "actor": _actor(luck)} if names else None


_UNPAID: Final = frozenset({P.REQUIRES_PAYMENT_METHOD, P.REQUIRES_CONFIRMATION})
_HELD: Final = frozenset({P.AUTHORIZED, P.CAPTURED})

COMMANDS: Final = (
    Command(
        "payment_requested", "payment", frozenset(), opening, frozenset({Reason.ORDER_ALREADY_HAS_PAYMENT})
    ),
    Command("confirmation_requested", "payment", _UNPAID, _confirm),
    Command("challenge_completed", "payment", frozenset({P.REQUIRES_ACTION}), _nothing),
    Command("capture_requested", "payment", _HELD, _capture),
    Command("authorization_increase_requested", "payment", _HELD, _increase),
    Command("cancellation_requested", "payment", _UNPAID | _HELD | {P.REQUIRES_ACTION}, _nothing),
    Command(
        "payment_recorded",
        "payment",
        _UNPAID | {P.SETTLING, P.FAILED, P.EXPIRED, P.CANCELED},
        collected,
        frozenset({Reason.STATE_FORBIDS, Reason.ORDER_ALREADY_HAS_PAYMENT}),
    ),
    Command("payment_deferred", "payment", _UNPAID, collected),
    Command("payment_not_collected", "payment", frozenset({P.SETTLING}), _nothing),
    Command(
        "refund_requested",
        "payment",
        REFUNDABLE | {P.AUTHORIZED},
        _refund,
        frozenset(
            {
                Reason.STATE_FORBIDS,
                Reason.DISPUTE_OPEN,
                Reason.AMOUNT_ABOVE_REFUNDABLE,
                Reason.REFUND_ID_REUSED,
            }
        ),
    ),
    Command("refund_approved", "refund", frozenset({R.PENDING_APPROVAL}), _about_refund),
    Command("refund_disapproved", "refund", frozenset({R.PENDING_APPROVAL}), _about_refund),
    Command("refund_canceled", "refund", frozenset({R.PENDING_APPROVAL}), _about_refund),
    Command("refund_recorded", "refund", frozenset({R.SUBMITTED, R.FAILED}), _hand_out),
    Command(
        "evidence_submitted",
        "dispute",
        frozenset({"inquiry", "opened", "evidence_due"}),
        _about_dispute,
        frozenset({Reason.STATE_FORBIDS, Reason.EVIDENCE_TOO_LATE}),
    ),
    Command(
        "dispute_accepted",
        "dispute",
        frozenset({"inquiry", "opened", "evidence_due", "evidence_submitted"}),
        _about_dispute,
    ),
)

RESTING: Final[Mapping[str, frozenset[str]]] = {
    "payment": frozenset(map(str, P)),
    "refund": frozenset(map(str, R)) - {"requested"},
    "dispute": frozenset(
        {"inquiry", "opened", "evidence_due", "evidence_submitted", "won", "lost", "accepted", "expired"}
    ),
}
"""States in which an object can be met; a refund only passes through `requested`."""


def refusals() -> set[tuple[str, str]]:
    """(command, state) of everything that must be refused."""
    return {
        (command.name, state)
        for command in COMMANDS
        for state in RESTING[command.about] - {str(one) for one in command.granted}
    }
