"""What the demo prints."""
import sys
import textwrap
import time


class Steps:
    """One line a step, with its time; a counter on terminals while it runs."""

    def __init__(self):
        self.live = sys.stdout.isatty()
        self.began = self.words = None

    def begin(self, words):
        self.words, self.began = words, time.monotonic()
        if self.live:
            print(f"  … {words}", end="", flush=True)

    def progress(self, done, total):
        if self.live:
            print(f"\r  … {self.words} {done}/{total}", end="", flush=True)

    def end(self, result=""):
        seconds = time.monotonic() - self.began
        clear = "\r\033[K" if self.live else ""
        print(f"{clear}  ✓ {self.words}{': ' + result if result else ''} ({seconds:.1f} s)", flush=True)


def title(text):
    print(f"\n{text}", flush=True)


def table(header, rows):
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    def line(cells):
        return "  " + "  ".join(cell.rjust(width) if cell.replace(".", "").isdigit() else cell.ljust(width)
                                for cell, width in zip(cells, widths)).rstrip()
    print(line(header))
    print("  " + "  ".join("-" * width for width in widths))
    for row in rows:
        print(line(row))
    sys.stdout.flush()


def paragraph(text):
    print(textwrap.indent(textwrap.dedent(text).strip("\n") if text.startswith("\n  ") else text, "  "), flush=True)


def percentile(values, share):
    """Nearest rank: the least value that at least this share of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)] if ordered else float("nan")
