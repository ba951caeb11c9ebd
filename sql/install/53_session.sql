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
    'register', 'verify', 'compare', 'add_reference', 'drop_reference', 'cancel', 'enrol_factor', 'replace_factor', 'remove_factor',
    'unlock', 'replace_reference', 'identify')),
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
  FROM (VALUES ('register', 1), ('verify', 1), ('add_reference', 2), ('drop_reference', 2), ('replace_reference', 2), ('cancel', 2),
               ('enrol_factor', 1), ('replace_factor', 2), ('remove_factor', 2), ('unlock', 1)) t (operation, factors);

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
  claimed_at timestamptz,
  page_opened_at timestamptz,
  document_required boolean NOT NULL DEFAULT false
);
CREATE INDEX session_expires_at ON visage.session (expires_at);
COMMENT ON TABLE visage.session IS 'sessions as they were opened; rows leave a day after they expire, their events stay';
COMMENT ON COLUMN visage.session.subject_hash IS 'keyed hash of the subject''s name, whether or not anybody is registered under it';
COMMENT ON COLUMN visage.session.subject IS 'surrogate, where somebody was';
COMMENT ON COLUMN visage.session.device IS 'keyed hash of the device that may use it';
COMMENT ON COLUMN visage.session.page_opened_at IS 'when its capture page was opened, which is once';
COMMENT ON COLUMN visage.session.document_required IS 'a document''s photo was sent for it: without comparing one it registers nobody';

CREATE FUNCTION visage.open_session(
  subject text, purpose visage.operation, scenario text DEFAULT 'default', channel text DEFAULT 'default',
  context jsonb DEFAULT '{}',
  OUT session uuid, OUT nonce bytea, OUT factors smallint, OUT challenge text, OUT expires_at timestamptz, OUT reason visage.reason)
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_open_session';
COMMENT ON FUNCTION visage.open_session(text, visage.operation, text, text, jsonb) IS
  'opens a session for one call of the flow that purpose names, unless policy denies the call; it looks the same whether or not the subject exists [6.5d]';

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

-- Whoever keeps the photo until then may lose it.
CREATE FUNCTION visage.require_document(session uuid) RETURNS boolean
  LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH required AS (
    UPDATE visage.session s SET document_required = true
    FROM visage.institution i
    WHERE s.id = $1 AND s.expires_at > clock_timestamp() AND i.id = s.institution
      AND i.name = current_setting('visage.institution') AND visage.acts_for(i.id)
    RETURNING s.id)
  SELECT EXISTS (SELECT FROM required)
$$;
COMMENT ON FUNCTION visage.require_document(uuid) IS
  'from now on the session registers only who was compared with a document''s photo in the same call; false when it has expired or is another institution''s [6.6f, B.1]';

CREATE VIEW visage.sessions WITH (security_barrier) AS
  SELECT s.id AS session, i.name AS institution, s.purpose, s.scenario, s.opened_channel, s.channel,
         CASE WHEN d.seq IS NOT NULL THEN
                CASE WHEN d.decision = 'accept' AND (d.operation IN ('verify', 'compare', 'identify') OR NOT EXISTS (
                       SELECT FROM visage.event t WHERE t.settles = d.seq AND t.note = 'rolled back')) THEN 'SUCCEEDED' ELSE 'FAILED' END
              WHEN s.expires_at <= clock_timestamp() THEN 'EXPIRED'
              WHEN s.claimed_at IS NOT NULL OR u.presented > 0 THEN 'IN_PROGRESS' ELSE 'CREATED' END AS state,
         s.factors, u.presented::smallint, s.opened_at, s.expires_at, s.claimed_at, d.decision, d.reason, d.seq AS event,
         s.challenge, s.document_required
  FROM visage.session s
  JOIN visage.institution i ON i.id = s.institution
  CROSS JOIN LATERAL (
    SELECT count(DISTINCT e.object) FILTER (WHERE e.operation = 'present_factor' AND e.decision = 'accept') AS presented,
           min(e.seq) FILTER (WHERE starts_with(e.object, 'session')) AS used
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
COMMENT ON COLUMN visage.sessions.challenge IS 'movements that the capture asks for, in order';
COMMENT ON COLUMN visage.sessions.document_required IS 'without comparing a document''s photo it registers nobody';

CREATE TRIGGER guard_builtin BEFORE INSERT OR UPDATE OR DELETE ON visage.session_policy
  FOR EACH ROW EXECUTE FUNCTION visage.guard_builtin('institution');
CREATE TRIGGER guard_builtin BEFORE INSERT OR UPDATE OR DELETE ON visage.requirement
  FOR EACH ROW EXECUTE FUNCTION visage.guard_builtin('institution', 'operation', 'channel', 'scenario', 'risk');
CREATE TRIGGER count_policy_change AFTER INSERT OR UPDATE OR DELETE ON visage.session_policy
  FOR EACH STATEMENT EXECUTE FUNCTION visage.count_policy_change();
CREATE TRIGGER count_policy_change AFTER INSERT OR UPDATE OR DELETE ON visage.requirement
  FOR EACH STATEMENT EXECUTE FUNCTION visage.count_policy_change();

GRANT EXECUTE ON FUNCTION
  visage.open_session(text, visage.operation, text, text, jsonb), visage.claim_session(uuid, text, jsonb),
  visage.close_session(uuid), visage.require_document(uuid) TO visage_service;
GRANT SELECT ON visage.sessions TO visage_admin, visage_service, visage_auditor;
GRANT SELECT ON visage.session_policy, visage.requirement
  TO visage_admin, visage_service, visage_capture, visage_auditor, visage_calibrator;
GRANT INSERT, UPDATE, DELETE ON visage.session_policy, visage.requirement TO visage_admin;
-- Sessions themselves are not dumped: none outlives a restore.
SELECT pg_catalog.pg_extension_config_dump('visage.session_policy', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('visage.requirement', 'WHERE NOT builtin');
