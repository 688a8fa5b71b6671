"""Refunds: never more than was captured, each of them once, and what becomes of them later."""
# ruff: noqa: D102  # a test's name is its sentence, in a class as well

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from producers.providers.base import Ambiguous, Declined, NotFound, Pending, Refused, Succeeded
from tests.producers.providers.suite.rig import another, known

if TYPE_CHECKING:
    from producers.providers.base import ProviderRequest
    from tests.producers.providers.suite.rig import Rig


def confirming(refund: ProviderRequest, refund_reference: str) -> ProviderRequest:
    """Ask what became of a refund."""
    return another(refund, "confirm_refund", object_reference=refund_reference)


class RefundConformance:
    """Part of `ProviderConformance`."""

    async def test_a_refund_gives_the_whole_back_under_a_reference_of_its_own(self, rig: Rig) -> None:
        refund = await rig.paid()
        answer = await rig.provider.execute(refund)
        assert isinstance(answer, Succeeded)
        assert (answer.amount_minor, answer.captured) == (12_34, False)
        assert answer.provider_reference != refund.provider_reference
        await rig.assert_refunded(refund.order_id, 12_34)
        for again in (await rig.provider.execute(refund), await rig.provider.query(refund)):
            assert isinstance(again, Succeeded)
            assert again.provider_reference == answer.provider_reference
        confirm = confirming(refund, answer.provider_reference)
        for confirmed in (await rig.provider.execute(confirm), await rig.provider.query(confirm)):
            assert isinstance(confirmed, Succeeded)
            assert (confirmed.provider_reference, confirmed.amount_minor) == (
                answer.provider_reference,
                12_34,
            )
        await rig.assert_refunded(refund.order_id, 12_34)

    async def test_refunds_in_parts_end_where_nothing_is_left(self, rig: Rig) -> None:
        refund = await rig.paid()
        parts = [another(refund, amount_minor=amount) for amount in (10_00, 2_00, 34)]
        answers = [await rig.provider.execute(part) for part in parts]
        assert [answer.amount_minor for answer in answers if isinstance(answer, Succeeded)] == [
            10_00,
            2_00,
            34,
        ]
        references = {answer.provider_reference for answer in answers if isinstance(answer, Succeeded)}
        assert len(references) == 3
        assert isinstance(await rig.provider.execute(another(refund, amount_minor=1)), Refused)
        await rig.assert_refunded(refund.order_id, 12_34)

    async def test_more_than_was_captured_is_not_refunded(self, rig: Rig) -> None:
        refund = await rig.paid()
        too_much = another(refund, amount_minor=12_35)
        assert isinstance(await rig.provider.execute(too_much), Refused)
        assert isinstance(await rig.provider.execute(too_much), Refused)
        await rig.assert_refunded(refund.order_id, 0)

    async def test_what_is_only_held_is_not_refunded(self, rig: Rig) -> None:
        capture = await rig.held()
        assert isinstance(await rig.provider.execute(another(capture, "refund")), Refused)

    async def test_50_refunds_of_10_at_once_on_100_are_exactly_10(self, rig: Rig) -> None:
        refund = await rig.paid(amount_minor=1_00)
        calls = [another(refund, amount_minor=10) for _ in range(50)]
        answers = await asyncio.gather(*(rig.provider.execute(call) for call in calls))
        assert sum(isinstance(answer, Succeeded) for answer in answers) == 10
        assert sum(isinstance(answer, Refused) for answer in answers) == 40
        await rig.assert_refunded(refund.order_id, 1_00)

    async def test_20_equal_refunds_at_once_are_one(self, rig: Rig) -> None:
        refund = replace(await rig.paid(), amount_minor=5_00)
        await asyncio.gather(*(rig.provider.execute(refund) for _ in range(20)))
        assert isinstance(await known(rig.provider, refund), Succeeded)
        await rig.assert_refunded(refund.order_id, 5_00)

    async def test_a_declined_refund_gives_nothing_back(self, rig: Rig) -> None:
        refund = await rig.paid("refund_decline")
        for answer in (await rig.provider.execute(refund), await rig.provider.query(refund)):
            assert isinstance(answer, Declined)
            assert answer.reason_code == "refund_declined"
        await rig.assert_refunded(refund.order_id, 0)

    async def test_a_refund_that_timed_out_before_its_effect_is_made_by_its_repeat(self, rig: Rig) -> None:
        refund = await rig.paid("refund_timeout_before_effect")
        assert isinstance(await rig.impatient.execute(refund), Ambiguous)
        assert isinstance(await rig.provider.query(refund), NotFound)
        await rig.assert_refunded(refund.order_id, 0)
        assert isinstance(await rig.provider.execute(refund), Succeeded)
        await rig.assert_refunded(refund.order_id, 12_34)

    async def test_a_refund_that_timed_out_after_its_effect_is_found_by_asking_and_never_doubled(
        self, rig: Rig
    ) -> None:
        refund = replace(await rig.paid("refund_timeout_after_effect"), amount_minor=5_00)
        assert isinstance(await rig.impatient.execute(refund), Ambiguous)
        found = await known(rig.provider, refund)
        assert isinstance(found, Succeeded)
        repeated = await rig.provider.execute(refund)
        assert isinstance(repeated, Succeeded)
        assert repeated.provider_reference == found.provider_reference
        await rig.assert_refunded(refund.order_id, 5_00)

    async def test_a_pending_refund_succeeds_later_and_counts_meanwhile(self, rig: Rig) -> None:
        refund = await rig.paid("refund_pending")
        waiting = await rig.provider.execute(refund)
        assert isinstance(waiting, Pending)
        confirm = confirming(refund, waiting.provider_reference)
        for answer in (await rig.provider.query(refund), await rig.provider.execute(confirm)):
            assert isinstance(answer, Pending)
            assert answer.provider_reference == waiting.provider_reference
        assert isinstance(await rig.provider.execute(another(refund, amount_minor=1)), Refused)
        await rig.assert_refunded(refund.order_id, 0)

        await rig.wait_days(3)

        confirmed = await rig.provider.execute(confirm)
        assert isinstance(confirmed, Succeeded)
        assert (confirmed.provider_reference, confirmed.amount_minor) == (waiting.provider_reference, 12_34)
        await rig.assert_refunded(refund.order_id, 12_34)

    async def test_a_pending_refund_that_fails_can_be_made_again(self, rig: Rig) -> None:
        refund = await rig.paid("refund_fail")
        waiting = await rig.provider.execute(refund)
        assert isinstance(waiting, Pending)
        await rig.wait_days(3)
        failed = await rig.provider.execute(confirming(refund, waiting.provider_reference))
        assert isinstance(failed, Declined)
        assert (failed.reason_code, failed.provider_code.encode() in failed.raw) == ("account_closed", True)
        await rig.assert_refunded(refund.order_id, 0)
        assert isinstance(await rig.provider.execute(another(refund)), Pending)

    async def test_a_refund_may_fail_after_it_succeeded(self, rig: Rig) -> None:
        refund = await rig.paid("refund_bounce")
        made = await rig.provider.execute(refund)
        assert isinstance(made, Succeeded)
        await rig.wait_days(6)
        confirmed = await rig.provider.execute(confirming(refund, made.provider_reference))
        assert isinstance(confirmed, Declined)
        await rig.assert_refunded(refund.order_id, 0)
