-- Changes of who may what on the extension's objects are events. [8.1.4a]
-- GRANT and REVOKE name no object to an event trigger, so the rights as a whole are compared with those recorded last.

CREATE TABLE visage.recorded_rights (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  digest bytea NOT NULL
);
COMMENT ON TABLE visage.recorded_rights IS 'digest of visage.rights as the last event about it has it';

-- Names, not oids, so that it is the same after a restore.
CREATE VIEW visage.rights AS
  SELECT o.kind, o.name, coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC') AS grantee, a.privilege_type AS privilege,
         a.is_grantable AS grantable
  FROM (
    SELECT 'schema' AS kind, n.nspname::text AS name, coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl
    FROM pg_namespace n WHERE n.nspname = 'visage'
    UNION ALL
    SELECT 'relation', c.relname, coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relowner))
    FROM pg_class c WHERE c.relnamespace = 'visage'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p', 'S')
    UNION ALL
    SELECT 'column', c.relname || '.' || t.attname, t.attacl
    FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid
    WHERE c.relnamespace = 'visage'::regnamespace AND t.attacl IS NOT NULL
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner))
    FROM pg_proc p WHERE p.pronamespace = 'visage'::regnamespace
    UNION ALL
    SELECT 'type', t.typname, coalesce(t.typacl, acldefault('T', t.typowner))
    FROM pg_type t WHERE t.typnamespace = 'visage'::regnamespace AND t.typtype IN ('b', 'e', 'd') AND t.typelem = 0
  ) o CROSS JOIN aclexplode(o.acl) a
  UNION ALL
  SELECT 'role', r.rolname, m.rolname, 'MEMBER', g.admin_option
  FROM pg_auth_members g JOIN pg_roles r ON r.oid = g.roleid JOIN pg_roles m ON m.oid = g.member
  WHERE r.rolname LIKE 'visage\_%';
COMMENT ON VIEW visage.rights IS 'who may what on the extension''s objects, and who is a member of its roles';

CREATE FUNCTION visage.rights_digest() RETURNS bytea
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT sha256(convert_to(coalesce(string_agg(
            concat_ws(E'\t', r.kind, r.name, r.grantee, r.privilege, r.grantable), E'\n'
            ORDER BY r.kind, r.name COLLATE "C", r.grantee COLLATE "C", r.privilege, r.grantable), ''), 'UTF8'))
          FROM visage.rights r);
COMMENT ON FUNCTION visage.rights_digest() IS 'SHA-256 of visage.rights';

CREATE FUNCTION visage.record_rights() RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before bytea;
  after bytea;
BEGIN
  IF NOT EXISTS (SELECT FROM visage.tree) THEN
    RETURN NULL;
  END IF;
  SELECT r.digest INTO before FROM visage.recorded_rights r FOR UPDATE;
  after := visage.rights_digest();
  IF before IS NOT DISTINCT FROM after THEN
    RETURN NULL;
  END IF;
  INSERT INTO visage.recorded_rights (digest) VALUES (after) ON CONFLICT (id) DO UPDATE SET digest = EXCLUDED.digest;
  RETURN visage.record_change('change', NULL, 'rights', before, after, NULL);
END
$$;
COMMENT ON FUNCTION visage.record_rights() IS 'writes an event if the rights differ from those recorded last, and returns its number; every GRANT and REVOKE in this database calls it, roles'' memberships need the call';

CREATE FUNCTION visage.audit_rights() RETURNS event_trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() c WHERE c.in_extension) THEN
    RETURN;
  END IF;
  PERFORM visage.record_rights();
EXCEPTION WHEN SQLSTATE 'VG004' OR SQLSTATE '55000' THEN
  -- A restore grants before this server's writer has come to the database. The next event has the change.
  RAISE WARNING 'no event about the change of rights yet: %', SQLERRM USING HINT = 'SELECT visage.record_rights() writes it.';
END
$$;
COMMENT ON FUNCTION visage.audit_rights() IS 'what follows every GRANT and REVOKE';
CREATE EVENT TRIGGER visage_audit_rights ON ddl_command_end WHEN TAG IN ('GRANT', 'REVOKE') EXECUTE FUNCTION visage.audit_rights();
ALTER EVENT TRIGGER visage_audit_rights ENABLE ALWAYS;

REVOKE ALL ON FUNCTION visage.rights_digest(), visage.record_rights(), visage.audit_rights() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION visage.record_rights() TO visage_admin;
GRANT SELECT ON visage.rights TO visage_admin, visage_auditor;
