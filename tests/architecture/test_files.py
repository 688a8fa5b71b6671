"""Rules for every file of the project, whatever it says: one idea each, and at home on any network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.tree import files, name, project_files

MAX_LINES = 400
"""A longer file is more than one idea."""

# A mirror is configured where the code is installed; a host in the code or a lock would override it.
# Each name is kept in parts, so that no file names one, this one included.
HOSTS = (
    ("pypi", "org"),
    ("python" + "hosted", "org"),
    ("repo", "maven"),
    ("repo1", "maven"),
    ("proxy", "golang"),
    ("crates", "io"),
    ("registry", "npmjs"),
    ("deb", "debian"),
)
REGISTRY_HOST = re.compile("|".join(r"[.]".join(parts) for parts in HOSTS))


def too_long(paths: list[Path]) -> list[str]:
    """The files with more than MAX_LINES lines, with their count."""
    counted = [(len(path.read_text().splitlines()), path) for path in paths]
    return [f"{path}: {lines} lines" for lines, path in counted if lines > MAX_LINES]


def registry_hosts(text: str) -> list[str]:
    """Each line of a text that names a package registry's host."""
    return [line.strip() for line in text.splitlines() if REGISTRY_HOST.search(line)]


@pytest.mark.parametrize(("lines", "found"), [(MAX_LINES, 0), (MAX_LINES + 1, 1)])
def test_a_long_file_is_found(tmp_path: Path, lines: int, found: int) -> None:
    path = tmp_path / "long.sql"
    path.write_text("SELECT 1;\n" * lines)
    assert len(too_long([path])) == found


@pytest.mark.parametrize("host", [f"https://{'.'.join(parts)}/path" for parts in HOSTS])
def test_a_registry_host_is_found(host: str) -> None:
    assert registry_hosts(f"first line\n--index-url {host}\n") == [f"--index-url {host}"]


def test_no_file_is_longer_than_one_idea() -> None:
    assert too_long(files(".py", ".sql")) == []


def test_no_file_names_a_package_registry() -> None:
    texts = {path: path.read_bytes() for path in project_files()}
    hosts = {
        name(path): found
        for path, raw in texts.items()
        if b"\0" not in raw and (found := registry_hosts(raw.decode(errors="replace")))
    }
    assert hosts == {}
