"""Manual journals, reversals and their links; wallets with limits, and holds."""

from __future__ import annotations

from db.migrate import run_sql_file

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Run the file. It uses what periods brought, and so comes after them."""
    run_sql_file("0012_accounts.sql")
