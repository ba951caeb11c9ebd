-- Verification, comparison, score. More wrong faces than an attempt limit allows: attempt.sql has those.
UPDATE visage.attempt_limit SET free_failures = NULL, first_delay = NULL, max_delay = NULL, hard_stop = NULL, period_failures = NULL, period = NULL;
SELECT fixture.verdict(visage.register('match-1', fixture.probe('match-1', 1)));
-- The same person is accepted, another is rejected, nobody is refused, where the references are stored. [5.3.2] [6.3a] [6.3c] [6.6c]
SELECT fixture.verdict(visage.verify('match-1', fixture.probe('match-1', s))) FROM generate_series(2, 6) s;
SELECT fixture.verdict(visage.verify('match-1', fixture.probe('match-x' || s, 1))), count(*) FROM generate_series(1, 200) s GROUP BY 1;
SELECT fixture.verdict(visage.verify('match-nobody', fixture.probe('match-1', 2)));
-- An unknown subject's outcome has the shape of a non-match.
SELECT (o).decision, (o).channel, (o).target_fmr, (o).model, (o).policy_version = (SELECT version FROM visage.policy_version) AS policy, (o).retry_after, (o).event IS NOT NULL AS event, (o).reference
FROM (SELECT visage.verify(s, fixture.probe('match-2', 1)) o FROM unnest(ARRAY['match-1', 'match-nobody']) s OFFSET 0) x;

-- A probe is used once, whatever the caller's transaction does.
CREATE TEMP TABLE p AS SELECT fixture.probe('match-1', 7) AS probe;
BEGIN;
SELECT fixture.verdict(visage.verify('match-1', probe)) FROM p;
ROLLBACK;
SELECT fixture.verdict(visage.verify('match-1', probe)) FROM p;
SELECT fixture.verdict(visage.register('match-replay', probe)) FROM p;
SELECT fixture.verdict(visage.compare(probe, fixture.probe('match-1', 8))) FROM p;
-- Also twice within one call.
TRUNCATE p; INSERT INTO p SELECT fixture.probe('match-1', 9);
SELECT fixture.verdict(visage.compare(probe, probe)) FROM p;

-- Expired, dated ahead, or older than any probe may be. [8.2.3a]
SELECT fixture.verdict(visage.verify('match-1', visage.seal_probe(fixture.feature('match-1', 2), 'test/1', 0.9, 'fixture', captured_at => clock_timestamp() - interval '6 minutes')));
SELECT fixture.verdict(visage.verify('match-1', visage.seal_probe(fixture.feature('match-1', 2), 'test/1', 0.9, 'fixture', captured_at => clock_timestamp() + interval '5 minutes')));
SELECT fixture.verdict(visage.verify('match-1', visage.seal_probe(fixture.feature('match-1', 2), 'test/1', 0.9, 'fixture', captured_at => clock_timestamp() - interval '11 minutes', lifetime => '1 day')));

-- Another model is never compared. [6.3d]
SELECT fixture.verdict(visage.verify('match-1', fixture.probe('match-1', 2, 128, 'test/2')));
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at) VALUES ('test/2', 'RFR-1/1024', 1e-5, 0.01, 'made up', '2026-01-01'), ('test/2', 'plain', 1e-5, 0.01, 'made up', '2026-01-01');
SELECT fixture.verdict(visage.verify('match-1', fixture.probe('match-1', 2, 128, 'test/2')));
SELECT fixture.verdict(visage.verify('match-1', fixture.probe('match-1', 2, 64)));
SELECT fixture.verdict(visage.compare(fixture.probe('match-1', 2), fixture.probe('match-1', 2, 128, 'test/2')));
DELETE FROM visage.calibration WHERE model = 'test/2';

-- Person against document. [6.6f] [6.2c]
SELECT fixture.verdict(visage.compare(fixture.probe('match-3', 1), fixture.probe('match-3', 2)));
SELECT fixture.verdict(visage.compare(fixture.probe('match-3', 1), fixture.probe('match-4', 1)));
-- The document needs no liveness and no resolution, the person does.
SELECT fixture.verdict(visage.compare(fixture.probe('match-3', 1), fixture.probe('match-3', 2, liveness => NULL, quality => '{}')));
SELECT fixture.verdict(visage.compare(fixture.probe('match-3', 1, liveness => NULL), fixture.probe('match-3', 2)));

-- Several references: the best one decides. [6.2f]
SELECT fixture.verdict(visage.add_reference('match-1', fixture.probe('match-1', 10)));
SELECT count(*) FROM visage.list_references('match-1');
SELECT fixture.verdict(visage.verify('match-1', fixture.probe('match-1', 11)));
SELECT fixture.verdict(visage.verify('match-1', fixture.probe('match-5', 1)));

-- Scores are for calibrators; they estimate the cosine and consume no probe. [6.3b]
TRUNCATE p; INSERT INTO p SELECT fixture.probe('match-1', 12);
SELECT count(*), bool_and(score > 0.5) AS genuine, max(score) < 1.1 AS bounded FROM (
  SELECT visage.score(r.reference, p.probe) FROM visage.references_for_calibration() r, p WHERE r.subject = 'match-1') s;
SELECT bool_and(abs(score) < 0.5) AS impostors FROM (
  SELECT visage.score(r.reference, fixture.probe('match-x' || i, 1)) FROM visage.references_for_calibration() r, generate_series(1, 50) i WHERE r.subject = 'match-1') s;
SELECT fixture.verdict(visage.verify('match-1', probe)) FROM p;
SELECT visage.score(r.reference, fixture.probe('match-1', 2, 128, 'test/2')) IS NULL AS other_model FROM visage.references_for_calibration() r WHERE r.subject = 'match-1' LIMIT 1;
SELECT visage.score(NULL, (SELECT probe FROM p));
SELECT visage.score((SELECT reference FROM visage.references_for_calibration() LIMIT 1), NULL);

-- A reference copied to another subject does not open: the call fails, nobody is accepted. [8.2.4e]
SELECT fixture.verdict(visage.register('match-victim', fixture.probe('match-victim', 1)));
BEGIN;
UPDATE visage.subject_reference SET reference = (SELECT r.reference FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.external_id = 'match-1' LIMIT 1)
WHERE subject = (SELECT id FROM visage.subject WHERE external_id = 'match-victim');
SELECT visage.verify('match-victim', fixture.probe('match-1', 13));
ROLLBACK;
-- Nor does one put into another row of the same subject, as when an older backup of a row is put back.
BEGIN;
UPDATE visage.subject_reference a SET reference = b.reference FROM visage.subject_reference b JOIN visage.subject s ON s.id = b.subject
WHERE s.external_id = 'match-1' AND a.subject = b.subject AND a.id <> b.id;
SELECT visage.verify('match-1', fixture.probe('match-1', 14));
ROLLBACK;
-- So does a key that was copied along.
BEGIN;
UPDATE visage.subject_key SET wrapped = (SELECT k.wrapped FROM visage.subject_key k JOIN visage.subject s ON s.id = k.subject WHERE s.external_id = 'match-1')
WHERE subject = (SELECT id FROM visage.subject WHERE external_id = 'match-victim');
SELECT visage.verify('match-victim', fixture.probe('match-1', 13));
ROLLBACK;
-- A reference of a cancelled subject has no key any more. [8.2.5g]
CREATE TEMP TABLE kept AS SELECT reference FROM visage.references_for_calibration() WHERE subject = 'match-victim';
SELECT fixture.verdict(visage.cancel('match-victim'));
SELECT visage.score(reference, fixture.probe('match-victim', 2)) FROM kept;

-- Also within one function, after so many scores that the keys are kept at hand.
SELECT fixture.verdict(visage.register('match-gone', fixture.probe('match-gone', 1)));
DO $$
DECLARE
  r visage.reference := (SELECT reference FROM visage.references_for_calibration() WHERE subject = 'match-gone');
  p visage.probe := fixture.probe('match-gone', 2);
  s double precision;
BEGIN
  FOR i IN 1 .. 601 LOOP
    IF i = 601 THEN PERFORM visage.cancel('match-gone'); END IF;
    s := visage.score(r, p);
  END LOOP;
END $$;
-- A scan that uses them gives what single calls give.
SELECT count(*) AS scored, count(DISTINCT score) AS scores FROM (
  SELECT visage.score(r.reference, p.probe) AS score FROM visage.references_for_calibration() r, p, generate_series(1, 600) WHERE r.subject = 'match-1') s;
-- However the keys are found: all in a hash, read ahead where that has no room, or each through the index.
BEGIN;
CREATE TEMP TABLE scan ON COMMIT DROP AS SELECT fixture.probe('scan-300', 2) AS probe;
SELECT count(*) FROM (SELECT visage.register('scan-' || i, fixture.probe('scan-' || i, 1)) FROM generate_series(1, 600) i OFFSET 0) s;
CREATE TEMP TABLE scanned ON COMMIT DROP AS SELECT subject, reference FROM visage.references_for_calibration() WHERE subject LIKE 'scan-%';
CREATE TEMP TABLE shuffled ON COMMIT DROP AS SELECT * FROM scanned ORDER BY hashtext(subject);
CREATE TEMP TABLE at_once ON COMMIT DROP AS SELECT s.subject, visage.score(s.reference, p.probe) FROM scanned s, scan p;
SET LOCAL work_mem = '64kB';
SET LOCAL hash_mem_multiplier = 1;
CREATE TEMP TABLE ahead ON COMMIT DROP AS SELECT s.subject, visage.score(s.reference, p.probe) FROM scanned s, scan p;
CREATE TEMP TABLE through_index ON COMMIT DROP AS SELECT s.subject, visage.score(s.reference, p.probe) FROM shuffled s, scan p;
SELECT a.subject FROM at_once a WHERE score > 0.5;
SELECT count(*), bool_and(a.score = b.score AND a.score = c.score) AS same
FROM at_once a JOIN ahead b USING (subject) JOIN through_index c USING (subject);
-- Several references of one subject follow each other.
SELECT count(visage.score(s.reference, p.probe)) FROM (SELECT * FROM scanned, generate_series(1, 3) OFFSET 0) s, scan p;
ROLLBACK;

-- Bad input.
SELECT visage.verify(NULL, fixture.probe('a', 1));
SELECT visage.verify('', fixture.probe('a', 1));
SELECT visage.verify(repeat('x', 257), fixture.probe('a', 1));
SELECT visage.verify(E'a\nb', fixture.probe('a', 1));
SELECT visage.verify('a', NULL);
SELECT visage.verify('a', fixture.probe('a', 1), NULL);
SELECT visage.verify('a', fixture.probe('a', 1), 'no-channel');
SELECT visage.verify('a', fixture.probe('a', 1), 'default', 'no-scenario');
SELECT visage.verify('a', fixture.probe('a', 1), 'default', NULL);
SELECT visage.verify('a', fixture.probe('a', 1), 'default', 'default', NULL);
SELECT visage.verify('a', fixture.probe('a', 1), 'default', 'default', '[]');
SELECT visage.verify('a', fixture.probe('a', 1), 'default', 'default', '{"biz_id": 7}');
SELECT visage.verify('a', fixture.probe('a', 1), 'default', 'default', jsonb_build_object('biz_id', repeat('x', 129)));
SELECT visage.verify('a', fixture.probe('a', 1), 'default', 'default', jsonb_build_object('x', repeat('x', 20000)));
SELECT visage.verify('a', fixture.probe('a', 1), repeat('c', 100000));
SELECT visage.compare(NULL, fixture.probe('a', 1));
SELECT visage.compare(fixture.probe('a', 1), NULL);
