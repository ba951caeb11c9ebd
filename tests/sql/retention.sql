-- Kept for the shortest time that serves the purpose, then erased; and on the list that a restore needs. [8.2.4d] [8.2.5g]
SET timezone = 'UTC';
SELECT visage.grant_institution('retention', current_user::regrole);
INSERT INTO visage.channel (institution, name) SELECT id, 'default' FROM visage.institution WHERE name = 'retention';
INSERT INTO visage.scenario (institution, name) SELECT id, s FROM visage.institution, unnest(ARRAY['default', 'login', 'payment']) s WHERE institution.name = 'retention';
SELECT id AS institution FROM visage.institution WHERE name = 'retention' \gset
SET visage.institution = 'retention';
SELECT visage.add_capture_source('retention') IS NOT NULL AS shown;
CREATE FUNCTION sample(person text, i int) RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe(fixture.feature(person, i), 'test/1', 0.9, 'retention') $$;
CREATE FUNCTION people() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(external_id, ' ' ORDER BY external_id) FROM visage.subject WHERE institution = (SELECT id FROM visage.institution WHERE name = 'retention') $$;
CREATE FUNCTION house(dry_run boolean) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s %s/%s', task, done, due), ', ') FROM visage.keep_house(dry_run) WHERE task IN ('details', 'consents', 'subjects', 'erasures') $$;
INSERT INTO visage.attempt_limit (institution, kind, with_liveness, free_failures, first_delay, max_delay)
  SELECT :institution, 'subject', l, 5, '30 seconds', '1 hour' FROM unnest(ARRAY[false, true]) l;
SELECT p AS person, fixture.verdict(visage.register(p, sample(p, 1))) FROM unnest(ARRAY['r-new', 'r-old', 'r-used']) p;
SELECT fixture.verdict(visage.verify('r-used', sample('r-used', 2))), fixture.verdict(visage.verify('r-old', sample('nobody', 2)));

-- Without rules nothing is due, however old.
UPDATE visage.subject SET registered_at = now() - interval '3 years' WHERE external_id IN ('r-old', 'r-used');
SELECT house(false), people();
-- A rule, looked at first and then applied: whoever was not accepted for two years goes, the other stays.
INSERT INTO visage.retention (institution, since, keep) VALUES (:institution, 'last_use', '2 years');
SELECT house(true), people();
SELECT id AS old FROM visage.subject WHERE external_id = 'r-old' \gset
SELECT house(false), people();
SELECT house(false), people();
-- Gone with key and references; the ledger holds, and names no one. [8.2.5g]
SELECT (SELECT count(*) FROM visage.subject_key WHERE subject = :'old') AS keys, (SELECT count(*) FROM visage.subject_reference WHERE subject = :'old') AS refs;
SELECT operation, subject, note FROM visage.history WHERE subject_surrogate = :'old' AND operation <> 'settle' ORDER BY event;
SELECT * FROM visage.verify_ledger();
SELECT count(*) AS named FROM visage.event e WHERE e::text ~ 'r-old';
-- Its counter of attempts stays, and leads nobody who knows the name to those events.
SELECT count(*) AS counters, count(a.subject) AS lead FROM visage.attempt a WHERE a.kind = 'subject' AND a.key = visage.subject_hash(:institution, 'r-old');
SELECT fixture.verdict(visage.verify('r-old', sample('r-old', 3)));
-- The other rules. Registration: whatever came after it.
INSERT INTO visage.retention (institution, since, keep) VALUES (:institution, 'registration', '30 months');
SELECT house(false), people();
DELETE FROM visage.retention;
-- What the ledger no longer has cannot tell a use: then nobody goes by it.
BEGIN;
UPDATE visage.subject SET registered_at = now() - interval '3 years' WHERE external_id = 'r-new';
INSERT INTO visage.retention (institution, since, keep) VALUES (:institution, 'last_use', '2 years');
UPDATE visage.tree SET archived = 256, archived_head = (SELECT e.head FROM visage.event e WHERE e.head IS NOT NULL LIMIT 1);
SELECT house(true);
UPDATE visage.tree SET archived = 0, archived_head = NULL;
SELECT house(true);
ROLLBACK;

-- Periods by purpose: a consent ends when its own is over; with the last of them goes the subject, after a while.
INSERT INTO visage.notice (institution, name, purposes, manner, scope, storage, text) VALUES (:institution, 'r', ARRAY['login', 'payment'], '', '', '', '');
SELECT digest AS shown FROM visage.notice WHERE institution = :institution \gset
SELECT p, count(*) FROM unnest(ARRAY['r-new', 'r-two', 'r-none']) p, visage.give_consent(p, 'r', :'shown', ARRAY['login', 'payment'], false) GROUP BY 1 ORDER BY 1;
SELECT fixture.verdict(visage.register('r-two', sample('r-two', 1), 'default', 'login'));
INSERT INTO visage.retention (institution, since, purpose, keep) VALUES
  (:institution, 'consent', 'payment', '1 year'), (:institution, 'consent', '*', '3 years'), (:institution, 'consent_end', '*', '30 days'), (:institution, 'unused_consent', '*', '1 day');
SELECT house(true);
UPDATE visage.consent SET given_at = now() - interval '2 years' WHERE institution = :institution;
SELECT house(false), people();
SELECT purpose, ended_by FROM visage.list_consents('r-two') ORDER BY 1;
SELECT count(*) AS of_nobody FROM visage.list_consents('r-none');
SELECT fixture.verdict(visage.verify('r-two', sample('r-two', 2), 'default', 'payment')), fixture.verdict(visage.verify('r-two', sample('r-two', 3), 'default', 'login'));
SELECT visage.withdraw_consent('r-two');
SELECT house(false), people();
UPDATE visage.consent SET ended_at = now() - interval '31 days' WHERE institution = :institution AND subject = 'r-two';
-- Whoever consents again stays.
UPDATE visage.consent SET ended_at = now() - interval '31 days', ended_by = 'withdrawn' WHERE institution = :institution AND subject = 'r-new';
SELECT count(*) FROM visage.give_consent('r-new', 'r', :'shown', ARRAY['login'], false);
SELECT house(false), people();
-- One that is over by itself ends like one that was withdrawn.
UPDATE visage.consent SET valid_until = now() - interval '31 days', ended_at = NULL, ended_by = NULL WHERE institution = :institution AND subject = 'r-new' AND purpose = 'login' AND ended_at IS NULL;
SELECT house(false), people();
DELETE FROM visage.retention;

-- Address and device in clear go when their time is over. [8.2.4d]
INSERT INTO visage.audit_policy VALUES (:institution, '1 hour');
SELECT count(*) FROM visage.give_consent('r-new', 'r', :'shown', ARRAY['login'], false);
SELECT fixture.verdict(visage.register('r-new', sample('r-new', 9), 'default', 'login', '{"address": "192.0.2.7"}'));
SELECT house(false);
SELECT string_agg(address, ' ') AS in_clear FROM visage.event_detail WHERE institution = :institution;
UPDATE visage.event_detail SET at = now() - interval '61 minutes' WHERE institution = :institution;
SELECT house(false);
SELECT string_agg(address, ' ') AS in_clear FROM visage.event_detail WHERE institution = :institution;
SELECT * FROM visage.verify_ledger();
DELETE FROM visage.audit_policy;

-- Counters at zero go; those that count stay. [8.2.5d]
INSERT INTO visage.attempt_limit (institution, kind, with_liveness, period_failures, period) VALUES (:institution, 'device', false, 20, '10 minutes');
INSERT INTO visage.attempt (institution, kind, key, failures, failures_in_period, period_start, last_failure, updated_at) VALUES
  (:institution, 'device', substr(sha256('1'), 1, 16), 0, 0, NULL, now(), now()),
  (:institution, 'device', substr(sha256('2'), 1, 16), 1, 0, NULL, now(), now()),
  (:institution, 'device', substr(sha256('3'), 1, 16), 0, 1, now() - interval '2 years', now(), now()),
  (:institution, 'device', substr(sha256('4'), 1, 16), 0, 1, now(), now(), now());
SELECT due > 1 AS due, done = due AS done FROM visage.keep_house() WHERE task = 'attempts';
SELECT failures, failures_in_period FROM visage.attempt WHERE institution = :institution AND kind = 'device' ORDER BY 1, 2;
DELETE FROM visage.attempt WHERE institution = :institution AND kind = 'device';

-- The list of erasures: subjects, single references, ended consents; by names that only the keys can make.
SELECT kind, count(*), count(DISTINCT hash), bool_and(length(hash) = 16) AS keyed FROM visage.erasure_list() WHERE institution = :institution GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM visage.erasure_list() WHERE encode(hash, 'hex') IN (SELECT replace(e.subject::text, '-', '') FROM visage.event e);
SELECT count(*) = 1 AS listed FROM visage.erasure_list() WHERE kind = 'subject' AND hash = visage.erasure_hash(:institution, :'old', key_version);
SELECT count(*) FROM visage.erasure_list(now() + interval '1 hour');
SELECT visage.erasure_hash(1, :'old', 999);
-- Cancelling lists too, in the same transaction. A list that is loaded twice is the same list.
SELECT count(*) AS before FROM visage.erasure WHERE kind = 'subject' \gset
BEGIN;
SELECT fixture.verdict(visage.cancel('r-new', 'default', 'login'));
SELECT count(*) - :before AS more FROM visage.erasure WHERE kind = 'subject';
ROLLBACK;
SELECT count(*) - :before AS more FROM visage.erasure WHERE kind = 'subject';
INSERT INTO visage.erasure SELECT * FROM visage.erasure_list();
SELECT count(*) - :before AS more FROM visage.erasure WHERE kind = 'subject';
-- It is kept as long as backups are.
INSERT INTO visage.retention (institution, since, keep) VALUES (:institution, 'erasure', '90 days');
SELECT house(true);
UPDATE visage.erasure SET erased_at = now() - interval '91 days' WHERE institution = :institution;
SELECT house(false) ~ 'erasures ([0-9]+)/\1' AS shortened;
SELECT count(*) FROM visage.erasure WHERE institution = :institution;
DELETE FROM visage.retention;

SELECT fixture.verdict(visage.cancel('r-new', 'default', 'login')), people();
RESET visage.institution;
INSERT INTO visage.retention (institution, since, purpose, keep) VALUES (1, 'last_use', 'login', '1 day');
INSERT INTO visage.retention (institution, since, keep) VALUES (1, 'birth', '1 day');
DROP FUNCTION sample(text, int), people(), house(boolean);
