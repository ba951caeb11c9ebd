-- One database, two institutions that know nothing of each other. [6.2a] [8.1.4a]
-- Whatever a role of the south may call, read or write: nothing of the north shows, and nothing of it changes. Each function
-- and each relation that any role of ours may use is here; one that is missing is listed.
SET client_min_messages = warning;
-- Messages name a batch by its number.
SELECT setval(pg_get_serial_sequence('visage.import_batch', 'id'), 100);
\pset null '-'
CREATE ROLE rights_north LOGIN IN ROLE visage_admin, visage_service, visage_capture, visage_auditor, visage_calibrator, visage_search;
CREATE ROLE rights_south LOGIN IN ROLE visage_admin, visage_service, visage_capture, visage_auditor, visage_calibrator, visage_search;
SELECT visage.grant_institution('secretnorth', 'rights_north'), visage.grant_institution('south', 'rights_south');
-- The group roles act for the shipped institution. Where there are several, that is taken back: it is no row to delete.
SELECT r.role, visage.acts_for(1) AS acts FROM visage.institution_role r WHERE r.institution = 1 AND r.role = 'visage_admin'::regrole;
DELETE FROM visage.institution_role WHERE institution = 1 AND role = 'visage_admin'::regrole;
CREATE TEMP TABLE revoked AS
  SELECT i.name, r.role FROM visage.institution_role r JOIN visage.institution i ON i.id = r.institution WHERE r.enabled AND r.role::text ~ '^visage_';
SELECT count(*) FILTER (WHERE name = 'default') AS shipped, bool_and(visage.revoke_institution(name, role)) AS revoked FROM revoked;
SELECT visage.revoke_institution('default', 'visage_admin');
-- A superuser acts for all the same, or its lists and reports would be short of one without a word.
SELECT visage.acts_for(1) AS acts, visage.acts_for_all() AS all, visage.acting_institution() AS acting;
SET ROLE visage_admin;
SELECT visage.acts_for(1) AS acts, visage.acts_for_all() AS all;
RESET ROLE;

SELECT id AS north FROM visage.institution WHERE name = 'secretnorth' \gset
SELECT id AS south FROM visage.institution WHERE name = 'south' \gset
\getenv sources PG_ABS_SRCDIR
\set tool :sources '/sql/lib/evidence.sh'
\set keys `mktemp -d`
\set made `bash :'tool' make :'keys' && echo made`
\set public `bash :'tool' show :'keys' sms.pub`
\set root `bash :'tool' show :'keys' root.pem`
\set list `bash :'tool' show :'keys' root.crl`
CREATE FUNCTION pg_temp.sample(place text, person text, i int, nonce bytea DEFAULT NULL) RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe(fixture.feature(person, i), 'test/1', 0.9, place || '-source', '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}', session_nonce => nonce) $$;
GRANT USAGE ON SCHEMA fixture TO PUBLIC;

-- Policy by each one's own administrator, of every kind.
CREATE FUNCTION pg_temp.settle_in(place text, own int, public text, root text, list text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO visage.channel (institution, name) VALUES (own, 'default'), (own, place || '-channel');
  INSERT INTO visage.channel_floor (institution, channel, measure, minimum) VALUES (own, 'default', 'ImageWidth', 320);
  INSERT INTO visage.scenario (institution, name) VALUES (own, 'default'), (own, place || '-scenario');
  INSERT INTO visage.attempt_limit (institution, kind, with_liveness, period_failures, period) VALUES (own, 'device', true, 500, '1 day'), (own, 'subject', false, 50, '1 day');
  INSERT INTO visage.audit_policy VALUES (own, '1 day');
  INSERT INTO visage.session_policy (institution, lifetime) VALUES (own, '20 minutes');
  INSERT INTO visage.requirement (institution, operation, factors) VALUES (own, 'verify', 1);
  INSERT INTO visage.factor_policy (institution, password_cost) VALUES (own, 8);
  INSERT INTO visage.otp_service (institution, name, public_key) VALUES (own, place || '-otp', public);
  INSERT INTO visage.trust_anchor (institution, name, certificate) VALUES (own, place || '-root', root);
  INSERT INTO visage.revocation_list (institution, name, list) VALUES (own, place || '-list', list);
  INSERT INTO visage.entitlement (institution, basis) VALUES (own, place || ' licence');
  INSERT INTO visage.notice (institution, name, purposes, manner, scope, storage, text) VALUES (own, place || ' notice', ARRAY['default'], '', '', '', place);
  INSERT INTO visage.consent_rule (institution, required) VALUES (own, false);
  INSERT INTO visage.retention (institution, since, keep) VALUES (own, 'registration', '90 years');
  INSERT INTO visage.risk_rule (institution, name, signal, action, at_least, period) VALUES (own, place || ' rule', 'failures', 'allow', 3, '1 day');
  INSERT INTO visage.duplicate_policy (institution, action) VALUES (own, 'flag');
  INSERT INTO visage.identify_policy (institution) VALUES (own);
  INSERT INTO visage.gallery_policy (institution, epoch_lifetime) VALUES (own, '1 year');
  INSERT INTO visage.reference_lifetime (institution, renew_after) VALUES (own, '1 microsecond');
  INSERT INTO visage.adaptation_policy (institution, channel, adapt) VALUES (own, place || '-channel', true);
  INSERT INTO visage.authority (institution, name) VALUES (own, place || '-authority');
  INSERT INTO visage.authority_rule (institution, scenario, keep_photo) VALUES (own, place || '-scenario', true);
  INSERT INTO visage.deny_list (institution, kind, place, why) VALUES (own, 'place', place || '-place', place);
END
$$;
CREATE FUNCTION pg_temp.live_in(place text) RETURNS TABLE (step text, result text) LANGUAGE plpgsql AS $$
DECLARE
  one text := place || '-1';
  opened record;
  circumstances jsonb := jsonb_build_object('device', place || '-device', 'address', '192.0.2.1', 'biz_id', place || '-biz');
BEGIN
  PERFORM visage.add_capture_source(place || '-source');
  PERFORM visage.open_gallery('test/1', 128);
  PERFORM visage.give_consent(one, n.name, n.digest, n.purposes, false) FROM visage.notice n;
  RETURN QUERY SELECT 'register', fixture.verdict(visage.register(one, pg_temp.sample(place, 'rights-1', 1), context => circumstances));
  RETURN QUERY SELECT 'verify', fixture.verdict(visage.verify(one, pg_temp.sample(place, 'rights-1', 2), context => circumstances));
  RETURN QUERY SELECT 'verify', fixture.verdict(visage.verify(one, pg_temp.sample(place, 'rights-2', 2), context => circumstances - 'biz_id'));
  RETURN QUERY SELECT 'factor', fixture.verdict(visage.enrol_factor(one, 'password', 'correct horse battery'));
  RETURN QUERY SELECT 'factor', fixture.verdict(visage.enrol_factor(one, 'totp', 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'));
  RETURN QUERY SELECT 'register', fixture.verdict(visage.register(place || '-2', pg_temp.sample(place, 'rights-2', 1)));
  RETURN QUERY SELECT 'cancel', fixture.verdict(visage.cancel(place || '-2'));
  RETURN QUERY SELECT 'duplicate', fixture.verdict(visage.register(place || '-3', pg_temp.sample(place, 'rights-1', 3)));
  RETURN QUERY SELECT 'allowance', visage.allow_duplicate(place || '-4', 'tested');
  PERFORM visage.revert_adaptation(one, 'tested');
  PERFORM visage.revoke(place || '-3', 'tested');
  PERFORM visage.open_session(one, 'verify');
  SELECT * INTO opened FROM visage.open_session(NULL, 'identify');
  RETURN QUERY SELECT 'identify', i.decision || ' ' || i.reason
    FROM visage.identify(pg_temp.sample(place, 'rights-1', 6, opened.nonce), context => jsonb_build_object('session', opened.session)) i;
  PERFORM visage.record_authority_check(one, place || '-authority', true, '{name}', reference => place, fields_digest => sha256('x'),
    comparison => (visage.compare(pg_temp.sample(place, 'rights-1', 7), pg_temp.sample(place, 'rights-1', 8))).transaction_id);
  SELECT * INTO opened FROM visage.open_import(place || ' import');
  INSERT INTO visage.import_staging (batch, subject, probe) SELECT opened.batch, place || '-5', pg_temp.sample(place, 'rights-5', 1, opened.nonce) FROM generate_series(1, 2);
  RETURN QUERY SELECT 'import', concat_ws(' ', imported, refused) FROM visage.import_part(opened.batch, 1, 0);
  RETURN QUERY SELECT 'import', concat_ws(' ', imported, refused) FROM visage.import_part(opened.batch, 1, 0);
  INSERT INTO visage.import_staging (batch, subject, probe) SELECT opened.batch, place || '-6', pg_temp.sample(place, 'rights-6', 1, opened.nonce);
END
$$;
SET ROLE rights_north;
SELECT pg_temp.settle_in('secretnorth', :north, :'public', :'root', :'list');
SET visage.institution = 'secretnorth';
SELECT * FROM pg_temp.live_in('secretnorth');
SET ROLE rights_south;
SELECT pg_temp.settle_in('south', :south, :'public', :'root', :'list');
SET visage.institution = 'south';
SELECT * FROM pg_temp.live_in('south');
RESET ROLE;
DO $$ BEGIN FOR i IN 1 .. 6000 LOOP EXIT WHEN NOT EXISTS (SELECT FROM visage.history WHERE settled = 'open'); PERFORM pg_sleep(0.05); END LOOP; END $$;

-- What would betray the north: names that only it uses, and every id, hash and digest of it.
CREATE TEMP TABLE mark AS
  SELECT 'secretnorth' AS mark, true AS named
  UNION SELECT m, false FROM (
    SELECT id::text FROM visage.subject WHERE institution = :north
    UNION SELECT r.id::text FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.institution = :north
    UNION SELECT f.id::text FROM visage.factor f JOIN visage.subject s ON s.id = f.subject WHERE s.institution = :north
    UNION SELECT encode(salt, 'hex') FROM visage.gallery WHERE institution = :north
    UNION SELECT id::text FROM visage.session WHERE institution = :north
    UNION SELECT id::text FROM visage.consent WHERE institution = :north
    UNION SELECT id::text FROM visage.authority_record WHERE institution = :north
    UNION SELECT encode(nonce, 'hex') FROM visage.import_batch WHERE institution = :north
    UNION SELECT probe_id::text FROM visage.import_row WHERE institution = :north
    UNION SELECT id::text FROM visage.duplicate_finding WHERE institution = :north
    UNION SELECT id::text FROM visage.duplicate_allowance WHERE institution = :north
    UNION SELECT id::text FROM visage.capture_source WHERE institution = :north
    UNION SELECT transaction_id::text FROM visage.event WHERE institution = :north
    UNION SELECT encode(u, 'hex') FROM visage.event e, unnest(ARRAY[e.device, e.address, e.after]) u WHERE institution = :north AND u IS NOT NULL
    UNION SELECT encode(hash, 'hex') FROM visage.erasure WHERE institution = :north
    UNION SELECT encode(key, 'hex') FROM visage.attempt WHERE institution = :north
    UNION SELECT encode(digest, 'hex') FROM visage.notice WHERE institution = :north) t (m);
SELECT count(*) > 25 AS marks FROM mark;
CREATE TEMP TABLE known AS
  SELECT (SELECT session::text FROM visage.sessions WHERE institution = 'secretnorth' AND purpose = 'verify') AS session,
         (SELECT session FROM visage.sessions WHERE institution = 'secretnorth' AND purpose = 'identify') AS searched,
         (SELECT r.id FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.institution = :north AND s.external_id = 'secretnorth-1') AS reference,
         (SELECT r.reference FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.institution = :north AND s.external_id = 'secretnorth-1') AS sealed,
         (SELECT s.id::text FROM visage.subject s WHERE s.institution = :north AND s.external_id = 'secretnorth-1') AS surrogate,
         (SELECT seq FROM visage.event WHERE institution = :north AND operation = 'register' ORDER BY seq LIMIT 1) AS event,
         (SELECT transaction_id FROM visage.event WHERE institution = :north AND operation = 'register' ORDER BY seq LIMIT 1) AS transaction_id,
         (SELECT digest FROM visage.notice WHERE institution = :north) AS notice, (SELECT id FROM visage.duplicate_finding WHERE institution = :north) AS finding,
         (SELECT id FROM visage.authority_record WHERE institution = :north AND batch IS NULL) AS record, (SELECT id FROM visage.import_batch WHERE institution = :north) AS batch, NULL::visage.probe AS probe;
SET visage.institution = 'secretnorth';
UPDATE known SET probe = pg_temp.sample('secretnorth', 'rights-1', 5);
GRANT SELECT ON mark, known TO PUBLIC;

CREATE TEMP TABLE before AS SELECT NULL::text AS name, NULL::text AS rows WHERE false;
CREATE FUNCTION pg_temp.rows_of(institution int) RETURNS TABLE (name text, rows text) LANGUAGE plpgsql AS $$
BEGIN
  FOR name IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'visage'::regnamespace AND c.relkind = 'r'
    AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('institution', 'subject') AND a.attnum > 0) LOOP
    EXECUTE format('SELECT count(*) || '' '' || md5(string_agg(t::text, E''\n'' ORDER BY t::text)) FROM visage.%I t WHERE %s', name,
      CASE WHEN EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = ('visage.' || name)::regclass AND a.attname = 'institution')
        THEN format('institution = %s', institution)
        ELSE format('subject IN (SELECT id FROM visage.subject WHERE institution = %s)', institution) END) INTO rows;
    RETURN NEXT;
  END LOOP;
END
$$;
INSERT INTO before SELECT * FROM pg_temp.rows_of(:north);
-- It has something of everything, or the rest would prove nothing.
SELECT name AS empty FROM before WHERE rows IS NULL ORDER BY 1;

CREATE FUNCTION pg_temp.attempt(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  shown text;
BEGIN
  EXECUTE format('SELECT string_agg(t::text, E''\n'') FROM (%s) t', call) INTO shown;
  IF EXISTS (SELECT FROM mark WHERE position(mark IN shown) > 0) THEN
    RETURN 'SHOWS ' || shown;
  END IF;
  RETURN CASE WHEN shown ~ '^\("?(accept|reject|refuse)' THEN btrim(shown, '()"') WHEN shown IS NULL OR shown = '()' THEN 'nothing' ELSE 'own' END;
EXCEPTION WHEN OTHERS THEN
  -- An error may repeat a name that it was given.
  IF EXISTS (SELECT FROM mark WHERE NOT named AND position(mark IN SQLERRM) > 0) THEN
    RETURN 'SHOWS ' || SQLERRM;
  END IF;
  RETURN SQLSTATE;
END
$$;

CREATE TEMP TABLE call (function regprocedure, call text);
-- A probe of the south's own, of the very face that the north has.
INSERT INTO call
  SELECT ('visage.' || split_part(f, ' ', 1))::regproc::regprocedure, replace(substr(f, length(split_part(f, ' ', 1)) + 2), '@probe', $$pg_temp.sample('south', 'rights-1', 9)$$)
  FROM unnest(ARRAY[
    'acts_for SELECT visage.acts_for(i) FROM generate_series(1, 1000) i WHERE visage.acts_for(i) AND i <> (SELECT id FROM visage.institution)',
    'acts_for_all SELECT true WHERE visage.acts_for_all()',
    'institutions_of_caller SELECT visage.institutions_of_caller() EXCEPT SELECT ARRAY[id] FROM visage.institution',
    'add_capture_source SELECT visage.add_capture_source(''south-other'')',
    'disable_capture_source SELECT true WHERE visage.disable_capture_source(''secretnorth-source'')',
    'seal_probe SELECT visage.seal_probe(fixture.feature(''rights-1'', 9), ''test/1'', 0.9, ''secretnorth-other'')',
    'register SELECT fixture.verdict(visage.register(''secretnorth-1'', (SELECT probe FROM known)))',
    'verify SELECT fixture.verdict(visage.verify(''secretnorth-1'', @probe))',
    'verify SELECT fixture.verdict(visage.verify(''secretnorth-1'', (SELECT probe FROM known)))',
    'verify SELECT fixture.verdict(visage.verify(''south-1'', (SELECT probe FROM known)))',
    'verify SELECT fixture.verdict(visage.verify(''south-1'', @probe, ''secretnorth-channel''))',
    'verify SELECT fixture.verdict(visage.verify(''south-1'', @probe, ''default'', ''secretnorth-scenario''))',
    'verify SELECT fixture.verdict(visage.verify(''south-1'', @probe, context => jsonb_build_object(''session'', (SELECT session FROM known))))',
    'verify SELECT fixture.verdict(visage.verify(''secretnorth-1'', @probe, context => ''{"biz_id": "secretnorth-biz", "device": "secretnorth-device"}''))',
    'identify SELECT i.decision, i.reason, regexp_replace(i.subject, ''^south-.*'', ''ours'') FROM visage.identify(@probe) i',
    'identify SELECT i.decision, i.reason, regexp_replace(i.subject, ''^south-.*'', ''ours'') FROM visage.identify((SELECT probe FROM known)) i',
    'session_candidates SELECT c.* FROM known, visage.session_candidates(searched) c',
    'find_duplicates SELECT d.* FROM visage.find_duplicates(''test/1'') d',
    'duplicate_progress SELECT * FROM visage.duplicate_progress()',
    'compare SELECT fixture.verdict(visage.compare(@probe, (SELECT probe FROM known)))',
    'register_with_document SELECT fixture.verdict(visage.register_with_document(''secretnorth-1'', (SELECT probe FROM known), @probe))',
    'register_with_document SELECT fixture.verdict(visage.register_with_document(''south-9'', @probe, (SELECT probe FROM known)))',
    'compare SELECT fixture.verdict(visage.compare((SELECT probe FROM known), @probe))',
    'add_reference SELECT fixture.verdict(visage.add_reference(''secretnorth-1'', @probe))',
    'drop_reference SELECT fixture.verdict(visage.drop_reference(''secretnorth-1'', (SELECT reference FROM known)))',
    'drop_reference SELECT fixture.verdict(visage.drop_reference(''south-1'', (SELECT reference FROM known)))',
    'replace_reference SELECT fixture.verdict(visage.replace_reference(''secretnorth-1'', @probe))',
    'replace_reference SELECT fixture.verdict(visage.replace_reference(''south-1'', @probe, reference => (SELECT reference FROM known)))',
    'revert_adaptation SELECT true WHERE visage.revert_adaptation(''secretnorth-1'', ''none of ours'')',
    'revoke SELECT true WHERE visage.revoke(''secretnorth-1'', ''none of ours'')',
    'cancel SELECT fixture.verdict(visage.cancel(''secretnorth-1''))',
    'list_references SELECT * FROM visage.list_references(''secretnorth-1'')',
    'references_for_calibration SELECT * FROM visage.references_for_calibration()',
    'score SELECT visage.score(sealed, @probe) FROM known',
    'score SELECT visage.score(sealed, probe) FROM known',
    'score_candidates SELECT score FROM visage.score_candidates(@probe) WHERE score > 0.5',
    'score_candidates SELECT c.score FROM known, visage.score_candidates(known.probe) c WHERE c.score > 0.5',
    'measure_accuracy SELECT * FROM visage.measure_accuracy(''known'', subject_column => ''surrogate'')',
    'open_session SELECT s.session <> gen_random_uuid() FROM visage.open_session(''secretnorth-1'', ''verify'') s',
    'claim_session SELECT c.claimed, c.purpose, c.nonce FROM known, visage.claim_session(known.session::uuid, ''default'') c',
    'open_capture_page SELECT true FROM known WHERE visage.open_capture_page(session::uuid)',
    'require_document SELECT true FROM known WHERE visage.require_document(session::uuid)',
    'capture_demands SELECT d.challenge FROM known, visage.capture_demands(session::uuid) d',
    'close_session SELECT true FROM known WHERE visage.close_session(session::uuid)',
    'present_factor SELECT fixture.verdict(visage.present_factor(session::uuid, ''password'', ''correct horse battery'')) FROM known',
    'enrol_factor SELECT fixture.verdict(visage.enrol_factor(''secretnorth-1'', ''password'', ''correct horse battery''))',
    'replace_factor SELECT fixture.verdict(visage.replace_factor(''secretnorth-1'', ''password'', ''wrong horse battery''))',
    'remove_factor SELECT fixture.verdict(visage.remove_factor(''secretnorth-1'', ''password''))',
    'list_factors SELECT * FROM visage.list_factors(''secretnorth-1'')',
    'unlock SELECT true WHERE visage.unlock(''secretnorth-1'', ''none of ours'')',
    'unlock_with_factors SELECT fixture.verdict(visage.unlock_with_factors(''secretnorth-1'', context => jsonb_build_object(''session'', (SELECT session FROM known))))',
    'give_consent SELECT * FROM visage.give_consent(''secretnorth-1'', ''secretnorth notice'', (SELECT notice FROM known), ARRAY[''default''], false)',
    'withdraw_consent SELECT true WHERE visage.withdraw_consent(''secretnorth-1'') > 0',
    'list_consents SELECT * FROM visage.list_consents(''secretnorth-1'')',
    'read_notice SELECT * FROM visage.read_notice(''secretnorth notice'')',
    'export_subject SELECT visage.export_subject(''secretnorth-3'')',
    -- Of whom the south itself has asked: its own calls, under the name that it gives.
    'export_subject SELECT replace(visage.export_subject(''secretnorth-1'')::text, ''secretnorth-1'', '''')',
    'review_duplicate SELECT visage.review_duplicate(finding, ''same_person'', ''none of ours'') FROM known',
    'allow_duplicate SELECT visage.allow_duplicate(''south-9'', ''ours'')',
    'close_gallery SELECT visage.close_gallery(''test/1'') > 0',
    'open_gallery SELECT visage.open_gallery(''test/1'', 128)',
    'record_authority_check SELECT true WHERE visage.record_authority_check(''secretnorth-1'', ''secretnorth-authority'', true, ''{name}'') IS NOT NULL',
    'record_authority_check SELECT true FROM known WHERE visage.record_authority_check(''south-1'', ''south-authority'', true, ''{name}'', transaction_id) IS NOT NULL',
    'vouched_fields_match SELECT true FROM known WHERE visage.vouched_fields_match(record, sha256(''x''))',
    'list_authority_checks SELECT * FROM visage.list_authority_checks(''secretnorth-1'')',
    'add_authority_reference SELECT fixture.verdict(visage.add_authority_reference(''secretnorth-1'', @probe, scenario => ''south-scenario''))',
    'add_authority_reference SELECT fixture.verdict(visage.add_authority_reference(''south-1'', @probe, scenario => ''secretnorth-scenario''))',
    'open_import SELECT o.batch > 0 FROM visage.open_import(''ours'') o',
    'open_import SELECT o.batch > 0 FROM visage.open_import(''ours'', authority => ''secretnorth-authority'') o',
    'import_part SELECT p.* FROM known, visage.import_part(known.batch, 1, 0) p',
    'import_references SELECT 1',
    'import_errors SELECT e.* FROM known, visage.import_errors(known.batch) e',
    'close_import SELECT c.* FROM known, visage.close_import(known.batch) c',
    'assess SELECT * FROM visage.assess(''secretnorth-1'', context => ''{"place": "secretnorth-place"}'')',
    'explain_decision SELECT x.* FROM known, visage.explain_decision(known.transaction_id) x',
    'simulate SELECT * FROM visage.simulate(''{"deny": [{"kind": "place", "place": "x"}]}'')',
    'simulate SELECT * FROM visage.simulate(''{"drop_rules": ["secretnorth rule"]}'')',
    'history_of SELECT * FROM visage.history_of(''secretnorth-1'')',
    'history_of SELECT h.* FROM known, visage.history_of(known.surrogate) h',
    'report_daily SELECT * FROM visage.report_daily()',
    'report_channel SELECT * FROM visage.report_channel()',
    'report_reason SELECT * FROM visage.report_reason()',
    'report_latency SELECT * FROM visage.report_latency()',
    'report_subject_failures SELECT * FROM visage.report_subject_failures()',
    'report_html SELECT visage.report_html()',
    'leaf SELECT visage.leaf(event) FROM known WHERE visage.leaf(event) IS NOT NULL',
    'erasure_list SELECT * FROM visage.erasure_list()',
    'grant_institution SELECT visage.grant_institution(''secretnorth'', ''rights_south'')',
    'grant_institution SELECT visage.grant_institution(''default'', ''rights_south'')',
    'grant_institution SELECT visage.grant_institution(''a third'', ''rights_south'')',
    'revoke_institution SELECT visage.revoke_institution(''secretnorth'', ''rights_north'')',
    'revoke_institution SELECT visage.revoke_institution(''not there'', ''rights_north'')',
    -- What concerns everybody.
    'reload_keys SELECT visage.reload_keys()',
    'rotate_ledger_key SELECT visage.rotate_ledger_key()',
    'archive_ledger SELECT * FROM visage.archive_ledger(''infinity'')',
    'keep_house SELECT * FROM visage.keep_house(true)',
    'after_restore SELECT * FROM visage.after_restore()',
    'list_archived_erasures SELECT visage.list_archived_erasures(''{}'')',
    'integrity SELECT * FROM visage.integrity()',
    -- The ledger is one for all: numbers, hashes and signatures, and no contents.
    'audit_status SELECT * FROM visage.audit_status()',
    'keeper SELECT * FROM visage.keeper()',
    'gallery_worker SELECT state FROM visage.gallery_worker()',
    'own_galleries_in_memory SELECT * FROM visage.own_galleries_in_memory()',
    'gallery_recall SELECT * FROM visage.gallery_recall(10)',
    'own_gallery_indexes SELECT * FROM visage.own_gallery_indexes()',
    'loaded_keys SELECT * FROM visage.loaded_keys()',
    'ledger_progress SELECT * FROM visage.ledger_progress()',
    'checkpoint SELECT visage.checkpoint()',
    'ledger_public_key SELECT visage.ledger_public_key()',
    'inclusion_proof SELECT visage.inclusion_proof(event) FROM known',
    'consistency_proof SELECT visage.consistency_proof(2)',
    'verify_ledger SELECT * FROM visage.verify_ledger()',
    'record_rights SELECT true WHERE visage.record_rights() IS NULL',
    -- They read nothing but their arguments and the caller's own temporary table.
    'check_public_key SELECT 1', 'check_revocation_list SELECT 1', 'check_trust_anchor SELECT 1', 'notice_digest SELECT 1', 'read_leaf SELECT 1', 'capture_report SELECT 1',
    'clustered_interval SELECT 1']) f;
GRANT SELECT ON call TO PUBLIC;
-- Nothing that may be called is left out. Input and output of types are open to everybody and keep to their arguments.
SELECT p.oid::regprocedure AS not_called FROM pg_proc p
WHERE p.pronamespace = 'visage'::regnamespace AND has_function_privilege('rights_south', p.oid, 'EXECUTE')
  AND p.proname !~ '^(probe|reference)_(in|out|recv|send|info)$' AND p.oid NOT IN (SELECT function FROM call) ORDER BY 1;
SET ROLE rights_south;
SELECT set_config('visage.institution', i, false) FROM (VALUES ('south')) v (i) \gset
CREATE TEMP TABLE result AS SELECT c.ctid AS place, c.function, pg_temp.attempt(c.call) AS in_south FROM call c;
-- The same, naming the north as its own.
SET visage.institution = 'secretnorth';
SELECT r.function, r.in_south, pg_temp.attempt(c.call) AS in_north FROM result r JOIN call c ON c.ctid = r.place ORDER BY r.place;
SET visage.institution = 'south';

-- The procedure, and rows for it.
SELECT batch AS north_batch FROM known \gset
CALL visage.import_references(:north_batch);
INSERT INTO visage.import_staging (batch, subject, probe) SELECT :north_batch, 'south-1', probe FROM known;

-- Relations: what is granted, and then everything, as if somebody had granted it all by mistake.
CREATE FUNCTION pg_temp.look() RETURNS TABLE (relation regclass, shows boolean) LANGUAGE plpgsql AS $$
DECLARE
  found text;
BEGIN
  FOR relation IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = 'visage'::regnamespace AND c.relkind IN ('r', 'v')
    AND has_table_privilege(c.oid, 'SELECT') ORDER BY c.relname LOOP
    -- Events repeat what a caller handed in: session, reference, biz_id and device that it named, the source that a probe names.
    EXECUTE format('SELECT string_agg((to_jsonb(t) - %L::text[])::text, E''\n'') FROM %s t',
                   CASE relation::text WHEN 'visage.history' THEN '{session,reference,biz_id}'
                                       WHEN 'visage.event' THEN '{session,reference,biz_id,source}'
                                       WHEN 'visage.event_detail' THEN '{device}' ELSE '{}' END, relation) INTO found;
    shows := EXISTS (SELECT FROM mark WHERE position(mark IN found) > 0);
    RETURN NEXT;
  END LOOP;
END
$$;
SELECT count(*) > 30 AS looked, array_agg(relation) FILTER (WHERE shows) AS shows FROM pg_temp.look();
SELECT array_agg(DISTINCT institution) AS history_of FROM visage.history;
RESET ROLE;
BEGIN;
GRANT ALL ON ALL TABLES IN SCHEMA visage TO rights_south;
GRANT EXECUTE ON FUNCTION visage.acts_for_subject(uuid) TO rights_south;
SET LOCAL ROLE rights_south;
-- The list of erasures is loaded by COPY, and so has no row security; that a role reads it is not by accident.
SELECT count(*) > 40 AS looked, array_agg(relation) FILTER (WHERE shows) AS shows FROM pg_temp.look();
ROLLBACK;
-- An owner that is no superuser is bound as well, which functions of such an owner are.
SELECT c.relname AS not_forced FROM pg_class c WHERE c.relnamespace = 'visage'::regnamespace AND c.relrowsecurity AND NOT c.relforcerowsecurity ORDER BY 1;
BEGIN;
GRANT CREATE ON SCHEMA visage TO rights_south;
ALTER TABLE visage.deny_list OWNER TO rights_south;
SET LOCAL ROLE rights_south;
SELECT array_agg(DISTINCT institution = :south) AS own FROM visage.deny_list;
ROLLBACK;

-- Writing: each table that an institution's people may write, with a row of the north.
CREATE TEMP TABLE row_of_north (name text, content jsonb);
DO $$
DECLARE
  name text;
BEGIN
  FOR name IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'visage'::regnamespace AND c.relkind = 'r' AND has_table_privilege('rights_south', c.oid, 'INSERT') LOOP
    EXECUTE format('INSERT INTO row_of_north SELECT %1$L, to_jsonb(t) FROM visage.%1$I t WHERE institution = (SELECT id FROM visage.institution WHERE name = ''secretnorth'') LIMIT 1', name);
  END LOOP;
  -- It has no calibration of its own.
  INSERT INTO row_of_north SELECT 'calibration', to_jsonb(c) || jsonb_build_object('id', 900000, 'institution', i.id)
    FROM (SELECT * FROM visage.calibration LIMIT 1) c, visage.institution i WHERE i.name = 'secretnorth';
  INSERT INTO row_of_north SELECT 'calibration', to_jsonb(c) || '{"id": 900001, "institution": null}' FROM (SELECT * FROM visage.calibration LIMIT 1) c;
END
$$;
GRANT SELECT ON row_of_north TO PUBLIC;
SELECT c.relname AS not_written FROM pg_class c
WHERE c.relnamespace = 'visage'::regnamespace AND c.relkind = 'r' AND has_table_privilege('rights_south', c.oid, 'INSERT, UPDATE, DELETE')
  AND c.relname NOT IN (SELECT name FROM row_of_north);
CREATE FUNCTION pg_temp.write(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  touched bigint;
BEGIN
  EXECUTE statement;
  GET DIAGNOSTICS touched = ROW_COUNT;
  RETURN touched || ' rows';
EXCEPTION WHEN OTHERS THEN
  RETURN CASE WHEN SQLSTATE = '42501' AND SQLERRM ~ '^permission denied for table' THEN 'not granted' ELSE SQLSTATE END;
END
$$;
SET ROLE rights_south;
SELECT name, pg_temp.write(format('INSERT INTO visage.%1$I SELECT * FROM jsonb_populate_record(NULL::visage.%1$I, %2$L)', name, content)) AS insert,
       pg_temp.write(format('UPDATE visage.%I SET institution = institution WHERE institution IS DISTINCT FROM %s', name, :south)) AS update,
       pg_temp.write(format('UPDATE visage.%I SET institution = %s', name, :north)) AS give_away,
       pg_temp.write(format('DELETE FROM visage.%I WHERE institution IS DISTINCT FROM %s', name, :south)) AS delete
FROM row_of_north ORDER BY name, content ->> 'institution';
-- A list of erasures may be loaded, one's own.
SELECT pg_temp.write(format('INSERT INTO visage.erasure (kind, institution, key_version, hash) VALUES (''subject'', %s, 1, %L)', :south, '\x000102030405060708090a0b0c0d0e0f')) AS own;
-- Policy is counted by institution: neither the south's changes nor its transactions are felt in the north.
SELECT version AS south_version FROM visage.policy_version WHERE institution = :south \gset
UPDATE visage.channel SET description = 'changed' WHERE institution = :south;
SELECT version - :south_version AS newer FROM visage.policy_version WHERE institution = :south;
RESET ROLE;
-- Nothing of the north is other than it was.
SELECT b.name AS changed, b.rows AS was, n.rows AS is FROM before b FULL JOIN pg_temp.rows_of(:north) n USING (name) WHERE b.rows IS DISTINCT FROM n.rows ORDER BY 1;

-- Nor is a counter in memory: its next failure is its second, whatever the south unlocked.
SET ROLE rights_north;
SET visage.institution = 'secretnorth';
SELECT fixture.verdict(visage.verify('secretnorth-1', pg_temp.sample('secretnorth', 'rights-2', 3)));
SELECT kind, failures_in_period FROM visage.attempts WHERE institution = 'secretnorth' AND kind = 'subject';
RESET ROLE;
SET visage.institution = 'south';

-- What holds where an institution has no row of its own is everybody's.
SELECT version AS north_version FROM visage.policy_version WHERE institution = :north \gset
UPDATE visage.session_policy SET challenge_steps = challenge_steps WHERE institution = 1;
SELECT version - :north_version AS newer FROM visage.policy_version WHERE institution = :north;

-- Whoever acts for all may do what concerns all; who makes an institution acts for it.
CREATE ROLE rights_operator LOGIN IN ROLE visage_admin;
SELECT count(visage.grant_institution(name, 'rights_operator')) > 2 AS granted FROM visage.institution;
SET ROLE rights_operator;
SELECT visage.acts_for_all() AS all;
SELECT count(*) > 5 AS house FROM visage.keep_house(true);
SELECT visage.grant_institution('a third', 'rights_south');
SELECT visage.grant_institution('a third', 'rights_operator'), visage.grant_institution('a third', 'rights_south');
SELECT visage.acts_for_all() AS all, visage.revoke_institution('a third', 'rights_south') AS revoked, visage.revoke_institution('a third', 'rights_south') AS again;
SET ROLE rights_south;
SELECT visage.acts_for((SELECT i.id FROM visage.institution i WHERE i.name = 'a third')) AS acts;
-- Taken back, it is gone for the next call of a session that has the policy in memory. [8.1.4a]
SELECT fixture.verdict(visage.verify('south-1', pg_temp.sample('south', 'rights-1', 20)));
RESET ROLE;
SELECT visage.revoke_institution('south', 'rights_south');
SET ROLE rights_south;
SELECT fixture.verdict(visage.verify('south-1', (SELECT probe FROM known)));
SELECT pg_temp.sample('south', 'rights-1', 21) IS NOT NULL AS sealed;
RESET ROLE;
-- Granted again in a transaction that is taken back, it was never granted.
BEGIN;
SELECT visage.grant_institution('south', 'rights_south');
SET LOCAL ROLE rights_south;
SELECT pg_temp.sample('south', 'rights-1', 21) IS NOT NULL AS sealed;
ROLLBACK;
SET ROLE rights_south;
SELECT pg_temp.sample('south', 'rights-1', 21) IS NOT NULL AS sealed;
RESET ROLE;
SELECT string_agg(h.object, ', ' ORDER BY h.event) AS recorded FROM visage.history h WHERE h.object ~ '^(insert|update) institution' AND h.institution = 'a third';

-- A role that is dropped leaves its number behind, and a dump would give that to whatever role has it elsewhere. [6.5c]
CREATE ROLE rights_gone;
SELECT visage.grant_institution('a third', 'rights_gone');
SELECT count(*) FROM visage.integrity() WHERE object = 'institution a third';
DROP ROLE rights_gone;
SELECT part, object, regexp_replace(fault, '\d+', '#') AS fault FROM visage.integrity() WHERE object = 'institution a third';
DELETE FROM visage.institution_role r WHERE NOT EXISTS (SELECT FROM pg_roles p WHERE p.oid = r.role::oid);

-- A dump brings the policies of the server that it came from, and they go again; a site's own stay.
CREATE POLICY visage_00112233 ON visage.channel USING (true);
CREATE POLICY visage_00112233_fallback ON visage.session_policy FOR SELECT USING (true);
CREATE POLICY site_own ON visage.channel USING (true);
SELECT polname FROM pg_policy WHERE polname ~ '^visage_00112233' OR polname = 'site_own';
DROP POLICY site_own ON visage.channel;
-- As it was for the tests that follow.
SELECT count(*) FILTER (WHERE name = 'default') AS shipped, bool_and(visage.grant_institution(name, role) IS NOT NULL) AS granted FROM revoked;
RESET visage.institution;
DROP OWNED BY rights_north, rights_south, rights_operator;
