"""Disputes: their states, the evidence sent for them, and documents of orders."""

from __future__ import annotations

from db.migrate import run_sql_file

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Run the file."""
    run_sql_file("0010_disputes.sql")
