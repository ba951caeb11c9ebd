-- What follows every change of policy, whoever makes it: an event, and word to the sessions that keep it in memory.
-- Nothing is recorded before the ledger is open: the event that opens it has the digest of all policy then.
-- The digests must not depend on the session: visage.integrity() makes them again.
CREATE FUNCTION visage.audit_change() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET intervalstyle = 'postgres'
  SET extra_float_digits = 1 AS $$
DECLARE
  old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
  new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
BEGIN
  IF old_row IS NOT DISTINCT FROM new_row OR NOT EXISTS (SELECT FROM visage.tree) THEN
    RETURN NULL;
  END IF;
  PERFORM visage.record_change(
    -- That there is an institution is for nobody else either.
    'change', CASE TG_TABLE_NAME WHEN 'institution' THEN coalesce(new_row ->> 'id', old_row ->> 'id')
                                 ELSE coalesce(new_row ->> 'institution', old_row ->> 'institution') END::integer,
    -- TG_ARGV holds the columns of the key.
    lower(TG_OP) || ' ' || TG_TABLE_NAME || ' '
      || (SELECT string_agg(coalesce(coalesce(new_row, old_row) ->> k, '-'), '/' ORDER BY n)
          FROM unnest(TG_ARGV) WITH ORDINALITY u (k, n)),
    sha256(convert_to(old_row::text, 'UTF8')), sha256(convert_to(new_row::text, 'UTF8')), NULL);
  RETURN NULL;
END
$$;
DO $$
DECLARE
  watched record;
BEGIN
  FOR watched IN VALUES ('channel', ARRAY['name']), ('channel_floor', ARRAY['channel', 'measure']), ('scenario', ARRAY['name']),
                        ('calibration', ARRAY['model', 'scheme', 'fmr', 'id']), ('capture_source', ARRAY['name']),
                        ('institution', ARRAY['name']), ('institution_role', ARRAY['role']), ('audit_policy', ARRAY['institution']),
                        ('attempt_limit', ARRAY['kind', 'with_liveness']), ('session_policy', ARRAY['institution']),
                        ('requirement', ARRAY['operation', 'channel', 'scenario', 'risk']), ('factor_policy', ARRAY['institution']),
                        ('otp_service', ARRAY['name']), ('trust_anchor', ARRAY['name']), ('revocation_list', ARRAY['name'])
  LOOP
    EXECUTE pg_catalog.format('CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON visage.%I FOR EACH ROW '
      'EXECUTE FUNCTION visage.audit_change(%s)', watched.column1,
      (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(k), ', ') FROM pg_catalog.unnest(watched.column2) k));
    -- Always: a restore or a replica role may switch ordinary triggers off.
    EXECUTE pg_catalog.format('ALTER TABLE visage.%I ENABLE ALWAYS TRIGGER audit_change', watched.column1);
  END LOOP;
END
$$;

CREATE FUNCTION visage.forget_policy() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'visage_forget_policy';
DO $$
DECLARE
  kept text;
BEGIN
  FOREACH kept IN ARRAY ARRAY['institution', 'institution_role', 'policy_version', 'channel', 'channel_floor', 'scenario',
                              'calibration', 'capture_source', 'attempt_limit', 'audit_policy', 'session_policy', 'requirement',
                              'factor_policy', 'otp_service', 'trust_anchor', 'revocation_list']
  LOOP
    EXECUTE pg_catalog.format('CREATE TRIGGER forget_policy AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON visage.%I '
      'FOR EACH STATEMENT EXECUTE FUNCTION visage.forget_policy()', kept);
    EXECUTE pg_catalog.format('ALTER TABLE visage.%I ENABLE ALWAYS TRIGGER forget_policy', kept);
  END LOOP;
END
$$;

CREATE FUNCTION visage.watch_policy(policy regclass, VARIADIC identified_by text[]) RETURNS void
  LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH ROW EXECUTE FUNCTION visage.audit_change(%s)',
                 policy, (SELECT string_agg(quote_literal(k), ', ' ORDER BY n) FROM unnest(identified_by) WITH ORDINALITY u (k, n)));
  EXECUTE format('CREATE TRIGGER forget_policy AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s '
                 'FOR EACH STATEMENT EXECUTE FUNCTION visage.forget_policy()', policy);
  EXECUTE format('CREATE TRIGGER count_policy_change AFTER INSERT OR UPDATE OR DELETE ON %s '
                 'FOR EACH STATEMENT EXECUTE FUNCTION visage.count_policy_change()', policy);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER audit_change', policy);
  EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER forget_policy', policy);
END
$$;
COMMENT ON FUNCTION visage.watch_policy(regclass, text[]) IS
  'for a table of policy: changes of a row, named by these columns, are in the ledger, apply at once, and count as a version; for the script of this extension';
