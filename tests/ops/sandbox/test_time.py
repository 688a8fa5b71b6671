"""What time brings: debits, holds, refunds and disputes, each at its own time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from ops.sandbox import messages
from ops.sandbox.clock import LATEST, ClockError
from ops.sandbox.store import OtherVersionError
from tests.ops.sandbox.books import Bench, processor_over

if TYPE_CHECKING:
    from pathlib import Path

DEBITS = [
    # token,              after 2, 4 and 11 days
    ("tok_debit_approve", "pending", "captured", "captured"),
    ("tok_debit_fail", "pending", "declined", "declined"),
    ("tok_debit_return", "pending", "captured", "returned"),
]


@pytest.mark.parametrize(("token", "early", "decided", "late"), DEBITS)
def test_a_debit_is_decided_days_later(token: str, early: str, decided: str, late: str) -> None:
    bench = Bench()
    debit = bench.pay(token)
    assert bench.status(debit) == "pending"
    for days, expected in ((2, early), (2, decided), (7, late)):
        bench.days_pass(days)
        assert bench.status(debit) == expected


def test_everything_comes_to_pass_in_order_however_far_the_clock_jumps() -> None:
    bench = Bench()
    bench.pay("tok_debit_return")
    bench.days_pass(400)
    told = [(event["type"], event["created_at"]) for event in bench.told()]
    assert [kind for kind, _ in told] == [
        "authorization.pending",
        "capture.succeeded",
        "payout.created",
        "payout.paid",
        "authorization.returned",
        "payout.created",
        "payout.paid",
    ]
    assert told == sorted(told, key=lambda event: event[1])


def test_a_debit_that_was_called_off_stays_so() -> None:
    bench = Bench()
    debit = bench.pay("tok_debit_approve")
    assert bench.ask(messages.VoidRequest(), debit)["status"] == "voided"
    bench.days_pass(30)
    assert bench.status(debit) == "voided"


def test_a_return_takes_no_more_than_refunds_have_left() -> None:
    bench = Bench()
    debit = bench.pay("tok_debit_return")
    bench.days_pass(4)
    assert bench.refund(debit, 4_000)["status"] == "succeeded"
    bench.days_pass(7)
    found = bench.processor.store.authorization(debit)
    assert found is not None
    assert (found.status, found.returned_amount_minor, found.refundable_amount_minor) == (
        "returned",
        6_000,
        0,
    )


@pytest.mark.parametrize(
    ("token", "days"), [("tok_approve", 7), ("tok_over_capture", 30), ("tok_single_capture", 5)]
)
def test_a_hold_ends_when_its_network_says(token: str, days: int) -> None:
    bench = Bench()
    held, captured = bench.pay(token, capture=False), bench.pay(token, capture=False)
    bench.ask(messages.CaptureRequest(amount_minor=1), captured)
    bench.days_pass(days - 0.01)
    assert bench.status(held) == "authorized"
    bench.days_pass(0.02)
    assert (bench.status(held), bench.status(captured)) == ("expired", "captured")
    late = bench.ask(messages.CaptureRequest(amount_minor=1), held)
    assert (late["http_status"], late["error"]["type"]) == (409, "invalid_state")


def test_a_partial_capture_is_final_when_the_hold_ends() -> None:
    bench = Bench()
    held = bench.pay(capture=False)
    bench.ask(messages.CaptureRequest(amount_minor=1, final=False), held)
    bench.days_pass(8)
    assert bench.status(held) == "captured"
    assert bench.types().count("capture.succeeded") == 1


def test_the_clock_never_goes_back() -> None:
    clock = Bench().processor.clock
    now = clock.now()
    assert clock.advance(1_000) >= now + timedelta(seconds=1)
    with pytest.raises(ClockError):
        clock.advance_to(now)
    later = now + timedelta(days=400)
    assert clock.advance_to(later) >= later
    for too_late in (LATEST + timedelta(seconds=1), datetime.max.replace(tzinfo=UTC)):
        with pytest.raises(ClockError):
            clock.advance_to(too_late)
    with pytest.raises(ClockError):
        clock.advance(10**18)
    assert clock.now() == later


def test_time_goes_on_where_it_was_after_a_restart(tmp_path: Path) -> None:
    bench = Bench(processor_over(tmp_path / "books.sqlite"))
    debit = bench.pay("tok_debit_approve")
    bench.days_pass(2)
    before = bench.processor.clock.now()
    bench.processor.store.close()
    again = Bench(processor_over(tmp_path / "books.sqlite"))
    assert again.processor.clock.now() == before
    again.days_pass(1.5)
    assert again.status(debit) == "captured"
    again.processor.store.close()


def test_books_of_another_version_are_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "books.sqlite"
    with closing(sqlite3.connect(file)) as old:
        old.execute("CREATE TABLE authorizations (id text)")
    with pytest.raises(OtherVersionError, match="version 0"):
        processor_over(file)
