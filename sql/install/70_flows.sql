-- The API of the flows. Each returns one visage.outcome; non-match, spoof and replay are results, not errors.
-- verify and score are not SECURITY DEFINER: they take the owner's rights in C, which costs less at each call.

CREATE FUNCTION visage.add_capture_source(name text) RETURNS text
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS 'MODULE_PATHNAME', 'visage_add_capture_source';
COMMENT ON FUNCTION visage.add_capture_source(text) IS 'admits a capture source and returns its key, this once; keep it in a file that only the source can read';

CREATE FUNCTION visage.disable_capture_source(name text) RETURNS boolean
  LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH disabled AS (
    UPDATE visage.capture_source c SET disabled_at = clock_timestamp()
    FROM visage.institution i
    WHERE c.name = $1 AND c.disabled_at IS NULL AND i.id = c.institution
      AND i.name = current_setting('visage.institution') AND visage.acts_for(i.id)
    RETURNING c.id)
  SELECT EXISTS (SELECT FROM disabled)
$$;
COMMENT ON FUNCTION visage.disable_capture_source(text) IS 'refuses the source''s probes from now on; false when there is no such source in use';

CREATE FUNCTION visage.seal_probe(
  feature real[], model text, liveness real DEFAULT NULL, source text DEFAULT 'sql', quality jsonb DEFAULT '{}',
  image_digest bytea DEFAULT NULL, session_nonce bytea DEFAULT NULL,
  captured_at timestamptz DEFAULT clock_timestamp(), lifetime interval DEFAULT '5 minutes')
  RETURNS visage.probe
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_seal_probe';
COMMENT ON FUNCTION visage.seal_probe(real[], text, real, text, jsonb, bytea, bytea, timestamptz, interval) IS
  'seals a feature of the caller''s own SDK; pass the feature as a parameter, not as text in the statement';

CREATE FUNCTION visage.register(
  subject text, probe visage.probe, channel text DEFAULT 'default', scenario text DEFAULT 'default',
  context jsonb DEFAULT '{}') RETURNS visage.outcome
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_register';
COMMENT ON FUNCTION visage.register(text, visage.probe, text, text, jsonb) IS 'ties a face to a new subject [5.3.1]';

CREATE FUNCTION visage.verify(
  subject text, probe visage.probe, channel text DEFAULT 'default', scenario text DEFAULT 'default',
  context jsonb DEFAULT '{}') RETURNS visage.outcome
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'visage_verify';
COMMENT ON FUNCTION visage.verify(text, visage.probe, text, text, jsonb) IS 'is this the subject''s face? [5.3.2]';

CREATE FUNCTION visage.compare(
  probe visage.probe, document visage.probe, channel text DEFAULT 'default', scenario text DEFAULT 'default',
  context jsonb DEFAULT '{}') RETURNS visage.outcome
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_compare';
COMMENT ON FUNCTION visage.compare(visage.probe, visage.probe, text, text, jsonb) IS 'is this the person on the document''s photo? Stores neither [6.6f]';

CREATE FUNCTION visage.add_reference(
  subject text, probe visage.probe, channel text DEFAULT 'default', scenario text DEFAULT 'default',
  context jsonb DEFAULT '{}') RETURNS visage.outcome
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_add_reference';
COMMENT ON FUNCTION visage.add_reference(text, visage.probe, text, text, jsonb) IS 'adds a face of the same person, which must match those stored [6.2f, 6.2g]';

CREATE FUNCTION visage.drop_reference(
  subject text, reference uuid, channel text DEFAULT 'default', scenario text DEFAULT 'default',
  context jsonb DEFAULT '{}') RETURNS visage.outcome
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_drop_reference';
COMMENT ON FUNCTION visage.drop_reference(text, uuid, text, text, jsonb) IS 'drops one of several references [6.2g]';

CREATE FUNCTION visage.cancel(
  subject text, channel text DEFAULT 'default', scenario text DEFAULT 'default', context jsonb DEFAULT '{}')
  RETURNS visage.outcome
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_cancel';
COMMENT ON FUNCTION visage.cancel(text, text, text, jsonb) IS 'deletes the subject, its references and its key [5.3.4]';

CREATE FUNCTION visage.score(reference visage.reference, probe visage.probe) RETURNS double precision
  LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100 AS 'MODULE_PATHNAME', 'visage_score';
COMMENT ON FUNCTION visage.score(visage.reference, visage.probe) IS 'estimated cosine, for calibration only; null across models; consumes nothing [6.3b]';

CREATE FUNCTION visage.list_references(subject text)
  RETURNS TABLE (reference uuid, model text, scheme text, channel text, created_at timestamptz)
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT r.id, r.model, r.scheme, r.channel, r.created_at
  FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject JOIN visage.institution i ON i.id = s.institution
  WHERE s.external_id = $1 AND i.name = current_setting('visage.institution') AND visage.acts_for(i.id)
  ORDER BY r.created_at, r.id
$$;
COMMENT ON FUNCTION visage.list_references(text) IS 'references of a subject, without their contents [6.6b]';

CREATE FUNCTION visage.references_for_calibration()
  RETURNS TABLE (subject text, id uuid, reference visage.reference, model text)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.external_id, r.id, r.reference, r.model
  FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject JOIN visage.institution i ON i.id = s.institution
  WHERE i.name = current_setting('visage.institution') AND visage.acts_for(i.id)
$$;
COMMENT ON FUNCTION visage.references_for_calibration() IS 'sealed references of the institution, to score labelled probes against';
