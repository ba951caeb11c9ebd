-- Retention: how long what is kept, what the keeper does when the time is over, and the list of what was erased.
-- [8.2.4d, 8.2.5g] docs/retention.md

CREATE TABLE visage.retention (
  institution integer NOT NULL REFERENCES visage.institution,
  since text NOT NULL CHECK (since IN ('registration', 'last_use', 'consent', 'consent_end', 'unused_consent', 'erasure')),
  purpose text NOT NULL DEFAULT '*' CHECK (octet_length(purpose) BETWEEN 1 AND 63),
  keep interval NOT NULL CHECK (keep >= '0' AND keep <= '100 years'),
  PRIMARY KEY (institution, since, purpose),
  CONSTRAINT retention_purpose CHECK (purpose = '*' OR since = 'consent')
);
COMMENT ON TABLE visage.retention IS 'how long an institution keeps people; no row: until they are cancelled [8.2.4d]';
COMMENT ON COLUMN visage.retention.since IS 'from when: registration, last_use (accepted), consent_end (none in force any more) erase the subject; consent ends a consent, unused_consent deletes one that no registration followed, erasure shortens the list of erasures';
COMMENT ON COLUMN visage.retention.purpose IS 'with consent: of which purpose; * is every one that has no row';

-- What was erased, by keyed hashes: a backup from before still has it, and must not bring it back. The key of a hash is
-- the newest envelope root of its time, which a backup from before cannot be newer than.
CREATE TABLE visage.erasure (
  kind text NOT NULL CHECK (kind IN ('subject', 'reference', 'factor', 'consent')),
  institution integer NOT NULL,
  key_version bigint NOT NULL CHECK (key_version > 0),
  hash bytea NOT NULL CHECK (length(hash) = 16),
  erased_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (hash, kind, institution, key_version)
);
COMMENT ON TABLE visage.erasure IS 'list of erasures: export it, keep it apart from the backups, COPY it into a restored database and call visage.after_restore()';
COMMENT ON COLUMN visage.erasure.kind IS 'a subject, a single reference that was dropped, a factor that was removed or replaced, or a consent that ended';
COMMENT ON COLUMN visage.erasure.hash IS 'of the surrogate, under the root that key_version names: it tells nobody who it was';

-- Lists are put together, and overlap.
CREATE FUNCTION visage.skip_known_erasure() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  -- A list that somebody loads, by COPY, which knows no row security.
  IF pg_trigger_depth() = 1 AND NOT visage.acts_for(NEW.institution) THEN
    RAISE EXCEPTION 'role "%" does not act for institution %', visage.calling_role()::regrole, NEW.institution
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN CASE WHEN NOT EXISTS (SELECT FROM visage.erasure e WHERE e.hash = NEW.hash AND e.kind = NEW.kind
                                AND e.institution = NEW.institution AND e.key_version = NEW.key_version) THEN NEW END;
END
$$;
CREATE TRIGGER skip_known_erasure BEFORE INSERT ON visage.erasure FOR EACH ROW EXECUTE FUNCTION visage.skip_known_erasure();

CREATE FUNCTION visage.erasure_hash(institution integer, id uuid, key_version bigint) RETURNS bytea
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'visage_erasure_hash';
COMMENT ON FUNCTION visage.erasure_hash(integer, uuid, bigint) IS 'name of a surrogate on the list of erasures';

CREATE FUNCTION visage.note_erasure(kind text, institution integer, id uuid) RETURNS void
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  INSERT INTO visage.erasure (kind, institution, key_version, hash)
    SELECT $1, $2, k.version, visage.erasure_hash($2, $3, k.version)
    FROM visage.loaded_keys() k WHERE k.custody = 'envelope' AND k.newest
$$;
COMMENT ON FUNCTION visage.note_erasure(text, integer, uuid) IS 'puts something erased on the list, in the transaction that erases it';

CREATE FUNCTION visage.list_erasure() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF TG_TABLE_NAME = 'subject' THEN
    PERFORM visage.note_erasure('subject', OLD.institution, OLD.id);
  ELSIF TG_TABLE_NAME = 'consent' THEN
    PERFORM visage.note_erasure('consent', OLD.institution, OLD.id);
  ELSE
    -- A reference or a factor by itself: where the subject goes, it takes them along.
    PERFORM visage.note_erasure(CASE TG_TABLE_NAME WHEN 'factor' THEN 'factor' ELSE 'reference' END, s.institution, OLD.id) FROM visage.subject s WHERE s.id = OLD.subject;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER list_erasure AFTER DELETE ON visage.subject FOR EACH ROW EXECUTE FUNCTION visage.list_erasure();
CREATE TRIGGER list_erasure AFTER DELETE ON visage.subject_reference FOR EACH ROW EXECUTE FUNCTION visage.list_erasure();
CREATE TRIGGER list_erasure AFTER DELETE ON visage.factor FOR EACH ROW EXECUTE FUNCTION visage.list_erasure();
CREATE TRIGGER list_replaced AFTER UPDATE ON visage.factor FOR EACH ROW
  WHEN (OLD.id <> NEW.id) EXECUTE FUNCTION visage.list_erasure();
CREATE TRIGGER list_end AFTER UPDATE ON visage.consent FOR EACH ROW
  WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION visage.list_erasure();

CREATE FUNCTION visage.erasure_list(since timestamptz DEFAULT '-infinity')
  RETURNS TABLE (kind text, institution integer, key_version bigint, hash bytea, erased_at timestamptz)
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT e.kind, e.institution, e.key_version, e.hash, e.erased_at FROM visage.erasure e
  WHERE e.erased_at >= $1 AND visage.acts_for(e.institution) ORDER BY e.erased_at, e.hash
$$;
COMMENT ON FUNCTION visage.erasure_list(timestamptz) IS
  'what was erased since then, for COPY (SELECT * FROM visage.erasure_list()) TO a file that is kept apart from the backups';

CREATE FUNCTION visage.record_erasure(institution integer, object text, why text, subject uuid) RETURNS bigint
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'visage_record_erasure';
COMMENT ON FUNCTION visage.record_erasure(integer, text, text, uuid) IS
  'records that something is erased; durable with the transaction''s commit; for the functions of this extension';

-- The only way that the keeper and a restore erase a person: the row with its key and references, and the event.
CREATE FUNCTION visage.erase_subject(id uuid, why text) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_institution integer;
BEGIN
  DELETE FROM visage.subject s WHERE s.id = $1 RETURNING s.institution INTO found_institution;
  IF found_institution IS NULL THEN
    RETURN false;
  END IF;
  PERFORM visage.record_erasure(found_institution, 'subject', $2, $1);
  RETURN true;
END
$$;
COMMENT ON FUNCTION visage.erase_subject(uuid, text) IS 'erases a subject with its key in one transaction, and records it; false when there is none';

CREATE FUNCTION visage.subjects_due(most bigint DEFAULT NULL) RETURNS TABLE (subject uuid, why text, rule text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET intervalstyle = 'postgres' SET jit = off AS $$
  SELECT s.id, format('kept %s since registration', r.keep), r.since
    FROM visage.retention r JOIN visage.subject s ON s.institution = r.institution AND s.registered_at < now() - r.keep
    WHERE r.since = 'registration'
  UNION ALL
  SELECT s.id, format('kept %s since its last use', r.keep), r.since
    FROM visage.retention r JOIN visage.subject s ON s.institution = r.institution AND s.registered_at < now() - r.keep
    WHERE r.since = 'last_use'
      -- Of what was archived nobody knows here whether it was a use.
      AND (SELECT t.archived = 0 OR (SELECT e.at FROM visage.event e ORDER BY e.seq LIMIT 1) < now() - r.keep FROM visage.tree t)
      AND NOT EXISTS (SELECT FROM visage.event e WHERE e.subject = s.id AND e.decision = 'accept' AND e.operation IN ('verify', 'add_reference', 'replace_reference')
                        AND e.at >= now() - r.keep)
  UNION ALL
  SELECT s.id, format('kept %s since its last consent ended', r.keep), r.since
    FROM visage.retention r
    JOIN (SELECT c.institution, c.subject, max(least(coalesce(c.ended_at, 'infinity'), coalesce(c.valid_until, 'infinity'))) AS at
          FROM visage.consent c GROUP BY 1, 2) over ON over.institution = r.institution AND over.at <= now() - r.keep
    JOIN visage.subject s ON s.institution = r.institution AND s.external_id COLLATE "C" = over.subject
    WHERE r.since = 'consent_end'
  LIMIT $1
$$;
COMMENT ON FUNCTION visage.subjects_due(bigint) IS 'whose time is over, and by which rule';

CREATE FUNCTION visage.consents_due(most bigint DEFAULT NULL) RETURNS TABLE (consent uuid, remove boolean, why text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET intervalstyle = 'postgres' AS $$
  SELECT c.id, false, format('kept %s since it was given', r.keep)
    FROM visage.retention r JOIN visage.consent c ON c.institution = r.institution AND c.ended_at IS NULL AND c.given_at < now() - r.keep
    WHERE r.since = 'consent' AND (r.purpose = c.purpose COLLATE "C" OR r.purpose = '*' AND NOT EXISTS (
      SELECT FROM visage.retention o WHERE o.institution = r.institution AND o.since = 'consent' AND o.purpose = c.purpose COLLATE "C"))
  UNION ALL
  SELECT c.id, true, format('kept %s without a registration', r.keep)
    FROM visage.retention r JOIN visage.consent c ON c.institution = r.institution AND c.given_at < now() - r.keep
    WHERE r.since = 'unused_consent' AND NOT EXISTS (
      SELECT FROM visage.subject s WHERE s.institution = c.institution AND s.external_id COLLATE "C" = c.subject)
  LIMIT $1
$$;
COMMENT ON FUNCTION visage.consents_due(bigint) IS 'consents whose time is over, and those that nobody registered with';

-- Counters that say nothing: no consecutive failure, and none in a period that could still count.
CREATE FUNCTION visage.attempts_due() RETURNS TABLE (institution integer, kind visage.attempt_kind, key bytea)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT a.institution, a.kind, a.key FROM visage.attempt a
  WHERE a.failures = 0 AND (a.failures_in_period = 0
    OR a.period_start < now() - (SELECT coalesce(max(l.period), '0') FROM visage.attempt_limit l))
$$;
COMMENT ON FUNCTION visage.attempts_due() IS 'stored counters of attempts that stand at zero';

-- A counter outlives its subject, or a cancellation would be an unlock. It must not lead from a name to the events of who is gone.
CREATE FUNCTION visage.attempts_of_erased() RETURNS TABLE (institution integer, kind visage.attempt_kind, key bytea)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT a.institution, a.kind, a.key FROM visage.attempt a
  WHERE a.subject IS NOT NULL AND NOT EXISTS (SELECT FROM visage.subject s WHERE s.id = a.subject)
  EXCEPT SELECT d.* FROM visage.attempts_due() d
$$;
COMMENT ON FUNCTION visage.attempts_of_erased() IS 'counters of attempts that still have the surrogate of a subject who is gone [8.2.5g]';

CREATE FUNCTION visage.newest_key() RETURNS bigint
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT k.version FROM visage.loaded_keys() k WHERE k.custody = 'envelope' AND k.newest
$$;
COMMENT ON FUNCTION visage.newest_key() IS 'version of the envelope root that seals';

CREATE FUNCTION visage.keep_due(task text) RETURNS bigint
  LANGUAGE plpgsql STABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN CASE task
    WHEN 'details' THEN (SELECT count(*) FROM visage.event_detail d JOIN visage.institution i ON i.id = d.institution
                         LEFT JOIN visage.audit_policy p ON p.institution = i.id
                         WHERE d.at < now() - coalesce(p.keep_details, interval '0'))
    WHEN 'sessions' THEN (SELECT count(*) FROM visage.session s WHERE s.expires_at < now() - interval '1 day')
      + (SELECT count(*) FROM visage.duplicate_allowance a WHERE coalesce(a.allowed_at, a.proposed_at) < now() - interval '1 day')
    WHEN 'attempts' THEN (SELECT count(*) FROM visage.attempts_due())
      + (SELECT count(*) FROM visage.attempts_of_erased())
    WHEN 'consents' THEN (SELECT count(DISTINCT d.consent) FROM visage.consents_due() d)
    WHEN 'identity_checks' THEN (SELECT count(*) FROM visage.authority_records_due())
    WHEN 'imports' THEN (SELECT count(*) FROM visage.import_rows_due())
    WHEN 'subjects' THEN (SELECT count(DISTINCT d.subject) FROM visage.subjects_due() d)
    WHEN 'galleries' THEN (SELECT count(*) FROM visage.galleries_due())
    WHEN 'erasures' THEN (SELECT count(*) FROM visage.erasure e JOIN visage.retention r ON r.institution = e.institution
                          WHERE r.since = 'erasure' AND e.erased_at < now() - r.keep)
    WHEN 'keys' THEN (SELECT count(*) FROM visage.subject_key k WHERE k.key_version IN (SELECT l.version FROM visage.loaded_keys() l WHERE l.custody = 'envelope' AND NOT l.newest))
    WHEN 'references' THEN (SELECT count(*) FROM visage.subject_reference r WHERE r.key_version IN (SELECT l.version FROM visage.loaded_keys() l WHERE l.custody = 'envelope' AND NOT l.newest))
    WHEN 'factors' THEN (SELECT count(*) FROM visage.factor f WHERE f.key_version IN (SELECT l.version FROM visage.loaded_keys() l WHERE l.custody = 'envelope' AND NOT l.newest))
  END;
END
$$;
COMMENT ON FUNCTION visage.keep_due(text) IS 'how many rows of a task of the keeper are due';

CREATE FUNCTION visage.rewrap_key(institution integer, subject uuid, wrapped bytea) RETURNS bytea
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'visage_rewrap_key';
COMMENT ON FUNCTION visage.rewrap_key(integer, uuid, bytea) IS 'the same key under the newest envelope root; null with a warning when it does not open';
CREATE FUNCTION visage.reseal_reference(
  institution integer, subject uuid, wrapped bytea, id uuid, generation integer, reference visage.reference) RETURNS visage.reference
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'visage_reseal_reference';
COMMENT ON FUNCTION visage.reseal_reference(integer, uuid, bytea, uuid, integer, visage.reference) IS
  'the same reference sealed under the newest envelope root; null with a warning when it does not open';

-- One part of a task, in the caller's transaction. `place` is where the next part begins.
CREATE FUNCTION visage.keep(task text, most integer, INOUT place uuid, OUT done bigint, OUT more boolean)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
  newest bigint := visage.newest_key();
  -- What is under a version that is not loaded cannot be brought under another.
  older bigint[] := ARRAY(SELECT k.version FROM visage.loaded_keys() k WHERE k.custody = 'envelope' AND NOT k.newest);
  item record;
  looked bigint := 0;
BEGIN
  done := 0;
  more := false;
  CASE task
    WHEN 'details' THEN
      DELETE FROM visage.event_detail d USING visage.institution i LEFT JOIN visage.audit_policy p ON p.institution = i.id
        WHERE d.institution = i.id AND d.at < now() - coalesce(p.keep_details, interval '0');
      GET DIAGNOSTICS done = ROW_COUNT;
    WHEN 'sessions' THEN
      DELETE FROM visage.session WHERE id IN (
        SELECT s.id FROM visage.session s WHERE s.expires_at < now() - interval '1 day' ORDER BY s.expires_at LIMIT most FOR UPDATE SKIP LOCKED);
      GET DIAGNOSTICS done = ROW_COUNT;
      more := done >= most;
      done := done + visage.expire_allowances();
    WHEN 'attempts' THEN
      -- Not one that the audit writer is about to write, and nothing that takes long: it must not wait for us.
      DELETE FROM visage.attempt a USING (
          SELECT b.ctid FROM visage.attempt b JOIN visage.attempts_due() d USING (institution, kind, key)
          LIMIT most FOR UPDATE OF b SKIP LOCKED) z
        WHERE a.ctid = z.ctid AND a.failures = 0;
      GET DIAGNOSTICS done = ROW_COUNT;
      UPDATE visage.attempt a SET subject = NULL FROM (
          SELECT b.ctid FROM visage.attempt b JOIN visage.attempts_of_erased() e USING (institution, kind, key)
          LIMIT most FOR UPDATE OF b SKIP LOCKED) z
        WHERE a.ctid = z.ctid;
      GET DIAGNOSTICS looked = ROW_COUNT;
      more := greatest(done, looked) >= most;
      done := done + looked;
    WHEN 'consents' THEN
      FOR item IN SELECT DISTINCT ON (d.consent) d.* FROM visage.consents_due(most) d ORDER BY d.consent, d.remove DESC LOOP
        looked := looked + 1;
        PERFORM FROM visage.consent c WHERE c.id = item.consent AND (item.remove OR c.ended_at IS NULL) FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        PERFORM visage.record_erasure(c.institution, 'consent ' || c.id, item.why,
            (SELECT s.id FROM visage.subject s WHERE s.institution = c.institution AND s.external_id COLLATE "C" = c.subject))
          FROM visage.consent c WHERE c.id = item.consent;
        IF item.remove THEN
          PERFORM visage.note_erasure('consent', c.institution, c.id) FROM visage.consent c WHERE c.id = item.consent;
          DELETE FROM visage.consent c WHERE c.id = item.consent;
        ELSE
          UPDATE visage.consent c SET ended_at = clock_timestamp(), ended_by = 'retention' WHERE c.id = item.consent;
        END IF;
        done := done + 1;
      END LOOP;
      more := looked >= most AND done > 0;
    WHEN 'identity_checks' THEN
      DELETE FROM visage.authority_record WHERE id IN (
        SELECT r.id FROM visage.authority_record r JOIN visage.authority_records_due() d ON d.record = r.id
        LIMIT most FOR UPDATE OF r SKIP LOCKED);
      GET DIAGNOSTICS done = ROW_COUNT;
      more := done >= most;
      DELETE FROM visage.authority_comparison c WHERE c.compared_at < now() - interval '90 days';
    WHEN 'imports' THEN
      DELETE FROM visage.import_row WHERE line IN (
        SELECT r.line FROM visage.import_row r JOIN visage.import_rows_due(most) d USING (line) FOR UPDATE OF r SKIP LOCKED);
      GET DIAGNOSTICS done = ROW_COUNT;
      more := done >= most;
    WHEN 'subjects' THEN
      FOR item IN SELECT DISTINCT ON (d.subject) d.* FROM visage.subjects_due(most) d ORDER BY d.subject LOOP
        looked := looked + 1;
        -- Somebody works on it now: next time. And it may have consented since.
        PERFORM FROM visage.subject s WHERE s.id = item.subject FOR UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND;
        CONTINUE WHEN item.rule = 'consent_end' AND EXISTS (
          SELECT FROM visage.subject s JOIN visage.consent c ON c.institution = s.institution AND c.subject = s.external_id COLLATE "C"
          WHERE s.id = item.subject AND c.ended_at IS NULL AND coalesce(c.valid_until, 'infinity') > clock_timestamp());
        IF visage.erase_subject(item.subject, item.why) THEN
          done := done + 1;
        END IF;
      END LOOP;
      more := looked >= most AND done > 0;
    WHEN 'galleries' THEN
      done := visage.roll_galleries();
    WHEN 'erasures' THEN
      DELETE FROM visage.erasure e USING visage.retention r
        WHERE r.institution = e.institution AND r.since = 'erasure' AND e.erased_at < now() - r.keep;
      GET DIAGNOSTICS done = ROW_COUNT;
    WHEN 'keys' THEN
      WITH part AS MATERIALIZED (
        SELECT k.subject, k.wrapped, s.institution FROM visage.subject_key k JOIN visage.subject s ON s.id = k.subject
        WHERE k.key_version = ANY (older) AND (place IS NULL OR k.subject > place)
        ORDER BY k.subject LIMIT most FOR UPDATE OF k SKIP LOCKED),
      made AS MATERIALIZED (SELECT p.subject, visage.rewrap_key(p.institution, p.subject, p.wrapped) AS wrapped FROM part p),
      changed AS (
        UPDATE visage.subject_key k SET wrapped = m.wrapped, key_version = newest FROM made m
        WHERE k.subject = m.subject AND m.wrapped IS NOT NULL RETURNING 1)
      SELECT (SELECT count(*) FROM changed), count(*), (array_agg(p.subject ORDER BY p.subject DESC))[1]
        INTO done, looked, place FROM part p;
      more := looked >= most;
    WHEN 'references' THEN
      WITH part AS MATERIALIZED (
        SELECT r.id, r.subject, r.generation, r.reference, k.wrapped, s.institution
        FROM visage.subject_reference r JOIN visage.subject_key k ON k.subject = r.subject JOIN visage.subject s ON s.id = r.subject
        WHERE r.key_version = ANY (older) AND (place IS NULL OR r.id > place)
        ORDER BY r.id LIMIT most FOR UPDATE OF r SKIP LOCKED),
      made AS MATERIALIZED (
        SELECT p.id, visage.reseal_reference(p.institution, p.subject, p.wrapped, p.id, p.generation, p.reference) AS reference
        FROM part p),
      changed AS (
        UPDATE visage.subject_reference r SET reference = m.reference, key_version = newest FROM made m
        WHERE r.id = m.id AND m.reference IS NOT NULL RETURNING 1)
      SELECT (SELECT count(*) FROM changed), count(*), (array_agg(p.id ORDER BY p.id DESC))[1]
        INTO done, looked, place FROM part p;
      more := looked >= most;
    WHEN 'factors' THEN
      newest := visage.newest_key();
      WITH part AS MATERIALIZED (
        SELECT f.id, f.subject, f.kind, f.sealed, k.wrapped, s.institution
        FROM visage.factor f JOIN visage.subject_key k ON k.subject = f.subject JOIN visage.subject s ON s.id = f.subject
        WHERE f.key_version < newest AND (place IS NULL OR f.id > place)
        ORDER BY f.id LIMIT most FOR UPDATE OF f SKIP LOCKED),
      made AS MATERIALIZED (
        SELECT p.id, visage.reseal_factor(p.institution, p.subject, p.wrapped, p.id, p.kind, p.sealed) AS sealed FROM part p),
      changed AS (
        UPDATE visage.factor f SET sealed = m.sealed, key_version = newest FROM made m
        WHERE f.id = m.id AND m.sealed IS NOT NULL RETURNING 1)
      SELECT (SELECT count(*) FROM changed), count(*), (array_agg(p.id ORDER BY p.id DESC))[1]
        INTO done, looked, place FROM part p;
      more := looked >= most;
  END CASE;
END
$$;
COMMENT ON FUNCTION visage.keep(text, integer, uuid) IS 'does one part of a task of the keeper';

CREATE FUNCTION visage.keep_house(dry_run boolean DEFAULT false) RETURNS TABLE (task text, due bigint, done bigint)
  LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  part record;
  next_place uuid;
BEGIN
  PERFORM visage.require_all();
  FOREACH task IN ARRAY ARRAY['details', 'sessions', 'attempts', 'consents', 'identity_checks', 'imports', 'subjects', 'galleries', 'erasures', 'keys', 'references', 'factors'] LOOP
    due := visage.keep_due(task);
    done := 0;
    next_place := NULL;
    WHILE NOT dry_run AND due > 0 LOOP
      SELECT * INTO part FROM visage.keep(task, 500, next_place);
      done := done + part.done;
      next_place := part.place;
      EXIT WHEN NOT part.more;
    END LOOP;
    RETURN NEXT;
  END LOOP;
END
$$;
COMMENT ON FUNCTION visage.keep_house(boolean) IS
  'one round of the keeper by hand, in this transaction; with dry_run only what it would do: subjects whose consents it would end are counted in the next round';

CREATE FUNCTION visage.keeper(
  OUT state text, OUT pid integer, OUT database text, OUT task text, OUT done bigint, OUT due bigint, OUT rounds bigint,
  OUT began timestamptz, OUT ended timestamptz, OUT fault text)
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'visage_keeper';
COMMENT ON FUNCTION visage.keeper() IS 'source of the view visage.keeper';
CREATE VIEW visage.keeper AS SELECT * FROM visage.keeper();
COMMENT ON VIEW visage.keeper IS 'the keeper: what it does now, how far it is, when it was last through';
COMMENT ON COLUMN visage.keeper.state IS 'working, waiting for the next round, off (visage.keeper), stopped';
COMMENT ON COLUMN visage.keeper.task IS 'details of events, attempts at zero, consents, identity checks, rows of imports, subjects, epochs of galleries, erasures no longer listed, keys, references';
COMMENT ON COLUMN visage.keeper.done IS 'rows of the task done so far';
COMMENT ON COLUMN visage.keeper.due IS 'rows that were due when it began';
COMMENT ON COLUMN visage.keeper.rounds IS 'rounds since the server started';
COMMENT ON COLUMN visage.keeper.fault IS 'what failed in the last round; the server log has it in full';

DO $$
DECLARE
  function text;
BEGIN
  FOREACH function IN ARRAY ARRAY['audit_change(''since'', ''purpose'')', 'count_policy_change()'] LOOP
    EXECUTE pg_catalog.format('CREATE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON visage.retention FOR EACH %s EXECUTE FUNCTION visage.%s',
      pg_catalog.split_part(function, '(', 1), CASE WHEN function ~ '^audit' THEN 'ROW' ELSE 'STATEMENT' END, function);
    EXECUTE pg_catalog.format('ALTER TABLE visage.retention ENABLE ALWAYS TRIGGER %I', pg_catalog.split_part(function, '(', 1));
  END LOOP;
END
$$;

GRANT SELECT ON visage.retention, visage.keeper TO visage_admin, visage_auditor;
GRANT INSERT, UPDATE, DELETE ON visage.retention TO visage_admin;
GRANT INSERT ON visage.erasure TO visage_admin;
GRANT EXECUTE ON FUNCTION visage.keeper() TO visage_admin, visage_auditor;
GRANT EXECUTE ON FUNCTION visage.keep_house(boolean), visage.erasure_list(timestamptz) TO visage_admin;

SELECT pg_catalog.pg_extension_config_dump('visage.retention', '');
SELECT pg_catalog.pg_extension_config_dump('visage.erasure', '');
