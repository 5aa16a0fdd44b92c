# SPDX-License-Identifier: Apache-2.0
"""The profile privatemode (docs/wire/privatemode.md): the members of requests and answers are sealed,
each by itself, under a secret for which the gateway's mesh CA vouches.
"""

import base64
import datetime
import hashlib
import json
import os
import struct
import time

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .errors import CutStream, SealError, UntrustedGateway
from .events import Events
from .kem import XWING_KEM, XWing, b64, export, unb64
from .sessions import Declined

# A secret is used for this long: the gateway keeps one for an hour, if it is not told otherwise.
_RENEW_S = 1800

_MEMBERS_MAX = 256
_NONCE = 12
_FORGOTTEN = "no secret for ID"

_PLAIN_REQUEST = {
    "/chat/completions": {"model", "stream", "stream_options", "n", "max_tokens", "max_completion_tokens"},
    "/embeddings": {"model"},
}
_PLAIN_ANSWER = {"id", "usage"}


def _order(name):
    """By the bytes, a backslash before `.`, `?` and `*`."""
    return "".join("\\" + c if c in ".?*" else c for c in name).encode()


class Pending:
    """One request and its answer: seals the members of the one, opens those of the other, in order."""

    def __init__(self, secret, name):
        self._aead, self._name, self._nonce = AESGCM(secret), name, os.urandom(_NONCE)
        self._sent = self._received = 0
        self._used = set()  # a field of ours that comes back would open under the same number

    def _seal(self, value):
        iv = os.urandom(_NONCE)
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        self._used.add(iv.hex())
        sealed = self._aead.encrypt(iv, text, self._nonce + struct.pack("<I", self._sent))
        self._sent += 1
        return f"{self._name}:{self._nonce.hex()}:{iv.hex()}:{sealed.hex()}"

    def _open(self, field):
        try:
            name, nonce, iv, text = field.split(":")
            if name != self._name or nonce != self._nonce.hex() or len(iv) != 2 * _NONCE or iv in self._used:
                raise SealError("a sealed field belongs to another request")
            plain = self._aead.decrypt(bytes.fromhex(iv), bytes.fromhex(text), self._nonce + struct.pack("<I", self._received))
            self._received += 1
            return json.loads(plain)
        except InvalidTag:
            raise SealError("a sealed field does not open: it was changed on its way") from None
        except (ValueError, AttributeError):
            raise SealError("the answer holds a field that is not sealed") from None

    def seal(self, body, plain):
        """The JSON object with all members sealed but those named `plain`."""
        if len(body) > _MEMBERS_MAX:
            raise SealError(f"a request with more than {_MEMBERS_MAX} members cannot be sealed")
        sealed = {name: self._seal(body[name]) for name in sorted(body, key=_order) if name not in plain}
        return {name: sealed.get(name, value) for name, value in body.items()}

    def open(self, body, plain=frozenset(_PLAIN_ANSWER)):
        """The object that the other side sealed; SealError where it did not."""
        if not isinstance(body, dict) or not body:
            raise SealError("what came is no sealed answer")
        opened = {name: self._open(body[name]) for name in sorted(body, key=_order) if name not in plain}
        if not opened:
            raise SealError("what came is no sealed answer")
        return {name: opened.get(name, value) for name, value in body.items()}


def _read_json(text):
    try:
        return json.loads(text)
    except ValueError:
        raise SealError("what came is no sealed answer") from None


def _write_json(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class _Fields(Events):
    """Each event is an object with sealed members; `[DONE]`, or an error, is the last.

    Anybody can write `[DONE]`; that a choice is finished was sealed.
    """

    def __init__(self, pending):
        super().__init__()
        self._pending, self._over = pending, False
        self._finished = {}  # by the index of each choice that was begun

    def event(self, data):
        if self._over:
            raise SealError("an event follows the last one")
        if data == b"[DONE]":
            if not self._finished or not all(self._finished.values()):
                self.ended()
            self._over = True
            return b"data: [DONE]\n\n"
        opened = self._pending.open(_read_json(data))
        self._over = set(opened) == {"error"}
        for choice in opened.get("choices", ()):
            index = choice.get("index", 0)
            self._finished[index] = self._finished.get(index, False) or choice.get("finish_reason") is not None
        return b"data: " + _write_json(opened) + b"\n\n"

    def ended(self):
        if not self._over:
            raise CutStream("the sealed stream was cut before its end")


class Secret:
    """A secret that client and gateway share.

    renew_at  time of time.monotonic() from which on a new one should be exchanged
    """

    def __init__(self, name, secret, renew_at):
        self.name, self.renew_at = name, renew_at
        self._secret = secret

    def request(self):
        return Pending(self._secret, self.name)


def _answer(response, *names):
    """The members of an answer that is one, as bytes."""
    if response.status_code != 200:
        raise Declined(response)
    try:
        value = json.loads(response.content)
        return [unb64(value[name]) for name in names]
    except (ValueError, KeyError, TypeError):
        raise SealError("what answers is no gateway that speaks the profile privatemode") from None


def _mesh_ca(document):
    try:
        return x509.load_pem_x509_certificate(unb64(json.loads(document)["mesh_ca"]))
    except (ValueError, KeyError, TypeError):
        raise SealError("the gateway shows no certificate of a mesh CA") from None


def _check_leaf(der, authority, address):
    """The key of the certificate `der`; UntrustedGateway unless `authority` issued it for servers."""
    try:
        leaf = x509.load_der_x509_certificate(der)
        leaf.verify_directly_issued_by(authority)
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        basic = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value
        now = datetime.datetime.now(datetime.timezone.utc)
        good = (x509.oid.ExtendedKeyUsageOID.SERVER_AUTH in usage and not basic.ca
                and leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc
                and isinstance(leaf.public_key(), ec.EllipticCurvePublicKey))
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        good = False
    if not good:
        raise UntrustedGateway(f"The gateway at {address} has a certificate that the trusted mesh CA did not issue for it.")
    return leaf.public_key()


def agree(hello, encapsulated, signature, certificate, authority, address, begun):
    """The secret that an answer to `hello` gives; an error unless the mesh CA vouches for it."""
    key = _check_leaf(certificate, authority, address)
    digest = hashlib.sha256(hello.public + encapsulated).digest()
    try:
        key.verify(signature, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except InvalidSignature:
        raise SealError("the secret is not signed by the gateway's key") from None
    if len(encapsulated) != XWing.CIPHERTEXT:
        raise SealError("the gateway's answer has a member of an impossible length")
    secret = export(XWING_KEM, hello.decapsulate(encapsulated), b"", b"")
    return Secret(b64(hashlib.sha256(hello.public).digest()), secret, begun + _RENEW_S)


class Privatemode:
    """X-Wing only; the key is sent with each request, as Privatemode's own clients do."""

    name = "privatemode"

    @staticmethod
    def suite_of(word):
        """ValueError for a suite that the profile lacks."""
        if word not in ("auto", XWing.name):
            raise ValueError(f"the profile privatemode has one suite: encryption must be auto or {XWing.name}, not {word!r}")
        return XWing.name

    @staticmethod
    def begin(make, plan, trust):
        """Yields requests of the class `make`, is sent their answers, returns a secret."""
        root = plan.base.removesuffix("/v1") + "/privatemode/v1"

        def ask(route, name, value):
            return make("POST", f"{root}/{route}", content=json.dumps({name: b64(value)}), headers=plan.credentials, extensions=plan.extensions)

        authority = trust.mesh_authority()
        if authority is None:
            document, = _answer((yield ask("attest", "Nonce", os.urandom(32))), "AttestationDoc")
            authority = _mesh_ca(document)
            trust.check_mesh(plan.address, authority)
        hello, begun = XWing(), time.monotonic()
        answer = _answer((yield ask("secret", "PublicKey", hello.public)), "EncapsulatedKey", "Signature", "MeshCert")
        return agree(hello, *answer, authority, plan.address, begun)

    @staticmethod
    def seal(plan, secret):
        """Body and headers of the sealed request, and what opens its answer."""
        pending = secret.request()
        sealed = pending.seal(plan.body, _PLAIN_REQUEST[plan.route])
        headers = {"Content-Type": "application/json", "Privatemode-Secret-ID": secret.name, **plan.credentials}
        return _write_json(sealed), headers, pending

    @staticmethod
    def _is_clear(response):
        return response.status_code >= 400 and response.headers.get("privatemode-encrypted") == "false"

    @classmethod
    def is_stream(cls, kind, response):
        return kind == "text/event-stream" and not cls._is_clear(response)

    @classmethod
    def is_whole(cls, kind, response):
        return kind == "application/json" and not cls._is_clear(response)

    @staticmethod
    def stream(pending, status):
        return _Fields(pending)

    @staticmethod
    def whole(pending, response):
        """The open JSON text of an answer that has been read."""
        opened = pending.open(_read_json(response.content))
        if ("error" in opened) != (response.status_code >= 400):
            raise SealError("the status of the answer is not that of what was sealed")
        return _write_json(opened)

    @classmethod
    def is_refusal(cls, kind, response):
        """Whether the gateway does not know the secret any more; the answer has been read."""
        return cls._is_clear(response) and response.status_code == 500 and _FORGOTTEN.encode() in response.content
