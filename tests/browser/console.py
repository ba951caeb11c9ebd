"""The console in a real browser: who may see what, and that what it shows is text."""
import contextlib
import os

from devtools import BrowserFailed
from rig.pictures import PORTRAITS, portrait
from stand import DESK, PERSON, STRANGER, PageTest

import videos

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


class Console(PageTest):
    def console(self, **how):
        page = self.stand.browser(videos.nobody).page(**how)
        page.open(self.stand.daemon.url + "/console")
        page.wait("document.getElementById('sign-in')?.hidden === false && document.getElementById('language').onclick !== null")
        self.addCleanup(lambda: self.assertEqual([], page.faults()))
        return page

    def sign_in(self, page, token):
        page.run(f"document.getElementById('token').value = {token!r}; document.getElementById('sign-in-form').requestSubmit()")

    def signed_in(self, name, **how):
        page = self.console(**how)
        self.sign_in(page, self.stand.tokens[name])
        page.wait("!document.getElementById('parts').hidden")
        return page

    def parts(self, page):
        return page.run("[...document.querySelectorAll('nav button')].map(button => button.dataset.part)")

    def open(self, page, name):
        page.run(f"document.querySelector('nav [data-part={name}]').click()")
        page.wait_section(name)

    def submit(self, page, form, **values):
        for name, value in values.items():
            page.run(f"document.getElementById('{form}').elements['{name}'].value = {value!r}; 0")
        page.run(f"document.getElementById('{form}').requestSubmit()")

    def rows(self, page, out):
        return page.run(f"[...document.querySelectorAll('#{out} tbody tr')].map(row => row.innerText)")

    def test_each_sees_what_is_theirs(self):
        """[8.1.4b] [8.2.5b] The console shows the parts of a caller's rights; the calls behind the others are refused."""
        page = self.console()
        self.sign_in(page, "not a token")
        page.wait("document.getElementById('sign-in-problem').textContent !== ''")
        self.assertIn("not known", page.text())
        self.assertEqual([], self.parts(page))
        for name, parts in (("auditor", ["sessions", "history", "reports", "policy"]), ("operator", ["sessions", "quality"])):
            with self.subTest(name):
                page = self.signed_in(name)
                self.assertEqual(parts, self.parts(page))
                self.assertIn(f"Signed in as {name}", page.text())
        self.sign_in(page := self.console(), self.stand.tokens["shop"])
        page.wait("document.getElementById('sign-in-problem').textContent.includes('nothing here is yours')")
        refused = {"auditor": [("POST", "/v1/quality")], "shop": [("GET", "/v1/sessions"), ("GET", "/v1/policy")],
                   "operator": [("POST", "/v1/history"), ("GET", "/v1/reports/daily"), ("GET", "/v1/policy")]}
        for name, calls in refused.items():
            for method, path in calls:
                reply = self.client.request(method, path, b"{}" if method == "POST" else None,
                                            {"Authorization": f"Bearer {self.stand.tokens[name]}", "Content-Type": "application/json"})
                self.assertEqual((403, "FORBIDDEN"), (reply.status, reply.code), (name, path))
                without = self.client.request(method, path, b"", {"Authorization": "Bearer x", "Content-Type": "application/json"})
                self.assertEqual(401, without.status)

    def test_history_finds_and_shows_text(self):
        """[6.6f] [6.6i] [8.2.5b] A person's records are found by name, by decision, by number; a hostile name is text."""
        self.at_desk(HOSTILE)
        self.assertEqual("reject", self.client.verify(HOSTILE, portrait(STRANGER), channel=DESK).decision)
        page = self.signed_in("auditor")
        self.open(page, "history")
        self.submit(page, "history-form", subject=HOSTILE)
        page.wait("document.querySelectorAll('#history-out tbody tr').length === 2")
        self.assertIn(HOSTILE, self.rows(page, "history-out")[0])
        self.assertIn("NO_MATCH", self.rows(page, "history-out")[0])
        self.submit(page, "history-form", decision="reject")
        page.wait("document.querySelectorAll('#history-out tbody tr').length === 1")
        self.submit(page, "history-form", subject="", decision="", since="2020-01-01T00:00", until="2020-01-02T00:00")
        page.wait("document.querySelector('#history-out .none') !== null")
        self.submit(page, "history-form", since="", until="", event="first")
        page.wait("document.getElementById('problem').textContent !== ''")
        self.assertNotEqual("owned", page.run("document.title"))
        self.assertNotIn("img", page.run("[...document.querySelectorAll('main *')].map(e => e.localName)"))
        # No name of a person in an address.
        for event in page.events("Network.requestWillBeSent"):
            self.assertNotIn("onerror", event["request"]["url"])

    def test_older_events(self):
        """[6.6i] What does not fit comes when it is asked for, each event once."""
        self.cluster.psql(f"DO $$ BEGIN FOR i IN 1..110 LOOP UPDATE visage.channel SET description = 'older ' || i "
                          f"WHERE name = '{DESK}'; END LOOP; END $$")
        page = self.signed_in("auditor")
        self.open(page, "history")
        self.submit(page, "history-form")
        page.wait("document.querySelectorAll('#history-out tbody tr').length === 100")
        # What is typed and not looked for changes nothing: one list is of one search.
        page.run("document.getElementById('history-form').elements.channel.value = 'none such'; 0")
        page.click("older")
        page.wait("document.querySelectorAll('#history-out tbody tr').length > 100")
        events = [row.split()[0] for row in self.rows(page, "history-out")]
        self.assertEqual(len(events), len(set(events)))

    def test_reports_policy_sessions(self):
        """[6.6f] [6.6i] [6.3e] The reports of the audit as tables and bars, and to keep; the policy; what became of sessions."""
        self.at_desk("reported")
        link, session = self.link("reported", "verify")
        page = self.signed_in("auditor")
        page.wait(f"document.getElementById('sessions-out').textContent.includes('{session}')")
        self.shot(page, "console-sessions")
        self.submit(page, "sessions-form", state="SUCCEEDED", channel="none such")
        page.wait("document.querySelector('#sessions-out .none') !== null")
        self.open(page, "reports")
        self.submit(page, "reports-form")
        page.wait("document.querySelectorAll('#reports-out table').length >= 4")
        self.assertGreaterEqual(page.run("document.querySelectorAll('#reports-out svg rect').length"), 3)
        for words in ("By day", "By channel", "By reason", "Latency"):
            self.assertIn(words, page.text())
        self.shot(page, "console-reports")
        page.run("URL.createObjectURL = (make => blob => { blob.text().then(text => { window.saved = text; }); return make(blob); })"
                 "(URL.createObjectURL.bind(URL)); 0")
        page.click("save-report")
        page.wait("window.saved !== undefined")
        self.assertIn("<html", page.run("saved"))
        self.open(page, "policy")
        page.wait("document.querySelectorAll('#policy-out h2').length > 8")
        self.assertIn("target_fmr", page.text().replace("Target FMR", "target_fmr"))
        self.shot(page, "console-policy")

    def test_quality_is_drawn_over_the_picture(self):
        """[7.4a] [7.4b] Region, points, axes and verdicts of a given picture, which leaves nothing behind."""
        page = self.signed_in("operator", width=1100)
        self.open(page, "quality")
        self.submit(page, "quality-form")
        page.wait("document.getElementById('problem').textContent.includes('Choose a picture')")
        root = page.call("DOM.getDocument")["root"]["nodeId"]
        chooser = page.call("DOM.querySelector", nodeId=root, selector="#picture")["nodeId"]
        page.call("DOM.setFileInputFiles", nodeId=chooser, files=[os.path.join(PORTRAITS, PERSON + ".jpg")])
        self.submit(page, "quality-form", profile="icao-like")
        page.wait("!document.getElementById('drawing').hidden")
        page.wait("document.querySelectorAll('#quality-out tbody tr').length > 20")
        self.shot(page, "console-quality")
        count = """(() => { const c = document.getElementById('drawing'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
                   let n = 0; for (let i = 0; i < d.length; i += 4) if (d[i] === %d && d[i + 1] === %d && d[i + 2] === %d) n++; return n; })()"""
        for colour in ((0, 160, 255), (220, 220, 0), (255, 64, 64), (64, 208, 64), (64, 128, 255)):
            self.assertGreater(page.run(count % colour), 20, colour)
        self.assertTrue(page.run("document.getElementById('drawing').getAttribute('aria-label').length > 0"))
        page.click("forget")
        self.assertEqual((True, 0), (page.run("document.getElementById('drawing').hidden"), page.run("document.getElementById('drawing').width")))

    def test_keeps_nothing(self):
        """[8.2.4a] No token, answer or picture stays in the browser; leaving forgets all of it."""
        page = self.signed_in("auditor")
        self.open(page, "policy")
        page.wait("document.querySelectorAll('#policy-out h2').length > 8")
        page.click("leave")
        page.wait_section("sign-in")
        self.assertEqual("", page.run("document.getElementById('policy-out').textContent"))
        kept = page.run("""(async () => [localStorage.length, sessionStorage.length, document.cookie,
            (await caches.keys()).length, (await indexedDB.databases()).length])()""")
        self.assertEqual([0, 0, "", 0, 0], kept)
        self.assertNotIn(self.stand.tokens["auditor"], page.run("document.documentElement.outerHTML"))
        for event in page.events("Network.responseReceived"):
            headers = {name.lower(): value for name, value in event["response"]["headers"].items()}
            self.assertEqual("no-store", headers["cache-control"])
            if "/console" in event["response"]["url"]:
                self.assertIn("default-src 'none'", headers["content-security-policy"])
                self.assertNotIn("unsafe", headers["content-security-policy"])
                self.assertIn("camera=()", headers["permissions-policy"])
        self.assertNotIn(self.stand.tokens["auditor"], self.stand.daemon.log_text())

    def test_an_answer_that_comes_too_late(self):
        """[8.2.4a] [8.2.5b] Who left gets no answer any more, so that nobody who comes next sees it."""
        page = self.signed_in("auditor")
        self.open(page, "history")
        with page.held("*/v1/history", "Response") as call:
            self.submit(page, "history-form")
            answer = call()
            page.click("leave")
            page.wait_section("sign-in")
            with contextlib.suppress(BrowserFailed):  # nobody waits for it any more
                page.call("Fetch.continueRequest", requestId=answer)
        self.sign_in(page, self.stand.tokens["auditor"])
        page.wait("!document.getElementById('parts').hidden && document.getElementById('sessions-out').children.length > 0")
        self.assertEqual(["", ""], page.run("['history-out', 'problem'].map(id => document.getElementById(id).textContent)"))

    def test_no_other_site_may_call(self):
        """[8.2.3d] A page of another site cannot use a browser's certificate or token: the daemon refuses what it sends."""
        for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
            reply = self.client.request("GET", "/v1/policy", None,
                                        {"Authorization": f"Bearer {self.stand.tokens['auditor']}", "Sec-Fetch-Site": site})
            self.assertEqual(status, reply.status, site)

    def test_accessible(self):
        """[6.4a] Names, contrast and sizes, light and dark, both languages, narrow and wide."""
        self.at_desk("contrast")
        for dark in (False, True):
            for languages in ("en-GB", "zh-CN"):
                for width in (360, 1100):
                    name = f"{languages}-{width}-{'dark' if dark else 'light'}"
                    with self.subTest(name):
                        page = self.console(width=width, dark=dark, languages=languages)
                        self.assertEqual([], self.measure(page, dark))
                        self.sign_in(page, self.stand.tokens["auditor"])
                        for part in ("sessions", "history", "reports", "policy"):
                            page.wait("!document.getElementById('parts').hidden")
                            self.open(page, part)
                            if part in ("history", "reports"):
                                self.submit(page, f"{part}-form")
                            page.wait(f"document.getElementById('{part}-out').children.length > 0")
                            self.assertEqual([], self.measure(page, dark), part)
                            self.shot(page, f"console-{part}-{name}")
