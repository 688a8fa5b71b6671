"""What a person wants to see of a stack: what runs, where, since when, how much space it takes."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ops.embedded.service import find
from ops.embedded.unprivileged import data_folder, server_account

if TYPE_CHECKING:
    from pathlib import Path

    import psutil

    from ops.embedded.state import Folder, ServiceState, State

ServiceName = Literal["postgres", "kafka"]
SERVICES: tuple[ServiceName, ...] = ("postgres", "kafka")


@dataclass(frozen=True)
class ServiceStatus:
    """One service at this moment."""

    running: bool
    ready: bool
    """It answered a request after its last start."""
    pid: int | None
    port: int | None
    version: str | None
    uptime_seconds: float | None
    restarts: int
    """How often its supervisor had to start it again since the stack came up."""
    data: Path
    data_bytes: int
    """Disk space that the data takes."""


@dataclass(frozen=True)
class StackStatus:
    """The whole stack at this moment."""

    running: bool
    """Every service is up and ready."""
    supervisor_pid: int | None
    folder: Path
    services: dict[ServiceName, ServiceStatus]
    note: str | None
    """What a person should know, such as data that had to be put elsewhere."""


def look(folder: Folder) -> StackStatus:
    """The status of the stack in a folder."""
    state = folder.state()
    supervisor = find_supervisor(folder, state)
    services = {name: _service(folder, state, name) for name in SERVICES}
    return StackStatus(
        running=is_healthy(folder),
        supervisor_pid=None if supervisor is None else supervisor.pid,
        folder=folder.root,
        services=services,
        note=_note(folder),
    )


def is_healthy(folder: Folder) -> bool:
    """Whether a supervisor watches the stack and every service runs and has answered since it started."""
    state = folder.state()
    return (
        state.phase == "ready"
        and find_supervisor(folder, state) is not None
        and all(service.ready and find_process(service) is not None for service in state.services.values())
    )


def find_supervisor(folder: Folder, state: State) -> psutil.Process | None:
    """The living supervisor of the folder, if there is one."""
    return find(state.supervisor, str(folder.root))


def find_process(service: ServiceState | None) -> psutil.Process | None:
    """The living process of a service, if there is one."""
    return None if service is None else find(service.pid, service.mark)


def postgres_data(folder: Folder) -> Path:
    """Where PostgreSQL's data is: in the folder, unless its account cannot reach that."""
    return data_folder(folder.postgres, server_account())


def _note(folder: Folder) -> str | None:
    data = postgres_data(folder)
    if data == folder.postgres:
        return None
    return f"started by root, PostgreSQL runs as `nobody`, who cannot reach {folder.root}: data is in {data}"


def _service(folder: Folder, state: State, name: ServiceName) -> ServiceStatus:
    last = state.services.get(name)
    process = find_process(last)
    data = postgres_data(folder) if name == "postgres" else folder.kafka
    return ServiceStatus(
        running=process is not None,
        ready=process is not None and last is not None and last.ready,
        pid=None if process is None else process.pid,
        port=state.ports.get(name),
        version=None if last is None else last.version,
        uptime_seconds=None if process is None else time.time() - process.create_time(),
        restarts=0 if last is None else last.restarts,
        data=data,
        data_bytes=_disk_bytes(data),
    )


def _disk_bytes(root: Path) -> int:
    total = 0
    for path in root.rglob("*"):
        # A server deletes files while we look.
        with contextlib.suppress(FileNotFoundError):
            # Not st_size: Kafka's indexes are sparse files. POSIX counts blocks of 512 bytes.
            total += path.lstat().st_blocks * 512
    return total
