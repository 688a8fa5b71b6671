"""What every provider adapter must do, against the real provider in its own process.

A test module supplies the fixture `rig` for its provider and inherits the tests. An outcome that a provider
cannot be made to show is left out of its rig's tokens, and the test says that it was skipped.
"""
# ruff: noqa: D102  # a test's name is its sentence, in a class as well

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import pytest

from producers.providers.base import (
    Ambiguous,
    ChallengeRequired,
    Declined,
    NotFound,
    Provider,
    ProviderAnswer,
    ProviderRequest,
    Refused,
    Succeeded,
    Transient,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

DEADLINE_S = 10

DECLINE_REASONS = [
    "insufficient_funds",
    "do_not_honor",
    "expired_card",
    "incorrect_cvc",
    "lost_card",
    "stolen_card",
    "suspected_fraud",
    "try_again_later",
]


@dataclass(frozen=True)
class Rig:
    """A provider with everything a test needs around it."""

    provider: Provider
    impatient: Provider
    """The same account, with a read time-out so short that a hanging call is given up at once."""
    unreachable: Provider
    """The same provider at an address where nobody listens."""
    stranger: Provider
    """The same provider with a wrong key."""
    tokens: Mapping[str, str]
    """What is to happen -> the token that makes it happen; declines by our reason code."""
    captured: Callable[[str], Awaitable[list[int]]]
    """What the provider's own books say was captured for an order, one amount a charge."""
    answer_challenge: Callable[[str, Literal["passed", "failed"]], Awaitable[None]]
    """Play the customer in front of an authorization's challenge."""

    def token(self, outcome: str) -> str:
        """The token for an outcome, or a skipped test."""
        if outcome not in self.tokens:
            pytest.skip(f"this provider cannot be made to show: {outcome}")
        return self.tokens[outcome]

    def authorize(self, outcome: str = "approve", **fields: Any) -> ProviderRequest:
        """A new authorization of 12.34 EUR for a new order, captured at once unless said otherwise."""
        plain = ProviderRequest(
            call_id=uuid.uuid4(),
            tenant="acme",
            operation="authorize",
            amount_minor=12_34,
            currency="EUR",
            method_type="card",
            token=self.token(outcome),
            order_id=f"order-{uuid.uuid4()}",
            capture=True,
        )
        return replace(plain, **fields)

    async def held(self, outcome: str = "approve", **fields: Any) -> ProviderRequest:
        """Hold the money; the call that would capture all of it."""
        call = self.authorize(outcome, capture=False, **fields)
        answer = await self.provider.execute(call)
        assert isinstance(answer, Succeeded)
        return following(call, "capture", answer.provider_reference)


def following(call: ProviderRequest, operation: Any, reference: str, **fields: Any) -> ProviderRequest:
    """The next call on the same order, under an id of its own."""
    plain = replace(call, call_id=uuid.uuid4(), operation=operation, provider_reference=reference, token=None)
    return replace(plain, **fields)


async def known(provider: Provider, call: ProviderRequest) -> ProviderAnswer:
    """The query's answer once the provider knows the call, which may still be on its way after a time-out."""
    deadline = time.monotonic() + DEADLINE_S
    while isinstance(answer := await provider.query(call), NotFound):
        assert time.monotonic() < deadline, "the provider never saw the call"
    return answer


class ProviderConformance:
    """Inherit this beside a fixture `rig`."""

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

    async def test_nobody_listening_is_transient_but_leaves_the_query_open(self, rig: Rig) -> None:
        call = rig.authorize()
        confirm = following(call, "confirm", "auth_1")
        assert isinstance(await rig.unreachable.execute(call), Transient)
        assert isinstance(await rig.unreachable.query(call), Ambiguous)
        assert isinstance(await rig.unreachable.execute(confirm), Transient)
        assert isinstance(await rig.unreachable.query(confirm), Transient)

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

    @pytest.mark.parametrize("operation", ["capture", "void", "confirm"])
    @pytest.mark.parametrize("reference", ["auth_unknown", "../ledger", "a/b?c#d", "ä %2F"])
    async def test_an_unknown_authorization_is_refused(
        self, rig: Rig, operation: str, reference: str
    ) -> None:
        assert isinstance(
            await rig.provider.execute(following(rig.authorize(), operation, reference)), Refused
        )

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
