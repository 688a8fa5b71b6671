"""A dispute stays with the charge that it is about, also when the order has been paid otherwise meanwhile."""

from __future__ import annotations

from dataclasses import replace

from schemas.reasons import Reason
from tests.handlers.disputes.case import CAPTURED_MINOR, Case


def paid_otherwise_meanwhile() -> Case:
    """The dispute is open; then the payment lost its charge, and was paid in cash."""
    case = Case().report("needs_response")
    case.payment = replace(case.payment, provider=None, provider_reference=None, method="point_of_sale")
    return case


def test_what_the_provider_says_of_a_known_dispute_is_believed() -> None:
    case = paid_otherwise_meanwhile().report("won", at=2, funds_minor=0)
    assert (case.dispute.state, case.balances.get("chargeback_clearing")) == ("won", None)
    assert case.payment.disputed_minor == 0


def test_a_report_that_names_another_charge_is_refused() -> None:
    case = paid_otherwise_meanwhile().report("won", at=2, provider_reference="auth_9")
    assert case.rejection.reason is Reason.PROVIDER_OBJECT_UNKNOWN
    assert case.payment.disputed_minor == CAPTURED_MINOR
