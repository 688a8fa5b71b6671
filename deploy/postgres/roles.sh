#!/usr/bin/env bash
# The roles that the migrations grant rights to, made when the data folder is made. Passwords come from the environment.
set -euo pipefail

psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 --no-psqlrc --quiet \
    --set app_password="$COUNTERFOIL_APP_PASSWORD" --set read_password="$COUNTERFOIL_READ_PASSWORD" <<'SQL'
CREATE ROLE counterfoil_app LOGIN PASSWORD :'app_password';
CREATE ROLE counterfoil_read LOGIN PASSWORD :'read_password';
SQL
