"""PostgreSQL 18 out of a wheel: an own data folder, port and settings, on loopback only."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from signal import Signals
from typing import TYPE_CHECKING

import asyncpg
import psutil

from ops.embedded.errors import EmbeddedStackError
from ops.embedded.ports import HOST
from ops.embedded.service import Service, find, run
from ops.embedded.unprivileged import BINARIES, data_folder, installation, readable, server_account

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.embedded.state import Folder
    from ops.embedded.unprivileged import Account

SUPERUSER = "postgres"
DATABASE = "counterfoil"
APP_ROLE = "counterfoil_app"
READ_ROLE = "counterfoil_read"

# For a laptop of 2 cores and 4 GiB or more. Everything that durability rests on (fsync, synchronous_commit,
# full_page_writes) keeps its default: on.
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a socket's path may have 107 bytes, a project's folder may be longer
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "shared_buffers": "512MB",
    "effective_cache_size": "2GB",
    "random_page_cost": "1.1",  # a laptop has an SSD
    "jit": "off",  # short statements only: compiling one takes longer than running it
    # Checkpoints far apart: each makes the next write of every page a full page in the WAL. To compress those by pglz,
    # all that this build has, costs more than to write them. Files of the WAL are kept: new ones are filled with zeros.
    "checkpoint_timeout": "15min",
    "max_wal_size": "4GB",
    "min_wal_size": "2GB",
    "wal_buffers": "64MB",  # a batch's worth, so that nobody writes it out before the commit
}

# Nothing of ours: PGDATA, PGPORT or LANG of a person's shell have no say here.
# GNU's C library keeps what a statement frees for the next one: memory given back is bought again page by page.
ENVIRONMENT = {
    "PATH": os.defpath,
    "LC_ALL": "C",
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TOP_PAD_": str(1 << 20),
}

_NOT_YET = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it starts, recovers or was just killed
)

_ROLE = "SELECT format('CREATE ROLE %I LOGIN PASSWORD %L', $1::text, $2::text)"
_HAS_ROLE = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
_DATABASE = "SELECT format('CREATE DATABASE %I', $1::text)"
_HAS_DATABASE = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"


def url(port: int, role: str, password: str, database: str = DATABASE) -> str:
    """The connection URL of a role."""
    return f"postgresql://{role}:{password}@{HOST}:{port}/{database}"


async def prepare(folder: Folder, port: int, progress: Callable[[str], None]) -> Service:
    """PostgreSQL ready to be started on `port`; its data folder is made on first use.

    Raises:
        EmbeddedStackError: initdb failed; the message has its output.
    """
    account = server_account()
    binaries = readable(installation(), account) / BINARIES
    if account is not None:
        # Our own folder, whatever the umask was when it was made: the account has to pass through it.
        folder.root.chmod(folder.root.stat().st_mode | 0o011)
    data = data_folder(folder.postgres, account)
    passwords = folder.passwords()
    version = (await run((str(binaries / "postgres"), "--version"), ENVIRONMENT)).split()[-1]
    if not (data / "PG_VERSION").exists():
        progress(f"making the PostgreSQL {version} data folder {data}")
        await _initdb(binaries, data, passwords.superuser, account)
    _end_leftover(data)

    async def is_ready() -> bool:
        try:
            await _provision(port, passwords.superuser, {APP_ROLE: passwords.app, READ_ROLE: passwords.read})
        except asyncpg.InvalidPasswordError as error:
            raise EmbeddedStackError(
                f"the passwords in {folder.root} are not those of the data in {data}: reset the stack"
            ) from error
        except _NOT_YET:
            return False
        return True

    settings = (part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}"))
    return Service(
        name="postgres",
        title="PostgreSQL",
        version=version,
        port=port,
        command=(str(binaries / "postgres"), "-D", str(data), "-p", str(port), *settings),
        mark=str(data),
        environment=ENVIRONMENT,
        log=folder.logs / "postgres.log",
        account=account,
        stop_signal=Signals.SIGINT,  # fast shutdown: disconnects clients, writes a checkpoint
        stop_seconds=60,
        orphan_signal=Signals.SIGQUIT,  # immediate shutdown: the next start recovers from the WAL
        is_ready=is_ready,
    )


async def _provision(port: int, superuser_password: str, roles: dict[str, str]) -> None:
    server = url(port, SUPERUSER, superuser_password, "postgres")
    connection = await asyncpg.connect(server, timeout=5, command_timeout=30)
    try:
        for role, password in roles.items():
            if not await connection.fetchval(_HAS_ROLE, role):
                await connection.execute(await connection.fetchval(_ROLE, role, password))
        if not await connection.fetchval(_HAS_DATABASE, DATABASE):
            await connection.execute(await connection.fetchval(_DATABASE, DATABASE))
    finally:
        await connection.close()


async def _initdb(binaries: Path, data: Path, password: str, account: Account | None) -> None:
    # Made beside its place and moved there when complete: an interrupted initdb leaves no half of a cluster.
    building = Path(tempfile.mkdtemp(prefix="initdb-", dir=data.parent))
    try:
        password_file = building / "password"
        password_file.write_text(password)
        if account is not None:
            for path in (building, password_file):
                os.chown(path, account.uid, account.gid)
        await run(
            (
                str(binaries / "initdb"),
                *("--pgdata", str(building / "data")),
                *("--username", SUPERUSER, "--pwfile", str(password_file), "--auth", "scram-sha-256"),
                *("--encoding", "UTF8", "--locale", "C"),
                *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                "--data-checksums",
                "--no-instructions",
            ),
            ENVIRONMENT,
            account,
        )
        (building / "data").rename(data)
    finally:
        shutil.rmtree(building)


def _end_leftover(data: Path) -> None:
    """End a server on this data that outlived its supervisor; remove a pid file that would block a start.

    The caller holds the stack's lock, so no server may be running on this data. A dead pid in the file is
    left to PostgreSQL, which then checks that no backend of the old server still uses the shared memory.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().split(maxsplit=1)[0])
    leftover = find(pid, str(data))
    if leftover is not None:
        leftover.send_signal(Signals.SIGQUIT)
        psutil.wait_procs([leftover], timeout=10)
    elif psutil.pid_exists(pid):
        # The number now belongs to somebody else, as it often does after a container restarts.
        pid_file.unlink()
