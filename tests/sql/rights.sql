-- Who may what. [6.2a] [8.1.4b]
-- Every function: owner is the installer; security, volatility, parallel mark, settings and rights are pinned.
\pset format unaligned
\pset footer off
SELECT p.oid::regprocedure AS function, CASE WHEN prosecdef THEN 'definer' ELSE 'invoker' END AS security, provolatile AS vol,
       proparallel AS par, proconfig AS settings,
       (SELECT string_agg(coalesce(nullif(grantee, 0)::regrole::text, 'PUBLIC'), ' ' ORDER BY grantee::regrole::text COLLATE "C")
        FROM (SELECT DISTINCT grantee FROM aclexplode(proacl) WHERE grantee <> proowner) g) AS granted_to
FROM pg_proc p WHERE pronamespace = 'visage'::regnamespace ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT c.oid::regclass AS relation, relkind,
       (SELECT string_agg(coalesce(nullif(grantee, 0)::regrole::text, 'PUBLIC') || ':' || privileges, ' ' ORDER BY grantee::regrole::text COLLATE "C")
        FROM (SELECT grantee, string_agg(lower(left(privilege_type, 1)), '' ORDER BY privilege_type) AS privileges FROM aclexplode(relacl)
              WHERE grantee <> relowner GROUP BY grantee) g) AS granted
FROM pg_class c WHERE relnamespace = 'visage'::regnamespace AND relkind IN ('r', 'v', 'S') ORDER BY c.oid::regclass::text COLLATE "C";
\pset format aligned
\pset footer on
-- No SECURITY DEFINER function without a fixed search_path.
SELECT p.oid::regprocedure FROM pg_proc p WHERE pronamespace = 'visage'::regnamespace AND prosecdef
  AND NOT coalesce(proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false);
-- No function whose text is looked up when it runs without one either, and none of the two for PUBLIC.
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE pronamespace = 'visage'::regnamespace AND l.lanname <> 'c'
  -- A procedure that commits may have none; its text names every schema.
  AND p.prokind <> 'p'
  AND NOT coalesce(proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false);
SELECT p.oid::regprocedure AS for_public FROM pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner))) a
WHERE pronamespace = 'visage'::regnamespace AND a.grantee = 0 ORDER BY 1;
-- PUBLIC has no other right on anything: schema, relation, column, type. No default privileges, no right that may be passed on.
SELECT 'schema' AS kind, nspname AS name FROM pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner))) a WHERE nspname = 'visage' AND a.grantee = 0
UNION ALL SELECT relkind::text, relname FROM pg_class, aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, relowner))) a
  WHERE relnamespace = 'visage'::regnamespace AND a.grantee = 0
UNION ALL SELECT 'column', attrelid::regclass || '.' || attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'visage'::regnamespace AND attacl IS NOT NULL
UNION ALL SELECT 'type', typname FROM pg_type, aclexplode(coalesce(typacl, acldefault('T', typowner))) a
  WHERE typnamespace = 'visage'::regnamespace AND a.grantee = 0 AND typtype IN ('b', 'e', 'd') AND typelem = 0
UNION ALL SELECT 'default privileges', defaclrole::regrole::text FROM pg_default_acl;
SELECT DISTINCT name AS may_be_passed_on FROM visage.rights WHERE grantable AND grantee <> (SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'visage');
-- Secrets and sealed values lie in columns that nobody was granted. These are what an institution lists itself, the public name of
-- a notice, and what the ledger publishes.
SELECT c.relname || '.' || t.attname AS readable FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid AND t.attnum > 0, aclexplode(c.relacl) a
WHERE c.relnamespace = 'visage'::regnamespace AND c.relkind = 'r' AND a.grantee <> c.relowner AND a.privilege_type = 'SELECT'
  AND t.atttypid IN ('bytea'::regtype, 'visage.reference'::regtype, 'visage.probe'::regtype) GROUP BY 1 ORDER BY 1;
-- These tables have to do with no institution, or are loaded by COPY; all others are under row security. Views filter by themselves, or
-- read nothing of an institution.
SELECT c.relname AS without_row_security FROM pg_class c WHERE c.relnamespace = 'visage'::regnamespace AND c.relkind = 'r' AND NOT c.relrowsecurity ORDER BY 1;
SELECT regexp_replace(p.polname, '^visage_[0-9a-f]{8}', 'visage_#') AS policy, p.polcmd AS cmd, p.polpermissive AS permissive, p.polroles = '{0}' AS for_all,
       regexp_replace(coalesce(pg_get_expr(p.polqual, p.polrelid), '-'), '\s+', ' ', 'g') AS condition, pg_get_expr(p.polwithcheck, p.polrelid) AS more_for_writing,
       string_agg(c.relname, ' ' ORDER BY c.relname) AS tables
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid WHERE c.relnamespace = 'visage'::regnamespace GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 5;
SELECT c.relname AS view, coalesce(c.reloptions::text, '-') AS options FROM pg_class c WHERE c.relnamespace = 'visage'::regnamespace AND c.relkind = 'v' ORDER BY 1;

CREATE ROLE rights_service LOGIN IN ROLE visage_service;
CREATE ROLE rights_capture LOGIN IN ROLE visage_capture;
CREATE ROLE rights_auditor LOGIN IN ROLE visage_auditor;
CREATE ROLE rights_calibrator LOGIN IN ROLE visage_calibrator;
CREATE ROLE rights_admin LOGIN IN ROLE visage_admin;
CREATE ROLE rights_nobody LOGIN;
CREATE TEMP TABLE p (name text, probe visage.probe);
CREATE TEMP TABLE r AS SELECT NULL::visage.reference AS reference;
GRANT SELECT ON r TO PUBLIC;
INSERT INTO p SELECT 'r' || i, fixture.probe('rights-1', i) FROM generate_series(1, 6) i;
GRANT SELECT ON p TO PUBLIC;
GRANT USAGE ON SCHEMA fixture TO PUBLIC;

SET ROLE rights_service;
SELECT fixture.verdict(visage.register('rights-1', (SELECT probe FROM p WHERE name = 'r1')));
SELECT fixture.verdict(visage.verify('rights-1', (SELECT probe FROM p WHERE name = 'r2')));
SELECT * FROM visage.subject;
SELECT * FROM visage.subject_key;
SELECT * FROM visage.subject_reference;
SELECT * FROM visage.event;
SELECT * FROM visage.history;
SELECT visage.seal_probe(NULL, NULL);
SELECT visage.score(reference, probe) FROM r, p;
SELECT visage.add_capture_source('x');
SELECT visage.grant_institution('default', 'rights_service');
UPDATE visage.channel SET target_fmr = 0.5;
SET ROLE rights_capture;
SELECT visage.seal_probe(fixture.feature('a', 1), 'test/1', 0.9, 'fixture') IS NOT NULL AS sealed;
SELECT visage.verify('rights-1', (SELECT probe FROM p WHERE name = 'r3'));
SET ROLE rights_auditor;
SELECT count(*) > 0 AS sees_history FROM visage.history;
SELECT count(*) > 0 AS sees_keys FROM visage.keys;
SELECT visage.verify('rights-1', (SELECT probe FROM p WHERE name = 'r3'));
SELECT visage.score(reference, probe) FROM r, p;
DELETE FROM visage.event;
SET ROLE rights_calibrator;
SELECT count(*) > 0 AS scores FROM (SELECT visage.score(reference, (SELECT probe FROM p WHERE name = 'r3')) FROM visage.references_for_calibration() WHERE subject = 'rights-1') s;
SELECT visage.cancel('rights-1');
SET ROLE rights_admin;
BEGIN; UPDATE visage.channel SET description = 'mine' WHERE name = 'default'; ROLLBACK;
SELECT visage.cancel('rights-1');
SELECT visage.references_for_calibration();
SET ROLE rights_nobody;
SELECT visage.verify('rights-1', NULL);
SELECT * FROM visage.history;
RESET ROLE;

-- A role acts for the institutions that it was granted; others do not exist for it. [6.2a]
SELECT visage.grant_institution('north', 'rights_service');
SELECT visage.grant_institution('north', 'rights_service');
INSERT INTO visage.channel (institution, name) SELECT id, 'default' FROM visage.institution WHERE name = 'north';
INSERT INTO visage.scenario (institution, name) SELECT id, 'default' FROM visage.institution WHERE name = 'north';
SET visage.institution = 'north';
SELECT visage.add_capture_source('north-source') IS NOT NULL AS shown;
CREATE TEMP TABLE n AS SELECT i, visage.seal_probe(fixture.feature('rights-1', i), 'test/1', 0.9, 'north-source') AS probe FROM generate_series(1, 4) i;
GRANT SELECT ON n TO PUBLIC;
SET ROLE rights_service;
-- The same name is another subject here, and probes do not cross.
SELECT fixture.verdict(visage.verify('rights-1', (SELECT probe FROM n WHERE i = 1)));
SELECT fixture.verdict(visage.verify('rights-1', (SELECT probe FROM p WHERE name = 'r4')));
SELECT fixture.verdict(visage.register('rights-1', (SELECT probe FROM n WHERE i = 2)));
SET visage.institution = 'default';
SELECT fixture.verdict(visage.verify('rights-1', (SELECT probe FROM n WHERE i = 3)));
SELECT fixture.verdict(visage.verify('rights-1', (SELECT probe FROM p WHERE name = 'r5')));
SET visage.institution = 'south';
SELECT visage.verify('rights-1', (SELECT probe FROM n WHERE i = 4));
SET ROLE rights_auditor;
SET visage.institution = 'north';
SELECT count(*) AS events_of_north FROM visage.history WHERE institution = 'north';
SET ROLE rights_calibrator;
SELECT count(*) AS references_of_north FROM visage.references_for_calibration();
RESET ROLE;
RESET visage.institution;

-- A caller cannot smuggle code into a definer's function by search_path or temporary objects.
CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT 'epoch'::timestamptz $$;
CREATE TEMP TABLE institution (id int, name text);
SET search_path = pg_temp, fixture, visage, public;
SELECT fixture.verdict(visage.verify('rights-1', fixture.probe('rights-1', 9)));
RESET search_path;

-- A disabled source is refused from then on. [8.1.4b]
SELECT visage.add_capture_source('rights-source') IS NOT NULL AS shown;
INSERT INTO p SELECT 'disabled', visage.seal_probe(fixture.feature('rights-1', 1), 'test/1', 0.9, 'rights-source', '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}');
SELECT visage.disable_capture_source('rights-source');
SELECT visage.disable_capture_source('rights-source');
SELECT fixture.verdict(visage.verify('rights-1', probe)) FROM p WHERE name = 'disabled';
-- A change of rights is an event: of a grant and its end, of a membership once it is looked for, of nothing else. [8.1.4a]
CREATE TEMP TABLE seen AS SELECT coalesce(max(event), 0) AS event FROM visage.history;
SET ROLE rights_nobody;
SELECT visage.record_rights();
RESET ROLE;
GRANT SELECT ON visage.policy_version TO rights_nobody;
GRANT SELECT ON visage.policy_version TO rights_nobody;
REVOKE SELECT ON visage.policy_version FROM rights_nobody;
GRANT SELECT ON p TO rights_nobody;
GRANT visage_auditor TO rights_nobody;
SELECT visage.record_rights() IS NOT NULL AS membership;
SELECT visage.record_rights();
REVOKE visage_auditor FROM rights_nobody;
SELECT visage.record_rights() IS NOT NULL AS membership;
BEGIN; GRANT SELECT ON visage.event TO rights_nobody; ROLLBACK;
SELECT h.operation, h.object, h.caller = current_user AS caller, h.before = lag(h.after) OVER w AS follows, h.after = first_value(h.before) OVER w AS as_first
FROM visage.history h WHERE h.event > (SELECT event FROM seen) AND h.object = 'rights' WINDOW w AS (ORDER BY h.event) ORDER BY h.event;
DROP OWNED BY rights_service, rights_capture, rights_auditor, rights_calibrator, rights_admin, rights_nobody;

-- A verification takes the owner's rights in C. Operators of the caller's own have no say in it, not even in a session
-- that has yet to read the policy; nor has it more rights afterwards, also when it failed.
CREATE SCHEMA shadow;
GRANT USAGE ON SCHEMA shadow TO PUBLIC;
CREATE FUNCTION shadow.taken(a text, b text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'shadowed as %', current_user; END $$;
CREATE FUNCTION shadow.taken(a integer, b integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'shadowed as %', current_user; END $$;
CREATE OPERATOR shadow.= (FUNCTION = shadow.taken, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR shadow.= (FUNCTION = shadow.taken, LEFTARG = integer, RIGHTARG = integer);
CREATE TABLE shadow.p AS SELECT fixture.probe('rights-1', 40) AS probe;
GRANT SELECT ON shadow.p TO PUBLIC;
\c -
SET ROLE rights_service;
SET search_path = shadow, pg_catalog;
SELECT 1 = 1;
SELECT (visage.verify('rights-nobody', probe)).reason, current_user FROM p;
SELECT visage.verify('rights-nobody', probe, 'no-channel') FROM p;
SELECT current_user, current_setting('search_path');
SELECT * FROM visage.subject;
RESET search_path;
RESET ROLE;
DROP SCHEMA shadow CASCADE;
