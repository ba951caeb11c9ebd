-- Approximate indexes of galleries, kept by the index worker: what there is of them, and how well they find. [6.2c, 6.6f]
-- docs/gallery-index.md

CREATE FUNCTION visage.gallery_indexes_in_memory() RETURNS TABLE (
    gallery integer, method text, state text, done bigint, due bigint, codes bigint, strays bigint, bytes bigint,
    from_snapshot boolean, build_ms bigint, answers bigint, overlooked bigint, locked boolean, fault text)
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'visage_gallery_indexes_in_memory';
COMMENT ON FUNCTION visage.gallery_indexes_in_memory() IS 'indexes of all institutions; the source of visage.gallery_indexes';

CREATE FUNCTION visage.own_gallery_indexes() RETURNS TABLE (
    institution text, model text, epoch integer, method text, state text, done bigint, due bigint, codes bigint, strays bigint,
    bytes bigint, from_snapshot boolean, build_ms bigint, answers bigint, overlooked bigint, locked boolean, fault text)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT i.name, g.model, g.epoch, x.method, x.state, x.done, x.due, x.codes, x.strays,
         x.bytes, x.from_snapshot, x.build_ms, x.answers, x.overlooked, x.locked, x.fault
  FROM visage.gallery_indexes_in_memory() x JOIN visage.gallery g ON g.id = x.gallery JOIN visage.institution i ON i.id = g.institution
  WHERE visage.acts_for(g.institution)
$$;
COMMENT ON FUNCTION visage.own_gallery_indexes() IS 'indexes of the galleries of the caller''s institutions';

CREATE VIEW visage.gallery_indexes AS SELECT x.* FROM visage.own_gallery_indexes() x;
COMMENT ON VIEW visage.gallery_indexes IS 'approximate indexes of the galleries of the caller''s institutions; no row: searched exactly';
COMMENT ON COLUMN visage.gallery_indexes.state IS
  'building; serving; over the limit (visage.index_memory); faulty: fault says why. Whatever is not serving is searched exactly';
COMMENT ON COLUMN visage.gallery_indexes.done IS 'codes of the gallery that the index has, of those due';
COMMENT ON COLUMN visage.gallery_indexes.strays IS 'codes in the index that are no longer in the gallery; they are never found, and when there are many the index is made anew';
COMMENT ON COLUMN visage.gallery_indexes.answers IS 'searches that it answered';
COMMENT ON COLUMN visage.gallery_indexes.overlooked IS 'searches that were exact because more was near than the index lists';
COMMENT ON COLUMN visage.gallery_indexes.locked IS 'is its memory kept out of the swap?';

CREATE FUNCTION visage.measure_index(
    institution integer, model text, gallery integer, threshold double precision, codes integer,
    OUT sampled bigint, OUT answered bigint, OUT found bigint, OUT near bigint, OUT near_found bigint)
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'visage_measure_index';
COMMENT ON FUNCTION visage.measure_index(integer, text, integer, double precision, integer) IS 'one gallery of visage.gallery_recall()';

CREATE FUNCTION visage.gallery_recall(codes integer DEFAULT 1000, threshold double precision DEFAULT 0.6) RETURNS TABLE (
    institution text, model text, epoch integer, method text, sampled bigint, answered bigint, recall double precision,
    recall_10 double precision)
  LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF codes NOT BETWEEN 1 AND 1000000 OR threshold NOT BETWEEN 0 AND 1 THEN
    RAISE EXCEPTION 'from 1 to 1000000 codes are sampled, at a threshold from 0 to 1' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN QUERY
    SELECT i.name, g.model, g.epoch, x.method, m.sampled, m.answered,
           m.found::double precision / nullif(m.answered, 0), m.near_found::double precision / nullif(m.near, 0)
    FROM visage.gallery_indexes_in_memory() x JOIN visage.gallery g ON g.id = x.gallery JOIN visage.institution i ON i.id = g.institution
      CROSS JOIN LATERAL visage.measure_index(g.institution, g.model, g.id, gallery_recall.threshold, gallery_recall.codes) m
    WHERE visage.acts_for(g.institution) AND x.state = 'serving'
    ORDER BY i.name, g.model, g.epoch;
END
$$;
COMMENT ON FUNCTION visage.gallery_recall(integer, double precision) IS
  'asks each index for so many people, as other captures of theirs may be (one bit in four turned over): recall of those people, and of the ten nearest codes within the distance of the threshold, against the exact search';

GRANT EXECUTE ON FUNCTION visage.gallery_recall(integer, double precision) TO visage_admin;
GRANT EXECUTE ON FUNCTION visage.own_gallery_indexes() TO visage_admin, visage_auditor;
GRANT SELECT ON visage.gallery_indexes TO visage_admin, visage_auditor;
