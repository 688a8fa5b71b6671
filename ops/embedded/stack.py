"""PostgreSQL and Kafka for whoever has only Python: started, watched and ended as one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

import orjson

from ops.embedded import postgres
from ops.embedded.errors import EmbeddedStackError, log_tail
from ops.embedded.ports import HOST
from ops.embedded.service import end_leftovers
from ops.embedded.state import DETACH, Folder
from ops.embedded.status import SERVICES, find_process, find_supervisor, is_healthy, look, postgres_data

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.embedded.status import ServiceName, StackStatus

UP_SECONDS = 600
"""Another process may be downloading Kafka for this stack."""
DOWN_SECONDS = 90
POLL_SECONDS = 0.05
LOG_BYTES = 10 * 2**20


@dataclass(frozen=True)
class Endpoints:
    """Where a running stack is reached. The URLs contain passwords."""

    database_url: str
    """Database `counterfoil` as `counterfoil_app`, the application's role."""
    admin_url: str
    """The same database as superuser: for migrations, and for tests that break in."""
    read_url: str
    """The same database as `counterfoil_read`, for people and dashboards."""
    kafka_bootstrap: str
    """host:port of the broker."""


class Stack:
    """The stack whose data, ports, passwords and logs live in one folder.

    By default it outlives this process, until somebody calls `down`. With `owned` it ends with this process,
    however that ends: for tests and demonstrations, as `with Stack(folder, owned=True) as stack`.
    """

    def __init__(self, root: Path, *, owned: bool = False) -> None:
        self.folder = Folder(root.resolve())
        self.owned = owned
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._leash = -1
        self._log = self.folder.logs / "supervisor.log"

    def up(self, progress: Callable[[str], None] | None = None) -> Endpoints:
        """Start what is not running, wait until it answers, say where it is. `progress` is told each step.

        Raises:
            EmbeddedStackError: Kafka could not be downloaded, or a service does not come up.
        """
        deadline = time.monotonic() + UP_SECONDS
        while not is_healthy(self.folder):
            lock = self.folder.try_lock()
            if lock is not None:
                try:
                    self._start(lock, progress or (lambda _: None))
                finally:
                    os.close(lock)
            elif time.monotonic() > deadline:
                raise EmbeddedStackError(
                    f"another process runs the stack in {self.folder.root}, which is not ready after "
                    f"{UP_SECONDS} s; {log_tail(self._log)}"
                )
            else:
                time.sleep(POLL_SECONDS)
        return self.endpoints()

    def down(self) -> None:
        """End everything, orderly; the data stays. Nothing happens when nothing runs.

        Raises:
            EmbeddedStackError: another process is only just starting the stack.
        """
        os.close(self._stop())

    def reset(self) -> None:
        """End everything, and delete data, ports, passwords and logs."""
        lock = self._stop()
        for path in (postgres_data(self.folder), *self.folder.root.iterdir()):
            if path.is_dir():
                shutil.rmtree(path)
            elif path != self.folder.lock:
                path.unlink(missing_ok=True)
        os.close(lock)

    def status(self) -> StackStatus:
        """What runs now, where, since when, and how much space it takes."""
        return look(self.folder)

    def endpoints(self) -> Endpoints:
        """Where the stack is, or was when it last ran.

        Raises:
            EmbeddedStackError: it never ran.
        """
        ports = self.folder.state().ports
        if not ports:
            raise EmbeddedStackError(f"the stack in {self.folder.root} has never been started")
        passwords = self.folder.passwords()
        return Endpoints(
            database_url=postgres.url(ports["postgres"], postgres.APP_ROLE, passwords.app),
            admin_url=postgres.url(ports["postgres"], postgres.SUPERUSER, passwords.superuser),
            read_url=postgres.url(ports["postgres"], postgres.READ_ROLE, passwords.read),
            kafka_bootstrap=f"{HOST}:{ports['kafka']}",
        )

    def pids(self) -> dict[ServiceName, int]:
        """The process ids of the services that run now; PostgreSQL's is the postmaster's."""
        services = self.folder.state().services
        found = {name: find_process(services.get(name)) for name in SERVICES}
        return {name: process.pid for name, process in found.items() if process is not None}

    def kill(self, service: ServiceName) -> int:
        """End a service by SIGKILL, to see what happens; the supervisor restarts it. Returns its late pid.

        Raises:
            EmbeddedStackError: it does not run.
        """
        process = find_process(self.folder.state().services.get(service))
        if process is None:
            raise EmbeddedStackError(f"{service} does not run in {self.folder.root}")
        process.kill()
        process.wait(DOWN_SECONDS)
        return process.pid

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        # A stack that ran before we came is somebody else's.
        if self._supervisor is not None:
            self.down()

    def _start(self, lock: int, tell: Callable[[str], None]) -> None:
        """Start a supervisor, to which the lock passes, and wait until everything is ready."""
        # Only a start needs jgo, which takes a third of a second to import.
        from ops.embedded.jars import kafka_jars  # noqa: PLC0415

        class_path = os.pathsep.join(str(jar) for jar in kafka_jars(tell))
        self._release()  # of a supervisor that was killed
        with self._spawn(lock, class_path) as reports:
            try:
                self._listen(reports, tell)
            except BaseException:  # also a Ctrl-C: nothing half started may stay behind
                self._release()
                raise
        if not self.owned:
            os.write(self._leash, DETACH)

    def _spawn(self, lock: int, class_path: str) -> IO[bytes]:
        """Start the supervisor; the result is what it reports."""
        self.folder.logs.mkdir(parents=True, exist_ok=True)
        for log in self.folder.logs.glob("*.log"):
            if log.stat().st_size > LOG_BYTES:
                log.replace(log.with_suffix(".old"))
        # Bare descriptors are no garbage: the leash is held until _release, or the end of this process.
        commands, self._leash = os.pipe()
        reports, output = os.pipe()
        project = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        with self._log.open("ab") as errors:
            self._supervisor = subprocess.Popen(  # noqa: S603  our own module
                [sys.executable, "-m", "ops.embedded.supervise", str(self.folder.root)],
                stdin=commands,
                stdout=output,
                stderr=errors,
                cwd="/",
                env=os.environ | {"CLASSPATH": class_path, "PYTHONPATH": os.pathsep.join(project)},
                pass_fds=(lock,),
                start_new_session=True,  # a Ctrl-C in the terminal is ours to judge
            )
        os.close(commands)
        os.close(output)
        return os.fdopen(reports, "rb")

    def _listen(self, reports: IO[bytes], tell: Callable[[str], None]) -> None:
        """Pass on what the supervisor reports, until everything is ready."""
        for line in reports:
            ((kind, text),) = orjson.loads(line).items()
            if kind == "ready":
                return
            if kind == "failed":
                raise EmbeddedStackError(text)
            tell(text)
        raise EmbeddedStackError(f"the supervisor of {self.folder.root} broke off; {log_tail(self._log)}")

    def _release(self) -> None:
        """Let go of our supervisor, which ends it unless it is detached, and wait until it has ended."""
        if self._supervisor is not None:
            os.close(self._leash)
            self._supervisor.wait()
            self._supervisor = None

    def _stop(self) -> int:
        """End what runs, and return the stack's lock, so that nobody starts it meanwhile."""
        deadline = time.monotonic() + DOWN_SECONDS
        told = set[int]()
        while (lock := self.folder.try_lock()) is None:
            supervisor = find_supervisor(self.folder, self.folder.state())
            overdue = time.monotonic() > deadline
            if supervisor is not None and (overdue or supervisor.pid not in told):
                told.add(supervisor.pid)
                supervisor.send_signal(signal.SIGKILL if overdue else signal.SIGTERM)
            elif overdue:
                raise EmbeddedStackError(
                    f"another process is only just starting the stack in {self.folder.root}"
                )
            time.sleep(POLL_SECONDS)
        end_leftovers(self.folder.state())
        self._release()
        return lock
