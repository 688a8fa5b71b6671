"""`python -m ops.docs`: bring every generated part of the documentation up to date."""

from __future__ import annotations

from ops.docs.pages import DOCS, stale

for name, text in stale().items():
    (DOCS / name).write_text(text, encoding="utf-8")
    print(name)  # noqa: T201 - a command that tells what it changed
