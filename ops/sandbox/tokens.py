"""What each test token makes the provider do: the one table that steers every outcome.

A fault strikes only the first request with an idempotency key. A repeat with the same key meets a healthy
provider: it gets the stored answer where the first request took effect, and takes effect itself where not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The part a token plays. An authorization with `capture: true` plays both steps in one request."""

    decline: str | None = None
    """Decline the authorization with this code."""
    challenge: bool = False
    """Ask the customer to act before anything is authorized."""
    fault: Fault | None = None
    """Disturb the authorization."""
    capture_decline: str | None = None
    """Decline the capture with this code."""
    capture_fault: Fault | None = None
    """Disturb the capture."""


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
    "tok_timeout_before_effect": Script(fault=Fault(Symptom.SILENCE, takes_effect=False)),
    "tok_timeout_after_effect": Script(fault=Fault(Symptom.SILENCE, takes_effect=True)),
    "tok_error_500_before_effect": Script(fault=Fault(Symptom.ERROR_500, takes_effect=False)),
    "tok_error_500_after_effect": Script(fault=Fault(Symptom.ERROR_500, takes_effect=True)),
    "tok_rate_limited": Script(fault=Fault(Symptom.RATE_LIMIT, takes_effect=False)),
    "tok_connection_reset": Script(fault=Fault(Symptom.RESET, takes_effect=False)),
    # The authorization is fine, the capture is not.
    "tok_capture_decline": Script(capture_decline="capture_declined"),
    "tok_capture_timeout": Script(capture_fault=Fault(Symptom.SILENCE, takes_effect=True)),
}
