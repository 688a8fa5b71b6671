"""Where an operation may start, and what it leads to: the whole table, without HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ops.sandbox import rules
from ops.sandbox.messages import AuthorizationRequest, CaptureRequest, ChallengeRequest
from ops.sandbox.model import Authorization, Capture, Refusal
from ops.sandbox.tokens import TOKENS, Script

PLAIN = Script()
_held = rules.authorize(
    AuthorizationRequest.model_validate(
        {
            "amount_minor": 1000,
            "currency": "EUR",
            "payment_method": {"type": "card", "token": "tok_approve"},
            "capture": False,
            "reference": "order-1",
        }
    ),
    PLAIN,
    "key",
    datetime(2026, 1, 1, tzinfo=UTC),
)
assert isinstance(_held, Authorization)
HELD = _held
STATES = {
    "requires_action": replace(HELD, status="requires_action"),
    "authorized": HELD,
    "partially_captured": replace(
        HELD, status="partially_captured", captures=(Capture("c", 400, final=False),)
    ),
    "captured": replace(HELD, status="captured", captures=(Capture("c", 1000, final=True),)),
    "declined": replace(HELD, status="declined", decline_code="do_not_honor"),
    "voided": replace(HELD, status="voided"),
}

TABLE = [
    # state before,       capture 100,          final capture 100,  void,            challenge passed, failed
    ("requires_action", "invalid_state", "invalid_state", "voided", "authorized", "declined"),
    ("authorized", "partially_captured", "captured", "voided", "invalid_state", "invalid_state"),
    ("partially_captured", "partially_captured", "captured", *3 * ["invalid_state"]),
    ("captured", *5 * ["invalid_state"]),
    ("declined", *5 * ["invalid_state"]),
    ("voided", *5 * ["invalid_state"]),
]


@pytest.mark.parametrize(("state", "part", "final", "void", "passed", "failed"), TABLE)
def test_every_operation_in_every_state_follows_the_table(  # one argument a column
    state: str, part: str, final: str, void: str, passed: str, failed: str
) -> None:
    before = STATES[state]
    assert outcome(rules.capture(before, CaptureRequest(amount_minor=100, final=False), PLAIN, "k")) == part
    assert outcome(rules.capture(before, CaptureRequest(amount_minor=100, final=True), PLAIN, "k")) == final
    assert outcome(rules.void(before)) == void
    assert outcome(rules.challenge(before, ChallengeRequest(result="passed"), PLAIN)) == passed
    assert outcome(rules.challenge(before, ChallengeRequest(result="failed"), PLAIN)) == failed


def outcome(after: Authorization | Refusal) -> str:
    return after.type if isinstance(after, Refusal) else after.status


def test_captures_add_up_to_the_authorized_amount_and_no_further() -> None:
    partly = STATES["partially_captured"]
    assert (partly.captured_amount_minor, partly.capturable_amount_minor) == (400, 600)
    assert outcome(rules.capture(partly, CaptureRequest(amount_minor=601), PLAIN, "k")) == "amount_too_large"
    rest = rules.capture(partly, CaptureRequest(amount_minor=600, final=False), PLAIN, "k")
    assert isinstance(rest, Authorization)
    assert (rest.status, rest.captured_amount_minor, rest.capturable_amount_minor) == ("captured", 1000, 0)


def test_a_declined_capture_leaves_the_hold_but_takes_an_automatic_capture_down() -> None:
    script = TOKENS["tok_capture_decline"]
    refused = rules.capture(HELD, CaptureRequest(amount_minor=100), script, "k")
    assert isinstance(refused, Refusal)
    assert refused.decline_code == "capture_declined"
    waiting = replace(STATES["requires_action"], capture=True)
    assert outcome(rules.challenge(waiting, ChallengeRequest(result="passed"), script)) == "declined"
