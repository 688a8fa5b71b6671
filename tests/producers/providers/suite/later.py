"""Methods whose outcome comes days later: a bank debit."""
# ruff: noqa: D102  # a test's name is its sentence, in a class as well

from __future__ import annotations

from typing import TYPE_CHECKING

from producers.providers.base import Declined, Pending, Succeeded
from tests.producers.providers.suite.rig import following

if TYPE_CHECKING:
    from producers.providers.base import ProviderRequest
    from tests.producers.providers.suite.rig import Rig


async def pending(rig: Rig, outcome: str) -> ProviderRequest:
    """Begin a bank debit; the call that asks what became of it."""
    call = rig.authorize(outcome, method_type="bank_debit")
    answer = await rig.provider.execute(call)
    assert isinstance(answer, Pending)
    asked = await rig.provider.query(call)
    assert isinstance(asked, Pending)
    assert asked.provider_reference == answer.provider_reference
    assert await rig.provider.execute(call) == answer
    return following(call, "confirm", answer.provider_reference)


class LaterConformance:
    """Part of `ProviderConformance`."""

    async def test_a_debit_is_pending_until_the_bank_has_paid(self, rig: Rig) -> None:
        confirm = await pending(rig, "debit_approve")
        for answer in (await rig.provider.execute(confirm), await rig.provider.query(confirm)):
            assert isinstance(answer, Pending)
        assert sum(await rig.captured(confirm.order_id)) == 0
        await rig.wait_days(4)
        for answer in (await rig.provider.execute(confirm), await rig.provider.query(confirm)):
            assert isinstance(answer, Succeeded)
            assert (answer.amount_minor, answer.captured) == (12_34, True)
            assert answer.provider_reference == confirm.provider_reference
        assert await rig.captured(confirm.order_id) == [12_34]

    async def test_a_debit_may_fail_days_later(self, rig: Rig) -> None:
        confirm = await pending(rig, "debit_fail")
        await rig.wait_days(4)
        answer = await rig.provider.execute(confirm)
        assert isinstance(answer, Declined)
        assert answer.reason_code == "insufficient_funds"
        assert sum(await rig.captured(confirm.order_id)) == 0

    async def test_a_debit_may_be_returned_after_it_succeeded(self, rig: Rig) -> None:
        confirm = await pending(rig, "debit_return")
        await rig.wait_days(4)
        assert isinstance(await rig.provider.execute(confirm), Succeeded)
        await rig.wait_days(7)
        answer = await rig.provider.execute(confirm)
        assert isinstance(answer, Declined)
        assert answer.reason_code == "returned_by_bank"
