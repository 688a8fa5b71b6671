"""Which rule decides each message, and which aggregates the engine loads for it, in this order.

Each context lists its own routes in its `routes.py`. A provider's answer and a timer belong to the context whose
object they are about: a `Fork` tells them apart by a field of their data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from handlers.disputes import routes as disputes
from handlers.fees import routes as fees
from handlers.journals import routes as journals
from handlers.payments import routes as payments
from handlers.periods import routes as periods
from handlers.refunds import routes as refunds
from handlers.wallets import routes as wallets
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from handlers.needs import Route
    from schemas.envelope import Message


@value
class Fork:
    """A message type that several contexts handle, told apart by `field` of its data."""

    field: str
    routes: Mapping[str, Route]


def _answers() -> dict[str, Fork]:
    """Provider answers by the operation that they answer."""
    contexts = (payments, refunds, disputes)
    types = dict.fromkeys(event_type for context in contexts for event_type in context.ANSWERS)
    return {
        event_type: Fork(
            "operation",
            {
                operation: context.ANSWERS[event_type]
                for context in contexts
                if event_type in context.ANSWERS
                for operation in context.OPERATIONS
            },
        )
        for event_type in types
    }


ROUTES: Final[dict[str, Route | Fork]] = {
    **fees.ROUTES,
    **payments.ROUTES,
    **refunds.ROUTES,
    **disputes.ROUTES,
    **periods.ROUTES,
    **journals.ROUTES,
    **wallets.ROUTES,
    **_answers(),
    "timer.due.v1": Fork(
        "kind",
        {**payments.TIMERS, **refunds.TIMERS, **disputes.TIMERS, **journals.TIMERS, **wallets.TIMERS},
    ),
}
"""By message type."""


def route_of(message: Message) -> Route | None:
    """The message's route; None for an answer or a timer of a kind that its contexts do not know."""
    route = ROUTES.get(message.type)
    if isinstance(route, Fork):
        return route.routes.get(getattr(message.data, route.field))
    return route
