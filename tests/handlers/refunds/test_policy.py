"""The policy, as tables: who may give back how much, who must agree, how often, and for how long."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest
from pydantic import ValidationError

from schemas.reasons import Reason
from tests.handlers.refunds.scene import LIMITS, START, Scene, paid, policy
from tests.schemas.samples import cloud_event

RICH: Final = 1_000_000

# fmt: off
AMOUNTS: Final = [
    # who,       amount,  who must approve ("no": the policy allows it to nobody in this role)
    ("system",   500,     None),
    ("system",   501,     "no"),
    ("support",  1000,    None),
    ("support",  1001,    "manager"),
    ("support",  5000,    "manager"),
    ("support",  5001,    "no"),
    ("manager",  5000,    None),
    ("manager",  5001,    "finance"),
    ("manager",  50_000,  "finance"),
    ("manager",  50_001,  "no"),
    ("finance",  50_001,  None),
    ("finance",  RICH,    None),
]
# fmt: on


@pytest.mark.parametrize("lines", [LIMITS, LIMITS[::-1]], ids=["in order", "in reverse"])
@pytest.mark.parametrize(("role", "amount_minor", "approver"), AMOUNTS)
def test_who_may_give_back_how_much(
    role: str, amount_minor: int, approver: str | None, lines: list[tuple[str, int, str | None]]
) -> None:
    scene = paid(RICH, lines=lines).refund(amount_minor, role=role)
    if approver == "no":
        assert scene.rejection.reason is Reason.REFUND_NOT_ALLOWED
        assert (
            f"amount_minor {amount_minor} EUR: actor.role {role} may refund at most" in scene.rejection.detail
        )
    else:
        assert scene.of().needs_approval_of == approver
        assert scene.of().state == ("pending_approval" if approver else "submitted")


def test_a_currency_without_a_line_is_refunded_by_nobody() -> None:
    scene = paid(RICH, "JPY").send("refund_policy_set", **policy(currency="EUR", version=2)).refund(1)
    assert scene.rejection.reason is Reason.REFUND_NOT_ALLOWED
    assert scene.rejection.detail == "amount_minor 1 JPY: actor.role support may refund nothing by policy 2"


# fmt: off
AGES: Final = [
    # days,  seconds, who,        destination,         who must approve, or why not
    (30,     0,       "support",  "original_method",   None),
    (30,     1,       "support",  "original_method",   "finance"),
    (30,     1,       "manager",  "original_method",   "finance"),
    (30,     1,       "finance",  "original_method",   None),
    (90,     0,       "finance",  "original_method",   None),
    (90,     1,       "finance",  "original_method",   Reason.REFUND_TOO_OLD),
    (90,     1,       "support",  "service_credit",    "finance"),   # the schemes' limit is none of ours
]
# fmt: on


@pytest.mark.parametrize(("days", "seconds", "role", "destination", "expected"), AGES)
def test_old_payments_need_finance_and_very_old_ones_another_way(
    days: int, seconds: int, role: str, destination: str, expected: str | Reason | None
) -> None:
    scene = paid(finance_after_days=30, never_after_days=90).wait(days=days, seconds=seconds)
    scene.refund(500, role=role, destination=destination)
    if isinstance(expected, Reason):
        assert scene.rejection.reason is expected
        assert scene.rejection.detail.endswith("is 90 days old, the limit is 90")
    else:
        assert scene.of().needs_approval_of == expected


def velocity(subject: str, days: int, at_most: int) -> list[dict[str, Any]]:
    """One limit."""
    return [{"subject": subject, "days": days, "at_most": at_most}]


@pytest.mark.parametrize(
    ("subject", "others"), [("customer", {"actor": "bob"}), ("actor", {})], ids=["customer", "actor"]
)
def test_too_many_need_finance_until_time_has_passed(subject: str, others: dict[str, str]) -> None:
    scene = paid(velocity=velocity(subject, 7, 2))
    scene.refund(10, "r-1").refund(10, "r-2", **others).refund(10, "r-3")
    assert [scene.of(f"r-{n}").needs_approval_of for n in (1, 2, 3)] == [None, None, "finance"]
    scene.wait(days=7).refund(10, "r-4")
    assert scene.of("r-4").needs_approval_of is None


def test_another_actor_has_a_count_of_their_own_and_a_program_has_none() -> None:
    scene = paid(velocity=velocity("actor", 7, 1)).refund(10, "r-1").refund(10, "r-2", actor="bob")
    for number in range(3, 6):
        scene.refund(10, f"r-{number}", role="system", actor="robot")
    assert {refund.needs_approval_of for refund in scene.refunds} == {None}
    assert scene.counted("actor:robot") is None


def test_a_count_keeps_no_more_than_its_limits_look_at() -> None:
    limits = [*velocity("customer", 7, 2), *velocity("customer", 30, 4)]
    scene = paid(velocity=limits)
    for number in range(9):
        scene.wait(days=1).refund(10, f"r-{number}")
    times = scene.counted("customer:cus_7").requested_at
    assert times == tuple(START + timedelta(days=day) for day in (6, 7, 8, 9))
    scene.wait(days=29).refund(10, "later")
    assert len(scene.counted("customer:cus_7").requested_at) == 2


def test_the_highest_of_all_that_is_needed_is_needed() -> None:
    scene = paid(RICH, velocity=velocity("customer", 7, 1)).refund(10, "r-1").refund(1001, "r-2")
    assert scene.of("r-2").needs_approval_of == "finance"


def test_the_policy_in_force_when_it_is_asked_for_holds() -> None:
    later = START + timedelta(days=2)
    strict = policy(version=2, effective_from=later.isoformat(), lines=[("support", 1, None)])
    scene = paid().send("refund_policy_set", **strict).refund(500, "r-1")
    assert scene.of("r-1").policy_version == 1
    assert scene.wait(days=2).refund(500, "r-2").rejection.reason is Reason.REFUND_NOT_ALLOWED


# fmt: off
VERSIONS: Final = [
    # version, effective_from,          the words of the refusal
    (1,        "2026-02-01T00:00:00Z",  "version 1 is not above the last, 2"),
    (2,        "2026-02-01T00:00:00Z",  "version 2 is not above the last, 2"),
    (3,        "2025-12-31T23:59:59Z",  "effective_from 2025-12-31 23:59:59+00:00 is before that of version 2"),
]
# fmt: on


@pytest.mark.parametrize(("version", "effective_from", "told"), VERSIONS)
def test_no_version_is_rewritten_or_overtaken(version: int, effective_from: str, told: str) -> None:
    scene = Scene().send("refund_policy_set", **policy(version=2))
    scene.send("refund_policy_set", **policy(version=version, effective_from=effective_from))
    assert scene.rejection.reason is Reason.POLICY_VERSION_EXISTS
    assert told in scene.rejection.detail


@pytest.mark.parametrize(
    "lines",
    [
        [("support", 1000, None), ("support", 1000, "manager")],
        [("support", 1000, "system")],
        [("janitor", 1000, None)],
    ],
    ids=["twice", "a program approves", "no such role"],
)
def test_a_policy_that_makes_no_sense_cannot_be_read(lines: list[tuple[str, int, str | None]]) -> None:
    assert cloud_event("checkout.refund_policy_set.v1")
    with pytest.raises(ValidationError, match="limits"):
        Scene().send("refund_policy_set", **policy(lines=lines))
