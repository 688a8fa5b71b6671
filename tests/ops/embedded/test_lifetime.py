"""How a stack begins and ends: data that stays, stacks side by side, owners and supervisors that die."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
import pytest

from ops.embedded import Stack
from tests.ops.embedded.clients import remember, remembered, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def other(folder: Path) -> Iterator[Stack]:
    """A stack beside the shared one, which outlives its starter. The tests here leave it as they like."""
    stack = Stack(folder / "other")
    yield stack
    stack.reset()


def everything(stack: Stack) -> list[psutil.Process]:
    """All processes of the stack: the supervisor, the servers, and PostgreSQL's own children."""
    supervisor = psutil.Process(stack.status().supervisor_pid)
    return [supervisor, *supervisor.children(recursive=True)]


def runs(process: psutil.Process) -> bool:
    """Whether it still does something; one that waits for its parent to notice its death does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def test_two_ups_at_once_start_one_stack_which_does_not_disturb_another(stack: Stack, other: Stack) -> None:
    twins = [other, Stack(other.folder.root)]
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(Stack.up, twins)
    assert first == second
    asyncio.run(remember(stack.endpoints(), "here"))
    asyncio.run(remember(first, "there"))
    assert asyncio.run(remembered(first)) == ["there"]
    for twin in twins:
        twin.down()


def test_data_and_ports_survive_down_and_up(other: Stack) -> None:
    endpoints = other.up()
    asyncio.run(remember(endpoints, "kept"))
    before = asyncio.run(remembered(endpoints))
    processes = everything(other)
    other.down()
    assert not any(runs(process) for process in processes)
    assert not other.status().running
    assert other.up() == endpoints
    assert asyncio.run(remembered(endpoints)) == before


def test_a_stack_of_which_everything_was_killed_starts_again_with_its_data(other: Stack) -> None:
    endpoints = other.up()
    asyncio.run(remember(endpoints, "before the crash"))
    before = asyncio.run(remembered(endpoints))
    processes = everything(other)
    for process in processes:
        # Children of one that was killed before may be gone already.
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    wait_until(lambda: not any(runs(process) for process in processes), seconds=100)
    assert not other.status().running
    assert other.up() == endpoints
    assert asyncio.run(remembered(endpoints)) == before
    other.down()


@pytest.mark.parametrize("killed", ["owner", "supervisor"])
def test_no_process_outlives_a_killed(killed: str, other: Stack) -> None:
    command = [sys.executable, "-m", "tests.ops.embedded.owner", str(other.folder.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        processes = everything(other)
        assert {process.name() for process in processes} >= {"java", "postgres"}
        os.kill({"owner": owner.pid, "supervisor": processes[0].pid}[killed], signal.SIGKILL)
        wait_until(lambda: not any(runs(process) for process in processes), seconds=100)
        owner.kill()


def test_reset_leaves_nothing_but_the_lock(other: Stack) -> None:
    assert other.folder.state().ports
    other.reset()
    assert [path.name for path in other.folder.root.iterdir()] == ["lock"]
    assert not other.status().running
