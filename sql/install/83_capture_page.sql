-- The capture page: its one-time link, and the notice that it shows. The link itself is sealed by visaged and stored nowhere; that it was opened is
-- kept here, so that a restart of visaged, or a second visaged, opens it no second time. [6.4a, 8.2.2f] docs/capture-page.md

CREATE FUNCTION visage.open_capture_page(session uuid) RETURNS boolean
  LANGUAGE sql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH opened AS (
    UPDATE visage.session s SET page_opened_at = clock_timestamp()
    FROM visage.institution i
    WHERE s.id = $1 AND s.page_opened_at IS NULL AND s.expires_at > clock_timestamp() AND i.id = s.institution
      AND i.name = current_setting('visage.institution') AND visage.acts_for(i.id)
    RETURNING s.id)
  SELECT EXISTS (SELECT FROM opened)
$$;
COMMENT ON FUNCTION visage.open_capture_page(uuid) IS
  'opens the capture page of a session, once; false when it was opened before, has expired or is another institution''s';

CREATE FUNCTION visage.read_notice(name text)
  RETURNS TABLE (version integer, digest bytea, purposes text[], manner text, scope text, storage text, text text,
                 published_at timestamptz)
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT n.version, n.digest, n.purposes, n.manner, n.scope, n.storage, n.text, n.published_at
  FROM visage.notice n WHERE n.institution = visage.acting_institution() AND n.name = $1 AND n.retired_at IS NULL
$$;
COMMENT ON FUNCTION visage.read_notice(text) IS 'version of a notice that is in force, to be shown before a capture [8.2.2c]';

CREATE FUNCTION visage.capture_demands(session uuid, OUT challenge text, OUT demands text[])
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT s.challenge, ARRAY(SELECT f.measure FROM visage.channel_floor f
                            WHERE f.institution = s.institution AND f.channel = s.channel AND f.minimum > 0
                              AND starts_with(f.measure, 'Liveness') ORDER BY f.measure)
  FROM visage.session s JOIN visage.institution i ON i.id = s.institution
  WHERE s.id = $1 AND i.name = current_setting('visage.institution') AND visage.acts_for(i.id)
$$;
COMMENT ON FUNCTION visage.capture_demands(uuid) IS
  'what the capture of a session has to show: its movements, and the measures of liveness that its channel has a floor for; docs/liveness.md';

GRANT EXECUTE ON FUNCTION visage.open_capture_page(uuid), visage.read_notice(text), visage.capture_demands(uuid)
  TO visage_service;
