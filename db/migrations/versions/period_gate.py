"""Bounds of periods move while nobody decides entries."""

from __future__ import annotations

from db.migrate import run_sql_file

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Run the file."""
    run_sql_file("0018_period_gate.sql")
