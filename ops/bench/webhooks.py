"""Webhooks: a burst at a fixed rate, then as many as it takes; from the first byte to the committed state.

The sender is an open loop in the burst: it waits for no answer, and a request that it sends late counts from when it
was due (no coordinated omission). All processes run as in production: ingress, relay, and workers of `webhook.events`.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

import orjson
from pydantic import SecretStr

from db.connection import connect
from db.queries import bench as sql
from db.queries import webhooks as kept_sql
from ops.bench.crew import LOOK_EVERY_S, STALLED_AFTER_S
from ops.bench.errors import BenchError
from ops.bench.percentiles import summary
from ops.bench.processor import Meter
from ops.bench.proof import DURABLE
from ops.bench.workload import TENANT, Workload, card_payment, publish
from ops.bench.workload import TOPIC as COMMANDS
from ops.processes import COUNTERFOIL, Processes
from producers.ingress.app import ACCEPTED
from producers.ingress.publishing import TOPIC
from producers.ingress.server import listen
from producers.signatures import standard_webhooks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    import asyncpg

    from ops.bench.processor import Use
    from ops.bench.site import Site

PROVIDER: Final = "sandbox"
ACCOUNT: Final = "bench"
PATH: Final = f"/webhooks/{PROVIDER}/{ACCOUNT}"
SENDERS: Final = 64
"""Connections that a provider keeps open to us, when it sends as fast as it is answered."""
MOST_CONNECTIONS: Final = 512
"""In a burst, a request for which no connection is free opens one, up to this."""
WARM_UP: Final = 200
INGRESS: Final = (*COUNTERFOIL, "ingress")

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


About = Literal["payout", "order", "payment"]
"""What the webhooks are about: payouts, which are taken in and change no state; orders that nobody knows yet, so that
each is parked; or payments that wait for just that, so that each succeeds and is posted."""
AMOUNT_MINOR: Final = 12_345


@dataclass(frozen=True, slots=True)
class Plan:
    """How many webhooks: `burst` of them at `rate` a second, then `full_speed`."""

    burst: int = 10_000
    rate: int = 2_000
    full_speed: int = 20_000
    about: About = "payout"

    def phases(self) -> dict[str, int]:
        """Name of each phase -> how many webhooks it sends."""
        return {"warm": WARM_UP, "burst": self.burst, "fast": self.full_speed}


@dataclass(frozen=True, slots=True)
class Phase:
    """What was sent, and how it was answered. Milliseconds from when a request was due to its answer."""

    webhooks: int
    seconds: float
    answered_per_second: float
    answer_ms: dict[str, float]
    statuses: dict[str, int]


@dataclass(frozen=True, slots=True)
class Run:
    """What was measured.

    `committed_per_second` counts from the first request of the second phase until a worker has committed what the
    last of them said.
    """

    plan: Plan
    workers: int
    burst: Phase
    full_speed: Phase
    committed_per_second: float
    outcomes: dict[str, int]
    commits: int
    mean_commit: float
    processor: Use
    durability: dict[str, str]
    problems: list[str]


async def run_webhooks(
    site: Site,
    plan: Plan,
    workers: int,
    tell: Callable[[str], None],
) -> Run:
    """A burst at a rate, then more as fast as they are answered.

    Raises:
        BenchError: nothing moved for a minute.
        RoleEndedError: a process ended.
    """
    secret = SecretStr(f"{standard_webhooks.SECRET_PREFIX}{b64encode(secrets.token_bytes(24)).decode()}")
    port = _free_port()
    connection = await connect(site.at.admin_url, application="counterfoil bench")
    try:
        with Processes(site.logs, site.environment() | _settings(port, secret)) as processes:
            pids = {"ingress": processes.start("ingress", *INGRESS)}
            pids["relay"] = processes.start("relay", *COUNTERFOIL, "relay")
            for number in range(1, workers + 1):
                name = f"worker-{number}"
                pids[name] = processes.start(name, *COUNTERFOIL, "worker", "webhooks")
            await _until(lambda: _listens(port), processes, "the ingress does not listen")
            if plan.about == "payment":
                tell(f"{sum(plan.phases().values()):,} payments for them to be about")
                await _prepare_payments(site, processes, connection, plan)
            tell("a few webhooks to warm up")
            warm_up = await _at_full_speed(port, _requests("warm", WARM_UP, secret, plan.about))
            await _taken_in(connection, processes, WARM_UP)
            tell(f"a burst of {plan.burst:,} at {plan.rate:,} a second")
            first = await _at_rate(port, _requests("burst", plan.burst, secret, plan.about), plan.rate)
            await _taken_in(connection, processes, WARM_UP + plan.burst)
            tell(f"{plan.full_speed:,} as fast as they are answered")
            requests = _requests("fast", plan.full_speed, secret, plan.about)
            meter = Meter({**pids, **site.pids})
            started = time.perf_counter()
            second = await _at_full_speed(port, requests)
            await _taken_in(connection, processes, WARM_UP + plan.burst + plan.full_speed)
            committed_s = time.perf_counter() - started
            use = meter.read()
        commits = await kept_sql.commits(connection)
        problems = await _problems(connection, (warm_up, first, second))
        outcomes = {row["outcome"]: row["messages"] for row in await sql.outcomes(connection, topic=TOPIC)}
        if plan.about == "payment":
            problems += await _unpaid(connection, sum(plan.phases().values()))
        durability = dict(await sql.durability(connection))
    finally:
        await connection.close()
    problems += [
        f"{name} is {durability[name]}" for name, value in DURABLE.items() if durability[name] != value
    ]
    return Run(
        plan=plan,
        workers=workers,
        burst=first,
        full_speed=second,
        committed_per_second=plan.full_speed / committed_s,
        outcomes=outcomes,
        commits=commits["commits"],
        mean_commit=commits["mean_size"],
        processor=use,
        durability=durability,
        problems=problems,
    )


def order_of(name: str) -> str:
    """The order of the webhook with this name."""
    return f"order-{name}"


async def _prepare_payments(
    site: Site, processes: Processes, connection: asyncpg.Connection[asyncpg.Record], plan: Plan
) -> None:
    """Payments that were asked of the provider, which has not answered; a worker takes them in."""
    orders = [
        order_of(f"{name}-{number}") for name, count in plan.phases().items() for number in range(count)
    ]
    requests = [card_payment(order, AMOUNT_MINOR) for order in orders]
    processes.start("worker-checkout", *COUNTERFOIL, "worker", "checkout")
    published = 0
    for events in (Workload(merchants=1).fees(), requests):  # without its fees, a payment would wait
        published += await publish(site.at.kafka, events)
        await _taken_in(connection, processes, published, COMMANDS)
    processes.stop("worker-checkout")


def _settings(port: int, secret: SecretStr) -> dict[str, str]:
    endpoint = {
        "provider": PROVIDER,
        "account": ACCOUNT,
        "tenant": TENANT,
        "secrets": [secret.get_secret_value()],
    }
    return {
        "COUNTERFOIL_HTTP_PORT": "0",
        "COUNTERFOIL_INGRESS_PORT": str(port),
        "COUNTERFOIL_WEBHOOKS": orjson.dumps([endpoint]).decode(),
    }


def _free_port() -> int:
    listener = listen("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    listener.close()
    return port


def _requests(name: str, count: int, secret: SecretStr, about: About) -> list[bytes]:
    """Signed requests, ready to be written: what the sandbox provider says."""
    now = datetime.now(UTC)
    return [_request(f"{name}-{number}", secret, now, about) for number in range(count)]


def _request(name: str, secret: SecretStr, now: datetime, about: About) -> bytes:
    money = {"amount_minor": AMOUNT_MINOR, "currency": "EUR"}
    if about != "payout":
        kind, told = (
            "authorization.captured",
            {
                "id": f"auth-{name}",
                "status": "captured",
                **money,
                "captured_amount_minor": AMOUNT_MINOR,
                "captures": [{"amount_minor": AMOUNT_MINOR}],
                "decline_code": None,
                "redirect_url": None,
                "metadata": {"tenant": TENANT, "order_id": order_of(name)},
            },
        )
        data: dict[str, object] = {"authorization": told}
    else:
        kind, data = "payout.paid", {"payout": {"id": f"po-{name}", "status": "paid", **money}}
    body = orjson.dumps({"id": f"evt-{name}", "type": kind, "created_at": now, "data": data})
    headers = standard_webhooks.sign(body, secret, f"evt-{name}", now)
    lines = [f"POST {PATH} HTTP/1.1", "host: bench", "content-type: application/json"]
    lines += [f"{header}: {value}" for header, value in headers.items()]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


async def _at_full_speed(port: int, requests: list[bytes]) -> Phase:
    """SENDERS connections, each sends its next when it is answered."""
    unsent = iter(requests)
    waits: list[float] = []
    statuses: Counter[str] = Counter()

    async def sender() -> None:
        ends = await asyncio.open_connection("127.0.0.1", port)
        for request in unsent:
            sent_at = time.perf_counter()
            statuses[await _ask(ends, request)] += 1
            waits.append(time.perf_counter() - sent_at)
        ends[1].transport.abort()

    started = time.perf_counter()
    await asyncio.gather(*(sender() for _ in range(SENDERS)))
    return _phase(waits, statuses, time.perf_counter() - started)


async def _at_rate(port: int, requests: list[bytes], rate: int) -> Phase:
    """Each when it is due, on a connection that is free."""
    free: asyncio.LifoQueue[Ends | None] = asyncio.LifoQueue()
    for _ in range(MOST_CONNECTIONS):
        free.put_nowait(None)
    waits: list[float] = []
    statuses: Counter[str] = Counter()
    started = time.perf_counter()

    async def ask(request: bytes, due_at: float) -> None:
        ends = await free.get() or await asyncio.open_connection("127.0.0.1", port)
        statuses[await _ask(ends, request)] += 1
        waits.append(time.perf_counter() - due_at)
        free.put_nowait(ends)

    async with asyncio.TaskGroup() as group:
        for number, request in enumerate(requests):
            due_at = started + number / rate
            if (early_s := due_at - time.perf_counter()) > 0:
                await asyncio.sleep(early_s)
            group.create_task(ask(request, due_at))
    while not free.empty():
        if ends := free.get_nowait():
            ends[1].transport.abort()
    return _phase(waits, statuses, time.perf_counter() - started)


async def _ask(ends: Ends, request: bytes) -> str:
    """The status of the answer, and `lost` when there is none; the connection stays."""
    reader, writer = ends
    writer.write(request)
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        status = head.split(b" ", 2)[1].decode()
        if status == "200":
            await reader.readexactly(len(ACCEPTED))
    except (asyncio.IncompleteReadError, ConnectionError):
        return "lost"
    return status


def _phase(waits: list[float], statuses: Mapping[str, int], seconds: float) -> Phase:
    milliseconds = {name: value * 1000 for name, value in summary(waits).items()}
    return Phase(len(waits), seconds, len(waits) / seconds, milliseconds, dict(statuses))


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.transport.abort()
    return True


async def _taken_in(
    connection: asyncpg.Connection[asyncpg.Record], processes: Processes, messages: int, topic: str = TOPIC
) -> None:
    """Wait until workers have committed what so many messages said."""

    async def there() -> bool:
        return bool((await sql.progress(connection, topic=topic))["received"] >= messages)

    await _until(there, processes, f"{messages} messages of {topic} are not taken in")


async def _until(condition: Callable[[], Awaitable[bool]], processes: Processes, complaint: str) -> None:
    deadline = time.monotonic() + STALLED_AFTER_S
    while not await condition():
        processes.check()
        if time.monotonic() > deadline:
            raise BenchError(f"{complaint} after {STALLED_AFTER_S} s")
        await asyncio.sleep(LOOK_EVERY_S)


async def _unpaid(connection: asyncpg.Connection[asyncpg.Record], payments: int) -> list[str]:
    """Payments that did not succeed; and what was taken, when that is not their sum."""
    (row,) = await sql.paid(connection, tenant=TENANT) or [{"payments": 0, "captured_minor": 0}]
    found = (row["payments"], row["captured_minor"])
    expected = (payments, payments * AMOUNT_MINOR)
    return [] if found == expected else [f"(payments, minor units): {found} succeeded of {expected}"]


async def _problems(connection: asyncpg.Connection[asyncpg.Record], phases: tuple[Phase, ...]) -> list[str]:
    """What was answered otherwise than with 200, and what was accepted and is not there."""
    sent = sum(phase.webhooks for phase in phases)
    found = [
        f"{count} requests were answered {status}"
        for phase in phases
        for status, count in phase.statuses.items()
        if status != "200"
    ]
    kept = dict(await kept_sql.kept(connection, tenant=TENANT, provider=PROVIDER, account=ACCOUNT))
    if kept != {"webhooks": sent, "events": sent, "unreadable": 0}:
        found.append(f"{sent} were accepted, and kept is {kept}")
    return found
