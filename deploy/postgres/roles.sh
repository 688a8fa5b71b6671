#!/usr/bin/env bash
# The roles that the migrations grant rights to, made when the data folder is made. Passwords come from the environment.
# With them in place the migrating role need not be one that may give BYPASSRLS (docs/adr/0023-row-level-security.md).
set -euo pipefail

psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 --no-psqlrc --quiet \
    --set app_password="$COUNTERFOIL_APP_PASSWORD" --set read_password="$COUNTERFOIL_READ_PASSWORD" <<'SQL'
CREATE ROLE counterfoil_app LOGIN BYPASSRLS PASSWORD :'app_password';
CREATE ROLE counterfoil_read LOGIN PASSWORD :'read_password';
CREATE ROLE counterfoil_tenant NOLOGIN;
SQL
