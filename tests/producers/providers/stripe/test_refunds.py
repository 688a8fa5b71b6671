"""Refunds against localstripe, beside what the conformance suite says: names, and finding one among many."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

from producers.providers.base import (
    Declined,
    NotFound,
    ProviderRequest,
    Refused,
    Succeeded,
)
from tests.producers.providers.suite.rig import following

if TYPE_CHECKING:
    import httpx

    from producers.providers.base import ProviderRequest
    from tests.producers.providers.suite.rig import Rig


async def amounts(api: httpx.AsyncClient, refund: ProviderRequest) -> list[int]:
    """What the provider's own books say was refunded."""
    told = {"payment_intent": refund.provider_reference, "limit": 1_000}
    page = (await api.get("/v1/refunds", params=told)).raise_for_status().json()
    return [one["amount"] for one in page["data"]]


async def test_a_refund_names_our_order_and_our_refund(rig: Rig, api: httpx.AsyncClient) -> None:
    refund = await rig.paid()
    answer = await rig.provider.execute(refund)
    assert isinstance(answer, Succeeded)
    kept = (await api.get(f"/v1/refunds/{answer.provider_reference}")).raise_for_status().json()
    assert kept["metadata"] == {
        "tenant": "acme",
        "order_id": refund.order_id,
        "call_id": str(refund.call_id),
        "refund_id": str(refund.object_id),
    }


async def test_a_refund_is_found_among_many_by_its_call(rig: Rig, api: httpx.AsyncClient) -> None:
    refund = await rig.paid()
    assert isinstance(await rig.provider.query(refund), NotFound)
    first = await rig.provider.execute(replace(refund, amount_minor=3))
    others = [replace(refund, call_id=uuid.uuid4(), amount_minor=1) for _ in range(120)]
    for other in others:
        assert isinstance(await rig.provider.execute(other), Succeeded)
    found = await rig.provider.query(refund)
    assert isinstance(found, Succeeded)
    assert isinstance(first, Succeeded)
    assert (found.provider_reference, found.amount_minor) == (first.provider_reference, 3)
    assert isinstance(await rig.provider.query(replace(refund, call_id=uuid.uuid4())), NotFound)
    assert len(await amounts(api, refund)) == 121


async def test_a_refund_of_a_failed_payment_is_refused(rig: Rig, api: httpx.AsyncClient) -> None:
    call = rig.authorize("processing_declined")
    assert isinstance(await rig.provider.execute(call), Declined)
    page = (await api.get("/v1/payment_intents", params={"limit": 1_000_000})).json()["data"]
    [reference] = [one["id"] for one in page if one["metadata"].get("call_id") == str(call.call_id)]
    refund = following(call, "refund", reference, object_id=uuid.uuid4())
    assert isinstance(await rig.provider.execute(refund), Refused)
