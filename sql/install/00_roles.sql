\echo Use "CREATE EXTENSION pg_visage CASCADE" to load this file. \quit

-- CREATE EXTENSION looks for names in the schemas of other extensions too, where somebody may have put an operator or
-- function that fits better than the server's own. (CVE-2022-2625 and its kind; tools/check/search_path)
SET LOCAL search_path = pg_catalog, pg_temp;

-- Roles belong to the cluster, not to the extension: they are made when missing and stay when it is dropped.
DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['visage_admin', 'visage_service', 'visage_capture', 'visage_auditor',
                                   'visage_calibrator', 'visage_search']
  LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = role_name) THEN
      EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', role_name);
    END IF;
  END LOOP;
END
$$;

REVOKE ALL ON SCHEMA visage FROM PUBLIC;
GRANT USAGE ON SCHEMA visage TO visage_admin, visage_service, visage_capture, visage_auditor, visage_calibrator, visage_search;
