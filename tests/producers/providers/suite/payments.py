"""Payments: what is authorized, challenged, raised, captured and released, and how certain that is."""
# ruff: noqa: D102  # a test's name is its sentence, in a class as well

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from producers.providers.base import (
    ChallengeRequired,
    Declined,
    Refused,
    Succeeded,
)
from tests.producers.providers.suite.rig import DECLINE_REASONS, following

if TYPE_CHECKING:
    from tests.producers.providers.suite.rig import Rig


class PaymentConformance:
    """Part of `ProviderConformance`."""

    # ------------------------------------------------------------ what the provider decides

    async def test_an_approved_card_is_captured_at_once(self, rig: Rig) -> None:
        call = rig.authorize()
        answer = await rig.provider.execute(call)
        assert isinstance(answer, Succeeded)
        assert (answer.amount_minor, answer.captured) == (12_34, True)
        assert answer.provider_reference.encode() in answer.raw
        assert await rig.captured(call.order_id) == [12_34]

    @pytest.mark.parametrize(("currency", "amount_minor"), [("JPY", 1), ("KWD", 1_005), ("CLF", 10_000)])
    async def test_amounts_stay_minor_units_whatever_the_decimals(
        self, rig: Rig, currency: str, amount_minor: int
    ) -> None:
        call = rig.authorize(currency=currency, amount_minor=amount_minor)
        answer = await rig.provider.execute(call)
        assert isinstance(answer, Succeeded)
        assert answer.amount_minor == amount_minor
        assert await rig.captured(call.order_id) == [amount_minor]

    async def test_a_hold_takes_no_money_until_it_is_captured(self, rig: Rig) -> None:
        call = rig.authorize(capture=False)
        held = await rig.provider.execute(call)
        assert isinstance(held, Succeeded)
        assert (held.amount_minor, held.captured) == (12_34, False)
        assert sum(await rig.captured(call.order_id)) == 0

    async def test_captures_in_parts_keep_the_authorizations_reference(self, rig: Rig) -> None:
        capture = await rig.held()
        part = await rig.provider.execute(replace(capture, amount_minor=1_000, final=False))
        rest = await rig.provider.execute(replace(capture, call_id=uuid.uuid4(), amount_minor=200))
        assert isinstance(part, Succeeded)
        assert isinstance(rest, Succeeded)
        assert (part.amount_minor, part.captured) == (1_000, True)
        assert (rest.amount_minor, rest.captured) == (200, True)
        assert part.provider_reference == rest.provider_reference == capture.provider_reference
        assert await rig.captured(capture.order_id) == [1_200]
        # A stored answer tells of its own capture, not of what came later.
        assert await rig.provider.execute(replace(capture, amount_minor=1_000, final=False)) == part

    async def test_a_void_releases_the_whole_hold(self, rig: Rig) -> None:
        capture = await rig.held()
        void = replace(capture, call_id=uuid.uuid4(), operation="void")
        answer = await rig.provider.execute(void)
        assert isinstance(answer, Succeeded)
        assert (answer.amount_minor, answer.captured) == (12_34, False)
        assert isinstance(await rig.provider.execute(capture), Refused)
        assert sum(await rig.captured(capture.order_id)) == 0

    @pytest.mark.parametrize("reason", DECLINE_REASONS)
    async def test_a_decline_gets_our_reason_and_keeps_the_providers_code(
        self, rig: Rig, reason: str
    ) -> None:
        call = rig.authorize(reason)
        answer = await rig.provider.execute(call)
        assert isinstance(answer, Declined)
        assert answer.reason_code == reason
        assert answer.provider_code.encode() in answer.raw
        assert sum(await rig.captured(call.order_id)) == 0
        asked = await rig.provider.query(call)
        assert isinstance(asked, Declined)
        assert asked.reason_code == reason

    async def test_a_declined_capture_takes_nothing(self, rig: Rig) -> None:
        capture = await rig.held("capture_decline")
        answer = await rig.provider.execute(capture)
        assert isinstance(answer, Declined)
        assert answer.reason_code == "processing_declined"
        assert sum(await rig.captured(capture.order_id)) == 0

    # ------------------------------------------------------------ the customer's challenge

    @pytest.mark.parametrize("capture", [True, False])
    async def test_a_passed_challenge_completes_the_authorization(self, rig: Rig, *, capture: bool) -> None:
        call = rig.authorize("challenge", capture=capture)
        waiting = await rig.provider.execute(call)
        assert isinstance(waiting, ChallengeRequired)
        assert waiting.redirect_url.startswith("http")
        confirm = following(call, "confirm", waiting.provider_reference)
        assert isinstance(await rig.provider.execute(confirm), ChallengeRequired)
        assert sum(await rig.captured(call.order_id)) == 0

        await rig.answer_challenge(waiting.provider_reference, "passed")

        for answer in [await rig.provider.execute(confirm), await rig.provider.query(confirm)]:
            assert isinstance(answer, Succeeded)
            assert (answer.amount_minor, answer.captured) == (12_34, capture)
        assert sum(await rig.captured(call.order_id)) == (12_34 if capture else 0)

    async def test_a_failed_challenge_is_a_decline(self, rig: Rig) -> None:
        call = rig.authorize("challenge")
        waiting = await rig.provider.execute(call)
        assert isinstance(waiting, ChallengeRequired)
        await rig.answer_challenge(waiting.provider_reference, "failed")
        answer = await rig.provider.execute(following(call, "confirm", waiting.provider_reference))
        assert isinstance(answer, Declined)
        assert answer.reason_code == "authentication_failed"
        assert sum(await rig.captured(call.order_id)) == 0

    async def test_an_abandoned_challenge_can_be_voided(self, rig: Rig) -> None:
        call = rig.authorize("challenge")
        waiting = await rig.provider.execute(call)
        assert isinstance(waiting, ChallengeRequired)
        void = following(call, "void", waiting.provider_reference)
        assert isinstance(await rig.provider.execute(void), Succeeded)
        confirm = following(call, "confirm", waiting.provider_reference)
        assert isinstance(await rig.provider.execute(confirm), Refused)
