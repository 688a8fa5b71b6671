"""The AsyncAPI document says what the registry says, and holds together."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from ops.contracts.asyncapi import VERSION, asyncapi
from ops.contracts.json_schemas import json_schemas
from schemas.topics import GROUP, TOPIC_OF_TYPE, TOPICS, Topic

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
DOCUMENT: Final = asyncapi()
ACTIONS: Final = {"in": {"receive"}, "internal": {"receive", "send"}, "out": {"send"}, "dead": {"send"}}


def references(node: Any) -> Iterator[str]:
    """Every `$ref` of a document."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for part in node.values():
            yield from references(part)
    elif isinstance(node, list):
        for part in node:
            yield from references(part)


def at(reference: str) -> Any:
    """What a reference points to; KeyError or FileNotFoundError when it points nowhere."""
    if not reference.startswith("#/"):
        return json.loads((ROOT / "docs" / reference).read_text())
    target: Any = DOCUMENT
    for step in reference.removeprefix("#/").split("/"):
        target = target[step]
    return target


def test_every_reference_leads_somewhere() -> None:
    assert all(at(reference) for reference in references(DOCUMENT))


def test_every_payload_is_the_schema_of_its_message() -> None:
    messages = DOCUMENT["components"]["messages"]
    assert {name: at(message["payload"]["$ref"]) for name, message in messages.items()} == json_schemas()


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_a_channel_is_its_topic(topic: Topic) -> None:
    channel = DOCUMENT["channels"][topic.name]
    kafka = channel["bindings"]["kafka"]
    assert channel["address"] == topic.name
    assert kafka["partitions"] == topic.partitions
    assert kafka["topicConfiguration"]["retention.ms"] == topic.retention_ms
    for name in channel["messages"]:
        key = DOCUMENT["components"]["messages"][name]["bindings"]["kafka"]["key"]
        assert key == {"type": "string", "description": topic.key}


@pytest.mark.parametrize("topic", TOPICS.values(), ids=lambda topic: topic.name)
def test_an_operation_names_every_message_of_its_channel_and_no_other(topic: Topic) -> None:
    operations = [
        operation
        for operation in DOCUMENT["operations"].values()
        if operation["channel"]["$ref"] == f"#/channels/{topic.name}"
    ]
    assert {operation["action"] for operation in operations} == ACTIONS[topic.direction]
    for operation in operations:
        named = [reference["$ref"].rsplit("/", 1)[1] for reference in operation["messages"]]
        assert named == list(DOCUMENT["channels"][topic.name]["messages"])
        if operation["action"] == "receive":
            assert operation["bindings"]["kafka"]["groupId"]["const"] == GROUP


def test_there_is_no_channel_beside_the_registry() -> None:
    assert list(DOCUMENT["channels"]) == list(TOPICS)


def test_what_is_published_is_found_under_its_topic() -> None:
    for message_type, topic in TOPIC_OF_TYPE.items():
        assert message_type in DOCUMENT["channels"][topic]["messages"]


def test_names_are_such_as_the_specification_allows() -> None:
    names = [*DOCUMENT["operations"], *DOCUMENT["components"]["messages"], *DOCUMENT["channels"]]
    assert [name for name in names if not re.fullmatch(r"[A-Za-z0-9._-]+", name)] == []


def test_the_version_is_the_project_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
