"""An HTTP caller with a connection that stays open."""
import base64
import http.client
import json
import secrets
import time
import urllib.parse


def registration(subject):
    return "/v1/registrations/" + urllib.parse.quote(subject, safe="")


class Reply:
    def __init__(self, status, headers, body, milliseconds):
        self.status, self.headers, self.body, self.ms = status, headers, body, milliseconds
        kind = headers.get("Content-Type", "")
        self.json = json.loads(body) if "json" in kind and body else None

    @property
    def code(self):
        """The problem's code, or the outcome's reason."""
        return (self.json or {}).get("code") or (self.json or {}).get("reason")

    @property
    def decision(self):
        return (self.json or {}).get("decision")


def multipart(parts):
    """(body, content type). A part is text, bytes, or (filename, bytes)."""
    boundary = secrets.token_hex(16)
    chunks = []
    for name, value in parts.items() if isinstance(parts, dict) else parts:
        filename = ""
        if isinstance(value, tuple):
            filename, value = f'; filename="{value[0]}"', value[1]
        elif isinstance(value, bytes):
            filename = '; filename="picture"'
        data = value if isinstance(value, bytes) else str(value).encode()
        chunks.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'.encode())
        chunks += [data, b"\r\n"]
    return b"".join(chunks) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


class Client:
    def __init__(self, url, token=None, context=None, timeout=180):
        self.parts = urllib.parse.urlsplit(url)
        self.token, self.context, self.timeout = token, context, timeout
        self.connection = None

    def _connect(self):
        if self.parts.scheme == "https":
            return http.client.HTTPSConnection(self.parts.netloc, context=self.context, timeout=self.timeout)
        return http.client.HTTPConnection(self.parts.netloc, timeout=self.timeout)

    def request(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        started = time.perf_counter()
        for last in (False, True):
            fresh = self.connection is None
            if fresh:
                self.connection = self._connect()
            try:
                self.connection.request(method, path, body=body, headers=headers)
                answer = self.connection.getresponse()
                data = answer.read()
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # The server may close a connection that was idle; only then is it safe to send again.
                self.close()
                if last or fresh:
                    raise
        reply = Reply(answer.status, answer.headers, data, (time.perf_counter() - started) * 1000)
        if answer.will_close:
            self.close()
        return reply

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def post(self, path, parts, headers=None):
        body, kind = multipart(parts)
        return self.request("POST", path, body, {"Content-Type": kind, **(headers or {})})

    def post_json(self, path, document):
        """bytes become base64."""
        return self.send_json("POST", path, document)

    def send_json(self, method, path, document):
        plain = {name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
                 for name, value in document.items()}
        return self.request(method, path, json.dumps(plain).encode(), {"Content-Type": "application/json"})

    def register(self, subject, image, **more):
        return self.post("/v1/registrations", {"subject": subject, "image": image, **more})

    def verify(self, subject, image, **more):
        return self.post("/v1/verifications", {"subject": subject, "image": image, **more})

    def compare(self, image, document, **more):
        return self.post("/v1/comparisons", {"image": image, "document": document, **more})

    def delete(self, path, **query):
        """A context may be a dictionary."""
        plain = {name: json.dumps(value) if isinstance(value, dict) else value for name, value in query.items()}
        return self.request("DELETE", path + ("?" + urllib.parse.urlencode(plain) if plain else ""))

    def cancel(self, subject, **query):
        return self.delete(registration(subject), **query)

    def open_session(self, subject, purpose, **more):
        named = {} if subject is None else {"subject": subject}
        return self.post_json("/v1/sessions", {**named, "purpose": purpose, **more})

    def present(self, session, kind, **shown):
        return self.post_json(f"/v1/sessions/{session}/factors", {"kind": kind, **shown})
