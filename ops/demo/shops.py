"""Shops and their people, who act on what they hear: another card after a decline, an approval when one is asked for.

They hear of it in `payment.events`, `refund.events` and `dispute.events`. Until then, everything that a shop has still
to publish about the order is held back, in order. What the customer or the customer's bank does about the event, at the
provider, is done first.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from ops.demo.orders import DISPUTE_REFERENCE
from schemas.outgoing import partition_key
from schemas.topics import TOPIC_OF_TYPE, TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ops.demo.marketplace import Record
    from ops.demo.provider import Provider
    from producers.client import Client

LISTEN_MS: Final = 200
NAMED_AT_MOST: Final = 3


class Shops:
    """What every order's shop holds back, by the order's key; the first record of each has a cue."""

    def __init__(self, held: dict[bytes, deque[Record]]) -> None:
        self.held = held
        self._heard: dict[bytes, set[str]] = defaultdict(set)
        self._references: dict[bytes, bytes] = {}

    @property
    def records_held(self) -> int:
        """How many records wait for their cue."""
        return sum(map(len, self.held.values()))

    def waiting(self) -> list[str]:
        """What is held back, in words; a few of the orders with the events that they wait for."""
        if not self.held:
            return []
        first = islice(self.held.items(), NAMED_AT_MOST)
        named = (
            f"{key.decode()} for {queue[0].cue.event_type}" for key, queue in first if queue and queue[0].cue
        )
        return [f"{self.records_held} records wait for their cue ({', '.join(named)})"]

    async def listen(self, kafka: str, client: Client, provider: Provider) -> None:
        """Publish what was held back whenever its cue comes, until nothing is held.

        Raises:
            httpx.HTTPError: the provider did not take what a customer or a bank did.
            KafkaError: the broker did not take a record.
        """
        partitions = [
            TopicPartition(topic, number)
            for topic in sorted(self._topics())
            for number in range(TOPICS[topic].partitions)
        ]
        if not partitions:
            return
        async with AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
            consumer.assign(partitions)
            while self.held:
                heard: dict[bytes, list[dict[str, Any]]] = defaultdict(list)
                for records in (await consumer.getmany(timeout_ms=LISTEN_MS)).values():
                    for record in records:
                        event = orjson.loads(record.value)
                        key = partition_key(event["tenant"], event["data"]["order_id"]).encode()
                        if key in self.held:
                            heard[key].append(event)
                await asyncio.gather(
                    *(self._hear(key, told, client, provider) for key, told in heard.items())
                )
                await client.flush()
                # Only now, for what they held has just been acknowledged.
                self.held = {key: queue for key, queue in self.held.items() if queue}

    def _topics(self) -> set[str]:
        cues = (record.cue for queue in self.held.values() for record in queue)
        return {TOPIC_OF_TYPE[cue.event_type] for cue in cues if cue is not None}

    async def _hear(
        self, key: bytes, events: list[dict[str, Any]], client: Client, provider: Provider
    ) -> None:
        """Act on an order's events, in order; one that comes again, as events may, means nothing."""
        for event in events:
            if event["id"] in self._heard[key]:
                continue
            self._heard[key].add(event["id"])
            if not self._is_cue(key, event):
                continue
            if reference := event["data"].get("dispute_reference"):
                self._references[key] = reference.encode()
            await self._act(key, event, provider)
            for record in self._due(key):
                value = record.value.replace(DISPUTE_REFERENCE, self._references.get(key, b""))
                await client.send(record.key, value)

    def _is_cue(self, key: bytes, event: dict[str, Any]) -> bool:
        queue = self.held[key]
        cue = queue[0].cue if queue else None
        return cue is not None and cue.event_type == event["type"]

    async def _act(self, key: bytes, event: dict[str, Any], provider: Provider) -> None:
        """What is done about it at the provider, before the shop goes on."""
        cue, data = self.held[key][0].cue, event["data"]
        match cue.answer if cue else None:
            case "passed" | "failed" as result:
                await provider.answer_challenge(data["redirect_url"], result, event["id"])
            case "dispute":
                await provider.dispute(data["provider_reference"], event["id"])
            case "escalate":
                await provider.escalate(data["dispute_reference"], event["id"])
            case None:
                pass

    def _due(self, key: bytes) -> Iterable[Record]:
        """Takes what the cue was for, and what follows up to the next cue."""
        queue = self.held[key]
        yield queue.popleft()
        while queue and queue[0].cue is None:
            yield queue.popleft()


def hold_back(records: Iterable[Record]) -> tuple[list[Record], Shops]:
    """What can be published at once, and what waits: a record with a cue, and all later ones of its order."""
    at_once: list[Record] = []
    held: dict[bytes, deque[Record]] = {}
    for record in records:
        if record.cue is not None or record.key in held:
            held.setdefault(record.key, deque()).append(record)
        else:
            at_once.append(record)
    return at_once, Shops(held)
