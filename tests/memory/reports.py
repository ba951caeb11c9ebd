#!/usr/bin/python3
"""Reads valgrind's logs and prints what counts: reports.py LOG …

Every error counts, whoever's code it is in: PostgreSQL's own are in postgresql.supp. A loss counts when our shared
object is on its stack; what the server loses at its exit is its own business."""
import pathlib
import re
import sys

# Frames of our object are named by its functions, or by its sources where they are known.
OURS = re.compile(r"pg_visage\.so\)|visage::|\bvisage_\w+ \(|\.cpp:\d+\)")
LOSS = re.compile(r"bytes? in [\d,]+ blocks? (is|are) definitely lost")


def blocks(log):
    """Reports are runs of lines that begin with ==pid==, with empty ones between them."""
    block = []
    for line in log.read_text(errors="replace").splitlines():
        text = re.sub(r"^==\d+== ?", "", line)
        if text.strip():
            block.append(text)
        elif block:
            yield block
            block = []
    if block:
        yield block


def main():
    logs = [pathlib.Path(name) for name in sys.argv[1:] if pathlib.Path(name).is_file()]
    if len(logs) < 3:
        sys.exit("memory: the server was not under valgrind: there are no logs of it")
    faults = {}
    for log in logs:
        for block in blocks(log):
            text = "\n".join(block)
            stack = [line for line in block if re.match(r" +(at|by) 0x", line)]
            if not stack or (LOSS.search(text) and not OURS.search(text)):
                continue
            # The same fault in another process, or of another size, is the same fault.
            faults.setdefault(re.sub(r"0x[0-9A-F]+", "", "\n".join(stack)), text)
    for text in faults.values():
        print(text, end="\n\n")
    print(f"memory: {len(faults)} faults in {len(logs)} processes")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
