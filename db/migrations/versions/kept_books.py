"""Where questions about the past start: sums by day, and the balances of closings."""

from __future__ import annotations

from db.migrate import run_sql_file

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Run the file."""
    run_sql_file("0014_kept_books.sql")
