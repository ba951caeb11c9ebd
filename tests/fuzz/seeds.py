#!/usr/bin/python3
"""Writes the seeds of the fuzz targets, made from the known-answer vectors: seeds.py FOLDER."""
import pathlib
import struct
import sys

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"


def values(file, name):
    for line in (VECTORS / file).read_text().splitlines():
        key, _, value = line.partition(" = ")
        if key == name:
            yield value


def contents(dimension, liveness, quality):
    """A probe's contents as they are before they are sealed."""
    feature = struct.pack("<f", dimension ** -0.5) * dimension
    parts = [feature, b"model/1", bytes(32), struct.pack("<Bf", 2, 0.5) * liveness, struct.pack("<BBf", 82, 255, 90) * quality]
    return b"".join(struct.pack("<HHI", tag, 0, len(part)) + part for tag, part in enumerate(parts, 1))


def seeds():
    key = "".join(f"{i:02x}" for i in range(32))
    return {
        "probe": [bytes.fromhex(v) for v in values("probe-1.txt", "envelope")],
        "probe_contents": [contents(*shape) for shape in ((64, 0, 0), (65, 1, 1), (128, 2, 3), (512, 16, 64), (2048, 1, 0))],
        "reference": [bytes.fromhex(v) for v in values("reference-1.txt", "envelope")],
        "wrapped_key": [bytes.fromhex(v) for v in values("wrapped_key-1.txt", "wrapped")],
        "source_key": [v.encode() for v in values("source_key-1.txt", "text")],
        "text_form": [v.encode() for v in values("text-1.txt", "text")],
        "roots": [text.encode() for text in (f"1 {key}\n", f"# keys\r\n2\t{key}{key}\r\n\r\n 7  {key.upper()} \n", f"1 {key}\n1 {key}",
                                             f"1 {key[:-1]}", "1 " + 64 * "0", "", "# none\n")],
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    for target, inputs in seeds().items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(inputs):
            (folder / target / f"seed-{number}").write_bytes(data)


if __name__ == "__main__":
    main()
