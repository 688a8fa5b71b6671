"""The adapter for Adyen: see the package for its parts, and ADR 14 for what cannot be asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from Adyen.services.checkout.modifications_api import ModificationsApi  # type: ignore[import-untyped]
from Adyen.services.checkout.payments_api import PaymentsApi  # type: ignore[import-untyped]
from Adyen.services.disputes.disputes_api import DisputesApi  # type: ignore[import-untyped]

from producers.providers.adyen import answers, calls
from producers.providers.adyen.transport import Transport
from producers.providers.base import READINGS, Ambiguous, Pending, Refused, Succeeded

if TYPE_CHECKING:
    from pydantic import SecretStr

    from producers.providers.base import ProviderAnswer, ProviderRequest

NOT_NAMED: Final = "Adyen has not named this payment yet; its webhook will"
NO_EVIDENCE: Final = "Adyen takes documents for a defense reason, no texts: defend it in the Customer Area"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdyenAccount:
    """A merchant account, and how to reach it."""

    api_key: SecretStr
    """Of an API credential, never logged."""
    merchant_account: str
    return_url: str
    """Where Adyen sends the customer after a challenge."""
    checkout_url: str = "https://checkout-test.adyen.com"
    """Up to the version of its Checkout API: live, `https://PREFIX-checkout-live.adyenpayments.com/checkout`."""
    disputes_url: str = "https://ca-test.adyen.com"
    adjustable: bool = False
    """Hold money as a pre-authorization, which can be increased; schemes ask a fee for it."""


class AdyenProvider:
    """A `Provider` for one Adyen merchant account; one instance serves any number of concurrent calls.

    A token is `<shopperReference>:<storedPaymentMethodId>`.

    Args:
        account: Whose payments these are.
        connect_timeout_ms: For a connection, and for a free place in the pool. Passing it is harmless.
        read_timeout_ms: For the next byte in either direction. Passing it leaves the outcome unknown.
        max_connections: How many calls can be on their way at once.
    """

    def __init__(
        self,
        account: AdyenAccount,
        *,
        connect_timeout_ms: int = 2_000,
        read_timeout_ms: int = 60_000,
        max_connections: int = 64,
    ) -> None:
        self._account = account
        self._transport = Transport(
            hosts={"checkout": account.checkout_url, "disputes": account.disputes_url},
            api_key=account.api_key,
            connect_timeout_ms=connect_timeout_ms,
            read_timeout_ms=read_timeout_ms,
            max_connections=max_connections,
        )
        self._payments = PaymentsApi(client=self._transport)
        self._modifications = ModificationsApi(client=self._transport)
        self._disputes = DisputesApi(client=self._transport)

    async def execute(self, call: ProviderRequest) -> ProviderAnswer:
        """See `Provider.execute`."""
        if call.operation in READINGS:
            return _awaited(call)
        impossible = _impossible(call)
        if impossible is not None:
            return Refused(impossible, b"")
        try:
            match call.operation:
                case "authorize":
                    return await self._authorize(call)
                case "accept_dispute":
                    return await self._accept(call)
                case _:
                    return await self._modify(call, str(call.call_id))
        except ValueError as error:  # what Adyen cannot take is known before anything is sent
            return Refused(str(error), b"")

    async def query(self, call: ProviderRequest) -> ProviderAnswer:
        """See `Provider.query`. Adyen has no status to ask for: its webhook, or its report, is the answer."""
        if call.operation in READINGS:
            return _awaited(call)
        return Ambiguous("Adyen cannot be asked; a webhook or the settlement report will tell")

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        await self._transport.aclose()

    async def _authorize(self, call: ProviderRequest) -> ProviderAnswer:
        """A payment, and when it is to be captured at once, the capture: that one is decided by its webhook."""
        told = calls.payment(
            call,
            self._account.merchant_account,
            self._account.return_url,
            adjustable=self._account.adjustable,
        )
        sent = await self._payments.payments(told, idempotency_key=str(call.call_id))
        held = answers.read(call, sent, answers.paid)
        if not (isinstance(held, Succeeded) and call.capture):
            return held
        capture = replace(
            call,
            operation="capture",
            provider_reference=held.provider_reference,
            amount_minor=held.amount_minor,
        )
        captured = await self._modify(capture, f"{call.call_id}:capture")
        match captured:
            case Pending() | Ambiguous():
                return Pending(held.provider_reference, held.raw)
            case _:  # certainly not captured, and certainly held
                return held

    async def _modify(self, call: ProviderRequest, key: str) -> ProviderAnswer:
        request: dict[str, Any] = calls.modification(call, self._account.merchant_account)
        send = {
            "capture": self._modifications.capture_authorised_payment,
            "increase": self._modifications.update_authorised_amount,
            "void": self._modifications.cancel_authorised_payment_by_psp_reference,
            "refund": self._modifications.refund_captured_payment,
        }[call.operation]
        payment = quote(call.provider_reference or "", safe="")
        return answers.read(call, await send(request, payment, idempotency_key=key), answers.taken_on)

    async def _accept(self, call: ProviderRequest) -> ProviderAnswer:
        request = {
            "disputePspReference": call.object_reference,
            "merchantAccountCode": self._account.merchant_account,
        }
        sent = await self._disputes.accept_dispute(request, idempotency_key=str(call.call_id))
        return answers.read(call, sent, answers.accepted)


def _impossible(call: ProviderRequest) -> str | None:
    """Why Adyen cannot be asked this at all; None when it can."""
    if call.operation == "submit_evidence":
        return NO_EVIDENCE
    return NOT_NAMED if (call.provider_reference or "").startswith(calls.CALL) else None


def _awaited(call: ProviderRequest) -> Pending:
    """What cannot be read is waited for."""
    about = call.object_reference if call.operation == "confirm_refund" else call.provider_reference
    return Pending(about or "", b"")
