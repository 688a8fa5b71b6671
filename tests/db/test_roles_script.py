"""The roles that a server is set up with are those that the migrations leave."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg

from ops.embedded.unprivileged import BINARIES, installation

if TYPE_CHECKING:
    from tests.conftest import Connection, Database

SCRIPT = Path(__file__).parents[2] / "deploy" / "postgres" / "roles.sh"
OURS, MADE = "counterfoil", "clerk"
"""Roles belong to the whole server: here the script makes the same ones under another name."""
PASSWORDS = {"app": "app's: 'quoted'", "read": "$(read)"}
ATTRIBUTES = """
SELECT replace(rolname, $1::text, '') AS name, rolcanlogin, rolbypassrls, rolsuper, rolcreaterole, rolcreatedb,
    rolreplication, rolinherit
FROM pg_roles WHERE rolname = any(ARRAY[$1 || '_app', $1 || '_read', $1 || '_tenant']) ORDER BY 1
"""


async def test_the_script_makes_the_roles_that_the_migrations_would_make(
    database: Database, admin: Connection, tmp_path: Path
) -> None:
    script = tmp_path / SCRIPT.name
    script.write_text(SCRIPT.read_text().replace(f"{OURS}_", f"{MADE}_"))
    server = urlsplit(database.admin_url)
    environment = {
        "PATH": f"{installation() / BINARIES}:/usr/bin:/bin",
        "PGHOST": str(server.hostname),
        "PGPORT": str(server.port),
        "PGPASSWORD": str(server.password),
        "POSTGRES_USER": str(server.username),
        "POSTGRES_DB": database.name,
        **{f"COUNTERFOIL_{name.upper()}_PASSWORD": password for name, password in PASSWORDS.items()},
    }
    try:
        subprocess.run(["bash", script], env=environment, check=True)  # noqa: ASYNC221 - one short script
        made = await admin.fetch(ATTRIBUTES, MADE)
        assert made == await admin.fetch(ATTRIBUTES, OURS)
        assert len(made) == len(PASSWORDS) + 1
        for name, password in PASSWORDS.items():
            session = await asyncpg.connect(database.admin_url, user=f"{MADE}_{name}", password=password)
            await session.close()
    finally:
        for role in ("app", "read", "tenant"):
            await admin.execute(f"DROP ROLE IF EXISTS {MADE}_{role}")
