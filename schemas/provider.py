"""`provider.results`: what became of our calls to payment providers, reported by the gateway. Key: tenant + order."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from schemas.envelope import Data, Identifier, Message, ShortText
from schemas.money import AmountMinor
from schemas.reasons import Reason

Operation = Literal[
    "authorize",
    "increase",
    "capture",
    "void",
    "confirm",
    "refund",
    "confirm_refund",
    "submit_evidence",
    "accept_dispute",
]


class CallData(Data):
    """Base of results: which call, for which payment; `object_id` is the refund or dispute that it is about."""

    call_id: UUID
    payment_id: UUID
    object_id: UUID | None = None
    order_id: Identifier
    provider: Identifier
    operation: Operation

    def ordering_key(self) -> str:
        """The order."""
        return self.order_id


class CallSucceededData(CallData):
    """The provider did it."""

    provider_reference: Identifier
    amount_minor: AmountMinor
    captured: bool


class CallDeclinedData(CallData):
    """The provider, the network or the issuer said no."""

    reason: Reason
    provider_code: ShortText


class ChallengeRequiredData(CallData):
    """The customer must authenticate at `redirect_url` first."""

    provider_reference: Identifier
    redirect_url: Annotated[str, Field(max_length=2048, pattern=r"^https?://[\x21-\x7e]+$")]


class CallPendingData(CallData):
    """The provider took it on and decides later; a webhook will say how, or a reading."""

    provider_reference: Identifier


class CallUnknownData(CallData):
    """No answer, and perhaps an effect. The gateway goes on asking; another result will follow."""

    detail: ShortText


class CallFailedData(CallData):
    """It certainly had no effect, and the gateway has given up."""

    reason: Reason
    detail: ShortText


class CallSucceeded(Message):
    """provider.call_succeeded.v1."""

    type: Literal["provider.call_succeeded.v1"]
    data: CallSucceededData


class CallDeclined(Message):
    """provider.call_declined.v1."""

    type: Literal["provider.call_declined.v1"]
    data: CallDeclinedData


class ChallengeRequired(Message):
    """provider.challenge_required.v1."""

    type: Literal["provider.challenge_required.v1"]
    data: ChallengeRequiredData


class CallPending(Message):
    """provider.call_pending.v1."""

    type: Literal["provider.call_pending.v1"]
    data: CallPendingData


class CallUnknown(Message):
    """provider.call_unknown.v1."""

    type: Literal["provider.call_unknown.v1"]
    data: CallUnknownData


class CallFailed(Message):
    """provider.call_failed.v1."""

    type: Literal["provider.call_failed.v1"]
    data: CallFailedData


ProviderMessage = Annotated[
    CallSucceeded | CallDeclined | ChallengeRequired | CallPending | CallUnknown | CallFailed,
    Field(discriminator="type"),
]
