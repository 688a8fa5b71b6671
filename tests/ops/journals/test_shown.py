"""How legs and dates are read and shown: T-accounts that balance, days that begin where the tenant is."""

from __future__ import annotations

from typing import Final

import pytest

from handlers.ledger.model import CREDIT, DEBIT
from ops.desk.moments import moment_of
from ops.journals.shown import t_accounts
from ops.statements.moments import MomentError
from schemas.ledger import Leg

LEGS: Final = (
    Leg(DEBIT, "suspense", "s", 123456, "EUR"),
    Leg(CREDIT, "bank_clearing", "main", 100000, "EUR"),
    Leg(CREDIT, "bank_clearing", "main", 23456, "EUR"),
    Leg(DEBIT, "bank_clearing", "main", 5, "JPY"),
)


def test_t_accounts_have_debits_left_and_credits_right_with_their_lines() -> None:
    assert t_accounts(LEGS, 4).plain.splitlines() == [
        "                   suspense of s",
        "         debit           │          credit",
        "─────────────────────────┼─────────────────────────",
        "         1  1,234.56 EUR │",
        "",
        "               bank_clearing of main",
        "         debit           │          credit",
        "─────────────────────────┼─────────────────────────",
        "                         │          2  1,000.00 EUR",
        "                         │            3  234.56 EUR",
        "",
        "               bank_clearing of main",
        "         debit           │          credit",
        "─────────────────────────┼─────────────────────────",
        "                4  5 JPY │",
    ]


def test_legs_that_are_not_drawn_are_counted() -> None:
    assert t_accounts(LEGS, 3).plain.splitlines()[-1] == "and 1 more legs; see them with --limit"


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        ("2026-11-30", "UTC", "2026-11-30T00:00:00+00:00"),
        ("2026-11-30", "Europe/Berlin", "2026-11-29T23:00:00+00:00"),
        ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00+00:00"),
        ("2026-10-25", "Europe/Berlin", "2026-10-24T22:00:00+00:00"),
        ("2026-03-01", "Pacific/Auckland", "2026-02-28T11:00:00+00:00"),
        ("2026-04-24", "Africa/Cairo", "2026-04-23T22:00:00+00:00"),  # its midnight did not exist
        ("2026-11-30T12:00", "Europe/Berlin", "2026-11-30T11:00:00+00:00"),
        ("2026-11-30T12:00:00Z", "Europe/Berlin", "2026-11-30T12:00:00+00:00"),
    ],
)
def test_a_date_begins_where_the_tenant_counts_its_days(text: str, zone: str, utc: str) -> None:
    assert moment_of(text, zone).isoformat() == utc


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("2026-13-01", "UTC"),
        ("tomorrow", "UTC"),
        ("", "UTC"),
        ("0001-01-01", "Pacific/Auckland"),
        ("2026-03-29T02:30", "Europe/Berlin"),
        ("2026-11-30", "Mars/Olympus"),
    ],
)
def test_what_was_no_moment_there_is_refused(text: str, zone: str) -> None:
    with pytest.raises(MomentError):
        moment_of(text, zone)
