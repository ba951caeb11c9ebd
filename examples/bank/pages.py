"""The bank's pages: plain HTML, and one line of script."""
import html

from flows import KINDS

STYLE = """
:root { color-scheme: light dark; font: 1.05rem/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 34rem; padding: 1.5rem 1rem; }
label { display: block; margin: .8rem 0 .2rem; }
input:not([type=checkbox]) { box-sizing: border-box; font: inherit; padding: .5rem; width: 100%; }
button, .button { background: #0b5; border: 0; border-radius: .4rem; color: #000; display: inline-block; font: inherit; margin: .8rem .4rem 0 0;
  padding: .6rem 1.1rem; text-decoration: none; }
button.plain { background: #bbb; }
.message { border-left: .3rem solid #0b5; padding-left: .7rem; }
"""
# The one script: a page that shows nothing new stays as it is, with the keyboard's place on it.
WAIT = "fetch('/wait').then(() => location.reload(), () => {});"
POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


def page(title, body, waits=False):
    again = '<script src="/wait.js" defer></script><noscript><meta http-equiv="refresh" content="10"></noscript>' if waits else ""
    return (f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">{again}'
            f'<title>{html.escape(title)}</title><link rel="stylesheet" href="/style.css"><h1>{html.escape(title)}</h1>{body}</html>')


def form(action, inside, button, upload=False):
    kind = ' enctype="multipart/form-data"' if upload else ""
    return f'<form method="post" action="{action}"{kind}>{inside}<button>{button}</button></form>'


def field(name, label, kind="text", more=""):
    return f'<label for="{name}">{label}</label><input id="{name}" name="{name}" type="{kind}" required {more}>'


def home(customer):
    message = f'<p class="message" role="status">{html.escape(customer.message)}</p>' if customer.message else ""
    if not customer.registered:
        inside = (field("name", "Name") + field("id_number", "Number of your identity document", more='autocomplete="off"')
                  + field("photo", "Photo of its front", "file", 'accept="image/jpeg,image/png"') + phone())
        return page("Example bank", message + "<h2>Open an account</h2>" + form("/open", inside, "Continue", upload=True))
    kinds = ["card", "pay", "change", "cancel" if customer.has_password else "secret"]
    offers = "".join(form("/start", f'<input type="hidden" name="kind" value="{kind}">' + (phone(kind) if "face" in KINDS[kind].steps else ""),
                          KINDS[kind].title) for kind in kinds)
    return page("Example bank", f"{message}<p>Welcome, {html.escape(customer.name)}. Cards: {customer.cards}.</p>{offers}")


def phone(kind="open"):
    return f'<label><input type="checkbox" name="phone" value="yes" id="phone-{kind}"> capture with my phone</label>'


def step(customer):
    running = customer.running
    title, now = KINDS[running.kind].title, running.steps[0]
    message = f'<p class="message" role="status">{html.escape(customer.message)}</p>' if customer.message else ""
    stop = '<form method="post" action="/stop"><button class="plain">Stop</button></form>'
    if now == "code":
        return page(title, message + "<p>We sent a code to your phone.</p>" + form(
            "/code", field("code", "Code", more='inputmode="numeric" autocomplete="one-time-code"'), "Continue") + stop)
    if now == "identity":
        return page(title, message + form("/identity", "", "Ask the authority again") + stop)
    if now == "password":
        least = ' minlength="8" autocomplete="new-password"' if running.kind == "secret" else ' autocomplete="current-password"'
        return page(title, message + form("/password", field("password", "Password", "password", least), "Continue") + stop)
    words = "It shows a code that your phone opens. " if running.handed_over else ""
    link = html.escape(running.link)
    body = f"""{message}<p>Now your face. The page opens in a window of its own, and once. {words}This page goes on by itself.</p>
        <a class="button" id="capture" href="{link}" target="_blank" rel="noopener noreferrer">Open the capture page</a>{stop}"""
    return page(title, body, waits=True)
