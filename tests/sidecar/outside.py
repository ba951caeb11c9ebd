"""Stand-ins for services of others (tools/rig/services.py), over real TLS with client certificates, and a daemon that asks them."""
import tempfile

from fixture import PERSON, SAME_PERSON, HttpTest
from paged import PageCalls
from rig import bank, pictures, services
from rig.certificates import Authority

APP, AUTHORITY = "adapters", "public security"
NUMBER, NAME = "11010119900307987X", "Zhang \"San\" \\ Wei"
FIELDS = {"id_number": NUMBER, "name": NAME}
POLICY = f"""
UPDATE visage.channel SET session_required = true WHERE name = '{APP}';
INSERT INTO visage.authority (institution, name) VALUES (1, '{AUTHORITY}');
INSERT INTO visage.authority_rule (institution, scenario, fields, photo_required)
  VALUES (1, 'remote_opening', '{{id_number,name}}', true);
INSERT INTO visage.otp_service (institution, name, public_key) VALUES (1, 'codes', '{{key}}');
"""


class Outside:
    """The services, and a daemon that asks them."""

    def __init__(self, stand):
        self.directory = tempfile.mkdtemp(prefix="adapters.", dir=stand.cluster.stage)
        self.authority = Authority(self.directory, "outside")
        self.pair = self.authority.issue("service", "server")
        self.us = self.authority.issue("visaged", "client")
        self.signer = services.Signer(self.directory, "identity")
        codes = services.Signer(self.directory, "codes")
        self.people = {NUMBER: (FIELDS, pictures.portrait(PERSON))}
        self.identity = self.serve()
        self.codes = services.Codes(self.authority, self.pair, codes, "codes")
        bank.make_channel(stand.cluster, APP)
        with open(codes.public) as file:
            stand.cluster.psql(POLICY.replace("{key}", file.read()))
        self.settings = {
            "authority_url": self.identity.address + "/ask", "authority_name": AUTHORITY, "authority_public_key": self.signer.public,
            "authority_timeout_ms": 20000, "otp_url": self.codes.address + "/otp", "otp_timeout_ms": 20000,
            **{f"{service}_{name}": value for service in ("authority", "otp") for name, value in
               (("ca", self.authority.certificate), ("certificate", self.us[0]), ("key", self.us[1]))}}
        self.daemon = stand.start("adapters", **self.settings)
        stand.stack.callback(lambda: self.identity.close())
        stand.stack.callback(self.codes.close)

    def serve(self, port=0, pair=None, clients=None):
        return services.Authority(clients or self.authority, pair or self.pair, self.signer, AUTHORITY, self.people, port)

    def replace(self, **how):
        """Another one at the same address."""
        port = self.identity.server.server_address[1]
        self.identity.close()
        self.identity = self.serve(port, **how)


class AdapterTest(HttpTest):
    def setUp(self):
        super().setUp()
        if not hasattr(self.stand, "outside"):
            self.stand.outside = Outside(self.stand)
        self.outside = self.stand.outside
        self.daemon = self.outside.daemon
        self.client = self.connect(self.daemon)
        self.addCleanup(setattr, self.outside.identity, "fault", None)
        self.addCleanup(setattr, self.outside.codes, "fault", None)
        self.outside.people[NUMBER] = (FIELDS, self.portrait(PERSON))

    def be_hasty(self):
        """From now on with a daemon that waits for the services no longer than it ships with."""
        if not hasattr(self.outside, "hasty"):
            self.outside.hasty = self.stand.start("adapters-hasty", **{**self.outside.settings, "authority_timeout_ms": 3000, "otp_timeout_ms": 3000})
        self.daemon = self.outside.hasty
        self.client = self.connect(self.daemon)

    def open(self, subject, purpose="register", scenario="remote_opening"):
        named = None if purpose == "compare" else subject
        reply = self.client.open_session(named, purpose, channel=APP, scenario=scenario)
        self.assertEqual(201, reply.status, reply.body)
        return reply.json

    def id_photo(self, opened, subject, **more):
        return self.client.post_json("/v1/id-photos", {"session": opened["session"], "subject": subject, **more})

    def ask(self, opened, subject, fields=None):
        return self.id_photo(opened, subject, authority=AUTHORITY, fields=fields or FIELDS)

    def code(self, opened, subject, do="", **more):
        body = {"subject": subject, "nonce": opened["nonce"], **more}
        return self.client.post_json(f"/v1/sessions/{opened['session']}/codes{do}", body)

    def show_code(self, opened, subject):
        self.assertTrue(self.code(opened, subject).json["sent"])
        reply = self.code(opened, subject, "/check", code=self.outside.codes.sent[subject])
        self.assertEqual((200, "accept"), (reply.status, reply.decision), reply.body)

    def register(self, opened, subject, face=SAME_PERSON, scenario="remote_opening", client=None, **more):
        return (client or self.client).register(subject, self.portrait(face), session=opened["session"], nonce=opened["nonce"], channel=APP,
                                                scenario=scenario, **more)

    def records(self, subject):
        """Vouched for, with a photo, which was compared and accepted, in a call before the registration, used by a registration."""
        rows = self.cluster.value(
            f"SELECT accepted, photo_hash IS NOT NULL, visage.authority_photo_accepted(r), comparison IS NOT NULL, used_at IS NOT NULL "
            f"FROM visage.authority_record r WHERE subject_hash = visage.subject_hash(1, '{subject}') ORDER BY checked_at")
        return rows.splitlines()

    def events(self, session):
        """Of the session's call, and whether each names the photo's probe and the authority's record."""
        return self.cluster.value(
            "SELECT operation, decision, reason, coalesce(object ~ 'document [0-9a-f-]{36}, authority [0-9a-f-]{36}$', false) FROM visage.event "
            f"WHERE session = '{session}' AND operation IN ('register', 'compare') ORDER BY seq").splitlines()

    def kept(self):
        lines = self.daemon.get_admin("/metrics")[1].splitlines()
        return int(float(next(line.split()[1] for line in lines if line.startswith("visaged_id_photos "))))


class PagedAdapterTest(PageCalls, AdapterTest):
    """With capture pages as well."""

    def setUp(self):
        super().setUp()
        if not hasattr(self.outside, "paged"):
            self.outside.paged = self.stand.start("adapters-paged", page_listen="127.0.0.1:0", **self.outside.settings)
        self.daemon = self.outside.paged
        self.client = self.connect(self.daemon)
