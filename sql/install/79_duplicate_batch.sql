-- People who are there under two names already: a whole gallery against itself, for review. [6.2c] docs/identify.md

CREATE FUNCTION visage.near_pairs(institution integer, model text, fpir double precision, workers integer)
  RETURNS TABLE (a uuid, b uuid)
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'visage_near_pairs';
COMMENT ON FUNCTION visage.near_pairs(integer, text, double precision, integer) IS 'subjects whose gallery codes are near each other, the nearest first; for the functions of this extension';

-- Pairs for which there is a finding already, whatever became of it, are not opened again: so it can be run as often as one likes.
CREATE FUNCTION visage.find_duplicates(
  model text, fpir double precision DEFAULT 0.01, workers integer DEFAULT 2,
  OUT codes bigint, OUT without_code bigint, OUT pairs bigint, OUT alike bigint, OUT findings bigint)
  LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  acting CONSTANT integer := visage.acting_institution();
  run CONSTANT uuid := gen_random_uuid();
  near record;
  finding uuid;
  present integer;
BEGIN
  alike := 0;
  findings := 0;
  SELECT coalesce(sum(e.n), 0), coalesce(sum(e.n * (e.n - 1) / 2), 0) INTO codes, pairs
    FROM (SELECT count(*) AS n FROM visage.gallery_code c JOIN visage.gallery g ON g.id = c.gallery
          WHERE g.institution = acting AND g.model = find_duplicates.model GROUP BY g.id) e;
  SELECT count(*) INTO without_code
    FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject LEFT JOIN visage.gallery_code c ON c.reference = r.id
    WHERE s.institution = acting AND r.model = find_duplicates.model AND c.reference IS NULL;
  FOR near IN
    -- Two that both have several references are one pair. Who came later is the subject.
    SELECT min(p.place) AS place, s.id AS subject, o.id AS other
    FROM visage.near_pairs(acting, model, fpir, workers) WITH ORDINALITY p (a, b, place)
    JOIN visage.subject s ON s.id IN (p.a, p.b) JOIN visage.subject o ON o.id IN (p.a, p.b)
      AND (o.registered_at, o.id) < (s.registered_at, s.id)
    GROUP BY s.id, o.id ORDER BY 1
  LOOP
    alike := alike + 1;
    CONTINUE WHEN EXISTS (SELECT FROM visage.duplicate_finding f
      WHERE f.subject = near.subject AND f.found = near.other OR f.subject = near.other AND f.found = near.subject);
    -- Cancelled since the codes were read, or while this waits for it: then there are no two.
    PERFORM FROM visage.subject s WHERE s.id IN (near.subject, near.other) ORDER BY s.id FOR KEY SHARE;
    GET DIAGNOSTICS present = ROW_COUNT;
    CONTINUE WHEN present < 2;
    INSERT INTO visage.duplicate_finding AS f (id, institution, kind, registration, subject, found, others, fpir, compared)
      VALUES (gen_random_uuid(), acting, 'duplicate', run, near.subject, near.other, 0, fpir, codes - 1) RETURNING f.id INTO finding;
    PERFORM visage.record_change('find_duplicate', acting, 'finding ' || finding, NULL, NULL,
      format('duplicate: search %s, %s codes, FPIR %s', run, codes, fpir), near.other);
    findings := findings + 1;
  END LOOP;
  PERFORM visage.record_change('find_duplicate', acting, 'gallery ' || model, NULL, NULL,
    format('search %s: %s codes, %s without, FPIR %s, %s pairs alike, %s findings', run, codes, without_code, fpir, alike, findings));
END
$$;
COMMENT ON FUNCTION visage.find_duplicates(text, double precision, integer) IS
  'compares the codes of a gallery with each other and opens a finding for each two people who look the same; codes of different epochs, and references without one, are not compared [6.2c]';

CREATE FUNCTION visage.duplicate_progress(OUT pid integer, OUT done bigint, OUT total bigint) RETURNS SETOF record
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'visage_duplicate_progress';
COMMENT ON FUNCTION visage.duplicate_progress() IS 'running visage.find_duplicates(): pairs done, pairs to do';
CREATE VIEW visage.duplicate_progress AS SELECT p.pid, p.done, p.total FROM visage.duplicate_progress() p;
COMMENT ON VIEW visage.duplicate_progress IS 'searches of a whole gallery for people under two names that run now';
COMMENT ON COLUMN visage.duplicate_progress.done IS 'pairs of codes compared so far';

GRANT EXECUTE ON FUNCTION visage.find_duplicates(text, double precision, integer), visage.duplicate_progress() TO visage_admin;
GRANT SELECT ON visage.duplicate_progress TO visage_admin;
