"""All that the example bank needs: a database, visaged with capture pages, stand-ins for its services, the bank."""
import contextlib
import os
import subprocess
import sys

from . import bank, pictures, services
from .certificates import Authority
from .cluster import BASE, Cluster, Failed

AUTHORITY = "stand-in authority"
# Who the stand-in knows. The first has a photo there, the second has none, so that the uploaded one is compared.
NUMBER, NAME = "110101199003079999", "Demo Person"
VISITOR, VISITOR_NAME = "110101199003070000", "Visitor"

# What an operator decides, once. The channels are those of the demo: they ask for sessions, as the shipped ones do.
POLICY = """
UPDATE visage.channel SET session_required = true WHERE name IN ('bank-web', 'bank-app');
INSERT INTO visage.notice (institution, name, purposes, manner, scope, storage, text) VALUES (1, 'face',
  ARRAY['remote_opening', 'card_business', 'login', 'default'], 'A machine compares your face with the one you registered.',
  'The bank keeps a protected code of your face, not the picture. Nobody else gets it.', 'Until you cancel it.',
  'This is an example. Its authority and its code service are stand-ins.');
INSERT INTO visage.authority (institution, name) VALUES (1, '{authority}');
INSERT INTO visage.authority_rule (institution, scenario, fields) VALUES (1, 'remote_opening', '{{id_number,name}}');
INSERT INTO visage.otp_service (institution, name, public_key) VALUES (1, 'codes', '{key}');
-- [B.2] Before a card is bound the face is not enough: a one-time code comes first.
INSERT INTO visage.requirement (institution, operation, channel, scenario, session, factors) VALUES (1, 'verify', '*', 'card_business', true, 2);
"""


class Town:
    """Everything listens on 127.0.0.1 and lies in a temporary directory of its own."""

    def __init__(self, stack, port=0, photo="women/0"):
        self.stack = stack
        self.cluster = stack.enter_context(Cluster({"fsync": "off"}, prefix="pg_visage_bank."))
        self.stage = self.cluster.stage
        outside = Authority(self.stage, "outside")
        pair, us = outside.issue("service", "server"), outside.issue("visaged", "client")
        identity, codes = services.Signer(self.stage, "identity"), services.Signer(self.stage, "codes")
        people = {NUMBER: ({"id_number": NUMBER, "name": NAME}, pictures.portrait(photo)),
                  VISITOR: ({"id_number": VISITOR, "name": VISITOR_NAME}, None)}
        self.authority = self.close_at_end(services.Authority(outside, pair, identity, AUTHORITY, people))
        self.codes = self.close_at_end(services.Codes(outside, pair, codes, "codes"))
        self.set_up_database(codes)
        ours = {"ca": outside.certificate, "certificate": us[0], "key": us[1]}
        token, callers = bank.make_token(self.cluster)
        self.token_file = self.cluster.write_private("token", token + "\n", owner="me")
        self.daemon = bank.make_daemon(
            self.cluster, self.source_key, callers, page_listen="127.0.0.1:0", **bank.PATIENT, authority_timeout_ms=20000, otp_timeout_ms=20000,
            authority_url=self.authority.address + "/ask", authority_name=AUTHORITY, authority_public_key=identity.public,
            otp_url=self.codes.address + "/otp",
            **{f"{service}_{name}": value for service in ("authority", "otp") for name, value in ours.items()})
        stack.callback(self.daemon.stop)
        self.daemon.start()
        self.daemon.wait_ready()
        self.bank = self.start_bank(port)

    def close_at_end(self, service):
        self.stack.callback(service.close)
        return service

    def set_up_database(self, codes):
        self.source_key = bank.install(self.cluster)
        for name in ("bank-web", "bank-app"):
            bank.make_channel(self.cluster, name)
        with open(codes.public) as file:
            self.cluster.psql(POLICY.format(authority=AUTHORITY, key=file.read()))

    def start_bank(self, port):
        process = subprocess.Popen([sys.executable, "-B", os.path.join(BASE, "examples/bank/bank.py"), "--api", self.daemon.url,
                                    "--token-file", self.token_file, "--authority", AUTHORITY, "--port", str(port)],
                                   stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.stack.callback(process.wait)
        self.stack.callback(process.terminate)
        self.stack.callback(process.stdout.close)
        line = process.stdout.readline()
        if not line.startswith("bank: "):
            raise Failed("the bank did not start")
        return line.split()[1]


def up(port=0):
    """(stack to close, the town)."""
    stack = contextlib.ExitStack()
    try:
        return stack, Town(stack, port)
    except BaseException:
        stack.close()
        raise
