"""localstripe on loopback, and beside it what Stripe documents and localstripe lacks. A program of its own.

    python localstripe_server.py       prints where it listens, and serves until it is ended

localstripe (github.com/adrienverge/localstripe, GPL-3.0-or-later, never part of what we ship) plays the objects and
their states. Added here, each by Stripe's page on it:

    idempotency keys    https://docs.stripe.com/api/idempotent_requests
    amounts of intents  amount_received and amount_capturable, https://docs.stripe.com/api/payment_intents/object
    parameters          allowed_payment_method_types, return_url, metadata of a capture
    refusals            no capture of an intent that was canceled, no refund above what was captured
    search              by metadata, https://docs.stripe.com/search
    faults              POST /_config/faults/{payment_method} {"fault": ...}: strikes once for each intent

Its own way to start listens on every interface and writes its objects to /tmp; this one does neither.
"""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from localstripe import resources  # type: ignore[import-untyped]
from localstripe.errors import UserError  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SILENCE_S: Final = 1.0
"""How long a fault is silent: longer than an impatient client waits, shorter than a patient one."""
LATE_S: Final = 0.6
STORED: Final = (range(200, 300), range(402, 403), range(500, 600))
"""Answers kept under an idempotency key: those to requests that began to execute, errors of the server included."""


STEP: Final = re.compile(r"/v1/(?:payment_intents/(?P<intent>\w+)/(?P<step>confirm|capture)|refunds)")
STEP_FAULTS: Final = {"confirm": "", "capture": "capture_", "refund": "refund_"}
"""Where a fault strikes, by how its name begins."""


# ------------------------------------------------------------ parameters, amounts and search


class Intents(resources.PaymentIntent):  # type: ignore[misc]
    """localstripe's intents, by what Stripe documents of them beyond it."""

    def __init__(self, **told: object) -> None:
        told.pop("allowed_payment_method_types", None)
        super().__init__(**told)

    @property
    def amount_received(self) -> int:
        """What was captured."""
        charge = self.latest_charge
        if charge is None or charge.status != "succeeded" or not charge.captured:
            return 0
        return int(getattr(self, "_captured_amount", self.amount) or 0)

    @property
    def amount_capturable(self) -> int:
        """What can still be captured."""
        return int(self.amount) if self.status == "requires_capture" else 0

    @classmethod
    def _api_confirm(cls, id: str, return_url: str | None = None, **told: object) -> Any:  # noqa: A002
        intent = super()._api_confirm(id, **told)
        if intent.next_action and return_url:
            page = f"https://hooks.stripe.com/redirect/authenticate/{intent.id}"
            intent.next_action = {
                "type": "redirect_to_url",
                "redirect_to_url": {"url": page, "return_url": return_url},
            }
        return intent

    @classmethod
    def _api_capture(cls, id: str, metadata: Mapping[str, str] | None = None, **told: Any) -> Any:  # noqa: A002
        if cls._api_retrieve(id).status != "requires_capture":
            raise UserError(400, "this intent's status allows no capture")
        intent = super()._api_capture(id, **told)
        intent._captured_amount = int(told.get("amount_to_capture", intent.amount))  # noqa: SLF001
        intent.metadata = {**intent.metadata, **(metadata or {})}
        return intent

    @classmethod
    def _api_search(cls, query: str, limit: str = "10") -> Any:
        wanted = re.fullmatch(r'metadata\["(\w+)"\]:"([\w-]+)"', query)
        if wanted is None:
            raise UserError(400, "this query is not understood")
        hits = resources.List("/v1/payment_intents/search", limit=limit)
        hits._list = [  # noqa: SLF001
            one for one in _intents() if one.metadata.get(wanted[1]) == wanted[2]
        ]
        return hits


def _intents() -> list[Any]:
    return [one for key, one in resources.store.items() if key.startswith("payment_intent:")]


def _refuse_what_is_not_there(make_refund: Callable[..., Any]) -> classmethod[Any, Any, Any]:
    """A refund takes from what was captured and not refunded yet."""

    def create(_cls: type, /, **told: Any) -> Any:
        intent = resources.PaymentIntent._api_retrieve(told["payment_intent"])  # noqa: SLF001
        made = [one for key, one in resources.store.items() if key.startswith("refund:")]
        given = sum(one.amount for one in made if one.payment_intent == intent.id)
        if int(told["amount"]) > intent.amount_received - given:
            raise UserError(400, "the refund is above what can be refunded")
        return make_refund(**told)

    return classmethod(create)


# ------------------------------------------------------------ idempotency keys


@dataclass
class Kept:
    """A request under a key, and its answer once there is one."""

    request: tuple[str, bytes]
    answer: tuple[int, bytes] | None = None


@dataclass
class Memory:
    """What the server remembers beside localstripe's objects."""

    keys: dict[str, Kept] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    struck: set[tuple[str, str]] = field(default_factory=set)


MEMORY = Memory()


def _error(status: int, kind: str, code: str, headers: Mapping[str, str] | None = None) -> web.Response:
    body = {"error": {"type": kind, "code": code, "message": code}}
    return web.json_response(body, status=status, headers=headers)


@web.middleware
async def once_per_key(request: web.Request, handler: Handler) -> web.StreamResponse:
    """A repeat gets the stored answer; one under way and one with other parameters are turned away."""
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method != "POST":
        return await handler(request)
    asked = (request.path, await request.read())
    kept = MEMORY.keys.get(key)
    if kept is not None:
        if kept.request != asked:
            return _error(400, "idempotency_error", "key_used_with_other_parameters")
        if kept.answer is None:
            return _error(409, "idempotency_error", "idempotency_key_in_use")
        status, body = kept.answer
        return web.Response(
            status=status,
            body=body,
            content_type="application/json",
            headers={"Idempotent-Replayed": "true"},
        )
    MEMORY.keys[key] = Kept(asked)
    answer = await handler(request)
    if any(answer.status in stored for stored in STORED) and isinstance(answer, web.Response):
        MEMORY.keys[key].answer = (answer.status, bytes(answer.body))  # type: ignore[arg-type]
    else:
        del MEMORY.keys[key]
    return answer


# ------------------------------------------------------------ faults


async def _fault(request: web.Request) -> str | None:
    """The fault of the intent's payment method that strikes this step, the first time only."""
    step = STEP.fullmatch(request.path)
    if step is None:
        return None
    about = step["intent"] or str((await request.post()).get("payment_intent"))
    prefix = STEP_FAULTS[step["step"] or "refund"]
    intent = resources.store.get(f"payment_intent:{about}")
    fault = MEMORY.faults.get(intent.payment_method) if intent is not None else None
    own = fault is not None and next(
        (start for start in ("capture_", "refund_") if fault.startswith(start)), ""
    )
    if fault is None or own != prefix or (intent.id, fault) in MEMORY.struck:
        return None
    MEMORY.struck.add((intent.id, fault))
    return fault.removeprefix(prefix)


@web.middleware
async def unreliable_network(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What lies between the client and Stripe, so that no fault is stored under a key."""
    await request.read()  # all of it has arrived, even if its sender waits no longer
    fault = await _fault(request)
    if fault == "timeout_before_effect":
        await asyncio.sleep(SILENCE_S)
        return web.Response(status=504)
    if fault == "reset_before_effect" and request.transport is not None:
        request.transport.abort()
        return web.Response()
    if fault == "error_before_effect":
        return web.Response(status=502, text="<html>bad gateway</html>")
    if fault == "rate_limited":
        return _error(429, "invalid_request_error", "rate_limit", {"Retry-After": "1"})
    if fault == "slow":
        await asyncio.sleep(LATE_S)
    answer = await handler(request)
    if fault in {"timeout_after_effect", "timeout"}:
        await asyncio.sleep(SILENCE_S)
    if fault == "error_after_effect":
        return web.Response(status=502, text="<html>bad gateway</html>")
    return answer


@web.middleware
async def stored_fault(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Stripe's own breakdown in the midst of a step: its answer is kept under the key."""
    step = re.fullmatch(r"/v1/payment_intents/(\w+)/confirm", request.path)
    intent = resources.store.get(f"payment_intent:{step[1]}") if step else None
    if intent is not None and MEMORY.faults.get(intent.payment_method) == "breakdown":
        return _error(500, "api_error", "internal_error")
    return await handler(request)


async def set_fault(request: web.Request) -> web.Response:
    """Remember what is to go wrong with a payment method."""
    MEMORY.faults[request.match_info["payment_method"]] = (await request.json())["fault"]
    return web.Response(status=204)


async def forget_keys(_request: web.Request) -> web.Response:
    """A day passes: Stripe forgets idempotency keys."""
    MEMORY.keys.clear()
    return web.Response(status=204)


def main() -> None:
    """Serve until the process is ended."""
    resources.store.dump_to_disk = lambda: None
    resources.Refund._api_create = _refuse_what_is_not_there(  # noqa: SLF001
        resources.Refund._api_create  # noqa: SLF001
    )
    ours, theirs = Intents, resources.PaymentIntent
    resources.PaymentIntent = ours
    resources.extra_apis[:] = [
        (method, path, getattr(ours, act.__name__) if act.__self__ is theirs else act)
        for method, path, act in resources.extra_apis
    ]
    resources.extra_apis.append(("GET", "/v1/payment_intents/search", ours._api_search))  # noqa: SLF001
    # Only now: it takes the classes and routes as it finds them.
    from localstripe.server import app  # type: ignore[import-untyped]  # noqa: PLC0415

    app.middlewares[:0] = [unreliable_network, once_per_key, stored_fault]
    app.router.add_post("/_config/faults/{payment_method}", set_fault)
    app.router.add_delete("/_config/keys", forget_keys)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        print(  # noqa: T201 - how its starter learns where it is
            f"listening on http://127.0.0.1:{listening.getsockname()[1]}", flush=True
        )
        web.run_app(app, sock=listening, print=None, access_log=None)


if __name__ == "__main__":
    main()
