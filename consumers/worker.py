"""A worker: the consumers of one or all inbound topics in one process, until it is told to stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import structlog
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from consumers import checkout, ledger_commands, provider_results, timers, webhooks
from producers.leadership import pause

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumers.engine import Engine
    from consumers.report import Observer

    Crew = tuple[KafkaBroker, list[Engine]]

log = structlog.get_logger()

CONSUMERS: Final = {
    "checkout": checkout,
    "ledger-commands": ledger_commands,
    "provider-results": provider_results,
    "webhooks": webhooks,
    "timers": timers,
}
"""Name on the command line -> module."""
PARKED_EVERY_S: Final = 0.1
WATCH_EVERY_S: Final = 2
GRACE_S: Final = 60
"""How long a batch under way may take when the worker is told to stop."""
END_S: Final = 5
"""How long everything else may take then."""


async def run_worker(
    kafka: str,
    database_url: str,
    observer: Observer,
    stop: asyncio.Event,
    *,
    names: Sequence[str] = tuple(CONSUMERS),
    batch_size: int = 1000,
    instance: str | None = None,
) -> None:
    """Consume until `stop` is set; then finish the batches under way, commit, and leave.

    Raises what a consumer or a task beside them raised, none of which should: the process is to be started anew.
    """
    failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def enlist() -> Crew:
        broker = KafkaBroker(kafka, graceful_timeout=GRACE_S, logger=None)
        engines = [
            CONSUMERS[name].register(
                broker,
                database_url=database_url,
                observer=observer,
                batch_size=batch_size,
                failure=failure,
                instance=instance,
            )
            for name in names
        ]
        return broker, engines

    crew = await _start(kafka, enlist, stop)
    if crew is None:
        return
    broker, engines = crew
    log.info("worker started", consumers=list(names))
    beside = [
        asyncio.create_task(stop.wait()),
        *(asyncio.create_task(_retry_parked(engine, stop)) for engine in engines),
        asyncio.create_task(_watch(broker, observer, stop)),
    ]
    try:
        watched: set[asyncio.Future[Any]] = {failure, *beside}
        ended, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        for one in ended:
            one.result()  # what failed ends the worker: half of one would look healthy
    finally:
        await broker.stop()
        await _end(beside)
        for engine in engines:
            await engine.close()
        log.info("worker stopped")


async def _start(kafka: str, enlist: Callable[[], Crew], stop: asyncio.Event) -> Crew | None:
    """Consumers that Kafka has let in, however often it goes away meanwhile; None when told to stop before that.

    What could not start is left behind: a subscriber that was started in part cannot be started again.
    """
    while not stop.is_set():
        await _reach(kafka, stop)
        if stop.is_set():
            break
        broker, engines = crew = enlist()
        try:
            await broker.start()
        except KafkaError as error:
            log.warning("Kafka went away, starting over", error=type(error).__name__)
            await _leave(broker, engines)
            await pause(stop, WATCH_EVERY_S)
        else:
            return crew
    return None


async def _leave(broker: KafkaBroker, engines: Sequence[Engine]) -> None:
    """Stop what had been started, as far as it answers; the batch under way is finished first."""
    try:
        await broker.stop()
    except (KafkaError, ExceptionGroup) as error:
        log.warning("consumers not stopped in order", error=type(error).__name__)
    for engine in engines:
        await engine.close()


async def _reach(kafka: str, stop: asyncio.Event) -> None:
    """Wait for a broker that is away: FastStream would end the worker for it."""
    while not stop.is_set():
        client = AIOKafkaClient(bootstrap_servers=kafka)
        try:
            await client.bootstrap()
        except KafkaError as error:
            log.warning("Kafka away, trying again", error=type(error).__name__)
            await pause(stop, WATCH_EVERY_S)
        else:
            return
        finally:
            await client.close()


async def _end(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Let what is under way end by itself, unless its database is away."""
    await asyncio.wait(tasks, timeout=END_S)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _retry_parked(engine: Engine, stop: asyncio.Event) -> None:
    while not stop.is_set():
        found = await engine.retry_parked()
        if not found:
            await pause(stop, PARKED_EVERY_S)


async def _watch(broker: KafkaBroker, observer: Observer, stop: asyncio.Event) -> None:
    """Ask Kafka itself how far behind we are; a consumer that is dead or stuck cannot hide from that."""
    while not stop.is_set():
        for subscriber in broker.subscribers:
            consumer = getattr(subscriber, "consumer", None)
            if consumer is None or not consumer.assignment():
                continue
            try:
                ends = await consumer.end_offsets(list(consumer.assignment()))
                for place, end in ends.items():
                    observer.lagging(
                        place.topic, place.partition, end - (await consumer.committed(place) or 0)
                    )
                observer.alive()
            except KafkaError as error:
                log.warning("lag unknown", error=type(error).__name__)
        await pause(stop, WATCH_EVERY_S)
