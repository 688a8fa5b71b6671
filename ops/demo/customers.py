"""Customers whose bank wants to see them: they answer the provider's challenge before they come back to the shop.

The shop knows from `payment.events` that a customer was sent away; what it publishes about the order afterwards is
held back until the customer has answered.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import httpx
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.outgoing import partition_key
from schemas.topics import TOPICS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka import ConsumerRecord
    from pydantic import SecretStr

    from ops.demo.marketplace import Record
    from producers.client import Client

TOPIC: Final = "payment.events"
SENT_TO_CHALLENGE: Final = "payment.requires_action.v1"
LISTEN_MS: Final = 200
PATIENCE_S: Final = 30


class Customers:
    """Everything that waits for a customer, by the order's key."""

    def __init__(self, held: dict[bytes, list[Record]]) -> None:
        self.held = held

    @property
    def records_held(self) -> int:
        """How many records are not published yet because their customer is away."""
        return sum(map(len, self.held.values()))

    async def answer(self, kafka: str, client: Client, api_key: SecretStr) -> None:
        """Answer challenges from now on, and publish what was held back, until cancelled.

        Raises:
            httpx.HTTPError: the provider did not take an answer.
        """
        partitions = [TopicPartition(TOPIC, number) for number in range(TOPICS[TOPIC].partitions)]
        authorization = {"Authorization": f"Bearer {api_key.get_secret_value()}"}
        async with (
            AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer,
            httpx.AsyncClient(headers=authorization, timeout=PATIENCE_S, trust_env=False) as browser,
        ):
            consumer.assign(partitions)
            while True:
                sent_away: dict[bytes, str] = {}
                for messages in (await consumer.getmany(timeout_ms=LISTEN_MS)).values():
                    sent_away |= self._sent_away(messages)
                await asyncio.gather(
                    *(self._at_the_bank(browser, key, url) for key, url in sent_away.items())
                )
                for key in sent_away:
                    for record in self.held[key]:
                        await client.send(record.key, record.value)
                await client.flush()
                for key in sent_away:
                    del self.held[key]

    def _sent_away(self, messages: Iterable[ConsumerRecord[bytes, bytes]]) -> dict[bytes, str]:
        """Customers we play, by their order's key, and where they are sent."""
        events = (orjson.loads(message.value or b"") for message in messages)
        found = {
            partition_key(event["tenant"], event["data"]["order_id"]).encode(): event["data"]["redirect_url"]
            for event in events
            if event["type"] == SENT_TO_CHALLENGE
        }
        return {key: url for key, url in found.items() if key in self.held}

    async def _at_the_bank(self, browser: httpx.AsyncClient, key: bytes, url: str) -> None:
        answer = await browser.post(
            url,
            json={"result": self.held[key][0].answer},
            headers={"Idempotency-Key": f"customer:{key.decode()}"},
        )
        answer.raise_for_status()


def hold_back(records: Iterable[Record]) -> tuple[list[Record], Customers]:
    """What can be published at once, and what waits: a record with an answer, and all later ones of its order."""
    at_once: list[Record] = []
    held: dict[bytes, list[Record]] = defaultdict(list)
    for record in records:
        if record.answer is not None or record.key in held:
            held[record.key].append(record)
        else:
            at_once.append(record)
    return at_once, Customers(dict(held))
