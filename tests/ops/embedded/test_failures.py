"""What a person is told when the stack cannot be started, and what is left behind: nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ops.embedded import EmbeddedStackError, Stack
from ops.embedded.ports import choose, is_free

if TYPE_CHECKING:
    from pathlib import Path


def test_an_unreachable_registry_is_named_and_so_is_the_way_round_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody_listens = f"http://127.0.0.1:{choose(('registry',), {})['registry']}/maven2"
    monkeypatch.setenv("COUNTERFOIL_MAVEN_URL", nobody_listens)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "repository"))
    steps: list[str] = []
    stack = Stack(tmp_path / "stack")
    with pytest.raises(EmbeddedStackError) as failure:
        stack.up(steps.append)
    for told in (
        nobody_listens,
        str(tmp_path / "repository"),
        "COUNTERFOIL_MAVEN_URL",
        "KAFKA_BOOTSTRAP_SERVERS=",
        "DATABASE_URL=",
        "DATABASE_ADMIN_URL=",
    ):
        assert told in str(failure.value)
    assert len(steps) == 1
    assert stack.pids() == {}


def test_a_server_that_does_not_come_up_shows_the_end_of_its_log(folder: Path) -> None:
    stack = Stack(folder / "damaged")
    stack.folder.postgres.mkdir(parents=True)
    (stack.folder.postgres / "PG_VERSION").write_text("18\n")
    with pytest.raises(
        EmbeddedStackError, match=re.compile(r"PostgreSQL 18.*5 attempts.*postgres\.log", re.DOTALL)
    ):
        stack.up()
    status = stack.status()
    assert not status.running
    assert status.supervisor_pid is None
    assert stack.pids() == {}
    stack.reset()


def test_a_stack_that_never_ran_has_no_endpoints_and_nothing_to_kill(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    with pytest.raises(EmbeddedStackError, match="never been started"):
        stack.endpoints()
    with pytest.raises(EmbeddedStackError, match="kafka does not run"):
        stack.kill("kafka")


def test_a_port_is_kept_while_it_is_free_and_chosen_again_when_it_is_taken(stack: Stack) -> None:
    taken = stack.folder.state().ports
    free = choose(("postgres", "kafka"), {})
    assert choose(("postgres", "kafka"), free) == free
    again = choose(("postgres", "kafka"), taken)
    assert not set(again.values()) & set(taken.values())
    assert all(is_free(port) for port in again.values())
