"""The capture page, where the session asks the person for more than to look: movements, colours, factors."""
import base64
import functools
import json
import os
import subprocess

from rig import pictures
from rig.cluster import BASE
from rig.pictures import PORTRAITS
from stand import CHANNEL, DESK, HERE, LIT, MOVING, PageTest

import videos

WORDS = ("turn_left", "turn_right", "nod", "blink", "open_mouth", "smile")
LEVELS = (0, 50, 100)
# Who looks straight and does not smile, so that each movement of the film can be told from rest.
MOVER, OTHER_MOVER = "men/9", "men/82"
PASSWORD = "correct horse battery"
# When each colour was shown, by the page's own clock.
WATCH_LIGHT = """
window.shown = [];
document.addEventListener('DOMContentLoaded', () => new MutationObserver(() => {
  const light = document.getElementById('light');
  if (!light.hidden && shown.at(-1)?.colour !== light.style.backgroundColor)
    shown.push({at: performance.now(), colour: light.style.backgroundColor});
}).observe(document.getElementById('light'), {attributes: true}));
"""


@functools.cache
def puppet(directory, person):
    """The pictures of a person who moves, as the false camera takes them."""
    where = os.path.join(directory, person.replace("/", "-"))
    os.mkdir(where)
    subprocess.run([os.path.join(BASE, "build/tests/browser/puppet"), os.path.join(BASE, "models"),
                    os.path.join(PORTRAITS, person + ".jpg"), where], check=True)
    frames = {}
    for word in WORDS:
        frames[word] = []
        for level in LEVELS:
            with open(os.path.join(where, f"{word}-{level}.jpg"), "rb") as file:
                frames[word].append(base64.b64encode(file.read()).decode())
    return frames


class Answers(PageTest):
    def watched(self, link, behaviour="obeys", person=MOVER, **how):
        with open(os.path.join(HERE, "puppet_camera.js"), encoding="utf-8") as file:
            camera = file.read() + f"falseCamera({json.dumps(puppet(self.stand.directory, person))}, '{behaviour}');" + WATCH_LIGHT
        return self.page(self.stand.browser(videos.nobody), link, camera=camera, **how)

    def sent(self, page):
        return [event["request"]["url"].rsplit("/", 1)[1] for event in page.events("Network.requestWillBeSent")
                if event["request"]["method"] == "POST"]

    def test_movements_that_were_asked_for_pass(self):
        """[6.1.2a] [6.1.2b] [6.1.1d] A person who does what is asked for is accepted, is told each step, and nobody else is."""
        self.at_desk("moves", MOVER)
        for person, title in ((MOVER, "Done"), (OTHER_MOVER, "Not accepted")):
            with self.subTest(person):
                link, session = self.link("moves", "verify", channel=MOVING)
                page = self.watched(link, person=person, mobile=True, width=390, height=844)
                page.run("""window.told = []; new MutationObserver(() => told.push(document.getElementById('advice').textContent))
                            .observe(document.getElementById('advice'), {childList: true, characterData: true, subtree: true}); 0""")
                self.agree(page)
                page.wait("document.getElementById('sign').textContent !== '' || !document.getElementById('end').hidden")
                self.shot(page, "movement-phone")
                self.assertEqual(title, self.end(page), page.text())
                self.assertEqual("SUCCEEDED" if title == "Done" else "FAILED", self.state(session)["state"])
                self.assertIn("Good. Now look into the camera again.", page.run("told"))
                self.assertIn("frames", self.sent(page))
                self.assertNotIn("picture", self.sent(page))

    def test_movements_before_a_photo(self):
        """[6.1.2a] [6.6f] A person against an ID photo does what the session asks for as well; somebody else who does is not on the photo."""
        for person, title in ((MOVER, "Done"), (OTHER_MOVER, "Not accepted")):
            with self.subTest(person):
                link, session = self.link(None, "compare", channel=MOVING)
                sent = self.client.post_json("/v1/id-photos", {"session": session, "subject": "moves-photo", "document": pictures.portrait(MOVER)})
                self.assertEqual(200, sent.status, sent.body)
                page = self.watched(link, person=person)
                self.agree(page)
                self.assertEqual(title, self.end(page), self.state(session))
                self.assertEqual("SUCCEEDED" if title == "Done" else "FAILED", self.state(session)["state"])
                self.assertIn("frames", self.sent(page))

    def test_a_page_that_is_held_up_begins_again(self):
        """[6.1.1d] [6.1.2a] Frames with a gap between them would be taken for another film's, and the person refused."""
        self.at_desk("held up", MOVER)
        link, session = self.link("held up", "verify", channel=MOVING)
        page = self.watched(link)
        self.agree(page)
        page.wait("document.getElementById('sign').textContent !== ''")
        # What is on the screen while the person reads that it begins again must not ask for a movement: nothing would want it.
        page.run("""window.told = []; new MutationObserver(() => told.push(['advice', 'sign'].map(id => document.getElementById(id).textContent)))
                    .observe(document.getElementById('advice'), {childList: true, characterData: true, subtree: true}); 0""")
        with page.held("*/capture/frame") as call:
            call()
            page.wait(f"performance.now() > {page.run('performance.now()')} + 3500")
        self.assertEqual("Done", self.end(page), self.state(session))
        self.assertEqual({""}, {sign for advice, sign in page.run("told") if advice.startswith("Once more:")})
        self.assertEqual("SUCCEEDED", self.state(session)["state"])

    def test_a_still_picture_does_not_get_past_the_movements(self):
        """[6.1.2a] [6.1.2c] It is asked again and then told; it is never sent, and the session is no success."""
        self.at_desk("still", MOVER)
        link, session = self.link("still", "verify", channel=MOVING)
        page = self.watched(link, "still")
        self.agree(page)
        page.wait("document.getElementById('sign').textContent !== ''")
        self.assertEqual("This cannot go on", self.end(page))
        self.assertIn("The movements were not seen", page.text())
        self.assertNotIn("frames", self.sent(page))
        self.assertEqual("CREATED", self.state(session)["state"])
        self.assertFalse(page.run("document.getElementById('again').hidden"))

    def test_another_movement_begins_again(self):
        """[6.1.1d] Who does something else is told so before anything is lost."""
        self.at_desk("other", MOVER)
        link, session = self.link("other", "verify", channel=MOVING)
        page = self.watched(link, "other")
        self.agree(page)
        page.wait("document.getElementById('advice').textContent.includes('That was another movement')")
        self.shot(page, "begin-again")
        self.assertEqual("CREATED", self.state(session)["state"])
        page.click("cancel")
        self.assertEqual("Stopped", self.end(page))

    def test_colours_are_asked_for_before_they_flash(self):
        """[6.1.2a] [6.4a] Nothing flashes before the person chose it, nor faster than three times a second; it passes."""
        self.at_desk("flash", MOVER)
        link, session = self.link("flash", "verify", channel=LIT)
        page = self.watched(link)
        self.agree(page)
        page.wait_section("light-choice")
        self.shot(page, "light-choice")
        self.assertEqual((0, []), (page.run("window.cameras"), page.run("shown")))
        self.assertIn("photosensitive", page.text())
        page.click("light-yes")
        self.assertEqual("Done", self.end(page), page.text())
        self.assertEqual("SUCCEEDED", self.state(session)["state"])
        shown = page.run("shown")
        self.assertEqual(6, len(shown))
        self.assertEqual("rgb(0, 0, 0)", shown[0]["colour"])
        self.assertLess(334, min(b["at"] - a["at"] for a, b in zip(shown, shown[1:])))

    def test_no_colour_follows_the_stop(self):
        """[6.4a] Who stops the colours between two of them sees no further one."""
        page = self.page(self.stand.browser(videos.nobody), self.link("halted", "register", channel=CHANNEL)[0])
        last = page.run("""(async () => {
          const { flash } = await import('/capture/light.js');
          const area = document.createElement('div');
          let [goes, left] = [true, 2];  // pictures of a colour; the stop comes after the last
          await flash(area, '00'.repeat(32), async step => { if (step === 2) goes = (left -= 1) > 0; }, () => goes);
          return [area.dataset.step, area.hidden];
        })()""")
        self.assertEqual(["2", True], last)

    def test_movements_instead_of_colours(self):
        """[6.1.2a] [6.4a] Who must not see flashing light is asked for movements, and sees none."""
        self.at_desk("calm", MOVER)
        link, session = self.link("calm", "verify", channel=LIT)
        page = self.watched(link)
        self.agree(page)
        page.wait_section("light-choice")
        page.click("light-no")
        self.assertEqual("Done", self.end(page), page.text())
        self.assertEqual([], page.run("shown"))
        self.assertEqual("SUCCEEDED", self.state(session)["state"])

    def test_a_face_that_the_colours_do_not_light(self):
        """[6.1.2a] A film that does not answer the screen is not accepted."""
        self.at_desk("unlit", MOVER)
        link, session = self.link("unlit", "verify", channel=LIT)
        page = self.watched(link, "unlit")
        self.agree(page)
        page.wait_section("light-choice")
        page.click("light-yes")
        self.assertEqual("Not accepted", self.end(page))
        self.assertEqual("FAILED", self.state(session)["state"])
        self.assertEqual("LIVENESS", self.state(session)["reason"])

    def enrol(self, subject):
        path = f"/v1/registrations/{subject}/factors"
        reply = self.client.post_json(path, {"kind": "password", "secret": PASSWORD, "channel": DESK})
        self.assertEqual("accept", reply.decision, reply.body)

    def type(self, page, text):
        page.wait_section("factor")
        page.run(f"document.getElementById('evidence').value = {text!r}; document.getElementById('factor-form').requestSubmit()")

    def test_cancels_with_two_factors(self):
        """[8.2.5c] [6.6e] [6.1.1d] Password, face, a last question; then the person is gone. A wrong password is told and counted."""
        self.at_desk("leaves", MOVER)
        self.enrol("leaves")
        link, session = self.link("leaves", "cancel", page={"factors": ["password", "face"]})
        page = self.watched(link)
        page.wait_section("notice")
        self.assertIn("will be deleted", page.text())
        page.click("agree")
        page.run("document.getElementById('consent').requestSubmit()")
        page.wait_section("factor")
        self.shot(page, "factor")
        self.type(page, "wrong horse battery")
        page.wait("document.getElementById('factor-problem').textContent.includes('not right')")
        self.assertEqual("", page.run("document.getElementById('evidence').value"))
        self.type(page, PASSWORD)
        page.wait_section("confirm")
        self.shot(page, "confirm")
        self.assertEqual(2, self.state(session)["presented"])
        page.click("confirm-send")
        self.assertEqual("Done", self.end(page), page.text())
        self.assertEqual("SUCCEEDED", self.state(session)["state"])
        self.assertEqual([], self.client.request("GET", "/v1/registrations/leaves/references").json["references"])
        for secret in (PASSWORD, "wrong horse battery"):
            self.assertNotIn(secret, self.stand.daemon.log_text())
            self.assertNotIn(secret, page.run("document.documentElement.outerHTML + JSON.stringify(history.state)"))
            self.assertNotIn(secret, json.dumps([event["request"]["url"] for event in page.events("Network.requestWillBeSent")]))

    def test_whoever_stops_at_the_last_question_stays(self):
        """[8.2.5c] Nothing is deleted before the last answer."""
        self.at_desk("stays", MOVER)
        self.enrol("stays")
        link, _ = self.link("stays", "cancel", page={"factors": ["password", "face"]})
        page = self.watched(link)
        page.wait_section("notice")
        page.click("agree")
        page.run("document.getElementById('consent').requestSubmit()")
        self.type(page, PASSWORD)
        page.wait_section("confirm")
        page.run("document.querySelector('#confirm [data-stop]').click()")
        self.assertEqual("Stopped", self.end(page))
        self.assertEqual(1, len(self.client.request("GET", "/v1/registrations/stays/references").json["references"]))

    def test_changes_with_a_password(self):
        """[8.2.5c] [5.3.1] A new face needs the password and the old face; without the password nothing is captured."""
        self.at_desk("changes", MOVER)
        self.enrol("changes")
        link, session = self.link("changes", "replace_reference", page={"notice": "face", "factors": ["password"]})
        page = self.watched(link)
        self.agree(page)
        page.wait_section("factor")
        self.assertEqual(0, page.run("window.cameras"))
        self.type(page, PASSWORD)
        self.assertEqual("Done", self.end(page), page.text())
        self.assertEqual("SUCCEEDED", self.state(session)["state"])

    def test_accessible(self):
        """[6.4a] The questions, light and dark, both languages, phone and PC."""
        self.at_desk("asked", MOVER)
        self.enrol("asked")
        for dark in (False, True):
            for languages in ("en-GB", "zh-CN"):
                for width in (320, 1100):
                    how = {"width": width, "dark": dark, "languages": languages}
                    name = f"{languages}-{width}-{'dark' if dark else 'light'}"
                    with self.subTest(name):
                        page = self.watched(self.link("asked", "verify", channel=LIT)[0], **how)
                        self.agree(page)
                        page.wait_section("light-choice")
                        self.assertEqual([], self.measure(page, dark))
                        self.shot(page, f"light-choice-{name}")
                        page = self.watched(self.link("asked", "cancel", page={"factors": ["password"]}, channel=CHANNEL)[0], **how)
                        page.wait_section("notice")
                        page.click("agree")
                        page.run("document.getElementById('consent').requestSubmit()")
                        page.wait_section("factor")
                        self.assertEqual([], self.measure(page, dark))
                        self.shot(page, f"factor-{name}")
                        self.type(page, PASSWORD)
                        page.wait_section("confirm")
                        self.assertEqual([], self.measure(page, dark))
                        self.shot(page, f"confirm-{name}")
