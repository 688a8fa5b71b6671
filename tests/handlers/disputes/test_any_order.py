"""A provider's reports, drawn at random: whatever order they come in, and however often, they end alike."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from handlers.decision import Decision
from handlers.disputes.register import read_register
from handlers.disputes.rules.reported import STATUSES
from handlers.disputes.states import STAGES
from tests.handlers.disputes.case import CAPTURED_MINOR, Case, paid

PAYMENT: Final = paid()
REFERENCES: Final = ("dp_a", "dp_b", "dp_c")
Report = dict[str, Any]


@st.composite
def lives(draw: st.DrawFn) -> list[Report]:
    """Some disputes' reports in the order of their times: any status at any time, but a stage is not left again."""
    reports = []
    for reference in REFERENCES[: draw(st.integers(1, len(REFERENCES)))]:
        stages = sorted(draw(st.lists(st.sampled_from(STAGES), min_size=1, max_size=6)), key=STAGES.index)
        amount_minor = draw(st.integers(1, CAPTURED_MINOR))
        for stage in stages:
            # an inquiry that is lost is a chargeback from then on
            status = draw(st.sampled_from(STATUSES[:-1] if stage == "inquiry" else STATUSES))
            funds = (
                st.just(0) if status == "won" or stage == "inquiry" else st.sampled_from([amount_minor, 0])
            )
            reports.append(
                {
                    "dispute_reference": reference,
                    "status": status,
                    "stage": stage,
                    "at": draw(st.integers(0, 3)) + 4 * STAGES.index(stage),
                    "amount_minor": amount_minor,
                    "funds_minor": draw(funds),
                    "fee_minor": draw(st.sampled_from([0, 1500, 3000])),
                }
            )
    return sorted(reports, key=lambda said: said["at"])


def play(reports: list[Report]) -> Case:
    """All of them, in this order; the laws hold after each."""
    case = Case(PAYMENT)
    for said in reports:
        version = case.payment.version
        case.report(**said)
        assert isinstance(case.outcome, Decision) or case.rejection.reason == "report_outdated"
        assert sum(case.balances.values()) == 0
        charged_minor = case.balances.get("merchant_payable", 0) - sum(
            dispute.fee_passed_minor for (kind, _), dispute in case.kept.items() if kind == "dispute"
        )
        assert 0 <= charged_minor <= CAPTURED_MINOR
        assert case.payment.version == version + sum(
            step.object_type == "payment"
            for step in (case.outcome.transitions if isinstance(case.outcome, Decision) else ())
        )
        assert read_register(case.payment).disputed_minor == case.payment.disputed_minor
    return case


def end(case: Case) -> Any:
    """Where everything stands."""
    disputes = {
        dispute.dispute_reference: (
            dispute.state,
            dispute.stage,
            dispute.standing,
            dispute.amount_minor,
            dispute.withdrawn_minor,
            dispute.fee_minor,
            dispute.fee_passed_minor,
            dispute.reported_at,
        )
        for (kind, _), dispute in case.kept.items()
        if kind == "dispute"
    }
    payment = (case.payment.state, case.payment.disputed_minor, case.payment.metadata)
    return disputes, payment, case.balances


@given(lives(), st.data())
def test_reports_in_any_order_and_any_number_end_as_in_their_own_order(
    reports: list[Report], data: st.DataObject
) -> None:
    straight = end(play(reports))
    shuffled = data.draw(st.permutations(reports), label="order")
    repeated = data.draw(st.lists(st.sampled_from(reports), max_size=6), label="again")
    assert end(play([*shuffled, *repeated])) == straight
    assert end(play([*reports, *reports])) == straight


@given(lives())
def test_when_all_is_won_nothing_is_left_but_the_fees(reports: list[Report]) -> None:
    last = [
        {**said, "status": "won", "stage": "second_chargeback", "at": 100, "funds_minor": 0, "fee_minor": 0}
        for said in {said["dispute_reference"]: said for said in reports}.values()
    ]
    case = play([*reports, *last])
    assert case.balances == {}
    assert (case.payment.state, case.payment.disputed_minor) == ("chargeback_won", 0)
