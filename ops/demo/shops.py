"""Shops that act on what they hear: another card only after a decline, the way back only after a challenge is answered.

They hear of both in `payment.events`. Until then, everything that a shop has still to publish about the order is held
back, in order. A challenge is first answered at the provider, as its customer would.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import httpx
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.outgoing import partition_key
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import SecretStr

    from ops.demo.marketplace import Record
    from producers.client import Client

TOPIC: Final = "payment.events"
LISTEN_MS: Final = 200
PATIENCE_S: Final = 30


class Shops:
    """What every order's shop holds back, by the order's key; the first record of each has a cue."""

    def __init__(self, held: dict[bytes, deque[Record]]) -> None:
        self.held = held
        self._heard: dict[bytes, int] = {}

    @property
    def records_held(self) -> int:
        """How many records wait for their cue."""
        return sum(map(len, self.held.values()))

    async def listen(self, kafka: str, client: Client, api_key: SecretStr) -> None:
        """Publish what was held back whenever its cue comes, until cancelled.

        Raises:
            httpx.HTTPError: the provider did not take a customer's answer.
            KafkaError: the broker did not take a record.
        """
        partitions = [TopicPartition(TOPIC, number) for number in range(TOPICS[TOPIC].partitions)]
        authorization = {"Authorization": f"Bearer {api_key.get_secret_value()}"}
        async with (
            AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer,
            httpx.AsyncClient(headers=authorization, timeout=PATIENCE_S, trust_env=False) as browser,
        ):
            consumer.assign(partitions)
            while True:
                heard = await consumer.getmany(timeout_ms=LISTEN_MS)
                events = (orjson.loads(record.value) for records in heard.values() for record in records)
                cues = {key: event for event in events if (key := self._cued(event))}
                await asyncio.gather(*(self._answer(browser, key, event) for key, event in cues.items()))
                for key in cues:
                    for record in self._due(key):
                        await client.send(record.key, record.value)
                await client.flush()
                self._forget(cues)

    def _cued(self, event: dict[str, Any]) -> bytes | None:
        """The key of the order that the event is the cue for. One that comes again, as events may, is none."""
        key = partition_key(event["tenant"], event["data"]["order_id"]).encode()
        version = event["data"].get("version", 0)
        if key not in self.held or version <= self._heard.get(key, 0):
            return None
        self._heard[key] = version
        cue = self.held[key][0].cue
        return key if cue is not None and cue.event_type == event["type"] else None

    async def _answer(self, browser: httpx.AsyncClient, key: bytes, event: dict[str, Any]) -> None:
        cue = self.held[key][0].cue
        if cue is None or cue.answer is None:
            return
        answered = await browser.post(
            event["data"]["redirect_url"],
            json={"result": cue.answer},
            headers={"Idempotency-Key": f"customer:{key.decode()}"},
        )
        answered.raise_for_status()

    def _due(self, key: bytes) -> Iterable[Record]:
        """Takes what the cue was for, and what follows up to the next cue."""
        queue = self.held[key]
        yield queue.popleft()
        while queue and queue[0].cue is None:
            yield queue.popleft()

    def _forget(self, keys: Iterable[bytes]) -> None:
        """Drop the queues that are empty; only now, for what they held has just been acknowledged."""
        for key in keys:
            if not self.held[key]:
                del self.held[key]


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
