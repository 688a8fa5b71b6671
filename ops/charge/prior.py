"""What came before: the order's payment, every call to a provider for it, and what looks like the same purchase.

The last of the five layers against a double charge: whoever charges by hand has seen this, and says so with its digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import orjson

from db.queries import operator as sql
from handlers.payments.model import payment_id_of

if TYPE_CHECKING:
    from db.connection import Connection

LOOK_BACK: Final = timedelta(days=30)
"""How long ago a payment of the same customer for the same money may have been for the same purchase."""


@dataclass(frozen=True, slots=True)
class Prior:
    """Rows of db/queries/operator.sql; `payment` is None for an order that has none."""

    tenant: str
    order_id: str
    payment: Any
    calls: list[Any]
    similar: list[Any]

    @property
    def digest(self) -> str:
        """Names exactly what was shown: when anything of it changes, so does this."""
        shown = [
            [self.tenant, self.order_id],
            [self.payment["state"], self.payment["version"], self.payment["calls"]] if self.payment else None,
            [[call["call_id"], call["status"], call["answer"]] for call in self.calls],
            [[other["payment_id"], other["state"]] for other in self.similar],
        ]
        return blake2b(orjson.dumps(shown, default=str), digest_size=6).hexdigest()

    @property
    def is_empty(self) -> bool:
        """Whether nothing came before."""
        return self.payment is None and not self.similar

    @property
    def warnings(self) -> list[str]:
        """Why a charge may be a second one."""
        said = []
        if self.payment is not None and self.payment["captured_minor"]:
            said.append("the order is paid")
        if self.payment is not None and not self.payment["certain"]:
            said.append("nobody knows what became of the last call: the customer may have been charged")
        if self.payment is not None and self.payment["call_operation"] and self.payment["certain"]:
            said.append("a provider is being asked just now")
        if self.similar:
            said.append("the customer has other payments of the same amount")
        return said


async def prior(
    connection: Connection,
    tenant: str,
    order_id: str,
    *,
    customer_id: str | None = None,
    amount_minor: int | None = None,
    currency: str | None = None,
) -> Prior:
    """Everything to look at before an order is charged. Of an order with a payment, that one's customer and amount."""
    payment_id = payment_id_of(tenant, order_id)
    payment = await sql.prior_payment(connection, tenant=tenant, payment_id=payment_id)
    calls = await sql.prior_calls(connection, tenant=tenant, payment_id=payment_id)
    similar = await sql.similar_payments(
        connection,
        tenant=tenant,
        order_id=order_id,
        customer_id=payment["customer_id"] if payment else customer_id,
        amount_minor=payment["amount_minor"] if payment else amount_minor,
        currency=payment["currency"] if payment else currency,
        since=datetime.now(UTC) - LOOK_BACK,
    )
    return Prior(tenant, order_id, payment, calls, similar)
