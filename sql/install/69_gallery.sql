-- Galleries: codes of the references of one institution and model that can be searched together. [6.2c, 6.6f]
-- A code is made of the capture that its reference is made of, in the same transaction; no reference gives one later.
-- docs/formats.md "gallery code"

CREATE TABLE visage.gallery (
  id serial PRIMARY KEY,
  institution integer NOT NULL REFERENCES visage.institution,
  model text NOT NULL CHECK (octet_length(model) BETWEEN 1 AND 63),
  epoch integer NOT NULL CHECK (epoch > 0),
  dimension integer NOT NULL CHECK (dimension BETWEEN 64 AND 2048),
  suite smallint NOT NULL,
  transform_version bigint NOT NULL,
  salt bytea NOT NULL CHECK (length(salt) = 32),
  opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  closed_at timestamptz,
  UNIQUE (institution, model, epoch)
);
CREATE UNIQUE INDEX gallery_open ON visage.gallery (institution, model) WHERE closed_at IS NULL;
COMMENT ON TABLE visage.gallery IS 'epochs of galleries; all codes of one epoch share a rotation, which needs the transform root. No row: an institution keeps no codes';
COMMENT ON COLUMN visage.gallery.salt IS 'of the rotation''s seed; tells nothing without the transform root';
COMMENT ON COLUMN visage.gallery.closed_at IS 'since when new references get no code of this epoch';

CREATE TABLE visage.gallery_code (
  reference uuid PRIMARY KEY REFERENCES visage.subject_reference ON DELETE CASCADE,
  subject uuid NOT NULL,
  gallery integer NOT NULL REFERENCES visage.gallery,
  generation integer NOT NULL,
  code bytea NOT NULL CHECK (length(code) IN (208, 224))
);
CREATE INDEX gallery_code_gallery ON visage.gallery_code (gallery);
COMMENT ON TABLE visage.gallery_code IS 'a reference''s code, sealed under its subject''s key and the epoch''s transform root; it goes with the reference';
COMMENT ON COLUMN visage.gallery_code.generation IS 'of the reference whose capture it was made of';

CREATE FUNCTION visage.new_epoch(OUT suite smallint, OUT transform_version bigint, OUT salt bytea)
  LANGUAGE c VOLATILE STRICT AS 'MODULE_PATHNAME', 'visage_new_epoch';
COMMENT ON FUNCTION visage.new_epoch() IS 'what a new epoch of a gallery begins with; for the functions of this extension';

CREATE FUNCTION visage.begin_epoch(institution integer, model text, dimension integer) RETURNS integer
  LANGUAGE plpgsql VOLATILE STRICT SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  opened integer;
BEGIN
  -- Two that open at once would number alike; those who register go on.
  LOCK TABLE visage.gallery IN SHARE ROW EXCLUSIVE MODE;
  UPDATE visage.gallery g SET closed_at = clock_timestamp()
    WHERE g.institution = $1 AND g.model = $2 AND g.closed_at IS NULL;
  INSERT INTO visage.gallery (institution, model, epoch, dimension, suite, transform_version, salt)
    SELECT $1, $2, coalesce((SELECT max(g.epoch) FROM visage.gallery g WHERE g.institution = $1 AND g.model = $2), 0) + 1,
           $3, n.suite, n.transform_version, n.salt
    FROM visage.new_epoch() n
    RETURNING epoch INTO opened;
  RETURN opened;
END
$$;
COMMENT ON FUNCTION visage.begin_epoch(integer, text, integer) IS 'ends the open epoch of a gallery and begins the next; for the functions of this extension';

-- Also how an epoch ends: those who are registered keep the code that they have, and get another with their next capture.
CREATE FUNCTION visage.open_gallery(model text, dimension integer) RETURNS integer
  LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF dimension NOT BETWEEN 64 AND 2048 OR octet_length(model) NOT BETWEEN 1 AND 63 THEN
    RAISE EXCEPTION 'a model has 1 to 63 bytes, and features of 64 to 2048 values' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  RETURN visage.begin_epoch(visage.acting_institution(), model, dimension);
END
$$;
COMMENT ON FUNCTION visage.open_gallery(text, integer) IS
  'from now on references of the model get a code; begins a new epoch where there is one; returns its number. dimension: values of the model''s features';

-- An epoch's number is never used again: codes in old files would be of two rotations.
CREATE FUNCTION visage.close_gallery(model text) RETURNS bigint
  LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  acting CONSTANT integer := visage.acting_institution();
  deleted bigint;
BEGIN
  -- Those who register now have put their code, or see that the gallery is closed.
  LOCK TABLE visage.gallery_code IN SHARE ROW EXCLUSIVE MODE;
  UPDATE visage.gallery g SET closed_at = clock_timestamp()
    WHERE g.institution = acting AND g.model = close_gallery.model AND g.closed_at IS NULL;
  DELETE FROM visage.gallery_code c USING visage.gallery g
    WHERE g.id = c.gallery AND g.institution = acting AND g.model = close_gallery.model;
  GET DIAGNOSTICS deleted = ROW_COUNT;
  RETURN deleted;
END
$$;
COMMENT ON FUNCTION visage.close_gallery(text) IS 'deletes all codes of the model, and makes no more; returns how many there were';

CREATE FUNCTION visage.open_code(
  institution integer, model text, epoch integer, dimension integer, suite smallint, transform_version bigint, salt bytea,
  subject uuid, wrapped bytea, reference uuid, generation integer, code bytea) RETURNS text
  LANGUAGE c STABLE STRICT AS 'MODULE_PATHNAME', 'visage_open_code';
COMMENT ON FUNCTION visage.open_code(integer, text, integer, integer, smallint, bigint, bytea, uuid, bytea, uuid, integer, bytea) IS
  'why a code does not open under its subject''s key in its place; null when it does';

CREATE FUNCTION visage.code_faults() RETURNS TABLE (part text, object text, fault text)
  LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET jit = off AS $$
  SELECT 'keys', format('gallery %s/%s/%s', g.institution, g.model, g.epoch),
         format('needs transform key version %s, which is not loaded, for its codes', g.transform_version)
  FROM visage.gallery g
  WHERE g.transform_version NOT IN (SELECT l.version FROM visage.loaded_keys() l WHERE l.custody = 'transform')
    AND EXISTS (SELECT FROM visage.gallery_code c WHERE c.gallery = g.id)
  UNION ALL
  SELECT 'galleries', 'code of reference ' || c.reference, coalesce(CASE WHEN r.subject <> c.subject THEN 'is of another subject than its reference'
         WHEN r.generation <> c.generation THEN 'is of another generation than its reference' END, o.fault)
  FROM visage.gallery_code c JOIN visage.gallery g ON g.id = c.gallery JOIN visage.subject_reference r ON r.id = c.reference
    JOIN visage.subject_key k ON k.subject = c.subject
    JOIN LATERAL visage.open_code(g.institution, g.model, g.epoch, g.dimension, g.suite, g.transform_version, g.salt, c.subject, k.wrapped,
                                  c.reference, c.generation, c.code) o (fault) ON true
  WHERE g.transform_version IN (SELECT l.version FROM visage.loaded_keys() l WHERE l.custody = 'transform')
    AND k.key_version IN (SELECT l.version FROM visage.loaded_keys() l WHERE l.custody = 'envelope')
    AND (r.subject <> c.subject OR r.generation <> c.generation OR o.fault IS NOT NULL)
$$;
COMMENT ON FUNCTION visage.code_faults() IS 'part of integrity(): opens every code of every gallery';

CREATE TRIGGER audit_change AFTER INSERT OR UPDATE OR DELETE ON visage.gallery
  FOR EACH ROW EXECUTE FUNCTION visage.audit_change('model', 'epoch');
CREATE TRIGGER forget_policy AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON visage.gallery
  FOR EACH STATEMENT EXECUTE FUNCTION visage.forget_policy();
ALTER TABLE visage.gallery ENABLE ALWAYS TRIGGER audit_change;
ALTER TABLE visage.gallery ENABLE ALWAYS TRIGGER forget_policy;

GRANT EXECUTE ON FUNCTION visage.open_gallery(text, integer), visage.close_gallery(text) TO visage_admin;

SELECT pg_catalog.pg_extension_config_dump('visage.gallery', '');
SELECT pg_catalog.pg_extension_config_dump('visage.gallery_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('visage.gallery_code', '');
