-- The first version updates to this one, by way of every version between: the same catalog as a fresh installation, what
-- it stored still opens, and what it recorded becomes the beginning of the ledger.
SET client_min_messages = warning;
CREATE DATABASE upgrade_fresh;
CREATE DATABASE upgrade_old;
CREATE DATABASE upgrade_sm;
\getenv lib PG_ABS_SRCDIR
\set catalog_file :lib '/sql/lib/catalog.psql'
\set serve_file :lib '/sql/lib/serve.psql'

\c upgrade_fresh
SET client_min_messages = warning;
CREATE EXTENSION pg_visage CASCADE;
\set ECHO none
\i :serve_file
\i :catalog_file
\set ECHO all
SELECT count(*) > 1000 AS compared FROM catalog;
SELECT string_agg(line, E'\n' ORDER BY line) AS fresh FROM catalog \gset
-- This library refuses the flows of earlier versions, so people are registered here and carried over; the format of
-- envelopes is frozen by tests/vectors. One in each suite.
CREATE FUNCTION face(person text) RETURNS real[] LANGUAGE sql AS $$ SELECT array_agg(hashtext(person || i)::real) FROM generate_series(1, 128) i $$;
SELECT visage.add_capture_source('old') IS NOT NULL AS shown;
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'old', 1e-5);
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at) VALUES ('old/1', 'RFR-1/1024', 1e-5, 0.5, 'made up', '2026-01-01');
SELECT decision FROM visage.register('old-1', visage.seal_probe(face('old-1'), 'old/1', source => 'old'), 'old');
SET visage.suite = 'sm4-ctr-hmac-sm3';
SELECT decision FROM visage.register('old-2', visage.seal_probe(face('old-2'), 'old/1', source => 'old'), 'old');
RESET visage.suite;
SELECT (SELECT json_agg(t) FROM visage.capture_source t) AS sources, (SELECT json_agg(t) FROM visage.subject t) AS subjects,
       (SELECT json_agg(t) FROM visage.subject_key t) AS keys, (SELECT json_agg(t) FROM visage.subject_reference t) AS refs \gset

\c upgrade_old
SET client_min_messages = warning;
CREATE EXTENSION pg_visage VERSION '0.1.0' CASCADE;
\set ECHO none
\i :serve_file
\set ECHO all
INSERT INTO visage.capture_source SELECT * FROM json_populate_recordset(NULL::visage.capture_source, :'sources');
INSERT INTO visage.subject SELECT * FROM json_populate_recordset(NULL::visage.subject, :'subjects');
INSERT INTO visage.subject_key SELECT * FROM json_populate_recordset(NULL::visage.subject_key, :'keys');
INSERT INTO visage.subject_reference SELECT * FROM json_populate_recordset(NULL::visage.subject_reference, :'refs');
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'old', 1e-5);
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at) VALUES ('old/1', 'RFR-1/1024', 1e-5, 0.5, 'made up', '2026-01-01');
CREATE FUNCTION face(person text) RETURNS real[] LANGUAGE sql AS $$ SELECT array_agg(hashtext(person || i)::real) FROM generate_series(1, 128) i $$;
-- Events as that version recorded them: by its statement, numbered with the gaps that rolled back calls leave.
CREATE FUNCTION record(operation text, external_id text, decision text, reason text, biz_id text DEFAULT NULL,
                       probe uuid DEFAULT gen_random_uuid()) RETURNS bigint LANGUAGE sql AS $$
  INSERT INTO visage.event (transaction_id, operation, institution, subject, channel, scenario, decision, reason, target_fmr, model,
                            policy_version, source, probe, reference, biz_id, elapsed_us, caller)
  VALUES (gen_random_uuid(), $1::visage.operation, 1, (SELECT id FROM visage.subject WHERE external_id = $2), 'old', 'default',
          $3::visage.decision, $4::visage.reason, 1e-5, CASE WHEN $4 <> 'EXPIRED_PROBE' THEN 'old/1' END, 2,
          (SELECT id FROM visage.capture_source WHERE name = 'old'), $6,
          CASE WHEN $1 = 'register' THEN gen_random_uuid() END, $5, 1234, current_user) RETURNING seq
$$;
SELECT record('register', 'old-1', 'accept', 'OK'), record('register', 'old-2', 'accept', 'OK', 'Überweisung 1');
BEGIN;
SELECT record('cancel', 'old-1', 'accept', 'OK');
ROLLBACK;
SELECT record('verify', 'old-1', 'reject', 'NO_MATCH');
-- Between the new library and the update no flow decides, and its caller is told what to do. What only reads still works.
SET visage.audit_timeout = '1s';
CREATE TABLE sealed_before AS SELECT visage.seal_probe(face('old-1'), 'old/1', source => 'old') AS probe;
CREATE TABLE used_before AS SELECT visage.seal_probe(face('old-1'), 'old/1', source => 'old') AS probe;
SELECT record('verify', 'old-1', 'accept', 'OK', probe => (SELECT i.id FROM used_before, visage.probe_info(probe) i));
SELECT v.decision FROM sealed_before, visage.verify('old-1', probe, 'old') v;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM visage.list_references('old-1');
SELECT event, operation, subject, decision, reason, biz_id FROM visage.history ORDER BY event;

ALTER EXTENSION pg_visage UPDATE TO '0.2.0';
-- As many as complete a subtree.
BEGIN;
SELECT record('verify', 'old-1', 'accept', 'OK');
ROLLBACK;
SELECT count(record('verify', 'old-2', 'refuse', 'EXPIRED_PROBE', 'many ' || i)) FROM generate_series(1, 300) i;
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at) VALUES ('old/1', 'RFR-1/1024', 1e-6, 0.6, 'made up', '2026-01-01');
SELECT v.decision FROM sealed_before, visage.verify('old-1', probe, 'old') v;
\echo :LAST_ERROR_SQLSTATE
RESET visage.audit_timeout;
CREATE TABLE recorded_before AS SELECT row_number() OVER (ORDER BY seq) - 1 AS seq, at, operation::text, transaction_id, caller::text, institution,
    subject, channel, scenario, decision, reason, target_fmr, model, policy_version, source, probe, reference, biz_id, elapsed_us
  FROM visage.event;
SELECT version AS version_before FROM visage.policy_version \gset

ALTER EXTENSION pg_visage UPDATE;
SELECT extversion = (SELECT default_version FROM pg_available_extensions WHERE name = 'pg_visage') AS current FROM pg_extension WHERE extname = 'pg_visage';
-- Nothing is lost and nothing added.
SELECT count(*) AS kept FROM visage.event e JOIN recorded_before b
  ON ROW(e.seq, e.at, e.operation::text, e.transaction_id, e.caller, e.institution, e.channel, e.scenario, e.decision, e.reason, e.target_fmr,
         e.policy_version, e.source, e.probe, e.elapsed_us)
   = ROW(b.seq, b.at, b.operation, b.transaction_id, b.caller, b.institution, b.channel, b.scenario, b.decision, b.reason, b.target_fmr,
         b.policy_version, b.source, b.probe, b.elapsed_us)
  AND ROW(e.subject, e.model, e.reference, e.biz_id) IS NOT DISTINCT FROM ROW(b.subject, b.model, b.reference, b.biz_id);
SELECT count(*), min(seq), max(seq) FROM visage.event;
SELECT count(*), count(*) FILTER (WHERE after ->> 'model' = 'old/1') AS own FROM visage.calibration_history;
SELECT version - :version_before AS versions FROM visage.policy_version;

-- Old references open, and the first call makes the old events the ledger's first.
SELECT decision FROM visage.verify('old-2', visage.seal_probe(face('old-2'), 'old/1', source => 'old'), 'old');
SELECT decision FROM visage.verify('old-2', visage.seal_probe(face('old-1'), 'old/1', source => 'old'), 'old');
SELECT decision, reason FROM sealed_before, visage.verify('old-1', probe, 'old');
SELECT decision, reason FROM used_before, visage.verify('old-1', probe, 'old');
SELECT event, operation, subject, decision, reason, biz_id, note FROM visage.history WHERE event < 5 OR event > 300 ORDER BY event;
SELECT * FROM visage.verify_ledger();
SELECT suite, (SELECT count(*) FROM visage.tree_node) AS nodes, (SELECT since FROM visage.tree_key) AS since FROM visage.tree;
-- An old event's leaf leads to the signed tree hash like any other's.
SELECT cardinality(visage.inclusion_proof(1, 256)) AS path, octet_length(visage.leaf(1)) > 100 AS leaf;
UPDATE visage.event SET note = 'better' WHERE seq = 1;
INSERT INTO visage.event (seq, at, operation, transaction_id, caller, leaf) VALUES (400, now(), 'verify', gen_random_uuid(), 'me', '');
-- Limits apply.
SELECT kind, subject, failures FROM visage.attempts WHERE subject = 'old-2';

\set ECHO none
\i :catalog_file
\set ECHO all
SELECT line AS only_when_fresh FROM unnest(string_to_array(:'fresh', E'\n')) line EXCEPT SELECT line FROM catalog ORDER BY 1;
SELECT line AS only_when_updated FROM catalog EXCEPT SELECT unnest(string_to_array(:'fresh', E'\n')) ORDER BY 1;

-- Under the Chinese suite the old events' leaves are SM3, and with them the tree, also when the writer has another suite.
\c upgrade_sm
SET client_min_messages = warning;
CREATE EXTENSION pg_visage VERSION '0.1.0' CASCADE;
INSERT INTO visage.event (transaction_id, operation, institution, channel, scenario, decision, reason, target_fmr, policy_version, elapsed_us, caller)
  SELECT gen_random_uuid(), 'cancel', 1, 'default', 'default', 'refuse', 'UNKNOWN_SUBJECT', 1e-5, 1, i, current_user FROM generate_series(1, 3) i;
SET visage.suite = 'sm4-ctr-hmac-sm3';
ALTER EXTENSION pg_visage UPDATE;
\set ECHO none
\i :serve_file
\set ECHO all
SELECT reason, event FROM visage.cancel('nobody');
SELECT suite FROM visage.tree;
SELECT * FROM visage.verify_ledger();

\c regression
\set ECHO none
\i :serve_file
ALTER SYSTEM RESET visage.database;
SELECT pg_reload_conf() \gset
\set ECHO all
DROP DATABASE upgrade_fresh;
DROP DATABASE upgrade_old;
DROP DATABASE upgrade_sm;
