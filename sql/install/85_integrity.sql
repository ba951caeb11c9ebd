-- Parts of integrity() about what people have beside a face: factors, consents, sessions. [6.5c, 8.2.4e]

CREATE FUNCTION visage.open_factor(
  institution integer, subject uuid, wrapped bytea, id uuid, kind visage.factor_kind, sealed bytea) RETURNS text
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'visage_open_factor';
COMMENT ON FUNCTION visage.open_factor(integer, uuid, bytea, uuid, visage.factor_kind, bytea) IS
  'why a factor does not open under its subject''s key in its place; null when it does';

CREATE FUNCTION visage.factor_faults(archived boolean) RETURNS TABLE (part text, object text, fault text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
  -- The newest word about each kind of factor of a subject. What is not settled yet may still be taken back.
  WITH said AS MATERIALIZED (
    SELECT DISTINCT ON (e.subject, 2) e.subject, regexp_replace(e.object, '^session/', '') AS kind, e.operation, e.reference, t.note AS settled
    FROM visage.event e LEFT JOIN visage.event t ON t.settles = e.seq AND t.operation = 'settle'
    WHERE e.operation IN ('enrol_factor', 'replace_factor', 'remove_factor') AND e.decision = 'accept' AND t.note IS DISTINCT FROM 'rolled back'
    ORDER BY e.subject, 2, e.seq DESC),
  -- Versions that are missing are told of by themselves.
  opened AS MATERIALIZED (
    SELECT f.id, f.subject, f.kind::text AS kind, f.key_version, s.id IS NULL AS nobody, k.subject IS NULL AS keyless, o.fault
    FROM visage.factor f LEFT JOIN visage.subject s ON s.id = f.subject LEFT JOIN visage.subject_key k ON k.subject = f.subject
      LEFT JOIN LATERAL visage.open_factor(s.institution, f.subject, k.wrapped, f.id, f.kind, f.sealed) o (fault) ON true
    WHERE f.key_version IN (SELECT l.version FROM visage.loaded_keys() l WHERE l.custody = 'envelope')
      AND (k.key_version IS NULL OR k.key_version IN (SELECT l.version FROM visage.loaded_keys() l WHERE l.custody = 'envelope'))),
  -- Where none opens it is the key.
  wrong AS (SELECT o.key_version, count(*) FROM opened o GROUP BY 1 HAVING bool_and(o.fault IS NOT NULL) AND count(*) > 1)
  SELECT 'keys', 'envelope key version ' || w.key_version, format('opens none of %s factors: it is another key of that version', w.count) FROM wrong w
  UNION ALL
  SELECT 'factors', 'factor ' || o.id,
         CASE WHEN o.nobody THEN 'belongs to no subject'
              WHEN o.keyless THEN 'has a subject without a key'
              WHEN o.fault IS NOT NULL THEN o.fault
              WHEN n.subject IS NULL THEN 'was never enrolled'
              WHEN n.operation = 'remove_factor' THEN 'was removed, and is there'
              ELSE 'is not the one that was enrolled last' END
  FROM opened o LEFT JOIN said n ON n.subject = o.subject AND n.kind = o.kind
  WHERE o.key_version NOT IN (SELECT w.key_version FROM wrong w)
    AND (o.nobody OR o.keyless OR o.fault IS NOT NULL OR n.subject IS NULL AND NOT $1 OR n.operation = 'remove_factor' OR n.reference <> o.id)
  UNION ALL
  SELECT 'factors', 'factor ' || n.reference, 'was enrolled, was never removed, and is missing'
  FROM said n JOIN visage.subject s ON s.id = n.subject
  WHERE n.operation <> 'remove_factor' AND n.settled = 'committed'
    AND NOT EXISTS (SELECT FROM visage.factor f WHERE f.subject = n.subject AND f.kind::text = n.kind)
    AND NOT EXISTS (SELECT FROM visage.event g WHERE g.operation = 'erase' AND g.subject = n.subject AND g.object = 'factor ' || n.reference)
$$;
COMMENT ON FUNCTION visage.factor_faults(boolean) IS 'part of integrity(): opens every factor, and compares it with what the ledger has';

CREATE FUNCTION visage.consent_faults(archived boolean) RETURNS TABLE (part text, object text, fault text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
  WITH told AS MATERIALIZED (
    SELECT e.seq, e.operation, substr(e.object, 9) AS consent, e.institution, e.subject, e.note, e.after, t.note AS settled
    FROM visage.event e LEFT JOIN visage.event t ON t.settles = e.seq AND t.operation = 'settle'
    WHERE e.operation IN ('give_consent', 'withdraw_consent', 'erase') AND starts_with(e.object, 'consent ') AND t.note IS DISTINCT FROM 'rolled back'),
  given AS (SELECT * FROM told t WHERE t.operation = 'give_consent'),
  ended AS (SELECT DISTINCT t.consent FROM told t WHERE t.operation <> 'give_consent'),
  looked AS (
    SELECT c.id, c.ended_at, e.consent IS NOT NULL AS ended, g.seq,
           CASE WHEN i.id IS NULL THEN 'belongs to no institution'
                WHEN n.id IS NULL OR n.institution <> c.institution OR n.digest <> c.digest OR NOT c.purpose = ANY (n.purposes COLLATE "C")
                  THEN 'is not to the notice that it names'
                WHEN g.seq IS NULL AND NOT $1 THEN 'was never given'
                WHEN g.after <> c.digest OR g.institution <> c.institution OR NOT starts_with(g.note, 'to ' || c.purpose || ', ')
                  THEN 'is not the one that was given'
                -- Given before the registration, the ledger knows of no subject.
                WHEN g.subject IS NOT NULL AND s.id IS NULL THEN 'belongs to no subject'
                WHEN g.subject <> s.id THEN 'was given by another subject'
                WHEN e.consent IS NOT NULL AND c.ended_at IS NULL THEN 'was ended, and is in force' END AS fault
    FROM visage.consent c
      LEFT JOIN visage.institution i ON i.id = c.institution
      LEFT JOIN visage.notice n ON n.id = c.notice
      LEFT JOIN visage.subject s ON s.institution = c.institution AND s.external_id COLLATE "C" = c.subject
      LEFT JOIN given g ON g.consent = c.id::text
      LEFT JOIN ended e ON e.consent = c.id::text)
  SELECT 'consents', 'consent ' || l.id, l.fault FROM looked l WHERE l.fault IS NOT NULL
  UNION ALL
  SELECT 'consents', 'consent ' || g.consent, 'was given, and is missing'
  FROM given g JOIN visage.subject s ON s.id = g.subject
  WHERE g.settled = 'committed' AND NOT EXISTS (SELECT FROM visage.consent c WHERE c.id::text = g.consent)
    AND NOT EXISTS (SELECT FROM ended e WHERE e.consent = g.consent)
$$;
COMMENT ON FUNCTION visage.consent_faults(boolean) IS 'part of integrity(): every consent against its notice, its subject and what the ledger has';

CREATE FUNCTION visage.session_faults(archived boolean) RETURNS TABLE (part text, object text, fault text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
  SELECT 'sessions', 'session ' || l.id, l.fault
  FROM (
    SELECT s.id,
           CASE WHEN i.id IS NULL THEN 'belongs to no institution'
                WHEN o.seq IS NULL AND NOT $1 THEN 'was never opened'
                WHEN (o.institution, o.object, o.subject) IS DISTINCT FROM (s.institution, s.purpose::text, s.subject) AND o.seq IS NOT NULL
                  THEN 'is not the one that was opened'
                WHEN s.subject IS NOT NULL AND NOT EXISTS (SELECT FROM visage.subject p WHERE p.id = s.subject) AND NOT EXISTS (
                       SELECT FROM visage.event e WHERE e.subject = s.subject AND (e.operation = 'cancel' AND e.decision = 'accept' OR e.operation = 'erase' AND e.object = 'subject'))
                  THEN 'belongs to no subject'
                WHEN s.expires_at > s.opened_at + interval '1 day' THEN 'lives longer than policy can allow'
                -- Two of its rounds are the keeper's.
                WHEN s.expires_at < now() - interval '1 day' - 2 * current_setting('visage.keeper_interval')::interval
                  THEN 'is kept for more than a day after it expired' END AS fault
    FROM visage.session s
      LEFT JOIN visage.institution i ON i.id = s.institution
      LEFT JOIN LATERAL (SELECT e.seq, e.institution, e.object, e.subject FROM visage.event e
                         WHERE e.session = s.id AND e.operation = 'open_session' ORDER BY e.seq LIMIT 1) o ON true) l
  WHERE l.fault IS NOT NULL
$$;
COMMENT ON FUNCTION visage.session_faults(boolean) IS 'part of integrity(): every session against what the ledger has, and against the time that it may be kept';
