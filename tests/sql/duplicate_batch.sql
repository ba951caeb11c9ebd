-- People who are there under two names already: a whole gallery against itself, for review. [6.2c]
-- An institution of its own.
\set ECHO none
CREATE FUNCTION pg_temp.probe(person text, sample int) RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe(fixture.feature($1, $2), 'test/1', 0.9, 'batch') $$;
CREATE FUNCTION pg_temp.register(name text, person text, sample int DEFAULT 1) RETURNS text LANGUAGE sql AS $$
  SELECT fixture.verdict(visage.register($1, pg_temp.probe($2, $3))) $$;
\set ECHO all
\pset null '-'
\set SHOW_CONTEXT never
CREATE ROLE batch_admin LOGIN IN ROLE visage_admin;
CREATE ROLE batch_auditor LOGIN IN ROLE visage_auditor;
CREATE ROLE batch_other LOGIN IN ROLE visage_service, visage_search, visage_auditor;
SELECT visage.grant_institution('batch', r::regrole) FROM unnest(ARRAY['batch_admin', 'batch_auditor', 'batch_other', current_user]) r;
SELECT id AS place FROM visage.institution WHERE name = 'batch' \gset
INSERT INTO visage.channel (institution, name) VALUES (:place, 'default');
INSERT INTO visage.scenario (institution, name) VALUES (:place, 'default');
SET visage.institution = 'batch';
SELECT visage.add_capture_source('batch') IS NOT NULL AS shown;
CREATE TEMP VIEW findings AS SELECT kind, subject, found, others, fpir, compared, state FROM visage.duplicate_findings WHERE institution = 'batch' ORDER BY 2, 3;

-- Without a gallery there is nothing to compare; with one, nothing is without a measured threshold. [6.3b]
SELECT * FROM visage.find_duplicates('test/1');
SELECT visage.open_gallery('test/1', 128);
SELECT count(pg_temp.register('b-' || i, 'b-' || i)) FROM generate_series(1, 40) i;
SELECT * FROM visage.find_duplicates('test/1');
INSERT INTO visage.calibration (institution, model, scheme, fmr, threshold, source, measured_at)
  SELECT :place, 'test/1', 'gallery/1024', fmr, threshold, 'made up', '2026-01-01' FROM (VALUES (1e-3, 0.45), (1e-4, 0.5)) t (fmr, threshold);
-- 40 codes keep a 39th of the rate each, and nothing was measured as far as that of 1e-3.
SELECT * FROM visage.find_duplicates('test/1', 1e-3);
SELECT * FROM visage.find_duplicates('test/1');
SELECT * FROM findings;

-- Two under other names, one of whom has a second reference, and one of whom came before the gallery's next epoch.
SELECT pg_temp.register('b-1-again', 'b-1', 2), pg_temp.register('b-7-again', 'b-7', 2);
SELECT fixture.verdict(visage.add_reference('b-7', pg_temp.probe('b-7', 3)));
SELECT visage.open_gallery('test/1', 128);
SELECT pg_temp.register('b-9-again', 'b-9', 2);
SELECT * FROM visage.find_duplicates('test/1');
SELECT * FROM findings;
-- Run again, with as many workers as one likes, it finds the same and opens nothing, settled or not.
SELECT * FROM visage.find_duplicates('test/1', workers => 1);
SELECT w, f.alike, f.findings FROM generate_series(3, 5) w, visage.find_duplicates('test/1', workers => w) f;
SELECT count(*) FROM findings;
-- With the codes of one epoch b-9 is found as well, and everybody who looks so is found by the search of a table too.
SELECT fixture.verdict(visage.replace_reference('b-9', pg_temp.probe('b-9', 3)));
SELECT alike, findings FROM visage.find_duplicates('test/1');
SELECT subject, found FROM findings;
-- A cancelled one takes the finding along.
SELECT fixture.verdict(visage.cancel('b-9-again'));
SELECT alike, findings FROM visage.find_duplicates('test/1');
SELECT subject, found FROM findings;

-- Recorded: each find under who was found, and the search itself.
SELECT subject, regexp_replace(object, '[0-9a-f]{8}-[0-9a-f-]{27}', '…') AS object, regexp_replace(note, '[0-9a-f]{8}-[0-9a-f-]{27}', '…') AS note
  FROM visage.history WHERE institution = 'batch' AND operation = 'find_duplicate' AND object ~ '^finding' ORDER BY 1;
SELECT regexp_replace(note, '[0-9a-f]{8}-[0-9a-f-]{27}', '…') AS note FROM visage.history WHERE institution = 'batch' AND object = 'gallery test/1' ORDER BY event DESC LIMIT 1;
SELECT * FROM visage.duplicate_progress;

-- One that was altered is not compared, and said so; the others are. [8.2.4e]
BEGIN;
UPDATE visage.gallery_code c SET code = set_byte(code, 100, get_byte(code, 100) # 1) FROM visage.subject s WHERE s.id = c.subject AND s.external_id = 'b-1-again';
DELETE FROM visage.duplicate_finding WHERE institution = :place;
SELECT alike, findings FROM visage.find_duplicates('test/1');
SELECT subject, found FROM findings;
ROLLBACK;

-- Who may: an administrator starts it and sees no names; auditors see the findings.
SET ROLE batch_admin;
SELECT alike, findings FROM visage.find_duplicates('test/1');
SELECT count(*) FROM visage.duplicate_findings;
SELECT * FROM visage.near_pairs(1, 'test/1', 0.01, 1);
SET ROLE batch_other;
SELECT * FROM visage.find_duplicates('test/1');
SET ROLE batch_auditor;
SELECT count(*) FROM visage.duplicate_findings WHERE institution = 'batch';
RESET ROLE;
-- Nobody else's people are among them. [6.2a]
SET visage.institution = 'default';
SELECT codes, pairs, alike, findings FROM visage.find_duplicates('test/1');
RESET visage.institution;
SELECT * FROM visage.find_duplicates('test/1', 0);
SELECT * FROM visage.find_duplicates('test/1', 0.01, 0);
SELECT * FROM visage.find_duplicates('test/1', 0.01, 65);
DROP OWNED BY batch_admin, batch_auditor, batch_other;
