"""`counterfoil demo`, as typed: it settles, its counts add up, its books balance; and again on the same folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

import orjson
import pytest

from db.connection import connect
from handlers.ledger.model import CHART, CREDIT, DEBIT, Code
from ops.checks import check
from ops.demo.after import DUPLICATE_EVERY
from ops.demo.cases import OF_THEIR_OWN, ON_A_TEST_CLOCK, PER_EVENTS
from ops.demo.report import OUTCOMES
from ops.embedded import Stack
from tests.ops.demo.day import day_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

EVENTS = 600
SHORT = 200
SEED = 11
DECIDED_BY_THE_SEED = (
    "payments",
    "refunds",
    "disputes",
    "money",
    "money_by_category",
    "entries_by_rule",
    "dead_letters",
    "commands",
    "journals",
    "wallets",
    "holds",
    "conversions",
    "periods",
)


def play(folder: Path, events: int) -> dict[str, Any]:
    """Run the command on the embedded stack of a folder; its report."""
    report = folder / "report.json"
    command = [sys.executable, "-m", "ops.cli", "demo", "--events", str(events), "--seed", str(SEED)]
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in {"KAFKA_BOOTSTRAP_SERVERS", "DATABASE_URL"}
    } | {"COUNTERFOIL_FOLDER": str(folder)}
    done = subprocess.run(
        [*command, "--report", str(report)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "every law holds" in done.stdout
    found: dict[str, Any] = orjson.loads(report.read_bytes())
    return found


@pytest.fixture(scope="module")
def played(folder: Path) -> dict[str, Any]:
    return play(folder / "home", EVENTS)


def test_the_five_counts_add_up_for_every_topic(played: dict[str, Any]) -> None:
    for counts in (played, *played["by_topic"].values()):
        assert counts["received"] == sum(counts[outcome] for outcome in OUTCOMES)
    assert played["received"] == sum(counts["received"] for counts in played["by_topic"].values())
    assert played["parked"] == 0


def test_the_counts_are_those_of_the_day_that_was_generated(played: dict[str, Any]) -> None:
    day = day_of(EVENTS, SEED)
    checkout = played["by_topic"]["checkout.events"]
    after = played["events_after"]
    assert checkout["received"] == EVENTS + after
    assert checkout["duplicate"] == EVENTS * 5 // 100 + after // (DUPLICATE_EVERY + 1)
    assert checkout["dead"] == len(day.unreadable) == EVENTS // 100
    assert played["dead_letters"] == Counter(item.reason for item in day.unreadable)
    assert played["rejections"]["event_id_reused"] == EVENTS // 200
    opened = {item.key for item in day.incoming if "order_id" in item.message.data.model_fields_set}
    later = sum(
        max(1, round(case.weight * EVENTS / PER_EVENTS)) for case in (*OF_THEIR_OWN, *ON_A_TEST_CLOCK)
    )
    assert sum(played["payments"].values()) == len(opened) + later


def test_every_trial_balance_is_zero_and_the_money_is_somebodys(played: dict[str, Any]) -> None:
    assert set(played["trial_balance"].values()) == {0}
    for currency, money in played["money"].items():
        sides = Counter[str]()
        for code, amount_minor in money.items():
            sides[CHART[Code(code)].type.normal_side] += amount_minor
        assert sides[DEBIT] == sides[CREDIT], currency


def test_refunds_and_disputes_end_in_every_way_there_is(played: dict[str, Any]) -> None:
    assert played["refunds"].keys() >= {"pending_approval", "succeeded", "failed", "canceled"}
    assert played["disputes"].keys() == {"won", "lost", "accepted", "expired"}
    assert played["payments"].keys() >= {
        "partially_refunded", "refunded", "chargeback_won", "chargeback_lost", "expired"
    }  # fmt: skip
    assert played["entries_by_rule"].keys() >= {
        "debit_collected", "debit_returned", "refund_returned_card", "refund_failed", "goodwill_submitted",
        "refund_paid_service_credit", "dispute_withdrawn", "dispute_reinstated", "dispute_lost",
        "dispute_fee_charged",
    }  # fmt: skip
    assert played["rejections"].keys() >= {
        "four_eyes", "actor_not_allowed", "refund_not_allowed", "amount_above_refundable", "dispute_open",
        "refund_id_reused",
    }  # fmt: skip


def test_what_is_captured_stays_or_is_somewhere_else(played: dict[str, Any]) -> None:
    for currency, amounts in played["money_by_category"].items():
        gone = sum(amounts[name] for name in ("refunded", "in_flight", "disputed", "lost"))
        assert 0 <= gone <= amounts["captured"], currency
    lost = Counter({currency: row["lost"] for currency, row in played["money_by_category"].items()})
    assert lost.total() > 0


def test_webhooks_told_twice_late_and_by_strangers_are_kept_once(played: dict[str, Any]) -> None:
    webhooks, taken_in = played["webhooks"], played["by_topic"]["webhook.events"]
    assert webhooks["delivered"] == webhooks["kept"] + webhooks["repeated"]
    assert webhooks["kept"] == taken_in["received"] > 0
    assert webhooks["repeated"] > webhooks["kept"] // 4
    assert webhooks["unreadable"] == 0
    assert webhooks["refused"] == 6


def test_the_ledgers_own_commands_end_in_every_way_there_is(played: dict[str, Any]) -> None:
    books = played["by_topic"]["ledger.commands"]
    assert books["received"] == played["commands"]
    assert books["dead"] == 0
    assert books["duplicate"] > 0
    assert played["journals"].keys() == {"manual", "reversal", "conversion"}
    assert played["journals"]["manual"].keys() == {"collecting", "proposed", "posted", "refused", "lapsed"}
    assert played["holds"].keys() == {"placed", "partly_posted", "posted", "voided", "expired"}
    assert played["rejections"].keys() >= {
        "limit_reached", "already_reversed", "period_closed", "journal_unbalanced", "currencies_mixed",
        "rate_mismatch", "account_not_postable", "amount_above_held", "period_out_of_order",
    }  # fmt: skip
    assert played["entries_by_rule"].keys() >= {
        "manual_journal", "entry_reversal", "entry_correction", "currency_conversion", "promotion_granted",
        "promotion_expired", "wallet_credited_bank_transfer", "wallet_spent_purchase",
    }  # fmt: skip


def test_the_books_are_closed_and_sealed(played: dict[str, Any]) -> None:
    assert {period["state"] for period in played["periods"]} == {"closed"}
    assert all(period["late"] and period["closings"] for period in played["periods"])
    assert played["conversions"]["rounding_differences"]
    proof = played["proof"]
    assert (proof["unsealed"], proof["findings"]) == (0, 0)
    assert proof["entries"] == played["entries"]
    assert proof["closings"] == sum(period["closings"] for period in played["periods"])


def test_every_law_has_its_verdict(played: dict[str, Any]) -> None:
    assert {verdict["law"] for verdict in played["laws"]} >= {1, 2, 3, 4, 5, 6, 7, 9, 10, 12}
    assert all(verdict["ok"] for verdict in played["laws"])
    assert played["published"] == sum(played["published_by_topic"].values()) > EVENTS


async def test_what_the_demo_left_can_be_looked_at_and_each_unreadable_message_is_there_as_it_came(
    played: dict[str, Any], folder: Path
) -> None:
    with Stack(folder / "home" / "demo", owned=True) as stack:
        books = await connect(stack.endpoints().read_url, application="scenario")
        try:
            letters = await books.fetch("SELECT message_key, body, masked FROM dead_letters")
            verdicts = await check(books, settled=True)
        finally:
            await books.close()
    assert len(letters) == played["dead"]
    unreadable = {item.record.body for item in day_of(EVENTS, SEED).unreadable}
    assert {letter["body"] for letter in letters} == unreadable
    assert all(verdict.ok for verdict in verdicts)


def test_a_second_demo_on_the_same_folder_begins_anew_and_a_third_ends_like_it(
    played: dict[str, Any], folder: Path
) -> None:
    again = play(folder / "home", SHORT)
    checkout = again["by_topic"]["checkout.events"]
    assert checkout["received"] == SHORT + again["events_after"] < played["received"]
    once_more = play(folder / "home", SHORT)
    assert once_more["by_topic"]["checkout.events"] == checkout | {"redelivered": ANY}
    assert {name: once_more[name] for name in DECIDED_BY_THE_SEED} == {
        name: again[name] for name in DECIDED_BY_THE_SEED
    }
