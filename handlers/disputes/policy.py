"""What we decide about disputes, as data: who bears what, when merchants are reminded, what providers take."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal

from handlers.disputes.states import Standing
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Mapping

Bearer = Literal["platform", "merchant"]


@value
class Policy:
    """`fee_borne_by`: who bears the provider's fee for a dispute, by how the dispute stands.

    `platform_fee`: what becomes of our own fee on a sale whose money is lost. Returned proportionally it is rounded
    down (`Rounding.DOWN`), so that all parts together never exceed the fee.
    """

    fee_borne_by: Mapping[Standing, Bearer]
    platform_fee: Literal["keep", "return_proportionally"]


POLICY: Final = Policy(
    fee_borne_by={
        Standing.NONE: "platform",
        Standing.OPEN: "platform",
        Standing.WON: "platform",
        Standing.LOST: "merchant",
    },
    platform_fee="keep",
)
"""A merchant pays for what it loses; the platform for what it wins. The work of a sale was done, its fee is kept."""

REMIND_BEFORE: Final[Mapping[str, timedelta]] = {
    "inquiry": timedelta(days=1),
    "chargeback": timedelta(days=3),
    "second_chargeback": timedelta(days=2),
}
"""Stage -> how long before the evidence is due the merchant is reminded."""

LOOK_AGAIN: Final = timedelta(hours=1)
"""How long the due date waits while the provider is being told our answer."""

TAKES_MORE_EVIDENCE: Final = frozenset({"adyen"})
"""Providers that take further evidence after the first of a stage. Stripe and the sandbox take one."""
