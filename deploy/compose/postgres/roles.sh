#!/usr/bin/env bash
# Run once, by the image, while the database is made: the users and their database. The passwords stand in the addresses that
# the engines and the backups are given, and are read by psql itself, so that no command line shows them.
set -euo pipefail

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username=postgres --dbname=postgres <<'SQL'
\set engine `sed 's|^postgresql://[^:]*:\([^@]*\)@.*|\1|' "${SECRETS:-/run/secrets}/database-url"`
\set backup `sed 's|^postgresql://[^:]*:\([^@]*\)@.*|\1|' "${SECRETS:-/run/secrets}/backup-url"`
CREATE ROLE autopr LOGIN PASSWORD :'engine';
CREATE ROLE autopr_backup LOGIN REPLICATION PASSWORD :'backup' IN ROLE pg_read_all_data;
CREATE DATABASE autopr OWNER autopr;
SQL
