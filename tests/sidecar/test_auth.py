"""Who may call what: tokens and client certificates [6.6g] [8.1.4b] [8.2.3a] [8.2.3d]."""
import os
import re
import ssl

from rig.certificates import Authority
from fixture import CHANNEL, STRANGER, HttpTest
from rig import bank
from rig.client import Client
from rig.cluster import Failed


class Tokens(HttpTest):
    def ask(self, **headers):
        client = Client(self.stand.daemon.url)
        self.addCleanup(client.close)
        return client.request("DELETE", "/v1/registrations/nobody?channel=" + CHANNEL, headers=headers)

    def test_wrong_tokens(self):
        good = self.stand.token
        for value in (None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {good}", good, f"Bearer {good}x",
                      f"Bearer {good[:-1]}", f"Bearer  {good}", f"Bearer {good} {good}"):
            reply = self.ask(**({} if value is None else {"Authorization": value}))
            self.assert_problem(reply, 401, "UNAUTHENTICATED")
            self.assertIn("Bearer", reply.headers["WWW-Authenticate"])
        self.assertEqual(200, self.ask(Authorization=f"bearer {good}").status)  # schemes know no case

    def test_nothing_is_read_from_strangers(self):
        """The answer comes before a body that is too large, broken or of the wrong type is looked at."""
        for path in ("/v1/registrations", "/v1/verifications", "/v1/comparisons"):
            reply = self.connect(token="wrong").request("POST", path, b"x" * (20 << 20), {"Content-Type": "text/plain"})
            self.assert_problem(reply, 401, "UNAUTHENTICATED")

    def test_routes_of_a_caller(self):
        reader, callers = bank.make_token(self.cluster, "reader", "verify", file="callers2")
        writer, callers = bank.make_token(self.cluster, "writer", "register,cancel", file="callers2", append=True)
        daemon = self.start("routes", callers=callers)
        reply = self.connect(daemon, reader).verify("nobody", self.portrait(STRANGER), channel=CHANNEL)
        self.assertEqual(200, reply.status, reply.body)
        self.assert_problem(self.connect(daemon, reader).cancel("nobody"), 403, "FORBIDDEN", '"cancel"')
        self.assert_problem(self.connect(daemon, writer).verify("nobody", b"x"), 403, "FORBIDDEN", '"verify"')
        self.assertEqual(200, self.connect(daemon, writer).cancel("nobody", channel=CHANNEL).status)
        self.assert_problem(self.connect(daemon, self.stand.token).cancel("nobody"), 401, "UNAUTHENTICATED")

    def test_every_route_can_be_named(self):
        """A route that no callers file can name is a caller's only together with all others."""
        with open(os.path.join(os.path.dirname(__file__), "../../src/sidecar/openapi/openapi.yaml")) as file:
            names = set(re.findall(r"operationId: (\w+)", file.read())) - {"openapi", "caller"}  # whoever is known may ask who they are
        self.assertGreater(len(names), 25)
        for file, routes in (("named", ",".join(sorted(names))), ("beside", "*," + ",".join(sorted(names)))):
            _, callers = bank.make_token(self.cluster, "all", routes, file=file)
            self.start(file, callers=callers)


class Certificates(HttpTest):
    @classmethod
    def setUpClass(cls):
        from fixture import stand
        directory = os.path.join(stand().cluster.stage, "tls")
        os.mkdir(directory)
        cls.authority = Authority(directory)
        cls.server = cls.authority.issue("localhost", "server")
        cls.caller = cls.authority.issue("branch-7", "client")
        cls.named = cls.authority.issue("ignored", "named")

    def tls(self, **more):
        return {"tls_certificate": self.server[0], "tls_key": self.server[1], **more}

    def ask(self, daemon, context, token=""):
        client = self.connect(daemon, token, context)
        return client.cancel("nobody", channel=CHANNEL)

    def test_token_over_tls(self):
        daemon = self.start("tls", **self.tls())
        self.assertTrue(daemon.url.startswith("https://"))
        reply = self.ask(daemon, self.authority.context(), self.stand.token)
        self.assertEqual(200, reply.status, reply.body)
        self.assert_problem(self.ask(daemon, self.authority.context()), 401, "UNAUTHENTICATED")
        image = self.connect(daemon, self.stand.token, self.authority.context()).verify(
            "nobody", self.portrait(STRANGER), channel=CHANNEL)
        self.assertEqual((200, "UNKNOWN_SUBJECT"), (image.status, image.code))

    def test_old_protocols_are_refused(self):
        daemon = self.start("old", **self.tls())
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            context = self.authority.context(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=version)
            context.set_ciphers("ALL:@SECLEVEL=0")
            with self.assertRaises(OSError):
                self.ask(daemon, context, self.stand.token)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.authority.context(minimum_version=version, maximum_version=version)
            self.assertEqual(200, self.ask(daemon, context, self.stand.token).status)

    def test_certificate_is_enough_and_necessary(self):
        daemon = self.start("mtls", **self.tls(tls_client_ca=self.authority.certificate, callers=""))
        reply = self.ask(daemon, self.authority.context(self.caller))
        self.assertEqual(200, reply.status, reply.body)
        self.wait_for_log(daemon, "caller=branch-7")
        self.assertEqual(200, self.ask(daemon, self.authority.context(self.named)).status)
        self.wait_for_log(daemon, "caller=teller.bank.example")
        with self.assertRaises(OSError):
            self.ask(daemon, self.authority.context(), self.stand.token)
        os.makedirs(os.path.join(self.cluster.stage, "tls2"))
        forger = Authority(os.path.join(self.cluster.stage, "tls2"))
        context = self.authority.context(forger.issue("branch-7", "client"))
        with self.assertRaises(OSError):
            self.ask(daemon, context)
        with self.assertRaises(OSError):  # a server's certificate is not a client's
            self.ask(daemon, self.authority.context(self.server))

    def test_listed_certificates_and_tokens(self):
        token, callers = bank.make_token(self.cluster, "legacy", "cancel", file="callers3")
        with open(callers, "a") as file:
            file.write("certificate:branch-7  branch  cancel,verify\n")
        daemon = self.start("listed", **self.tls(tls_client_ca=self.authority.certificate, callers=callers,
                                                 tls_client_optional=True))
        self.assertEqual(200, self.ask(daemon, self.authority.context(self.caller)).status)
        self.wait_for_log(daemon, "caller=branch ")
        self.assert_problem(self.ask(daemon, self.authority.context(self.named)), 403, "FORBIDDEN", "callers file")
        self.assertEqual(200, self.ask(daemon, self.authority.context(), token).status)
        self.assert_problem(self.ask(daemon, self.authority.context()), 401, "UNAUTHENTICATED")


class StartRefused(HttpTest):
    """Secure by default: what is unsafe does not start, and says what to set."""

    def refused(self, words, **settings):
        with self.assertRaises(Failed) as caught:
            self.start("refused", wait=False, **settings)
        self.assertIn(words, str(caught.exception))
        self.assertNotIn("API on", str(caught.exception))

    def test_unsafe_settings(self):
        self.refused("loopback interface only", listen="0.0.0.0:0")
        self.refused("nobody could be told from anybody", callers="")
        self.refused("loopback interface only", listen="0.0.0.0:0", callers="", insecure_no_auth=True)
        self.refused("exclude each other", insecure_no_auth=True)
        self.refused("says who may read what", callers="", insecure_no_auth=True, console_database="dbname=postgres")
        self.refused("go together", tls_certificate="x")
        self.refused("needs --tls-certificate", tls_client_ca="x")
        self.refused("not host:port", listen="localhost")
        self.refused("loopback interface only and --page-listen", page_listen="0.0.0.0:0")
        self.refused("needs --page-listen", page_origin="https://face.bank.example")
        for origin in ("face.bank.example", "https://", "https://face.bank.example/", "https://a@b", "javascript:x"):
            self.refused("nothing behind it", page_listen="127.0.0.1:0", page_origin=origin)
        self.refused("cannot read the certificate", tls_certificate="/nonexistent", tls_key="/nonexistent")

    def test_open_files(self):
        for name in ("callers", "source_key"):
            for mode in (0o604, 0o644, 0o660):
                path = self.cluster.write_private("open", "x", owner="me")
                os.chmod(path, mode)
                self.refused("open to others", **{name: path})
        path = self.cluster.write_private("junk", "not a key\n", owner="me")
        self.refused("does not hold what visage.add_capture_source printed", source_key=path)
        self.refused("line 1", callers=path)

    def test_port_in_use(self):
        self.refused("Address already in use", listen=self.stand.daemon.url.removeprefix("http://"))

    def test_nobody_on_loopback_when_asked_for(self):
        daemon = self.start("open-door", callers="", insecure_no_auth=True)
        self.assertEqual(200, self.connect(daemon, "none").cancel("nobody", channel=CHANNEL).status)
        self.assertIn("insecure-no-auth", daemon.log_text())
