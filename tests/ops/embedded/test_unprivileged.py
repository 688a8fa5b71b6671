"""PostgreSQL below folders that are private to root. Only root can see these cases."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from ops.embedded import Stack
from ops.embedded.unprivileged import BINARIES, PARTS, installation, readable, server_account

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="an ordinary user runs PostgreSQL under his own account"
)


def test_data_goes_elsewhere_when_the_folder_is_private(tmp_path: Path) -> None:
    (tmp_path / "private").mkdir(mode=0o700)
    with Stack(tmp_path / "private" / "stack", owned=True) as stack:
        status = stack.status()
        data = status.services["postgres"].data
        assert (data / "PG_VERSION").exists()
        assert not data.is_relative_to(tmp_path)
        assert str(data) in (status.note or "")
        assert (tmp_path / "private").stat().st_mode & 0o777 == 0o700
    stack.reset()
    assert not data.exists()


def test_unreadable_binaries_are_copied_once(tmp_path: Path) -> None:
    account = server_account()
    assert account is not None
    site = tmp_path / "private"
    site.mkdir(mode=0o700)
    for part in PARTS:
        shutil.copytree(installation() / part, site / part, symlinks=True)
    copy = readable(site, account)
    try:
        assert copy != site
        assert readable(site, account) == copy
        command = [str(copy / BINARIES / "initdb"), "--version"]
        said = subprocess.check_output(command, text=True, **account.as_popen())
        assert said.startswith("initdb (PostgreSQL) 18")
    finally:
        shutil.rmtree(copy)


def test_readable_binaries_are_used_where_they_are() -> None:
    assert readable(installation(), None) == installation()
