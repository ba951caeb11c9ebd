"""What another process has in its memory: for tests that look for what must not be there. Needs root."""
import base64

PAGE = 4096
EMPTY = bytes(PAGE)


def writable(pid):
    """(start address, bytes) of each run of pages that were ever written: a process maps far more than it touches."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            start, end = (int(edge, 16) for edge in span.split("-"))
            if "w" not in rights or "[v" in line or end - start > 1 << 30:  # the kernel's; a sanitizer's shadow
                continue
            try:
                memory.seek(start)
                data = memory.read(end - start)
            except (OSError, ValueError, OverflowError):
                continue
            begin = None
            for at in range(0, len(data) + PAGE, PAGE):
                empty = at >= len(data) or data[at:at + PAGE] == EMPTY
                if empty and begin is not None:
                    yield start + begin, data[begin:at]
                    begin = None
                elif not empty and begin is None:
                    begin = at


def search(pid, needles):
    """Where the needles (a dictionary: what it is → bytes) are found: a list of "what @ address: what is around it"."""
    found = []
    for start, data in writable(pid):
        for what, needle in needles.items():
            at = data.find(needle)
            while at >= 0:
                found.append(f"{what} @ {start + at:#x}: {data[max(0, at - 16):at + len(needle) + 16]!r}")
                at = data.find(needle, at + 1)
    return found


def pieces(picture, count):
    """Slices that occur in no other file: a leak of any part of the picture holds some of them."""
    step = max(1, len(picture) // count)
    return [picture[at:at + 24] for at in range(200, len(picture) - 24, step)]


def needles(picture, count=16):
    """As it was sent, in both encodings; a name says which and where."""
    found = {f"raw {at}": piece for at, piece in enumerate(pieces(picture, count))}
    return found | {f"base64 {at}": piece for at, piece in enumerate(pieces(base64.b64encode(picture), count))}
