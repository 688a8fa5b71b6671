"""What one message cannot do: spoil its batch, stop its partition, or be blamed for the server's own trouble."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from handlers.decision import Decision
from handlers.needs import Route
from handlers.payments.model import Payment
from handlers.routes import ROUTES
from tests.engines import Feed, broken_laws, counts, feeds, outcomes, published, reasons, states
from tests.shop import cancel, capture, fees, missed, promise, request, sale

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.conftest import Connection, Database

SALE = "checkout.payment_recorded.v1"


@pytest.fixture
async def feed(database: Database) -> AsyncIterator[Feed]:
    """One partition with a merchant's fees already taken in."""
    async with feeds(database.app_url, 1) as (only,):
        await only.take(fees())
        yield only


def spoil(
    monkeypatch: pytest.MonkeyPatch, kind: str, harm: Callable[[Decision], Decision], *event_ids: str
) -> None:
    """The rule of this type decides wrongly about these events."""
    route = ROUTES[kind]
    assert isinstance(route, Route)

    def rule(*arguments: Any) -> Any:
        outcome = route.rule(*arguments)
        return harm(outcome) if arguments[-2].id in event_ids and isinstance(outcome, Decision) else outcome

    monkeypatch.setitem(ROUTES, kind, replace(route, rule=rule))


def _with(decision: Decision, **changes: Any) -> Decision:
    (payment,) = decision.states
    assert isinstance(payment, Payment)
    return replace(decision, states=(replace(payment, **changes),))


def _overcharged(decision: Decision) -> Decision:
    return _with(decision, fee_minor=10**9)


def _unbalanced(decision: Decision) -> Decision:
    (posting,) = decision.postings
    first, *others = posting.legs
    legs = (replace(first, amount_minor=first.amount_minor + 1), *others)
    return replace(decision, postings=(replace(posting, legs=legs),))


def _too_large_for_a_bigint(decision: Decision) -> Decision:
    return _with(decision, fee_fixed_minor=2**63)


def _twice(decision: Decision) -> Decision:
    return replace(decision, transitions=decision.transitions * 2)


def _of_another_type(decision: Decision) -> Decision:
    return _with(decision, attempts="three")


@pytest.mark.parametrize(
    "harm",
    [_overcharged, _unbalanced, _too_large_for_a_bigint, _twice, _of_another_type],
    ids=lambda f: f.__name__,
)
async def test_halving_isolates_exactly_the_message_that_the_database_refuses(
    feed: Feed, admin: Connection, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Decision], Decision]
) -> None:
    spoil(monkeypatch, SALE, harm, "e5")
    await feed.take(*(sale(f"e{number}", f"o{number}") for number in range(16)))
    assert [event for event, outcome in (await outcomes(admin)).items() if outcome != "applied"] == ["e5"]
    (letter,) = await admin.fetch("SELECT event_id, reason, body FROM dead_letters")
    assert tuple(letter) == ("e5", "database_refused", sale("e5", "o5"))
    assert len(await states(admin)) == 15
    order = [m["causation"] for m in await published(admin, "ledger.entries")]
    assert order == [f"e{number}" for number in range(16) if number != 5]
    assert await broken_laws(admin) == []


async def test_a_refused_message_does_not_hold_up_its_key(
    feed: Feed, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, SALE, _overcharged, "bad", "worse")
    await feed.take(sale("bad", "o1"), sale("worse", "o1"), sale("good", "o1", 5), sale("late", "o1"))
    assert await outcomes(admin) == {
        "fees": "applied",
        "bad": "dead",
        "worse": "dead",
        "good": "applied",
        "late": "rejected",
    }
    assert await broken_laws(admin) == []


async def test_redelivery_of_a_refused_message_changes_nothing(
    feed: Feed, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as spoiled:
        spoil(spoiled, SALE, _overcharged, "bad")
        await feed.take(sale("bad", "o1"))
    await feed.again()
    assert await admin.fetchval("SELECT count(*) FROM dead_letters") == 1
    assert await states(admin) == {}, "a dead letter comes back by a replay, not by accident"
    assert await broken_laws(admin) == []


async def test_a_refused_parked_message_is_set_aside_and_no_other(
    feed: Feed, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two queues of two; the database refuses the second of the first queue and the first of the second."""
    spoil(monkeypatch, SALE, _overcharged, "bad1", "bad2", "bad3")
    await feed.take(
        sale("ok1", "o1", merchant="new"), sale("bad1", "o2", merchant="new"), sale("bad2", "o2", merchant="new"),
        sale("ok2", "o2", 7, merchant="new"), sale("ok3", "o3", merchant="new"), sale("bad3", "o3", merchant="new"),
        sale("ok4", "o4", merchant="new"),
    )  # fmt: skip
    assert await admin.fetchval("SELECT count(*) FROM parked") == 7
    await feed.take(fees("f-new", "new"))
    await feed.settle_parked(admin)
    assert await outcomes(admin) == {
        "fees": "applied", "f-new": "applied", "ok1": "applied", "bad1": "dead", "bad2": "dead",
        "ok2": "applied", "ok3": "applied", "bad3": "rejected", "ok4": "applied",
    }  # fmt: skip
    assert [r for r in (await reasons(admin)).values() if r == "database_refused"] == ["database_refused"] * 2
    assert await broken_laws(admin) == []


async def test_a_parked_message_that_can_no_longer_be_read_dies_alone(feed: Feed, admin: Connection) -> None:
    """A currency left the list while a message waited."""
    await feed.take(sale("odd", "o1", merchant="new"), sale("behind", "o1", merchant="new"))
    await feed.take(sale("other", "o2", merchant="new"))
    await admin.execute("SET session_replication_role = replica")
    await admin.execute("ALTER TABLE inbox DISABLE TRIGGER inbox_keeps_messages")
    await admin.execute(
        "UPDATE inbox SET body = replace(convert_from(body, 'UTF8'), 'EUR', 'ZZZ')::bytea WHERE event_id = 'odd'"
    )
    await admin.execute("ALTER TABLE inbox ENABLE ALWAYS TRIGGER inbox_keeps_messages")
    await feed.take(fees("f-new", "new"))
    await feed.settle_parked(admin)
    found = await outcomes(admin)
    assert (found["odd"], found["behind"], found["other"]) == ("dead", "applied", "applied")
    assert (await reasons(admin))["odd"] == "invalid_message"


async def test_accounts_of_a_refused_transaction_are_not_remembered(
    feed: Feed, admin: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rolled-back account has an id that belongs to nobody."""
    with monkeypatch.context() as spoiled:
        spoil(spoiled, SALE, _overcharged, "bad")
        await feed.take(missed("n1", "o9"), sale("bad", "o1"))
        await feed.take(missed("n2", "o9"))
    await feed.take(sale("good", "o1"))
    assert (await outcomes(admin))["good"] == "applied"
    assert await broken_laws(admin) == []


async def test_times_at_the_edge_of_the_calendar_do_no_harm(feed: Feed, admin: Connection) -> None:
    edges = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z")
    await feed.take(
        *(sale(f"e{number}", f"o{number}", time=time) for number, time in enumerate(edges)), sale("ok", "o9")
    )
    assert (await outcomes(admin))["ok"] == "applied"
    assert (await counts(admin))["received"] == 5
    assert await broken_laws(admin) == []


async def test_amounts_that_overflow_a_balance_are_refused_and_nothing_else(
    feed: Feed, admin: Connection
) -> None:
    await feed.take(sale("e0", "o0"))
    account = "(SELECT account_id FROM accounts WHERE code = 'terminal_receivable')"
    await admin.execute(f"UPDATE balances SET debit_minor = {2**63 - 5000} WHERE account_id = {account}")  # noqa: S608
    await feed.take(sale("e1", "o1", 10**12), sale("e2", "o2", 100), sale("e3", "o3", 10**12))
    found = await outcomes(admin)
    assert (found["e1"], found["e2"], found["e3"]) == ("dead", "applied", "dead")


@pytest.mark.parametrize(
    ("trouble", "cure"),
    [
        ("ALTER TABLE entries RENAME TO hidden", "ALTER TABLE hidden RENAME TO entries"),
        ("REVOKE INSERT ON lines FROM counterfoil_app", "GRANT INSERT ON lines TO counterfoil_app"),
        ("REVOKE INSERT ON inbox FROM counterfoil_app", "GRANT INSERT ON inbox TO counterfoil_app"),
        (
            "ALTER ROLE counterfoil_app IN DATABASE {name} SET default_transaction_read_only = on",
            "ALTER ROLE counterfoil_app IN DATABASE {name} RESET default_transaction_read_only",
        ),
    ],
    ids=["a table is missing", "a right is missing", "the inbox is shut", "the server is read only"],
)
async def test_the_server_s_own_trouble_is_waited_for_and_no_message_is_blamed(
    database: Database, admin: Connection, trouble: str, cure: str
) -> None:
    """A migration under way, a right not granted yet, a standby that was not promoted yet."""
    async with feeds(database.app_url, 1) as (feed,):
        await feed.take(fees())
        await admin.execute(trouble.format(name=database.name))
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = 'counterfoil_app'"
        )
        taking = asyncio.create_task(feed.take(*(sale(f"e{number}", f"o{number}") for number in range(4))))
        async with asyncio.timeout(100):
            while feed.watcher.retries.total() < 3:
                assert not taking.done()
                await asyncio.sleep(0.01)
        await admin.execute(cure.format(name=database.name))
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = 'counterfoil_app'"
        )
        async with asyncio.timeout(100):
            await taking
    assert set((await outcomes(admin)).values()) == {"applied"}
    assert await admin.fetchval("SELECT count(*) FROM dead_letters") == 0
    assert await broken_laws(admin) == []


async def test_a_migration_beside_a_running_engine_costs_no_message(feed: Feed, admin: Connection) -> None:
    await feed.take(sale("e0", "o0"), request("r0", "x"), cancel("c", "none"), capture("p0", "x"))
    await admin.execute("ALTER TABLE clocks ALTER COLUMN now_at TYPE timestamptz(3)")
    await feed.take(sale("e1", "o1"))
    await admin.execute("ALTER TABLE payments ALTER COLUMN capture_method TYPE varchar(20)")
    await feed.take(promise("e2", "o2"))
    found = await outcomes(admin)
    assert (found["e1"], found["e2"]) == ("applied", "applied")


async def test_a_lost_race_is_never_a_refusal(feed: Feed, admin: Connection) -> None:
    """Deadlocks for as long as they last: the message waits for its turn, it is not set aside."""
    await feed.take(promise("p1", "o1"))
    rounds = 8
    await admin.execute(
        "CREATE SEQUENCE losses; GRANT USAGE ON SEQUENCE losses TO counterfoil_app;"
        "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF nextval('losses') <= {rounds} THEN RAISE EXCEPTION 'lost' USING ERRCODE = 'deadlock_detected';"
        " END IF; RETURN NULL; END $$;"
        "CREATE TRIGGER lose AFTER UPDATE ON payments FOR EACH STATEMENT EXECUTE FUNCTION lose()"
    )
    await feed.take(missed("n1", "o1"))
    assert (await outcomes(admin))["n1"] == "applied"
    assert feed.watcher.retries["race"] >= rounds - 2, "halving a batch of one counts as a try"
    assert await broken_laws(admin) == []
