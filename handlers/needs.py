"""What a rule needs to know: kinds of aggregates, and how a message names the one it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from handlers.payments.model import payment_id_of
from schemas.value import value

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from handlers.decision import Outcome
    from schemas.envelope import Message

Kind = Literal[
    "payment",
    "refund",
    "refund_count",
    "dispute",
    "period",
    "journal",
    "reversal",
    "wallet",
    "hold",
    "fees",
    "refund_policy",
    "evidence",
    "order_documents",
    "period_bounds",
    "journal_lines",
    "entry_links",
    "wallet_limits",
    "booked",
]
"""Kinds of aggregates; each has a table in db/tables.py."""

Key = tuple[str, "UUID | str"]
"""(tenant, id): what identifies an aggregate of a kind."""


@value
class Reference:
    """A payment named by its provider's id, where the message does not know the order."""

    tenant: str
    provider: str
    reference: str


@value
class Need:
    """An aggregate that a rule needs: its kind, and its key as read from the message.

    The key may be None, for a message that names none, and for a payment it may be a Reference.
    """

    kind: Kind
    key: Callable[[Any], Key | Reference | None]


@value
class Route:
    """`rule(*aggregates, message, now)`; an aggregate that does not exist is None, a history is a tuple."""

    rule: Callable[..., Outcome]
    needs: tuple[Need, ...]


def _payment_key(message: Message) -> Key:
    return message.tenant, payment_id_of(message.tenant, message.data.order_id)


def _merchant_key(message: Message) -> Key:
    return message.tenant, message.data.merchant_id


def _reported_key(message: Message) -> Key | Reference | None:
    data = message.data
    if data.order_id is not None:
        return _payment_key(message)
    if data.provider_reference is None:
        return None
    return Reference(message.tenant, data.provider, data.provider_reference)


PAYMENT: Final = Need("payment", _payment_key)
REPORTED_PAYMENT: Final = Need("payment", _reported_key)
"""Of a webhook: by the order it names, else by the provider's reference."""
FEES: Final = Need("fees", _merchant_key)
