# SPDX-License-Identifier: Apache-2.0
"""A client of the Privatemode protocol, written from docs/wire/privatemode.md on `cryptography`.

It knows nothing of the gateway but its address, a key and the certificate authority.
"""

import base64
import hashlib
import hmac
import json
import os
import struct

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, utils, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PLAIN_REQUEST = {"model", "stream_options", "max_tokens", "max_completion_tokens", "n", "stream"}
PLAIN_ANSWER = {"id", "usage"}
SUITE = b"HPKE" + struct.pack(">HHH", 0x647A, 0x0001, 0xFFFF)


class Broken(Exception):
    """A seal is not whole."""


# --- X-Wing and HPKE's export ------------------------------------------------------------------------


class XWing:
    """A key pair; draft-connolly-cfrg-xwing-kem."""

    def __init__(self, seed=None):
        self.seed = seed or os.urandom(32)
        full = hashlib.shake_256(self.seed).digest(96)
        self.lattice = mlkem.MLKEM768PrivateKey.from_seed_bytes(full[:64])
        self.curve = x25519.X25519PrivateKey.from_private_bytes(full[64:])
        self.curve_public = self.curve.public_key().public_bytes_raw()
        self.public = self.lattice.public_key().public_bytes_raw() + self.curve_public

    def open(self, enc):
        share = enc[1088:]
        one = self.lattice.decapsulate(enc[:1088])
        two = self.curve.exchange(x25519.X25519PublicKey.from_public_bytes(share))
        return hashlib.sha3_256(one + two + share + self.curve_public + rb"\.//^" + b"\\").digest()


def extract(salt, label, ikm):
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + SUITE + label + ikm, "sha256")


def expand(key, label, info, length):
    info = struct.pack(">H", length) + b"HPKE-v1" + SUITE + label + info
    out, block = b"", b""
    while len(out) < length:
        block = hmac.digest(key, block + info + bytes([len(out) // 32 + 1]), "sha256")
        out += block
    return out[:length]


def export(shared):
    """The secret of 32 bytes that both sides export; RFC 9180 5.1 and 5.3, base mode, no info."""
    context = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", b"")
    exporter = expand(extract(shared, b"secret", b""), b"exp", context, 32)
    return expand(exporter, b"sec", b"", 32)


# --- sealing -------------------------------------------------------------------------------------------


def sort_key(name):
    """Keys are compared with a backslash in front of what their library escapes."""
    return "".join("\\" + c if c in ".?*" else c for c in name).encode()


class Exchange:
    """One request and its answer."""

    def __init__(self, secret, name, nonce=None):
        self.aes = AESGCM(secret)
        self.name = name
        self.nonce = nonce or os.urandom(12)
        self.sent = self.received = 0

    def seal(self, plain, iv=None):
        iv = iv or os.urandom(12)
        text = self.aes.encrypt(iv, plain.encode(), self.nonce + struct.pack("<I", self.sent))
        self.sent += 1
        return f"{self.name}:{self.nonce.hex()}:{iv.hex()}:{text.hex()}"

    def open(self, field):
        name, nonce, iv, text = field.split(":")
        if name != self.name or nonce != self.nonce.hex():
            raise Broken("another exchange")
        try:
            plain = self.aes.decrypt(bytes.fromhex(iv), bytes.fromhex(text), self.nonce + struct.pack("<I", self.received))
        except Exception as error:
            raise Broken(f"field {self.received}") from error
        self.received += 1
        return plain.decode()

    def seal_object(self, body, plain=PLAIN_REQUEST):
        """The wire form: keys keep their order, the numbers follow the sorted keys."""
        sealed = {key: self.seal(json.dumps(body[key])) for key in sorted(body, key=sort_key) if key not in plain}
        return {key: sealed.get(key, value) for key, value in body.items()}

    def open_object(self, body, plain=PLAIN_ANSWER):
        opened = {key: json.loads(self.open(body[key])) for key in sorted(body, key=sort_key) if key not in plain}
        return {key: opened.get(key, value) for key, value in body.items()}


# --- the client --------------------------------------------------------------------------------------


class Client:
    """Exchanges a secret with a gateway and asks it."""

    def __init__(self, gateway, key=None, ca=None):
        self.gateway = gateway
        self.key = key or gateway.key
        self.ca = ca
        self.secret = self.name = None
        self.exchange = None

    def post(self, path, body, *headers, key=True):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [("Privatemode-Version", "v1.40.0"), *headers]
        if key:
            lines.insert(0, ("Authorization", f"Bearer {self.key}"))
        return self.gateway.request("POST", path, lines, data)

    def attest(self):
        """The document with the certificate authority in it."""
        nonce = base64.b64encode(os.urandom(32)).decode()
        response = self.post("/privatemode/v1/attest", {"Nonce": nonce})
        assert response.status == 200, response
        document = json.loads(base64.b64decode(response.json["AttestationDoc"], validate=True))
        self.ca = x509.load_pem_x509_certificate(base64.b64decode(document["mesh_ca"], validate=True))
        return document

    def check_certificate(self, der):
        leaf = x509.load_der_x509_certificate(der)
        leaf.verify_directly_issued_by(self.ca)
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert x509.oid.ExtendedKeyUsageOID.SERVER_AUTH in usage, usage
        assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
        return leaf.public_key()

    def share(self, pair=None):
        """The exchange of a secret; its answer."""
        pair = pair or XWing()
        public = base64.b64encode(pair.public).decode()
        response = self.post("/privatemode/v1/secret", {"PublicKey": public})
        if response.status != 200:
            return response
        got = {name: base64.b64decode(value, validate=True) for name, value in response.json.items()}
        assert list(response.json) == ["EncapsulatedKey", "Signature", "MeshCert"], response
        digest = hashlib.sha256(pair.public + got["EncapsulatedKey"]).digest()
        public_key = self.check_certificate(got["MeshCert"])
        public_key.verify(got["Signature"], digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        self.secret = export(pair.open(got["EncapsulatedKey"]))
        self.name = base64.b64encode(hashlib.sha256(pair.public).digest()).decode()
        return response

    def begin(self):
        if self.ca is None:
            self.attest()
        if self.secret is None:
            self.share()
        self.exchange = Exchange(self.secret, self.name)
        return self.exchange

    def headers(self, *more):
        return [("Privatemode-Secret-ID", self.name), ("Content-Type", "application/json"), *more]

    def ask(self, path="/v1/chat/completions", headers=(), key=True, plain=PLAIN_REQUEST, **body):
        """One sealed request; its answer as it came."""
        exchange = self.begin()
        return self.post(path, exchange.seal_object(body, plain), *self.headers(*headers), key=key)

    def mac(self, text):
        return hmac.new(self.secret, text.encode(), "sha256").hexdigest()

    def whole(self, response):
        assert response.status == 200, response
        return self.exchange.open_object(response.json)

    def stream(self, response):
        """The opened chunks of a stream that ends as it should."""
        assert response.status == 200 and "event-stream" in response.get("content-type"), response
        blocks = response.body.decode().split("\n\n")
        assert blocks[-2:] == ["data: [DONE]", ""], blocks[-3:]
        chunks = []
        for block in blocks[:-2]:
            assert block.startswith("data: ") and "\n" not in block, block[:200]
            assert len(block) < 64 * 1024, "a line is too long for the clients"
            chunks.append(self.exchange.open_object(json.loads(block[6:])))
        return chunks


def spki(key):
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
