-- One person, one id: who registers is looked for among those who are, and what people say of what is found. [6.2c]
-- docs/references.md

CREATE TABLE visage.duplicate_policy (
  institution integer NOT NULL REFERENCES visage.institution,
  scenario text NOT NULL DEFAULT '*' CHECK (length(scenario) BETWEEN 1 AND 63),
  action text NOT NULL CHECK (action IN ('off', 'allow', 'flag', 'refuse')),
  undetermined text NOT NULL DEFAULT 'refuse' CHECK (undetermined IN ('allow', 'flag', 'refuse')),
  fpir double precision NOT NULL DEFAULT 0.01 CHECK (fpir > 0 AND fpir < 1),
  scan_limit integer NOT NULL DEFAULT 20000 CHECK (scan_limit > 0),
  PRIMARY KEY (institution, scenario)
);
COMMENT ON TABLE visage.duplicate_policy IS 'whether a registration looks for its person under other names; no row: it does not [6.2c]';
COMMENT ON COLUMN visage.duplicate_policy.scenario IS '* is every one that has no row';
COMMENT ON COLUMN visage.duplicate_policy.action IS 'for who is found: refuse; flag registers and opens a finding; allow registers, and the ledger alone says so; off does not look';
COMMENT ON COLUMN visage.duplicate_policy.undetermined IS 'where it could not be found out: as action';
COMMENT ON COLUMN visage.duplicate_policy.fpir IS 'how often a search may find somebody who is not there; each of n comparisons keeps an n-th of it, so calibration must reach that far';
COMMENT ON COLUMN visage.duplicate_policy.scan_limit IS 'where more references must be compared nothing is, and the search is undetermined: some 7 µs each, while registrations wait';

-- Names are surrogates. A finding leaves with either of its subjects; the events about it stay.
CREATE TABLE visage.duplicate_finding (
  id uuid PRIMARY KEY,
  institution integer NOT NULL REFERENCES visage.institution,
  kind text NOT NULL CHECK (kind IN ('duplicate', 'undetermined')),
  registration uuid NOT NULL,
  subject uuid,
  found uuid,
  others integer NOT NULL,
  fpir double precision NOT NULL,
  compared bigint NOT NULL,
  allowance uuid,
  found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  proposed text CHECK (proposed IN ('same_person', 'different_people')),
  proposed_by name,
  proposed_at timestamptz,
  settled_by name,
  settled_at timestamptz,
  CONSTRAINT two_people CHECK (settled_by <> proposed_by)
);
CREATE INDEX duplicate_finding_subject ON visage.duplicate_finding (subject);
CREATE INDEX duplicate_finding_found ON visage.duplicate_finding (found);
COMMENT ON TABLE visage.duplicate_finding IS 'registrations whose person is, or may be, there under another name; read them through visage.duplicate_findings';
COMMENT ON COLUMN visage.duplicate_finding.registration IS 'transaction_id of the registration, or the search of a whole gallery that its event names';
COMMENT ON COLUMN visage.duplicate_finding.subject IS 'who registered; null when refused';
COMMENT ON COLUMN visage.duplicate_finding.found IS 'who looks most alike; null when undetermined';
COMMENT ON COLUMN visage.duplicate_finding.others IS 'how many further subjects look alike, 15 at most';

CREATE TABLE visage.duplicate_allowance (
  id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
  institution integer NOT NULL REFERENCES visage.institution,
  subject text COLLATE "C" NOT NULL CHECK (octet_length(subject) BETWEEN 1 AND 256),
  proposed_by name NOT NULL,
  proposed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  allowed_by name,
  allowed_at timestamptz,
  PRIMARY KEY (institution, subject),
  CONSTRAINT two_people CHECK (allowed_by <> proposed_by)
);
COMMENT ON TABLE visage.duplicate_allowance IS 'registrations that two people allow whatever they look like; each for one registration, within a day';
COMMENT ON COLUMN visage.duplicate_allowance.subject IS 'the name under which the person will register';

-- What nobody used within a day names a person for nothing; the keeper deletes it with old sessions.
CREATE FUNCTION visage.expire_allowances() RETURNS bigint
  LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
  WITH expired AS (
    DELETE FROM visage.duplicate_allowance WHERE id IN (
      SELECT a.id FROM visage.duplicate_allowance a WHERE coalesce(a.allowed_at, a.proposed_at) < clock_timestamp() - interval '1 day'
      FOR UPDATE SKIP LOCKED)
    RETURNING 1)
  SELECT count(*) FROM expired
$$;
COMMENT ON FUNCTION visage.expire_allowances() IS 'deletes what was allowed, or proposed, more than a day ago';

CREATE FUNCTION visage.use_allowance(institution integer, subject text) RETURNS uuid
  LANGUAGE sql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM visage.duplicate_allowance a
  WHERE a.institution = $1 AND a.subject = $2 AND a.allowed_at > clock_timestamp() - interval '1 day'
  RETURNING a.id
$$;
COMMENT ON FUNCTION visage.use_allowance(integer, text) IS 'takes the allowance of a registration, if there is one; for the functions of this extension';

CREATE FUNCTION visage.forget_duplicates() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM visage.duplicate_finding f WHERE f.subject = OLD.id OR f.found = OLD.id;
  DELETE FROM visage.duplicate_allowance a WHERE a.institution = OLD.institution AND a.subject = OLD.external_id COLLATE "C";
  RETURN NULL;
END
$$;
CREATE TRIGGER forget_duplicates AFTER DELETE ON visage.subject FOR EACH ROW EXECUTE FUNCTION visage.forget_duplicates();

CREATE VIEW visage.duplicate_findings WITH (security_barrier) AS
  SELECT f.id AS finding, i.name AS institution, f.kind, f.found_at, f.registration, s.external_id AS subject, o.external_id AS found,
         f.others, f.fpir, f.compared, f.allowance IS NOT NULL AS allowed,
         CASE WHEN f.settled_at IS NOT NULL THEN 'settled' WHEN f.proposed IS NOT NULL THEN 'proposed' ELSE 'open' END AS state,
         f.proposed AS resolution, f.proposed_by, f.settled_by, f.settled_at
  FROM visage.duplicate_finding f JOIN visage.institution i ON i.id = f.institution
  LEFT JOIN visage.subject s ON s.id = f.subject
  LEFT JOIN visage.subject o ON o.id = f.found
  WHERE visage.acts_for(f.institution);
COMMENT ON VIEW visage.duplicate_findings IS 'people who may be there under two names, for their reviewers [6.2c]';
COMMENT ON COLUMN visage.duplicate_findings.kind IS 'duplicate: two look the same; undetermined: nobody could tell';
COMMENT ON COLUMN visage.duplicate_findings.registration IS 'transaction_id of the registration, as visage.history has it';
COMMENT ON COLUMN visage.duplicate_findings.subject IS 'who registered; null when refused';
COMMENT ON COLUMN visage.duplicate_findings.found IS 'who looks most alike';
COMMENT ON COLUMN visage.duplicate_findings.others IS 'how many further subjects look alike, 15 at most';
COMMENT ON COLUMN visage.duplicate_findings.allowed IS 'two people had allowed the registration beforehand';
COMMENT ON COLUMN visage.duplicate_findings.resolution IS 'what reviewers say it is; settled once two agree';

CREATE FUNCTION visage.check_review(why text) RETURNS void
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF why IS NULL OR octet_length(why) NOT BETWEEN 1 AND 150 THEN
    RAISE EXCEPTION 'why has % bytes, allowed are 1 to 150', coalesce(octet_length(why), 0) USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$$;
COMMENT ON FUNCTION visage.check_review(text) IS 'raises when a reviewer gives no reason; for the functions of this extension';

-- Two people, each logged in as themselves: SET ROLE makes nobody another person.
CREATE FUNCTION visage.review_duplicate(finding uuid, resolution text, why text) RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  reviewed visage.duplicate_finding;
  state text := 'settled';
BEGIN
  PERFORM visage.check_review(why);
  IF resolution IS NULL OR resolution NOT IN ('same_person', 'different_people') THEN
    RAISE EXCEPTION 'a finding is settled as same_person or different_people' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  SELECT * INTO reviewed FROM visage.duplicate_finding f WHERE f.id = finding AND visage.acts_for(f.institution) FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'there is no such finding' USING ERRCODE = 'undefined_object', HINT = 'SELECT finding FROM visage.duplicate_findings lists them.';
  ELSIF reviewed.settled_at IS NOT NULL THEN
    RAISE EXCEPTION 'the finding is settled' USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  IF reviewed.proposed IS DISTINCT FROM resolution OR reviewed.proposed_by = session_user THEN
    state := 'proposed';
    UPDATE visage.duplicate_finding f SET proposed = resolution, proposed_by = session_user, proposed_at = clock_timestamp() WHERE f.id = finding;
  ELSE
    UPDATE visage.duplicate_finding f SET settled_by = session_user, settled_at = clock_timestamp() WHERE f.id = finding;
  END IF;
  PERFORM visage.record_change('review_duplicate', reviewed.institution, 'finding ' || finding, NULL, NULL,
    format('%s as %s by %s: %s', state, resolution, session_user, why), coalesce(reviewed.subject, reviewed.found));
  RETURN state;
END
$$;
COMMENT ON FUNCTION visage.review_duplicate(uuid, text, text) IS
  'says what a finding is, same_person or different_people; proposed until another person says the same, then settled [6.2c]';

CREATE FUNCTION visage.allow_duplicate(subject text, why text) RETURNS text
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  acting integer := visage.acting_institution();
  allowance visage.duplicate_allowance;
  state text := 'allowed';
BEGIN
  PERFORM visage.check_review(why);
  IF allow_duplicate.subject IS NULL OR octet_length(allow_duplicate.subject) NOT BETWEEN 1 AND 256 THEN
    RAISE EXCEPTION 'a subject has 1 to 256 bytes' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM visage.expire_allowances();
  INSERT INTO visage.duplicate_allowance AS a (institution, subject, proposed_by) VALUES (acting, allow_duplicate.subject, session_user)
    ON CONFLICT (institution, subject) DO UPDATE SET
      allowed_by = CASE WHEN a.proposed_by <> session_user THEN session_user ELSE a.allowed_by END,
      allowed_at = CASE WHEN a.proposed_by <> session_user THEN clock_timestamp() ELSE a.allowed_at END
    RETURNING * INTO allowance;
  IF allowance.allowed_at IS NULL THEN
    state := 'proposed';
  END IF;
  PERFORM visage.record_change('allow_duplicate', acting, 'allowance ' || allowance.id, NULL, NULL, format('%s by %s: %s', state, session_user, why));
  RETURN state;
END
$$;
COMMENT ON FUNCTION visage.allow_duplicate(text, text) IS
  'lets one registration under this name pass the search for duplicates, within a day; proposed until another person asks for the same, then allowed [6.2c]';

SELECT visage.watch_policy('visage.duplicate_policy', 'scenario');

GRANT SELECT ON visage.duplicate_policy TO visage_admin, visage_auditor;
GRANT INSERT, UPDATE, DELETE ON visage.duplicate_policy TO visage_admin;
-- Who the other one is no caller learns, nor who sets the policy.
GRANT SELECT ON visage.duplicate_findings TO visage_auditor;
GRANT EXECUTE ON FUNCTION visage.review_duplicate(uuid, text, text), visage.allow_duplicate(text, text) TO visage_auditor;

SELECT pg_catalog.pg_extension_config_dump('visage.duplicate_policy', '');
SELECT pg_catalog.pg_extension_config_dump('visage.duplicate_finding', '');
