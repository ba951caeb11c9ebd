"""What the tests of the pages share: a server, a daemon, browsers, and what a person does first."""
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "sidecar"), os.path.join(HERE, "..", "..", "tools")]

import qr_reader  # noqa: E402
import videos  # noqa: E402
from devtools import Browser  # noqa: E402
from rig import bank, certificates, pictures, services  # noqa: E402
from rig.client import Client  # noqa: E402
from rig.cluster import Cluster  # noqa: E402
from test_sessions import Sms  # noqa: E402

PERSON, SAME_PERSON, STRANGER = "women/0", "women/2", "men/3"
CHANNEL, PC, STRICT = "page", "pc", "strict"
DESK = "desk"  # an operator's: without sessions
MOVING, LIT = "moving", "lit"  # where the session has to be answered, by movements or, as one likes, by colours
FLOORS = """
INSERT INTO visage.channel_floor (institution, channel, measure, minimum) VALUES (1, 'moving', 'LivenessChallenge', 0.5),
  (1, 'moving', 'LivenessContinuity', 0.3), (1, 'moving', 'LivenessInjection', 0.5), (1, 'lit', 'LivenessActive', 0.5);
INSERT INTO visage.consent_rule (institution, channel, required) VALUES (1, 'desk', false);  -- given on paper
"""
# Who else calls: to search for a face, and at the console; and what each may.
CALLERS = {"searcher": "*,identify", "auditor": "list_sessions,read_history,read_reports,read_policy", "operator": "list_sessions,quality", "shop": "verify"}
NOTICE = """
INSERT INTO visage.notice (institution, name, purposes, manner, scope, storage, text) VALUES (1, 'face', ARRAY['default'],
  'Compared by a machine.', 'Signs of a feature, not the picture. Nobody else gets it.', 'Two years after the last use.',
  'The whole text of the notice.');
"""
# Counts what the page asks of the camera, from before its first script.
COUNT_CAMERA = """
window.cameras = 0;
const ask = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (ask) navigator.mediaDevices.getUserMedia = options => { window.cameras++; return ask(options); };
"""
MEASURE = open(os.path.join(HERE, "page_faults.js"), encoding="utf-8").read()


class Stand:
    def __init__(self, stack):
        self.directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="pg_visage_page."))
        self.cluster = stack.enter_context(Cluster({"fsync": "off"}, prefix="pg_visage_page."))
        key = bank.install(self.cluster)
        for name in (CHANNEL, PC, STRICT, MOVING, LIT, DESK):
            # Of most videos the passive network thinks what they are; of films of the two who move, not.
            bank.make_channel(self.cluster, name, liveness="0.5" if name in (MOVING, LIT) else "NULL")
        self.cluster.psql(f"UPDATE visage.channel SET session_required = name <> '{DESK}' WHERE name IN "
                          f"('{CHANNEL}', '{PC}', '{STRICT}', '{MOVING}', '{LIT}', '{DESK}');" + FLOORS + NOTICE)
        self.cluster.psql("CREATE ROLE bank_console LOGIN IN ROLE visage_auditor")
        self.cluster.psql(f"GRANT visage_search TO {bank.ROLE}; INSERT INTO visage.identify_policy (institution) VALUES (1)")
        token, callers = bank.make_token(self.cluster)
        self.tokens = {name: bank.make_token(self.cluster, caller=name, routes=routes, append=True)[0]
                       for name, routes in CALLERS.items()}
        self.daemon = bank.make_daemon(self.cluster, key, callers, page_listen="127.0.0.1:0",
                                       console_database=self.cluster.conninfo("bank_console"), **bank.PATIENT, **self.serve_codes(stack))
        stack.callback(self.daemon.stop)
        self.daemon.start()
        self.daemon.wait_ready()
        self.client = Client(self.daemon.url, token)
        self.searcher = Client(self.daemon.url, self.tokens["searcher"])
        stack.callback(self.client.close)
        stack.callback(self.searcher.close)
        self.sms = Sms(self.cluster, self.directory)
        self.browsers = {}
        self.stack = stack

    def serve_codes(self, stack):
        """A service of one-time codes; settings of the daemon that asks it."""
        outside = os.path.join(self.directory, "outside")
        os.mkdir(outside)
        authority = certificates.Authority(outside, "outside")
        signer = services.Signer(outside, "codes")
        self.codes = services.Codes(authority, authority.issue("service", "server"), signer, "codes")
        stack.callback(self.codes.close)
        with open(signer.public, encoding="utf-8") as file:
            self.cluster.psql(f"INSERT INTO visage.otp_service (institution, name, public_key) VALUES (1, 'codes', '{file.read()}')")
        us = authority.issue("visaged", "client")
        return {"otp_url": self.codes.address + "/otp", "otp_ca": authority.certificate, "otp_certificate": us[0], "otp_key": us[1],
                "otp_timeout_ms": 20000}

    def browser(self, make, *names):
        """One that sees the video that make() makes."""
        key = (make.__name__, *names)
        if key not in self.browsers:
            path = make(os.path.join(self.directory, f"{len(self.browsers)}.y4m"), *names)
            self.browsers[key] = self.stack.enter_context(Browser(
                "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={path}"))
        return self.browsers[key]


current = {}  # "stand", while the tests run


class PageTest(unittest.TestCase):
    def setUp(self):
        self.stand = current["stand"]
        self.cluster, self.client = self.stand.cluster, self.stand.client

    def link(self, subject, purpose, channel=CHANNEL, page=None, **more):
        """(link, session); the factor that a registration needs is shown before, by the backend."""
        reply = self.client.open_session(subject, purpose, channel=channel, capture_page=page or {"notice": "face"}, **more)
        self.assertEqual(201, reply.status, reply.body)
        if purpose == "register" and "factors" not in (page or {}):
            shown = self.client.present(reply.json["session"], "otp", evidence=self.stand.sms.assertion(subject, reply.json))
            self.assertEqual("accept", shown.decision, shown.body)
        return reply.json["capture_link"], reply.json["session"]

    def page(self, browser, link, camera="", **how):
        page = browser.page(**how)
        page.call("Page.addScriptToEvaluateOnNewDocument", source=COUNT_CAMERA + camera)
        page.open(link)
        page.wait("document.querySelector('main > section:not([hidden]):not(#wait)') !== null")
        self.addCleanup(lambda: self.assertEqual([], page.faults()))
        return page

    def shot(self, page, name):
        if os.environ.get("SHOTS"):
            page.picture(os.path.join(os.environ["SHOTS"], name + ".png"))

    def agree(self, page, young=False):
        page.wait_section("notice")
        page.run(f"document.querySelector('input[name=age][value={str(young).lower()}]').click()")
        page.click("agree")
        page.run("document.getElementById('consent').requestSubmit()")

    def capture(self, page):
        self.agree(page)
        page.wait_section("end")

    def scan(self, page):
        """The link in the QR code that a page shows."""
        path = os.path.join(self.stand.directory, "code.png")
        page.picture(path)
        box = page.run("(() => { const b = document.querySelector('#qr svg').getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; })()")
        return qr_reader.read(path, box)

    def end(self, page):
        page.wait_section("end")
        return page.run("document.getElementById('end-title').textContent")

    def at_desk(self, subject, person=PERSON):
        """Registered by an operator, without a page."""
        reply = self.client.register(subject, pictures.portrait(person), channel=DESK)
        self.assertEqual("accept", reply.decision, reply.body)

    def measure(self, page, dark):
        """Faults of what is seen: contrast, sizes, names of controls."""
        controls = ("button", "checkbox", "radio", "textbox", "combobox", "heading", "progressbar", "image", "table")
        unnamed = [role for role, name in page.nodes() if not name and role in controls]
        return page.run(f"({MEASURE})({str(dark).lower()})") + [f"{role} without a name" for role in unnamed]

    def state(self, session):
        return self.client.request("GET", "/v1/sessions/" + session).json

    def register(self, subject, person=PERSON):
        link, session = self.link(subject, "register")
        page = self.page(self.stand.browser(videos.person, person), link)
        self.capture(page)
        self.assertEqual("Done", page.run("document.getElementById('end-title').textContent"), page.text())
        self.assertEqual("SUCCEEDED", self.state(session)["state"])
        return page
