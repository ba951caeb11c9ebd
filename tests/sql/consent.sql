-- Consent and purpose: what was shown, who agreed to what, and that no flow goes past it. [8.2.2a] [8.2.2c] [8.2.5a]
SET timezone = 'UTC';
-- An institution of its own: once it has a notice, consent is needed.
SELECT visage.grant_institution('consent', current_user::regrole);
INSERT INTO visage.channel (institution, name, target_fmr) SELECT i.id, c, 1e-5 FROM visage.institution i, unnest(ARRAY['default', 'counter']) c WHERE i.name = 'consent';
INSERT INTO visage.scenario (institution, name) SELECT id, s FROM visage.institution, unnest(ARRAY['login', 'payment']) s WHERE institution.name = 'consent';
SET visage.institution = 'consent';
SELECT visage.add_capture_source('consent') IS NOT NULL AS shown;
CREATE FUNCTION sample(person text, i int) RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe(fixture.feature(person, i), 'test/1', 0.9, 'consent') $$;

-- Before there is a notice nothing is asked.
SELECT fixture.verdict(visage.register('c-early', sample('c-early', 1), 'default', 'login'));

-- A notice tells purposes, manner, scope and storage separately; versions are numbered and have a digest. [8.2.2c]
INSERT INTO visage.notice (institution, name, purposes, manner, scope, storage, text)
  SELECT id, 'face', ARRAY['login'], 'compared by a machine', 'signs of a feature', 'two years', 'May we?' FROM visage.institution WHERE name = 'consent';
INSERT INTO visage.notice (institution, name, purposes, manner, scope, storage, text, valid_for)
  SELECT id, 'face', ARRAY['login', 'payment'], 'compared by a machine', 'signs of a feature', 'two years', 'May we please?', '2 years' FROM visage.institution WHERE name = 'consent';
SELECT version, purposes, retired_at IS NOT NULL AS retired,
       digest = sha256(convert_to(format('["face", %s, %s, "compared by a machine", "signs of a feature", "two years", "%s"]', version, to_jsonb(purposes), text), 'UTF8')) AS digest_of_text
FROM visage.notice WHERE name = 'face' ORDER BY version;
-- What was published stays as it was.
UPDATE visage.notice SET text = 'You must' WHERE name = 'face' AND version = 2;
INSERT INTO visage.notice (institution, name, purposes, manner, scope, storage, text, digest)
  SELECT id, 'other', ARRAY['login'], '', '', '', '', sha256('x') FROM visage.institution WHERE name = 'consent';
SELECT digest AS shown FROM visage.notice WHERE name = 'face' AND version = 2 \gset
SELECT digest AS retired FROM visage.notice WHERE name = 'face' AND version = 1 \gset

-- Without consent: no registration, no verification, no further reference; a subject from before is no exception. [8.2.5a]
SELECT fixture.verdict(visage.register('c-1', sample('c-1', 1), 'default', 'login'));
SELECT fixture.verdict(visage.verify('c-early', sample('c-early', 2), 'default', 'login'));
SELECT fixture.verdict(visage.add_reference('c-early', sample('c-early', 3), 'default', 'login'));
-- Express consent: to the text in force, to purposes that it tells of, one by one.
SELECT * FROM visage.give_consent('c-1', 'face', :'retired', ARRAY['login'], false);
SELECT * FROM visage.give_consent('c-1', 'face', sha256('another text'), ARRAY['login'], false);
SELECT * FROM visage.give_consent('c-1', 'face', :'shown', ARRAY['advertising'], false);
SELECT * FROM visage.give_consent('c-1', 'face', :'shown', '{}', false);
SELECT * FROM visage.give_consent('c-1', 'face', :'shown', ARRAY['login'], NULL);
SELECT purpose, valid_until BETWEEN now() + '729 days' AND now() + '732 days' AS two_years FROM visage.give_consent('c-1', 'face', :'shown', ARRAY['login'], false, 'counter');
SELECT fixture.verdict(visage.register('c-1', sample('c-1', 1), 'default', 'login'));
SELECT fixture.verdict(visage.verify('c-1', sample('c-1', 2), 'default', 'login'));
-- Only within the purpose told. [8.2.5a]
SELECT fixture.verdict(visage.verify('c-1', sample('c-1', 3), 'default', 'payment'));
SELECT count(*) FROM visage.give_consent('c-1', 'face', :'shown', ARRAY['payment'], false);
SELECT fixture.verdict(visage.verify('c-1', sample('c-1', 4), 'default', 'payment'));
-- Each verdict's record names the consent that it rests on.
SELECT h.operation, h.scenario, h.decision, h.reason, (SELECT l.purpose FROM visage.list_consents('c-1') l WHERE h.object = 'consent ' || l.consent) AS rests_on
FROM visage.history h WHERE h.institution = 'consent' AND h.operation IN ('register', 'verify') AND h.subject = 'c-1' ORDER BY h.event;
-- An impostor is still an impostor, and who is not registered is not told apart by consent.
SELECT fixture.verdict(visage.verify('c-1', sample('c-2', 1), 'default', 'login')), fixture.verdict(visage.verify('c-none', sample('c-none', 1), 'default', 'login'));

-- Withdrawal ends use at once, also for a transaction that began before. [8.2.5a]
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) > 0 AS old_snapshot FROM visage.subject;
SELECT visage.withdraw_consent('c-1', ARRAY['payment']);
SELECT fixture.verdict(visage.verify('c-1', sample('c-1', 5), 'default', 'payment')), fixture.verdict(visage.verify('c-1', sample('c-1', 6), 'default', 'login'));
ROLLBACK;
SELECT fixture.verdict(visage.verify('c-1', sample('c-1', 7), 'default', 'payment'));
SELECT visage.withdraw_consent('c-1'), visage.withdraw_consent('c-1'), visage.withdraw_consent('nobody');
SELECT fixture.verdict(visage.verify('c-1', sample('c-1', 8), 'default', 'payment')), fixture.verdict(visage.verify('c-1', sample('c-1', 9), 'default', 'login'));
-- It can be given again; both stay on record, and so does who ended which.
SELECT count(*) FROM visage.give_consent('c-1', 'face', :'shown', ARRAY['login'], false);
SELECT count(*) FROM visage.give_consent('c-1', 'face', :'shown', ARRAY['login', 'login'], false);
SELECT fixture.verdict(visage.verify('c-1', sample('c-1', 10), 'default', 'login'));
SELECT purpose, notice, version, channel, ended_at IS NOT NULL AS ended, ended_by FROM visage.list_consents('c-1');
-- In a session as well the verdict's event names the whole consent.
SELECT session, nonce FROM visage.open_session('c-1', 'verify', 'login') \gset
SELECT fixture.verdict(visage.verify('c-1', visage.seal_probe(fixture.feature('c-1', 12), 'test/1', 0.9, 'consent', session_nonce => :'nonce'),
                                     'default', 'login', jsonb_build_object('session', :'session')));
SELECT object ~ '^session/consent [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' AS names_both FROM visage.history WHERE subject = 'c-1' ORDER BY event DESC LIMIT 1;
-- A consent that is over does not count.
UPDATE visage.consent SET valid_until = now() - interval '1 second' WHERE subject = 'c-1' AND ended_at IS NULL;
SELECT fixture.verdict(visage.verify('c-1', sample('c-1', 11), 'default', 'login'));
SELECT count(*) FROM visage.give_consent('c-1', 'face', :'shown', ARRAY['login'], false);

-- Under 14 a guardian consents, for a year; the statement is kept with its time, a date of birth is not. [8.2.2c]
SELECT * FROM visage.give_consent('c-child', 'face', :'shown', ARRAY['login'], true);
SELECT valid_until BETWEEN now() + '364 days' AND now() + '367 days' AS a_year FROM visage.give_consent('c-child', 'face', :'shown', ARRAY['login'], true, 'default', 'c-1', 'mother');
SELECT under_14, by_guardian FROM visage.list_consents('c-child');
SELECT fixture.verdict(visage.register('c-child', sample('c-child', 1), 'default', 'login'));

-- Rules: a purpose of another name, a channel that rests on another ground. The channel's row goes first.
INSERT INTO visage.consent_rule (institution, scenario, purpose) SELECT id, 'payment', 'login' FROM visage.institution WHERE name = 'consent';
SELECT fixture.verdict(visage.verify('c-1', sample('c-1', 12), 'default', 'payment'));
INSERT INTO visage.consent_rule (institution, channel, required) SELECT id, 'counter', false FROM visage.institution WHERE name = 'consent';
SELECT fixture.verdict(visage.verify('c-early', sample('c-early', 4), 'counter', 'payment')), fixture.verdict(visage.verify('c-early', sample('c-early', 5), 'default', 'payment'));
DELETE FROM visage.consent_rule WHERE channel = 'counter';
SELECT fixture.verdict(visage.verify('c-early', sample('c-early', 6), 'counter', 'payment'));
-- Retiring the last notice does not lift what it promised.
UPDATE visage.notice SET retired_at = now() WHERE name = 'face' AND version = 2;
SELECT fixture.verdict(visage.verify('c-early', sample('c-early', 7), 'default', 'login')), fixture.verdict(visage.verify('c-1', sample('c-1', 13), 'default', 'login'));
SELECT * FROM visage.give_consent('c-2', 'face', :'shown', ARRAY['login'], false);

-- Only institutions entitled to collect do: once entitlement is recorded it must be valid. Verification goes on. [8.2.2a]
INSERT INTO visage.entitlement (institution, basis, valid_from, valid_until) SELECT id, 'licence 1', '2020-01-01', '2021-01-01' FROM visage.institution WHERE name = 'consent';
SELECT fixture.verdict(visage.add_reference('c-1', sample('c-1', 14), 'default', 'login')), fixture.verdict(visage.register('c-3', sample('c-3', 1), 'default', 'login')),
       fixture.verdict(visage.verify('c-1', sample('c-1', 15), 'default', 'login'));
INSERT INTO visage.entitlement (institution, basis, valid_until) SELECT id, 'licence 2', now() + '1 year' FROM visage.institution WHERE name = 'consent';
SELECT fixture.verdict(visage.add_reference('c-1', sample('c-1', 16), 'default', 'login')), fixture.verdict(visage.register('c-3', sample('c-3', 1), 'default', 'login'));

-- Every change is an event: of policy under its row's key, of a person under the surrogate, never by name. [8.2.5b]
SELECT operation, split_part(object, ' ', 1) AS object, note, count(*) FROM visage.history
WHERE institution = 'consent' AND operation IN ('give_consent', 'withdraw_consent', 'change') AND object !~ 'channel|scenario|source|institution' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT object FROM visage.history WHERE institution = 'consent' AND operation = 'change' AND object ~ 'notice|consent_rule|entitlement' ORDER BY event;
SELECT count(*) FROM visage.event e WHERE concat_ws(' ', object, note, biz_id, channel) ~ '\m(c-1|c-child|mother)\M';

-- Everything held about a person, except secrets. [8.2.2c]
SELECT k AS part, CASE jsonb_typeof(v) WHEN 'array' THEN jsonb_array_length(v)::text ELSE jsonb_typeof(v) END AS what
FROM jsonb_each(visage.export_subject('c-child')) t (k, v) ORDER BY 1;
SELECT jsonb_pretty((visage.export_subject('c-child') #> '{consents,0}') - '{id,given_at,valid_until,digest}'::text[] #- '{notice,published_at}' #- '{notice,retired_at}') AS consent;
SELECT x::text LIKE '%' || encode(k.wrapped, 'hex') || '%' OR x::text LIKE '%' || substr(r.reference::text, 40, 20) || '%' AS tells_secrets
FROM visage.export_subject('c-child') x, visage.subject s JOIN visage.subject_key k ON k.subject = s.id JOIN visage.subject_reference r ON r.subject = s.id
WHERE s.external_id = 'c-child';
SELECT visage.export_subject('c-nobody');
-- Also about who is not registered, or not yet: what is held under the name, and not under that of somebody else.
SELECT session IS NOT NULL AS opened FROM visage.open_session('c-later', 'register', 'login');
SELECT x -> 'registered' AS registered, jsonb_array_length(x -> 'sessions') AS sessions, jsonb_array_length(x -> 'attempts') AS attempts FROM visage.export_subject('c-later') x;
INSERT INTO visage.attempt_limit (institution, kind, with_liveness, free_failures, first_delay, max_delay)
  SELECT id, 'subject', l, 5, '30 seconds', '1 hour' FROM visage.institution, unnest(ARRAY[false, true]) l WHERE name = 'consent';
SELECT fixture.verdict(visage.verify('c-guessed', sample('c-guessed', 1), 'default', 'login'));
SELECT jsonb_array_length(x -> 'sessions') AS sessions, x #>> '{attempts,0,kind}' AS kind, x #>> '{attempts,0,failures}' AS failures FROM visage.export_subject('c-guessed') x;
-- What was handed out about a person is recorded with its digest: the database's part of what is asked of sharing. [8.2.5e]
SELECT operation, subject, after IS NOT NULL AS digest FROM visage.history WHERE operation = 'export_subject' AND institution = 'consent' LIMIT 1;
-- Who adds a table that names a subject adds it to the export, and to what a cancellation deletes.
SELECT a.attrelid::regclass AS names_a_subject, EXISTS (SELECT FROM pg_constraint c WHERE c.conrelid = a.attrelid AND c.confrelid = 'visage.subject'::regclass AND c.confdeltype = 'c') AS cascades,
       pg_get_functiondef('visage.export_subject(text)'::regprocedure) ~ (a.attrelid::regclass || '\M') AS exported
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE c.relnamespace = 'visage'::regnamespace AND c.relkind = 'r' AND a.attname = 'subject' ORDER BY 1;

-- With the subject go its consents; what was recorded stays under the surrogate. [5.3.4] [8.2.5g]
SELECT fixture.verdict(visage.cancel('c-child', 'default', 'login'));
SELECT count(*) FROM visage.consent WHERE subject = 'c-child';
SELECT count(*) FROM visage.consent WHERE subject = 'c-1';
-- Another institution's consents are out of reach.
SET visage.institution = 'default';
SELECT * FROM visage.list_consents('c-1');
SELECT visage.withdraw_consent('c-1');
CREATE ROLE consent_service IN ROLE visage_service;
SET ROLE consent_service;
SET visage.institution = 'consent';
SELECT visage.withdraw_consent('c-1');
SELECT visage.export_subject('c-1');
RESET ROLE;
DROP ROLE consent_service;
RESET visage.institution;
-- Other institutions are asked for nothing.
SELECT fixture.verdict(visage.register('c-1', fixture.probe('c-1', 1))), fixture.verdict(visage.cancel('c-1'));
DROP FUNCTION sample(text, int);
