\echo Use "ALTER EXTENSION pg_visage UPDATE" to load this file. \quit

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
  'open_session', 'claim_session', 'close_session',
  'enrol_factor', 'replace_factor', 'remove_factor',
  'present_factor'      -- in a session: object says of which kind
);
ALTER TYPE visage.reason ADD VALUE 'INTERRUPTED';
ALTER TYPE visage.reason ADD VALUE 'SESSION_MISSING';
ALTER TYPE visage.reason ADD VALUE 'UNKNOWN_SESSION';
ALTER TYPE visage.reason ADD VALUE 'EXPIRED_SESSION';
ALTER TYPE visage.reason ADD VALUE 'REPLAYED_SESSION';
ALTER TYPE visage.reason ADD VALUE 'SESSION_MISMATCH';
ALTER TYPE visage.reason ADD VALUE 'WRONG_FACTOR';
ALTER TYPE visage.reason ADD VALUE 'REPLAYED_FACTOR';
ALTER TYPE visage.reason ADD VALUE 'UNKNOWN_FACTOR';
ALTER TYPE visage.reason ADD VALUE 'FACTOR_EXISTS';
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
  leaf bytea NOT NULL,
  head bytea
);
COMMENT ON TABLE visage.event IS 'the ledger: one row a call, numbered from 0 without gaps; read it through visage.history';
COMMENT ON COLUMN visage.event.request IS 'keyed hash of the arguments of a call that names a biz_id';
COMMENT ON COLUMN visage.event.leaf IS 'RFC 9162 leaf hash of this row';
COMMENT ON COLUMN visage.event.head IS 'on the last row of a batch: root key version, tree hash and signature of the tree up to this row';

CREATE OR REPLACE FUNCTION visage.refuse_change() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'visage_refuse_change';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON visage.event
  FOR EACH STATEMENT EXECUTE FUNCTION visage.refuse_change();
ALTER TABLE visage.event ENABLE ALWAYS TRIGGER append_only;

CREATE VIEW visage.history WITH (security_barrier) AS
  SELECT e.seq AS event, e.at, i.name AS institution, e.operation, s.external_id AS subject, e.subject AS subject_surrogate,
         e.channel, e.scenario, e.decision, e.reason, e.target_fmr, e.model, e.policy_version,
         c.name AS source, e.probe, e.reference, e.address AS address_hash, e.device AS device_hash, e.biz_id,
         e.transaction_id, e.caller, e.elapsed_us * interval '1 microsecond' AS elapsed, e.xid,
         -- One settle event at most: min() only says so.
         CASE WHEN e.xid IS NOT NULL
           THEN coalesce((SELECT min(t.note) FROM visage.event t WHERE t.settles = e.seq AND t.operation = 'settle'), 'open')
         END AS settled,
         e.settles, e.object, e.before, e.after, e.note, e.session
  FROM visage.event e
  LEFT JOIN visage.institution i ON i.id = e.institution
  LEFT JOIN visage.subject s ON s.id = e.subject
  LEFT JOIN visage.capture_source c ON c.id = e.source
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
COMMENT ON COLUMN visage.history.object IS 'what was changed, or the kind of factor that was presented';
COMMENT ON COLUMN visage.history.before IS 'SHA-256 of what was changed, before; null when it is new';
COMMENT ON COLUMN visage.history.after IS 'SHA-256 of what was changed, after; null when it is gone';
COMMENT ON COLUMN visage.history.note IS 'what else there is to say: how a transaction ended, why a subject was unlocked, which factor was changed';
COMMENT ON COLUMN visage.history.session IS 'session of the call; object is ''session'' where the call used it up';

-- The ledger over visage.event: a Merkle tree (RFC 9162), its signed heads, proofs and verification.
-- The tables' names sort behind the others': a restore fills them last, and from then on the ledger is open.

CREATE TABLE visage.tree (
  only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  origin text NOT NULL,
  suite smallint NOT NULL,
  key_version bigint NOT NULL,
  opened_at timestamptz NOT NULL,
  system_identifier bigint NOT NULL,
  archived bigint NOT NULL DEFAULT 0 CHECK (archived >= 0 AND archived % 256 = 0),
  archived_head bytea
);
COMMENT ON TABLE visage.tree IS 'the ledger itself: one row once the first event was recorded';
COMMENT ON COLUMN visage.tree.origin IS 'name of the ledger, for ever; first line of every checkpoint';
COMMENT ON COLUMN visage.tree.suite IS 'whose hash the tree uses: 1 SHA-256, 2 SM3';
COMMENT ON COLUMN visage.tree.key_version IS 'envelope root from which the signing key is derived';
COMMENT ON COLUMN visage.tree.system_identifier IS 'server that wrote last; transactions of another cannot be asked about';
COMMENT ON COLUMN visage.tree.archived IS 'events below this number were exported and removed';
COMMENT ON COLUMN visage.tree.archived_head IS 'tree head that the last of those carried; the next event''s leaf covers it';

CREATE TABLE visage.tree_key (
  key_version bigint PRIMARY KEY,
  public_key bytea NOT NULL CHECK (length(public_key) = 32),
  since bigint NOT NULL,
  added_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE visage.tree_key IS 'public keys that signed heads of the ledger; compare them with those that you kept elsewhere';
COMMENT ON COLUMN visage.tree_key.since IS 'number of the first event under this key';

-- Subtrees of 2^8, 2^16 … leaves, so that a proof reads some hundreds of rows and not the whole ledger.
CREATE TABLE visage.tree_node (
  level smallint NOT NULL CHECK (level > 0 AND level % 8 = 0),
  index bigint NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (level, index)
);
COMMENT ON TABLE visage.tree_node IS 'roots of complete subtrees; verify_ledger() makes them anew from the events';

-- What may be known in clear for a while, beside the keyed hashes that stay. An event commits to it.
CREATE TABLE visage.event_detail (
  event bigint PRIMARY KEY,
  at timestamptz NOT NULL,
  institution integer NOT NULL,
  salt bytea NOT NULL,
  address text,
  device text
);
CREATE INDEX event_detail_at ON visage.event_detail (institution, at);
COMMENT ON TABLE visage.event_detail IS 'address and device in clear, where visage.audit_policy keeps them; erased when that time is over';

CREATE TABLE visage.audit_policy (
  institution integer PRIMARY KEY REFERENCES visage.institution,
  keep_details interval CHECK (keep_details > interval '0' AND keep_details <= interval '10 years')
);
COMMENT ON TABLE visage.audit_policy IS 'what the audit keeps besides the ledger, by institution; no row: nothing';
COMMENT ON COLUMN visage.audit_policy.keep_details IS 'how long address and device stay in clear; null: they are not kept';

-- Rows come from the audit writer, which does not pass here, and from a restore into a database without a ledger.
CREATE FUNCTION visage.refuse_insert() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM visage.tree) THEN
    RAISE EXCEPTION 'visage.% is written by the audit writer', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER writer_only BEFORE INSERT ON visage.event FOR EACH STATEMENT EXECUTE FUNCTION visage.refuse_insert();
ALTER TABLE visage.event ENABLE ALWAYS TRIGGER writer_only;
-- A restore brings the nodes after the tree: they may be put where they are missing, which is nowhere in a ledger that
-- the audit writer writes, and not ahead of the events.
CREATE FUNCTION visage.refuse_node() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NEW.index >= (SELECT greatest(t.archived, (SELECT max(e.seq) + 1 FROM visage.event e)) FROM visage.tree t) >> NEW.level THEN
    RAISE EXCEPTION 'visage.% is written by the audit writer', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER writer_only BEFORE INSERT ON visage.tree_node FOR EACH ROW EXECUTE FUNCTION visage.refuse_node();
ALTER TABLE visage.tree_node ENABLE ALWAYS TRIGGER writer_only;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON visage.tree_node
  FOR EACH STATEMENT EXECUTE FUNCTION visage.refuse_change();
ALTER TABLE visage.tree_node ENABLE ALWAYS TRIGGER append_only;

CREATE FUNCTION visage.audit_status(
  OUT state text, OUT pid integer, OUT database text, OUT fault text, OUT queued integer, OUT oldest_queued interval,
  OUT events bigint, OUT recorded bigint, OUT failed bigint, OUT batches bigint, OUT last_batch integer,
  OUT largest_batch integer, OUT last_batch_took interval, OUT last_commit timestamptz)
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'visage_audit_status';
COMMENT ON FUNCTION visage.audit_status() IS 'source of the view visage.audit_status';
CREATE VIEW visage.audit_status AS SELECT * FROM visage.audit_status();
COMMENT ON VIEW visage.audit_status IS 'the audit writer: does it run, how far behind is it';
COMMENT ON COLUMN visage.audit_status.state IS 'ready; waiting: no extension of its version in its database; faulty: see fault; stopped; not started';
COMMENT ON COLUMN visage.audit_status.pid IS 'process of the writer';
COMMENT ON COLUMN visage.audit_status.database IS 'database that it serves, visage.database';
COMMENT ON COLUMN visage.audit_status.fault IS 'why it may not extend the ledger, or what the last failed batch met';
COMMENT ON COLUMN visage.audit_status.queued IS 'records that wait for it';
COMMENT ON COLUMN visage.audit_status.oldest_queued IS 'how long the first of them has waited: the lag';
COMMENT ON COLUMN visage.audit_status.events IS 'events in the ledger, archived ones included';
COMMENT ON COLUMN visage.audit_status.recorded IS 'events recorded since the server started';
COMMENT ON COLUMN visage.audit_status.failed IS 'records that could not be written since the server started; their callers got an error';
COMMENT ON COLUMN visage.audit_status.batches IS 'commits since the server started';
COMMENT ON COLUMN visage.audit_status.last_batch IS 'events in the last commit';
COMMENT ON COLUMN visage.audit_status.largest_batch IS 'most events in one commit';
COMMENT ON COLUMN visage.audit_status.last_batch_took IS 'from taking the last batch to its commit';
COMMENT ON COLUMN visage.audit_status.last_commit IS 'when the last batch was durable';

CREATE FUNCTION visage.leaf_of(event visage.event, previous_head bytea DEFAULT NULL) RETURNS bytea
  LANGUAGE c IMMUTABLE AS 'MODULE_PATHNAME', 'visage_leaf_of';
COMMENT ON FUNCTION visage.leaf_of(visage.event, bytea) IS 'the bytes of an event that the tree covers (docs/formats.md)';

CREATE FUNCTION visage.leaf(event bigint) RETURNS bytea
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT visage.leaf_of(e, (SELECT p.head FROM visage.event p WHERE p.seq = e.seq - 1)) 
  FROM visage.event e WHERE e.seq = $1 AND (e.institution IS NULL OR visage.acts_for(e.institution))
$$;
COMMENT ON FUNCTION visage.leaf(bigint) IS 'the bytes of an event that the tree covers: SHA-256 of 0x00 and these is the leaf hash that inclusion_proof() leads to the root';

CREATE FUNCTION visage.checkpoint() RETURNS text
  LANGUAGE c STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS 'MODULE_PATHNAME', 'visage_checkpoint';
COMMENT ON FUNCTION visage.checkpoint() IS 'the newest tree head as a signed note (C2SP tlog-checkpoint); keep it outside the database';

CREATE FUNCTION visage.ledger_public_key() RETURNS text
  LANGUAGE c STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS 'MODULE_PATHNAME', 'visage_ledger_public_key';
COMMENT ON FUNCTION visage.ledger_public_key() IS 'verifier key of the ledger''s notes: origin, key id and Ed25519 key';

CREATE FUNCTION visage.inclusion_proof(event bigint, size bigint DEFAULT NULL) RETURNS bytea[]
  LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS 'MODULE_PATHNAME', 'visage_inclusion_proof';
COMMENT ON FUNCTION visage.inclusion_proof(bigint, bigint) IS 'audit path of an event in the tree of that size (RFC 9162, 2.1.3); the newest when size is null';

CREATE FUNCTION visage.consistency_proof(first bigint, second bigint DEFAULT NULL) RETURNS bytea[]
  LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS 'MODULE_PATHNAME', 'visage_consistency_proof';
COMMENT ON FUNCTION visage.consistency_proof(bigint, bigint) IS 'proof that the tree of one size is the beginning of that of another (RFC 9162, 2.1.4)';

CREATE FUNCTION visage.verify_ledger(
  "from" bigint DEFAULT NULL, "to" bigint DEFAULT NULL, checkpoint text DEFAULT NULL,
  OUT event bigint, OUT fault text, OUT detail text)
  RETURNS SETOF record
  LANGUAGE c STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS 'MODULE_PATHNAME', 'visage_verify_ledger';
COMMENT ON FUNCTION visage.verify_ledger(bigint, bigint, text) IS
  'makes the tree anew from the events and compares: one row for every fault, none when all is well; give it a checkpoint that you kept';

CREATE FUNCTION visage.ledger_progress(OUT pid integer, OUT verified bigint, OUT total bigint) RETURNS SETOF record
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'visage_ledger_progress';
COMMENT ON FUNCTION visage.ledger_progress() IS 'running verifications of the ledger: events done, events to do';

-- Digest of all policy, for the event that opens the ledger: later changes have events of their own.
CREATE FUNCTION visage.policy_digest() RETURNS bytea
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text;
  part bytea;
  whole bytea := '';
BEGIN
  FOREACH name IN ARRAY ARRAY['institution', 'institution_role', 'channel', 'channel_floor', 'scenario', 'calibration',
                              'capture_source', 'attempt_limit', 'audit_policy', 'session_policy', 'requirement', 'factor_policy',
                              'otp_service', 'trust_anchor', 'revocation_list']
  LOOP
    EXECUTE format('SELECT sha256(convert_to(coalesce(string_agg(t::text, E''\n'' ORDER BY t::text COLLATE "C"), ''''), ''UTF8'')) FROM visage.%I t', name)
      INTO part;
    whole := whole || part;
  END LOOP;
  RETURN sha256(whole);
END
$$;
COMMENT ON FUNCTION visage.policy_digest() IS 'SHA-256 over all policy tables as text';

CREATE FUNCTION visage.record_change(
  operation visage.operation, institution integer, object text, before bytea, after bytea, note text) RETURNS bigint
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'visage_record_change';
COMMENT ON FUNCTION visage.record_change(visage.operation, integer, text, bytea, bytea, text) IS
  'records a change and waits until the record is durable; for the functions of this extension';

CREATE FUNCTION visage.rotate_ledger_key() RETURNS bigint
  LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT visage.record_change('rotate_ledger_key', NULL, 'tree head key', NULL, NULL, NULL)
$$;
COMMENT ON FUNCTION visage.rotate_ledger_key() IS 'signs tree heads from here on with the key of the newest root; the old public key stays in visage.tree_key';

-- Retention. A segment is a complete subtree of 256 events: its leaves, and the path from its root to the checkpoint's.
CREATE FUNCTION visage.archive_ledger(
  before timestamptz, OUT segment bigint, OUT first bigint, OUT last bigint, OUT leaves bytea[], OUT node bytea, OUT proof bytea[],
  OUT checkpoint text)
  RETURNS SETOF record
  LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  from_event bigint;
  to_event bigint;  -- the first that stays
  size bigint;
  note text := visage.checkpoint();
BEGIN
  SELECT t.archived INTO from_event FROM visage.tree t FOR UPDATE;
  size := split_part(note, E'\n', 2)::bigint;
  SELECT coalesce(min(e.seq), size) INTO to_event FROM visage.event e WHERE e.at >= before;
  -- What is not settled stays, and so does the probes' memory, which is read from the events.
  SELECT least(to_event, min(e.seq)) INTO to_event FROM visage.event e
    WHERE (e.xid IS NOT NULL AND NOT EXISTS (SELECT FROM visage.event s WHERE s.settles = e.seq))
       OR e.at > clock_timestamp() - current_setting('visage.probe_max_age')::interval - current_setting('visage.clock_skew')::interval
       -- So does what became of sessions that live.
       OR e.session IN (SELECT s.id FROM visage.session s WHERE s.expires_at > clock_timestamp());
  to_event := least(to_event, size) / 256 * 256;
  IF to_event <= from_event THEN
    RETURN;
  END IF;
  IF EXISTS (SELECT FROM visage.verify_ledger(from_event, to_event - 1)) THEN
    RAISE EXCEPTION 'the events to archive do not verify' USING ERRCODE = 'data_corrupted',
      HINT = 'SELECT * FROM visage.verify_ledger() says where.';
  END IF;
  PERFORM visage.record_change('archive', NULL, format('events %s to %s', from_event, to_event - 1), NULL, NULL,
                               format('before %s', before));
  FOR segment IN from_event / 256 .. to_event / 256 - 1 LOOP
    first := segment * 256;
    last := first + 255;
    SELECT array_agg(visage.leaf_of(e, CASE WHEN e.seq = first AND first = from_event THEN (SELECT t.archived_head FROM visage.tree t)
                                            ELSE (SELECT p.head FROM visage.event p WHERE p.seq = e.seq - 1) END) ORDER BY e.seq)
      INTO leaves FROM visage.event e WHERE e.seq BETWEEN first AND last;
    SELECT n.hash INTO node FROM visage.tree_node n WHERE n.level = 8 AND n.index = segment;
    -- The path of the segment's first leaf without its lowest eight levels.
    proof := (visage.inclusion_proof(first, size))[9:];
    checkpoint := note;
    RETURN NEXT;
  END LOOP;
  PERFORM visage.remove_events(to_event);
END
$$;
COMMENT ON FUNCTION visage.archive_ledger(timestamptz) IS
  'returns what is older as segments with proofs, and removes it in the same transaction: COPY (SELECT …) TO a file that you keep; what remains still verifies';
COMMENT ON COLUMN visage.tree_node.level IS 'height: it covers 2^level events';

CREATE FUNCTION visage.remove_events(before bigint) RETURNS void
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'visage_remove_events';
COMMENT ON FUNCTION visage.remove_events(bigint) IS 'part of archive_ledger(): the only way past the append-only triggers';

-- Attempt limits: the policy, the counters as they are stored, and who may look and unlock. [8.2.5d]
-- Counters live in shared memory; the audit writer stores them with the commit that stores the events. docs/attempts.md

CREATE TYPE visage.attempt_kind AS ENUM (
  'subject',  -- the caller's name of a subject, whether or not anybody is registered under it
  'source',   -- the capture source that sealed the probe
  'address',  -- context->>'address'
  'device',   -- context->>'device'
  'factor'    -- a kind of factor of a subject, by the subject's name
);

CREATE TABLE visage.attempt_limit (
  institution integer NOT NULL REFERENCES visage.institution,
  kind visage.attempt_kind NOT NULL,
  with_liveness boolean NOT NULL,
  free_failures integer CHECK (free_failures > 0),
  first_delay interval CHECK (first_delay > '0' AND first_delay <= '1 year'),
  max_delay interval CHECK (max_delay <= '1 year'),
  hard_stop integer CHECK (hard_stop > 0),
  period_failures integer CHECK (period_failures > 0),
  period interval CHECK (period > '0' AND period <= '1 year'),
  builtin boolean NOT NULL DEFAULT false,
  PRIMARY KEY (institution, kind, with_liveness),
  CONSTRAINT attempt_limit_delays CHECK (
    num_nulls(free_failures, first_delay, max_delay) IN (0, 3) AND max_delay >= first_delay),
  CONSTRAINT attempt_limit_hard_stop CHECK (hard_stop >= free_failures),
  CONSTRAINT attempt_limit_period CHECK (num_nulls(period_failures, period) IN (0, 2))
);
COMMENT ON TABLE visage.attempt_limit IS 'how many failures each kind of counter allows; where an institution has no row, that of institution 1 applies [8.2.5d]';
COMMENT ON COLUMN visage.attempt_limit.with_liveness IS 'applies to channels that have a liveness floor';
COMMENT ON COLUMN visage.attempt_limit.free_failures IS 'consecutive failures without a delay, and attempts in flight at one time; null: no delays';
COMMENT ON COLUMN visage.attempt_limit.first_delay IS 'wait after free_failures; each further failure doubles it';
COMMENT ON COLUMN visage.attempt_limit.max_delay IS 'longest wait';
COMMENT ON COLUMN visage.attempt_limit.hard_stop IS 'consecutive failures after which only visage.unlock() helps; null: none';
COMMENT ON COLUMN visage.attempt_limit.period_failures IS 'failures within a period, whatever succeeds in between; null: any number';
COMMENT ON COLUMN visage.attempt_limit.period IS 'length of the period, which begins with its first failure';

-- Subject: NIST SP 800-63B-4 3.2.3 allows 5 consecutive failures, 10 with presentation attack detection, then at least
-- 30 s before each further attempt, and no more than 50, or 100. The same numbers bound 30 days, because an attacker who
-- has one accepted face sets consecutive failures back whenever it likes.
-- Factor: the same without liveness. 50 guesses of three valid codes of six digits have a chance of 0.015 %.
-- Source, address, device: a false rejection rate of 2 % (7.1) makes 1,000 failures of 50,000 honest attempts of a source
-- in ten minutes, 100 of 5,000 behind one address, 20 of 1,000 at one device. A site that has more behind one raises it.
INSERT INTO visage.attempt_limit
  SELECT 1, kind::visage.attempt_kind, with_liveness, free_failures, first_delay, max_delay, hard_stop, period_failures, period, true
  FROM (VALUES
    ('subject', false, 5, interval '30 seconds', interval '1 hour', 50, 50, interval '30 days'),
    ('subject', true, 10, '30 seconds', '1 hour', 100, 100, '30 days'),
    ('source', false, NULL, NULL, NULL, NULL, 1000, '10 minutes'),
    ('source', true, NULL, NULL, NULL, NULL, 1000, '10 minutes'),
    ('address', false, NULL, NULL, NULL, NULL, 100, '10 minutes'),
    ('address', true, NULL, NULL, NULL, NULL, 100, '10 minutes'),
    ('device', false, NULL, NULL, NULL, NULL, 20, '10 minutes'),
    ('device', true, NULL, NULL, NULL, NULL, 20, '10 minutes'),
    ('factor', false, 5, '30 seconds', '1 hour', 50, 50, '30 days'),
    ('factor', true, 5, '30 seconds', '1 hour', 50, 50, '30 days')
  ) t (kind, with_liveness, free_failures, first_delay, max_delay, hard_stop, period_failures, period);

CREATE TRIGGER guard_builtin BEFORE INSERT OR UPDATE OR DELETE ON visage.attempt_limit
  FOR EACH ROW EXECUTE FUNCTION visage.guard_builtin('institution', 'kind', 'with_liveness');
CREATE TRIGGER count_policy_change AFTER INSERT OR UPDATE OR DELETE ON visage.attempt_limit
  FOR EACH STATEMENT EXECUTE FUNCTION visage.count_policy_change();
-- Written by the audit writer alone, read where a counter is not in memory. No foreign keys: the writer must never wait
-- for a row that a caller has locked. Updates touch no indexed column, and pages keep room for them (HOT).
CREATE TABLE visage.attempt (
  institution integer NOT NULL,
  kind visage.attempt_kind NOT NULL,
  key bytea NOT NULL CHECK (length(key) = 16),
  subject uuid,
  failures integer NOT NULL CHECK (failures >= 0),
  failures_in_period integer NOT NULL CHECK (failures_in_period >= 0),
  period_start timestamptz,
  last_failure timestamptz NOT NULL,
  locked_until timestamptz,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (institution, kind, key)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
COMMENT ON TABLE visage.attempt IS 'counters of failed attempts, as of the last commit of the audit writer; memory has the newest';
COMMENT ON COLUMN visage.attempt.key IS 'keyed hash of what is counted: without the key it names nobody';
COMMENT ON COLUMN visage.attempt.subject IS 'surrogate, where the subject was registered at its last failure';

CREATE VIEW visage.attempts WITH (security_barrier) AS
  SELECT i.name AS institution, a.kind, s.external_id AS subject, a.key AS hash, a.failures, a.failures_in_period,
         a.period_start, a.last_failure, a.locked_until, coalesce(a.locked_until = 'infinity', false) AS needs_unlock,
         a.updated_at
  FROM visage.attempt a
  JOIN visage.institution i ON i.id = a.institution
  LEFT JOIN visage.subject s ON s.id = a.subject
  WHERE a.institution IN (SELECT b.id FROM visage.institution b WHERE visage.acts_for(b.id));
COMMENT ON VIEW visage.attempts IS 'counters of failed attempts; for administrators and auditors [8.2.5d]';
COMMENT ON COLUMN visage.attempts.institution IS 'whose attempts';
COMMENT ON COLUMN visage.attempts.kind IS 'what is counted';
COMMENT ON COLUMN visage.attempts.subject IS 'the caller''s name of the subject; null for the other kinds, and for who is not registered';
COMMENT ON COLUMN visage.attempts.hash IS 'keyed hash of what is counted; of addresses and devices as in visage.history';
COMMENT ON COLUMN visage.attempts.failures IS 'consecutive failures: a success sets them back';
COMMENT ON COLUMN visage.attempts.failures_in_period IS 'failures of the period, which no success sets back';
COMMENT ON COLUMN visage.attempts.period_start IS 'first failure of the period';
COMMENT ON COLUMN visage.attempts.last_failure IS 'time of the latest failure';
COMMENT ON COLUMN visage.attempts.locked_until IS 'until when nothing was allowed after it, under the policy of that time; null: not locked';
COMMENT ON COLUMN visage.attempts.needs_unlock IS 'only visage.unlock() helps';
COMMENT ON COLUMN visage.attempts.updated_at IS 'when the counter was last stored';

CREATE FUNCTION visage.unlock(subject text, why text) RETURNS boolean
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_unlock';
COMMENT ON FUNCTION visage.unlock(text, text) IS 'sets the failures of a subject and of its factors back, for a reason that the event keeps; false when there were none [8.2.5d]';

-- Sessions: who may come to a flow, with which factors, from which device and channel. [5.3, 6.5d, 6.6e, 8.2.2b, 8.2.5c]
-- A session's row is what it was opened with. What became of it (factors presented, used up) is in the ledger alone, so a
-- caller's ROLLBACK gives nothing back. docs/sessions.md

CREATE TABLE visage.session_policy (
  institution integer PRIMARY KEY REFERENCES visage.institution,
  lifetime interval NOT NULL DEFAULT '10 minutes' CHECK (lifetime >= '10 seconds' AND lifetime <= '1 day'),
  challenge_steps smallint NOT NULL DEFAULT 3 CHECK (challenge_steps BETWEEN 0 AND 6),
  builtin boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE visage.session_policy IS 'life of sessions; where an institution has no row, that of institution 1 applies';
COMMENT ON COLUMN visage.session_policy.challenge_steps IS 'movements that the capture asks for, in random order';
INSERT INTO visage.session_policy (institution, builtin) VALUES (1, true);

CREATE TABLE visage.requirement (
  institution integer NOT NULL REFERENCES visage.institution,
  operation visage.operation NOT NULL CHECK (operation IN (
    'register', 'verify', 'compare', 'add_reference', 'drop_reference', 'cancel', 'enrol_factor', 'replace_factor', 'remove_factor')),
  channel text NOT NULL DEFAULT '*' CHECK (length(channel) BETWEEN 1 AND 63),
  scenario text NOT NULL DEFAULT '*' CHECK (length(scenario) BETWEEN 1 AND 63),
  risk smallint NOT NULL DEFAULT 0 CHECK (risk BETWEEN 0 AND 9),
  session boolean NOT NULL DEFAULT false,
  factors smallint NOT NULL DEFAULT 0 CHECK (factors BETWEEN 0 AND 5),
  builtin boolean NOT NULL DEFAULT false,
  PRIMARY KEY (institution, operation, channel, scenario, risk)
);
COMMENT ON TABLE visage.requirement IS 'what a flow asks for; of several rows that apply the strictest counts, and an institution without a row for an operation has those of institution 1 [6.6e]';
COMMENT ON COLUMN visage.requirement.channel IS '* is every channel';
COMMENT ON COLUMN visage.requirement.scenario IS '* is every scenario';
COMMENT ON COLUMN visage.requirement.risk IS 'applies from this risk level on; 0 always';
COMMENT ON COLUMN visage.requirement.session IS 'a call without a session is refused';
COMMENT ON COLUMN visage.requirement.factors IS 'different factors that a session must show; a face that the flow itself compares is one of them';
-- 8.2.2b: one before a registration capture. 8.2.5c: two before the user changes or cancels. They hold for the user's
-- sessions; an operator's calls without one stay possible until a row asks for a session.
INSERT INTO visage.requirement (institution, operation, factors, builtin)
  SELECT 1, operation::visage.operation, factors, true
  FROM (VALUES ('register', 1), ('verify', 1), ('add_reference', 2), ('drop_reference', 2), ('cancel', 2),
               ('enrol_factor', 1), ('replace_factor', 2), ('remove_factor', 2)) t (operation, factors);

CREATE TABLE visage.session (
  id uuid PRIMARY KEY,
  institution integer NOT NULL,
  purpose visage.operation NOT NULL,
  scenario text NOT NULL,
  opened_channel text NOT NULL,
  channel text NOT NULL,
  subject_hash bytea CHECK (length(subject_hash) = 16),
  subject uuid,
  device bytea CHECK (length(device) = 16),
  nonce bytea NOT NULL CHECK (length(nonce) = 32),
  factors smallint NOT NULL,
  challenge text NOT NULL,
  opened_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  claimed_at timestamptz
);
CREATE INDEX session_expires_at ON visage.session (expires_at);
COMMENT ON TABLE visage.session IS 'sessions as they were opened; rows leave a day after they expire, their events stay';
COMMENT ON COLUMN visage.session.subject_hash IS 'keyed hash of the subject''s name, whether or not anybody is registered under it';
COMMENT ON COLUMN visage.session.subject IS 'surrogate, where somebody was';
COMMENT ON COLUMN visage.session.device IS 'keyed hash of the device that may use it';

CREATE FUNCTION visage.open_session(
  subject text, purpose visage.operation, scenario text DEFAULT 'default', channel text DEFAULT 'default',
  context jsonb DEFAULT '{}',
  OUT session uuid, OUT nonce bytea, OUT factors smallint, OUT challenge text, OUT expires_at timestamptz)
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_open_session';
COMMENT ON FUNCTION visage.open_session(text, visage.operation, text, text, jsonb) IS
  'opens a session for one call of the flow that purpose names; it looks the same whether or not the subject exists [6.5d]';

CREATE FUNCTION visage.claim_session(
  session uuid, channel text, context jsonb DEFAULT '{}',
  OUT claimed boolean, OUT reason visage.reason, OUT purpose visage.operation, OUT scenario text, OUT nonce bytea,
  OUT factors smallint, OUT challenge text, OUT expires_at timestamptz)
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_claim_session';
COMMENT ON FUNCTION visage.claim_session(uuid, text, jsonb) IS
  'takes over a session that another channel opened for this one, once, and ties it to the device that the context names [6.5d]';

CREATE FUNCTION visage.close_session(session uuid) RETURNS boolean
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_close_session';
COMMENT ON FUNCTION visage.close_session(uuid) IS 'ends a session that was not used; false when it was';

CREATE VIEW visage.sessions WITH (security_barrier) AS
  SELECT s.id AS session, i.name AS institution, s.purpose, s.scenario, s.opened_channel, s.channel,
         CASE WHEN d.seq IS NOT NULL THEN
                CASE WHEN d.decision = 'accept' AND (d.operation IN ('verify', 'compare') OR NOT EXISTS (
                       SELECT FROM visage.event t WHERE t.settles = d.seq AND t.note = 'rolled back')) THEN 'SUCCEEDED' ELSE 'FAILED' END
              WHEN s.expires_at <= clock_timestamp() THEN 'EXPIRED'
              WHEN s.claimed_at IS NOT NULL OR u.presented > 0 THEN 'IN_PROGRESS' ELSE 'CREATED' END AS state,
         s.factors, u.presented::smallint, s.opened_at, s.expires_at, s.claimed_at, d.decision, d.reason, d.seq AS event
  FROM visage.session s
  JOIN visage.institution i ON i.id = s.institution
  CROSS JOIN LATERAL (
    SELECT count(DISTINCT e.object) FILTER (WHERE e.operation = 'present_factor' AND e.decision = 'accept') AS presented,
           min(e.seq) FILTER (WHERE e.object = 'session') AS used
    FROM visage.event e WHERE e.session = s.id) u
  LEFT JOIN visage.event d ON d.seq = u.used
  WHERE visage.acts_for(s.institution);
COMMENT ON VIEW visage.sessions IS 'what became of sessions, for whoever opened them and for auditors';
COMMENT ON COLUMN visage.sessions.session IS 'id of the session';
COMMENT ON COLUMN visage.sessions.institution IS 'whose session';
COMMENT ON COLUMN visage.sessions.purpose IS 'the flow that it is for';
COMMENT ON COLUMN visage.sessions.scenario IS 'business that asked';
COMMENT ON COLUMN visage.sessions.opened_channel IS 'where it was opened';
COMMENT ON COLUMN visage.sessions.channel IS 'where it is to be finished';
COMMENT ON COLUMN visage.sessions.state IS 'CREATED, IN_PROGRESS (claimed, or a factor was presented), SUCCEEDED, FAILED or EXPIRED';
COMMENT ON COLUMN visage.sessions.factors IS 'factors that must be presented';
COMMENT ON COLUMN visage.sessions.presented IS 'different factors that were';
COMMENT ON COLUMN visage.sessions.opened_at IS 'when it was opened';
COMMENT ON COLUMN visage.sessions.expires_at IS 'from then on it is of no use';
COMMENT ON COLUMN visage.sessions.claimed_at IS 'when the other channel took over';
COMMENT ON COLUMN visage.sessions.decision IS 'verdict of the call that used it up';
COMMENT ON COLUMN visage.sessions.reason IS 'why';
COMMENT ON COLUMN visage.sessions.event IS 'number of that call''s record';

CREATE TRIGGER guard_builtin BEFORE INSERT OR UPDATE OR DELETE ON visage.session_policy
  FOR EACH ROW EXECUTE FUNCTION visage.guard_builtin('institution');
CREATE TRIGGER guard_builtin BEFORE INSERT OR UPDATE OR DELETE ON visage.requirement
  FOR EACH ROW EXECUTE FUNCTION visage.guard_builtin('institution', 'operation', 'channel', 'scenario', 'risk');
CREATE TRIGGER count_policy_change AFTER INSERT OR UPDATE OR DELETE ON visage.session_policy
  FOR EACH STATEMENT EXECUTE FUNCTION visage.count_policy_change();
CREATE TRIGGER count_policy_change AFTER INSERT OR UPDATE OR DELETE ON visage.requirement
  FOR EACH STATEMENT EXECUTE FUNCTION visage.count_policy_change();

-- Factors beside the face: enrolled secrets, sealed under the subject's key, and who vouches for the others. [6.6e]
-- docs/factors.md

CREATE TYPE visage.factor_kind AS ENUM (
  'password',     -- bcrypt over a keyed hash, sealed
  'totp',         -- RFC 6238
  'certificate',  -- X.509: signs the session's nonce
  'otp',          -- one-time code that the caller's service checked, as a signed assertion; not enrolled
  'face'          -- a probe against the subject's references; not enrolled
);

CREATE TABLE visage.factor (
  id uuid PRIMARY KEY,
  subject uuid NOT NULL REFERENCES visage.subject ON DELETE CASCADE,
  kind visage.factor_kind NOT NULL CHECK (kind IN ('password', 'totp', 'certificate')),
  sealed bytea NOT NULL,
  key_version bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (subject, kind)
);
COMMENT ON TABLE visage.factor IS 'enrolled factors; their secrets open under an envelope root and the subject''s key only';

CREATE TABLE visage.factor_policy (
  institution integer PRIMARY KEY REFERENCES visage.institution,
  password_min_length smallint NOT NULL DEFAULT 8 CHECK (password_min_length BETWEEN 6 AND 64),
  password_cost smallint NOT NULL DEFAULT 10 CHECK (password_cost BETWEEN 8 AND 16),
  totp_window smallint NOT NULL DEFAULT 1 CHECK (totp_window BETWEEN 0 AND 10),
  otp_lifetime interval NOT NULL DEFAULT '5 minutes' CHECK (otp_lifetime > '0' AND otp_lifetime <= '1 hour'),
  require_revocation_list boolean NOT NULL DEFAULT true,
  builtin boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE visage.factor_policy IS 'how factors are checked; where an institution has no row, that of institution 1 applies';
COMMENT ON COLUMN visage.factor_policy.password_min_length IS 'in characters; only what is enrolled from then on';
COMMENT ON COLUMN visage.factor_policy.password_cost IS 'bcrypt''s, a power of two: each more doubles the time';
COMMENT ON COLUMN visage.factor_policy.totp_window IS 'steps before and after the present one whose codes are taken';
COMMENT ON COLUMN visage.factor_policy.otp_lifetime IS 'longest life of an assertion, whatever it says itself';
COMMENT ON COLUMN visage.factor_policy.require_revocation_list IS 'refuse a certificate when an authority of its chain has no list in visage.revocation_list';
INSERT INTO visage.factor_policy (institution, builtin) VALUES (1, true);

CREATE FUNCTION visage.check_public_key(pem text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_check_public_key';
COMMENT ON FUNCTION visage.check_public_key(text) IS 'an error unless it is a public key in PEM of Ed25519 or of ECDSA over P-256 or P-384';
CREATE FUNCTION visage.check_trust_anchor(pem text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_check_trust_anchor';
COMMENT ON FUNCTION visage.check_trust_anchor(text) IS 'an error unless it is one certificate of an authority in PEM';
CREATE FUNCTION visage.check_revocation_list(pem text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_check_revocation_list';
COMMENT ON FUNCTION visage.check_revocation_list(text) IS 'an error unless it is one revocation list in PEM';

CREATE TABLE visage.otp_service (
  institution integer NOT NULL REFERENCES visage.institution,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
  public_key text NOT NULL CHECK (visage.check_public_key(public_key)),
  enabled boolean NOT NULL DEFAULT true,
  PRIMARY KEY (institution, name)
);
COMMENT ON TABLE visage.otp_service IS 'services that check one-time codes and sign assertions about it; a row a key';
CREATE TABLE visage.trust_anchor (
  institution integer NOT NULL REFERENCES visage.institution,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
  certificate text NOT NULL CHECK (visage.check_trust_anchor(certificate)),
  enabled boolean NOT NULL DEFAULT true,
  PRIMARY KEY (institution, name)
);
COMMENT ON TABLE visage.trust_anchor IS 'root authorities whose certificates are taken, in PEM';
CREATE TABLE visage.revocation_list (
  institution integer NOT NULL REFERENCES visage.institution,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
  list text NOT NULL CHECK (visage.check_revocation_list(list)),
  PRIMARY KEY (institution, name)
);
COMMENT ON TABLE visage.revocation_list IS 'revocation lists (CRL) of the authorities, in PEM; replace them before they expire';

CREATE FUNCTION visage.enrol_factor(
  subject text, kind visage.factor_kind, secret text, channel text DEFAULT 'default', scenario text DEFAULT 'default',
  context jsonb DEFAULT '{}') RETURNS visage.outcome
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_enrol_factor';
COMMENT ON FUNCTION visage.enrol_factor(text, visage.factor_kind, text, text, text, jsonb) IS
  'gives a subject a password, a TOTP secret (base32 or otpauth URI) or a certificate (PEM); pass the secret as a parameter';
CREATE FUNCTION visage.replace_factor(
  subject text, kind visage.factor_kind, secret text, channel text DEFAULT 'default', scenario text DEFAULT 'default',
  context jsonb DEFAULT '{}') RETURNS visage.outcome
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_replace_factor';
COMMENT ON FUNCTION visage.replace_factor(text, visage.factor_kind, text, text, text, jsonb) IS 'puts a new secret in the place of an enrolled one';
CREATE FUNCTION visage.remove_factor(
  subject text, kind visage.factor_kind, channel text DEFAULT 'default', scenario text DEFAULT 'default',
  context jsonb DEFAULT '{}') RETURNS visage.outcome
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_remove_factor';
COMMENT ON FUNCTION visage.remove_factor(text, visage.factor_kind, text, text, jsonb) IS 'removes an enrolled factor';
CREATE FUNCTION visage.present_factor(session uuid, kind visage.factor_kind, evidence text, context jsonb DEFAULT '{}')
  RETURNS visage.outcome
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_present_factor';
COMMENT ON FUNCTION visage.present_factor(uuid, visage.factor_kind, text, jsonb) IS
  'shows a factor in a session: password, TOTP code, signed assertion, certificates with the signed nonce, or a probe [6.6e]';

CREATE FUNCTION visage.list_factors(subject text)
  RETURNS TABLE (factor uuid, kind visage.factor_kind, created_at timestamptz)
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT f.id, f.kind, f.created_at
  FROM visage.factor f JOIN visage.subject s ON s.id = f.subject JOIN visage.institution i ON i.id = s.institution
  WHERE s.external_id = $1 AND i.name = current_setting('visage.institution') AND visage.acts_for(i.id)
  ORDER BY f.kind
$$;
COMMENT ON FUNCTION visage.list_factors(text) IS 'enrolled factors of a subject, without their secrets';

CREATE TRIGGER guard_builtin BEFORE INSERT OR UPDATE OR DELETE ON visage.factor_policy
  FOR EACH ROW EXECUTE FUNCTION visage.guard_builtin('institution');
DO $$
DECLARE
  counted text;
BEGIN
  FOREACH counted IN ARRAY ARRAY['factor_policy', 'otp_service', 'trust_anchor', 'revocation_list']
  LOOP
    EXECUTE pg_catalog.format('CREATE TRIGGER count_policy_change AFTER INSERT OR UPDATE OR DELETE ON visage.%I '
      'FOR EACH STATEMENT EXECUTE FUNCTION visage.count_policy_change()', counted);
  END LOOP;
END
$$;

-- What follows every change of policy, whoever makes it: an event, and word to the sessions that keep it in memory.
-- Nothing is recorded before the ledger is open: the event that opens it has the digest of all policy then.
CREATE FUNCTION visage.audit_change() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
  new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
BEGIN
  IF old_row IS NOT DISTINCT FROM new_row OR NOT EXISTS (SELECT FROM visage.tree) THEN
    RETURN NULL;
  END IF;
  PERFORM visage.record_change(
    'change', coalesce(new_row ->> 'institution', old_row ->> 'institution')::integer,
    -- TG_ARGV holds the columns of the key.
    lower(TG_OP) || ' ' || TG_TABLE_NAME || ' '
      || (SELECT string_agg(coalesce(coalesce(new_row, old_row) ->> k, '-'), '/' ORDER BY n)
          FROM unnest(TG_ARGV) WITH ORDINALITY u (k, n)),
    sha256(convert_to(old_row::text, 'UTF8')), sha256(convert_to(new_row::text, 'UTF8')), NULL);
  RETURN NULL;
END
$$;
DO $$
DECLARE
  watched record;
BEGIN
  FOR watched IN VALUES ('channel', ARRAY['name']), ('channel_floor', ARRAY['channel', 'measure']), ('scenario', ARRAY['name']),
                        ('calibration', ARRAY['model', 'scheme', 'fmr', 'id']), ('capture_source', ARRAY['name']),
                        ('institution', ARRAY['name']), ('institution_role', ARRAY['role']), ('audit_policy', ARRAY['institution']),
                        ('attempt_limit', ARRAY['kind', 'with_liveness']), ('session_policy', ARRAY['institution']),
                        ('requirement', ARRAY['operation', 'channel', 'scenario', 'risk']), ('factor_policy', ARRAY['institution']),
                        ('otp_service', ARRAY['name']), ('trust_anchor', ARRAY['name']), ('revocation_list', ARRAY['name'])
  LOOP
    EXECUTE pg_catalog.format('CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON visage.%I FOR EACH ROW '
      'EXECUTE FUNCTION visage.audit_change(%s)', watched.column1,
      (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(k), ', ') FROM pg_catalog.unnest(watched.column2) k));
    -- Always: a restore or a replica role may switch ordinary triggers off.
    EXECUTE pg_catalog.format('ALTER TABLE visage.%I ENABLE ALWAYS TRIGGER audit_change', watched.column1);
  END LOOP;
END
$$;

CREATE FUNCTION visage.forget_policy() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'visage_forget_policy';
DO $$
DECLARE
  kept text;
BEGIN
  FOREACH kept IN ARRAY ARRAY['institution', 'institution_role', 'policy_version', 'channel', 'channel_floor', 'scenario',
                              'calibration', 'capture_source', 'attempt_limit', 'audit_policy', 'session_policy', 'requirement',
                              'factor_policy', 'otp_service', 'trust_anchor', 'revocation_list']
  LOOP
    EXECUTE pg_catalog.format('CREATE TRIGGER forget_policy AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON visage.%I '
      'FOR EACH STATEMENT EXECUTE FUNCTION visage.forget_policy()', kept);
    EXECUTE pg_catalog.format('ALTER TABLE visage.%I ENABLE ALWAYS TRIGGER forget_policy', kept);
  END LOOP;
END
$$;

-- Trace-back and analysis reports for auditors [6.6f, 6.6i]. All of them read visage.history, and so show a caller the
-- institutions it acts for and no others. The page that shows them as charts is in 59_report_page.sql.

-- The ledger has no index page a subject (50_audit.sql says why), only summaries of block ranges. The planner expects
-- little of summaries of random values and, without fresh statistics, reads the whole ledger instead. So it is told.
CREATE FUNCTION visage.history_of(subject text) RETURNS SETOF visage.history
  LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
  surrogates uuid[];
BEGIN
  SELECT array_agg(s.id) INTO surrogates
    FROM visage.institution i JOIN visage.subject s ON s.institution = i.id AND s.external_id = history_of.subject
    WHERE visage.acts_for(i.id);
  IF history_of.subject ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
    surrogates := surrogates || history_of.subject::uuid;
  END IF;
  RETURN QUERY SELECT h.* FROM visage.history h WHERE h.subject_surrogate = ANY (surrogates) ORDER BY h.event;
END
$$;
COMMENT ON FUNCTION visage.history_of(text) IS
  'every event of one subject, oldest first: by the caller''s name of it or, as after a cancellation, by its surrogate [6.6f]';

CREATE FUNCTION visage.check_report_range(since timestamptz, until timestamptz) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF since IS NULL OR until IS NULL THEN
    RAISE EXCEPTION 'a report needs both ends of its range' USING ERRCODE = 'null_value_not_allowed',
      HINT = 'Leave them out for the last 30 days.';
  END IF;
  IF since >= until THEN
    RAISE EXCEPTION 'a report''s range must begin before it ends' USING ERRCODE = 'invalid_parameter_value',
      HINT = 'The first argument is the beginning, which belongs to the range; the second is the end, which does not.';
  END IF;
END
$$;
COMMENT ON FUNCTION visage.check_report_range(timestamptz, timestamptz) IS 'part of the reports: an error unless since < until';

-- Wilson's interval stays within 0 to 1 and says something for few attempts and for none or all accepted, where the
-- textbook's normal interval has no width. Agresti and Coull, The American Statistician 52 (1998).
CREATE FUNCTION visage.wilson(
  accepts bigint, attempts bigint, OUT rate numeric, OUT low numeric, OUT high numeric)
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT round(p::numeric, 6), round(greatest(0, middle - half)::numeric, 6), round(least(1, middle + half)::numeric, 6)
  FROM (SELECT 1.959964 ^ 2 AS zz, nullif(attempts, 0)::double precision AS n) a,
       LATERAL (SELECT accepts / n AS p) b,
       LATERAL (SELECT (p + zz / (2 * n)) / (1 + zz / n) AS middle,
                       sqrt(zz * (p * (1 - p) + zz / (4 * n)) / n) / (1 + zz / n) AS half) c
  WHERE attempts > 0
$$;
COMMENT ON FUNCTION visage.wilson(bigint, bigint) IS 'part of the reports: a rate with its 95 % Wilson interval; nulls for no attempts';

-- An attempt is a call of a flow: an event with a decision. Changes, settlements and the like have none.
CREATE FUNCTION visage.report_daily(
  since timestamptz DEFAULT statement_timestamp() - interval '30 days', until timestamptz DEFAULT statement_timestamp(),
  flow visage.operation DEFAULT NULL)
  RETURNS TABLE (day date, institution text, attempts bigint, accepts bigint, rejects bigint, refusals bigint,
                 accept_rate numeric, accept_low numeric, accept_high numeric, subjects bigint)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM visage.check_report_range(since, until);
  RETURN QUERY
    SELECT c.day, c.institution, c.attempts, c.accepts, c.rejects, c.refusals, w.rate, w.low, w.high, c.subjects
    FROM (SELECT h.at::date AS day, h.institution, count(*) AS attempts,
                 count(*) FILTER (WHERE h.decision = 'accept') AS accepts,
                 count(*) FILTER (WHERE h.decision = 'reject') AS rejects,
                 count(*) FILTER (WHERE h.decision = 'refuse') AS refusals,
                 count(DISTINCT h.subject_surrogate) AS subjects
          FROM visage.history h
          WHERE h.at >= since AND h.at < until AND h.decision IS NOT NULL AND (flow IS NULL OR h.operation = flow)
          GROUP BY 1, 2) c, visage.wilson(c.accepts, c.attempts) w
    ORDER BY 1, 2;
END
$$;
COMMENT ON FUNCTION visage.report_daily(timestamptz, timestamptz, visage.operation) IS
  'calls of flows from since until before until, by day of the session''s time zone, with the accept rate and its 95 % '
  'Wilson interval and the number of different subjects; flow counts the calls of one flow only. A day without a call '
  'has no row [6.6i]';

CREATE FUNCTION visage.report_channel(
  since timestamptz DEFAULT statement_timestamp() - interval '30 days', until timestamptz DEFAULT statement_timestamp(),
  flow visage.operation DEFAULT NULL)
  RETURNS TABLE (institution text, channel text, attempts bigint, accepts bigint, rejects bigint, refusals bigint,
                 accept_rate numeric, accept_low numeric, accept_high numeric, subjects bigint)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM visage.check_report_range(since, until);
  RETURN QUERY
    SELECT c.institution, c.channel, c.attempts, c.accepts, c.rejects, c.refusals, w.rate, w.low, w.high, c.subjects
    FROM (SELECT h.institution, h.channel, count(*) AS attempts,
                 count(*) FILTER (WHERE h.decision = 'accept') AS accepts,
                 count(*) FILTER (WHERE h.decision = 'reject') AS rejects,
                 count(*) FILTER (WHERE h.decision = 'refuse') AS refusals,
                 count(DISTINCT h.subject_surrogate) AS subjects
          FROM visage.history h
          WHERE h.at >= since AND h.at < until AND h.decision IS NOT NULL AND (flow IS NULL OR h.operation = flow)
          GROUP BY 1, 2) c, visage.wilson(c.accepts, c.attempts) w
    ORDER BY 1, 3 DESC, 2;
END
$$;
COMMENT ON FUNCTION visage.report_channel(timestamptz, timestamptz, visage.operation) IS
  'as report_daily, by channel, the busiest first [6.6i]';

CREATE FUNCTION visage.report_reason(
  since timestamptz DEFAULT statement_timestamp() - interval '30 days', until timestamptz DEFAULT statement_timestamp(),
  flow visage.operation DEFAULT NULL)
  RETURNS TABLE (institution text, decision visage.decision, reason visage.reason, attempts bigint, share numeric,
                 subjects bigint)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM visage.check_report_range(since, until);
  RETURN QUERY
    SELECT h.institution, h.decision, h.reason, count(*),
           round(count(*) / sum(count(*)) OVER (PARTITION BY h.institution), 6), count(DISTINCT h.subject_surrogate)
    FROM visage.history h
    WHERE h.at >= since AND h.at < until AND h.decision IS NOT NULL AND (flow IS NULL OR h.operation = flow)
    GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC, 3;
END
$$;
COMMENT ON FUNCTION visage.report_reason(timestamptz, timestamptz, visage.operation) IS
  'calls of flows by decision and reason, the most frequent first; share is of the institution''s calls [6.6i]';

CREATE FUNCTION visage.report_subject_failures(
  since timestamptz DEFAULT statement_timestamp() - interval '30 days', until timestamptz DEFAULT statement_timestamp(),
  flow visage.operation DEFAULT NULL, top integer DEFAULT 20)
  RETURNS TABLE (institution text, subject text, subject_surrogate uuid, attempts bigint, failures bigint, rejects bigint,
                 refusals bigint, last_failure timestamptz)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM visage.check_report_range(since, until);
  IF top IS NULL OR top < 1 THEN
    RAISE EXCEPTION 'report_subject_failures shows at least one subject' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- Names are looked up for the few that are shown, not for every event.
  RETURN QUERY
    SELECT c.institution, s.external_id, c.id, c.attempts, c.rejects + c.refusals, c.rejects, c.refusals, c.last_failure
    FROM (SELECT h.institution, h.subject_surrogate AS id, count(*) AS attempts,
                 count(*) FILTER (WHERE h.decision = 'reject') AS rejects,
                 count(*) FILTER (WHERE h.decision = 'refuse') AS refusals,
                 max(h.at) FILTER (WHERE h.decision <> 'accept') AS last_failure
          FROM visage.history h
          WHERE h.at >= since AND h.at < until AND h.decision IS NOT NULL AND (flow IS NULL OR h.operation = flow)
            AND h.subject_surrogate IS NOT NULL
          GROUP BY 1, 2 HAVING count(*) FILTER (WHERE h.decision <> 'accept') > 0
          ORDER BY count(*) FILTER (WHERE h.decision <> 'accept') DESC, last_failure DESC, 2 LIMIT top) c
    LEFT JOIN visage.subject s ON s.id = c.id
    ORDER BY 5 DESC, 8 DESC, 3;
END
$$;
COMMENT ON FUNCTION visage.report_subject_failures(timestamptz, timestamptz, visage.operation, integer) IS
  'subjects with most rejected and refused calls, at most top of them; subject is null once it was cancelled [6.6i]';

CREATE FUNCTION visage.report_latency(
  since timestamptz DEFAULT statement_timestamp() - interval '30 days', until timestamptz DEFAULT statement_timestamp())
  RETURNS TABLE (institution text, operation visage.operation, calls bigint, p50_ms numeric, p90_ms numeric, p99_ms numeric,
                 max_ms numeric)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM visage.check_report_range(since, until);
  RETURN QUERY
    SELECT c.institution, c.operation, c.calls, round(1000 * extract(epoch FROM c.p[1]), 3),
           round(1000 * extract(epoch FROM c.p[2]), 3), round(1000 * extract(epoch FROM c.p[3]), 3),
           round(1000 * extract(epoch FROM c.p[4]), 3)
    FROM (SELECT h.institution, h.operation, count(*) AS calls,
                 percentile_cont(ARRAY[0.5, 0.9, 0.99, 1]) WITHIN GROUP (ORDER BY h.elapsed) AS p
          FROM visage.history h
          WHERE h.at >= since AND h.at < until AND h.decision IS NOT NULL AND h.elapsed IS NOT NULL
          GROUP BY 1, 2) c
    ORDER BY 1, 2;
END
$$;
COMMENT ON FUNCTION visage.report_latency(timestamptz, timestamptz) IS
  'milliseconds from a call until its decision, inside the database, without the wait for the record: median, 90th and '
  '99th percentile and longest, by flow [6.6i, 7.2b]';

-- The reports as one page: no script, nothing loaded from elsewhere, well-formed as XML and readable as HTML. The texts in
-- it are ASCII with numeric character references, so that it comes out the same from a database of any encoding.
-- Whatever a caller may have named (channels, institutions, roles) goes through html_escape.

CREATE FUNCTION visage.html_escape(value text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  -- Control characters have no place in XML, not even as references.
  SELECT regexp_replace(
    replace(replace(replace(replace(replace($1, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;'),
    '[\x01-\x08\x0B\x0C\x0E-\x1F\x7F]', '&#65533;', 'g')
$$;
COMMENT ON FUNCTION visage.html_escape(text) IS 'part of report_html: hostile text as text of a page or value of an attribute';

CREATE FUNCTION visage.html_count(value bigint) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT to_char(value, 'FM9,999,999,999,999,990')
$$;
COMMENT ON FUNCTION visage.html_count(bigint) IS 'part of report_html: a number with its thousands apart';

CREATE FUNCTION visage.html_percent(value numeric) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(to_char(100 * value, 'FM990.0') || '&#160;%', '&#8211;')
$$;
COMMENT ON FUNCTION visage.html_percent(numeric) IS 'part of report_html: a share as a percentage';

CREATE FUNCTION visage.html_row(cell text, cells text[]) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT '<tr><th scope="row">' || cell || '</th>'
         || (SELECT string_agg('<td>' || coalesce(c, '&#8211;') || '</td>', '' ORDER BY i)
             FROM unnest(cells) WITH ORDINALITY u (c, i)) || E'</tr>\n'
$$;
COMMENT ON FUNCTION visage.html_row(text, text[]) IS 'part of report_html: a row of a table; its cells are escaped already';

CREATE FUNCTION visage.html_table(heads text[], rows text, empty text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN rows IS NULL THEN '<p class="note">' || empty || E'</p>\n' ELSE
    '<div class="wide"><table><thead><tr>'
    || (SELECT string_agg('<th scope="col">' || h || '</th>', '' ORDER BY i) FROM unnest(heads) WITH ORDINALITY u (h, i))
    || E'</tr></thead>\n<tbody>' || rows || E'</tbody></table></div>\n' END
$$;
COMMENT ON FUNCTION visage.html_table(text[], text, text) IS 'part of report_html: a table, or a sentence when it has no rows';

-- Charts over time are 720 by 232 units; what they plot lies between (52, 12) and (712, 192).
CREATE FUNCTION visage.svg_chart(id text, height integer, title text, description text, body text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('<svg viewBox="0 0 720 %2$s" role="img" aria-labelledby="%1$s-title %1$s-desc">'
                '<title id="%1$s-title">%3$s</title><desc id="%1$s-desc">%4$s</desc>%5$s</svg>' || E'\n',
                id, height, title, description, body)
$$;
COMMENT ON FUNCTION visage.svg_chart(text, integer, text, text, text) IS
  'part of report_html: the frame of a chart with its name and its description for those who cannot see it';

CREATE FUNCTION visage.svg_step(span double precision) RETURNS double precision
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT unit * (CASE WHEN span / unit <= 5 THEN 1 WHEN span / unit <= 10 THEN 2 WHEN span / unit <= 25 THEN 5 ELSE 10 END)
  FROM (SELECT 10 ^ floor(log(span / 5)) AS unit) u
$$;
COMMENT ON FUNCTION visage.svg_step(double precision) IS 'part of report_html: 1, 2 or 5 times a power of ten, for at most five lines';

CREATE FUNCTION visage.svg_axes(low double precision, high double precision, step double precision, unit text, labels text[])
  RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT (SELECT string_agg(
            format('<line class="grid" x1="52" x2="712" y1="%1$s" y2="%1$s"/><text x="46" y="%2$s" text-anchor="end">%3$s</text>',
                   round(y, 1), round(y + 3.5, 1),
                   CASE WHEN unit = '' THEN visage.html_count(v::bigint) ELSE trim_scale(round(v::numeric, 1)) || unit END), '' ORDER BY v)
          FROM generate_series(0, round((high - low) / step)::integer) k,
               LATERAL (SELECT low + k * step AS v) a,
               LATERAL (SELECT (192 - 180 * (v - low) / (high - low))::numeric AS y) b)
         -- At most twelve dates, or they would run into each other.
         || coalesce((SELECT string_agg(format('<text x="%s" y="210" text-anchor="middle">%s</text>',
                                               round(52 + (i - 0.5) * 660.0 / cardinality(labels), 1), l), '' ORDER BY i)
                      FROM unnest(labels) WITH ORDINALITY u (l, i)
                      WHERE (i - 1) % ceil(cardinality(labels) / 12.0)::integer = 0), '')
$$;
COMMENT ON FUNCTION visage.svg_axes(double precision, double precision, double precision, text, text[]) IS
  'part of report_html: lines and numbers of the vertical axis, dates of the horizontal one';

CREATE FUNCTION visage.svg_attempts(labels text[], accepts bigint[], rejects bigint[], refusals bigint[]) RETURNS text
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  slot double precision := 660.0 / cardinality(labels);
  width double precision := least(0.8 * slot, 48);
  most bigint := (SELECT max(a + b + c) FROM unnest(accepts, rejects, refusals) u (a, b, c));
  step double precision := greatest(1, visage.svg_step(greatest(1, most)));
  high double precision := step * greatest(1, ceil(most / step));
BEGIN
  RETURN visage.svg_axes(0, high, step, '', labels) || (
    SELECT string_agg(
      '<g><title>' || format('%s: %s accepted, %s rejected, %s refused', labels[i], visage.html_count(a),
                             visage.html_count(b), visage.html_count(c)) || '</title>'
      || (SELECT coalesce(string_agg(format('<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>', kind,
                                            round((52 + (i - 0.5) * slot - width / 2)::numeric, 2),
                                            round((192 - 180 * (under + n) / high)::numeric, 2),
                                            round(width::numeric, 2), round((180 * n / high)::numeric, 2)), ''), '')
          FROM (VALUES ('accept', 0, a), ('reject', a, b), ('refuse', a + b, c)) v (kind, under, n) WHERE n > 0)
      || '</g>', E'\n' ORDER BY i)
    FROM unnest(accepts, rejects, refusals) WITH ORDINALITY u (a, b, c, i));
END
$$;
COMMENT ON FUNCTION visage.svg_attempts(text[], bigint[], bigint[], bigint[]) IS
  'part of report_html: stacked bars of accepted, rejected and refused calls';

CREATE FUNCTION visage.svg_rates(labels text[], accepts bigint[], attempts bigint[]) RETURNS text
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  slot numeric := 660.0 / cardinality(labels);
  -- From the whole tenth below the lowest interval, so that small differences show; the caption says so.
  low numeric := (SELECT least(90, floor(10 * coalesce(min(w.low), 0)) * 10)
                  FROM unnest(accepts, attempts) u (a, n), visage.wilson(a, n) w WHERE n > 0);
  step numeric := CASE WHEN low >= 90 THEN 2 WHEN low >= 80 THEN 5 WHEN low >= 50 THEN 10 ELSE 20 END;
  line text := '';
  marks text := '';
  x numeric;
  y numeric;
  joined boolean := false;  -- does a line lead here? Not across a day without a call.
  rate record;
BEGIN
  low := floor(low / step) * step;
  FOR i IN 1 .. cardinality(labels) LOOP
    SELECT * INTO rate FROM visage.wilson(accepts[i], attempts[i]);
    IF rate.rate IS NULL THEN
      joined := false;
      CONTINUE;
    END IF;
    x := round(52 + (i - 0.5) * slot, 1);
    y := round(192 - 180 * (100 * rate.rate - low) / (100 - low), 1);
    line := line || CASE WHEN joined THEN 'L' ELSE 'M' END || x || ' ' || y;
    joined := true;
    marks := marks || format(
      '<g><title>%s: %s of %s, 95 %% interval %s to %s</title><line class="interval" x1="%s" x2="%s" y1="%s" y2="%s"/>'
      '<circle class="point" cx="%s" cy="%s" r="2.6"/></g>' || E'\n', labels[i], visage.html_percent(rate.rate),
      visage.html_count(attempts[i]), visage.html_percent(rate.low), visage.html_percent(rate.high), x, x,
      round(192 - 180 * (100 * rate.low - low) / (100 - low), 1),
      round(192 - 180 * (100 * rate.high - low) / (100 - low), 1), x, y);
  END LOOP;
  RETURN visage.svg_axes(low, 100, step, '&#160;%', labels)
         || CASE WHEN line <> '' THEN format('<path class="line" d="%s"/>', line) ELSE '' END || marks;
END
$$;
COMMENT ON FUNCTION visage.svg_rates(text[], bigint[], bigint[]) IS
  'part of report_html: a rate over time with its 95 % interval; gaps where nothing was counted';

CREATE FUNCTION visage.svg_bars(labels text[], kinds text[], counts bigint[]) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT string_agg(
    format('<text x="170" y="%2$s" text-anchor="end">%1$s</text><rect class="%3$s" x="178" y="%4$s" width="%5$s" height="14"/>'
           '<text class="value" x="%6$s" y="%2$s">%7$s (%8$s)</text>', l, 22 * i - 5, k, 22 * i - 16, width,
           178 + width + 6, visage.html_count(n), visage.html_percent(n / total)), E'\n' ORDER BY i)
  FROM (SELECT l, k, n, i, sum(n) OVER () AS total, round(400.0 * n / max(n) OVER (), 1) AS width
        FROM unnest(labels, kinds, counts) WITH ORDINALITY u (l, k, n, i)) r
$$;
COMMENT ON FUNCTION visage.svg_bars(text[], text[], bigint[]) IS 'part of report_html: bars with their counts and shares, a row each';

CREATE FUNCTION visage.svg_latency(labels text[], p50 numeric[], p90 numeric[], p99 numeric[]) RETURNS text
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  bottom integer := 26 * cardinality(labels) + 8;
  most double precision := greatest(0.001, (SELECT max(v) FROM unnest(p99) v));
  step double precision := visage.svg_step(most);
  high double precision := step * ceil(most / step);
BEGIN
  RETURN (
    SELECT string_agg(format('<line class="grid" x1="%1$s" x2="%1$s" y1="4" y2="%2$s"/>'
                             '<text x="%1$s" y="%3$s" text-anchor="middle">%4$s&#160;ms</text>',
                             round((178 + 520 * k * step / high)::numeric, 1), bottom, bottom + 16,
                             trim_scale((k * step)::numeric)), '' ORDER BY k)
    FROM generate_series(0, round(high / step)::integer) k)
  || (SELECT string_agg(
        format('<g><title>%1$s: median %2$s ms, 90 %% within %3$s ms, 99 %% within %4$s ms</title>'
               '<text x="170" y="%5$s" text-anchor="end">%1$s</text>'
               '<line class="span" x1="%6$s" x2="%8$s" y1="%9$s" y2="%9$s"/><circle class="p50" cx="%6$s" cy="%9$s" r="5"/>'
               '<circle class="p90" cx="%7$s" cy="%9$s" r="4"/><rect class="p99" x="%11$s" y="%10$s" width="3" height="14"/></g>',
               l, a, b, c, 26 * i - 5, round((178 + 520 * a / high)::numeric, 1), round((178 + 520 * b / high)::numeric, 1),
               round((178 + 520 * c / high)::numeric, 1), 26 * i - 9, 26 * i - 16,
               round((176.5 + 520 * c / high)::numeric, 1)), E'\n' ORDER BY i)
      FROM unnest(labels, p50, p90, p99) WITH ORDINALITY u (l, a, b, c, i));
END
$$;
COMMENT ON FUNCTION visage.svg_latency(text[], numeric[], numeric[], numeric[]) IS
  'part of report_html: median, 90th and 99th percentile on one line an operation';

-- Accepted is the darkest, refused the lightest, on paper without colours too. Paper is white whatever the screen is.
CREATE FUNCTION visage.html_style() RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT '
:root { color-scheme: light; --paper: #fff; --ink: #1b2733; --soft: #5b6875; --line: #dde3e9; --tint: #f5f7f9;
  --accept: #1f5f8b; --reject: #d9772b; --refuse: #b4bec9; }
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --paper: #12181f; --ink: #e4e9ee; --soft: #9aa7b4; --line: #2b3641; --tint: #1a222b;
    --accept: #5aa2d6; --reject: #e8924a; --refuse: #5e6b78; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 3rem; max-width: 54rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums; }
h1 { margin: 0 0 .25rem; font-size: 1.75rem; line-height: 1.2; letter-spacing: -.015em; }
h2 { margin: 2.5rem 0 .25rem; padding-top: .9rem; border-top: 1px solid var(--line); font-size: 1.15rem; }
p { margin: .25rem 0 .75rem; } .lead, .note, figcaption, dt { color: var(--soft); }
.note, figcaption { font-size: .87rem; }
code { font: .87em ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
dl.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .2rem 1.25rem; margin: 1.25rem 0; font-size: .93rem; }
dd { margin: 0; overflow-wrap: anywhere; }
ul.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(max(8rem, 30%), 1fr)); gap: .75rem; margin: 1.5rem 0;
  padding: 0; list-style: none; }
ul.figures li { padding: .7rem .9rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--tint);
  color: var(--soft); font-size: .82rem; }
ul.figures b { display: block; color: var(--ink); font-size: 1.4rem; line-height: 1.3; font-weight: 600; }
figure { margin: .75rem 0 0; } svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { fill: var(--soft); font-size: 11px; } svg text.value { fill: var(--ink); }
.grid { stroke: var(--line); } .interval { stroke: var(--soft); stroke-width: 1.2; opacity: .65; }
.line { fill: none; stroke: var(--accept); stroke-width: 1.6; stroke-linejoin: round; } .point { fill: var(--accept); }
.accept { fill: var(--accept); } .reject { fill: var(--reject); } .refuse { fill: var(--refuse); }
.span { stroke: var(--refuse); stroke-width: 3; } .p50 { fill: var(--accept); } .p99 { fill: var(--ink); }
.p90 { fill: var(--paper); stroke: var(--accept); stroke-width: 2; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.25rem; margin: .5rem 0 0; font-size: .87rem; color: var(--soft); }
.legend svg { display: inline-block; width: 12px; height: 12px; margin-right: .4rem; vertical-align: -1px; }
.wide { overflow-x: auto; } table { width: 100%; margin: .75rem 0; border-collapse: collapse; font-size: .87rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
thead th { color: var(--soft); font-weight: 500; border-bottom-color: var(--soft); }
th:first-child { text-align: left; padding-left: 0; } td:last-child, thead th:last-child { padding-right: 0; }
tbody th { font-weight: 400; white-space: normal; overflow-wrap: anywhere; } ol { padding-left: 1.25rem; }
@page { size: A4; margin: 16mm 15mm 18mm; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } h2 { margin-top: 1.4rem; break-after: avoid; }
  figure, li, tr, dl, .together { break-inside: avoid; } thead { display: table-header-group; } .wide { overflow: visible; }
  ul.figures { grid-template-columns: repeat(6, 1fr); gap: .4rem; } ul.figures li { padding: .4rem .5rem; }
  ul.figures b { font-size: 1rem; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
'
$$;
COMMENT ON FUNCTION visage.html_style() IS 'part of report_html: how the page looks on light and dark screens and on A4';

CREATE FUNCTION visage.html_legend(kinds text[], labels text[]) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT '<p class="legend">' || string_agg(
    '<span><svg viewBox="0 0 12 12" aria-hidden="true">'
    || CASE k WHEN 'p50' THEN '<circle class="p50" cx="6" cy="6" r="5"/>'
              WHEN 'p90' THEN '<circle class="p90" cx="6" cy="6" r="4"/>'
              WHEN 'p99' THEN '<rect class="p99" x="4" y="0" width="3" height="12"/>'
              ELSE '<rect class="' || k || '" width="12" height="12"/>' END
    || '</svg>' || l || '</span>', ' ' ORDER BY i) || E'</p>\n'
  FROM unnest(kinds, labels) WITH ORDINALITY u (k, l, i)
$$;
COMMENT ON FUNCTION visage.html_legend(text[], text[]) IS 'part of report_html: what the marks of a chart mean';

CREATE FUNCTION visage.report_html(
  since timestamptz DEFAULT statement_timestamp() - interval '30 days', until timestamptz DEFAULT statement_timestamp())
  RETURNS text
  -- To compile the page's queries takes longer than to run them.
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  stamp constant text := 'YYYY-MM-DD HH24:MI:SS TZH:TZM';
  figure constant text := E'<figure>%s<figcaption>%s</figcaption></figure>\n';
  institutions text[];
  first_event timestamptz;
  plot_since timestamptz;
  plot_until timestamptz;
  head text;
  total record;
  unit text;
  labels text[];
  accepts bigint[];
  rejects bigint[];
  refusals bigint[];
  verified bigint[];
  verifications bigint[];
  page text;
  part text;
BEGIN
  PERFORM visage.check_report_range(since, until);
  -- Charts begin with the ledger and end now: a range may be longer, and for ever cannot be drawn.
  SELECT at INTO first_event FROM visage.event ORDER BY seq LIMIT 1;
  plot_since := greatest(since, coalesce(first_event, statement_timestamp()));
  plot_until := least(until, statement_timestamp() + interval '1 microsecond');
  IF plot_since >= plot_until THEN
    plot_since := plot_until - interval '1 day';
  END IF;

  SELECT array_agg(i.name ORDER BY i.name) INTO institutions FROM visage.institution i WHERE visage.acts_for(i.id);
  -- root key version (4 bytes), tree hash (32), signature (64)
  SELECT format('<bdi>%s</bdi>, %s records, signed tree hash <code>%s</code>', visage.html_escape(t.origin),
                visage.html_count(e.seq + 1), encode(substr(e.head, 5, 32), 'base64')) INTO head
    FROM visage.event e, visage.tree t
    -- What is committed ends with a batch, whose last row carries the head.
    WHERE e.seq = (SELECT max(seq) FROM visage.event) AND e.head IS NOT NULL;
  SELECT count(*) AS attempts, count(*) FILTER (WHERE decision = 'accept') AS accepts,
         count(*) FILTER (WHERE decision = 'reject') AS rejects, count(*) FILTER (WHERE decision = 'refuse') AS refusals,
         count(DISTINCT subject_surrogate) AS subjects INTO total
    FROM visage.history WHERE at >= since AND at < until AND decision IS NOT NULL;

  page := format(
    E'<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head><meta charset="utf-8"/>\n'
    -- Nothing is loaded and nothing runs, even if something got past the escaping.
    '<meta http-equiv="Content-Security-Policy" content="default-src ''none''; style-src ''unsafe-inline''"/>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    '<title>Face verification, %2$s to %3$s</title>\n<style>%1$s</style></head>\n<body><header><h1>Face verification report</h1>'
    '<p class="lead">What was asked of the verifier and what it answered, from its ledger.</p>\n<dl class="facts">'
    '<dt>%4$s</dt><dd>%5$s</dd><dt>From</dt><dd>%2$s</dd><dt>Until, exclusive</dt><dd>%3$s</dd>'
    '<dt>Time zone of days</dt><dd>%6$s</dd><dt>Generated</dt><dd>%7$s, by <bdi>%8$s</bdi> in database <bdi>%9$s</bdi></dd>'
    '<dt>Ledger</dt><dd>%10$s</dd></dl>',
    visage.html_style(), coalesce(to_char(nullif(since, '-infinity'), stamp), 'the beginning'),
    coalesce(to_char(nullif(until, 'infinity'), stamp), 'the end'),
    CASE WHEN cardinality(institutions) > 1 THEN 'Institutions' ELSE 'Institution' END,
    coalesce((SELECT string_agg('<bdi>' || visage.html_escape(i) || '</bdi>', ', ') FROM unnest(institutions) i),
             'none: the caller acts for no institution'),
    visage.html_escape(current_setting('TimeZone')), to_char(statement_timestamp(), stamp),
    visage.html_escape(pg_get_userbyid(visage.calling_role())), visage.html_escape(current_database()),
    coalesce(head, 'no signed tree head yet'));
  page := page || format(
    E'<ul class="figures"><li><b>%s</b>calls</li><li><b>%s</b>accepted</li><li><b>%s</b>rejected</li><li><b>%s</b>refused</li>'
    '<li><b>%s</b>accept rate</li><li><b>%s</b>subjects</li></ul></header>\n<main>',
    visage.html_count(total.attempts), visage.html_count(total.accepts), visage.html_count(total.rejects),
    visage.html_count(total.refusals), visage.html_percent((visage.wilson(total.accepts, total.attempts)).rate),
    visage.html_count(total.subjects));
  page := page || '<p class="note">A call is one request to register, verify, compare, add or drop a reference, or cancel. '
    'Rejected: compared and found different. Refused: not compared. Scores are recorded nowhere.</p>';

  -- Bars for days, weeks or months, so that some hundred of them do.
  unit := CASE WHEN plot_until - plot_since <= interval '92 days' THEN 'day'
               WHEN plot_until - plot_since <= interval '2 years' THEN 'week' ELSE 'month' END;
  SELECT array_agg(to_char(b.start, CASE unit WHEN 'day' THEN 'DD Mon' WHEN 'week' THEN 'DD Mon YY' ELSE 'Mon YYYY' END)
                   ORDER BY b.start),
         array_agg(coalesce(a.accepts, 0) ORDER BY b.start), array_agg(coalesce(a.rejects, 0) ORDER BY b.start),
         array_agg(coalesce(a.refusals, 0) ORDER BY b.start), array_agg(coalesce(v.accepts, 0) ORDER BY b.start),
         array_agg(coalesce(v.attempts, 0) ORDER BY b.start)
    INTO labels, accepts, rejects, refusals, verified, verifications
    FROM generate_series(date_trunc(unit, plot_since::timestamp), (plot_until - interval '1 microsecond')::timestamp,
                         ('1 ' || unit)::interval) b (start)
    LEFT JOIN (SELECT date_trunc(unit, d.day::timestamp) AS start, sum(d.accepts)::bigint AS accepts,
                      sum(d.rejects)::bigint AS rejects, sum(d.refusals)::bigint AS refusals
               FROM visage.report_daily(since, until) d GROUP BY 1) a USING (start)
    LEFT JOIN (SELECT date_trunc(unit, d.day::timestamp) AS start, sum(d.accepts)::bigint AS accepts,
                      sum(d.attempts)::bigint AS attempts
               FROM visage.report_daily(since, until, 'verify') d GROUP BY 1) v USING (start);
  page := page || format(E'<section><h2>Calls by %s</h2>\n', unit)
    || format(figure, visage.svg_chart('attempts', 232, 'Calls by ' || unit,
                        format('Stacked bars of accepted, rejected and refused calls, %s in all, at most %s in one %s.',
                               visage.html_count(total.attempts),
                               (SELECT visage.html_count(max(a + b + c)) FROM unnest(accepts, rejects, refusals) u (a, b, c)),
                               unit),
                        visage.svg_attempts(labels, accepts, rejects, refusals))
                      || visage.html_legend('{accept,reject,refuse}', '{accepted,rejected,refused}'),
                      CASE unit WHEN 'day' THEN '' ELSE 'A bar is a ' || unit || ', named by its first day. ' END
                      || 'The first and the last may be cut by the range.')
    || format(E'</section>\n<section><h2>Accept rate of verifications by %s</h2>\n', unit)
    || format(figure, visage.svg_chart('rate', 232, 'Accept rate of verifications by ' || unit,
                        'Points with their 95 percent intervals.', visage.svg_rates(labels, verified, verifications)),
                      'Accepted of all calls of verify, with the 95&#160;% Wilson interval. The axis need not begin at 0.')
    || E'</section>\n';

  SELECT visage.svg_chart('reasons', 22 * count(*)::integer + 4, 'Reasons of rejections and refusals',
                          'Bars by reason, the most frequent first.',
                          visage.svg_bars(array_agg(r.reason ORDER BY r.n DESC, r.reason),
                                          array_agg(r.decision ORDER BY r.n DESC, r.reason),
                                          array_agg(r.n ORDER BY r.n DESC, r.reason)))
         || visage.html_legend('{reject,refuse}', '{rejected,refused}') INTO part
    FROM (SELECT d.reason::text, d.decision::text, sum(d.attempts)::bigint AS n
          FROM visage.report_reason(since, until) d WHERE d.decision <> 'accept' GROUP BY 1, 2) r HAVING count(*) > 0;
  page := page || E'<section class="together"><h2>Why calls were not accepted</h2>\n'
    || coalesce(format(figure, part, 'Shares are of the calls that were not accepted.'),
                '<p class="note">Every call was accepted, or there was none.</p>') || E'</section>\n';

  SELECT visage.svg_chart('latency', 26 * count(*)::integer + 32, 'Time until the decision',
                          'Median, 90th and 99th percentile in milliseconds, by operation.',
                          visage.svg_latency(array_agg(r.label ORDER BY r.i), array_agg(r.p50_ms ORDER BY r.i),
                                             array_agg(r.p90_ms ORDER BY r.i), array_agg(r.p99_ms ORDER BY r.i)))
         || visage.html_legend('{p50,p90,p99}', '{median,90th percentile,99th percentile}')
         || visage.html_table('{Operation,Calls,Median ms,90 % within,99 % within,Longest}', string_agg(
              visage.html_row(r.label, ARRAY[visage.html_count(r.calls), r.p50_ms::text, r.p90_ms::text, r.p99_ms::text,
                                             r.max_ms::text]), '' ORDER BY r.i), '') INTO part
    FROM (SELECT l.*, row_number() OVER (ORDER BY l.operation, l.institution) AS i,
                 l.operation || CASE WHEN cardinality(institutions) > 1
                                  THEN ', ' || visage.html_escape(l.institution) ELSE '' END AS label
          FROM visage.report_latency(since, until) l) r HAVING count(*) > 0;
  page := page || E'<section class="together"><h2>Time until the decision</h2>\n'
    || coalesce(format(figure, part, 'Inside the database; the wait for the durable record and the way to the client come '
                                     'on top.'), '<p class="note">No call was timed.</p>') || E'</section>\n';

  SELECT string_agg(visage.html_row(
           '<bdi>' || coalesce(visage.html_escape(c.channel), '&#8211;') || '</bdi>'
           || CASE WHEN cardinality(institutions) > 1
                THEN ' <span class="note">' || visage.html_escape(c.institution) || '</span>' ELSE '' END,
           ARRAY[visage.html_count(c.attempts), visage.html_count(c.accepts), visage.html_count(c.rejects),
                 visage.html_count(c.refusals), visage.html_percent(c.accept_rate),
                 visage.html_percent(c.accept_low) || ' to ' || visage.html_percent(c.accept_high),
                 visage.html_count(c.subjects)]), '' ORDER BY c.attempts DESC, c.institution, c.channel) INTO part
    FROM visage.report_channel(since, until) c;
  page := page || E'<section class="together"><h2>Channels</h2>\n'
    || visage.html_table('{Channel,Calls,Accepted,Rejected,Refused,Accept rate,95 % interval,Subjects}', part, 'No calls.')
    || E'</section>\n';

  SELECT string_agg(visage.html_row(
           '<code>' || f.subject_surrogate || '</code>',
           ARRAY[visage.html_count(f.attempts), visage.html_count(f.rejects), visage.html_count(f.refusals),
                 to_char(f.last_failure, 'YYYY-MM-DD HH24:MI')]), '' ORDER BY f.failures DESC, f.last_failure DESC) INTO part
    FROM visage.report_subject_failures(since, until) f;
  page := page || E'<section class="together"><h2>Subjects with most failures</h2>\n'
    '<p class="note">By their random surrogates, without names: the page may be passed on, and names are not needed to '
    'judge the figures. Who may read the history finds the records with <code>visage.history_of(&#39;surrogate&#39;)</code>.</p>'
    || visage.html_table('{Subject,Calls,Rejected,Refused,Last failure}', part, 'No subject failed.') || E'</section>\n';

  SELECT string_agg(visage.html_row(r.operation::text, ARRAY[
           visage.html_count(r.n), visage.html_count(r.committed), visage.html_count(r.undone), visage.html_count(r.pending)]),
           '' ORDER BY r.operation) INTO part
    FROM (SELECT h.operation, count(*) AS n, count(*) FILTER (WHERE h.settled = 'committed') AS committed,
                 count(*) FILTER (WHERE h.settled = 'rolled back') AS undone,
                 count(*) FILTER (WHERE h.settled = 'open') AS pending
          FROM visage.history h WHERE h.at >= since AND h.at < until
            AND (h.xid IS NOT NULL OR h.operation IN ('change', 'unlock', 'archive', 'rotate_ledger_key', 'open_ledger'))
          GROUP BY 1) r;
  page := page || E'<section class="together"><h2>What was changed</h2>\n'
    '<p class="note">A verdict stands whatever its caller does next; a change is real only once its transaction was '
    'committed, which a later record tells.</p>'
    || visage.html_table('{Operation,Records,Committed,Rolled back,Open}', part, 'Nothing was changed.') || E'</section>\n';

  SELECT string_agg(visage.html_row(replace(l, ' ', '&#160;'), ARRAY[
           visage.html_count(a + b + c), visage.html_count(a), visage.html_count(b), visage.html_count(c),
           visage.html_percent(w.rate), visage.html_percent(w.low) || ' to ' || visage.html_percent(w.high),
           visage.html_count(n), visage.html_percent(v::numeric / nullif(n, 0))]), '' ORDER BY i) INTO part
    FROM unnest(labels, accepts, rejects, refusals, verified, verifications) WITH ORDINALITY u (l, a, b, c, v, n, i),
         visage.wilson(a, a + b + c) w;
  page := page || format(E'<section><h2>Figures by %s</h2>\n', unit)
    || visage.html_table(ARRAY[initcap(unit), 'Calls', 'Accepted', 'Rejected', 'Refused', 'Accept rate', '95 % interval',
                               'Verifications', 'accepted'], part, '')
    || E'</section>\n';

  RETURN page || E'<section class="together"><h2>How to check this page</h2>\n<ol>'
    '<li>The ledger is whole: <code>SELECT * FROM visage.verify_ledger();</code> gives one row a fault, so none.</li>'
    '<li>It is the ledger you know: keep what <code>SELECT visage.checkpoint();</code> prints, outside this database. Any '
    'later tree head must extend it, which <code>visage.consistency_proof</code> proves to public tools.</li>'
    '<li>The figures are of that ledger: <code>SELECT visage.report_html(since, until);</code> with the range above and the '
    'same time zone counts the same records again. They are append-only, so an ended range keeps its figures.</li>'
    '</ol></section></main></body></html>\n';
END
$$;
COMMENT ON FUNCTION visage.report_html(timestamptz, timestamptz) IS
  'the reports as one page that opens in any browser and prints on A4; it names no subject and loads nothing [6.6i]';

-- What was recorded so far, in its old order and numbered without the gaps that rolled back calls left. The writer takes
-- these rows for the ledger's first when their leaves are right; their hash is then the tree's.
INSERT INTO visage.event (seq, at, operation, transaction_id, caller, institution, subject, channel, scenario, decision, reason,
                          target_fmr, model, policy_version, source, probe, reference, address, device, biz_id, elapsed_us, xid,
                          settles, object, before, after, note, detail, session, request, leaf)
  SELECT e.*, CASE current_setting('visage.suite', true) WHEN 'sm4-ctr-hmac-sm3' THEN digest('\x00' || l.leaf, 'sm3')
                ELSE sha256('\x00' || l.leaf) END
  FROM (SELECT row_number() OVER (ORDER BY b.seq) - 1 AS seq, b.at, b.operation::text::visage.operation AS operation,
               b.transaction_id, b.caller::text AS caller, b.institution, b.subject, b.channel, b.scenario, b.decision, b.reason,
               b.target_fmr, b.model, b.policy_version, b.source, b.probe, b.reference, NULL::bytea AS address,
               NULL::bytea AS device, b.biz_id, b.elapsed_us, NULL::xid8 AS xid, NULL::bigint AS settles, NULL::text AS object,
               NULL::bytea AS before, NULL::bytea AS after, NULL::text AS note, NULL::bytea AS detail,
               NULL::uuid AS session, NULL::bytea AS request
        FROM visage.event_before b) e,
       LATERAL (SELECT visage.leaf_of(ROW(e.*, NULL, NULL)::visage.event) AS leaf) l
  ORDER BY e.seq;
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

-- Each table is read once; joining the counts would multiply rows.
CREATE OR REPLACE VIEW visage.keys AS
  WITH usage (custody, version, first_use, subject_keys, subject_references, capture_sources, ledger_keys, factors) AS (
    SELECT 'envelope', key_version, min(created_at), count(*), 0, 0, 0, 0 FROM visage.subject_key GROUP BY key_version
    UNION ALL
    SELECT 'envelope', key_version, min(created_at), 0, count(*), 0, 0, 0 FROM visage.subject_reference GROUP BY key_version
    UNION ALL
    SELECT 'envelope', key_version, min(created_at), 0, 0, count(*), 0, 0 FROM visage.capture_source GROUP BY key_version
    UNION ALL
    -- Heads that an earlier key signed are checked with its public half.
    SELECT 'envelope', key_version, NULL, 0, 0, 0, count(*), 0 FROM visage.tree GROUP BY key_version
    UNION ALL
    SELECT 'envelope', key_version, min(created_at), 0, 0, 0, 0, count(*) FROM visage.factor GROUP BY key_version
    UNION ALL
    SELECT 'transform', transform_version, min(created_at), 0, count(*), 0, 0, 0
    FROM visage.subject_reference GROUP BY transform_version
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
COMMENT ON VIEW visage.keys IS 'versions of the root keys and what depends on each; a version with loaded = false is needed and missing';
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
    EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', routine);
  END LOOP;
END
$$;
REVOKE ALL ON TYPE visage.operation, visage.attempt_kind, visage.factor_kind FROM PUBLIC;
GRANT USAGE ON TYPE visage.operation, visage.attempt_kind, visage.factor_kind
  TO visage_admin, visage_service, visage_capture, visage_auditor, visage_calibrator;
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

-- Sessions and factors.
GRANT EXECUTE ON FUNCTION
  visage.open_session(text, visage.operation, text, text, jsonb), visage.claim_session(uuid, text, jsonb),
  visage.close_session(uuid), visage.present_factor(uuid, visage.factor_kind, text, jsonb),
  visage.enrol_factor(text, visage.factor_kind, text, text, text, jsonb),
  visage.replace_factor(text, visage.factor_kind, text, text, text, jsonb),
  visage.remove_factor(text, visage.factor_kind, text, text, jsonb), visage.list_factors(text) TO visage_service;
GRANT SELECT ON visage.sessions TO visage_admin, visage_service, visage_auditor;
GRANT SELECT ON visage.session_policy, visage.requirement, visage.factor_policy
  TO visage_admin, visage_service, visage_capture, visage_auditor, visage_calibrator;
GRANT SELECT ON visage.otp_service, visage.trust_anchor, visage.revocation_list TO visage_admin, visage_auditor;
GRANT INSERT, UPDATE, DELETE ON visage.session_policy, visage.requirement, visage.factor_policy, visage.otp_service,
  visage.trust_anchor, visage.revocation_list TO visage_admin;
-- They check what is inserted, with the rights of who inserts.
GRANT EXECUTE ON FUNCTION visage.check_public_key(text), visage.check_trust_anchor(text), visage.check_revocation_list(text)
  TO visage_admin;

-- Changes of who may what on the extension's objects are events. [8.1.4a]
-- GRANT and REVOKE name no object to an event trigger, so the rights as a whole are compared with those recorded last.

CREATE TABLE visage.recorded_rights (
  id boolean PRIMARY KEY DEFAULT true CHECK (id),
  digest bytea NOT NULL
);
COMMENT ON TABLE visage.recorded_rights IS 'digest of visage.rights as the last event about it has it';

-- Names, not oids, so that it is the same after a restore.
CREATE VIEW visage.rights AS
  SELECT o.kind, o.name, coalesce(nullif(a.grantee, 0)::regrole::text, 'PUBLIC') AS grantee, a.privilege_type AS privilege,
         a.is_grantable AS grantable
  FROM (
    SELECT 'schema' AS kind, n.nspname::text AS name, coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl
    FROM pg_namespace n WHERE n.nspname = 'visage'
    UNION ALL
    SELECT 'relation', c.relname, coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relowner))
    FROM pg_class c WHERE c.relnamespace = 'visage'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p', 'S')
    UNION ALL
    SELECT 'column', c.relname || '.' || t.attname, t.attacl
    FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid
    WHERE c.relnamespace = 'visage'::regnamespace AND t.attacl IS NOT NULL
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text, coalesce(p.proacl, acldefault('f', p.proowner))
    FROM pg_proc p WHERE p.pronamespace = 'visage'::regnamespace
    UNION ALL
    SELECT 'type', t.typname, coalesce(t.typacl, acldefault('T', t.typowner))
    FROM pg_type t WHERE t.typnamespace = 'visage'::regnamespace AND t.typtype IN ('b', 'e', 'd') AND t.typelem = 0
  ) o CROSS JOIN aclexplode(o.acl) a
  UNION ALL
  SELECT 'role', r.rolname, m.rolname, 'MEMBER', g.admin_option
  FROM pg_auth_members g JOIN pg_roles r ON r.oid = g.roleid JOIN pg_roles m ON m.oid = g.member
  WHERE r.rolname LIKE 'visage\_%';
COMMENT ON VIEW visage.rights IS 'who may what on the extension''s objects, and who is a member of its roles';

CREATE FUNCTION visage.rights_digest() RETURNS bytea
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
  RETURN (SELECT sha256(convert_to(coalesce(string_agg(
            concat_ws(E'\t', r.kind, r.name, r.grantee, r.privilege, r.grantable), E'\n'
            ORDER BY r.kind, r.name COLLATE "C", r.grantee COLLATE "C", r.privilege, r.grantable), ''), 'UTF8'))
          FROM visage.rights r);
COMMENT ON FUNCTION visage.rights_digest() IS 'SHA-256 of visage.rights';

CREATE FUNCTION visage.record_rights() RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  before bytea;
  after bytea;
BEGIN
  IF NOT EXISTS (SELECT FROM visage.tree) THEN
    RETURN NULL;
  END IF;
  SELECT r.digest INTO before FROM visage.recorded_rights r FOR UPDATE;
  after := visage.rights_digest();
  IF before IS NOT DISTINCT FROM after THEN
    RETURN NULL;
  END IF;
  INSERT INTO visage.recorded_rights (digest) VALUES (after) ON CONFLICT (id) DO UPDATE SET digest = EXCLUDED.digest;
  RETURN visage.record_change('change', NULL, 'rights', before, after, NULL);
END
$$;
COMMENT ON FUNCTION visage.record_rights() IS 'writes an event if the rights differ from those recorded last, and returns its number; every GRANT and REVOKE in this database calls it, roles'' memberships need the call';

CREATE FUNCTION visage.audit_rights() RETURNS event_trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() c WHERE c.in_extension) THEN
    RETURN;
  END IF;
  PERFORM visage.record_rights();
EXCEPTION WHEN SQLSTATE 'VG004' OR SQLSTATE '55000' THEN
  -- A restore grants before this server's writer has come to the database. The next event has the change.
  RAISE WARNING 'no event about the change of rights yet: %', SQLERRM USING HINT = 'SELECT visage.record_rights() writes it.';
END
$$;
COMMENT ON FUNCTION visage.audit_rights() IS 'what follows every GRANT and REVOKE';
CREATE EVENT TRIGGER visage_audit_rights ON ddl_command_end WHEN TAG IN ('GRANT', 'REVOKE') EXECUTE FUNCTION visage.audit_rights();
ALTER EVENT TRIGGER visage_audit_rights ENABLE ALWAYS;

REVOKE ALL ON FUNCTION visage.rights_digest(), visage.record_rights(), visage.audit_rights() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION visage.record_rights() TO visage_admin;
GRANT SELECT ON visage.rights TO visage_admin, visage_auditor;
INSERT INTO visage.recorded_rights (digest) VALUES (visage.rights_digest());

SELECT pg_catalog.pg_extension_config_dump('visage.attempt_limit', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('visage.attempt', '');
-- Sessions are not dumped: none outlives a restore.
SELECT pg_catalog.pg_extension_config_dump('visage.session_policy', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('visage.requirement', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('visage.factor_policy', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('visage.otp_service', '');
SELECT pg_catalog.pg_extension_config_dump('visage.trust_anchor', '');
SELECT pg_catalog.pg_extension_config_dump('visage.revocation_list', '');
SELECT pg_catalog.pg_extension_config_dump('visage.factor', '');
SELECT pg_catalog.pg_extension_config_dump('visage.event', '');
SELECT pg_catalog.pg_extension_config_dump('visage.event_detail', '');
SELECT pg_catalog.pg_extension_config_dump('visage.audit_policy', '');
SELECT pg_catalog.pg_extension_config_dump('visage.tree', '');
SELECT pg_catalog.pg_extension_config_dump('visage.tree_key', '');
SELECT pg_catalog.pg_extension_config_dump('visage.tree_node', '');
