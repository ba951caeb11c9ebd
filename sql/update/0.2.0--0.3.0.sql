\echo Use "ALTER EXTENSION pg_visage UPDATE" to load this file. \quit

-- CREATE EXTENSION looks for names in the schemas of other extensions too, where somebody may have put an operator or
-- function that fits better than the server's own. (CVE-2022-2625 and its kind; tools/check/search_path)
SET LOCAL search_path = pg_catalog, pg_temp;

-- The audit writer and the ledger over visage.event, attempt limits, records of changes, and reports.

-- Values that are added to an enum cannot be used in the same transaction, and the history uses one. So the type is made
-- anew, and with it the table of events, whose columns change anyhow; its rows are carried over below.
DROP VIEW visage.history;
ALTER TABLE visage.event RENAME TO event_before;
ALTER TABLE visage.event_before RENAME CONSTRAINT event_pkey TO event_before_pkey;
DROP INDEX visage.event_at, visage.event_subject;
ALTER TYPE visage.operation RENAME TO operation_before;
CREATE TYPE visage.operation AS ENUM (
  'register', 'verify', 'compare', 'add_reference', 'drop_reference', 'cancel',
  'open_ledger',        -- the ledger began
  'settle',             -- the transaction of an earlier event ended: note says how
  'change',             -- policy, calibration, a capture source, a grant or loaded keys: object says which
  'unlock',             -- attempt counters of a subject were set back: note says why
  'archive',            -- events were exported and removed: note says which
  'rotate_ledger_key',  -- tree heads are signed by another key from here on
  'give_consent',       -- object names the consent, after is the digest of the notice
  'withdraw_consent',   -- object names the consent that ended
  'export_subject',     -- everything held about a person was handed out
  'erase',              -- a person, a reference or a consent: note says why
  'restore',            -- after_restore() was run: note says what it erased again
  'open_session', 'claim_session', 'close_session',
  'enrol_factor', 'replace_factor', 'remove_factor',
  'present_factor',     -- in a session: object says of which kind
  'replace_reference',
  'adapt_reference',    -- a reference was made from the probe of an accepted verification
  'revert_adaptation',  -- and taken back
  'reprotect',          -- a reference was made anew under the newest transform root
  'find_duplicate',     -- subject looks like somebody who was registering: object names the finding
  'review_duplicate',   -- somebody said what a finding is: note says what, and why
  'allow_duplicate',    -- somebody allowed a registration whatever it looks like: note says why
  'check_identity',     -- an authority vouched for a person, or did not: object names the record
  'revoke',             -- a subject's references were withdrawn: note says why
  'identify',           -- one to many: object says among how many, and who was found
  'find_candidate'      -- subject was found by an identification, though not as the first: note names it
);
ALTER TYPE visage.reason ADD VALUE 'INTERRUPTED';
ALTER TYPE visage.reason ADD VALUE 'NOT_ENTITLED';
ALTER TYPE visage.reason ADD VALUE 'SESSION_MISSING';
ALTER TYPE visage.reason ADD VALUE 'UNKNOWN_SESSION';
ALTER TYPE visage.reason ADD VALUE 'EXPIRED_SESSION';
ALTER TYPE visage.reason ADD VALUE 'REPLAYED_SESSION';
ALTER TYPE visage.reason ADD VALUE 'SESSION_MISMATCH';
ALTER TYPE visage.reason ADD VALUE 'WRONG_FACTOR';
ALTER TYPE visage.reason ADD VALUE 'REPLAYED_FACTOR';
ALTER TYPE visage.reason ADD VALUE 'UNKNOWN_FACTOR';
ALTER TYPE visage.reason ADD VALUE 'FACTOR_EXISTS';
ALTER TYPE visage.reason ADD VALUE 'DUPLICATE_PERSON';
ALTER TYPE visage.reason ADD VALUE 'UNDETERMINED';
ALTER TYPE visage.reason ADD VALUE 'REFERENCE_EXPIRED';
ALTER TYPE visage.reason ADD VALUE 'IDENTITY_UNCHECKED';
COMMENT ON COLUMN visage.outcome.reference IS 'reference or factor that was made or dropped';

-- With an argument the trigger has the changed rows as gone and come (94_row_security.sql makes them so): then only the
-- institutions whose policy changed are counted, and one does not wait for another's transaction.
CREATE OR REPLACE FUNCTION visage.count_policy_change() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  changed integer[] := ARRAY[NULL]::integer[];  -- null: everybody's
BEGIN
  IF TG_NARGS > 0 AND TG_OP = 'INSERT' THEN
    changed := ARRAY(SELECT DISTINCT c.institution FROM come c);
  ELSIF TG_NARGS > 0 AND TG_OP = 'DELETE' THEN
    changed := ARRAY(SELECT DISTINCT g.institution FROM gone g);
  ELSIF TG_NARGS > 0 THEN
    changed := ARRAY(SELECT g.institution FROM gone g UNION SELECT c.institution FROM come c);
  END IF;
  -- Whoever has no row of its own is under that of institution 1.
  IF 1 = ANY (changed) AND TG_TABLE_NAME IN ('attempt_limit', 'session_policy', 'requirement', 'factor_policy', 'adaptation_policy') THEN
    changed := changed || NULL::integer;
  END IF;
  INSERT INTO visage.policy_version AS p
    SELECT i.id, 2 FROM visage.institution i WHERE i.id = ANY (changed) OR array_position(changed, NULL) IS NOT NULL ORDER BY i.id
    ON CONFLICT (institution) DO UPDATE SET version = p.version + 1;
  RETURN NULL;
END
$$;

-- Who acts for an institution may be taken back, and some things concern all institutions.
ALTER TABLE visage.institution_role ADD COLUMN enabled boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN visage.institution_role.enabled IS 'false: revoked; a row that ships would come back with a restore if it were deleted';
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'visage_search') THEN
    CREATE ROLE visage_search NOLOGIN;
  END IF;
END
$$;
GRANT USAGE ON SCHEMA visage TO visage_search;
INSERT INTO visage.institution_role (institution, role, builtin) VALUES (1, 'visage_search'::regrole, true) ON CONFLICT DO NOTHING;
CREATE TRIGGER guard_builtin BEFORE INSERT OR UPDATE OR DELETE ON visage.institution_role
  FOR EACH ROW EXECUTE FUNCTION visage.guard_builtin('institution', 'role');
CREATE OR REPLACE FUNCTION visage.acts_for(institution integer) RETURNS boolean
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (SELECT FROM visage.institution_role r
                 WHERE r.institution = $1 AND r.enabled AND pg_has_role(visage.calling_role(), r.role::oid, 'USAGE'))
    OR (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = visage.calling_role())
$$;
COMMENT ON FUNCTION visage.acts_for(integer) IS 'was the caller granted this institution, or is it a superuser?';

CREATE FUNCTION visage.acts_for_all() RETURNS boolean
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT NOT EXISTS (SELECT FROM visage.institution i WHERE NOT visage.acts_for(i.id))
$$;
COMMENT ON FUNCTION visage.acts_for_all() IS 'does the caller act for every institution?';

CREATE FUNCTION visage.institutions_of_caller() RETURNS integer[]
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(array_agg(i.id), '{}') FROM visage.institution i
  WHERE visage.acts_for(i.id)
$$;
COMMENT ON FUNCTION visage.institutions_of_caller() IS 'institutions that the caller acts for';

CREATE FUNCTION visage.require_all() RETURNS void
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT visage.acts_for_all() THEN
    RAISE EXCEPTION 'role "%" does not act for every institution', visage.calling_role()::regrole USING ERRCODE = 'insufficient_privilege',
      HINT = 'This concerns all institutions of the database: docs/rights.md says who may do it.';
  END IF;
END
$$;
COMMENT ON FUNCTION visage.require_all() IS 'an error unless the caller acts for every institution; for what concerns all of them';

CREATE OR REPLACE FUNCTION visage.grant_institution(institution text, role regrole) RETURNS void
  LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  granted integer;
  any_role CONSTANT boolean := (SELECT r.rolsuper FROM pg_roles r WHERE r.oid = visage.calling_role());
BEGIN
  SELECT i.id INTO granted FROM visage.institution i WHERE i.name = $1;
  IF granted IS NULL THEN
    PERFORM visage.require_all();
    -- Whoever may make institutions acts for all of them, and so must act for this one.
    IF NOT any_role AND NOT pg_has_role(visage.calling_role(), $2::oid, 'USAGE') THEN
      RAISE EXCEPTION 'institution "%" is new: grant it to your own role first', $1 USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    INSERT INTO visage.institution (name) VALUES ($1) RETURNING id INTO granted;
  ELSIF NOT visage.acts_for(granted) THEN
    RAISE EXCEPTION 'role "%" does not act for institution "%"', visage.calling_role()::regrole, $1 USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF EXISTS (SELECT FROM visage.institution_role r WHERE r.institution = granted AND r.role = $2) THEN
    UPDATE visage.institution_role r SET enabled = true WHERE r.institution = granted AND r.role = $2 AND NOT r.enabled;
  ELSE
    INSERT INTO visage.institution_role (institution, role) VALUES (granted, $2) ON CONFLICT DO NOTHING;
  END IF;
END
$$;
COMMENT ON FUNCTION visage.grant_institution(text, regrole) IS 'lets a role act for an institution that the caller acts for; makes the institution when it is new';

CREATE FUNCTION visage.revoke_institution(institution text, role regrole) RETURNS boolean
  LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  revoked integer := (SELECT i.id FROM visage.institution i WHERE i.name = $1);
BEGIN
  -- The same answer for one that is not there: who does not act for an institution does not hear of it.
  IF revoked IS NULL OR NOT visage.acts_for(revoked) THEN
    RAISE EXCEPTION 'role "%" does not act for institution "%"', visage.calling_role()::regrole, $1 USING ERRCODE = 'insufficient_privilege';
  END IF;
  UPDATE visage.institution_role r SET enabled = false WHERE r.institution = revoked AND r.role = $2 AND r.enabled;
  RETURN FOUND;
END
$$;
COMMENT ON FUNCTION visage.revoke_institution(text, regrole) IS 'ends that a role acts for an institution; false when it did not';

-- Written by the audit writer alone. No foreign keys: an event outlives what it names.
CREATE TABLE visage.event (
  seq bigint PRIMARY KEY CHECK (seq >= 0),
  at timestamptz NOT NULL,
  operation visage.operation NOT NULL,
  transaction_id uuid NOT NULL,
  caller text NOT NULL,
  institution integer,
  subject uuid,
  channel text,
  scenario text,
  decision visage.decision,
  reason visage.reason,
  target_fmr double precision,
  model text,
  policy_version integer,
  source uuid,
  probe uuid,
  reference uuid,
  address bytea,
  device bytea,
  biz_id text,
  elapsed_us bigint,
  xid xid8,
  settles bigint,
  object text,
  before bytea,
  after bytea,
  note text,
  detail bytea,
  session uuid,
  request bytea,
  capture bytea,
  leaf bytea NOT NULL,
  head bytea
);
COMMENT ON TABLE visage.event IS 'the ledger: one row a call, numbered from 0 without gaps; read it through visage.history';
COMMENT ON COLUMN visage.event.request IS 'keyed hash of the arguments of a call that names a biz_id';
COMMENT ON COLUMN visage.event.capture IS 'capture record: what is kept of the probe''s liveness and quality; visage.capture_report() reads it';
COMMENT ON COLUMN visage.event.leaf IS 'RFC 9162 leaf hash of this row';
COMMENT ON COLUMN visage.event.head IS 'on the last row of a batch: root key version, tree hash and signature of the tree up to this row';

CREATE OR REPLACE FUNCTION visage.refuse_change() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'visage_refuse_change';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON visage.event
  FOR EACH STATEMENT EXECUTE FUNCTION visage.refuse_change();
ALTER TABLE visage.event ENABLE ALWAYS TRIGGER append_only;

-- include 49_capture_record.sql
CREATE VIEW visage.history WITH (security_barrier) AS
  SELECT e.seq AS event, e.at, i.name AS institution, e.operation, s.external_id AS subject, e.subject AS subject_surrogate,
         e.channel, e.scenario, e.decision, e.reason, e.target_fmr, e.model, e.policy_version,
         c.name AS source, e.probe, e.reference, e.address AS address_hash, e.device AS device_hash, e.biz_id,
         e.transaction_id, e.caller, e.elapsed_us * interval '1 microsecond' AS elapsed, e.xid,
         -- One settle event at most: min() only says so.
         CASE WHEN e.xid IS NOT NULL
           THEN coalesce((SELECT min(t.note) FROM visage.event t WHERE t.settles = e.seq AND t.operation = 'settle'), 'open')
         END AS settled,
         e.settles, e.object, e.before, e.after, e.note, e.session,
         visage.capture_report(e.capture) AS capture
  FROM visage.event e
  LEFT JOIN visage.institution i ON i.id = e.institution
  LEFT JOIN visage.subject s ON s.id = e.subject AND s.institution = e.institution
  -- A caller may hand in a probe of another institution's source: its name is not for this one.
  LEFT JOIN visage.capture_source c ON c.id = e.source AND c.institution = e.institution
  WHERE e.institution IS NULL OR e.institution IN (SELECT a.id FROM visage.institution a WHERE visage.acts_for(a.id));
COMMENT ON VIEW visage.history IS 'every call of a flow and every change, oldest first by event; for auditors [6.6i, 8.2.5b]';
COMMENT ON COLUMN visage.history.event IS 'number of the record, from 0: also the index of its leaf in the ledger''s tree';
COMMENT ON COLUMN visage.history.at IS 'when it was recorded, by the database''s clock';
COMMENT ON COLUMN visage.history.institution IS 'whose subject, channel and policy; null for what concerns all';
COMMENT ON COLUMN visage.history.operation IS 'which flow or which kind of change';
COMMENT ON COLUMN visage.history.subject IS 'the caller''s name of the subject; null once the subject was cancelled, and for unknown subjects';
COMMENT ON COLUMN visage.history.subject_surrogate IS 'random name of the subject, which stays after cancellation';
COMMENT ON COLUMN visage.history.channel IS 'channel of the capture';
COMMENT ON COLUMN visage.history.scenario IS 'business that asked';
COMMENT ON COLUMN visage.history.decision IS 'accept, reject (compared and different) or refuse (not compared)';
COMMENT ON COLUMN visage.history.reason IS 'why';
COMMENT ON COLUMN visage.history.target_fmr IS 'false match rate that the threshold kept';
COMMENT ON COLUMN visage.history.model IS 'feature model of the probe';
COMMENT ON COLUMN visage.history.policy_version IS 'policy that was in force';
COMMENT ON COLUMN visage.history.source IS 'capture source that sealed the probe';
COMMENT ON COLUMN visage.history.probe IS 'id of the probe, or keyed hash of the TOTP step: what was used up';
COMMENT ON COLUMN visage.history.reference IS 'reference or factor that was made or dropped';
COMMENT ON COLUMN visage.history.address_hash IS 'keyed hash of the address that the caller named: equal for equal addresses';
COMMENT ON COLUMN visage.history.device_hash IS 'keyed hash of the device that the caller named: equal for equal devices';
COMMENT ON COLUMN visage.history.biz_id IS 'the caller''s own id of the call';
COMMENT ON COLUMN visage.history.transaction_id IS 'this call''s id, as the caller received it';
COMMENT ON COLUMN visage.history.caller IS 'database role that called';
COMMENT ON COLUMN visage.history.elapsed IS 'time inside the database until the decision';
COMMENT ON COLUMN visage.history.xid IS 'database transaction, or subtransaction, whose commit makes a data-changing call true; its end is told by a settle event';
COMMENT ON COLUMN visage.history.settled IS 'how that transaction ended: committed, rolled back, or open when it has not yet';
COMMENT ON COLUMN visage.history.settles IS 'number of the event whose transaction ended';
COMMENT ON COLUMN visage.history.object IS 'what was changed, the kind of factor, or that a session was used up';
COMMENT ON COLUMN visage.history.before IS 'SHA-256 of what was changed, before; null when it is new';
COMMENT ON COLUMN visage.history.after IS 'SHA-256 of what was changed, after; null when it is gone';
COMMENT ON COLUMN visage.history.note IS 'what else there is to say: how a transaction ended, why a subject was unlocked, which rules fired (docs/policy.md)';
COMMENT ON COLUMN visage.history.session IS 'session of the call; object begins with session where the call used it up';
COMMENT ON COLUMN visage.history.capture IS 'of a probe: by method whether the liveness floor was reached, why liveness failed, measures short of a floor; values where visage.audit_policy has them kept';

-- [6.1.3c] What visaged measures now.
INSERT INTO visage.measure VALUES
  (5, 'FaceRegion', 'ratio', 'overlap of the detector''s box with the mesh''s, intersection over union'),
  (6, 'FaceCompleteness', 'ratio', 'share of the face that lies inside the image'),
  (7, 'GeometricDistortion', '%', 'estimate: how much wider or narrower than the mean face in this pose'),
  (8, 'EyeGlare', 'ratio', 'share of the eye zones that is burnt out'),
  (9, 'GreyRange', 'ratio', 'share of the face with grey levels of 85 to 200'),
  (10, 'GreyLevels', 'ratio', 'share of the grey levels in the face''s range that occur'),
  (11, 'ShadowPrevention', 'ratio', 'darkest over brightest place of the skin; 1 without a shadow'),
  (12, 'LightColour', 'chroma', 'CIELAB chroma of the whites of the eyes'),
  (13, 'Blockiness', 'ratio', 'steps across the borders of 8 x 8 blocks over those inside; 1 without blocks'),
  (14, 'EditorNamed', '0 or 1', 'the file''s metadata names a program that edits or makes pictures'),
  (15, 'SkinTexture', 'ratio', 'grain of the cheeks over that of the smoothest surroundings; low where a face was smoothed'),
  (16, 'IrisColour', 'CIELAB', 'distance of the irises'' colour from the range of irises'),
  (17, 'MakeUp', 'CIELAB', 'estimate: distance of lips and eyelids from the cheeks in colour'),
  (32, 'DepthWidth', 'px', 'width of the depth map'),
  (33, 'DepthHeight', 'px', 'height of the depth map'),
  (34, 'DepthCompleteness', 'ratio', 'share of the depth map that was measured'),
  (35, 'DepthFeatureCompleteness', 'ratio', 'the same around eyes, nose and mouth'),
  (36, 'DepthHoles', 'ratio', 'largest hole in the face over the face'),
  (37, 'DepthOutliers', 'ratio', 'share of the face''s points far from their neighbours'),
  (38, 'DepthNoise', 'mm', 'noise of the cheeks'' depth, root mean square'),
  (39, 'DepthRelief', 'mm', 'tip of the nose before the cheeks'),
  (40, 'DepthSkew', 'ms', 'time between depth map and image'),
  (51, 'LivenessChallenge', '0 to 1', 'movements that the session asked for; left out when they were not judged'),
  (52, 'LivenessContinuity', '0 to 1', 'one face throughout the frames'),
  (53, 'LivenessLight', '0 to 1', 'colours of the screen on the face'),
  (54, 'LivenessDepth', '0 to 1', 'shape of the face in the depth map'),
  (55, 'LivenessInjection', '0 to 1', 'frames that a camera took'),
  (56, 'LivenessTexture', '0 to 1', 'no dots of a print, no pixels of a screen'),
  (62, 'LivenessActive', '0 to 1', 'the better of movements and colours, for channels that take either'),
  (63, 'LivenessReason', 'code', 'why there was no pass: docs/liveness.md'),
  (66, 'BackgroundUniformity', 'gradient', 'mean gradient of the background''s luminance'),
  (67, 'IlluminationUniformity', 'ratio', 'intersection of both cheeks'' luminance histograms'),
  (68, 'LuminanceMean', 'ratio', 'mean luminance of the face, 0 to 1 in linear light'),
  (69, 'LuminanceVariance', 'ratio', 'variance of the face''s luminance'),
  (70, 'UnderExposurePrevention', 'ratio', 'share of the face next to black'),
  (71, 'OverExposurePrevention', 'ratio', 'share of the face next to white'),
  (72, 'DynamicRange', 'bits', 'entropy of the face''s luminance histogram'),
  (73, 'Sharpness', 'ratio', 'what a blur takes away of the face''s detail'),
  (74, 'CompressionArtifacts', 'IJG quality', 'quality that a JPEG was written at, 1 to 100'),
  (75, 'NaturalColour', 'CIELAB', 'distance of the cheeks'' colour from the range of skin'),
  (77, 'EyesOpen', 'ratio', 'gap of the lids of the eye that is open less, over eyes to chin'),
  (78, 'MouthClosed', 'ratio', 'gap of the inner lips over eyes to chin'),
  (79, 'EyesVisible', 'ratio', 'occluded share of the eye zones'),
  (80, 'MouthOcclusionPrevention', 'ratio', 'occluded share of the lips'),
  (81, 'FaceOcclusionPrevention', 'ratio', 'occluded share of the face'),
  (84, 'LeftwardCropOfTheFaceImage', 'ratio', 'room left of the left eye in the image, in eye distances'),
  (85, 'RightwardCropOfTheFaceImage', 'ratio', 'room right of the right eye in the image, in eye distances'),
  (86, 'MarginAboveOfTheFaceImage', 'ratio', 'room above the eyes, in eyes to chin'),
  (87, 'MarginBelowOfTheFaceImage', 'ratio', 'room below the eyes, in eyes to chin'),
  (88, 'HeadPoseYaw', 'degrees', 'positive: looks to the person''s left'),
  (89, 'HeadPosePitch', 'degrees', 'positive: looks down'),
  (90, 'HeadPoseRoll', 'degrees', 'positive: turned clockwise in the image'),
  (91, 'ExpressionNeutrality', '0 to 1', 'strongest movement of the face that is not a smile');

-- Channels and scenarios of the standard [6.3e, A.1]. A site that has one of the same name keeps its own.
ALTER TABLE visage.channel ADD COLUMN session_required boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN visage.channel.session_required IS 'flows are refused without a session that was opened for them';
ALTER TABLE visage.scenario
  ADD COLUMN factors smallint NOT NULL DEFAULT 0 CHECK (factors BETWEEN 0 AND 4),
  ADD COLUMN identity_check text NOT NULL DEFAULT 'institution' CHECK (identity_check IN ('institution', 'authority')),
  ADD COLUMN face text NOT NULL DEFAULT 'remote' CHECK (face IN ('remote', 'local'));
COMMENT ON COLUMN visage.scenario.factors IS 'further factors beside the face that it takes in any case; risk rules may ask for more';
COMMENT ON COLUMN visage.scenario.identity_check IS 'who says that person and identity belong together: the institution itself, or an authority, without whose word nobody is registered';
COMMENT ON COLUMN visage.scenario.face IS 'recommended: a remote comparison here, or the check of the person''s own device';
ALTER TABLE visage.calibration DROP CONSTRAINT calibration_scheme_check,
  ADD CONSTRAINT calibration_scheme_check CHECK (scheme IN ('plain', 'RFR-1/512', 'RFR-1/1024', 'RFR-1/2048', 'gallery/1024'));
COMMENT ON COLUMN visage.calibration.scheme IS '''plain'' compares two features; RFR-1/<bits> a feature with a reference; gallery/1024 two codes of one gallery';
-- These rows ship: they are not somebody's own.
ALTER TABLE visage.channel DISABLE TRIGGER guard_builtin;
ALTER TABLE visage.channel DISABLE TRIGGER count_policy_change;
ALTER TABLE visage.channel_floor DISABLE TRIGGER guard_builtin;
ALTER TABLE visage.channel_floor DISABLE TRIGGER count_policy_change;
ALTER TABLE visage.scenario DISABLE TRIGGER guard_builtin;
ALTER TABLE visage.scenario DISABLE TRIGGER count_policy_change;
-- [6.3e] A counter has staff who see who stands there. A lower target than 1e-5 would leave no measured threshold for
-- several references. Where the camera is the institution's own, the better 90 px of 7.4f; where it is the customer's, a
-- session.
WITH added AS (
  INSERT INTO visage.channel (institution, name, description, target_fmr, liveness_floor, session_required, builtin) VALUES
    (1, 'counter', 'counter, with staff', 1e-4, 0.5, false, true),
    (1, 'terminal', 'self-service terminal', 1e-5, 0.5, false, true),
    (1, 'mobile', 'the institution''s app on the customer''s phone', 1e-5, 0.5, true, true),
    (1, 'web', 'browser, with the customer''s own camera', 1e-5, 0.5, true, true)
    ON CONFLICT DO NOTHING RETURNING name)
INSERT INTO visage.channel_floor (institution, channel, measure, minimum, builtin)
  SELECT 1, a.name, measure, CASE WHEN measure = 'InterEyeDistance' AND a.name IN ('counter', 'terminal') THEN 90 ELSE minimum END, true
  FROM added a, (VALUES ('ImageWidth', 640), ('ImageHeight', 480), ('InterEyeDistance', 60)) f (measure, minimum);
-- [A.1] Table A.1, a row a line; where it recommends two ways for one business there are two scenarios.
INSERT INTO visage.scenario (institution, name, description, factors, identity_check, face, builtin) VALUES
  (1, 'underwriting', 'insurance: underwriting', 0, 'authority', 'remote', true),
  (1, 'claims', 'insurance: settlement of claims', 0, 'institution', 'remote', true),
  (1, 'consumer_credit', 'application for consumer credit', 0, 'authority', 'remote', true),
  (1, 'contract_signing', 'e-banking, quick payment, funds, collection, guarantees: the customer signs', 0, 'authority', 'remote', true),
  (1, 'contract_officer', 'the same: the officer in charge', 0, 'institution', 'local', true),
  (1, 'card_business', 'bank card: opening, unblocking, replacement, new password', 0, 'institution', 'remote', true),
  (1, 'card_application', 'credit card: application', 0, 'authority', 'remote', true),
  (1, 'card_collection', 'credit card: collection', 0, 'institution', 'remote', true),
  (1, 'login', 'login to online banking or the app', 0, 'institution', 'local', true),
  (1, 'remote_opening', 'account opened remotely, class I excluded', 0, 'authority', 'remote', true),
  (1, 'account_unlock', 'unlocking an account: the face and a one-time code', 1, 'institution', 'remote', true)
  ON CONFLICT DO NOTHING;
ALTER TABLE visage.channel ENABLE TRIGGER guard_builtin;
ALTER TABLE visage.channel ENABLE TRIGGER count_policy_change;
ALTER TABLE visage.channel_floor ENABLE TRIGGER guard_builtin;
ALTER TABLE visage.channel_floor ENABLE TRIGGER count_policy_change;
ALTER TABLE visage.scenario ENABLE TRIGGER guard_builtin;
ALTER TABLE visage.scenario ENABLE TRIGGER count_policy_change;

-- include 52_ledger.sql

-- include 53_session.sql

-- include 54_attempt.sql

-- include 55_factor.sql

-- include 56_policy_change.sql

-- include 58_report.sql

-- include 59_report_page.sql

-- What was recorded so far, in its old order and numbered without the gaps that rolled back calls left. The writer takes
-- these rows for the ledger's first when their leaves are right; their hash is then the tree's.
DO $do$
BEGIN
  EXECUTE format($q$
INSERT INTO visage.event (seq, at, operation, transaction_id, caller, institution, subject, channel, scenario, decision, reason,
                          target_fmr, model, policy_version, source, probe, reference, address, device, biz_id, elapsed_us, xid,
                          settles, object, before, after, note, detail, session, request, capture, leaf)
  SELECT e.*, %s
  FROM (SELECT row_number() OVER (ORDER BY b.seq) - 1 AS seq, b.at, b.operation::text::visage.operation AS operation,
               b.transaction_id, b.caller::text AS caller, b.institution, b.subject, b.channel, b.scenario, b.decision, b.reason,
               b.target_fmr, b.model, b.policy_version, b.source, b.probe, b.reference, NULL::bytea AS address,
               NULL::bytea AS device, b.biz_id, b.elapsed_us, NULL::xid8 AS xid, NULL::bigint AS settles, NULL::text AS object,
               NULL::bytea AS before, NULL::bytea AS after, NULL::text AS note, NULL::bytea AS detail,
               NULL::uuid AS session, NULL::bytea AS request, NULL::bytea AS capture
        FROM visage.event_before b) e,
       LATERAL (SELECT visage.leaf_of(ROW(e.*, NULL, NULL)::visage.event) AS leaf) l
  ORDER BY e.seq
  $q$, CASE current_setting('visage.suite', true) WHEN 'sm4-ctr-hmac-sm3'
    THEN (SELECT format('%I.digest(''\x00''::bytea || l.leaf, ''sm3''::text)', n.nspname)
          FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE x.extname = 'pgcrypto')
    ELSE 'sha256(''\x00''::bytea || l.leaf)' END);
END
$do$;
-- Dropped from the extension first: the list of what pg_dump carries would keep them.
ALTER EXTENSION pg_visage DROP SEQUENCE visage.event_seq_seq;
ALTER EXTENSION pg_visage DROP TABLE visage.event_before;
DROP TABLE visage.event_before;
DROP TYPE visage.operation_before;

-- Ever-growing in the order of time, so summaries of block ranges find what is asked for, and a verdict's cost does not
-- grow with the ledger as it would with one random index page a subject.
CREATE INDEX event_at ON visage.event USING brin (at) WITH (autosummarize = on, pages_per_range = 32);
CREATE INDEX event_subject ON visage.event USING brin (subject uuid_bloom_ops (false_positive_rate = 0.01))
  WITH (autosummarize = on, pages_per_range = 32);
CREATE INDEX event_transaction ON visage.event (transaction_id);
CREATE INDEX event_xid ON visage.event (seq) WHERE xid IS NOT NULL;
CREATE INDEX event_settles ON visage.event (settles) WHERE settles IS NOT NULL;
CREATE INDEX event_session ON visage.event (session) WHERE session IS NOT NULL;
CREATE INDEX event_biz_id ON visage.event (biz_id) WHERE biz_id IS NOT NULL;

-- References from verifications, and from elsewhere than a capture.
ALTER TABLE visage.subject ADD COLUMN revoked_at timestamptz;
COMMENT ON COLUMN visage.subject.revoked_at IS 'since when all references are withdrawn; then there is none';
ALTER TABLE visage.subject_reference ADD COLUMN adapted boolean NOT NULL DEFAULT false,
  ADD COLUMN origin text NOT NULL DEFAULT 'capture' CHECK (origin IN ('capture', 'authority', 'import'));
COMMENT ON COLUMN visage.subject_reference.adapted IS 'made from the probe of a verification, beside the originals; never one of them';
COMMENT ON COLUMN visage.subject_reference.origin IS 'a capture of the person, an authority''s photo, or a batch of an import';
CREATE UNIQUE INDEX subject_reference_adapted ON visage.subject_reference (subject, model) WHERE adapted;

-- include 64_revocation.sql
-- include 65_authority.sql
-- include 66_import.sql
-- include 67_duplicate.sql

-- include 68_reference_life.sql

-- include 69_gallery.sql
-- include 71_gallery_memory.sql
-- include 72_gallery_index.sql

-- include 77_identify.sql
-- include 78_gallery_epoch.sql
-- include 79_duplicate_batch.sql

-- include 80_consent.sql
-- include 81_session_candidates.sql
-- include 82_retention.sql
-- include 83_capture_page.sql
-- include 84_restore.sql
-- include 85_integrity.sql

-- include 86_risk.sql
-- include 87_risk_explain.sql

-- With the shipped limits the policy is another one.
UPDATE visage.policy_version SET version = version + 1;
INSERT INTO visage.policy_version (institution, version)
  SELECT i.id, 2 FROM visage.institution i WHERE NOT EXISTS (SELECT FROM visage.policy_version p WHERE p.institution = i.id);

CREATE FUNCTION visage.read_keys() RETURNS integer
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'visage_reload_keys';
COMMENT ON FUNCTION visage.read_keys() IS 'what visage.reload_keys() does, without its event';

-- The event comes second and its failure is a warning: a ledger whose key is missing cannot be written before the key
-- is loaded.
CREATE OR REPLACE FUNCTION visage.reload_keys() RETURNS integer
  LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  versions CONSTANT text := 'SELECT string_agg(custody || '' '' || version, '', '' ORDER BY custody, version) FROM visage.loaded_keys()';
  before text;
  after text;
  added integer;
BEGIN
  PERFORM visage.require_all();
  EXECUTE versions INTO before;
  added := visage.read_keys();
  IF added > 0 AND EXISTS (SELECT FROM visage.tree) THEN
    EXECUTE versions INTO after;
    BEGIN
      PERFORM visage.record_change('change', NULL, 'keys', sha256(convert_to(before, 'UTF8')), sha256(convert_to(after, 'UTF8')), after);
    EXCEPTION WHEN SQLSTATE 'VG004' OR SQLSTATE 'VG005' OR SQLSTATE 'VG006' THEN
      RAISE WARNING 'new key versions are loaded, but there may be no event about it: %', SQLERRM
        USING HINT = 'SELECT * FROM visage.audit_status says what is wrong with the audit writer.';
    END;
  END IF;
  RETURN added;
END
$$;
COMMENT ON FUNCTION visage.reload_keys() IS 'reads the key providers again; returns the number of new versions; refuses to lose one; writes an event';

-- Each table is read once; joining the counts would multiply rows. Counted is what the caller's institutions have.
CREATE OR REPLACE VIEW visage.keys WITH (security_barrier) AS
  WITH own (institution) AS MATERIALIZED (SELECT unnest(visage.institutions_of_caller())),
  subjects AS (SELECT s.id FROM visage.subject s WHERE s.institution IN (SELECT o.institution FROM own o)),
  usage (custody, version, first_use, subject_keys, subject_references, capture_sources, ledger_keys, factors) AS (
    SELECT 'envelope', key_version, min(created_at), count(*), 0, 0, 0, 0 FROM visage.subject_key
    WHERE subject IN (SELECT s.id FROM subjects s) GROUP BY key_version
    UNION ALL
    SELECT 'envelope', key_version, min(created_at), 0, count(*), 0, 0, 0 FROM visage.subject_reference
    WHERE subject IN (SELECT s.id FROM subjects s) GROUP BY key_version
    UNION ALL
    SELECT 'envelope', key_version, min(created_at), 0, 0, count(*), 0, 0 FROM visage.capture_source
    WHERE institution IN (SELECT o.institution FROM own o) GROUP BY key_version
    UNION ALL
    -- Heads that an earlier key signed are checked with its public half.
    SELECT 'envelope', key_version, NULL, 0, 0, 0, count(*), 0 FROM visage.tree GROUP BY key_version
    UNION ALL
    SELECT 'envelope', key_version, min(created_at), 0, 0, 0, 0, count(*) FROM visage.factor
    WHERE subject IN (SELECT s.id FROM subjects s) GROUP BY key_version
    UNION ALL
    SELECT 'transform', transform_version, min(created_at), 0, count(*), 0, 0, 0
    FROM visage.subject_reference
    WHERE subject IN (SELECT s.id FROM subjects s) GROUP BY transform_version
  )
  SELECT custody, version, l.version IS NOT NULL AS loaded, coalesce(l.newest, false) AS newest,
         min(u.first_use) AS first_use, coalesce(sum(u.subject_keys), 0)::bigint AS subject_keys,
         coalesce(sum(u.subject_references), 0)::bigint AS subject_references,
         coalesce(sum(u.capture_sources), 0)::bigint AS capture_sources,
         coalesce(sum(u.ledger_keys), 0)::bigint AS ledger_keys,
         custody = 'envelope' AND version = (SELECT min(o.version) FROM visage.loaded_keys() o WHERE o.custody = 'envelope')
           AS keyed_hashes,
         coalesce(sum(u.factors), 0)::bigint AS factors
  FROM visage.loaded_keys() l FULL JOIN usage u USING (custody, version)
  GROUP BY custody, version, l.version, l.newest;
COMMENT ON VIEW visage.keys IS 'versions of the root keys and what depends on each, as far as it is of the caller''s institutions; a version with loaded = false is needed and missing';
COMMENT ON COLUMN visage.keys.ledger_keys IS '1 where the key that signs the ledger now is derived from it';
COMMENT ON COLUMN visage.keys.keyed_hashes IS 'attempt counters and the hashes of addresses and devices are made with it: without it all counters begin anew';

-- Rights of what is new.
DO $$
DECLARE
  routine regprocedure;
BEGIN
  FOR routine IN
    SELECT p.oid FROM pg_catalog.pg_proc p
    WHERE p.pronamespace = 'visage'::pg_catalog.regnamespace AND p.proname !~ '^(probe|reference)_(in|out|recv|send|info)$'
      AND EXISTS (SELECT FROM pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a WHERE a.grantee = 0)
  LOOP
    EXECUTE pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', routine);
  END LOOP;
END
$$;
REVOKE ALL ON TYPE visage.operation, visage.attempt_kind FROM PUBLIC;
GRANT USAGE ON TYPE visage.operation, visage.attempt_kind
  TO visage_admin, visage_service, visage_capture, visage_auditor, visage_calibrator;
GRANT USAGE ON TYPE visage.probe, visage.decision, visage.reason TO visage_search;
GRANT SELECT ON visage.attempt_limit TO visage_admin, visage_service, visage_capture, visage_auditor, visage_calibrator;
GRANT INSERT, UPDATE, DELETE ON visage.attempt_limit TO visage_admin;
GRANT EXECUTE ON FUNCTION visage.unlock(text, text) TO visage_admin;
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

SELECT pg_catalog.pg_extension_config_dump('visage.attempt_limit', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('visage.attempt', '');
SELECT pg_catalog.pg_extension_config_dump('visage.event', '');
SELECT pg_catalog.pg_extension_config_dump('visage.event_detail', '');
SELECT pg_catalog.pg_extension_config_dump('visage.audit_policy', '');
SELECT pg_catalog.pg_extension_config_dump('visage.tree', '');
SELECT pg_catalog.pg_extension_config_dump('visage.tree_key', '');
SELECT pg_catalog.pg_extension_config_dump('visage.tree_node', '');

-- include 92_rights_change.sql

-- include 94_row_security.sql

-- It takes the owner's rights in C.
ALTER FUNCTION visage.verify(text, visage.probe, text, text, jsonb) SECURITY INVOKER RESET search_path;

-- include 99_recorded_rights.sql
