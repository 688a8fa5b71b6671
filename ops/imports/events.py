"""Orders to events, under ids that follow from the content, so that a second import changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ops.imports.orders import Kind
from ops.imports.rows import Problem
from schemas.currencies import to_minor
from schemas.envelope import SPEC_VERSION, Identifier, Tenant
from schemas.money import Rounding
from schemas.outgoing import partition_key
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.imports.orders import Order, OrderBook

TOPIC: Final = "checkout.events"
SOURCE: Final = "/imports/orders"
SINCE_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""From when the import's fee schedule holds: before every order."""

_MESSAGES: Final[TypeAdapter[Any]] = TypeAdapter(TOPICS[TOPIC].inbound)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message for `checkout.events`."""

    key: bytes
    body: bytes


class Importer(BaseModel):
    """For whom the orders are booked. `fee_bps` None leaves the merchant's fee schedules as they are."""

    model_config = ConfigDict(frozen=True)

    tenant: Tenant
    merchant: Identifier
    fee_bps: Annotated[int, Field(ge=0, le=10_000)] | None = 0

    def check(self, book: OrderBook) -> list[Problem]:
        """The orders that cannot be payments: their event would be refused, for the reason given."""
        problems = []
        for order in book.orders(Kind.SALE):
            try:
                self.payment(order, book.mapping.collection)
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                place = ".".join(str(part) for part in first["loc"] if "." not in str(part))
                reason = f"order {order.number}: {first['msg']}"
                problems.append(Problem(order.line, place, reason, order.number))
            except ValueError as error:
                reason = f"order {order.number}: {error}"
                problems.append(Problem(order.line, "amount", reason, order.number))
        return problems

    def messages(self, book: OrderBook) -> Iterator[Outgoing]:
        """The fee schedule, if it is to be set, then a recorded payment for each sale."""
        if self.fee_bps is not None:
            yield self.fees(self.fee_bps)
        for order in book.orders(Kind.SALE):
            yield self.payment(order, book.mapping.collection)

    def fees(self, bps: int) -> Outgoing:
        """The merchant's first fee schedule, in force since ever."""
        data = {
            "merchant_id": self.merchant,
            "version": 1,
            "effective_from": SINCE_EVER,
            "bps": bps,
            "fixed_minor": {},
            "rounding": Rounding.HALF_EVEN,
        }
        return self._message("merchant_fees_set", "fees", self.merchant, SINCE_EVER, data)

    def payment(self, order: Order, collection: str) -> Outgoing:
        """The order as a recorded payment. Raises ValueError when its consumer would refuse it."""
        amount = {"amount_minor": to_minor(order.amount, order.currency), "currency": order.currency}
        data: dict[str, Any] = {
            "order_id": order.number,
            "merchant_id": self.merchant,
            "amount": amount,
            "collection": collection,
        }
        if order.customer is not None:
            data["customer_id"] = order.customer
        return self._message("payment_recorded", order.number, order.number, order.time.astimezone(UTC), data)

    def _message(self, name: str, label: str, about: str, time: datetime, data: dict[str, Any]) -> Outgoing:
        said = {"type": f"checkout.{name}.v1", "time": time, "tenant": self.tenant, "data": data}
        digest = blake2b(orjson.dumps(said, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()
        envelope = {"specversion": SPEC_VERSION, "id": f"{label}-{digest}", "source": SOURCE, **said}
        body = orjson.dumps(envelope)
        _MESSAGES.validate_json(body)
        return Outgoing(partition_key(self.tenant, about).encode(), body)
