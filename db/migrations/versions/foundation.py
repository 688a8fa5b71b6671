"""Foundation: intake, ledger, payments, delivery. Each step is a plain SQL file, run as the owner."""

from __future__ import annotations

from db.migrate import run_sql_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the files in order."""
    run_sql_file("0001_roles.sql", as_owner=False)
    for name in ("0002_intake.sql", "0003_ledger.sql", "0004_payments.sql", "0005_delivery.sql"):
        run_sql_file(name)
