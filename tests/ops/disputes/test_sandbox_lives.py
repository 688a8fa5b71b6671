"""Lives of disputes at the sandbox provider, told by its webhooks, read by its adapter: any order ends alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Final
from uuid import UUID

import pytest

from ops.sandbox import disputes as sandbox
from ops.sandbox.events import events_between
from ops.sandbox.messages import DisputeRequest, EvidenceRequest
from ops.sandbox.model import Authorization, Capture, Refusal
from producers.providers.sandbox.webhooks import SandboxWebhooks
from producers.providers.webhooks import Endpoint, Unreadable
from schemas.webhook import DisputeReported
from tests.handlers.disputes.case import CAPTURED_MINOR, NOW, REFERENCE, Case

if TYPE_CHECKING:
    from collections.abc import Sequence


ENDPOINT: Final = Endpoint("sandbox", "main", "acme", ())
WEBHOOK: Final = UUID("5b5f3a52-6f0e-5a55-8a3c-2f7f10a9f0dd")

LIVES: Final = {
    "chargeback evidence won": ("won", "chargeback_won"),
    "chargeback evidence lost": ("lost", "chargeback_lost"),
    "chargeback accept": ("accepted", "chargeback_lost"),
    "chargeback expire": ("expired", "chargeback_lost"),
    "chargeback won escalate evidence lost": ("lost", "chargeback_lost"),
    "chargeback won escalate won": ("won", "chargeback_won"),
    "inquiry evidence won": ("won", "succeeded"),
    "inquiry lost": ("lost", "chargeback_lost"),
    "inquiry accept": ("accepted", "chargeback_lost"),
    "inquiry expire escalate evidence won": ("won", "chargeback_won"),
    "inquiry escalate expire": ("expired", "chargeback_lost"),
}
"""What happens there -> how our dispute and our payment end."""


def captured() -> Authorization:
    """The provider's side of the case's payment."""
    return Authorization(
        id=REFERENCE,
        idempotency_key="call-1",
        reference="order-1",
        token="tok_approve",  # noqa: S106 - a sandbox token's name is no secret
        network="card_standard",
        amount_minor=CAPTURED_MINOR,
        currency="EUR",
        capture=True,
        metadata={"order_id": "order-1", "tenant": "acme"},
        status="captured",
        decline_code=None,
        created_at=NOW,
        captures=(Capture(id="cap_1", amount_minor=CAPTURED_MINOR, final=True),),
    )


def happen(step: str, charge: Authorization, hour: int) -> Authorization | Refusal | None:
    """One step of a life."""
    if step in {"inquiry", "chargeback"}:
        request = DisputeRequest.model_validate({"authorization_id": REFERENCE, "stage": step})
        return sandbox.open_dispute(charge, request, "d1", NOW)
    dispute_id = charge.disputes[0].id
    match step:
        case "evidence":
            evidence = EvidenceRequest.model_validate({"evidence": {"uncategorized_text": "it was sent"}})
            return sandbox.submit_evidence(charge, dispute_id, evidence)
        case "accept":
            return sandbox.accept(charge, dispute_id)
        case "expire":
            return sandbox.expire(charge, dispute_id, NOW + timedelta(days=60))
        case "escalate":
            return sandbox.escalate(charge, dispute_id, 7 * 86_400_000, NOW + timedelta(hours=hour))
        case _:
            return sandbox.decide(charge, dispute_id, "won" if step == "won" else "lost")


def webhooks(life: str) -> list[DisputeReported]:
    """What the provider tells of a life, an hour a step."""
    charge = captured()
    told: list[DisputeReported] = []
    for hour, step in enumerate(life.split()):
        after = happen(step, charge, hour)
        assert isinstance(after, Authorization), after
        at = NOW + timedelta(hours=hour)
        for event in events_between(charge, after, None, at, "http://127.0.0.1"):
            read = SandboxWebhooks().read(event.body, ENDPOINT, WEBHOOK)
            assert not isinstance(read, Unreadable)
            told += [message for message in read if isinstance(message, DisputeReported)]
        charge = after
    assert len(told) >= len(life.split())
    return told


def play(messages: Sequence[DisputeReported]) -> Case:
    """They come in this order."""
    case = Case()
    case.payment = replace(case.payment, provider_reference=REFERENCE)
    for message in messages:
        case.take(message)
    return case


@pytest.mark.parametrize("life", LIVES)
def test_a_life_ends_as_the_provider_says_in_any_order(life: str) -> None:
    told = webhooks(life)
    name = told[0].data.dispute_reference
    straight = play(told)
    assert (straight.find(name).state, straight.payment.state) == LIVES[life]
    assert "chargeback_clearing" not in straight.balances
    lost = LIVES[life][1] == "chargeback_lost"
    fee_minor = straight.find(name).fee_minor
    assert straight.balances.get("merchant_payable", 0) == (CAPTURED_MINOR + fee_minor if lost else 0)
    for seed in range(20):
        shuffled = play(Random(seed).sample(told, len(told)) + told)  # noqa: S311 - any order will do
        assert (shuffled.find(name).state, shuffled.payment.state) == LIVES[life]
        assert shuffled.balances == straight.balances
        assert shuffled.payment.disputed_minor == straight.payment.disputed_minor
