"""A server as its supervisor sees it: what to start, how to know it, when it is ready, how to end it."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import psutil

from ops.embedded.errors import EmbeddedStackError

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from ops.embedded.state import State
    from ops.embedded.unprivileged import Account

PR_SET_PDEATHSIG = 1  # linux/prctl.h
KILL_SECONDS = 10


@dataclass(frozen=True)
class Service:
    """A server: postgres.py and kafka.py each make one."""

    name: str
    title: str
    version: str
    port: int
    command: tuple[str, ...]
    mark: str
    """One of the command's arguments, which only this service of this stack carries."""
    environment: Mapping[str, str]
    log: Path
    account: Account | None
    stop_signal: signal.Signals
    """Asks for an orderly end."""
    stop_seconds: float
    """How long an orderly end may take before it is forced."""
    orphan_signal: signal.Signals
    """What the kernel sends when the supervisor is gone: it ends at once, and the next start recovers."""
    is_ready: Callable[[], Awaitable[bool]]
    """A real request to the server; False while it does not answer yet."""


@contextlib.asynccontextmanager
async def running(service: Service) -> AsyncIterator[Process]:
    """The service's process; when the block is left it is ended, orderly if it can be."""
    with service.log.open("ab") as output:
        process = await _spawn(
            service.command, service.environment, service.account, output, service.orphan_signal
        )
    try:
        yield process
    finally:
        await _end(process, service.stop_signal, service.stop_seconds)


async def run(command: Sequence[str], environment: Mapping[str, str], account: Account | None = None) -> str:
    """Run a program to its end; the result is what it wrote.

    Raises:
        EmbeddedStackError: it failed; the message has what it wrote.
    """
    with tempfile.TemporaryFile() as output:
        process = await _spawn(command, environment, account, output, signal.SIGKILL)
        try:
            code = await process.wait()
        finally:
            await _end(process, signal.SIGTERM, KILL_SECONDS)
        output.seek(0)
        written = output.read().decode(errors="replace")
    if code != 0:
        raise EmbeddedStackError(f"{' '.join(command)} failed with code {code}:\n{written}")
    return written


async def _spawn(
    command: Sequence[str],
    environment: Mapping[str, str],
    account: Account | None,
    output: IO[bytes],
    orphan_signal: signal.Signals,
) -> Process:
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd="/",  # another account may not be allowed into ours
        env=environment,
        preexec_fn=die_with_parent(orphan_signal),
        **({} if account is None else account.as_popen()),
    )


async def _end(process: Process, stop_signal: signal.Signals, seconds: float) -> None:
    for sign, limit in ((stop_signal, seconds), (signal.SIGKILL, KILL_SECONDS)):
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError, TimeoutError):
                process.send_signal(sign)
                await asyncio.wait_for(process.wait(), limit)


def find(pid: int, mark: str) -> psutil.Process | None:
    """The living process with this pid, if it carries the mark: a pid may meanwhile be somebody else's."""
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        process = psutil.Process(pid)
        if mark in process.cmdline():
            return process
    return None


def end_leftovers(state: State) -> None:
    """End services that outlived a killed supervisor, which happens where the kernel does not end them.

    The caller holds the stack's lock, so none of them may be running.
    """
    found = (find(service.pid, service.mark) for service in state.services.values())
    leftovers = [process for process in found if process is not None]
    for process in leftovers:
        process.kill()
    psutil.wait_procs(leftovers, timeout=KILL_SECONDS)


def die_with_parent(orphan_signal: signal.Signals) -> Callable[[], None] | None:
    """What a new child does before exec: ask the kernel for a signal when its parent ends, be it by kill -9.

    Only Linux can do that.
    """
    if sys.platform != "linux":
        return None
    # Looked up here: between fork and exec only a system call is safe.
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def arm() -> None:
        prctl(PR_SET_PDEATHSIG, int(orphan_signal), 0, 0, 0)
        if os.getppid() != parent:  # it ended before the line above took effect
            os.kill(os.getpid(), signal.SIGKILL)

    return arm
