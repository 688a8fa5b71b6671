"""Which provider takes a payment, as data: the first row that fits names them, in the order in which they are tried.

The next is tried only when the one before certainly had no effect. A token must be known to each: it is the vault's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from schemas.value import value

if TYPE_CHECKING:
    from handlers.payments.model import Payment


@value
class RoutingRow:
    """A row fits when what it names is the payment's; None fits all."""

    method: str
    providers: tuple[str, ...]
    tenant: str | None = None
    network: str | None = None
    currency: str | None = None


# fmt: off
ROUTING: Final = (
    # tenants that bring an account of their own; the sandbox stands in while it is away
    RoutingRow("card",       ("stripe", "sandbox"),           tenant="stripe"),
    RoutingRow("card",       ("adyen", "sandbox"),            tenant="adyen"),
    RoutingRow("card",       ("adyen", "stripe", "sandbox"),  tenant="multi", currency="EUR"),
    RoutingRow("card",       ("stripe", "adyen", "sandbox"),  tenant="multi"),
    # everybody else
    RoutingRow("card",       ("sandbox",)),
    RoutingRow("bank_debit", ("sandbox",)),
)
# fmt: on


def providers_of(payment: Payment) -> tuple[str, ...]:
    """The providers for the payment, the preferred one first. LookupError when no row fits: a method nobody takes."""
    for row in ROUTING:
        named = (
            (row.method, payment.method),
            (row.tenant, payment.tenant),
            (row.network, payment.method_network),
            (row.currency, payment.currency),
        )
        if all(wanted is None or wanted == had for wanted, had in named):
            return row.providers
    raise LookupError(f"no provider takes {payment.method}")


def next_provider(payment: Payment) -> str | None:
    """Who is asked after the payment's provider; None when it was the last."""
    providers = providers_of(payment)
    if payment.provider not in providers:
        return None
    later = providers[providers.index(payment.provider) + 1 :]
    return later[0] if later else None
