"""Every reason tells its reader what it means and what to do."""

from __future__ import annotations

import re

import pytest

from schemas.reasons import REASONS, Fault, Reason


def test_every_reason_has_its_row_in_the_order_of_the_enum() -> None:
    assert list(REASONS) == list(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_named_as_it_is_published(reason: Reason) -> None:
    assert reason.value == reason.name.lower()


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_says_what_to_do_in_a_sentence(reason: Reason) -> None:
    assert re.fullmatch(r"[A-Z].{8,100}\.", REASONS[reason].action)


def test_what_nobody_can_mend_needs_no_action_or_waits() -> None:
    nobody = {reason for reason, info in REASONS.items() if info.fault is Fault.NOBODY}
    assert nobody == {
        Reason.BEHIND_PARKED,
        Reason.CALL_STALE,
        Reason.REPORT_OUTDATED,
        Reason.AUTHORIZATION_EXPIRED,
    }


def test_what_needs_a_new_method_is_not_tried_again_with_the_old_one() -> None:
    for info in REASONS.values():
        assert not (info.new_method and (info.retryable or info.retry_after_hours is not None))


def test_fraud_is_never_answered_with_try_again() -> None:
    for reason in (Reason.SUSPECTED_FRAUD, Reason.STOLEN_CARD, Reason.LOST_CARD):
        assert not REASONS[reason].retryable
        assert "say only that it was declined" in REASONS[reason].action
