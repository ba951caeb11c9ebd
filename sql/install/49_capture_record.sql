-- What an event keeps of a probe's liveness and quality (core/probe/capture_record.h), in words. For auditors: what a
-- client could learn from it would help an attacker.

CREATE FUNCTION visage.capture_states(record bytea, OUT kind text, OUT id smallint, OUT state text, OUT value real)
  RETURNS SETOF record LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_capture_states';
COMMENT ON FUNCTION visage.capture_states(bytea) IS 'part of capture_report: the entries of a capture record, by number';

-- Names of methods and reasons are those of docs/liveness.md; a check holds them against the sidecar's.
CREATE FUNCTION visage.capture_report(record bytea) RETURNS jsonb
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH named AS (
    SELECT s.kind, s.state, s.value,
           coalesce(CASE s.kind
             WHEN 'quality' THEN (SELECT m.name FROM visage.measure m WHERE m.id = s.id)
             WHEN 'liveness' THEN (ARRAY['declared', 'passive', 'challenge', 'continuity', 'light', 'depth', 'injection', 'texture'])[s.id]
             ELSE (ARRAY[
               'none', 'too-few-frames', 'nothing-asked', 'no-depth', 'face-lost', 'too-bright', 'too-smooth', 'network',
               'movement-missing', 'movement-not-asked', 'flat-turn', 'another-face', 'jump', 'colour-absent', 'colour-wrong',
               'colour-everywhere', 'uniform-depth', 'plane', 'bent', 'hollow', 'no-nose', 'wrong-size', 'depth-elsewhere',
               'still-frames', 'loop', 'same-noise', 'times', 'resampled', 'editor', 'virtual-camera', 'periodic-dots'
             ])[s.id + 1] END, s.id::text) AS name
    FROM visage.capture_states($1) s)
  SELECT jsonb_strip_nulls(jsonb_build_object(
    'liveness', (SELECT jsonb_object_agg(n.name, n.state) FROM named n WHERE n.kind = 'liveness'),
    'liveness_reason', (SELECT n.name FROM named n WHERE n.kind = 'reason'),
    'quality', (SELECT jsonb_object_agg(n.name, n.state) FROM named n WHERE n.kind = 'quality' AND n.state IN ('short', 'missing')),
    'values', (SELECT jsonb_object_agg(n.name, n.value) FROM named n WHERE n.value IS NOT NULL)))
$$;
COMMENT ON FUNCTION visage.capture_report(bytea) IS
  'what an event keeps of liveness and quality: by method whether the channel''s floor was reached, why liveness failed, '
  'measures that fell short of a floor, and the values where visage.audit_policy has them kept [6.1.2b, 6.1.3b]';

GRANT EXECUTE ON FUNCTION visage.capture_report(bytea) TO visage_auditor;
