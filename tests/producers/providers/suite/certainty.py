"""Certainty: what an adapter may say of an outcome that it did not see, and one effect for every call."""
# ruff: noqa: D102  # a test's name is its sentence, in a class as well

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import pytest

from producers.providers.base import (
    READINGS,
    Ambiguous,
    NotFound,
    Operation,
    Refused,
    Succeeded,
    Transient,
)
from tests.producers.providers.suite.rig import following, known

if TYPE_CHECKING:
    from producers.providers.base import ProviderRequest
    from tests.producers.providers.suite.rig import Rig


OPERATIONS: tuple[Operation, ...] = get_args(Operation)


def about_nothing(rig: Rig, operation: Operation) -> ProviderRequest:
    """A well-formed call about an authorization, refund or dispute that nobody has heard of."""
    call = rig.authorize()
    if operation == "authorize":
        return call
    return following(
        call,
        operation,
        "auth_unknown",
        object_reference="object_unknown",
        object_id=uuid.uuid4(),
        evidence={"product_description": "A book"},
    )


class CertaintyConformance:
    """Part of `ProviderConformance`."""

    # ------------------------------------------------------------ certainty

    @pytest.mark.parametrize(
        "outcome", ["timeout_before_effect", "error_before_effect", "reset_before_effect"]
    )
    async def test_an_unknown_outcome_without_effect_is_asked_and_the_same_call_repeated(
        self, rig: Rig, outcome: str
    ) -> None:
        call = rig.authorize(outcome)
        assert isinstance(await rig.impatient.execute(call), Ambiguous)
        assert isinstance(await rig.provider.query(call), NotFound)
        assert await rig.captured(call.order_id) == []
        assert isinstance(await rig.provider.execute(call), Succeeded)
        assert await rig.captured(call.order_id) == [12_34]

    @pytest.mark.parametrize("outcome", ["timeout_after_effect", "error_after_effect", "slow"])
    async def test_an_unknown_outcome_with_effect_is_found_by_asking_and_never_doubled(
        self, rig: Rig, outcome: str
    ) -> None:
        call = rig.authorize(outcome)
        assert isinstance(await rig.impatient.execute(call), Ambiguous)
        found = await known(rig.provider, call)
        assert isinstance(found, Succeeded)
        assert (found.amount_minor, found.captured) == (12_34, True)
        repeated = await rig.provider.execute(call)
        assert isinstance(repeated, Succeeded)
        assert repeated.provider_reference == found.provider_reference
        assert await rig.captured(call.order_id) == [12_34]

    async def test_a_slow_answer_is_an_answer_to_the_patient(self, rig: Rig) -> None:
        assert isinstance(await rig.provider.execute(rig.authorize("slow")), Succeeded)

    async def test_a_capture_that_timed_out_is_found_by_asking(self, rig: Rig) -> None:
        capture = await rig.held("capture_timeout")
        assert isinstance(await rig.impatient.execute(capture), Ambiguous)
        found = await known(rig.provider, capture)
        assert isinstance(found, Succeeded)
        assert (found.amount_minor, found.captured) == (12_34, True)
        assert await rig.captured(capture.order_id) == [12_34]

    async def test_a_rate_limit_is_transient_and_says_when_to_return(self, rig: Rig) -> None:
        call = rig.authorize("rate_limited")
        turned_away = await rig.provider.execute(call)
        assert isinstance(turned_away, Transient)
        assert turned_away.retry_after_ms == 1_000
        assert isinstance(await rig.provider.query(call), NotFound)
        assert isinstance(await rig.provider.execute(call), Succeeded)

    @pytest.mark.parametrize("operation", OPERATIONS)
    async def test_nobody_listening_is_transient_but_leaves_the_query_open(
        self, rig: Rig, operation: Operation
    ) -> None:
        call = about_nothing(rig, operation)
        assert isinstance(await rig.unreachable.execute(call), Transient)
        asked = Transient if operation in READINGS else Ambiguous
        assert isinstance(await rig.unreachable.query(call), asked)

    async def test_a_call_never_sent_is_not_found(self, rig: Rig) -> None:
        assert isinstance(await rig.provider.query(rig.authorize()), NotFound)

    # ------------------------------------------------------------ our mistakes

    async def test_what_the_state_forbids_is_refused(self, rig: Rig) -> None:
        capture = await rig.held()
        assert isinstance(await rig.provider.execute(replace(capture, amount_minor=12_35)), Refused)
        done = replace(capture, call_id=uuid.uuid4())
        assert isinstance(await rig.provider.execute(done), Succeeded)
        for operation in ("capture", "void"):
            assert capture.provider_reference is not None
            again = following(capture, operation, capture.provider_reference)
            assert isinstance(await rig.provider.execute(again), Refused)
            assert isinstance(await rig.provider.query(again), Refused)
        assert await rig.captured(capture.order_id) == [12_34]

    @pytest.mark.parametrize("operation", [one for one in OPERATIONS if one != "authorize"])
    @pytest.mark.parametrize("reference", ["auth_unknown", "../ledger", "a/b?c#d", "ä %2F", ".."])
    async def test_what_is_not_known_is_refused(self, rig: Rig, operation: Operation, reference: str) -> None:
        call = replace(
            about_nothing(rig, operation), provider_reference=reference, object_reference=reference
        )
        assert isinstance(await rig.provider.execute(call), Refused)

    async def test_a_wrong_key_refuses_calls_and_leaves_queries_open(self, rig: Rig) -> None:
        call = rig.authorize()
        refused = await rig.stranger.execute(call)
        assert isinstance(refused, Refused)
        assert "401" in refused.detail
        assert isinstance(await rig.stranger.query(call), Ambiguous)
        assert await rig.captured(call.order_id) == []

    # ------------------------------------------------------------ one effect per call

    async def test_a_repeat_gets_the_first_answer(self, rig: Rig) -> None:
        call = rig.authorize()
        first = await rig.provider.execute(call)
        assert isinstance(first, Succeeded)
        assert [await rig.provider.execute(call) for _ in range(3)] == [first] * 3
        assert await rig.captured(call.order_id) == [12_34]

    async def test_50_equal_calls_at_once_are_one_charge(self, rig: Rig) -> None:
        call = rig.authorize()
        answers = await asyncio.gather(*(rig.provider.execute(call) for _ in range(50)))
        assert isinstance(answers[0], Succeeded)
        assert answers == [answers[0]] * 50
        assert await rig.captured(call.order_id) == [12_34]

    async def test_50_calls_with_one_id_and_other_amounts_are_one_charge(self, rig: Rig) -> None:
        call = rig.authorize()
        answers = await asyncio.gather(
            *(rig.provider.execute(replace(call, amount_minor=amount)) for amount in range(1, 51))
        )
        [winner] = [answer for answer in answers if isinstance(answer, Succeeded)]
        assert sum(isinstance(answer, Refused) for answer in answers) == 49
        assert await rig.captured(call.order_id) == [winner.amount_minor]
