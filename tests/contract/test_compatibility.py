"""What a released schema may become. The rows follow the table in docs/adr/0006-contracts.md."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final, NamedTuple

import pytest

from ops.contracts.compatibility import breaks

Schema = dict[str, Any]

RELEASED: Final[Schema] = {
    "$defs": {
        "Data": {
            "type": "object",
            "properties": {
                "order": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[a-z]+$"},
                "amount": {"type": "integer", "exclusiveMinimum": 0, "maximum": 1000},
                "method": {"type": "string", "enum": ["card", "cash"]},
                "at": {"type": "string", "format": "date-time"},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
                "final": {"type": "boolean", "default": True},
                "card": {"anyOf": [{"$ref": "#/$defs/Card"}, {"type": "null"}], "default": None},
                "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}, "maxItems": 10},
                "fixed": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}},
            },
            "required": ["order", "amount"],
        },
        "Card": {
            "type": "object",
            "properties": {"token": {"type": "string"}, "last4": {"type": "string"}},
            "required": ["token"],
        },
        "Line": {"type": "object", "properties": {"side": {"const": "debit"}, "amount": {"type": "integer"}}},
    },
    "type": "object",
    "properties": {"type": {"const": "order.paid.v1"}, "data": {"$ref": "#/$defs/Data"}},
    "required": ["type", "data"],
}

GONE: Final = "gone"
YES, NO = True, False
BOTH: Final = ["order", "amount"]
INTEGER: Final = {"type": "integer"}
NULLABLE: Final = {"anyOf": [INTEGER, {"type": "null"}]}
OTHERS: Final = "additionalProperties"


class Row(NamedTuple):
    """A change, where a break is told, and whether we may make it in what we read and in what we write."""

    name: str
    edits: Schema
    place: str
    read: bool
    written: bool


TABLE: Final = [
    Row("nothing", {}, "", YES, YES),
    Row("another description", {"Data": {"title": "D", "description": "Said better."}}, "", YES, YES),
    Row("a new optional member", {"Data.tip": INTEGER}, "data.tip", YES, YES),
    Row("a new required member", {"Data.tip": {}, "Data": {"required": [*BOTH, "tip"]}}, "data.tip", NO, YES),
    Row("an optional member becomes required", {"Data": {"required": [*BOTH, "at"]}}, "data.at", NO, YES),
    Row(
        "so does one of an optional part",
        {"Card": {"required": ["token", "last4"]}},
        "data.card.last4",
        NO,
        YES,
    ),
    Row("a required member becomes optional", {"Data": {"required": ["order"]}}, "data.amount", YES, NO),
    Row(
        "a required member is removed",
        {"Data.order": GONE, "Data": {"required": ["amount"]}},
        "data.order",
        NO,
        NO,
    ),
    Row("an optional member is removed", {"Data.final": GONE}, "data.final", NO, NO),
    Row("a member of an optional part is removed", {"Card.last4": GONE}, "data.card.last4", NO, NO),
    Row("a member of a list's items is removed", {"Line.amount": GONE}, "data.lines[].amount", NO, NO),
    Row("another type", {"Data.amount": {"type": "string"}}, "data.amount", NO, NO),
    Row("another type in a list's items", {"Line.amount": {"type": "string"}}, "data.lines[].amount", NO, NO),
    Row("an integer may have a fraction", {"Data.amount": {"type": "number"}}, "data.amount", YES, NO),
    Row("another format", {"Data.at": {"format": "date"}}, "data.at", NO, NO),
    Row("the format goes", {"Data.at": {"format": GONE}}, "data.at", YES, NO),
    Row("a format comes", {"Data.order": {"format": "uuid"}}, "data.order", NO, YES),
    Row("another pattern, be it wider", {"Data.order": {"pattern": "^[a-z0-9]+$"}}, "data.order", NO, NO),
    Row("the pattern goes", {"Data.order": {"pattern": GONE}}, "data.order", YES, NO),
    Row("a limit comes", {"Data.at": {"maxLength": 30}}, "data.at", NO, YES),
    Row("a limit goes", {"Data.order": {"maxLength": GONE}}, "data.order", YES, NO),
    Row("a longer text", {"Data.order": {"maxLength": 256}}, "data.order", YES, NO),
    Row("a text that is longer at least", {"Data.order": {"minLength": 2}}, "data.order", NO, YES),
    Row("a lower maximum", {"Data.amount": {"maximum": 999}}, "data.amount", NO, YES),
    Row("a higher maximum", {"Data.amount": {"maximum": 1001}}, "data.amount", YES, NO),
    Row(
        "above 0, said as at least 1", {"Data.amount": {"exclusiveMinimum": GONE, "minimum": 1}}, "", YES, YES
    ),
    Row("zero too", {"Data.amount": {"exclusiveMinimum": GONE, "minimum": 0}}, "data.amount", YES, NO),
    Row("more items", {"Data.lines": {"maxItems": 11}}, "data.lines", YES, NO),
    Row("a new value in a list", {"Data.method": {"enum": ["card", "cash", "bank"]}}, "data.method", YES, NO),
    Row("a value leaves a list", {"Data.method": {"enum": ["card"]}}, "data.method", NO, YES),
    Row("the list goes", {"Data.method": {"enum": GONE}}, "data.method", YES, NO),
    Row("a list comes", {"Data.order": {"enum": ["a", "b"]}}, "data.order", NO, YES),
    Row("another constant", {"Line.side": {"const": "credit"}}, "data.lines[].side", NO, NO),
    Row("null becomes possible", {"Line.amount": {"type": GONE, **NULLABLE}}, "data.lines[].amount", YES, NO),
    Row("null is no longer possible", {"Data.note": {"anyOf": GONE, "type": "string"}}, "data.note", NO, YES),
    Row("another default", {"Data.final": {"default": False}}, "data.final", NO, NO),
    Row("a default comes", {"Data.method": {"default": "card"}}, "", YES, YES),
    Row("unknown members are refused", {"Card": {OTHERS: False}}, "data.card", NO, YES),
    Row(
        "free members of fewer values",
        {"Data.fixed": {OTHERS: {**INTEGER, "minimum": 1}}},
        "data.fixed.*",
        NO,
        YES,
    ),
    Row("free members of more values", {"Data.fixed": {OTHERS: INTEGER}}, "data.fixed.*", YES, NO),
    Row("free members no longer", {"Data.fixed": {OTHERS: False}}, "data.fixed", NO, YES),
    Row("a keyword that no rule compares", {"Data.amount": {"multipleOf": 5}}, "data.amount", NO, NO),
]


def changed(edits: Schema) -> Schema:
    """The released schema with keywords of definitions ("Data") and their members ("Data.order") changed."""
    schema = deepcopy(RELEASED)
    for where, keywords in edits.items():
        definition, _, member = where.partition(".")
        holder = schema["$defs"][definition]
        if keywords == GONE:
            del holder["properties"][member]
            continue
        target = holder["properties"].setdefault(member, {}) if member else holder
        for keyword, value in keywords.items():
            if value == GONE:
                del target[keyword]
            else:
                target[keyword] = value
    return schema


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_what_we_read_may_change_so(row: Row) -> None:
    found = breaks(RELEASED, changed(row.edits), "inbound")
    assert (found == []) is row.read, found
    assert all(problem.startswith(f"{row.place}: ") for problem in found)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_what_we_write_may_change_so(row: Row) -> None:
    found = breaks(RELEASED, changed(row.edits), "outbound")
    assert (found == []) is row.written, found
    assert all(problem.startswith(f"{row.place}: ") for problem in found)


def test_a_consumer_that_refuses_unknown_members_binds_what_we_write() -> None:
    closed = changed({"Data": {"additionalProperties": False}})
    wider = deepcopy(closed)
    wider["$defs"]["Data"]["properties"]["tip"] = {"type": "integer"}
    assert breaks(closed, wider, "outbound") == ["data.tip: unknown to the reader"]
    assert breaks(closed, wider, "inbound") == []


def test_a_definition_may_be_renamed() -> None:
    renamed = deepcopy(RELEASED)
    renamed["$defs"]["Content"] = renamed["$defs"].pop("Data")
    renamed["properties"]["data"] = {"$ref": "#/$defs/Content"}
    assert breaks(RELEASED, renamed, "inbound") == breaks(RELEASED, renamed, "outbound") == []


def test_every_break_is_told_not_only_the_first() -> None:
    found = breaks(
        RELEASED, changed({"Data.order": {"maxLength": 5}, "Data.amount": {"maximum": 5}}), "inbound"
    )
    assert found == [
        "data.amount: maximum 1000 is read as 5",
        "data.order: maxLength 128 is read as 5",
    ]
