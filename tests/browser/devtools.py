"""A Chromium without a window, driven over its own pipe (the DevTools protocol): no library, no port."""
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
LIMIT_S = 300  # of whatever is waited for: a machine may be slow, and may do other things as well


class BrowserFailed(Exception):
    """The browser, or a script of the page, did not do what it was asked for."""


class Browser:
    """Use as a context manager. It writes only below a directory of its own, which also is its home."""

    def __init__(self, *options, command=None, prepare=lambda home: None):
        """`command` starts another browser than the one that is found; `prepare` makes what it is to find in its home."""
        program = next(filter(None, map(shutil.which, BROWSERS)), None)
        if command is None and program is None:
            raise BrowserFailed(f"no browser: install one of {', '.join(BROWSERS)}")
        self.profile = tempfile.mkdtemp(prefix="pg_visage_browser.")
        prepare(self.profile)
        # No sandbox: it needs rights that root in a container lacks, and the page is our own. /dev/shm is small there.
        command = [*(command or [program]), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                   "--disable-crash-reporter", "--remote-debugging-pipe", f"--user-data-dir={self.profile}", *options,
                   "about:blank"]
        places = {name: self.profile for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "TMPDIR")}
        theirs_in, self.out = os.pipe()
        self.input, theirs_out = os.pipe()

        def place_pipe():  # the browser reads from 3 and writes to 4
            first, second = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.log = open(os.path.join(self.profile, "log"), "w+")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, close_fds=False,
                                        preexec_fn=place_pipe, start_new_session=True, env={**os.environ, **places})
        os.close(theirs_in)
        os.close(theirs_out)
        os.set_blocking(self.input, False)
        self.buffer, self.number, self.replies, self.events = b"", 0, {}, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        for descriptor in (self.input, self.out):
            os.close(descriptor)
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def pump(self):
        try:
            data = os.read(self.input, 1 << 20)
        except BlockingIOError:
            time.sleep(0.005)
            return
        if not data:
            self.log.seek(0)
            raise BrowserFailed("the browser ended:\n" + self.log.read()[-2000:])
        self.buffer += data
        *messages, self.buffer = self.buffer.split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self.replies[message["id"]] = message
            else:
                self.events.append(message)

    def call(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + LIMIT_S
        while self.number not in self.replies:
            if time.monotonic() > deadline:
                raise BrowserFailed(f"no answer to {method}")
            self.pump()
        reply = self.replies.pop(self.number)
        if "error" in reply:
            raise BrowserFailed(f"{method}: {reply['error']}")
        return reply["result"]

    def page(self, width=1100, height=900, mobile=False, dark=False, languages="en-GB"):
        return Page(self, width, height, mobile, dark, languages)


class Page:
    """One tab, in a context of its own: what one person sees."""

    def __init__(self, browser, width, height, mobile, dark, languages):
        self.browser = browser
        context = browser.call("Target.createBrowserContext")["browserContextId"]
        self.target = browser.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if mobile else 1,
                  mobile=mobile)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        agent = browser.call("Browser.getVersion")["userAgent"]
        self.call("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=languages)

    def call(self, method, **parameters):
        return self.browser.call(method, session=self.session, **parameters)

    def open(self, url):
        self.call("Page.navigate", url=url)

    def run(self, script):
        """The value of an expression in the page; promises are waited for."""
        reply = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in reply:
            raise BrowserFailed(f"{script}: {reply['exceptionDetails']}")
        return reply["result"].get("value")

    def wait(self, script, words=""):
        """Until the expression is true in the page: its value. Between two documents there may be no body yet: that it throws is
        'not yet'. Whatever is done to what was waited for belongs into the same expression: the next one may meet another document."""
        deadline = time.monotonic() + LIMIT_S
        while True:
            thrown = ""
            try:
                if value := self.run(script):
                    return value
            except BrowserFailed as fault:
                thrown = f"\n{fault}"
            if time.monotonic() > deadline:
                raise BrowserFailed(f"never true: {script} {words}; the page says:\n{self.text()}\n{self.faults()}{thrown}")
            time.sleep(0.02)

    def wait_until(self, condition, what):
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            if time.monotonic() > deadline:
                raise BrowserFailed(f"waited too long for {what}; the page says:\n{self.text()}")
            self.browser.pump()

    def wait_event(self, method, after=0):
        """The newest; `after` so many that came before."""
        self.wait_until(lambda: len(self.events(method)) > after, method)
        return self.events(method)[-1]

    def text(self):
        """What can be read; nothing while the next document has no body yet."""
        return self.run("document.body?.innerText ?? ''")

    def section(self):
        return self.run("document.querySelector('main > section:not([hidden])')?.id")

    def wait_section(self, name):
        self.wait(f"document.querySelector('main > section:not([hidden])')?.id === '{name}'", f"({name})")

    def click(self, name):
        self.run(f"document.getElementById('{name}').click()")

    @contextlib.contextmanager
    def held(self, pattern, stage="Request"):
        """Inside, calls of this address wait; yields a function that waits for one and returns it."""
        before = len(self.events("Fetch.requestPaused"))
        self.call("Fetch.enable", patterns=[{"urlPattern": pattern, "requestStage": stage}])
        yield lambda: self.wait_event("Fetch.requestPaused", before)["requestId"]
        self.call("Fetch.disable")

    def key(self, key, code=None, text=None):
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            virtual = {"Tab": 9, "Enter": 13, " ": 32}[key]
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code or key, windowsVirtualKeyCode=virtual, **more)

    def picture(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def events(self, method):
        return [event["params"] for event in self.browser.events
                if event["method"] == method and event.get("sessionId") == self.session]

    def faults(self):
        """What the browser complained of: refused by policy, failed scripts."""
        logged = [entry["entry"]["text"] for entry in self.events("Log.entryAdded")
                  if entry["entry"]["level"] == "error" and "status of 4" not in entry["entry"]["text"]]
        return logged + [event["exceptionDetails"].get("text", "") for event in self.events("Runtime.exceptionThrown")]

    def nodes(self):
        """(role, name) of all that a screen reader meets."""
        tree = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree
                if not node.get("ignored") and "role" in node]
