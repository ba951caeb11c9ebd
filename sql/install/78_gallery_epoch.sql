-- Epochs of galleries: when a new one begins, and how references come into it. [6.2e] docs/identify.md

CREATE TABLE visage.gallery_policy (
  institution integer PRIMARY KEY REFERENCES visage.institution,
  roll boolean NOT NULL DEFAULT true,
  epoch_lifetime interval CHECK (epoch_lifetime > '0')
);
COMMENT ON TABLE visage.gallery_policy IS 'how references come into a new epoch of a gallery; no row: only with a capture that replaces them';
COMMENT ON COLUMN visage.gallery_policy.roll IS 'a reference without a code of the open epoch is made anew from the probe of an accepted verification, with its code, under the guards of visage.adaptation_policy';
COMMENT ON COLUMN visage.gallery_policy.epoch_lifetime IS 'the keeper opens a new epoch when one is older, unless four have codes already; null: by hand';

-- As many epochs as a search has codes of its probe for. Of an older one references would be compared one by one.
CREATE FUNCTION visage.galleries_due() RETURNS TABLE (gallery integer)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT g.id FROM visage.gallery g JOIN visage.gallery_policy p ON p.institution = g.institution
  WHERE g.closed_at IS NULL AND g.opened_at <= now() - p.epoch_lifetime
    AND (SELECT count(*) FROM visage.gallery o WHERE o.institution = g.institution AND o.model = g.model
         AND EXISTS (SELECT FROM visage.gallery_code c WHERE c.gallery = o.id)) < 4
$$;
COMMENT ON FUNCTION visage.galleries_due() IS 'galleries whose epoch is over';

CREATE FUNCTION visage.roll_galleries() RETURNS bigint
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  rolled bigint;
BEGIN
  SELECT count(visage.begin_epoch(g.institution, g.model, g.dimension)) INTO rolled
    FROM visage.gallery g WHERE g.id IN (SELECT d.gallery FROM visage.galleries_due() d);
  RETURN rolled;
END
$$;
COMMENT ON FUNCTION visage.roll_galleries() IS 'begins a new epoch of each gallery whose epoch is over; for the keeper';

-- Adapted references follow their originals.
CREATE VIEW visage.gallery_progress WITH (security_barrier) AS
  SELECT i.name AS institution, g.model, g.epoch, g.opened_at, r.originals, r.done, r.behind, r.without,
         r.done / nullif(r.originals, 0)::double precision AS share, g.opened_at + p.epoch_lifetime AS next_at
  FROM visage.gallery g JOIN visage.institution i ON i.id = g.institution
  LEFT JOIN visage.gallery_policy p ON p.institution = g.institution
  CROSS JOIN LATERAL (
    SELECT count(*) AS originals, count(*) FILTER (WHERE c.gallery = g.id) AS done, count(*) FILTER (WHERE c.gallery <> g.id) AS behind,
           count(*) FILTER (WHERE c.gallery IS NULL) AS without
    FROM visage.subject s JOIN visage.subject_reference r ON r.subject = s.id LEFT JOIN visage.gallery_code c ON c.reference = r.id
    WHERE s.institution = g.institution AND r.model = g.model AND NOT r.adapted) r
  WHERE g.closed_at IS NULL AND visage.acts_for(g.institution);
COMMENT ON VIEW visage.gallery_progress IS 'how many references have come into the open epoch of each gallery';
COMMENT ON COLUMN visage.gallery_progress.originals IS 'references of the model that were captured, and not adapted';
COMMENT ON COLUMN visage.gallery_progress.done IS 'of these with a code of the open epoch';
COMMENT ON COLUMN visage.gallery_progress.behind IS 'with a code of an earlier one, which is searched as well';
COMMENT ON COLUMN visage.gallery_progress.without IS 'without any: a search compares them one by one';
COMMENT ON COLUMN visage.gallery_progress.share IS 'done of originals, 0 to 1';
COMMENT ON COLUMN visage.gallery_progress.next_at IS 'when the keeper will open the next; null: by hand';

SELECT visage.watch_policy('visage.gallery_policy', 'institution');

GRANT SELECT ON visage.gallery_policy, visage.gallery_progress TO visage_admin, visage_auditor;
GRANT INSERT, UPDATE, DELETE ON visage.gallery_policy TO visage_admin;

SELECT pg_catalog.pg_extension_config_dump('visage.gallery_policy', '');
