#!/usr/bin/env python3
"""The report's page in a real browser: wide, narrow, dark and on paper. [6.6i]

  tests/browser/report.py [page.html ...]

Without pages it starts a server, makes a few calls and takes the page of those. Needs a Chromium without a window
(package chromium-headless-shell). A browser that does not start is a failure, and its own words say why. Ends with
"N passed, N failed".
"""
import contextlib
import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
LIMIT_S = 120

CALLS = """
CREATE FUNCTION face(person text, picture int) RETURNS real[] LANGUAGE sql AS $$
  SELECT array_agg((hashtext(person || i) + 0.5 * hashtext(person || i || '/' || picture))::real ORDER BY i)
  FROM generate_series(1, 128) i $$;
CREATE FUNCTION probe(person text, picture int) RETURNS visage.probe LANGUAGE sql AS $$
  SELECT visage.seal_probe(face(person, picture), 'sdk/1', 0.97, 'sdk') $$;
INSERT INTO visage.channel (institution, name, target_fmr)
  VALUES (1, 'branch', 1e-4), (1, '<script>document.title = "hacked"</script>', 1e-4);
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at)
  VALUES ('sdk/1', 'RFR-1/1024', 1e-4, 0.5, 'made up', '2026-01-01');
SELECT visage.add_capture_source('sdk') IS NOT NULL;
SELECT visage.register('p' || i, probe('p' || i, 1), 'branch') FROM generate_series(1, 5) i;
SELECT visage.verify('p' || i % 5 + 1, probe('p' || i % 4 + 1, i), c)
  FROM generate_series(2, 30) i, unnest(ARRAY['branch', '<script>document.title = "hacked"</script>']) c;
SELECT visage.verify('nobody', probe('nobody', 1));
"""


class BrowserFailed(Exception):
    """The browser did not do what it was started for; the text says what it said."""


def browse(browser, page, *options):
    """What the browser prints. It writes only below a directory of its own, which also is its home."""
    with tempfile.TemporaryDirectory(prefix="pg_visage_browser.", ignore_cleanup_errors=True) as profile:
        # No sandbox: it needs rights that root in a container lacks, and the page is our own. /dev/shm is small there.
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--disable-crash-reporter", "--no-first-run", f"--user-data-dir={profile}", *options, page]
        places = {name: profile for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "TMPDIR")}
        # A session of its own, so that its helpers end with it.
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, errors="replace", env={**os.environ, **places}, start_new_session=True)
        try:
            out, words = process.communicate(timeout=LIMIT_S)
            ended = f"ended with {process.returncode}"
        except subprocess.TimeoutExpired:
            process.kill()
            ended = f"did not end within {LIMIT_S} s"
            out, words = "", ""
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        if process.returncode != 0:
            words = words or process.communicate()[1]
            raise BrowserFailed(f"{' '.join(command)}\n{ended}; its last words:\n{words[-2000:].strip() or '(none)'}")
        return out


def check_layout(browser, page, text, width, dark):
    # The page forbids scripts, so the copy that is measured lacks that line.
    script = open(os.path.join(HERE, "measure.js"), encoding="utf-8").read()
    copy = re.sub(r"<meta http-equiv[^>]*/>", "", text).replace("</body>", f"<script>{script}</script></body>")
    with open(page + ".measured.html", "w", encoding="utf-8") as file:
        file.write(copy)
    dom = browse(browser, f"file://{page}.measured.html", f"--window-size={width},1200", "--dump-dom",
                 f"--blink-settings=preferredColorScheme={0 if dark else 1}")
    found = re.search(r'<pre id="told">(.*?)</pre>', dom, re.S)
    if found is None:
        return ["measure.js did not finish"]
    told = json.loads(html.unescape(found.group(1)))
    faults = told["faults"]
    if told["charts"] < 4:
        faults.append(f"{told['charts']} charts where 4 are expected")
    if told["dark"] != dark:
        faults.append("the colours are not those that the reader asked for")
    return faults


def check_paper(browser, page):
    browse(browser, f"file://{page}", f"--print-to-pdf={page}.pdf", "--no-pdf-header-footer")
    with open(page + ".pdf", "rb") as file:
        pdf = file.read()
    sizes = {tuple(round(float(v)) for v in box.split()) for box in re.findall(rb"/MediaBox \[([^\]]*)\]", pdf)}
    pages = len(re.findall(rb"/Type /Page\b", pdf))
    return ([] if sizes == {(0, 0, 595, 842)} else [f"not A4: {sizes}"]) + ([] if 1 <= pages <= 12 else [f"{pages} pages"])


def check_harmless(browser, page):
    title = re.search(r"<title>(.*?)</title>", browse(browser, f"file://{page}", "--dump-dom"), re.S).group(1)
    return [] if title.startswith("Face verification, ") else [f"its title became {title!r}"]


def check(browser, source, stage):
    page = os.path.join(stage, "page.html")
    shutil.copyfile(source, page)
    text = open(page, encoding="utf-8").read()
    results = {"wide": check_layout(browser, page, text, 1200, False), "narrow": check_layout(browser, page, text, 380, False),
               "dark": check_layout(browser, page, text, 1200, True), "on paper": check_paper(browser, page),
               "runs nothing": check_harmless(browser, page)}
    for name, faults in results.items():
        print(f"{'not ok' if faults else 'ok'} - {os.path.basename(source)}: {name}")
        for fault in faults:
            print(f"#   {fault}")
    return [not faults for faults in results.values()]


def make_page(stage):
    sys.path.insert(0, os.path.join(HERE, "..", "..", "tools"))
    from rig.cluster import Cluster
    with Cluster() as cluster:
        cluster.psql("CREATE EXTENSION pg_visage CASCADE")
        cluster.psql(CALLS)
        page = os.path.join(stage, "made.html")
        with open(page, "w", encoding="utf-8") as file:
            file.write(cluster.value("SELECT visage.report_html()"))
    return page


def main():
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print(f"no browser: install one of {', '.join(BROWSERS)}\n0 passed, 1 failed")
        return 1
    try:
        browse(browser, "about:blank", "--dump-dom")
        with tempfile.TemporaryDirectory(prefix="pg_visage_pages.") as stage:
            passed = [ok for page in sys.argv[1:] or [make_page(stage)] for ok in check(browser, page, stage)]
    except BrowserFailed as error:
        print(f"the browser failed: {error}\n0 passed, 1 failed")
        return 1
    print(f"{passed.count(True)} passed, {passed.count(False)} failed")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
