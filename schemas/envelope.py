"""The CloudEvents 1.0 envelope (structured JSON) around every message, in and out.

Source: CloudEvents specification 1.0.2, https://github.com/cloudevents/spec. `tenant`, `causation` and `correlation`
are our extension attributes; `traceparent` is the Distributed Tracing extension. Unknown extension attributes are
ignored, as the specification asks; unknown members of `data` are refused, so that a misspelt field cannot be lost.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

CONTENT_TYPE: Final = "application/cloudevents+json"
SPEC_VERSION: Final = "1.0"
MAX_MESSAGE_BYTES: Final = 262_144
"""The largest message taken in; a larger one is a dead letter."""

Identifier = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")]
"""A business identifier: printable ASCII without spaces, at most 128 characters."""
Tenant = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9][a-z0-9_-]*$")]


def _date(text: Any) -> Any:
    """RFC 3339 begins with a year and a hyphen; pydantic would take 1795428000 for seconds since 1970, also as text."""
    if isinstance(text, datetime) or (isinstance(text, str) and text[4:5] == "-"):
        return text
    msg = "a time is a date, a time of day and a zone (RFC 3339)"
    raise ValueError(msg)


# Not strict: after a function of ours, pydantic's strictness asks for a datetime where JSON can only have text.
Timestamp = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_date)]
ShortText = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]


class Data(BaseModel):
    """Base of every inbound `data`: strict, immutable, no unknown members. As it is, a fact."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    def ordering_key(self) -> str:
        """What this message is about (an order, a merchant); messages with the same key are handled in order."""
        raise TypeError(type(self).__name__)

    def command_key(self) -> str | None:
        """The idempotency key of a command; None for a fact."""
        return None


class Command(Data):
    """Something asked for. A repeat with the same key (scope: tenant, operation, object) gets the stored outcome."""

    idempotency_key: Identifier

    def command_key(self) -> str | None:
        """The caller's key."""
        return self.idempotency_key


class Message(BaseModel):
    """A CloudEvent as it comes in. Subclasses fix `type` and the shape of `data`."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    specversion: Literal["1.0"]
    id: Identifier
    source: Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[\x21-\x7e]+$")]
    type: str
    time: Timestamp
    tenant: Tenant
    data: Any
    subject: ShortText | None = None
    traceparent: Annotated[str, Field(max_length=55, pattern=r"^[0-9a-f-]+$")] | None = None
    causation: Identifier | None = None
    correlation: Identifier | None = None
