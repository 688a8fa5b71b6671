"""Every place where a refund can stand, and a way to get there by messages alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.handlers.refunds.scene import Scene, authorized, paid, paid_in_cash


def nothing() -> Scene:
    """Paid, and nobody asked for anything."""
    return paid()


def pending_approval() -> Scene:
    """A manager has to agree."""
    return paid().refund(1500)


def submitted() -> Scene:
    """The provider is asked."""
    return paid().refund(500)


def unknown() -> Scene:
    """The provider was asked, and nobody knows what it did."""
    return submitted().answer("call_unknown")


def pending() -> Scene:
    """The provider has taken it on and decides later."""
    return submitted().answer("call_pending")


def overtaken() -> Scene:
    """The provider's webhook says that it is pending before its answer does."""
    return submitted().report("pending")


def checking() -> Scene:
    """The provider is asked what became of it."""
    return pending().time_out("refund_check")


def handing_out() -> Scene:
    """Somebody is to hand out cash."""
    return paid_in_cash().refund(500)


def succeeded() -> Scene:
    """The customer has it."""
    return submitted().answer("call_succeeded")


def handed_out() -> Scene:
    """The customer has it in cash."""
    return handing_out().send("refund_recorded")


def not_handed_out() -> Scene:
    """Nobody came for the cash."""
    return handing_out().send("refund_recorded", handed_out=False)


def failed() -> Scene:
    """The provider said no."""
    return submitted().answer("call_declined")


def disapproved() -> Scene:
    """Somebody decided against it."""
    return pending_approval().decide("refund_disapproved")


def voided() -> Scene:
    """Nothing was captured: the payment is let go instead."""
    return authorized().refund()


SITUATIONS: Final[dict[str, Callable[[], Scene]]] = {
    way.__name__: way
    for way in (
        nothing,
        pending_approval,
        submitted,
        unknown,
        pending,
        overtaken,
        checking,
        handing_out,
        succeeded,
        handed_out,
        not_handed_out,
        failed,
        disapproved,
        voided,
    )
}
