"""A command of an operator, as any upstream service would send it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from producers.client import Client
from schemas.envelope import SPEC_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE: Final = "/counterfoil/operator"


def command(tenant: str, message_type: str, key: str, data: Mapping[str, Any]) -> bytes:
    """The event. Its id and idempotency key are `key`: whoever sends it again asks for nothing new."""
    return orjson.dumps(
        {
            "specversion": SPEC_VERSION,
            "id": key,
            "source": SOURCE,
            "type": message_type,
            "time": datetime.now(UTC),
            "tenant": tenant,
            "data": {"idempotency_key": key, **data},
        }
    )


async def send(kafka: str, body: bytes) -> None:
    """Publish it. Raises InvalidEventError when it breaks the contract, KafkaError when the broker did not take it."""
    async with Client(kafka) as client:
        await client.publish(body)
