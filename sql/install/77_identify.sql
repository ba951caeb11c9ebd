-- Identification, one to many: whose face is it? Its policy, and the role that may ask. [6.6f] docs/identify.md

CREATE TABLE visage.identify_policy (
  institution integer NOT NULL REFERENCES visage.institution,
  scenario text NOT NULL DEFAULT '*' CHECK (length(scenario) BETWEEN 1 AND 63),
  enabled boolean NOT NULL DEFAULT true,
  fpir double precision NOT NULL DEFAULT 0.01 CHECK (fpir > 0 AND fpir < 1),
  max_candidates integer NOT NULL DEFAULT 1 CHECK (max_candidates BETWEEN 1 AND 5),
  scan_limit integer NOT NULL DEFAULT 20000 CHECK (scan_limit > 0),
  PRIMARY KEY (institution, scenario)
);
COMMENT ON TABLE visage.identify_policy IS 'in which scenarios people may be searched for by their face alone; no row: in none [6.6f]';
COMMENT ON COLUMN visage.identify_policy.scenario IS '* is every one that has no row';
COMMENT ON COLUMN visage.identify_policy.fpir IS 'how often a search for somebody who is not there may find somebody; each of n comparisons keeps an n-th of it, so calibration must reach that far';
COMMENT ON COLUMN visage.identify_policy.max_candidates IS 'most that a caller may ask for';
COMMENT ON COLUMN visage.identify_policy.scan_limit IS 'where more references must be compared nothing is, and the call is refused as UNDETERMINED';

CREATE FUNCTION visage.identify(
  probe visage.probe, max_candidates integer DEFAULT 1, channel text DEFAULT 'default', scenario text DEFAULT 'default',
  context jsonb DEFAULT '{}')
  RETURNS TABLE (rank integer, subject text, decision visage.decision, reason visage.reason, transaction_id uuid,
                 fpir double precision, model text, policy_version integer, retry_after interval, event bigint)
  LANGUAGE c VOLATILE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_identify';
COMMENT ON FUNCTION visage.identify(visage.probe, integer, text, text, jsonb) IS
  'whose face is it? A row for each who is found, the most alike first; or one row without a subject that says that nobody is, or why nobody was looked for [6.6f]';

SELECT visage.watch_policy('visage.identify_policy', 'scenario');

GRANT SELECT ON visage.identify_policy TO visage_admin, visage_auditor;
GRANT INSERT, UPDATE, DELETE ON visage.identify_policy TO visage_admin;
-- Who may call is told a name for a face: a right apart from asking whether a face is somebody's.
GRANT EXECUTE ON FUNCTION visage.identify(visage.probe, integer, text, text, jsonb) TO visage_search;

SELECT pg_catalog.pg_extension_config_dump('visage.identify_policy', '');
