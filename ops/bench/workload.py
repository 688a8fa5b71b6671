"""The payments of a benchmark: recorded facts of many merchants and orders, the same for the same seed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import orjson
from aiokafka.partitioner import DefaultPartitioner

from producers.kafka import create_producer
from schemas.envelope import SPEC_VERSION
from schemas.outgoing import partition_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TOPIC: Final = "checkout.events"
TENANT: Final = "bench"
FEES_SET: Final = "checkout.merchant_fees_set.v1"
RECORDED: Final = "checkout.payment_recorded.v1"
REQUESTED: Final = "checkout.payment_requested.v1"
SOURCE: Final = "/counterfoil/bench"
TIME: Final = "2026-01-15T12:00:00Z"
EFFECTIVE_FROM: Final = "2026-01-01T00:00:00Z"
CURRENCIES: Final = ("EUR", "USD", "JPY")
COLLECTIONS: Final = ("point_of_sale", "bank_transfer")
SMALLEST_MINOR, LARGEST_MINOR = 500, 50_000
choose_partition: Final = DefaultPartitioner()
"""As Kafka's own clients do it."""


@dataclass(frozen=True, slots=True)
class Event:
    """A message to publish, with its Kafka key."""

    key: bytes
    body: bytes


@dataclass(slots=True)
class Workload:
    """`fees` first: a payment of an unknown merchant would wait. `paid_minor` sums up what was made, by currency.

    With one merchant, currency and way of collecting, all payments are booked on the same three accounts.
    """

    merchants: int = 200
    seed: int = 7
    tenant: str = TENANT
    currencies: tuple[str, ...] = CURRENCIES
    collections: tuple[str, ...] = COLLECTIONS
    paid_minor: Counter[str] = field(default_factory=Counter)

    def fees(self) -> list[Event]:
        """A fee schedule for each merchant."""
        return [
            _event(
                self.tenant,
                f"fees-{number}",
                FEES_SET,
                merchant,
                {
                    "merchant_id": merchant,
                    "version": 1,
                    "effective_from": EFFECTIVE_FROM,
                    "bps": 100 + number,
                    "fixed_minor": {"EUR": 30, "USD": 25, "JPY": 40},
                    "rounding": "half_even",
                },
            )
            for number, merchant in enumerate(map(_merchant, range(self.merchants)))
        ]

    def payments(self, count: int) -> Iterator[Event]:
        """So many recorded payments, each for an order of its own."""
        draw = random.Random(self.seed)  # noqa: S311 - a workload, no secret
        for number in range(count):
            currency = draw.choice(self.currencies)
            amount_minor = draw.randint(SMALLEST_MINOR, LARGEST_MINOR)
            self.paid_minor[currency] += amount_minor
            order = f"order-{number}"
            yield _event(
                self.tenant,
                payment_id(number),
                RECORDED,
                order,
                {
                    "order_id": order,
                    "merchant_id": _merchant(draw.randrange(self.merchants)),
                    "customer_id": f"customer-{draw.randrange(100_000)}",
                    "amount": {"amount_minor": amount_minor, "currency": currency},
                    "collection": draw.choice(self.collections),
                },
            )


def card_payment(order: str, amount_minor: int) -> Event:
    """The command to take so much by card at once; the sandbox provider approves it."""
    return _event(
        TENANT,
        f"request-{order}",
        REQUESTED,
        order,
        {
            "idempotency_key": order,
            "order_id": order,
            "merchant_id": _merchant(0),
            "amount": {"amount_minor": amount_minor, "currency": "EUR"},
            "payment_method": {"type": "card", "token": "tok_approve", "network": "visa", "last4": "4242"},
            "confirm": True,
        },
    )


def payment_id(number: int) -> str:
    """The event id of the payment with this number, from 0 on."""
    return f"payment-{number}"


def _merchant(number: int) -> str:
    return f"merchant-{number}"


def _event(tenant: str, event_id: str, event_type: str, about: str, data: dict[str, object]) -> Event:
    envelope = {
        "specversion": SPEC_VERSION,
        "id": event_id,
        "source": SOURCE,
        "type": event_type,
        "time": TIME,
        "tenant": tenant,
        "subject": about,
        "data": data,
    }
    return Event(partition_key(tenant, about).encode(), orjson.dumps(envelope))


async def publish(kafka: str, events: Iterable[Event]) -> int:
    """Put them into the topic as fast as it goes, in order per key; returns how many, when all are acknowledged.

    Not compressed: that is a sender's affair, and what a consumer fetches ahead would be most of a run.
    """
    producer = create_producer(kafka, compression=None)
    await producer.start()
    try:
        partitions = sorted(await producer.partitions_for(TOPIC))
        building = {partition: producer.create_batch() for partition in partitions}
        accepted = []
        count = 0
        for event in events:
            count += 1
            partition = choose_partition(event.key, partitions, partitions)
            if building[partition].append(timestamp=None, key=event.key, value=event.body) is None:
                accepted.append(await producer.send_batch(building[partition], TOPIC, partition=partition))
                building[partition] = producer.create_batch()
                building[partition].append(timestamp=None, key=event.key, value=event.body)
        for partition, batch in building.items():
            if batch.record_count():
                accepted.append(await producer.send_batch(batch, TOPIC, partition=partition))
        await asyncio.gather(*accepted)
    finally:
        await producer.stop()
    return count
