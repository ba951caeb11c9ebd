"""Pictures: the portraits that set-up fetched, and hostile ones made here."""
import os
import struct
import subprocess
import zlib

from .cluster import BASE

PORTRAITS = os.path.join(BASE, "models/portraits")


def portrait(name):
    """portrait("men/3") → the JPEG's bytes."""
    with open(os.path.join(PORTRAITS, f"{name}.jpg"), "rb") as file:
        return file.read()


def all_portraits():
    """Every name, in the order of their numbers."""
    names = [f"{group}/{os.path.splitext(file)[0]}" for group in ("men", "women")
             for file in os.listdir(os.path.join(PORTRAITS, group)) if file.endswith(".jpg")]
    return sorted(names, key=lambda name: (name.split("/")[0], int(name.split("/")[1])))


def side_by_side(left, right, directory):
    """One JPEG with both faces."""
    out = os.path.join(directory, "two.jpg")
    subprocess.run([os.path.join(BASE, "build/side_by_side"), os.path.join(PORTRAITS, left + ".jpg"),
                    os.path.join(PORTRAITS, right + ".jpg"), out], check=True)
    with open(out, "rb") as file:
        return file.read()


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, compressed, bits=8):
    """Grey, from rows that each begin with a filter's number."""
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", compressed) + _chunk(b"IEND", b"")


def depth_png(width, height, depth_of):
    """A depth map: 16-bit grey, by a function of the place."""
    rows = b"".join(b"\0" + b"".join(struct.pack(">H", depth_of(x, y)) for x in range(width)) for y in range(height))
    return png(width, height, zlib.compress(rows), bits=16)


def faceless():
    """640×480 of smooth grey."""
    rows = b"".join(b"\0" + bytes((x // 4 + y // 4) % 256 for x in range(640)) for y in range(480))
    return png(640, 480, zlib.compress(rows))


def bomb(side=10000):
    """side×side pixels (100 megapixels) in a file of about 100 kB."""
    packer = zlib.compressobj(9)
    row = b"\0" * (side + 1)
    return png(side, side, b"".join([packer.compress(row) for _ in range(side)] + [packer.flush()]))
