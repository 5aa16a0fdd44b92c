# SPDX-License-Identifier: Apache-2.0
"""Beginning sessions, without I/O: generators that yield requests and are sent the answers.

The transports drive them, one by waiting and one by awaiting.
"""

import hashlib
import json
import os
import struct
import time

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from .errors import SealError
from .kem import SUITES, unb64
from .records import Session, hmac256, label

_ANSWER_MAX = 1 << 20


class Declined(Exception):
    """The gateway answered, but with an error: its answer is the caller's."""

    def __init__(self, response):
        super().__init__(response.status_code)
        self.response = response


def transcript(suite, public, ciphertext, answer, signing_key):
    """What both sides saw (docs/wire/native.md, "A session")."""
    tee = answer["tee"].encode()
    return hashlib.sha256(
        label(b"session")
        + bytes([len(suite)]) + suite.encode()
        + struct.pack(">I", len(public)) + public
        + struct.pack(">I", len(ciphertext)) + ciphertext
        + unb64(answer["random"], 32)
        + struct.pack(">I", answer["expires_in"])
        + signing_key
        + bytes([len(tee)]) + tee
    ).digest()


def _read(response, what):
    """The JSON object of an answer that is one."""
    if response.status_code != 200:
        raise Declined(response)
    try:
        if len(response.content) > _ANSWER_MAX:
            raise ValueError("too long")
        value = json.loads(response.content)
    except ValueError:
        value = None
    if not isinstance(value, dict) or value.get("version") != 1:
        raise SealError(f"{what}: what answers is no Sotto gateway, or one of another version")
    return value


def begin(make, base, address, suite, trust, headers, extensions):
    """Yields requests, is sent answers that have been read, returns a Session.

    make     the class of requests
    base     URL of the gateway up to and including /v1
    address  how the gateway is named in the file of known ones
    headers  of the caller's request: who it is
    extensions  of the caller's request: how long it waits
    """
    nonce = os.urandom(32) if trust.wants_evidence else None
    keys = _read((yield make("GET", f"{base}/seal/keys", params={"nonce": nonce.hex()} if nonce else None, extensions=extensions)), "keys")
    signing_key = unb64(keys.get("signing_key"), 32)
    trust.check(address, signing_key, keys.get("attestation"), nonce)
    hello = SUITES[suite](keys)
    body = json.dumps({"version": 1, "suite": suite, **hello.body()})
    asked = make("POST", f"{base}/seal/session", content=body, headers={**headers, "content-type": "application/json"}, extensions=extensions)
    begun = time.monotonic()
    return agree(suite, hello, _read((yield asked), "session"), signing_key, begun)


def agree(suite, hello, answer, signing_key, begun):
    """The session that an answer begins; SealError unless `signing_key` signed it."""
    try:
        if answer["suite"] != suite:
            raise SealError("the gateway answered with another suite than the one asked for")
        ciphertext, shared = hello.finish(answer)
        digest = transcript(suite, hello.public, ciphertext, answer, signing_key)
        ed25519.Ed25519PublicKey.from_public_bytes(signing_key).verify(unb64(answer["signature"], 64), label(b"sign") + digest)
        if unb64(answer["session"], 16) != digest[:16]:
            raise SealError("the gateway's session has another number than it should")
        return Session(digest[:16], hmac256(digest, shared), suite, begun + min(answer["renew_in"], answer["expires_in"]))
    except InvalidSignature:
        raise SealError("the session is not signed by the gateway's key") from None
    except (KeyError, TypeError, AttributeError, struct.error, ValueError) as wrong:
        raise SealError("the gateway's answer lacks a member") from wrong

