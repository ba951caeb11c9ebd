-- The sealed result of a capture. Input and output check structure only: they never decrypt and need no key.
CREATE TYPE visage.probe;
CREATE FUNCTION visage.probe_in(cstring) RETURNS visage.probe
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_probe_in';
CREATE FUNCTION visage.probe_out(visage.probe) RETURNS cstring
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_probe_out';
CREATE FUNCTION visage.probe_recv(internal) RETURNS visage.probe
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_probe_recv';
CREATE FUNCTION visage.probe_send(visage.probe) RETURNS bytea
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_probe_send';
CREATE TYPE visage.probe (
  INPUT = visage.probe_in, OUTPUT = visage.probe_out, RECEIVE = visage.probe_recv, SEND = visage.probe_send,
  INTERNALLENGTH = VARIABLE, STORAGE = external
);
COMMENT ON TYPE visage.probe IS 'sealed result of one capture: feature, model, liveness and quality, readable by the matcher only';

CREATE FUNCTION visage.probe_info(
  probe visage.probe, OUT id uuid, OUT source uuid, OUT institution integer, OUT suite text, OUT key_version bigint,
  OUT captured_at timestamptz, OUT expires_at timestamptz)
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_probe_info';
COMMENT ON FUNCTION visage.probe_info(visage.probe) IS 'the authenticated header of a probe; not verified, needs no key';
