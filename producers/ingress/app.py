"""One request, from its first byte to its answer: checked, verified, kept, and only then answered with 200."""

from __future__ import annotations

from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING, Final, Protocol

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from producers.ingress.endpoints import source_of
from producers.ingress.limits import (
    GoneError,
    Room,
    TooLargeError,
    TooMuchError,
    declared_length,
    read_body,
)
from producers.ingress.publishing import receive
from producers.ingress.refusals import OTHERWISE, RETRY_AFTER_S, STATUS, RefusalLog
from producers.ingress.storage import NotKeptError
from producers.providers.webhooks import Forged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from starlette.types import Receive, Scope, Send

    from producers.ingress.endpoints import Served
    from producers.ingress.limits import Hold, Limits
    from producers.ingress.publishing import Received
    from producers.ingress.storage import Storage
    from producers.providers.webhooks import Endpoint

ACCEPTED: Final = "[accepted]"
"""What Adyen wants to read; every other provider looks at the status alone."""
UNKNOWN: Final = "unknown"
"""The provider of a request to an endpoint that is not there: what a stranger wrote names no metric."""


class AnswerObserver(Protocol):
    """Who wants to know."""

    def answered(self, provider: str, outcome: str, seconds: float) -> None:
        """`outcome` is new, repeated, unreadable (kept, too), or the reason of a refusal."""

    def untold(self, provider: str) -> None:
        """The sender hung up before it had sent all."""


class Ingress:
    """The ASGI application behind `/webhooks/{provider}/{account}`."""

    def __init__(
        self,
        endpoints: Mapping[tuple[str, str], Served],
        storage: Storage,
        observer: AnswerObserver,
        limits: Limits,
        now: Callable[[], datetime],
    ) -> None:
        self._endpoints = endpoints
        self._storage = storage
        self._observer = observer
        self._limits = limits
        self._now = now
        self._room = Room(limits.held_bytes)
        self._refusals = RefusalLog()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        started = perf_counter()
        path = scope["path_params"]
        served = self._endpoints.get((path["provider"], path["account"]))
        provider = served[0].provider if served else UNKNOWN
        with self._room.hold() as hold:
            try:
                outcome = await self._judge(served, scope, receive, hold)
            except GoneError:
                self._observer.untold(provider)
                return
        self._observer.answered(provider, outcome, perf_counter() - started)
        await _ANSWERS.get(outcome, _OTHERWISE)(scope, receive, send)

    async def _judge(  # noqa: PLR0911 - one return for each way to fail
        self, served: Served | None, scope: Scope, receive_more: Receive, hold: Hold
    ) -> str:
        if served is None:
            return "unknown_endpoint"
        endpoint, scheme = served
        headers = Headers(scope=scope)
        refusal = _refuse_unread(scope["method"], headers, self._limits)
        if refusal:
            return self._refuse(endpoint, *refusal)
        try:
            body = await read_body(receive_more, hold, self._limits)
        except TooLargeError:
            return self._refuse(endpoint, "body_too_large", f"more than {self._limits.body_bytes} bytes")
        except TooMuchError:
            return self._refuse(endpoint, "no_room", f"{self._limits.held_bytes} bytes are held already")
        except TimeoutError:
            return self._refuse(endpoint, "body_too_slow", f"not within {self._limits.body_within_s} s")
        pairs, by_name = _as_came(headers)
        now = self._now()
        verdict = scheme.verify(body, by_name, endpoint.secrets, now)
        if isinstance(verdict, Forged):
            return self._refuse(endpoint, verdict.reason, verdict.detail)
        return await self._keep(receive(endpoint, scheme, body, pairs, now))

    async def _keep(self, received: Received) -> str:
        try:
            new = await self._storage.keep(received)
        except NotKeptError as error:
            return self._refuse(received.endpoint, "not_kept", str(error))
        if not new:
            return "repeated"
        return "unreadable" if received.unreadable else "new"

    def _refuse(self, endpoint: Endpoint, reason: str, detail: str) -> str:
        self._refusals.add(source_of(endpoint), reason, detail)
        return reason


def create_app(ingress: Ingress) -> Starlette:
    """The application: one route. Whatever it does not match is not found, in the same words as an unknown endpoint."""
    app = Starlette(routes=[Route("/webhooks/{provider}/{account}", ingress)])
    app.router.redirect_slashes = False
    return app


def _refuse_unread(method: str, headers: Headers, limits: Limits) -> tuple[str, str] | None:
    """Why a request is refused before its body is read, and in words; None when it may be read."""
    if method != "POST":
        return "wrong_method", "not POST"
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json" and not (
        content_type.startswith("application/") and content_type.endswith("+json")
    ):
        return "wrong_content_type", "Content-Type is not JSON"
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        return "encoded_body", "Content-Encoding: signatures are over bytes as they are"
    try:
        length = declared_length(headers.get("content-length"))
    except ValueError as error:
        return "malformed_request", str(error)
    if length is not None and length > limits.body_bytes:
        return "body_too_large", f"Content-Length {length}, at most {limits.body_bytes} bytes"
    return None


def _as_came(headers: Headers) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """All headers in order, and by name; one that came several times is one list, as RFC 9110 says (5.2)."""
    pairs = headers.items()
    by_name: dict[str, str] = {}
    for name, padded in pairs:
        value = padded.strip(" \t")  # the parser leaves the blanks that may follow it
        by_name[name] = f"{by_name[name]}, {value}" if name in by_name else value
    return pairs, by_name


def _answer(status: int) -> PlainTextResponse:
    """An answer that tells a stranger no more than its status."""
    headers = {}
    if status >= HTTPStatus.BAD_REQUEST:
        # What is still to come of the request is nobody's to read, and a flood gets no connection for longer.
        headers["connection"] = "close"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = str(RETRY_AFTER_S)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["allow"] = "POST"
    text = ACCEPTED if status == HTTPStatus.OK else HTTPStatus(status).phrase
    return PlainTextResponse(text, status_code=status, headers=headers)


_ANSWERS: Final = {reason: _answer(status) for reason, status in STATUS.items()} | dict.fromkeys(
    ("new", "repeated", "unreadable"), _answer(HTTPStatus.OK)
)
_OTHERWISE: Final = _answer(OTHERWISE)
