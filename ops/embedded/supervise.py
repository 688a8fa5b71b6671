"""The process that owns PostgreSQL and Kafka: `python -m ops.embedded.supervise FOLDER`, started by stack.py.

It inherits the stack's lock and so holds it as long as it lives. It restarts a service that dies, on the same
port, and ends both when it is told to (SIGTERM) or when its owner is gone. The owner holds the other end of
its standard input: that pipe closes when the owner ends in whatever way, kill -9 included. An owner that
wants the stack to outlive it writes `detach` first. Should the supervisor itself be killed, the kernel ends
its children.

On standard output it reports one JSON message a line: {"progress": text}, and at last {"ready": ""} or
{"failed": text}.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import orjson

from ops.embedded import kafka, ports, postgres
from ops.embedded.errors import EmbeddedStackError, log_tail
from ops.embedded.service import end_leftovers, running
from ops.embedded.state import DETACH, Folder, ServiceState, State

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Coroutine

    from ops.embedded.service import Service

START_SECONDS = 180
"""PostgreSQL may have to replay as much WAL as max_wal_size before it answers."""
PROBE_EVERY_SECONDS = 0.1
FAILURES_IN_A_ROW = 5
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0

log = logging.getLogger("supervisor")


class Supervisor:
    """Runs the services of one folder, and writes its state."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        before = folder.state()
        end_leftovers(before)
        chosen = ports.choose(("postgres", "kafka", "kafka-controller"), before.ports)
        self._has_listener = True
        self._write(State(phase="starting", supervisor=os.getpid(), ports=chosen))

    async def run(self) -> None:
        """Start everything, and stay until cancelled or until a service cannot be kept running."""
        at = self.state.ports
        coming = (
            postgres.prepare(self.folder, at["postgres"], self.progress),
            kafka.prepare(self.folder, at["kafka"], at["kafka-controller"], self.progress),
        )
        ready = [asyncio.Event() for _ in coming]
        try:
            async with asyncio.TaskGroup() as group:
                for service, event in zip(coming, ready, strict=True):
                    group.create_task(self._keep(service, event))
                for event in ready:
                    await event.wait()
                self._write(replace(self.state, phase="ready"))
                self.report("ready")
        except* EmbeddedStackError as failed:
            self.report("failed", str(failed.exceptions[0]))
        finally:
            self._write(replace(self.state, phase="stopped"))

    def progress(self, text: str) -> None:
        """Tell whoever waits for the stack what it is doing now."""
        self.report("progress", text)

    def report(self, kind: Literal["progress", "ready", "failed"], text: str = "") -> None:
        """Log, and tell the starter, who listens until the stack is ready or has failed."""
        log.info("%s %s", kind, text)
        if self._has_listener:
            with contextlib.suppress(BrokenPipeError):
                os.write(sys.stdout.fileno(), orjson.dumps({kind: text}) + b"\n")
        if kind != "progress":
            self._has_listener = False

    async def _keep(self, coming: Coroutine[None, None, Service], ready: asyncio.Event) -> None:
        """Keep a service running, whatever happens to its process; set `ready` when it first answers."""
        service = await coming
        failures = 0
        for restarts in itertools.count():
            began = time.monotonic()
            self.progress(f"starting {service.title} {service.version} on port {service.port}")
            async with running(service) as process:
                self._note(service, process.pid, restarts, ready=False)
                if await _answers(service, process):
                    self.progress(f"{service.title} is ready after {time.monotonic() - began:.1f} s")
                    self._note(service, process.pid, restarts, ready=True)
                    ready.set()
                    failures = 0
                    await process.wait()
            failures += 1
            log.warning("%s ended with code %s", service.title, process.returncode)
            if failures >= FAILURES_IN_A_ROW:
                raise EmbeddedStackError(
                    f"{service.title} {service.version} does not come up on port {service.port}: "
                    f"{failures} attempts, the last ended with code {process.returncode}; "
                    f"{log_tail(service.log)}"
                )
            await asyncio.sleep(min(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), LONGEST_PAUSE_SECONDS))

    def _note(self, service: Service, pid: int, restarts: int, *, ready: bool) -> None:
        now = ServiceState(pid, service.mark, service.version, ready, restarts)
        self._write(replace(self.state, services={**self.state.services, service.name: now}))

    def _write(self, state: State) -> None:
        self.state = state
        self.folder.write_state(state)


async def _answers(service: Service, process: Process) -> bool:
    """Whether the service answered before it ended or ran out of time."""

    async def until_ready() -> None:
        while not await service.is_ready():  # noqa: ASYNC110  only asking tells
            await asyncio.sleep(PROBE_EVERY_SECONDS)

    probe, end = asyncio.create_task(until_ready()), asyncio.create_task(process.wait())
    try:
        await asyncio.wait({probe, end}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if probe.done():
            await probe
        return probe.done() and not end.done()
    finally:
        probe.cancel()
        end.cancel()


async def _told_to_stop() -> None:
    """Return on SIGTERM or SIGINT, or when an owner that did not detach is gone."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    owner = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(owner), sys.stdin)

    async def watch_owner() -> None:
        if await owner.readline() != DETACH:
            stop.set()

    watch = asyncio.create_task(watch_owner())
    await stop.wait()
    watch.cancel()


async def main(root: Path) -> None:
    """Supervise the stack in `root` until told to stop, or until a service cannot be kept running."""
    work = asyncio.create_task(Supervisor(Folder(root)).run())
    told = asyncio.create_task(_told_to_stop())
    await asyncio.wait({work, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work


if __name__ == "__main__":
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    # A probe of a server that is not up yet is no error.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    asyncio.run(main(Path(sys.argv[1])))
