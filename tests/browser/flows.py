"""The capture page beyond registering and verifying: a one-time code, a person against an ID photo, whose face it is."""
import base64
import json

from rig import pictures
from stand import CHANNEL, PC, PERSON, SAME_PERSON, STRANGER, PageTest

import videos

SOUGHT = "men/20"  # whom no other test registers
WRONG = "typed-wrong-4Zq"


class Flows(PageTest):
    def told(self, page, words):
        page.wait(f"document.getElementById('code-told').textContent.includes({words!r})", words)

    def type(self, page, text):
        page.wait_section("factor")
        page.run(f"document.getElementById('evidence').value = {text!r}; document.getElementById('factor-form').requestSubmit()")

    def traffic(self, page):
        """All that this page asked and was answered, without its own files."""
        texts = []
        for event in page.events("Network.responseReceived"):
            texts.append(json.dumps(event["response"]["url"]))
            if event["type"] == "Fetch":
                body = page.call("Network.getResponseBody", requestId=event["requestId"])
                texts.append(base64.b64decode(body["body"]).decode() if body["base64Encoded"] else body["body"])
        return texts

    def test_a_code_is_sent_and_typed(self):
        """[6.6e] [8.2.2b] [B.2] [6.1.1d] A code when the person asks for one, typed into the page, before any camera; then registered."""
        link, session = self.link("typed", "register", page={"notice": "face", "factors": ["otp"]})
        page = self.page(self.stand.browser(videos.person, PERSON), link, mobile=True, width=390, height=844)
        self.agree(page)
        page.wait_section("factor")
        self.shot(page, "code-phone")
        self.assertNotIn("typed", self.stand.codes.sent)
        self.assertEqual("one-time-code", page.run("document.getElementById('evidence').autocomplete"))
        page.click("code-send")
        self.told(page, "on its way")
        page.wait("document.activeElement.id === 'evidence' && !document.getElementById('code-send').disabled")
        page.click("code-send")
        self.told(page, "a moment ago")
        self.type(page, WRONG)
        page.wait("document.getElementById('factor-problem').textContent.includes('not right')")
        self.assertEqual((0, 0), (page.run("window.cameras"), self.state(session)["presented"]))
        right = self.stand.codes.sent["typed"]
        self.type(page, right)
        self.assertEqual("Done", self.end(page), page.text())
        self.assertEqual(("SUCCEEDED", 1), tuple(self.state(session)[name] for name in ("state", "presented")))
        kept = page.run("document.documentElement.outerHTML + JSON.stringify([history.state, {...localStorage}, {...sessionStorage}]) + "
                        "document.getElementById('evidence').value")
        for secret in (WRONG, right):
            self.assertNotIn(secret, kept)
            self.assertNotIn(secret, "".join(self.traffic(page)))
        self.assertNotIn(WRONG, self.stand.daemon.log_text())

    def test_codes_cannot_be_sent(self):
        """[6.6e] [8.2.5f] The service is away or refuses: the page says so, and the same page goes on when it is back."""
        link, session = self.link("unsent", "register", page={"notice": "face", "factors": ["otp"]})
        page = self.stand.browser(videos.person, PERSON).page()
        page.open(link)
        page.wait("document.querySelector('main > section:not([hidden]):not(#wait)') !== null")
        self.agree(page)
        page.wait_section("factor")
        self.addCleanup(setattr, self.stand.codes, "fault", None)
        self.stand.codes.fault = "error"
        page.click("code-send")
        self.told(page, "Codes cannot be sent")
        self.type(page, WRONG)
        page.wait("document.getElementById('factor-problem').textContent.includes('Codes cannot be sent')")
        self.stand.codes.fault = None
        self.assertTrue(all("502" in fault for fault in page.faults()), page.faults())  # what the browser says of that answer
        self.assertEqual(0, self.state(session)["presented"])
        self.stand.codes.answer({"do": "send", "subject": "unsent", "request": ""})  # by other means: half a minute is not over
        self.type(page, self.stand.codes.sent["unsent"])
        self.assertEqual("Done", self.end(page), page.text())
        link, _ = self.link("refused", "register", page={"notice": "face", "factors": ["otp"]})
        page = self.page(self.stand.browser(videos.person, PERSON), link)
        self.agree(page)
        page.wait_section("factor")
        self.stand.codes.fault = "refuse"
        page.click("code-send")
        self.told(page, "No code can be sent")

    def test_person_against_the_photo(self):
        """[6.6f] [B.1] [8.2.2c] The photo first, then the link; who is on it passes, who is not learns no more than that."""
        for person, title, state in ((SAME_PERSON, "Done", "SUCCEEDED"), (STRANGER, "Not accepted", "FAILED")):
            with self.subTest(person):
                subject = "photo-" + person.replace("/", "-")
                link, session = self.link(None, "compare")
                browser = self.stand.browser(videos.person, person)
                self.assertIn("photo to compare with is missing", self.page(browser, link).text())
                reply = self.client.post_json("/v1/id-photos", {"session": session, "subject": subject, "document": pictures.portrait(PERSON)})
                self.assertEqual((200, "document"), (reply.status, reply.json["photo"]), reply.body)
                page = self.page(browser, link)
                page.wait_section("notice")
                self.assertIn("photo of your identity document", page.text())
                self.capture(page)
                self.assertEqual(title, self.end(page), page.text())
                self.assertEqual(state, self.state(session)["state"])
                self.assertNotIn(subject, "".join(self.traffic(page)))
                consents = self.client.request("GET", f"/v1/registrations/{subject}/consents").json["consents"]
                self.assertEqual(["face"], [consent["notice"] for consent in consents])

    def searched(self, person, **more):
        reply = self.stand.searcher.open_session(None, "identify", capture_page={"notice": "face"}, **{"channel": CHANNEL, **more})
        self.assertEqual(201, reply.status, reply.body)
        return self.page(self.stand.browser(videos.person, person), reply.json["capture_link"]), reply.json["session"]

    def found(self, session):
        return self.stand.searcher.request("GET", "/v1/sessions/" + session).json

    def test_whose_face_it_is_is_the_backends_to_know(self):
        """[6.6f] [6.1.2b] Thank you, whoever it is: the page is told the same of who is found and of who is not, and never a name."""
        self.register("sought", SOUGHT)
        ends = []
        for person, names in ((SOUGHT, [{"rank": 1, "subject": "sought"}]), ("men/31", [])):
            page, session = self.searched(person)
            page.wait_section("notice")
            self.assertIn("looked for among", page.text())
            self.capture(page)
            self.assertEqual("Thank you", self.end(page), page.text())
            self.assertEqual(names, self.found(session)["candidates"])
            self.assertNotIn("candidates", self.state(session))
            heard = self.traffic(page)
            self.assertNotIn("sought", "".join(heard))
            ends.append((page.text(), page.run("document.getElementById('end').className"), heard[-1]))
            self.shot(page, f"thanks-{len(names)}")
        self.assertEqual(ends[0], ends[1])

    def test_no_name_of_a_guardian_without_a_record(self):
        """[8.2.2c] For a child a guardian agrees; where no consent is recorded the page asks for no name, and sends none."""
        page, session = self.searched("men/31")
        self.agree(page, young=True)
        self.assertTrue(page.run("document.getElementById('guardian').hidden"))
        self.assertEqual("Thank you", self.end(page), page.text())
        sent = "".join(event["request"].get("postData", "") for event in page.events("Network.requestWillBeSent"))
        self.assertIn("under_14", sent)
        self.assertNotIn("guardian", sent)
        self.assertEqual("NO_MATCH", self.found(session)["reason"])

    def test_the_page_that_handed_over_learns_nothing_either(self):
        """[6.5d] [6.6f] Nor does the PC that showed the code."""
        pc, session = self.searched("men/31", channel=PC, context={"finish_channel": CHANNEL})
        pc.wait_section("handover")
        phone = self.page(self.stand.browser(videos.person, "men/31"), self.scan(pc), mobile=True, width=390, height=844)
        self.capture(phone)
        for page in (phone, pc):
            self.assertEqual("Thank you", self.end(page), page.text())
        self.assertNotIn("FAILED", "".join(self.traffic(pc)))
        self.assertEqual("FAILED", self.found(session)["state"])

    def test_accessible(self):
        """[6.4a] The question for a code, light and dark, both languages, phone and PC."""
        for dark in (False, True):
            for languages, words in (("en-GB", "Send me a code"), ("zh-CN", "发送验证码")):
                for width in (320, 1100):
                    with self.subTest(dark=dark, languages=languages, width=width):
                        link, _ = self.link("read", "register", page={"notice": "face", "factors": ["otp"]})
                        page = self.page(self.stand.browser(videos.nobody), link, width=width, dark=dark, languages=languages)
                        self.agree(page)
                        page.wait_section("factor")
                        self.assertIn(words, page.text())
                        self.assertEqual([], self.measure(page, dark))
                        page.click("code-send")
                        page.wait("document.getElementById('code-told').textContent !== ''")
                        self.assertEqual([], self.measure(page, dark))
                        self.shot(page, f"code-{languages}-{width}-{'dark' if dark else 'light'}")
