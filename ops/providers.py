"""The payment providers that the gateway calls: those that the settings give a key for, and the sandbox."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from producers.providers.sandbox import SandboxProvider

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ops.settings import Settings
    from producers.providers.base import Provider

READ_TIMEOUT_MS: Final = 20_000
"""For a real provider's next byte. Shorter than a gateway's lease of the call, longer than their slowest answers."""


@asynccontextmanager
async def providers(settings: Settings) -> AsyncIterator[dict[str, Provider]]:
    """Name -> provider, as handlers/payments/routing.py names them. The SDKs are imported when they are needed."""
    async with AsyncExitStack() as stack:
        found: dict[str, Provider] = {
            "sandbox": SandboxProvider(
                base_url=settings.counterfoil_sandbox_url,
                api_key=settings.counterfoil_sandbox_api_key,
                read_timeout_ms=settings.counterfoil_sandbox_read_timeout_ms,
            )
        }
        if settings.counterfoil_stripe_api_key is not None:
            from producers.providers.stripe.adapter import StripeProvider  # noqa: PLC0415 - half a second

            found["stripe"] = StripeProvider(
                api_key=settings.counterfoil_stripe_api_key,
                return_url=settings.counterfoil_return_url,
                base_url=settings.counterfoil_stripe_url,
                read_timeout_ms=READ_TIMEOUT_MS,
            )
        if settings.counterfoil_adyen_api_key is not None:
            from producers.providers.adyen.adapter import (  # noqa: PLC0415 - half a second
                AdyenAccount,
                AdyenProvider,
            )

            account = AdyenAccount(
                api_key=settings.counterfoil_adyen_api_key,
                merchant_account=settings.counterfoil_adyen_merchant_account,
                return_url=settings.counterfoil_return_url,
                checkout_url=settings.counterfoil_adyen_checkout_url,
                disputes_url=settings.counterfoil_adyen_disputes_url,
            )
            found["adyen"] = AdyenProvider(account, read_timeout_ms=READ_TIMEOUT_MS)
        for provider in found.values():
            stack.push_async_callback(provider.aclose)
        yield found
