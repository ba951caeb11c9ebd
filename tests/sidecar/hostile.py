"""Pictures that somebody made to do harm: files that are two things, files that cost far more than they weigh."""
import io
import struct
import zipfile
import zlib

MAGICS = {"GIF": b"GIF89a\x01\x00\x01\x00\x00\x00\x00;", "BMP": b"BM" + bytes(60), "TIFF": b"II*\0" + bytes(60),
          "TIFF, big-endian": b"MM\0*" + bytes(60), "HEIC": b"\0\0\0\x18ftypheic" + bytes(60),
          "AVIF": b"\0\0\0\x18ftypavif" + bytes(60), "JPEG 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60),
          "JPEG XL": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(60), "EXR": b"v/1\x01" + bytes(60), "PNM": b"P6 1 1 255\n\0\0\0",
          "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"/>', "HTML": b"<!DOCTYPE html><script>alert(1)</script>",
          "PDF": b"%PDF-1.4\n", "ZIP": b"PK\3\4" + bytes(60), "ELF": b"\x7fELF" + bytes(60), "WAVE": b"RIFF\x24\0\0\0WAVE" + bytes(60),
          "text": b"hello", "one byte": b"\xff", "zeros": bytes(1000)}


def archive():
    """A ZIP archive: found from its end, so it may follow a picture."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("index.html", "<script>alert(1)</script>" * 100)
    return file.getvalue()


def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def with_comment(jpeg, data):
    """Right after the start of the image."""
    return jpeg[:2] + segment(0xFE, data) + jpeg[2:]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, *chunks, depth=8, colour=0, interlaced=0):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + chunk(b"IEND", b"")


def zeros(size):
    """zlib's form of that many zeros, a thousandth of the size."""
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    return b"".join([packer.compress(block) for _ in range(size >> 20)] + [packer.flush()])


def rows(width, height):
    return zlib.compress(bytes((width + 1) * height), 9)


def jpeg_of_scans(side):
    """A grey progressive JPEG by the book, in as many scans as there can be: one a coefficient and bit. In each the decoder
    goes over all blocks to learn that there is nothing (LJT-01-004)."""
    blocks = ((side + 7) // 8) ** 2
    nothing = "".join("0" + "1" * 14 for _ in range(0, blocks, 32767))  # EOB14: the next 32767 blocks are empty
    nothing += "1" * (-len(nothing) % 8)
    data = int(nothing, 2).to_bytes(len(nothing) // 8, "big").replace(b"\xff", b"\xff\0")

    def scan(coefficient, high, low):
        return segment(0xDA, bytes([1, 1, 0, coefficient, coefficient, high << 4 | low]))

    codes = bytes([1] + [0] * 15)  # one code, of one bit
    return (b"\xff\xd8" + segment(0xDB, b"\0" + b"\1" * 64) +
            segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\1\x11\0") +
            segment(0xC4, b"\0" + codes + b"\0") + segment(0xC4, b"\x10" + codes + b"\xe0") +
            scan(0, 0, 0) + bytes((blocks + 7) // 8) +
            b"".join(scan(k, 0 if low == 13 else low + 1, low) + data for k in range(1, 64) for low in range(13, -1, -1)) +
            b"\xff\xd9")


def jpeg_of_size(width, height):
    """A frame header that promises, and next to nothing behind it."""
    return (b"\xff\xd8" + segment(0xDB, b"\x00" + b"\x01" * 64) +
            segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00") +
            segment(0xC4, b"\x00" + bytes([0, 1] + [0] * 14) + b"\x00") + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") +
            b"\x00\xff\xd9")


def webp_of_size(width, height):
    """Lossless WebP whose header promises that many pixels."""
    bits = (width - 1) | (height - 1) << 14
    data = b"\x2f" + struct.pack("<I", bits) + bytes(11)
    return b"RIFF" + struct.pack("<I", 4 + 8 + len(data)) + b"WEBPVP8L" + struct.pack("<I", len(data)) + data


def bombs():
    """name → file. Each is small, and each would cost gigabytes or minutes."""
    return {
        "10,000 × 10,000 pixels": png(10000, 10000, chunk(b"IDAT", zeros(96 << 20))),
        "2³¹ − 1 pixels wide": png(0x7FFFFFFF, 0x7FFFFFFF, chunk(b"IDAT", rows(64, 64))),
        "more rows than it says": png(64, 64, chunk(b"IDAT", zeros(64 << 20))),
        "a colour profile of 256 MB": png(64, 64, chunk(b"iCCP", b"x\0\0" + zeros(256 << 20)), chunk(b"IDAT", rows(64, 64))),
        "a compressed text of 256 MB": png(64, 64, chunk(b"zTXt", b"x\0\0" + zeros(256 << 20)), chunk(b"IDAT", rows(64, 64))),
        "100,000 texts": png(64, 64, *[chunk(b"tEXt", b"a\0b")] * 100000, chunk(b"IDAT", rows(64, 64))),
        "100,000 empty pieces": png(64, 64, *[chunk(b"IDAT", b"")] * 100000, chunk(b"IDAT", rows(64, 64))),
        "65,535 × 65,535 in a JPEG": jpeg_of_size(65535, 65535),
        "4,900 × 4,900 of nothing": jpeg_of_size(4900, 4900),
        "883 scans": jpeg_of_scans(4900),
        "16,384 × 16,384 in a WebP": webp_of_size(16384, 16384),
        "4,900 × 4,900 in a WebP": webp_of_size(4900, 4900),
        "100,000 comments": b"\xff\xd8" + segment(0xFE, b"x") * 100000 + b"\xff\xd9",
        "fill bytes alone": b"\xff\xd8" + b"\xff" * 1000000,
    }
