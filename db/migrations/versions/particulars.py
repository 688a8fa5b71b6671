"""References, origins and links of entries are sealed with them."""

from __future__ import annotations

from db.migrate import run_sql_file

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Run the file."""
    run_sql_file("0019_particulars.sql")
