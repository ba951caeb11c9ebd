-- Who was found by the identification that a session was used for: for a backend whose person was captured elsewhere, by a
-- capture page. The names are the event's, less those who may not be shown any more. [6.6f] docs/identify.md

CREATE FUNCTION visage.session_candidates(session uuid) RETURNS TABLE (rank integer, subject text)
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT row_number() OVER (ORDER BY named.place)::integer, p.external_id
  FROM visage.session s
  JOIN visage.event e ON e.session = s.id AND e.operation = 'identify' AND e.decision = 'accept'
  CROSS JOIN LATERAL regexp_matches(substring(e.object FROM ': .*'), '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'g')
    WITH ORDINALITY AS named (id, place)
  JOIN visage.subject p ON p.id = named.id[1]::uuid AND p.institution = s.institution AND p.revoked_at IS NULL
  CROSS JOIN LATERAL visage.consent_needed(s.institution, s.channel, s.scenario) n
  WHERE s.id = $1 AND s.institution = visage.acting_institution()
    AND (NOT n.required OR EXISTS (
      SELECT FROM visage.consent c
      WHERE c.institution = s.institution AND c.subject = p.external_id AND c.purpose = n.purpose AND c.ended_at IS NULL
        AND (c.valid_until IS NULL OR c.valid_until > clock_timestamp())))
$$;
COMMENT ON FUNCTION visage.session_candidates(uuid) IS
  'who was found by the identification that a session was used for, the most alike first; nobody before it, and none who was cancelled or revoked or withdrew consent since [6.6f]';

GRANT EXECUTE ON FUNCTION visage.session_candidates(uuid) TO visage_search;
