"""The files in docs/ are what the code says, and the code keeps what releases promised."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops.cli.contracts import commands
from ops.contracts import files
from ops.contracts.json_schemas import json_schemas

DOCS = Path(__file__).resolve().parents[2] / "docs"
run = CliRunner().invoke


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A folder as `contracts release` leaves it."""
    files.write(tmp_path)
    assert files.release(tmp_path) == []
    return tmp_path


def test_docs_say_what_the_code_says() -> None:
    assert files.drift(DOCS) == [], "run: counterfoil contracts write"


def test_the_code_keeps_what_releases_promised() -> None:
    assert files.broken_promises(DOCS) == []


def test_every_message_type_has_been_promised() -> None:
    promised = {path.stem for path in (DOCS / "schemas" / "released").iterdir()}
    assert promised == set(json_schemas()), "run: counterfoil contracts release"


def test_writing_twice_changes_nothing(docs: Path) -> None:
    before = {path: path.read_bytes() for path in docs.rglob("*.json")}
    assert files.write(docs) == []
    assert {path: path.read_bytes() for path in docs.rglob("*.json")} == before


def test_a_schema_of_no_message_is_drift_and_goes(docs: Path) -> None:
    stray = docs / "schemas" / "payment.paid.v1.json"
    stray.write_text("{}")
    assert files.drift(docs) == ["schemas/payment.paid.v1.json"]
    files.write(docs)
    assert not stray.exists()


def test_a_file_edited_by_hand_is_drift(docs: Path) -> None:
    path = docs / "schemas" / "timer.due.v1.json"
    path.write_text(path.read_text().replace("TimerDueData", "TimerData"))
    result = run(commands, ["contracts", "check", "--docs", str(docs)])
    assert result.exit_code == 1
    assert result.stderr == "schemas/timer.due.v1.json: out of date; run counterfoil contracts write\n"
    assert run(commands, ["contracts", "write", "--docs", str(docs)]).stdout == "schemas/timer.due.v1.json\n"
    assert run(commands, ["contracts", "check", "--docs", str(docs)]).exit_code == 0


def test_a_message_type_that_is_removed_breaks_a_promise(docs: Path) -> None:
    kept = {name: schema for name, schema in json_schemas().items() if name != "payment.captured.v1"}
    assert files.broken_promises(docs, kept) == ["payment.captured.v1: gone"]


@pytest.mark.parametrize(
    ("message_type", "definition", "problem"),
    [
        ("checkout.payment_recorded.v1", "PaymentRecordedData", "data.till: required by the reader"),
        ("payment.captured.v1", "PaymentChanged", ""),
    ],
)
def test_a_new_required_member_breaks_only_what_we_read(
    docs: Path, message_type: str, definition: str, problem: str
) -> None:
    changed = deepcopy(json_schemas())
    data = changed[message_type]["$defs"][definition]
    data["properties"]["till"] = {"type": "string"}
    data["required"].append("till")
    expected = [f"{message_type}: {problem}, not promised by the writer"] if problem else []
    assert files.broken_promises(docs, changed) == expected


def test_a_release_that_breaks_a_promise_is_refused_and_changes_nothing(docs: Path) -> None:
    released = docs / "schemas" / "released" / "payment.captured.v1.json"
    promise = json.loads(released.read_text())
    promise["$defs"]["PaymentChanged"]["properties"]["tip_minor"] = {"type": "integer"}
    released.write_text(json.dumps(promise))
    result = run(commands, ["contracts", "release", "--docs", str(docs)])
    assert result.exit_code == 1
    assert result.stderr == "payment.captured.v1: data.tip_minor: gone\n"
    assert json.loads(released.read_text()) == promise
