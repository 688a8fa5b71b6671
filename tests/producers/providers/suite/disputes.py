"""Disputes: answering one, giving in, and what that does to refunds."""
# ruff: noqa: D102  # a test's name is its sentence, in a class as well

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from producers.providers.base import NotFound, Refused, Succeeded
from tests.producers.providers.suite.rig import another

if TYPE_CHECKING:
    from tests.producers.providers.suite.rig import Rig, Stage

EVIDENCE = {"product_description": "A book", "shipping_tracking_number": "JD014600003SE"}


class DisputeConformance:
    """Part of `ProviderConformance`."""

    @pytest.mark.parametrize("stage", ["inquiry", "chargeback"])
    async def test_evidence_is_submitted_once(self, rig: Rig, stage: Stage) -> None:
        refund, reference = await rig.disputed(stage)
        submit = another(refund, "submit_evidence", object_reference=reference, evidence=EVIDENCE)
        assert isinstance(await rig.provider.query(submit), NotFound)
        answer = await rig.provider.execute(submit)
        assert isinstance(answer, Succeeded)
        assert (answer.provider_reference, answer.captured) == (reference, False)
        for again in (await rig.provider.execute(submit), await rig.provider.query(submit)):
            assert isinstance(again, Succeeded)
            assert again.provider_reference == reference
        assert isinstance(await rig.provider.execute(another(submit)), Refused)
        accept = another(submit, "accept_dispute")
        assert isinstance(await rig.provider.execute(accept), Refused)

    @pytest.mark.parametrize("stage", ["inquiry", "chargeback"])
    async def test_a_dispute_is_accepted_once_and_for_all(self, rig: Rig, stage: Stage) -> None:
        refund, reference = await rig.disputed(stage)
        accept = another(refund, "accept_dispute", object_reference=reference)
        answer = await rig.provider.execute(accept)
        assert isinstance(answer, Succeeded)
        assert (answer.provider_reference, answer.captured) == (reference, False)
        assert isinstance(await rig.provider.query(accept), Succeeded)
        assert isinstance(await rig.provider.execute(another(accept)), Refused)
        submit = another(accept, "submit_evidence", evidence=EVIDENCE)
        assert isinstance(await rig.provider.execute(submit), Refused)

    async def test_what_is_charged_back_is_not_refunded_too(self, rig: Rig) -> None:
        refund, _ = await rig.disputed("chargeback")
        assert isinstance(await rig.provider.execute(another(refund, amount_minor=1)), Refused)
        await rig.assert_refunded(refund.order_id, 0)
