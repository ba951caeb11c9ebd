#!/usr/bin/env python3
"""The example bank in a real browser with a false camera: annex B from end to end, by clicking.

  tests/browser/bank.py [test …]     SHOTS=directory keeps screenshots

Ends with "N passed, N failed".
"""
import concurrent.futures
import contextlib
import http.client
import os
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tools")]

import qr_reader  # noqa: E402
import videos  # noqa: E402
from devtools import Browser  # noqa: E402
from rig import pictures, town  # noqa: E402
from rig.client import multipart  # noqa: E402
from rig.cluster import BASE  # noqa: E402

PERSON, SAME_PERSON, STRANGER = "women/0", "women/2", "men/3"  # the authority has a photo of PERSON
PASSWORD = "correct horse battery"


class Stand:
    def __init__(self, stack):
        self.directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="pg_visage_bank."))
        self.town = town.Town(stack)
        self.stack, self.browsers = stack, {}

    def browser(self, person):
        if person not in self.browsers:
            path = videos.person(os.path.join(self.directory, f"{len(self.browsers)}.y4m"), person)
            self.browsers[person] = self.stack.enter_context(Browser(
                "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={path}"))
        return self.browsers[person]


stand = None


class Customer:
    """A person at a PC: the bank's page, and the capture pages that it leads to."""

    def __init__(self, test):
        self.test, self.last = test, ""
        self.page = stand.browser(SAME_PERSON).page()
        self.page.open(stand.town.bank)
        self.wait("h1")
        test.addCleanup(lambda: test.assertEqual([], self.page.faults()))

    def wait(self, selector):
        self.page.wait(f"document.querySelector({selector!r}) !== null", selector)

    def leave(self, selector, before=""):
        """Clicks, and waits for the page that follows. In one script, because a page may come again by itself at any time."""
        self.page.wait(f"(button => {{ if (!button) return false; {before} document.documentElement.dataset.old = '1'; "
                       f"button.click(); return true; }})(document.querySelector({selector!r}))", selector)
        self.page.wait("document.readyState === 'complete' && !document.documentElement.dataset.old")

    def text(self):
        return self.page.text()

    def wait_text(self, words):
        self.page.wait(f"(document.body?.innerText ?? '').includes({words!r})", words)

    def fill(self, **values):
        for name, value in values.items():
            self.wait(f"#{name}")
            self.page.run(f"document.getElementById({name!r}).value = {value!r}")

    def attach(self, name, picture):
        path = os.path.join(stand.directory, "document.jpg")
        with open(path, "wb") as file:
            file.write(picture)
        node = self.page.call("DOM.getDocument", depth=-1)["root"]["nodeId"]
        field = self.page.call("DOM.querySelector", nodeId=node, selector=f"#{name}")["nodeId"]
        self.page.call("DOM.setFileInputFiles", nodeId=field, files=[path])

    def submit(self, action):
        self.leave(f"form[action='{action}'] button")

    def start(self, kind, phone=False):
        self.leave(f"input[value={kind}] ~ button", f"document.getElementById('phone-{kind}').click();" if phone else "")

    def apply(self, number=town.NUMBER, name=town.NAME, document=PERSON):
        self.fill(name=name, id_number=number)
        self.attach("photo", pictures.portrait(document))
        self.submit("/open")

    def subject(self):
        return list(stand.town.codes.sent)[-1]

    def give_code(self, wrong=False):
        self.wait("#code")
        self.fill(code="000000x" if wrong else stand.town.codes.sent[self.subject()])
        self.submit("/code")

    def link(self):
        """Of the session that is open now: after a failure it is another one."""
        return self.page.wait(f"(link => link !== {self.last!r} && link)(document.getElementById('capture')?.href)")

    def capture(self, person=SAME_PERSON, link=None):
        """What happens in the window that the link opens."""
        page = stand.browser(person).page()
        if link is None:
            link = self.last = self.link()
        page.open(link)
        page.wait("document.querySelector('main > section:not([hidden]):not(#wait)') !== null")
        page.wait_section("notice")
        page.run("document.querySelector('input[name=age][value=false]').click()")
        page.click("agree")
        page.run("document.getElementById('consent').requestSubmit()")
        page.wait_section("end")
        self.test.assertEqual([], page.faults())
        return page.run("document.getElementById('end-title').textContent")

    def open_account(self):
        self.apply()
        self.give_code()
        self.test.assertEqual("Done", self.capture(), self.text())
        self.wait_text("Your account is open.")

    def shot(self, name):
        if os.environ.get("SHOTS"):
            self.page.picture(os.path.join(os.environ["SHOTS"], f"bank-{name}.png"))


class Bank(unittest.TestCase):
    def test_annex_b(self):
        """[B.1] [B.2] [B.3] [5.3.1] [5.3.2] [5.3.3] [5.3.4] [6.5b] [6.4b] [6.4c] From the application to the cancellation."""
        customer = Customer(self)
        customer.shot("home")
        customer.apply()
        customer.shot("code")
        customer.give_code(wrong=True)
        self.assertIn("not right", customer.text())
        customer.give_code()
        customer.link()
        customer.shot("face")
        self.assertEqual("Done", customer.capture())
        customer.wait_text("Your account is open.")
        customer.shot("open")
        customer.start("card")
        self.assertIsNone(customer.page.run("document.getElementById('capture')"))  # the code comes first
        customer.give_code()
        self.assertEqual("Not accepted", customer.capture(STRANGER))
        customer.wait_text("You were not recognised. Once more.")
        customer.wait("#code")  # back to the code
        customer.give_code()
        self.assertEqual("Done", customer.capture())
        customer.wait_text("Your card is bound.")
        customer.start("pay")
        self.assertEqual("Not accepted", customer.capture(STRANGER))
        customer.wait_text("Once more.")
        self.assertEqual("Done", customer.capture())
        customer.wait_text("Paid.")
        customer.start("change")
        customer.give_code()
        self.assertEqual("Done", customer.capture(PERSON))
        customer.wait_text("Your face was changed.")
        customer.start("secret")
        customer.give_code()
        customer.fill(password=PASSWORD)
        customer.submit("/password")
        self.assertIn("Your password is set.", customer.text())
        customer.start("cancel")
        customer.give_code()
        customer.fill(password="not the password")
        customer.submit("/password")
        self.assertIn("not right", customer.text())
        customer.fill(password=PASSWORD)
        customer.submit("/password")
        self.assertIn("deleted", customer.text())
        self.assertEqual("0", stand.town.cluster.value("SELECT count(*) FROM visage.subject_reference"))
        faults = stand.town.cluster.value("SELECT * FROM visage.verify_ledger()") + stand.town.cluster.value("SELECT * FROM visage.integrity()")
        self.assertEqual("", faults)

    def test_somebody_elses_document(self):
        """[B.1] [6.6f] With another's papers no account: neither by a wrong name nor by a face that the authority's photo does not show."""
        customer = Customer(self)
        customer.apply(name="Somebody Else")
        customer.give_code()
        self.assertIn("not confirmed", customer.text())
        customer.apply(document=STRANGER)  # a forged document: the authority's photo counts
        customer.give_code()
        self.assertEqual("Not accepted", customer.capture(STRANGER))
        customer.wait_text("You were not recognised. Come to the counter.")
        customer.wait_text("Open an account")

    def test_authority_is_silent(self):
        """[B.1] An authority that gives no answer opens no account; when it answers the customer goes on where they were."""
        customer = Customer(self)
        stand.town.authority.fault = "stale"
        self.addCleanup(setattr, stand.town.authority, "fault", None)
        customer.apply()
        customer.give_code()
        self.assertIn("no answer that counts", customer.text())
        stand.town.authority.fault = None
        customer.submit("/identity")
        customer.link()
        customer.submit("/stop")

    def test_hands_over_to_a_phone(self):
        """[6.5d] [6.4a] Opened at the PC, captured on the phone that reads the code, and the PC goes on."""
        customer = Customer(self)
        customer.open_account()
        customer.start("pay", phone=True)
        pc = stand.browser(SAME_PERSON).page()
        pc.open(customer.link())
        pc.wait("document.querySelector('main > section:not([hidden]):not(#wait)') !== null")
        pc.wait_section("handover")
        pc.wait("document.querySelector('#qr svg') !== null")
        path = os.path.join(stand.directory, "code.png")
        pc.picture(path)
        box = pc.run("(() => { const b = document.querySelector('#qr svg').getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; })()")
        self.assertEqual("Done", customer.capture(link=qr_reader.read(path, box)))
        pc.wait_section("end")
        customer.wait_text("Paid.")

    def test_who_stops_is_not_told_of_a_face(self):
        """[8.2.2c] [6.4c] Who does not agree, or lets the time run out, hears that, and no new session is opened in their name."""
        ends = {"Stopped.": lambda page: page.click("decline"), "The time was over.": self.expire}
        for words, end in ends.items():
            with self.subTest(words):
                customer = Customer(self)
                customer.apply()
                customer.give_code()
                page = stand.browser(SAME_PERSON).page()
                page.open(customer.link())
                page.wait("document.querySelector('main > section:not([hidden]):not(#wait)') !== null")
                page.wait_section("notice")
                before = self.sessions()
                end(page)
                customer.wait_text(words)
                self.assertNotIn("not recognised", customer.text())
                self.assertEqual(before, self.sessions())

    def sessions(self):
        return int(stand.town.cluster.value("SELECT count(*) FROM visage.session"))

    def expire(self, _):
        stand.town.cluster.psql("UPDATE visage.session SET expires_at = clock_timestamp() WHERE id = (SELECT id FROM visage.session ORDER BY opened_at DESC LIMIT 1)")

    def test_the_page_that_waits_stays_as_it_is(self):
        """[6.4a] [6.6g] While the face is captured elsewhere the bank's page does not begin anew, so the keyboard keeps its place."""
        customer = Customer(self)
        customer.apply()
        customer.give_code()
        customer.link()
        before = len(customer.page.events("Page.loadEventFired"))
        self.assertEqual("Done", customer.capture())
        customer.wait_text("Your account is open.")
        customer.page.wait("document.readyState === 'complete'")  # the words are there before the whole page is
        self.assertEqual(before + 1, len(customer.page.events("Page.loadEventFired")))

    def press(self, path, body, kind, cookie):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(stand.town.bank).netloc, timeout=60)
        with contextlib.closing(connection):
            connection.request("POST", path, body, {"Cookie": cookie, "Content-Type": kind})
            answer = connection.getresponse()
            answer.read()
            return answer.status

    def arrive(self):
        """A new customer's cookie."""
        with urllib.request.urlopen(stand.town.bank) as answer:
            return answer.headers["Set-Cookie"].split(";")[0]

    def test_a_second_press_is_none(self):
        """[8.2.5d] A form that is sent six times at once opens one session, and one code is sent."""
        body, kind = multipart({"name": town.NAME, "id_number": town.NUMBER, "photo": pictures.portrait(PERSON)})
        cookie, before, sent = self.arrive(), self.sessions(), len(stand.town.codes.requests)
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            self.assertEqual([303] * 6, list(pool.map(lambda _: self.press("/open", body, kind, cookie), range(6))))
        self.assertEqual((before + 1, sent + 1), (self.sessions(), len(stand.town.codes.requests)))

    def test_a_photo_that_is_too_large(self):
        """[8.2.3c] It is told so on the bank's own page, and nothing is begun."""
        cookie, before = self.arrive(), self.sessions()
        for photo in (b"x" * (9 << 20), b""):
            body, kind = multipart({"name": town.NAME, "id_number": town.NUMBER, "photo": photo})
            self.assertEqual(303, self.press("/open", body, kind, cookie))
            request = urllib.request.Request(stand.town.bank, headers={"Cookie": cookie})
            with urllib.request.urlopen(request) as answer:
                self.assertIn("may have 8 MB", answer.read().decode())
        self.assertEqual(before, self.sessions())

    def test_the_demo_starts(self):
        """[6.4a] What `make demo-bank` runs says where the bank is, and an interrupt ends all of it."""
        demo = subprocess.Popen([os.path.join(BASE, "tools/demo_bank")], env={**os.environ, "PORT": "0", "PYTHONUNBUFFERED": "1"},
                                stdout=subprocess.PIPE, text=True, start_new_session=True,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))  # as in the background
        self.addCleanup(demo.stdout.close)
        self.addCleanup(demo.terminate)
        bank = next((words[1] for words in map(str.split, demo.stdout) if words[:1] == ["bank"]), None)
        self.assertIsNotNone(bank, "it ended before it said where")
        with urllib.request.urlopen(bank) as answer:
            self.assertIn("Open an account", answer.read().decode())
        demo.send_signal(signal.SIGINT)
        self.assertEqual(0, demo.wait(60))
        with self.assertRaises(OSError):
            urllib.request.urlopen(bank)

    def test_tries_end(self):
        """[8.2.5d] [B.3] A face that is wrong three times is not asked for a fourth time."""
        customer = Customer(self)
        customer.open_account()
        customer.start("pay")
        for _ in range(3):
            self.assertEqual("Not accepted", customer.capture(STRANGER))
        customer.wait_text("Come to the counter.")


def main():
    global stand
    suite = unittest.TestLoader()
    suite.testNamePatterns = [f"*{name}*" for name in sys.argv[1:]] or None
    with contextlib.ExitStack() as stack:
        stand = Stand(stack)
        result = unittest.TextTestRunner(stream=sys.stderr, verbosity=2).run(suite.loadTestsFromTestCase(Bank))
    failed = len(result.failures) + len(result.errors)
    print(f"{max(0, result.testsRun - failed)} passed, {failed} failed")
    return 1 if failed or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
