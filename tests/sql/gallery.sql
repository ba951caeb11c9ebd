-- Galleries: a code with each new reference, of the same capture, for as long as the reference. [6.2c]
-- An institution of its own.
\set ECHO none
CREATE FUNCTION pg_temp.probe(person text, sample int, model text DEFAULT 'test/1', dimension int DEFAULT 128) RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe(fixture.feature($1, $2, $4), $3, 0.9, 'gallery') $$;
-- Nobody is farther away.
CREATE FUNCTION pg_temp.opposite(person text, sample int) RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe((SELECT array_agg(-v ORDER BY i) FROM unnest(fixture.feature($1, $2, 128)) WITH ORDINALITY AS f (v, i)), 'test/1', 0.9, 'gallery') $$;
CREATE FUNCTION pg_temp.register(name text, sample int DEFAULT 1) RETURNS text LANGUAGE sql AS $$
  SELECT fixture.verdict(visage.register($1, pg_temp.probe($1, $2))) $$;
\set ECHO all
CREATE ROLE gallery_admin LOGIN IN ROLE visage_admin;
CREATE ROLE gallery_service LOGIN IN ROLE visage_service, visage_capture, visage_auditor;
SELECT visage.grant_institution('gallery', r::regrole) FROM unnest(ARRAY['gallery_admin', 'gallery_service', current_user]) r;
SELECT id AS place FROM visage.institution WHERE name = 'gallery' \gset
INSERT INTO visage.channel (institution, name) VALUES (:place, 'default');
INSERT INTO visage.scenario (institution, name) VALUES (:place, 'default');
SET visage.institution = 'gallery';
SELECT visage.add_capture_source('gallery') IS NOT NULL AS shown;
-- Subject, which of its references have a code of which epoch, and is it of the same capture?
CREATE TEMP VIEW codes AS
  SELECT s.external_id AS subject, count(*) AS "references", count(c.reference) AS codes, string_agg(DISTINCT g.model || '#' || g.epoch, ' ') AS epochs,
         bool_and(c.generation = r.generation AND c.subject = r.subject) AS same
  FROM visage.subject s JOIN visage.subject_reference r ON r.subject = s.id LEFT JOIN visage.gallery_code c ON c.reference = r.id
  LEFT JOIN visage.gallery g ON g.id = c.gallery WHERE s.institution = :place GROUP BY 1 ORDER BY 1;

-- As shipped there is none.
SELECT pg_temp.register('g-before');
SELECT * FROM codes;
SELECT * FROM visage.galleries;

-- An administrator opens one. Others may not.
SET ROLE gallery_service;
SELECT visage.open_gallery('test/1', 128);
SELECT visage.close_gallery('test/1');
SELECT count(*) FROM visage.gallery_code;
RESET ROLE;
SET ROLE gallery_admin;
SELECT visage.open_gallery('test/1', 128);
SELECT visage.open_gallery('test/1', 63);
SELECT count(*) FROM visage.gallery;
RESET ROLE;
SELECT pg_temp.register('g-ann'), pg_temp.register('g-bob');
SELECT fixture.verdict(visage.add_reference('g-ann', pg_temp.probe('g-ann', 2)));
SELECT * FROM codes;
SELECT institution, model, epoch, dimension, transform_version, loaded, closed_at IS NULL AS open, codes FROM visage.galleries;
-- Not for other institutions, neither the view nor the codes.
SET visage.institution = 'default';
SELECT fixture.verdict(visage.register('gallery-else', fixture.probe('gallery-else', 1)));
SELECT count(*) FROM visage.gallery_code c JOIN visage.subject s ON s.id = c.subject WHERE s.institution <> :place;
SELECT fixture.verdict(visage.cancel('gallery-else'));
SET visage.institution = 'gallery';

-- Of another model or length there is no code, and the registration goes on.
INSERT INTO visage.calibration (institution, model, scheme, fmr, threshold, source, measured_at) VALUES (:place, 'other/1', 'RFR-1/1024', 1e-5, 0.5, 'made up', '2026-01-01');
SELECT fixture.verdict(visage.register('g-other', pg_temp.probe('g-other', 1, 'other/1'))), fixture.verdict(visage.register('g-long', pg_temp.probe('g-long', 1, 'test/1', 256)));
SELECT * FROM codes WHERE subject IN ('g-other', 'g-long');

-- It comes and goes with the reference. [8.2.4d]
BEGIN;
SELECT pg_temp.register('g-undone');
SELECT count(*) FROM codes WHERE subject = 'g-undone' AND codes = 1;
ROLLBACK;
SELECT fixture.verdict(visage.replace_reference('g-bob', pg_temp.probe('g-bob', 2)));
SELECT fixture.verdict(visage.drop_reference('g-ann', reference)) FROM visage.list_references('g-ann') LIMIT 1;
SELECT * FROM codes WHERE subject IN ('g-ann', 'g-bob');
SELECT count(*) FROM visage.gallery_code;
SELECT fixture.verdict(visage.cancel('g-bob'));
SELECT count(*) FROM visage.gallery_code;
-- Adapted references too, and each generation has its own capture's.
INSERT INTO visage.adaptation_policy (institution, channel, adapt, quality, period) VALUES (:place, '*', true, '{}', '0');
SELECT fixture.verdict(visage.verify('g-ann', pg_temp.probe('g-ann', 3)));
SELECT c.code AS first FROM visage.gallery_code c JOIN visage.subject_reference r ON r.id = c.reference JOIN visage.subject s ON s.id = r.subject WHERE r.adapted AND s.external_id = 'g-ann' \gset
SELECT fixture.verdict(visage.verify('g-ann', pg_temp.probe('g-ann', 4)));
SELECT r.generation, c.generation, c.code <> :'first' AS new FROM visage.gallery_code c JOIN visage.subject_reference r ON r.id = c.reference JOIN visage.subject s ON s.id = r.subject WHERE r.adapted AND s.external_id = 'g-ann';
DELETE FROM visage.adaptation_policy WHERE institution = :place;

-- A new epoch: the old codes stay, new captures get the new one's. Opened in either suite. [8.2.4b]
SET visage.suite = 'sm4-ctr-hmac-sm3';
SELECT visage.open_gallery('test/1', 128);
RESET visage.suite;
SELECT pg_temp.register('g-cat');
SELECT fixture.verdict(visage.add_reference('g-ann', pg_temp.probe('g-ann', 5)));
SET visage.suite = 'sm4-ctr-hmac-sm3';
SELECT pg_temp.register('g-dan');
RESET visage.suite;
SELECT * FROM codes WHERE subject IN ('g-ann', 'g-cat', 'g-dan');
SELECT epoch, closed_at IS NULL AS open, codes FROM visage.galleries ORDER BY 1;
SELECT length(code), count(*), count(DISTINCT code) AS different FROM visage.gallery_code GROUP BY 1 ORDER BY 1;
SELECT count(DISTINCT salt) AS salts FROM visage.gallery;

-- All of them open; one that was altered, moved, or given back an older state is found. [8.2.4e]
SELECT * FROM visage.code_faults();
CREATE TEMP VIEW faults AS SELECT part, s.external_id AS subject, fault FROM visage.code_faults() f JOIN visage.gallery_code c ON f.object = 'code of reference ' || c.reference
  JOIN visage.subject_reference r ON r.id = c.reference JOIN visage.subject s ON s.id = r.subject ORDER BY 2;
BEGIN;
UPDATE visage.gallery_code c SET code = set_byte(code, 100, get_byte(code, 100) # 1) FROM visage.subject s WHERE s.id = c.subject AND s.external_id = 'g-cat';
SELECT * FROM faults;
ROLLBACK;
BEGIN;
UPDATE visage.gallery_code c SET code = (SELECT o.code FROM visage.gallery_code o JOIN visage.subject t ON t.id = o.subject WHERE t.external_id = 'g-dan') FROM visage.subject s WHERE s.id = c.subject AND s.external_id = 'g-cat';
SELECT * FROM faults;
ROLLBACK;
BEGIN;
UPDATE visage.gallery_code c SET generation = 7 FROM visage.subject s WHERE s.id = c.subject AND s.external_id = 'g-cat';
SELECT * FROM faults;
ROLLBACK;
BEGIN;
UPDATE visage.gallery_code c SET gallery = (SELECT min(id) FROM visage.gallery) FROM visage.subject s WHERE s.id = c.subject AND s.external_id = 'g-cat';
SELECT * FROM faults;
ROLLBACK;
BEGIN;
UPDATE visage.gallery SET salt = sha256(salt) WHERE epoch = 2;
SELECT * FROM faults;
ROLLBACK;

-- The search for duplicates passes over whose code is too far, and finds whom it found without. [6.2c]
INSERT INTO visage.duplicate_policy (institution, action) VALUES (:place, 'refuse');
SELECT fixture.verdict(visage.register('g-again-' || p, pg_temp.probe(p, 20))) FROM unnest(ARRAY['g-before', 'g-ann', 'g-cat', 'g-dan']) p;
SELECT pg_temp.register('g-new');
SELECT note ~ '^duplicate: ' AS duplicate, count(*) FROM visage.history WHERE institution = 'gallery' AND operation = 'find_duplicate' GROUP BY 1;
-- In the table, which memory does not read again for every search.
SET visage.search_method = 'table';
-- That it does pass over: a stranger's reference that does not open is missed by nobody who has a code. Without a code it must be opened.
BEGIN;
UPDATE visage.subject_reference r SET reference = (SELECT o.reference FROM visage.subject_reference o JOIN visage.subject t ON t.id = o.subject WHERE t.external_id = 'g-dan')
  FROM visage.subject s WHERE s.id = r.subject AND s.external_id = 'g-cat';
SELECT fixture.verdict(visage.register('g-else', pg_temp.opposite('g-cat', 31)));
SELECT fixture.verdict(visage.cancel('g-else'));
DELETE FROM visage.gallery_code c USING visage.subject s WHERE s.id = c.subject AND s.external_id = 'g-cat';
SELECT fixture.verdict(visage.register('g-else', pg_temp.opposite('g-cat', 32)));
ROLLBACK;
-- A code that was altered, or is somebody else's, hides nobody: then the reference is compared. [8.2.4e]
BEGIN;
UPDATE visage.gallery_code c SET code = set_byte(code, 100, get_byte(code, 100) # 1) FROM visage.subject s WHERE s.id = c.subject AND s.external_id = 'g-cat';
SELECT fixture.verdict(visage.register('g-altered', pg_temp.probe('g-cat', 21)));
ROLLBACK;
BEGIN;
UPDATE visage.gallery_code c SET code = o.code, gallery = o.gallery FROM visage.subject s, visage.gallery_code o JOIN visage.subject t ON t.id = o.subject
  WHERE s.id = c.subject AND s.external_id = 'g-cat' AND t.external_id = 'g-dan';
SELECT fixture.verdict(visage.register('g-moved', pg_temp.probe('g-cat', 22)));
ROLLBACK;
DELETE FROM visage.duplicate_policy WHERE institution = :place;
RESET visage.search_method;

-- Closed: all codes go, and no more come. The next epoch has a number of its own.
SET ROLE gallery_admin;
SELECT visage.close_gallery('test/1');
RESET ROLE;
SELECT pg_temp.register('g-eve');
SELECT sum(codes) FROM codes;
SELECT visage.close_gallery('test/1'), visage.open_gallery('test/1', 128);
SELECT operation, object FROM visage.history WHERE institution = 'gallery' AND object ~ '^(insert|update|delete) gallery ' ORDER BY event;
SELECT visage.close_gallery('test/1');
RESET visage.institution;
