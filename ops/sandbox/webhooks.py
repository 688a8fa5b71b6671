"""Telling the merchant: endpoints with their manners, a queue in the books, and a courier that empties it.

Signed by the Standard Webhooks scheme (https://www.standardwebhooks.com). `webhook-id` is the event's id, the same for
every copy and every attempt. A delivery is tried until a 2xx answers it; the pauses double.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from base64 import b64encode
from collections import defaultdict
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiosql
import httpx
import orjson
from standardwebhooks import Webhook

from ops.sandbox.model import identifier
from ops.sandbox.store import columns_of, text_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from ops.sandbox.events import Event
    from ops.sandbox.resources import Document

_QUERIES = aiosql.from_path(
    Path(__file__).parent / "queries" / "webhooks.sql", "sqlite3", mandatory_parameters=False
)

LONGEST_PAUSE_MS = 3_600_000
TIMEOUT_S = 10
AT_ONCE = 100
"""Deliveries taken from the queue together."""
CONCURRENT = 16
"""To one endpoint."""
LOOK_EVERY_S = 1.0
SECRET_BYTES = 24
ALL = -1
"""SQLite's word for no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How an endpoint is told. The defaults are those of a provider on a good day."""

    copies: int = 1
    """How often each event is delivered."""
    delay_ms: int = 0
    """How long each delivery is held back."""
    newest_first_within_ms: int = 0
    """Hold events until a window of this length ends, and deliver the newest of them first."""
    before_answer: bool = False
    """Deliver the events of a request before the request is answered."""
    retry_ms: int = 1_000
    """The pause after the first failure; it doubles with each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where webhooks go."""

    url: str
    secret: str
    """`whsec_` and the key in base64."""
    manners: Manners
    id: str = field(init=False)
    """One URL is one endpoint."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", identifier("we", self.url))

    def resource(self) -> Document:
        """As it is shown to whoever registered it, with the secret."""
        return {
            "object": "webhook_endpoint",
            "id": self.id,
            "url": self.url,
            "secret": self.secret,
            **asdict(self.manners),
        }


def new_secret() -> str:
    """A signing secret, as the scheme wants it."""
    return f"whsec_{b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def signed(event_id: str, body: bytes, secret: str, now: datetime) -> dict[str, str]:
    """The headers of a delivery."""
    return {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, now, body.decode()),
    }


class Queue:
    """What is to be told to whom, in the books."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.endpoints: dict[str, Endpoint] = {}
        for row in _QUERIES.endpoints(db):
            values = dict(row)
            url, secret = values.pop("url"), values.pop("secret")
            values["before_answer"] = bool(values["before_answer"])
            endpoint_id = values.pop("id")
            self.endpoints[endpoint_id] = Endpoint(url=url, secret=secret, manners=Manners(**values))

    def register(self, endpoint: Endpoint) -> None:
        """Tell everything from now on to this endpoint too; a known URL gets the new secret and manners."""
        _QUERIES.put_endpoint(
            self._db,
            id=endpoint.id,
            url=endpoint.url,
            secret=endpoint.secret,
            **asdict(endpoint.manners),
        )
        self.endpoints[endpoint.id] = endpoint

    def drop(self, endpoint_id: str) -> bool:
        """Tell it nothing any more; whether there was such an endpoint."""
        _QUERIES.drop_endpoint(self._db, id=endpoint_id)
        return self.endpoints.pop(endpoint_id, None) is not None

    def add(self, events: Sequence[Event]) -> None:
        """Keep events, and have them delivered to every endpoint."""
        if not events:
            return
        _QUERIES.add_events(self._db, [columns_of(told) for told in events])
        self._deliver([told.id for told in events])

    def redeliver(self, since: datetime | None, until: datetime | None) -> int:
        """Have what was told in a span of time delivered once more; how many events that are."""
        rows = _QUERIES.events(
            self._db,
            after=0,
            since=text_of(since) if since else None,
            until=text_of(until) if until else None,
            row_limit=ALL,
        )
        event_ids = [row["id"] for row in rows]
        self._deliver(event_ids)
        return len(event_ids)

    def _deliver(self, event_ids: Sequence[str]) -> None:
        now_ms = real_ms()
        rows = [
            {"event_id": event_id, "endpoint_id": endpoint_id, "due_ms": _due_ms(endpoint.manners, now_ms)}
            for event_id in event_ids
            for endpoint_id, endpoint in self.endpoints.items()
            for _ in range(endpoint.manners.copies)
        ]
        if rows:
            _QUERIES.add_deliveries(self._db, rows)

    def due(self, endpoint_id: str, now_ms: int) -> list[dict[str, Any]]:
        """Deliveries that an endpoint is to get by now, in the order in which it wants them."""
        rows = _QUERIES.due_deliveries(self._db, endpoint_id=endpoint_id, now_ms=now_ms, row_limit=AT_ONCE)
        return [dict(row) for row in rows]

    def next_due_ms(self, now_ms: int) -> int | None:
        """When something will be due that is not yet."""
        found: int | None = _QUERIES.next_due_ms(self._db, now_ms=now_ms)["due_ms"]
        return found

    def attempted(self, delivery: dict[str, Any], outcome: str, *, delivered: bool, retry_ms: int) -> None:
        """Note what became of an attempt."""
        now_ms = real_ms()
        pause_ms = min(retry_ms * 2 ** min(delivery["attempts"], 30), LONGEST_PAUSE_MS)
        _QUERIES.attempted(
            self._db,
            id=delivery["id"],
            outcome=outcome,
            due_ms=now_ms + pause_ms,
            delivered_ms=now_ms if delivered else None,
        )

    def told(self, *, after: int, row_limit: int) -> list[Document]:
        """Events as they were told, in order of `position`, beginning after one."""
        rows = _QUERIES.events(self._db, after=after, since=None, until=None, row_limit=row_limit)
        return [{"position": row["position"], "event": orjson.Fragment(row["body"])} for row in rows]

    def progress(self) -> list[Document]:
        """Every endpoint without its secret, and how far its deliveries have come."""
        counts = {row["endpoint_id"]: dict(row) for row in _QUERIES.progress(self._db)}
        none = {"delivered": 0, "outstanding": 0, "attempts": 0}
        return [
            {**endpoint.resource(), **counts.get(endpoint_id, none), "secret": None}
            for endpoint_id, endpoint in self.endpoints.items()
        ]


def _due_ms(manners: Manners, now_ms: int) -> int:
    window_ms = manners.newest_first_within_ms
    window_ends_ms = (now_ms // window_ms + 1) * window_ms if window_ms else now_ms
    return window_ends_ms + manners.delay_ms


def real_ms() -> int:
    """The real time; the provider's clock may be far ahead."""
    return time.time_ns() // 1_000_000


class Courier:
    """Empties the queue for as long as it runs. What is under way when it dies is delivered again.

    Deliveries to one endpoint about one subject keep their order; so do all of one that wants the newest first.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._http = httpx.AsyncClient(
            timeout=TIMEOUT_S, trust_env=False, limits=httpx.Limits(max_keepalive_connections=CONCURRENT)
        )
        self._under_way: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._news = asyncio.Event()

    def wake(self) -> None:
        """There may be something to deliver."""
        if self._queue.endpoints:
            self._news.set()

    async def run(self) -> None:
        """Deliver until cancelled; then what is under way is given up, and stays in the queue."""
        try:
            while True:
                self._news.clear()
                self._start(self._queue.endpoints.values())
                # Not wait_for, which in Python 3.11 may lose a cancellation.
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause_s()):
                        await self._news.wait()
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)
            await self._http.aclose()

    async def deliver_before_answer(self) -> None:
        """Make what is due to the endpoints that want to know before the caller does."""
        await asyncio.gather(
            *self._start([one for one in self._queue.endpoints.values() if one.manners.before_answer])
        )

    def _pause_s(self) -> float:
        now_ms = real_ms()
        due_ms = self._queue.next_due_ms(now_ms)
        return LOOK_EVERY_S if due_ms is None else min((due_ms - now_ms) / 1000, LOOK_EVERY_S)

    def _start(self, endpoints: Iterable[Endpoint]) -> list[asyncio.Task[None]]:
        started = []
        for endpoint in endpoints:
            if self._busy(endpoint) > CONCURRENT // 2:
                continue  # every one that ends leads here again
            groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
            for delivery in self._queue.due(endpoint.id, real_ms()):
                newest_first = endpoint.manners.newest_first_within_ms > 0
                groups[endpoint.id, "" if newest_first else delivery["subject"]].append(delivery)
            for group, deliveries in groups.items():
                if group not in self._under_way and self._busy(endpoint) < CONCURRENT:
                    task = asyncio.create_task(self._in_order(group, deliveries))
                    self._under_way[group] = task
                    started.append(task)
        return started

    def _busy(self, endpoint: Endpoint) -> int:
        """How many deliveries to it are under way: one that hangs keeps no other waiting."""
        return sum(endpoint_id == endpoint.id for endpoint_id, _ in self._under_way)

    async def _in_order(self, group: tuple[str, str], deliveries: Iterable[dict[str, Any]]) -> None:
        try:
            for delivery in deliveries:
                if (endpoint := self._queue.endpoints.get(delivery["endpoint_id"])) is not None:
                    await self._attempt(delivery, endpoint)
        finally:
            del self._under_way[group]
        self._news.set()

    async def _attempt(self, delivery: dict[str, Any], endpoint: Endpoint) -> None:
        body: bytes = delivery["body"]
        headers = signed(delivery["event_id"], body, endpoint.secret, datetime.now(UTC))
        try:
            answer = await self._http.post(endpoint.url, content=body, headers=headers)
        except (httpx.RequestError, httpx.InvalidURL) as error:
            outcome, delivered = type(error).__name__, False
        else:
            outcome, delivered = f"HTTP {answer.status_code}", answer.is_success
        self._queue.attempted(delivery, outcome, delivered=delivered, retry_ms=endpoint.manners.retry_ms)
