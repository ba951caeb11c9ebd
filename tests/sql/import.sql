-- Bulk load: staged rows, what becomes of each, and that no probe serves twice. [6.2e]
SET timezone = 'UTC';
\set VERBOSITY terse
CREATE ROLE import_service IN ROLE visage_service;
CREATE ROLE import_admin IN ROLE visage_admin;
SELECT visage.grant_institution('import', r::regrole) FROM unnest(ARRAY[current_user, 'import_service', 'import_admin', 'visage_auditor']) r;
INSERT INTO visage.channel (institution, name, target_fmr, session_required) SELECT id, 'registry', 1e-5, true FROM visage.institution WHERE name = 'import';
INSERT INTO visage.channel (institution, name, target_fmr) SELECT id, 'default', 1e-5 FROM visage.institution WHERE name = 'import';
INSERT INTO visage.scenario (institution, name, identity_check) SELECT i.id, s, CASE s WHEN 'default' THEN 'institution' ELSE 'authority' END
  FROM visage.institution i, unnest(ARRAY['default', 'opening']) s WHERE i.name = 'import';
INSERT INTO visage.authority (institution, name) SELECT id, 'registry' FROM visage.institution WHERE name = 'import';
GRANT USAGE ON SCHEMA fixture TO PUBLIC;
SET visage.institution = 'import';
SELECT visage.add_capture_source('import') IS NOT NULL AS shown;
CREATE FUNCTION sealed(person text, nonce bytea, lifetime interval DEFAULT '7 days', i int DEFAULT 1, model text DEFAULT 'test/1', captured interval DEFAULT '0') RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe(fixture.feature(person, i), model, NULL, 'import', session_nonce => nonce, captured_at => clock_timestamp() - captured, lifetime => lifetime) $$;

-- An administrator opens a batch, which names what stands for the session, the channel and the authority.
SET ROLE import_admin;
SELECT visage.open_import('', 'registry');
SELECT visage.open_import('registry of 2026', 'no-channel');
SELECT visage.open_import('registry of 2026', 'registry', 'opening', 'nobody');
SELECT visage.open_import('registry of 2026', 'registry', 'opening', lifetime => '1 year');
SELECT * FROM visage.open_import('registry of 2026', 'registry', 'opening', 'registry', '{name,id_number}') \gset
RESET ROLE;

-- Rows are staged by COPY, by whoever calls the flows. Each of these has something: a duplicate name, a duplicate probe, a probe
-- of no batch, one that is over, another source's, a name that no flow takes, a model without a threshold.
CREATE TABLE staging (subject text, probe visage.probe);
INSERT INTO staging
  SELECT 'i-' || i, sealed('i-' || i, :'nonce') FROM generate_series(1, 8) i
  UNION ALL SELECT 'i-2', sealed('i-2', :'nonce', i => 2)
  UNION ALL SELECT 'i-unbound', sealed('i-unbound', NULL)
  UNION ALL SELECT 'i-over', sealed('i-over', :'nonce', '1 hour', captured => '2 hours')
  UNION ALL SELECT 'i-model', sealed('i-model', :'nonce', model => 'test/unknown')
  UNION ALL SELECT 'i-' || chr(7), sealed('i-bell', :'nonce')
  -- Older than a probe of a flow may be, and good here.
  UNION ALL SELECT 'i-9', sealed('i-9', :'nonce', captured => '2 days');
INSERT INTO staging SELECT 'i-again', probe FROM staging WHERE subject = 'i-3';
SET visage.institution = 'default';
INSERT INTO staging SELECT 'i-source', fixture.probe('i-source', 1);
SET visage.institution = 'import';
INSERT INTO visage.import_staging (batch, subject, probe) SELECT 0, subject, probe FROM staging;
SET ROLE import_service;
INSERT INTO visage.import_row (institution, batch, subject) SELECT 1, :batch, 'x';
SELECT * FROM visage.import_row;
RESET ROLE;
GRANT SELECT ON staging TO import_service;
SET ROLE import_service;
INSERT INTO visage.import_staging (batch, subject, probe) SELECT :batch, subject, probe FROM staging WHERE subject <> 'i-8';
RESET ROLE;
-- Reading files is a right of its own.
GRANT pg_read_server_files TO import_service;
SELECT format('COPY (SELECT %s, subject, probe FROM staging WHERE subject = %L) TO %L (FORMAT binary)', :batch, 'i-8', current_setting('data_directory') || '/import.copy') AS out,
       format('COPY visage.import_staging (batch, subject, probe) FROM %L (FORMAT binary)', current_setting('data_directory') || '/import.copy') AS in \gset
:out;
SET ROLE import_service;
:in;
SELECT state, authority, imported, refused, pending FROM visage.import_progress;

-- What is staged is good for nothing else: a flow refuses a batch's probe, whoever has it.
SELECT fixture.verdict(visage.register('i-thief', probe)) FROM staging WHERE subject = 'i-4';

-- In a transaction block it cannot commit, and does nothing.
BEGIN;
CALL visage.import_references(:batch, 5);
ROLLBACK;
SELECT imported, refused, pending FROM visage.import_progress;
CALL visage.import_references(:batch, 5);
SELECT imported, refused, pending FROM visage.import_progress;
SELECT regexp_replace(subject, '[[:cntrl:]]', '?') AS subject, reason, sqlstate, message FROM visage.import_errors(:batch);
-- Called again it does nothing more.
CALL visage.import_references(:batch);
SELECT imported, refused, pending FROM visage.import_progress;
RESET ROLE;

-- Those who were imported are verified as others are; the reference says where it comes from, the event what it rests on.
SELECT fixture.verdict(visage.verify('i-1', visage.seal_probe(fixture.feature('i-1', 5), 'test/1', 0.9, 'import'), 'default')),
       fixture.verdict(visage.verify('i-9', visage.seal_probe(fixture.feature('i-1', 6), 'test/1', 0.9, 'import'), 'default'));
SELECT origin, channel, count(*) FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.external_id LIKE 'i-%' GROUP BY 1, 2;
-- Rows beside one that is an error are looked at twice.
SELECT reason, count(DISTINCT probe), bool_and(object = 'import ' || :'batch') AS named
FROM visage.history WHERE institution = 'import' AND operation = 'register' AND object IS NOT NULL AND settled <> 'rolled back' GROUP BY 1 ORDER BY 1;
SELECT count(*) FILTER (WHERE used_at IS NOT NULL AND fields = '{name,id_number}') AS vouched, count(*) FROM visage.authority_record WHERE batch = :batch;
-- What is staged is sealed for its row and batch: altered or moved it is a row's error.
INSERT INTO visage.import_staging (batch, subject, probe) SELECT :batch, 'i-altered' || i, sealed('i-altered' || i, :'nonce') FROM generate_series(1, 3) i;
UPDATE visage.import_row SET staged = set_byte(staged, 100, get_byte(staged, 100) # 1) WHERE subject = 'i-altered1';
UPDATE visage.import_row r SET staged = o.staged FROM visage.import_row o WHERE r.subject = 'i-altered2' AND o.subject = 'i-altered3';
UPDATE visage.import_row SET staged = '\x00' WHERE subject = 'i-altered3';
CALL visage.import_references(:batch);
SELECT subject, reason, sqlstate, message FROM visage.import_errors(:batch) WHERE subject LIKE 'i-altered%';
-- A probe that was used or refused is not kept.
SELECT count(*) FROM visage.import_row WHERE batch = :batch AND staged IS NOT NULL;
-- Staged once more under another name it is still used.
INSERT INTO visage.import_staging (batch, subject, probe) SELECT :batch, 'i-more', probe FROM staging WHERE subject = 'i-5';
CALL visage.import_references(:batch);
SELECT reason FROM visage.import_errors(:batch) WHERE subject = 'i-more';

-- A batch without an authority needs a record of each subject where the scenario asks for one; consent is asked as ever.
SELECT * FROM visage.open_import('another', 'registry', 'opening') \gset second_
SELECT visage.record_authority_check('j-1', 'registry', true, '{name}') IS NOT NULL AS recorded;
INSERT INTO visage.import_staging (batch, subject, probe) SELECT :second_batch, s, sealed(s, :'second_nonce') FROM unnest(ARRAY['j-1', 'j-2']) s;
-- Neither does one batch's probe serve in another.
INSERT INTO visage.import_staging (batch, subject, probe) SELECT :second_batch, 'j-3', sealed('j-3', :'nonce');
CALL visage.import_references(:second_batch);
SELECT subject, reason FROM visage.import_errors(:second_batch);
INSERT INTO visage.notice (institution, name, purposes, manner, scope, storage, text) SELECT id, 'registry', '{opening}', 'm', 's', 's', 't' FROM visage.institution WHERE name = 'import';
INSERT INTO visage.import_staging (batch, subject, probe) SELECT :batch, 'j-4', sealed('j-4', :'nonce');
CALL visage.import_references(:batch);
SELECT subject, reason FROM visage.import_errors(:batch) WHERE subject = 'j-4';
INSERT INTO visage.consent_rule (institution, scenario, required) SELECT id, '*', false FROM visage.institution WHERE name = 'import';

-- With a person goes what was staged for it; that its probe was used stays. [8.2.5g]
SELECT jsonb_array_length(visage.export_subject('i-3') -> 'imports') AS exported;
INSERT INTO visage.import_staging (batch, subject, probe) SELECT :batch, 'i-3', sealed('i-3', :'nonce', i => 4);
SELECT fixture.verdict(visage.cancel('i-3'));
SELECT count(*) FROM visage.import_row WHERE subject = 'i-3';
INSERT INTO visage.import_staging (batch, subject, probe) SELECT :batch, 'i-3', probe FROM staging WHERE subject = 'i-3';
CALL visage.import_references(:batch);
SELECT reason FROM visage.import_errors(:batch) WHERE subject = 'i-3';
SELECT part, fault FROM visage.integrity() WHERE object ~ 'authority|import';

-- Closed: what is left is dropped, errors stay for a while; an import that is over takes nothing.
INSERT INTO visage.import_staging (batch, subject, probe) SELECT :batch, 'i-late', sealed('i-late', :'nonce');
SET ROLE import_service;
SELECT visage.close_import(:batch);
RESET ROLE;
SET ROLE import_admin;
SELECT * FROM visage.close_import(:batch);
SELECT visage.close_import(:batch);
RESET ROLE;
SELECT state, imported, refused, pending FROM visage.import_progress ORDER BY batch;
INSERT INTO visage.import_staging (batch, subject, probe) SELECT :batch, 'i-late', sealed('i-late', :'nonce');
CALL visage.import_references(:batch);
SELECT count(*) > 5 AS errors_stay FROM visage.import_errors(:batch);
UPDATE visage.import_batch SET closed_at = closed_at - interval '31 days';
UPDATE visage.import_batch SET expires_at = now() WHERE id = :second_batch;
CALL visage.import_references(:second_batch);
SELECT task, due > 0 AS due, due = done AS done FROM visage.keep_house() WHERE task = 'imports';
SELECT batch = :second_batch AS second, decision FROM visage.import_row;
SELECT object ~ '^(open|close) import \d+$' AS named, note FROM visage.history WHERE institution = 'import' AND operation = 'change' AND object ~ 'import \d' ORDER BY event;

-- Another institution's batch does not exist here. [6.2a]
SELECT * FROM visage.open_import('third') \gset third_
SET visage.institution = 'default';
CALL visage.import_references(:third_batch);
SELECT visage.close_import(:third_batch);
SELECT count(*) FROM visage.import_errors(:second_batch);
DROP TABLE staging;
DROP FUNCTION sealed;
DROP OWNED BY import_service, import_admin;
