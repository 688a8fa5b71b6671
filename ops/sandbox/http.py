"""What every request meets first: the key, the limits, the shape of its body; and how an answer is written."""

from __future__ import annotations

import hmac
import re
from datetime import date
from typing import TYPE_CHECKING, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from ops.sandbox.messages import EvidenceRequest
from ops.sandbox.model import Refusal
from ops.sandbox.resources import problem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import SecretStr
    from starlette.requests import Request

    Fields = list[dict[str, str]]
    Handler = Callable[[Request], Awaitable[Response]]

Model = TypeVar("Model", bound=BaseModel)

BODY_LIMIT_BYTES = 64 * 1024
EVIDENCE_LIMIT_BYTES = 2 * 1024 * 1024
PAGE_LIMIT = 10_000
PAGE_DEFAULT = 1_000
_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class UnacceptableError(Exception):
    """A request that never reaches the rules."""

    def __init__(self, http_status: int, error_type: str, message: str, fields: Fields | None = None) -> None:
        super().__init__(message)
        self.refusal = Refusal(http_status, error_type, message)
        self.fields = fields

    def response(self) -> Response:
        """The error as the caller sees it, with each wrong field by name."""
        document = problem(self.refusal)
        if self.fields:
            document["error"]["fields"] = self.fields
        return json_response(document, self.refusal.http_status)


def guard(api_key: SecretStr) -> Callable[[Handler], Handler]:
    """Lets only callers with the key reach a handler, and answers what it finds unacceptable."""
    expected = f"Bearer {api_key.get_secret_value()}".encode()

    def guarded(handler: Handler) -> Handler:
        async def checked(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, expected):
                return UnacceptableError(401, "authentication", "a valid bearer key is required").response()
            try:
                return await handler(request)
            except UnacceptableError as error:
                return error.response()

        return checked

    return guarded


def idempotency_key(request: Request) -> str:
    """The request's key."""
    key = request.headers.get("idempotency-key", "")
    if not _KEY.fullmatch(key):
        raise UnacceptableError(400, "invalid_request", "the header Idempotency-Key is missing or malformed")
    return key


async def validated(model: type[Model], request: Request) -> Model:
    """The request's body, within its limit and of its shape."""
    limit_bytes = EVIDENCE_LIMIT_BYTES if model is EvidenceRequest else BODY_LIMIT_BYTES
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > limit_bytes:
            raise UnacceptableError(413, "too_large", f"a body may have {limit_bytes} bytes")
    try:
        return model.model_validate_json(bytes(received))
    except ValidationError as error:
        fields = [
            {"field": ".".join(map(str, found["loc"])) or "body", "message": found["msg"]}
            for found in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        message = "; ".join(f"{found['field']}: {found['message']}" for found in fields)
        raise UnacceptableError(400, "invalid_request", message, fields) from None


def page(request: Request) -> tuple[int, int]:
    """Where a page begins and how long it is: `?after=` and `?limit=`."""
    row_limit = max(1, min(_number(request, "limit", default=PAGE_DEFAULT), PAGE_LIMIT))
    return _number(request, "after", default=0), row_limit


def _number(request: Request, name: str, *, default: int) -> int:
    given = request.query_params.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,15}", given):
        raise UnacceptableError(400, "invalid_request", f"{name}: not a number")
    return int(given)


def day(text: str) -> date:
    """A date as ISO 8601 writes it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UnacceptableError(400, "invalid_request", "date: not a date like 2026-01-31") from None


def not_found(what: str) -> UnacceptableError:
    """There is no such thing."""
    return UnacceptableError(404, "not_found", f"no such {what}")


async def no_such_route(request: Request, _error: Exception) -> Response:
    """There is no such address."""
    return UnacceptableError(404, "not_found", f"there is no {request.method} {request.url.path}").response()


def json_response(document: object, http_status: int = 200) -> Response:
    """A document as an answer."""
    return raw_response(orjson.dumps(document), http_status)


def raw_response(body: bytes, http_status: int = 200) -> Response:
    """A document that is written already."""
    return Response(body, http_status, media_type="application/json")
