-- One person, one id: who registers is looked for among those who are. [6.2c]
-- An institution of its own, so that other tests' people are not among the compared.
\set ECHO none
CREATE FUNCTION pg_temp.probe(person text, sample int, model text DEFAULT 'test/1') RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe(fixture.feature($1, $2), $3, 0.9, 'duplicate') $$;
CREATE FUNCTION pg_temp.register(name text, person text, sample int, scenario text DEFAULT 'default') RETURNS text LANGUAGE sql AS $$
  SELECT fixture.verdict(visage.register($1, pg_temp.probe($2, $3), 'default', $4)) $$;
\set ECHO all
CREATE ROLE duplicate_caller LOGIN IN ROLE visage_admin, visage_service, visage_capture, visage_auditor;
CREATE ROLE duplicate_ann LOGIN IN ROLE duplicate_caller;
CREATE ROLE duplicate_bob LOGIN IN ROLE duplicate_caller;
SELECT visage.grant_institution('duplicate', 'duplicate_caller');
SELECT visage.grant_institution('duplicate', current_user::regrole);
SELECT id AS place FROM visage.institution WHERE name = 'duplicate' \gset
INSERT INTO visage.channel (institution, name) VALUES (:place, 'default');
-- Limits of its own, too: other tests lift those that all share.
INSERT INTO visage.attempt_limit (institution, kind, with_liveness, period_failures, period) SELECT :place, 'device', l, 20, '10 minutes' FROM unnest(ARRAY[true, false]) l;
INSERT INTO visage.scenario (institution, name) VALUES (:place, 'default'), (:place, 'login'), (:place, 'import');
SET visage.institution = 'duplicate';
SELECT visage.add_capture_source('duplicate') IS NOT NULL AS shown;
CREATE TEMP VIEW findings AS SELECT * FROM visage.duplicate_findings WHERE institution = 'duplicate';

-- As shipped nobody is looked for.
SELECT pg_temp.register('off-1', 'p1', 1), pg_temp.register('off-2', 'p1', 2);
SELECT fixture.verdict(visage.cancel('off-2'));

-- Refused: the caller learns that, and not who it is. Somebody else is registered.
INSERT INTO visage.duplicate_policy (institution, action) VALUES (:place, 'refuse');
SELECT pg_temp.register('refused-1', 'p1', 3);
SELECT pg_temp.register('p2', 'p2', 1);
SELECT to_jsonb(o) ->> 'reason' AS reason, to_jsonb(o)::text ~ (SELECT id::text FROM visage.subject WHERE external_id = 'off-1' AND institution = :place) AS names_the_other,
       o.reference FROM visage.register('refused-2', pg_temp.probe('p1', 4)) o;
SELECT count(*) FROM visage.subject WHERE external_id LIKE 'refused-%';
-- Under the own name it is the old refusal, which says less.
SELECT pg_temp.register('p2', 'p2', 2);
SELECT pg_temp.register('p2', 'p1', 5);
-- The ledger has it, under who was found. Nothing is on the list of erasures: nobody came in.
SELECT operation, subject, decision, reason, object ~ '^finding [0-9a-f-]{36}$' AS object,
       regexp_replace(note, '[0-9a-f-]{36}', '…') AS note FROM visage.history
  WHERE institution = 'duplicate' AND operation IN ('register', 'find_duplicate') AND event > (SELECT max(event) FROM visage.history WHERE object = 'insert duplicate_policy *') ORDER BY event;
SELECT kind, subject, found, others, fpir, compared, allowed, state FROM findings ORDER BY found_at;
SELECT count(*) AS known FROM findings f JOIN visage.history h ON h.transaction_id = f.registration AND h.operation = 'register' AND h.reason = 'DUPLICATE_PERSON';
-- Nobody may ask without limit whose face is there: a device has so many failures. [8.2.5d]
INSERT INTO visage.attempt_limit (institution, kind, with_liveness, period_failures, period) VALUES (:place, 'device', false, 20, '10 minutes')
  ON CONFLICT (institution, kind, with_liveness) DO UPDATE SET period_failures = 20, period = '10 minutes';
SELECT fixture.verdict(visage.register('asking-' || i, pg_temp.probe('p1', 100 + i), context => '{"device": "asking"}')), count(*) FROM generate_series(1, 22) i GROUP BY 1 ORDER BY 1;
-- The other model's people cannot be compared, and are not in the way.
INSERT INTO visage.calibration (institution, model, scheme, fmr, threshold, source, measured_at) VALUES (:place, 'other/1', 'RFR-1/1024', 1e-5, 0.5, 'made up', '2026-01-01');
SELECT fixture.verdict(visage.register('other-model', pg_temp.probe('p1', 6, 'other/1')));

-- Flagged: registered, and a finding names both. A row for the scenario goes before the one for all.
INSERT INTO visage.duplicate_policy (institution, scenario, action) VALUES (:place, 'login', 'flag'), (:place, 'import', 'allow');
SELECT pg_temp.register('flagged', 'p1', 7, 'login');
SELECT kind, subject, found, others, state FROM findings WHERE subject IS NOT NULL;
-- Allowed: the ledger alone says so. Of several that look alike the most alike is named, and the others are counted.
SELECT pg_temp.register('allowed', 'p1', 8, 'import');
SELECT object, note ~ '^duplicate: ' AS says, note ~ ', 1 more' AS others FROM visage.history WHERE institution = 'duplicate' AND operation = 'find_duplicate' ORDER BY event DESC LIMIT 1;
SELECT count(*) FROM findings;
-- One rolled back is nobody's duplicate.
BEGIN;
SELECT pg_temp.register('p3-first', 'p3', 1);
ROLLBACK;
SELECT pg_temp.register('p3', 'p3', 2);

-- Where calibration has no threshold for so many it is undetermined, and policy has a say of its own.
UPDATE visage.duplicate_policy SET fpir = 1e-7 WHERE scenario = '*';
SELECT pg_temp.register('p4', 'p4', 1);
UPDATE visage.duplicate_policy SET undetermined = 'flag' WHERE scenario = '*';
SELECT pg_temp.register('p4', 'p4', 2);
SELECT kind, subject, found, compared FROM findings WHERE kind = 'undetermined';
UPDATE visage.duplicate_policy SET undetermined = 'allow' WHERE scenario = '*';
SELECT pg_temp.register('p5', 'p5', 1);
SELECT regexp_replace(note, '[0-9a-f-]{36}', '…') AS note FROM visage.history WHERE institution = 'duplicate' AND operation = 'find_duplicate' ORDER BY event DESC LIMIT 1;
-- So it is where there are too many, which is not even tried.
UPDATE visage.duplicate_policy SET undetermined = 'refuse', fpir = 0.01, scan_limit = 3 WHERE scenario = '*';
SELECT pg_temp.register('p6', 'p6', 1);
SELECT note ~ ' 0 references' AS compared_none FROM visage.history WHERE institution = 'duplicate' AND operation = 'find_duplicate' ORDER BY event DESC LIMIT 1;
UPDATE visage.duplicate_policy SET scan_limit = 20000 WHERE scenario = '*';
-- And where a reference does not open: it may be the very one.
BEGIN;
UPDATE visage.subject_key SET wrapped = set_byte(wrapped, 60, get_byte(wrapped, 60) # 1) WHERE subject = (SELECT id FROM visage.subject WHERE external_id = 'p2' AND institution = :place);
SELECT pg_temp.register('p6', 'p6', 2);
ROLLBACK;
SELECT pg_temp.register('p6', 'p6', 3);

-- Two people let one registration pass: neither by themselves, nor one under two roles; once; under that name alone.
SELECT finding AS f FROM findings WHERE subject = 'flagged' \gset
SET SESSION AUTHORIZATION duplicate_ann;
SELECT visage.allow_duplicate('twin', 'twin sister of p1, documents seen');
SET ROLE duplicate_caller;
SELECT visage.allow_duplicate('twin', 'twin sister of p1, documents seen');
RESET ROLE;
SELECT visage.review_duplicate(:'f', 'same_person', 'the same passport');
SELECT visage.review_duplicate(:'f', 'same_person', 'the same passport');
SELECT visage.review_duplicate(:'f', 'cousins', 'the same passport');
SELECT visage.review_duplicate(:'f', 'same_person', '');
SELECT visage.review_duplicate(gen_random_uuid(), 'same_person', 'a guess');
RESET SESSION AUTHORIZATION;
SELECT pg_temp.register('twin', 'p1', 10);
SET SESSION AUTHORIZATION duplicate_bob;
SELECT visage.allow_duplicate('twin', 'seen, too');
-- Whoever disagrees proposes something else, and is not the one to settle it.
SELECT visage.review_duplicate(:'f', 'different_people', 'other birthplace');
SET SESSION AUTHORIZATION duplicate_ann;
SELECT visage.review_duplicate(:'f', 'different_people', 'so it is');
SELECT visage.review_duplicate(:'f', 'same_person', 'after all');
RESET SESSION AUTHORIZATION;
-- It is not for somebody who is not found, and not used up by them.
SELECT pg_temp.register('p7', 'p7', 1);
BEGIN;
SELECT pg_temp.register('twin', 'p1', 11);
ROLLBACK;
SELECT pg_temp.register('other-twin', 'p1', 12);
SELECT pg_temp.register('twin', 'p1', 13);
SELECT fixture.verdict(visage.cancel('twin'));
SELECT pg_temp.register('twin', 'p1', 14);
SELECT subject, found, allowed, state, resolution, proposed_by, settled_by FROM findings WHERE subject = 'flagged';
SELECT operation, subject, caller, regexp_replace(object, '[0-9a-f-]{36}', '…') AS object, note FROM visage.history
  WHERE institution = 'duplicate' AND operation IN ('allow_duplicate', 'review_duplicate') ORDER BY event;

-- A finding leaves with its subjects; an allowance that nobody used within a day is no longer one.
SELECT fixture.verdict(visage.cancel('flagged'));
SELECT count(*) FROM findings WHERE finding = :'f';
SET SESSION AUTHORIZATION duplicate_ann;
SELECT visage.allow_duplicate('late', 'in time');
SET SESSION AUTHORIZATION duplicate_bob;
SELECT visage.allow_duplicate('late', 'in time');
RESET SESSION AUTHORIZATION;
UPDATE visage.duplicate_allowance SET allowed_at = allowed_at - interval '1 day';
SELECT pg_temp.register('late', 'p1', 15);
-- The keeper deletes it: it names a person.
SELECT due > 0 AS due, done = due AS done FROM visage.keep_house() WHERE task = 'sessions';
SELECT count(*) FROM visage.duplicate_allowance WHERE institution = :place;

-- Who may: no caller and no administrator sees findings.
SET ROLE visage_service;
SELECT count(*) FROM visage.duplicate_findings;
SELECT visage.allow_duplicate('me', 'please');
SET ROLE visage_admin;
SELECT count(*) FROM visage.duplicate_findings;
SELECT visage.review_duplicate(:'f', 'same_person', 'why not');
RESET ROLE;
-- Another institution's people are neither compared nor shown.
SET visage.institution = 'default';
SELECT fixture.verdict(visage.register('dup-elsewhere', fixture.probe('p1', 16)));
SELECT fixture.verdict(visage.cancel('dup-elsewhere'));
-- What policy may say.
INSERT INTO visage.duplicate_policy (institution, scenario, action) VALUES (1, 'x', 'warn');
INSERT INTO visage.duplicate_policy (institution, scenario, action, fpir) VALUES (1, 'x', 'flag', 0);
DROP OWNED BY duplicate_caller, duplicate_ann, duplicate_bob;
