-- Revocation: an operator withdraws somebody's references, and the name stays taken until it is cancelled. [5.3.4]
-- docs/references.md

CREATE FUNCTION visage.revoke(subject text, why text) RETURNS boolean
  LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  person visage.subject;
  dropped bigint;
BEGIN
  IF why IS NULL OR octet_length(why) NOT BETWEEN 1 AND 255 THEN
    RAISE EXCEPTION 'why has % bytes, allowed are 1 to 255', coalesce(octet_length(why), 0) USING ERRCODE = 'invalid_parameter_value';
  END IF;
  -- Whoever adds a reference locks the subject too, and then reads anew.
  SELECT * INTO person FROM visage.subject s WHERE s.institution = visage.acting_institution() AND s.external_id = $1 FOR UPDATE;
  IF NOT FOUND OR person.revoked_at IS NOT NULL THEN
    RETURN false;
  END IF;
  -- They go on the list of erasures: no restore brings them back.
  DELETE FROM visage.subject_reference r WHERE r.subject = person.id;
  GET DIAGNOSTICS dropped = ROW_COUNT;
  UPDATE visage.subject s SET revoked_at = clock_timestamp() WHERE s.id = person.id;
  PERFORM visage.record_change('revoke', person.institution, format('%s references', dropped), NULL, NULL, why, person.id);
  RETURN true;
END
$$;
COMMENT ON FUNCTION visage.revoke(text, text) IS
  'deletes all references of a subject, who is refused as REVOKED until cancelled and registered anew; false when there was nothing to revoke';

GRANT EXECUTE ON FUNCTION visage.revoke(text, text) TO visage_admin;
