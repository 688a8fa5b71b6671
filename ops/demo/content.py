"""What a run left behind, by content: two runs with one seed leave the same, whatever was killed meanwhile.

Left out is what may differ: offsets, entry numbers, the times at which something was done, the provider's address,
and `payment.outcome_unknown.v1`, which tells that nobody knew for a while. The order of a payment's own events is part
of the content; refusals, answers to repeated commands and dead letters may overtake each other, for one that waits is
answered later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import orjson

from db.connection import connect
from db.queries import demo as sql
from ops.demo.readback import records_of
from schemas.topics import REPEATED, TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable

    Data = dict[str, Any]

OUTBOUND: Final = tuple(topic.name for topic in TOPICS.values() if topic.direction in {"out", "dead"})
OUTCOME_UNKNOWN: Final = "payment.outcome_unknown.v1"
IN_ORDER: Final = "payment.events"


async def content(database_url: str, kafka: str) -> dict[str, Any]:
    """Payments with their histories, entries with their lines, and published events by topic and key.

    Compare two of these with `==`; every part is in an order that depends on the content alone.
    """
    connection: Any = await connect(database_url, application="counterfoil content")
    try:
        payments = [dict(row) for row in await sql.payments_by_content(connection)]
        entries = [dict(row) for row in await sql.entries_by_content(connection)]
    finally:
        await connection.close()
    return {"payments": payments, "entries": entries, "events": await _events(kafka)}


async def _events(kafka: str) -> dict[str, dict[str, list[str]]]:
    """Each published event once, at the place where it first came."""
    seen: set[tuple[str, str]] = set()
    events: dict[str, dict[str, list[str]]] = {topic: {} for topic in OUTBOUND}
    async for record in records_of(kafka, OUTBOUND):
        event = orjson.loads(record.value or b"")
        if (record.topic, event["id"]) in seen or event["type"] == OUTCOME_UNKNOWN:
            continue
        seen.add((record.topic, event["id"]))
        told = orjson.dumps(_lasting(event, record.topic), option=orjson.OPT_SORT_KEYS).decode()
        key = (record.key or b"").decode()
        # A repeated command is answered whenever it comes, between whatever happens to its object meanwhile.
        lane = f"{key} {event['type']}" if event["type"] in _ANSWERS else key
        events[record.topic].setdefault(lane, []).append(told)
    for topic, by_key in events.items():
        if topic != IN_ORDER:
            for told_of_key in by_key.values():
                told_of_key.sort()
    return {topic: dict(sorted(by_key.items())) for topic, by_key in events.items()}


def _lasting(event: Data, topic: str) -> Data:
    """The event without what may differ."""
    data = _CLEAN.get(topic, _as_it_is)(event["data"])
    # An unreadable message is known by its place alone, so its dead letter's subject and causes are offsets.
    known_by_place = TOPICS[topic].direction == "dead"
    names = ["type", "tenant", *([] if known_by_place else ["subject", "causation", "correlation"])]
    return {name: event[name] for name in names} | {"data": data}


def _as_it_is(data: Data) -> Data:
    return data


def _without(*names: str) -> Callable[[Data], Data]:
    return lambda data: {name: value for name, value in data.items() if name not in names}


def _payment(data: Data) -> Data:
    """Where the customer is sent, without the provider's host and port."""
    url = data.get("redirect_url")
    return data | {"redirect_url": urlsplit(url).path} if url else data


def _entry(data: Data) -> Data:
    """A capture takes effect when the provider says so; what was recorded, when the shop says."""
    gone = ("entry_id", "posted_at", *(("effective_at",) if data["rule"] == "card_captured" else ()))
    return _without(*gone)(data)


_ANSWERS: Final = frozenset(REPEATED.values())
_CLEAN: Final[dict[str, Callable[[Data], Data]]] = {
    "payment.events": _payment,
    "ledger.entries": _entry,
} | {topic.name: _without("partition", "offset") for topic in TOPICS.values() if topic.direction == "dead"}
