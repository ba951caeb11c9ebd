-- Type visage.reference.
SELECT fixture.verdict(visage.register('reference-1', fixture.probe('reference-1', 1)));
SELECT fixture.verdict(visage.register('reference-2', fixture.probe('reference-2', 1)));
CREATE TEMP TABLE t AS SELECT * FROM visage.references_for_calibration() WHERE subject LIKE 'reference-%';

SELECT subject, reference::text::visage.reference::text = reference::text AS text_form,
       pg_column_size(reference) AS bytes FROM t ORDER BY subject;
SELECT (i).scheme, (i).suite, (i).code_bits, (i).dimension, (i).generation, (i).key_version, (i).transform_version
FROM t, LATERAL (SELECT visage.reference_info(reference)) x (i) WHERE subject = 'reference-1';

SELECT ''::visage.reference;
SELECT 'AAAAAAAA'::visage.reference;
SELECT repeat('A', 100000)::visage.reference;
SELECT (SELECT fixture.probe('a', 1))::text::visage.reference;
SELECT left(reference::text, 100)::visage.reference FROM t LIMIT 1;

-- Every byte of a stored reference is under the seal: with any one changed, it does not open and nothing is
-- compared. Structure that a change breaks is found before. [8.2.4e]
CREATE FUNCTION pg_temp.outcome_with_byte_flipped(at int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  envelope bytea := (SELECT visage.reference_send(reference) FROM t WHERE subject = 'reference-1');
  result text;
BEGIN
  envelope := set_byte(envelope, at, get_byte(envelope, at) # 1);
  SELECT 'scored ' || visage.score((visage.reference_text(envelope))::visage.reference, fixture.probe('reference-1', 2)) INTO result;
  RETURN result;
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
-- The text form of arbitrary bytes, as a dump would carry it.
CREATE FUNCTION pg_temp.crc32c(bytes bytea) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE crc bigint := 4294967295;
BEGIN
  FOR i IN 0 .. length(bytes) - 1 LOOP
    crc := crc # get_byte(bytes, i);
    FOR bit IN 1 .. 8 LOOP crc := CASE WHEN crc & 1 = 1 THEN (crc >> 1) # 2197175160 ELSE crc >> 1 END; END LOOP;
  END LOOP;
  RETURN crc # 4294967295;
END $$;
CREATE FUNCTION visage.reference_text(bytes bytea) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE crc bigint := pg_temp.crc32c(bytes);
BEGIN
  RETURN replace(encode(bytes || set_byte(set_byte(set_byte(set_byte('\x00000000'::bytea, 0, (crc & 255)::int), 1, (crc >> 8 & 255)::int), 2, (crc >> 16 & 255)::int), 3, (crc >> 24 & 255)::int), 'base64'), E'\n', '');
END $$;
SELECT pg_temp.outcome_with_byte_flipped(0) AS kind, pg_temp.outcome_with_byte_flipped(200) AS ciphertext;
SELECT outcome, count(*) FROM (SELECT pg_temp.outcome_with_byte_flipped(i) AS outcome FROM generate_series(0, 263) i) s
GROUP BY outcome ORDER BY outcome;
DROP FUNCTION visage.reference_text(bytea);
