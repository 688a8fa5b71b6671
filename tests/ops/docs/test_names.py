"""Everything that the documentation names exists: files, commands, options, targets, settings, headings."""

from __future__ import annotations

import re
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import SecretStr

from ops.cli.app import GROUPS, application
from ops.ingress.settings import IngressSettings
from ops.settings import Settings
from ops.verify.keys import ChainKeys
from tests.ops.docs.pages import PAGES, ROOT, anchors, code, links, name

PATH = re.compile(r"(?<![\w/.@-])(?:\.\./)?([\w.-]+(?:/[\w.-]+)+/?)(?![\w/<*])")
COMMAND = re.compile(r"\bcounterfoil ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?")
TARGET = re.compile(r"\bmake ([a-z][a-z-]*)")
SETTING = re.compile(r"\b(?:COUNTERFOIL|KAFKA|DATABASE)_[A-Z_]+\b")
DOCS = ROOT / "docs"
OPERATIONS = (DOCS / "operations.md").read_text()
SETTING_PAGES = ("operations", "webhooks", "proof")
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}
COMMANDS: Any = typer.main.get_command(application())

each_page = pytest.mark.parametrize("page", PAGES, ids=name)


def settings() -> dict[str, Any]:
    """Every setting of the roles, with its default."""
    return {
        name.upper(): field.default
        for read in (Settings, IngressSettings, ChainKeys)
        for name, field in read.model_fields.items()
    }


@each_page
def test_files_that_are_named_exist(page: Path) -> None:
    named = {path for text in code(page) for path in PATH.findall(text) if path.split("/")[0] in FOLDERS}
    assert {path for path in named if not (ROOT / path).exists()} == set()


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in links(page):
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(link)
    assert broken == []


@each_page
def test_commands_that_are_named_exist(page: Path) -> None:
    unknown = []
    for text in code(page):
        for first, second in COMMAND.findall(text):
            found = COMMANDS.commands.get(first)
            below = getattr(found, "commands", None)
            if found is None or (below is not None and second and second not in below):
                unknown.append(f"{first} {second}".strip())
    assert unknown == []


def test_the_readme_lists_every_command_and_no_other() -> None:
    section = (ROOT / "README.md").read_text().split("\n## Commands\n")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    listed = {
        span.removeprefix("counterfoil ").split()[0]
        for cell in cells
        for span in re.findall(r"`(.+?)`", cell)
    }
    assert listed == set(COMMANDS.commands)


def test_the_table_of_groups_names_every_command() -> None:
    for group, names in GROUPS.items():
        assert set(typer.main.get_command(application([group])).commands) == set(names)  # type: ignore[attr-defined]


@each_page
def test_make_targets_that_are_named_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {target for text in code(page) for target in TARGET.findall(text)} <= targets


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *(DOCS / f"{page}.md" for page in SETTING_PAGES)], ids=name
)
def test_settings_that_are_named_exist(page: Path) -> None:
    assert set(SETTING.findall(page.read_text())) <= settings().keys()


def test_every_setting_is_explained_with_its_default() -> None:
    explained: dict[str, str] = {}
    for line in OPERATIONS.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 3 and (names := SETTING.findall(cells[0])):
            explained |= zip_longest(names, cells[1].replace("`", "").split(", "), fillvalue="")
    assert set(explained) == set(settings())
    said = {
        name: str(default)
        for name, default in settings().items()
        if default not in {None, (), ""} and not isinstance(default, SecretStr)
    }
    assert {name: explained[name] for name in said} == said


def test_every_option_of_the_import_is_explained() -> None:
    options = {
        option
        for parameter in COMMANDS.commands["import"].commands["orders"].params
        for option in parameter.opts
    }
    named = set(re.findall(r"--[a-z][a-z-]+", (ROOT / "docs" / "imports.md").read_text()))
    assert named == {option for option in options if option.startswith("--")}


def test_decisions_are_numbered_once_and_say_their_number() -> None:
    files = sorted((ROOT / "docs" / "adr").glob("*.md"))
    numbers = [int(file.name[:4]) for file in files]
    assert len(set(numbers)) == len(numbers)
    assert [int(file.read_text().removeprefix("# ").split(".")[0]) for file in files] == numbers
