-- Calibration on one's own people. [6.3b] [7.1]
BEGIN;
-- Forty people in an institution of their own; two labelled probes of each.
SELECT visage.grant_institution('calibration', 'visage_calibrator');
INSERT INTO visage.channel (institution, name) SELECT id, 'default' FROM visage.institution WHERE name = 'calibration';
INSERT INTO visage.scenario (institution, name) SELECT id, 'default' FROM visage.institution WHERE name = 'calibration';
SET LOCAL visage.institution = 'calibration';
SELECT visage.add_capture_source('calibration') IS NOT NULL AS shown;
SELECT count(*) AS registered FROM (
  SELECT visage.register('c' || i, visage.seal_probe(fixture.feature('calibration-' || i, 1), 'test/1', source => 'calibration')) o
  FROM generate_series(1, 40) i OFFSET 0) x WHERE (o).decision = 'accept';
CREATE TEMP TABLE labelled AS
  SELECT 'c' || i AS subject, visage.seal_probe(fixture.feature('calibration-' || i, s), 'test/1', source => 'calibration') AS probe
  FROM generate_series(1, 40) i, generate_series(2, 3) s;
GRANT SELECT ON labelled TO visage_calibrator;
SET LOCAL ROLE visage_calibrator;
SELECT model, scheme, fmr, threshold BETWEEN 0.1 AND 0.5 AS threshold_between, fmr_low <= fmr AND fmr <= fmr_high + 1e-9 AS fmr_within,
       fnmr, fnmr_low, fnmr_high, people, genuine_pairs, impostor_pairs
FROM visage.measure_accuracy('labelled', ARRAY[0.1, 0.01]);
-- The threshold keeps the rate on these very pairs, and one step lower does not.
SELECT count(*) FILTER (WHERE score >= threshold) <= 31 AS kept, count(*) FILTER (WHERE score >= threshold - 0.05) > 31 AS tight
FROM visage.measure_accuracy('labelled', ARRAY[0.01]) m,
     (SELECT visage.score(r.reference, l.probe) AS score FROM labelled l, visage.references_for_calibration() r WHERE r.subject <> l.subject) s;
-- It goes into the table as it is, and no probe was consumed.
INSERT INTO visage.calibration (institution, model, scheme, fmr, threshold, fnmr, fnmr_low, fnmr_high, people, genuine_pairs, impostor_pairs, source, measured_at)
SELECT (SELECT DISTINCT institution FROM visage.channel WHERE institution <> 1), model, scheme, fmr, threshold, fnmr, fnmr_low, fnmr_high, people, genuine_pairs, impostor_pairs, 'our own people', '2026-01-01'
FROM visage.measure_accuracy('labelled', ARRAY[0.01]);
RESET ROLE;
UPDATE visage.channel SET target_fmr = 0.01 WHERE institution <> 1;
SELECT fixture.verdict(visage.verify(subject, probe)), count(*) FROM labelled GROUP BY 1;

-- Every change is kept: who, what, before and after; nobody rewrites it.
UPDATE visage.calibration SET enabled = false WHERE source = 'our own people';
DELETE FROM visage.calibration WHERE source = 'our own people';
SELECT changed_by = current_user AS me, changed_by = 'visage_calibrator' AS calibrator, operation, before ->> 'enabled' AS was, after ->> 'enabled' AS is
FROM visage.calibration_history WHERE coalesce(after, before) ->> 'source' = 'our own people' ORDER BY at;
SAVEPOINT s; DELETE FROM visage.calibration_history; ROLLBACK TO s;
-- Too few pairs are refused with the number needed; nonsense with what is wrong.
SAVEPOINT s; SELECT visage.measure_accuracy('labelled'); ROLLBACK TO s;
SAVEPOINT s; SELECT visage.measure_accuracy('labelled', ARRAY[0.005]); ROLLBACK TO s;
SAVEPOINT s; SELECT visage.measure_accuracy('labelled', ARRAY[0]); ROLLBACK TO s;
SAVEPOINT s; SELECT visage.measure_accuracy('labelled', '{}'); ROLLBACK TO s;
SAVEPOINT s; SELECT visage.measure_accuracy(NULL); ROLLBACK TO s;
SAVEPOINT s; SELECT visage.measure_accuracy('labelled', ARRAY[0.1], 'no_such_column'); ROLLBACK TO s;
CREATE TEMP VIEW few AS SELECT * FROM labelled LIMIT 4;
SAVEPOINT s; SELECT visage.measure_accuracy('few', ARRAY[0.5]); ROLLBACK TO s;
CREATE TEMP VIEW strangers AS SELECT 'x' || subject AS subject, probe FROM labelled;
SAVEPOINT s; SELECT visage.measure_accuracy('strangers', ARRAY[0.1]); ROLLBACK TO s;
-- Only calibrators.
SET LOCAL ROLE visage_service;
SAVEPOINT s; SELECT visage.measure_accuracy('labelled', ARRAY[0.1]); ROLLBACK TO s;
ROLLBACK;

-- Every instruction set gives the same score, bit for bit.
SELECT fixture.verdict(visage.register('kernels-1', fixture.probe('kernels-1', 1)));
CREATE TEMP TABLE p AS SELECT fixture.probe('kernels-1', 2) AS probe;
SELECT visage.score(reference, probe) AS best FROM visage.references_for_calibration(), p WHERE subject = 'kernels-1' \gset
SET visage.kernels = 'scalar';
SELECT visage.score(reference, probe) = :best AS same FROM visage.references_for_calibration(), p WHERE subject = 'kernels-1';
RESET visage.kernels;
SET visage.kernels = 'mmx';
