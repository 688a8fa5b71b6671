"""A database, a broker or the ingress itself dies: no 2xx for what is not durable, and nothing durable is lost."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from typing import TYPE_CHECKING

import asyncpg
import orjson

from producers.ingress.limits import Limits
from producers.ingress.publishing import TOPIC
from producers.relay import run_relay
from tests.brokers import ends, records, stopping, until
from tests.cable import cable_to
from tests.producers.ingress.bank import note, signed
from tests.producers.ingress.books import kept, told_ids
from tests.producers.ingress.conftest import Running, an_ingress
from tests.producers.ingress.post import Answer, post
from tests.producers.test_relay import Watcher

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

BURST = 2000
PATIENT = Limits(head_within_s=100, body_within_s=100, store_within_s=100)
"""On a busy machine a burst takes its time."""


async def tell(port: int, event_id: str) -> Answer:
    """Post one event; no answer when nobody listens."""
    body = note(event_id, order=f"order-{event_id}")
    try:
        return await post(port, body, signed(body))
    except OSError:
        return Answer(0, {}, b"")


async def until_told(port: int, event_id: str) -> None:
    """As a provider does: again and again, until it is accepted."""

    async def accepted() -> bool:
        return (await tell(port, event_id)).status == 200

    await until(accepted)


async def test_a_burst_is_answered_without_a_lost_one(database: Database, admin: Connection) -> None:
    ids = [f"evt_{number}" for number in range(BURST)]
    async with an_ingress(database.app_url, PATIENT) as ingress:
        answers = await asyncio.gather(*(tell(ingress.port, one) for one in ids))
    assert Counter(one.status for one in answers) == {200: BURST}
    assert await told_ids(admin) == Counter(ids)
    assert len(await kept(admin)) == BURST
    assert max(ingress.seen.batches) > 10, "requests shared no transaction"


async def test_without_a_database_nothing_is_accepted_and_afterwards_everything_is(
    database: Database, admin: Connection
) -> None:
    async with (
        cable_to(database.app_url) as (cable, url),
        an_ingress(url, Limits(store_within_s=3)) as running,
    ):
        assert (await tell(running.port, "before")).status == 200
        cable.unplug()
        answers = await asyncio.gather(*(tell(running.port, f"away-{number}") for number in range(50)))
        assert {one.status for one in answers} == {503}
        assert {one.headers["retry-after"] for one in answers} == {"5"}
        cable.plugged_in = True
        for number in range(50):
            await until_told(running.port, f"away-{number}")
    assert await told_ids(admin) == Counter(["before", *(f"away-{number}" for number in range(50))])


async def test_a_commit_whose_answer_is_lost_is_not_accepted_and_its_repeat_is_one(
    database: Database, admin: Connection
) -> None:
    async with cable_to(database.app_url) as (cable, url), an_ingress(url) as running:
        await until_told(running.port, "before")
        cable.lose_answers_to = b"COMMIT"
        assert (await tell(running.port, "doubtful")).status == 503
        assert cable.lost == 1
        await until_told(running.port, "doubtful")
        assert running.seen.answers["repeated"] == 1
    assert await told_ids(admin) == {"before": 1, "doubtful": 1}


async def test_a_database_that_stalls_is_not_waited_for_without_end(
    database: Database, admin: Connection
) -> None:
    async with an_ingress(database.app_url, Limits(store_within_s=0.5)) as running:
        await until_told(running.port, "before")
        holder = await asyncpg.connect(database.admin_url)
        lock = holder.transaction()
        await lock.start()
        await holder.execute("LOCK TABLE webhooks")
        assert (await tell(running.port, "stalled")).status == 503
        await lock.rollback()
        await holder.close()
        await until_told(running.port, "stalled")
    assert await told_ids(admin) == {"before": 1, "stalled": 1}


async def test_a_session_that_is_killed_is_replaced(ingress: Running, admin: Connection) -> None:
    for number in range(5):
        await until_told(ingress.port, f"evt_{number}")
        killed = await admin.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name = 'counterfoil ingress' AND datname = current_database()"
        )
        assert killed == 1
    await until_told(ingress.port, "last")
    assert await told_ids(admin) == Counter([*(f"evt_{number}" for number in range(5)), "last"])


async def test_one_row_that_the_database_refuses_spoils_no_other(ingress: Running, admin: Connection) -> None:
    await admin.execute(
        "ALTER TABLE webhooks ADD CONSTRAINT no_poison CHECK (event_ids NOT LIKE '%poison%') NOT VALID"
    )
    ids = [f"evt_{number}" for number in range(100)]
    posts = [tell(ingress.port, one) for one in (*ids[:50], "poison", *ids[50:])]
    answers = await asyncio.gather(*posts)
    assert [one.status for one in answers] == [200] * 50 + [503] + [200] * 50
    assert await told_ids(admin) == Counter(ids)


async def test_idle_it_shows_life_and_without_its_right_to_insert_it_accepts_nothing(
    ingress: Running, admin: Connection
) -> None:
    async def lives() -> bool:
        return ingress.seen.signs_of_life > 0

    await until(lives)
    await admin.execute("REVOKE INSERT ON webhooks FROM counterfoil_app")
    try:
        assert (await tell(ingress.port, "evt_1")).status == 503
    finally:
        await admin.execute("GRANT INSERT ON webhooks TO counterfoil_app")
    await until_told(ingress.port, "evt_1")


async def test_what_was_accepted_while_kafka_was_away_is_published_later(
    kafka: str, database: Database, ingress: Running
) -> None:
    since = await ends(kafka, TOPIC)
    ids = [f"{database.name}-{number}" for number in range(30)]
    for one in ids:
        assert (await tell(ingress.port, one)).status == 200  # no relay runs: for the ingress, Kafka is away
    stop, watcher = asyncio.Event(), Watcher()
    async with stopping(run_relay(kafka, database.app_url, watcher, stop), stop):

        async def published() -> bool:
            return watcher.counts[TOPIC] >= len(ids)

        await until(published)
    found = [record for place in (await records(kafka, since)).values() for record in place]
    assert Counter(orjson.loads(record.value or b"")["id"] for record in found) == Counter(ids)
    assert {record.key for record in found} == {f"acme:order-{one}".encode() for one in ids}


PROGRAM = """
import asyncio, sys
from producers.ingress.server import listen, run_ingress
from tests.producers.ingress.bank import BANK, Bank
from tests.producers.ingress.conftest import Watcher
listener = listen("127.0.0.1", int(sys.argv[2]))
print(listener.getsockname()[1], flush=True)
asyncio.run(run_ingress(sys.argv[1], [BANK], {"bank": Bank()}, listener, Watcher(), asyncio.Event()))
"""


async def an_ingress_process(url: str, port: int = 0) -> tuple[asyncio.subprocess.Process, int]:
    """In a process of its own, to be killed; and its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, url, str(port), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(100):
        return process, int(await process.stdout.readline())


async def test_killed_again_and_again_it_loses_nothing_that_it_accepted(
    database: Database, admin: Connection
) -> None:
    process, port = await an_ingress_process(database.app_url)
    accepted: Counter[str] = Counter()
    ids = [f"evt_{number}" for number in range(300)]
    unsent = iter(ids)

    async def sender() -> None:
        for one in unsent:
            await until_told(port, one)
            accepted[one] += 1

    senders = [asyncio.create_task(sender()) for _ in range(20)]
    for kill_at in (20, 80, 150):

        async def so_many(enough: int = kill_at) -> bool:
            return accepted.total() >= enough

        await until(so_many)
        process.kill()
        await process.wait()
        durable = set(await told_ids(admin))
        assert set(accepted) <= durable, "accepted, and not there"
        process, _ = await an_ingress_process(database.app_url, port)
    await asyncio.gather(*senders)
    process.kill()
    await process.wait()
    assert await told_ids(admin) == Counter(ids)
    assert len(await kept(admin)) == len(ids)
