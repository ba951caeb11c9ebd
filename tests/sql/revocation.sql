-- An operator withdraws somebody's references: nothing is compared any more, and nothing brings them back. [5.3.4] [8.2.5g]
\set ECHO none
CREATE FUNCTION pg_temp.probe(person text, sample int) RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe(array_agg((p + 0.15 * n)::real ORDER BY i), 'test/1', 0.9, 'revocation')
  FROM unnest(fixture.noise($1, 128), fixture.noise($1 || '#' || $2, 128)) WITH ORDINALITY AS t (p, n, i) $$;
\set ECHO all
SELECT visage.grant_institution('revocation', current_user::regrole);
SELECT id AS place FROM visage.institution WHERE name = 'revocation' \gset
INSERT INTO visage.channel (institution, name) VALUES (:place, 'default');
INSERT INTO visage.scenario (institution, name) VALUES (:place, 'default');
SET visage.institution = 'revocation';
SELECT visage.add_capture_source('revocation') IS NOT NULL AS shown;
SELECT visage.open_gallery('test/1', 128);
SELECT fixture.verdict(visage.register(n, pg_temp.probe(n, 1))) FROM unnest(ARRAY['ann', 'bob']) n;
SELECT fixture.verdict(visage.add_reference('ann', pg_temp.probe('ann', 2)));
CREATE TEMP TABLE backup AS SELECT r.* FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.external_id = 'ann' AND s.institution = :place;

-- It says why, and only who there is can be revoked.
\set VERBOSITY terse
SELECT visage.revoke('ann', '');
\set VERBOSITY default
SELECT visage.revoke('nobody', 'who?');
SELECT visage.revoke('ann', 'papers stolen');
SELECT visage.revoke('ann', 'once more');
SELECT operation, object, note FROM visage.history WHERE institution = 'revocation' AND operation = 'revoke' ORDER BY event;

-- No references, no codes, and no way to another one but to cancel.
SELECT count(*) FROM visage.list_references('ann');
SELECT codes FROM visage.galleries WHERE institution = 'revocation';
SELECT fixture.verdict(visage.verify('ann', pg_temp.probe('ann', 3)));
SELECT fixture.verdict(visage.add_reference('ann', pg_temp.probe('ann', 4)));
SELECT fixture.verdict(visage.replace_reference('ann', pg_temp.probe('ann', 5)));
SELECT fixture.verdict(visage.register('ann', pg_temp.probe('ann', 6)));
SELECT fixture.verdict(visage.verify('bob', pg_temp.probe('bob', 3)));
-- It is no attempt: whoever asks often does not lock her out of her other factors.
SELECT coalesce(sum(a.failures), 0) AS failures FROM visage.attempts a WHERE a.institution = 'revocation' AND a.kind = 'subject';

-- A restored backup has the references. They are found, and erased again; she stays revoked.
INSERT INTO visage.subject_reference SELECT * FROM backup;
SELECT part, fault FROM visage.integrity() WHERE object = (SELECT 'subject ' || s.id FROM visage.subject s WHERE s.external_id = 'ann' AND s.institution = :place);
SELECT * FROM visage.after_restore() WHERE step = 'references';
SELECT fixture.verdict(visage.verify('ann', pg_temp.probe('ann', 7)));
SELECT part, fault FROM visage.integrity() WHERE object = (SELECT 'subject ' || s.id FROM visage.subject s WHERE s.external_id = 'ann' AND s.institution = :place);
SELECT visage.export_subject('ann') ->> 'revoked_at' IS NOT NULL AS told;

-- The way back.
SELECT fixture.verdict(visage.cancel('ann'));
SELECT fixture.verdict(visage.register('ann', pg_temp.probe('ann', 8)));
SELECT fixture.verdict(visage.verify('ann', pg_temp.probe('ann', 9)));
RESET visage.institution;
