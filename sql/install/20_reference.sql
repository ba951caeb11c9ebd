-- A renewable, revocable, protected reference (RFR-1). Input and output never decrypt and need no key.
CREATE TYPE visage.reference;
CREATE FUNCTION visage.reference_in(cstring) RETURNS visage.reference
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_reference_in';
CREATE FUNCTION visage.reference_out(visage.reference) RETURNS cstring
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_reference_out';
CREATE FUNCTION visage.reference_recv(internal) RETURNS visage.reference
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_reference_recv';
CREATE FUNCTION visage.reference_send(visage.reference) RETURNS bytea
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_reference_send';
CREATE TYPE visage.reference (
  INPUT = visage.reference_in, OUTPUT = visage.reference_out, RECEIVE = visage.reference_recv,
  SEND = visage.reference_send, INTERNALLENGTH = VARIABLE, STORAGE = external
);
COMMENT ON TYPE visage.reference IS 'protected, renewable face reference (ISO/IEC 24745); about 270 bytes';

CREATE FUNCTION visage.reference_info(
  reference visage.reference, OUT id uuid, OUT subject uuid, OUT institution integer, OUT scheme text, OUT suite text,
  OUT code_bits integer, OUT dimension integer, OUT generation integer, OUT key_version bigint,
  OUT transform_version bigint)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_reference_info';
COMMENT ON FUNCTION visage.reference_info(visage.reference) IS
  'the authenticated header of a reference; not verified, needs no key';
