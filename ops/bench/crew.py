"""The processes of a benchmark: workers and the relay, as they run in production."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psutil

from ops.bench.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

END_SECONDS: Final = 30
_COUNTERFOIL: Final = (sys.executable, "-c", "from ops.cli import main; main()")


@dataclass(frozen=True, slots=True)
class Crew:
    """Running processes by name: worker-1, worker-2, ..., relay."""

    processes: Mapping[str, subprocess.Popen[bytes]]
    logs: Path

    def assert_alive(self) -> None:
        """Raises BenchError when one of them has ended."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise BenchError(f"{name} ended with code {process.returncode}; see {self.logs / name}.log")

    def cpu_seconds(self) -> dict[str, float]:
        """Processor time that each has used so far."""
        times = {name: psutil.Process(process.pid).cpu_times() for name, process in self.processes.items()}
        return {name: spent.user + spent.system for name, spent in times.items()}


@contextmanager
def crew(workers: int, environment: Mapping[str, str], logs: Path) -> Iterator[Crew]:
    """So many workers of checkout events and one relay, until the block is left."""
    logs.mkdir(parents=True, exist_ok=True)
    commands = {f"worker-{number}": ("worker", "checkout") for number in range(1, workers + 1)}
    commands["relay"] = ("relay",)
    with ExitStack() as running:
        yield Crew(
            {
                name: running.enter_context(_process(command, environment, logs / f"{name}.log"))
                for name, command in commands.items()
            },
            logs,
        )


@contextmanager
def _process(
    command: tuple[str, ...], environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            (*_COUNTERFOIL, *command),
            env=os.environ | {"COUNTERFOIL_HTTP_PORT": "0"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
