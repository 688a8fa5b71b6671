"""What was sent or said for an order, kept for the evidence of a dispute that may come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.decision import Decision, Rejection
from handlers.disputes.model import OrderDocument
from schemas.reasons import Reason

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.decision import Outcome
    from handlers.payments.model import Payment
    from schemas.dispute import ShipmentRecorded


def record_document(
    payment: Payment | None,
    order_documents: tuple[OrderDocument, ...] | None,
    message: ShipmentRecorded,
    now: datetime,
) -> Outcome:
    """Keep it under its reference, also before the order has a payment. The same again changes nothing."""
    del payment, now
    data = message.data
    document = OrderDocument(
        message.tenant,
        data.order_id,
        data.reference,
        data.kind,
        data.occurred_at,
        data.carrier,
        data.detail,
        data.sha256,
    )
    known = next((one for one in order_documents or () if one.reference == data.reference), None)
    if known is None:
        return Decision(states=(document,))
    if known == document:
        return Decision()
    detail = f"reference {data.reference} is another document of order {data.order_id}"
    return Rejection(Reason.IDEMPOTENCY_KEY_REUSED, detail)
