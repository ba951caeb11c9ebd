"""Sessions, factors and references: what a person's own calls need, over HTTP."""
import base64
import hashlib
import hmac
import os
import struct
import subprocess
import tempfile
import time

from fixture import CHANNEL, PERSON, SAME_PERSON, STRANGER, HttpTest
from rig import bank
from rig.client import registration
from rig.cluster import BASE

APP = "app"  # as the shipped channels of the customer's own device: no call without a session
PASSWORD = "correct horse battery"
SECRET = b"12345678901234567890"


def totp(secret, at):
    """RFC 6238: what an authenticator app shows at a time."""
    mac = hmac.new(secret, struct.pack(">Q", int(at) // 30), hashlib.sha1).digest()
    offset = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[offset:offset + 4])[0] & 0x7fffffff) % 1000000:06}"


class Sms:
    """The bank's own service, which checks a code that it sent and signs an assertion about it."""

    def __init__(self, cluster, directory):
        self.directory = directory
        self.tool("make")
        with open(os.path.join(directory, "sms.pub")) as file:
            cluster.psql(f"INSERT INTO visage.otp_service (institution, name, public_key) VALUES (1, 'sms', '{file.read()}') "
                         "ON CONFLICT (institution, name) DO UPDATE SET public_key = EXCLUDED.public_key")

    def tool(self, command, *arguments):
        return subprocess.run(["bash", os.path.join(BASE, "tests/sql/lib/evidence.sh"), command, self.directory, *arguments],
                              capture_output=True, text=True, check=True).stdout

    def assertion(self, subject, opened):
        now = int(time.time())
        return self.tool("otp", "sms", "sms", subject, opened["nonce"], str(now), str(now + 300))


class Sessions(HttpTest):
    def setUp(self):
        super().setUp()
        if self.cluster.value(f"SELECT count(*) FROM visage.channel WHERE name = '{APP}'") == "0":
            bank.make_channel(self.cluster, APP)
            # A target that leaves room for a second reference.
            self.cluster.psql(f"UPDATE visage.channel SET session_required = true, target_fmr = 1e-5 WHERE name = '{APP}'")

    def open(self, subject, purpose, channel=APP, **more):
        reply = self.client.open_session(subject, purpose, channel=channel, **more)
        self.assertEqual(201, reply.status, reply.body)
        self.assertEqual("/v1/sessions/" + reply.json["session"], reply.headers["Location"])
        return reply.json

    def state(self, opened):
        reply = self.client.request("GET", "/v1/sessions/" + opened["session"])
        self.assertEqual(200, reply.status, reply.body)
        return reply.json

    def register(self, subject, face=PERSON):
        """By an operator, on a channel that asks for no session."""
        self.assertEqual(201, self.client.register(subject, self.portrait(face), channel=CHANNEL).status)

    def enrol(self, subject, kind, secret):
        reply = self.client.post_json(registration(subject) + "/factors", {"kind": kind, "secret": secret, "channel": CHANNEL})
        self.assertEqual((201, "accept"), (reply.status, reply.decision), reply.body)
        self.assertEqual(registration(subject) + "/factors/" + kind, reply.headers["Location"])

    def show(self, opened, kind, decision="accept", **shown):
        reply = self.client.present(opened["session"], kind, **shown)
        self.assertEqual((200, decision), (reply.status, reply.decision), reply.body)
        return reply

    @staticmethod
    def bound(opened):
        return {"session": opened["session"], "nonce": opened["nonce"], "channel": APP}

    def test_register_verify_and_cancel_in_sessions(self):
        """[5.3.1] [5.3.2] [5.3.4] [6.5b] [6.6a] [8.2.2b] [8.2.5c] A channel that asks for sessions, from first call to last."""
        subject = "sessions/whole"
        self.assertEqual("SESSION_MISSING", self.client.register(subject, self.portrait(PERSON), channel=APP).code)
        with tempfile.TemporaryDirectory() as keys:
            sms = Sms(self.cluster, keys)
            opened = self.open(subject, "register")
            self.assertEqual((1, 3), (opened["factors"], len(opened["challenge"])))
            bound = self.bound(opened)
            self.assertEqual("FACTOR_MISSING", self.client.register(subject, self.portrait(PERSON), **bound).code)
            self.assertEqual("CREATED", self.state(opened)["state"])
            self.assertEqual("WRONG_FACTOR", self.show(opened, "otp", "reject", evidence="123456").code)
            self.show(opened, "otp", evidence=sms.assertion(subject, opened))
            self.assertEqual(("IN_PROGRESS", 1), (self.state(opened)["state"], self.state(opened)["presented"]))
            reply = self.client.register(subject, self.portrait(PERSON), **bound)
            self.assertEqual((201, "accept"), (reply.status, reply.decision), reply.body)
            state = self.state(opened)
            self.assertEqual(("SUCCEEDED", "accept", reply.json["event"]), (state["state"], state["decision"], state["event"]))
        # Once: the next call needs a session of its own.
        self.assertEqual("REPLAYED_SESSION", self.client.register(subject, self.portrait(PERSON), **bound).code)
        opened = self.open(subject, "verify")
        self.assertEqual(0, opened["factors"])
        reply = self.client.verify(subject, self.portrait(SAME_PERSON), **self.bound(opened))
        self.assertEqual("accept", reply.decision, reply.body)
        opened = self.open(subject, "verify")
        reply = self.client.verify(subject, self.portrait(STRANGER), **self.bound(opened))
        self.assertEqual(("reject", "FAILED"), (reply.decision, self.state(opened)["state"]))
        # Two factors to cancel; of different kinds.
        self.enrol(subject, "totp", base64.b32encode(SECRET).decode())
        opened = self.open(subject, "cancel")
        self.assertEqual(2, opened["factors"])
        within = {"session": opened["session"], "channel": APP}
        self.show(opened, "totp", evidence=totp(SECRET, time.time()))
        self.assertEqual("FACTOR_MISSING", self.client.cancel(subject, **within).code)
        self.show(opened, "face", image=self.portrait(SAME_PERSON), nonce=opened["nonce"])
        reply = self.client.cancel(subject, **within, biz_id="bye")
        self.assertEqual(("accept", "bye"), (reply.decision, reply.json["biz_id"]), reply.body)
        self.assertEqual("UNKNOWN_SUBJECT", self.client.verify(subject, self.portrait(PERSON), channel=CHANNEL).code)

    def test_change_in_sessions(self):
        """[5.3.3] [6.2f] [6.2g] [8.2.5c] A user adds a face of a new capture and deletes the old one, with two factors each."""
        subject = "sessions-change"
        self.register(subject)
        self.enrol(subject, "password", PASSWORD)
        first = self.client.request("GET", registration(subject) + "/references").json["references"]
        opened = self.open(subject, "add_reference")
        path, added = registration(subject) + "/references", {"image": self.portrait(SAME_PERSON), **self.bound(opened)}
        self.assertEqual("FACTOR_MISSING", self.client.post(path, added).code)
        self.show(opened, "password", evidence=PASSWORD)
        reply = self.client.post(path, added)
        self.assertEqual((201, "accept"), (reply.status, reply.decision), reply.body)
        self.assertEqual(path + "/" + reply.json["reference"], reply.headers["Location"])
        now = self.client.request("GET", path).json["references"]
        self.assertEqual({first[0]["reference"], reply.json["reference"]}, {row["reference"] for row in now})
        old = path + "/" + first[0]["reference"]
        self.assertEqual("SESSION_MISSING", self.client.delete(old, channel=APP).code)
        opened = self.open(subject, "drop_reference", context={"device": "phone-7"})
        within = {"session": opened["session"], "channel": APP}
        mine = {"device": "phone-7"}
        self.show(opened, "password", context=mine, evidence=PASSWORD)
        self.show(opened, "face", context=mine, image=self.portrait(SAME_PERSON), nonce=opened["nonce"])
        self.assertEqual("SESSION_MISMATCH", self.client.delete(old, **within).code)  # not from that device
        reply = self.client.delete(old, **within, context=mine)
        self.assertEqual("accept", reply.decision, reply.body)
        self.assertEqual("LAST_REFERENCE", self.client.delete(path + "/" + now[1]["reference"], channel=CHANNEL).code)
        self.assertEqual(1, len(self.client.request("GET", path).json["references"]))
        self.assertEqual("UNKNOWN_REFERENCE", self.client.delete(old, channel=CHANNEL).code)

    def test_change_replaces(self):
        """[5.3.3] [8.2.5c] A new capture takes the place of the old one in one call: of one reference, or of all; nobody else's."""
        subject = "sessions-replace"
        self.register(subject)
        self.enrol(subject, "password", PASSWORD)
        path = registration(subject) + "/references"
        stored = lambda: [row["reference"] for row in self.client.request("GET", path).json["references"]]
        first = stored()
        opened = self.open(subject, "replace_reference")
        changed = {"image": self.portrait(SAME_PERSON), **self.bound(opened)}
        self.assertEqual("FACTOR_MISSING", self.client.send_json("PUT", path, changed).code)
        self.show(opened, "password", evidence=PASSWORD)
        reply = self.client.send_json("PUT", path, changed)
        self.assertEqual((200, "accept"), (reply.status, reply.decision), reply.body)
        self.assertEqual([reply.json["reference"]], stored())
        self.assertNotEqual(first, stored())
        self.assertEqual("NO_MATCH", self.client.send_json("PUT", path, {"image": self.portrait(STRANGER), "channel": CHANNEL}).code)
        again = {"image": self.portrait(PERSON), "channel": CHANNEL}
        self.assertEqual("UNKNOWN_REFERENCE", self.client.send_json("PUT", path + "/" + first[0], again).code)
        reply = self.client.send_json("PUT", path + "/" + stored()[0], again)
        self.assertEqual("accept", reply.decision, reply.body)
        self.assertEqual([reply.json["reference"]], stored())

    def test_shipped_channels_can_be_used(self):
        """[6.3e] The portraits are no live captures and 512 px wide, so these floors are lowered; the session is asked for as shipped."""
        self.cluster.psql("""
            UPDATE visage.channel SET liveness_floor = NULL WHERE name IN ('mobile', 'web');
            UPDATE visage.channel_floor SET minimum = 512 WHERE channel IN ('mobile', 'web') AND measure = 'ImageWidth'""")
        self.register("sessions-shipped")
        for channel in ("mobile", "web"):
            with self.subTest(channel):
                image = self.portrait(SAME_PERSON)
                self.assertEqual("SESSION_MISSING", self.client.verify("sessions-shipped", image, channel=channel).code)
                opened = self.open("sessions-shipped", "verify", channel=channel)
                reply = self.client.verify("sessions-shipped", image, **{**self.bound(opened), "channel": channel})
                self.assertEqual("accept", reply.decision, reply.body)

    def test_picture_belongs_to_its_session(self):
        """[8.2.2f] A picture that is sealed with another nonce is of no use in a session."""
        self.register("sessions-nonce")
        opened, other = self.open("sessions-nonce", "verify"), self.open("sessions-nonce", "verify")
        image = self.portrait(SAME_PERSON)
        mixed = {**self.bound(opened), "nonce": other["nonce"]}
        self.assertEqual("SESSION_MISMATCH", self.client.verify("sessions-nonce", image, **mixed).code)
        parts = {"session": opened["session"], "channel": APP}
        self.assert_problem(self.client.verify("sessions-nonce", image, **parts), 400, "MISSING_PART", "nonce")
        self.assert_problem(self.client.verify("sessions-nonce", image, channel=APP, nonce=opened["nonce"]), 400, "MISSING_PART",
                            "session")
        for nonce in ("", "00", opened["nonce"][:-1] + "x", opened["nonce"] + "00"):
            reply = self.client.verify("sessions-nonce", image, **parts, nonce=nonce)
            self.assert_problem(reply, 400, "INVALID_VALUE", "nonce")
        self.assertEqual("SESSION_MISMATCH", self.client.verify("another", image, **self.bound(opened)).code)
        self.assertEqual("accept", self.client.verify("sessions-nonce", image, **self.bound(opened)).decision)

    def test_comparison_in_a_session(self):
        """[6.6f]"""
        opened = self.open(None, "compare")
        pictures = self.portrait(SAME_PERSON), self.portrait(PERSON)
        self.assertEqual("SESSION_MISSING", self.client.compare(*pictures, channel=APP).code)
        reply = self.client.compare(*pictures, **self.bound(opened))
        self.assertEqual("accept", reply.decision, reply.body)
        self.assert_problem(self.client.open_session("somebody", "compare"), 400, "INVALID_VALUE", "no subject")
        self.assert_problem(self.client.open_session(None, "verify"), 400, "INVALID_VALUE", "subject")

    def test_from_a_counter_to_a_phone(self):
        """[6.5d] One channel opens the session, another claims it, once, for its device."""
        self.register("sessions-cross")
        opened = self.open("sessions-cross", "verify", channel=CHANNEL, context={"finish_channel": APP})
        path, image = f"/v1/sessions/{opened['session']}/claim", self.portrait(SAME_PERSON)
        mine = {"device": "phone-7"}
        self.assertEqual("SESSION_MISMATCH", self.client.verify("sessions-cross", image, **self.bound(opened)).code)
        wrong = self.client.post_json(path, {"channel": CHANNEL})
        self.assertEqual((200, False, "SESSION_MISMATCH"), (wrong.status, wrong.json["claimed"], wrong.code))
        claimed = self.client.post_json(path, {"channel": APP, "context": mine, "biz_id": "claim-1"})
        self.assertEqual((True, opened["nonce"], "verify", "claim-1"),
                         tuple(claimed.json[name] for name in ("claimed", "nonce", "purpose", "biz_id")), claimed.body)
        self.assertEqual("REPLAYED_SESSION", self.client.post_json(path, {"channel": APP, "context": mine}).code)
        self.assertEqual("IN_PROGRESS", self.state(opened)["state"])
        reply = self.client.post_json("/v1/verifications", {"subject": "sessions-cross", "image": image, "context": mine,
                                                            **self.bound(opened)})
        self.assertEqual("accept", reply.decision, reply.body)
        state = self.state(opened)
        self.assertEqual((CHANNEL, APP, "SUCCEEDED"), (state["opened_channel"], state["channel"], state["state"]))

    def test_denied_from_the_first_step(self):
        """[8.1.4d]"""
        self.cluster.psql("INSERT INTO visage.deny_list (institution, kind, device, why) VALUES (1, 'device', 'stolen', 'reported')")
        stolen = {"device": "stolen"}
        reply = self.client.open_session("nobody", "verify", channel=APP, context=stolen)
        self.assertEqual((200, None, "DENIED"), (reply.status, reply.json["session"], reply.code), reply.body)
        self.assertNotIn("Location", reply.headers)
        opened = self.open("nobody", "verify")
        self.assertEqual("DENIED", self.show(opened, "otp", "refuse", evidence="1", context=stolen).code)

    def test_closed_session(self):
        opened = self.open("nobody", "verify")
        path = "/v1/sessions/" + opened["session"]
        self.assertTrue(self.client.delete(path).json["closed"])
        self.assertFalse(self.client.delete(path).json["closed"])
        self.assertEqual("REPLAYED_SESSION", self.client.verify("nobody", self.portrait(PERSON), **self.bound(opened)).code)
        self.assertEqual("REPLAYED_SESSION", self.show(opened, "otp", "refuse", evidence="1").code)

    def test_no_such_session(self):
        for session in ("00000000-0000-4000-8000-000000000000", "nonsense", "x' OR true"):
            path = registration(session).replace("registrations", "sessions")
            with self.subTest(session):
                self.assert_problem(self.client.request("GET", path), 404, "NOT_FOUND")
                self.assert_problem(self.client.delete(path), 404, "NOT_FOUND")
                self.assert_problem(self.client.post_json(path + "/claim", {"channel": APP}), 404, "NOT_FOUND")
                self.assert_problem(self.client.post_json(path + "/factors", {"kind": "otp", "evidence": "1"}), 404, "NOT_FOUND")
        reply = self.client.verify("nobody", self.portrait(PERSON), channel=APP, nonce="0" * 64,
                                   session="00000000-0000-4000-8000-000000000000")
        self.assertEqual((200, "UNKNOWN_SESSION"), (reply.status, reply.code), reply.body)

    def test_session_says_nothing_about_the_subject(self):
        """[5.3.2] Somebody or nobody: the same members, the same requirements."""
        self.register("sessions-known")
        known, unknown = self.open("sessions-known", "cancel"), self.open("sessions-unknown", "cancel")
        self.assertEqual(known.keys(), unknown.keys())
        self.assertEqual(known["factors"], unknown["factors"])
        replies = [self.show(opened, "password", "reject", evidence="guess").json for opened in (known, unknown)]
        told = [{name: value for name, value in reply.items()
                 if name not in ("transaction_id", "event", "request_id", "elapsed_ms")} for reply in replies]
        self.assertEqual(*told)
        self.assertEqual([[], []], [self.client.request("GET", registration(name) + "/factors").json["factors"]
                                    for name in ("sessions-known", "sessions-unknown")])

    def test_life_of_a_factor(self):
        """[6.6e] Enrolled, shown, replaced, shown, removed."""
        subject = "sessions-factor"
        self.register(subject)
        path = registration(subject) + "/factors"
        self.enrol(subject, "password", PASSWORD)
        again = self.client.post_json(path, {"kind": "password", "secret": PASSWORD, "channel": CHANNEL})
        self.assertEqual((200, "FACTOR_EXISTS"), (again.status, again.code))
        self.assertEqual(["password"], [row["kind"] for row in self.client.request("GET", path).json["factors"]])
        opened = self.open(subject, "verify")
        self.assertEqual("WRONG_FACTOR", self.show(opened, "password", "reject", evidence=PASSWORD + " ").code)
        self.show(opened, "password", evidence=PASSWORD)
        reply = self.client.send_json("PUT", path + "/password", {"secret": "battery ünd staple", "channel": CHANNEL})
        self.assertEqual((200, "accept"), (reply.status, reply.decision), reply.body)
        self.show(opened, "password", "reject", evidence=PASSWORD)
        reply = self.client.post(f"/v1/sessions/{opened['session']}/factors",
                                 {"kind": "password", "evidence": "battery ünd staple"})
        self.assertEqual("accept", reply.decision, reply.body)
        self.assertEqual("accept", self.client.delete(path + "/password", channel=CHANNEL).decision)
        self.assertEqual("UNKNOWN_FACTOR", self.client.delete(path + "/password", channel=CHANNEL).code)
        self.show(opened, "password", "reject", evidence="battery ünd staple")
        nobody = self.client.post_json(registration("no such person") + "/factors",
                                       {"kind": "password", "secret": PASSWORD, "channel": CHANNEL})
        self.assertEqual("UNKNOWN_SUBJECT", nobody.code)

    def test_unlocked_by_another_factor(self):
        """[8.2.5d] The failures of a face are set back by who shows a password."""
        subject = "sessions-locked"
        self.register(subject)
        self.enrol(subject, "password", PASSWORD)
        self.client.verify(subject, self.portrait(STRANGER), channel=CHANNEL)
        failures = f"SELECT failures FROM visage.attempts WHERE kind = 'subject' AND subject = '{subject}'"
        self.assertEqual("1", self.cluster.value(failures))
        opened = self.open(subject, "unlock")
        call = {"subject": subject, "session": opened["session"], "channel": APP}
        self.assertEqual("FACTOR_MISSING", self.client.post_json("/v1/unlocks", call).code)
        self.show(opened, "password", evidence=PASSWORD)
        self.assertEqual("accept", self.client.post_json("/v1/unlocks", call).decision)
        self.assertEqual("0", self.cluster.value(failures))

    def test_certificate_signs_the_nonce(self):
        """[6.6e]"""
        subject = "sessions-certificate"
        self.register(subject)
        with tempfile.TemporaryDirectory() as keys:
            sms = Sms(self.cluster, keys)
            self.cluster.psql(
                "INSERT INTO visage.trust_anchor (institution, name, certificate) VALUES (1, 'http', '%s');"
                "INSERT INTO visage.revocation_list (institution, name, list) VALUES (1, 'http', '%s')"
                % (sms.tool("show", "root.pem"), sms.tool("show", "root.crl")))
            self.enrol(subject, "certificate", sms.tool("show", "alice.pem"))
            opened, other = self.open(subject, "cancel"), self.open(subject, "cancel")
            evidence = sms.tool("certificate", "alice", opened["session"], opened["nonce"])
            self.assertEqual("WRONG_FACTOR", self.show(other, "certificate", "reject", evidence=evidence).code)
            self.show(opened, "certificate", evidence=evidence)

    def test_requests_that_make_no_sense(self):
        opened = self.open("nobody", "verify")
        path = f"/v1/sessions/{opened['session']}/factors"
        image = self.portrait(PERSON)
        cases = [({"kind": "password"}, "MISSING_PART", "evidence"), ({"evidence": "x"}, "MISSING_PART", "kind"),
                 ({"kind": "face", "nonce": opened["nonce"]}, "MISSING_PART", "image"),
                 ({"kind": "face", "image": image}, "MISSING_PART", "nonce"),
                 ({"kind": "password", "evidence": "x", "image": image}, "INVALID_VALUE", "evidence"),
                 ({"kind": "face", "image": image, "nonce": opened["nonce"], "evidence": "x"}, "INVALID_VALUE", "image"),
                 ({"kind": "password", "evidence": "x" * 40000}, "INVALID_VALUE", "32768"),
                 ({"kind": "password", "evidence": "a\u0000b"}, "INVALID_VALUE", "control"),
                 ({"kind": "voice", "evidence": "x"}, "INVALID_VALUE", "argument"),
                 ({"kind": "password", "evidence": "x", "secret": "y"}, "UNKNOWN_PART", "evidence")]
        for document, code, words in cases:
            with self.subTest(document.keys()):
                self.assert_problem(self.client.post_json(path, document), 400, code, words)
        self.assert_problem(self.client.open_session("nobody", "identify"), 400, "INVALID_VALUE")
        self.assert_problem(self.client.open_session("nobody", "verify", channel="no such channel"), 400, "INVALID_VALUE", "channel")
        self.assert_problem(self.client.post_json("/v1/sessions", {"subject": "nobody"}), 400, "MISSING_PART", "purpose")
        self.assert_problem(self.client.delete(registration("nobody") + "/references/1", channel=CHANNEL), 400, "INVALID_VALUE")
        short = self.client.post_json(registration("nobody") + "/factors", {"kind": "otp", "secret": "x", "channel": CHANNEL})
        self.assert_problem(short, 400, "INVALID_VALUE", "not enrolled")

    def test_routes_are_granted_one_by_one(self):
        """[8.1.4b] Who may open sessions need not be who may change factors."""
        token, callers = bank.make_token(self.cluster, caller="desk", routes="open_session,read_session", file="desk-callers")
        daemon = self.start("desk", callers=callers)
        client = self.connect(daemon, token)
        opened = client.open_session("nobody", "verify", channel=APP)
        self.assertEqual(201, opened.status, opened.body)
        path = opened.headers["Location"]
        self.assertEqual(200, client.request("GET", path).status)
        self.assert_problem(client.delete(path), 403, "FORBIDDEN")
        self.assert_problem(client.present(opened.json["session"], "otp", evidence="x"), 403, "FORBIDDEN")
        self.assert_problem(client.request("GET", registration("nobody") + "/factors"), 403, "FORBIDDEN")
