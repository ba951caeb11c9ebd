-- Trace-back and analysis reports for auditors [6.6f, 6.6i]. All of them read visage.history, and so show a caller the
-- institutions it acts for and no others. The page that shows them as charts is in 59_report_page.sql.

-- The ledger has no index page a subject (50_audit.sql says why), only summaries of block ranges. The planner expects
-- little of summaries of random values and, without fresh statistics, reads the whole ledger instead. So it is told.
CREATE FUNCTION visage.history_of(subject text) RETURNS SETOF visage.history
  LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
  surrogates uuid[];
BEGIN
  SELECT array_agg(s.id) INTO surrogates
    FROM visage.institution i JOIN visage.subject s ON s.institution = i.id AND s.external_id = history_of.subject
    WHERE visage.acts_for(i.id);
  IF history_of.subject ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
    surrogates := surrogates || history_of.subject::uuid;
  END IF;
  RETURN QUERY SELECT h.* FROM visage.history h WHERE h.subject_surrogate = ANY (surrogates) ORDER BY h.event;
END
$$;
COMMENT ON FUNCTION visage.history_of(text) IS
  'every event of one subject, oldest first: by the caller''s name of it or, as after a cancellation, by its surrogate [6.6f]';

CREATE FUNCTION visage.check_report_range(since timestamptz, until timestamptz) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF since IS NULL OR until IS NULL THEN
    RAISE EXCEPTION 'a report needs both ends of its range' USING ERRCODE = 'null_value_not_allowed',
      HINT = 'Leave them out for the last 30 days.';
  END IF;
  IF since >= until THEN
    RAISE EXCEPTION 'a report''s range must begin before it ends' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'The first argument is the beginning, which belongs to the range; the second is the end, which does not.';
  END IF;
END
$$;
COMMENT ON FUNCTION visage.check_report_range(timestamptz, timestamptz) IS 'part of the reports: an error unless since < until';

-- Wilson's interval stays within 0 to 1 and says something for few attempts and for none or all accepted, where the
-- textbook's normal interval has no width. Agresti and Coull, The American Statistician 52 (1998).
CREATE FUNCTION visage.wilson(
  accepts bigint, attempts bigint, OUT rate numeric, OUT low numeric, OUT high numeric)
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT round(p::numeric, 6), round(greatest(0, middle - half)::numeric, 6), round(least(1, middle + half)::numeric, 6)
  FROM (SELECT 1.959964 ^ 2 AS zz, nullif(attempts, 0)::double precision AS n) a,
       LATERAL (SELECT accepts / n AS p) b,
       LATERAL (SELECT (p + zz / (2 * n)) / (1 + zz / n) AS middle,
                       sqrt(zz * (p * (1 - p) + zz / (4 * n)) / n) / (1 + zz / n) AS half) c
  WHERE attempts > 0
$$;
COMMENT ON FUNCTION visage.wilson(bigint, bigint) IS 'part of the reports: a rate with its 95 % Wilson interval; nulls for no attempts';

-- An attempt is a call of a flow: an event with a decision. Changes, settlements and the like have none.
CREATE FUNCTION visage.report_daily(
  since timestamptz DEFAULT statement_timestamp() - interval '30 days', until timestamptz DEFAULT statement_timestamp(),
  flow visage.operation DEFAULT NULL)
  RETURNS TABLE (day date, institution text, attempts bigint, accepts bigint, rejects bigint, refusals bigint,
                 accept_rate numeric, accept_low numeric, accept_high numeric, subjects bigint)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM visage.check_report_range(since, until);
  RETURN QUERY
    SELECT c.day, c.institution, c.attempts, c.accepts, c.rejects, c.refusals, w.rate, w.low, w.high, c.subjects
    FROM (SELECT h.at::date AS day, h.institution, count(*) AS attempts,
                 count(*) FILTER (WHERE h.decision = 'accept') AS accepts,
                 count(*) FILTER (WHERE h.decision = 'reject') AS rejects,
                 count(*) FILTER (WHERE h.decision = 'refuse') AS refusals,
                 count(DISTINCT h.subject_surrogate) AS subjects
          FROM visage.history h
          WHERE h.at >= since AND h.at < until AND h.decision IS NOT NULL AND (flow IS NULL OR h.operation = flow)
          GROUP BY 1, 2) c, visage.wilson(c.accepts, c.attempts) w
    ORDER BY 1, 2;
END
$$;
COMMENT ON FUNCTION visage.report_daily(timestamptz, timestamptz, visage.operation) IS
  'calls of flows from since until before until, by day of the session''s time zone, with the accept rate and its 95 % '
  'Wilson interval and the number of different subjects; flow counts the calls of one flow only. A day without a call '
  'has no row [6.6i]';

CREATE FUNCTION visage.report_channel(
  since timestamptz DEFAULT statement_timestamp() - interval '30 days', until timestamptz DEFAULT statement_timestamp(),
  flow visage.operation DEFAULT NULL)
  RETURNS TABLE (institution text, channel text, attempts bigint, accepts bigint, rejects bigint, refusals bigint,
                 accept_rate numeric, accept_low numeric, accept_high numeric, subjects bigint)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM visage.check_report_range(since, until);
  RETURN QUERY
    SELECT c.institution, c.channel, c.attempts, c.accepts, c.rejects, c.refusals, w.rate, w.low, w.high, c.subjects
    FROM (SELECT h.institution, h.channel, count(*) AS attempts,
                 count(*) FILTER (WHERE h.decision = 'accept') AS accepts,
                 count(*) FILTER (WHERE h.decision = 'reject') AS rejects,
                 count(*) FILTER (WHERE h.decision = 'refuse') AS refusals,
                 count(DISTINCT h.subject_surrogate) AS subjects
          FROM visage.history h
          WHERE h.at >= since AND h.at < until AND h.decision IS NOT NULL AND (flow IS NULL OR h.operation = flow)
          GROUP BY 1, 2) c, visage.wilson(c.accepts, c.attempts) w
    ORDER BY 1, 3 DESC, 2;
END
$$;
COMMENT ON FUNCTION visage.report_channel(timestamptz, timestamptz, visage.operation) IS
  'as report_daily, by channel, the busiest first [6.6i]';

CREATE FUNCTION visage.report_reason(
  since timestamptz DEFAULT statement_timestamp() - interval '30 days', until timestamptz DEFAULT statement_timestamp(),
  flow visage.operation DEFAULT NULL)
  RETURNS TABLE (institution text, decision visage.decision, reason visage.reason, attempts bigint, share numeric,
                 subjects bigint)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM visage.check_report_range(since, until);
  RETURN QUERY
    SELECT h.institution, h.decision, h.reason, count(*),
           round(count(*) / sum(count(*)) OVER (PARTITION BY h.institution), 6), count(DISTINCT h.subject_surrogate)
    FROM visage.history h
    WHERE h.at >= since AND h.at < until AND h.decision IS NOT NULL AND (flow IS NULL OR h.operation = flow)
    GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC, 3;
END
$$;
COMMENT ON FUNCTION visage.report_reason(timestamptz, timestamptz, visage.operation) IS
  'calls of flows by decision and reason, the most frequent first; share is of the institution''s calls [6.6i]';

CREATE FUNCTION visage.report_subject_failures(
  since timestamptz DEFAULT statement_timestamp() - interval '30 days', until timestamptz DEFAULT statement_timestamp(),
  flow visage.operation DEFAULT NULL, top integer DEFAULT 20)
  RETURNS TABLE (institution text, subject text, subject_surrogate uuid, attempts bigint, failures bigint, rejects bigint,
                 refusals bigint, last_failure timestamptz)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM visage.check_report_range(since, until);
  IF top IS NULL OR top < 1 THEN
    RAISE EXCEPTION 'report_subject_failures shows at least one subject' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- Names are looked up for the few that are shown, not for every event.
  RETURN QUERY
    SELECT c.institution, s.external_id, c.id, c.attempts, c.rejects + c.refusals, c.rejects, c.refusals, c.last_failure
    FROM (SELECT h.institution, h.subject_surrogate AS id, count(*) AS attempts,
                 count(*) FILTER (WHERE h.decision = 'reject') AS rejects,
                 count(*) FILTER (WHERE h.decision = 'refuse') AS refusals,
                 max(h.at) FILTER (WHERE h.decision <> 'accept') AS last_failure
          FROM visage.history h
          WHERE h.at >= since AND h.at < until AND h.decision IS NOT NULL AND (flow IS NULL OR h.operation = flow)
            AND h.subject_surrogate IS NOT NULL
          GROUP BY 1, 2 HAVING count(*) FILTER (WHERE h.decision <> 'accept') > 0
          ORDER BY count(*) FILTER (WHERE h.decision <> 'accept') DESC, last_failure DESC, 2 LIMIT top) c
    LEFT JOIN visage.subject s ON s.id = c.id
    ORDER BY 5 DESC, 8 DESC, 3;
END
$$;
COMMENT ON FUNCTION visage.report_subject_failures(timestamptz, timestamptz, visage.operation, integer) IS
  'subjects with most rejected and refused calls, at most top of them; subject is null once it was cancelled [6.6i]';

CREATE FUNCTION visage.report_latency(
  since timestamptz DEFAULT statement_timestamp() - interval '30 days', until timestamptz DEFAULT statement_timestamp())
  RETURNS TABLE (institution text, operation visage.operation, calls bigint, p50_ms numeric, p90_ms numeric, p99_ms numeric,
                 max_ms numeric)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM visage.check_report_range(since, until);
  RETURN QUERY
    SELECT c.institution, c.operation, c.calls, round(1000 * extract(epoch FROM c.p[1]), 3),
           round(1000 * extract(epoch FROM c.p[2]), 3), round(1000 * extract(epoch FROM c.p[3]), 3),
           round(1000 * extract(epoch FROM c.p[4]), 3)
    FROM (SELECT h.institution, h.operation, count(*) AS calls,
                 percentile_cont(ARRAY[0.5, 0.9, 0.99, 1]) WITHIN GROUP (ORDER BY h.elapsed) AS p
          FROM visage.history h
          WHERE h.at >= since AND h.at < until AND h.decision IS NOT NULL AND h.elapsed IS NOT NULL
          GROUP BY 1, 2) c
    ORDER BY 1, 2;
END
$$;
COMMENT ON FUNCTION visage.report_latency(timestamptz, timestamptz) IS
  'milliseconds from a call until its decision, inside the database, without the wait for the record: median, 90th and '
  '99th percentile and longest, by flow [6.6i, 7.2b]';
