#!/usr/bin/env python3
"""A small bank that uses visaged's public HTTP API and nothing else: python3 bank.py --help. See docs/example-bank.md."""
import argparse
import contextlib
import email.parser
import email.policy
import http.server
import os
import secrets
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import pages  # noqa: E402
from face import Face, Refused  # noqa: E402
from flows import KINDS, Customer, Flows  # noqa: E402

MOST, CHUNK = 8 << 20, 1 << 16  # bytes of a form, and of what is read of it at a time


class Bank(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address, flows):
        super().__init__(address, Handler)
        self.flows, self.customers, self.lock = flows, {}, threading.Lock()

    @property
    def url(self):
        return f"http://{self.server_address[0]}:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def customer(self):
        """By a cookie without which the browser is a new customer."""
        cookies = dict(part.strip().split("=", 1) for part in self.headers.get("Cookie", "").split(";") if "=" in part)
        with self.server.lock:
            self.cookie = cookies.get("bank") if cookies.get("bank") in self.server.customers else secrets.token_urlsafe(24)
            return self.server.customers.setdefault(self.cookie, Customer())

    def send(self, status, body, kind="text/html; charset=utf-8", **headers):
        data = body.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), "Cache-Control": "no-store",
                            "Content-Security-Policy": pages.POLICY, "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
                            **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def go_home(self):
        self.send(303, "", Location="/", Set_Cookie=f"bank={self.cookie}; HttpOnly; SameSite=Strict; Path=/")

    def do_GET(self):
        files = {"/style.css": (pages.STYLE, "text/css"), "/wait.js": (pages.WAIT, "text/javascript")}
        if self.path in files:
            self.send(200, *files[self.path])
        elif self.path == "/wait":
            self.wait(self.customer())
        elif self.path != "/":
            self.send(404, pages.page("Not here", ""))
        else:
            self.show(self.customer())

    def show(self, customer):
        with customer.lock:
            if customer.running and customer.running.steps[0] == "face":
                self.guard(customer, lambda: self.server.flows.look(customer))
            body = pages.step(customer) if customer.running else pages.home(customer)
        self.send(200, body, Set_Cookie=f"bank={self.cookie}; HttpOnly; SameSite=Strict; Path=/")

    def wait(self, customer):
        """Answers when the page may have something new to show."""
        running = customer.running
        try:
            over = not running or running.steps[0] != "face" or self.server.flows.face.wait(running.opened["session"])
        except (Refused, OSError):
            over = False
        if not over:
            time.sleep(1)  # who gives way, or is away, is not asked again at once
        with contextlib.suppress(ConnectionError):  # the page may have gone meanwhile
            self.send(204, "")

    def form(self):
        """{name: text or bytes} of either kind of form."""
        size = int(self.headers.get("Content-Length", 0))
        if size > MOST:
            left = min(size, 8 * MOST)  # read all the same: a browser that is cut off shows no answer
            while left > 0 and (read := self.rfile.read(min(left, CHUNK))):
                left -= len(read)
            return {}
        body, kind = self.rfile.read(size), self.headers.get("Content-Type", "")
        if not kind.startswith("multipart/form-data"):
            return {name: values[0] for name, values in urllib.parse.parse_qs(body.decode(errors="replace")).items()}
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
        parts = {part.get_param("name", header="content-disposition"): part for part in message.iter_parts()}
        return {name: part.get_payload(decode=True) if part.get_filename() is not None else part.get_payload(decode=True).decode(errors="replace")
                for name, part in parts.items()}

    def guard(self, customer, do):
        """A service that is down is no answer: the customer stays where they were."""
        try:
            do()
        except (Refused, OSError) as error:
            print(f"bank: {error}", file=sys.stderr)
            customer.message = "This does not work now. Try again in a moment."

    def do_POST(self):
        customer, form = self.customer(), self.form()
        with customer.lock:
            self.act(customer, form, self.server.flows)
        self.go_home()

    def act(self, customer, form, flows):
        step = customer.running.steps[0] if customer.running else None
        handed_over = form.get("phone") == "yes"
        actions = {
            ("/code", "code"): lambda: flows.take_code(customer, form.get("code", "")),
            ("/identity", "identity"): lambda: flows.check_identity(customer),
            ("/password", "password"): lambda: flows.take_password(customer, form.get("password", "")),
            ("/start", None): lambda: flows.start(customer, form["kind"], handed_over),
            ("/open", None): lambda: self.open(customer, form, handed_over),
        }
        if self.path == "/stop" and step:
            self.guard(customer, lambda: flows.stop(customer))
        elif (self.path, step) in actions and (self.path != "/start" or (customer.registered and form.get("kind") in KINDS)):
            self.guard(customer, actions[self.path, step])

    def open(self, customer, form, handed_over):
        if not all(form.get(name) for name in ("name", "id_number", "photo")):
            customer.message = f"Fill in all of it. The photo may have {MOST >> 20} MB."
            return
        customer.name = form["name"]
        customer.fields = {"name": customer.name, "id_number": form["id_number"]}
        customer.photo = form["photo"]
        self.server.flows.start(customer, "open", handed_over)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--api", required=True, help="where visaged is: http://127.0.0.1:8480")
    parser.add_argument("--token-file", required=True, help="the bank's token for it")
    parser.add_argument("--authority", required=True, help="the authority's name, as visaged knows it")
    parser.add_argument("--notice", default="face", help="the notice that people agree to")
    parser.add_argument("--port", type=int, default=8600)
    chosen = parser.parse_args()
    with open(chosen.token_file) as file:
        face = Face(chosen.api, file.read().strip())
    bank = Bank(("127.0.0.1", chosen.port), Flows(face, chosen.authority, chosen.notice))
    print(f"bank: {bank.url}", flush=True)
    bank.serve_forever()


if __name__ == "__main__":
    main()
