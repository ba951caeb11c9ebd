-- Epochs of galleries: references come into a new one with verifications, and both are searched meanwhile. [6.2e] [6.2c]
-- An institution of its own.
\set ECHO none
CREATE FUNCTION pg_temp.probe(person text, sample int, liveness real DEFAULT 0.9) RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe(fixture.feature($1, $2), 'test/1', $3, 'epoch') $$;
CREATE FUNCTION pg_temp.register(name text, sample int DEFAULT 1) RETURNS text LANGUAGE sql AS $$
  SELECT fixture.verdict(visage.register($1, pg_temp.probe($1, $2))) $$;
CREATE FUNCTION pg_temp.verify(name text, sample int, liveness real DEFAULT 0.9) RETURNS text LANGUAGE sql AS $$
  SELECT fixture.verdict(visage.verify($1, pg_temp.probe($1, $2, $3))) $$;
\set ECHO all
\pset null '-'
SELECT visage.grant_institution('epoch', current_user::regrole);
SELECT id AS place FROM visage.institution WHERE name = 'epoch' \gset
INSERT INTO visage.channel (institution, name) VALUES (:place, 'default');
INSERT INTO visage.scenario (institution, name) VALUES (:place, 'default');
INSERT INTO visage.adaptation_policy (institution, quality) VALUES (:place, '{}');
INSERT INTO visage.identify_policy (institution) VALUES (:place);
SET visage.institution = 'epoch';
SELECT visage.add_capture_source('epoch') IS NOT NULL AS shown;
-- Whose reference is of which generation, and has a code of which epoch?
CREATE TEMP VIEW codes AS
  SELECT s.external_id AS subject, r.adapted, r.generation, g.epoch FROM visage.subject s JOIN visage.subject_reference r ON r.subject = s.id
  LEFT JOIN visage.gallery_code c ON c.reference = r.id AND c.generation = r.generation LEFT JOIN visage.gallery g ON g.id = c.gallery
  WHERE s.institution = :place ORDER BY 1, 2;
CREATE TEMP VIEW progress AS SELECT model, epoch, originals, done, behind, without, round(share::numeric, 2) AS share, next_at = opened_at + interval '1 year' AS a_year FROM visage.gallery_progress WHERE institution = 'epoch';

-- Without a policy nobody comes into a gallery by being verified.
SELECT pg_temp.register('e-before');
SELECT visage.open_gallery('test/1', 128);
SELECT pg_temp.register('e-ann'), pg_temp.register('e-bob'), pg_temp.register('e-cat');
SELECT visage.open_gallery('test/1', 128);
SELECT pg_temp.verify('e-ann', 2);
SELECT * FROM codes;
SELECT * FROM progress;

-- With one, an accepted verification makes the reference anew with a code of the open epoch: of the same capture, under the same id.
INSERT INTO visage.gallery_policy (institution, epoch_lifetime) VALUES (:place, '1 year');
CREATE TEMP TABLE same AS SELECT r.id FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.institution = :place;
SELECT pg_temp.verify('e-ann', 3), pg_temp.verify('e-before', 3);
SELECT * FROM codes;
SELECT count(*) AS same FROM same JOIN visage.subject_reference r USING (id);
SELECT operation, subject, regexp_replace(note, '[0-9a-f]{8}-[0-9a-f-]{27}', '…') AS note FROM visage.history WHERE institution = 'epoch' AND operation = 'reprotect' ORDER BY event;
SELECT * FROM visage.code_faults() f WHERE f.object IN (SELECT 'code of reference ' || id FROM same);
-- Once an epoch.
SELECT pg_temp.verify('e-ann', 4);
SELECT generation FROM codes WHERE subject = 'e-ann';
-- Not by a capture that is no better than a verification asks for, nor by somebody else's. [6.2e]
SELECT pg_temp.verify('e-bob', 2, 0.7), fixture.verdict(visage.verify('e-bob', pg_temp.probe('e-cat', 9)));
SELECT * FROM codes WHERE subject = 'e-bob';
SELECT * FROM progress;

-- Both epochs are searched, and who has no code as well. [6.2c]
SELECT i.subject, i.decision FROM unnest(ARRAY['e-ann', 'e-before', 'e-bob', 'e-cat']) p, visage.identify(pg_temp.probe(p, 20)) i;
SELECT i.subject, i.decision, i.reason FROM visage.identify(pg_temp.probe('e-nobody', 20)) i;

-- An adapted reference of an earlier epoch goes when its original comes into the new one: it is of an older capture, and would keep
-- that epoch needed.
UPDATE visage.adaptation_policy SET adapt = true, period = '0' WHERE institution = :place;
UPDATE visage.gallery_policy SET roll = false WHERE institution = :place;
SELECT pg_temp.verify('e-cat', 2);
SELECT visage.open_gallery('test/1', 128);
SELECT * FROM codes WHERE subject = 'e-cat';
UPDATE visage.adaptation_policy SET adapt = false WHERE institution = :place;
SELECT pg_temp.verify('e-cat', 3);
SELECT * FROM codes WHERE subject = 'e-cat';
UPDATE visage.gallery_policy SET roll = true WHERE institution = :place;
SELECT pg_temp.verify('e-cat', 4);
SELECT * FROM codes WHERE subject = 'e-cat';

-- A rolled back verification's change is undone as any other, code and reference together.
BEGIN;
SELECT pg_temp.verify('e-bob', 5);
SELECT * FROM codes WHERE subject = 'e-bob';
ROLLBACK;
SELECT * FROM codes WHERE subject = 'e-bob';

-- The keeper opens the next epoch when one is over, as long as a search has codes for all of them.
SELECT * FROM visage.keep_house() WHERE task = 'galleries';
UPDATE visage.gallery SET opened_at = opened_at - interval '1 year' WHERE institution = :place AND closed_at IS NULL;
SELECT * FROM visage.keep_house() WHERE task = 'galleries';
SELECT pg_temp.register('e-dan');
SELECT epoch, closed_at IS NULL AS open, codes FROM visage.galleries WHERE institution = 'epoch' ORDER BY 1;
UPDATE visage.gallery SET opened_at = opened_at - interval '1 year' WHERE institution = :place AND closed_at IS NULL;
SELECT * FROM visage.keep_house() WHERE task = 'galleries';
-- One epoch is done with when its last reference has left it.
SELECT pg_temp.verify('e-bob', 6);
SELECT * FROM visage.keep_house() WHERE task = 'galleries';
SELECT operation, object FROM visage.history WHERE institution = 'epoch' AND object ~ 'insert gallery test' ORDER BY event;
SELECT * FROM progress;
SELECT visage.close_gallery('test/1');
SELECT * FROM progress;
INSERT INTO visage.gallery_policy (institution, epoch_lifetime) VALUES (1, '0');
RESET visage.institution;
