"""What a mapping may say, and what it must."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ops.imports.mapping import BUILT_IN, load_mapping

AMOUNT = {"order": "no", "time": "at", "amount": "total"}


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_mapping_is_known_by_its_name(name: str) -> None:
    assert load_mapping(name).columns.order


def test_toml_and_json_say_the_same(tmp_path: Path) -> None:
    toml, as_json = tmp_path / "shop.toml", tmp_path / "shop.json"
    toml.write_text('currency = "EUR"\n[columns]\norder = "no"\ntime = "at"\namount = "total"\n')
    as_json.write_text(json.dumps({"currency": "EUR", "columns": AMOUNT}))
    assert load_mapping(str(toml)) == load_mapping(str(as_json))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"columns": {"order": "no", "time": "at"}}, "either amount, or both"),
        ({"columns": {"order": "no", "time": "at", "quantity": "n"}}, "either amount, or both"),
        ({"columns": {**AMOUNT, "quantity": "n", "unit_price": "p"}}, "either amount, or both"),
        ({"columns": {**AMOUNT, "quantity": "n"}}, "either amount, or both"),
        ({"columns": {**AMOUNT, "colour": "c"}}, "colour"),
        ({"columns": AMOUNT, "timezone": "Europe/Atlantis"}, "Europe/Atlantis"),
        ({"columns": AMOUNT, "currency": "GBX"}, "GBX"),
        ({"columns": {**AMOUNT, "currency": "cur"}, "currency": "EUR"}, "currency column"),
        ({"columns": AMOUNT, "collection": "card"}, "collection"),
        ({"columns": AMOUNT, "delimiter": "::"}, "delimiter"),
        ({"columns": AMOUNT, "cancellation_prefix": ""}, "cancellation_prefix"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused_with_the_reason(
    tmp_path: Path, said: dict[str, object], told: str
) -> None:
    file = tmp_path / "shop.json"
    file.write_text(json.dumps(said))
    with pytest.raises(ValueError, match=told):
        load_mapping(str(file))


def test_an_unknown_mapping_names_those_that_exist() -> None:
    with pytest.raises(ValueError, match="online-retail"):
        load_mapping("no-such-mapping")


def test_a_file_without_a_currency_column_needs_a_currency(tmp_path: Path) -> None:
    file = tmp_path / "shop.json"
    file.write_text(json.dumps({"columns": AMOUNT}))
    with pytest.raises(ValueError, match="--currency"):
        load_mapping(str(file)).changed(currency=None, timezone=None)
    assert load_mapping(str(file)).changed(currency="JPY", timezone=None).currency == "JPY"
