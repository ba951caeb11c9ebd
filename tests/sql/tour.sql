-- The README's tour, statement by statement, in a new database.
\set ECHO none
SET client_min_messages = warning;
DROP DATABASE IF EXISTS tour;
CREATE DATABASE tour;
ALTER SYSTEM SET visage.database = 'tour';
SELECT pg_reload_conf() \gset
\c tour
SET client_min_messages = warning;
\getenv tour_file PG_ABS_SRCDIR
\set tour_file :tour_file '/sql/readme_tour.psql'
\set ECHO queries
\i :tour_file
\set ECHO none
ALTER SYSTEM RESET visage.database;
SELECT pg_reload_conf() \gset
