"""A call that cannot mean anything cannot be built."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from producers.providers.base import ProviderRequest

AUTHORIZE: dict[str, Any] = {"operation": "authorize", "method_type": "card", "token": "tok"}
CAPTURE: dict[str, Any] = {"operation": "capture", "provider_reference": "auth_1"}
COMMON: dict[str, Any] = {
    "call_id": UUID(int=1),
    "tenant": "acme",
    "amount_minor": 1,
    "currency": "EUR",
    "order_id": "order-1",
}


@pytest.mark.parametrize(
    "fields",
    [
        AUTHORIZE,
        CAPTURE,
        CAPTURE | {"operation": "void", "amount_minor": 0},
        CAPTURE | {"operation": "confirm", "amount_minor": 0},
    ],
)
def test_a_complete_call_can_be_built(fields: dict[str, Any]) -> None:
    assert ProviderRequest(**COMMON | fields).operation == fields["operation"]


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        (AUTHORIZE | {"token": None}, "token"),
        (AUTHORIZE | {"token": ""}, "token"),
        (AUTHORIZE | {"method_type": None}, "method_type"),
        (AUTHORIZE | {"amount_minor": 0}, "positive amount_minor"),
        (CAPTURE | {"amount_minor": -1}, "positive amount_minor"),
        (CAPTURE | {"provider_reference": None}, "provider_reference"),
        (CAPTURE | {"operation": "void", "provider_reference": ""}, "provider_reference"),
        (CAPTURE | {"operation": "confirm", "provider_reference": None}, "provider_reference"),
    ],
)
def test_an_incomplete_call_is_a_bug_and_says_what_is_missing(fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ProviderRequest(**COMMON | fields)
