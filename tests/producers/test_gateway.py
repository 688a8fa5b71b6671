"""Law 6: each call has one effect at the provider, its outcome is told once, every answer is kept."""

from __future__ import annotations

import orjson
import pytest

from producers import gateway
from schemas.reasons import Reason
from tests.brokers import until
from tests.engines import RESULTS, broken_laws, published, states
from tests.producers.desk import Desk, Recorder, Watcher, a_gateway
from tests.shop import capture

NOBODY = "http://127.0.0.1:1"


async def test_a_call_is_made_once_its_answer_kept_verbatim_and_told_once(desk: Desk, prefix: str) -> None:
    orders = [f"{prefix}{number}" for number in range(40)]
    await desk.order(*orders)
    async with a_gateway(desk.database.app_url, desk.adapter()):
        await until(desk.answered)
    await desk.tell()
    assert set((await states(desk.admin)).values()) == {"succeeded"}
    for order in orders[:5]:
        assert await desk.charges(order) == [2500]
        assert await desk.told(order) == ["call_succeeded"]
    (row,) = await desk.admin.fetch(
        "SELECT a.*, c.order_id FROM provider_answers AS a JOIN provider_calls AS c USING (call_id)"
        " WHERE c.order_id = $1",
        orders[0],
    )
    assert (row["asked"], row["answer"], row["try"]) == ("execute", "Succeeded", 1)
    assert orjson.loads(row["raw"])["captured_amount_minor"] == 2500
    assert await broken_laws(desk.admin) == []


async def test_declines_and_captures_run_their_course(desk: Desk, prefix: str) -> None:
    await desk.order(f"{prefix}no", token="tok_decline_insufficient_funds")  # noqa: S106
    await desk.order(f"{prefix}part", capture="manual")
    async with a_gateway(desk.database.app_url, desk.adapter()):
        await until(desk.answered)
        await desk.tell()
        await desk.checkout.take(capture("c1", f"{prefix}part", 1000, final=False))
        await until(desk.answered)
        await desk.tell()
        await desk.checkout.take(capture("c2", f"{prefix}part"))
        await until(desk.answered)
        await desk.tell()
    assert await states(desk.admin) == {
        f"{prefix}no": "requires_payment_method",
        f"{prefix}part": "succeeded",
    }
    assert sum(await desk.charges(f"{prefix}part")) == 2500
    assert await broken_laws(desk.admin) == []


@pytest.mark.parametrize(
    ("token", "executions"),
    [
        ("tok_timeout_after_effect", 1),
        ("tok_timeout_before_effect", 2),
        ("tok_error_500_after_effect", 1),
        ("tok_error_500_before_effect", 2),
        ("tok_connection_reset", 2),
    ],
)
async def test_an_unknown_outcome_is_told_asked_about_and_resolved(
    desk: Desk, prefix: str, token: str, executions: int
) -> None:
    order = f"{prefix}o"
    await desk.order(order, token=token)
    recorder = Recorder(desk.adapter())
    async with a_gateway(desk.database.app_url, recorder):
        await until(desk.answered)
    assert await desk.charges(order) == [2500], "one charge, whatever was lost on the way"
    assert await desk.told(order) == ["call_unknown", "call_succeeded"]
    assert [what for what, _ in recorder.asked].count("execute") == executions
    assert recorder.asked[1] == ("query", order), "ask before doing it again"
    await desk.tell()
    assert await states(desk.admin) == {order: "succeeded"}
    kept = await desk.admin.fetch("SELECT asked, answer FROM provider_answers ORDER BY try")
    assert kept[0]["answer"] == "Ambiguous"
    assert kept[-1]["answer"] == "Succeeded"
    assert await broken_laws(desk.admin) == []


async def test_a_rate_limit_is_waited_for_as_long_as_the_provider_says(desk: Desk, prefix: str) -> None:
    await desk.order(f"{prefix}o", token="tok_rate_limited")  # noqa: S106
    async with a_gateway(desk.database.app_url, desk.adapter()):
        await until(desk.answered)
    row = await desk.admin.fetchrow(
        "SELECT extract(epoch FROM c.answered_at - a.answered_at)::float AS waited"
        " FROM provider_calls AS c JOIN provider_answers AS a USING (call_id) WHERE a.try = 1"
    )
    assert row is not None
    assert row["waited"] >= 1, "Retry-After: 1"
    assert await desk.told(f"{prefix}o") == ["call_succeeded"]


async def test_a_provider_that_is_not_there_is_given_up_and_the_payment_can_be_confirmed_again(
    desk: Desk, prefix: str
) -> None:
    order = f"{prefix}o"
    await desk.order(order)
    watcher = Watcher()
    async with a_gateway(desk.database.app_url, desk.adapter(NOBODY), watcher):
        await until(desk.answered)
    assert watcher.outcomes == {"transient": gateway.MOST_TRIES}
    await desk.tell()
    assert await states(desk.admin) == {order: "requires_confirmation"}
    (result,) = await published(desk.admin, RESULTS)
    assert result["data"]["reason"] == Reason.PROVIDER_UNAVAILABLE
    assert await desk.admin.fetchval("SELECT count(*) FROM provider_answers") == gateway.MOST_TRIES
    assert await broken_laws(desk.admin) == []
