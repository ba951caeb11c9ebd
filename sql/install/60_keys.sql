-- Keys: what is loaded and what depends on it. Never any material.

CREATE FUNCTION visage.loaded_keys(OUT custody text, OUT version bigint, OUT newest boolean) RETURNS SETOF record
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'visage_loaded_keys';

CREATE FUNCTION visage.reload_keys() RETURNS integer
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'visage_reload_keys';
COMMENT ON FUNCTION visage.reload_keys() IS 'reads the key providers again; returns the number of new versions; refuses to lose one';

-- Each table is read once; joining the three counts would multiply rows.
CREATE VIEW visage.keys AS
  WITH usage (custody, version, first_use, subject_keys, subject_references, capture_sources, factors) AS (
    SELECT 'envelope', key_version, min(created_at), count(*), 0, 0, 0 FROM visage.subject_key GROUP BY key_version
    UNION ALL
    SELECT 'envelope', key_version, min(created_at), 0, count(*), 0, 0 FROM visage.subject_reference GROUP BY key_version
    UNION ALL
    SELECT 'envelope', key_version, min(created_at), 0, 0, count(*), 0 FROM visage.capture_source GROUP BY key_version
    UNION ALL
    SELECT 'envelope', key_version, min(created_at), 0, 0, 0, count(*) FROM visage.factor GROUP BY key_version
    UNION ALL
    SELECT 'transform', transform_version, min(created_at), 0, count(*), 0, 0
    FROM visage.subject_reference GROUP BY transform_version
  )
  SELECT custody, version, l.version IS NOT NULL AS loaded, coalesce(l.newest, false) AS newest,
         min(u.first_use) AS first_use, coalesce(sum(u.subject_keys), 0)::bigint AS subject_keys,
         coalesce(sum(u.subject_references), 0)::bigint AS subject_references,
         coalesce(sum(u.capture_sources), 0)::bigint AS capture_sources,
         coalesce(sum(u.factors), 0)::bigint AS factors
  FROM visage.loaded_keys() l FULL JOIN usage u USING (custody, version)
  GROUP BY custody, version, l.version, l.newest;
COMMENT ON VIEW visage.keys IS 'versions of the root keys and the rows that depend on each; a version with loaded = false is needed and missing';
