"""Who is asked: the first provider of the first row that fits, and the next only when nothing can have happened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from handlers.payments.routing import ROUTING, next_provider, providers_of
from schemas.reasons import Reason
from tests.handlers.payments.situations import authorized
from tests.handlers.scene import Scene

# fmt: off
ROUTES: Final = [
    # tenant    method        currency  providers
    ("acme",   "card",        "EUR",    ("sandbox",)),
    ("acme",   "bank_debit",  "EUR",    ("sandbox",)),
    ("stripe", "card",        "EUR",    ("stripe", "sandbox")),
    ("adyen",  "card",        "USD",    ("adyen", "sandbox")),
    ("multi",  "card",        "EUR",    ("adyen", "stripe", "sandbox")),
    ("multi",  "card",        "USD",    ("stripe", "adyen", "sandbox")),
    ("multi",  "bank_debit",  "EUR",    ("sandbox",)),
]
# fmt: on


@pytest.mark.parametrize(("tenant", "method", "currency", "providers"), ROUTES)
def test_a_payment_goes_where_the_table_says(
    tenant: str, method: str, currency: str, providers: tuple[str, ...]
) -> None:
    payment = replace(authorized().payment, tenant=tenant, method=method, currency=currency)
    assert providers_of(payment) == providers
    orders = [next_provider(replace(payment, provider=provider)) for provider in providers]
    assert orders == [*providers[1:], None]


def test_every_row_of_the_table_is_used() -> None:
    used = {providers for _, _, _, providers in ROUTES}
    assert {row.providers for row in ROUTING} == used


def test_what_nobody_takes_is_a_bug_not_a_guess() -> None:
    with pytest.raises(LookupError, match="no provider takes cash"):
        providers_of(replace(authorized().payment, method="cash"))


def multi(**request: Any) -> Scene:
    """A tenant with three providers."""
    return Scene(tenant="multi").send("payment_requested", **request)


def test_after_a_certain_failure_the_same_attempt_goes_to_the_next_provider() -> None:
    scene = multi()
    asked = []
    while scene.payment.state == "processing":
        asked.append(scene.calls[-1].provider)
        scene.answer("call_failed", reason="provider_unavailable")
    assert asked == ["adyen", "stripe", "sandbox"]
    assert (scene.payment.state, scene.payment.attempts) == ("requires_confirmation", 1)
    assert len({call.call_id for call in scene.calls}) == 3
    assert scene.send("confirmation_requested").calls[-1].provider == "adyen"


def test_the_next_provider_s_answer_is_the_payment_s() -> None:
    scene = multi(capture_method="automatic").answer("call_failed").answer("call_succeeded", captured=True)
    assert (scene.payment.provider, scene.payment.state) == ("stripe", "succeeded")
    assert scene.postings[0].legs[0].owner == "stripe"


@pytest.mark.parametrize(
    ("answer", "data"),
    [
        ("call_unknown", {}),
        ("call_declined", {"reason": "do_not_honor"}),
        ("call_failed", {"reason": "provider_refused_request"}),
        ("challenge_required", {}),
        ("call_pending", {}),
    ],
)
def test_nothing_else_sends_a_payment_elsewhere(answer: str, data: dict[str, Any]) -> None:
    assert len(multi().answer(answer, **data).calls) == 1


def test_after_an_unknown_outcome_no_other_provider_is_asked() -> None:
    scene = multi().answer("call_unknown").answer("call_failed", reason="provider_unavailable")
    assert (scene.payment.state, len(scene.calls)) == ("requires_confirmation", 1)


def test_after_a_challenge_no_other_provider_is_asked() -> None:
    scene = multi().answer("challenge_required").send("challenge_completed").answer("call_failed")
    assert {call.provider for call in scene.calls} == {"adyen"}


def test_a_charge_at_the_provider_before_is_given_back_when_it_turns_up() -> None:
    scene = multi(capture_method="automatic").answer("call_failed").answer("call_succeeded", captured=True)
    scene.report("captured", provider="adyen", provider_reference="psp_1", call_id=scene.calls[0].call_id)
    assert (scene.calls[-1].operation, scene.calls[-1].provider) == ("refund", "adyen")
    assert scene.notices[0] == "payment.late_success_reversing"
    assert scene.payment.reason is not Reason.REVERSED_LATE_SUCCESS
