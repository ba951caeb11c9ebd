-- Factors beside the face: enrolled, presented in a session, limited. [6.6e]
-- The limits as they ship, whatever other tests made of them.
UPDATE visage.attempt_limit SET free_failures = CASE WHEN kind = 'subject' AND with_liveness THEN 10 ELSE 5 END, first_delay = '30 s', max_delay = '1 h', hard_stop = 100, period_failures = 100, period = '30 days'
  WHERE kind IN ('subject', 'factor');
\getenv sources PG_ABS_SRCDIR
\set tool :sources '/sql/lib/evidence.sh'
\set keys `mktemp -d`
\set made `bash :'tool' make :'keys' && echo made`
\echo :made
CREATE FUNCTION in_session(session uuid, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('session', $1) || $2 $$;
CREATE FUNCTION shown(session uuid, kind visage.factor_kind, evidence text) RETURNS text LANGUAGE sql AS $$
  SELECT fixture.verdict(visage.present_factor($1, $2, $3)) $$;
-- RFC 6238 in SQL: what an authenticator app shows for a step.
CREATE FUNCTION app_code(secret bytea, step bigint, digits int DEFAULT 6, algorithm text DEFAULT 'sha1') RETURNS text LANGUAGE sql AS $$
  SELECT lpad((((get_byte(h, o) & 127)::bigint * 16777216 + get_byte(h, o + 1) * 65536 + get_byte(h, o + 2) * 256 + get_byte(h, o + 3)) % (10 ^ $3)::bigint)::text, $3, '0')
  FROM (SELECT h, get_byte(h, length(h) - 1) & 15 AS o FROM (SELECT hmac(decode(lpad(to_hex($2), 16, '0'), 'hex'), $1, $4) AS h) m) t
$$;
CREATE FUNCTION app_step() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT floor(extract(epoch FROM clock_timestamp()) / 30)::bigint $$;
SELECT app_code('12345678901234567890', 1, 8) AS rfc_6238;
SELECT coalesce(max(event), -1) AS before FROM visage.history \gset
SELECT fixture.verdict(visage.register('factors-1', fixture.probe('factors-1', 1)));

-- An operator enrols. One of each kind; what is wrong with a secret is said without quoting it.
SELECT fixture.verdict(visage.enrol_factor('factors-1', 'password', 'correct horse battery'));
SELECT fixture.verdict(visage.enrol_factor('factors-1', 'password', 'another password'));
SELECT fixture.verdict(visage.enrol_factor('factors-1', 'totp', 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'));
SELECT fixture.verdict(visage.enrol_factor('factors-nobody', 'password', 'correct horse battery'));
SELECT visage.enrol_factor('factors-1', 'password', 'short');
SELECT visage.enrol_factor('factors-1', 'totp', 'not base32!');
SELECT visage.enrol_factor('factors-1', 'certificate', 'no certificate');
SELECT visage.enrol_factor('factors-1', 'otp', 'x');
SELECT visage.enrol_factor('factors-1', 'face', 'x');
SELECT visage.enrol_factor('factors-1', 'password', NULL);
SELECT kind, factor IS NOT NULL AS factor FROM visage.list_factors('factors-1');
SELECT count(*) FROM visage.list_factors('factors-nobody');
-- Sealed: neither the secret nor bcrypt's hash can be seen.
SELECT kind, position('12345678901234567890'::bytea IN sealed) AS secret, position('$2a$'::bytea IN sealed) AS hash, get_byte(sealed, 0) = ascii('F') AS envelope FROM visage.factor ORDER BY kind;
SELECT factors FROM visage.keys WHERE custody = 'envelope' AND newest;

-- Password.
SELECT * FROM visage.open_session('factors-1', 'cancel') \gset
SELECT shown(:'session', 'password', 'wrong horse battery');
SELECT shown(:'session', 'password', 'correct horse battery ');
SELECT shown(:'session', 'password', '');
SELECT presented FROM visage.sessions WHERE session = :'session';
SELECT shown(:'session', 'password', 'correct horse battery');
SELECT shown(:'session', 'password', 'correct horse battery');
SELECT state, factors, presented FROM visage.sessions WHERE session = :'session';
-- The same twice is one factor. [8.2.5c]
SELECT fixture.verdict(visage.cancel('factors-1', context => in_session(:'session')));

-- TOTP: a step is good for one use, in whatever session, also when the caller takes it back.
SELECT app_step() AS step \gset
BEGIN;
SELECT shown(:'session', 'totp', app_code('12345678901234567890', :step));
ROLLBACK;
SELECT presented FROM visage.sessions WHERE session = :'session';
SELECT session AS other FROM visage.open_session('factors-1', 'cancel') \gset
SELECT shown(:'other', 'totp', app_code('12345678901234567890', :step));
-- (Of a step that is over: the last one whose code is not by chance that of one which is not.)
SELECT shown(:'other', 'totp', (SELECT app_code('12345678901234567890', s) FROM generate_series(:step - 5, :step - 50, -1) s
  WHERE app_code('12345678901234567890', s) <> ALL (SELECT app_code('12345678901234567890', w) FROM generate_series(:step - 2, :step + 2) w) LIMIT 1));
SELECT shown(:'other', 'totp', '000');
SELECT fixture.verdict(visage.cancel('factors-1', context => in_session(:'session')));
SELECT count(*) FROM visage.factor;
SELECT shown(:'session', 'totp', '000000');
-- A subject that comes again has none of it.
SELECT fixture.verdict(visage.register('factors-1', fixture.probe('factors-1', 2)));
SELECT count(*) FROM visage.list_factors('factors-1');
SELECT session FROM visage.open_session('factors-1', 'verify') \gset
SELECT shown(:'session', 'password', 'correct horse battery');
-- The window is policy.
SELECT visage.unlock('factors-1', 'test');
SELECT fixture.verdict(visage.enrol_factor('factors-1', 'totp', 'otpauth://totp/x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&algorithm=SHA256&digits=8'));
UPDATE visage.factor_policy SET totp_window = 6;
SELECT shown(:'session', 'totp', app_code('12345678901234567890', app_step() - 4, 8, 'sha256'));
UPDATE visage.factor_policy SET totp_window = 0;
SELECT shown(:'session', 'totp', app_code('12345678901234567890', app_step() - 3, 8, 'sha256'));
UPDATE visage.factor_policy SET totp_window = 1;
-- Replaced: the old secret is of no use. Removed: none is.
SELECT fixture.verdict(visage.replace_factor('factors-1', 'totp', 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'));
SELECT fixture.verdict(visage.replace_factor('factors-1', 'password', 'correct horse battery'));
SELECT shown(:'session', 'totp', app_code('12345678901234567890', app_step(), 8, 'sha256'));
SELECT shown(:'session', 'totp', app_code('\x48656c6c6f21deadbeef48656c6c6f21deadbeef', app_step()));
SELECT fixture.verdict(visage.remove_factor('factors-1', 'totp', context => '{"biz_id": "f-1"}'));
SELECT fixture.verdict(visage.remove_factor('factors-1', 'totp', context => '{"biz_id": "f-1"}'));
SELECT fixture.verdict(visage.remove_factor('factors-1', 'totp'));

-- [8.2.5d] Wrong tries are limited, a counter for each kind of factor of a subject, somebody or nobody.
SELECT fixture.verdict(visage.enrol_factor('factors-1', 'password', 'correct horse battery'));
SELECT session AS nobody FROM visage.open_session('factors-nobody', 'verify') \gset
UPDATE visage.factor_policy SET password_cost = 8;
SELECT i, shown(:'session', 'password', 'guess ' || i), shown(:'nobody', 'password', 'guess ' || i) FROM generate_series(1, 6) i;
SELECT shown(:'session', 'password', 'correct horse battery');
SELECT fixture.verdict(p), p.retry_after BETWEEN '1 s' AND '31 s' AS waits FROM visage.present_factor(:'session', 'password', 'correct horse battery') p;
SELECT shown(:'session', 'totp', '123456');
SELECT fixture.verdict(visage.verify('factors-1', fixture.probe('factors-1', 3)));
SELECT kind, failures FROM visage.attempts WHERE kind = 'factor' AND failures > 0 ORDER BY failures;
SELECT visage.unlock('factors-1', 'identified at the branch');
SELECT shown(:'session', 'password', 'correct horse battery');

-- One-time code of the bank's own service: a signed assertion for this session and subject. [8.2.2b]
\set public `bash :'tool' show :'keys' sms.pub`
INSERT INTO visage.otp_service (institution, name, public_key) VALUES (1, 'sms', :'public');
INSERT INTO visage.otp_service (institution, name, public_key) VALUES (1, 'no key', 'x');
SELECT session, encode(nonce, 'hex') AS nonce, extract(epoch FROM now())::bigint AS now, extract(epoch FROM now())::bigint + 300 AS later,
       extract(epoch FROM now())::bigint - 400 AS earlier
FROM visage.open_session('factors-new', 'register') \gset
\set good `bash :'tool' otp :'keys' sms sms factors-new :nonce :now :later`
\set forged `bash :'tool' otp :'keys' other sms factors-new :nonce :now :later`
\set unknown `bash :'tool' otp :'keys' other other factors-new :nonce :now :later`
\set subject `bash :'tool' otp :'keys' sms sms factors-1 :nonce :now :later`
\set session_ `bash :'tool' otp :'keys' sms sms factors-new $(echo :nonce | tr 0-9 9876543210) :now :later`
\set expired `bash :'tool' otp :'keys' sms sms factors-new :nonce :earlier :now`
\set old `bash :'tool' otp :'keys' sms sms factors-new :nonce :earlier :later`
\set ahead `bash :'tool' otp :'keys' sms sms factors-new :nonce :later :later`
SELECT shown(:'session', 'otp', :'forged'), shown(:'session', 'otp', :'unknown'), shown(:'session', 'otp', :'subject'), shown(:'session', 'otp', '123456');
SELECT visage.unlock('factors-new', 'test');
SELECT shown(:'session', 'otp', :'session_'), shown(:'session', 'otp', :'expired'), shown(:'session', 'otp', :'old'), shown(:'session', 'otp', :'ahead');
SELECT note FROM visage.history WHERE session = :'session' AND operation = 'present_factor' ORDER BY event;
-- [8.2.2b] A face that was captured before the code was shown does not register; one from afterwards does.
SELECT visage.seal_probe(fixture.feature('factors-new', 1), 'test/1', 0.9, 'fixture', '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}',
                         session_nonce => decode(:'nonce', 'hex'), captured_at => now() - interval '2 minutes') AS early \gset
SELECT shown(:'session', 'otp', :'good');
SELECT fixture.verdict(visage.register('factors-new', :'early', context => in_session(:'session')));
SELECT visage.seal_probe(fixture.feature('factors-new', 1), 'test/1', 0.9, 'fixture', '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}',
                         session_nonce => decode(:'nonce', 'hex')) AS probe \gset
SELECT fixture.verdict(visage.register('factors-new', :'probe', context => in_session(:'session')));
SELECT state, presented FROM visage.sessions WHERE session = :'session';

-- X.509: the subject's certificate signs the session's nonce.
\set root `bash :'tool' show :'keys' root.pem`
\set alice `bash :'tool' show :'keys' alice.pem`
\set revoked `bash :'tool' show :'keys' revoked.pem`
\set list `bash :'tool' show :'keys' root.crl`
INSERT INTO visage.trust_anchor (institution, name, certificate) VALUES (1, 'alice', :'alice');
INSERT INTO visage.trust_anchor (institution, name, certificate) VALUES (1, 'root', :'root');
INSERT INTO visage.revocation_list (institution, name, list) VALUES (1, 'root', 'x');
SELECT fixture.verdict(visage.enrol_factor('factors-1', 'certificate', :'alice'));
SELECT session, encode(nonce, 'hex') AS nonce FROM visage.open_session('factors-1', 'add_reference') \gset
\set good `bash :'tool' certificate :'keys' alice :session :nonce`
\set other `bash :'tool' certificate :'keys' revoked :session :nonce`
\set replayed `bash :'tool' certificate :'keys' alice 00000000-0000-4000-8000-000000000000 :nonce`
SELECT shown(:'session', 'certificate', :'good');
INSERT INTO visage.revocation_list (institution, name, list) VALUES (1, 'root', :'list');
SELECT shown(:'session', 'certificate', :'replayed');
SELECT shown(:'session', 'certificate', :'other');
SELECT shown(:'session', 'certificate', :'alice');
SELECT note FROM visage.history WHERE session = :'session' AND operation = 'present_factor' ORDER BY event;
SELECT shown(:'session', 'certificate', :'good');
-- Face and certificate are the two that a change needs. [8.2.5c]
SELECT visage.seal_probe(fixture.feature('factors-1', 7), 'test/1', 0.9, 'fixture', '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}',
                         session_nonce => decode(:'nonce', 'hex')) AS probe \gset
SELECT fixture.verdict(visage.add_reference('factors-1', :'probe', context => in_session(:'session')));
UPDATE visage.trust_anchor SET enabled = false;
SELECT session, encode(nonce, 'hex') AS nonce FROM visage.open_session('factors-1', 'cancel') \gset
\set good `bash :'tool' certificate :'keys' alice :session :nonce`
SELECT shown(:'session', 'certificate', :'good');
UPDATE visage.trust_anchor SET enabled = true;

-- A face is a factor too, of the same session, and counts with the subject's attempts.
SELECT visage.seal_probe(fixture.feature('factors-1', 8), 'test/1', 0.9, 'fixture', '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}',
                         session_nonce => decode(:'nonce', 'hex')) AS probe \gset
SELECT visage.seal_probe(fixture.feature('stranger', 8), 'test/1', 0.9, 'fixture', '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}',
                         session_nonce => decode(:'nonce', 'hex')) AS stranger \gset
SELECT shown(:'session', 'face', :'stranger');
SELECT shown(:'session', 'face', fixture.probe('factors-1', 9)::text);
SELECT shown(:'session', 'face', :'probe');
SELECT shown(:'session', 'face', :'probe');
SELECT shown(:'nobody', 'face', :'probe');
SELECT shown(:'session', 'face', 'x');
SELECT kind, failures FROM visage.attempts WHERE subject = 'factors-1' AND kind = 'subject';
SELECT fixture.verdict(visage.cancel('factors-1', context => in_session(:'session')));
SELECT shown(:'session', 'password', 'correct horse battery');
SELECT fixture.verdict(visage.cancel('factors-1', context => in_session(:'session')));
SELECT shown(:'session', 'password', 'correct horse battery');

-- Requirements by scenario: the strictest row counts. [6.6e]
INSERT INTO visage.scenario (institution, name) VALUES (1, 'factors-transfer');
INSERT INTO visage.requirement (institution, operation, scenario, factors) VALUES (1, 'verify', 'factors-transfer', 2);
INSERT INTO visage.requirement (institution, operation, scenario, risk, factors) VALUES (1, 'verify', 'factors-transfer', 2, 3);
SELECT factors FROM visage.open_session('factors-new', 'verify', 'factors-transfer');
SELECT factors FROM visage.open_session('factors-new', 'verify');
-- Risk rules raise both what they ask for themselves and the level. [8.1.4c] [6.6e]
INSERT INTO visage.risk_rule (institution, name, signal, action, factors, names) VALUES (1, 'abroad', 'country', 'require_factors', 1, '{US}');
SELECT country, scenario, factors FROM unnest(ARRAY['CN', 'US']) country, unnest(ARRAY['default', 'factors-transfer']) scenario,
  visage.open_session('factors-new', 'verify', scenario, context => jsonb_build_object('country', country));
DELETE FROM visage.risk_rule;
INSERT INTO visage.requirement (institution, operation, factors) VALUES (1, 'present_factor', 1);
INSERT INTO visage.requirement (institution, operation, factors) VALUES (1, 'verify', 9);

-- Every change of what a person shows is an event, without any secret. [8.2.5b]
SELECT DISTINCT operation, object, decision, reason FROM visage.history WHERE operation IN ('enrol_factor', 'replace_factor', 'remove_factor') AND event > :before ORDER BY 1, 2, 3, 4;
SELECT count(*) FROM visage.history h WHERE h::text ~ 'correct horse|GEZDGNBV|guess';
SELECT * FROM visage.verify_ledger();
\set cleaned `rm -r :'keys'`
UPDATE visage.factor_policy SET password_cost = 10;
DELETE FROM visage.requirement WHERE scenario = 'factors-transfer';
DELETE FROM visage.revocation_list;
DELETE FROM visage.trust_anchor;
DELETE FROM visage.otp_service;
DROP FUNCTION in_session, shown, app_code, app_step;
