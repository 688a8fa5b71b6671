"""Every place where a payment can stand, and a way to get there by messages alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.handlers.scene import Scene
from tests.schemas.samples import ABSENT, DEBIT


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
    """The provider holds the money no longer, which a second card had let it hold."""
    return declined().send("confirmation_requested").answer("call_succeeded").time_out("authorization_expiry")


def canceled() -> Scene:
    """Given up, and the provider let go."""
    return voiding().answer("call_succeeded")


def canceling_challenge() -> Scene:
    """The shop gives up while the customer should authenticate; the provider is asked to forget it."""
    return requires_action().send("cancellation_requested")


def increasing() -> Scene:
    """The provider is asked to hold more."""
    return authorized().send("authorization_increase_requested")


def releasing() -> Scene:
    """A part is taken, and the provider is asked to let go of the rest."""
    return captured().send("cancellation_requested")


def under_review() -> Scene:
    """The provider takes its time over a card."""
    return processing().answer("call_pending")


def debiting() -> Scene:
    """The provider is asked to debit a bank account."""
    return Scene().send("payment_requested", capture_method="automatic", payment_method=DEBIT)


def pending() -> Scene:
    """The bank decides, in days."""
    return debiting().answer("call_pending")


def checking() -> Scene:
    """The provider is asked how the debit stands."""
    return pending().time_out("pending_check")


def debited() -> Scene:
    """The debit went through, and may still come back."""
    return pending().wait(days=3).report("captured")


def returned_debit() -> Scene:
    """The bank took it back."""
    return debited().wait(days=5).report("failed", reason="returned_by_bank")


def reversing() -> Scene:
    """Canceled, and yet the provider charged: it is asked to give it back."""
    return declined().send("cancellation_requested").report("captured")


def retrying() -> Scene:
    """Declined without a customer present; we try again later."""
    asked = Scene().send("payment_requested", capture_method="manual", off_session=True)
    return asked.answer("call_declined")


def unavailable() -> Scene:
    """The provider is away, and certainly did nothing."""
    return processing().answer("call_failed")


def refused() -> Scene:
    """The provider did not understand us: failed."""
    return processing().answer("call_failed", reason="provider_refused_request")


def paid_otherwise() -> Scene:
    """The card was declined, and the customer paid at the till."""
    return declined().send("payment_recorded")


def unclear() -> Scene:
    """Nobody knows whether the money is held."""
    return processing().answer("call_unknown")


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
        canceling_challenge,
        increasing,
        releasing,
        under_review,
        debiting,
        pending,
        checking,
        debited,
        returned_debit,
        reversing,
        retrying,
        unavailable,
        refused,
        paid_otherwise,
        unclear,
    )
}
