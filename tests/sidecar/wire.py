"""Raw sockets, for callers that no HTTP library would be."""
import json
import socket
import time
import urllib.parse

from fixture import LIMIT_S


class Wire:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=LIMIT_S)
        self.began = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False when the other side has hung up."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def drip(self, data, interval, stop_after):
        """One byte each interval, until answered or hung up on."""
        self.socket.settimeout(interval)
        for byte in data:
            if time.monotonic() - self.began > stop_after or not self.send(bytes([byte])):
                break
            try:
                return self.socket.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                break
        return b""

    def answer(self, already=b""):
        """(status, problem or None, seconds since the connection was made); status 0 for none."""
        self.socket.settimeout(LIMIT_S)
        data = already
        try:
            while b"\r\n\r\n" not in data or len(data.split(b"\r\n\r\n", 1)[1]) < self._length(data):
                more = self.socket.recv(65536)
                if not more:
                    break
                data += more
        except OSError:
            pass
        seconds = time.monotonic() - self.began
        if not data:
            return 0, None, seconds
        head, _, body = data.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body) if body.startswith(b"{") else None, seconds

    @staticmethod
    def _length(data):
        for line in data.split(b"\r\n\r\n", 1)[0].lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return int(line.split(b":")[1])
        return 0


def post_head(token, length, path="/v1/verifications", extra=""):
    return (f"POST {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n"
            f"Content-Type: application/json\r\n{extra}\r\n").encode()
