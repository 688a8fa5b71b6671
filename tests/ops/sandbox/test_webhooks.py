"""Webhooks over real HTTP: signed, durable, until they are answered; and every bad manner on request."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from tests.ops.sandbox.process import running
from tests.ops.sandbox.receiver import DEADLINE_S, Receiver, receiving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

CHARGE = {
    "amount_minor": 1_000,
    "currency": "EUR",
    "payment_method": {"type": "card", "token": "tok_approve"},
    "capture": True,
    "reference": "order-1",
    "metadata": {"tenant": "acme", "order_id": "order-1"},
}


@pytest.fixture
async def receiver(api: httpx.AsyncClient) -> AsyncIterator[Receiver]:
    """An endpoint that the provider forgets after the test."""
    async with receiving() as started:
        yield started
        for endpoint in (await api.get("/v1/webhook_endpoints")).json()["endpoints"]:
            (await api.delete(f"/v1/webhook_endpoints/{endpoint['id']}")).raise_for_status()


async def post(api: httpx.AsyncClient, path: str, document: Any, key: str | None = None) -> Any:
    answer = await api.post(path, json=document, headers={"Idempotency-Key": key or str(uuid4())})
    return answer.raise_for_status().json()


async def register(api: httpx.AsyncClient, receiver: Receiver, **manners: Any) -> Any:
    return await post(
        api, "/v1/webhook_endpoints", {"url": receiver.url, "secret": receiver.secret, **manners}
    )


async def endpoint_at(api: httpx.AsyncClient, url: str) -> Any:
    found = (await api.get("/v1/webhook_endpoints")).json()["endpoints"]
    [endpoint] = [one for one in found if one["url"] == url]
    return endpoint


async def progress(api: httpx.AsyncClient, receiver: Receiver) -> Any:
    return await endpoint_at(api, receiver.url)


async def all_delivered(api: httpx.AsyncClient, receiver: Receiver) -> Any:
    """Wait until the provider knows that nothing is left to deliver."""
    deadline = time.monotonic() + DEADLINE_S
    while (seen := await progress(api, receiver))["outstanding"]:
        assert time.monotonic() < deadline, seen
    return seen


async def test_an_event_carries_the_object_as_it_then_was_and_the_key_that_led_to_it(
    api: httpx.AsyncClient, receiver: Receiver
) -> None:
    await register(api, receiver)
    held = await post(api, "/v1/authorizations", CHARGE | {"capture": False}, key="hold-1")
    path = f"/v1/authorizations/{held['id']}"
    await post(api, f"{path}/captures", {"amount_minor": 400, "final": False}, key="capture-1")
    await post(api, f"{path}/captures", {"amount_minor": 600}, key="capture-2")
    refund = {"amount_minor": 100, "metadata": {"tenant": "acme", "refund_id": "r-1"}}
    await post(api, f"{path}/refunds", refund, key="refund-1")
    await receiver.count(4)
    events = [one["event"] for one in receiver.got]
    assert [(event["type"], event["idempotency_key"]) for event in events] == [
        ("authorization.authorized", "hold-1"),
        ("capture.succeeded", "capture-1"),
        ("capture.succeeded", "capture-2"),
        ("refund.succeeded", "refund-1"),
    ]
    assert events[0]["data"]["authorization"] == held
    assert [event["data"]["authorization"]["captured_amount_minor"] for event in events[:3]] == [
        0,
        400,
        1_000,
    ]
    assert events[3]["data"]["refund"]["metadata"] == refund["metadata"]
    assert [one["webhook-id"] for one in receiver.got] == [event["id"] for event in events]
    assert all(one["content-type"] == "application/json" for one in receiver.got)


async def test_an_event_is_delivered_until_it_is_answered_with_2xx(
    api: httpx.AsyncClient, receiver: Receiver
) -> None:
    receiver.statuses = [500, 301, 404, 200]
    await register(api, receiver, retry_ms=1)
    await post(api, "/v1/authorizations", CHARGE)
    await receiver.count(4)
    assert len(set(receiver.ids)) == 1
    assert len({one["body"] for one in receiver.got}) == 1
    seen = await all_delivered(api, receiver)
    assert (seen["delivered"], seen["attempts"], seen["secret"]) == (1, 4, None)


async def test_copies_are_the_same_event(api: httpx.AsyncClient, receiver: Receiver) -> None:
    await register(api, receiver, copies=3)
    await post(api, "/v1/authorizations", CHARGE)
    await receiver.count(3)
    assert len(set(receiver.ids)) == 1


async def test_the_newest_may_come_first(api: httpx.AsyncClient, receiver: Receiver) -> None:
    await register(api, receiver, newest_first_within_ms=3_000)
    for _ in range(
        2
    ):  # whatever of the window is left when the first one comes, one round lies within a window
        held = await post(api, "/v1/authorizations", CHARGE | {"capture": False})
        await post(api, f"/v1/authorizations/{held['id']}/captures", {"amount_minor": 1_000})
    await receiver.count(4)
    assert ["capture.succeeded", "authorization.authorized"] in [
        receiver.types[start : start + 2] for start in range(3)
    ]


async def test_a_delayed_event_waits_and_one_that_hurries_comes_before_the_answer(
    api: httpx.AsyncClient, receiver: Receiver
) -> None:
    await register(api, receiver, delay_ms=3_600_000)
    await post(api, "/v1/authorizations", CHARGE)
    assert (await progress(api, receiver))["outstanding"] == 1
    await register(api, receiver, before_answer=True)
    answer = await post(api, "/v1/authorizations", CHARGE)
    assert [one["event"]["data"]["authorization"]["id"] for one in receiver.got] == [answer["id"]]


async def test_an_endpoint_that_hangs_or_is_gone_keeps_no_other_waiting(
    api: httpx.AsyncClient, receiver: Receiver
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=256) as hanging:  # takes connections, answers none
        port = hanging.getsockname()[1]
        for url in (f"http://127.0.0.1:{port}", "http://127.0.0.1:9"):
            await post(api, "/v1/webhook_endpoints", {"url": url, "retry_ms": 1})
        await register(api, receiver)
        await asyncio.gather(*(post(api, "/v1/authorizations", CHARGE) for _ in range(200)))
        await receiver.count(200)
        assert len(set(receiver.ids)) == 200
        while (gone := await endpoint_at(api, "http://127.0.0.1:9"))["attempts"] < 200:
            assert gone["delivered"] == 0
        for endpoint in (await api.get("/v1/webhook_endpoints")).json()["endpoints"]:
            await api.delete(f"/v1/webhook_endpoints/{endpoint['id']}")


async def test_an_event_may_come_although_the_answer_never_does(
    api: httpx.AsyncClient, receiver: Receiver
) -> None:
    await register(api, receiver)
    silent = CHARGE | {"payment_method": {"type": "card", "token": "tok_timeout_after_effect"}}
    waiting = asyncio.create_task(post(api, "/v1/authorizations", silent, key="silent-1"))
    await receiver.count(1)
    assert not waiting.done()
    assert receiver.got[0]["event"]["idempotency_key"] == "silent-1"
    waiting.cancel()


async def test_what_was_told_can_be_told_again(api: httpx.AsyncClient, receiver: Receiver) -> None:
    await register(api, receiver)
    begin = (await api.get("/v1/test/clock")).json()["now"]
    await post(api, "/v1/authorizations", CHARGE)
    await post(api, "/v1/authorizations", CHARGE)
    again = await post(api, "/v1/test/redeliveries", {"since": begin})
    assert again["events"] == 2
    await receiver.count(4)
    assert list(Counter(receiver.ids).values()) == [2, 2]


async def test_an_endpoint_that_is_dropped_hears_nothing_more(
    api: httpx.AsyncClient, receiver: Receiver
) -> None:
    endpoint = await register(api, receiver, before_answer=True)
    await post(api, "/v1/authorizations", CHARGE)
    assert (await api.delete(f"/v1/webhook_endpoints/{endpoint['id']}")).status_code == 200
    await post(api, "/v1/authorizations", CHARGE)
    assert len(receiver.got) == 1
    assert (await api.delete(f"/v1/webhook_endpoints/{endpoint['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"url": "ftp://merchant.test"}, "url"),
        ({"url": "http://merchant.test:99999"}, "url"),
        ({"url": "http://[::1"}, "url"),
        ({"url": "http:///hooks"}, "url"),
        ({"url": "http://merchant.test", "secret": "guess"}, "secret"),
        ({"url": "http://merchant.test", "secret": "whsec_c2hvcnQ="}, "secret"),
        ({"url": "http://merchant.test", "copies": 0}, "copies"),
        ({"url": "http://merchant.test", "retry_ms": 0}, "retry_ms"),
    ],
)
async def test_an_endpoint_that_cannot_work_is_refused(
    api: httpx.AsyncClient, document: dict[str, Any], field: str
) -> None:
    answer = await api.post("/v1/webhook_endpoints", json=document)
    assert (answer.status_code, answer.json()["error"]["fields"][0]["field"]) == (400, field)
    assert "guess" not in answer.text


async def test_a_clock_is_moved_by_request_and_never_back(api: httpx.AsyncClient) -> None:
    before = (await api.get("/v1/test/clock")).json()["now"]
    after = (await post(api, "/v1/test/clock", {"advance_ms": 1_000}))["now"]
    assert after > before
    for document, status in [({"now": before}, 409), ({}, 400), ({"advance_ms": -1}, 400), ({"now": 5}, 400)]:
        assert (await api.post("/v1/test/clock", json=document)).status_code == status


async def test_a_killed_provider_delivers_what_it_still_owes(tmp_path: Path) -> None:
    books = tmp_path / "books.sqlite"
    async with receiving() as receiver:
        with running(state=books) as before:
            async with before.client() as api:
                await register(api, receiver, retry_ms=1, delay_ms=50)
                for _ in range(20):
                    await post(api, "/v1/authorizations", CHARGE)
            before.kill()
        with running(state=books) as after:
            await receiver.until(lambda heard: len(set(heard.ids)) == 20)
            async with after.client() as api:
                await all_delivered(api, receiver)


async def test_days_can_be_made_short_and_an_endpoint_given_by_option() -> None:
    async with receiving() as receiver:
        environment = {"COUNTERFOIL_SANDBOX_WEBHOOK_SECRET": receiver.secret}
        with running("--day-ms", "20", "--webhook-url", receiver.url, environment=environment) as started:
            async with started.client() as api:
                debit = CHARGE | {"payment_method": {"type": "bank_debit", "token": "tok_debit_return"}}
                await post(api, "/v1/authorizations", debit)
                await receiver.count(3)
    assert receiver.types == ["authorization.pending", "capture.succeeded", "authorization.returned"]
