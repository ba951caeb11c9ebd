-- What rules ask for before anything is captured, why a decision fell as it did, and what other rules would have decided.

CREATE FUNCTION visage.assess(
  subject text, channel text DEFAULT 'default', scenario text DEFAULT 'default', context jsonb DEFAULT '{}',
  operation visage.operation DEFAULT 'verify',
  OUT level integer, OUT action visage.risk_action, OUT factors integer, OUT face boolean)
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_assess';
COMMENT ON FUNCTION visage.assess(text, text, text, jsonb, visage.operation) IS
  'what the circumstances of a call would ask for: is a face check needed, how many further factors; decides and records nothing [8.1.4c, 6.6e]';

CREATE FUNCTION visage.explain_decision(transaction_id uuid)
  RETURNS TABLE (event bigint, at timestamptz, decision visage.decision, reason visage.reason, level integer, source text,
                 id integer, version integer, name text, action visage.risk_action, factors integer, signal visage.risk_signal,
                 input text, definition jsonb)
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT e.seq, e.at, e.decision, e.reason, coalesce((substring(e.note FROM '^risk (\d)'))::integer, 0),
         p.m[1], p.m[2]::integer, h.version, coalesce(h.definition ->> 'name', CASE WHEN p.m[1] = 'scenario' THEN e.scenario END),
         p.m[4]::visage.risk_action, p.m[5]::integer, p.m[6]::visage.risk_signal,
         CASE
           WHEN p.m[7] IS NOT NULL THEN p.m[7]
           WHEN p.m[6] = 'address' THEN encode(e.address, 'hex')
           WHEN p.m[6] = 'device' THEN encode(e.device, 'hex')
           WHEN p.m[6] = 'hours' THEN e.at::text
           WHEN p.m[6] IN ('country', 'place', 'mac') THEN 'not kept'
         END,
         h.definition
  FROM visage.event e
  LEFT JOIN LATERAL (
    SELECT regexp_match(part, '^(rule|entry|scenario|and)(?: (\d+)(?:\.(\d+))?)? (allow|require_face|require_factors|deny)(?::(\d+))? (\w+)(?:=(.*))?$') AS m, n
    FROM unnest(string_to_array(substring(e.note FROM '^risk \d; (.*)$'), '; ')) WITH ORDINALITY u (part, n)) p ON p.m IS NOT NULL
  LEFT JOIN LATERAL (
    SELECT r.version, r.definition FROM visage.risk_history r
    WHERE r.kind = CASE p.m[1] WHEN 'rule' THEN 'risk_rule' WHEN 'entry' THEN 'deny_list' END AND r.id = p.m[2]::integer
      AND r.version = p.m[3]::integer) h ON true
  WHERE e.transaction_id = $1 AND e.decision IS NOT NULL AND (e.institution IS NULL OR visage.acts_for(e.institution))
  ORDER BY p.n
$$;
COMMENT ON FUNCTION visage.explain_decision(uuid) IS
  'which risk rules and deny-list entries fired for a call, as they were then, and on what; one row of nulls when none did [8.1.4d]';

-- Decides the calls of the past anew, as far as history keeps what rules ask about; source of visage.simulate.
CREATE FUNCTION visage.replay_risk(
  rules jsonb, entries jsonb, since timestamptz, until timestamptz,
  OUT event bigint, OUT at timestamptz, OUT operation visage.operation, OUT channel text, OUT scenario text,
  OUT decision visage.decision, OUT reason visage.reason, OUT note text, OUT action visage.risk_action, OUT factors integer,
  OUT fired text, OUT uncertain boolean)
  RETURNS SETOF record
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'visage_replay_risk';
COMMENT ON FUNCTION visage.replay_risk(jsonb, jsonb, timestamptz, timestamptz) IS 'source of visage.simulate(); for the functions of this extension';

CREATE FUNCTION visage.simulate(
  change jsonb, since timestamptz DEFAULT now() - interval '30 days', until timestamptz DEFAULT now())
  RETURNS TABLE (event bigint, at timestamptz, operation visage.operation, channel text, scenario text, decision visage.decision,
                 reason visage.reason, would_be text, fired text)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  acting integer;
  rules jsonb;
  entries jsonb;
  unknown text;
BEGIN
  SELECT i.id INTO acting FROM visage.institution i WHERE i.name = current_setting('visage.institution') AND visage.acts_for(i.id);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'the caller does not act for institution "%"', current_setting('visage.institution') USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF NOT since < until THEN
    RAISE EXCEPTION 'the range must begin before it ends' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF jsonb_typeof(change) IS DISTINCT FROM 'object' THEN
    RAISE EXCEPTION 'a change is a JSON object' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'For example {"rules": [{"name": "night", "enabled": false}], "deny": [{"kind": "country", "country": "XX"}]}.';
  END IF;
  SELECT k INTO unknown FROM jsonb_each(change) c (k, v)
    WHERE k NOT IN ('rules', 'drop_rules', 'deny', 'drop_deny') OR jsonb_typeof(v) <> 'array' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'a change has no part "%", or it is no array', unknown USING ERRCODE = 'invalid_parameter_value',
      HINT = 'It has rules, drop_rules (names), deny, drop_deny (ids). Thresholds and floors cannot be replayed: scores and qualities are not kept.';
  END IF;
  SELECT k INTO unknown FROM jsonb_array_elements(change -> 'rules') r, jsonb_object_keys(r) k
    WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'visage.risk_rule'::regclass AND attnum > 0 AND attname = k) LIMIT 1;
  IF NOT FOUND THEN
    SELECT k INTO unknown FROM jsonb_array_elements(change -> 'deny') r, jsonb_object_keys(r) k
      WHERE NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'visage.deny_list'::regclass AND attnum > 0 AND attname = k) LIMIT 1;
  END IF;
  IF FOUND THEN
    RAISE EXCEPTION 'a rule or entry has no column "%"', unknown USING ERRCODE = 'undefined_column';
  END IF;
  SELECT n INTO unknown FROM jsonb_array_elements_text(change -> 'drop_rules') n
    WHERE NOT EXISTS (SELECT FROM visage.risk_rule r WHERE r.institution = acting AND r.name = n) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'there is no risk rule "%"', unknown USING ERRCODE = 'undefined_object', HINT = 'SELECT name FROM visage.risk_rule lists them.';
  END IF;
  SELECT d INTO unknown FROM jsonb_array_elements_text(change -> 'drop_deny') d
    WHERE NOT EXISTS (SELECT FROM visage.deny_list l WHERE l.institution = acting AND l.id::text = d) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'there is no entry % of the deny-list', unknown USING ERRCODE = 'undefined_object', HINT = 'SELECT id FROM visage.deny_list lists them.';
  END IF;

  -- The rules as they would be: each change over the rule of its name, new ones over what the table fills in.
  SELECT coalesce(jsonb_agg(to_jsonb(visage.checked_rule(jsonb_populate_record(NULL::visage.risk_rule, v.row)))), '[]') INTO rules
  FROM (
    SELECT coalesce(to_jsonb(r), jsonb_build_object('id', 1000000000 + c.n, 'priority', 100, 'enabled', true, 'outside', false,
                                                    'when_missing', false, 'version', 1))
           || coalesce(c.row, '{}') || jsonb_build_object('institution', acting) AS row
    FROM (SELECT * FROM visage.risk_rule r WHERE r.institution = acting
          AND NOT coalesce(change -> 'drop_rules' ? r.name, false)) r
    FULL JOIN (SELECT e.row, e.n FROM jsonb_array_elements(change -> 'rules') WITH ORDINALITY e (row, n)) c ON c.row ->> 'name' = r.name) v;
  SELECT coalesce(jsonb_agg(to_jsonb(visage.checked_entry(jsonb_populate_record(NULL::visage.deny_list, v.row)))), '[]') INTO entries
  FROM (
    SELECT to_jsonb(d) AS row FROM visage.deny_list d
    WHERE d.institution = acting AND NOT coalesce(change -> 'drop_deny' @> to_jsonb(d.id), false)
    UNION ALL
    SELECT jsonb_build_object('id', 1000000000 + n, 'version', 1, 'why', 'simulated') || e.row || jsonb_build_object('institution', acting)
    FROM jsonb_array_elements(change -> 'deny') WITH ORDINALITY e (row, n)) v;

  -- What was never asked about rules stays as it was. Presented factors are not recorded: at least as many as were asked for
  -- then, where that did not fail.
  RETURN QUERY
    SELECT v.event, v.at, v.operation, v.channel, v.scenario, v.decision, v.reason,
           CASE WHEN v.uncertain THEN 'unknown' ELSE coalesce(v.refused, 'compared') END, v.fired
    FROM (
      SELECT r.*, CASE WHEN r.action = 'deny' THEN 'DENIED'
                       WHEN r.factors > CASE WHEN r.reason = 'FACTOR_MISSING' THEN 0
                                             ELSE coalesce((SELECT max(f[1]::integer) FROM regexp_matches(r.note, 'require_factors:(\d+)', 'g') f), 0) END
                       THEN 'FACTOR_MISSING' END AS refused
      FROM visage.replay_risk(rules, entries, since, until) r) v
    WHERE v.uncertain OR v.refused IS DISTINCT FROM CASE WHEN v.reason IN ('DENIED', 'FACTOR_MISSING') THEN v.reason::text END
    ORDER BY v.event;
END
$$;
COMMENT ON FUNCTION visage.simulate(jsonb, timestamptz, timestamptz) IS
  'which calls of the past other rules would have decided otherwise; unknown where history does not keep what a rule asks about; changes and records nothing';

GRANT EXECUTE ON FUNCTION visage.explain_decision(uuid) TO visage_auditor;
GRANT EXECUTE ON FUNCTION visage.simulate(jsonb, timestamptz, timestamptz) TO visage_admin, visage_auditor;
GRANT EXECUTE ON FUNCTION visage.assess(text, text, text, jsonb, visage.operation) TO visage_service;
