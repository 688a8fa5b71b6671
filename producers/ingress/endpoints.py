"""Which endpoints there are, each with the scheme of its provider."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from producers.providers.webhooks import Endpoint, WebhookScheme

    Served = tuple[Endpoint, WebhookScheme]


class EndpointError(ValueError):
    """An endpoint cannot work as it is configured; the message names it, and never a secret."""


def source_of(endpoint: Endpoint) -> str:
    """The CloudEvents source of everything that comes in there, which is its path."""
    return f"/webhooks/{endpoint.provider}/{endpoint.account}"


def served(
    endpoints: Iterable[Endpoint], schemes: Mapping[str, WebhookScheme]
) -> dict[tuple[str, str], Served]:
    """Provider and account -> the endpoint and its scheme.

    Raises:
        EndpointError: a provider that nobody can read, no secret, one that cannot be a key, or an endpoint twice.
    """
    found: dict[tuple[str, str], Served] = {}
    for endpoint in endpoints:
        where = f"webhook endpoint {source_of(endpoint)}"
        scheme = schemes.get(endpoint.provider)
        if scheme is None:
            raise EndpointError(f"{where}: provider is none of {', '.join(sorted(schemes))}")
        if not endpoint.secrets:
            raise EndpointError(f"{where}: secrets is empty, so that nothing could be verified")
        for number, secret in enumerate(endpoint.secrets):
            try:
                scheme.verify(b"", {}, [secret], datetime.now(UTC))
            except ValueError as error:
                raise EndpointError(f"{where}: secrets[{number}]: {error}") from None
        key = endpoint.provider, endpoint.account
        if key in found:
            raise EndpointError(f"{where} is configured twice")
        found[key] = endpoint, scheme
    return found
