-- Sessions: one call of one flow, bound to subject, device and channel. [5.3.2]
-- The limits as they ship, whatever other tests made of them.
UPDATE visage.attempt_limit SET free_failures = CASE WHEN kind = 'subject' AND with_liveness THEN 10 ELSE 5 END, first_delay = '30 s', max_delay = '1 h', hard_stop = 100, period_failures = 100, period = '30 days'
  WHERE kind IN ('subject', 'factor');
CREATE FUNCTION session_probe(person text, sample int, nonce bytea, quality jsonb DEFAULT '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}',
                              captured_at timestamptz DEFAULT clock_timestamp())
  RETURNS visage.probe LANGUAGE sql VOLATILE AS $$
  SELECT visage.seal_probe(fixture.feature($1, $2), 'test/1', 0.9, 'fixture', $4, session_nonce => $3, captured_at => $5)
$$;
CREATE FUNCTION in_session(session uuid, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('session', $1) || $2 $$;
CREATE FUNCTION state(session uuid) RETURNS text LANGUAGE sql AS $$ SELECT concat_ws(' ', s.state, s.reason) FROM visage.sessions s WHERE s.session = $1 $$;
INSERT INTO visage.channel (institution, name) VALUES (1, 'sessions-phone'), (1, 'sessions-counter');
INSERT INTO visage.scenario (institution, name) VALUES (1, 'sessions-loan');
-- Without a session everything goes on as before: what policy asks of sessions holds for sessions.
SELECT fixture.verdict(visage.register('sessions-1', fixture.probe('sessions-1', 1)));
SELECT fixture.verdict(visage.verify('sessions-1', fixture.probe('sessions-1', 2)));

-- Opened, it says what is needed. It looks the same for somebody and for nobody.
SELECT session, nonce, length(nonce), factors, challenge ~ '^[a-z_]+,[a-z_]+,[a-z_]+$' AS challenge, expires_at - now() > '9 minutes' AS lives
FROM visage.open_session('sessions-1', 'verify') \gset known_
SELECT session, nonce, length(nonce), factors, challenge ~ '^[a-z_]+,[a-z_]+,[a-z_]+$' AS challenge, expires_at - now() > '9 minutes' AS lives
FROM visage.open_session('sessions-nobody', 'verify') \gset unknown_
\echo :known_length :known_factors :known_challenge :known_lives
\echo :unknown_length :unknown_factors :unknown_challenge :unknown_lives
SELECT state(:'known_session');
SELECT count(DISTINCT challenge) > 5 AS different FROM (SELECT (visage.open_session('sessions-1', 'verify')).challenge FROM generate_series(1, 20)) c;

-- One-time, also when the caller takes its transaction back.
BEGIN;
SELECT fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 3, :'known_nonce'), context => in_session(:'known_session')));
ROLLBACK;
SELECT state(:'known_session');
SELECT fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 4, :'known_nonce'), context => in_session(:'known_session')));
SELECT fixture.verdict(visage.verify('sessions-nobody', session_probe('sessions-1', 5, :'unknown_nonce'), context => in_session(:'unknown_session')));
SELECT state(:'unknown_session');
SELECT fixture.verdict(visage.verify('sessions-nobody', session_probe('sessions-1', 6, :'unknown_nonce'), context => in_session(:'unknown_session')));
SELECT fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 7, :'known_nonce'), context => in_session(gen_random_uuid())));

-- Bound to subject, purpose, scenario, channel, device and nonce. None of these misses uses it up.
SELECT * FROM visage.open_session('sessions-1', 'verify', 'sessions-loan', 'sessions-phone', '{"device": "phone-7"}') \gset
SELECT fixture.verdict(visage.verify('sessions-2', session_probe('sessions-1', 8, :'nonce'), 'sessions-phone', 'sessions-loan', in_session(:'session', '{"device": "phone-7"}')));
SELECT fixture.verdict(visage.add_reference('sessions-1', session_probe('sessions-1', 9, :'nonce'), 'sessions-phone', 'sessions-loan', in_session(:'session', '{"device": "phone-7"}')));
SELECT fixture.verdict(visage.compare(session_probe('sessions-1', 9, :'nonce'), fixture.probe('sessions-1', 9), 'sessions-phone', 'sessions-loan', in_session(:'session', '{"device": "phone-7"}')));
SELECT fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 10, :'nonce'), 'sessions-phone', 'default', in_session(:'session', '{"device": "phone-7"}')));
SELECT fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 11, :'nonce'), 'default', 'sessions-loan', in_session(:'session', '{"device": "phone-7"}')));
SELECT fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 12, :'nonce'), 'sessions-phone', 'sessions-loan', in_session(:'session', '{"device": "phone-8"}')));
SELECT fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 13, :'nonce'), 'sessions-phone', 'sessions-loan', in_session(:'session')));
SELECT fixture.verdict(visage.verify('sessions-1', fixture.probe('sessions-1', 14), 'sessions-phone', 'sessions-loan', in_session(:'session', '{"device": "phone-7"}')));
SELECT fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 15, :'known_nonce'), 'sessions-phone', 'sessions-loan', in_session(:'session', '{"device": "phone-7"}')));
-- A probe of a session is of no use outside of it.
SELECT fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 16, :'nonce')));
-- What was not compared leaves the session; the next try has it.
INSERT INTO visage.channel_floor (institution, channel, measure, minimum) VALUES (1, 'sessions-phone', 'ImageWidth', 640);
SELECT fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 18, :'nonce', '{"ImageWidth": 64}'), 'sessions-phone', 'sessions-loan', in_session(:'session', '{"device": "phone-7"}')));
SELECT state(:'session');
SELECT fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 19, :'nonce'), 'sessions-phone', 'sessions-loan', in_session(:'session', '{"device": "phone-7"}')));
SELECT state(:'session');

-- It expires, and can be closed.
SELECT * FROM visage.open_session('sessions-1', 'verify') \gset
UPDATE visage.session SET expires_at = clock_timestamp() WHERE id = :'session';
SELECT state(:'session');
SELECT fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 20, :'nonce'), context => in_session(:'session')));
SELECT * FROM visage.open_session('sessions-1', 'verify') \gset
SELECT visage.close_session(:'session');
SELECT visage.close_session(:'session');
SELECT fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 21, :'nonce'), context => in_session(:'session')));
SELECT state(:'session');
SELECT visage.close_session(gen_random_uuid());
-- [6.4a] Its capture page opens once, and not when it has expired.
SELECT * FROM visage.open_session('sessions-1', 'verify') \gset
SELECT visage.open_capture_page(:'session'), visage.open_capture_page(NULL) AS none,
  visage.open_capture_page(gen_random_uuid()) AS unknown;
SELECT visage.open_capture_page(:'session');
SELECT * FROM visage.open_session('sessions-1', 'verify') \gset
UPDATE visage.session SET expires_at = clock_timestamp() WHERE id = :'session';
SELECT visage.open_capture_page(:'session');
-- [6.1.2a] What its capture has to show: the movements, and what the channel has a floor for and its measure is of liveness.
SELECT * FROM visage.open_session('sessions-1', 'verify', channel => 'sessions-phone') \gset
INSERT INTO visage.channel_floor (institution, channel, measure, minimum) VALUES (1, 'sessions-phone', 'LivenessActive', 0.5),
  (1, 'sessions-phone', 'LivenessLight', 0), (1, 'sessions-phone', 'LivenessDepth', NULL), (1, 'sessions-phone', 'Sharpness', 0.1);
SELECT challenge = :'challenge' AS same, demands FROM visage.capture_demands(:'session');
SELECT * FROM visage.capture_demands(gen_random_uuid());
DELETE FROM visage.channel_floor WHERE channel = 'sessions-phone' AND measure IN ('LivenessActive', 'LivenessLight', 'LivenessDepth', 'Sharpness');
-- A change that its caller takes back has used its session up, and has failed.
SELECT * FROM visage.open_session('sessions-1', 'enrol_factor') \gset
UPDATE visage.session SET factors = 0 WHERE id = :'session';
UPDATE visage.requirement SET factors = 0 WHERE operation = 'enrol_factor';
BEGIN;
SELECT fixture.verdict(visage.enrol_factor('sessions-1', 'password', 'correct horse', context => in_session(:'session')));
ROLLBACK;
SELECT fixture.verdict(visage.enrol_factor('sessions-1', 'password', 'correct horse', context => in_session(:'session')));
DO $$ BEGIN FOR i IN 1 .. 6000 LOOP EXIT WHEN NOT EXISTS (SELECT FROM visage.history WHERE settled = 'open'); PERFORM pg_sleep(0.05); END LOOP; END $$;
SELECT state(:'session');
SELECT count(*) FROM visage.list_factors('sessions-1');
UPDATE visage.requirement SET factors = 1 WHERE operation = 'enrol_factor';

-- [6.5d] Opened at a counter, finished on the phone, which is told. The payload names no subject.
\o | sed -E 's/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/(session)/; s/PID [0-9]+/PID (pid)/'
LISTEN visage_session;
SELECT * FROM visage.open_session('sessions-1', 'verify', 'sessions-loan', 'sessions-counter', '{"finish_channel": "sessions-phone", "device": "counter-1"}') \gset
SELECT 'not claimed', fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 22, :'nonce'), 'sessions-phone', 'sessions-loan', in_session(:'session')));
SELECT claimed, reason FROM visage.claim_session(:'session', 'sessions-counter');
SELECT claimed, reason, purpose, scenario, nonce = :'nonce' AS same, factors FROM visage.claim_session(:'session', 'sessions-phone', '{"device": "phone-7"}');
SELECT claimed, reason FROM visage.claim_session(:'session', 'sessions-phone', '{"device": "phone-8"}');
SELECT state(:'session');
SELECT 'another device', fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 23, :'nonce'), 'sessions-phone', 'sessions-loan', in_session(:'session', '{"device": "phone-8"}')));
SELECT 'at the counter', fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 24, :'nonce'), 'sessions-counter', 'sessions-loan', in_session(:'session', '{"device": "phone-7"}')));
SELECT 'on the phone', fixture.verdict(visage.verify('sessions-1', session_probe('sessions-1', 25, :'nonce'), 'sessions-phone', 'sessions-loan', in_session(:'session', '{"device": "phone-7"}')));
UNLISTEN visage_session;
\o
SELECT state(:'session');
SELECT claimed, reason FROM visage.claim_session(:'session', 'sessions-phone');
SELECT claimed, reason FROM visage.claim_session(:'known_session', 'default');
-- [6.6g] Of one channel: announced where a page was given out, as its backend waits for it; otherwise nobody does.
\o | sed -E 's/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/(session)/; s/PID [0-9]+/PID (pid)/'
LISTEN visage_session;
SELECT session FROM visage.open_session('sessions-1', 'verify') \gset
SELECT visage.close_session(:'session');
SELECT session FROM visage.open_session('sessions-1', 'verify') \gset
SELECT visage.open_capture_page(:'session');
SELECT visage.close_session(:'session');
SELECT visage.close_session(:'session');
UNLISTEN visage_session;
\o

-- Policy may ask for a session, by channel and scenario. The strictest row counts.
INSERT INTO visage.requirement (institution, operation, channel, session) VALUES (1, 'verify', 'sessions-phone', true);
SELECT fixture.verdict(visage.verify('sessions-1', fixture.probe('sessions-1', 26), 'sessions-phone'));
SELECT fixture.verdict(visage.verify('sessions-1', fixture.probe('sessions-1', 27)));
DELETE FROM visage.requirement WHERE channel = 'sessions-phone';

-- [8.2.2b] Before a registration the person is authenticated, and only then captured. Nobody exists yet.
SELECT session, nonce, factors FROM visage.open_session('sessions-new', 'register') \gset
\echo :factors
SELECT fixture.verdict(visage.register('sessions-new', session_probe('sessions-new', 1, :'nonce'), context => in_session(:'session')));
-- [6.6f] [B.1] [8.2.3c] Where a document's photo was sent for it, it registers nobody without comparing one, whoever lost it; and is not spent by that.
SELECT * FROM visage.open_session('sessions-new', 'register') \gset
UPDATE visage.session SET factors = 0 WHERE id = :'session';
UPDATE visage.requirement SET factors = 0 WHERE operation = 'register';
SELECT visage.require_document(:'session'), visage.require_document(gen_random_uuid()) AS unknown;
SELECT document_required, count(*) FROM visage.sessions WHERE session IN (:'session', :'known_session') GROUP BY 1 ORDER BY 1;
SELECT fixture.verdict(visage.register('sessions-new', session_probe('sessions-new', 2, :'nonce'), context => in_session(:'session')));
SELECT state(:'session');
SELECT fixture.verdict(visage.register_with_document('sessions-new', session_probe('sessions-new', 3, :'nonce'), session_probe('sessions-new', 4, :'nonce'), context => in_session(:'session')));
SELECT state(:'session');
UPDATE visage.session SET expires_at = clock_timestamp() WHERE id = :'session';
SELECT visage.require_document(:'session');
SELECT fixture.verdict(visage.cancel('sessions-new'));
UPDATE visage.requirement SET factors = 1 WHERE operation = 'register';
-- [8.2.5c] Change and cancel by the user need two; an operator's call has no session.
SELECT session, nonce, factors FROM visage.open_session('sessions-1', 'cancel') \gset
\echo :factors
SELECT fixture.verdict(visage.cancel('sessions-1', context => in_session(:'session')));
SELECT session, nonce, factors FROM visage.open_session('sessions-1', 'add_reference') \gset
\echo :factors
SELECT fixture.verdict(visage.add_reference('sessions-1', session_probe('sessions-1', 28, :'nonce'), context => in_session(:'session')));
SELECT fixture.verdict(visage.add_reference('sessions-1', fixture.probe('sessions-1', 29)));

-- A person may be compared with a document in a session; it is about no subject.
SELECT * FROM visage.open_session(NULL, 'compare') \gset
SELECT fixture.verdict(visage.compare(session_probe('sessions-1', 30, :'nonce'), fixture.probe('sessions-1', 31), context => in_session(:'session')));
SELECT fixture.verdict(visage.compare(session_probe('sessions-1', 32, :'nonce'), fixture.probe('sessions-1', 33), context => in_session(:'session')));
SELECT visage.open_session('sessions-1', 'compare');
SELECT visage.open_session(NULL, 'verify');
SELECT visage.open_session('sessions-1', 'change');
SELECT visage.open_session('sessions-1', 'verify', 'no-scenario');
SELECT visage.open_session('sessions-1', 'verify', context => '{"finish_channel": "no-channel"}');
SELECT visage.verify('sessions-1', fixture.probe('sessions-1', 34), context => '{"session": "none"}');
SELECT visage.present_factor(gen_random_uuid(), 'password', 'x');

-- Another institution's sessions do not exist here. [6.2a]
SELECT visage.grant_institution('sessions-north', 'visage_service');
SELECT * FROM visage.open_session('sessions-1', 'verify') \gset
SET visage.institution = 'sessions-north';
SELECT visage.close_session(:'session');
RESET visage.institution;

-- One biz_id, one call: made again it has the outcome of the first, and leaves no second attempt or event.
CREATE TABLE sealed AS SELECT i, fixture.probe('sessions-1', 100 + i) AS probe FROM generate_series(1, 6) i;
SELECT v.* FROM sealed, visage.verify('sessions-1', probe, context => '{"biz_id": "s-1", "request_id": 1}') v WHERE i = 1 \gset first_
SELECT count(*) AS events FROM visage.history \gset
SELECT v.decision, v.reason, v.transaction_id = :'first_transaction_id' AS same, v.event = :first_event AS event, v.model, v.channel
FROM sealed, visage.verify('sessions-1', probe, context => '{"biz_id": "s-1", "request_id": 2}') v WHERE i = 1;
SELECT count(*) - :events AS more FROM visage.history;
-- Another call of that name is an error; another operation has names of its own.
\set VERBOSITY terse
SELECT v.decision FROM sealed, visage.verify('sessions-1', probe, context => '{"biz_id": "s-1"}') v WHERE i = 2;
\echo :LAST_ERROR_SQLSTATE
SELECT v.decision FROM sealed, visage.verify('sessions-2', probe, context => '{"biz_id": "s-1"}') v WHERE i = 1;
SELECT v.decision FROM sealed, visage.verify('sessions-1', probe, context => '{"biz_id": "s-1", "address": "192.0.2.1"}') v WHERE i = 1;
\set VERBOSITY default
SELECT fixture.verdict(visage.add_reference('sessions-1', probe, context => '{"biz_id": "s-1"}')) FROM sealed WHERE i = 2;
SELECT reference FROM visage.list_references('sessions-1') ORDER BY created_at DESC LIMIT 1 \gset
SELECT fixture.verdict(visage.drop_reference('sessions-1', :'reference', context => '{"biz_id": "s-2"}'));
SELECT fixture.verdict(visage.drop_reference('sessions-1', :'reference', context => '{"biz_id": "s-2"}'));
-- A picture that is sent again is sealed anew, and is the same call.
SELECT fixture.verdict(visage.verify('sessions-1', visage.seal_probe(fixture.feature('sessions-1', 200), 'test/1', 0.9, 'fixture', '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}', sha256('picture')), context => '{"biz_id": "s-3"}'))
FROM generate_series(1, 2);
SELECT count(*) FROM visage.history WHERE biz_id = 's-3';
-- A refusal is an outcome, a rejection too; a change that was taken back is not.
SELECT fixture.verdict(visage.verify('sessions-1', fixture.probe('stranger', 1), context => '{"biz_id": "s-4"}'));
SELECT failures FROM visage.attempts WHERE subject = 'sessions-1';
BEGIN;
CREATE TABLE undone ();
SELECT fixture.verdict(visage.verify('sessions-1', probe, context => '{"biz_id": "s-7"}')) FROM sealed WHERE i = 6;
ROLLBACK;
SELECT fixture.verdict(visage.verify('sessions-1', probe, context => '{"biz_id": "s-7"}')) FROM sealed WHERE i = 6;
BEGIN;
SELECT fixture.verdict(visage.register('sessions-back', probe, context => '{"biz_id": "s-5"}')) FROM sealed WHERE i = 3;
SELECT fixture.verdict(visage.register('sessions-back', probe, context => '{"biz_id": "s-5"}')) FROM sealed WHERE i = 3;
ROLLBACK;
SELECT fixture.verdict(visage.register('sessions-back', probe, context => '{"biz_id": "s-5"}')) FROM sealed WHERE i = 4;
SELECT fixture.verdict(visage.register('sessions-back', probe, context => '{"biz_id": "s-5"}')) FROM sealed WHERE i = 4;
SELECT fixture.verdict(visage.cancel('sessions-back', context => '{"biz_id": "s-5"}')) FROM generate_series(1, 2);

DO $$ BEGIN FOR i IN 1 .. 10 LOOP PERFORM visage.verify('sessions-locked', fixture.probe('stranger', i)); END LOOP; END $$;
SELECT count(*), count(DISTINCT v.retry_after), max(fixture.verdict(v)), bool_and(v.retry_after BETWEEN '20 s' AND '30 s') AS wait
FROM sealed, generate_series(1, 3), visage.verify('sessions-locked', probe, context => '{"biz_id": "s-6"}') v WHERE i = 5;

-- [8.1.4d] What policy denies, it denies from the first step on: no session is opened or claimed from there, and no factor shown.
SELECT fixture.verdict(visage.register('sessions-denied', fixture.probe('sessions-denied', 1))), fixture.verdict(visage.enrol_factor('sessions-denied', 'password', 'correct horse battery'));
INSERT INTO visage.deny_list (institution, kind, device, why) VALUES (1, 'device', 'stolen-phone', 'reported stolen');
INSERT INTO visage.risk_rule (institution, name, signal, action, names, operation) VALUES (1, 'no cancelling abroad', 'country', 'deny', '{XX}', 'cancel');
SELECT purpose, context, session IS NULL AND nonce IS NULL AND factors IS NULL AND challenge IS NULL AND expires_at IS NULL AS nothing, reason
FROM unnest(ARRAY['verify', 'cancel']) purpose, unnest(ARRAY['{"device": "stolen-phone"}', '{"country": "XX"}', '{}']) context,
     LATERAL visage.open_session('sessions-denied', purpose::visage.operation, context => context::jsonb);
-- Somebody or nobody looks the same; the record says why.
SELECT * FROM visage.open_session('sessions-nobody', 'verify', context => '{"device": "stolen-phone"}');
SELECT h.operation, h.decision, h.reason, h.object, h.session, x.source, x.action, x.signal
FROM (SELECT * FROM visage.history ORDER BY event DESC LIMIT 1) h, visage.explain_decision(h.transaction_id) x;
SELECT session, encode(nonce, 'hex') AS nonce FROM visage.open_session('sessions-denied', 'verify', context => '{"finish_channel": "terminal"}') \gset
SELECT claimed, reason, nonce FROM visage.claim_session(:'session', 'terminal', '{"device": "stolen-phone"}');
SELECT claimed, reason FROM visage.claim_session(:'session', 'terminal', '{"device": "own-phone"}');
-- It is no attempt on the factor, and the session stays.
SELECT session FROM visage.open_session('sessions-denied', 'cancel') \gset
SELECT DISTINCT fixture.verdict(visage.present_factor(:'session', 'password', 'wrong', context)) FROM generate_series(1, 10), unnest(ARRAY['{"device": "stolen-phone"}', '{"country": "XX"}']::jsonb[]) context;
SELECT fixture.verdict(visage.present_factor(:'session', 'face', fixture.probe('sessions-denied', 80)::text, '{"country": "XX"}'));
SELECT fixture.verdict(visage.present_factor(:'session', 'password', 'correct horse battery', '{"country": "CN"}')), state(:'session');
-- A face is one of the factors that a rule asks for; it is not refused for want of them.
UPDATE visage.risk_rule SET action = 'require_factors', factors = 2;
SELECT session, nonce, factors FROM visage.open_session('sessions-denied', 'cancel', context => '{"country": "XX"}') \gset
SELECT :factors AS factors, fixture.verdict(visage.present_factor(:'session', 'face', visage.seal_probe(fixture.feature('sessions-denied', 81), 'test/1', 0.9, 'fixture',
  '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}', session_nonce => :'nonce')::text, '{"country": "XX"}'));
SELECT count(*) AS failures FROM visage.attempts WHERE subject = 'sessions-denied' AND failures > 0;
DELETE FROM visage.risk_rule;
DELETE FROM visage.deny_list;
SELECT fixture.verdict(visage.cancel('sessions-denied'));

-- The records of a session, in their order.
SELECT operation, object, decision, reason, note FROM visage.history WHERE session = :'known_session' ORDER BY event;
SELECT * FROM visage.verify_ledger();
DROP TABLE sealed;
DROP FUNCTION session_probe, in_session, state;
