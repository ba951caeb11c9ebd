"""A visaged process."""
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request

from .cluster import BASE, Failed


# VISAGED=path runs another build, for instance one with a sanitizer.
PROGRAM = os.environ.get("VISAGED", os.path.join(BASE, "build/visaged"))


class Daemon:
    """Starts visaged with a configuration file; its log is a file in `directory`."""

    def __init__(self, directory, name="visaged", environment=None, wrapper=(), **settings):
        self.config = os.path.join(directory, f"{name}.toml")
        self.log = os.path.join(directory, f"{name}.log")
        self.settings = {"listen": "127.0.0.1:0", "admin_listen": "127.0.0.1:0",
                         "models": os.path.join(BASE, "models"), **settings}
        self.environment = environment or {}
        self.wrapper = list(wrapper)  # a program that becomes the daemon, with its arguments
        self.process = None
        self.url = self.admin = self.pages = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        with open(os.open(self.config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            for name, value in self.settings.items():
                # TOML's strings and numbers are JSON's.
                file.write(f"{name.replace('_', '-')} = {json.dumps(value)}\n")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen([*self.wrapper, PROGRAM, "--config", self.config],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                                            env={**os.environ, **self.environment})
        try:
            self.url = self._wait_for_line("API on ")
            self.admin = self._wait_for_line("admin on ")
            self.pages = self._wait_for_line("pages on ") if "page_listen" in self.settings else None
        except BaseException:
            self.stop()
            raise
        return self

    def log_lines(self):
        """The whole lines of the log, as they were written."""
        with open(self.log, errors="replace") as file:
            return [line for line in file if line.endswith("\n")]

    def log_records(self):
        """Each line as a dictionary; what is no JSON (the complaint about a setting) as a message."""
        return [json.loads(line) if line.startswith("{") else {"message": line.rstrip("\n")}
                for line in self.log_lines()]

    def log_text(self):
        """The log for people: the message, then name=value of what the line has besides."""
        return "".join(" ".join([record.get("message", ""), *(f"{name}={value}" for name, value in record.items()
                                                              if name != "message")]).strip() + "\n"
                       for record in self.log_records())

    def _wait_for_line(self, words, seconds=120):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for record in self.log_records():
                if words in record.get("message", ""):
                    return record["message"].split(words, 1)[1].strip()
            if self.process.poll() is not None:
                raise Failed(f"visaged ended with {self.process.returncode}:\n{self.log_text()}")
            time.sleep(0.02)
        raise Failed(f"visaged did not say \"{words}\":\n{self.log_text()}")

    def get_admin(self, path):
        """(status, text) from the admin listener."""
        try:
            with urllib.request.urlopen(self.admin + path, timeout=60) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def wait_ready(self, seconds=300, wanted=200):
        deadline = time.monotonic() + seconds
        while True:
            status, text = self.get_admin("/ready")
            if status == wanted:
                return json.loads(text)
            loading = "being loaded" in text
            if time.monotonic() > deadline or (wanted == 200 and not loading and "models" in text
                                               and not json.loads(text)["models"]["ready"]):
                raise Failed(f"visaged is not ready:\n{text}\n{self.log_text()}")
            time.sleep(0.05)

    def stop(self, seconds=120):
        """SIGTERM; the exit code. Ends it the hard way when it does not obey, and says so."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise Failed(f"visaged did not stop within {seconds} s of SIGTERM:\n{self.log_text()}") from None
