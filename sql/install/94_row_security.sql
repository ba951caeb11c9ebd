-- Rows of an institution are for those who act for it. [6.2a] [8.1.4a] docs/rights.md
-- These policies hold for roles that read and write tables themselves: who sets policy, and whoever is granted more by
-- mistake. The functions of this extension run as its owner, whom row security does not bind where it is a superuser:
-- they ask visage.acts_for() by themselves, and tests/sql/rights_institutions.sql holds each of them to it.

CREATE FUNCTION visage.acts_for_subject(subject uuid) RETURNS boolean
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM visage.subject s WHERE s.id = $1 AND s.institution = ANY (visage.institutions_of_caller()))
$$;
COMMENT ON FUNCTION visage.acts_for_subject(uuid) IS 'part of the row security of what belongs to a subject';

-- pg_dump writes the policies of an extension's tables into a dump as if they were the site's, and CREATE EXTENSION has
-- made them by then. So each installation gives them names of its own, and those that a restore brings go again.
DO $$
DECLARE
  own CONSTANT text := 'visage_' || pg_catalog.substr(pg_catalog.gen_random_uuid()::text, 1, 8);
  -- Once a statement, not once a row.
  callers CONSTANT text := '= ANY ((SELECT visage.institutions_of_caller())::integer[])';
  protected record;
BEGIN
  FOR protected IN
    SELECT c.oid::regclass AS name, c.relname,
           CASE WHEN c.relname = 'institution' THEN 'id ' || callers
                WHEN c.relname = 'event' THEN 'institution IS NULL OR institution ' || callers
                WHEN c.relname = 'calibration_history' THEN pg_catalog.format(
                  '((before ->> ''institution'')::integer %1$s OR before ->> ''institution'' IS NULL) AND '
                  '((after ->> ''institution'')::integer %1$s OR after ->> ''institution'' IS NULL)', callers)
                WHEN a.attname = 'institution' THEN 'institution ' || callers
                ELSE 'visage.acts_for_subject(subject)' END AS condition
    FROM pg_catalog.pg_class c
    LEFT JOIN LATERAL (
      SELECT a.attname FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = c.oid AND a.attname IN ('institution', 'subject') AND a.attnum > 0 ORDER BY a.attname LIMIT 1) a ON true
    WHERE c.relnamespace = 'visage'::pg_catalog.regnamespace AND c.relkind = 'r'
      AND (a.attname IS NOT NULL OR c.relname IN ('institution', 'calibration_history'))
      -- Lists of erasures are loaded with COPY, which row security does not allow: nobody reads the table, and its trigger
      -- looks at each row.
      AND c.relname <> 'erasure'
  LOOP
    EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', protected.name);
    -- The owner as well, where it is not a superuser. Not where acts_for() itself looks.
    IF protected.relname NOT IN ('institution', 'institution_role') THEN
      EXECUTE pg_catalog.format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', protected.name);
    END IF;
    EXECUTE pg_catalog.format('CREATE POLICY %I ON %s USING (%s)', own, protected.name, protected.condition);
    -- What holds for an institution without a row of its own may be read by it.
    IF protected.relname IN ('session_policy', 'requirement', 'factor_policy', 'attempt_limit', 'adaptation_policy') THEN
      EXECUTE pg_catalog.format('CREATE POLICY %I ON %s FOR SELECT USING (institution = 1)', own || '_fallback', protected.name);
    ELSIF protected.relname = 'calibration' THEN
      EXECUTE pg_catalog.format('CREATE POLICY %I ON %s FOR SELECT USING (institution IS NULL)', own || '_shared', protected.name);
      EXECUTE pg_catalog.format('CREATE POLICY %I ON %s USING (institution IS NULL AND (SELECT visage.acts_for_all()))',
                                own || '_shared_write', protected.name);
    END IF;
  END LOOP;
END
$$;

CREATE FUNCTION visage.drop_restored_policy() RETURNS event_trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  restored record;
BEGIN
  FOR restored IN
    SELECT p.polname, p.polrelid::regclass AS name
    FROM pg_event_trigger_ddl_commands() d JOIN pg_policy p ON p.oid = d.objid JOIN pg_class c ON c.oid = p.polrelid
    WHERE d.classid = 'pg_policy'::regclass AND NOT d.in_extension AND c.relnamespace = 'visage'::regnamespace
      AND p.polname ~ '^visage_[0-9a-f]{8}(_|$)'
  LOOP
    EXECUTE format('DROP POLICY %I ON %s', restored.polname, restored.name);
  END LOOP;
END
$$;
COMMENT ON FUNCTION visage.drop_restored_policy() IS 'takes away again the policies of another installation of this extension that a dump brings';
CREATE EVENT TRIGGER visage_drop_restored_policy ON ddl_command_end WHEN TAG IN ('CREATE POLICY')
  EXECUTE FUNCTION visage.drop_restored_policy();
ALTER EVENT TRIGGER visage_drop_restored_policy ENABLE ALWAYS;

-- A change of one institution's policy is a new version of its policy, not of everybody's.
DO $$
DECLARE
  counted record;
  event text;
BEGIN
  FOR counted IN
    SELECT t.tgrelid::regclass AS name, t.tgenabled FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
    WHERE t.tgname = 'count_policy_change' AND c.relnamespace = 'visage'::pg_catalog.regnamespace
  LOOP
    EXECUTE pg_catalog.format('DROP TRIGGER count_policy_change ON %s', counted.name);
    FOREACH event IN ARRAY ARRAY['insert', 'update', 'delete'] LOOP
      EXECUTE pg_catalog.format('CREATE TRIGGER count_policy_%1$s AFTER %1$s ON %2$s REFERENCING %3$s '
        'FOR EACH STATEMENT EXECUTE FUNCTION visage.count_policy_change(''rows'')', event, counted.name,
        CASE event WHEN 'insert' THEN 'NEW TABLE AS come' WHEN 'delete' THEN 'OLD TABLE AS gone'
                   ELSE 'OLD TABLE AS gone NEW TABLE AS come' END);
      IF counted.tgenabled = 'A' THEN
        EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', counted.name, 'count_policy_' || event);
      END IF;
    END LOOP;
  END LOOP;
END
$$;

REVOKE ALL ON FUNCTION visage.acts_for_subject(uuid), visage.drop_restored_policy(), visage.acts_for_all(), visage.require_all(),
  visage.institutions_of_caller(), visage.revoke_institution(text, regrole) FROM PUBLIC;
-- Policies ask with the rights of who reads.
GRANT EXECUTE ON FUNCTION visage.acts_for_all(), visage.institutions_of_caller()
  TO visage_admin, visage_service, visage_capture, visage_auditor, visage_calibrator;
GRANT EXECUTE ON FUNCTION visage.revoke_institution(text, regrole) TO visage_admin;
