"""What is certain about an authorization when keys are forgotten, Stripe breaks down, or the first step is lost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from producers.providers.base import Ambiguous, Declined, NotFound, Pending, Succeeded
from tests.producers.providers.stripe.conftest import intents_of
from tests.producers.providers.suite.rig import DEADLINE_S, following

if TYPE_CHECKING:
    import httpx

    from tests.producers.providers.suite.rig import Rig


async def test_a_payment_is_found_after_stripe_forgot_its_key(rig: Rig, api: httpx.AsyncClient) -> None:
    call = rig.authorize()
    paid = await rig.provider.execute(call)
    assert isinstance(paid, Succeeded)
    (await api.delete("/_config/keys")).raise_for_status()

    for _ in range(2):  # the first asking leaves an unconfirmed intent, the second finds both
        found = await rig.provider.query(call)
        assert isinstance(found, Succeeded)
        assert found.provider_reference == paid.provider_reference
    intents = await intents_of(api, call.order_id)
    assert sorted(one["status"] for one in intents) == ["requires_confirmation", "succeeded"]
    assert await rig.captured(call.order_id) == [12_34]


async def test_asking_about_a_call_that_never_came_moves_no_money_and_it_can_still_be_made(
    rig: Rig, api: httpx.AsyncClient
) -> None:
    call = rig.authorize()
    assert isinstance(await rig.provider.query(call), NotFound)
    [intent] = await intents_of(api, call.order_id)
    assert intent["status"] == "requires_confirmation"
    paid = await rig.provider.execute(call)
    assert isinstance(paid, Succeeded)
    assert paid.provider_reference == intent["id"]
    assert await rig.captured(call.order_id) == [12_34]


async def test_a_breakdown_that_stripe_remembers_is_never_taken_for_an_answer(rig: Rig) -> None:
    call = rig.authorize("breakdown")
    for _ in range(2):  # the stored answer comes again
        assert isinstance(await rig.provider.execute(call), Ambiguous)
        assert isinstance(await rig.provider.query(call), NotFound)
    assert await rig.captured(call.order_id) == []


async def test_a_debit_is_pending_until_it_fails_and_its_reading_says_so(
    rig: Rig, api: httpx.AsyncClient
) -> None:
    iban = {"type": "sepa_debit", "sepa_debit[iban]": "DE62370400440532013001"}  # the one that comes back
    method = (await api.post("/v1/payment_methods", data=iban)).raise_for_status().json()["id"]
    debit = rig.authorize(method_type="bank_debit", token=method)
    waiting = await rig.provider.execute(debit)
    assert isinstance(waiting, Pending)
    reading = following(debit, "confirm", waiting.provider_reference)
    deadline = time.monotonic() + DEADLINE_S
    while isinstance(answer := await rig.provider.execute(reading), Pending):
        assert time.monotonic() < deadline, "the bank never decided"
    assert isinstance(answer, Declined)
    assert isinstance(await rig.provider.query(debit), Declined)
    assert sum(await rig.captured(debit.order_id)) == 0


async def test_metadata_leads_from_the_intent_to_the_order_and_the_call(
    rig: Rig, api: httpx.AsyncClient
) -> None:
    call = rig.authorize()
    await rig.provider.execute(call)
    [intent] = await intents_of(api, call.order_id)
    assert intent["metadata"] == {"tenant": "acme", "order_id": call.order_id, "call_id": str(call.call_id)}
