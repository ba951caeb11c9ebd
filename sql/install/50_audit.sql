-- Events: one record for every call of a flow and for every change that matters, and what auditors see of them.
-- The ledger over them is in 52_ledger.sql.

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
CREATE TYPE visage.decision AS ENUM ('accept', 'reject', 'refuse');
COMMENT ON TYPE visage.decision IS 'accept; reject: compared and different; refuse: not compared';
CREATE TYPE visage.reason AS ENUM (
  'OK',                 -- accepted
  'NO_MATCH',           -- compared: not the same person at the channel's target
  'LOCKED',             -- too many attempts
  'CONSENT_MISSING',    -- no consent for this purpose
  'REVOKED',            -- the subject's references were withdrawn
  'EXPIRED_PROBE',      -- captured too long ago, dated in the future, or before the server remembers uses
  'REPLAYED_PROBE',     -- this probe was used before
  'UNKNOWN_SOURCE',     -- capture source unknown, disabled, of another institution, or its key was replaced
  'LIVENESS',           -- below the channel's liveness floor
  'QUALITY',            -- below one of the channel's quality floors
  'FACTOR_MISSING',     -- another factor is needed
  'DENIED',             -- a deny-list or risk rule applies
  'UNKNOWN_SUBJECT',    -- nobody is registered under this name
  'SUBJECT_EXISTS',     -- somebody is registered under this name
  'UNKNOWN_REFERENCE',  -- the subject has no such reference
  'LAST_REFERENCE',     -- a subject keeps at least one; cancel instead
  'REFERENCE_LIMIT',    -- as many as allowed, or as the channel's target FMR leaves a measured threshold for
  'MODEL_MISMATCH',     -- probe and reference come from different models
  'NOT_CALIBRATED',     -- no measured threshold for this model at the channel's target FMR
  'INTERRUPTED',        -- compared, but an error or a cancel took the verdict back; it counts as a failure
  'NOT_ENTITLED',       -- the institution's entitlement to collect faces is over
  'SESSION_MISSING',    -- policy asks for a session
  'UNKNOWN_SESSION',    -- there is no such session
  'EXPIRED_SESSION',    -- it was opened too long ago
  'REPLAYED_SESSION',   -- it was used before, or another call is using it
  'SESSION_MISMATCH',   -- it was opened for another subject, purpose, scenario, channel or device, or the probe for another session
  'WRONG_FACTOR',       -- the evidence is not right, or the subject has no such factor
  'REPLAYED_FACTOR',    -- this one-time code was used before
  'UNKNOWN_FACTOR',     -- the subject has no such factor
  'FACTOR_EXISTS',      -- the subject has one of this kind; replace it
  'DUPLICATE_PERSON',   -- somebody who looks the same is registered under another name
  'UNDETERMINED',       -- whether that is so could not be found out, and policy asks for it
  'REFERENCE_EXPIRED',  -- the subject's references are too old: replace them
  'IDENTITY_UNCHECKED'  -- the scenario needs an authority's word, and there is none that counts
);

CREATE TYPE visage.outcome AS (
  transaction_id uuid,
  decision visage.decision,
  reason visage.reason,
  channel text,
  target_fmr double precision,
  model text,
  policy_version integer,
  retry_after interval,
  event bigint,
  reference uuid
);
COMMENT ON TYPE visage.outcome IS 'what every flow returns; it never holds a score';
COMMENT ON COLUMN visage.outcome.transaction_id IS 'this call''s own id, also in the history';
COMMENT ON COLUMN visage.outcome.decision IS 'the verdict; anything but accept is not one';
COMMENT ON COLUMN visage.outcome.reason IS 'why';
COMMENT ON COLUMN visage.outcome.channel IS 'channel whose policy applied';
COMMENT ON COLUMN visage.outcome.target_fmr IS 'false match rate that the threshold keeps';
COMMENT ON COLUMN visage.outcome.model IS 'feature model of the probe; null when no probe was opened';
COMMENT ON COLUMN visage.outcome.policy_version IS 'policy that was in force';
COMMENT ON COLUMN visage.outcome.retry_after IS 'when locked: how long';
COMMENT ON COLUMN visage.outcome.event IS 'number of the record in visage.history';
COMMENT ON COLUMN visage.outcome.reference IS 'reference or factor that was made or dropped';

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

CREATE FUNCTION visage.refuse_change() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'visage_refuse_change';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON visage.event
  FOR EACH STATEMENT EXECUTE FUNCTION visage.refuse_change();
ALTER TABLE visage.event ENABLE ALWAYS TRIGGER append_only;

CREATE FUNCTION visage.calling_role() RETURNS oid
  LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_calling_role';
COMMENT ON FUNCTION visage.calling_role() IS 'the role that called, also inside a SECURITY DEFINER function';

CREATE FUNCTION visage.acts_for(institution integer) RETURNS boolean
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
