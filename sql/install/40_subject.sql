-- Subjects, their keys and references. Nobody but the functions of this extension reads these tables.

CREATE TABLE visage.capture_source (
  id uuid PRIMARY KEY,
  institution integer NOT NULL REFERENCES visage.institution,
  name text NOT NULL,
  suite smallint NOT NULL,
  key_version bigint NOT NULL,
  generation integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by name NOT NULL,
  disabled_at timestamptz,
  UNIQUE (institution, name)
);
COMMENT ON TABLE visage.capture_source IS 'who may seal probes; the key is derived from the envelope root, never stored';
COMMENT ON COLUMN visage.capture_source.disabled_at IS 'since when its probes are refused';

CREATE TABLE visage.subject (
  id uuid PRIMARY KEY,
  institution integer NOT NULL REFERENCES visage.institution,
  external_id text NOT NULL,
  registered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  revoked_at timestamptz,
  UNIQUE (institution, external_id)
);
COMMENT ON COLUMN visage.subject.id IS 'random surrogate: the only name of a subject that events and envelopes hold';
COMMENT ON COLUMN visage.subject.external_id IS 'the caller''s name of the subject';
COMMENT ON COLUMN visage.subject.revoked_at IS 'since when all references are withdrawn; then there is none';

CREATE TABLE visage.subject_key (
  subject uuid PRIMARY KEY REFERENCES visage.subject ON DELETE CASCADE,
  wrapped bytea NOT NULL,
  key_version bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE visage.subject_key IS 'random key of each subject, wrapped under an envelope root; without it no reference of the subject opens';

-- The table cannot be called reference: a table's row type would take the name of the type.
CREATE TABLE visage.subject_reference (
  id uuid PRIMARY KEY,
  subject uuid NOT NULL REFERENCES visage.subject ON DELETE CASCADE,
  reference visage.reference NOT NULL,
  model text NOT NULL,
  scheme text NOT NULL,
  generation integer NOT NULL,
  channel text NOT NULL,
  key_version bigint NOT NULL,
  transform_version bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  adapted boolean NOT NULL DEFAULT false,
  origin text NOT NULL DEFAULT 'capture' CHECK (origin IN ('capture', 'authority', 'import'))
);
COMMENT ON COLUMN visage.subject_reference.adapted IS 'made from the probe of a verification, beside the originals; never one of them';
COMMENT ON COLUMN visage.subject_reference.origin IS 'a capture of the person, an authority''s photo, or a batch of an import';
CREATE INDEX subject_reference_subject ON visage.subject_reference (subject);
-- One a subject and model, replaced by the next.
CREATE UNIQUE INDEX subject_reference_adapted ON visage.subject_reference (subject, model) WHERE adapted;
