"""tools/check/search_path finds what would let somebody else's name be taken for the server's. [8.1.4a]"""
import subprocess
import tempfile
import unittest
from pathlib import Path

CHECK = Path(__file__).resolve().parents[2] / "tools/check/search_path"
FIRST = "SET LOCAL search_path = pg_catalog, pg_temp;\n"
GOOD = FIRST + r"""
-- CREATE OR REPLACE FUNCTION evil() in a comment is none.
CREATE TABLE visage.thing (id integer PRIMARY KEY, note text DEFAULT 'GRANT ALL ON x TO PUBLIC; SET search_path = public');
CREATE INDEX thing_note ON visage.thing (note);
CREATE FUNCTION visage.look(id integer) RETURNS text
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$ SELECT 'a;b' || $1 $$;
CREATE FUNCTION visage.in_c() RETURNS integer LANGUAGE c AS 'MODULE_PATHNAME', 'visage_in_c';
CREATE FUNCTION visage.change() RETURNS trigger
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('DELETE FROM visage.%I', TG_TABLE_NAME);
  EXECUTE prepared;
END
$$;
CREATE PROCEDURE visage.commits(n integer) LANGUAGE plpgsql AS $$
BEGIN
  WHILE coalesce(n, 0) OPERATOR(pg_catalog.>) 0 LOOP
    n := visage.next('a = b(c)', n);
    COMMIT;
  END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION visage.probe_in(cstring), visage.reference_info(visage.reference) TO PUBLIC;
"""
BAD = {
    "CREATE FUNCTION visage.f() RETURNS integer LANGUAGE sql AS $$ SELECT 1 $$;": "has no SET search_path",
    "CREATE FUNCTION visage.f() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RETURN 1; END $$;": "has no SET search_path",
    "CREATE FUNCTION visage.f() RETURNS integer LANGUAGE c SECURITY DEFINER AS 'MODULE_PATHNAME', 'f';": "has no SET search_path",
    "CREATE FUNCTION visage.f() RETURNS integer LANGUAGE sql SET search_path = visage, pg_temp AS $$ SELECT 1 $$;": "search_path is visage, pg_temp",
    "CREATE FUNCTION visage.f() RETURNS integer LANGUAGE sql SET search_path = pg_catalog AS $$ SELECT 1 $$;": "search_path is pg_catalog",
    # One that commits can have no settings; then it leaves nothing to the caller's.
    "CREATE PROCEDURE visage.p() LANGUAGE plpgsql AS $$ BEGIN IF 1 = 1 THEN COMMIT; END IF; END $$;": "its operator =",
    "CREATE PROCEDURE visage.p() LANGUAGE plpgsql AS $$ BEGIN PERFORM now(); COMMIT; END $$;": "now() has no schema",
    "CREATE PROCEDURE visage.p() LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;": "has no SET search_path",
    "CREATE PROCEDURE visage.p() LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN COMMIT; END $$;": "has no SET search_path",
    # The path in the body is not the function's.
    "CREATE FUNCTION visage.f() RETURNS integer LANGUAGE sql AS $$ SELECT 1 /* SET search_path = pg_catalog, pg_temp */ $$;": "has no SET search_path",
    "ALTER FUNCTION visage.f() SECURITY DEFINER;": "has no SET search_path",
    "CREATE FUNCTION f() RETURNS integer LANGUAGE c AS 'MODULE_PATHNAME', 'f';": "is not created in schema visage",
    "CREATE VIEW things AS SELECT 1;": "is not created in schema visage",
    "CREATE OR REPLACE FUNCTION visage.f() RETURNS integer LANGUAGE c AS 'MODULE_PATHNAME', 'f';": "takes over",
    "CREATE OR REPLACE VIEW visage.v AS SELECT 1;": "takes over",
    "CREATE TABLE IF NOT EXISTS visage.t (id integer);": "takes over",
    "CREATE INDEX IF NOT EXISTS t_id ON visage.t (id);": "takes over",
    "CREATE SCHEMA IF NOT EXISTS visage;": "takes over",
    "GRANT SELECT ON visage.t TO visage_admin, PUBLIC;": "grants something to PUBLIC",
    "GRANT EXECUTE ON FUNCTION visage.probe_in(cstring), visage.verify(text) TO PUBLIC;": "grants something to PUBLIC",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA visage GRANT SELECT ON TABLES TO visage_admin;": "default privileges",
    "SET search_path = public;": "sets search_path to something else",
    "SET LOCAL search_path = pg_catalog, public;": "sets search_path to something else",
    "SELECT pg_catalog.set_config('search_path', 'public', true);": "sets search_path to something else",
    "DO $$ BEGIN EXECUTE 'DROP TABLE ' || name; END $$;": "format() did not make",
    "DO $$ BEGIN EXECUTE prefix || name; END $$;": "format() did not make",
}


class SearchPath(unittest.TestCase):
    def check(self, text, name="10_thing.sql", released=""):
        with tempfile.TemporaryDirectory() as folder:
            file, made = Path(folder) / name, Path(folder) / "released"
            file.write_text(text)
            made.write_text(released)
            run = subprocess.run([CHECK, "--released", made, file], capture_output=True, text=True)
        return run.returncode, run.stderr

    def test_good_script_passes(self):
        self.assertEqual(self.check(GOOD), (0, ""))

    def test_each_fault_is_found(self):
        for statement, message in BAD.items():
            with self.subTest(statement):
                status, error = self.check(FIRST + "\n" + statement + "\n")
                self.assertEqual(status, 1)
                self.assertIn(message, error)
                self.assertIn("10_thing.sql:3:", error)

    def test_path_comes_first(self):
        for text in ("CREATE TABLE visage.t (id integer);\n" + FIRST, "SET search_path = pg_catalog, pg_temp;\n", ""):
            status, error = self.check(text)
            self.assertEqual(status, 1)
            self.assertIn("does not begin with", error)

    def test_update_replaces_what_a_release_made(self):
        text = FIRST + "CREATE OR REPLACE FUNCTION visage.f() RETURNS integer LANGUAGE c AS 'MODULE_PATHNAME', 'f';\n"
        released = "CREATE FUNCTION visage.f() RETURNS integer LANGUAGE c AS 'MODULE_PATHNAME', 'f';\n"
        self.assertEqual(self.check(text, "0.1--0.2.sql", released), (0, ""))
        self.assertEqual(self.check(text, "0.1--0.2.sql", released.replace(".f(", ".other("))[0], 1)
        self.assertEqual(self.check(text, "10_thing.sql", released)[0], 1)

    def test_the_extension_passes(self):
        run = subprocess.run([CHECK], capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
