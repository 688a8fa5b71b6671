"""Five layers against the double charge: each test removes four of them, and the one that is left holds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from handlers.decision import Decision, Waiting
from handlers.payments.model import call_id_of, payment_id_of
from ops.charge.prior import prior
from producers.providers.base import ProviderRequest, Succeeded
from producers.providers.sandbox import SandboxProvider
from tests.consumers.test_payment_webhooks import call_of, opened
from tests.engines import reasons
from tests.handlers.payments.situations import processing
from tests.handlers.scene import Scene
from tests.ops.sandbox.process import API_KEY, running
from tests.shop import TENANT, fees, request, sale

if TYPE_CHECKING:
    from tests.conftest import Connection, Database


async def test_1_a_command_that_comes_again_under_its_key_is_told_the_first_outcome(
    database: Database, admin: Connection
) -> None:
    """Another event id, and the payment forgotten: only the key is left."""
    async with opened(database.app_url) as (shop, _, _):
        await shop.take(fees(), request("r1", "o1", key="pay-o1"))
        await admin.execute("DELETE FROM payments")
        await shop.take(request("r2", "o1", key="pay-o1"))
        assert await admin.fetchval("SELECT outcome FROM inbox WHERE event_id = 'r2'") == "duplicate"
        assert await admin.fetchval("SELECT count(*) FROM provider_calls") == 1


@pytest.mark.parametrize("paid_by", ["cash", "card"])
async def test_2_an_order_succeeds_once(database: Database, admin: Connection, paid_by: str) -> None:
    """Another key, another event, and the money already here: the order is what refuses."""
    async with opened(database.app_url) as (shop, _, _):
        await shop.take(fees(), sale("s", "o1", 2500))
        body = request("r", "o1", key="other") if paid_by == "card" else sale("again", "o1", 2500)
        await shop.take(body)
        told = await reasons(admin)
        assert told["r" if paid_by == "card" else "again"] == "order_already_has_payment"
        assert await admin.fetchval("SELECT count(*) FROM entries") == 1
        assert await admin.fetchval("SELECT count(*) FROM provider_calls") == 0


def test_3_an_intent_under_way_is_used_again_not_doubled() -> None:
    """A new command that is allowed by the table, while the provider is asked: it waits for that call."""
    scene = processing()
    assert isinstance(scene.send("confirmation_requested", idempotency_key="another").outcome, Waiting)
    assert len(scene.calls) == 1
    assert payment_id_of("acme", "order-1") == scene.payment.payment_id


def test_3_a_second_attempt_is_the_same_intent() -> None:
    scene = processing().answer("call_declined").send("confirmation_requested")
    assert isinstance(scene.outcome, Decision)
    assert len({call.payment_id for call in scene.calls}) == 1


async def test_4_the_provider_charges_once_for_a_key_however_often_it_is_asked() -> None:
    """Nothing of ours remembers anything: the call's own id is the provider's key."""
    first, again = (Scene().send("payment_requested").calls[0] for _ in range(2))
    assert first.call_id == again.call_id == call_id_of(first.payment_id, 1)
    asked = ProviderRequest(
        call_id=first.call_id,
        tenant=TENANT,
        operation="authorize",
        amount_minor=first.amount_minor,
        currency=first.currency,
        order_id=first.order_id,
        method_type=first.method_type,
        token=first.token,
    )
    with running() as sandbox:
        provider = SandboxProvider(base_url=sandbox.url, api_key=API_KEY)
        answers = [await provider.execute(asked) for _ in range(3)]
        await provider.aclose()
    charges = {answer.provider_reference for answer in answers if isinstance(answer, Succeeded)}
    assert len(answers) == 3
    assert len(charges) == 1


async def test_5_an_operator_sees_what_was_tried_before_charging_by_hand(
    database: Database, admin: Connection
) -> None:
    """Every key is new, the order too: the same customer, the same amount, and the operator is told."""
    customer = {"customer_id": "cus_7"}
    async with opened(database.app_url) as (shop, _, _):
        await shop.take(fees(), request("r", "o1", data=customer))
    fresh = await prior(admin, TENANT, "o2", customer_id="cus_7", amount_minor=2500, currency="EUR")
    assert [row["order_id"] for row in fresh.similar] == ["o1"]
    assert fresh.warnings == ["the customer has other payments of the same amount"]
    same = await prior(admin, TENANT, "o1")
    assert [str(call["call_id"]) for call in same.calls] == [call_of("o1")]
    assert same.warnings == ["a provider is being asked just now"]
    assert same.digest != fresh.digest
    none = await prior(admin, TENANT, "o3", customer_id="cus_8", amount_minor=2500, currency="EUR")
    assert (none.is_empty, none.warnings) == (True, [])


async def test_5_what_an_operator_has_seen_is_out_of_date_when_anything_changed(
    database: Database, admin: Connection
) -> None:
    async with opened(database.app_url) as (shop, _, _):
        await shop.take(fees(), request("r", "o1"))
        before = await prior(admin, TENANT, "o1")
        assert before.digest == (await prior(admin, TENANT, "o1")).digest
        assert replace(before, calls=[]).digest != before.digest
        await admin.execute("UPDATE payments SET version = version + 1")
        assert (await prior(admin, TENANT, "o1")).digest != before.digest
