"""The adapter for Stripe: see the package for its parts, and ADR 14 for why it asks as it asks.

What is certain, and by what:

    authorize          two requests: an intent is created (no money), then confirmed. So a lost answer to the second
                       leaves an intent that can be found again by creating it again under the same key, and read.
    capture, increase  the intent's metadata names each, written by Stripe together with it.
    void, disputes     the object itself says it.
    refund             the list of the payment's refunds, each with its call's id.

Stripe forgets idempotency keys after a day at the earliest. An unconfirmed intent that a query finds may therefore be
a second one, so a first one is searched by its metadata; that search lags by minutes, never by a day.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, TypeVar

import stripe
from pydantic import ValidationError

from producers.providers.base import READINGS, Ambiguous, NotFound, Refused
from producers.providers.stripe import answers, calls
from producers.providers.stripe.answers import Dispute, Found, Intent, Refund, Refunds, StripeDocument
from producers.providers.stripe.failures import SDK_STUMBLES, as_open, failure, without_effect
from producers.providers.stripe.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from pydantic import SecretStr

    from producers.providers.base import ProviderAnswer, ProviderRequest

Feature: TypeAlias = Literal[
    "multicapture", "incremental_authorization", "overcapture", "extended_authorization"
]
"""What Stripe grants to some accounts only; asked for at each authorization that is captured later."""

T = TypeVar("T", bound=StripeDocument)
PAGE: Final = 100
UNCONFIRMED: Final = "requires_confirmation"
DEFAULT_URL: Final = "https://api.stripe.com"

# At DEBUG the SDK logs the parameters of a request, the customer's token among them.
logging.getLogger("stripe").setLevel(logging.WARNING)


class StripeProvider:
    """A `Provider` for one Stripe account; one instance serves any number of concurrent calls.

    Args:
        api_key: The account's secret or restricted key, never logged.
        return_url: Where Stripe sends the customer after a challenge.
        base_url: Where Stripe listens, without a path.
        features: What this account may ask of card authorizations.
        connect_timeout_ms: For a connection, and for a free place in the pool. Passing it is harmless.
        read_timeout_ms: For the next byte in either direction. Passing it leaves the outcome unknown; Stripe's own
            limit for an issuer's answer is longer than half a minute.
        max_connections: How many calls can be on their way at once.
    """

    def __init__(
        self,
        *,
        api_key: SecretStr,
        return_url: str,
        base_url: str = DEFAULT_URL,
        features: Iterable[Feature] = (),
        connect_timeout_ms: int = 2_000,
        read_timeout_ms: int = 40_000,
        max_connections: int = 64,
    ) -> None:
        self._return_url = return_url
        self._features: frozenset[str] = frozenset(features)
        self._transport = Transport(
            connect_timeout_ms=connect_timeout_ms,
            read_timeout_ms=read_timeout_ms,
            max_connections=max_connections,
        )
        self._api = stripe.StripeClient(
            api_key.get_secret_value(),
            base_addresses={"api": base_url},
            max_network_retries=0,
            http_client=self._transport,
        ).v1

    async def execute(self, call: ProviderRequest) -> ProviderAnswer:
        """See `Provider.execute`."""
        try:
            answer = await self._execute(call)
        except ValueError as error:  # what Stripe cannot take is known before anything is sent
            return Refused(str(error), b"")
        return without_effect(answer) if call.operation in READINGS else answer

    async def query(self, call: ProviderRequest) -> ProviderAnswer:
        """See `Provider.query`. For an authorization it may leave an unconfirmed intent, which moves no money."""
        if call.operation in READINGS:
            return await self.execute(call)
        if call.operation == "authorize":
            try:
                return await self._find(call)
            except ValueError as error:  # what Stripe cannot take was never sent
                return Refused(str(error), b"")
        if call.operation == "refund":
            return await self._find_refund(call)
        if call.operation in answers.ABOUT_DISPUTE:
            asked = await _ask(self._api.disputes.retrieve_async(call.object_reference or ""), Dispute)
            return _question(asked, call, answers.ABOUT_DISPUTE[call.operation])
        held = await self._intent(call.provider_reference or "")
        return _question(held, call, answers.ABOUT_INTENT[call.operation])

    async def aclose(self) -> None:
        """See `Provider.aclose`."""
        await self._transport.close_async()

    async def _execute(self, call: ProviderRequest) -> ProviderAnswer:
        intents, disputes, refunds = self._api.payment_intents, self._api.disputes, self._api.refunds
        held, subject, once = call.provider_reference or "", call.object_reference or "", _once(call)
        answer: ProviderAnswer
        match call.operation:
            case "authorize":
                answer = await self._authorize(call)
            case "capture":
                taken = await _ask(intents.capture_async(held, calls.capture(call), once), Intent)
                answer = _outcome(taken, call, answers.captured)
            case "increase":
                raising = intents.increment_authorization_async(held, calls.increase(call), once)
                answer = _outcome(await _ask(raising, Intent), call, answers.increased)
            case "void":
                voided = await _ask(intents.cancel_async(held, {}, once), Intent)
                answer = _outcome(voided, call, answers.voided)
            case "confirm":
                answer = _outcome(await self._intent(held), call, answers.stands)
            case "refund":
                returned = await _ask(refunds.create_async(calls.refund(call), once), Refund)
                answer = _outcome(returned, call, answers.refunded)
            case "confirm_refund":
                answer = _outcome(await _ask(refunds.retrieve_async(subject), Refund), call, answers.refunded)
            case "submit_evidence":
                told = await _ask(disputes.update_async(subject, calls.evidence(call), once), Dispute)
                answer = _outcome(told, call, answers.answered)
            case "accept_dispute":
                closed = await _ask(disputes.close_async(subject, {}, once), Dispute)
                answer = _outcome(closed, call, answers.accepted)
        return answer

    async def _authorize(self, call: ProviderRequest) -> ProviderAnswer:
        made = await self._create(call)
        if not isinstance(made, Told):
            return without_effect(made)  # nobody has confirmed anything
        confirming = self._api.payment_intents.confirm_async(
            made.document.id, {"return_url": self._return_url}, _once(call, ":confirm")
        )
        return _outcome(await _ask(confirming, Intent), call, answers.stands)

    async def _find(self, call: ProviderRequest) -> ProviderAnswer:
        """What became of an authorization: the intent that its key or its metadata leads to, as it is now."""
        made = await self._create(call)
        if not isinstance(made, Told):
            return as_open(made)
        held = await self._intent(made.document.id)
        if isinstance(held, Told) and held.document.status == UNCONFIRMED:
            # Nothing came of this one; and if Stripe has forgotten the key since, it was not the first.
            earlier = await self._search(call)
            if earlier is None:
                return NotFound()
            held = await self._intent(earlier) if isinstance(earlier, str) else earlier
        return _question(held, call, answers.stands)

    async def _intent(self, reference: str) -> Told[Intent] | ProviderAnswer:
        return await _ask(self._api.payment_intents.retrieve_async(reference), Intent)

    async def _create(self, call: ProviderRequest) -> Told[Intent] | ProviderAnswer:
        told = calls.creation(call, self._features)
        return await _ask(self._api.payment_intents.create_async(told, _once(call)), Intent)

    async def _search(self, call: ProviderRequest) -> str | ProviderAnswer | None:
        """The intent of this call that was confirmed, by its metadata."""
        query = f'metadata["call_id"]:"{call.call_id}"'
        asked = await _ask(self._api.payment_intents.search_async({"query": query, "limit": PAGE}), Found)
        if not isinstance(asked, Told):
            return asked
        confirmed = [hit.id for hit in asked.document.data if hit.status != UNCONFIRMED]
        if len(confirmed) > 1 or asked.document.has_more:
            return Ambiguous("several intents carry this call's id")
        return confirmed[0] if confirmed else None

    async def _find_refund(self, call: ProviderRequest) -> ProviderAnswer:
        """What became of a refund: the one among the payment's that carries the call's id."""
        after: dict[str, str] = {}
        while True:
            told: Any = {"payment_intent": call.provider_reference, "limit": PAGE, **after}
            asked = await _ask(self._api.refunds.list_async(told), Refunds)
            if not isinstance(asked, Told):
                return as_open(asked)
            for refund in asked.document.data:
                if refund.metadata.get("call_id") == str(call.call_id):
                    return _outcome(Told(refund, asked.raw), call, answers.refunded)
            if not asked.document.has_more or not asked.document.data:
                return NotFound()
            after = {"starting_after": asked.document.data[-1].id}


@dataclass(frozen=True, slots=True)
class Told(Generic[T]):
    """An object as Stripe sent it."""

    document: T
    raw: bytes


async def _ask(request: Awaitable[Any], kind: type[T]) -> Told[T] | ProviderAnswer:
    """Send one request and read what comes; whatever goes wrong is an answer too."""
    try:
        response: stripe.StripeResponse = (await request).last_response
        document = kind.model_validate_json(response.body)
    except ValidationError as error:
        return Ambiguous(f"an answer that cannot be read: {error.error_count()} faults")
    except (stripe.StripeError, *SDK_STUMBLES) as error:
        return failure(error)
    return Told(document, response.body.encode())


def _outcome(
    told: Told[T] | ProviderAnswer,
    call: ProviderRequest,
    reading: Callable[[ProviderRequest, T, bytes], ProviderAnswer],
) -> ProviderAnswer:
    if not isinstance(told, Told):
        return told
    try:
        return reading(call, told.document, told.raw)
    except ValueError as error:  # an amount or a mark that makes no sense: the effect is there all the same
        return Ambiguous(f"an answer that cannot be read: {error}")


def _question(
    told: Told[T] | ProviderAnswer,
    call: ProviderRequest,
    reading: Callable[[ProviderRequest, T, bytes], ProviderAnswer],
) -> ProviderAnswer:
    return _outcome(told, call, reading) if isinstance(told, Told) else as_open(told)


def _once(call: ProviderRequest, step: str = "") -> stripe.RequestOptions:
    return {"idempotency_key": f"{call.call_id}{step}"}
