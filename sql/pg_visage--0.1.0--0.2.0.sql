\echo Use "ALTER EXTENSION pg_visage UPDATE" to load this file. \quit

-- Calibration on a bank's own people, inside the database, and the history of what was decided by which row.

-- Scores every probe against every reference of the institution and reads thresholds off the impostors. Runs with the
-- caller's rights: the caller must be allowed to read its own table of probes.
CREATE FUNCTION visage.measure_accuracy(
  probes regclass, fmrs double precision[] DEFAULT ARRAY[1e-3, 1e-4, 1e-5], subject_column name DEFAULT 'subject',
  probe_column name DEFAULT 'probe')
  RETURNS TABLE (model text, scheme text, fmr double precision, threshold double precision, fmr_low double precision,
                 fmr_high double precision, fnmr double precision, fnmr_low double precision,
                 fnmr_high double precision, people integer, genuine_pairs bigint, impostor_pairs bigint)
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  models text[];
  kept integer;
  needed bigint;
BEGIN
  IF probes IS NULL OR subject_column IS NULL OR probe_column IS NULL OR coalesce(cardinality(fmrs), 0) = 0 THEN
    RAISE EXCEPTION 'measure_accuracy needs a table, its two columns and at least one false match rate'
      USING ERRCODE = 'null_value_not_allowed';
  END IF;
  IF EXISTS (SELECT FROM unnest(fmrs) f WHERE f IS NULL OR NOT (f > 0 AND f < 1)) THEN
    RAISE EXCEPTION 'a false match rate lies between 0 and 1' USING ERRCODE = 'invalid_parameter_value';
  END IF;

  IF to_regclass('pg_temp.visage_measured') IS NOT NULL THEN
    DROP TABLE pg_temp.visage_measured;
  END IF;
  EXECUTE format(
    'CREATE TEMP TABLE visage_measured ON COMMIT DROP AS '
    'SELECT r.subject, r.model, s.scheme, p.%1$I::text = r.subject AS genuine, visage.score(r.reference, p.%2$I) AS score '
    'FROM %3$s p, visage.references_for_calibration() r, '
    'LATERAL (SELECT i.scheme || ''/'' || i.code_bits FROM visage.reference_info(r.reference) i) s (scheme) '
    'WHERE p.%1$I IS NOT NULL AND p.%2$I IS NOT NULL', subject_column, probe_column, probes);
  -- A score is null across models: such a pair says nothing about either.
  DELETE FROM pg_temp.visage_measured WHERE score IS NULL;
  SELECT array_agg(DISTINCT v.model || ' ' || v.scheme) INTO models FROM pg_temp.visage_measured v;
  IF cardinality(models) > 1 THEN
    RAISE EXCEPTION 'probes and references of several models or schemes: %', array_to_string(models, ', ')
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Measure each by itself: pass a view of the probes of one model.';
  END IF;
  SELECT count(*) FILTER (WHERE NOT genuine), count(*) FILTER (WHERE genuine)
    INTO impostor_pairs, genuine_pairs FROM pg_temp.visage_measured;
  -- Rule of 30 (Doddington): 30 errors are needed for a rate to be within 30 % of the truth, 90 times in 100.
  SELECT ceil(30 / min(f)) INTO needed FROM unnest(fmrs) f;
  IF impostor_pairs < needed THEN
    RAISE EXCEPTION 'a false match rate of % needs at least % impostor pairs, there are %',
        (SELECT min(f) FROM unnest(fmrs) f), needed, impostor_pairs
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Label more probes, or ask for a higher rate.';
  END IF;
  IF genuine_pairs < 30 THEN
    RAISE EXCEPTION 'at least 30 genuine pairs are needed, there are %', genuine_pairs
      USING ERRCODE = 'invalid_parameter_value', HINT = 'Label probes of people who are registered.';
  END IF;

  SELECT v.model, v.scheme INTO measure_accuracy.model, measure_accuracy.scheme FROM pg_temp.visage_measured v LIMIT 1;
  SELECT count(DISTINCT v.subject) INTO people FROM pg_temp.visage_measured v WHERE v.genuine;
  FOREACH fmr IN ARRAY fmrs LOOP
    -- The lowest threshold that accepts no more impostors than the rate allows, rounded up to four decimals.
    kept := floor(fmr * impostor_pairs);
    SELECT ceil((v.score + 1e-9) * 1e4) / 1e4 INTO threshold
      FROM pg_temp.visage_measured v WHERE NOT v.genuine ORDER BY v.score DESC OFFSET kept LIMIT 1;
    SELECT i.low, i.high INTO fmr_low, fmr_high
      FROM visage.clustered_interval(false, threshold) i;
    SELECT i.rate, i.low, i.high INTO fnmr, fnmr_low, fnmr_high
      FROM visage.clustered_interval(true, threshold) i;
    RETURN NEXT;
  END LOOP;
  DROP TABLE pg_temp.visage_measured;
END
$$;
COMMENT ON FUNCTION visage.measure_accuracy(regclass, double precision[], name, name) IS
  'thresholds and error rates of labelled probes against the institution''s references; consumes no probe [6.3b, 7.1]';

-- Error rate at a threshold with its 95 % interval. Pairs of one person are not independent, so people are the unit:
-- a ratio estimate whose variance is taken between people. Without an error, the bound is the rule of three over people.
CREATE FUNCTION visage.clustered_interval(
  of_genuine boolean, at_threshold double precision, OUT rate double precision, OUT low double precision,
  OUT high double precision)
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  people bigint;
  all_pairs double precision;
  all_errors double precision;
  spread double precision;
BEGIN
  SELECT count(*), sum(c.pairs), sum(c.errors) INTO people, all_pairs, all_errors
    FROM (SELECT count(*) AS pairs, count(*) FILTER (WHERE (v.score >= at_threshold) <> of_genuine) AS errors
          FROM pg_temp.visage_measured v WHERE v.genuine = of_genuine GROUP BY v.subject) c;
  rate := all_errors / all_pairs;
  IF all_errors = 0 OR people < 2 THEN
    low := 0;
    high := CASE WHEN all_errors = 0 THEN least(1, 3.0 / people) ELSE 1 END;
    RETURN;
  END IF;
  SELECT sqrt(people / (people - 1.0) * sum((c.errors - rate * c.pairs) ^ 2)) / all_pairs INTO spread
    FROM (SELECT count(*) AS pairs, count(*) FILTER (WHERE (v.score >= at_threshold) <> of_genuine) AS errors
          FROM pg_temp.visage_measured v WHERE v.genuine = of_genuine GROUP BY v.subject) c;
  low := greatest(0, rate - 1.96 * spread);
  high := least(1, rate + 1.96 * spread);
END
$$;
COMMENT ON FUNCTION visage.clustered_interval(boolean, double precision) IS 'part of measure_accuracy: reads its table of scores';

-- Which calibration was in force when: every change, with who and what before and after. A restore inserts the site's own
-- rows, and that is recorded too, beside the history that it brings back: hence no counter as a key.
CREATE TABLE visage.calibration_history (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  changed_by name NOT NULL,
  operation text NOT NULL,
  before jsonb,
  after jsonb
);
COMMENT ON TABLE visage.calibration_history IS 'every change of visage.calibration; append-only';
COMMENT ON COLUMN visage.calibration_history.changed_by IS 'database role';
COMMENT ON COLUMN visage.calibration_history.operation IS 'INSERT, UPDATE or DELETE';
COMMENT ON COLUMN visage.calibration_history.before IS 'the row as it was; null for INSERT';
COMMENT ON COLUMN visage.calibration_history.after IS 'the row as it became; null for DELETE';

CREATE FUNCTION visage.keep_calibration() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO visage.calibration_history (changed_by, operation, before, after)
  VALUES ((SELECT rolname FROM pg_roles WHERE oid = visage.calling_role()), TG_OP,
          CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
  RETURN NULL;
END
$$;
CREATE TRIGGER keep_calibration AFTER INSERT OR UPDATE OR DELETE ON visage.calibration
  FOR EACH ROW EXECUTE FUNCTION visage.keep_calibration();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON visage.calibration_history
  FOR EACH STATEMENT EXECUTE FUNCTION visage.refuse_change();
ALTER TABLE visage.calibration_history ENABLE ALWAYS TRIGGER append_only;

REVOKE ALL ON FUNCTION visage.measure_accuracy(regclass, double precision[], name, name),
  visage.clustered_interval(boolean, double precision), visage.keep_calibration() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION visage.measure_accuracy(regclass, double precision[], name, name),
  visage.clustered_interval(boolean, double precision) TO visage_calibrator;
GRANT SELECT ON visage.calibration_history TO visage_admin, visage_auditor, visage_calibrator;
SELECT pg_catalog.pg_extension_config_dump('visage.calibration_history', '');

-- The shipped thresholds, measured anew and for every length of a reference. A row that somebody changed stays theirs; the
-- trigger would make all of them somebody's.
ALTER TABLE visage.calibration DISABLE TRIGGER guard_builtin;
INSERT INTO visage.calibration (id, model, scheme, fmr, threshold, fnmr, fnmr_low, fnmr_high, genuine_pairs, impostor_pairs,
                                people, source, measured_at, builtin)
  SELECT id, 'sface-2021dec/1', scheme, fmr, threshold, fnmr, low, high, genuine, impostor, 2874,
         'make bench-accuracy on half of LFW: 7,076 pictures; interval: bootstrap over people', '2026-11-23', true
  FROM (VALUES
    (1, 'plain',      1e-3, 0.3736, 0.0010, 0.0003, 0.0078, 206143, 24825207),
    (2, 'plain',      1e-4, 0.4258, 0.0023, 0.0009, 0.0113, 206143, 24825207),
    (3, 'plain',      1e-5, 0.4731, 0.0047, 0.0022, 0.0216, 206143, 24825207),
    (4, 'RFR-1/1024', 1e-3, 0.3828, 0.0011, 0.0004, 0.0085, 412286, 49650414),
    (5, 'RFR-1/1024', 1e-4, 0.4374, 0.0027, 0.0012, 0.0126, 412286, 49650414),
    (6, 'RFR-1/1024', 1e-5, 0.4871, 0.0064, 0.0034, 0.0269, 412286, 49650414),
    (7, 'plain',      2e-6, 0.5165, 0.0103, 0.0045, 0.7771, 206143, 24825207),
    (8, 'RFR-1/1024', 2e-6, 0.5283, 0.0138, 0.0068, 0.7423, 412286, 49650414),
    (9, 'RFR-1/512',  1e-3, 0.3914, 0.0014, 0.0006, 0.0091, 412286, 49650414),
    (10, 'RFR-1/512',  1e-4, 0.4484, 0.0036, 0.0020, 0.0154, 412286, 49650414),
    (11, 'RFR-1/512',  1e-5, 0.4984, 0.0088, 0.0053, 0.0322, 412286, 49650414),
    (12, 'RFR-1/512',  2e-6, 0.5464, 0.0212, 0.0106, 0.7682, 412286, 49650414),
    (13, 'RFR-1/2048', 1e-3, 0.3787, 0.0011, 0.0004, 0.0083, 412286, 49650414),
    (14, 'RFR-1/2048', 1e-4, 0.4320, 0.0025, 0.0011, 0.0121, 412286, 49650414),
    (15, 'RFR-1/2048', 1e-5, 0.4803, 0.0055, 0.0027, 0.0248, 412286, 49650414),
    (16, 'RFR-1/2048', 2e-6, 0.5225, 0.0119, 0.0057, 0.7426, 412286, 49650414)
  ) t (id, scheme, fmr, threshold, fnmr, low, high, genuine, impostor)
  ON CONFLICT (id) DO UPDATE SET
    threshold = EXCLUDED.threshold, fnmr = EXCLUDED.fnmr, fnmr_low = EXCLUDED.fnmr_low, fnmr_high = EXCLUDED.fnmr_high,
    genuine_pairs = EXCLUDED.genuine_pairs, impostor_pairs = EXCLUDED.impostor_pairs, people = EXCLUDED.people,
    source = EXCLUDED.source, measured_at = EXCLUDED.measured_at
    WHERE calibration.builtin;
ALTER TABLE visage.calibration ENABLE TRIGGER guard_builtin;
