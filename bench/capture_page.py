"""How soon a person on the capture page has an answer: capture.answer_after_last_frame_* as JSON lines.

A real browser with a false camera does what the page asks for, from the link to the end. Measured in the page, from the
moment in which it took its last frame off the camera to the moment in which it shows how it ended. Browser, false camera,
PostgreSQL and the daemon share the machine: what they cost is in the figures.
"""
import contextlib
import json
import os
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "tests", "browser")]

from stand import DESK, LIT, MOVING, Stand, current  # noqa: E402  (first: it finds the others)

import answers  # noqa: E402
from rig import pictures  # noqa: E402
from rig.client import Client  # noqa: E402

QUICK = bool(os.environ.get("QUICK"))
TIMES = 5 if QUICK else 20
# Every picture that the page takes of the camera goes through a canvas; the last one before the end is the last frame.
WATCH_FRAMES = """
const toBlob = HTMLCanvasElement.prototype.toBlob;
HTMLCanvasElement.prototype.toBlob = function (...how) { window.lastFrame = performance.now(); return toBlob.apply(this, how); };
document.addEventListener('DOMContentLoaded', () => {
  const end = document.getElementById('end');
  new MutationObserver(() => { if (!end.hidden) window.answered ??= performance.now(); }).observe(end, { attributes: true });
});
"""


def nearest_rank(values, share):
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


class Person(answers.Answers):
    """Not a test: somebody in front of the camera."""

    def runTest(self):
        """Never run; a test case is not made without."""

    def wait(self, channel, button=None):
        """Seconds from the last frame to the answer, and whether the face was accepted."""
        link, _ = self.link("bench", "verify", channel=channel)
        page = self.watched(link)
        self.agree(page)
        if button:
            page.wait_section("light-choice")
            page.click(button)
        title = self.end(page)
        seconds = page.run("(answered - lastFrame) / 1000")
        self.doCleanups()  # nothing went wrong in it
        page.call("Page.close")
        return seconds, title == "Done"

    def watched(self, link, behaviour="obeys", person=answers.MOVER, **how):
        with open(os.path.join(answers.HERE, "puppet_camera.js"), encoding="utf-8") as file:
            puppet = json.dumps(answers.puppet(self.stand.directory, person))
            camera = WATCH_FRAMES + file.read() + f"falseCamera({puppet}, '{behaviour}');"
        return self.page(self.stand.browser(answers.videos.nobody), link, camera=camera, **how)


@contextlib.contextmanager
def others(stand, count):
    """So many callers who verify all the time, without a page."""
    over, failures = threading.Event(), []

    def run():
        client = Client(stand.daemon.url, stand.client.token)
        while not over.is_set():
            reply = client.verify("bench", pictures.portrait(answers.MOVER), channel=DESK)
            if reply.status not in (200, 503):
                failures.append(reply.body)
        client.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    if failures:
        raise SystemExit(f"a verification failed: {failures[0]!r}")


def measure(person, metric, channel, button, note):
    waits = []
    accepted = 0
    for number in range(TIMES):
        seconds, done = person.wait(channel, button)
        waits.append(seconds)
        accepted += done
        print(f"{metric} {number + 1}/{TIMES}: {seconds:.2f} s{'' if done else ', not accepted'}", file=sys.stderr, flush=True)
    print(json.dumps({"metric": f"capture.{metric}", "value": round(nearest_rank(waits, 95), 3), "unit": "s", "target": "<= 3",
                      "n": len(waits), "note": f"{note}; 95th percentile, median {nearest_rank(waits, 50):.3f}, worst {max(waits):.3f}; "
                      f"{accepted} accepted; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}{', QUICK' if QUICK else ''}"}), flush=True)


def main():
    with contextlib.ExitStack() as stack:
        stand = current["stand"] = Stand(stack)
        person = Person()
        person.setUp()
        person.at_desk("bench", answers.MOVER)
        measure(person, "answer_after_last_frame_s", MOVING, None, "three movements, one person at a time")
        measure(person, "answer_after_last_frame_lit_s", LIT, "light-yes", "colours of the screen, one person at a time")
        with others(stand, os.cpu_count()):
            measure(person, "answer_after_last_frame_busy_s", MOVING, None,
                    f"three movements, while {os.cpu_count()} callers verify all the time")


if __name__ == "__main__":
    main()
