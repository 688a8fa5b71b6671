"""What the suite needs of a provider: adapters, tokens, a look into its books, and hands on its clock."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import pytest

from producers.providers.base import NotFound, Provider, ProviderAnswer, ProviderRequest, Succeeded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

DEADLINE_S = 100

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

Stage: TypeAlias = Literal["inquiry", "chargeback"]


@dataclass(frozen=True)
class Rig:
    """A provider with everything a test needs around it. What it lacks is left out, and its tests are skipped."""

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
    refunded: Callable[[str], Awaitable[int]] | None = None
    """What the provider's own books say was given back for an order in all."""
    pass_days: Callable[[int], Awaitable[None]] | None = None
    """Let so many days pass at the provider."""
    open_dispute: Callable[[str, Stage], Awaitable[str]] | None = None
    """Play the customer's bank: dispute all that was captured of an authorization; the dispute's reference."""

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

    async def paid(self, outcome: str = "approve", **fields: Any) -> ProviderRequest:
        """Take the money; the call that would refund all of it."""
        call = self.authorize(outcome, **fields)
        answer = await self.provider.execute(call)
        assert isinstance(answer, Succeeded)
        assert answer.captured
        return following(call, "refund", answer.provider_reference, object_id=uuid.uuid4())

    async def disputed(self, stage: Stage) -> tuple[ProviderRequest, str]:
        """Take the money, and have it disputed; the call that would refund it, and the dispute's reference."""
        if self.open_dispute is None:
            pytest.skip("this provider cannot be made to dispute")
        refund = await self.paid()
        assert refund.provider_reference is not None
        return refund, await self.open_dispute(refund.provider_reference, stage)

    async def wait_days(self, days: int) -> None:
        """Let time pass, or skip the test."""
        if self.pass_days is None:
            pytest.skip("this provider's clock cannot be moved")
        await self.pass_days(days)

    async def assert_refunded(self, order_id: str, amount_minor: int) -> None:
        """Look into the provider's books, where that is possible."""
        if self.refunded is not None:
            assert await self.refunded(order_id) == amount_minor


def following(call: ProviderRequest, operation: Any, reference: str, **fields: Any) -> ProviderRequest:
    """The next call on the same order, under an id of its own."""
    plain: dict[str, Any] = {"operation": operation, "provider_reference": reference, "token": None}
    return replace(call, call_id=uuid.uuid4(), **plain | fields)


def another(call: ProviderRequest, operation: Any = None, **fields: Any) -> ProviderRequest:
    """A further call about the same authorization, under an id of its own and with a refund id of its own."""
    plain: dict[str, Any] = {"operation": operation or call.operation}
    if plain["operation"] == "refund":
        plain["object_id"] = uuid.uuid4()
    return replace(call, call_id=uuid.uuid4(), **plain | fields)


async def known(provider: Provider, call: ProviderRequest) -> ProviderAnswer:
    """The query's answer once the provider knows the call, which may still be on its way after a time-out."""
    deadline = time.monotonic() + DEADLINE_S
    while isinstance(answer := await provider.query(call), NotFound):
        assert time.monotonic() < deadline, "the provider never saw the call"
    return answer
