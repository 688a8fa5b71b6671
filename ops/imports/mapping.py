"""What the columns of a CSV file mean, as data: built in by name, or a TOML or JSON file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from schemas.checkout import Collection
from schemas.money import CurrencyCode

_BUILT_IN: Final = Path(__file__).parent / "mappings"
BUILT_IN: Final = tuple(sorted(file.stem for file in _BUILT_IN.glob("*.toml")))
"""Names of the mappings that come with the package."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"{name!r} is not a time zone of the IANA database") from error
    return name


Column = Annotated[str, Field(min_length=1, max_length=200)]
Zone = Annotated[str, AfterValidator(_known_zone)]


class Columns(BaseModel):
    """Names in the file's header. A row's amount is its own column, or quantity times unit price."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    order: Column
    time: Column
    amount: Column | None = None
    quantity: Column | None = None
    unit_price: Column | None = None
    currency: Column | None = None
    customer: Column | None = None

    @model_validator(mode="after")
    def _one_way_to_the_amount(self) -> Columns:
        product = self.quantity is not None and self.unit_price is not None
        one_of_two = (self.quantity is None) != (self.unit_price is None)
        if one_of_two or product == (self.amount is not None):
            raise ValueError("name either amount, or both quantity and unit_price")
        return self

    def names(self) -> tuple[str, ...]:
        """Every column that the file must have."""
        return tuple(name for name in self.model_dump().values() if name is not None)


class Mapping(BaseModel):
    """How a file is read.

    Times without an offset are of `timezone`; `currency` is for files without such a column.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    columns: Columns
    encoding: Literal["utf-8", "cp1252", "iso-8859-1"] = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    time_format: Annotated[str, Field(description="as strptime reads it; ISO 8601 without it")] | None = None
    timezone: Zone = "UTC"
    currency: CurrencyCode | None = None
    collection: Collection = "point_of_sale"
    cancellation_prefix: Annotated[str, Field(min_length=1)] | None = None
    adjustment_prefix: Annotated[str, Field(min_length=1)] | None = None
    customer_suffix: str = ""

    @model_validator(mode="after")
    def _one_source_of_currency(self) -> Mapping:
        if self.currency is not None and self.columns.currency is not None:
            raise ValueError("the file has a currency column; leave currency out")
        return self

    def changed(self, *, currency: str | None, timezone: str | None) -> Mapping:
        """With what a person says differently. Raises ValueError when that does not fit."""
        changes = {"currency": currency, "timezone": timezone}
        given = {name: value for name, value in changes.items() if value is not None}
        after = Mapping.model_validate(self.model_dump() | given)
        if after.currency is None and after.columns.currency is None:
            raise ValueError("the file has no currency column; say --currency")
        return after


def load_mapping(name: str) -> Mapping:
    """A built-in mapping by its name, or a .toml or .json file by its path. Raises ValueError or OSError."""
    path = _BUILT_IN / f"{name}.toml" if name in BUILT_IN else Path(name)
    if not path.exists():
        raise ValueError(f"{name} is no file, and no built-in mapping ({', '.join(BUILT_IN)})")
    text = path.read_text(encoding="utf-8")
    return Mapping.model_validate(json.loads(text) if path.suffix == ".json" else tomllib.loads(text))
