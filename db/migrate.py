"""Bring a database to the newest schema: `migrate(admin_url)`. Alembic keeps the order of plain SQL files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command, op
from alembic.config import Config

_FOLDER: Final = Path(__file__).parent / "migrations"


def migrate(admin_url: str) -> None:
    """Apply what is missing, as the role of `admin_url` (it needs CREATEROLE). Safe to run twice at once."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["url"] = admin_url.replace("postgresql://", "postgresql+psycopg://", 1)
    command.upgrade(config, "head")


def run_sql_file(name: str, *, as_owner: bool = True) -> None:
    """Run one file of `migrations/sql` within the migration, as the owner of all tables unless said otherwise."""
    script = (_FOLDER / "sql" / name).read_text(encoding="utf-8")
    cursor = op.get_bind().connection.cursor()
    if as_owner:
        cursor.execute("SET LOCAL ROLE counterfoil_owner")
    cursor.execute(script)
    cursor.execute("RESET ROLE")
    cursor.close()
