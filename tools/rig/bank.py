"""What a first customer sets up: the extension, a role, a capture source, a token, a channel of its own."""
import hashlib
import secrets

from .cluster import Failed
from .daemon import Daemon

ROLE = "bank_visaged"

# The portraits are 512 px wide where the standard asks 640 (7.4a); everything else keeps the shipped floors. The
# target is the strictest that the shipped calibration supports: two of the strangers look alike (cosine 0.44), and at
# 1e-5 the noise of a reference's code would now and then let one pass for the other.
CHANNEL = """
INSERT INTO visage.channel (institution, name, description, target_fmr, liveness_floor)
  VALUES (1, '{name}', 'portraits: lower floor for the width of the image', 2e-6, {liveness});
INSERT INTO visage.channel_floor (institution, channel, measure, minimum) VALUES
  (1, '{name}', 'ImageWidth', 512), (1, '{name}', 'ImageHeight', 480), (1, '{name}', 'InterEyeDistance', 60);
"""


# A demonstration asks with hundreds of wrong faces, which the shipped limits end after five or ten. These are the same
# rows with room for that; a bank leaves them as they ship.
LIMITS = """
UPDATE visage.attempt_limit SET free_failures = 1000, hard_stop = 1000, period_failures = 100000 WHERE kind = 'subject';
UPDATE visage.attempt_limit SET period_failures = 100000 WHERE kind <> 'subject';
"""


# For a daemon whose limits are not what is looked at: a machine that is slow, or does other things as well, keeps within them.
PATIENT = {"request_timeout_ms": 120000, "wait_timeout_ms": 120000, "database_timeout_ms": 60000}


def install(cluster):
    """Extension, role, capture source. Returns the path of the source's key file."""
    cluster.psql(f"""
        CREATE EXTENSION pg_visage CASCADE;
        CREATE ROLE {ROLE} LOGIN IN ROLE visage_service;
    """)
    key = cluster.value("SELECT visage.add_capture_source('visaged-1')")
    if not key.startswith("visage-source-"):
        raise Failed("add_capture_source did not return a key")
    return cluster.write_private("source.key", key + "\n", owner="me")


def make_channel(cluster, name, liveness="NULL"):
    cluster.psql(CHANNEL.format(name=name, liveness=liveness))
    cluster.psql(LIMITS)


def make_token(cluster, caller="bank", routes="*", file="callers", append=False):
    """(token, path of the callers file)."""
    token = secrets.token_urlsafe(32)
    line = f"sha256:{hashlib.sha256(token.encode()).hexdigest()} {caller} {routes}\n"
    previous = ""
    if append:
        with open(f"{cluster.stage}/{file}") as old:
            previous = old.read()
    return token, cluster.write_private(file, previous + line, owner="me")


def make_daemon(cluster, source_key, callers, **settings):
    settings.setdefault("database", cluster.conninfo(ROLE))
    return Daemon(cluster.stage, source_key_file=source_key, callers_file=callers, **settings)
