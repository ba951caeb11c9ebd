-- What is stored belongs together, and every kind of fault is found and named. [6.5c] [8.2.4e] [8.2.4f]
SET client_min_messages = warning;
CREATE DATABASE integrity;
\getenv lib PG_ABS_SRCDIR
\set serve_file :lib '/sql/lib/serve.psql'
\c integrity
SET client_min_messages = warning;
SET timezone = 'Asia/Shanghai';
CREATE EXTENSION pg_visage CASCADE;
\set ECHO none
\i :serve_file
\set ECHO all
CREATE FUNCTION face(person text, i int) RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe((SELECT array_agg((hashtext(person || n) + 0.3 * hashtext(person || n || i))::real) FROM generate_series(1, 128) n), 'i/1', 0.9, 'i') $$;
-- Faults as texts that are the same in every run.
CREATE FUNCTION faults() RETURNS TABLE (part text, object text, fault text) LANGUAGE sql AS $$
  SELECT part, regexp_replace(object, '[0-9a-f]{8}-[0-9a-f-]+', (SELECT coalesce(min(s.external_id), '…') FROM visage.subject s WHERE object LIKE '%' || s.id
    OR s.id = (SELECT r.subject FROM visage.subject_reference r WHERE object LIKE '%' || r.id)
    OR s.id = (SELECT f.subject FROM visage.factor f WHERE object LIKE '%' || f.id))), fault FROM visage.integrity() $$;
SELECT * FROM visage.integrity();
SELECT visage.add_capture_source('i') IS NOT NULL AS shown;
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'i', 1e-5);
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at) SELECT 'i/1', 'RFR-1/1024', fmr, 0.5, 'made up', '2026-01-01' FROM unnest(ARRAY[1e-5, 4e-6]) fmr;
SELECT p, (visage.register(p, face(p, 1), 'i')).decision FROM unnest(ARRAY['i-1', 'i-2', 'i-3', 'i-4']) p;
SELECT (visage.add_reference('i-1', face('i-1', 2), 'i')).decision, (visage.verify('i-1', face('i-1', 3), 'i')).decision;
SELECT (visage.cancel('i-4', 'i')).decision;
BEGIN;
SELECT (visage.register('i-5', face('i-5', 1), 'i')).decision;
ROLLBACK;
INSERT INTO visage.consent_rule (institution, required) VALUES (1, false);
INSERT INTO visage.entitlement (institution, basis, valid_from) VALUES (1, 'licence', '2026-01-01 12:00');
INSERT INTO visage.retention (institution, since, keep) VALUES (1, 'last_use', '3 years 2 months');
UPDATE visage.channel SET description = 'i' WHERE name = 'i';
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at) VALUES ('i/1', 'plain', 1e-5, 0.5, 'made up', '2026-01-01');
BEGIN;
UPDATE visage.channel SET description = 'taken back' WHERE name = 'i';
ROLLBACK;
DELETE FROM visage.entitlement;
DO $$
BEGIN
  WHILE EXISTS (SELECT FROM visage.history WHERE settled = 'open') LOOP PERFORM pg_sleep(0.02); COMMIT; END LOOP;
END
$$;
-- All is well, in whatever session.
SELECT * FROM visage.integrity();
SET timezone = 'UTC';
SET intervalstyle = 'iso_8601';
SET extra_float_digits = 0;
SELECT * FROM visage.integrity();

-- Each fault is made, found, and taken back. A reference that is another one, of the same person even:
BEGIN;
UPDATE visage.subject_reference r SET reference = (SELECT o.reference FROM visage.subject_reference o WHERE o.subject = r.subject AND o.id <> r.id)
  WHERE r.ctid = (SELECT min(r.ctid) FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.external_id = 'i-1');
SELECT * FROM faults();
ROLLBACK;
-- one that opens, and that nobody registered;
BEGIN;
SET LOCAL session_replication_role = replica;
CREATE TEMP TABLE other AS SELECT gen_random_uuid() AS id;
UPDATE visage.subject_reference r SET id = other.id FROM other WHERE r.subject = (SELECT id FROM visage.subject WHERE external_id = 'i-2');
SELECT * FROM faults();
ROLLBACK;
-- a key that was changed, one that is another subject's, none;
BEGIN;
UPDATE visage.subject_key SET wrapped = set_byte(wrapped, 60, get_byte(wrapped, 60) # 1) WHERE subject = (SELECT id FROM visage.subject WHERE external_id = 'i-2');
SELECT * FROM faults();
ROLLBACK;
BEGIN;
UPDATE visage.subject_key k SET wrapped = (SELECT o.wrapped FROM visage.subject_key o JOIN visage.subject s ON s.id = o.subject WHERE s.external_id = 'i-3')
  WHERE k.subject = (SELECT id FROM visage.subject WHERE external_id = 'i-2');
SELECT * FROM faults();
ROLLBACK;
BEGIN;
DELETE FROM visage.subject_key k WHERE k.subject = (SELECT id FROM visage.subject WHERE external_id = 'i-2');
SELECT * FROM faults();
ROLLBACK;
-- a subject without references, one that is missing, one that was cancelled and is there;
BEGIN;
DELETE FROM visage.subject_reference k WHERE k.subject = (SELECT id FROM visage.subject WHERE external_id = 'i-2');
SELECT * FROM faults();
ROLLBACK;
BEGIN;
DELETE FROM visage.subject WHERE external_id = 'i-3';
SELECT * FROM faults();
ROLLBACK;
BEGIN;
INSERT INTO visage.subject (id, institution, external_id) SELECT e.subject, 1, 'i-back' FROM visage.event e WHERE e.operation = 'cancel';
SELECT * FROM faults();
ROLLBACK;
-- policy that was changed past its triggers, deleted, put back, or set back;
BEGIN;
SET LOCAL session_replication_role = replica;
ALTER TABLE visage.channel DISABLE TRIGGER audit_change;
UPDATE visage.channel SET target_fmr = 0.5 WHERE name = 'i';
ALTER TABLE visage.calibration DISABLE TRIGGER audit_change;
DELETE FROM visage.calibration WHERE model = 'i/1' AND scheme = 'plain';
ALTER TABLE visage.entitlement DISABLE TRIGGER audit_change;
INSERT INTO visage.entitlement (institution, basis) VALUES (1, 'licence');
UPDATE visage.policy_version SET version = 1;
SELECT part, regexp_replace(object, '[0-9]+$', 'N'), regexp_replace(fault, '[0-9]+$', 'N') AS fault FROM visage.integrity();
ROLLBACK;
-- the ledger;
BEGIN;
ALTER TABLE visage.event DISABLE TRIGGER append_only;
UPDATE visage.event SET decision = 'reject' WHERE operation = 'verify';
SELECT part, regexp_replace(object, '[0-9]+', 'N') AS object, regexp_replace(fault, ':.*', '') AS fault FROM visage.integrity() ORDER BY 1, 2, 3 LIMIT 3;
ROLLBACK;
-- Factors: altered, exchanged, moved, forged, set back, gone.
INSERT INTO visage.notice (institution, name, purposes, manner, scope, storage, text) VALUES (1, 'i', '{login,pay}', 'm', 's', 't', 'text');
SELECT (visage.enrol_factor(p, 'password', 'correct horse battery', 'i')).decision FROM unnest(ARRAY['i-1', 'i-2']) p;
SELECT (visage.enrol_factor('i-1', 'totp', 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 'i')).decision;
CREATE TEMP TABLE first_factor AS SELECT * FROM visage.factor WHERE kind = 'password';
SELECT (visage.replace_factor('i-1', 'password', 'another horse battery', 'i')).decision;
SELECT (visage.remove_factor('i-1', 'totp', 'i')).decision, (visage.enrol_factor('i-3', 'password', 'correct horse battery', 'i')).decision;
SELECT purpose FROM visage.give_consent('i-1', 'i', (SELECT digest FROM visage.notice), '{login,pay}', false) ORDER BY 1;
SELECT purpose FROM visage.give_consent('i-new', 'i', (SELECT digest FROM visage.notice), '{login}', false);
SELECT visage.withdraw_consent('i-1', '{pay}');
CREATE TEMP TABLE opened AS SELECT s.session, n AS subject FROM unnest(ARRAY['i-1', 'i-new']) n, visage.open_session(n, 'verify', CASE WHEN n <> '' THEN 'default' END, 'i') s;
DO $$
BEGIN
  WHILE EXISTS (SELECT FROM visage.history WHERE settled = 'open') LOOP PERFORM pg_sleep(0.02); COMMIT; END LOOP;
END
$$;
SELECT * FROM visage.integrity();
BEGIN;
UPDATE visage.factor SET sealed = set_byte(sealed, length(sealed) - 1, get_byte(sealed, length(sealed) - 1) # 1) WHERE subject = (SELECT id FROM visage.subject WHERE external_id = 'i-2');
SELECT * FROM faults();
ROLLBACK;
BEGIN;
UPDATE visage.factor SET kind = 'totp' WHERE subject = (SELECT id FROM visage.subject WHERE external_id = 'i-2');
SELECT * FROM faults() ORDER BY 3;
ROLLBACK;
BEGIN;
DELETE FROM visage.factor WHERE subject = (SELECT id FROM visage.subject WHERE external_id = 'i-1');
INSERT INTO visage.factor SELECT * FROM first_factor f WHERE f.subject = (SELECT id FROM visage.subject WHERE external_id = 'i-1');
SELECT * FROM faults();
ROLLBACK;
BEGIN;
DELETE FROM visage.factor WHERE subject = (SELECT id FROM visage.subject WHERE external_id = 'i-3');
SELECT * FROM faults();
ROLLBACK;
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE visage.factor SET subject = '00000000-0000-4000-8000-000000000000' WHERE subject = (SELECT id FROM visage.subject WHERE external_id = 'i-3');
SELECT * FROM faults() ORDER BY 3;
ROLLBACK;
BEGIN;
UPDATE visage.factor SET sealed = set_byte(sealed, length(sealed) - 1, get_byte(sealed, length(sealed) - 1) # 1);
SELECT * FROM faults();
ROLLBACK;
-- Consents: to something else, of somebody else, never given, set back, gone.
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE visage.consent SET purpose = 'pay' WHERE subject = 'i-new';
SELECT * FROM faults();
UPDATE visage.consent SET purpose = 'travel' WHERE subject = 'i-new';
SELECT * FROM faults();
ROLLBACK;
BEGIN;
UPDATE visage.consent SET subject = 'i-2' WHERE subject = 'i-1' AND purpose = 'login';
SELECT * FROM faults();
UPDATE visage.consent SET subject = 'i-nobody' WHERE subject = 'i-2' AND purpose = 'login';
SELECT * FROM faults();
ROLLBACK;
BEGIN;
INSERT INTO visage.consent (institution, subject, purpose, notice, digest, channel, under_14) SELECT 1, 'i-2', 'login', n.id, n.digest, 'i', false FROM visage.notice n;
SELECT * FROM faults();
ROLLBACK;
BEGIN;
UPDATE visage.consent SET ended_at = NULL, ended_by = NULL WHERE purpose = 'pay';
SELECT * FROM faults();
ROLLBACK;
BEGIN;
DELETE FROM visage.consent WHERE subject = 'i-1';
SELECT * FROM faults();
ROLLBACK;
BEGIN;
SET LOCAL session_replication_role = replica;
UPDATE visage.consent SET institution = 7 WHERE subject = 'i-new';
SELECT * FROM faults();
ROLLBACK;
-- Sessions: never opened, about somebody else, for something else, of nobody, kept too long.
BEGIN;
UPDATE visage.session s SET id = gen_random_uuid() FROM opened o WHERE o.session = s.id AND o.subject = 'i-new';
SELECT * FROM faults();
ROLLBACK;
BEGIN;
UPDATE visage.session s SET subject = (SELECT id FROM visage.subject WHERE external_id = 'i-2') FROM opened o WHERE o.session = s.id AND o.subject = 'i-1';
SELECT * FROM faults();
ROLLBACK;
BEGIN;
UPDATE visage.session s SET purpose = 'cancel' FROM opened o WHERE o.session = s.id AND o.subject = 'i-1';
SELECT * FROM faults();
ROLLBACK;
BEGIN;
UPDATE visage.session s SET institution = 7 FROM opened o WHERE o.session = s.id AND o.subject = 'i-1';
SELECT * FROM faults();
ROLLBACK;
BEGIN;
UPDATE visage.session s SET opened_at = now() - interval '3 days', expires_at = now() - interval '25 hours' FROM opened o WHERE o.session = s.id AND o.subject = 'i-1';
SELECT * FROM faults();
UPDATE visage.session s SET opened_at = now() - interval '26 hours' WHERE opened_at < now() - interval '2 days';
SELECT * FROM faults();
UPDATE visage.session s SET expires_at = now() - interval '23 hours' WHERE opened_at < now() - interval '25 hours';
SELECT * FROM faults();
ROLLBACK;
BEGIN;
SET LOCAL session_replication_role = replica;
DELETE FROM visage.subject WHERE external_id = 'i-1';
SELECT part, regexp_replace(object, ' .*', '') AS object, fault FROM visage.integrity() WHERE part IN ('factors', 'consents', 'sessions');
ROLLBACK;
SELECT (visage.remove_factor(p, 'password', 'i')).decision FROM unnest(ARRAY['i-1', 'i-2', 'i-3']) p;
-- keys that are not loaded: said once, not for every row.
BEGIN;
UPDATE visage.subject_reference SET key_version = 7, transform_version = 9;
UPDATE visage.subject_key SET key_version = 7;
SELECT * FROM visage.integrity();
ROLLBACK;
-- One whole root that is another one looks like this.
BEGIN;
UPDATE visage.subject_key SET wrapped = set_byte(wrapped, 60, get_byte(wrapped, 60) # 1);
SELECT * FROM faults();
ROLLBACK;
SELECT * FROM visage.integrity();

-- After a restore: who is on the list of erasures, or was cancelled by a ledger that is newer, goes again. [8.2.5g]
CREATE TEMP TABLE kept AS SELECT * FROM visage.subject;
CREATE TEMP TABLE kept_keys AS SELECT * FROM visage.subject_key;
CREATE TEMP TABLE kept_references AS SELECT * FROM visage.subject_reference;
SELECT (visage.cancel('i-3', 'i')).decision, (visage.drop_reference('i-1', (SELECT min(reference::text)::uuid FROM visage.list_references('i-1')), 'i')).decision;
INSERT INTO visage.subject SELECT * FROM kept ON CONFLICT DO NOTHING;
INSERT INTO visage.subject_key SELECT * FROM kept_keys ON CONFLICT DO NOTHING;
INSERT INTO visage.subject_reference SELECT * FROM kept_references ON CONFLICT DO NOTHING;
SELECT external_id, count(*) FROM visage.subject s JOIN visage.subject_reference r ON r.subject = s.id GROUP BY 1 ORDER BY 1;
SELECT * FROM visage.after_restore();
SELECT external_id, count(*) FROM visage.subject s JOIN visage.subject_reference r ON r.subject = s.id GROUP BY 1 ORDER BY 1;
SELECT * FROM visage.after_restore();
SELECT operation, split_part(object, ' ', 1) AS object, note FROM visage.history WHERE operation IN ('erase', 'restore') ORDER BY event;
DO $$
BEGIN
  WHILE EXISTS (SELECT FROM visage.history WHERE settled = 'open') LOOP PERFORM pg_sleep(0.02); COMMIT; END LOOP;
END
$$;
-- Without a list the ledger tells of subjects. A list that cannot be read stops it, where it could matter.
DELETE FROM visage.erasure;
INSERT INTO visage.subject SELECT * FROM kept ON CONFLICT DO NOTHING;
SELECT * FROM visage.after_restore();
INSERT INTO visage.erasure (kind, institution, key_version, hash) VALUES ('subject', 1, 5, substr(sha256('x'), 1, 16));
SELECT * FROM visage.after_restore();
BEGIN;
UPDATE visage.subject_key SET key_version = 6;
SELECT * FROM visage.after_restore();
ROLLBACK;
DELETE FROM visage.erasure WHERE key_version = 5;
DO $$
BEGIN
  WHILE EXISTS (SELECT FROM visage.history WHERE settled = 'open') LOOP PERFORM pg_sleep(0.02); COMMIT; END LOOP;
END
$$;
SELECT * FROM visage.integrity();
-- A factor that was replaced or removed after the backup is not good again.
BEGIN;
INSERT INTO visage.factor (id, subject, kind, sealed, key_version) SELECT md5(k)::uuid, s.id, k::visage.factor_kind, '\x00', 1
  FROM visage.subject s, unnest(ARRAY['password', 'totp', 'certificate']) k WHERE s.external_id = 'i-1';
CREATE TEMP TABLE kept_factors AS SELECT * FROM visage.factor;
UPDATE visage.factor SET id = gen_random_uuid() WHERE kind = 'password';
DELETE FROM visage.factor WHERE kind = 'totp';
DELETE FROM visage.factor WHERE kind = 'password';
INSERT INTO visage.factor SELECT * FROM kept_factors ON CONFLICT DO NOTHING;
SELECT * FROM visage.after_restore();
SELECT kind FROM visage.factor;
ROLLBACK;
-- Who has only references that were replaced after the backup is erased: nothing could be done with such a subject.
BEGIN;
SELECT (visage.add_reference('i-2', face('i-2', 2), 'i')).decision;
SELECT (visage.drop_reference('i-2', (SELECT reference FROM visage.list_references('i-2') ORDER BY created_at LIMIT 1), 'i')).decision;
DELETE FROM visage.subject_reference WHERE subject = (SELECT id FROM visage.subject WHERE external_id = 'i-2');
INSERT INTO visage.subject_reference SELECT r.* FROM kept_references r JOIN kept s ON s.id = r.subject WHERE s.external_id = 'i-2';
SELECT * FROM visage.after_restore();
SELECT count(*) FROM visage.subject WHERE external_id = 'i-2';
ROLLBACK;
-- Where no list was kept, an archive of the ledger tells of subjects. Its leaves can be read.
SELECT count(*) > 20 AS leaves, count(*) FILTER (WHERE (l.event, l.operation, l.institution, l.subject, l.decision, l.settles, l.object, l.note)
  IS DISTINCT FROM (e.seq, e.operation::text, e.institution, e.subject, e.decision::text, e.settles, e.object, e.note)) AS misread
FROM visage.event e, visage.read_leaf(visage.leaf(e.seq)) l;
DELETE FROM visage.erasure;
BEGIN;
SELECT (visage.cancel('i-2', 'i')).decision;
ROLLBACK;
DO $$
BEGIN
  WHILE EXISTS (SELECT FROM visage.history WHERE settled = 'open') LOOP PERFORM pg_sleep(0.02); COMMIT; END LOOP;
END
$$;
SELECT visage.list_archived_erasures(array_agg(visage.leaf(e.seq) ORDER BY e.seq)) FROM visage.event e;
SELECT count(*) AS right FROM visage.erasure x WHERE x.hash IN (
  SELECT visage.erasure_hash(1, e.subject, x.key_version) FROM visage.event e WHERE e.operation = 'cancel' AND NOT EXISTS (SELECT FROM visage.subject s WHERE s.id = e.subject));
SELECT visage.list_archived_erasures(array_agg(visage.leaf(e.seq) ORDER BY e.seq)) FROM visage.event e;
SELECT visage.read_leaf('\x02');
\c regression
SET client_min_messages = warning;
\set ECHO none
\i :serve_file
\set ECHO all
DROP DATABASE integrity;
