"""The project's own files, as git sees them: what is tracked, and what is new and not ignored."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def project_files() -> tuple[Path, ...]:
    """Every file that is, or would be, committed. A new file counts before its first commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (ROOT / name for name in sorted(set(listed.split("\0"))) if name)
    return tuple(path for path in paths if path.is_file())


def files(*suffixes: str, under: str = "") -> list[Path]:
    """The project's files with one of these suffixes, in a folder of the root or anywhere."""
    top = ROOT / under
    return [path for path in project_files() if path.suffix in suffixes and path.is_relative_to(top)]


def name(path: Path) -> str:
    """The path as a person says it: from the project's root."""
    return path.relative_to(ROOT).as_posix()
