"""Settlements and payouts: every total is the sum of its lines, in every currency, whatever happened."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.sandbox import messages
from ops.sandbox.settlements import lines_csv, payouts_csv
from tests.ops.sandbox.books import Bench

if TYPE_CHECKING:
    from ops.sandbox.resources import Document

CAPTURES = [
    # currency, captured, fee: 1.4 % half to even and 0.25 major units half to even
    ("EUR", 10_000, 140 + 25),
    ("EUR", 1, 0 + 25),
    ("EUR", 750, 10 + 25),  # 10.5
    ("EUR", 250, 4 + 25),  # 3.5
    ("JPY", 10_000, 140 + 0),
    ("KWD", 10_000, 140 + 250),
    ("CLF", 10_000, 140 + 2_500),
]


@pytest.mark.parametrize(("currency", "amount_minor", "fee_minor"), CAPTURES)
def test_a_capture_costs_a_share_and_a_fixed_fee(currency: str, amount_minor: int, fee_minor: int) -> None:
    bench = Bench()
    bench.pay(currency=currency, amount_minor=amount_minor)
    [settlement] = settlements(bench)
    totals = (
        settlement["currency"],
        settlement["gross_minor"],
        settlement["fee_minor"],
        settlement["net_minor"],
    )
    assert totals == (currency, amount_minor, fee_minor, amount_minor - fee_minor)


def settlements(bench: Bench) -> list[Document]:
    return bench.processor.balance.settlements(None, None)


def lines(bench: Bench) -> list[Document]:
    return [
        line
        for one in settlements(bench)
        for line in bench.processor.balance.lines(date.fromisoformat(one["date"]), one["currency"])
    ]


def by_type(bench: Bench) -> list[tuple[str, int, int]]:
    return [(line["type"], line["gross_minor"], line["fee_minor"]) for line in lines(bench)]


def test_what_goes_back_on_an_earlier_line_has_its_type_and_the_opposite_sign() -> None:
    bench = Bench()
    bench.refund(bench.pay("tok_refund_bounce"), 4_000)
    won = bench.dispute(bench.pay())["id"]
    bench.ask(messages.DecisionRequest(result="won"), won)
    bench.pay("tok_debit_return")
    bench.days_pass(20)
    assert by_type(bench) == [
        ("charge", 10_000, 165),
        ("refund", -4_000, 0),
        ("charge", 10_000, 165),
        ("dispute", -10_000, 0),
        ("fee", 0, 1_500),
        ("dispute", 10_000, 0),
        ("charge", 10_000, 90),
        ("refund", 4_000, 0),
        ("charge", -10_000, 500),
    ]


def test_a_pending_or_failed_refund_moves_nothing() -> None:
    bench = Bench()
    bench.refund(bench.pay("tok_refund_fail"), 4_000)
    bench.refund(bench.pay("tok_refund_pending"), 4_000)
    assert [kind for kind, _, _ in by_type(bench)] == ["charge", "charge"]
    bench.days_pass(5)
    assert [line for line in by_type(bench) if line[0] == "refund"] == [("refund", -4_000, 0)]


def test_a_day_ends_with_one_payout_a_currency_that_arrives_a_day_later() -> None:
    bench = Bench()
    bench.pay()
    bench.pay(currency="JPY")
    assert [one["status"] for one in settlements(bench)] == ["open", "open"]
    assert bench.processor.balance.payouts() == []
    bench.days_pass(1)
    payouts = bench.processor.balance.payouts()
    assert [(one["currency"], one["amount_minor"], one["status"]) for one in payouts] == [
        ("EUR", 9_835, "in_transit"),
        ("JPY", 9_860, "in_transit"),
    ]
    assert {one["payout_id"] for one in settlements(bench)} == {one["id"] for one in payouts}
    bench.days_pass(1)
    assert {one["status"] for one in bench.processor.balance.payouts()} == {"paid"}
    assert bench.types()[2:] == ["payout.created"] * 2 + ["payout.paid"] * 2


def test_a_day_that_cost_more_than_it_brought_is_collected() -> None:
    bench = Bench()
    charge = bench.pay()
    bench.days_pass(1)
    bench.refund(charge, 10_000)
    bench.days_pass(1)
    assert [one["amount_minor"] for one in bench.processor.balance.payouts()] == [9_835, -10_000]


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(
            ["pay", "debit", "return", "refund", "bounce", "chargeback", "inquiry", "win", "lose", "wait"]
        ),
        st.sampled_from(["EUR", "JPY", "KWD"]),
        st.integers(1, 10_000),
    ),
    max_size=25,
)


TOKEN_OF = {
    "pay": "tok_approve",
    "debit": "tok_debit_approve",
    "return": "tok_debit_return",
    "bounce": "tok_refund_bounce",
}


def happened(deeds: list[tuple[str, str, int]]) -> Bench:
    """A provider at which all this was done, two months later."""
    bench, charges, disputes = Bench(), ["auth_unknown"], ["dp_unknown"]
    for deed, currency, amount_minor in deeds:
        charge, dispute = charges[amount_minor % len(charges)], disputes[amount_minor % len(disputes)]
        match deed:
            case "pay" | "debit" | "return" | "bounce":
                charges.append(bench.pay(TOKEN_OF[deed], amount_minor, currency))
            case "refund":
                bench.refund(charge, amount_minor)
            case "chargeback" | "inquiry":
                disputes.append(bench.dispute(charge, deed).get("id", "dp_unknown"))
            case "win" | "lose":
                bench.ask(messages.DecisionRequest(result="won" if deed == "win" else "lost"), dispute)
            case _:
                bench.days_pass(amount_minor / 1_000)
    bench.days_pass(60)
    return bench


def left_of(charge: Document) -> int:
    """What a charge, or a total of them, has brought in the end."""
    gone = sum(charge[f"{kind}_amount_minor"] for kind in ("refunded", "disputed", "returned"))
    return int(charge["captured_amount_minor"] - gone)


@given(DEEDS)
def test_totals_tie_whatever_happens(deeds: list[tuple[str, str, int]]) -> None:
    bench = happened(deeds)
    for charge in bench.processor.store.charges(reference=None, after=0, row_limit=1_000):
        assert 0 <= left_of(charge) <= charge["captured_amount_minor"]
    gross, net = Counter[str](), Counter[str]()
    for line in lines(bench):
        assert line["net_minor"] == line["gross_minor"] - line["fee_minor"]
        gross[line["currency"]] += line["gross_minor"]
        net[line["payout_id"]] += line["net_minor"]
    paid = {one["id"]: one["amount_minor"] for one in bench.processor.balance.payouts()}
    assert net == paid
    assert {one["payout_id"]: one["net_minor"] for one in settlements(bench)} == paid
    totals = bench.processor.store.captured_totals(reference=None)
    assert gross == {total["currency"]: left_of(total) for total in totals}


def test_csv_says_the_same_as_json() -> None:
    bench = Bench()
    bench.refund(bench.pay(reference='odd, "quoted"\norder'), 10)
    bench.days_pass(1)
    rows = list(csv.DictReader(io.StringIO(lines_csv(lines(bench)), newline="")))
    assert [row["reference"] for row in rows] == ['odd, "quoted"\norder'] * 2
    assert [row["metadata[refund_id]"] for row in rows] == ["", "r-1"]
    for row, line in zip(rows, lines(bench), strict=True):
        assert {name: row[name] for name in row if name in line} == {
            name: str(line[name]) for name in row if name in line
        }
    [payout] = csv.DictReader(io.StringIO(payouts_csv(bench.processor.balance.payouts()), newline=""))
    assert int(payout["amount_minor"]) == sum(int(row["net_minor"]) for row in rows)
