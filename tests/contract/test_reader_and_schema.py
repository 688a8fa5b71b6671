"""The published schema and the reader say the same, but for what JSON Schema has no words for."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from jsonschema import Draft7Validator, Draft202012Validator

from ops.contracts.json_schemas import direction_of, json_schemas
from tests.schemas.refused import REFUSED, Refused
from tests.schemas.samples import DATA, cloud_event

SINCE_DRAFT_7: Final = {
    "prefixItems",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedItems",
    "unevaluatedProperties",
    "minContains",
    "maxContains",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
}
"""Keywords that a draft-07 reader passes over; AsyncAPI 3.0's own schema object is a superset of draft-07."""


def validator(message_type: str) -> Draft202012Validator:
    """The published schema of a type, ready to ask."""
    return Draft202012Validator(json_schemas()[message_type])


def subschemas(schema: Any) -> list[dict[str, Any]]:
    """A schema and all that it is made of."""
    if isinstance(schema, list):
        return [found for part in schema for found in subschemas(part)]
    if not isinstance(schema, dict):
        return []
    return [schema, *(found for part in schema.values() for found in subschemas(part))]


@pytest.mark.parametrize("message_type", json_schemas())
def test_a_schema_is_valid_in_its_dialect(message_type: str) -> None:
    Draft202012Validator.check_schema(json_schemas()[message_type])
    Draft7Validator.check_schema(json_schemas()[message_type])


@pytest.mark.parametrize("message_type", json_schemas())
def test_an_older_tool_reads_a_schema_the_same(message_type: str) -> None:
    for schema in subschemas(json_schemas()[message_type]):
        assert not schema.keys() & SINCE_DRAFT_7
        if "$ref" in schema:
            assert schema.keys() <= {"$ref", "description", "default"}, (
                "draft-07 passes over what stands beside"
            )


def test_there_is_a_sample_of_every_message_that_we_read() -> None:
    assert set(DATA) == {name for name in json_schemas() if direction_of(name) == "inbound"}


@pytest.mark.parametrize("message_type", DATA)
def test_what_the_reader_takes_the_schema_takes(message_type: str) -> None:
    validator(message_type).validate(cloud_event(message_type))


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.about)
def test_what_the_reader_refuses_the_schema_refuses_where_it_can(row: Refused) -> None:
    event = json.loads(json.dumps(cloud_event(row.type, **row.changes)))
    assert validator(row.type).is_valid(event) is not row.in_schema


def test_unknown_attributes_of_the_envelope_are_nobody_s_business() -> None:
    validator("timer.due.v1").validate(cloud_event("timer.due.v1") | {"sequence": 7})
