"""Raising an authorization, and capturing more than it."""
# ruff: noqa: D102  # a test's name is its sentence, in a class as well

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from producers.providers.base import Ambiguous, Declined, NotFound, Refused, Succeeded
from tests.producers.providers.suite.rig import another, known

if TYPE_CHECKING:
    from tests.producers.providers.suite.rig import Rig


class IncreaseConformance:
    """Part of `ProviderConformance`."""

    async def test_an_increase_raises_the_hold_to_a_new_total(self, rig: Rig) -> None:
        capture = await rig.held("increase")
        increase = another(capture, "increase", amount_minor=20_00)
        answer = await rig.provider.execute(increase)
        assert isinstance(answer, Succeeded)
        assert (answer.provider_reference, answer.amount_minor, answer.captured) == (
            capture.provider_reference,
            20_00,
            False,
        )
        assert sum(await rig.captured(capture.order_id)) == 0
        assert isinstance(await rig.provider.execute(another(capture, amount_minor=20_00)), Succeeded)
        assert await rig.captured(capture.order_id) == [20_00]
        # A repeat tells of its own moment, not of what came later.
        assert await rig.provider.execute(increase) == answer
        asked = await rig.provider.query(increase)
        assert isinstance(asked, Succeeded)
        assert (asked.amount_minor, asked.captured) == (20_00, False)

    async def test_an_increase_that_does_not_raise_is_refused(self, rig: Rig) -> None:
        capture = await rig.held("increase")
        for amount_minor in (1, 12_34):
            increase = another(capture, "increase", amount_minor=amount_minor)
            assert isinstance(await rig.provider.execute(increase), Refused)

    async def test_a_declined_increase_leaves_the_hold_as_it_was(self, rig: Rig) -> None:
        capture = await rig.held("increase_decline")
        answer = await rig.provider.execute(another(capture, "increase", amount_minor=20_00))
        assert isinstance(answer, Declined)
        assert answer.reason_code == "insufficient_funds"
        assert isinstance(await rig.provider.execute(another(capture, amount_minor=20_00)), Refused)
        assert isinstance(await rig.provider.execute(capture), Succeeded)
        assert await rig.captured(capture.order_id) == [12_34]

    async def test_a_network_without_increments_refuses_one(self, rig: Rig) -> None:
        capture = await rig.held("single_capture")
        assert isinstance(
            await rig.provider.execute(another(capture, "increase", amount_minor=20_00)), Refused
        )

    async def test_an_increase_that_timed_out_before_its_effect_is_made_by_its_repeat(self, rig: Rig) -> None:
        capture = await rig.held("increase_timeout_before_effect")
        increase = another(capture, "increase", amount_minor=20_00)
        assert isinstance(await rig.impatient.execute(increase), Ambiguous)
        assert isinstance(await rig.provider.query(increase), NotFound)
        assert isinstance(await rig.provider.execute(increase), Succeeded)

    async def test_an_increase_that_timed_out_after_its_effect_is_found_by_asking(self, rig: Rig) -> None:
        capture = await rig.held("increase_timeout_after_effect")
        increase = another(capture, "increase", amount_minor=20_00)
        assert isinstance(await rig.impatient.execute(increase), Ambiguous)
        found = await known(rig.provider, increase)
        assert isinstance(found, Succeeded)
        assert found.amount_minor == 20_00

    @pytest.mark.parametrize(("amount_minor", "answer"), [(14_19, Succeeded), (14_20, Refused)])
    async def test_a_capture_above_the_hold_goes_as_far_as_the_network_allows(
        self, rig: Rig, amount_minor: int, answer: type[Succeeded | Refused]
    ) -> None:
        """15 % of 12.34 are 1.851: what has no whole minor unit is not allowed."""
        capture = await rig.held("over_capture")
        assert isinstance(await rig.provider.execute(another(capture, amount_minor=amount_minor)), answer)
        assert sum(await rig.captured(capture.order_id)) == (amount_minor if answer is Succeeded else 0)

    async def test_where_one_capture_is_allowed_it_must_be_the_last(self, rig: Rig) -> None:
        capture = await rig.held("single_capture")
        part = another(capture, amount_minor=5_00, final=False)
        assert isinstance(await rig.provider.execute(part), Refused)
        assert isinstance(await rig.provider.execute(another(part, final=True)), Succeeded)
        assert await rig.captured(capture.order_id) == [5_00]
