-- The life of references: replaced, due, expired, adapted, taken back. Protection under a new root is in tests/tap.
-- [5.3.3] [6.2e] [6.2f] [6.2g]
-- An institution of its own. A face is a share of one person's and a share of another's; the cosine with the first person's
-- is about (1 - s) / sqrt((1 - s)² + s²): 0.5 is 0.71, 0.6 is 0.55, 0.8 is 0.24.
\set ECHO none
CREATE FUNCTION pg_temp.probe(person text, sample int, other text DEFAULT '-', share float DEFAULT 0, eyes float DEFAULT 100, liveness float DEFAULT 0.9)
  RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe(array_agg(((1 - $4) * p + $4 * o + 0.15 * n)::real ORDER BY i), 'test/1', $6::real, 'life', jsonb_build_object('InterEyeDistance', $5))
  FROM unnest(fixture.noise($1, 128), fixture.noise($3, 128), fixture.noise($1 || '#' || $2, 128)) WITH ORDINALITY AS t (p, o, n, i) $$;
CREATE FUNCTION pg_temp.verify(name text, probe visage.probe) RETURNS text LANGUAGE sql AS $$ SELECT fixture.verdict(visage.verify($1, $2)) $$;
CREATE FUNCTION pg_temp.stored(name text) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(CASE WHEN r.adapted THEN 'adapted' ELSE 'original' END || '/' || r.generation, ' ' ORDER BY r.adapted, r.created_at)
  FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.external_id = $1 $$;
CREATE FUNCTION pg_temp.age(name text, by interval, of_adapted boolean DEFAULT false) RETURNS void LANGUAGE sql AS $$
  UPDATE visage.subject_reference r SET created_at = r.created_at - $2 FROM visage.subject s WHERE s.id = r.subject AND s.external_id = $1 AND r.adapted = $3 $$;
\set ECHO all
SELECT visage.grant_institution('life', current_user::regrole);
SELECT id AS place FROM visage.institution WHERE name = 'life' \gset
INSERT INTO visage.channel (institution, name) VALUES (:place, 'default'), (:place, 'phone');
INSERT INTO visage.scenario (institution, name) VALUES (:place, 'default');
SET visage.institution = 'life';
SELECT visage.add_capture_source('life') IS NOT NULL AS shown;
SELECT fixture.verdict(visage.register(n, pg_temp.probe(n, 1))) FROM unnest(ARRAY['ann', 'bob', 'cat']) n;

-- Change: the same person's new face takes the place of the old one, in one call. [5.3.3] Nobody else's does. [6.2c]
SELECT reference AS old FROM visage.list_references('ann') \gset
SELECT fixture.verdict(visage.replace_reference('ann', pg_temp.probe('bob', 2)));
SELECT fixture.verdict(visage.replace_reference('nobody', pg_temp.probe('ann', 3)));
SELECT decision, reason, reference AS made FROM visage.replace_reference('ann', pg_temp.probe('ann', 4)) \gset
SELECT :'decision', :'reason', :'made' <> :'old' AS new, reference = :'made' AS stored FROM visage.list_references('ann');
SELECT operation, subject, decision, reason, reference = :'made' AS names_it, after IS NOT NULL AS digest FROM visage.history WHERE institution = 'life' AND operation = 'replace_reference' ORDER BY event;
SELECT count(*) AS erased FROM visage.erasure e WHERE e.kind = 'reference' AND e.hash = visage.erasure_hash(:place, :'old', e.key_version);
-- One of several, or all of them.
SELECT fixture.verdict(visage.add_reference('ann', pg_temp.probe('ann', i))) FROM generate_series(5, 6) i;
SELECT reference AS second FROM visage.list_references('ann') OFFSET 1 LIMIT 1 \gset
SELECT fixture.verdict(visage.replace_reference('ann', pg_temp.probe('ann', 7), reference => :'second'));
SELECT count(*), count(*) FILTER (WHERE reference = :'second') AS old FROM visage.list_references('ann');
SELECT fixture.verdict(visage.replace_reference('ann', pg_temp.probe('ann', 8), reference => :'second'));
SELECT fixture.verdict(visage.replace_reference('ann', pg_temp.probe('ann', 9)));
SELECT count(*) FROM visage.list_references('ann');
-- By the user it takes two factors; the face that it compares is one. [8.2.5c]
SELECT factors FROM visage.open_session('ann', 'replace_reference');
-- A caller's ROLLBACK takes it back, and the ledger says so.
BEGIN;
SELECT fixture.verdict(visage.replace_reference('ann', pg_temp.probe('ann', 10)));
ROLLBACK;
SELECT pg_temp.stored('ann');
SELECT pg_temp.verify('ann', pg_temp.probe('ann', 11));

-- Renewal: due is asked for, and goes on; expired is refused until it is replaced. [5.3.3]
INSERT INTO visage.reference_lifetime (institution, renew_after, expire_after) VALUES (:place, '1 year', '2 years');
SELECT count(*) FROM visage.references_due WHERE institution = 'life';
SELECT pg_temp.age('ann', '400 days'), pg_temp.age('bob', '800 days');
SELECT subject, state, expires_at > now() AS ahead FROM visage.references_due WHERE institution = 'life' ORDER BY 1;
SELECT pg_temp.verify('ann', pg_temp.probe('ann', 12)), pg_temp.verify('bob', pg_temp.probe('bob', 12));
-- Whoever it is: an expired reference is not compared, not even to add another. It counts as no attempt.
SELECT pg_temp.verify('bob', pg_temp.probe('ann', 13)), fixture.verdict(visage.add_reference('bob', pg_temp.probe('bob', 13)));
SELECT count(*) FROM visage.attempts WHERE subject = 'bob' AND failures > 0;
SELECT fixture.verdict(visage.replace_reference('bob', pg_temp.probe('ann', 14)));
SELECT fixture.verdict(visage.replace_reference('bob', pg_temp.probe('bob', 15)));
SELECT pg_temp.verify('bob', pg_temp.probe('bob', 16));
-- Of several the live ones are compared, alone.
SELECT fixture.verdict(visage.add_reference('bob', pg_temp.probe('bob', 17)));
SELECT count(*) FROM (SELECT pg_temp.age('bob', '800 days')) a;
SELECT fixture.verdict(visage.replace_reference('bob', pg_temp.probe('bob', 18), reference => (SELECT reference FROM visage.list_references('bob') LIMIT 1)));
SELECT pg_temp.verify('bob', pg_temp.probe('bob', 19)), (SELECT count(*) FROM visage.references_due WHERE subject = 'bob') AS due;
DELETE FROM visage.reference_lifetime;
SELECT count(*) FROM visage.references_due WHERE institution = 'life';
\set VERBOSITY terse
INSERT INTO visage.reference_lifetime VALUES (:place, NULL, NULL);
INSERT INTO visage.reference_lifetime VALUES (:place, '2 years', '1 year');
\set VERBOSITY default

-- Adaptation is off as shipped. [6.2e]
SELECT pg_temp.verify('cat', pg_temp.probe('cat', 2)), pg_temp.stored('cat');
INSERT INTO visage.adaptation_policy (institution, adapt, period) VALUES (:place, true, '30 days');
-- Stricter floors than the channel's: accepted, and not adapted to.
SELECT pg_temp.verify('cat', pg_temp.probe('cat', 3, eyes => 80)), pg_temp.verify('cat', pg_temp.probe('cat', 4, liveness => 0.7)), pg_temp.stored('cat');
-- A stricter threshold: 0.55 where the verification takes 0.5.
UPDATE visage.adaptation_policy SET fmr = 1e-9 WHERE institution = :place;
SELECT pg_temp.verify('cat', pg_temp.probe('cat', 5)) AS without_a_measured_threshold, pg_temp.stored('cat');
UPDATE visage.adaptation_policy SET fmr = 4e-6 WHERE institution = :place;
-- Not in a transaction that may write nothing.
BEGIN READ ONLY;
SELECT pg_temp.verify('cat', pg_temp.probe('cat', 6)), pg_temp.stored('cat');
ROLLBACK;
-- Nor in one with an old snapshot.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT pg_temp.verify('cat', pg_temp.probe('cat', 106)), pg_temp.stored('cat');
COMMIT;
-- The original stays; the adapted one is another, with an event of its own.
SELECT reference AS original FROM visage.list_references('cat') \gset
SELECT pg_temp.verify('cat', pg_temp.probe('cat', 7, 'x', 0.5)), pg_temp.stored('cat');
SELECT count(*) FROM visage.list_references('cat') WHERE reference = :'original';
SELECT h.operation, h.subject, h.decision, h.target_fmr, h.after IS NOT NULL AS digest, h.reference <> :'original' AS another,
       v.reason, h.probe = v.probe AS same_probe
FROM visage.history h JOIN visage.history v ON h.note = format('verification %s, original %s', v.transaction_id, :'original') WHERE h.operation = 'adapt_reference' AND v.operation = 'verify';
-- Once a period. It is renewed in its place, so there is never more than one.
SELECT pg_temp.verify('cat', pg_temp.probe('cat', 8)), pg_temp.stored('cat');
SELECT count(*) FROM (SELECT pg_temp.age('cat', '31 days', true)) a;
SELECT pg_temp.verify('cat', pg_temp.probe('cat', 9)), pg_temp.stored('cat');
-- What is adapted is rolled back with the caller's transaction, and the verdict is not.
SELECT count(*) FROM (SELECT pg_temp.age('cat', '31 days', true)) a;
BEGIN;
SELECT pg_temp.verify('cat', pg_temp.probe('cat', 10)), pg_temp.stored('cat');
ROLLBACK;
SELECT pg_temp.stored('cat');

-- Poisoning: somebody who is accepted shows a face that goes over to another, little by little. The adapted reference
-- follows as far as the original knows the face, and no further; the other person is never accepted.
UPDATE visage.adaptation_policy SET period = '0' WHERE institution = :place;
SELECT fixture.verdict(visage.register('victim', pg_temp.probe('victim', 1)));
SELECT share, pg_temp.verify('victim', pg_temp.probe('victim', 100 + (10 * share)::int, 'thief', share)) AS verdict, pg_temp.stored('victim')
FROM unnest(ARRAY[0, 0.1, 0.2, 0.3, 0.4, 0.5]::real[]) share;
SELECT share, pg_temp.verify('victim', pg_temp.probe('victim', 200 + (10 * share)::int, 'thief', share)) AS verdict, pg_temp.stored('victim')
FROM unnest(ARRAY[0.8, 0.9, 1]::real[]) share;
-- It was the anchor that stopped them: the adapted reference itself knows the thief. A policy without one would let them in.
SELECT max(visage.score(r.reference, pg_temp.probe('victim', 300, 'thief', 1))) FILTER (WHERE r.adapted) > 0.5 AS adapted_knows_the_thief,
       max(visage.score(r.reference, pg_temp.probe('victim', 300, 'thief', 1))) FILTER (WHERE NOT r.adapted) < 0.4 AS original_does_not
FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.external_id = 'victim';
UPDATE visage.adaptation_policy SET anchor_fmr = 0.99 WHERE institution = :place;
INSERT INTO visage.calibration (institution, model, scheme, fmr, threshold, source, measured_at) VALUES
  (:place, 'test/1', 'RFR-1/1024', 0.99, 0.0001, 'made up', '2026-01-01'), (:place, 'test/1', 'RFR-1/1024', 1e-3, 0.4, 'made up', '2026-01-01'),
  (:place, 'test/1', 'RFR-1/1024', 1e-5, 0.5, 'made up', '2026-01-01'), (:place, 'test/1', 'RFR-1/1024', 1e-7, 0.55, 'made up', '2026-01-01');
SELECT pg_temp.verify('victim', pg_temp.probe('victim', 301, 'thief', 0.8));
UPDATE visage.adaptation_policy SET anchor_fmr = 1e-3 WHERE institution = :place;

-- Taken back: the adapted reference goes, the original stays, and nothing is adapted for a period.
UPDATE visage.adaptation_policy SET period = '30 days' WHERE institution = :place;
SELECT visage.revert_adaptation('victim', 'reported by the customer');
SELECT pg_temp.stored('victim');
SELECT pg_temp.verify('victim', pg_temp.probe('victim', 302)), pg_temp.stored('victim');
UPDATE visage.adaptation_hold SET since = since - interval '31 days';
SELECT pg_temp.verify('victim', pg_temp.probe('victim', 303)), pg_temp.stored('victim');
SELECT visage.revert_adaptation('cat', 'to see'), visage.revert_adaptation('cat', 'again'), visage.revert_adaptation('nobody', 'who?');
SELECT visage.revert_adaptation('cat', '');
SELECT operation, subject, object ~ '^reference [0-9a-f-]{36}$' AS names_it, note FROM visage.history WHERE institution = 'life' AND operation = 'revert_adaptation' ORDER BY event;

-- With another reference each has a smaller share of the target FMR, so there must be a threshold for it on every channel.
INSERT INTO visage.calibration (institution, model, scheme, fmr, threshold, source, measured_at) VALUES (:place, 'test/1', 'RFR-1/1024', 5e-6, 0.95, 'made up', '2026-01-01');
SELECT fixture.verdict(visage.register('dan', pg_temp.probe('dan', 1)));
SELECT pg_temp.verify('dan', pg_temp.probe('dan', 101, 'y', 0.5, 80)) AS by_one, pg_temp.stored('dan');
UPDATE visage.channel SET target_fmr = 1.5e-7 WHERE institution = :place AND name = 'phone';
SELECT pg_temp.verify('dan', pg_temp.probe('dan', 2)), pg_temp.stored('dan');
UPDATE visage.channel SET target_fmr = 1e-5 WHERE institution = :place AND name = 'phone';
SELECT pg_temp.verify('dan', pg_temp.probe('dan', 3)), pg_temp.stored('dan');
-- It keeps its share: half of 1e-5 takes 0.95 here, where one reference took 0.5.
SELECT pg_temp.verify('dan', pg_temp.probe('dan', 4, 'y', 0.5, 80)) AS by_two;
DELETE FROM visage.calibration WHERE fmr = 5e-6 AND institution = :place;
-- Dropping an original drops what was adapted to it, and the last original stays, as before.
SELECT fixture.verdict(visage.drop_reference('dan', (SELECT reference FROM visage.list_references('dan') LIMIT 1)));
SELECT fixture.verdict(visage.add_reference('dan', pg_temp.probe('dan', 5))), pg_temp.stored('dan');
SELECT fixture.verdict(visage.drop_reference('dan', (SELECT reference FROM visage.list_references('dan') LIMIT 1))), pg_temp.stored('dan');
SELECT pg_temp.verify('dan', pg_temp.probe('dan', 6)), pg_temp.stored('dan');
-- The user may drop the adapted one.
SELECT fixture.verdict(visage.drop_reference('dan', (SELECT r.id FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.external_id = 'dan' AND r.adapted))), pg_temp.stored('dan');
-- It expires with its originals.
SELECT pg_temp.verify('dan', pg_temp.probe('dan', 7)), pg_temp.stored('dan');
INSERT INTO visage.reference_lifetime (institution, expire_after) VALUES (:place, '2 years');
SELECT count(*) FROM (SELECT pg_temp.age('dan', '800 days')) a;
SELECT pg_temp.verify('dan', pg_temp.probe('dan', 8));
SELECT fixture.verdict(visage.replace_reference('dan', pg_temp.probe('dan', 9))), pg_temp.stored('dan');
DELETE FROM visage.reference_lifetime;
-- A row for a channel goes before the one for all. Floors must name measures.
INSERT INTO visage.adaptation_policy (institution, channel, adapt) VALUES (:place, 'phone', false);
SELECT fixture.verdict(visage.verify('dan', pg_temp.probe('dan', 10), 'phone')), pg_temp.stored('dan');
UPDATE visage.adaptation_policy SET quality = '{"EyeDistance": 90}';
UPDATE visage.adaptation_policy SET quality = '{"InterEyeDistance": "90"}';
\set VERBOSITY terse
UPDATE visage.adaptation_policy SET fmr = 0.1 WHERE institution = :place AND channel = '*';
\set VERBOSITY default
-- All that there is was recorded as what it is.
SELECT part, fault FROM visage.integrity() WHERE object ~ ('^institution ' || :place || ' (adaptation|reference|duplicate)')
  OR object IN (SELECT 'reference ' || r.id FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.institution = :place);
SELECT institution, transform_version, newest, originals, adapted, share FROM visage.reprotection_progress WHERE institution = 'life';
DELETE FROM visage.adaptation_policy WHERE institution = :place;
-- Without any row, which a changed one may leave, verifications go on.
BEGIN;
UPDATE visage.adaptation_policy SET period = '1 day';
DELETE FROM visage.adaptation_policy;
SELECT pg_temp.verify('victim', pg_temp.probe('victim', 400)), pg_temp.stored('victim');
ROLLBACK;
RESET visage.institution;
