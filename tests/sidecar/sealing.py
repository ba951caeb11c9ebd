"""Frames, sealed as a capture page seals them."""
import os
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class Page:
    """What a page does with WebCrypto; by docs/liveness.md and none of our code."""

    def __init__(self, daemon_point, nonce):
        self.nonce = bytes.fromhex(nonce)
        private = ec.generate_private_key(ec.SECP256R1())
        self.point = private.public_key().public_bytes(serialization.Encoding.X962,
                                                       serialization.PublicFormat.UncompressedPoint)
        daemon = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes.fromhex(daemon_point))
        self.key = HKDF(hashes.SHA256(), 32, self.nonce, b"visage frame 1" + self.point + bytes.fromhex(daemon_point)
                        ).derive(private.exchange(ec.ECDH(), daemon))

    def seal(self, content, index, count, kind=1, light=255, time=None):
        iv = os.urandom(12)
        time = 1000 + 100_000 * index if time is None else time
        header = struct.pack("<IBBHHHIq", 0x31465356, kind, light, 0, index, count, 0, time) + self.nonce + iv
        return header + AESGCM(self.key).encrypt(iv, content, header)

    def bundle(self, pictures, light=255, depth=None, depth_time=1000):
        sealed = [self.seal(picture, i, len(pictures), light=light) for i, picture in enumerate(pictures)]
        if depth is not None:
            sealed.append(self.seal(depth, 0, 1, kind=2, time=depth_time))
        return b"".join(struct.pack("<I", len(frame)) + frame for frame in sealed)

    def end(self, frames, count=None):
        return self.seal(b"", frames, frames if count is None else count, kind=3, time=0)
