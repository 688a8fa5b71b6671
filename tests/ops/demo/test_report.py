"""The report as a document and as people read it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from ops.checks import Verdict
from ops.demo.books.proof import Proof
from ops.demo.books.summary import MONEY, BooksSummary
from ops.demo.printed import printed
from ops.demo.report import CATEGORIES, Report, Turnover

HOLDS = Verdict(1, "Every journal entry balances per currency", ok=True, checked=3, offenders=[], broken=0)
BROKEN = Verdict(
    2, "Every balance is the sum of its lines", ok=False, checked=9, offenders=["account 7"], broken=1
)

BOOKS = BooksSummary(
    journals={"manual": {"posted": 3, "lapsed": 1}, "conversion": {"posted": 2}},
    wallets={"KWD": dict.fromkeys(("wallets", *MONEY), 1) | {"posted": 7654321}},
    holds={"expired": 2},
    conversions=(
        {
            "pair": "JPY/USD",
            "conversions": 2,
            "sold_minor": 150000,
            "by_rate_minor": 100065,
            "arrived_minor": 100068,
        },
    ),
    rounding=({"tenant": "soroban", "owner": "soroban", "currency": "USD", "cost_minor": -3},),
    periods=(
        {
            "tenant": "soroban",
            "period": "2026-03",
            "state": "closed",
            "closings": 2,
            "accounts": 1017,
            "lines": 1048,
            "late": 4,
        },
    ),
    proof=Proof(
        slices=0,
        lines_in_slices=0,
        closings=2,
        balances_kept=1017,
        blocks=5,
        entries=8888,
        unsealed=0,
        findings=0,
    ),
)


@pytest.fixture
def report() -> Report:
    return Report(
        events=10,
        events_after=3,
        commands=5,
        seed=7,
        seconds=4.0,
        by_topic={
            "checkout.events": Counter(received=10, applied=6, duplicate=2, rejected=1, dead=1),
            "provider.results": Counter(received=3, applied=3),
        },
        rejections={"state_forbids": 1},
        dead_letters={"invalid_json": 1},
        payments={"succeeded": 4, "failed": 1},
        refunds={"succeeded": 2, "pending_approval": 1},
        disputes={"won": 1, "lost": 1},
        webhooks={"delivered": 9, "kept": 4, "repeated": 5},
        categories={
            "JPY": dict.fromkeys(CATEGORIES, 0) | {"captured": 5000, "refunded": 500},
            "KWD": dict.fromkeys(CATEGORIES, 0) | {"captured": 0},
        },
        entries_by_rule={"card_captured": 3, "terminal_sale": 1},
        turnover={"JPY": Turnover(5000, 5000), "KWD": Turnover(1234567, 1234567)},
        money={
            "JPY": {"terminal_receivable": 5000, "merchant_payable": 4900, "platform_fee_revenue": 100},
            "KWD": {"processor_receivable": 1234567, "merchant_payable": 1234567},
        },
        books=BOOKS,
        provider_calls={"authorize": {"calls": 3, "tries": 4, "were_unknown": 1}},
        published_by_topic={"payment.events": 8, "ledger.entries": 4},
        published_again=0,
        laws=(HOLDS,),
    )


def text_of(report: Report) -> str:
    console = Console(width=120, file=StringIO(), record=True)
    console.print(printed(report))
    return console.export_text()


def test_the_document_has_what_a_machine_asks_for(report: Report) -> None:
    document = report.as_json()
    assert [document[name] for name in ("received", "applied", "duplicate", "rejected", "parked", "dead")] == [
        13, 9, 2, 1, 0, 1
    ]  # fmt: skip
    assert document["trial_balance"] == {"JPY": 0, "KWD": 0}
    assert document["published"] == 12
    assert document["entries"] == 4
    assert document["events_per_second"] == 2.5
    assert document["laws"][0]["ok"]
    assert document["ok"]


def test_people_read_amounts_with_the_currencys_decimals(report: Report) -> None:
    text = text_of(report)
    assert "1,234.567" in text
    assert "4,900" in text
    assert "13 received = 9 applied + 2 duplicate + 1 rejected + 0 parked + 1 dead" in text
    assert "every law holds" in text


def test_people_see_what_became_of_the_money_and_of_each_refund_and_dispute(report: Report) -> None:
    text = text_of(report)
    (picture,) = (line for line in text.splitlines() if "█" in line and "JPY" in line)
    assert "90.0" in picture
    assert picture.count("█") == 36
    assert picture.count("▒") == 4
    assert "pending_approval" in text
    assert "repeated" in text
    document = report.as_json()
    assert document["refunds"] == {"succeeded": 2, "pending_approval": 1}
    assert document["disputes"] == {"won": 1, "lost": 1}
    assert document["money_by_category"]["JPY"]["refunded"] == 500


def test_people_read_what_became_of_journals_wallets_conversions_and_periods(report: Report) -> None:
    lines = [[cell.strip() for cell in line.split("│")] for line in text_of(report).splitlines()]
    assert ["", "manual", "0", "0", "3", "0", "1", ""] in lines
    assert ["", "JPY/USD", "2", "150,000", "1,000.65", "1,000.68", ""] in lines
    assert ["", "rounding_difference of soroban", "USD", "-0.03", ""] in lines
    assert ["", "KWD", "1", "7,654.321", *["0.001"] * 6, ""] in lines
    assert ["", "soroban", "2026-03", "closed", "2", "1,017", "1,048", "4", ""] in lines
    assert ["", "entries in the hash chain", "8,888", ""] in lines
    document = report.as_json()
    assert document["journals"]["conversion"] == {"posted": 2}
    assert document["holds"] == {"expired": 2}
    assert document["periods"][0]["late"] == 4
    assert document["proof"]["findings"] == 0
    assert document["commands"] == 5


def test_a_broken_law_is_named_with_what_breaks_it(report: Report) -> None:
    broken = replace(report, laws=(HOLDS, BROKEN))
    assert not broken.ok
    text = text_of(broken)
    assert "a law is broken" in text
    assert "account 7" in text
