"""Row-level security: roles that read one tenant alone."""

from __future__ import annotations

from db.migrate import run_sql_file

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Run the files; the role needs more than the owner may."""
    run_sql_file("0013_tenant_role.sql", as_owner=False)
    run_sql_file("0013_tenants.sql")
