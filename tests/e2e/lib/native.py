# SPDX-License-Identifier: Apache-2.0
"""A client of the profile native, written from docs/wire/native.md on `cryptography`.

    python3 tests/e2e/lib/native.py HPKE.json > NATIVE.json      writes tests/vectors/native.json anew
"""

import base64
import hashlib
import hmac
import json
import os
import struct
import sys

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, mlkem, padding, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEALED = "application/vnd.sotto.sealed"
KEM = {"kyber512": 0x0040, "x-wing": 0x647A}
SUITES = ("x-wing", "rsa4096")  # those that `cryptography` has; it lacks ML-KEM-512


class Refused(Exception):
    """What came does not open, or is not by whom it should be."""


def name(text):
    return text.encode().ljust(24, b"\0")


def b64(data):
    return base64.b64encode(data).decode()


def unb64(text):
    return base64.b64decode(text, validate=True)


# --- hashes ---------------------------------------------------------------------------------------


def hmac256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def expand(key, info, n):
    out, block = b"", b""
    while len(out) < n:
        block = hmac256(key, block + info + bytes([len(out) // 32 + 1]))
        out += block
    return out[:n]


def hpke_export(kem_id, secret, info, context, n=32):
    """RFC 9180, base mode, HKDF-SHA-256, export-only: what both sides export from a KEM's secret."""
    suite = b"HPKE" + struct.pack(">HHH", kem_id, 1, 0xFFFF)

    def extract(salt, label, ikm):
        return hmac256(salt or bytes(32), b"HPKE-v1" + suite + label + ikm)

    def labeled(key, label, data, size):
        return expand(key, struct.pack(">H", size) + b"HPKE-v1" + suite + label + data, size)

    context_hash = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    return labeled(labeled(extract(secret, b"secret", b""), b"exp", context_hash, 32), b"sec", context, n)


# --- X-Wing (draft-connolly-cfrg-xwing-kem) -------------------------------------------------------


class XWing:
    def __init__(self, seed):
        wide = hashlib.shake_256(seed).digest(96)
        self.mlkem = mlkem.MLKEM768PrivateKey.from_seed_bytes(wide[:64])
        self.curve = x25519.X25519PrivateKey.from_private_bytes(wide[64:])
        self.public = self.mlkem.public_key().public_bytes_raw() + self.curve.public_key().public_bytes_raw()

    def open(self, ciphertext):
        if len(ciphertext) != 1120:
            raise Refused("length of the ciphertext")
        ephemeral = ciphertext[1088:]
        one = self.mlkem.decapsulate(ciphertext[:1088])
        two = self.curve.exchange(x25519.X25519PublicKey.from_public_bytes(ephemeral))
        return hashlib.sha3_256(one + two + ephemeral + self.public[1184:] + b"\\.//^\\").digest()


# --- what both sides compute ----------------------------------------------------------------------


def transcript(suite, public_key, ciphertext, random, expires_in, signing_key, tee):
    return hashlib.sha256(
        name("sotto-native-1 session")
        + bytes([len(suite)]) + suite.encode()
        + struct.pack(">I", len(public_key)) + public_key
        + struct.pack(">I", len(ciphertext)) + ciphertext
        + random
        + struct.pack(">I", expires_in)
        + signing_key
        + bytes([len(tee)]) + tee.encode()
    ).digest()


def to_sign(digest):
    return name("sotto-native-1 sign") + digest


def request_key(secret, request_nonce):
    return expand(secret, name("sotto-native-1 request") + request_nonce, 32)


def answer_key(secret, request_nonce, answer_nonce):
    return expand(secret, name("sotto-native-1 answer") + request_nonce + answer_nonce, 32)


class Channel:
    """One direction of one request: seals or opens records in their order."""

    def __init__(self, key, direction, status, method, path, model):
        self.aead = AESGCM(key)
        self.direction = bytes([direction])
        self.place = struct.pack(">H", status)
        self.place += bytes([len(method)]) + method.encode()
        self.place += struct.pack(">H", len(path)) + path.encode()
        self.place += struct.pack(">H", len(model)) + model.encode()
        self.number = 0
        self.over = False

    def bind(self, last):
        if self.over:
            raise Refused("a record behind the last one")
        number = struct.pack(">Q", self.number)
        return bytes(4) + number, self.direction + bytes([last]) + number + self.place

    def seal(self, text, last):
        nonce, aad = self.bind(last)
        size = len(text) + 4
        unit = 4096 if size > 16384 else 256
        padded = (struct.pack(">I", len(text)) + text).ljust(-(-size // unit) * unit, b"\0")
        self.number += 1
        self.over = last
        return bytes([last]) + self.aead.encrypt(nonce, padded, aad)

    def open(self, record):
        if len(record) < 17 or record[0] > 1:
            raise Refused("not a record")
        last = record[0] == 1
        nonce, aad = self.bind(last)
        try:
            padded = self.aead.decrypt(nonce, record[1:], aad)
        except InvalidTag as wrong:
            raise Refused("a record does not open") from wrong
        size = struct.unpack(">I", padded[:4])[0] if len(padded) >= 4 else 1 << 32
        if size > len(padded) - 4:
            raise Refused("the length of a text")
        self.number += 1
        self.over = last
        return padded[4 : 4 + size], last


# --- the client -----------------------------------------------------------------------------------


class Pending:
    """A request that was sent; opens its answer."""

    def __init__(self, secret, nonce, method, path, model):
        self.secret, self.nonce, self.place = secret, nonce, (method, path, model)
        self.channel = None

    def head(self, head, status):
        if len(head) != 17 or head[0] != 1:
            raise Refused("the head of an answer")
        self.channel = Channel(answer_key(self.secret, self.nonce, head[1:]), 2, status, *self.place)

    def whole(self, status, body):
        self.head(body[:17], status)
        text, last = self.channel.open(body[17:])
        if not last:
            raise Refused("an answer without an end")
        return text

    def events(self, lines):
        """Yields the texts of a stream's events; raises if it was cut."""
        last = False
        for line in lines:
            if not line.startswith(b"data: "):
                if line.strip():
                    raise Refused("a line that is no event")
                continue
            data = unb64(line[6:].strip())
            if self.channel is None:
                self.head(data, 200)
                continue
            text, last = self.channel.open(data)
            if text:
                yield text
        if not last:
            raise Refused("the stream was cut")


class Hello:
    """What a client has to remember between the two messages by which a session begins."""

    def __init__(self, suite, keys=None, seed=None):
        self.suite = suite
        self.body = {"version": 1, "suite": suite}
        if suite == "x-wing":
            self.pair = XWing(seed or os.urandom(32))
            self.public = self.pair.public
            self.body["public_key"] = b64(self.public)
        elif suite == "rsa4096":
            row = next(row for row in keys["suites"] if row["suite"] == suite)
            self.public = unb64(row["public_key"])
            self.shared = os.urandom(32)
            oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
            self.ciphertext = serialization.load_der_public_key(self.public).encrypt(self.shared, oaep)
            self.body |= {"key_id": row["key_id"], "ciphertext": b64(self.ciphertext)}
        else:
            raise ValueError(suite)

    def agreed(self, answer, pinned):
        """The session, if the gateway with the signing key `pinned` has answered."""
        if answer["version"] != 1 or answer["suite"] != self.suite:
            raise Refused("another suite")
        if self.suite == "rsa4096":
            ciphertext, shared = self.ciphertext, self.shared
        else:
            ciphertext = unb64(answer["ciphertext"])
            shared = hpke_export(KEM[self.suite], self.pair.open(ciphertext), b"sotto-native-1", b"session")
        digest = transcript(
            self.suite, self.public, ciphertext, unb64(answer["random"]), answer["expires_in"], pinned, answer["tee"]
        )
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(pinned).verify(unb64(answer["signature"]), to_sign(digest))
        except InvalidSignature as wrong:
            raise Refused("the signature") from wrong
        if unb64(answer["session"]) != digest[:16]:
            raise Refused("the id of the session")
        return Session(digest[:16], hmac256(digest, shared), answer)


class Session:
    def __init__(self, session, secret, answer):
        self.session, self.secret, self.answer = session, secret, answer

    def request(self, path, text, model, method="POST", nonce=None):
        """The body of a sealed request, and what opens its answer."""
        nonce = nonce or os.urandom(16)
        channel = Channel(request_key(self.secret, nonce), 1, 0, method, path, model)
        named = model.encode()
        body = b"\1" + self.session + nonce + struct.pack(">H", len(named)) + named + channel.seal(text, True)
        return body, Pending(self.secret, nonce, method, path, model)


# --- known answers --------------------------------------------------------------------------------


def session_vector(suite, row):
    seed = hashlib.sha256(b"signing " + suite.encode()).digest()
    random = hashlib.sha256(b"random " + suite.encode()).digest()
    signing = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
    public, ciphertext = bytes.fromhex(row["pkRm"]), bytes.fromhex(row["enc"])
    shared = hpke_export(row["kem_id"], bytes.fromhex(row["shared_secret"]), b"sotto-native-1", b"session")
    signing_key = signing.public_key().public_bytes_raw()
    digest = transcript(suite, public, ciphertext, random, 3600, signing_key, "none")
    return {
        "suite": suite,
        "client_seed": row["skRm"],
        "public_key": public.hex(),
        "ciphertext": ciphertext.hex(),
        "shared": shared.hex(),
        "random": random.hex(),
        "expires_in": 3600,
        "signing_seed": seed.hex(),
        "signing_key": signing_key.hex(),
        "tee": "none",
        "transcript": digest.hex(),
        "session": digest[:16].hex(),
        "secret": hmac256(digest, shared).hex(),
        "signature": signing.sign(to_sign(digest)).hex(),
    }


def message_vectors(session):
    secret = bytes.fromhex(session["secret"])
    nonce, answer_nonce = bytes(range(16)), bytes(range(16, 32))
    place = {"method": "POST", "path": "/v1/chat/completions", "model": "gpt-4"}
    short = '{"model":"gpt-4","messages":[{"role":"user","content":"Grüezi"}]}'
    requests, answers = [], []
    for text in (short, "", json.dumps({"model": "gpt-4", "pad": "x" * 17000})):
        body, _ = Session(bytes.fromhex(session["session"]), secret, {}).request(
            place["path"], text.encode(), place["model"], nonce=nonce
        )
        requests.append(place | {
            "secret": secret.hex(), "session": session["session"], "request_nonce": nonce.hex(),
            "key": request_key(secret, nonce).hex(), "text": text, "body": body.hex(),
        })
    for status, texts in ((200, ['{"id":"1"}']), (429, ['{"error":{}}']), (200, ['{"n":1}', "", '{"n":2}', ""])):
        key = answer_key(secret, nonce, answer_nonce)
        channel = Channel(key, 2, status, **place)
        records = [channel.seal(text.encode(), i == len(texts) - 1) for i, text in enumerate(texts)]
        answers.append(place | {
            "secret": secret.hex(), "request_nonce": nonce.hex(), "answer_nonce": answer_nonce.hex(), "status": status,
            "key": key.hex(), "texts": texts, "head": (b"\1" + answer_nonce).hex(), "records": [r.hex() for r in records],
        })
    return requests, answers


def vectors(hpke):
    rows = {row["kem_id"]: row for row in hpke["vectors"] if "enc" in row}
    sessions = [session_vector(suite, rows[KEM[suite]]) for suite in ("x-wing", "kyber512")]
    requests, answers = message_vectors(sessions[0])
    about = "Known answers of docs/wire/native.md. Key pairs and ciphertexts are those of hpke.json."
    return {"about": about, "sessions": sessions, "requests": requests, "answers": answers}


if __name__ == "__main__":
    with open(sys.argv[1], encoding="ascii") as source:
        json.dump(vectors(json.load(source)), sys.stdout, indent=1)
    print()
