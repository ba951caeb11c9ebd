"""visaged's public HTTP API, as far as a bank needs it (docs/http-api.md)."""
import base64
import contextlib
import http.client
import json
import urllib.parse


class Refused(Exception):
    """A problem document (RFC 9457): nothing was decided. `code` is for programs, the text for the log."""

    def __init__(self, status, problem):
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')}")
        self.status, self.code, self.reason = status, problem.get("code"), problem.get("reason")


class Face:
    def __init__(self, url, token, timeout=30):
        self.parts, self.token, self.timeout = urllib.parse.urlsplit(url), token, timeout

    def connect(self):
        kind = http.client.HTTPSConnection if self.parts.scheme == "https" else http.client.HTTPConnection
        return contextlib.closing(kind(self.parts.netloc, timeout=self.timeout))

    def call(self, method, path, document=None):
        """The answer's JSON. Bytes travel as base64."""
        headers = {"Authorization": f"Bearer {self.token}"}
        body = None
        if document is not None:
            plain = {name: base64.b64encode(value).decode() if isinstance(value, bytes) else value for name, value in document.items()}
            body, headers["Content-Type"] = json.dumps(plain).encode(), "application/json"
        with self.connect() as connection:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            data = json.loads(answer.read())
        if answer.status >= 400:
            raise Refused(answer.status, data)
        return data

    def open_session(self, subject, purpose, **more):
        return self.call("POST", "/v1/sessions", {"subject": subject, "purpose": purpose, **more})

    def session(self, session):
        return self.call("GET", f"/v1/sessions/{session}")

    def wait(self, session):
        """Until the session is over, which the service tells by itself. False where the stream of its events ended before."""
        with self.connect() as connection:
            connection.request("GET", f"/v1/sessions/{session}/events", headers={"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            if answer.status >= 400:
                raise Refused(answer.status, json.loads(answer.read()))
            return any(line.startswith(b"data: ") and json.loads(line[6:])["state"] not in ("CREATED", "IN_PROGRESS") for line in answer)

    def close_session(self, session):
        return self.call("DELETE", f"/v1/sessions/{session}")

    def send_code(self, opened, subject):
        return self.call("POST", f"/v1/sessions/{opened['session']}/codes", {"subject": subject, "nonce": opened["nonce"]})["sent"]

    def check_code(self, opened, subject, code):
        return self.call("POST", f"/v1/sessions/{opened['session']}/codes/check",
                         {"subject": subject, "nonce": opened["nonce"], "code": code})

    def present(self, opened, kind, evidence):
        return self.call("POST", f"/v1/sessions/{opened['session']}/factors", {"kind": kind, "evidence": evidence})

    def id_photo(self, opened, subject, authority, fields, document=None):
        uploaded = {"document": document} if document else {}
        return self.call("POST", "/v1/id-photos",
                         {"session": opened["session"], "subject": subject, "authority": authority, "fields": fields, **uploaded})

    def enrol(self, opened, subject, kind, secret, **more):
        path = f"/v1/registrations/{urllib.parse.quote(subject, safe='')}/factors"
        return self.call("POST", path, {"kind": kind, "secret": secret, "session": opened["session"], **more})

    def cancel(self, opened, subject, **more):
        query = urllib.parse.urlencode({"session": opened["session"], **more})
        return self.call("DELETE", f"/v1/registrations/{urllib.parse.quote(subject, safe='')}?{query}")
