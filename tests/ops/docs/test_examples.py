"""What README tells people to publish can be read, and goes under the right key."""

from __future__ import annotations

import ast
import json
from typing import Any

from pydantic import TypeAdapter

from schemas.outgoing import partition_key
from schemas.topics import GROUP, TOPICS
from tests.ops.docs.pages import ROOT, blocks

README = ROOT / "README.md"


TOPIC = "checkout.events"
READER: TypeAdapter[Any] = TypeAdapter(TOPICS[TOPIC].inbound)


def key_of(body: str) -> str:
    """The key that the event belongs under; ValidationError when it cannot be read."""
    message = READER.validate_json(body)
    return partition_key(message.tenant, message.data.ordering_key())


def test_the_json_example_can_be_read() -> None:
    (example,) = blocks(README, "json")
    assert key_of(example) == "acme:corner"


def test_the_kcat_example_has_readable_events_under_their_keys() -> None:
    (script,) = [block for block in blocks(README, "sh") if "kcat" in block]
    lines = [line.split("|", 1) for line in script.splitlines() if '|{"' in line]
    assert len(lines) == 2
    assert f"-t {TOPIC} " in script
    for key, body in lines:
        assert key_of(body) == key


def test_the_python_example_has_a_readable_event_under_its_key() -> None:
    (script,) = blocks(README, "python")
    module = ast.parse(script)
    (event,) = [node.value for node in module.body if isinstance(node, ast.Assign)]
    key = key_of(json.dumps(ast.literal_eval(event)))
    assert f'"{TOPIC}"' in script
    assert f'key=b"{key}"' in script


def test_the_dead_letter_topics_are_called_as_operations_says() -> None:
    said = (ROOT / "docs" / "operations.md").read_text()
    assert f"`<topic>.{GROUP}.dlq`" in said
    assert any(topic.endswith(f".{GROUP}.dlq") for topic in TOPICS)
