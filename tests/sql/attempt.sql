-- Attempt limits: failures are limited, and past the limit a control acts. [8.2.5d]
-- The limits that ship, which other tests lift.
UPDATE visage.attempt_limit l SET (free_failures, first_delay, max_delay, hard_stop, period_failures, period) =
    (d.free_failures, d.first_delay, d.max_delay, d.hard_stop, d.period_failures, d.period)
FROM (VALUES ('subject', false, 5, interval '30 seconds', interval '1 hour', 50, 50, interval '30 days'),
             ('subject', true, 10, '30 seconds', '1 hour', 100, 100, '30 days'),
             ('source', NULL, NULL, NULL, NULL, NULL, 1000, '10 minutes'),
             ('address', NULL, NULL, NULL, NULL, NULL, 100, '10 minutes'),
             ('device', NULL, NULL, NULL, NULL, NULL, 20, '10 minutes'))
     d (kind, with_liveness, free_failures, first_delay, max_delay, hard_stop, period_failures, period)
WHERE l.kind::text = d.kind AND coalesce(l.with_liveness = d.with_liveness, true);

-- This channel asks for no liveness, so five failures are free.
INSERT INTO visage.channel (institution, name, liveness_floor) VALUES (1, 'attempt', NULL);
-- n calls, one after the other, in one statement; equal verdicts in a row are counted.
CREATE FUNCTION pg_temp.tries(subject text, person text, n int, channel text DEFAULT 'attempt', context jsonb DEFAULT '{}')
  RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  verdict text;
  last text;
  times int := 0;
  line text := '';
BEGIN
  FOR i IN 1 .. n + 1 LOOP
    verdict := CASE WHEN i <= n THEN fixture.verdict(visage.verify($1, fixture.probe($2, i), $4, context => $5)) END;
    IF i > 1 AND verdict IS DISTINCT FROM last THEN
      line := line || format('%s × %s%s', times, last, CASE WHEN i <= n THEN ', ' ELSE '' END);
      times := 0;
    END IF;
    last := verdict;
    times := times + 1;
  END LOOP;
  RETURN line;
END
$$;
SELECT fixture.verdict(visage.register(s, fixture.probe(s, 1), 'attempt')) FROM unnest(ARRAY['attempt-1', 'attempt-2', 'attempt-3', 'attempt-4']) s;

-- Five, then a wait that is told; the right face waits as well.
SELECT pg_temp.tries('attempt-1', 'mallory', 7);
SELECT o.decision, o.reason, o.retry_after > '25 s' AND o.retry_after <= '30 s' AS half_a_minute, o.event IS NOT NULL AS recorded
FROM visage.verify('attempt-1', fixture.probe('attempt-1', 2), 'attempt') o;
SELECT kind, subject, failures, failures_in_period, locked_until - last_failure AS wait, needs_unlock
FROM visage.attempts WHERE subject = 'attempt-1';
-- Nobody can tell from it who is registered.
SELECT pg_temp.tries('attempt-nobody', 'mallory', 7);
SELECT o.retry_after > '25 s' AND o.retry_after <= '30 s' AS half_a_minute FROM visage.verify('attempt-nobody', fixture.probe('mallory', 2), 'attempt') o;
-- Ten with liveness, by whichever channel the first five came.
SELECT pg_temp.tries('attempt-1', 'mallory', 7, 'default');

-- An administrator unlocks; the reason stays in the history.
SELECT visage.unlock('attempt-1', 'called the help desk, ticket 4711');
SELECT visage.unlock('attempt-1', 'again');
SELECT operation, subject, note FROM visage.history WHERE operation = 'unlock' ORDER BY event;
SELECT failures, failures_in_period, locked_until, needs_unlock FROM visage.attempts WHERE subject = 'attempt-1';
SELECT pg_temp.tries('attempt-1', 'attempt-1', 1);
SELECT visage.unlock('attempt-1', '');
SELECT visage.unlock('attempt-1', NULL);
SELECT visage.unlock('attempt-1', repeat('w', 256));
SET ROLE visage_service;
SELECT visage.unlock('attempt-1', 'I would like to');
SELECT * FROM visage.attempts;
SELECT * FROM visage.attempt;
UPDATE visage.attempt_limit SET free_failures = 1000;
RESET ROLE;

-- A success sets consecutive failures back.
SELECT pg_temp.tries('attempt-2', 'mallory', 4), pg_temp.tries('attempt-2', 'attempt-2', 1), pg_temp.tries('attempt-2', 'mallory', 4);
SELECT failures, failures_in_period FROM visage.attempts WHERE subject = 'attempt-2';
-- Neither ROLLBACK nor a handled error gives an attempt back.
BEGIN;
SELECT pg_temp.tries('attempt-3', 'mallory', 2);
SAVEPOINT s;
SELECT pg_temp.tries('attempt-3', 'mallory', 1);
ROLLBACK TO s;
DO $$ BEGIN PERFORM pg_temp.tries('attempt-3', 'mallory', 1); RAISE 'no'; EXCEPTION WHEN raise_exception THEN END $$;
ROLLBACK;
SELECT failures FROM visage.attempts WHERE subject = 'attempt-3';
SELECT pg_temp.tries('attempt-3', 'mallory', 2);

-- What was not scored counts nothing; a presentation that is not alive does. [6.1.2b]
CREATE TEMP TABLE used AS SELECT fixture.probe('attempt-4', 2) AS probe;
SELECT fixture.verdict(visage.verify('attempt-4', (SELECT probe FROM used)));
SELECT count(*) FROM generate_series(1, 20), visage.verify('attempt-4', (SELECT probe FROM used)) o WHERE o.reason = 'REPLAYED_PROBE';
SELECT count(*) FROM generate_series(1, 20) i, visage.verify('attempt-4', fixture.probe('attempt-4', 1, quality => '{}')) o WHERE o.reason = 'QUALITY';
SELECT count(*) FROM visage.attempts WHERE subject = 'attempt-4';
SELECT fixture.verdict(visage.verify('attempt-4', fixture.probe('attempt-4', 3, liveness => 0.1)));
SELECT failures FROM visage.attempts WHERE subject = 'attempt-4';

-- Policy is rows, and applies at once. A hard stop waits for an administrator: there is no time to tell.
BEGIN;
UPDATE visage.attempt_limit SET free_failures = 2, hard_stop = 3, first_delay = '1 microsecond', max_delay = '1 microsecond' WHERE kind = 'subject';
SELECT pg_temp.tries('attempt-hard', 'mallory', 5);
SELECT reason, retry_after FROM visage.verify('attempt-hard', fixture.probe('mallory', 1), 'attempt');
ROLLBACK;
SELECT needs_unlock, locked_until FROM visage.attempts WHERE kind = 'subject' AND failures = 3;
SELECT visage.unlock('attempt-hard', 'test');
SELECT pg_temp.tries('attempt-hard', 'mallory', 1);
-- The limit of a period holds whatever succeeds in between.
SELECT visage.unlock('attempt-4', 'test');
BEGIN;
UPDATE visage.attempt_limit SET period_failures = 6 WHERE kind = 'subject';
SELECT pg_temp.tries('attempt-4', 'mallory', 4), pg_temp.tries('attempt-4', 'attempt-4', 1), pg_temp.tries('attempt-4', 'mallory', 4), pg_temp.tries('attempt-4', 'attempt-4', 1);
ROLLBACK;
-- Lifted: nothing is counted.
BEGIN;
UPDATE visage.attempt_limit SET free_failures = NULL, first_delay = NULL, max_delay = NULL, hard_stop = NULL, period_failures = NULL, period = NULL;
SELECT pg_temp.tries('attempt-4', 'mallory', 12);
ROLLBACK;
-- The first institution's rows apply where an institution has none.
SELECT visage.grant_institution('attempt', 'visage_service');
INSERT INTO visage.channel (institution, name, liveness_floor) SELECT id, 'attempt', NULL FROM visage.institution WHERE name = 'attempt';
INSERT INTO visage.scenario (institution, name) SELECT id, 'default' FROM visage.institution WHERE name = 'attempt';
SET visage.institution = 'attempt';
SELECT visage.add_capture_source('attempt') IS NOT NULL AS shown;
CREATE FUNCTION pg_temp.here(n int) RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT string_agg(o.reason::text, ' ') FROM generate_series(1, $1) i,
    visage.verify('attempt-1', visage.seal_probe(fixture.feature('mallory', i), 'test/1', 0.9, 'attempt'), 'attempt') o
$$;
SELECT pg_temp.here(6);
INSERT INTO visage.attempt_limit (institution, kind, with_liveness, free_failures, first_delay, max_delay)
  SELECT id, 'subject', false, 7, '1 hour', '1 hour' FROM visage.institution WHERE name = 'attempt';
SELECT pg_temp.here(3);
RESET visage.institution;

-- By address, in whatever spelling, and by device, if the caller names them.
BEGIN;
UPDATE visage.attempt_limit SET period_failures = 3 WHERE kind IN ('address', 'device');
SELECT pg_temp.tries('attempt-a1', 'mallory', 2, context => '{"address": "2001:db8::1"}'),
       pg_temp.tries('attempt-a2', 'mallory', 2, context => '{"address": "2001:0DB8:0:0::1"}');
-- A success does not set them back: it could be the attacker's own.
SELECT fixture.verdict(visage.verify('attempt-2', fixture.probe('attempt-2', 3), 'attempt', context => '{"address": "2001:db8::1"}'));
SELECT pg_temp.tries('attempt-a3', 'mallory', 1, context => '{"address": "2001:db8::2"}');
SELECT pg_temp.tries('attempt-d' || i, 'mallory', 1, context => '{"address": "192.0.2.1", "device": "phone-1"}') FROM generate_series(1, 4) i;
ROLLBACK;
SELECT kind, failures, failures_in_period, locked_until - period_start AS length FROM visage.attempts
WHERE kind IN ('address', 'device') ORDER BY kind, failures_in_period;
-- Registration with what is not alive counts where it came from, and on no subject. [6.1.2b]
BEGIN;
UPDATE visage.attempt_limit SET period_failures = 2 WHERE kind = 'device';
SELECT i, o.reason FROM generate_series(1, 4) i,
  visage.register('attempt-r' || i, fixture.probe('attempt-r', i, liveness => CASE WHEN i < 3 THEN 0.1 ELSE 0.9 END), context => '{"device": "phone-2"}') o;
ROLLBACK;
SELECT count(*) FROM visage.attempts WHERE kind = 'subject' AND subject LIKE 'attempt-r%';
-- The hash is that of the history.
SELECT count(*) > 0 AS found FROM visage.attempts a JOIN visage.history h ON h.device_hash = a.hash WHERE a.kind = 'device';

-- Until another factor unlocks: one that was shown in a session for that, and by nobody else. [6.6e]
SELECT fixture.verdict(visage.enrol_factor('attempt-2', 'password', 'correct horse battery'));
SELECT pg_temp.tries('attempt-2', 'mallory', 6);
SELECT fixture.verdict(visage.unlock_with_factors('attempt-2'));
SELECT session FROM visage.open_session('attempt-2', 'unlock') \gset
SELECT jsonb_build_object('session', :'session') AS context \gset
SELECT fixture.verdict(visage.unlock_with_factors('attempt-2', context => :'context'));
SELECT fixture.verdict(visage.present_factor(:'session', 'password', 'wrong horse battery'));
SELECT fixture.verdict(visage.unlock_with_factors('attempt-2', context => :'context'));
SELECT fixture.verdict(visage.present_factor(:'session', 'password', 'correct horse battery'));
SELECT fixture.verdict(visage.unlock_with_factors('attempt-1', context => :'context'));
-- Nor from where everything is denied. [8.1.4d]
BEGIN;
INSERT INTO visage.deny_list (institution, kind, address, why) VALUES (1, 'address', '203.0.113.0/24', 'test');
SELECT fixture.verdict(visage.unlock_with_factors('attempt-2', context => (:'context')::jsonb || '{"address": "203.0.113.9"}'));
ROLLBACK;
SELECT pg_temp.tries('attempt-2', 'attempt-2', 1);
SELECT fixture.verdict(visage.unlock_with_factors('attempt-2', context => :'context'));
SELECT failures, failures_in_period FROM visage.attempts WHERE kind = 'subject' AND subject = 'attempt-2';
SELECT fixture.verdict(visage.verify('attempt-2', fixture.probe('attempt-2', 9), 'attempt'));
SELECT fixture.verdict(visage.unlock_with_factors('attempt-2', context => :'context'));
SELECT fixture.verdict(visage.unlock_with_factors('attempt-nobody', context => :'context'));
SELECT fixture.verdict(visage.remove_factor('attempt-2', 'password'));

-- Nonsense is refused on entry; each change counts a version.
\set VERBOSITY terse
INSERT INTO visage.attempt_limit (institution, kind, with_liveness, free_failures, first_delay, max_delay) VALUES (1, 'subject', true, 0, '1 s', '1 s');
INSERT INTO visage.attempt_limit (institution, kind, with_liveness, free_failures) VALUES (1, 'subject', true, 5);
INSERT INTO visage.attempt_limit (institution, kind, with_liveness, free_failures, first_delay, max_delay) VALUES (1, 'subject', true, 5, '2 s', '1 s');
INSERT INTO visage.attempt_limit (institution, kind, with_liveness, free_failures, first_delay, max_delay) VALUES (1, 'subject', true, 5, '-1 s', '1 s');
INSERT INTO visage.attempt_limit (institution, kind, with_liveness, free_failures, first_delay, max_delay, hard_stop) VALUES (1, 'subject', true, 5, '1 s', '1 s', 4);
INSERT INTO visage.attempt_limit (institution, kind, with_liveness, period_failures) VALUES (1, 'address', true, 5);
INSERT INTO visage.attempt_limit (institution, kind, with_liveness, period_failures, period) VALUES (1, 'address', true, 5, '100 years');
INSERT INTO visage.attempt_limit (institution, kind, with_liveness) VALUES (1, 'voice', true);
\set VERBOSITY default
BEGIN;
SELECT version AS before FROM visage.policy_version WHERE institution = 1 \gset
UPDATE visage.attempt_limit SET period_failures = 50 WHERE institution = 1 AND kind = 'device';
SELECT version - :before AS changes FROM visage.policy_version WHERE institution = 1;
ROLLBACK;
-- As the other tests have it.
UPDATE visage.attempt_limit SET free_failures = NULL, first_delay = NULL, max_delay = NULL, hard_stop = NULL, period_failures = NULL, period = NULL;
