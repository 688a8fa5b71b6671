"""Our roles as child processes: each with a log of its own, ended with this process however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ops.embedded.errors import log_tail
from ops.embedded.service import die_with_parent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

GRACE_S: Final = 20
"""How long a role may take to finish its batch when it is told to stop."""
_PROJECT: Final = str(Path(__file__).parents[1])
COUNTERFOIL: Final = (sys.executable, "-m", "ops.cli")
SANDBOX: Final = (sys.executable, "-m", "ops.sandbox")


class RoleEndedError(Exception):
    """A role ended by itself; the message has the end of its log."""


class Processes:
    """Children of this process by name.

    Start them from the main thread: the kernel ends a child with the thread that started it.
    """

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self._logs = logs
        path = os.pathsep.join(filter(None, [_PROJECT, os.environ.get("PYTHONPATH")]))
        self.environment = os.environ | environment | {"PYTHONPATH": path}
        """Of whatever is started next."""
        self._commands: dict[str, tuple[str, ...]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        logs.mkdir(parents=True, exist_ok=True)

    @property
    def names(self) -> tuple[str, ...]:
        """All that were started and not stopped."""
        return tuple(self._running)

    def start(self, name: str, *command: str) -> int:
        """Start a role, or start it again with the command it had; its log is appended to. Returns its pid."""
        command = command or self._commands[name]
        self._commands[name] = command
        with self.log(name).open("ab") as output:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own commands
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=self.environment,
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - only makes system calls
                start_new_session=True,  # a Ctrl-C in the terminal is ours to judge
            )
        return self._running[name].pid

    def kill(self, name: str) -> int:
        """End a role by SIGKILL, without a chance to tidy up. Returns its late pid."""
        process = self._running.pop(name)
        process.kill()
        process.wait()
        return process.pid

    def stop(self, name: str) -> None:
        """Tell a role to finish its batch and leave, and wait until it has."""
        process = self._running.pop(name)
        process.terminate()
        _reap(process, time.monotonic() + GRACE_S)

    def check(self) -> None:
        """Raises RoleEndedError when a role ended that nobody told to."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise RoleEndedError(
                    f"{name} ended with code {process.returncode}; {log_tail(self.log(name))}"
                )

    def log(self, name: str) -> Path:
        """Where the role writes."""
        return self._logs / f"{name}.log"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell all to stop, then wait for each."""
        ending = list(self._running.values())
        self._running.clear()
        for process in ending:
            process.terminate()
        deadline = time.monotonic() + GRACE_S
        for process in ending:
            _reap(process, deadline)


def _reap(process: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
