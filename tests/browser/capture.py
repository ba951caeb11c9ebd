#!/usr/bin/env python3
"""The pages in a real browser with a false camera, against a real visaged and a real server.

  tests/browser/capture.py [test …]     SHOTS=directory keeps screenshots

Ends with "N passed, N failed".
"""
import contextlib
import json
import os
import re
import sys
import unittest

from stand import CHANNEL, MEASURE, PC, PERSON, SAME_PERSON, STRANGER, STRICT, PageTest, Stand, current

import answers  # what the page asks a person to do, and to show
import certificate
import console
import flows
import videos
from rig.cluster import BASE


class CapturePage(PageTest):
    def test_registers_and_verifies(self):
        """[5.3.1] [5.3.2] [6.1.1a] [6.1.1b] [6.4a] [8.2.2c] From the link to the verdict, for the right person and a wrong one."""
        link, session = self.link("whole", "register")
        page = self.page(self.stand.browser(videos.person, PERSON), link, mobile=True, width=390, height=844)
        for words in ("What it is for", "Compared by a machine.", "Nobody else gets it.", "Two years after"):
            self.assertIn(words, page.text())
        self.shot(page, "notice-phone")
        self.assertEqual(0, page.run("window.cameras"))
        # Every picture that is counted is told of, to eyes and to a screen reader.
        page.run("""window.seen = []; new MutationObserver(() => seen.push(document.getElementById('progress-words').textContent))
                    .observe(document.getElementById('progress-words'), {childList: true, characterData: true, subtree: true});""")
        self.agree(page)
        page.wait_section("capture")
        self.assertIn("Your face is being captured", page.text())
        page.wait("document.getElementById('progress').value >= 1 || document.getElementById('capture').hidden")
        self.shot(page, "capture-phone")
        page.wait_section("end")
        self.shot(page, "pass-phone")
        self.assertEqual("polite", page.run("document.getElementById('progress-words').ariaLive"))
        self.assertEqual("Done", page.run("document.getElementById('end-title').textContent"), page.text())
        self.assertLessEqual({"Picture 1 of 3", "Picture 2 of 3", "Picture 3 of 3"}, set(page.run("window.seen")))
        self.assertEqual(("SUCCEEDED", "accept"), (self.state(session)["state"], self.state(session)["decision"]))
        consents = self.client.request("GET", "/v1/registrations/whole/consents").json["consents"]
        self.assertEqual([("default", "face", CHANNEL, None)], [(c["purpose"], c["notice"], c["channel"], c["ended_at"]) for c in consents])
        for person, title, state in ((SAME_PERSON, "Done", "SUCCEEDED"), (STRANGER, "Not accepted", "FAILED")):
            with self.subTest(person):
                link, session = self.link("whole", "verify")
                page = self.page(self.stand.browser(videos.person, person), link)
                self.capture(page)
                self.shot(page, f"end-{person.replace('/', '-')}")
                self.assertEqual(title, page.run("document.getElementById('end-title').textContent"))
                self.assertEqual(state, self.state(session)["state"])
                self.assertNotIn("NO_MATCH", page.run("document.documentElement.outerHTML"))

    def test_refused_consent_stops_everything(self):
        """[8.2.2c] Who does not agree is not seen: no camera, no call, no session; what the page had is of no use any more."""
        link, session = self.link("unwilling", "register")
        page = self.page(self.stand.browser(videos.person, PERSON), link)
        page.run("document.getElementById('consent').requestSubmit()")  # without the tick
        self.assertIn("Tick the box first", page.text())
        self.assertEqual("notice", page.section())
        page.click("decline")
        page.wait_section("end")
        self.shot(page, "declined")
        self.assertIn("Stopped", page.text())
        self.assertIn("The camera is off", page.text())
        self.assertEqual(0, page.run("window.cameras"))
        self.assertEqual("FAILED", self.state(session)["state"])
        self.assertEqual([], self.client.request("GET", "/v1/registrations/unwilling/consents").json["consents"])
        sent = [event["request"]["url"].rsplit("/", 1)[1] for event in page.events("Network.requestWillBeSent")
                if event["request"]["method"] == "POST"]
        self.assertEqual(["open", "decline"], sent)

    def test_guides(self):
        """[6.1.1e] [6.1.1f] Each thing that is wrong with a frame is told in words, and nothing is taken meanwhile."""
        cases = [((videos.nobody,), "No face is seen"), ((videos.far_away, PERSON), "Come closer"),
                 ((videos.in_the_dark, PERSON), "light"), ((videos.two_people, PERSON, STRANGER), "Only one face")]
        for (make, *names), words in cases:
            with self.subTest(make.__name__):
                link, session = self.link(f"guided/{make.__name__}", "register")
                page = self.page(self.stand.browser(make, *names), link)
                self.agree(page)
                page.wait(f"document.getElementById('advice').textContent.includes({words!r})")
                self.shot(page, f"advice-{make.__name__}")
                self.assertEqual(0, page.run("document.getElementById('progress').value"))
                page.click("cancel")
                page.wait_section("end")
                self.assertEqual("FAILED", self.state(session)["state"])
                self.assertFalse(page.run("document.getElementById('video').srcObject?.active ?? false"))

    def test_stop_comes_too_late(self):
        """[6.1.1d] Who stops when the picture is under way is told what became of it, not that nothing happened."""
        link, session = self.link("late", "register")
        page = self.page(self.stand.browser(videos.person, PERSON), link)
        page.call("Fetch.enable", patterns=[{"urlPattern": "*/capture/picture", "requestStage": "Response"}])
        self.agree(page)
        page.wait_section("capture")
        page.wait_event("Fetch.requestPaused")  # the database has decided, and the page does not know
        page.click("cancel")
        page.wait_section("end")
        self.assertEqual(("Done", "SUCCEEDED"), (page.run("document.getElementById('end-title').textContent"), self.state(session)["state"]))

    def test_retries_with_a_reason(self):
        """[6.1.3b] [6.1.1d] A picture below the channel's floors is asked for again, in the same session, with the reason."""
        self.register("retried")
        self.cluster.psql(f"UPDATE visage.channel_floor SET minimum = 4000 WHERE channel = '{STRICT}' AND measure = 'ImageWidth'")
        link, session = self.link("retried", "verify", channel=STRICT)
        page = self.page(self.stand.browser(videos.person, PERSON), link)
        self.agree(page)
        page.wait("document.getElementById('advice').textContent.startsWith('Once more: The picture was not good enough')")
        self.shot(page, "retry")
        self.assertEqual("CREATED", self.state(session)["state"])
        self.cluster.psql(f"UPDATE visage.channel_floor SET minimum = 512 WHERE channel = '{STRICT}' AND measure = 'ImageWidth'")
        page.wait_section("end")
        self.assertEqual("Done", page.run("document.getElementById('end-title').textContent"))

    def test_hands_over_to_a_phone(self):
        """[6.5d] A PC shows a code; the phone that reads it captures; the PC tells the result. The code works once."""
        self.register("handed")
        link, session = self.link("handed", "verify", channel=PC, context={"finish_channel": CHANNEL})
        browser = self.stand.browser(videos.person, SAME_PERSON)
        pc = self.page(browser, link)
        pc.wait_section("handover")
        pc.wait("document.getElementById('handover-state').textContent === 'Waiting for your phone.'")
        self.assertEqual(0, pc.run("window.cameras"))
        self.shot(pc, "handover")
        scanned = self.scan(pc)
        phone = self.page(browser, scanned, mobile=True, width=390, height=844, dark=True)
        pc.wait("document.getElementById('handover-state').textContent.startsWith('Opened on your phone')")
        self.assertEqual("IN_PROGRESS", self.state(session)["state"])
        self.shot(phone, "notice-phone-dark")
        thief = self.page(browser, scanned)
        self.assertIn("used before", thief.text())
        self.agree(phone)
        phone.wait_section("capture")
        self.shot(phone, "capture-phone-dark")
        phone.wait_section("end")
        pc.wait_section("end")
        for page in (phone, pc):
            self.assertEqual("Done", page.run("document.getElementById('end-title').textContent"))
        self.assertEqual(("SUCCEEDED", CHANNEL), (self.state(session)["state"], self.state(session)["channel"]))

    def test_a_second_press_is_none(self):
        """[8.2.2c] [6.1.1d] Who presses twice agrees once; who stops twice stopped, and is not told that the face was refused."""
        link, session = self.link("twice", "register")
        page = self.page(self.stand.browser(videos.nobody), link)
        page.wait_section("notice")
        page.run("document.querySelector('input[name=age][value=false]').click()")
        page.click("agree")
        page.run("for (const press of [1, 2]) document.getElementById('consent').requestSubmit()")
        page.wait_section("capture")
        self.assertEqual(1, len(self.client.request("GET", "/v1/registrations/twice/consents").json["consents"]))
        page.run("for (const press of [1, 2]) document.getElementById('cancel').click()")
        self.assertEqual("Stopped", self.end(page))
        sent = [event["request"]["url"].rsplit("/", 1)[1] for event in page.events("Network.requestWillBeSent")]
        self.assertEqual((1, 1), (sent.count("consent"), sent.count("decline")))
        self.assertEqual("FAILED", self.state(session)["state"])

    def lose(self, page, name, act):
        """The connection is away when the page makes this call."""
        with page.held(f"*/capture/{name}") as call:
            act()
            page.call("Fetch.failRequest", requestId=call(), errorReason="ConnectionFailed")

    def test_a_lost_connection_can_be_tried_again(self):
        """[6.1.1d] [6.4a] A link that was not opened, and an agreement that did not arrive, are not lost with the connection."""
        link, _ = self.link("lost", "register")
        page = self.stand.browser(videos.nobody).page()  # its faults are those of the connection
        for name, act, section in (("open", lambda: page.open(link), "notice"), ("consent", lambda: self.agree(page), "capture")):
            self.lose(page, name, act)
            page.wait_section("end")
            self.assertIn("Something went wrong", page.text())
            self.assertFalse(page.run("document.getElementById('again').hidden"))
            page.click("again")
            page.wait_section(section)

    def test_the_waiting_page_outlives_a_lost_answer(self):
        """[6.5d] The PC goes on telling how far the phone is when one of its questions got no answer."""
        link, _ = self.link("waits", "verify", channel=PC, context={"finish_channel": CHANNEL})
        browser = self.stand.browser(videos.nobody)
        pc = browser.page()
        pc.open(link)
        pc.wait("document.getElementById('handover-state')?.textContent === 'Waiting for your phone.'")
        self.lose(pc, "state", lambda: None)
        phone = self.page(browser, self.scan(pc), mobile=True, width=390, height=844)
        pc.wait("document.getElementById('handover-state').textContent.startsWith('Opened on your phone')")
        self.agree(phone)
        phone.wait_section("capture")
        phone.click("cancel")
        self.assertEqual("Not accepted", self.end(pc))

    def keys(self, path, pattern):
        with open(os.path.join(BASE, "src", path), encoding="utf-8") as file:
            return set(re.findall(pattern, file.read(), re.M))

    def test_every_word_is_there_in_both_languages(self):
        """[6.1.1e] [6.4a] All that the page says and all that the daemon can advise, in English and in Chinese."""
        page = self.page(self.stand.browser(videos.nobody), self.link("spoken", "register")[0])
        page.wait_section("notice")
        self.assertIn("checks of your face", page.text())  # and not what the database calls it
        scenarios = self.cluster.value("SELECT name FROM visage.scenario WHERE builtin AND institution = 1").splitlines()
        own = self.keys("web/words.js", r"^  '?([\w-]+)'?: '")
        told = self.keys("sidecar/page/verdict.cpp", r'"(?:retry|ended)", "([a-z-]+)"')
        advised = self.keys("sidecar/quality/measure.cpp", r'"([a-z]+(?:-[a-z]+)+)"}')
        self.assertTrue(len(own) > 100 and len(told) > 5 and len(advised) > 20 and len(scenarios) > 10, advised)
        keys = sorted(own | told | advised | {"purpose-" + name for name in scenarios})
        self.assertEqual([], page.run("""(async () => {
          const { chooseLanguage, word } = await import('/capture/words.js');
          const lacking = language => {
            chooseLanguage(language);
            return %s.filter(key => word(key) === key || /\\p{Script=Han}/u.test(word(key)) !== (language === 'zh-CN')).map(key => `${language}: ${key}`);
          };
          return [...lacking('zh-CN'), ...lacking('en')];
        })()""" % json.dumps(keys)))

    def test_the_picture_is_whole_on_low_screens(self):
        """[6.1.1f] On a laptop, and on a phone on its side, nothing of what the camera sees is cut off."""
        for width, height, shape in ((1366, 620, 4 / 3), (844, 390, 4 / 3), (390, 844, 3 / 4), (320, 568, 3 / 4)):
            with self.subTest(width=width, height=height):
                page = self.page(self.stand.browser(videos.nobody), self.link("low", "register")[0], width=width, height=height, mobile=width < 1000)
                self.agree(page)
                page.wait_section("capture")
                frame = page.run("(() => { const b = document.getElementById('frame').getBoundingClientRect(); return [b.width, b.height]; })()")
                self.assertAlmostEqual(shape, frame[0] / frame[1], delta=0.02)
                self.assertLessEqual(frame[1], 0.53 * height)
                self.shot(page, f"capture-{width}-{height}")
                page.click("cancel")
                page.wait_section("end")

    def test_stores_nothing(self):
        """[8.2.4a] Nothing stays in the browser: no storage, cookie, cache, download; the link leaves the address at once."""
        link, _ = self.link("forgotten", "register")
        browser = self.stand.browser(videos.person, PERSON)
        page = self.page(browser, link)
        self.assertNotIn("#", page.run("location.href"))
        self.capture(page)
        kept = page.run("""(async () => ({local: localStorage.length, session: sessionStorage.length, cookies: document.cookie,
            caches: (await caches.keys()).length, databases: (await indexedDB.databases()).length,
            workers: (await navigator.serviceWorker.getRegistrations()).length, camera: document.getElementById('video').srcObject}))()""")
        self.assertEqual({"local": 0, "session": 0, "cookies": "", "caches": 0, "databases": 0, "workers": 0, "camera": None}, kept)
        self.assertFalse(page.events("Page.downloadWillBegin"))
        for event in page.events("Network.responseReceived"):
            headers = {name.lower(): value for name, value in event["response"]["headers"].items()}
            self.assertEqual("no-store", headers["cache-control"], event["response"]["url"])
            self.assertFalse(event["response"].get("fromDiskCache"))
        secret = link.split("#")[1].encode()
        for directory, _, files in os.walk(browser.profile):
            for name in files:
                with contextlib.suppress(OSError), open(os.path.join(directory, name), "rb") as file:
                    content = file.read()
                    self.assertNotIn(secret, content, name)
                    self.assertFalse(name.lower().endswith((".jpg", ".jpeg")) or content.startswith(b"\xff\xd8\xff"), name)

    def test_a_link_works_once(self):
        """[6.4a] [8.2.2f] Who comes second, with a changed link, or with none, sees nothing of the first."""
        link, _ = self.link("once", "verify")
        browser = self.stand.browser(videos.person, PERSON)
        self.page(browser, link).wait_section("notice")
        token = link.split("#")[1]
        for wrong, words in ((link, "used before"), (link[:-9] + "AAAAAAAAA", "works once"), (link.split("#")[0], "works once")):
            page = self.page(browser, wrong)
            self.assertEqual("end", page.section())
            self.assertIn(words, page.text())
        self.assertNotIn(token, self.stand.daemon.log_text())

    def test_accessible(self):
        """[6.4a] Names, roles, contrast, size of targets, no sideways scrolling: light and dark, both languages, phone and PC."""
        for dark in (False, True):
            for languages in ("en-GB", "zh-CN"):
                for width in (320, 1100):
                    with self.subTest(dark=dark, languages=languages, width=width):
                        link, _ = self.link("read", "verify")
                        page = self.page(self.stand.browser(videos.nobody), link, width=width, dark=dark, languages=languages)
                        self.assertEqual({"en-GB": "en"}.get(languages, languages), page.run("document.documentElement.lang"))
                        for section in ("notice", "capture", "end"):
                            if section == "capture":
                                self.agree(page)
                            if section == "end":
                                page.click("cancel")
                            page.wait_section(section)
                            told = page.run(f"({MEASURE})({str(dark).lower()})")
                            self.assertEqual([], told, section)
                            nodes = page.nodes()
                            self.assertEqual([], [role for role, name in nodes if not name and role in
                                                  ("button", "checkbox", "radio", "textbox", "heading", "progressbar", "image")])
                            self.assertEqual(1, sum(role == "heading" for role, _ in nodes), section)
                            self.assertEqual("H1", page.run("document.activeElement.tagName"))
                            if section == "capture":
                                self.assertTrue({"status", "progressbar"} <= {role for role, _ in nodes}, nodes)
                            self.shot(page, f"{section}-{languages}-{width}-{'dark' if dark else 'light'}")

    def test_keyboard_alone(self):
        """[6.4a] From the notice to the end without a pointer."""
        link, session = self.link("typist", "register")
        page = self.page(self.stand.browser(videos.person, PERSON), link)
        page.wait_section("notice")
        for wanted in ("document.activeElement.value === 'false'", "document.activeElement.id === 'agree'"):
            for _ in range(12):
                page.key("Tab")
                if page.run(wanted):
                    break
            page.key(" ", "Space", " ")
        self.assertTrue(page.run("document.getElementById('agree').checked"))
        page.key("Tab")
        self.assertNotEqual("none", page.run("getComputedStyle(document.activeElement).outlineStyle"))
        page.key("Enter", text="\r")
        page.wait_section("end")
        self.assertEqual("SUCCEEDED", self.state(session)["state"])

    def test_guardian(self):
        """[8.2.2c] For somebody under 14 a guardian agrees, by name."""
        link, _ = self.link("child", "register")
        page = self.page(self.stand.browser(videos.person, PERSON), link)
        page.wait_section("notice")
        self.assertIsNone(page.run("document.querySelector('input[type=radio]:checked')"))
        page.click("agree")
        page.run("document.getElementById('consent').requestSubmit()")
        self.assertIn("Say first how old", page.text())
        page.click("agree")
        self.agree(page, young=True)
        self.assertIn("Give the guardian", page.text())
        page.run("document.getElementById('guardian-name').value = 'A. Guardian'; document.getElementById('guardian-relation').value = 'mother'")
        page.run("document.getElementById('consent').requestSubmit()")
        page.wait_section("end")
        consents = self.client.request("GET", "/v1/registrations/child/consents").json["consents"]
        self.assertEqual([(True, True)], [(c["under_14"], c["by_guardian"]) for c in consents])


def main():
    suite = unittest.TestLoader()
    suite.testNamePatterns = [f"*{name}*" for name in sys.argv[1:]] or None
    with contextlib.ExitStack() as stack:
        current["stand"] = Stand(stack)
        cases = unittest.TestSuite(suite.loadTestsFromTestCase(case) for case in (CapturePage, answers.Answers, flows.Flows, console.Console, certificate.Certificate))
        result = unittest.TextTestRunner(stream=sys.stderr, verbosity=2).run(cases)
    failed = len(result.failures) + len(result.errors)
    # One subtest that fails is counted by itself.
    print(f"{max(0, result.testsRun - failed)} passed, {failed} failed")
    return 1 if failed or not result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
