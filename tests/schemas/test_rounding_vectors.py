"""Rounding and allocation against moneyphp's vectors: another implementation's answers."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

import pytest

from schemas.money import Rounding, allocate, round_minor
from tests.schemas.vectors import vectors

VECTORS: Final[dict[str, list[dict[str, Any]]]] = json.loads(
    vectors("rounding/moneyphp_vectors.json").read_text()
)


def listed(ratios: list[Any] | dict[str, Any]) -> list[Any]:
    """Ratios and shares in order; one vector names them."""
    return list(ratios.values()) if isinstance(ratios, dict) else ratios


@pytest.mark.parametrize(
    "row", VECTORS["rounding_to_integer"], ids=lambda row: f"{row['value']} {row['mode']}"
)
def test_rounds_as_moneyphp(row: dict[str, str]) -> None:
    assert round_minor(Decimal(row["value"]), Rounding(row["mode"])) == int(row["expected"])


@pytest.mark.parametrize(
    "row", VECTORS["allocation_by_ratio"], ids=lambda row: f"{row['amount']} {row['ratios']}"
)
def test_allocates_by_ratio_as_moneyphp(row: dict[str, Any]) -> None:
    ratios = [Decimal(ratio) for ratio in listed(row["ratios"])]
    assert allocate(row["amount"], ratios) == listed(row["expected"])


@pytest.mark.parametrize(
    "row", VECTORS["allocation_to_n"], ids=lambda row: f"{row['amount']} to {row['targets']}"
)
def test_allocates_evenly_as_moneyphp(row: dict[str, Any]) -> None:
    assert allocate(row["amount"], [1] * row["targets"]) == row["expected"]


def test_the_vectors_know_every_rounding_but_the_two_that_need_no_half() -> None:
    named = {row["mode"] for row in VECTORS["rounding_to_integer"]}
    assert set(Rounding) - named == {Rounding.UP, Rounding.DOWN}
