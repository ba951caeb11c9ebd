"""A private PostgreSQL server with pg_visage, on a Unix socket in a directory of its own, gone when it is closed."""
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile

BASE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Failed(Exception):
    """A step of the set-up failed; the text says which and what to look at."""


def find_bindir():
    pg_config = os.environ.get("PG_CONFIG", "pg_config")
    return subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip()


class Cluster:
    """Use as a context manager, or call start() and stop()."""

    def __init__(self, settings=None, prefix="pg_visage."):
        self.bindir = find_bindir()
        # initdb refuses root.
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        self.stage = tempfile.mkdtemp(prefix=prefix)
        self.data = os.path.join(self.stage, "data")
        self.log = os.path.join(self.stage, "server.log")
        self.settings = settings or {}
        self.running = False
        self._own(self.stage)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.remove()

    def _own(self, path):
        if os.getuid() == 0:
            shutil.chown(path, self.user, pwd.getpwnam(self.user).pw_gid)

    def _run(self, *command, check=True):
        switch = {}
        if os.getuid() == 0:
            entry = pwd.getpwnam(self.user)
            switch = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        done = subprocess.run([os.path.join(self.bindir, command[0]), *command[1:]], cwd=self.stage, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**os.environ, "HOME": self.stage, "LC_ALL": "C.UTF-8"}, **switch)
        if check and done.returncode != 0:
            log = open(self.log, errors="replace").read() if os.path.exists(self.log) else ""
            raise Failed(f"{command[0]} failed:\n{done.stdout}{log}")
        return done

    def write_private(self, name, text, owner=None):
        """A file that only its owner reads; the server's user unless owner says "me"."""
        path = os.path.join(self.stage, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        if owner != "me":
            self._own(path)
        return path

    def create(self):
        keys = {name: self.write_private(f"{name}.keys", f"1 {secrets.token_hex(32)}\n")
                for name in ("envelope", "transform")}
        self._run("initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        lines = {"listen_addresses": "", "unix_socket_directories": self.stage, "timezone": "UTC",
                 "shared_preload_libraries": "pg_visage", "visage.key_provider": f"file:{keys['envelope']}",
                 "visage.transform_key_provider": f"file:{keys['transform']}", **self.settings}
        with open(os.path.join(self.data, "postgresql.conf"), "a") as file:
            for name, value in lines.items():
                file.write(f"{name} = '{value}'\n")

    def start(self):
        if not os.path.exists(self.data):
            self.create()
        self._run("pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", "300", "start")
        self.running = True

    def stop(self, mode="fast"):
        if self.running:
            self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", "300", "stop", check=False)
            self.running = False

    def remove(self):
        self.stop("immediate")
        shutil.rmtree(self.stage, ignore_errors=True)

    def conninfo(self, role="postgres", database="postgres"):
        return f"host={self.stage} user={role} dbname={database}"

    def psql(self, sql, *options, role="postgres"):
        """What psql prints; Failed with its words when a statement fails."""
        done = subprocess.run([os.path.join(self.bindir, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", *options,
                               self.conninfo(role)], input=sql, text=True, capture_output=True,
                              env={**os.environ, "LC_ALL": "C.UTF-8"})
        if done.returncode != 0:
            raise Failed(f"psql failed:\n{done.stderr}")
        return done.stdout

    def value(self, sql, role="postgres"):
        return self.psql(sql, "-A", "-t", role=role).strip()
