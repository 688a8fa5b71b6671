"""The generated files of `docs/`: written, compared with the code, and kept at a release.

docs/asyncapi.json              the AsyncAPI document
docs/schemas/<type>.json        the schemas as they are
docs/schemas/released/<type>.json   the schemas that others may have built upon
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ops.contracts.asyncapi import asyncapi
from ops.contracts.compatibility import breaks
from ops.contracts.json_schemas import direction_of, json_schemas

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ops.contracts.json_schemas import JsonSchema


def generated() -> dict[str, str]:
    """Path below `docs/` -> text, of everything that follows from the code."""
    schemas = {f"schemas/{name}.json": _text(schema) for name, schema in json_schemas().items()}
    return {"asyncapi.json": _text(asyncapi())} | schemas


def write(docs: Path) -> list[str]:
    """Write what follows from the code, remove schemas of types that are no more; the paths that changed."""
    drifted = drift(docs)
    texts = generated()
    (docs / "schemas").mkdir(parents=True, exist_ok=True)
    for path in drifted:
        if path in texts:
            (docs / path).write_text(texts[path], encoding="utf-8")
        else:
            (docs / path).unlink()
    return drifted


def drift(docs: Path) -> list[str]:
    """The paths below `docs/` that are missing, out of date, or of no message type any more."""
    texts = generated()
    there = {f"schemas/{path.name}" for path in (docs / "schemas").glob("*.json")}
    return sorted(
        path
        for path in texts.keys() | there
        if path not in texts
        or not (docs / path).is_file()
        or (docs / path).read_text(encoding="utf-8") != texts[path]
    )


def broken_promises(docs: Path, current: Mapping[str, JsonSchema] | None = None) -> list[str]:
    """Why the schemas (those of the code) may not replace the released ones: `type: path: reason`."""
    now = json_schemas() if current is None else current
    found = []
    for path in sorted((docs / "schemas" / "released").glob("*.json")):
        name, before = path.stem, json.loads(path.read_text(encoding="utf-8"))
        if name not in now:
            found.append(f"{name}: gone")
        else:
            found += [f"{name}: {problem}" for problem in breaks(before, now[name], direction_of(name))]
    return found


def release(docs: Path) -> list[str]:
    """Keep the schemas as released. Returns the promises that this would break, and then changes nothing."""
    broken = broken_promises(docs)
    if not broken:
        folder = docs / "schemas" / "released"
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in json_schemas().items():
            (folder / f"{name}.json").write_text(_text(schema), encoding="utf-8")
    return broken


def _text(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
