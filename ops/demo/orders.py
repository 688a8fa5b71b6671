"""One order of the day, and the messages that its shop can send about it until it is paid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from ops.demo.merchants import price_minor

if TYPE_CHECKING:
    from random import Random

    from ops.demo.merchants import Merchant

NETWORKS: Final = ("visa", "mastercard", "amex", "discover", "jcb", "unionpay", "diners")


DISPUTE_REFERENCE: Final = b"%dispute_reference%"
"""Stands for the provider's name of the dispute that the cue tells of."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What a shop must have heard before it goes on, and what is done about that at the provider before.

    The customer passes or fails the challenge; the customer's bank opens a dispute, or escalates the one it has.
    """

    event_type: str
    answer: Literal["passed", "failed", "dispute", "escalate"] | None = None


DECLINED: Final = Cue("payment.requires_payment_method.v1")
PASSED: Final = Cue("payment.requires_action.v1", "passed")
FAILED: Final = Cue("payment.requires_action.v1", "failed")


@dataclass(frozen=True, slots=True)
class Step:
    """A message to be sent `after_s` seconds after the order's one before, and after its cue.

    `day`: so many days after the day itself.
    """

    type: str
    data: dict[str, Any]
    after_s: float
    cue: Cue | None = None
    day: int = 0


@dataclass(slots=True)
class Order:
    """An order to be paid. Every method makes one message; ids and keys follow from the order's.

    Without a `customer_id`, somebody of the crowd.
    """

    random: Random
    merchant: Merchant
    order_id: str
    currency: str = ""
    amount_minor: int = 0
    customer_id: str | None = None
    _keys: int = field(default=0)

    def __post_init__(self) -> None:
        self.currency = self.currency or self.random.choice(self.merchant.market.currencies)
        self.amount_minor = self.amount_minor or price_minor(self.random, self.currency)

    def request(self, token: str | None = None, *, confirm: bool = True, manual: bool = False) -> Step:
        """The customer is at the checkout; with a card the provider is asked at once, unless `confirm` says no."""
        data = self._basket() | {"capture_method": "manual" if manual else "automatic"}
        if token is not None:
            data |= {"payment_method": self._card(token), "confirm": confirm}
        return self._command("payment_requested", data, 0)

    def confirm(self, token: str | None, cue: Cue | None = None) -> Step:
        """The customer confirms, with this card or with the one given before."""
        method = {} if token is None else {"payment_method": self._card(token)}
        return self._command("confirmation_requested", {"order_id": self.order_id} | method, 60, cue)

    def return_from_challenge(self, cue: Cue) -> Step:
        """The customer answered the challenge and is back in the shop."""
        return self._fact("challenge_completed", {"order_id": self.order_id}, 45, cue)

    def capture(self, amount_minor: int | None = None, *, final: bool = True) -> Step:
        """The parcel, or a part of it, is sent off."""
        part = {} if amount_minor is None else {"amount_minor": amount_minor, "final": final}
        return self._command("capture_requested", {"order_id": self.order_id} | part, 5400)

    def cancel(self) -> Step:
        """The order is given up."""
        return self._command("cancellation_requested", {"order_id": self.order_id}, 1800)

    def record(self, collection: str, amount_minor: int | None = None) -> Step:
        """The money was handed over."""
        return self._fact("payment_recorded", self._basket(amount_minor) | {"collection": collection}, 7200)

    def defer(self, collection: str) -> Step:
        """The money will be handed over."""
        return self._fact("payment_deferred", self._basket() | {"collection": collection}, 0)

    def miss(self, detail: str) -> Step:
        """The money will not come."""
        return self._fact("payment_not_collected", {"order_id": self.order_id, "detail": detail}, 7200)

    @property
    def third_minor(self) -> int:
        """A third of the amount, for captures in parts."""
        return self.amount_minor // 3

    def _basket(self, amount_minor: int | None = None) -> dict[str, Any]:
        return {
            "order_id": self.order_id,
            "merchant_id": self.merchant.merchant_id,
            "customer_id": self.customer_id or f"customer-{self.random.randrange(5000):04d}",
            "amount": {"amount_minor": amount_minor or self.amount_minor, "currency": self.currency},
            "metadata": {"channel": self.random.choice(("web", "app", "phone"))},
        }

    def _card(self, token: str) -> dict[str, str]:
        last4 = f"{self.random.randrange(10_000):04d}"
        return {"type": "card", "token": token, "network": self.random.choice(NETWORKS), "last4": last4}

    def _command(self, name: str, data: dict[str, Any], mean_s: float, cue: Cue | None = None) -> Step:
        self._keys += 1
        return self._fact(name, data | {"idempotency_key": f"{self.order_id}-{self._keys}"}, mean_s, cue)

    def _fact(self, name: str, data: dict[str, Any], mean_s: float, cue: Cue | None = None) -> Step:
        after_s = self.random.expovariate(1 / mean_s) if mean_s else 0.0
        return Step(f"checkout.{name}.v1", data, after_s, cue)
