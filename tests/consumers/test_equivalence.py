"""However messages are cut into batches, repeated and redelivered: what is left is what one by one leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engines import RESULTS, Feed, broken_laws, content, counts
from tests.property.effort import examples
from tests.shop import cancel, capture, confirm, fees, missed, promise, request, sale, succeeded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.conftest import Connection, Database

    Run = tuple[list[bytes], list[list[bytes]], list[int]]

ORDERS = ("o1", "o2", "o3")
TABLES = (
    "intake, inbox, inbox_conflicts, parked, dead_letters, idempotency_keys, accounts, entries, lines, balances,"
    " payments, transitions, fee_schedules, outbox_batches, timers, provider_calls"
)
UNTESTED_LAWS = "689"
"""The calls here are answered without a gateway, and history is wiped between examples."""


MAKERS: Final[dict[str, Callable[[str, str, str], bytes]]] = {
    "request": lambda event_id, order, key: request(event_id, order, key=key, capture="manual"),
    "open": lambda event_id, order, key: request(event_id, order, key=key, confirm=False),
    "confirm": lambda event_id, order, key: confirm(event_id, order, key=key),
    "cancel": lambda event_id, order, key: cancel(event_id, order, key=key),
    "capture": lambda event_id, order, key: capture(event_id, order, 500, key=key, final=False),
    "sale": lambda event_id, order, key: sale(event_id, order, merchant="m1" if key == "k1" else "m2"),
    "promise": lambda event_id, order, _: promise(event_id, order),
    "missed": lambda event_id, order, _: missed(event_id, order),
    "fees": lambda event_id, _, __: fees(event_id, merchant="m2"),
    "unreadable": lambda event_id, _, __: b'{"id": "%s"' % event_id.encode(),
}
MESSAGES = st.lists(
    st.tuples(st.sampled_from(sorted(MAKERS)), st.sampled_from(ORDERS), st.sampled_from(("k1", "k2"))),
    min_size=1,
    max_size=25,
)


@st.composite
def runs(draw: st.DrawFn) -> Run:
    """Messages; the same with duplicates after their firsts, in batches; and after which batches Kafka repeats all."""
    bodies = [MAKERS[kind](f"e{n}", order, key) for n, (kind, order, key) in enumerate(draw(MESSAGES))]
    repeated = list(bodies)
    for index in draw(st.lists(st.integers(0, len(bodies) - 1), max_size=6)):
        if bodies[index].endswith(b"}"):
            first = repeated.index(bodies[index])
            repeated.insert(draw(st.integers(first + 1, len(repeated))), bodies[index])
    batches: list[list[bytes]] = []
    while repeated:
        size = draw(st.integers(1, len(repeated)))
        batches.append(repeated[:size])
        repeated = repeated[size:]
    again = draw(st.lists(st.integers(0, len(batches) - 1), max_size=2))
    return bodies, batches, again


@pytest.mark.slow
@settings(
    max_examples=examples(20),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(run=runs())
async def test_batches_and_repeats_change_nothing(database: Database, admin: Connection, run: Run) -> None:
    bodies, batches, again = run
    one_by_one = await _run(admin, database, [[body] for body in bodies], ())
    assert await _run(admin, database, batches, again) == one_by_one


async def _run(
    admin: Connection,
    database: Database,
    batches: Sequence[Sequence[bytes]],
    again: Sequence[int],
) -> dict[str, Any]:
    """What is left when everything was taken in, the calls were answered and what could leave the queues has left."""
    await _empty(admin)
    await admin.execute("INSERT INTO clocks VALUES ('acme', '2026-11-23T12:00Z') ON CONFLICT DO NOTHING")
    shop, results = Feed(database.app_url), Feed(database.app_url, RESULTS)
    try:
        await shop.take(fees())
        for number, batch in enumerate(batches):
            await shop.take(*batch)
            if number in again:
                await shop.again()
        for attempt in range(3):
            await shop.settle_parked(admin)
            calls = await admin.fetch("SELECT * FROM provider_calls ORDER BY order_id, created_at, call_id")
            for call in calls:
                body = succeeded(
                    f"a{attempt}-{call['call_id']}",
                    call["order_id"],
                    str(call["call_id"]),
                    call["operation"],
                    call["amount_minor"],
                    captured=call["operation"] == "capture",
                )
                await results.take(body)
        await shop.settle_parked(admin)
        received = (await counts(admin))["received"]
        assert received == 1 + sum(map(len, batches)) + len(results.log)
        assert [law for law in await broken_laws(admin) if law[0] not in UNTESTED_LAWS] == []
        return await content(admin)
    finally:
        await shop.engine.close()
        await results.engine.close()


async def _empty(admin: Connection) -> None:
    """As a superuser may who takes the guards off."""
    guards = await admin.fetch(
        "SELECT tgrelid::regclass::text AS guarded, tgname FROM pg_trigger"
        " WHERE tgtype & 32 <> 0"  # those that refuse TRUNCATE
    )
    for guard in guards:
        await admin.execute(f"ALTER TABLE {guard['guarded']} DISABLE TRIGGER {guard['tgname']}")
    await admin.execute(f"TRUNCATE {TABLES}")
