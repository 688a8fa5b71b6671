"""Endpoints come from a file and a variable; what is wrong is named by field, and no secret is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ops.cli.ingress import commands
from ops.ingress.settings import IngressSettingsError, load

SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQ="  # noqa: S105 - a test's own
FILE = f"""
[[endpoints]]
provider = "sandbox"
account = "main"
tenant = "acme"
secrets = ["whsec_{SECRET}"]
"""
JSON = f'[{{"provider":"sandbox","account":"side","tenant":"globex","secrets":["{SECRET}","{SECRET}"]}}]'


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `.env` of the developer's."""
    monkeypatch.chdir(tmp_path)


def use(monkeypatch: pytest.MonkeyPatch, path: Path | None = None, text: str | None = None) -> None:
    """Set the variables."""
    if path is not None:
        monkeypatch.setenv("COUNTERFOIL_WEBHOOKS_FILE", str(path))
    if text is not None:
        monkeypatch.setenv("COUNTERFOIL_WEBHOOKS", text)


def test_the_file_and_the_variable_are_one_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "webhooks.toml").write_text(FILE)
    use(monkeypatch, tmp_path / "webhooks.toml", JSON)
    settings = load()
    found = [(one.provider, one.account, one.tenant, len(one.secrets)) for one in settings.endpoints()]
    assert found == [("sandbox", "side", "globex", 2), ("sandbox", "main", "acme", 1)]
    assert SECRET not in repr(settings) + repr(settings.endpoints())


BROKEN = {
    "no file": (None, "counterfoil_webhooks_file: .*No such file"),
    "no TOML": (f"secrets = [{SECRET}", "not TOML"),
    "no UTF-8": (b"\xff".decode("latin-1"), "endpoints: Field required|not UTF-8|not TOML"),
    "no list": ("", "endpoints: Field required"),
    "none": ("endpoints = []", "no webhook endpoint is configured"),
    "no secrets": (FILE.replace(f'"whsec_{SECRET}"', ""), "endpoints.0.secrets: .*at least 1"),
    "a number": (FILE.replace(f'"whsec_{SECRET}"', "7"), "endpoints.0.secrets.0: "),
    "a slash": (FILE.replace('"main"', '"a/b"'), "endpoints.0.account: "),
    "no tenant": (FILE.replace('tenant = "acme"', ""), "endpoints.0.tenant: Field required"),
    "a misspelt field": (FILE.replace("tenant =", "tennant ="), "endpoints.0.tennant: Extra inputs"),
}


@pytest.mark.parametrize(("text", "complaint"), BROKEN.values(), ids=BROKEN)
def test_a_file_that_cannot_be_used_is_told_by_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, complaint: str
) -> None:
    path = tmp_path / "webhooks.toml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    use(monkeypatch, path)
    with pytest.raises(IngressSettingsError, match=complaint) as told:
        load().endpoints()
    assert SECRET not in str(told.value)
    assert told.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (JSON[:-1], "counterfoil_webhooks: not a JSON list"),
        (JSON.replace("side", "a b"), "counterfoil_webhooks.0.account: "),
        (JSON.replace("provider", "provder"), "counterfoil_webhooks.0.provider: Field required"),
    ],
)
def test_a_variable_that_cannot_be_used_is_told_by_field(
    monkeypatch: pytest.MonkeyPatch, text: str, complaint: str
) -> None:
    use(monkeypatch, text=text)
    with pytest.raises(IngressSettingsError, match=complaint) as told:
        load()
    assert SECRET not in str(told.value)
    assert told.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "no webhook endpoint is configured"),
        (JSON.replace("sandbox", "nobody"), "/webhooks/nobody/side: provider is none of"),
        (JSON.replace(SECRET, "not base64!"), "secrets[0]: a Standard Webhooks secret is not base64"),
    ],
)
def test_the_command_says_in_one_line_what_is_to_be_mended(
    monkeypatch: pytest.MonkeyPatch, text: str | None, complaint: str
) -> None:
    use(monkeypatch, text=text)
    done = CliRunner().invoke(commands)
    assert done.exit_code == 1
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
    assert "not base64!" not in done.output
