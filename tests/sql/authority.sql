-- Identity checks by an authority: what is recorded, what a registration needs, and that nothing of the photo stays.
-- [6.6d] [B.1] [5.3.1]
SET timezone = 'UTC';
\set VERBOSITY terse
SELECT visage.grant_institution('authority', r::regrole) FROM unnest(ARRAY[current_user, 'visage_service', 'visage_auditor', 'visage_admin']) r;
INSERT INTO visage.channel (institution, name, target_fmr, liveness_floor) SELECT id, 'default', 1e-5, 0.5 FROM visage.institution WHERE name = 'authority';
INSERT INTO visage.scenario (institution, name, identity_check) SELECT i.id, s, CASE s WHEN 'default' THEN 'institution' ELSE 'authority' END
  FROM visage.institution i, unnest(ARRAY['default', 'opening', 'photo']) s WHERE i.name = 'authority';
SET visage.institution = 'authority';
SELECT visage.acting_institution() AS institution \gset
SELECT visage.add_capture_source('authority') IS NOT NULL AS shown;
CREATE FUNCTION sample(person text, i int, liveness real DEFAULT 0.9, nonce bytea DEFAULT NULL, digest bytea DEFAULT NULL) RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe(fixture.feature(person, i), 'test/1', $3, 'authority', session_nonce => $4, image_digest => $5) $$;
CREATE FUNCTION registered(subject text, i int, scenario text) RETURNS text LANGUAGE sql AS $$
  SELECT fixture.verdict(visage.register($1, sample($1, $2), 'default', $3)) $$;

-- The shipped default needs no authority; a scenario that names one registers nobody without its word.
SELECT name FROM visage.scenario WHERE institution = 1 AND builtin AND identity_check = 'authority' ORDER BY 1;
SELECT registered('a-plain', 1, 'default');
SELECT registered('a-1', 1, 'opening');
SELECT count(*) FROM visage.subject WHERE external_id = 'a-1';

-- An authority is named by an administrator; what is recorded are names of fields and digests.
SELECT visage.record_authority_check('a-1', 'police', true, '{name,id_number}');
INSERT INTO visage.authority (institution, name, description) SELECT :institution, n, 'made up' FROM unnest(ARRAY['police', 'central bank']) n;
SELECT visage.record_authority_check('a-1', 'police', true, '{"Zhang San"}');
SELECT visage.record_authority_check('a-1', 'police', true, '{name}', answer_digest => 'short');
SELECT visage.record_authority_check('a-1', 'police', true, '{name}', photo_digest => 'short');
SELECT visage.record_authority_check('a-1', 'police', NULL, '{name}');
SELECT visage.record_authority_check('', 'police', true, '{name}');
SELECT visage.record_authority_check('a-1', 'police', true, '{name,id_number,name}', reference => 'P-2026-1', answer_digest => sha256('signed answer'),
                                     fields_digest => sha256('Zhang San/11010119900101')) AS record \gset
SELECT authority, accepted, fields, reference, used_at FROM visage.list_authority_checks('a-1');
SELECT visage.vouched_fields_match(:'record', sha256('Zhang San/11010119900101')) AS same, visage.vouched_fields_match(:'record', sha256('Li Si/11010119900101')) AS other;
-- A dump alone does not tell which values those were: their digest is kept under a key.
SELECT to_jsonb(r)::text LIKE '%' || encode(sha256('Zhang San/11010119900101'), 'hex') || '%' AS digest_in_clear, to_jsonb(r)::text LIKE '%a-1%' AS name_in_clear
FROM visage.authority_record r WHERE id = :'record';
SELECT operation, object = 'authority ' || :'record' AS names_it, note, after IS NOT NULL AS digest FROM visage.history WHERE operation = 'check_identity' ORDER BY event;

-- With it the person is registered, once, and the registration's event names it. [5.3.1]
SELECT registered('a-1', 2, 'opening');
SELECT object = 'authority ' || :'record' AS rests_on_it FROM visage.history WHERE operation = 'register' AND subject = 'a-1' AND decision = 'accept';
SELECT s.external_id, used_at IS NOT NULL AS used FROM visage.authority_record r JOIN visage.subject s ON s.id = r.subject WHERE r.id = :'record';
SELECT registered('a-1', 3, 'opening');
-- Whoever is cancelled needs a new one: it went with the person.
SELECT fixture.verdict(visage.cancel('a-1'));
SELECT count(*) FROM visage.authority_record WHERE id = :'record';
SELECT registered('a-1', 4, 'opening');
-- It is another person's in no case, and in no other institution.
SELECT visage.record_authority_check('a-2', 'police', true, '{name}') IS NOT NULL AS recorded;
SELECT registered('a-3', 1, 'opening');
-- A registration that is rolled back leaves it.
BEGIN;
SELECT registered('a-2', 1, 'opening');
ROLLBACK;
SELECT registered('a-2', 2, 'opening');

-- The newest word holds; one that was refused, is too old, or comes from an authority that is not asked any more does not count.
CREATE FUNCTION says(subject text, accepted boolean, authority text DEFAULT 'police', fields text[] DEFAULT '{name}') RETURNS boolean LANGUAGE sql AS $$
  SELECT visage.record_authority_check($1, $3, $2, $4) IS NOT NULL $$;
SELECT says('a-4', true), says('a-4', false, 'central bank');
SELECT registered('a-4', 1, 'opening');
SELECT says('a-4', true, 'central bank');
UPDATE visage.authority SET disabled_at = now() WHERE name = 'central bank';
SELECT registered('a-4', 2, 'opening');
SELECT says('a-4', true, 'central bank');
UPDATE visage.authority SET disabled_at = NULL WHERE name = 'central bank';
BEGIN;
INSERT INTO visage.authority_rule (institution, valid_for) VALUES (:institution, '1 microsecond');
SELECT registered('a-4', 3, 'opening');
ROLLBACK;
-- Fields that a scenario asks for must be among those vouched for.
INSERT INTO visage.authority_rule (institution, scenario, fields, photo_required) VALUES (:institution, 'opening', '{id_number}', false), (:institution, 'photo', '{}', true);
SELECT registered('a-4', 4, 'opening');
SELECT says('a-4', true, 'police', '{id_number,valid_until}');
SELECT registered('a-4', 5, 'opening');
DELETE FROM visage.authority_rule WHERE scenario = 'opening';

-- The photo: a comparison of this institution that was made, lately, and serves one record. [B.1]
SELECT says('a-5', true);
SELECT registered('a-5', 1, 'photo');
SELECT visage.record_authority_check('a-5', 'police', true, '{name}', gen_random_uuid());
SELECT transaction_id FROM visage.compare(sample('a-5', 2, 0.1), sample('a-5', 3, NULL)) \gset
SELECT visage.record_authority_check('a-5', 'police', true, '{name}', :'transaction_id');
SELECT decision, transaction_id FROM visage.compare(sample('a-5', 4), sample('a-6', 1, NULL)) \gset
\echo :decision
SELECT visage.record_authority_check('a-5', 'police', true, '{name}', :'transaction_id') IS NOT NULL AS recorded;
SELECT registered('a-5', 5, 'photo'), registered('a-5', 6, 'opening') AS without_photo_needed;
SELECT decision, transaction_id FROM visage.compare(sample('a-5', 7), sample('a-5', 8, NULL)) \gset
\echo :decision
SELECT visage.record_authority_check('a-5', 'police', true, '{name}', :'transaction_id') IS NOT NULL AS recorded;
SELECT visage.record_authority_check('a-6', 'police', true, '{name}', :'transaction_id');
SELECT registered('a-5', 9, 'photo');
SELECT fixture.verdict(visage.cancel('a-5'));
SELECT visage.record_authority_check('a-6', 'police', true, '{name}', :'transaction_id');
BEGIN;
SELECT transaction_id FROM visage.compare(sample('a-7', 1), sample('a-7', 2, NULL)) \gset
INSERT INTO visage.authority_rule (institution, valid_for) VALUES (:institution, '1 microsecond');
DELETE FROM visage.authority_rule WHERE scenario = 'photo';
SELECT visage.record_authority_check('a-7', 'police', true, '{name}', :'transaction_id');
ROLLBACK;
SET visage.institution = 'default';
SELECT transaction_id FROM visage.compare(fixture.probe('a-7', 3), fixture.probe('a-7', 4)) \gset
SET visage.institution = 'authority';
SELECT visage.record_authority_check('a-7', 'police', true, '{name}', :'transaction_id');

-- The photo in the registration itself: it shows the person of the very capture that the reference is made of. Where policy
-- asks for it, a comparison that was made of another capture does not count. [6.6d] [B.1]
CREATE FUNCTION with_photo(subject text, person text, i int, photo text, liveness real DEFAULT 0.9, scenario text DEFAULT 'photo') RETURNS text LANGUAGE sql AS $$
  SELECT fixture.verdict(visage.register_with_document($1, sample($2, $3, $5), sample($4, 100 + $3, NULL, digest => sha256($4::bytea)), 'default', $6)) $$;
CREATE FUNCTION says_with_photo(subject text) RETURNS boolean LANGUAGE sql AS $$
  SELECT visage.record_authority_check($1, 'police', true, '{name}', photo_digest => sha256($1::bytea)) IS NOT NULL $$;
UPDATE visage.authority_rule SET photo_in_registration = true WHERE scenario = 'photo';
SELECT says_with_photo('p-8'), with_photo('p-8', 'p-8', 1, 'p-8') AS without_a_comparison_before;
SELECT decision, transaction_id FROM visage.compare(sample('p-9', 1), sample('p-9', 2, NULL)) \gset
SELECT visage.record_authority_check('p-9', 'police', true, '{name}', :'transaction_id', photo_digest => sha256('p-9')) IS NOT NULL AS recorded;
-- Who was compared is not who registers: without the photo nobody can tell, with it the other face is no match.
SELECT registered('p-9', 3, 'photo'), with_photo('p-9', 'p-10', 4, 'p-9') AS somebody_else, with_photo('p-9', 'p-9', 5, 'p-9', 0.1) AS a_picture;
SELECT count(*) AS registered FROM visage.subject WHERE external_id = 'p-9';
-- Nor is another picture of the right face the authority's photo, or one that nobody can tell.
SELECT fixture.verdict(visage.register_with_document('p-9', sample('p-9', 7), sample('p-9', 8, NULL, digest => sha256('snapshot')), 'default', 'photo')) AS snapshot,
       fixture.verdict(visage.register_with_document('p-9', sample('p-9', 9), sample('p-9', 10, NULL), 'default', 'photo')) AS unnamed;
SELECT with_photo('p-9', 'p-9', 6, 'p-9');
SELECT subject, c.* FROM unnest(ARRAY['p-8', 'p-9']) subject, LATERAL (SELECT comparison IS NOT NULL AS compared_before, photo_accepted, used_at IS NOT NULL AS used
  FROM visage.list_authority_checks(subject)) c;
-- The photo is no word of an authority, no photo of the person's own is the authority's, and each of the two is used once.
SELECT with_photo('p-11', 'p-11', 1, 'p-11'), says('p-11', true), with_photo('p-11', 'p-11', 2, 'p-11') AS own_photo;
SELECT says_with_photo('p-12'), sample('p-12', 1) AS live, sample('p-12', 2, NULL, digest => sha256('p-12')) AS photo \gset
SELECT fixture.verdict(visage.register_with_document('p-12', :'live', :'live', 'default', 'photo')) AS itself;
SELECT fixture.verdict(visage.register_with_document('p-12', sample('p-12', 3), :'photo', 'default', 'photo'));
SELECT fixture.verdict(visage.register_with_document('p-13', sample('p-13', 1), :'photo')) AS again;
SELECT visage.register_with_document('p-13', sample('p-13', 2), NULL);
-- The event names both, and nothing of the photo is a reference.
SELECT subject, decision, reason, object ~ '^document [0-9a-f-]{36}, authority [0-9a-f-]{36}$' AS rests_on_both FROM visage.history
WHERE institution = 'authority' AND operation = 'register' AND object ~ 'document' ORDER BY event;
SELECT s.external_id, r.origin FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.external_id IN ('p-8', 'p-9', 'p-12') ORDER BY 1;
UPDATE visage.authority_rule SET photo_in_registration = false WHERE scenario = 'photo';
SELECT says('p-14', true), with_photo('p-14', 'p-14', 1, 'p-14') AS own_photo, says_with_photo('p-14'), registered('p-14', 2, 'photo') AS without,
       with_photo('p-14', 'p-14', 3, 'p-14') AS authoritys;
-- Also where no rule asks for a photo, nobody registers on the authority's word without the photo that came with it; a photo
-- of one's own is compared, too.
SELECT says_with_photo('p-15'), registered('p-15', 1, 'opening') AS without, with_photo('p-15', 'p-10', 2, 'p-15', scenario => 'opening') AS somebody_else,
       with_photo('p-15', 'p-15', 3, 'p-15', scenario => 'opening') AS authoritys;
SELECT says('p-16', true), with_photo('p-16', 'p-10', 1, 'p-16', scenario => 'opening') AS somebody_else, with_photo('p-16', 'p-16', 2, 'p-16', scenario => 'opening') AS own_photo;

-- One biz_id, one registration, also for who lost the photo together with the answer. Another photo is another call. [6.5d]
CREATE FUNCTION called(biz_id text, person text, i int, photo text, OUT verdict text, OUT event bigint) LANGUAGE plpgsql AS $$
DECLARE
  live visage.probe := sample(person, i, digest => sha256((person || i)::bytea));
  context jsonb := jsonb_build_object('biz_id', biz_id);
  done visage.outcome;
BEGIN
  IF photo IS NULL THEN
    done := visage.register('p-17', live, 'default', 'opening', context);
  ELSE
    done := visage.register_with_document('p-17', live, sample(photo, 200, NULL, digest => sha256(photo::bytea)), 'default', 'opening', context);
  END IF;
  verdict := fixture.verdict(done);
  event := done.event;
END $$;
SELECT says_with_photo('p-17');
SELECT event AS refused, verdict FROM called('p-1', 'p-10', 1, 'p-17') \gset
\echo :verdict
SELECT c.verdict, c.event = :refused AS same FROM called('p-1', 'p-10', 1, 'p-17') c UNION ALL SELECT c.verdict, c.event = :refused FROM called('p-1', 'p-10', 1, NULL) c;
SELECT event AS first, verdict FROM called('p-2', 'p-17', 1, 'p-17') \gset
\echo :verdict
SELECT c.verdict, c.event = :first AS same FROM called('p-2', 'p-17', 1, 'p-17') c UNION ALL SELECT c.verdict, c.event = :first FROM called('p-2', 'p-17', 1, NULL) c;
SELECT called('p-2', 'p-17', 1, 'p-18');
SELECT called('p-2', 'p-17', 2, NULL);
SELECT verdict FROM called('p-3', 'p-17', 3, NULL);
SELECT called('p-3', 'p-17', 3, 'p-17');
SELECT count(*) FROM visage.history WHERE biz_id IN ('p-1', 'p-2', 'p-3') AND operation = 'register';

-- B.1 end to end: consent, a one-time factor in a session, the authority's photo against the living face, its word about the
-- fields, the account. [B.1] [8.2.2b] [8.2.2c]
\getenv sources PG_ABS_SRCDIR
\set tool :sources '/sql/lib/evidence.sh'
\set keys `mktemp -d`
\set made `bash :'tool' make :'keys'`
\set public `bash :'tool' show :'keys' sms.pub`
INSERT INTO visage.otp_service (institution, name, public_key) VALUES (:institution, 'sms', :'public');
INSERT INTO visage.requirement (institution, operation, session, factors) VALUES (:institution, 'register', true, 1);
INSERT INTO visage.notice (institution, name, purposes, manner, scope, storage, text)
  VALUES (:institution, 'account', '{photo,default}', 'compared by a machine', 'signs of a feature', 'as long as the account', 'May we?') RETURNING digest \gset
-- The application: nobody is registered, and what is missing is said one after the other.
SELECT session, nonce, encode(nonce, 'hex') AS hex, extract(epoch FROM now())::bigint AS now, extract(epoch FROM now())::bigint + 120 AS later
FROM visage.open_session('b1', 'register', 'photo') \gset
SELECT fixture.verdict(visage.register('b1', sample('b1', 1), 'default', 'photo')) AS no_session;
SELECT fixture.verdict(visage.register('b1', sample('b1', 1, 0.9, :'nonce'), 'default', 'photo', jsonb_build_object('session', :'session'))) AS no_factor;
\set code `bash :'tool' otp :'keys' sms sms b1 :hex :now :later`
SELECT fixture.verdict(visage.present_factor(:'session', 'otp', :'code')) AS one_time_code;
SELECT fixture.verdict(visage.register('b1', sample('b1', 2, 0.9, :'nonce'), 'default', 'photo', jsonb_build_object('session', :'session'))) AS no_consent;
SELECT purpose FROM visage.give_consent('b1', 'account', :'digest', '{photo}', false);
SELECT fixture.verdict(visage.register('b1', sample('b1', 3, 0.9, :'nonce'), 'default', 'photo', jsonb_build_object('session', :'session'))) AS no_authority;
-- The living face against the authority's photo, fetched by the number of the card.
SELECT sample('b1', 5, NULL) AS document \gset
SELECT decision, transaction_id FROM visage.compare(sample('b1', 4), :'document', 'default', 'photo') \gset
\echo :decision
SELECT visage.record_authority_check('b1', 'police', true, '{name,id_number,valid_until}', :'transaction_id', 'P-2026-2', sha256('answer'), sha256('fields')) AS record \gset
SELECT fixture.verdict(visage.register('b1', sample('b1', 6, 0.9, :'nonce'), 'default', 'photo', jsonb_build_object('session', :'session'))) AS opened;
SELECT operation, decision, reason, object ~ '^session/consent [0-9a-f-]{36}, authority [0-9a-f-]{36}$' AS rests_on_both
FROM visage.history WHERE institution = 'authority' AND (subject = 'b1' OR session = :'session') AND operation IN ('register', 'present_factor') ORDER BY event;
SELECT fixture.verdict(visage.verify('b1', sample('b1', 7), 'default', 'photo'));

-- Of the photo nothing is kept: one reference, of the capture; and no table has the document's bytes. [B.1]
SELECT origin, count(*) FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.external_id = 'b1' GROUP BY 1;
CREATE FUNCTION tables_with(part text, OUT name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE found boolean;
BEGIN
  FOR name IN SELECT c.oid::regclass::text FROM pg_class c WHERE c.relnamespace = 'visage'::regnamespace AND c.relkind = 'r' LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s t WHERE strpos(t::text, $1) > 0)', name) INTO found USING part;
    IF found THEN RETURN NEXT; END IF;
  END LOOP;
END $$;
SELECT tables_with(substr(reference::text, 100, 40)) AS finds_a_reference FROM visage.subject_reference LIMIT 1;
SELECT tables_with(substr(:'document', 200, 40));
SELECT visage.add_authority_reference('b1', sample('b1', 8, NULL), 'default', 'photo');
-- Unless policy says so: then a photo that matches, of somebody whose photo an authority's word rests on.
UPDATE visage.authority_rule SET keep_photo = true WHERE scenario = 'photo';
SELECT fixture.verdict(visage.add_authority_reference('b1', sample('b2', 1, NULL), 'default', 'photo')) AS another_face;
SELECT fixture.verdict(visage.add_authority_reference('b1', sample('b1', 9, NULL), 'default', 'photo')) AS kept;
SELECT origin, count(*) FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.external_id = 'b1' GROUP BY 1 ORDER BY 1;
SELECT fixture.verdict(visage.verify('b1', sample('b1', 10), 'default', 'photo'));
INSERT INTO visage.consent_rule (institution, scenario, required) VALUES (:institution, '*', false);
-- One that the registration itself compared is such a photo.
SELECT fixture.verdict(visage.add_authority_reference('p-15', sample('p-15', 20, NULL), 'default', 'photo')) AS kept;
SELECT fixture.verdict(visage.add_authority_reference('a-4', sample('a-4', 20, NULL), 'default', 'photo')) AS no_photo_compared,
       fixture.verdict(visage.add_authority_reference('a-none', sample('a-none', 1, NULL), 'default', 'photo')) AS nobody;

-- It is in the export of the person, without hashes; the table's rows and the ledger belong together. [8.2.2c] [6.5c]
SELECT jsonb_pretty(c - '{id,checked_at,compared_at,used_at,comparison}'::text[]) FROM jsonb_array_elements(visage.export_subject('b1') -> 'identity_checks') c;
SELECT says('b3', true);
SELECT jsonb_array_length(visage.export_subject('b3') -> 'identity_checks') AS before_registration;
SELECT * FROM visage.authority_faults();
BEGIN;
UPDATE visage.authority_record SET fields = fields || '{address}' WHERE id = :'record';
INSERT INTO visage.authority_record (institution, authority, subject_hash, accepted, fields) SELECT institution, authority, subject_hash, true, '{}' FROM visage.authority_record WHERE id = :'record';
SELECT part, fault FROM visage.integrity() WHERE object LIKE 'authority record%' ORDER BY 2;
ROLLBACK;

-- Kept for the shortest time: one that nobody registered with goes when it cannot count any more. [8.2.4d]
SELECT due FROM visage.keep_house(true) WHERE task = 'identity_checks';
UPDATE visage.authority_record SET checked_at = checked_at - interval '2 days';
SELECT due, done FROM visage.keep_house() WHERE task = 'identity_checks';
SELECT count(*) FILTER (WHERE subject IS NULL) AS unused, count(*) > 0 AS used FROM visage.authority_record WHERE institution = :institution;

UPDATE visage.authority_record SET checked_at = checked_at + interval '2 days';
SELECT * FROM visage.authority_faults();

-- Who calls the flows may record; policy is for administrators; nobody reads the table. [6.2a]
CREATE ROLE authority_service IN ROLE visage_service;
SET ROLE authority_service;
SELECT visage.record_authority_check('a-8', 'police', true, '{name}') IS NOT NULL AS recorded;
SELECT count(*) FROM visage.list_authority_checks('a-8');
INSERT INTO visage.authority (institution, name) VALUES (1, 'me');
SELECT * FROM visage.authority_record;
RESET ROLE;
SET visage.institution = 'default';
SELECT count(*) FROM visage.list_authority_checks('a-8');
SELECT visage.vouched_fields_match(:'record', sha256('fields'));
DELETE FROM visage.otp_service WHERE institution = :institution;
DROP FUNCTION sample, registered, says, says_with_photo, with_photo, called, tables_with;
DROP ROLE authority_service;
