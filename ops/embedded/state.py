"""What a stack keeps in its folder: the lock, the state its supervisor reports, and the passwords."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import TypeAdapter

from ops.embedded.errors import EmbeddedStackError

if TYPE_CHECKING:
    from pathlib import Path

DETACH = b"detach\n"
"""What a supervisor reads on its standard input when its starter wants it to stay."""

Phase = Literal["starting", "ready", "stopped"]


@dataclass(frozen=True)
class Passwords:
    """Passwords of the three database roles, made at random when the data folder is made."""

    superuser: str
    app: str
    read: str


@dataclass(frozen=True)
class ServiceState:
    """One service as its supervisor last saw it."""

    pid: int
    mark: str
    """An argument that only this service's own process carries: pids are used again, marks are not."""
    version: str
    ready: bool
    restarts: int


@dataclass(frozen=True)
class State:
    """The stack as its supervisor last saw it. Only the supervisor writes it."""

    phase: Phase = "stopped"
    supervisor: int = 0
    ports: dict[str, int] = field(default_factory=dict)
    services: dict[str, ServiceState] = field(default_factory=dict)


_STATE = TypeAdapter(State)
_PASSWORDS = TypeAdapter(Passwords)


class Folder:
    """The paths inside a stack's folder, and its small files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.logs = root / "logs"
        self.kafka = root / "kafka"
        self.postgres = root / "postgres"
        self.lock = root / "lock"
        self._state = root / "state.json"
        self._passwords = root / "passwords.json"

    def state(self) -> State:
        """The last state written, or that of a stack which never ran."""
        if not self._state.exists():
            return State()
        return _STATE.validate_json(self._state.read_bytes())

    def write_state(self, state: State) -> None:
        """Replace the state; a reader sees the old one or the new one, never half of it."""
        _replace(self._state, _STATE.dump_json(state, indent=2))

    def passwords(self) -> Passwords:
        """The roles' passwords, made on the first call and kept readable for the owner only."""
        if not self._passwords.exists():
            made = Passwords(*(secrets.token_hex(24) for _ in range(3)))
            _replace(self._passwords, _PASSWORDS.dump_json(made, indent=2))
        return _PASSWORDS.validate_json(self._passwords.read_bytes())

    def try_lock(self) -> int | None:
        """The stack's lock as an open file descriptor, or None while another process holds it.

        The lock ends with the last process that has the descriptor open, so it cannot be left behind.

        Raises:
            EmbeddedStackError: the folder is another user's.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.lock, os.O_RDWR | os.O_CREAT, 0o600)
        except PermissionError as error:
            raise EmbeddedStackError(
                f"{self.root} belongs to another user ({error}): choose another folder"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return lock


def _replace(path: Path, content: bytes) -> None:
    new = path.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    new.replace(path)
