#!/bin/sh
# The role and the database of the switch; PostgreSQL's image runs this once, on an empty volume.
# It makes the services' own roles (lesko migrate) and is no superuser. The password goes from file to psql, never over a command line.
# One command and no `set`: where the file cannot be executed, the image reads it into its own shell.

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username postgres --dbname postgres <<'SQL'
\set password `cat /run/secrets/lesko_password`
CREATE ROLE lesko LOGIN CREATEROLE PASSWORD :'password';
CREATE DATABASE lesko OWNER lesko;
REVOKE ALL ON DATABASE lesko FROM PUBLIC;
SQL
