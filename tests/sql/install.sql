-- The extension installs, and installs what it says. Then the fixture that the other tests use.
SET client_min_messages = warning;
CREATE EXTENSION pg_visage CASCADE;
SELECT extname, extversion = default_version AS current, nspname
FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace JOIN pg_available_extensions a ON a.name = extname
  WHERE extname LIKE 'pg_%' ORDER BY 1;

-- Every function has a comment or is an implementation detail of a type, trigger or view.
SELECT p.oid::regprocedure AS function_without_comment
FROM pg_proc p WHERE pronamespace = 'visage'::regnamespace AND prorettype <> 'trigger'::regtype
  AND obj_description(p.oid, 'pg_proc') IS NULL
  AND proname !~ '_(in|out|recv|send)$' AND proname <> 'loaded_keys'
ORDER BY 1;

-- The fixture: made-up people. A feature is a fixed direction of the person plus a sample's own noise; the cosine of
-- two samples of one person is about 0.8, of two people about 0.
CREATE SCHEMA fixture;
CREATE FUNCTION fixture.noise(seed text, dimension int) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
  SELECT array_agg(((hashtextextended($1 || ':' || i, 0) / 2::numeric ^ 63)::real
                    + (hashtextextended($1 || '/' || i, 1) / 2::numeric ^ 63)::real) ORDER BY i)
  FROM generate_series(1, $2) i
$$;
CREATE FUNCTION fixture.feature(person text, sample int, dimension int DEFAULT 128) RETURNS real[]
  LANGUAGE sql IMMUTABLE AS $$
  SELECT array_agg(p + 0.5::real * n ORDER BY i)
  FROM unnest(fixture.noise($1, $3), fixture.noise($1 || '#' || $2, $3)) WITH ORDINALITY AS t (p, n, i)
$$;
CREATE FUNCTION fixture.probe(person text, sample int, dimension int DEFAULT 128, model text DEFAULT 'test/1',
                              liveness real DEFAULT 0.9, quality jsonb DEFAULT '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}')
  RETURNS visage.probe LANGUAGE sql VOLATILE AS $$
  SELECT visage.seal_probe(fixture.feature($1, $2, $3), $4, $5, 'fixture', $6)
$$;
SELECT visage.add_capture_source('fixture') ~ '^visage-source-1:[A-Za-z0-9+/=]+$' AS source_key_shown_once;
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at)
  SELECT 'test/1', scheme, fmr, threshold, 'made up for the tests', '2026-01-01'
  FROM unnest(ARRAY['plain', 'RFR-1/1024']) scheme, (VALUES (1e-3, 0.4), (1e-5, 0.5), (1e-7, 0.55)) t (fmr, threshold);

-- Values that tests compare without the parts that change from run to run.
CREATE FUNCTION fixture.verdict(visage.outcome) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT ($1).decision || ' ' || ($1).reason $$;
