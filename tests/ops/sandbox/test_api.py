"""The provider's HTTP face, as a stranger with curl would meet it."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.ops.sandbox.process import API_KEY, running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ops.sandbox.process import Sandbox

REMOVED = ...
NOTHING_BACK = {"refunded_amount_minor": 0, "disputed_amount_minor": 0, "returned_amount_minor": 0}


def body(**changes: Any) -> dict[str, Any]:
    """A good authorization request, but for the changes; dots in names lead into nested objects."""
    document: dict[str, Any] = {
        "amount_minor": 12_34,
        "currency": "EUR",
        "payment_method": {"type": "card", "token": "tok_approve"},
        "capture": True,
        "reference": f"order-{uuid.uuid4()}",
        "metadata": {"tenant": "acme"},
    }
    for name, value in changes.items():
        *path, last = name.split("__")
        target = document
        for step in path:
            target = target[step]
        if value is REMOVED:
            del target[last]
        else:
            target[last] = value
    return document


async def post(api: httpx.AsyncClient, path: str, document: Any, key: str | None = None) -> httpx.Response:
    return await api.post(path, json=document, headers={"Idempotency-Key": key or str(uuid.uuid4())})


async def authorized(api: httpx.AsyncClient, **changes: Any) -> str:
    """The id of a fresh authorization that holds 1000 and has captured nothing."""
    answer = await post(api, "/v1/authorizations", body(amount_minor=1000, capture=False, **changes))
    return str(answer.json()["id"])


async def charges(api: httpx.AsyncClient, reference: str) -> list[dict[str, Any]]:
    answer = await api.get("/v1/ledger", params={"reference": reference})
    return list(answer.json()["charges"])


MALFORMED = [
    # (the change to a good request, the field that the error names)
    ({"amount_minor": 0}, "amount_minor"),
    ({"amount_minor": -1}, "amount_minor"),
    ({"amount_minor": 12.5}, "amount_minor"),
    ({"amount_minor": 12.0}, "amount_minor"),
    ({"amount_minor": "1234"}, "amount_minor"),
    ({"amount_minor": True}, "amount_minor"),
    ({"amount_minor": 10**15 + 1}, "amount_minor"),
    ({"amount_minor": REMOVED}, "amount_minor"),
    ({"currency": "eur"}, "currency"),
    ({"currency": "XYZ"}, "currency"),
    ({"currency": "EURO"}, "currency"),
    ({"currency": None}, "currency"),
    ({"payment_method__type": "cash"}, "payment_method.type"),
    ({"payment_method__type": "bank_debit"}, "payment_method"),
    ({"payment_method__token": "tok_debit_approve"}, "payment_method"),
    ({"payment_method__token": "tok_unheard_of"}, "payment_method.token"),
    ({"payment_method__number": "4242424242424242"}, "payment_method.number"),
    ({"payment_method": REMOVED}, "payment_method"),
    ({"capture": "yes"}, "capture"),
    ({"capture": REMOVED}, "capture"),
    ({"reference": ""}, "reference"),
    ({"reference": "x" * 256}, "reference"),
    ({"metadata": {"tenant": 1}}, "metadata.tenant"),
    ({"metadata": {"n" * 41: "v"}}, f"metadata.{'n' * 41}.[key]"),
    ({"metadata": {str(n): "v" for n in range(51)}}, "metadata"),
    ({"unknown": 1}, "unknown"),
]


@pytest.mark.parametrize(("changes", "field"), MALFORMED, ids=lambda value: str(value)[:40])
async def test_a_malformed_request_is_refused_with_the_name_of_the_field(
    api: httpx.AsyncClient, changes: dict[str, Any], field: str
) -> None:
    answer = await post(api, "/v1/authorizations", body(**changes))
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request"
    assert [wrong["field"] for wrong in error["fields"]] == [field]
    assert error["message"].startswith(f"{field}: ")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"\x00"])
async def test_a_body_that_is_no_json_object_is_refused(api: httpx.AsyncClient, raw: bytes) -> None:
    answer = await api.post("/v1/authorizations", content=raw, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 400
    assert answer.json()["error"]["fields"][0]["field"] == "body"


async def test_an_oversize_body_is_refused_and_takes_no_effect(api: httpx.AsyncClient) -> None:
    huge = body(reference="x" * 100_000)
    answer = await post(api, "/v1/authorizations", huge, key="oversize")
    assert answer.status_code == 413
    assert (await api.get("/v1/operations/oversize")).status_code == 404


@pytest.mark.parametrize("key", [None, "", "with space", "slash/slash", "x" * 129])
async def test_a_post_needs_a_well_formed_idempotency_key(api: httpx.AsyncClient, key: str | None) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = await api.post("/v1/authorizations", json=body(), headers=headers)
    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/authorizations/a", "/v1/operations/k", "/v1/ledger"])
@pytest.mark.parametrize("header", [None, "", "Bearer wrong", "Basic x", API_KEY.get_secret_value()])
async def test_nothing_but_health_is_told_without_the_key(
    sandbox: Sandbox, path: str, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as stranger:
        assert (await stranger.get(path, headers=headers)).status_code == 401
        assert (await stranger.post("/v1/authorizations", json=body(), headers=headers)).status_code == 401
        assert (await stranger.get("/v1/health")).json() == {"status": "ok"}


async def test_an_unknown_route_is_a_404_in_json(api: httpx.AsyncClient) -> None:
    for answer in [await api.get("/v2/anything"), await api.delete("/v1/ledger")]:
        assert answer.status_code == 404
        assert answer.json()["error"]["type"] == "not_found"


async def test_equal_requests_with_one_key_get_one_answer_whatever_the_order_of_fields(
    api: httpx.AsyncClient,
) -> None:
    request = body(metadata={"a": "1", "b": "2"})
    reordered = dict(reversed(request.items())) | {"metadata": {"b": "2", "a": "1"}}
    first = await post(api, "/v1/authorizations", request, key="same-1")
    second = await post(api, "/v1/authorizations", reordered, key="same-1")
    assert second.content == first.content
    assert len(await charges(api, request["reference"])) == 1


async def test_50_equal_requests_at_once_are_one_charge(api: httpx.AsyncClient) -> None:
    request = body()
    answers = await asyncio.gather(
        *(post(api, "/v1/authorizations", request, key="same-50") for _ in range(50))
    )
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    [charge] = await charges(api, request["reference"])
    assert charge["captured_amount_minor"] == 12_34
    assert charge["idempotency_keys"] == ["same-50"]


async def test_50_different_requests_with_one_key_are_one_charge_and_49_conflicts(
    api: httpx.AsyncClient,
) -> None:
    requests = [body(reference="contested", amount_minor=amount) for amount in range(1, 51)]
    answers = await asyncio.gather(
        *(post(api, "/v1/authorizations", one, key="contested") for one in requests)
    )
    assert sorted(answer.status_code for answer in answers) == [200] + 49 * [422]
    assert {answer.json()["error"]["type"] for answer in answers if answer.is_error} == {
        "idempotency_conflict"
    }
    assert len(await charges(api, "contested")) == 1


async def test_a_key_belongs_to_one_operation_on_one_authorization(api: httpx.AsyncClient) -> None:
    one, other = await authorized(api), await authorized(api)
    assert (await post(api, f"/v1/authorizations/{one}/void", {}, key="void-1")).status_code == 200
    assert (await post(api, f"/v1/authorizations/{other}/void", {}, key="void-1")).status_code == 422


async def test_a_refusal_is_stored_and_repeated_too(api: httpx.AsyncClient) -> None:
    held = await authorized(api)
    path, late = f"/v1/authorizations/{held}/captures", {"amount_minor": 1001}
    first = await post(api, path, late, key="too-large")
    assert first.status_code == 422
    assert first.json()["error"]["type"] == "amount_too_large"
    await post(api, path, {"amount_minor": 1000})
    assert (await post(api, path, late, key="too-large")).content == first.content
    stored = (await api.get("/v1/operations/too-large")).json()
    assert (stored["operation"], stored["http_status"], stored["answer"]) == ("capture", 422, first.json())


async def test_50_captures_of_100_from_1000_take_exactly_1000(api: httpx.AsyncClient) -> None:
    held = await authorized(api, reference="contended")
    path = f"/v1/authorizations/{held}/captures"
    answers = await asyncio.gather(
        *(post(api, path, {"amount_minor": 100, "final": False}) for _ in range(50))
    )
    assert [answer.status_code for answer in answers].count(200) == 10
    [charge] = await charges(api, "contended")
    assert charge["captured_amount_minor"] == 1000


async def test_a_reset_is_felt_by_the_caller_as_one(api: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.ReadError):
        await post(api, "/v1/authorizations", body(payment_method__token="tok_connection_reset"))  # noqa: S106


async def test_the_ledger_shows_what_held_or_took_money_and_nothing_else(api: httpx.AsyncClient) -> None:
    reference = "all-states"
    partly, voided, _held = [await authorized(api, reference=reference) for _ in range(3)]
    await post(api, f"/v1/authorizations/{partly}/captures", {"amount_minor": 1, "final": False})
    await post(api, f"/v1/authorizations/{voided}/void", {})
    for token in ["tok_approve", "tok_challenge", "tok_decline_lost_card", "tok_error_500_before_effect"]:
        await post(api, "/v1/authorizations", body(reference=reference, payment_method__token=token))
    assert [
        (charge["status"], charge["captured_amount_minor"]) for charge in await charges(api, reference)
    ] == [
        ("partially_captured", 1),
        ("voided", 0),
        ("authorized", 0),
        ("captured", 12_34),
    ]


async def test_the_ledger_adds_up_and_comes_in_pages(api: httpx.AsyncClient) -> None:
    for amount, currency in [(100, "EUR"), (200, "EUR"), (7, "JPY")]:
        await post(api, "/v1/authorizations", body(reference="paged", amount_minor=amount, currency=currency))
    whole = (await api.get("/v1/ledger", params={"reference": "paged"})).json()
    assert whole["captured"] == [
        {"currency": "EUR", "charges": 2, "captured_amount_minor": 300} | NOTHING_BACK,
        {"currency": "JPY", "charges": 1, "captured_amount_minor": 7} | NOTHING_BACK,
    ]
    seen: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = (await api.get("/v1/ledger", params={"reference": "paged", "limit": 1, "after": after})).json()
        seen += page["charges"]
        after = page["next_after"]
    assert seen == whole["charges"]
    for strange, status in [("-1", 400), ("many", 400), ("0", 200), ("9" * 15, 200)]:
        assert (await api.get("/v1/ledger", params={"limit": strange})).status_code == status


async def test_a_killed_provider_forgets_nothing(tmp_path: Path) -> None:
    books, port_file, request = tmp_path / "books.sqlite", tmp_path / "port", body(reference="kept")
    faulty = body(payment_method__token="tok_rate_limited", reference="kept")  # noqa: S106  # no secret
    with running("--port-file", str(port_file), state=books) as before:
        async with before.client() as api:
            first = await post(api, "/v1/authorizations", request, key="kept-1")
            assert (await post(api, "/v1/authorizations", faulty, key="kept-2")).status_code == 429
        assert before.url.endswith(f":{port_file.read_text().strip()}")
        before.kill()
    with running(state=books) as after:
        async with after.client() as api:
            assert (await post(api, "/v1/authorizations", request, key="kept-1")).content == first.content
            assert (await post(api, "/v1/authorizations", body(), key="kept-1")).status_code == 422
            assert (await post(api, "/v1/authorizations", faulty, key="kept-2")).status_code == 200
            assert [charge["idempotency_keys"] for charge in await charges(api, "kept")] == [
                ["kept-1"],
                ["kept-2"],
            ]
