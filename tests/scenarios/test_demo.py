"""`counterfoil demo`, as typed: it settles, its counts add up, its books balance; and again on the same folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from db.connection import connect
from ops.checks import check
from ops.demo.report import OUTCOMES
from ops.embedded import Stack
from tests.ops.demo.day import day_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

EVENTS = 600
SEED = 11


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
    assert checkout["received"] == EVENTS
    assert checkout["duplicate"] == EVENTS * 5 // 100
    assert checkout["dead"] == len(day.unreadable) == EVENTS // 100
    assert played["dead_letters"] == Counter(item.reason for item in day.unreadable)
    assert played["rejections"]["event_id_reused"] == EVENTS // 200
    opened = {item.key for item in day.incoming if "order_id" in item.message.data.model_fields_set}
    assert sum(played["payments"].values()) == len(opened)


def test_every_trial_balance_is_zero_and_the_money_is_somebodys(played: dict[str, Any]) -> None:
    assert set(played["trial_balance"].values()) == {0}
    for currency, money in played["money"].items():
        owed_to_us = sum(
            money.get(f"{whose}_receivable", 0) for whose in ("processor", "carrier", "terminal")
        )
        owed_by_us = money["merchant_payable"] + money.get("platform_fee_revenue", 0)
        assert owed_to_us + money.get("bank_clearing", 0) == owed_by_us, currency


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


def test_a_second_demo_on_the_same_folder_begins_anew(played: dict[str, Any], folder: Path) -> None:
    again = play(folder / "home", 200)
    assert again["by_topic"]["checkout.events"]["received"] == 200 < played["received"]
