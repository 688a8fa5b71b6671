"""JSON Schemas (2020-12) of whole CloudEvents, one for each type, from the classes that read and write them.

They say what a schema can say. Left to the reader: whether a currency is active, that a text holds no card
number, and that what is to be confirmed has a method. No keyword is used that draft-07 reads differently, so
that AsyncAPI tools and older generators understand them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from inspect import getdoc
from typing import Annotated, Any, Final, Literal, get_args
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, create_model
from pydantic.json_schema import GenerateJsonSchema

from schemas.envelope import Message, Tenant
from schemas.outgoing import SOURCE
from schemas.topics import TOPICS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
NAMES: Final = {"UUID": UUID, "datetime": datetime, "Mapping": Mapping}
"""What the outbound data classes name in annotations that they import for the type checker only."""

JsonSchema = dict[str, Any]
Direction = Literal["inbound", "outbound"]


class Published(BaseModel):
    """The envelope as `schemas.outgoing.encode` writes it. Readers ignore members that they do not know."""

    specversion: Literal["1.0"]
    id: Annotated[str, Field(pattern="^[0-9a-f]{32}$", description="the same each time it is published")]
    source: str
    type: str
    time: AwareDatetime
    subject: Annotated[str, Field(description="what the event is about; the key without its tenant")]
    tenant: Tenant
    causation: Annotated[str, Field(description="id of the message that led to this one")]
    correlation: Annotated[str, Field(description="the same for all that followed from one request")]
    # A factory makes it optional without a default that nobody publishes.
    traceparent: Annotated[str, Field(default_factory=str, description="where the cause had one")]
    data: Any


class _Plain(GenerateJsonSchema):
    """pydantic's generator, less titles that repeat a name, and strict where names must match a pattern."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the library's signature
        return False

    def dict_schema(self, schema: Any) -> JsonSchema:
        written = super().dict_schema(schema)
        if "patternProperties" in written:
            written["additionalProperties"] = False
        return written


def direction_of(message_type: str) -> Direction:
    """Whether we read messages of this type or only write them. KeyError when there is no such type."""
    return _classes()[message_type][0]


@cache
def json_schemas() -> dict[str, JsonSchema]:
    """Message type -> schema of the CloudEvent, in the order of the topic registry."""
    return {message_type: _schema(message_type, model) for message_type, (_, model) in _classes().items()}


@cache
def message_types() -> dict[str, tuple[str, ...]]:
    """Topic -> the types of its messages, in the order of the registry."""
    return {
        topic.name: tuple(topic.outbound) if topic.outbound else tuple(_inbound(topic.inbound))
        for topic in TOPICS.values()
    }


@cache
def _classes() -> dict[str, tuple[Direction, type[BaseModel]]]:
    classes: dict[str, tuple[Direction, type[BaseModel]]] = {}
    for topic in TOPICS.values():
        if topic.inbound is not None:
            classes |= {name: ("inbound", model) for name, model in _inbound(topic.inbound).items()}
        for name, data in (topic.outbound or {}).items():
            classes[name] = ("outbound", _published(name, data))
    return classes


def _inbound(union: Any) -> dict[str, type[Message]]:
    """The classes of a discriminated union, or of the one class that a topic has, by the type they read."""
    members = get_args(get_args(union)[0]) if get_args(union) else (union,)
    return {get_args(member.model_fields["type"].annotation)[0]: member for member in members}


def _published(message_type: str, data: type) -> type[BaseModel]:
    fixed: dict[str, Any] = {
        "source": (Literal[SOURCE], ...),
        "type": (Literal[message_type], ...),
        "data": (data, ...),
    }
    model = create_model(message_type, __base__=Published, **fixed)
    model.model_rebuild(_types_namespace=NAMES)
    return model


def _schema(message_type: str, model: type[BaseModel]) -> JsonSchema:
    mode: Literal["validation", "serialization"] = (
        "validation" if direction_of(message_type) == "inbound" else "serialization"
    )
    data = model.model_fields["data"].annotation
    written = model.model_json_schema(mode=mode, schema_generator=_Plain)
    written.pop("description", None)
    about = {"$schema": DIALECT, "title": message_type, "description": getdoc(data)}
    return about | {name: part for name, part in written.items() if name != "title"}
