"""One server and one visaged for all tests that do not need their own; every answer is held against openapi.yaml."""
import contextlib
import functools
import time
import unittest

import openapi
from rig import bank, pictures
from rig.client import Client
from rig.cluster import Cluster

CHANNEL = "test"
LIMIT_S = 120  # of whatever is waited for: a machine may be slow, and may do other things as well
PERSON, SAME_PERSON, STRANGER = "women/0", "women/2", "men/3"


class Stand:
    def __init__(self):
        self.stack = contextlib.ExitStack()
        try:
            self.set_up()
        except BaseException:
            self.stack.close()
            raise

    def set_up(self):
        # Synchronous commits are the product's promise, not what is tested here.
        self.cluster = self.stack.enter_context(Cluster({"fsync": "off"}, prefix="pg_visage_http."))
        self.source_key = bank.install(self.cluster)
        bank.make_channel(self.cluster, CHANNEL)
        self.token, self.callers = bank.make_token(self.cluster)
        self.daemon = self.start(name="shared")

    def start(self, name, **settings):
        """Another visaged; ends with the tests when nobody ends it before."""
        wait = settings.pop("wait", True)
        defaults = {"source_key": self.source_key, "callers": self.callers}
        for key in defaults:
            defaults[key] = settings.pop(key, defaults[key])
        daemon = bank.make_daemon(self.cluster, **defaults, name=name, **{**bank.PATIENT, **settings})
        self.stack.callback(daemon.stop)
        daemon.start()
        if wait:
            daemon.wait_ready()
        return daemon


@functools.cache
def make_stand():
    """(stand, None) or (None, why there is none): what failed once is not tried for every test."""
    try:
        return Stand(), None
    except Exception as error:
        return None, error


def stand():
    made, error = make_stand()
    if error is not None:
        raise error
    return made


def close():
    if make_stand.cache_info().currsize and make_stand()[0] is not None:
        make_stand()[0].stack.close()


class CheckedClient(Client):
    """Every answer must be one that openapi.yaml describes."""

    def request(self, method, path, body=None, headers=None):
        reply = super().request(method, path, body, headers)
        openapi.check(method, path, reply)
        return reply


class HttpTest(unittest.TestCase):
    def setUp(self):
        self.stand = stand()
        self.cluster = self.stand.cluster
        self.client = self.connect()

    def connect(self, daemon=None, token=None, context=None):
        """With the good token; token="" is none at all."""
        client = CheckedClient((daemon or self.stand.daemon).url, self.stand.token if token is None else token, context)
        self.addCleanup(client.close)
        return client

    def start(self, name, **settings):
        daemon = self.stand.start(name, **settings)
        self.addCleanup(daemon.stop)
        return daemon

    def portrait(self, name):
        return pictures.portrait(name)

    def assert_problem(self, reply, status, code, words=""):
        self.assertEqual((status, code), (reply.status, reply.json and reply.json.get("code")), reply.body)
        self.assertIn(words, reply.json["detail"])

    def wait_for_log(self, daemon, words):
        """A request is logged once it is answered, so the answer may be here first."""
        self.wait_for(lambda: words in daemon.log_text(), words)

    def wait_for_metrics(self, daemon, *lines):
        """A request is counted once it is answered, too."""
        for line in lines:
            self.wait_for(lambda: line in daemon.get_admin("/metrics")[1], line)

    def wait_for(self, question, what=None):
        """What it answers in the end."""
        deadline = time.monotonic() + LIMIT_S
        while not (answer := question()):
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.01)
        return answer

    def assert_serving(self, daemon=None):
        """Whatever happened before, the next request is answered."""
        reply = self.connect(daemon).verify("nobody", self.portrait(STRANGER), channel=CHANNEL)
        self.assertEqual((200, "UNKNOWN_SUBJECT"), (reply.status, reply.code), reply.body)
