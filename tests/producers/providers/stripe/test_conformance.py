"""The conformance suite, against localstripe in its own process.

Where Stripe differs from the suite's picture of a provider, the case is stated anew here, with the reason.
"""
# ruff: noqa: D102  # a test's name is its sentence, in a class as well

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from producers.providers.base import Ambiguous, Declined, Refused, Succeeded, Transient
from tests.producers.providers.conformance import ProviderConformance, known

if TYPE_CHECKING:
    from tests.producers.providers.conformance import Rig


class TestStripeProvider(ProviderConformance):
    """The whole suite."""

    @pytest.mark.parametrize(
        ("currency", "amount_minor"), [("JPY", 1), ("KWD", 1_010), ("ISK", 7), ("MGA", 900)]
    )
    async def test_amounts_stay_minor_units_whatever_the_decimals(
        self, rig: Rig, currency: str, amount_minor: int
    ) -> None:
        """Stripe counts some currencies its own way, and takes none with four decimals."""
        call = rig.authorize(currency=currency, amount_minor=amount_minor)
        answer = await rig.provider.execute(call)
        assert isinstance(answer, Succeeded)
        assert answer.amount_minor == amount_minor

    @pytest.mark.parametrize(("currency", "amount_minor"), [("KWD", 1_005), ("MGA", 950), ("CLF", 10_000)])
    async def test_what_stripe_cannot_express_is_refused_before_it_is_sent(
        self, rig: Rig, currency: str, amount_minor: int
    ) -> None:
        call = rig.authorize(currency=currency, amount_minor=amount_minor)
        for answer in (await rig.provider.execute(call), await rig.provider.query(call)):
            assert isinstance(answer, Refused)
            assert currency in answer.detail
        assert await rig.captured(call.order_id) == []

    async def test_captures_in_parts_keep_the_authorizations_reference(self, rig: Rig) -> None:
        """One capture: localstripe knows no more; what is not captured is released."""
        capture = await rig.held()
        part = replace(capture, amount_minor=1_000)
        answer = await rig.provider.execute(part)
        assert isinstance(answer, Succeeded)
        assert (answer.amount_minor, answer.captured) == (1_000, True)
        assert answer.provider_reference == capture.provider_reference
        assert await rig.captured(capture.order_id) == [1_000]
        assert await rig.provider.execute(part) == answer
        asked = await rig.provider.query(part)
        assert isinstance(asked, Succeeded)
        assert (asked.amount_minor, asked.captured) == (1_000, True)
        rest = replace(capture, call_id=uuid.uuid4(), amount_minor=200)
        assert isinstance(await rig.provider.execute(rest), Refused)

    async def test_a_decline_without_a_decline_code_is_a_general_one(self, rig: Rig) -> None:
        """The only one that localstripe knows; the table of codes is read in test_declines.py."""
        call = rig.authorize("processing_declined")
        for answer in (await rig.provider.execute(call), await rig.provider.query(call)):
            assert isinstance(answer, Declined)
            assert (answer.reason_code, answer.provider_code) == ("processing_declined", "card_declined")
        assert sum(await rig.captured(call.order_id)) == 0

    async def test_50_equal_calls_at_once_are_one_charge(self, rig: Rig) -> None:
        """Stripe turns away a request whose key is under way; who was turned away asks."""
        call = rig.authorize()
        answers = await asyncio.gather(*(rig.provider.execute(call) for _ in range(50)))
        done = [answer for answer in answers if isinstance(answer, Succeeded)]
        assert done == [done[0]] * len(done)
        assert all(isinstance(answer, Succeeded | Transient | Ambiguous) for answer in answers)
        asked = await known(rig.provider, call)
        assert isinstance(asked, Succeeded)
        assert asked.provider_reference == done[0].provider_reference
        assert await rig.captured(call.order_id) == [12_34]

    async def test_50_calls_with_one_id_and_other_amounts_are_one_charge(self, rig: Rig) -> None:
        """Of those that came while the first was under way nobody knows more than that."""
        call = rig.authorize()
        answers = await asyncio.gather(
            *(rig.provider.execute(replace(call, amount_minor=amount)) for amount in range(1, 51))
        )
        [winner] = [answer for answer in answers if isinstance(answer, Succeeded)]
        assert all(isinstance(answer, Succeeded | Refused | Transient) for answer in answers)
        assert await rig.captured(call.order_id) == [winner.amount_minor]
