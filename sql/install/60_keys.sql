-- Keys: what is loaded and what depends on it. Never any material.

CREATE FUNCTION visage.loaded_keys(OUT custody text, OUT version bigint, OUT newest boolean) RETURNS SETOF record
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'visage_loaded_keys';

CREATE FUNCTION visage.read_keys() RETURNS integer
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'visage_reload_keys';
COMMENT ON FUNCTION visage.read_keys() IS 'what visage.reload_keys() does, without its event';

-- The event comes second and its failure is a warning: a ledger whose key is missing cannot be written before the key
-- is loaded.
CREATE FUNCTION visage.reload_keys() RETURNS integer
  LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  versions CONSTANT text := 'SELECT string_agg(custody || '' '' || version, '', '' ORDER BY custody, version) FROM visage.loaded_keys()';
  before text;
  after text;
  added integer;
BEGIN
  PERFORM visage.require_all();
  EXECUTE versions INTO before;
  added := visage.read_keys();
  IF added > 0 AND EXISTS (SELECT FROM visage.tree) THEN
    EXECUTE versions INTO after;
    BEGIN
      PERFORM visage.record_change('change', NULL, 'keys', sha256(convert_to(before, 'UTF8')), sha256(convert_to(after, 'UTF8')), after);
    EXCEPTION WHEN SQLSTATE 'VG004' OR SQLSTATE 'VG005' OR SQLSTATE 'VG006' THEN
      RAISE WARNING 'new key versions are loaded, but there may be no event about it: %', SQLERRM
        USING HINT = 'SELECT * FROM visage.audit_status says what is wrong with the audit writer.';
    END;
  END IF;
  RETURN added;
END
$$;
COMMENT ON FUNCTION visage.reload_keys() IS 'reads the key providers again; returns the number of new versions; refuses to lose one; writes an event';

-- Each table is read once; joining the counts would multiply rows. Counted is what the caller's institutions have.
CREATE VIEW visage.keys WITH (security_barrier) AS
  WITH own (institution) AS MATERIALIZED (SELECT unnest(visage.institutions_of_caller())),
  subjects AS (SELECT s.id FROM visage.subject s WHERE s.institution IN (SELECT o.institution FROM own o)),
  usage (custody, version, first_use, subject_keys, subject_references, capture_sources, ledger_keys, factors) AS (
    SELECT 'envelope', key_version, min(created_at), count(*), 0, 0, 0, 0 FROM visage.subject_key
    WHERE subject IN (SELECT s.id FROM subjects s) GROUP BY key_version
    UNION ALL
    SELECT 'envelope', key_version, min(created_at), 0, count(*), 0, 0, 0 FROM visage.subject_reference
    WHERE subject IN (SELECT s.id FROM subjects s) GROUP BY key_version
    UNION ALL
    SELECT 'envelope', key_version, min(created_at), 0, 0, count(*), 0, 0 FROM visage.capture_source
    WHERE institution IN (SELECT o.institution FROM own o) GROUP BY key_version
    UNION ALL
    -- Heads that an earlier key signed are checked with its public half.
    SELECT 'envelope', key_version, NULL, 0, 0, 0, count(*), 0 FROM visage.tree GROUP BY key_version
    UNION ALL
    SELECT 'envelope', key_version, min(created_at), 0, 0, 0, 0, count(*) FROM visage.factor
    WHERE subject IN (SELECT s.id FROM subjects s) GROUP BY key_version
    UNION ALL
    SELECT 'transform', transform_version, min(created_at), 0, count(*), 0, 0, 0
    FROM visage.subject_reference
    WHERE subject IN (SELECT s.id FROM subjects s) GROUP BY transform_version
  )
  SELECT custody, version, l.version IS NOT NULL AS loaded, coalesce(l.newest, false) AS newest,
         min(u.first_use) AS first_use, coalesce(sum(u.subject_keys), 0)::bigint AS subject_keys,
         coalesce(sum(u.subject_references), 0)::bigint AS subject_references,
         coalesce(sum(u.capture_sources), 0)::bigint AS capture_sources,
         coalesce(sum(u.ledger_keys), 0)::bigint AS ledger_keys,
         custody = 'envelope' AND version = (SELECT min(o.version) FROM visage.loaded_keys() o WHERE o.custody = 'envelope')
           AS keyed_hashes,
         coalesce(sum(u.factors), 0)::bigint AS factors
  FROM visage.loaded_keys() l FULL JOIN usage u USING (custody, version)
  GROUP BY custody, version, l.version, l.newest;
COMMENT ON VIEW visage.keys IS 'versions of the root keys and what depends on each, as far as it is of the caller''s institutions; a version with loaded = false is needed and missing';
COMMENT ON COLUMN visage.keys.ledger_keys IS '1 where the key that signs the ledger now is derived from it';
COMMENT ON COLUMN visage.keys.keyed_hashes IS 'attempt counters and the hashes of addresses and devices are made with it: without it all counters begin anew';
