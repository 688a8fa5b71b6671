"""The outbox in rows that fill a page."""

from __future__ import annotations

from db.migrate import run_sql_file

revision = "0017"
down_revision = "0015"


def upgrade() -> None:
    """Run the file."""
    run_sql_file("0017_outbox_pages.sql")
