-- Who may what; younger concepts say it in their own files. PUBLIC has nothing; nobody reads subjects, keys, references or events directly.
DO $$
DECLARE
  routine regprocedure;
BEGIN
  FOR routine IN
    SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.pronamespace = 'visage'::pg_catalog.regnamespace
  LOOP
    EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', routine);
  END LOOP;
END
$$;
-- Types are opaque to everyone who may see the schema.
GRANT EXECUTE ON FUNCTION
  visage.probe_in(cstring), visage.probe_out(visage.probe), visage.probe_recv(internal), visage.probe_send(visage.probe),
  visage.probe_info(visage.probe), visage.reference_in(cstring), visage.reference_out(visage.reference),
  visage.reference_recv(internal), visage.reference_send(visage.reference), visage.reference_info(visage.reference)
  TO PUBLIC;
REVOKE ALL ON TYPE visage.probe, visage.reference, visage.outcome, visage.operation, visage.decision, visage.reason,
  visage.attempt_kind FROM PUBLIC;
GRANT USAGE ON TYPE visage.probe, visage.reference, visage.outcome, visage.operation, visage.decision, visage.reason,
  visage.attempt_kind TO visage_admin, visage_service, visage_capture, visage_auditor, visage_calibrator;
GRANT USAGE ON TYPE visage.probe, visage.decision, visage.reason TO visage_search;
GRANT SELECT ON visage.measure, visage.channel, visage.channel_floor, visage.scenario, visage.calibration,
  visage.attempt_limit TO visage_admin, visage_service, visage_capture, visage_auditor, visage_calibrator;
GRANT INSERT, UPDATE, DELETE ON visage.channel, visage.channel_floor, visage.scenario, visage.attempt_limit TO visage_admin;
GRANT INSERT, UPDATE, DELETE ON visage.calibration TO visage_calibrator;
GRANT SELECT ON visage.institution, visage.institution_role, visage.policy_version TO visage_admin, visage_auditor;
GRANT SELECT ON visage.capture_source TO visage_admin, visage_auditor;
GRANT EXECUTE ON FUNCTION visage.acts_for(integer)
  TO visage_admin, visage_service, visage_capture, visage_auditor, visage_calibrator;
GRANT EXECUTE ON FUNCTION visage.add_capture_source(text), visage.disable_capture_source(text),
  visage.grant_institution(text, regrole), visage.reload_keys(), visage.unlock(text, text) TO visage_admin;
GRANT SELECT ON visage.keys TO visage_admin, visage_auditor;
GRANT EXECUTE ON FUNCTION visage.loaded_keys() TO visage_admin, visage_auditor;
GRANT EXECUTE ON FUNCTION
  visage.register(text, visage.probe, text, text, jsonb), visage.verify(text, visage.probe, text, text, jsonb),
  visage.compare(visage.probe, visage.probe, text, text, jsonb),
  visage.add_reference(text, visage.probe, text, text, jsonb), visage.drop_reference(text, uuid, text, text, jsonb),
  visage.cancel(text, text, text, jsonb), visage.list_references(text) TO visage_service;
GRANT EXECUTE ON FUNCTION
  visage.seal_probe(real[], text, real, text, jsonb, bytea, bytea, timestamptz, interval) TO visage_capture;
GRANT SELECT ON visage.history TO visage_auditor;
GRANT EXECUTE ON FUNCTION visage.rotate_ledger_key(), visage.archive_ledger(timestamptz) TO visage_admin;
GRANT SELECT ON visage.audit_status TO visage_admin, visage_auditor;
GRANT SELECT, INSERT, UPDATE, DELETE ON visage.audit_policy TO visage_admin;
GRANT SELECT ON visage.audit_policy, visage.tree, visage.tree_key TO visage_auditor;
GRANT EXECUTE ON FUNCTION visage.audit_status(), visage.ledger_progress() TO visage_admin, visage_auditor;
GRANT EXECUTE ON FUNCTION visage.checkpoint(), visage.ledger_public_key(), visage.inclusion_proof(bigint, bigint),
  visage.consistency_proof(bigint, bigint), visage.leaf(bigint), visage.verify_ledger(bigint, bigint, text)
  TO visage_auditor;
GRANT SELECT ON visage.attempts TO visage_admin, visage_auditor;
-- What names or follows one subject is for auditors alone; who sets the policy may see what comes of it.
GRANT EXECUTE ON FUNCTION visage.history_of(text), visage.report_html(timestamptz, timestamptz),
  visage.report_subject_failures(timestamptz, timestamptz, visage.operation, integer) TO visage_auditor;
GRANT EXECUTE ON FUNCTION
  visage.report_daily(timestamptz, timestamptz, visage.operation),
  visage.report_channel(timestamptz, timestamptz, visage.operation),
  visage.report_reason(timestamptz, timestamptz, visage.operation),
  visage.report_latency(timestamptz, timestamptz) TO visage_admin, visage_auditor;
GRANT EXECUTE ON FUNCTION visage.score(visage.reference, visage.probe), visage.references_for_calibration(),
  visage.measure_accuracy(regclass, double precision[], name, name), visage.clustered_interval(boolean, double precision)
  TO visage_calibrator;
GRANT SELECT ON visage.calibration_history TO visage_admin, visage_auditor, visage_calibrator;

-- Consent, retention, restore.
-- What pg_dump carries: everything but the rows that ship with the extension.
SELECT pg_catalog.pg_extension_config_dump('visage.institution', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('visage.institution_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('visage.institution_role', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('visage.policy_version', '');
SELECT pg_catalog.pg_extension_config_dump('visage.channel', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('visage.channel_floor', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('visage.scenario', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('visage.calibration', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('visage.calibration_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('visage.calibration_history', '');
SELECT pg_catalog.pg_extension_config_dump('visage.capture_source', '');
SELECT pg_catalog.pg_extension_config_dump('visage.subject', '');
SELECT pg_catalog.pg_extension_config_dump('visage.subject_key', '');
SELECT pg_catalog.pg_extension_config_dump('visage.subject_reference', '');
SELECT pg_catalog.pg_extension_config_dump('visage.attempt_limit', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('visage.attempt', '');
SELECT pg_catalog.pg_extension_config_dump('visage.event', '');
SELECT pg_catalog.pg_extension_config_dump('visage.event_detail', '');
SELECT pg_catalog.pg_extension_config_dump('visage.audit_policy', '');
SELECT pg_catalog.pg_extension_config_dump('visage.tree', '');
SELECT pg_catalog.pg_extension_config_dump('visage.tree_key', '');
SELECT pg_catalog.pg_extension_config_dump('visage.tree_node', '');
