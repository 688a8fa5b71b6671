"""What each test token makes the provider do: the one table that steers every outcome.

A fault strikes only the first request with an idempotency key. A repeat with the same key meets a healthy
provider: it gets the stored answer where the first request took effect, and takes effect itself where not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ops.sandbox.networks import NetworkName


class Symptom(Enum):
    """What the caller notices of a fault."""

    LATE = auto()
    """The answer comes after a delay."""
    SILENCE = auto()
    """The answer never comes; the connection stays open until the caller gives up."""
    ERROR_500 = auto()
    """An internal server error."""
    RATE_LIMIT = auto()
    """429 with `Retry-After`."""
    RESET = auto()
    """The connection is reset after the request was read."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A disturbance of one request, and whether the request took effect all the same."""

    symptom: Symptom
    takes_effect: bool


Ending: TypeAlias = Literal["captured", "declined", "returned", "succeeded", "failed"]


@dataclass(frozen=True, slots=True)
class Step:
    """What an authorization or a refund becomes by the passing of time."""

    after_days: int
    """Since the request; without any, at once."""
    becomes: Ending
    code: str | None = None
    """Why, when it is bad news."""


_AT_ONCE = (Step(0, "succeeded"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The part a token plays. An authorization with `capture: true` plays both steps in one request."""

    network: NetworkName = "card_standard"
    decline: str | None = None
    """Decline the authorization with this code."""
    challenge: bool = False
    """Ask the customer to act before anything is authorized."""
    course: tuple[Step, ...] = ()
    """Leave the authorization pending, and let time decide."""
    fault: Fault | None = None
    """Disturb the authorization."""
    increase_decline: str | None = None
    """Decline an increase with this code."""
    increase_fault: Fault | None = None
    """Disturb an increase."""
    capture_decline: str | None = None
    """Decline the capture with this code."""
    capture_fault: Fault | None = None
    """Disturb the capture."""
    refund_decline: str | None = None
    """Decline refunds with this code."""
    refund_course: tuple[Step, ...] = _AT_ONCE
    """What becomes of a refund; pending until the first step."""
    refund_fault: Fault | None = None
    """Disturb refunds."""
    dispute: Literal["inquiry", "chargeback"] | None = None
    """The customer disputes the whole as soon as it is captured."""


_BEFORE = Fault(Symptom.SILENCE, takes_effect=False)
_AFTER = Fault(Symptom.SILENCE, takes_effect=True)

TOKENS: Mapping[str, Script] = {
    "tok_approve": Script(),
    # The issuer says no.
    "tok_decline_insufficient_funds": Script(decline="insufficient_funds"),
    "tok_decline_do_not_honor": Script(decline="do_not_honor"),
    "tok_decline_expired_card": Script(decline="expired_card"),
    "tok_decline_incorrect_cvc": Script(decline="incorrect_cvc"),
    "tok_decline_lost_card": Script(decline="lost_card"),
    "tok_decline_stolen_card": Script(decline="stolen_card"),
    "tok_decline_fraudulent": Script(decline="fraudulent"),
    "tok_decline_try_again_later": Script(decline="try_again_later"),
    # The customer must act.
    "tok_challenge": Script(challenge=True),
    # The provider or the network misbehaves.
    "tok_slow": Script(fault=Fault(Symptom.LATE, takes_effect=True)),
    "tok_timeout_before_effect": Script(fault=_BEFORE),
    "tok_timeout_after_effect": Script(fault=_AFTER),
    "tok_error_500_before_effect": Script(fault=Fault(Symptom.ERROR_500, takes_effect=False)),
    "tok_error_500_after_effect": Script(fault=Fault(Symptom.ERROR_500, takes_effect=True)),
    "tok_rate_limited": Script(fault=Fault(Symptom.RATE_LIMIT, takes_effect=False)),
    "tok_connection_reset": Script(fault=Fault(Symptom.RESET, takes_effect=False)),
    # The authorization is fine, the capture is not.
    "tok_capture_decline": Script(capture_decline="capture_declined"),
    "tok_capture_timeout": Script(capture_fault=_AFTER),
    # What the network allows.
    "tok_over_capture": Script(network="card_travel"),
    "tok_single_capture": Script(network="card_single"),
    # The authorization is fine, raising it is not.
    "tok_increase_decline": Script(increase_decline="insufficient_funds"),
    "tok_increase_timeout_before_effect": Script(increase_fault=_BEFORE),
    "tok_increase_timeout_after_effect": Script(increase_fault=_AFTER),
    # The payment is fine, its refund is not, or not yet.
    "tok_refund_pending": Script(refund_course=(Step(2, "succeeded"),)),
    "tok_refund_fail": Script(refund_course=(Step(2, "failed", "account_closed"),)),
    "tok_refund_bounce": Script(refund_course=(*_AT_ONCE, Step(5, "failed", "account_closed"))),
    "tok_refund_decline": Script(refund_decline="refund_declined"),
    "tok_refund_timeout_before_effect": Script(refund_fault=_BEFORE),
    "tok_refund_timeout_after_effect": Script(refund_fault=_AFTER),
    # Bank debits: the bank answers days later, and may take the money back after that.
    "tok_debit_approve": Script(network="bank_debit", course=(Step(3, "captured"),)),
    "tok_debit_fail": Script(network="bank_debit", course=(Step(3, "declined", "insufficient_funds"),)),
    "tok_debit_return": Script(
        network="bank_debit", course=(Step(3, "captured"), Step(10, "returned", "debit_returned"))
    ),
    # The customer disputes it.
    "tok_dispute_inquiry": Script(dispute="inquiry"),
    "tok_dispute_chargeback": Script(dispute="chargeback"),
}
