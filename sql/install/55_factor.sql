-- Factors beside the face: enrolled secrets, sealed under the subject's key, and who vouches for the others. [6.6e]
-- docs/factors.md

CREATE TYPE visage.factor_kind AS ENUM (
  'password',     -- bcrypt over a keyed hash, sealed
  'totp',         -- RFC 6238
  'certificate',  -- X.509: signs the session's nonce
  'otp',          -- one-time code that the caller's service checked, as a signed assertion; not enrolled
  'face'          -- a probe against the subject's references; not enrolled
);

CREATE TABLE visage.factor (
  id uuid PRIMARY KEY,
  subject uuid NOT NULL REFERENCES visage.subject ON DELETE CASCADE,
  kind visage.factor_kind NOT NULL CHECK (kind IN ('password', 'totp', 'certificate')),
  sealed bytea NOT NULL,
  key_version bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (subject, kind)
);
COMMENT ON TABLE visage.factor IS 'enrolled factors; their secrets open under an envelope root and the subject''s key only';

CREATE TABLE visage.factor_policy (
  institution integer PRIMARY KEY REFERENCES visage.institution,
  password_min_length smallint NOT NULL DEFAULT 8 CHECK (password_min_length BETWEEN 6 AND 64),
  password_cost smallint NOT NULL DEFAULT 10 CHECK (password_cost BETWEEN 8 AND 16),
  totp_window smallint NOT NULL DEFAULT 1 CHECK (totp_window BETWEEN 0 AND 10),
  otp_lifetime interval NOT NULL DEFAULT '5 minutes' CHECK (otp_lifetime > '0' AND otp_lifetime <= '1 hour'),
  require_revocation_list boolean NOT NULL DEFAULT true,
  builtin boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE visage.factor_policy IS 'how factors are checked; where an institution has no row, that of institution 1 applies';
COMMENT ON COLUMN visage.factor_policy.password_min_length IS 'in characters; only what is enrolled from then on';
COMMENT ON COLUMN visage.factor_policy.password_cost IS 'bcrypt''s, a power of two: each more doubles the time';
COMMENT ON COLUMN visage.factor_policy.totp_window IS 'steps before and after the present one whose codes are taken';
COMMENT ON COLUMN visage.factor_policy.otp_lifetime IS 'longest life of an assertion, whatever it says itself';
COMMENT ON COLUMN visage.factor_policy.require_revocation_list IS 'refuse a certificate when an authority of its chain has no list in visage.revocation_list';
INSERT INTO visage.factor_policy (institution, builtin) VALUES (1, true);

CREATE FUNCTION visage.check_public_key(pem text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_check_public_key';
COMMENT ON FUNCTION visage.check_public_key(text) IS 'an error unless it is a public key in PEM of Ed25519 or of ECDSA over P-256 or P-384';
CREATE FUNCTION visage.check_trust_anchor(pem text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_check_trust_anchor';
COMMENT ON FUNCTION visage.check_trust_anchor(text) IS 'an error unless it is one certificate of an authority in PEM';
CREATE FUNCTION visage.check_revocation_list(pem text) RETURNS boolean
  LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'visage_check_revocation_list';
COMMENT ON FUNCTION visage.check_revocation_list(text) IS 'an error unless it is one revocation list in PEM';

CREATE TABLE visage.otp_service (
  institution integer NOT NULL REFERENCES visage.institution,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
  public_key text NOT NULL CHECK (visage.check_public_key(public_key)),
  enabled boolean NOT NULL DEFAULT true,
  PRIMARY KEY (institution, name)
);
COMMENT ON TABLE visage.otp_service IS 'services that check one-time codes and sign assertions about it; a row a key';
CREATE TABLE visage.trust_anchor (
  institution integer NOT NULL REFERENCES visage.institution,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
  certificate text NOT NULL CHECK (visage.check_trust_anchor(certificate)),
  enabled boolean NOT NULL DEFAULT true,
  PRIMARY KEY (institution, name)
);
COMMENT ON TABLE visage.trust_anchor IS 'root authorities whose certificates are taken, in PEM';
CREATE TABLE visage.revocation_list (
  institution integer NOT NULL REFERENCES visage.institution,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
  list text NOT NULL CHECK (visage.check_revocation_list(list)),
  PRIMARY KEY (institution, name)
);
COMMENT ON TABLE visage.revocation_list IS 'revocation lists (CRL) of the authorities, in PEM; replace them before they expire';

CREATE FUNCTION visage.enrol_factor(
  subject text, kind visage.factor_kind, secret text, channel text DEFAULT 'default', scenario text DEFAULT 'default',
  context jsonb DEFAULT '{}') RETURNS visage.outcome
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_enrol_factor';
COMMENT ON FUNCTION visage.enrol_factor(text, visage.factor_kind, text, text, text, jsonb) IS
  'gives a subject a password, a TOTP secret (base32 or otpauth URI) or a certificate (PEM); pass the secret as a parameter';
CREATE FUNCTION visage.replace_factor(
  subject text, kind visage.factor_kind, secret text, channel text DEFAULT 'default', scenario text DEFAULT 'default',
  context jsonb DEFAULT '{}') RETURNS visage.outcome
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_replace_factor';
COMMENT ON FUNCTION visage.replace_factor(text, visage.factor_kind, text, text, text, jsonb) IS 'puts a new secret in the place of an enrolled one';
CREATE FUNCTION visage.remove_factor(
  subject text, kind visage.factor_kind, channel text DEFAULT 'default', scenario text DEFAULT 'default',
  context jsonb DEFAULT '{}') RETURNS visage.outcome
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_remove_factor';
COMMENT ON FUNCTION visage.remove_factor(text, visage.factor_kind, text, text, jsonb) IS 'removes an enrolled factor';
CREATE FUNCTION visage.present_factor(session uuid, kind visage.factor_kind, evidence text, context jsonb DEFAULT '{}')
  RETURNS visage.outcome
  LANGUAGE c VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'visage_present_factor';
COMMENT ON FUNCTION visage.present_factor(uuid, visage.factor_kind, text, jsonb) IS
  'shows a factor in a session: password, TOTP code, signed assertion, certificates with the signed nonce, or a probe [6.6e]';

CREATE FUNCTION visage.reseal_factor(
  institution integer, subject uuid, wrapped bytea, id uuid, kind visage.factor_kind, sealed bytea) RETURNS bytea
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'visage_reseal_factor';
COMMENT ON FUNCTION visage.reseal_factor(integer, uuid, bytea, uuid, visage.factor_kind, bytea) IS
  'the same factor sealed under the newest envelope root; null with a warning when it does not open';

CREATE FUNCTION visage.list_factors(subject text)
  RETURNS TABLE (factor uuid, kind visage.factor_kind, created_at timestamptz)
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT f.id, f.kind, f.created_at
  FROM visage.factor f JOIN visage.subject s ON s.id = f.subject JOIN visage.institution i ON i.id = s.institution
  WHERE s.external_id = $1 AND i.name = current_setting('visage.institution') AND visage.acts_for(i.id)
  ORDER BY f.kind
$$;
COMMENT ON FUNCTION visage.list_factors(text) IS 'enrolled factors of a subject, without their secrets';

CREATE TRIGGER guard_builtin BEFORE INSERT OR UPDATE OR DELETE ON visage.factor_policy
  FOR EACH ROW EXECUTE FUNCTION visage.guard_builtin('institution');
DO $$
DECLARE
  counted text;
BEGIN
  FOREACH counted IN ARRAY ARRAY['factor_policy', 'otp_service', 'trust_anchor', 'revocation_list']
  LOOP
    EXECUTE pg_catalog.format('CREATE TRIGGER count_policy_change AFTER INSERT OR UPDATE OR DELETE ON visage.%I '
      'FOR EACH STATEMENT EXECUTE FUNCTION visage.count_policy_change()', counted);
  END LOOP;
END
$$;

REVOKE ALL ON TYPE visage.factor_kind FROM PUBLIC;
GRANT USAGE ON TYPE visage.factor_kind TO visage_admin, visage_service, visage_capture, visage_auditor, visage_calibrator;
GRANT EXECUTE ON FUNCTION
  visage.present_factor(uuid, visage.factor_kind, text, jsonb),
  visage.enrol_factor(text, visage.factor_kind, text, text, text, jsonb),
  visage.replace_factor(text, visage.factor_kind, text, text, text, jsonb),
  visage.remove_factor(text, visage.factor_kind, text, text, jsonb), visage.list_factors(text) TO visage_service;
GRANT SELECT ON visage.factor_policy TO visage_admin, visage_service, visage_capture, visage_auditor, visage_calibrator;
GRANT SELECT ON visage.otp_service, visage.trust_anchor, visage.revocation_list TO visage_admin, visage_auditor;
GRANT INSERT, UPDATE, DELETE ON visage.factor_policy, visage.otp_service, visage.trust_anchor, visage.revocation_list
  TO visage_admin;
-- They check what is inserted, with the rights of who inserts.
GRANT EXECUTE ON FUNCTION visage.check_public_key(text), visage.check_trust_anchor(text), visage.check_revocation_list(text)
  TO visage_admin;
SELECT pg_catalog.pg_extension_config_dump('visage.factor_policy', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('visage.otp_service', '');
SELECT pg_catalog.pg_extension_config_dump('visage.trust_anchor', '');
SELECT pg_catalog.pg_extension_config_dump('visage.revocation_list', '');
SELECT pg_catalog.pg_extension_config_dump('visage.factor', '');
