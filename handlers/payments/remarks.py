"""What a payment remembers of charges that are not, or no longer, its own, and of outcomes that a person decided.

Kept in `Payment.remarks`, which most payments never have. It makes a webhook that comes twice, or late, harmless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from handlers.payments.model import Payment

REVERSING: Final = "reversing at "
"""Of a charge, with its provider: that one is asked to give it back, by the call under way."""
REVERSED: Final = "reversed"
"""Of a charge: given back, or on its way for certain."""
NOT_RELEASED: Final = "not_released"
"""Of a hold: the provider would not let go of it."""
NOT_REFUNDED: Final = "not_refunded"
"""Of a charge: the provider would not give it back; the money is in suspense until a person has decided."""
RELEASED: Final = "released"
"""Of the payment's own charge: let go of by a void."""
FAILED: Final = "failed"
"""Of the payment's own charge: the provider reported that it failed; older good news of it is no news."""
RETURNED: Final = "returned"
"""Of the payment's own charge: the bank took it back."""
LEFT: Final = "left"
"""Of a charge that was the payment's own, until the customer paid otherwise or tried again: it may still succeed."""
SUCCEEDED: Final = "succeeded"
NO_EFFECT: Final = "no_effect"
"""Of a call: what a person decided."""
CONTRADICTED: Final = "contradicted"
"""Of a call: a person decided, and the provider said otherwise later."""

ENDED: Final = "ended"
"""Of such a charge that had been held, perhaps in part: only that it was captured all the same is news."""
OTHER_METHOD: Final = "other method"
"""Of the attempts: they were by different methods; the word names one that is not the payment's any more."""
ASKED: Final = "asked for"
"""Of the attempts: what each asked for, in minor units, once the order costs more. No reference has a space in it."""

CLOSED: Final = frozenset({REVERSED, NOT_REFUNDED, RELEASED, RETURNED})
"""Charges about which no report changes anything any more."""


def remark_of(payment: Payment, name: object) -> str | None:
    """What is remarked about a charge or call."""
    return (payment.remarks or {}).get(str(name))


def remark(payment: Payment, name: object, word: str) -> dict[str, Any]:
    """The change that remarks something."""
    return {"remarks": {**(payment.remarks or {}), str(name): word}}


def forget(payment: Payment, name: object) -> dict[str, Any]:
    """The change that takes a remark back."""
    return {
        "remarks": {key: word for key, word in (payment.remarks or {}).items() if key != str(name)} or None
    }


def leave(payment: Payment) -> dict[str, Any]:
    """The change that remembers the payment's own charge before it is given up for another."""
    charge = payment.provider_reference
    known = charge is None or remark_of(payment, charge) is not None
    return {} if known else remark(payment, charge, ENDED if payment.authorized_minor else LEFT)


def asked_minor(payment: Payment) -> int:
    """What every attempt asked a provider for: what the order cost then. It can only rise when an attempt succeeded."""
    return int(remark_of(payment, ASKED) or payment.amount_minor)


def costs(payment: Payment, amount_minor: int) -> dict[str, Any]:
    """The change of what the order costs, to no less than before; an attempt's late charge has the amount of then."""
    if amount_minor <= payment.amount_minor:
        return {}
    remembered = remark(payment, ASKED, str(asked_minor(payment)))
    return {"amount_minor": amount_minor, **remembered}


def counted(payment: Payment) -> dict[str, Any]:
    """The change when a report of totals was booked: it has in it whatever calls did that a person called off.

    Their answers, when they come at last, must not be booked once more.
    """
    words = payment.remarks or {}
    changed = {name: CONTRADICTED for name, word in words.items() if word == NO_EFFECT}
    return {"remarks": {**words, **changed}} if changed else {}


def being_reversed(payment: Payment) -> tuple[str, str] | None:
    """Provider and reference of the charge that the call under way gives back; None when it is no reversal."""
    if not payment.remarks or payment.call_id is None:
        return None
    return next(
        (
            (word.removeprefix(REVERSING), reference)
            for reference, word in payment.remarks.items()
            if word.startswith(REVERSING)
        ),
        None,
    )
