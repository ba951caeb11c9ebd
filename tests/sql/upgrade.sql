-- The first version updates to this one: the same catalog as a fresh installation, and what it stored still opens.
SET client_min_messages = warning;
CREATE DATABASE upgrade_fresh;
CREATE DATABASE upgrade_old;
\getenv catalog_file PG_ABS_SRCDIR
\set catalog_file :catalog_file '/sql/lib/catalog.psql'

\c upgrade_fresh
SET client_min_messages = warning;
CREATE EXTENSION pg_visage CASCADE;
\set ECHO none
\i :catalog_file
\set ECHO all
SELECT count(*) > 250 AS compared FROM catalog;
SELECT string_agg(line, E'\n' ORDER BY line) AS fresh FROM catalog \gset

\c upgrade_old
SET client_min_messages = warning;
CREATE EXTENSION pg_visage VERSION '0.1.0' CASCADE;
-- A person registered under the first version, in both suites.
SELECT visage.add_capture_source('old') IS NOT NULL AS shown;
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'old', 1e-5);
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at) VALUES ('old/1', 'RFR-1/1024', 1e-5, 0.5, 'made up', '2026-01-01');
CREATE FUNCTION face(person text) RETURNS real[] LANGUAGE sql AS $$ SELECT array_agg(hashtext(person || i)::real) FROM generate_series(1, 128) i $$;
SELECT decision FROM visage.register('old-1', visage.seal_probe(face('old-1'), 'old/1', source => 'old'), 'old');
SET visage.suite = 'sm4-ctr-hmac-sm3';
SELECT decision FROM visage.register('old-2', visage.seal_probe(face('old-2'), 'old/1', source => 'old'), 'old');
RESET visage.suite;
CREATE TABLE sealed_before AS SELECT visage.seal_probe(face('old-1'), 'old/1', source => 'old') AS probe;

ALTER EXTENSION pg_visage UPDATE;
SELECT extversion = (SELECT default_version FROM pg_available_extensions WHERE name = 'pg_visage') AS current FROM pg_extension WHERE extname = 'pg_visage';
SELECT v.decision FROM sealed_before, visage.verify('old-1', probe, 'old') v;
SELECT decision FROM visage.verify('old-2', visage.seal_probe(face('old-2'), 'old/1', source => 'old'), 'old');
SELECT decision FROM visage.verify('old-2', visage.seal_probe(face('old-1'), 'old/1', source => 'old'), 'old');
SELECT operation, decision FROM visage.history ORDER BY event;

\set ECHO none
\i :catalog_file
\set ECHO all
SELECT line AS only_when_fresh FROM unnest(string_to_array(:'fresh', E'\n')) line EXCEPT SELECT line FROM catalog ORDER BY 1;
SELECT line AS only_when_updated FROM catalog EXCEPT SELECT unnest(string_to_array(:'fresh', E'\n')) ORDER BY 1;
\c regression
DROP DATABASE upgrade_fresh;
DROP DATABASE upgrade_old;
