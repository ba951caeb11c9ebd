#!/usr/bin/python3
"""Opens the known-answer vectors from docs/formats.md alone: none of our code, no library beyond Python's own.

The openssl program gives the two block ciphers (in counter mode) and Ed25519; everything above them — GCM, HKDF,
envelopes, the rotation and the score, the ledger's leaves, trees and notes — is written out here again. If formats.md
left something out, this could not have been written.
"""
import base64
import hashlib
import hmac
import math
import pathlib
import struct
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent
LABELS = {"wrap": b"visage/wrap/1", "subject key": b"visage/subject-key/1", "source": b"visage/probe-source/1",
          "probe": b"visage/probe/1", "reference": b"visage/reference/1", "seed": b"rfr/1", "ledger key": b"visage/ledger-key/1",
          "keyed hash": b"visage/keyed-hash/1", "epoch": b"visage/gallery-epoch/1", "gallery code": b"visage/gallery-code/1"}


# Primitives


def records(name):
    for block in (FOLDER / name).read_text().split("\n\n"):
        record = {}
        for line in block.splitlines():
            if line and not line.startswith("#"):
                key, _, value = line.partition(" =")
                record.setdefault(key, []).append(value.strip())
        if record:
            yield record


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def counter_mode(cipher, key, iv, data):
    command = ["openssl", "enc", "-" + cipher, "-K", key.hex(), "-iv", iv.hex(), "-nopad"]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def ghash(h, data):
    h, y = int.from_bytes(h, "big"), 0
    for i in range(0, len(data), 16):
        x, y, v = y ^ int.from_bytes(data[i:i + 16], "big"), 0, h
        for bit in range(127, -1, -1):
            if x >> bit & 1:
                y ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
    return y.to_bytes(16, "big")


def pad16(data):
    return data + bytes(-len(data) % 16)


class Suite:
    """Suite 1: aes-256-gcm; suite 2: sm4-ctr-hmac-sm3."""

    def __init__(self, number):
        self.number = number
        self.hash = {1: "sha256", 2: "sm3"}[number]
        self.key_size, self.tag_size = {1: (32, 16), 2: (48, 32)}[number]

    def mac(self, key, message):
        return hmac.new(key, message, self.hash).digest()

    def hkdf(self, ikm, salt, info, size):
        prk = self.mac(salt, ikm)
        out = block = b""
        while len(out) < size:
            block = self.mac(prk, block + info + bytes([len(out) // 32 + 1]))
            out += block
        return out[:size]

    def keystream(self, seed, size):
        if self.number == 1:
            return counter_mode("aes-256-ctr", seed, bytes(16), bytes(size))
        return counter_mode("sm4-ctr", seed[:16], seed[16:], bytes(size))

    def open(self, key, nonce, aad, sealed):
        ciphertext, tag = sealed[:-self.tag_size], sealed[-self.tag_size:]
        if self.number == 2:
            expected = self.mac(key[16:], struct.pack("<Q", len(aad)) + aad + nonce + ciphertext)
            plaintext = counter_mode("sm4-ctr", key[:16], nonce + bytes(4), ciphertext)
        else:
            zero = bytes(16)
            lengths = struct.pack(">QQ", 8 * len(aad), 8 * len(ciphertext))
            s = ghash(counter_mode("aes-256-ctr", key, zero, zero), pad16(aad) + pad16(ciphertext) + lengths)
            expected = counter_mode("aes-256-ctr", key, nonce + b"\0\0\0\1", s)
            plaintext = counter_mode("aes-256-ctr", key, nonce + b"\0\0\0\2", ciphertext)
        assert hmac.compare_digest(expected, tag), "the tag differs"
        return plaintext


class Record:
    def __init__(self, values):
        self.values = values
        self.suite = Suite(self.number("suite"))

    def text(self, name):
        (value,) = self.values[name]
        return value

    def all(self, name):
        return [line.split() for line in self.values.get(name, [])]

    def number(self, name):
        return int(self.text(name))

    def bytes(self, name):
        return bytes.fromhex(self.text(name))

    def root(self, name):
        version, key = self.text(name).split()
        return int(version), bytes.fromhex(key)


def single(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def formula(seed, size):
    x, values = seed, []
    for _ in range(size):
        x = (1103515245 * x + 12345) % 2**31
        values.append(float((x >> 16) % 2001 - 1000))
    return values


def scaled(values):
    scale = 1 / math.sqrt(sum(value * value for value in values))
    return [single(value * scale) for value in values]


def same(name, got, wanted):
    assert got == wanted, f"{name}: got {got!r}, wanted {wanted!r}"


# Formats


def text_form(data):
    return base64.b64encode(data + struct.pack("<I", crc32c(data))).decode()


def check_text(values):
    data = bytes.fromhex(values["bytes"][0])
    same("text", text_form(data), values["text"][0])


def source_key(record):
    _, root = record.root("envelope_root")
    info = (LABELS["source"] + bytes([record.suite.number]) + struct.pack("<I", record.number("institution")) +
            record.bytes("source") + struct.pack("<I", record.number("generation")))
    return record.suite.hkdf(root, b"", info, 32)


def check_source_key(values):
    record = Record(values)
    key = source_key(record)
    same("key", key, record.bytes("key"))
    version, _ = record.root("envelope_root")
    body = struct.pack("<BBHIII", 1, record.suite.number, 0, version, record.number("institution"),
                       record.number("generation")) + record.bytes("source") + key
    same("text", "visage-source-1:" + text_form(body), record.text("text"))


def unwrap(record):
    wrapped = record.bytes("wrapped")
    version, root = record.root("envelope_root")
    header = struct.unpack_from("<cBBBII16s12s", wrapped)
    same("header", header[:7],
         (b"K", 1, record.suite.number, 0, version, record.number("institution"), record.bytes("subject")))
    key = record.suite.hkdf(root, b"", LABELS["wrap"] + bytes([record.suite.number]), record.suite.key_size)
    return record.suite.open(key, header[7], LABELS["subject key"] + wrapped[:40], wrapped[40:])


def check_wrapped_key(values):
    record = Record(values)
    same("subject key", unwrap(record), record.bytes("subject_key"))


def check_probe(values):
    record = Record(values)
    suite, envelope = record.suite, record.bytes("envelope")
    version, _ = record.root("envelope_root")
    fields = struct.unpack_from("<cBBBII16s16sqq32s12sII", envelope)
    same("header", fields[:11],
         (b"P", 1, suite.number, 0, version, record.number("institution"), record.bytes("probe"),
          record.bytes("source"), record.number("captured_at"), record.number("expires_at"),
          record.bytes("session_nonce")))
    same("generation", fields[13], record.number("generation"))
    same("length", len(envelope), 112 + fields[12] + suite.tag_size)
    key = suite.hkdf(source_key(record), record.bytes("probe"), LABELS["probe"] + bytes([suite.number]),
                     suite.key_size)
    plaintext = suite.open(key, fields[11], LABELS["probe"] + envelope[:112], envelope[112:])
    sections = []
    while plaintext:
        tag, reserved, length = struct.unpack_from("<HHI", plaintext)
        same("reserved", reserved, 0)
        sections.append((tag, plaintext[8:8 + length]))
        plaintext = plaintext[8 + length:]
    same("tags", [tag for tag, _ in sections], [1, 2, 3, 4, 5])
    feature, model, digest, liveness, quality = (data for _, data in sections)
    dimension = record.number("dimension")
    same("feature", list(struct.unpack(f"<{dimension}f", feature)),
         scaled(formula(record.number("feature_seed"), dimension)))
    same("model", model.decode(), record.text("model"))
    same("digest", digest, record.bytes("image_digest"))
    same("liveness", list(struct.iter_unpack("<Bf", liveness)),
         [(int(method), float(value)) for method, value in record.all("liveness")])
    same("quality", list(struct.iter_unpack("<BBf", quality)),
         [(int(measure), int(scalar), float(native)) for measure, scalar, native in record.all("quality")])


def transform(values):
    """Walsh–Hadamard, natural order, unscaled."""
    values, half = list(values), 1
    while half < len(values):
        for start in range(0, len(values), 2 * half):
            for i in range(start, start + half):
                values[i], values[i + half] = values[i] + values[i + half], values[i] - values[i + half]
        half *= 2
    return values


def rotate(feature, code_bits, masks):
    width = max(64, 1 << (len(feature) - 1).bit_length())
    out, at = [], 0
    while len(out) < code_bits:
        y = list(feature) + [0.0] * (width - len(feature))
        for turn in range(4):
            if turn:
                y = transform(y)
            y = [-v if masks[at + i // 8] >> i % 8 & 1 else v for i, v in enumerate(y)]
            at += width // 8
        out += y
    same("bytes of masks", at, len(masks))
    return out[:code_bits]


def check_reference(values):
    record = Record(values)
    suite, envelope, model = record.suite, record.bytes("envelope"), record.text("model")
    dimension, code_bits = record.number("dimension"), record.number("code_bits")
    (version, root), (transform_version, transform_root) = record.root("envelope_root"), record.root("transform_root")
    subject_key = unwrap(record)
    same("subject key", subject_key, record.bytes("subject_key"))

    model_digest = hashlib.sha256(model.encode()).digest()[:16]
    fields = struct.unpack_from("<cBBBHHIIII16s16s16s32s12sI", envelope)
    reference, salt, nonce = record.bytes("reference"), fields[13], fields[14]
    same("header", fields[:13],
         (b"R", 1, suite.number, 1, code_bits, dimension, version, transform_version, record.number("institution"),
          record.number("generation"), reference, record.bytes("subject"), model_digest))
    same("reserved", fields[15], 0)
    same("length", len(envelope), 120 + code_bits // 8 + suite.tag_size)

    info = (LABELS["seed"] + bytes([1, suite.number]) + model_digest +
            struct.pack("<I", record.number("institution")) + reference + struct.pack("<I", record.number("generation")))
    seed = suite.hkdf(transform_root + subject_key, salt, info, 32)
    width = max(64, 1 << (dimension - 1).bit_length())
    mask_size = -(-code_bits // width) * 4 * width // 8
    stream = suite.keystream(seed, mask_size + 16)
    masks, confirmation = stream[:mask_size], stream[mask_size:]
    key = suite.hkdf(root + subject_key, salt, LABELS["reference"] + bytes([suite.number]) + reference, suite.key_size)
    code = suite.open(key, nonce, LABELS["reference"] + envelope[:120] + confirmation, envelope[120:])
    same("code", code, record.bytes("code"))

    same("masks", hashlib.sha256(masks).digest(), record.bytes("masks_sha256"))

    signs = [-1 if code[i // 8] >> i % 8 & 1 else 1 for i in range(code_bits)]
    own, other = (formula(record.number("feature_seed") + i, dimension) for i in (0, 1))
    for a, b, wanted in record.all("score"):
        a, b = int(a), int(b)
        y = rotate(scaled([a * u + b * v for u, v in zip(own, other)]), code_bits, masks)
        norm = math.sqrt(sum(v * v for v in y))
        if (a, b) == (1, 0):  # what was enrolled; values at rounding error from zero may take either sign
            same("signs", [v for v, sign in zip(y, signs) if (v < 0) != (sign < 0) and abs(v) > 1e-4 * norm], [])
        score = sum(s * v for s, v in zip(signs, y)) / (math.sqrt(code_bits) * norm) * math.sqrt(math.pi / 2)
        assert abs(score - float(wanted)) < 2e-6, f"score {a} {b}: got {score}, wanted {wanted}"


def check_gallery_code(values):
    record = Record(values)
    suite, epoch_suite, sealed = record.suite, Suite(record.number("epoch_suite")), record.bytes("sealed")
    dimension, epoch, generation = record.number("dimension"), record.number("epoch"), record.number("generation")
    institution, reference = record.number("institution"), record.bytes("reference")
    version, root = record.root("transform_root")
    subject_key = unwrap(record)
    same("subject key", subject_key, record.bytes("subject_key"))

    fields = struct.unpack_from("<cBBBIIII16s16s12s", sealed)
    same("header", fields[:10],
         (b"G", 1, suite.number, 0, version, institution, epoch, generation, reference, record.bytes("subject")))
    same("length", len(sealed), 64 + 128 + suite.tag_size)
    info = (LABELS["epoch"] + bytes([epoch_suite.number]) + hashlib.sha256(record.text("model").encode()).digest()[:16] +
            struct.pack("<HII", dimension, institution, epoch))
    seed = epoch_suite.hkdf(root, record.bytes("salt"), info, 32)
    width = max(64, 1 << (dimension - 1).bit_length())
    mask_size = -(-1024 // width) * 4 * width // 8
    stream = epoch_suite.keystream(seed, mask_size + 16)
    masks, confirmation = stream[:mask_size], stream[mask_size:]
    info = LABELS["gallery code"] + bytes([suite.number]) + reference + struct.pack("<II", generation, epoch)
    key = suite.hkdf(root + subject_key, b"", info, suite.key_size)
    code = suite.open(key, fields[10], LABELS["gallery code"] + sealed[:64] + confirmation, sealed[64:])
    same("code", code, record.bytes("code"))

    y = rotate(scaled(formula(record.number("feature_seed"), dimension)), 1024, masks)
    norm = math.sqrt(sum(v * v for v in y))
    # Values at rounding error from zero may take either sign.
    same("signs", [i for i, v in enumerate(y) if (v < 0) != bool(code[i // 8] >> i % 8 & 1) and abs(v) > 1e-4 * norm], [])


# The ledger


def openssl_key(seed, folder):
    """The PKCS #8 form (RFC 8410) of an Ed25519 seed, in a file."""
    path = pathlib.Path(folder) / "key"
    path.write_bytes(bytes.fromhex("302e020100300506032b657004220420") + seed)
    return ["-inkey", path, "-keyform", "DER"]


def ed25519_public(seed):
    with tempfile.TemporaryDirectory() as folder:
        _, path, *_ = openssl_key(seed, folder)
        command = ["openssl", "pkey", "-in", path, "-inform", "DER", "-pubout", "-outform", "DER"]
        return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout[-32:]


def ed25519_sign(seed, message):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "message"
        path.write_bytes(message)
        command = ["openssl", "pkeyutl", "-sign", "-rawin", "-in", path, *openssl_key(seed, folder)]
        return subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout


def short(text, length="<B"):
    return struct.pack(length, len(text)) + text


def leaf_of(values):
    """A leaf of the fields that there are lines for."""
    number = {name: (lambda v, f=form: struct.pack(f, int(v)))
              for name, form in (("i32", "<i"), ("i64", "<q"), ("u64", "<Q"))}
    label, text = lambda v: short(v.encode()), lambda v: short(v.encode(), "<H")
    fields = [("institution", number["i32"]), ("subject", bytes.fromhex), ("channel", text), ("scenario", text),
              ("decision", label), ("reason", label), ("target_fmr", lambda v: struct.pack("<d", float(v))),
              ("model", text), ("policy_version", number["i32"]), ("source", bytes.fromhex), ("probe", bytes.fromhex),
              ("reference", bytes.fromhex), ("address", bytes.fromhex), ("device", bytes.fromhex), ("business_id", text),
              ("elapsed_us", number["i64"]), ("xid", number["u64"]), ("settles", number["i64"]), ("object", text),
              ("before", bytes.fromhex), ("after", bytes.fromhex), ("note", text), ("detail", bytes.fromhex),
              ("session", bytes.fromhex), ("request", bytes.fromhex), ("capture", lambda v: short(bytes.fromhex(v), "<H"))]
    one = {name: value for name, (value,) in values.items()}
    mask = sum(1 << bit for bit, (name, _) in enumerate(fields) if name in one)
    head = bytes.fromhex(one.get("previous_head", ""))
    return b"".join([struct.pack("<BQq", 1, int(one["seq"]), int(one["at"])), label(one["operation"]),
                     bytes.fromhex(one["transaction"]), text(one["caller"]), struct.pack("<I", mask),
                     *(write(one[name]) for name, write in fields if name in one), bytes([len(head) == 100]), head])


def leaf_hash(algorithm, leaf):
    return hashlib.new(algorithm, b"\0" + leaf).digest()


def tree_hash(algorithm, leaves):
    """RFC 9162, 2.1.1, over leaf hashes."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.new(algorithm).digest()
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = tree_hash(algorithm, leaves[:middle]), tree_hash(algorithm, leaves[middle:])
    return hashlib.new(algorithm, b"\1" + left + right).digest()


def inclusion_path(algorithm, index, leaves):
    """RFC 9162, 2.1.3.1."""
    if len(leaves) == 1:
        return []
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = leaves[:middle], leaves[middle:]
    if index < middle:
        return inclusion_path(algorithm, index, left) + [tree_hash(algorithm, right)]
    return inclusion_path(algorithm, index - middle, right) + [tree_hash(algorithm, left)]


def consistency_path(algorithm, first, leaves, whole=True):
    """RFC 9162, 2.1.4.1."""
    if first == len(leaves):
        return [] if whole else [tree_hash(algorithm, leaves)]
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = leaves[:middle], leaves[middle:]
    if first <= middle:
        return consistency_path(algorithm, first, left, whole) + [tree_hash(algorithm, right)]
    return consistency_path(algorithm, first - middle, right, False) + [tree_hash(algorithm, left)]


def formula_tree(record):
    return [leaf_hash(record.suite.hash, struct.pack("<Q", number)) for number in range(record.number("size"))]


def ledger_key(root):
    return Suite(1).hkdf(root, b"", LABELS["ledger key"], 32)


def key_id(origin, public):
    return hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]


def check_leaf(values):
    outputs = {name: bytes.fromhex(values.pop(name)[0]) for name in ("leaf", "sha256", "sm3")}
    leaf = leaf_of(values)
    same("leaf", leaf.hex(), outputs["leaf"].hex())
    for algorithm in ("sha256", "sm3"):
        same(algorithm, leaf_hash(algorithm, leaf), outputs[algorithm])


def check_ledger_key(values):
    record = Record({"suite": ["1"], **values})
    _, root = record.root("envelope_root")
    seed = ledger_key(root)
    public = ed25519_public(seed)
    same("seed", seed, record.bytes("seed"))
    same("public key", public, record.bytes("public_key"))
    origin = record.text("origin")
    same("verifier key", f"{origin}+{key_id(origin, public).hex()}+{base64.b64encode(bytes([1]) + public).decode()}",
         record.text("verifier_key"))
    key = Suite(1).hkdf(root, b"", LABELS["keyed hash"], 32)
    for kind, institution, wanted, *value in record.all("keyed_hash"):
        message = struct.pack("<BI", int(kind), int(institution)) + bytes.fromhex("".join(value))
        same("keyed hash", Suite(1).mac(key, message)[:16].hex(), wanted)


def check_tree(values):
    record = Record(values)
    leaves, algorithm = formula_tree(record), record.suite.hash
    same("root", tree_hash(algorithm, leaves), record.bytes("root"))
    for index, *path in record.all("inclusion"):
        same("inclusion", [h.hex() for h in inclusion_path(algorithm, int(index), leaves)], path)
    for first, *path in record.all("consistency"):
        same("consistency", [h.hex() for h in consistency_path(algorithm, int(first), leaves)], path)


def check_head(values):
    record = Record(values)
    version, root = record.root("envelope_root")
    seed, origin, head = ledger_key(root), record.text("origin"), record.bytes("head")
    tree = tree_hash(record.suite.hash, formula_tree(record))
    text = f"{origin}\n{record.number('size')}\n{base64.b64encode(tree).decode()}\n"
    signature = ed25519_sign(seed, text.encode())
    same("head", head.hex(), (struct.pack("<I", version) + tree + signature).hex())
    line = base64.b64encode(key_id(origin, ed25519_public(seed)) + signature).decode()
    same("note", record.bytes("note").decode(), f"{text}\n\u2014 {origin} {line}\n")


def main():
    checks = {"text-1.txt": check_text, "source_key-1.txt": check_source_key, "wrapped_key-1.txt": check_wrapped_key,
              "probe-1.txt": check_probe, "reference-1.txt": check_reference, "leaf-1.txt": check_leaf,
              "gallery_code-1.txt": check_gallery_code,
              "ledger_key-1.txt": check_ledger_key, "tree-1.txt": check_tree, "head-1.txt": check_head}
    passed, failed = 0, 0
    for path in sorted(FOLDER.glob("*.txt")):
        if path.name not in checks:
            print(f"{path.name}: no check is written for it")
            failed += 1
            continue
        for number, values in enumerate(records(path.name), 1):
            try:
                checks[path.name](values)
                passed += 1
            except Exception as error:  # a vector that breaks the parser is a failed vector too
                print(f"{path.name}, record {number}: {type(error).__name__}: {error}")
                failed += 1
    for name in sorted(set(checks) - {path.name for path in FOLDER.glob("*.txt")}):
        print(f"{name} is missing")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
