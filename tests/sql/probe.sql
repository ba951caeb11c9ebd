-- Type visage.probe and the sealing of probes.
CREATE TEMP TABLE t AS SELECT fixture.probe('probe-1', 1) AS probe;

-- Text and binary forms give the same value back. [8.2.4f]
SELECT probe::text::visage.probe::text = probe::text AS text_form, length(visage.probe_send(probe)) = pg_column_size(probe) - 4 AS binary_form FROM t;
-- The header is readable, the contents are not there to read. [6.6h]
SELECT (i).institution, (i).suite, (i).key_version, (i).captured_at <= clock_timestamp() AS captured,
       (i).expires_at - (i).captured_at AS lifetime
FROM t, LATERAL (SELECT visage.probe_info(probe)) x (i);
SELECT position('test/1'::bytea IN visage.probe_send(probe)) AS model_in_clear FROM t;
-- Two probes of one feature share no ciphertext.
SELECT substr(visage.probe_send(a), 113) <> substr(visage.probe_send(b), 113) AS differ
FROM (SELECT fixture.probe('x', 1) a, fixture.probe('x', 1) b) s;

-- Hostile input is refused with a clear message, never a crash.
SELECT ''::visage.probe;
SELECT 'hello'::visage.probe;
SELECT '!!!!!!!!'::visage.probe;
SELECT 'AAAAAAAA'::visage.probe;
SELECT repeat('A', 1000000)::visage.probe;
SELECT left(probe::text, 200)::visage.probe FROM t;
SELECT overlay(probe::text placing CASE substr(probe::text, 100, 1) WHEN 'A' THEN 'B' ELSE 'A' END from 100)::visage.probe FROM t;
SELECT NULL::visage.probe;

-- Sealing checks what it is given; the index of the first bad value is named.
SELECT visage.seal_probe(NULL, 'test/1', 0.9, 'fixture');
SELECT visage.seal_probe('{}', 'test/1', 0.9, 'fixture');
SELECT visage.seal_probe(ARRAY[1, 2, 3]::real[], 'test/1', 0.9, 'fixture');
SELECT visage.seal_probe(array_fill(0::real, ARRAY[128]), 'test/1', 0.9, 'fixture');
SELECT visage.seal_probe(array_fill(1::real, ARRAY[63]), 'test/1', 0.9, 'fixture');
SELECT visage.seal_probe(array_fill(1::real, ARRAY[2049]), 'test/1', 0.9, 'fixture');
SELECT visage.seal_probe(array_fill(1::real, ARRAY[2, 64]), 'test/1', 0.9, 'fixture');
SELECT visage.seal_probe(array_fill(1::real, ARRAY[127]) || 'NaN'::real, 'test/1', 0.9, 'fixture');
SELECT visage.seal_probe(array_fill(1::real, ARRAY[64]) || 'Infinity'::real, 'test/1', 0.9, 'fixture');
SELECT visage.seal_probe(array_fill(1::real, ARRAY[64]) || '1e-42'::real, 'test/1', 0.9, 'fixture');
SELECT visage.seal_probe(array_fill(1::real, ARRAY[64]) || NULL::real, 'test/1', 0.9, 'fixture');
SELECT visage.seal_probe(fixture.feature('a', 1), NULL, 0.9, 'fixture');
SELECT visage.seal_probe(fixture.feature('a', 1), '', 0.9, 'fixture');
SELECT visage.seal_probe(fixture.feature('a', 1), repeat('m', 64), 0.9, 'fixture');
SELECT visage.seal_probe(fixture.feature('a', 1), 'with space', 0.9, 'fixture');
SELECT visage.seal_probe(fixture.feature('a', 1), 'test/1', 1.1, 'fixture');
SELECT visage.seal_probe(fixture.feature('a', 1), 'test/1', 'NaN', 'fixture');
SELECT visage.seal_probe(fixture.feature('a', 1), 'test/1', 0.9, 'nobody');
SELECT visage.seal_probe(fixture.feature('a', 1), 'test/1', 0.9, NULL);
SELECT visage.seal_probe(fixture.feature('a', 1), 'test/1', 0.9, 'fixture', '[]');
SELECT visage.seal_probe(fixture.feature('a', 1), 'test/1', 0.9, 'fixture', '{"Beauty": 1}');
SELECT visage.seal_probe(fixture.feature('a', 1), 'test/1', 0.9, 'fixture', '{"ImageWidth": "wide"}');
SELECT visage.seal_probe(fixture.feature('a', 1), 'test/1', 0.9, 'fixture', '{"ImageWidth": {"a": 1}}');
SELECT visage.seal_probe(fixture.feature('a', 1), 'test/1', 0.9, 'fixture', image_digest => '\x00');
SELECT visage.seal_probe(fixture.feature('a', 1), 'test/1', 0.9, 'fixture', session_nonce => '\x00');
SELECT visage.seal_probe(fixture.feature('a', 1), 'test/1', 0.9, 'fixture', captured_at => 'infinity');
SELECT visage.seal_probe(fixture.feature('a', 1), 'test/1', 0.9, 'fixture', captured_at => '1969-01-01');
SELECT visage.seal_probe(fixture.feature('a', 1), 'test/1', 0.9, 'fixture', lifetime => '0');
SELECT visage.seal_probe(fixture.feature('a', 1), 'test/1', 0.9, 'fixture', lifetime => '-1 minute');
-- Any length from 64 to 2048 is welcome.
SELECT bool_and(visage.seal_probe(fixture.feature('a', 1, d), 'test/1', 0.9, 'fixture') IS NOT NULL) FROM unnest(ARRAY[64, 65, 127, 512, 513, 2048]) d;

-- Capture sources.
SELECT visage.add_capture_source(NULL);
SELECT visage.add_capture_source('');
SELECT visage.add_capture_source(repeat('x', 64));
SELECT visage.add_capture_source('fixture');
SELECT visage.disable_capture_source('nobody');
