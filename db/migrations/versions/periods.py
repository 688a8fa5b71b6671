"""Accounting periods: bounds that the database holds, states, origins of late entries, closing balances."""

from __future__ import annotations

from db.migrate import run_sql_file

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Run the file."""
    run_sql_file("0011_periods.sql")
