# SPDX-License-Identifier: Apache-2.0
"""How client and gateway come to share a secret: the suites of docs/wire/native.md.

A suite is a class with `name`, `body()` (what the client sends besides its name), `public` and
`finish(answer)`, which gives ciphertext and shared secret.
"""

import base64
import hashlib
import os
import struct

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import mlkem, padding, x25519

from . import mlkem512
from .errors import SealError
from .records import LABEL, expand, hmac256

_MLKEM512_KEM = 0x0040
XWING_KEM = 0x647A
_XWING_LABEL = b"\\.//^\\"


def b64(data):
    return base64.b64encode(data).decode()


def unb64(text, size=None):
    """The bytes of base64 text; SealError where it is none, or of another length."""
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        raise SealError("the gateway's answer has a member that is no base64") from None
    if size is not None and len(data) != size:
        raise SealError("the gateway's answer has a member of an impossible length")
    return data


def export(kem, secret, info, context, size=32):
    """What both sides of HPKE export: RFC 9180 5.1 and 5.3, base mode, HKDF-SHA-256, export-only."""
    suite = b"HPKE" + struct.pack(">HHH", kem, 1, 0xFFFF)

    def extract(salt, name, data):
        return hmac256(salt or bytes(32), b"HPKE-v1" + suite + name + data)

    def labeled(key, name, data, length):
        return expand(key, struct.pack(">H", length) + b"HPKE-v1" + suite + name + data, length)

    schedule = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    exporter = labeled(extract(secret, b"secret", b""), b"exp", schedule, 32)
    return labeled(exporter, b"sec", context, size)


class XWing:
    """ML-KEM-768 and X25519 (draft-connolly-cfrg-xwing-kem), with a key pair for one session."""

    name = "x-wing"
    CIPHERTEXT = 1088 + 32

    def __init__(self, keys=None, seed=None):
        wide = hashlib.shake_256(seed or os.urandom(32)).digest(96)
        self._mlkem = mlkem.MLKEM768PrivateKey.from_seed_bytes(wide[:64])
        self._curve = x25519.X25519PrivateKey.from_private_bytes(wide[64:])
        self._curve_public = self._curve.public_key().public_bytes_raw()
        self.public = self._mlkem.public_key().public_bytes_raw() + self._curve_public

    def body(self):
        return {"public_key": b64(self.public)}

    def decapsulate(self, ciphertext):
        """The shared secret, 32 bytes; SealError where `ciphertext` is none."""
        theirs = ciphertext[1088:]
        try:
            one = self._mlkem.decapsulate(ciphertext[:1088])
            two = self._curve.exchange(x25519.X25519PublicKey.from_public_bytes(theirs))
        except ValueError:
            raise SealError("the gateway's answer holds no usable key") from None
        return hashlib.sha3_256(one + two + theirs + self._curve_public + _XWING_LABEL).digest()

    def finish(self, answer):
        ciphertext = unb64(answer.get("ciphertext"), self.CIPHERTEXT)
        return ciphertext, export(XWING_KEM, self.decapsulate(ciphertext), LABEL, b"session")


class Kyber512:
    """ML-KEM-512 alone, with a key pair for one session."""

    name = "kyber512"

    def __init__(self, keys=None, seed=None):
        self._pair = mlkem512.PrivateKey(seed)
        self.public = self._pair.public

    def body(self):
        return {"public_key": b64(self.public)}

    def finish(self, answer):
        ciphertext = unb64(answer.get("ciphertext"), mlkem512.CIPHERTEXT)
        try:
            secret = self._pair.decapsulate(ciphertext)
        except ValueError:
            raise SealError("the gateway's answer holds no usable key") from None
        return ciphertext, export(_MLKEM512_KEM, secret, LABEL, b"session")


class Rsa4096:
    """RSAES-OAEP to the gateway's published key; not forward secret."""

    name = "rsa4096"

    def __init__(self, keys):
        row = next((row for row in keys.get("suites", ()) if row.get("suite") == self.name), {})
        if "public_key" not in row:
            raise SealError("the gateway publishes no RSA key yet: try again in a moment")
        self.public = unb64(row["public_key"])
        try:
            key = serialization.load_der_public_key(self.public)
            oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
            self._shared = os.urandom(32)
            self._ciphertext = key.encrypt(self._shared, oaep)
        except (ValueError, AttributeError, TypeError):
            raise SealError("the gateway publishes a key that is no RSA key") from None
        self._key_id = row["key_id"]

    def body(self):
        return {"key_id": self._key_id, "ciphertext": b64(self._ciphertext)}

    def finish(self, answer):
        return self._ciphertext, self._shared


SUITES = {suite.name: suite for suite in (XWing, Kyber512, Rsa4096)}


def suite_of(name):
    """The suite for a word of the `encryption` argument; ValueError where it cannot be had here."""
    name = "x-wing" if name == "auto" else name
    if name not in SUITES:
        raise ValueError(f"encryption must be one of auto, {', '.join(SUITES)}, not {name!r}")
    if name == Kyber512.name:
        mlkem512.library()
    return name
