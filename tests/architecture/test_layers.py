"""The map's arrows: each contract of pyproject.toml breaks when a package breaks it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

PACKAGES = ("ops", "consumers", "producers", "db", "handlers", "schemas")

BROKEN = [
    ("schemas", "import handlers"),
    ("handlers", "import db"),
    ("db", "import producers"),
    ("producers", "import consumers"),
    ("consumers", "import ops"),
    ("schemas", "import ops"),
    ("handlers", "import asyncio"),
    ("handlers", "from time import time"),
    ("handlers", "import asyncpg"),
    ("schemas", "import httpx"),
    ("schemas", "import random"),
    ("schemas", "import os"),
    ("handlers", "import structlog"),
    ("schemas", "import secrets"),
]


def lint_imports(project: Path) -> subprocess.CompletedProcess[str]:
    """import-linter with our contracts, in another project's folder."""
    config = ROOT / "pyproject.toml"
    (project / "pyproject.toml").write_text(config.read_text())
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=project,
        env={"PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Our six packages, empty."""
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    return tmp_path


def test_what_points_down_is_kept(project: Path) -> None:
    (project / "ops" / "cli.py").write_text("import consumers, producers, db, handlers, schemas, asyncio\n")
    (project / "handlers" / "rules.py").write_text("import schemas, decimal, datetime, dataclasses\n")
    done = lint_imports(project)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(("package", "statement"), BROKEN)
def test_what_points_up_or_out_is_refused(project: Path, package: str, statement: str) -> None:
    (project / package / "rules.py").write_text(f"{statement}\n")
    done = lint_imports(project)
    assert done.returncode == 1, done.stdout
    assert f"{package}.rules" in done.stdout
