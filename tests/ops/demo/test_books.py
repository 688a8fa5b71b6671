"""The desks' share of a play: what is in it, that the books come out as expected, and that a difference is named."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.intake import Incoming, Reader, Record, Unreadable
from ops.checks import check
from ops.demo.after import acts
from ops.demo.books.agreement import books_agree
from ops.demo.books.closing import DAYS as CLOSING_DAYS
from ops.demo.books.draft import Books
from ops.demo.books.houses import FOR_GOOD
from ops.demo.books.journal_cases import CASES
from ops.demo.books.proof import prove
from ops.demo.books.purse import Purse
from ops.demo.books.script import APPLIED, COMMANDS, DUPLICATE, Script
from ops.demo.books.summary import summarize
from ops.demo.books.wallet_cases import ANYWHERE, IN_A_HOUSE
from ops.demo.cases import DAYS
from ops.demo.merchants import Market
from ops.rebuild import replay
from schemas.currencies import MINOR_DIGITS
from schemas.journal import JournalMessage
from schemas.outgoing import partition_key
from schemas.period import PeriodMessage
from schemas.reasons import Reason
from schemas.wallet import WalletMessage
from tests.ops.demo.desks import EVENTS, SEED
from tests.ops.demo.test_after import paid

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

SEEDS = st.integers(min_value=0, max_value=2**40)
MUST_BE_REFUSED = {
    "account_not_postable", "account_unknown", "actor_not_allowed", "already_reversed", "amount_above_held",
    "calendar_in_use", "currencies_mixed", "effective_too_late", "entry_unknown", "four_eyes", "grant_id_reused",
    "hold_id_reused", "hold_unknown", "journal_id_reused", "journal_unbalanced", "limit_reached", "part_exists",
    "period_closed", "period_not_over", "period_out_of_order", "period_unknown", "policy_version_exists",
    "rate_mismatch", "rule_unfilled", "rule_unknown", "state_forbids", "wallet_exists", "way_unknown",
}  # fmt: skip


def drafted(events: int, seed: int) -> Books:
    books = Books(events, seed)
    books.take_back_sales(paid(max(events, 600), seed))
    return books


def said(books: Books) -> list[Incoming]:
    """Everything, as a worker reads it."""
    reader = Reader(COMMANDS)
    found = []
    for day in (*DAYS, *CLOSING_DAYS):
        for record in books.script.on(day):
            item = reader.read(Record(COMMANDS, 0, 0, record.key, {}, record.value))
            assert not isinstance(item, Unreadable), item.detail
            assert partition_key(item.cause.tenant, item.key).encode() == record.key
            assert record.topic == COMMANDS
            found.append(item)
    return found


@settings(max_examples=3, deadline=None)
@given(seed=SEEDS)
def test_the_same_seed_makes_the_same_days_and_expects_the_same(seed: int) -> None:
    one, other = drafted(300, seed), drafted(300, seed)
    assert all(one.script.on(day) == other.script.on(day) for day in (*DAYS, *CLOSING_DAYS))
    assert one.script.expected == other.script.expected


def test_every_command_can_be_read_is_under_its_key_and_says_what_becomes_of_it() -> None:
    books = drafted(EVENTS, SEED)
    items = said(books)
    assert {
        (item.cause.tenant, item.cause.event_id) for item in items
    } == books.script.expected.outcomes.keys()
    assert len(items) == books.script.commands > len(books.script.expected.outcomes)


def test_every_kind_of_command_occurs_and_every_refusal_that_there_must_be() -> None:
    books = drafted(EVENTS, SEED)
    kinds = {
        kind.model_fields["type"].annotation.__args__[0]
        for union in (JournalMessage, WalletMessage, PeriodMessage)
        for kind in get_args(union)
    }
    assert {item.message.type for item in said(books)} == kinds
    outcomes = set(books.script.expected.outcomes.values())
    assert outcomes - {APPLIED, DUPLICATE} == MUST_BE_REFUSED <= set(Reason)


def test_there_are_currencies_without_and_with_two_and_three_decimals() -> None:
    accounts = drafted(EVENTS, SEED).script.expected.accounts
    assert {MINOR_DIGITS[currency] for *_, currency in accounts} == {0, 2, 3}


def test_a_large_day_has_as_many_of_each_case_as_its_row_says() -> None:
    small, large = (drafted(events, SEED).script for events in (EVENTS, 20_000))
    weights = sum(case.weight for case in (*CASES, *ANYWHERE, *IN_A_HOUSE))
    wallets = sum(case.weight for case in (*ANYWHERE, *IN_A_HOUSE))
    assert len(large.expected.wallets) == wallets + 3
    assert len(small.expected.wallets) == len(ANYWHERE) + len(IN_A_HOUSE) + 3
    assert large.commands / small.commands > weights / len((*CASES, *ANYWHERE, *IN_A_HOUSE)) / 2
    assert 0.05 < large.commands / 20_000 < 0.2


def test_sales_that_are_taken_back_are_in_no_other_case() -> None:
    rows = paid(EVENTS, SEED)
    heard = {record.key for act in acts(EVENTS, SEED, rows) for record in act.records}
    untouched = [row for row in rows if partition_key(row["tenant"], row["order_id"]).encode() not in heard]
    books = Books(EVENTS, SEED)
    before = books.script.commands
    books.take_back_sales(untouched)
    assert books.script.commands > before


@pytest.fixture
def purse() -> Purse:
    dice = Random(1)  # noqa: S311 - any will do
    return Purse(Script(1), dice, Market("acme", "/finance/acme", ("EUR",)), "ann")


def test_a_purse_spends_what_expires_first_then_credit_then_money_then_its_overdraft(purse: Purse) -> None:
    purse.open()
    purse.credit(50)
    purse.credit(40, "goodwill")
    purse.grant("later", 30)
    purse.grant("sooner", 20, 5)
    purse.limit(10)
    purse.spend(25)
    assert posted(purse) == {"later": 25, "sooner": 0, "customer_credit": 40, "prepaid_balance": 50}
    purse.spend(120)
    assert posted(purse) == {"later": 0, "sooner": 0, "customer_credit": 0, "prepaid_balance": -5}
    assert purse.available_minor == 5


def test_a_purse_gives_back_what_nobody_spent_in_time_but_not_what_a_hold_keeps(purse: Purse) -> None:
    purse.open()
    purse.grant("spring", 30, 5)
    purse.hold("h", 20, 8)
    purse.on(5)
    assert posted(purse)["spring"] == 20
    purse.post("h", 5, final=False)
    purse.on(8)
    assert posted(purse)["spring"] == 0
    accounts = purse.script.expected.accounts
    assert accounts["acme", "promotion_expense", "acme", "EUR"] == 5
    assert accounts["acme", "merchant_payable", "corner-shop", "EUR"] == -5


def posted(purse: Purse) -> dict[str, int]:
    """What is in it: of grants by their names, else by account."""
    return {
        pot.account
        if pot.until == FOR_GOOD and "/" not in pot.owner
        else pot.owner.split("/")[1]: pot.posted_minor
        for pot in purse._pots  # noqa: SLF001 - what it is about
    }


async def test_the_books_come_out_as_the_desks_expect_and_every_law_holds(
    keeper: Connection, books: Books
) -> None:
    verdicts = await books_agree(keeper, books)
    assert [offender for verdict in verdicts for offender in verdict.offenders] == []
    assert all(verdict.checked for verdict in verdicts)
    assert [verdict.title for verdict in await check(keeper) if not verdict.ok] == []


TAMPERED = [
    ("UPDATE inbox SET reason = 'other' WHERE reason = 'four_eyes'", "expected four_eyes"),
    ("UPDATE lines SET amount_minor = amount_minor + 1 WHERE currency = 'JPY'", "soroban-7"),
    ("UPDATE journals SET state = 'refused' WHERE state = 'lapsed'", "refused, expected lapsed"),
    (
        "UPDATE journals SET terms = terms || '{\"difference_minor\": \"9\"}' WHERE kind = 'conversion'",
        "9, expected",
    ),
    ("UPDATE wallet_buckets SET held_minor = held_minor + 1", "expected Holding"),
    ("DELETE FROM holds WHERE state = 'expired'", "None, expected expired"),
    ("UPDATE periods SET state = 'reopened'", "reopened, expected closed"),
    ("UPDATE entry_origins SET period = '2020-01'", "2020-01"),
]


@pytest.mark.parametrize(("deed", "named"), TAMPERED, ids=[deed[:40] for deed, _ in TAMPERED])
async def test_whatever_is_otherwise_than_expected_is_named(
    keeper: Connection, books: Books, deed: str, named: str
) -> None:
    for row in await keeper.fetch(
        "SELECT tgname, tgrelid::regclass::text AS guarded FROM pg_trigger WHERE NOT tgisinternal"
    ):
        await keeper.execute(f"DROP TRIGGER {row['tgname']} ON {row['guarded']}")
    for row in await keeper.fetch(
        "SELECT conname, conrelid::regclass::text AS guarded FROM pg_constraint WHERE contype = 'c'"
        " AND conrelid IN ('periods'::regclass, 'journals'::regclass)"
    ):
        await keeper.execute(f"ALTER TABLE {row['guarded']} DROP CONSTRAINT {row['conname']}")
    await keeper.execute(deed)
    broken = [verdict for verdict in await books_agree(keeper, books) if not verdict.ok]
    assert len(broken) == 1
    assert any(named in offender for offender in broken[0].offenders), broken[0].offenders


async def test_a_finance_person_reads_what_the_desks_did(keeper: Connection, books: Books) -> None:
    proof, sealed = await prove(keeper)
    assert [verdict.ok for verdict in sealed] == [True]
    assert (proof.unsealed, proof.findings) == (0, 0)
    assert proof.entries == await keeper.fetchval("SELECT count(*) FROM entries") > 0
    document: dict[str, Any] = (await summarize(keeper, proof)).as_json()
    states = list(books.script.expected.journals.values())
    for state in ("posted", "proposed", "collecting", "refused", "lapsed"):
        found = sum(kinds.get(state, 0) for kinds in document["journals"].values())
        assert found == states.count(state) > 0, state
    of_houses = {house.market.tenant: house for house in books.houses}
    assert {row["tenant"] for row in document["periods"]} == of_houses.keys()
    assert {(row["state"], row["late"] > 0) for row in document["periods"]} == {("closed", True)}
    assert sum(row["closings"] for row in document["periods"]) == proof.closings == 9
    for sums in document["wallets"].values():
        came = sums["credited"] + sums["granted"]
        assert sums["posted"] == came - sums["spent"] - sums["expired"]
    cost = {row["currency"]: row["cost_minor"] for row in document["conversions"]["rounding_differences"]}
    arrived = sum(row["by_rate_minor"] - row["arrived_minor"] for row in document["conversions"]["by_pair"])
    assert sum(cost.values()) == arrived


async def test_what_the_desks_said_said_again_leads_to_the_same(kept: Database) -> None:
    outcome = await replay(kept.app_url, kept.admin_url)
    assert [difference for part in outcome.parts for difference in part.differences] == []
    rows = {part.name: part.rows for part in outcome.parts}
    for name in (
        "journals", "reversals and links", "wallets with their holds", "period bounds", "periods",
        "origins of late entries", "timers", "external references of entries",
    ):  # fmt: skip
        assert rows[name] > 0, name
