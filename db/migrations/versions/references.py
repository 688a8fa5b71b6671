"""External references of entries."""

from __future__ import annotations

from db.migrate import run_sql_file

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Run the file."""
    run_sql_file("0015_references.sql")
