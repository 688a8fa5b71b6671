"""`checkout.events`: what upstream shops ask for (commands) and report (facts). Key: tenant + order."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from schemas.actor import Actor
from schemas.envelope import Command, Data, Identifier, Message, Timestamp
from schemas.money import AmountMinor, CurrencyCode, Money, PositiveMinor, Rounding
from schemas.safe_text import Metadata, SafeName, SafeText

CaptureMethod = Literal["automatic", "manual"]
"""When the money is taken: with the authorization, or by a later capture command."""

Collection = Literal["cash_on_delivery", "point_of_sale", "bank_transfer"]
"""How a recorded payment's money is handed over; no provider is called for these."""


class CardMethod(Data):
    """A card as the provider's vault knows it: a token, never the number."""

    type: Literal["card"]
    token: SafeName
    network: Literal["visa", "mastercard", "amex", "discover", "jcb", "unionpay", "diners"]
    last4: Annotated[str, Field(pattern=r"^[0-9]{4}$")]


class BankDebitMethod(Data):
    """A mandate on a bank account as the provider knows it. Taken at once; the bank decides in days."""

    type: Literal["bank_debit"]
    token: SafeName
    last4: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{4}$")]


PaymentMethod = Annotated[CardMethod | BankDebitMethod, Field(discriminator="type")]


class MerchantData(Data):
    """Base of messages about a merchant."""

    merchant_id: Identifier

    def ordering_key(self) -> str:
        """The merchant."""
        return self.merchant_id


class OrderData(Data):
    """Base of facts about an order."""

    order_id: Identifier

    def ordering_key(self) -> str:
        """The order."""
        return self.order_id


class OrderCommand(Command):
    """Base of commands on an order's payment."""

    order_id: Identifier

    def ordering_key(self) -> str:
        """The order."""
        return self.order_id


class MerchantFeesSetData(MerchantData):
    """A new version of a merchant's fee schedule; for payments whose event time is at or after `effective_from`."""

    version: Annotated[int, Field(ge=1, le=1_000_000)]
    effective_from: Timestamp
    bps: Annotated[int, Field(ge=0, le=10_000, description="basis points of the amount")]
    fixed_minor: Annotated[
        dict[CurrencyCode, AmountMinor],
        Field(
            max_length=200,
            description="fixed fee, once per payment, by currency in minor units; none where absent",
        ),
    ]
    rounding: Rounding


class PaymentRequestedData(OrderCommand):
    """Open the order's payment. With a method and `confirm`, the provider is asked at once.

    `off_session`: no customer waits. Then we may try a decline again by ourselves, as handlers/payments/retry.py says.
    """

    merchant_id: Identifier
    customer_id: SafeName | None = None
    amount: Money
    capture_method: CaptureMethod = "automatic"
    payment_method: PaymentMethod | None = None
    confirm: bool = False
    off_session: bool = False
    metadata: Metadata = Field(default_factory=dict)

    @model_validator(mode="after")
    def _confirm_needs_method(self) -> PaymentRequestedData:
        if self.confirm and self.payment_method is None:
            msg = "confirm is true but payment_method is missing"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _debit_is_taken_at_once(self) -> PaymentRequestedData:
        if isinstance(self.payment_method, BankDebitMethod) and self.capture_method != "automatic":
            msg = "capture_method is manual, but a bank_debit is taken at once"
            raise ValueError(msg)
        return self


class ConfirmationRequestedData(OrderCommand):
    """Confirm the payment, with the method it has or with a new one after a decline.

    `off_session` as in PaymentRequestedData; None leaves it as it is.
    """

    payment_method: PaymentMethod | None = None
    off_session: bool | None = None


class ChallengeCompletedData(OrderData):
    """The customer came back from the provider's challenge (3-D Secure). The provider is asked for the result."""


class CaptureRequestedData(OrderCommand):
    """Take authorized money: all that is left, or `amount_minor`. A final capture releases the rest.

    More than is left only where the card's network allows it, and then it is final.
    """

    amount_minor: PositiveMinor | None = None
    final: bool = True


class AuthorizationIncreaseRequestedData(OrderCommand):
    """Hold more: `amount_minor` is the new total, and what the order costs from then on."""

    amount_minor: PositiveMinor


class CancellationRequestedData(OrderCommand):
    """Give the payment up; what is authorized, or left of it after a capture, is voided at the provider."""


class OutcomeDecidedData(OrderCommand):
    """A person decides what became of a call whose outcome nobody knows: did it succeed, or had it no effect?

    `amount_minor` and `provider_reference` as the provider's console shows them. A large amount needs two people.
    """

    call_id: Annotated[UUID, Field(strict=False)]
    verdict: Literal["succeeded", "no_effect"]
    amount_minor: PositiveMinor | None = None
    provider_reference: Identifier | None = None
    actor: Actor
    note: Annotated[SafeText, Field(min_length=1)]

    @model_validator(mode="after")
    def _success_has_an_amount(self) -> OutcomeDecidedData:
        if self.verdict == "succeeded" and (self.amount_minor is None or self.provider_reference is None):
            msg = "verdict is succeeded but amount_minor or provider_reference is missing"
            raise ValueError(msg)
        return self


class PaymentRecordedData(OrderData):
    """The money of an order was handed over outside any provider; `collection` says how."""

    merchant_id: Identifier
    customer_id: SafeName | None = None
    amount: Money
    collection: Collection
    metadata: Metadata = Field(default_factory=dict)


class PaymentDeferredData(PaymentRecordedData):
    """The money of an order will be handed over later: on delivery, or by a transfer under way."""


class PaymentNotCollectedData(OrderData):
    """A deferred payment will not come: the parcel was refused, the transfer never arrived."""

    detail: SafeText = ""


class MerchantFeesSet(Message):
    """checkout.merchant_fees_set.v1."""

    type: Literal["checkout.merchant_fees_set.v1"]
    data: MerchantFeesSetData


class PaymentRequested(Message):
    """checkout.payment_requested.v1."""

    type: Literal["checkout.payment_requested.v1"]
    data: PaymentRequestedData


class ConfirmationRequested(Message):
    """checkout.confirmation_requested.v1."""

    type: Literal["checkout.confirmation_requested.v1"]
    data: ConfirmationRequestedData


class ChallengeCompleted(Message):
    """checkout.challenge_completed.v1."""

    type: Literal["checkout.challenge_completed.v1"]
    data: ChallengeCompletedData


class CaptureRequested(Message):
    """checkout.capture_requested.v1."""

    type: Literal["checkout.capture_requested.v1"]
    data: CaptureRequestedData


class CancellationRequested(Message):
    """checkout.cancellation_requested.v1."""

    type: Literal["checkout.cancellation_requested.v1"]
    data: CancellationRequestedData


class AuthorizationIncreaseRequested(Message):
    """checkout.authorization_increase_requested.v1."""

    type: Literal["checkout.authorization_increase_requested.v1"]
    data: AuthorizationIncreaseRequestedData


class OutcomeDecided(Message):
    """checkout.outcome_decided.v1."""

    type: Literal["checkout.outcome_decided.v1"]
    data: OutcomeDecidedData


class PaymentRecorded(Message):
    """checkout.payment_recorded.v1."""

    type: Literal["checkout.payment_recorded.v1"]
    data: PaymentRecordedData


class PaymentDeferred(Message):
    """checkout.payment_deferred.v1."""

    type: Literal["checkout.payment_deferred.v1"]
    data: PaymentDeferredData


class PaymentNotCollected(Message):
    """checkout.payment_not_collected.v1."""

    type: Literal["checkout.payment_not_collected.v1"]
    data: PaymentNotCollectedData


CheckoutMessage = (
    MerchantFeesSet
    | PaymentRequested
    | ConfirmationRequested
    | ChallengeCompleted
    | CaptureRequested
    | AuthorizationIncreaseRequested
    | CancellationRequested
    | OutcomeDecided
    | PaymentRecorded
    | PaymentDeferred
    | PaymentNotCollected
)
"""A part of the union of `checkout.events`."""
