"""The role, and the providers whose webhooks can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ops.ingress.meter import Meter
from ops.ingress.settings import load
from producers.ingress.server import listen, run_ingress
from producers.providers.adyen.webhooks import AdyenWebhooks
from producers.providers.sandbox.webhooks import SandboxWebhooks
from producers.providers.stripe.webhooks import StripeWebhooks

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from ops.endpoints import Places
    from ops.metrics import Telemetry
    from ops.settings import Settings
    from producers.providers.webhooks import WebhookScheme

SCHEMES: Final[Mapping[str, WebhookScheme]] = {
    "adyen": AdyenWebhooks(),
    "sandbox": SandboxWebhooks(),
    "stripe": StripeWebhooks(),
}
"""Provider -> how it signs and what it means."""


async def ingress(_: Settings, at: Places, telemetry: Telemetry, stop: asyncio.Event) -> None:
    """The role of the webhook ingress.

    Raises:
        IngressSettingsError: it is not configured, or wrongly.
        EndpointError: an endpoint cannot work as it is configured.
        OSError: its port is taken.
    """
    settings = load()
    endpoints = settings.endpoints()
    await run_ingress(
        at.database_url,
        endpoints,
        SCHEMES,
        listen(settings.counterfoil_ingress_host, settings.counterfoil_ingress_port),
        Meter((one.provider for one in endpoints), telemetry.alive),
        stop,
        limits=settings.limits(),
    )
