"""Stand-ins for the services of others that visaged asks: an authority's ID service and a bank's one-time codes.

They speak the protocols of docs/adapters.md over TLS and ask for client certificates, know the few people that they are
told of, and say in every answer what they are. Faults are for tests: each is one way in which a real service, or somebody
in its place, could answer wrongly.
"""
import base64
import contextlib
import hashlib
import http.server
import json
import os
import secrets
import ssl
import subprocess
import threading
import time


# Of a code. Six digits would now and then stand by chance in what must not hold it: a log has many numbers.
LETTERS = "GHJKLMNPQRSTUVWXYZ"


class Signer:
    """An Ed25519 key; `public` is its PEM's path."""

    def __init__(self, directory, name):
        self.key, self.public = (os.path.join(directory, name + end) for end in (".key", ".pub"))
        subprocess.run(["openssl", "genpkey", "-algorithm", "ED25519", "-out", self.key], check=True, capture_output=True)
        subprocess.run(["openssl", "pkey", "-in", self.key, "-pubout", "-out", self.public], check=True, capture_output=True)

    def sign(self, text):
        """The text with the line of its signature."""
        path = f"{self.key}.{secrets.token_hex(8)}"
        try:
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            done = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.key, "-in", path], check=True, capture_output=True)
        finally:
            os.remove(path)
        return f"{text}signature: {base64.b64encode(done.stdout).decode()}\n"


class Handler(http.server.BaseHTTPRequestHandler):
    def version_string(self):
        return f"stand-in {self.server.owner.what}"

    def log_message(self, *_):
        pass  # what is asked about people is in no log

    def do_POST(self):
        owner = self.server.owner
        body = self.rfile.read(int(self.headers["Content-Length"]))
        owner.requests.append(json.loads(body))
        with contextlib.suppress(OSError):
            owner.reply(self, owner.requests[-1])

    def send(self, status, body, length=None):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)


class Service:
    """Serves in threads of this process. `fault` changes its answers until it is None again."""

    what = "service, not a real one"

    def __init__(self, authority, pair, port=0):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        context.load_verify_locations(authority.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        # The handshake is its connection's thread's: a client that hangs keeps nobody else waiting.
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.server.handle_error = lambda *_: None
        self.server.owner = self
        self.requests, self.fault = [], None
        self.released = threading.Event()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"https://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def reply(self, handler, asked):
        if self.fault == "silent":
            self.released.wait()
        elif self.fault == "drip":  # a byte now and then, for ever
            handler.wfile.write(b"HTTP/1.0 200 OK\r\nX-Slow: ")
            while not self.released.wait(0.05):
                handler.wfile.write(b"x")
        elif self.fault == "error":
            handler.send(500, b'{"error": "stand-in"}')
        elif self.fault == "garbage":
            handler.send(200, b'{"statement": 17}')
        elif self.fault == "cut":
            handler.send(200, b'{"statement": "', length=4000)
        elif self.fault == "endless":
            handler.send(200, b" " * (64 << 20))
        else:
            handler.send(200, json.dumps(self.answer(asked)).encode())


class Authority(Service):
    """Knows {id_number: (fields, photo or None)}."""

    what = "authority, not a real one"

    def __init__(self, authority, pair, signer, name, people, port=0):
        self.signer, self.name, self.people, self.count = signer, name, people, 0
        self.last = None
        super().__init__(authority, pair, port)

    @staticmethod
    def digest(fields):
        return hashlib.sha256("".join(f"{name}={fields[name]}\n" for name in sorted(fields)).encode()).hexdigest()

    def answer(self, asked):
        self.count += 1
        fields = asked["fields"]
        known, photo = self.people.get(fields.get("id_number"), ({}, None))
        agreed = sorted(name for name in fields if known.get(name) == fields[name])
        word = "vouched" if agreed and len(agreed) == len(fields) else "denied"
        agreed = agreed if word == "vouched" else []
        photo = photo if word == "vouched" else None
        said = {"authority": self.name, "request": asked["request"], "nonce": asked["nonce"], "fields": self.digest(fields), "answer": word,
                "vouched": ",".join(agreed), "photo": hashlib.sha256(photo).hexdigest() if photo else "none",
                "reference": f"stand-in {self.count}", "issued": str(int(time.time()))}
        self.lie(said, fields)
        text = self.signer.sign("visage/identity/1\n" + "".join(f"{name}: {value}\n" for name, value in said.items()))
        if self.fault == "wrong-signature":
            text = text.replace("answer: denied", "answer: vouched").replace("reference: stand-in", "reference: stand-out")
        if self.fault == "replayed" and self.last:
            return self.last
        if self.fault == "other-photo":
            photo = photo[:-1] + bytes([photo[-1] ^ 1])
        if self.fault == "no-photo":
            photo = None
        answer = {"statement": text, **({"photo": base64.b64encode(photo).decode()} if photo else {})}
        self.last = self.last if self.fault else answer
        return answer

    def lie(self, said, fields):
        if self.fault == "stale":
            said["issued"] = str(int(time.time()) - 3600)
        elif self.fault == "future":
            said["issued"] = str(int(time.time()) + 3600)
        elif self.fault == "other-subject":
            said["fields"] = self.digest({**fields, "id_number": "somebody else"})
        elif self.fault == "other-authority":
            said["authority"] = "another"
        elif self.fault == "other-request":
            said["request"] = "00000000-0000-4000-8000-000000000000"
        elif self.fault == "other-nonce":
            said["nonce"] = "00" * 32
        elif self.fault == "undecided":
            said.update(answer="undecided", vouched="")
        elif self.fault == "vouches-for-more":
            said["vouched"] = "zodiac"


class Codes(Service):
    """One-time codes; `sent` is what the phones of its customers show: {subject: code}."""

    what = "service of one-time codes, not a real one"

    def __init__(self, authority, pair, signer, name, port=0):
        self.signer, self.name, self.sent = signer, name, {}
        super().__init__(authority, pair, port)

    def answer(self, asked):
        request = "another" if self.fault == "other-request" else asked["request"]
        subject = asked["subject"]
        if asked["do"] == "send":
            if self.fault == "refuse":
                return {"request": request, "result": "refused"}
            self.sent[subject] = "".join(secrets.choice(LETTERS) for _ in range(8))
            return {"request": request, "result": "sent"}
        if not secrets.compare_digest(self.sent.get(subject, ""), asked["code"]):
            return {"request": request, "result": "wrong"}
        del self.sent[subject]
        now = int(time.time())
        told = "somebody else" if self.fault == "other-subject" else subject
        text = f"visage/otp/1\nservice: {self.name}\nsubject: {told}\nnonce: {asked['nonce']}\nissued: {now}\nexpires: {now + 300}\n"
        assertion = self.signer.sign(text)
        if self.fault == "wrong-signature":
            assertion = assertion.replace(f"expires: {now + 300}", f"expires: {now + 301}")
        return {"request": request, "result": "right", "assertion": assertion}
