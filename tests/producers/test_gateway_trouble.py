"""Law 6 under attack: gateways that die, stall, overlap or hear nonsense."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from db.queries import delivery as sql
from producers import gateway
from producers.gateway import judge_answer, report
from producers.providers.base import Declined, Refused, Succeeded, Transient
from tests.brokers import until
from tests.cable import cable_to
from tests.engines import RESULTS, broken_laws, published, reasons, states
from tests.ops.sandbox.process import API_KEY
from tests.producers.desk import Desk, Recorder, Watcher, a_gateway
from tests.shop import event

if TYPE_CHECKING:
    from producers.providers.base import ProviderAnswer

NOBODY = "http://127.0.0.1:1"


async def test_a_gateway_killed_in_the_middle_of_a_call_costs_one_query_and_no_second_charge(
    desk: Desk, prefix: str
) -> None:
    order = f"{prefix}o"
    await desk.order(order, token="tok_timeout_after_effect")  # noqa: S106
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ops.cli", "gateway"),
        env=os.environ
        | {
            "KAFKA_BOOTSTRAP_SERVERS": NOBODY,
            "DATABASE_URL": desk.database.app_url,
            "COUNTERFOIL_HTTP_PORT": "0",
            "COUNTERFOIL_SANDBOX_URL": desk.sandbox.url,
            "COUNTERFOIL_SANDBOX_API_KEY": API_KEY.get_secret_value(),
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await until(lambda: desk.charged(order))
    finally:
        process.kill()
        await process.wait()
    assert await desk.admin.fetchval("SELECT status FROM provider_calls") == "in_flight"
    recorder = Recorder(desk.adapter())
    async with a_gateway(desk.database.app_url, recorder):
        await desk.expire_leases()
        await until(desk.answered)
    assert recorder.asked == [("query", order)]
    assert await desk.charges(order) == [2500]
    await desk.tell()
    assert await states(desk.admin) == {order: "succeeded"}
    assert await broken_laws(desk.admin) == []


async def test_two_gateways_never_make_the_same_call_at_once_and_keep_their_limit(
    desk: Desk, prefix: str
) -> None:
    await desk.order(*(f"{prefix}{number}" for number in range(150)), token="tok_slow")  # noqa: S106
    recorder = Recorder(desk.adapter(read_timeout_ms=5000))
    watchers = Watcher(), Watcher()
    async with (
        a_gateway(desk.database.app_url, recorder, watchers[0]),
        a_gateway(desk.database.app_url, recorder, watchers[1]),
    ):
        await until(desk.answered)
    assert len(recorder.asked) == 150
    assert all(watcher.outcomes.total() > 20 for watcher in watchers)
    assert gateway.CONCURRENT_CALLS < recorder.most_at_once <= 2 * gateway.CONCURRENT_CALLS
    assert len({message["id"] for message in await published(desk.admin, RESULTS)}) == 150


async def test_an_adapter_that_raises_after_the_effect_is_an_unknown_outcome(desk: Desk, prefix: str) -> None:
    order = f"{prefix}o"
    await desk.order(order)

    async def stumble(answer: ProviderAnswer) -> ProviderAnswer:
        recorder.after = None
        raise ZeroDivisionError(answer)

    recorder = Recorder(desk.adapter(), after=stumble)
    async with a_gateway(desk.database.app_url, recorder):
        await until(desk.answered)
    assert [what for what, _ in recorder.asked] == ["execute", "query"]
    assert await desk.told(order) == ["call_unknown", "call_succeeded"]
    assert await desk.charges(order) == [2500]


async def test_a_call_that_makes_no_sense_is_refused_not_forgotten(desk: Desk, prefix: str) -> None:
    """An authorization without a token: only a bug of ours can write it."""
    order = f"{prefix}o"
    await desk.order(order)
    await desk.admin.execute("UPDATE provider_calls SET token = NULL")
    async with a_gateway(desk.database.app_url, desk.adapter()):
        await until(desk.answered)
    await desk.tell()
    assert await desk.told(order) == ["call_failed"]
    assert await states(desk.admin) == {order: "failed"}


@pytest.mark.parametrize(
    "answer",
    [
        Refused("broken \x00 text", b"\x00\xff"),
        Refused("long " * 500, b"{}"),
        Succeeded("r" * 200, 2500, captured=True, raw=b"{}"),
        Succeeded("two words", 2500, captured=True, raw=b"{}"),
        Succeeded("ok", -5, captured=True, raw=b"{}"),
    ],
    ids=[
        "a null character",
        "a long detail",
        "a long reference",
        "a reference with a space",
        "a negative amount",
    ],
)
async def test_whatever_a_provider_answers_the_payment_learns_of_it_or_it_stays_unknown(
    desk: Desk, prefix: str, answer: ProviderAnswer
) -> None:
    """What does not fit our own contract must not become a dead letter that leaves its payment waiting for ever."""
    await desk.order(f"{prefix}o")

    async def odd(_: ProviderAnswer) -> ProviderAnswer:
        return answer

    async with a_gateway(desk.database.app_url, Recorder(desk.adapter(), after=odd)):
        await until(lambda: _has_answers(desk))
    await desk.tell()
    assert set((await reasons(desk.admin)).values()) == {None}
    assert await desk.admin.fetchval("SELECT count(*) FROM dead_letters") == 0
    (payment,) = await desk.admin.fetch("SELECT state, certain FROM payments")
    assert tuple(payment) in {("failed", True), ("processing", False)}
    assert await desk.admin.fetchval("SELECT raw FROM provider_answers WHERE try = 1") == answer.raw  # type: ignore[union-attr]


async def _has_answers(desk: Desk) -> bool:
    return bool(await desk.admin.fetchval("SELECT count(*) FROM provider_answers"))


async def test_a_provider_that_never_ends_its_answer_is_left_before_the_lease_ends(
    desk: Desk, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read time-out is for the next byte; bytes that trickle in could keep a call beyond its lease."""
    monkeypatch.setattr(gateway, "LEASE_MS", 1000)
    order = f"{prefix}o"
    await desk.order(order)

    async def trickle(answer: ProviderAnswer) -> ProviderAnswer:
        recorder.after = None
        await asyncio.Event().wait()
        return answer

    recorder = Recorder(desk.adapter(), after=trickle)
    async with (
        a_gateway(desk.database.app_url, recorder),
        a_gateway(desk.database.app_url, recorder),
    ):
        await until(desk.answered)
    assert await desk.charges(order) == [2500]
    assert await desk.told(order) == ["call_unknown", "call_succeeded"]


async def test_a_gateway_that_is_stopped_finishes_and_reports_its_calls(desk: Desk, prefix: str) -> None:
    await desk.order(*(f"{prefix}{number}" for number in range(10)), token="tok_slow")  # noqa: S106
    recorder = Recorder(desk.adapter(read_timeout_ms=5000))
    async with a_gateway(desk.database.app_url, recorder) as stop:
        await until(lambda: _asked(recorder, 10))
        stop.set()
    assert await desk.answered()
    assert len(await published(desk.admin, RESULTS)) == 10


async def _asked(recorder: Recorder, number: int) -> bool:
    return len(recorder.asked) >= number


async def test_a_report_that_is_cut_off_is_made_again_and_told_once(
    desk: Desk, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "AFTER_TROUBLE_S", 0.05)
    orders = [f"{prefix}{number}" for number in range(30)]
    await desk.order(*orders)
    async with cable_to(desk.database.app_url) as (cable, url):
        cable.lose_answers_to = b"COMMIT"
        async with a_gateway(url, desk.adapter()):
            async with asyncio.timeout(100):
                while not await desk.answered():
                    await desk.expire_leases()
                    await asyncio.sleep(0.05)
        assert cable.lost == 1
    for order in orders[:5]:
        assert await desk.charges(order) == [2500]
    ids = [message["id"] for message in await published(desk.admin, RESULTS)]
    assert len(ids) == len(set(ids))
    await desk.tell()
    assert set((await states(desk.admin)).values()) == {"succeeded"}
    assert await broken_laws(desk.admin) == []


async def test_a_late_answer_of_a_gateway_that_lost_its_lease_is_kept_and_told_once(
    desk: Desk, prefix: str
) -> None:
    """Its successor has asked the provider already; both know the same."""
    order = f"{prefix}o"
    await desk.order(order)
    late = asyncio.Event()

    async def wait(answer: ProviderAnswer) -> ProviderAnswer:
        await late.wait()
        return answer

    slow, quick = Recorder(desk.adapter(), after=wait), Recorder(desk.adapter())
    async with a_gateway(desk.database.app_url, slow):
        await until(lambda: _asked(slow, 1))
        await until(lambda: desk.charged(order))
        await desk.expire_leases()
        async with a_gateway(desk.database.app_url, quick):
            await until(desk.answered)
        late.set()
    assert await desk.told(order) == ["call_succeeded"]
    assert await desk.charges(order) == [2500]
    kept = await desk.admin.fetch("SELECT try, asked FROM provider_answers ORDER BY try")
    assert [tuple(row) for row in kept] == [(1, "execute"), (2, "query")]


async def test_a_gateway_that_lost_its_lease_cannot_give_a_call_up(desk: Desk, prefix: str) -> None:
    """Its successor may be making the call at this moment: "certainly no effect" would be a lie."""
    await desk.order(f"{prefix}o")
    await desk.admin.execute("UPDATE provider_calls SET tries = $1", gateway.MOST_TRIES - 1)
    (late,) = await claim(desk)
    await desk.expire_leases()
    (new,) = await claim(desk)
    given_up = judge_answer(late, "execute", Transient("turned away"), in_doubt=False)
    assert given_up.status == "answered"
    async with desk.admin.transaction():
        await report(desk.admin, [given_up])
    assert await desk.told(f"{prefix}o") == []
    async with desk.admin.transaction():
        await report(
            desk.admin, [judge_answer(new, "query", Declined("do_not_honor", "", b""), in_doubt=True)]
        )
    assert await desk.told(f"{prefix}o") == ["call_declined"]


async def test_two_tries_that_end_at_once_are_one_outcome(desk: Desk, prefix: str) -> None:
    await desk.order(f"{prefix}o")
    tries = []
    for _ in range(2):
        tries += await claim(desk)
        await desk.expire_leases()
    answer = Succeeded("auth", 2500, captured=True, raw=b"{}")
    async with desk.admin.transaction():
        await report(desk.admin, [judge_answer(row, "query", answer, in_doubt=True) for row in tries])
    assert await desk.told(f"{prefix}o") == ["call_succeeded"]
    assert await desk.admin.fetchval("SELECT count(*) FROM provider_answers") == 2


async def test_one_claim_takes_no_more_than_it_may(desk: Desk, prefix: str) -> None:
    """A locking subquery with a limit can be run again by a bad plan, and then locks more."""
    await desk.order(*(f"{prefix}{number}" for number in range(30)))
    claims = [await claim(desk, 3) for _ in range(10)]
    assert [len(rows) for rows in claims] == [3] * 10
    assert len({row["call_id"] for rows in claims for row in rows}) == 30


async def claim(desk: Desk, most: int = 1) -> list[Any]:
    """Take calls as a gateway does."""
    rows: list[Any] = await sql.claim_calls(
        desk.admin, provider="sandbox", gateway="test", lease_ms=60_000, most=most
    )
    return rows


async def test_a_call_that_a_person_has_called_off_is_asked_about_and_never_made(
    desk: Desk, prefix: str
) -> None:
    order = f"{prefix}o"
    await desk.order(order, token="tok_timeout_before_effect")  # noqa: S106
    async with a_gateway(desk.database.app_url, desk.adapter()):
        await until(lambda: _is_unknown(desk))
    await desk.tell()
    call_id = await desk.admin.fetchval("SELECT call_id FROM provider_calls")
    decided = {
        "idempotency_key": "d1",
        "order_id": order,
        "call_id": str(call_id),
        "verdict": "no_effect",
        "actor": {"id": "grace", "role": "finance"},
        "note": "the provider's console knows nothing of it",
    }
    await desk.checkout.take(event("d1", "checkout.outcome_decided", decided))
    assert await states(desk.admin) == {order: "requires_confirmation"}
    recorder = Recorder(desk.adapter())
    async with a_gateway(desk.database.app_url, recorder):
        await desk.admin.execute("UPDATE provider_calls SET due_at = now()")
        await until(desk.answered)
    assert recorder.asked == [("query", order)]
    assert await desk.charges(order) == []
    assert await desk.told(order) == ["call_unknown"]
    assert await broken_laws(desk.admin) == []


async def _is_unknown(desk: Desk) -> bool:
    return bool(await desk.admin.fetchval("SELECT bool_and(status = 'unknown') FROM provider_calls"))
