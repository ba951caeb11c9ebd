-- Identification, one to many: whose face is it? [6.6f]
-- An institution of its own, so that other tests' people are not among the compared.
\set ECHO none
CREATE FUNCTION pg_temp.probe(person text, sample int, liveness real DEFAULT 0.9, nonce bytea DEFAULT NULL) RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe(fixture.feature($1, $2), 'test/1', $3, 'identify', '{"ImageWidth": 640}', session_nonce => $4) $$;
CREATE FUNCTION pg_temp.register(name text, person text DEFAULT NULL, sample int DEFAULT 1) RETURNS text LANGUAGE sql AS $$
  SELECT fixture.verdict(visage.register($1, pg_temp.probe(coalesce($2, $1), $3))) $$;
-- What a caller is told.
CREATE FUNCTION pg_temp.find(person text, sample int, most int DEFAULT 1, channel text DEFAULT 'default', context jsonb DEFAULT '{}')
  RETURNS TABLE (rank int, subject text, verdict text) LANGUAGE sql AS $$
  SELECT i.rank, i.subject, i.decision || ' ' || i.reason FROM visage.identify(pg_temp.probe($1, $2), $3, $4, 'default', $5) i $$;
\set ECHO all
\pset null '-'
\set SHOW_CONTEXT never
CREATE ROLE identify_search LOGIN IN ROLE visage_search;
CREATE ROLE identify_service LOGIN IN ROLE visage_service, visage_capture;
CREATE ROLE identify_others LOGIN IN ROLE visage_admin, visage_auditor, visage_calibrator;
SELECT visage.grant_institution('identify', r::regrole) FROM unnest(ARRAY['identify_search', 'identify_service', 'identify_others', current_user]) r;
SELECT id AS place FROM visage.institution WHERE name = 'identify' \gset
INSERT INTO visage.channel (institution, name, liveness_floor, session_required) VALUES (:place, 'default', NULL, false), (:place, 'floors', 0.5, false), (:place, 'session', NULL, true);
INSERT INTO visage.channel_floor (institution, channel, measure, minimum) VALUES (:place, 'floors', 'ImageHeight', 480);
INSERT INTO visage.scenario (institution, name) VALUES (:place, 'default'), (:place, 'login');
INSERT INTO visage.attempt_limit (institution, kind, with_liveness, period_failures, period) SELECT :place, 'device', l, 3, '10 minutes' FROM unnest(ARRAY[true, false]) l;
SET visage.institution = 'identify';
SELECT visage.add_capture_source('identify') IS NOT NULL AS shown;
CREATE TEMP VIEW events AS
  SELECT h.event, h.operation, h.subject, h.decision, h.reason, h.target_fmr, regexp_replace(h.object, '[0-9a-f]{8}-[0-9a-f-]{27}', '…', 'g') AS object, regexp_replace(h.note, '[0-9a-f]{8}-[0-9a-f-]{27}', '…', 'g') AS note
  FROM visage.history h WHERE h.institution = 'identify' AND h.operation IN ('identify', 'find_candidate') ORDER BY h.event;

-- Nobody may be searched for where policy does not say so.
SELECT * FROM pg_temp.find('i-ann', 1);
INSERT INTO visage.identify_policy (institution, max_candidates) VALUES (:place, 3);
INSERT INTO visage.identify_policy (institution, scenario, enabled) VALUES (:place, 'login', false);
SELECT * FROM visage.identify(pg_temp.probe('i-ann', 1), 1, 'default', 'login');
SELECT * FROM pg_temp.find('i-ann', 1, 4);
SELECT * FROM pg_temp.find('i-ann', 1, 0);
SELECT * FROM pg_temp.find('i-ann', 1, 6);
SELECT * FROM visage.identify(NULL);
SELECT * FROM events;

-- Where there is nobody, nobody is found.
SELECT * FROM pg_temp.find('i-ann', 2);
-- Policy that is emptied as a whole applies at once too.
BEGIN;
TRUNCATE visage.identify_policy;
SELECT * FROM pg_temp.find('i-ann', 3);
ROLLBACK;
SELECT rank, verdict FROM pg_temp.find('i-ann', 4);
SELECT pg_temp.register('i-ann'), pg_temp.register('i-bob'), pg_temp.register('i-cat'), pg_temp.register('i-dan');
CREATE TEMP TABLE told AS SELECT i.* FROM visage.identify(pg_temp.probe('i-cat', 2)) i;
SELECT i.rank, i.subject, i.decision, i.reason, i.fpir, i.model, i.retry_after, h.transaction_id = i.transaction_id AS recorded
  FROM told i JOIN visage.history h ON h.event = i.event;
SELECT i.rank, i.subject, i.decision, i.reason, i.fpir, i.model, i.retry_after FROM visage.identify(pg_temp.probe('i-nobody', 1), 3) i;
-- Recorded as a verification is, under who was found; each of n comparisons kept an n-th of the FPIR.
SELECT operation, subject, decision, reason, target_fmr = 0.01 / 4 AS share, object FROM events WHERE object !~ '^0 ';

-- A probe is used once, whatever becomes of the caller's transaction, and so is the record.
CREATE TEMP TABLE ready AS SELECT pg_temp.probe('i-bob', 2) AS probe;
BEGIN;
SELECT i.subject FROM ready, visage.identify(probe) i;
ROLLBACK;
SELECT i.rank, i.subject, i.decision, i.reason FROM ready, visage.identify(probe) i;
SELECT decision, reason, object FROM events ORDER BY event DESC LIMIT 2;

-- Several who look alike: as many as are asked for, the most alike first; the others are counted for the record alone.
SELECT pg_temp.register('i-twin', 'i-ann', 9), pg_temp.register('i-triplet', 'i-ann', 8), pg_temp.register('i-fourth', 'i-ann', 7);
SELECT rank, subject ~ '^i-(ann|twin|triplet|fourth)$' AS one_of_them, verdict FROM pg_temp.find('i-ann', 3, 3);
SELECT e.operation, regexp_replace(e.subject, '.*', 'one of them') AS subject, e.object, e.note FROM events e WHERE event >= (SELECT max(event) FROM events WHERE operation = 'identify');
-- Each one's own history tells it.
SELECT count(DISTINCT h.subject) AS told FROM unnest(ARRAY['i-ann', 'i-twin', 'i-triplet', 'i-fourth']) s, visage.history_of(s) h WHERE h.operation IN ('identify', 'find_candidate');
SELECT rank, verdict FROM pg_temp.find('i-ann', 4);
SELECT fixture.verdict(visage.cancel(s)) FROM unnest(ARRAY['i-twin', 'i-triplet', 'i-fourth']) s;

-- One biz_id, one call: the same answer without a second record, of those who are still there.
CREATE TEMP TABLE sent AS SELECT pg_temp.probe('i-bob', 3) AS probe;
SELECT i.rank, i.subject, i.decision, i.reason, i.event AS first FROM sent, visage.identify(probe, 2, context => '{"biz_id": "i-1"}') i \gset first_
SELECT i.rank, i.subject, i.decision, i.reason, i.event = :first_first AS same, i.model FROM sent, visage.identify(probe, 2, context => '{"biz_id": "i-1"}') i;
SELECT count(*) FROM events WHERE event >= :first_first;
\set VERBOSITY terse
SELECT i.rank FROM sent, visage.identify(probe, 3, context => '{"biz_id": "i-1"}') i;
\set VERBOSITY default
BEGIN;
SELECT fixture.verdict(visage.cancel('i-bob'));
SELECT i.rank, i.subject, i.decision, i.reason FROM sent, visage.identify(probe, 2, context => '{"biz_id": "i-1"}') i;
ROLLBACK;
-- Nor is somebody shown whose references were withdrawn. [5.3.4]
BEGIN;
SELECT visage.revoke('i-bob', 'lost card');
SELECT i.rank, i.subject, i.decision, i.reason FROM sent, visage.identify(probe, 2, context => '{"biz_id": "i-1"}') i;
SELECT * FROM pg_temp.find('i-bob', 6);
ROLLBACK;

-- Who was cancelled is not found, nor whose reference has expired. [5.3.3] [5.3.4]
SELECT * FROM pg_temp.find('i-dan', 4);
SELECT fixture.verdict(visage.cancel('i-dan'));
SELECT * FROM pg_temp.find('i-dan', 5);
UPDATE visage.subject_reference r SET created_at = created_at - interval '2 years' FROM visage.subject s WHERE s.id = r.subject AND s.external_id = 'i-cat';
SELECT * FROM pg_temp.find('i-cat', 5);
INSERT INTO visage.reference_lifetime (institution, expire_after) VALUES (:place, '1 year');
SELECT * FROM pg_temp.find('i-cat', 6);
SELECT object FROM events ORDER BY event DESC LIMIT 1;
DELETE FROM visage.reference_lifetime WHERE institution = :place;
SELECT * FROM pg_temp.find('i-cat', 7);

-- Nobody is shown for a purpose without a consent to it, and a withdrawal counts at once. [8.2.2a]
INSERT INTO visage.notice (institution, name, purposes, manner, scope, storage, text) VALUES (:place, 'search', ARRAY['default'], '', '', '', 'may we?');
SELECT * FROM pg_temp.find('i-ann', 10);
SELECT c.purpose FROM visage.notice n, visage.give_consent('i-ann', n.name, n.digest, n.purposes, false) c WHERE n.institution = :place;
SELECT * FROM pg_temp.find('i-ann', 11);
SELECT * FROM pg_temp.find('i-bob', 11);
SELECT visage.withdraw_consent('i-ann') AS withdrawn;
SELECT * FROM pg_temp.find('i-ann', 12);
INSERT INTO visage.consent_rule (institution, required) VALUES (:place, false);

-- Where calibration has no threshold for so many, nobody is compared at a laxer one. [6.3b] [6.3e]
UPDATE visage.identify_policy SET fpir = 1e-7 WHERE institution = :place AND scenario = '*';
SELECT * FROM pg_temp.find('i-ann', 20);
UPDATE visage.identify_policy SET fpir = 0.01, scan_limit = 2 WHERE institution = :place AND scenario = '*';
SELECT * FROM pg_temp.find('i-ann', 21);
SELECT reason, object FROM events ORDER BY event DESC LIMIT 2;
UPDATE visage.identify_policy SET scan_limit = 20000 WHERE institution = :place AND scenario = '*';
-- Nor is somebody named while a reference does not open: it may be the one who looks more alike. [8.2.4e]
BEGIN;
UPDATE visage.subject_key SET wrapped = set_byte(wrapped, 60, get_byte(wrapped, 60) # 1) WHERE subject = (SELECT id FROM visage.subject WHERE external_id = 'i-cat' AND institution = :place);
SELECT * FROM pg_temp.find('i-ann', 22);
ROLLBACK;

-- With a gallery open it finds the same people. [6.2c]
SELECT visage.open_gallery('test/1', 128);
SELECT pg_temp.register('i-eve'), pg_temp.register('i-fay');
SELECT count(*) AS codes FROM visage.gallery_code c JOIN visage.gallery g ON g.id = c.gallery WHERE g.institution = :place;
SELECT f.* FROM unnest(ARRAY['i-eve', 'i-fay', 'i-ann', 'i-nobody']) p, pg_temp.find(p, 30) f;
SELECT visage.close_gallery('test/1');

-- Floors of the channel. [6.5d] [7.4a]
SELECT i.rank, i.decision, i.reason FROM visage.identify(pg_temp.probe('i-ann', 31, 0.2), 1, 'floors') i;
SELECT i.rank, i.decision, i.reason FROM visage.identify(pg_temp.probe('i-ann', 32), 1, 'floors') i;
-- Attempts of a device are limited as a verification's are: nobody may ask without limit whose face is there. [8.2.5d]
SELECT * FROM generate_series(40, 43) n, pg_temp.find('i-nobody', n, context => '{"device": "asking"}');
SELECT i.reason, i.retry_after > '9 minutes' AS waits FROM visage.identify(pg_temp.probe('i-ann', 44), context => '{"device": "asking"}') i;
-- Deny-lists and rules. [8.1.4d]
INSERT INTO visage.risk_rule (institution, name, operation, signal, action) VALUES (:place, 'no search', 'identify', 'always', 'deny');
SELECT * FROM pg_temp.find('i-ann', 50);
SELECT fixture.verdict(visage.verify('i-ann', pg_temp.probe('i-ann', 51)));
DELETE FROM visage.risk_rule WHERE institution = :place;

-- A session where the channel asks for one: for this flow, about no subject, once. [6.5d]
SELECT * FROM pg_temp.find('i-ann', 60, 1, 'session');
SELECT session, nonce FROM visage.open_session('i-ann', 'identify', channel => 'session');
SELECT session, encode(nonce, 'hex') AS nonce FROM visage.open_session(NULL, 'identify', channel => 'session') \gset
SELECT i.subject, i.decision, i.reason FROM visage.identify(pg_temp.probe('i-ann', 61, nonce => decode(:'nonce', 'hex')), 1, 'session', context => jsonb_build_object('session', :'session')) i;
SELECT i.subject, i.decision, i.reason FROM visage.identify(pg_temp.probe('i-ann', 62, nonce => decode(:'nonce', 'hex')), 1, 'session', context => jsonb_build_object('session', :'session')) i;
SELECT state, reason FROM visage.sessions WHERE session = :'session';

-- Who opened the session is told afterwards who was found, without whom may not be named any more. [6.6f] [5.3.4]
SELECT * FROM visage.session_candidates(:'session');
BEGIN;
SELECT visage.revoke('i-ann', 'lost card');
SELECT * FROM visage.session_candidates(:'session');
ROLLBACK;
BEGIN;
SELECT fixture.verdict(visage.cancel('i-ann'));
SELECT * FROM visage.session_candidates(:'session');
ROLLBACK;
BEGIN;
DELETE FROM visage.consent_rule WHERE institution = :place;
SELECT * FROM visage.session_candidates(:'session');
SELECT count(*) AS given FROM visage.notice n, visage.give_consent('i-ann', n.name, n.digest, n.purposes, false) c WHERE n.institution = :place;
SELECT * FROM visage.session_candidates(:'session');
SELECT visage.withdraw_consent('i-ann') AS withdrawn;
SELECT * FROM visage.session_candidates(:'session');
ROLLBACK;
-- Several, in their order; nobody where nobody was found, and before the call.
SELECT pg_temp.register('i-twin-2', 'i-ann', 9), pg_temp.register('i-twin-3', 'i-ann', 8), pg_temp.register('i-twin-4', 'i-ann', 7);
SELECT session AS several, encode(nonce, 'hex') AS nonce FROM visage.open_session(NULL, 'identify', channel => 'session') \gset
SELECT * FROM visage.session_candidates(:'several');
CREATE TEMP TABLE found AS SELECT i.rank, i.subject FROM visage.identify(pg_temp.probe('i-ann', 64, nonce => decode(:'nonce', 'hex')), 3, 'session', context => jsonb_build_object('session', :'several')) i;
SELECT count(*) AS found, count(*) FILTER (WHERE f.subject = c.subject) AS same FROM found f FULL JOIN visage.session_candidates(:'several') c USING (rank);
BEGIN;
SELECT fixture.verdict(visage.cancel(subject)) FROM found WHERE rank = 1;
SELECT f.rank - c.rank AS moved_up FROM found f JOIN visage.session_candidates(:'several') c USING (subject) ORDER BY f.rank;
ROLLBACK;
SELECT fixture.verdict(visage.cancel(s)) FROM unnest(ARRAY['i-twin-2', 'i-twin-3', 'i-twin-4']) s;
SELECT session AS several, encode(nonce, 'hex') AS nonce FROM visage.open_session(NULL, 'identify', channel => 'session') \gset
SELECT i.subject, i.decision, i.reason FROM visage.identify(pg_temp.probe('i-nobody', 65, nonce => decode(:'nonce', 'hex')), 3, 'session', context => jsonb_build_object('session', :'several')) i;
SELECT * FROM visage.session_candidates(:'several');
SET ROLE identify_service;
SELECT * FROM visage.session_candidates(:'session');
SET ROLE identify_search;
SELECT count(*) FROM visage.session_candidates(:'session');
RESET ROLE;
SELECT session, encode(nonce, 'hex') AS nonce FROM visage.open_session(NULL, 'compare', channel => 'session') \gset
SELECT i.subject, i.decision, i.reason FROM visage.identify(pg_temp.probe('i-ann', 63, nonce => decode(:'nonce', 'hex')), 1, 'session', context => jsonb_build_object('session', :'session')) i;

-- A right of its own: who verifies may not, nor who sets policy; and who may does nothing else. [6.2a]
CREATE TEMP TABLE shown AS SELECT i AS id, pg_temp.probe('i-ann', 70 + i) AS probe FROM generate_series(1, 3) i;
GRANT SELECT ON shown TO PUBLIC;
SET ROLE identify_service;
SELECT i.* FROM shown, visage.identify(probe) i;
SET ROLE identify_others;
SELECT i.* FROM shown, visage.identify(probe) i;
SET ROLE identify_search;
SELECT i.subject, i.decision FROM shown, visage.identify(probe) i WHERE shown.id = 1;
SELECT visage.verify('i-ann', probe) FROM shown WHERE id = 2;
SELECT * FROM visage.identify_policy;
SELECT count(*) FROM visage.subject;
-- Another institution's people are not there, and its probes do not cross. [6.2a]
SET visage.institution = 'default';
SELECT i.subject, i.decision FROM shown, visage.identify(probe) i WHERE shown.id = 2;
RESET ROLE;
INSERT INTO visage.identify_policy (institution) VALUES (1);
SELECT i.subject, i.decision, i.reason FROM shown, visage.identify(probe) i WHERE shown.id = 3;
SELECT fixture.verdict(visage.register('i-elsewhere', fixture.probe('i-elsewhere', 1)));
SET visage.institution = 'identify';
SELECT * FROM pg_temp.find('i-elsewhere', 2);
SET visage.institution = 'default';
SELECT i.subject, i.decision FROM visage.identify(fixture.probe('i-elsewhere', 3)) i;
SELECT fixture.verdict(visage.cancel('i-elsewhere'));
DELETE FROM visage.identify_policy WHERE institution = 1;

-- What policy may say.
INSERT INTO visage.identify_policy (institution, fpir) VALUES (1, 0);
INSERT INTO visage.identify_policy (institution, max_candidates) VALUES (1, 6);
DROP OWNED BY identify_search, identify_service, identify_others;
