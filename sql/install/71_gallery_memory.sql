-- What changes leave for galleries in memory, and what people see of these. [6.2c, 6.6f] docs/gallery.md
-- A search reads memory, and from the tables what is newer than memory: xid says what that is.

ALTER TABLE visage.subject_reference ADD COLUMN xid xid8 NOT NULL DEFAULT '0';
ALTER TABLE visage.gallery_code ADD COLUMN xid xid8 NOT NULL DEFAULT '0';
COMMENT ON COLUMN visage.subject_reference.xid IS 'transaction that made it what is compared; set by a trigger, in a restored database too';
COMMENT ON COLUMN visage.gallery_code.xid IS 'transaction that made it; set by a trigger, in a restored database too';
CREATE INDEX subject_reference_xid ON visage.subject_reference (xid);
CREATE INDEX gallery_code_xid ON visage.gallery_code (xid);

-- Unlogged: after a crash memory is filled anew, so no list of the deleted need outlast it, in a log or elsewhere.
CREATE UNLOGGED TABLE visage.gallery_removal (
  reference uuid,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id()
);
COMMENT ON TABLE visage.gallery_removal IS 'references that were deleted, or lost their code, for the gallery worker, which deletes the rows';
COMMENT ON COLUMN visage.gallery_removal.reference IS 'null: all of them';

CREATE FUNCTION visage.stamp_change() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'visage_stamp_change';
COMMENT ON FUNCTION visage.stamp_change() IS 'trigger: writes down whose change a row is, and wakes the gallery worker with the commit';
CREATE FUNCTION visage.wake_gallery_worker(always boolean) RETURNS boolean
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'visage_wake_gallery_worker';
COMMENT ON FUNCTION visage.wake_gallery_worker(boolean) IS
  'does memory have to hear of deletions? Then its worker is woken with the commit; always: of codes, and not of references without';

CREATE FUNCTION visage.note_removal() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF visage.wake_gallery_worker(TG_TABLE_NAME = 'gallery_code') THEN
    IF TG_OP = 'TRUNCATE' THEN
      INSERT INTO visage.gallery_removal DEFAULT VALUES;
    ELSIF TG_TABLE_NAME = 'gallery_code' THEN
      INSERT INTO visage.gallery_removal SELECT g.reference FROM gone g;
    ELSE
      INSERT INTO visage.gallery_removal SELECT g.id FROM gone g;
    END IF;
  END IF;
  RETURN NULL;
END
$$;
COMMENT ON FUNCTION visage.note_removal() IS 'trigger: lists what was deleted for the gallery worker';

CREATE TRIGGER stamp_change BEFORE INSERT OR UPDATE OF id, subject, generation, model ON visage.subject_reference
  FOR EACH ROW EXECUTE FUNCTION visage.stamp_change();
CREATE TRIGGER stamp_change BEFORE INSERT OR UPDATE ON visage.gallery_code
  FOR EACH ROW EXECUTE FUNCTION visage.stamp_change();
DO $$
DECLARE
  kept text;
BEGIN
  FOREACH kept IN ARRAY ARRAY['subject_reference', 'gallery_code'] LOOP
    EXECUTE pg_catalog.format('CREATE TRIGGER note_removal AFTER DELETE ON visage.%I REFERENCING OLD TABLE AS gone '
      'FOR EACH STATEMENT EXECUTE FUNCTION visage.note_removal()', kept);
    EXECUTE pg_catalog.format('CREATE TRIGGER note_truncation AFTER TRUNCATE ON visage.%I '
      'FOR EACH STATEMENT EXECUTE FUNCTION visage.note_removal()', kept);
    -- Also where a subscription applies the changes.
    EXECUTE pg_catalog.format('ALTER TABLE visage.%I ENABLE ALWAYS TRIGGER stamp_change', kept);
    EXECUTE pg_catalog.format('ALTER TABLE visage.%I ENABLE ALWAYS TRIGGER note_removal', kept);
    EXECUTE pg_catalog.format('ALTER TABLE visage.%I ENABLE ALWAYS TRIGGER note_truncation', kept);
  END LOOP;
END
$$;

CREATE FUNCTION visage.galleries_in_memory() RETURNS TABLE (
    institution integer, model text, gallery integer, state text, done bigint, due bigint, codes bigint, unopened bigint, bytes bigint,
    seen_at timestamptz)
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'visage_galleries_in_memory';
COMMENT ON FUNCTION visage.galleries_in_memory() IS 'what memory has of each epoch of every institution; gallery 0 are references without a code';
CREATE FUNCTION visage.own_galleries_in_memory() RETURNS TABLE (
    institution integer, model text, gallery integer, state text, done bigint, due bigint, codes bigint, unopened bigint, bytes bigint,
    seen_at timestamptz)
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT * FROM visage.galleries_in_memory() m WHERE visage.acts_for(m.institution)
$$;
COMMENT ON FUNCTION visage.own_galleries_in_memory() IS 'part of visage.galleries: what memory has of the epochs of the caller''s institutions';

CREATE FUNCTION visage.gallery_worker(
    OUT state text, OUT pid integer, OUT memory bigint, OUT taken bigint, OUT waiting bigint, OUT readings integer,
    OUT searches bigint, OUT publication bigint,
    OUT seen_at timestamptz, OUT fault text)
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'visage_gallery_worker';
COMMENT ON FUNCTION visage.gallery_worker() IS 'part of visage.gallery_memory';

CREATE VIEW visage.gallery_memory AS SELECT w.* FROM visage.gallery_worker() w;
COMMENT ON VIEW visage.gallery_memory IS 'galleries in memory as a whole, and their worker';
COMMENT ON COLUMN visage.gallery_memory.state IS 'off: visage.gallery_memory is 0; stopped: there is no worker, as on a standby; filling; serving; faulty: fault says why';
COMMENT ON COLUMN visage.gallery_memory.memory IS 'bytes that may be taken';
COMMENT ON COLUMN visage.gallery_memory.taken IS 'bytes that are';
COMMENT ON COLUMN visage.gallery_memory.waiting IS 'places that are freed when the searches that go on have ended';
COMMENT ON COLUMN visage.gallery_memory.readings IS 'searches that read memory now';
COMMENT ON COLUMN visage.gallery_memory.searches IS 'that read memory since the server started; others read tables';
COMMENT ON COLUMN visage.gallery_memory.publication IS 'counts what the worker has published since it began';
COMMENT ON COLUMN visage.gallery_memory.seen_at IS 'memory has what was committed by then; searches read newer rows from the tables';

CREATE VIEW visage.galleries WITH (security_barrier) AS
  SELECT i.name AS institution, g.model, g.epoch, g.dimension, g.transform_version, l.version IS NOT NULL AS loaded, g.opened_at, g.closed_at,
         (SELECT count(*) FROM visage.gallery_code c WHERE c.gallery = g.id) AS codes,
         CASE WHEN s.state IN ('off', 'stopped') THEN s.state ELSE coalesce(m.state, w.state, CASE WHEN g.closed_at IS NULL THEN 'waiting' ELSE 'closed' END) END AS state,
         w.done, w.due, m.codes AS codes_in_memory, w.codes AS compared_singly, w.bytes, w.seen_at
  FROM visage.gallery g JOIN visage.institution i ON i.id = g.institution
  CROSS JOIN visage.gallery_worker() s
  LEFT JOIN (SELECT k.version FROM visage.loaded_keys() k WHERE k.custody = 'transform') l ON l.version = g.transform_version
  LEFT JOIN visage.own_galleries_in_memory() m ON m.gallery = g.id
  LEFT JOIN visage.own_galleries_in_memory() w ON w.institution = g.institution AND w.model = g.model AND w.gallery = 0
  WHERE visage.acts_for(g.institution);
COMMENT ON VIEW visage.galleries IS 'epochs of the galleries of the caller''s institutions: codes in the table, and what memory has of them';
COMMENT ON COLUMN visage.galleries.loaded IS 'is the transform root there that its codes open under?';
COMMENT ON COLUMN visage.galleries.codes IS 'references that have a code of this epoch';
COMMENT ON COLUMN visage.galleries.state IS
  'serving: searches read memory. Otherwise they read the table: off, stopped, waiting, closed (and without codes), filling, over the limit (visage.gallery_memory), not locked (the system''s limit), key missing (codes do not open)';
COMMENT ON COLUMN visage.galleries.done IS 'references of the institution and model that were read when memory was filled last, of those due';
COMMENT ON COLUMN visage.galleries.codes_in_memory IS 'of this epoch';
COMMENT ON COLUMN visage.galleries.compared_singly IS 'references of the institution and model without a code that opens: each search compares them one by one';
COMMENT ON COLUMN visage.galleries.bytes IS 'of memory, for all epochs of the institution and model';
COMMENT ON COLUMN visage.galleries.seen_at IS 'memory has what was committed by then; searches read newer rows from the table';

-- For measuring a search, and for holding memory against the table (visage.search_method).
-- Nothing records it, so it is for those alone who may have scores.
CREATE FUNCTION visage.score_candidates(
    probe visage.probe, fpir double precision DEFAULT 0.01, most bigint DEFAULT 20000,
    OUT complete boolean, OUT compared bigint, OUT subject uuid, OUT score double precision) RETURNS SETOF record
  LANGUAGE c VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_score_candidates';
COMMENT ON FUNCTION visage.score_candidates(visage.probe, double precision, bigint) IS
  'whom a search finds, 16 at most, with scores, for calibration only; one row without a subject where it finds nobody; consumes nothing [6.6f]';

GRANT EXECUTE ON FUNCTION visage.score_candidates(visage.probe, double precision, bigint) TO visage_calibrator;
GRANT SELECT ON visage.galleries, visage.gallery_memory TO visage_admin, visage_auditor;
GRANT EXECUTE ON FUNCTION visage.gallery_worker(), visage.own_galleries_in_memory() TO visage_admin, visage_auditor;
