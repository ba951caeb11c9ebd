-- Attempt limits: the policy, the counters as they are stored, and who may look and unlock. [8.2.5d]
-- Counters live in shared memory; the audit writer stores them with the commit that stores the events. docs/attempts.md

CREATE TYPE visage.attempt_kind AS ENUM (
  'subject',  -- the caller's name of a subject, whether or not anybody is registered under it
  'source',   -- the capture source that sealed the probe
  'address',  -- context->>'address'
  'device',   -- context->>'device'
  'factor'    -- a kind of factor of a subject, by the subject's name
);

CREATE TABLE visage.attempt_limit (
  institution integer NOT NULL REFERENCES visage.institution,
  kind visage.attempt_kind NOT NULL,
  with_liveness boolean NOT NULL,
  free_failures integer CHECK (free_failures > 0),
  first_delay interval CHECK (first_delay > '0' AND first_delay <= '1 year'),
  max_delay interval CHECK (max_delay <= '1 year'),
  hard_stop integer CHECK (hard_stop > 0),
  period_failures integer CHECK (period_failures > 0),
  period interval CHECK (period > '0' AND period <= '1 year'),
  builtin boolean NOT NULL DEFAULT false,
  PRIMARY KEY (institution, kind, with_liveness),
  CONSTRAINT attempt_limit_delays CHECK (
    num_nulls(free_failures, first_delay, max_delay) IN (0, 3) AND max_delay >= first_delay),
  CONSTRAINT attempt_limit_hard_stop CHECK (hard_stop >= free_failures),
  CONSTRAINT attempt_limit_period CHECK (num_nulls(period_failures, period) IN (0, 2))
);
COMMENT ON TABLE visage.attempt_limit IS 'how many failures each kind of counter allows; where an institution has no row, that of institution 1 applies [8.2.5d]';
COMMENT ON COLUMN visage.attempt_limit.with_liveness IS 'applies to channels that have a liveness floor';
COMMENT ON COLUMN visage.attempt_limit.free_failures IS 'consecutive failures without a delay, and attempts in flight at one time; null: no delays';
COMMENT ON COLUMN visage.attempt_limit.first_delay IS 'wait after free_failures; each further failure doubles it';
COMMENT ON COLUMN visage.attempt_limit.max_delay IS 'longest wait';
COMMENT ON COLUMN visage.attempt_limit.hard_stop IS 'consecutive failures after which only an unlock helps; null: none';
COMMENT ON COLUMN visage.attempt_limit.period_failures IS 'failures within a period, whatever succeeds in between; null: any number';
COMMENT ON COLUMN visage.attempt_limit.period IS 'length of the period, which begins with its first failure';

-- Subject: NIST SP 800-63B-4 3.2.3 allows 5 consecutive failures, 10 with presentation attack detection, then at least
-- 30 s before each further attempt, and no more than 50, or 100. The same numbers bound 30 days, because an attacker who
-- has one accepted face sets consecutive failures back whenever it likes.
-- Factor: the same without liveness. 50 guesses of three valid codes of six digits have a chance of 0.015 %.
-- Source, address, device: a false rejection rate of 2 % (7.1) makes 1,000 failures of 50,000 honest attempts of a source
-- in ten minutes, 100 of 5,000 behind one address, 20 of 1,000 at one device. A site that has more behind one raises it.
INSERT INTO visage.attempt_limit
  SELECT 1, kind::visage.attempt_kind, with_liveness, free_failures, first_delay, max_delay, hard_stop, period_failures, period, true
  FROM (VALUES
    ('subject', false, 5, interval '30 seconds', interval '1 hour', 50, 50, interval '30 days'),
    ('subject', true, 10, '30 seconds', '1 hour', 100, 100, '30 days'),
    ('source', false, NULL, NULL, NULL, NULL, 1000, '10 minutes'),
    ('source', true, NULL, NULL, NULL, NULL, 1000, '10 minutes'),
    ('address', false, NULL, NULL, NULL, NULL, 100, '10 minutes'),
    ('address', true, NULL, NULL, NULL, NULL, 100, '10 minutes'),
    ('device', false, NULL, NULL, NULL, NULL, 20, '10 minutes'),
    ('device', true, NULL, NULL, NULL, NULL, 20, '10 minutes'),
    ('factor', false, 5, '30 seconds', '1 hour', 50, 50, '30 days'),
    ('factor', true, 5, '30 seconds', '1 hour', 50, 50, '30 days')
  ) t (kind, with_liveness, free_failures, first_delay, max_delay, hard_stop, period_failures, period);

CREATE TRIGGER guard_builtin BEFORE INSERT OR UPDATE OR DELETE ON visage.attempt_limit
  FOR EACH ROW EXECUTE FUNCTION visage.guard_builtin('institution', 'kind', 'with_liveness');
CREATE TRIGGER count_policy_change AFTER INSERT OR UPDATE OR DELETE ON visage.attempt_limit
  FOR EACH STATEMENT EXECUTE FUNCTION visage.count_policy_change();
-- Written by the audit writer alone, read where a counter is not in memory. No foreign keys: the writer must never wait
-- for a row that a caller has locked. Updates touch no indexed column, and pages keep room for them (HOT).
CREATE TABLE visage.attempt (
  institution integer NOT NULL,
  kind visage.attempt_kind NOT NULL,
  key bytea NOT NULL CHECK (length(key) = 16),
  subject uuid,
  failures integer NOT NULL CHECK (failures >= 0),
  failures_in_period integer NOT NULL CHECK (failures_in_period >= 0),
  period_start timestamptz,
  last_failure timestamptz NOT NULL,
  locked_until timestamptz,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (institution, kind, key)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON TABLE visage.attempt IS 'counters of failed attempts, as of the last commit of the audit writer; memory has the newest';
COMMENT ON COLUMN visage.attempt.key IS 'keyed hash of what is counted: without the key it names nobody';
COMMENT ON COLUMN visage.attempt.subject IS 'surrogate, where the subject was registered at its last failure';

CREATE VIEW visage.attempts WITH (security_barrier) AS
  SELECT i.name AS institution, a.kind, s.external_id AS subject, a.key AS hash, a.failures, a.failures_in_period,
         a.period_start, a.last_failure, a.locked_until, coalesce(a.locked_until = 'infinity', false) AS needs_unlock,
         a.updated_at
  FROM visage.attempt a
  JOIN visage.institution i ON i.id = a.institution
  LEFT JOIN visage.subject s ON s.id = a.subject
  WHERE a.institution IN (SELECT b.id FROM visage.institution b WHERE visage.acts_for(b.id));
COMMENT ON VIEW visage.attempts IS 'counters of failed attempts; for administrators and auditors [8.2.5d]';
COMMENT ON COLUMN visage.attempts.institution IS 'whose attempts';
COMMENT ON COLUMN visage.attempts.kind IS 'what is counted';
COMMENT ON COLUMN visage.attempts.subject IS 'the caller''s name of the subject; null for the other kinds, and for who is not registered';
COMMENT ON COLUMN visage.attempts.hash IS 'keyed hash of what is counted; of addresses and devices as in visage.history';
COMMENT ON COLUMN visage.attempts.failures IS 'consecutive failures: a success sets them back';
COMMENT ON COLUMN visage.attempts.failures_in_period IS 'failures of the period, which no success sets back';
COMMENT ON COLUMN visage.attempts.period_start IS 'first failure of the period';
COMMENT ON COLUMN visage.attempts.last_failure IS 'time of the latest failure';
COMMENT ON COLUMN visage.attempts.locked_until IS 'until when nothing was allowed after it, under the policy of that time; null: not locked';
COMMENT ON COLUMN visage.attempts.needs_unlock IS 'only an unlock helps';
COMMENT ON COLUMN visage.attempts.updated_at IS 'when the counter was last stored';

CREATE FUNCTION visage.unlock(subject text, why text) RETURNS boolean
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_unlock';
COMMENT ON FUNCTION visage.unlock(text, text) IS 'sets the failures of a subject and of its factors back, for a reason that the event keeps; false when there were none [8.2.5d]';

CREATE FUNCTION visage.unlock_with_factors(subject text, channel text DEFAULT 'default', scenario text DEFAULT 'default',
                                           context jsonb DEFAULT '{}') RETURNS visage.outcome
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_unlock_with_factors';
COMMENT ON FUNCTION visage.unlock_with_factors(text, text, text, jsonb) IS 'sets a subject''s failures back for whoever has shown another factor in the session that the context names [8.2.5d]';
GRANT EXECUTE ON FUNCTION visage.unlock_with_factors(text, text, text, jsonb) TO visage_service;
