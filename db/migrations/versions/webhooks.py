"""Webhooks: what providers told us, as it came. A plain SQL file, run as the owner."""

from __future__ import annotations

from db.migrate import run_sql_file

revision = "0006"
down_revision = "0001"


def upgrade() -> None:
    """Run the file."""
    run_sql_file("0006_webhooks.sql")
