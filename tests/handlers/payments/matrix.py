"""The messages that a payment can meet anywhere, and what becomes of it in each case, as one table.

PROC, AUTH, ...   it moves to processing, authorized, ...
same              something follows (a call, a timer, a reason that is told), but it stays where it is
-                 nothing follows
no, has, stale    refused: the state forbids it, the order has its payment, an answer to a call that is over
?pay, ?call       waits for the payment, for the provider's answer
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from handlers.decision import Decision
from handlers.payments.states import State
from schemas.reasons import Reason
from tests.handlers.payments.situations import SITUATIONS
from tests.handlers.scene import Scene
from tests.schemas.samples import ABSENT

MESSAGES: Final[dict[str, Callable[[Scene], Scene]]] = {
    "request": lambda scene: scene.send("payment_requested"),
    "confirm": lambda scene: scene.send("confirmation_requested"),
    "return": lambda scene: scene.send("challenge_completed"),
    "capture": lambda scene: scene.send("capture_requested", amount_minor=ABSENT, final=True),
    "cancel": lambda scene: scene.send("cancellation_requested"),
    "record": lambda scene: scene.send("payment_recorded"),
    "defer": lambda scene: scene.send("payment_deferred"),
    "miss": lambda scene: scene.send("payment_not_collected"),
    "yes": lambda scene: scene.answer("call_succeeded"),
    "declined": lambda scene: scene.answer("call_declined"),
    "challenge": lambda scene: scene.answer("challenge_required"),
    "unknown": lambda scene: scene.answer("call_unknown"),
    "failed": lambda scene: scene.answer("call_failed"),
    "refused": lambda scene: scene.answer("call_failed", reason="provider_refused_request"),
    "lapse": lambda scene: scene.time_out("authorization_expiry"),
    "leave": lambda scene: scene.time_out("challenge_expiry"),
}
"""By what happens: commands, facts, the provider's answers, timers."""

TABLE: Final = """
                        request confirm return capture cancel record defer miss yes   declined challenge unknown failed refused lapse leave
nothing                 PROC    ?pay    ?pay   ?pay    ?pay   SUCC   SETT  ?pay ?pay  ?pay     ?pay      ?pay    ?pay   ?pay    ?pay  ?pay
requires_payment_method has     PROC    no     no      CANC   SUCC   SETT  no   stale stale    stale     stale   stale  stale   -     -
declined                has     PROC    no     no      CANC   SUCC   SETT  no   stale stale    stale     stale   stale  stale   -     -
requires_confirmation   has     PROC    no     no      CANC   SUCC   SETT  no   stale stale    stale     stale   stale  stale   -     -
processing              has     ?call   ?call  ?call   ?call  ?call  ?call no   AUTH  METH     ACTI      same    CONF   FAIL    -     -
selling                 has     ?call   ?call  ?call   ?call  ?call  ?call no   SUCC  METH     ACTI      same    CONF   FAIL    -     -
requires_action         has     no      PROC   no      no     no     no    no   stale stale    stale     stale   stale  stale   -     PROC
returned                has     ?call   ?call  ?call   ?call  ?call  ?call no   AUTH  METH     ACTI      same    same   FAIL    -     -
abandoned               has     ?call   ?call  ?call   ?call  ?call  ?call no   AUTH  FAIL     same      same    same   FAIL    -     -
leaving                 has     ?call   ?call  ?call   ?call  ?call  ?call no   FAIL  same     same      same    same   same    -     -
authorized              has     no      no     same    same   no     no    no   stale stale    stale     stale   stale  stale   EXPI  -
capturing               has     ?call   ?call  ?call   ?call  ?call  ?call no   SUCC  same     no        same    same   same    same  -
voiding                 has     ?call   ?call  ?call   ?call  ?call  ?call no   CANC  same     no        same    same   same    same  -
captured                has     no      no     same    no     no     no    no   stale stale    stale     stale   stale  stale   SUCC  -
capturing_more          has     ?call   ?call  ?call   ?call  ?call  ?call no   SUCC  same     no        same    same   same    same  -
settling                has     no      no     no      no     SUCC   no    FAIL stale stale    stale     stale   stale  stale   -     -
succeeded               has     no      no     no      no     has    no    no   stale stale    stale     stale   stale  stale   -     -
failed                  has     no      no     no      no     SUCC   no    no   stale stale    stale     stale   stale  stale   -     -
expired                 has     no      no     no      no     SUCC   no    no   stale stale    stale     stale   stale  stale   -     -
canceled                has     no      no     no      no     SUCC   no    no   stale stale    stale     stale   stale  stale   -     -
"""  # noqa: E501 - a table

_STATES: Final = {
    State.REQUIRES_PAYMENT_METHOD: "METH",
    State.REQUIRES_CONFIRMATION: "CONF",
    State.REQUIRES_ACTION: "ACTI",
    State.PROCESSING: "PROC",
    State.AUTHORIZED: "AUTH",
    State.CAPTURED: "CAPT",
    State.SETTLING: "SETT",
    State.SUCCEEDED: "SUCC",
    State.FAILED: "FAIL",
    State.EXPIRED: "EXPI",
    State.CANCELED: "CANC",
}
_REASONS: Final = {
    Reason.STATE_FORBIDS: "no",
    Reason.ORDER_ALREADY_HAS_PAYMENT: "has",
    Reason.CALL_STALE: "stale",
    Reason.PAYMENT_UNKNOWN: "?pay",
    Reason.CALL_IN_PROGRESS: "?call",
}


def cells() -> list[tuple[str, str, str]]:
    """(situation, message, expected) of every cell. AssertionError when the table is not complete."""
    header, *rows = (line.split() for line in TABLE.strip().splitlines())
    assert header == list(MESSAGES)
    assert [row[0] for row in rows] == list(SITUATIONS)
    return [
        (situation, message, expected)
        for situation, *row in rows
        for message, expected in zip(header, row, strict=True)
    ]


def played(situation: str, message: str) -> tuple[Scene, str]:
    """The scene after a message in a situation, and what became of it in the table's words."""
    scene = SITUATIONS[situation]()
    state = scene.payment.state if scene.opened else None
    outcome = MESSAGES[message](scene).outcome
    if not isinstance(outcome, Decision):
        return scene, _REASONS[outcome.reason]
    if outcome == Decision():
        return scene, "-"
    return scene, "same" if scene.payment.state == state else _STATES[scene.payment.state]
