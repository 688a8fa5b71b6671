"""Alembic's entry: one connection and one transaction, under a lock so that two starters do not race."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, pool, text

LOCK_KEY = 7_305_241
"""Advisory lock of migrations."""

engine = create_engine(context.config.attributes["url"], poolclass=pool.NullPool)
with engine.connect() as connection:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()
