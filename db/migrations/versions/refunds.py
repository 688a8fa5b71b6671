"""Refunds, their policies, and what is counted beside them."""

from __future__ import annotations

from db.migrate import run_sql_file

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run the file."""
    run_sql_file("0007_refunds.sql")
