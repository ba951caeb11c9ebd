-- Risk rules and deny-lists. [8.1.4c] [8.1.4d]
SET client_min_messages = warning;
SELECT fixture.verdict(visage.register('risk-1', fixture.probe('risk-1', 1)));
-- Channel without limits on attempts in the way: none of what follows may be a lock.
CREATE FUNCTION pg_temp.try(context jsonb, person text DEFAULT 'risk-1', channel text DEFAULT 'default', scenario text DEFAULT 'default')
  RETURNS text LANGUAGE sql AS $$ SELECT fixture.verdict(visage.verify('risk-1', fixture.probe(person, 2), channel, scenario, context)) $$;
-- The last call's explanation, without what changes from run to run.
CREATE FUNCTION pg_temp.why() RETURNS TABLE (reason text, level int, source text, name text, version int, action text, factors int, signal text, input text)
  LANGUAGE sql AS $$
  SELECT x.reason::text, x.level, x.source, x.name, x.version, x.action::text, x.factors, x.signal::text, CASE WHEN x.input ~ '^[0-9a-f]{32}$' THEN 'hash' WHEN x.signal = 'hours' THEN 'time' ELSE x.input END
  FROM visage.explain_decision((SELECT h.transaction_id FROM visage.history h WHERE decision IS NOT NULL ORDER BY event DESC LIMIT 1)) x
$$;

-- [8.1.4d] Deny-lists, each kind. What is not listed, or not said, passes.
INSERT INTO visage.deny_list (institution, kind, address, why) VALUES
  (1, 'address', '203.0.113.0/24', 'botnet'), (1, 'address', '2001:db8:bad::/48', 'botnet'), (1, 'address', '203.0.113.128/25', 'inside the other');
INSERT INTO visage.deny_list (institution, kind, country, why) VALUES (1, 'country', 'xx', 'none of ours');
INSERT INTO visage.deny_list (institution, kind, place, why) VALUES (1, 'place', 'mall-7', 'skimmer found');
INSERT INTO visage.deny_list (institution, kind, device, why) VALUES (1, 'device', 'stolen-phone', 'reported stolen');
INSERT INTO visage.deny_list (institution, kind, mac, why) VALUES (1, 'mac', '08:00:2b:01:02:03', 'rogue terminal');
SELECT c AS context, pg_temp.try(c::jsonb) FROM unnest(ARRAY[
  '{"address": "203.0.113.7"}', '{"address": "203.0.113.200"}', '{"address": "203.0.114.7"}', '{"address": "::ffff:203.0.113.7"}',
  '{"address": "2001:db8:bad:1::9"}', '{"address": "2001:db8:bae::9"}',
  '{"country": "XX"}', '{"country": "xx"}', '{"country": "CN"}', '{"place": "mall-7"}', '{"place": "MALL-7"}',
  '{"device": "stolen-phone"}', '{"device": "own-phone"}', '{"mac": "08-00-2b-01-02-03"}', '{"mac": "08:00:2b:01:02:04"}', '{}']) c;
SELECT pg_temp.try('{"device": "stolen-phone", "mac": "08002b010203"}');
SELECT * FROM pg_temp.why();
-- By the hash that an auditor sees in the history.
SELECT pg_temp.try('{"device": "seen-once"}');
INSERT INTO visage.deny_list (institution, kind, hash, why)
  SELECT 1, 'device', device_hash, 'ticket 4711' FROM visage.history WHERE device_hash IS NOT NULL ORDER BY event DESC LIMIT 1;
SELECT pg_temp.try('{"device": "seen-once"}');
-- At certain hours; and outside of them.
INSERT INTO visage.deny_list (institution, kind, from_time, until_time, time_zone, why)
  SELECT 1, 'hours', date_trunc('minute', t - interval '2 hours')::time, date_trunc('minute', t + interval '2 hours')::time, 'Asia/Shanghai', 'closed'
  FROM (SELECT now() AT TIME ZONE 'Asia/Shanghai' AS t) n;
SELECT pg_temp.try('{}');
SELECT * FROM pg_temp.why();
UPDATE visage.deny_list SET from_time = until_time, until_time = from_time WHERE kind = 'hours';
SELECT pg_temp.try('{}');
-- An entry ends by itself, and is gone when it is deleted.
INSERT INTO visage.deny_list (institution, kind, place, why, expires_at) VALUES (1, 'place', 'branch-1', 'flood', now() + interval '1 hour');
SELECT pg_temp.try('{"place": "branch-1"}');
UPDATE visage.deny_list SET expires_at = now() WHERE place = 'branch-1';
SELECT pg_temp.try('{"place": "branch-1"}');
DELETE FROM visage.deny_list WHERE kind = 'country';
SELECT pg_temp.try('{"country": "XX"}');
-- All flows ask, also those that compare nothing.
SELECT fixture.verdict(visage.register('risk-9', fixture.probe('risk-9', 1), context => '{"place": "mall-7"}')),
       fixture.verdict(visage.compare(fixture.probe('risk-9', 1), fixture.probe('risk-9', 2), context => '{"place": "mall-7"}')),
       fixture.verdict(visage.add_reference('risk-1', fixture.probe('risk-1', 3), context => '{"place": "mall-7"}')),
       fixture.verdict(visage.drop_reference('risk-1', gen_random_uuid(), context => '{"place": "mall-7"}')),
       fixture.verdict(visage.cancel('risk-1', context => '{"place": "mall-7"}'));
SELECT count(*) AS references_left FROM visage.list_references('risk-1');
-- [8.2.5d] A denied call is no attempt: nobody can lock a subject from where he is denied anyway.
SELECT DISTINCT pg_temp.try('{"device": "stolen-phone"}', 'mallory') FROM generate_series(1, 20);
SELECT pg_temp.try('{}');
SELECT count(*) AS counters FROM visage.attempts WHERE subject = 'risk-1' AND failures > 0;
DELETE FROM visage.deny_list;

-- [8.1.4c] Rules: each signal fires where it should and nowhere else. `assess` says beforehand what a flow will ask for.
CREATE FUNCTION pg_temp.asked(rule jsonb, VARIADIC contexts text[]) RETURNS TABLE (context text, level int, action text) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO visage.risk_rule (institution, name, signal, action, outside, when_missing, addresses, names, macs, from_time, until_time, weekdays, time_zone)
    SELECT 1, 'one', r.signal, 'require_face', coalesce(r.outside, false), coalesce(r.when_missing, false), r.addresses, r.names, r.macs, r.from_time, r.until_time, r.weekdays, r.time_zone
    FROM jsonb_populate_record(NULL::visage.risk_rule, rule) r;
  RETURN QUERY SELECT c, a.level, a.action::text FROM unnest(contexts) c, visage.assess('risk-1', context => c::jsonb) a;
  DELETE FROM visage.risk_rule WHERE name = 'one';
END
$$;
SELECT * FROM pg_temp.asked('{"signal": "always"}', '{}');
SELECT * FROM pg_temp.asked('{"signal": "address", "addresses": ["10.0.0.0/8", "fd00::/8"]}', '{"address": "10.9.8.7"}', '{"address": "11.0.0.1"}', '{"address": "fd12::1"}', '{}');
SELECT * FROM pg_temp.asked('{"signal": "address", "addresses": ["10.0.0.0/8"], "outside": true}', '{"address": "10.9.8.7"}', '{"address": "11.0.0.1"}', '{}');
SELECT * FROM pg_temp.asked('{"signal": "address", "addresses": ["10.0.0.0/8"], "when_missing": true}', '{"address": "10.9.8.7"}', '{"address": "11.0.0.1"}', '{}');
SELECT * FROM pg_temp.asked('{"signal": "country", "names": ["cn", "HK"], "outside": true}', '{"country": "CN"}', '{"country": "hk"}', '{"country": "US"}', '{}');
SELECT * FROM pg_temp.asked('{"signal": "place", "names": ["branch-2", "branch-1"]}', '{"place": "branch-1"}', '{"place": "branch-3"}', '{}');
SELECT * FROM pg_temp.asked('{"signal": "device", "names": ["kiosk-1"]}', '{"device": "kiosk-1"}', '{"device": "kiosk-2"}', '{}');
SELECT * FROM pg_temp.asked('{"signal": "mac", "macs": ["08:00:2b:01:02:03"]}', '{"mac": "08002b:010203"}', '{"mac": "08:00:2b:01:02:04"}', '{}');
-- Whole days, in the caller's time zone: unknown, it is missing.
SELECT * FROM pg_temp.asked('{"signal": "hours", "from_time": "00:00", "until_time": "00:00"}', '{"time_zone": "Europe/Berlin"}', '{}');
SELECT * FROM pg_temp.asked('{"signal": "hours", "from_time": "00:00", "until_time": "00:00", "outside": true, "when_missing": true}', '{"time_zone": "Europe/Berlin"}', '{}');
SELECT a.level FROM (SELECT extract(isodow FROM now() AT TIME ZONE 'Asia/Shanghai') AS today) t, unnest(ARRAY[today, today % 7 + 1]) w,
  pg_temp.asked(jsonb_build_object('signal', 'hours', 'from_time', '00:00', 'until_time', '00:00', 'time_zone', 'Asia/Shanghai', 'weekdays', jsonb_build_array(w)), '{}') a;

-- [6.6e] The strictest holds, the most factors count; an allow ends it; priority is the order. Outside a session no further
-- factor is presented.
INSERT INTO visage.risk_rule (institution, name, priority, signal, action, factors, names) VALUES
  (1, 'abroad', 20, 'country', 'require_factors', 1, '{US}'), (1, 'far abroad', 30, 'country', 'require_factors', 2, '{US,AQ}'),
  (1, 'staff', 25, 'device', 'allow', NULL, '{staff-phone}'), (1, 'never', 40, 'place', 'deny', NULL, '{pole}');
SELECT c AS context, a.* FROM unnest(ARRAY['{}', '{"country": "US"}', '{"country": "AQ"}', '{"country": "US", "device": "staff-phone"}',
  '{"country": "AQ", "device": "staff-phone", "place": "pole"}', '{"country": "AQ", "place": "pole"}']) c, visage.assess('risk-1', context => c::jsonb) a;
SELECT pg_temp.try('{"country": "AQ"}');
SELECT * FROM pg_temp.why();
SELECT pg_temp.try('{"country": "AQ", "device": "staff-phone"}');
SELECT * FROM pg_temp.why();
SELECT pg_temp.try('{"country": "US", "place": "pole"}');
SELECT * FROM pg_temp.why();
SELECT pg_temp.try('{"country": "CN"}');
SELECT * FROM pg_temp.why();
-- A rule of one channel, scenario or flow is asked there alone.
UPDATE visage.risk_rule SET channel = 'counter' WHERE name = 'abroad';
UPDATE visage.risk_rule SET scenario = 'login' WHERE name = 'far abroad';
UPDATE visage.risk_rule SET operation = 'cancel' WHERE name = 'never';
SELECT channel, scenario, o AS operation, a.level, a.factors FROM (VALUES ('default', 'default', 'verify'), ('counter', 'default', 'verify'), ('default', 'login', 'verify'), ('default', 'default', 'cancel')) t (channel, scenario, o),
  visage.assess('risk-1', channel, scenario, '{"country": "US", "place": "pole"}', o::visage.operation) a;
-- Disabled is not asked; a scenario's own factors are.
UPDATE visage.risk_rule SET enabled = false;
SELECT * FROM visage.assess('risk-1', context => '{"country": "US"}');
SELECT pg_temp.try('{}', scenario => 'account_unlock');
SELECT * FROM pg_temp.why();
SELECT * FROM visage.assess(NULL, scenario => 'account_unlock');
DELETE FROM visage.risk_rule;

-- [8.1.4d] What looks at the past: nothing is kept while no rule asks.
SELECT count(*) FROM visage.sighting;
INSERT INTO visage.risk_rule (institution, name, signal, action, at_least, period) VALUES (1, 'new phone', 'new_device', 'require_face', 2, '30 days');
SELECT pg_temp.try('{"device": "phone-a", "address": "192.0.2.1", "latitude": 31.23, "longitude": 121.47}') FROM generate_series(1, 2);
SELECT accepted, length(device) AS device, length(address) AS address, latitude, longitude FROM visage.sighting;
SELECT c AS context, a.level FROM unnest(ARRAY['{"device": "phone-a"}', '{"device": "phone-b"}', '{}']) c, visage.assess('risk-1', context => c::jsonb) a;
-- Two are enough to say what is usual, fewer are not; nobody's past is empty.
UPDATE visage.risk_rule SET at_least = 3;
SELECT level FROM visage.assess('risk-1', context => '{"device": "phone-b"}');
SELECT level FROM visage.assess('risk-nobody', context => '{"device": "phone-b"}');
-- Known instead of new: those may pass.
UPDATE visage.risk_rule SET outside = true, at_least = 1;
SELECT c AS context, a.level FROM unnest(ARRAY['{"device": "phone-a"}', '{"device": "phone-b"}']) c, visage.assess('risk-1', context => c::jsonb) a;
UPDATE visage.risk_rule SET signal = 'new_address', outside = false;
SELECT c AS context, a.level FROM unnest(ARRAY['{"address": "::ffff:192.0.2.1"}', '{"address": "192.0.2.2"}']) c, visage.assess('risk-1', context => c::jsonb) a;
-- Failures make the next call stricter; others' do not.
UPDATE visage.risk_rule SET name = 'failures', signal = 'failures', action = 'deny', at_least = 2, period = '10 minutes';
SELECT pg_temp.try('{}', 'mallory') FROM generate_series(1, 3);
SELECT * FROM pg_temp.why();
SELECT pg_temp.try('{}');
SELECT fixture.verdict(visage.verify('risk-nobody', fixture.probe('mallory', 2))) FROM generate_series(1, 3);
-- A denied call is not counted: it would go on for ever.
SELECT count(*) FILTER (WHERE NOT accepted) AS failed FROM visage.sighting;
UPDATE visage.risk_rule SET name = 'busy', signal = 'attempts', at_least = 4;
SELECT pg_temp.try('{}');
UPDATE visage.risk_rule SET at_least = 5;
SELECT pg_temp.try('{}');
SELECT pg_temp.try('{}');
-- Shanghai, and minutes later Paris: 9,265 km away. From Suzhou nobody wonders.
UPDATE visage.risk_rule SET name = 'distance', signal = 'distance', at_least = 500;
SELECT c AS context, a.level FROM unnest(ARRAY['{"latitude": 48.86, "longitude": 2.35}', '{"latitude": 31.30, "longitude": 120.58}', '{}']) c, visage.assess('risk-1', context => c::jsonb) a;
UPDATE visage.risk_rule SET name = 'speed', signal = 'speed', at_least = 1000;
SELECT c AS context, a.level FROM unnest(ARRAY['{"latitude": 48.86, "longitude": 2.35}', '{"latitude": 31.50, "longitude": 121.2}', '{}']) c, visage.assess('risk-1', context => c::jsonb) a;
UPDATE visage.risk_rule SET when_missing = true;
SELECT level FROM visage.assess('risk-1');
SELECT pg_temp.try('{"latitude": 48.86, "longitude": 2.35}');
SELECT name, version, action, signal, input::numeric > 1000 AS fast FROM pg_temp.why();
-- The rule of that time explains it, whatever became of it. Each version is kept, with its author; none can be changed.
DELETE FROM visage.risk_rule;
SELECT name, version FROM pg_temp.why();
SELECT version, definition ->> 'signal' AS signal, changed_by = current_user AS mine FROM visage.risk_history
  WHERE kind = 'risk_rule' AND id = (SELECT max(id) FROM visage.risk_history WHERE kind = 'risk_rule') ORDER BY version;
DELETE FROM visage.risk_history;
-- [8.2.5b] Changes are events and versions of the policy.
SELECT object, before IS NOT NULL AS before, after IS NOT NULL AS after FROM visage.history WHERE operation = 'change' ORDER BY event DESC LIMIT 2;
-- [8.2.4d] Sightings end with the subject, and after 90 days.
BEGIN;  -- the writer erases them as well, once it sees them
INSERT INTO visage.sighting (subject, at, accepted) VALUES (gen_random_uuid(), now() - interval '91 days', true), (gen_random_uuid(), now() - interval '89 days', true);
SELECT visage.expire_sightings();
ROLLBACK;
SELECT fixture.verdict(visage.register('risk-2', fixture.probe('risk-2', 1)));
INSERT INTO visage.risk_rule (institution, name, signal, action, at_least, period) VALUES (1, 'watch', 'attempts', 'require_face', 1, '90 days');
SELECT fixture.verdict(visage.verify('risk-2', fixture.probe('risk-2', 2)));
SELECT count(*) FROM visage.sighting g JOIN visage.subject s ON s.id = g.subject WHERE external_id = 'risk-2';
SELECT fixture.verdict(visage.cancel('risk-2'));
SELECT count(*) FROM visage.sighting WHERE at > now() - interval '80 days' AND NOT subject IN (SELECT id FROM visage.subject);

-- The ledger covers what fired.
SELECT * FROM visage.verify_ledger();
DELETE FROM visage.risk_rule;

-- A dry run: which calls other rules would have decided otherwise.
SELECT fixture.verdict(visage.register('risk-3', fixture.probe('risk-3', 1)));
CREATE FUNCTION pg_temp.call(context jsonb, person text DEFAULT 'risk-3', channel text DEFAULT 'default') RETURNS text LANGUAGE sql AS $$
  SELECT fixture.verdict(visage.verify('risk-3', fixture.probe(person, 2, quality => '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 95}'), channel, context => $1)) $$;
INSERT INTO visage.audit_policy (institution, keep_details) VALUES (1, '1 day');
INSERT INTO visage.risk_rule (institution, name, signal, action, names) VALUES (1, 'stolen', 'device', 'deny', '{phone-x}');
INSERT INTO visage.risk_rule (institution, name, priority, signal, action, at_least, period) VALUES (1, 'watch', 200, 'attempts', 'allow', 1, '90 days');
SELECT pg_temp.call('{"device": "phone-1", "address": "192.0.2.1", "biz_id": "1"}'), pg_temp.call('{"device": "phone-x", "biz_id": "2"}'),
       pg_temp.call('{"address": "203.0.113.9", "biz_id": "3"}', channel => 'counter'), pg_temp.call('{"biz_id": "4"}', 'mallory'),
       pg_temp.call('{"biz_id": "5", "latitude": 48.86, "longitude": 2.35}'), pg_temp.call('{"biz_id": "6", "latitude": 31.23, "longitude": 121.47}');
UPDATE visage.audit_policy SET keep_details = NULL;
SELECT pg_temp.call('{"address": "203.0.113.10", "biz_id": "7"}');
CREATE FUNCTION pg_temp.differ(change jsonb) RETURNS TABLE (biz_id text, recorded text, would_be text, fired text) LANGUAGE sql AS $$
  SELECT h.biz_id, s.decision || ' ' || s.reason, s.would_be, regexp_replace(s.fired, '\d+\.\d+ ', '', 'g')
  FROM visage.simulate(change, (SELECT min(at) FROM visage.history WHERE subject = 'risk-3')) s JOIN visage.history h USING (event) ORDER BY h.biz_id $$;
-- Nothing changed, nothing differs: what was recorded is what the rules said.
SELECT * FROM pg_temp.differ('{}');
SELECT * FROM pg_temp.differ('{"drop_rules": ["stolen"]}');
SELECT * FROM pg_temp.differ('{"rules": [{"name": "stolen", "action": "require_factors", "factors": 1}]}');
SELECT * FROM pg_temp.differ('{"deny": [{"kind": "device", "device": "phone-1"}]}');
-- An address is known again where it was kept in clear, and not where it was not.
SELECT * FROM pg_temp.differ('{"deny": [{"kind": "address", "address": "203.0.113.0/24"}]}');
SELECT * FROM pg_temp.differ('{"rules": [{"name": "counter", "signal": "always", "action": "deny", "channel": "counter"}]}');
-- The past is that of each call, not of today.
SELECT * FROM pg_temp.differ('{"rules": [{"name": "failed", "signal": "failures", "action": "deny", "at_least": 1, "period": "1 hour"}]}');
SELECT * FROM pg_temp.differ('{"rules": [{"name": "travel", "signal": "speed", "action": "deny", "at_least": 900, "period": "1 day"}]}');
-- Nobody kept the country: every call that compared is unknown, none of those that are refused anyway.
SELECT would_be, count(*) FROM pg_temp.differ('{"deny": [{"kind": "country", "country": "XX"}]}') GROUP BY 1;
-- It changed and recorded nothing.
SELECT name, version FROM visage.risk_rule ORDER BY 1;
SELECT count(*) FROM visage.deny_list;
-- What makes no sense is refused as it would be on entry; so is what cannot be replayed.
SELECT * FROM visage.simulate('{"channel": [{"name": "default", "target_fmr": 1e-3}]}');
SELECT * FROM visage.simulate('[]');
SELECT * FROM visage.simulate('{"rules": [{"name": "x", "signal": "address", "action": "deny"}]}');
SELECT * FROM visage.simulate('{"rules": [{"name": "x", "colour": "red"}]}');
SELECT * FROM visage.simulate('{"drop_rules": ["x"]}');
SELECT * FROM visage.simulate('{}', now(), now() - interval '1 day');
DELETE FROM visage.risk_rule;
DELETE FROM visage.audit_policy;

-- Nonsense is refused on entry, with what to do about it.
CREATE FUNCTION pg_temp.refused(relation text, part jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  IF relation = 'risk_rule' THEN
    INSERT INTO visage.risk_rule SELECT (jsonb_populate_record(NULL::visage.risk_rule, '{"id": 1, "institution": 1, "name": "bad", "description": "", "priority": 1,
      "enabled": true, "action": "deny", "outside": false, "when_missing": false, "version": 1, "changed_at": "2026-01-01", "changed_by": ""}' || part)).*;
  ELSE
    INSERT INTO visage.deny_list SELECT (jsonb_populate_record(NULL::visage.deny_list, '{"id": 1, "institution": 1, "why": "bad", "version": 1, "changed_at": "2026-01-01", "changed_by": ""}' || part)).*;
  END IF;
  RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN SQLERRM || coalesce(' | ' || nullif(hint, ''), '');
END
$$;
SELECT pg_temp.refused('risk_rule', r::jsonb) FROM unnest(ARRAY[
  '{"signal": "address"}', '{"signal": "address", "addresses": []}', '{"signal": "address", "addresses": ["10.0.0.0/8", null]}', '{"signal": "address", "addresses": ["10.0.0.0/8"], "names": ["x"]}',
  '{"signal": "always", "period": "1 day"}', '{"signal": "always", "operation": "archive"}', '{"signal": "always", "outside": true}', '{"signal": "attempts", "at_least": 1, "period": "1 day", "when_missing": true}',
  '{"signal": "always", "factors": 1}', '{"signal": "always", "action": "require_factors"}', '{"signal": "always", "action": "require_factors", "factors": 5}',
  '{"signal": "country", "names": ["China"]}', '{"signal": "place", "names": [""]}',
  '{"signal": "hours", "from_time": "22:00"}', '{"signal": "hours", "from_time": "22:00:30", "until_time": "06:00"}', '{"signal": "hours", "from_time": "22:00", "until_time": "06:00", "weekdays": [0]}',
  '{"signal": "hours", "from_time": "22:00", "until_time": "06:00", "time_zone": "Mars/Olympus"}', '{"signal": "hours", "from_time": "22:00", "until_time": "06:00", "time_zone": "CST"}',
  '{"signal": "failures", "at_least": 1.5, "period": "1 day"}', '{"signal": "failures", "at_least": 0, "period": "1 day"}', '{"signal": "speed", "at_least": "NaN", "period": "1 day"}', '{"signal": "speed", "at_least": 900, "period": "91 days"}',
  '{"signal": "speed", "at_least": 900, "period": "0"}', '{"signal": "always", "channel": "moon"}', '{"signal": "always", "scenario": "moon"}', '{"signal": "always", "name": ""}', '{"signal": "mood"}']) r;
SELECT pg_temp.refused('deny_list', r::jsonb) FROM unnest(ARRAY[
  '{"kind": "address"}', '{"kind": "address", "address": "10.0.0.1", "place": "x"}', '{"kind": "address", "address": "10.0.0.1", "hash": "\\x00"}', '{"kind": "device", "hash": "\\x00"}',
  '{"kind": "country", "country": "XXX"}', '{"kind": "place", "place": ""}', '{"kind": "hours", "from_time": "22:00"}', '{"kind": "mac", "mac": "08:00:2b"}', '{"kind": "place", "place": "x", "why": ""}', '{"kind": "place", "place": "x", "why": null}']) r;
-- The context likewise. Fields that nobody knows are the caller's own.
CREATE FUNCTION pg_temp.refused_context(context jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  hint text;
BEGIN
  PERFORM visage.assess('risk-1', context => context);
  RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ' ' || SQLERRM || coalesce(' | ' || nullif(hint, ''), '');
END
$$;
SELECT c, pg_temp.refused_context(c::jsonb) FROM unnest(ARRAY['[]', '{"address": 1}', '{"address": "10.0.0.0/8"}', '{"address": "10.0.0"}', '{"address": "10.0.0.256"}', '{"country": "CHN"}', '{"country": 86}',
  '{"latitude": 91, "longitude": 0}', '{"latitude": 1}', '{"longitude": 1}', '{"latitude": "1", "longitude": 1}', '{"latitude": 1, "longitude": 1e400}', '{"mac": "08:00"}', '{"time_zone": "CST"}', '{"time_zone": "Europe/Nowhere"}',
  '{"place": ["x"]}', '{"address": null, "country": null, "latitude": null}', '{"shoe_size": 43}', '{"latitude": -90, "longitude": 180, "time_zone": "UTC", "mac": "0800.2b01.0203"}']) c;
SELECT * FROM visage.assess('risk-1', operation => 'archive');
SELECT * FROM visage.assess('risk-1', 'moon');

-- Another institution's rules are its own. [6.2a]
BEGIN;
SELECT visage.grant_institution('risk-west', 'visage_service');
INSERT INTO visage.channel (institution, name) SELECT id, 'default' FROM visage.institution WHERE name = 'risk-west';
INSERT INTO visage.scenario (institution, name) SELECT id, 'default' FROM visage.institution WHERE name = 'risk-west';
INSERT INTO visage.risk_rule (institution, name, signal, action) SELECT id, 'closed', 'always', 'deny' FROM visage.institution WHERE name = 'risk-west';
SELECT level FROM visage.assess('risk-1');
SET LOCAL visage.institution = 'risk-west';
SELECT level FROM visage.assess('risk-1');
ROLLBACK;
