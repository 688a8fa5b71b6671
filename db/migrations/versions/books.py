"""Books: slices of long accounts, and the batches of the accounting export."""

from __future__ import annotations

from db.migrate import run_sql_file

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Run the file."""
    run_sql_file("0009_books.sql")
