-- After a restore: what was erased stays erased, and what is there belongs together. [6.5c, 8.2.4f, 8.2.5g]
-- The drill is in docs/operations.md.

CREATE FUNCTION visage.after_restore() RETURNS TABLE (step text, erased bigint)
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  missing bigint;
  item record;
  counts text;
  dropped bigint := 0;
BEGIN
  PERFORM visage.require_all();
  -- A list under a root that is not loaded cannot be read. It matters only where rows are as old as that root.
  SELECT min(e.key_version) INTO missing FROM visage.erasure e
    WHERE e.key_version NOT IN (SELECT k.version FROM visage.loaded_keys() k WHERE k.custody = 'envelope')
      AND EXISTS (SELECT FROM visage.subject_key s WHERE s.key_version <= e.key_version);
  IF missing IS NOT NULL THEN
    RAISE EXCEPTION 'the list of erasures needs envelope key version %, which is not loaded', missing USING ERRCODE = 'VG002',
      HINT = 'Add the version to the key provider, then restart or call visage.reload_keys().';
  END IF;

  FOR item IN
    SELECT r.id, r.subject, s.institution
    FROM (SELECT DISTINCT e.key_version FROM visage.erasure e WHERE e.kind = 'reference'
          AND e.key_version IN (SELECT k.version FROM visage.loaded_keys() k WHERE k.custody = 'envelope')) v
      CROSS JOIN visage.subject_reference r JOIN visage.subject s ON s.id = r.subject
      JOIN visage.erasure e ON e.kind = 'reference' AND e.institution = s.institution AND e.key_version = v.key_version
        AND e.hash = visage.erasure_hash(s.institution, r.id, v.key_version)
  LOOP
    DELETE FROM visage.subject_reference r WHERE r.id = item.id;
    PERFORM visage.record_erasure(item.institution, 'reference ' || item.id, 'erased before the restore', item.subject);
    dropped := dropped + 1;
  END LOOP;

  step := 'subjects';
  erased := 0;
  FOR item IN
    SELECT s.id FROM (SELECT DISTINCT e.key_version FROM visage.erasure e WHERE e.kind = 'subject'
                      AND e.key_version IN (SELECT k.version FROM visage.loaded_keys() k WHERE k.custody = 'envelope')) v
      CROSS JOIN visage.subject s
      JOIN visage.erasure e ON e.kind = 'subject' AND e.institution = s.institution AND e.key_version = v.key_version
        AND e.hash = visage.erasure_hash(s.institution, s.id, v.key_version)
    UNION
    -- The ledger may be newer than the rest.
    SELECT s.id FROM visage.subject s JOIN visage.event e ON e.subject = s.id
    WHERE (e.operation = 'cancel' AND e.decision = 'accept' OR e.operation = 'erase' AND e.object = 'subject')
      AND EXISTS (SELECT FROM visage.event t WHERE t.settles = e.seq AND t.operation = 'settle' AND t.note = 'committed')
    UNION
    -- Whose references were all replaced by ones that the backup does not have: such a subject can only register anew.
    SELECT s.id FROM visage.subject s WHERE s.revoked_at IS NULL AND NOT EXISTS (SELECT FROM visage.subject_reference r WHERE r.subject = s.id)
  LOOP
    IF visage.erase_subject(item.id, 'erased before the restore') THEN
      erased := erased + 1;
    END IF;
  END LOOP;
  RETURN NEXT;
  counts := format('%s subjects, %s references', erased, dropped);
  step := 'references';
  erased := dropped;
  RETURN NEXT;

  -- A password that was replaced must not be good again.
  step := 'factors';
  erased := 0;
  FOR item IN
    SELECT f.id, f.subject, s.institution
    FROM (SELECT DISTINCT e.key_version FROM visage.erasure e WHERE e.kind = 'factor'
          AND e.key_version IN (SELECT k.version FROM visage.loaded_keys() k WHERE k.custody = 'envelope')) v
      CROSS JOIN visage.factor f JOIN visage.subject s ON s.id = f.subject
      JOIN visage.erasure e ON e.kind = 'factor' AND e.institution = s.institution AND e.key_version = v.key_version
        AND e.hash = visage.erasure_hash(s.institution, f.id, v.key_version)
  LOOP
    DELETE FROM visage.factor f WHERE f.id = item.id;
    PERFORM visage.record_erasure(item.institution, 'factor ' || item.id, 'erased before the restore', item.subject);
    erased := erased + 1;
  END LOOP;
  RETURN NEXT;
  counts := format('%s, %s factors', counts, erased);

  step := 'consents';
  erased := 0;
  FOR item IN
    SELECT c.id, c.institution, c.subject
    FROM (SELECT DISTINCT e.key_version FROM visage.erasure e WHERE e.kind = 'consent'
          AND e.key_version IN (SELECT k.version FROM visage.loaded_keys() k WHERE k.custody = 'envelope')) v
      CROSS JOIN visage.consent c
      JOIN visage.erasure e ON e.kind = 'consent' AND e.institution = c.institution AND e.key_version = v.key_version
        AND e.hash = visage.erasure_hash(c.institution, c.id, v.key_version)
    WHERE c.ended_at IS NULL
  LOOP
    UPDATE visage.consent c SET ended_at = clock_timestamp(), ended_by = 'restore' WHERE c.id = item.id;
    PERFORM visage.record_erasure(item.institution, 'consent ' || item.id, 'ended before the restore',
      (SELECT s.id FROM visage.subject s WHERE s.institution = item.institution AND s.external_id COLLATE "C" = item.subject));
    erased := erased + 1;
  END LOOP;
  RETURN NEXT;
  PERFORM visage.record_change('restore', NULL, 'list of erasures', NULL, NULL, format('erased again: %s, %s consents', counts, erased));
END
$$;
COMMENT ON FUNCTION visage.after_restore() IS
  'erases again what the list of erasures and the ledger say was erased; COPY your list into visage.erasure before';

CREATE FUNCTION visage.open_reference(
  institution integer, subject uuid, wrapped bytea, id uuid, generation integer, reference visage.reference,
  OUT digest bytea, OUT fault text)
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'visage_open_reference';
COMMENT ON FUNCTION visage.open_reference(integer, uuid, bytea, uuid, integer, visage.reference) IS
  'does a reference open under its subject''s key? With the digest that the ledger keeps of it';

-- The newest events about policy say which rows there must be, and what they say.
CREATE FUNCTION visage.policy_faults() RETURNS TABLE (object text, fault text)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET intervalstyle = 'postgres'
  SET extra_float_digits = 1 AS $$
DECLARE
  watched record;
BEGIN
  -- Nothing changed since the ledger opened: then one digest covers all.
  RETURN QUERY SELECT 'policy', 'is not what it was when the ledger was opened'
    FROM visage.event e WHERE e.operation = 'open_ledger' AND e.after <> visage.policy_digest()
      AND NOT EXISTS (SELECT FROM visage.event c WHERE c.operation = 'change' AND c.object ~ '^(insert|update|delete) ');
  FOR watched IN
    SELECT c.relname, string_to_array(trim(trailing E'\n' FROM replace(encode(t.tgargs, 'escape'), '\000', E'\n')), E'\n') AS keys
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
    WHERE t.tgname = 'audit_change' AND c.relnamespace = 'visage'::regnamespace ORDER BY c.relname
  LOOP
    RETURN QUERY EXECUTE format($q$
      WITH change AS (
        SELECT e.seq, e.after, coalesce(e.institution::text, '-') || ' ' || regexp_replace(e.object, '^\S+ ', '') AS object
        FROM visage.event e
        -- A longer one was cut, and is not found again.
        WHERE e.operation = 'change' AND split_part(e.object, ' ', 2) = %1$L AND octet_length(e.object) < 250
          AND NOT EXISTS (SELECT FROM visage.event s WHERE s.settles = e.seq AND s.operation = 'settle' AND s.note = 'rolled back')),
      last AS (SELECT DISTINCT ON (c.object) c.* FROM change c ORDER BY c.object, c.seq DESC),
      now AS (
        SELECT coalesce(to_jsonb(t) ->> %3$L, '-') || ' %1$s ' || %2$s AS object,
               sha256(convert_to(to_jsonb(t)::text, 'UTF8')) AS digest
        FROM visage.%1$I t)
      SELECT 'institution ' || l.object, CASE WHEN n.digest IS NULL THEN 'is missing' WHEN l.after IS NULL THEN 'was deleted, and is there'
                            ELSE 'is not what its last change made of it' END
      FROM last l LEFT JOIN now n USING (object) WHERE l.after IS DISTINCT FROM n.digest$q$, watched.relname,
      (SELECT string_agg(format('coalesce(to_jsonb(t) ->> %L, ''-'')', k), ' || ''/'' || ' ORDER BY n)
       FROM unnest(watched.keys) WITH ORDINALITY u (k, n)),
      CASE watched.relname WHEN 'institution' THEN 'id' ELSE 'institution' END);
  END LOOP;
END
$$;
COMMENT ON FUNCTION visage.policy_faults() IS 'part of integrity(): policy rows against the events of their changes';

CREATE FUNCTION visage.reference_faults(archived boolean) RETURNS TABLE (part text, object text, fault text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
  WITH made AS (
    SELECT DISTINCT ON (e.reference) e.reference, e.subject, e.after FROM visage.event e
    WHERE e.operation NOT IN ('compare', 'drop_reference') AND e.decision = 'accept' AND e.reference IS NOT NULL
      AND NOT EXISTS (SELECT FROM visage.event s WHERE s.settles = e.seq AND s.operation = 'settle' AND s.note = 'rolled back')
    ORDER BY e.reference, e.seq DESC),
  -- Versions that are missing are told of by themselves.
  opened AS MATERIALIZED (
    SELECT r.id, r.subject, r.key_version, k.subject IS NULL AS keyless, o.digest, o.fault
    FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject
      LEFT JOIN visage.subject_key k ON k.subject = r.subject
      LEFT JOIN LATERAL visage.open_reference(s.institution, r.subject, k.wrapped, r.id, r.generation, r.reference) o ON true
    WHERE r.key_version IN (SELECT l.version FROM visage.loaded_keys() l WHERE l.custody = 'envelope')
      AND r.transform_version IN (SELECT l.version FROM visage.loaded_keys() l WHERE l.custody = 'transform')
      AND (k.key_version IS NULL OR k.key_version IN (SELECT l.version FROM visage.loaded_keys() l WHERE l.custody = 'envelope'))),
  -- Where none opens it is the key.
  wrong AS (SELECT o.key_version, count(*) FROM opened o GROUP BY 1 HAVING bool_and(o.fault IS NOT NULL) AND count(*) > 1)
  SELECT 'keys', 'envelope key version ' || w.key_version,
         format('opens none of %s references: it is another key of that version, or the transform key is', w.count) FROM wrong w
  UNION ALL
  SELECT 'references', 'reference ' || o.id,
         CASE WHEN o.keyless THEN 'has a subject without a key'
              WHEN o.fault IS NOT NULL THEN o.fault
              WHEN m.reference IS NULL THEN 'was never registered'
              WHEN m.subject <> o.subject THEN 'was registered for another subject'
              ELSE 'is not the one that was registered' END
  FROM opened o LEFT JOIN made m ON m.reference = o.id
  WHERE o.key_version NOT IN (SELECT w.key_version FROM wrong w)
    AND (o.keyless OR o.fault IS NOT NULL OR m.reference IS NULL AND NOT $1 OR m.subject <> o.subject OR m.after <> o.digest)
$$;
COMMENT ON FUNCTION visage.reference_faults(boolean) IS 'part of integrity(): opens every reference, and compares it with what the ledger has';

CREATE FUNCTION visage.integrity() RETURNS TABLE (part text, object text, fault text)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  -- What was archived cannot be asked.
  archived boolean := coalesce((SELECT t.archived > 0 FROM visage.tree t), false);
BEGIN
  PERFORM visage.require_all();
  RETURN QUERY SELECT 'keys', format('%s key version %s', k.custody, k.version),
      format('is not loaded: %s subjects'' keys, %s references, %s factors and %s capture sources need it', k.subject_keys, k.subject_references,
             k.factors, k.capture_sources)
    FROM visage.keys k WHERE NOT k.loaded ORDER BY k.custody, k.version;
  RETURN QUERY SELECT f.* FROM visage.reference_faults(archived) f ORDER BY 1, 2;
  RETURN QUERY SELECT f.* FROM visage.code_faults() f ORDER BY 1, 2;
  RETURN QUERY SELECT 'subjects', 'subject ' || s.id, CASE WHEN s.revoked_at IS NULL THEN 'has no reference' ELSE 'is revoked and has a reference' END
    FROM visage.subject s
    WHERE (s.revoked_at IS NULL) <> EXISTS (SELECT FROM visage.subject_reference r WHERE r.subject = s.id) ORDER BY s.id;
  -- Whom the ledger has registered and not erased is there, and nobody else.
  RETURN QUERY
    WITH settled AS (SELECT e.subject, e.operation, e.decision, e.object FROM visage.event e
                     JOIN visage.event s ON s.settles = e.seq AND s.operation = 'settle' AND s.note = 'committed'
                     WHERE e.subject IS NOT NULL),
    gone AS (SELECT g.subject FROM settled g
             WHERE g.operation = 'cancel' AND g.decision = 'accept' OR g.operation = 'erase' AND g.object = 'subject'),
    -- Whose transaction has committed, and the writer has not said so yet.
    going AS (SELECT e.subject FROM visage.event e
              WHERE e.xid IS NOT NULL AND e.subject IS NOT NULL
                AND (e.operation = 'cancel' AND e.decision = 'accept' OR e.operation = 'erase' AND e.object = 'subject')
                AND NOT EXISTS (SELECT FROM visage.event s WHERE s.settles = e.seq)
                AND CASE WHEN e.xid < pg_snapshot_xmax(pg_current_snapshot()) THEN pg_xact_status(e.xid) = 'committed' END),
    come AS (SELECT c.subject FROM settled c WHERE c.operation = 'register' AND c.decision = 'accept'),
    -- As sets: the planner takes these to be small, and would look through one for every row of the other.
    back AS (SELECT g.subject FROM gone g INTERSECT SELECT s.id FROM visage.subject s),
    lost AS (SELECT c.subject FROM come c EXCEPT SELECT g.subject FROM gone g EXCEPT SELECT g.subject FROM going g EXCEPT SELECT s.id FROM visage.subject s)
    SELECT 'subjects', 'subject ' || b.subject, 'was erased, and is there' FROM back b
    UNION ALL
    SELECT 'subjects', 'subject ' || l.subject, 'was registered, was never erased, and is missing' FROM lost l;
  RETURN QUERY SELECT f.* FROM visage.factor_faults(archived) f ORDER BY 1, 2, 3;
  RETURN QUERY SELECT f.* FROM visage.consent_faults(archived) f ORDER BY 1, 2, 3;
  RETURN QUERY SELECT f.* FROM visage.session_faults(archived) f ORDER BY 1, 2, 3;
  RETURN QUERY SELECT 'subjects', a.object, a.fault FROM visage.authority_faults() a ORDER BY 2;
  RETURN QUERY SELECT 'policy', p.object, p.fault FROM visage.policy_faults() p ORDER BY 2;
  -- A dump names it by its number, which is another role on another server.
  RETURN QUERY SELECT 'policy', 'institution ' || i.name, format('role number %s, which acts for it, is gone', r.role::oid)
    FROM visage.institution_role r JOIN visage.institution i ON i.id = r.institution
    WHERE r.enabled AND NOT EXISTS (SELECT FROM pg_roles p WHERE p.oid = r.role::oid) ORDER BY 2, 3;
  RETURN QUERY SELECT 'policy', 'policy version', format('is %s, and events were decided under %s', v.version, e.version)
    FROM visage.policy_version v JOIN (SELECT e.institution, max(e.policy_version) AS version FROM visage.event e GROUP BY 1) e USING (institution)
    WHERE v.version < e.version;
  RETURN QUERY SELECT 'ledger', coalesce('event ' || v.event, 'ledger'), v.fault || ': ' || v.detail FROM visage.verify_ledger() v;
END
$$;
COMMENT ON FUNCTION visage.integrity() IS
  'do keys, references, subjects, factors, consents, sessions, policy and ledger belong together? One row a fault, none when all is well; opens every reference and factor [6.5c]';

-- What a kept archive of the ledger says of erasures, as its leaves hold it (docs/formats.md, "Leaf").
CREATE FUNCTION visage.read_leaf(
  leaf bytea, OUT event bigint, OUT operation text, OUT institution integer, OUT subject uuid, OUT decision text,
  OUT settles bigint, OUT object text, OUT note text)
  LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  -- By bit: -1 a label, -2 a text, else so many bytes.
  sizes CONSTANT integer[] := ARRAY[4, 16, -2, -2, -1, -1, 8, -2, 4, 16, 16, 16, 16, 16, -2, 8, 8, 8, -2, 32, 32, -2, 32];
  place integer := 17;
  size integer;
  mask bigint;
  part bytea;
BEGIN
  IF length(leaf) < 40 OR get_byte(leaf, 0) <> 1 THEN
    RAISE EXCEPTION 'not a leaf of version 1' USING ERRCODE = 'invalid_binary_representation';
  END IF;
  event := visage.little_endian(substr(leaf, 2, 8));
  operation := convert_from(substr(leaf, place + 2, get_byte(leaf, place)), getdatabaseencoding());
  place := place + 1 + get_byte(leaf, place) + 16;
  place := place + 2 + get_byte(leaf, place) + 256 * get_byte(leaf, place + 1);
  mask := visage.little_endian(substr(leaf, place + 1, 4));
  place := place + 4;
  FOR bit IN 0 .. 22 LOOP
    CONTINUE WHEN mask >> bit & 1 = 0;
    size := sizes[bit + 1];
    IF size = -1 THEN
      size := get_byte(leaf, place);
      place := place + 1;
    ELSIF size = -2 THEN
      size := get_byte(leaf, place) + 256 * get_byte(leaf, place + 1);
      place := place + 2;
    END IF;
    part := substr(leaf, place + 1, size);
    place := place + size;
    CASE bit
      WHEN 0 THEN institution := visage.little_endian(part);
      WHEN 1 THEN subject := encode(part, 'hex')::uuid;
      WHEN 4 THEN decision := convert_from(part, getdatabaseencoding());
      WHEN 17 THEN settles := visage.little_endian(part);
      WHEN 18 THEN object := convert_from(part, getdatabaseencoding());
      WHEN 21 THEN note := convert_from(part, getdatabaseencoding());
      ELSE NULL;
    END CASE;
  END LOOP;
END
$$;
COMMENT ON FUNCTION visage.read_leaf(bytea) IS 'some fields of a leaf, as visage.leaf() and visage.archive_ledger() return it';

CREATE FUNCTION visage.little_endian(bytes bytea) RETURNS bigint
  LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
  SELECT sum(get_byte($1, i)::bigint << (8 * i))::bigint FROM generate_series(0, length($1) - 1) i
$$;
COMMENT ON FUNCTION visage.little_endian(bytea) IS 'part of read_leaf(): up to eight bytes as a number';

CREATE FUNCTION visage.list_archived_erasures(leaves bytea[]) RETURNS bigint
  LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before bigint := (SELECT count(*) FROM visage.erasure);
BEGIN
  PERFORM visage.require_all();
  PERFORM visage.note_erasure('subject', e.institution, e.subject)
    FROM (SELECT DISTINCT l.institution, l.subject
          FROM unnest(leaves) a (leaf), visage.read_leaf(a.leaf) l
          WHERE (l.operation = 'cancel' AND l.decision = 'accept' OR l.operation = 'erase' AND l.object = 'subject')
            AND l.subject IS NOT NULL AND l.event IN (
              SELECT s.settles FROM unnest(leaves) b (leaf), visage.read_leaf(b.leaf) s
              WHERE s.operation = 'settle' AND s.note = 'committed')) e;
  RETURN (SELECT count(*) FROM visage.erasure) - before;
END
$$;
COMMENT ON FUNCTION visage.list_archived_erasures(bytea[]) IS
  'puts on the list of erasures whom the leaves of a kept archive say were erased; pass all segments together; returns how many are new';

GRANT EXECUTE ON FUNCTION visage.after_restore(), visage.list_archived_erasures(bytea[]), visage.read_leaf(bytea) TO visage_admin;
GRANT EXECUTE ON FUNCTION visage.read_leaf(bytea) TO visage_auditor;
GRANT EXECUTE ON FUNCTION visage.integrity() TO visage_admin, visage_auditor;
