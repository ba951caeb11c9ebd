-- Galleries in memory: a search finds whom the table gives, whatever comes and goes meanwhile. [6.2c] [6.6f]
-- An institution of its own, with people between whom faces are drawn: so scores lie on both sides of the threshold.
\set ECHO none
CREATE FUNCTION pg_temp.between(a text, b text, share real, sample int) RETURNS real[] LANGUAGE sql AS $$
  SELECT array_agg((1 - $3) * p + $3 * q + 0.3::real * n ORDER BY i)
  FROM unnest(fixture.noise($1, 128), fixture.noise($2, 128), fixture.noise($1 || $2 || '#' || $4, 128)) WITH ORDINALITY AS t (p, q, n, i) $$;
CREATE FUNCTION pg_temp.probe(feature real[]) RETURNS visage.probe LANGUAGE sql AS $$ SELECT visage.seal_probe($1, 'test/1', 0.9, 'memory') $$;
-- Those who reach the threshold that so many references need.
CREATE FUNCTION pg_temp.found(probe visage.probe, method text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('visage.search_method', method, false);
  RETURN (SELECT coalesce(string_agg(c.subject || ' ' || c.score, ', ' ORDER BY c.score DESC, c.subject) FILTER (WHERE c.score >= 0.5), 'nobody') ||
                 CASE WHEN bool_and(c.complete) THEN '' ELSE ', undetermined' END FROM visage.score_candidates(probe, 0.01) c);
END $$;
CREATE FUNCTION pg_temp.served() RETURNS bigint LANGUAGE sql VOLATILE AS $$ SELECT searches FROM visage.gallery_memory $$;
-- Waits until memory has what was committed; says no more than that.
CREATE PROCEDURE pg_temp.catch_up() LANGUAGE plpgsql AS $$
DECLARE
  since CONSTANT timestamptz := clock_timestamp();
BEGIN
  LOOP
    EXIT WHEN (SELECT bool_and(g.state = 'serving' AND g.seen_at > since) AND max(w.waiting) = 0 FROM visage.galleries g, visage.gallery_memory w WHERE g.institution = 'memory' AND NOT EXISTS (SELECT FROM visage.gallery_removal));
    IF clock_timestamp() > since + interval '10 minutes' THEN RAISE 'memory does not catch up: %', (SELECT json_agg(g) FROM visage.galleries g WHERE g.institution = 'memory'); END IF;
    PERFORM pg_sleep(0.01);
    COMMIT;
  END LOOP;
END $$;
\set ECHO all
SELECT visage.grant_institution('memory', current_user::regrole);
SELECT id AS place FROM visage.institution WHERE name = 'memory' \gset
INSERT INTO visage.channel (institution, name) VALUES (:place, 'default');
INSERT INTO visage.scenario (institution, name) VALUES (:place, 'default');
SET visage.institution = 'memory';
SELECT visage.add_capture_source('memory') IS NOT NULL AS shown;
SELECT fixture.verdict(visage.register('m-early', pg_temp.probe(fixture.feature('m1', 1))));
SELECT visage.open_gallery('test/1', 128);
SELECT count(*) FROM generate_series(1, 60) i, LATERAL visage.register('m' || i, pg_temp.probe(fixture.feature('m' || i, 2))) r WHERE r.reason = 'OK';
CALL pg_temp.catch_up();
SELECT state, codes, codes_in_memory, compared_singly, bytes = 2 * 151552 AS two_blocks FROM visage.galleries WHERE institution = 'memory';
SELECT state, taken <= memory AS within, waiting, readings, fault FROM visage.gallery_memory;

-- Random faces, and the table's answer to the same probe: bit by bit the same scores.
SELECT pg_temp.served() AS before \gset
SELECT count(*) AS searches, count(*) FILTER (WHERE memory = in_table) AS same, count(*) FILTER (WHERE memory = 'nobody') BETWEEN 10 AND 150 AS some_found
FROM generate_series(1, 200) i, LATERAL (SELECT pg_temp.probe(pg_temp.between('m' || i * 13 % 90 + 1, 'm' || i * 7 % 90, ((i % 11) / 15.0)::real, i)) AS p) made,
  LATERAL (SELECT pg_temp.found(p, 'exact') AS memory, pg_temp.found(p, 'table') AS in_table) f;
SELECT pg_temp.served() - :before AS from_memory;

-- The same while people come, go, renew their references and go back on it; each search beside the worker's rounds.
SELECT pg_temp.served() AS before \gset
DO $$
DECLARE
  in_memory text;
  in_table text;
  p visage.probe;
  differ int := 0;
  who text;
BEGIN
  PERFORM setseed(0.5);
  FOR step IN 1 .. 200 LOOP
    who := 'm' || 1 + floor(random() * 80);
    CASE floor(random() * 6)
      WHEN 0 THEN PERFORM visage.cancel(who);
      WHEN 1 THEN PERFORM visage.register(who, pg_temp.probe(fixture.feature(who, step)));
      WHEN 2 THEN PERFORM visage.replace_reference(who, pg_temp.probe(fixture.feature(who, step)));
      WHEN 3 THEN PERFORM visage.add_reference(who, pg_temp.probe(fixture.feature(who, step)));
      WHEN 4 THEN PERFORM visage.drop_reference(who, coalesce((SELECT l.reference FROM visage.list_references(who) l LIMIT 1), gen_random_uuid()));
      ELSE
        PERFORM visage.cancel(who);
        ROLLBACK;
    END CASE;
    -- Half of the searches see what only this transaction sees.
    IF random() < 0.5 THEN COMMIT; END IF;
    p := pg_temp.probe(pg_temp.between(who, 'm' || 1 + floor(random() * 80), (random() * 0.7)::real, step));
    in_memory := pg_temp.found(p, 'exact');
    in_table := pg_temp.found(p, 'table');
    IF in_memory <> in_table THEN
      differ := differ + 1;
      RAISE NOTICE 'step %: % in memory, % in the table', step, in_memory, in_table;
    END IF;
    IF random() < 0.5 THEN ROLLBACK; ELSE COMMIT; END IF;
  END LOOP;
  RAISE NOTICE '% of 200 searches differ', differ;
END $$;
SELECT pg_temp.served() - :before >= 190 AS from_memory;
CALL pg_temp.catch_up();
SELECT g.codes = g.codes_in_memory AS all_codes, g.compared_singly FROM visage.galleries g WHERE g.institution = 'memory';

-- A new epoch: both are searched. Old ones, and who has no code, are found as well.
SELECT visage.open_gallery('test/1', 128);
SELECT count(*) FROM generate_series(81, 100) i, LATERAL visage.register('m' || i, pg_temp.probe(fixture.feature('m' || i, 2))) r WHERE r.reason = 'OK';
DELETE FROM visage.gallery_code c USING visage.subject s WHERE s.id = c.subject AND s.external_id IN ('m81', 'm82');
CALL pg_temp.catch_up();
SELECT epoch, codes = codes_in_memory AS all_codes, compared_singly FROM visage.galleries WHERE institution = 'memory' ORDER BY 1;
SELECT count(*) AS searches, count(*) FILTER (WHERE memory = in_table) AS same, count(*) FILTER (WHERE memory <> 'nobody') > 50 AS most_found
FROM generate_series(1, 100) i, LATERAL (SELECT pg_temp.probe(fixture.feature('m' || i, 3)) AS p) made,
  LATERAL (SELECT pg_temp.found(p, 'exact') AS memory, pg_temp.found(p, 'table') AS in_table) f;

-- Where more must be compared than allowed, nothing is. Codes rule out most.
SET visage.search_method = 'exact';
SELECT DISTINCT complete FROM visage.score_candidates(pg_temp.probe(fixture.feature('m90', 4)), 0.01, 20);
SELECT DISTINCT complete, compared FROM visage.score_candidates(pg_temp.probe(fixture.feature('m90', 4)), 0.01, 2);
SET visage.search_method = 'table';
SELECT DISTINCT complete FROM visage.score_candidates(pg_temp.probe(fixture.feature('m90', 4)), 0.01, 20);
RESET visage.search_method;

-- Others neither search here nor see what memory has. [6.2a] [8.1.4a]
CREATE ROLE memory_calibrator LOGIN IN ROLE visage_calibrator, visage_auditor;
SELECT pg_temp.probe(fixture.feature('m90', 4)) AS probe \gset
SET ROLE memory_calibrator;
SELECT * FROM visage.score_candidates(:'probe');
SET visage.institution = 'default';
SELECT count(*) FROM visage.galleries;
SELECT * FROM visage.galleries_in_memory();
RESET ROLE;
SELECT count(*) FROM visage.score_candidates(fixture.probe('m90', 4)) WHERE score > 0.5;
SET visage.institution = 'memory';

-- All deleted at once, and closed: memory is given back. [8.2.4d]
SELECT count(*) > 60 AS cancelled FROM (SELECT external_id FROM visage.subject WHERE institution = :place OFFSET 0) s, visage.cancel(s.external_id) c WHERE c.reason = 'OK';
CALL pg_temp.catch_up();
SELECT epoch, codes, codes_in_memory, compared_singly FROM visage.galleries WHERE institution = 'memory' ORDER BY 1;
SELECT count(*) FROM visage.gallery_removal;
SELECT visage.close_gallery('test/1');
RESET visage.institution;
