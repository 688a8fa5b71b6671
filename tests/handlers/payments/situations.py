"""Every place where a payment can stand, and a way to get there by messages alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.handlers.scene import Scene
from tests.schemas.samples import ABSENT


def nothing() -> Scene:
    """The order has no payment."""
    return Scene()


def requires_payment_method() -> Scene:
    """Opened without a method."""
    return Scene().send("payment_requested", payment_method=ABSENT, confirm=False)


def requires_confirmation() -> Scene:
    """Opened with a method."""
    return Scene().send("payment_requested", confirm=False)


def processing() -> Scene:
    """The provider is asked to authorize."""
    return Scene().send("payment_requested", capture_method="manual")


def selling() -> Scene:
    """The provider is asked to authorize and capture at once."""
    return Scene().send("payment_requested", capture_method="automatic")


def declined() -> Scene:
    """The provider said no; the customer may try another card."""
    return processing().answer("call_declined")


def requires_action() -> Scene:
    """The customer must authenticate."""
    return processing().answer("challenge_required")


def returned() -> Scene:
    """The customer came back, and the provider is asked how it went."""
    return requires_action().send("challenge_completed")


def abandoned() -> Scene:
    """The customer did not come back, and the provider is asked how it went."""
    return requires_action().time_out("challenge_expiry")


def leaving() -> Scene:
    """The customer is gone for good, and the provider is asked to forget it."""
    return abandoned().answer("challenge_required")


def authorized() -> Scene:
    """Money is held."""
    return processing().answer("call_succeeded")


def capturing() -> Scene:
    """The provider is asked for all of it."""
    return authorized().send("capture_requested", amount_minor=ABSENT, final=True)


def voiding() -> Scene:
    """The provider is asked to let go of it."""
    return authorized().send("cancellation_requested")


def captured() -> Scene:
    """A part is taken, and more may follow."""
    return authorized().send("capture_requested", amount_minor=500, final=False).answer("call_succeeded")


def capturing_more() -> Scene:
    """The provider is asked for the rest."""
    return captured().send("capture_requested", amount_minor=ABSENT, final=True)


def settling() -> Scene:
    """The money is promised."""
    return Scene().send("payment_deferred")


def succeeded() -> Scene:
    """The money is here."""
    return Scene().send("payment_recorded")


def failed() -> Scene:
    """The promised money will not come."""
    return settling().send("payment_not_collected")


def expired() -> Scene:
    """The provider holds the money no longer."""
    return authorized().time_out("authorization_expiry")


def canceled() -> Scene:
    """Given up, and the provider let go."""
    return voiding().answer("call_succeeded")


SITUATIONS: Final[dict[str, Callable[[], Scene]]] = {
    way.__name__: way
    for way in (
        nothing,
        requires_payment_method,
        declined,
        requires_confirmation,
        processing,
        selling,
        requires_action,
        returned,
        abandoned,
        leaving,
        authorized,
        capturing,
        voiding,
        captured,
        capturing_more,
        settling,
        succeeded,
        failed,
        expired,
        canceled,
    )
}
