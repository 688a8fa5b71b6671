"""The AsyncAPI 3.0 document, made from the topic registry. Payloads are the files in `schemas/` beside it.

Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0, with Kafka bindings 0.5.0.
`send` and `receive` are said, as the specification has it, from this application's side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ops.contracts.json_schemas import json_schemas, message_types
from schemas.envelope import CONTENT_TYPE, MAX_MESSAGE_BYTES
from schemas.topics import GROUP, TOPICS

if TYPE_CHECKING:
    from schemas.topics import Topic

VERSION: Final = "0.1.0"
"""The project's version."""

ABOUT: Final = f"""\
Checkout events in, balanced journal entries and downstream events out. Every message is a CloudEvent 1.0 in
structured JSON, of at most {MAX_MESSAGE_BYTES:,} bytes, under the Kafka key that its channel names, so that
order holds for each key. Delivery is at least once, with the same event id each time: remember (source, id).
What is refused is answered on `rejections`; what cannot be read is a dead letter."""

_BINDING: Final = {"bindingVersion": "0.5.0"}
_ACTIONS: Final = {"in": ("receive",), "internal": ("send", "receive"), "out": ("send",), "dead": ("send",)}


def asyncapi() -> dict[str, Any]:
    """The document, ready for JSON."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "counterfoil",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": {topic.name: _channel(topic) for topic in TOPICS.values()},
        "operations": {
            f"{action}.{topic.name}": _operation(action, topic)
            for topic in TOPICS.values()
            for action in _ACTIONS[topic.direction]
        },
        "components": {
            "messages": {
                message_type: _message(message_type, TOPICS[topic])
                for topic, types in message_types().items()
                for message_type in types
            }
        },
    }


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": topic.about,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in message_types()[topic.name]},
        "bindings": {
            "kafka": {
                "partitions": topic.partitions,
                "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": topic.retention_ms},
                **_BINDING,
            }
        },
    }


def _operation(action: str, topic: Topic) -> dict[str, Any]:
    channel = f"#/channels/{topic.name}"
    operation: dict[str, Any] = {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{name}"} for name in message_types()[topic.name]],
    }
    if action == "receive":
        operation["bindings"] = {"kafka": {"groupId": {"type": "string", "const": GROUP}, **_BINDING}}
    return operation


def _message(message_type: str, topic: Topic) -> dict[str, Any]:
    return {
        "name": message_type,
        "summary": json_schemas()[message_type]["description"],
        "contentType": CONTENT_TYPE,
        "payload": {"$ref": f"schemas/{message_type}.json"},
        "bindings": {"kafka": {"key": {"type": "string", "description": topic.key}, **_BINDING}},
    }
