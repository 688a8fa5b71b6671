"""Roles as child processes: started, killed, stopped, noticed when they end, and never left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tenacity import Retrying, stop_after_delay, wait_fixed

from ops.processes import Processes, RoleEndedError

DEADLINE_S = 100
PROJECT = Path(__file__).parents[2]
WAIT = "import signal; print('here', flush=True); signal.pause()"
REFUSE = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(60)"


def eventually() -> Retrying:
    """Try the assertion of the loop's body until it holds or the time is up."""
    return Retrying(stop=stop_after_delay(DEADLINE_S), wait=wait_fixed(0.05), reraise=True)


def what_check_says(processes: Processes) -> str:
    try:
        processes.check()
    except RoleEndedError as error:
        return str(error)
    return "all is well"


@pytest.fixture
def processes(tmp_path: Path) -> Processes:
    return Processes(tmp_path / "logs", {"ROLE_TEST": "yes"})


def wait_for(processes: Processes, name: str, text: str) -> None:
    for attempt in eventually():
        with attempt:
            assert text in processes.log(name).read_text()


def test_a_role_runs_with_its_environment_and_a_log_and_stops_when_told(processes: Processes) -> None:
    with processes:
        pid = processes.start(
            "role", sys.executable, "-c", f"import os; print(os.environ['ROLE_TEST']); {WAIT}"
        )
        wait_for(processes, "role", "here")
        assert processes.log("role").read_text() == "yes\nhere\n"
        assert processes.names == ("role",)
        processes.stop("role")
        assert not psutil.pid_exists(pid)
        assert not processes.names


def test_a_killed_role_can_be_started_again_as_it_was(processes: Processes) -> None:
    with processes:
        first = processes.start("role", sys.executable, "-c", WAIT)
        wait_for(processes, "role", "here\n")
        assert processes.kill("role") == first
        processes.check()
        second = processes.start("role")
        wait_for(processes, "role", "here\nhere\n")
        assert psutil.pid_exists(second)
    assert not psutil.pid_exists(second)


def test_a_role_that_ends_by_itself_is_named_with_the_end_of_its_log(processes: Processes) -> None:
    with processes:
        processes.start("role", sys.executable, "-c", "raise SystemExit('no such luck')")
        for attempt in eventually():
            with attempt:
                assert "role ended with code 1" in what_check_says(processes)
        assert "no such luck" in what_check_says(processes)


def test_a_role_that_will_not_stop_is_ended(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.processes.GRACE_S", 0.2)
    with processes:
        pid = processes.start("role", sys.executable, "-c", REFUSE)
        wait_for(processes, "role", "here")
    assert not psutil.pid_exists(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_role_does_not_outlive_a_parent_that_is_killed(tmp_path: Path) -> None:
    parent = f"""
import signal, sys
from pathlib import Path
from ops.processes import Processes
processes = Processes(Path({str(tmp_path)!r}), {{}})
print(processes.start("role", sys.executable, "-c", "import signal; signal.pause()"), flush=True)
signal.pause()
"""
    environment = os.environ | {"PYTHONPATH": str(PROJECT)}
    with subprocess.Popen(
        [sys.executable, "-c", parent], env=environment, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        child = psutil.Process(int(running.stdout.readline()))
        assert child.is_running()
        running.kill()
        child.wait(DEADLINE_S)
    assert not child.is_running()
