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
  keep_details interval CHECK (keep_details > interval '0' AND keep_details <= interval '10 years'),
  capture_values boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE visage.audit_policy IS 'what the audit keeps besides the ledger, by institution; no row: nothing';
COMMENT ON COLUMN visage.audit_policy.keep_details IS 'how long address and device stay in clear; null: they are not kept';
COMMENT ON COLUMN visage.audit_policy.capture_values IS 'events hold the values of liveness and quality too, as long as the ledger stands';

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
  -- The first that an archive left covers the head of the last that went.
  SELECT visage.leaf_of(e, coalesce((SELECT p.head FROM visage.event p WHERE p.seq = e.seq - 1),
                                    (SELECT t.archived_head FROM visage.tree t WHERE t.archived = e.seq)))
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

-- Digest of all policy, for the event that opens the ledger: later changes have events of their own. The same after a
-- restore, where shipped rows are made anew.
CREATE FUNCTION visage.policy_digest() RETURNS bytea
  LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO'
  SET intervalstyle = 'postgres' SET extra_float_digits = 1 AS $$
DECLARE
  name text;
  part bytea;
  whole bytea := '';
BEGIN
  FOREACH name IN ARRAY ARRAY['institution', 'institution_role', 'channel', 'channel_floor', 'scenario', 'calibration',
                              'capture_source', 'attempt_limit', 'audit_policy', 'entitlement', 'notice', 'consent_rule', 'retention', 'risk_rule',
                              'deny_list', 'session_policy', 'requirement', 'factor_policy', 'otp_service', 'trust_anchor',
                              'revocation_list', 'duplicate_policy', 'adaptation_policy', 'reference_lifetime', 'authority',
                              'authority_rule', 'gallery']
  LOOP
    EXECUTE format('SELECT sha256(convert_to(coalesce(string_agg(r, E''\n'' ORDER BY r COLLATE "C"), ''''), ''UTF8''))
                      FROM (SELECT (to_jsonb(t) - ''created_at'')::text FROM visage.%I t) t (r)', name)
      INTO part;
    whole := whole || part;
  END LOOP;
  RETURN sha256(whole);
END
$$;
COMMENT ON FUNCTION visage.policy_digest() IS 'SHA-256 over all policy tables as JSON, without created_at';

CREATE FUNCTION visage.record_change(
  operation visage.operation, institution integer, object text, before bytea, after bytea, note text,
  subject uuid DEFAULT NULL) RETURNS bigint
  LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'visage_record_change';
COMMENT ON FUNCTION visage.record_change(visage.operation, integer, text, bytea, bytea, text, uuid) IS
  'records a change and waits until the record is durable; for the functions of this extension';

CREATE FUNCTION visage.rotate_ledger_key() RETURNS bigint
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM visage.require_all();
  RETURN visage.record_change('rotate_ledger_key', NULL, 'tree head key', NULL, NULL, NULL);
END
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
  number bigint;
  size bigint;
  note text := visage.checkpoint();
BEGIN
  PERFORM visage.require_all();
  SELECT t.archived INTO from_event FROM visage.tree t FOR UPDATE;
  size := split_part(note, E'\n', 2)::bigint;
  SELECT coalesce(min(e.seq), size) INTO to_event FROM visage.event e WHERE e.at >= archive_ledger.before;
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
                               format('before %s', archive_ledger.before));
  FOR number IN from_event / 256 .. to_event / 256 - 1 LOOP
    segment := number;
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
