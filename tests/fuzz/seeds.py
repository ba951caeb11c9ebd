#!/usr/bin/python3
"""Writes the seeds of the fuzz targets, made from the known-answer vectors and by hand: seeds.py FOLDER."""
import base64
import json
import pathlib
import struct
import sys
import zlib

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


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(colour, depth, row, extra=(), height=8, interlace=0):
    """A PNG of eight columns whose rows all have the bytes `row`; interlaced, of one pass's worth of zeros more."""
    data = (b"\0" + row) * height + bytes(64) * interlace
    header = struct.pack(">IIBBBBB", 8, height, depth, colour, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunk(*e) for e in extra)
            + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


def tiff(order, orientation, kind=3):
    return ({">": b"MM", "<": b"II"}[order] + struct.pack(order + "HIH", 42, 8, 1)
            + struct.pack(order + "HHIHHI", 0x0112, kind, 1, orientation, 0, 0))


def pngs():
    palette = (b"PLTE", bytes(range(12)))
    return [png(2, 8, bytes(range(24))), png(0, 1, b"\x55"), png(0, 16, bytes(range(16))), png(6, 8, bytes(range(32))),
            png(4, 16, bytes(32)), png(3, 2, b"\x1b\x1b", [palette, (b"tRNS", b"\0\x80")]), png(2, 8, bytes(24), interlace=1),
            png(0, 8, bytes(8), [(b"eXIf", tiff(">", 5)), (b"tEXt", b"Comment\0nothing"),
                                 (b"zTXt", b"Comment\0\0" + zlib.compress(bytes(4000)))])]


def depth_maps():
    """What the caller states (sides, millimetres a step, focal length), then the map."""
    def stated(width, height, unit=1.0, focal=0.0):
        return struct.pack("<hhff", width, height, unit, focal)
    grey16 = png(0, 16, bytes(range(16)))
    return [stated(0, 0) + grey16, stated(8, 8, 0.1, 500.0) + grey16, stated(9, 8) + grey16, stated(0, 0) + png(0, 16, bytes(16), interlace=1),
            stated(8, 6) + bytes(range(96)), stated(8, 7) + bytes(96), stated(-1, 4) + bytes(8), stated(0, 0) + png(2, 8, bytes(range(24))),
            stated(0, 0) + png(4, 16, bytes(32)), stated(8, 6, float("nan")) + bytes(96), stated(512, 32) + bytes(4)]


def multipart(*parts, boundary="b"):
    return "".join(f'--{boundary}\r\nContent-Disposition: form-data; name={name}\r\n{headers}\r\n{value}\r\n'
                   for name, headers, value in parts) + f"--{boundary}--\r\n"


def bodies():
    picture = base64.b64encode(b"\xff\xd8\xffpicture").decode()
    forms = "multipart/form-data; boundary=b\n"
    subject, image = ('"subject"', "", "alice"), ('"image"; filename="x"', "Content-Type: image/png\r\n", "picture")
    return [
        forms + multipart(subject, image),
        forms + multipart(subject, image, ("channel", "", ""), ('"context"', "", '{"a": [1, 2.5, null, "\\u00e9"]}')),
        forms + multipart(subject, subject, image),
        forms + multipart(subject, image, ('"context"', "", '{"a":' + "[" * 600 + "]" * 600 + "}")),
        'Multipart/Form-Data; charset=utf-8; Boundary="x y"\n' + multipart(subject, image, boundary="x y"),
        forms + multipart(('"subject"', "Content-Transfer-Encoding: base64\r\n", "alice"), image),
        "application/json\n" + f'{{"subject": "alice", "image": "{picture}"}}',
        "application/json; charset=utf-8\n" + f'{{"image":"{picture}","subject":"\\u00e9\\ud83d\\ude00","channel":"c",'
        '"context":{"a":[true,{"b":-1.5e3}]}}',
        'application/json\n{"subject":"a","subject":"b","image":"AA=="}',
        "application/json\n" + f'{{"subject":"a","image":"{picture}","secret":"q7\\"\\u0023x\\n"}}',
        forms + multipart(subject, image, ("secret", "", "-----BEGIN CERTIFICATE-----\r\nAA==")),
        "application/json\n" + "[" * 20 + "]" * 20,
        "text/plain\nhello",
    ]


def identities():
    """Statements of an authority, alone and in their answers; fields; and answers of a service of one-time codes."""
    lines = ["visage/identity/1", "authority: stand-in", "request: 00000000-0000-4000-8000-000000000000", f"nonce: {'0' * 64}",
             f"fields: {'a' * 64}", "answer: vouched", "vouched: id_number,name", f"photo: {'b' * 64}", "reference: 17",
             "issued: 1790000000", f"signature: {base64.b64encode(bytes(64)).decode()}"]
    text = "\n".join(lines)
    others = [text + "\n", text.replace("vouched: id_number,name", "vouched: ").replace("answer: vouched", "answer: denied"),
              text.replace("b" * 64, "none"), text.replace("id_number,name", "name,id_number"), text.replace("issued: 1", "issued: 01")]
    for statement in (text, *others):
        yield statement
        yield json.dumps({"statement": statement, "photo": base64.b64encode(b"photo").decode()})
    yield from ('{"id_number":"1","name":"\\u00e9 \\"x\\" \\\\"}', '{"request":"r","result":"sent"}', '{"request":"r","result":"refused"}',
                '{"request":"r","result":"right","assertion":"visage/otp/1"}', '{"request":"r","result":"wrong"}', '{"statement":17}')


def answers():
    """Each behind the size of the pieces that it comes in."""
    for head, body in (("200 OK\r\nContent-Length: 2", "{}"), ("200 OK", "{}"), ("500", ""), ("200 OK\r\nContent-Length: 2\r\nContent-Length: 3", "{}"),
                       ("200 OK\r\nTransfer-Encoding: chunked", "2\r\n{}\r\n0\r\n\r\n"), ("200 OK\r\ncontent-length:\t5 \r\nX-A: b", "{}"),
                       ("302 Found\r\nLocation: https://x/", ""), ("200 OK\r\n: x", ""), ("99 x", "")):
        for piece in (1, 255):
            yield bytes([piece]) + f"HTTP/1.1 {head}\r\n\r\n{body}".encode()


def frames():
    def header(kind, index, count, time, size=9, light=255):
        return struct.pack("<BBHHqH", kind, light, index, count, time, size)
    good = b"".join(header(1, i, 3, 1000 * (i + 1)) for i in range(3))
    return [b"\1" + good, b"\1" + good + header(2, 0, 1, 5000), b"\1" + good[::-1], b"\1" + header(2, 0, 1, 5) + good, b"\1" + good + good,
            b"\1" + header(1, 0, 1, -1, 0), b"\1", b"\0" + struct.pack("<I", 90) + b"VSF1" + bytes(86), b"\0" + b"\xff" * 8, b"\0"]


def wanted_pages():
    """A purpose, then what its page is wanted to be."""
    for purpose, part in (("verify", {}), ("register", {"notice": "face", "purposes": ["default", "payment"]}), ("cancel", {"factors": ["password", "face"]}),
                          ("verify", {"factors": ["face"]}), ("verify", {"factors": ["totp", "totp"]}), ("identify", {}), ("verify", {"purposes": ["x"]}),
                          ("verify", {"notice": "n" * 64}), ("verify", {"notice": 7}), ("verify", {"other": {}}), ("add_reference", {"notice": "f", "purposes": ["x"] * 33})):
        yield f"{purpose}\n{json.dumps(part)}".encode()
    yield from (b"verify\n[]", b"verify\n{", b"verify\n")


def tickets():
    fields = ["0192", "alice", "verify", "default", "mobile", "bank", "{}", "face", "07" * 32, "password", "face"]
    for change in (b"\0\0\0", b"\0\5\1", b"\xff\xff\x80"):
        yield b"\1" + change + b"\1\1" + "\n".join(fields).encode()
    yield from (b"\1\0\0\0\0\0", b"\0" + b"A" * 100, b"\0" + b"-_" * 40, b"\0+/==", b"\1\0\1\1\0\0" + bytes(range(256)))


def notes():
    """Notes that open, their texts, and what witnesses and extensions add."""
    for value in values("head-1.txt", "note"):
        note = bytes.fromhex(value)
        text = note[:note.index(b"\n\n") + 1]
        yield from (note, text)
    witness = "\u2014 witness.example/w " + base64.b64encode(bytes(76)).decode() + "\n"
    large = "\u2014 \u00e9.example " + base64.b64encode(bytes(400)).decode() + "\n"
    yield from (note + witness.encode(), note.replace(b"\n\n", ("\n\n" + large).encode()), text + b"extension\n", text + b"\n",
                text.replace(b"\n", b"\r\n"), text.replace(b"100", b"9223372036854775807"))


def seeds():
    key = "".join(f"{i:02x}" for i in range(32))
    return {
        "probe": [bytes.fromhex(v) for v in values("probe-1.txt", "envelope")],
        "probe_contents": [contents(*shape) for shape in ((64, 0, 0), (65, 1, 1), (128, 2, 3), (512, 16, 64), (2048, 1, 0))],
        "reference": [bytes.fromhex(v) for v in values("reference-1.txt", "envelope")],
        "wrapped_key": [bytes.fromhex(v) for v in values("wrapped_key-1.txt", "wrapped")],
        "source_key": [v.encode() for v in values("source_key-1.txt", "text")],
        "text_form": [v.encode() for v in values("text-1.txt", "text")],
        "note": list(notes()),
        "roots": [text.encode() for text in (f"1 {key}\n", f"# keys\r\n2\t{key}{key}\r\n\r\n 7  {key.upper()} \n", f"1 {key}\n1 {key}",
                                             f"1 {key[:-1]}", "1 " + 64 * "0", "", "# none\n")],
        "http_body": [text.encode() for text in bodies()],
        "http_base64": [b"", b"AA==", b"AAA=", b"AAAA", b"/+9=", b"AAB=", bytes(range(64)), base64.b64encode(bytes(range(100)))],
        "http_target": [b"/", b"/v1/registrations/a%2Fb?x=1", b"/v1//%C3%A9/%f0%9f%98%80", b"/%00", b"/a%ff", b"*", b"/%4", b"/~._-#f"],
        "http_callers": [f"# one a line\nsha256:{key}  bank\tregister,verify\r\n".encode(), b"certificate:* any *\n",
                         f"certificate:core core cancel\nsha256:{key.upper()} b compare\n".encode(), b"certificate: a *", b""],
        "http_trace": [f"00-{'0af7' * 8}-{'b7ad' * 4}-01{end}".encode() for end in ("", "-x", "0")] + [b"", b"ff-" + b"0" * 52, b"cc" + b"-" * 60],
        "http_frames": frames(),
        "page_wanted": list(wanted_pages()),
        "page_ticket": list(tickets()),
        "adapter_answer": list(answers()),
        "adapter_identity": [text.encode() for text in identities()],
        "adapter_url": [b"https://id.example/ask", b"https://[::1]:8443/a/b", b"https://10.0.0.1:443/", b"https://u@h/", b"http://h/", b"https://h/?q",
                        b"https://:1/", b"https://[::1/"],
        "image_header": [*pngs(), *(tiff(order, n, kind) for order, n, kind in ((">", 6, 3), ("<", 8, 3), (">", 9, 3), ("<", 3, 4)))],
        "image_decode": pngs(),
        "image_png": pngs(),
        "depth_frame": depth_maps(),
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    for target, inputs in seeds().items():
        (folder / target).mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(inputs):
            (folder / target / f"seed-{number}").write_bytes(data)


if __name__ == "__main__":
    main()
