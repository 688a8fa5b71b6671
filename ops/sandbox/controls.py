"""What a merchant sets up and a test steers: webhook endpoints, the clock, redeliveries. No idempotency key needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.sandbox.clock import ClockError
from ops.sandbox.http import UnacceptableError, json_response, not_found, validated
from ops.sandbox.messages import ClockRequest, EndpointRequest, RedeliveryRequest
from ops.sandbox.webhooks import Endpoint, Manners, new_secret

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from ops.sandbox.processor import Processor
    from ops.sandbox.webhooks import Courier


def registered(asked: EndpointRequest) -> Endpoint:
    """The endpoint that is asked for, with a secret of its own unless it brings one."""
    return Endpoint(
        url=asked.url,
        secret=asked.secret.get_secret_value() if asked.secret else new_secret(),
        manners=Manners(**asked.model_dump(exclude={"url", "secret"})),
    )


class Controls:
    """Handlers over one processor."""

    def __init__(self, processor: Processor, courier: Courier) -> None:
        self._processor = processor
        self._courier = courier

    async def endpoints(self, _request: Request) -> Response:
        """Every endpoint without its secret, and how far its deliveries have come."""
        return json_response({"object": "list", "endpoints": self._processor.queue.progress()})

    async def register(self, request: Request) -> Response:
        """Tell this URL too, from now on; a known one gets the new secret and manners."""
        asked = await validated(EndpointRequest, request)
        endpoint = registered(asked)
        self._processor.queue.register(endpoint)
        return json_response(endpoint.resource())

    async def drop(self, request: Request) -> Response:
        """Tell it nothing any more."""
        endpoint_id = request.path_params["id"]
        if not self._processor.queue.drop(endpoint_id):
            raise not_found("webhook endpoint")
        return json_response({"object": "webhook_endpoint", "id": endpoint_id, "deleted": True})

    async def clock(self, _request: Request) -> Response:
        """The time at the provider."""
        return json_response({"object": "clock", "now": self._processor.clock.now()})

    async def advance(self, request: Request) -> Response:
        """Move the provider's clock, and let everything come to pass that becomes due, in order."""
        asked, clock = await validated(ClockRequest, request), self._processor.clock
        try:
            now = clock.advance(asked.advance_ms or 0) if asked.now is None else clock.advance_to(asked.now)
        except ClockError as error:
            raise UnacceptableError(409, "invalid_state", str(error)) from None
        self._processor.catch_up()
        self._courier.wake()
        return json_response({"object": "clock", "now": now})

    async def redeliver(self, request: Request) -> Response:
        """Tell again what was told in a span of time."""
        asked = await validated(RedeliveryRequest, request)
        count = self._processor.queue.redeliver(asked.since, asked.until)
        self._courier.wake()
        return json_response({"object": "redelivery", "events": count})
