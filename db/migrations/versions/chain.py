"""The tamper-evident hash chain over the journal."""

from __future__ import annotations

from db.migrate import run_sql_file

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Run the file."""
    run_sql_file("0008_chain.sql")
