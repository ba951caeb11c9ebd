"""The calls that a capture page makes, and links to open it by."""
from fixture import CHANNEL
from rig.client import Client

PAGE = {"capture_page": {}}


class PageCalls:
    """For a test with `client` and `daemon`."""

    def browser(self, daemon=None):
        client = Client((daemon or self.daemon).pages)
        self.addCleanup(client.close)
        return client

    def link(self, subject="paged", purpose="verify", channel=CHANNEL, **more):
        """(session as it was opened, token of its link)."""
        reply = self.client.open_session(subject, purpose, channel=channel, **{**PAGE, **more})
        self.assertEqual(201, reply.status, reply.body)
        address, token = reply.json["capture_link"].split("#")
        self.assertEqual(self.daemon.pages + "/capture", address)
        return reply.json, token

    @staticmethod
    def call(client, name, token, **parts):
        headers = {"Authorization": "Capture " + token} if token else {}
        return client.post(f"/capture/{name}", parts, headers) if parts else client.request("POST", f"/capture/{name}", b"", headers)

    def opened(self, **more):
        session, token = self.link(**more)
        client = self.browser()
        reply = self.call(client, "open", token)
        self.assertEqual(200, reply.status, reply.body)
        return session, client, reply.json
