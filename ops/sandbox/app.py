"""The provider's HTTP face: every route, and which rule it meets."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import orjson
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from ops.sandbox import faults, messages
from ops.sandbox.controls import Controls
from ops.sandbox.http import (
    UnacceptableError,
    guard,
    idempotency_key,
    json_response,
    no_such_route,
    not_found,
    raw_response,
    validated,
)
from ops.sandbox.processor import Answer, Command
from ops.sandbox.reports import Reports
from ops.sandbox.resources import authorization_resource, dispute_resource, refund_resource

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pydantic import SecretStr
    from starlette.requests import Request

    from ops.sandbox.faults import Patience
    from ops.sandbox.http import Handler
    from ops.sandbox.processor import Processor
    from ops.sandbox.webhooks import Courier

LOOK_EVERY_S = 0.05
"""How long something that time brings may be late."""


class Payments:
    """What moves money, and what became of it."""

    def __init__(self, processor: Processor, courier: Courier, patience: Patience) -> None:
        self._processor = processor
        self._courier = courier
        self._patience = patience

    def submit(self, model: type[messages.Request]) -> Handler:
        """The handler of a request that may change a charge."""

        async def handler(request: Request) -> Response:
            key = idempotency_key(request)
            body = await validated(model, request)
            outcome = self._processor.submit(Command(key, request.path_params.get("id"), body))
            self._courier.wake()
            await self._courier.deliver_before_answer()
            answer = (
                raw_response(outcome.body, outcome.http_status) if isinstance(outcome, Answer) else Response()
            )
            if outcome.fault is None:
                return answer
            return await faults.suffer(outcome.fault.symptom, request, answer, self._patience)

        return handler

    async def authorization(self, request: Request) -> Response:
        """One authorization as it stands."""
        self._processor.catch_up()
        found = self._processor.store.authorization(request.path_params["id"])
        if found is None:
            raise not_found("authorization")
        return json_response(authorization_resource(found, self._processor.public_url))

    async def refund(self, request: Request) -> Response:
        """One refund as it stands."""
        self._processor.catch_up()
        refund_id = request.path_params["id"]
        found = self._processor.store.authorization_of_refund(refund_id)
        if found is None:
            raise not_found("refund")
        [refund] = [one for one in found.refunds if one.id == refund_id]
        return json_response(refund_resource(refund, found))

    async def dispute(self, request: Request) -> Response:
        """One dispute as it stands."""
        self._processor.catch_up()
        dispute_id = request.path_params["id"]
        found = self._processor.store.authorization_of_dispute(dispute_id)
        if found is None:
            raise not_found("dispute")
        [dispute] = [one for one in found.disputes if one.id == dispute_id]
        return json_response(dispute_resource(dispute, found))

    async def operation(self, request: Request) -> Response:
        """What was answered to an idempotency key: the way out of an unknown outcome."""
        found = self._processor.store.operation(request.path_params["key"])
        if found is None or found.answer is None:
            raise UnacceptableError(404, "operation_not_found", "no request with this key took effect")
        return json_response(
            {
                "object": "operation",
                "operation": found.operation,
                "http_status": found.http_status,
                "answer": orjson.Fragment(found.answer),
            }
        )


async def health(_request: Request) -> Response:
    """Answers as soon as requests are served; needs no key."""
    return json_response({"status": "ok"})


def create_app(processor: Processor, courier: Courier, api_key: SecretStr, patience: Patience) -> Starlette:
    """The provider as an ASGI application."""
    payments = Payments(processor, courier, patience)
    reports, controls = Reports(processor), Controls(processor, courier)
    one, disputes = "/v1/authorizations/{id}", "/v1/disputes/{id}"
    table: list[tuple[str, str, Handler]] = [
        ("POST", "/v1/authorizations", payments.submit(messages.AuthorizationRequest)),
        ("GET", one, payments.authorization),
        ("POST", f"{one}/increase", payments.submit(messages.IncreaseRequest)),
        ("POST", f"{one}/captures", payments.submit(messages.CaptureRequest)),
        ("POST", f"{one}/void", payments.submit(messages.VoidRequest)),
        ("POST", f"{one}/challenge", payments.submit(messages.ChallengeRequest)),
        ("POST", f"{one}/refunds", payments.submit(messages.RefundRequest)),
        ("GET", "/v1/refunds/{id}", payments.refund),
        ("GET", disputes, payments.dispute),
        ("POST", f"{disputes}/evidence", payments.submit(messages.EvidenceRequest)),
        ("POST", f"{disputes}/accept", payments.submit(messages.AcceptRequest)),
        ("GET", "/v1/operations/{key}", payments.operation),
        ("GET", "/v1/ledger", reports.ledger),
        ("GET", "/v1/settlements", reports.settlements),
        ("GET", "/v1/settlements/{date}/{currency}.csv", reports.settlement_csv),
        ("GET", "/v1/settlements/{date}/{currency}", reports.settlement),
        ("GET", "/v1/payouts", reports.payouts),
        ("GET", "/v1/payouts.csv", reports.payouts_csv),
        ("GET", "/v1/payouts/{id}", reports.payout),
        ("GET", "/v1/events", reports.events),
        ("GET", "/v1/webhook_endpoints", controls.endpoints),
        ("POST", "/v1/webhook_endpoints", controls.register),
        ("DELETE", "/v1/webhook_endpoints/{id}", controls.drop),
        ("POST", "/v1/test/disputes", payments.submit(messages.DisputeRequest)),
        ("POST", "/v1/test/disputes/{id}/escalate", payments.submit(messages.EscalationRequest)),
        ("POST", "/v1/test/disputes/{id}/decide", payments.submit(messages.DecisionRequest)),
        ("GET", "/v1/test/clock", controls.clock),
        ("POST", "/v1/test/clock", controls.advance),
        ("POST", "/v1/test/redeliveries", controls.redeliver),
    ]
    guarded = guard(api_key)
    routes = [Route(path, guarded(handler), methods=[method]) for method, path, handler in table]

    @asynccontextmanager
    async def alive(_app: Starlette) -> AsyncIterator[None]:
        background = [asyncio.create_task(courier.run()), asyncio.create_task(_keep_time(processor, courier))]
        yield
        for task in background:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return Starlette(
        routes=[Route("/v1/health", health, methods=["GET"]), *routes],
        exception_handlers={404: no_such_route, 405: no_such_route},
        lifespan=alive,
    )


async def _keep_time(processor: Processor, courier: Courier) -> None:
    """Let time bring what it brings while nobody asks."""
    while True:
        if processor.catch_up():
            courier.wake()
        await asyncio.sleep(LOOK_EVERY_S)
