"""What the bank does with a face: annex B of T/IIFAA 3001.1-2021, as steps that a customer goes through.

The bank decides nothing about a face. It opens a session for one call, shows the factors that it gathered, gives the person
the link of the capture page, and reads the session's end.
"""
import dataclasses
import secrets
import threading

from face import Refused

WEB, APP = "bank-web", "bank-app"
TRIES = 3


@dataclasses.dataclass
class Kind:
    title: str
    purpose: str
    scenario: str
    steps: tuple  # of code, identity, face, password: in this order
    again: bool = False  # a failed face is tried again, from the first step


KINDS = {
    "open": Kind("Open an account", "register", "remote_opening", ("code", "identity", "face")),  # B.1
    "card": Kind("Bind a card", "verify", "card_business", ("code", "face"), again=True),  # B.2
    "pay": Kind("Confirm a payment", "verify", "login", ("face",), again=True),  # B.3
    "change": Kind("Change my face", "replace_reference", "default", ("code", "face")),
    "secret": Kind("Choose a password", "enrol_factor", "default", ("code", "password")),
    "cancel": Kind("Cancel face verification", "cancel", "default", ("code", "password")),
}


@dataclasses.dataclass
class Customer:
    """One browser's customer; a bank has a database for this."""
    subject: str = dataclasses.field(default_factory=lambda: "customer-" + secrets.token_hex(6))
    name: str = ""
    fields: dict = dataclasses.field(default_factory=dict)  # of the identity document, until the account is open
    photo: bytes = b""
    registered: bool = False
    has_password: bool = False
    cards: int = 0
    running: "Operation" = None
    message: str = ""
    lock: threading.RLock = dataclasses.field(default_factory=threading.RLock)  # a second press waits for the first


@dataclasses.dataclass
class Operation:
    kind: str
    handed_over: bool = False  # to the customer's phone
    tries: int = 0
    steps: list = dataclasses.field(default_factory=list)  # that are left
    opened: dict = dataclasses.field(default_factory=dict)  # the session

    @property
    def link(self):
        return self.opened.get("capture_link")


class Flows:
    def __init__(self, face, authority, notice):
        self.face, self.authority, self.notice = face, authority, notice

    def start(self, customer, kind, handed_over=False, tries=0):
        chosen = KINDS[kind]
        running = Operation(kind, handed_over, tries, list(chosen.steps))
        page = {"capture_page": {"notice": self.notice}} if "face" in chosen.steps else {}
        crossing = {"context": {"finish_channel": APP}} if handed_over else {}
        running.opened = self.face.open_session(customer.subject, chosen.purpose, scenario=chosen.scenario, channel=WEB, **page, **crossing)
        customer.running = running
        if running.opened["session"] is None:
            self.end(customer, "This is not possible now.")
        else:
            self.enter(customer)

    def end(self, customer, message):
        customer.running, customer.message = None, message

    def stop(self, customer):
        self.face.close_session(customer.running.opened["session"])
        self.end(customer, "Stopped.")

    def enter(self, customer):
        """What a step does before it asks the customer for anything."""
        running = customer.running
        if not running.steps:
            try:
                self.finish(customer)
            except Refused:
                self.end(customer, "")
                raise
        elif running.steps[0] == "code" and not self.face.send_code(running.opened, customer.subject):
            self.end(customer, "No code could be sent.")
        elif running.steps[0] == "identity":
            self.check_identity(customer)

    def leave(self, customer):
        customer.running.steps.pop(0)
        customer.message = ""
        self.enter(customer)

    def check_identity(self, customer):
        """The authority's word. Its photo, or the customer's own, is then compared with the face that is captured."""
        try:
            answer = self.face.id_photo(customer.running.opened, customer.subject, self.authority, customer.fields, customer.photo)
        except Refused as refused:
            if refused.status >= 500:  # neither yes nor no
                customer.message = "The authority gives no answer that counts. Try again in a moment."
                return
            self.end(customer, "The photo of your document cannot be used. Take another one.")
            return
        if answer["identity"] == "vouched" and answer["photo"]:
            customer.fields, customer.photo = {}, b""
            self.leave(customer)
        else:
            self.end(customer, "Your identity was not confirmed.")

    def take_code(self, customer, code):
        outcome = self.face.check_code(customer.running.opened, customer.subject, code)
        self.after_factor(customer, outcome, "That code is not right.")

    def take_password(self, customer, password):
        running = customer.running
        if running.kind == "secret":
            outcome = self.face.enrol(running.opened, customer.subject, "password", password, channel=WEB)
            self.after_factor(customer, outcome, "Choose another password.")
        else:
            outcome = self.face.present(running.opened, "password", password)
            self.after_factor(customer, outcome, "That password is not right.")

    def after_factor(self, customer, outcome, wrong):
        if outcome["decision"] == "accept":
            self.leave(customer)
        elif outcome["reason"] == "LOCKED":
            self.end(customer, "Too many wrong tries. Come to the counter.")
        else:
            customer.message = wrong

    def look(self, customer):
        """Has the capture page come to an end?"""
        session = self.face.session(customer.running.opened["session"])
        if session["state"] == "SUCCEEDED":
            self.leave(customer)
        elif session["state"] == "EXPIRED":
            self.end(customer, "The time was over.")
        elif session["state"] == "FAILED" and session["decision"] is None:  # nothing was compared: the customer does not want to
            self.end(customer, "Stopped.")
        elif session["state"] == "FAILED":
            self.after_failure(customer)

    def after_failure(self, customer):
        running = customer.running
        if KINDS[running.kind].again and running.tries + 1 < TRIES:
            # A session serves one call, so the factors are shown anew: binding a card goes back to the code. [B.2]
            self.start(customer, running.kind, running.handed_over, running.tries + 1)
            if customer.running:
                customer.message = "You were not recognised. Once more."
        else:
            self.end(customer, "You were not recognised. Come to the counter.")

    def finish(self, customer):
        kind = customer.running.kind
        words = {"open": "Your account is open.", "card": "Your card is bound.", "pay": "Paid.", "change": "Your face was changed.",
                 "secret": "Your password is set.", "cancel": "Your face and all that belongs to it are deleted."}[kind]
        if kind == "cancel":
            outcome = self.face.cancel(customer.running.opened, customer.subject, channel=WEB)
            if outcome["decision"] != "accept":
                self.end(customer, "It was not cancelled: " + outcome["reason"])
                return
        customer.registered = kind != "cancel"
        customer.has_password = customer.has_password or kind == "secret"
        customer.cards += kind == "card"
        self.end(customer, words)
