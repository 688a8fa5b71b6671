"""The official SDK's services, asynchronous.

The SDK (package `Adyen`) knows every path and its version, but its own client blocks, has one time-out for everything
and takes proxies from the environment. Its services ask whatever client they are given: this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from producers.providers.classification import transport_failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import SecretStr

    from producers.providers.base import Ambiguous, Transient


class Transport:
    """What the SDK calls a client, for one account."""

    def __init__(
        self,
        *,
        hosts: Mapping[str, str],
        api_key: SecretStr,
        connect_timeout_ms: int,
        read_timeout_ms: int,
        max_connections: int,
    ) -> None:
        self._hosts = {service: url.rstrip("/") for service, url in hosts.items()}
        self._http = httpx.AsyncClient(
            headers={"X-API-Key": api_key.get_secret_value(), "Accept": "application/json"},
            timeout=httpx.Timeout(
                read_timeout_ms / 1000, connect=connect_timeout_ms / 1000, pool=connect_timeout_ms / 1000
            ),
            limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections),
            trust_env=False,
        )

    async def call_adyen_api(
        self,
        request_data: Mapping[str, Any],
        service: str,
        method: str,
        endpoint: str,
        idempotency_key: str | None = None,
    ) -> httpx.Response | Transient | Ambiguous:
        """What the SDK's services call: one request to the host of the service, sent once."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        url = self._hosts[service] + urlsplit(endpoint).path
        try:
            return await self._http.request(method, url, json=request_data, headers=headers)
        except httpx.RequestError as error:
            return transport_failure(error)

    async def aclose(self) -> None:
        """Release the connections."""
        await self._http.aclose()
