-- The flows of 5.3 and annex B from end to end, on a channel that asks for sessions, as the shipped mobile and web do.
SET client_min_messages = warning;
UPDATE visage.attempt_limit SET free_failures = CASE WHEN kind = 'subject' AND with_liveness THEN 10 ELSE 5 END, first_delay = '30 s', max_delay = '1 h', hard_stop = 100, period_failures = 100, period = '30 days'
  WHERE kind IN ('subject', 'factor');
\getenv sources PG_ABS_SRCDIR
\set tool :sources '/sql/lib/evidence.sh'
\set keys `mktemp -d`
\set made `bash :'tool' make :'keys' && echo made`
\set public `bash :'tool' show :'keys' sms.pub`
INSERT INTO visage.channel (institution, name, description, target_fmr, liveness_floor, session_required) VALUES (1, 'annex', 'the bank''s app', 1e-5, 0.5, true);
INSERT INTO visage.channel_floor (institution, channel, measure, minimum) VALUES (1, 'annex', 'InterEyeDistance', 60);
INSERT INTO visage.otp_service (institution, name, public_key) VALUES (1, 'annex', :'public');
SELECT extract(epoch FROM now())::bigint AS now, extract(epoch FROM now())::bigint + 300 AS later \gset

-- What a phone captures in a session, and calls that carry the session.
CREATE FUNCTION captured(person text, sample int, nonce text, eyes int DEFAULT 80, liveness real DEFAULT 0.9) RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe(fixture.feature($1, $2), 'test/1', $5, 'fixture', jsonb_build_object('InterEyeDistance', $4), session_nonce => decode($3, 'hex')) $$;
CREATE FUNCTION within(session uuid) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('session', $1) $$;
CREATE FUNCTION shown(session uuid, kind visage.factor_kind, evidence text) RETURNS text LANGUAGE sql AS $$
  SELECT fixture.verdict(visage.present_factor($1, $2, $3)) $$;
CREATE FUNCTION verified(subject text, probe visage.probe, session uuid, scenario text DEFAULT 'default') RETURNS text LANGUAGE sql AS $$
  SELECT fixture.verdict(visage.verify($1, $2, 'annex', $4, within($3))) $$;
CREATE FUNCTION state(session uuid) RETURNS text LANGUAGE sql AS $$
  SELECT state || coalesce(' ' || reason, '') FROM visage.sessions WHERE session = $1 $$;

-- [5.3.1] [8.2.2b] Registration: request, identity check, capture, stored and tied to the subject. Refused while it is not known
-- who asks; a capture that fails is reported and made again in the same session, an attack is not.
SELECT fixture.verdict(visage.register('annex-1', fixture.probe('annex-1', 1), 'annex'));
SELECT session, encode(nonce, 'hex') AS nonce, factors FROM visage.open_session('annex-1', 'register', channel => 'annex') \gset
\set code `bash :'tool' otp :'keys' sms annex annex-1 :nonce :now :later`
\set forged `bash :'tool' otp :'keys' other annex annex-1 :nonce :now :later`
SELECT :factors AS factors, shown(:'session', 'otp', :'forged');
SELECT fixture.verdict(visage.register('annex-1', captured('annex-1', 1, :'nonce'), 'annex', context => within(:'session'))), state(:'session');
SELECT shown(:'session', 'otp', :'code'), state(:'session');
SELECT fixture.verdict(visage.register('annex-1', captured('annex-1', 2, :'nonce', 40), 'annex', context => within(:'session'))), state(:'session');
SELECT fixture.verdict(visage.register('annex-1', captured('annex-1', 3, :'nonce'), 'annex', context => within(:'session'))), state(:'session');
SELECT model, channel FROM visage.list_references('annex-1');
SELECT session, encode(nonce, 'hex') AS nonce FROM visage.open_session('annex-2', 'register', channel => 'annex') \gset
\set code `bash :'tool' otp :'keys' sms annex annex-2 :nonce :now :later`
SELECT shown(:'session', 'otp', :'code');
SELECT fixture.verdict(visage.register('annex-2', captured('annex-2', 1, :'nonce', 80, 0.1), 'annex', context => within(:'session'))), state(:'session');
SELECT fixture.verdict(visage.register('annex-2', captured('annex-2', 2, :'nonce'), 'annex', context => within(:'session')));

-- [B.3] [5.3.2] Face check: enrolled once, captured again for any later business and compared. What fails is tried again, each time
-- in a session of its own, until the limit; then nothing is compared, neither a wrong face nor the right one. [8.2.5d]
SELECT scenario, verified('annex-1', captured('annex-1', 10 + n::int, encode(s.nonce, 'hex')), s.session, scenario), state(s.session)
FROM unnest(ARRAY['login', 'consumer_credit', 'claims']) WITH ORDINALITY u (scenario, n), visage.open_session('annex-1', 'verify', scenario, 'annex') s;
SELECT session, encode(nonce, 'hex') AS nonce FROM visage.open_session('annex-1', 'verify', 'login', 'annex') \gset
SELECT verified('annex-1', captured('stranger', 20, :'nonce'), :'session', 'login'), state(:'session');
SELECT verified('annex-1', captured('annex-1', 21, :'nonce'), :'session', 'login');
SELECT session, encode(nonce, 'hex') AS nonce FROM visage.open_session('annex-1', 'verify', 'login', 'annex') \gset
SELECT verified('annex-1', captured('annex-1', 22, :'nonce', 40), :'session', 'login'), state(:'session');
SELECT verified('annex-1', captured('annex-1', 23, :'nonce'), :'session', 'login'), state(:'session');
SELECT v.decision || ' ' || v.reason AS verdict, count(*), bool_and(v.retry_after BETWEEN '1 s' AND '30 s') AS wait
FROM generate_series(1, 11) i, visage.open_session('annex-1', 'verify', CASE WHEN i > 0 THEN 'login' END, 'annex') s,
     visage.verify('annex-1', captured('stranger', 30 + i, encode(s.nonce, 'hex')), 'annex', 'login', within(s.session)) v GROUP BY 1 ORDER BY 2 DESC;
SELECT session, encode(nonce, 'hex') AS nonce FROM visage.open_session('annex-1', 'verify', 'login', 'annex') \gset
SELECT verified('annex-1', captured('annex-1', 50, :'nonce'), :'session', 'login'), state(:'session');
-- Another factor instead: the person unlocks the face, and the session that was refused is still good.
SELECT session AS other, encode(nonce, 'hex') AS nonce_other FROM visage.open_session('annex-1', 'unlock', channel => 'annex') \gset
\set code `bash :'tool' otp :'keys' sms annex annex-1 :nonce_other :now :later`
SELECT fixture.verdict(visage.unlock_with_factors('annex-1', 'annex', context => within(:'other')));
SELECT shown(:'other', 'otp', :'code');
SELECT fixture.verdict(visage.unlock_with_factors('annex-1', 'annex', context => within(:'other')));
SELECT verified('annex-1', captured('annex-1', 51, :'nonce'), :'session', 'login'), state(:'session');

-- [B.2] Card binding: a one-time code first, then the face against the registered one. A failed match goes back to the code:
-- the session is used up, and the code was for that session.
INSERT INTO visage.requirement (institution, operation, channel, scenario, session, factors) VALUES (1, 'verify', 'annex', 'card_business', true, 2);
SELECT session, encode(nonce, 'hex') AS nonce, factors FROM visage.open_session('annex-1', 'verify', 'card_business', 'annex') \gset
\set code `bash :'tool' otp :'keys' sms annex annex-1 :nonce :now :later`
SELECT :factors AS before_the_face, verified('annex-1', captured('annex-1', 60, :'nonce'), :'session', 'card_business'), state(:'session');
SELECT shown(:'session', 'otp', :'code');
SELECT verified('annex-1', captured('stranger', 61, :'nonce'), :'session', 'card_business'), state(:'session');
SELECT verified('annex-1', captured('annex-1', 62, :'nonce'), :'session', 'card_business');
SELECT session, encode(nonce, 'hex') AS nonce FROM visage.open_session('annex-1', 'verify', 'card_business', 'annex') \gset
SELECT shown(:'session', 'otp', :'code');
SELECT verified('annex-1', captured('annex-1', 63, :'nonce'), :'session', 'card_business');
\set code `bash :'tool' otp :'keys' sms annex annex-1 :nonce :now :later`
SELECT shown(:'session', 'otp', :'code');
-- Nor does the session serve another business.
SELECT verified('annex-1', captured('annex-1', 64, :'nonce'), :'session', 'login');
SELECT verified('annex-1', captured('annex-1', 65, :'nonce'), :'session', 'card_business'), state(:'session');

-- [5.3.3] [8.2.5c] Change: the user is authenticated by two factors, the face that is compared among them; captured anew; the new
-- reference takes the old one's place.
SELECT reference AS old FROM visage.list_references('annex-1') \gset
SELECT session, encode(nonce, 'hex') AS nonce, factors FROM visage.open_session('annex-1', 'add_reference', channel => 'annex') \gset
\set code `bash :'tool' otp :'keys' sms annex annex-1 :nonce :now :later`
SELECT :factors AS before_the_face, fixture.verdict(visage.add_reference('annex-1', captured('annex-1', 70, :'nonce'), 'annex', context => within(:'session')));
SELECT shown(:'session', 'otp', :'code');
SELECT fixture.verdict(visage.add_reference('annex-1', captured('annex-1', 71, :'nonce'), 'annex', context => within(:'session')));
SELECT count(*), count(*) FILTER (WHERE reference = :'old') AS old FROM visage.list_references('annex-1');
-- One person has one face: a stranger who has the code replaces nothing. [6.2c]
SELECT session, encode(nonce, 'hex') AS nonce FROM visage.open_session('annex-1', 'add_reference', channel => 'annex') \gset
\set code `bash :'tool' otp :'keys' sms annex annex-1 :nonce :now :later`
SELECT shown(:'session', 'otp', :'code');
SELECT fixture.verdict(visage.add_reference('annex-1', captured('stranger', 72, :'nonce'), 'annex', context => within(:'session'))), state(:'session');
SELECT session, encode(nonce, 'hex') AS nonce, factors FROM visage.open_session('annex-1', 'drop_reference', channel => 'annex') \gset
\set code `bash :'tool' otp :'keys' sms annex annex-1 :nonce :now :later`
SELECT :factors AS factors, shown(:'session', 'otp', :'code');
SELECT fixture.verdict(visage.drop_reference('annex-1', :'old', 'annex', context => within(:'session')));
SELECT shown(:'session', 'face', captured('annex-1', 73, :'nonce')::text);
SELECT fixture.verdict(visage.drop_reference('annex-1', :'old', 'annex', context => within(:'session'))), state(:'session');
SELECT count(*), count(*) FILTER (WHERE reference = :'old') AS old FROM visage.list_references('annex-1');
-- Asked by the system: an operator's call, where the channel asks for no session. What it adds must match as well.
SELECT fixture.verdict(visage.add_reference('annex-1', fixture.probe('annex-1', 74))), fixture.verdict(visage.add_reference('annex-1', fixture.probe('stranger', 75)));
-- [5.3.2] Any of several references decides.
SELECT count(*), verified('annex-1', captured('annex-1', 76, encode((array_agg(s.nonce))[1], 'hex')), (array_agg(s.session))[1])
FROM visage.list_references('annex-1') r, (SELECT * FROM visage.open_session('annex-1', 'verify', channel => 'annex') OFFSET 0) s;

-- [5.3.4] [8.2.5c] [8.2.5g] Cancellation: refused with one factor, or with one kind twice; then nothing of the registration is left.
SELECT fixture.verdict(visage.enrol_factor('annex-1', 'password', 'correct horse battery'));
SELECT session, encode(nonce, 'hex') AS nonce, factors FROM visage.open_session('annex-1', 'cancel', channel => 'annex') \gset
\set code `bash :'tool' otp :'keys' sms annex annex-1 :nonce :now :later`
SELECT fixture.verdict(visage.cancel('annex-1', 'annex')), fixture.verdict(visage.cancel('annex-1', 'annex', context => within(:'session')));
SELECT :factors AS factors, shown(:'session', 'password', 'correct horse battery'), shown(:'session', 'password', 'correct horse battery');
SELECT fixture.verdict(visage.cancel('annex-1', 'annex', context => within(:'session')));
SELECT shown(:'session', 'otp', :'code');
SELECT id AS surrogate FROM visage.subject WHERE external_id = 'annex-1' \gset
SELECT fixture.verdict(visage.cancel('annex-1', 'annex', context => within(:'session'))), state(:'session');
SELECT (SELECT count(*) FROM visage.list_references('annex-1')) AS refs, (SELECT count(*) FROM visage.list_factors('annex-1')) AS factors,
       (SELECT count(*) FROM visage.subject WHERE id = :'surrogate') AS subjects, (SELECT count(*) FROM visage.subject_key WHERE subject = :'surrogate') AS keys;
SELECT verified('annex-1', captured('annex-1', 80, encode(s.nonce, 'hex')), s.session) FROM visage.open_session('annex-1', 'verify', channel => 'annex') s;
SELECT verified('annex-1', captured('annex-1', 81, encode(s.nonce, 'hex')), s.session) FROM visage.open_session('annex-1', 'cancel', channel => 'annex') s;

-- [8.2.5b] Each step is in the ledger, the person by a surrogate.
SELECT operation, decision, count(*) FROM visage.history WHERE subject_surrogate = :'surrogate' AND operation IN ('register', 'add_reference', 'drop_reference', 'cancel') GROUP BY 1, 2 ORDER BY 1, 2;
SELECT * FROM visage.verify_ledger();
\set cleaned `rm -r :'keys'`
DELETE FROM visage.otp_service WHERE name = 'annex';
DELETE FROM visage.requirement WHERE channel = 'annex';
DELETE FROM visage.channel WHERE name = 'annex';
UPDATE visage.attempt_limit SET free_failures = NULL, first_delay = NULL, max_delay = NULL, hard_stop = NULL, period_failures = NULL, period = NULL;
DROP FUNCTION captured, within, shown, verified, state;
