"""The console in a browser that has a client certificate, as an operator's does: known at once, and of no use to other pages."""
import http.server
import json
import os
import shutil
import subprocess
import tempfile
import threading

from devtools import Browser, BrowserFailed
from rig import bank, certificates
from stand import PageTest

# The browser without a window that the other tests use never shows a certificate; the whole one does.
PROGRAMS = ("chromium", "google-chrome")
RIGHTS = "list_sessions,read_history,read_policy"
# Over /etc in a name space of its own: what a policy says is for this browser alone, and the machine's files stay as they are.
WITH_POLICY = """
mkdir -p "$1/etc/chromium/policies/managed" "$1/work"
cp "$1/policy.json" "$1/etc/chromium/policies/managed/"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/work" /etc
shift
exec "$@"
"""


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BrowserFailed(f"{command[0]}: {done.stdout}{done.stderr}")


class Elsewhere(http.server.BaseHTTPRequestHandler):
    """Another site's page."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title>")


class Certificate(PageTest):
    def setUp(self):
        super().setUp()
        if not hasattr(self.stand, "mutual"):
            self.stand.mutual = self.make_daemon()
        self.daemon, self.authority = self.stand.mutual

    def make_daemon(self):
        """Callers are known by certificate; one without may try a token."""
        directory = os.path.join(self.stand.directory, "mutual")
        os.mkdir(directory)
        authority = certificates.Authority(directory, "operators")
        server = authority.issue("localhost", "server")
        _, callers = bank.make_token(self.cluster, caller="auditor", routes=RIGHTS, file="mutual-callers")
        with open(callers, "a", encoding="utf-8") as file:
            file.write(f"certificate:auditor-7 auditor {RIGHTS}\n")
        daemon = bank.make_daemon(self.cluster, self.stand.daemon.settings["source_key_file"], callers, name="mutual",
                                  console_database=self.cluster.conninfo("bank_console"), tls_certificate=server[0], tls_key=server[1],
                                  tls_client_ca=authority.certificate, tls_client_optional=True)
        self.stand.stack.callback(daemon.stop)
        daemon.start()
        daemon.wait_ready()
        return daemon, authority

    def browser(self, certificate):
        """A browser that trusts the daemon's authority, with a certificate (name, of whom) or none."""
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if program is None or shutil.which("certutil") is None:
            raise BrowserFailed("no browser with certificates: tools/setup installs chromium and libnss3-tools")
        work = tempfile.mkdtemp(prefix="browser.", dir=self.stand.directory)
        with open(os.path.join(work, "policy.json"), "w", encoding="utf-8") as file:
            json.dump({"AutoSelectCertificateForUrls": [json.dumps({"pattern": self.daemon.url, "filter": {}})]}, file)

        def prepare(home):
            store = os.path.join(home, ".pki/nssdb")
            os.makedirs(store)
            run("certutil", "-N", "-d", "sql:" + store, "--empty-password")
            run("certutil", "-A", "-d", "sql:" + store, "-n", "operators", "-t", "C,,", "-i", self.authority.certificate)
            if certificate:
                crt, key = self.authority.issue(certificate, "client")
                bundle = os.path.join(work, "bundle.p12")
                run("openssl", "pkcs12", "-export", "-in", crt, "-inkey", key, "-name", certificate, "-passout", "pass:", "-out", bundle)
                run("pk12util", "-i", bundle, "-d", "sql:" + store, "-W", "")

        space = ["unshare", "--mount"] if os.getuid() == 0 else ["unshare", "--mount", "--map-root-user"]
        browser = Browser(command=[*space, "sh", "-euc", WITH_POLICY, "sh", work, program], prepare=prepare)
        self.addCleanup(browser.close)
        return browser

    def console(self, browser):
        page = browser.page()
        page.open(self.daemon.url + "/console")
        page.wait("document.getElementById('parts')?.hidden === false || document.activeElement?.id === 'token'")
        return page

    def answered(self, status):
        """How often the policy was asked for and answered so: counted once it is answered, so the answer may be here first."""
        lines = self.daemon.get_admin("/metrics")[1].splitlines()
        wanted = f'visaged_requests_total{{route="read_policy",status="{status}"}}'
        return sum(int(float(line.split()[-1])) for line in lines if line.startswith(wanted))

    def test_a_certificate_opens_the_console(self):
        """[8.1.4b] [8.2.5b] [8.2.3d] No token is asked for; the parts are those of the certificate's caller."""
        page = self.console(self.browser("auditor-7"))
        page.wait("!document.getElementById('parts').hidden")
        self.assertIn("Signed in as auditor", page.text())
        self.assertEqual(["sessions", "history", "policy"], page.run("[...document.querySelectorAll('nav button')].map(b => b.dataset.part)"))
        page.run("document.querySelector('nav [data-part=policy]').click()")
        page.wait("document.querySelectorAll('#policy-out h2').length > 8")
        sent = [event["request"]["headers"] for event in page.events("Network.requestWillBeSent")]
        self.assertTrue(sent)
        self.assertFalse([headers for headers in sent if "authorization" in map(str.lower, headers)])

    def test_without_one_it_does_not(self):
        """[8.1.4b] A browser that has none, or one of a name that is not listed, is asked for a token."""
        for certificate in (None, "stranger"):
            with self.subTest(certificate):
                page = self.console(self.browser(certificate))
                page.wait("document.activeElement.id === 'token'")
                self.assertTrue(page.run("document.getElementById('parts').hidden"))

    def test_another_sites_page_cannot_use_it(self):
        """[8.2.3d] The browser shows its certificate to whatever page asks; what such a page sends is refused."""
        browser = self.browser("auditor-7")
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.addCleanup(server.shutdown)
            page = browser.page()
            page.open(f"http://localhost:{server.server_address[1]}/")
            page.wait("document.title === 'elsewhere'")
            before = self.answered(200), self.answered(403)
            ask = f"fetch('{self.daemon.url}/v1/policy', {{mode: 'no-cors', credentials: 'include'}}).then(() => true)"
            for asking, more in ((page, (0, 1)), (self.console(browser), (1, 1))):
                asking.run(ask)
                wanted = tuple(a + b for a, b in zip(before, more))
                page.wait_until(lambda: self.answered(200) + self.answered(403) >= sum(wanted), "the count of what was answered")
                self.assertEqual(wanted, (self.answered(200), self.answered(403)))
