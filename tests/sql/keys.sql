-- Keys: what is loaded, what depends on it, never any material.
SELECT custody, version, newest FROM visage.loaded_keys() ORDER BY 1, 2;
BEGIN;
SELECT fixture.verdict(visage.register('keys-1', fixture.probe('keys-1', 1)));
SELECT fixture.verdict(visage.add_reference('keys-1', fixture.probe('keys-1', 2)));
SELECT custody, version, loaded, newest, first_use IS NOT NULL AS used, subject_keys >= 1 AS subject_keys,
       subject_references >= 2 AS subject_references, capture_sources >= 1 AS capture_sources
FROM visage.keys ORDER BY custody, version;
-- A row that depends on a version that is not loaded is shown as such.
UPDATE visage.subject_key SET key_version = 7;
SELECT custody, version, loaded, newest, subject_keys >= 1 AS subject_keys FROM visage.keys WHERE version = 7;
ROLLBACK;
-- The setting is hidden from everyone but superusers and those who may read all settings.
SET ROLE visage_admin;
SHOW visage.key_provider;
RESET ROLE;
-- Nothing new to load.
SELECT visage.reload_keys();
-- Both suites work side by side; a reference says which one sealed it.
SET visage.suite = 'sm4-ctr-hmac-sm3';
SELECT visage.add_capture_source('fixture-sm4') ~ '^visage-source-1:' AS shown;
SELECT fixture.verdict(visage.register('keys-sm4', visage.seal_probe(fixture.feature('keys-sm4', 1), 'test/1', 0.9, 'fixture-sm4',
  '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}')));
SELECT (visage.reference_info(reference)).suite FROM visage.references_for_calibration() WHERE subject = 'keys-sm4';
RESET visage.suite;
SELECT fixture.verdict(visage.verify('keys-sm4', fixture.probe('keys-sm4', 2)));
SELECT fixture.verdict(visage.verify('keys-sm4', fixture.probe('keys-other', 1)));
SELECT (visage.probe_info(visage.seal_probe(fixture.feature('a', 1), 'test/1', 0.9, 'fixture-sm4'))).suite;
SET visage.suite = 'rot13';
