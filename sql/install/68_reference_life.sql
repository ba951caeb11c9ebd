-- The life of references: renewal and expiry, adaptation, protection under a new transform root. [5.3.3, 6.2e, 6.2f]
-- Decided in src/core/reference/life.h. docs/references.md

CREATE TABLE visage.reference_lifetime (
  institution integer PRIMARY KEY REFERENCES visage.institution,
  renew_after interval CHECK (renew_after > '0'),
  expire_after interval CHECK (expire_after > '0'),
  CHECK (coalesce(renew_after, expire_after) IS NOT NULL),
  CHECK (renew_after <= expire_after)
);
COMMENT ON TABLE visage.reference_lifetime IS 'how long references are used; no row: as long as they are there [5.3.3]';
COMMENT ON COLUMN visage.reference_lifetime.renew_after IS 'from then on visage.references_due asks for another; verifications go on';
COMMENT ON COLUMN visage.reference_lifetime.expire_after IS 'from then on it is not compared any more, except to replace it';

CREATE TABLE visage.adaptation_policy (
  institution integer NOT NULL REFERENCES visage.institution,
  channel text NOT NULL DEFAULT '*' CHECK (length(channel) BETWEEN 1 AND 63),
  adapt boolean NOT NULL DEFAULT false,
  reprotect boolean NOT NULL DEFAULT true,
  fmr double precision NOT NULL DEFAULT 4e-6 CHECK (fmr > 0 AND fmr < 1),
  anchor_fmr double precision NOT NULL DEFAULT 1e-3 CHECK (anchor_fmr > 0 AND anchor_fmr < 1),
  liveness_floor real DEFAULT 0.8 CHECK (liveness_floor BETWEEN 0 AND 1),
  quality jsonb NOT NULL DEFAULT '{"InterEyeDistance": 90}' CHECK (jsonb_typeof(quality) = 'object'),
  period interval NOT NULL DEFAULT '30 days' CHECK (period >= '0'),
  builtin boolean NOT NULL DEFAULT false,
  PRIMARY KEY (institution, channel),
  CHECK (fmr <= anchor_fmr)
);
COMMENT ON TABLE visage.adaptation_policy IS 'what accepted verifications make of references; an institution without a row has those of institution 1 [6.2e]';
COMMENT ON COLUMN visage.adaptation_policy.channel IS '* is every one that has no row';
COMMENT ON COLUMN visage.adaptation_policy.adapt IS 'a further reference is made from the probe, and replaced by the next; the originals stay';
COMMENT ON COLUMN visage.adaptation_policy.reprotect IS 'a reference under an older transform root is made anew from the probe';
COMMENT ON COLUMN visage.adaptation_policy.fmr IS 'false match rate that the probe must keep for it, over all references: stricter than a verification''s';
COMMENT ON COLUMN visage.adaptation_policy.anchor_fmr IS 'the same against the originals alone, for the probe that is adapted to and for every one that the adapted reference accepts: how far adaptation may drift';
COMMENT ON COLUMN visage.adaptation_policy.liveness_floor IS 'least liveness of the probe by every method; null asks for none';
COMMENT ON COLUMN visage.adaptation_policy.quality IS 'least quality of the probe, by measure, eight at most; the channel''s floors hold as well';
COMMENT ON COLUMN visage.adaptation_policy.period IS 'an adapted reference that is younger stays; after revert_adaptation nothing is adapted for as long';
-- 2e-6 is the lowest rate that the shipped calibration has: 4e-6 leaves a share for an original and an adapted reference.
INSERT INTO visage.adaptation_policy (institution, builtin) VALUES (1, true);

-- A floor on a measure that does not exist would hold for nothing.
CREATE FUNCTION visage.check_adaptation() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  wrong text;
BEGIN
  SELECT f.key INTO wrong FROM jsonb_each(NEW.quality) f
    WHERE jsonb_typeof(f.value) <> 'number' OR NOT EXISTS (SELECT FROM visage.measure m WHERE m.name = f.key) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'quality: "%" is not a measure, or has no number', wrong
      USING ERRCODE = 'check_violation', HINT = 'SELECT name FROM visage.measure lists measures.';
  ELSIF (SELECT count(*) FROM jsonb_object_keys(NEW.quality)) > 8 THEN
    RAISE EXCEPTION 'quality names more than 8 measures' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER check_adaptation BEFORE INSERT OR UPDATE ON visage.adaptation_policy
  FOR EACH ROW EXECUTE FUNCTION visage.check_adaptation();
CREATE TRIGGER guard_builtin BEFORE INSERT OR UPDATE OR DELETE ON visage.adaptation_policy
  FOR EACH ROW EXECUTE FUNCTION visage.guard_builtin('institution', 'channel');

CREATE TABLE visage.adaptation_hold (
  subject uuid PRIMARY KEY REFERENCES visage.subject ON DELETE CASCADE,
  since timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE visage.adaptation_hold IS 'subjects whose adaptation was taken back: nothing is adapted for a period from then';

CREATE FUNCTION visage.revert_adaptation(subject text, why text) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  person visage.subject;
  dropped uuid[];
BEGIN
  IF why IS NULL OR octet_length(why) NOT BETWEEN 1 AND 255 THEN
    RAISE EXCEPTION 'why has % bytes, allowed are 1 to 255', coalesce(octet_length(why), 0) USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT * INTO person FROM visage.subject s WHERE s.institution = visage.acting_institution() AND s.external_id = $1 FOR UPDATE;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  WITH gone AS (DELETE FROM visage.subject_reference r WHERE r.subject = person.id AND r.adapted RETURNING r.id)
    SELECT array_agg(g.id) INTO dropped FROM gone g;
  INSERT INTO visage.adaptation_hold (subject) VALUES (person.id) ON CONFLICT ON CONSTRAINT adaptation_hold_pkey DO UPDATE SET since = clock_timestamp();
  PERFORM visage.record_change('revert_adaptation', person.institution, coalesce('reference ' || dropped[1], 'no reference'), NULL, NULL, why, person.id);
  RETURN dropped IS NOT NULL;
END
$$;
COMMENT ON FUNCTION visage.revert_adaptation(text, text) IS
  'drops what was adapted of a subject and adapts nothing for a period; the originals stay; false when there was nothing [6.2e]';

-- The adapted ones follow their originals.
CREATE VIEW visage.references_due WITH (security_barrier) AS
  SELECT i.name AS institution, s.external_id AS subject, r.id AS reference, r.model, r.channel, r.created_at,
         CASE WHEN r.created_at <= now() - l.expire_after THEN 'expired' ELSE 'due' END AS state,
         r.created_at + l.expire_after AS expires_at
  FROM visage.reference_lifetime l JOIN visage.institution i ON i.id = l.institution
  JOIN visage.subject s ON s.institution = i.id JOIN visage.subject_reference r ON r.subject = s.id
  WHERE NOT r.adapted AND r.created_at <= now() - coalesce(l.renew_after, l.expire_after) AND visage.acts_for(i.id);
COMMENT ON VIEW visage.references_due IS 'references that are to be replaced, for whoever asks their people to [5.3.3]';
COMMENT ON COLUMN visage.references_due.state IS 'due: still compared; expired: not any more';
COMMENT ON COLUMN visage.references_due.expires_at IS 'null where they do not';

CREATE VIEW visage.reprotection_progress WITH (security_barrier) AS
  SELECT i.name AS institution, r.transform_version, coalesce(k.loaded, false) AS loaded, coalesce(k.newest, false) AS newest,
         r.subjects, r.originals, r.adapted, (r.originals / sum(r.originals) OVER (PARTITION BY i.id))::double precision AS share
  FROM (SELECT s.institution, r.transform_version, count(DISTINCT r.subject) AS subjects,
               count(*) FILTER (WHERE NOT r.adapted) AS originals, count(*) FILTER (WHERE r.adapted) AS adapted
        FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject GROUP BY 1, 2) r
  JOIN visage.institution i ON i.id = r.institution
  LEFT JOIN (SELECT l.version, true AS loaded, l.newest FROM visage.loaded_keys() l WHERE l.custody = 'transform') k
    ON k.version = r.transform_version
  WHERE visage.acts_for(i.id);
COMMENT ON VIEW visage.reprotection_progress IS 'references by the transform root that they are protected under; an older root is needed while there is a row for it';
COMMENT ON COLUMN visage.reprotection_progress.newest IS 'of the newest root: these are done';
COMMENT ON COLUMN visage.reprotection_progress.share IS 'of the institution''s originals, 0 to 1';

SELECT visage.watch_policy('visage.adaptation_policy', 'channel'), visage.watch_policy('visage.reference_lifetime', 'institution');

CREATE FUNCTION visage.replace_reference(
  subject text, probe visage.probe, channel text DEFAULT 'default', scenario text DEFAULT 'default',
  context jsonb DEFAULT '{}', reference uuid DEFAULT NULL) RETURNS visage.outcome
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_replace_reference';
COMMENT ON FUNCTION visage.replace_reference(text, visage.probe, text, text, jsonb, uuid) IS
  'puts a new face of the same person in the place of one reference, or of all: the flow "change"; it must match those stored, expired ones included [5.3.3]';

GRANT SELECT ON visage.adaptation_policy, visage.reference_lifetime TO visage_admin, visage_auditor;
GRANT INSERT, UPDATE, DELETE ON visage.adaptation_policy, visage.reference_lifetime TO visage_admin;
GRANT SELECT ON visage.references_due TO visage_admin, visage_service, visage_auditor;
GRANT SELECT ON visage.reprotection_progress TO visage_admin, visage_auditor;
GRANT EXECUTE ON FUNCTION visage.replace_reference(text, visage.probe, text, text, jsonb, uuid) TO visage_service;
GRANT EXECUTE ON FUNCTION visage.revert_adaptation(text, text) TO visage_admin, visage_service;

SELECT pg_catalog.pg_extension_config_dump('visage.adaptation_policy', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('visage.reference_lifetime', '');
SELECT pg_catalog.pg_extension_config_dump('visage.adaptation_hold', '');
