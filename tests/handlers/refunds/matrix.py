"""The messages that a refund can meet anywhere, and what becomes of it in each case, as one table.

APPR, SUBM, ...   it moves to pending_approval, submitted, ...
same              something follows (a call, a timer, what is known of it), but it stays where it is
-                 nothing follows
no, used, stale   refused: the state forbids it, the name is used, an answer to a call that is over
old, other        refused: a newer report came before, the report is about another object
?ref, ?pay        waits for the refund, for the provider's answer about its payment
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from handlers.decision import Decision
from handlers.refunds.states import State
from schemas.reasons import Reason
from tests.handlers.refunds.scene import ORDER, Scene
from tests.handlers.refunds.situations import SITUATIONS
from tests.handlers.scene import STALE_ID


def _answer(name: str) -> Callable[[Scene], Scene]:
    def send(scene: Scene) -> Scene:
        if scene.refunds:
            return scene.answer(name)
        return scene.send(name, object_id=STALE_ID, operation="refund")

    return send


def _report(status: str) -> Callable[[Scene], Scene]:
    def send(scene: Scene) -> Scene:
        if scene.refunds:
            return scene.report(status, after=60)
        return scene.send("refund_reported", status=status, refund_id=STALE_ID, order_id=ORDER)

    return send


def _due(kind: str) -> Callable[[Scene], Scene]:
    def send(scene: Scene) -> Scene:
        if scene.refunds:
            return scene.time_out(kind)
        return scene.send("due", kind=kind, object_id=STALE_ID)

    return send


MESSAGES: Final[dict[str, Callable[[Scene], Scene]]] = {
    "request": lambda scene: scene.refund(500),
    "approve": lambda scene: scene.decide("refund_approved"),
    "refuse": lambda scene: scene.decide("refund_disapproved"),
    "cancel": lambda scene: scene.decide("refund_canceled"),
    "out": lambda scene: scene.send("refund_recorded", handed_out=True),
    "kept": lambda scene: scene.send("refund_recorded", handed_out=False),
    "yes": _answer("call_succeeded"),
    "later": _answer("call_pending"),
    "declined": _answer("call_declined"),
    "failed": _answer("call_failed"),
    "unknown": _answer("call_unknown"),
    "r_later": _report("pending"),
    "r_yes": _report("succeeded"),
    "r_no": _report("failed"),
    "lapse": _due("refund_approval_expiry"),
    "check": _due("refund_check"),
}
"""By what happens: commands, facts, the provider's answers, its reports (r_), timers."""

TABLE: Final = """
                 request approve refuse cancel out   kept  yes   later declined failed unknown r_later r_yes r_no  lapse check
nothing          SUBM    ?ref    ?ref   ?ref   ?ref  ?ref  ?ref  ?ref  ?ref     ?ref   ?ref    ?ref    ?ref  ?ref  ?ref  ?ref
pending_approval used    SUBM    CANC   CANC   no    no    stale stale stale    stale  stale   old     no    no    CANC  -
submitted        used    no      no     no     no    no    SUCC  PEND  FAIL     FAIL   same    PEND    SUCC  FAIL  -     -
unknown          used    no      no     no     no    no    SUCC  PEND  FAIL     FAIL   -       PEND    SUCC  FAIL  -     same
pending          used    no      no     no     no    no    stale stale stale    stale  stale   -       SUCC  FAIL  -     same
overtaken        used    no      no     no     no    no    SUCC  same  FAIL     same   -       -       SUCC  FAIL  -     same
checking         used    no      no     no     no    no    SUCC  same  FAIL     same   -       -       SUCC  FAIL  -     same
handing_out      used    no      no     no     SUCC  FAIL  stale stale stale    stale  stale   other   other other -     -
succeeded        used    no      no     no     no    no    stale stale stale    stale  stale   old     same  FAIL  -     -
handed_out       used    no      no     no     no    no    stale stale stale    stale  stale   other   other other -     -
not_handed_out   used    no      no     no     SUCC  no    stale stale stale    stale  stale   other   other other -     -
failed           used    no      no     no     no    no    stale stale stale    stale  stale   old     SUCC  same  -     -
disapproved      used    no      no     no     no    no    stale stale stale    stale  stale   old     no    no    -     -
voided           used    no      no     no     no    no    stale stale stale    stale  stale   old     no    no    -     -
"""  # noqa: E501 - a table

_STATES: Final = {
    State.PENDING_APPROVAL: "APPR",
    State.SUBMITTED: "SUBM",
    State.PENDING: "PEND",
    State.SUCCEEDED: "SUCC",
    State.FAILED: "FAIL",
    State.CANCELED: "CANC",
}
_REASONS: Final = {
    Reason.STATE_FORBIDS: "no",
    Reason.REFUND_ID_REUSED: "used",
    Reason.CALL_STALE: "stale",
    Reason.REPORT_OUTDATED: "old",
    Reason.PROVIDER_OBJECT_UNKNOWN: "other",
    Reason.REFUND_UNKNOWN: "?ref",
    Reason.CALL_IN_PROGRESS: "?pay",
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
    state = scene.of().state if scene.refunds else None
    outcome = MESSAGES[message](scene).outcome
    if not isinstance(outcome, Decision):
        return scene, _REASONS[outcome.reason]
    if outcome == Decision():
        return scene, "-"
    return scene, "same" if scene.of().state == state else _STATES[scene.of().state]
