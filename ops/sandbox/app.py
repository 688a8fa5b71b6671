"""The provider's HTTP face: who may ask, what a request looks like, which rule it meets."""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from ops.sandbox import faults
from ops.sandbox.messages import AuthorizationRequest, CaptureRequest, ChallengeRequest, VoidRequest
from ops.sandbox.processor import Answer, Command
from ops.sandbox.resources import problem
from ops.sandbox.rules import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import SecretStr
    from starlette.requests import Request

    from ops.sandbox.faults import Patience
    from ops.sandbox.messages import Body
    from ops.sandbox.processor import Processor

    Fields = list[dict[str, str]]
    Handler = Callable[[Request], Awaitable[Response]]

BODY_LIMIT_BYTES = 64 * 1024
PAGE_LIMIT = 10_000
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
        return _json(document, self.refusal.http_status)


class Api:
    """Handlers over one processor."""

    def __init__(self, processor: Processor, api_key: SecretStr, patience: Patience) -> None:
        self._processor = processor
        self._authorization = f"Bearer {api_key.get_secret_value()}".encode()
        self._patience = patience

    def routes(self) -> list[Route]:
        """Everything that can be asked."""
        one = "/v1/authorizations/{authorization_id}"
        return [
            Route("/v1/health", self.health, methods=["GET"]),
            Route("/v1/authorizations", self._post(AuthorizationRequest), methods=["POST"]),
            Route(one, self._guarded(self.authorization), methods=["GET"]),
            Route(f"{one}/captures", self._post(CaptureRequest), methods=["POST"]),
            Route(f"{one}/void", self._post(VoidRequest), methods=["POST"]),
            Route(f"{one}/challenge", self._post(ChallengeRequest), methods=["POST"]),
            Route("/v1/operations/{key}", self._guarded(self.operation), methods=["GET"]),
            Route("/v1/ledger", self._guarded(self.ledger), methods=["GET"]),
        ]

    async def health(self, _request: Request) -> Response:
        """Answers as soon as requests are served; needs no key."""
        return _json({"status": "ok"})

    async def authorization(self, request: Request) -> Response:
        """One authorization as it stands."""
        found = self._processor.store.authorization(request.path_params["authorization_id"])
        if found is None:
            raise UnacceptableError(404, "not_found", "no such authorization")
        return _raw(self._processor.get(found))

    async def operation(self, request: Request) -> Response:
        """What was answered to an idempotency key: the way out of an unknown outcome."""
        found = self._processor.store.operation(request.path_params["key"])
        if found is None or found.answer is None:
            raise UnacceptableError(404, "operation_not_found", "no request with this key took effect")
        return _json(
            {
                "object": "operation",
                "operation": found.operation,
                "http_status": found.http_status,
                "answer": orjson.Fragment(found.answer),
            }
        )

    async def ledger(self, request: Request) -> Response:
        """Every charge that took effect, in pages: `?reference=&after=&limit=`, with totals by currency."""
        reference = request.query_params.get("reference")
        row_limit = max(1, min(_number(request, "limit", default=1_000), PAGE_LIMIT))
        charges = self._processor.store.charges(
            reference=reference, after=_number(request, "after", default=0), row_limit=row_limit
        )
        return _json(
            {
                "object": "ledger",
                "charges": charges,
                "captured": self._processor.store.captured_totals(reference=reference),
                "next_after": charges[-1]["position"] if len(charges) == row_limit else None,
            }
        )

    def _guarded(self, handler: Handler) -> Handler:
        async def checked(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, self._authorization):
                return UnacceptableError(401, "authentication", "a valid bearer key is required").response()
            try:
                return await handler(request)
            except UnacceptableError as error:
                return error.response()

        return checked

    def _post(self, model: type[Body]) -> Handler:
        async def submit(request: Request) -> Response:
            key = request.headers.get("idempotency-key", "")
            if not _KEY.fullmatch(key):
                raise UnacceptableError(
                    400, "invalid_request", "the header Idempotency-Key is missing or malformed"
                )
            body = _validated(model, await _limited_body(request))
            command = Command(key, request.path_params.get("authorization_id"), body)
            outcome = self._processor.submit(command, datetime.now(UTC))
            answer = _raw(outcome.body, outcome.http_status) if isinstance(outcome, Answer) else Response()
            if outcome.fault is None:
                return answer
            return await faults.suffer(outcome.fault.symptom, request, answer, self._patience)

        return self._guarded(submit)


def create_app(processor: Processor, api_key: SecretStr, patience: Patience) -> Starlette:
    """The provider as an ASGI application."""
    return Starlette(
        routes=Api(processor, api_key, patience).routes(),
        exception_handlers={404: _no_such_route, 405: _no_such_route},
    )


async def _limited_body(request: Request) -> bytes:
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > BODY_LIMIT_BYTES:
            raise UnacceptableError(413, "too_large", f"a body may have {BODY_LIMIT_BYTES} bytes")
    return bytes(received)


def _validated(model: type[Body], raw: bytes) -> Body:
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        fields = [
            {"field": ".".join(map(str, found["loc"])) or "body", "message": found["msg"]}
            for found in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        message = "; ".join(f"{found['field']}: {found['message']}" for found in fields)
        raise UnacceptableError(400, "invalid_request", message, fields) from None


def _number(request: Request, name: str, *, default: int) -> int:
    given = request.query_params.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,15}", given):
        raise UnacceptableError(400, "invalid_request", f"{name}: not a number")
    return int(given)


async def _no_such_route(request: Request, _error: Exception) -> Response:
    return UnacceptableError(404, "not_found", f"there is no {request.method} {request.url.path}").response()


def _json(document: object, http_status: int = 200) -> Response:
    return _raw(orjson.dumps(document), http_status)


def _raw(body: bytes, http_status: int = 200) -> Response:
    return Response(body, http_status, media_type="application/json")
