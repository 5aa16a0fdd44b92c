# SPDX-License-Identifier: Apache-2.0
"""Keys, sessions and records of the profile native (docs/wire/native.md)."""

import hashlib
import hmac
import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .errors import CutStream, SealError

SEALED_TYPE = "application/vnd.sotto.sealed"
LABEL = b"sotto-native-1"
REQUEST, ANSWER = 1, 2

_NONCE = 16
_HEAD = 1 + _NONCE
_TAG = 16


def label(what):
    """The ASCII text, filled up with zero bytes to 24."""
    return (LABEL + b" " + what).ljust(24, b"\0")


def hmac256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def expand(key, info, size):
    """HKDF-Expand with SHA-256 (RFC 5869 2.3)."""
    out, block, count = b"", b"", 0
    while len(out) < size:
        count += 1
        block = hmac256(key, block + info + bytes([count]))
        out += block
    return out[:size]


class Channel:
    """One direction of one request: seals or opens its records in their order."""

    def __init__(self, key, direction, status, place):
        method, path, model = (part.encode() for part in place)
        self._aead = AESGCM(key)
        self._direction = bytes([direction])
        self._place = struct.pack(">HB", status, len(method)) + method
        self._place += struct.pack(">H", len(path)) + path + struct.pack(">H", len(model)) + model
        self._number = 0
        self.over = False

    def _bind(self, last):
        if self.over:
            raise SealError("a record follows the last one")
        number = struct.pack(">Q", self._number)
        return bytes(4) + number, self._direction + bytes([last]) + number + self._place

    def _advance(self, last):
        self._number += 1
        self.over = last

    def seal(self, text, last):
        nonce, aad = self._bind(last)
        size = len(text) + 4
        unit = 256 if size <= 16384 else 4096
        padded = (struct.pack(">I", len(text)) + text).ljust(-(-size // unit) * unit, b"\0")
        sealed = self._aead.encrypt(nonce, padded, aad)
        self._advance(last)
        return bytes([last]) + sealed

    def open(self, record):
        """The text, and whether the record is the last one."""
        if len(record) < 1 + _TAG or record[0] > 1:
            raise SealError("what came is no sealed record")
        last = record[0] == 1
        nonce, aad = self._bind(last)
        try:
            padded = self._aead.decrypt(nonce, record[1:], aad)
        except InvalidTag:
            raise SealError("a sealed record does not open: it was changed on its way") from None
        size = struct.unpack(">I", padded[:4])[0] if len(padded) >= 4 else 1 << 32
        if size > len(padded) - 4:
            raise SealError("a sealed record has an impossible length")
        self._advance(last)
        return padded[4 : 4 + size], last


class Session:
    """A secret that client and gateway share.

    renew_at  time of time.monotonic() from which on a new session should be begun
    """

    def __init__(self, ident, secret, suite, renew_at):
        self.ident, self.suite, self.renew_at = ident, suite, renew_at
        self._secret = secret

    def request(self, method, path, model, text):
        """The body of a sealed request, and what opens its answer."""
        nonce = os.urandom(_NONCE)
        place = (method, path, model)
        key = expand(self._secret, label(b"request") + nonce, 32)
        named = model.encode()
        record = Channel(key, REQUEST, 0, place).seal(text, True)
        body = b"\1" + self.ident + nonce + struct.pack(">H", len(named)) + named + record
        return body, Pending(self._secret, nonce, place)


class Pending:
    """A request that was sent; opens its answer, once."""

    def __init__(self, secret, nonce, place):
        self._secret, self._nonce, self._place = secret, nonce, place

    def _channel(self, head, status):
        if len(head) != _HEAD or head[0] != 1:
            raise SealError("what came is no sealed answer")
        key = expand(self._secret, label(b"answer") + self._nonce + head[1:], 32)
        return Channel(key, ANSWER, status, self._place)

    def whole(self, status, body):
        """The text of a whole answer."""
        text, last = self._channel(body[:_HEAD], status).open(body[_HEAD:])
        if not last:
            raise CutStream("the sealed answer has no end")
        return text

    def stream(self, status):
        return Opener(lambda head: self._channel(head, status))


class Opener:
    """Opens the records of one stream, each as bytes."""

    def __init__(self, begin):
        self._begin, self._channel = begin, None

    def feed(self, data):
        """The text of a record; None for the head, b"" for a record without an event."""
        if self._channel is None:
            self._channel = self._begin(data)
            return None
        return self._channel.open(data)[0]

    @property
    def over(self):
        return self._channel is not None and self._channel.over

    def end(self):
        """To be called when the bytes end."""
        if not self.over:
            raise CutStream("the sealed stream was cut before its end")
