"""The SDK's HTTP client, for one account: our time-outs and limits, no proxy of the environment, no retry.

The SDK's own `HTTPXClient` takes proxies from the environment and one time-out for everything; `stripe.HTTPClient` is
its published base for clients of one's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import stripe

if TYPE_CHECKING:
    from collections.abc import Mapping


class Transport(stripe.HTTPClient):
    """Asynchronous only. A transport failure becomes the SDK's `APIConnectionError`, caused by httpx's own."""

    name = "httpx"

    def __init__(self, *, connect_timeout_ms: int, read_timeout_ms: int, max_connections: int) -> None:
        super().__init__()
        self._http = httpx.AsyncClient(
            timeout=httpx.Timeout(
                read_timeout_ms / 1000, connect=connect_timeout_ms / 1000, pool=connect_timeout_ms / 1000
            ),
            limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections),
            trust_env=False,
        )

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """One request, sent once."""
        try:
            # The SDK hands over a form that is already encoded.
            reply = await self._http.request(method, url, headers=headers, content=post_data)
        except httpx.RequestError as error:
            raise stripe.APIConnectionError(type(error).__name__) from error  # type: ignore[no-untyped-call]
        return reply.content, reply.status_code, reply.headers

    async def close_async(self) -> None:
        """Release the connections."""
        await self._http.aclose()
