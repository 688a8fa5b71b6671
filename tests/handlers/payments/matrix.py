"""The messages that a payment can meet anywhere, and what becomes of it in each case, as one table.

PROC, AUTH, ...   it moves to processing, authorized, ...
same              something follows (a call, a timer, a reason that is told), but it stays where it is
-                 nothing follows
no, has, stale    refused: the state forbids it, the order has its payment, an answer to a call that is over
old, alien        refused: a report that says less than is known, about a charge that is not of this order
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


def _first_attempt(scene: Scene, status: str) -> Scene:
    """A report about a charge that the payment does not know, made by its first call."""
    call_id = scene.calls[0].call_id if scene.calls else None
    return scene.report(status, provider_reference="auth_first", call_id=call_id)


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
    "pend": lambda scene: scene.answer("call_pending"),
    "increase": lambda scene: scene.send("authorization_increase_requested"),
    "auth": lambda scene: scene.report("authorized"),
    "capt": lambda scene: scene.report("captured"),
    "act": lambda scene: scene.report("requires_action"),
    "wait": lambda scene: scene.report("pending"),
    "fail": lambda scene: scene.report("failed"),
    "void": lambda scene: scene.report("canceled"),
    "fraud": lambda scene: scene.report("failed", reason="stolen_card"),
    "auth2": lambda scene: _first_attempt(scene, "authorized"),
    "capt2": lambda scene: _first_attempt(scene, "captured"),
    "warn": lambda scene: scene.time_out("authorization_expiring"),
    "retry": lambda scene: scene.time_out("confirmation_retry"),
    "check": lambda scene: scene.time_out("pending_check"),
    "deadline": lambda scene: scene.time_out("outcome_deadline"),
    "lapse": lambda scene: scene.time_out("authorization_expiry"),
    "leave": lambda scene: scene.time_out("challenge_expiry"),
}
"""By what happens: commands, facts, the provider's answers, timers."""

ASKED: Final = """
                        request confirm return capture increase cancel record defer miss warn lapse leave retry check deadline
nothing                 PROC    ?pay    ?pay   ?pay    ?pay     ?pay   SUCC   SETT  ?pay ?pay ?pay  ?pay  ?pay  ?pay  ?pay
requires_payment_method has     PROC    no     no      no       CANC   SUCC   SETT  no   -    -     -     -     -     -
declined                has     PROC    no     no      no       CANC   SUCC   SETT  no   -    -     -     -     -     -
requires_confirmation   has     PROC    no     no      no       CANC   SUCC   SETT  no   -    -     -     -     -     -
processing              has     ?call   ?call  ?call   ?call    ?call  ?call  ?call no   -    -     -     -     -     -
selling                 has     ?call   ?call  ?call   ?call    ?call  ?call  ?call no   -    -     -     -     -     -
requires_action         has     no      PROC   no      no       same   no     no    no   -    -     PROC  -     -     -
returned                has     ?call   ?call  ?call   ?call    ?call  ?call  ?call no   -    -     -     -     -     -
abandoned               has     ?call   ?call  ?call   ?call    ?call  ?call  ?call no   -    -     -     -     -     -
leaving                 has     ?call   ?call  ?call   ?call    ?call  ?call  ?call no   -    -     -     -     -     -
authorized              has     no      no     same    same     same   no     no    no   same EXPI  -     -     -     -
capturing               has     ?call   ?call  ?call   ?call    ?call  ?call  ?call no   same same  -     -     -     -
voiding                 has     ?call   ?call  ?call   ?call    ?call  ?call  ?call no   same same  -     -     -     -
captured                has     no      no     same    same     same   no     no    no   same SUCC  -     -     -     -
capturing_more          has     ?call   ?call  ?call   ?call    ?call  ?call  ?call no   same same  -     -     -     -
settling                has     no      no     no      no       no     SUCC   no    FAIL -    -     -     -     -     -
succeeded               has     no      no     no      no       no     has    no    no   -    -     -     -     -     -
failed                  has     no      no     no      no       no     SUCC   no    no   -    -     -     -     -     -
expired                 has     no      no     no      no       no     SUCC   no    no   -    -     -     -     -     -
canceled                has     no      no     no      no       no     SUCC   no    no   -    -     -     -     -     -
canceling_challenge     has     ?call   ?call  ?call   ?call    ?call  ?call  ?call no   -    -     same  -     -     -
increasing              has     ?call   ?call  ?call   ?call    ?call  ?call  ?call no   same same  -     -     -     -
releasing               has     ?call   ?call  ?call   ?call    ?call  ?call  ?call no   same same  -     -     -     -
under_review            has     no      no     no      no       no     SUCC   no    no   -    -     -     -     same  -
debiting                has     ?call   ?call  ?call   ?call    ?call  ?call  ?call no   -    -     -     -     -     -
pending                 has     no      no     no      no       no     SUCC   no    no   -    -     -     -     same  -
checking                has     ?call   ?call  ?call   ?call    ?call  ?call  ?call no   -    -     -     -     -     -
debited                 has     no      no     no      no       no     has    no    no   -    -     -     -     -     -
returned_debit          has     no      no     no      no       no     SUCC   no    no   -    -     -     -     -     -
reversing               has     ?call   ?call  ?call   ?call    ?call  ?call  ?call no   -    -     -     -     -     -
retrying                has     PROC    no     no      no       CANC   SUCC   SETT  no   -    -     -     PROC  -     -
unavailable             has     PROC    no     no      no       CANC   SUCC   SETT  no   -    -     -     -     -     -
refused                 has     no      no     no      no       no     SUCC   no    no   -    -     -     -     -     -
paid_otherwise          has     no      no     no      no       no     has    no    no   -    -     -     -     -     -
unclear                 has     ?call   ?call  ?call   ?call    ?call  ?call  ?call no   -    -     -     -     -     same
"""  # noqa: E501 - a table
"""Commands, facts and timers."""

TOLD: Final = """
                        yes   declined challenge pend  unknown failed refused auth  capt  act  wait fail fraud void  auth2 capt2
nothing                 ?pay  ?pay     ?pay      ?pay  ?pay    ?pay   ?pay    ?pay  ?pay  ?pay ?pay ?pay ?pay  ?pay  ?pay  ?pay
requires_payment_method stale stale    stale     stale stale   stale  stale   alien alien -    -    -    -     -     alien alien
declined                stale stale    stale     stale stale   stale  stale   AUTH  SUCC  -    -    -    -     same  AUTH  SUCC
requires_confirmation   stale stale    stale     stale stale   stale  stale   alien alien -    -    -    -     -     alien alien
processing              AUTH  METH     ACTI      SETT  same    CONF   FAIL    AUTH  SUCC  ACTI -    METH FAIL  METH  AUTH  SUCC
selling                 SUCC  METH     ACTI      SETT  same    CONF   FAIL    -     SUCC  ACTI -    METH FAIL  METH  -     SUCC
requires_action         stale stale    stale     stale stale   stale  stale   AUTH  SUCC  -    -    METH FAIL  METH  alien alien
returned                AUTH  METH     ACTI      SETT  same    same   FAIL    AUTH  SUCC  -    -    METH FAIL  METH  alien alien
abandoned               AUTH  FAIL     same      SETT  same    same   FAIL    AUTH  SUCC  -    -    FAIL FAIL  FAIL  alien alien
leaving                 FAIL  same     same      same  same    same   same    -     SUCC  -    -    FAIL FAIL  FAIL  alien alien
authorized              stale stale    stale     stale stale   stale  stale   -     SUCC  -    -    -    -     CANC  alien alien
capturing               SUCC  same     same      same  same    same   same    -     SUCC  -    -    -    -     ?call alien alien
voiding                 CANC  same     same      same  same    same   same    -     ?call -    -    -    -     CANC  alien alien
captured                stale stale    stale     stale stale   stale  stale   -     SUCC  -    -    -    -     SUCC  alien alien
capturing_more          SUCC  same     same      same  same    same   same    -     SUCC  -    -    -    -     ?call alien alien
settling                stale stale    stale     stale stale   stale  stale   alien alien -    -    -    -     -     alien alien
succeeded               stale stale    stale     stale stale   stale  stale   alien alien -    -    -    -     -     alien alien
failed                  stale stale    stale     stale stale   stale  stale   alien alien -    -    -    -     -     alien alien
expired                 stale stale    stale     stale stale   stale  stale   -     SUCC  -    -    -    -     same  AUTH  SUCC
canceled                stale stale    stale     stale stale   stale  stale   -     same  -    -    -    -     same  alien alien
canceling_challenge     CANC  PROC     same      same  same    PROC   same    -     SUCC  -    -    CANC CANC  CANC  alien alien
increasing              same  same     same      same  same    same   same    -     ?call -    -    -    -     ?call alien alien
releasing               SUCC  same     same      same  same    same   same    -     ?call -    -    -    -     SUCC  alien alien
under_review            stale stale    stale     stale stale   stale  stale   AUTH  SUCC  -    -    METH FAIL  METH  alien alien
debiting                SUCC  METH     ACTI      SETT  same    CONF   FAIL    -     SUCC  ACTI SETT METH FAIL  METH  -     SUCC
pending                 stale stale    stale     stale stale   stale  stale   -     SUCC  -    -    METH FAIL  METH  alien alien
checking                SUCC  METH     same      same  same    same   same    -     SUCC  -    -    METH FAIL  METH  alien alien
debited                 stale stale    stale     stale stale   stale  stale   -     -     -    -    FAIL FAIL  -     alien alien
returned_debit          stale stale    stale     stale stale   stale  stale   -     -     -    -    -    -     -     alien alien
reversing               same  same     same      same  same    same   same    -     -     -    -    -    -     -     ?call ?call
retrying                stale stale    stale     stale stale   stale  stale   AUTH  SUCC  -    -    -    -     same  AUTH  SUCC
unavailable             stale stale    stale     stale stale   stale  stale   AUTH  SUCC  -    -    -    -     same  AUTH  SUCC
refused                 stale stale    stale     stale stale   stale  stale   AUTH  SUCC  -    -    -    -     same  AUTH  SUCC
paid_otherwise          stale stale    stale     stale stale   stale  stale   same  same  -    -    -    -     same  same  same
unclear                 AUTH  METH     ACTI      SETT  -       CONF   FAIL    AUTH  SUCC  ACTI -    METH FAIL  METH  AUTH  SUCC
"""  # noqa: E501 - a table
"""What the provider says: answers to the call under way, and webhooks."""

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
    Reason.REPORT_OUTDATED: "old",
    Reason.PROVIDER_OBJECT_UNKNOWN: "alien",
    Reason.CALL_IN_PROGRESS: "?call",
}


def cells() -> list[tuple[str, str, str]]:
    """(situation, message, expected) of every cell. AssertionError when the tables are not complete."""
    found = []
    for table in (ASKED, TOLD):
        header, *rows = (line.split() for line in table.strip().splitlines())
        assert [row[0] for row in rows] == list(SITUATIONS)
        found += [
            (situation, message, expected)
            for situation, *row in rows
            for message, expected in zip(header, row, strict=True)
        ]
    assert {message for _, message, _ in found} == set(MESSAGES)
    return found


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
