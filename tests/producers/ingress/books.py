"""What an ingress left in the database."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    import asyncpg

    from tests.conftest import Connection


async def kept(admin: Connection) -> list[asyncpg.Record]:
    """Every raw row."""
    return await admin.fetch("SELECT * FROM webhooks ORDER BY received_at, webhook_id")


async def told(admin: Connection) -> list[dict[str, Any]]:
    """Every message for `webhook.events`, with its key."""
    rows = await admin.fetch(
        "SELECT keys, payloads FROM outbox WHERE topic = 'webhook.events' ORDER BY batch_id"
    )
    return [
        {"key": key, **orjson.loads(payload)}
        for row in rows
        for key, payload in zip(row["keys"], row["payloads"], strict=True)
    ]


async def told_ids(admin: Connection) -> Counter[str]:
    """How often each event was told."""
    return Counter(message["id"] for message in await told(admin))
