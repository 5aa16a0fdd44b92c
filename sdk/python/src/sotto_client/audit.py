# SPDX-License-Identifier: Apache-2.0
"""An entry of a gateway's audit log, checked without trusting the gateway (docs/audit-log.md).

    entry      = 0x01 id commitment             commitment = HMAC-SHA-256(opening, record)
    leaf       = SHA-256(0x00 entry)            node = SHA-256(0x01 left right)       RFC 6962
    proof      = "c2sp.org/tlog-proof@v1", index, hashes, a blank line, a checkpoint  C2SP
    checkpoint = origin, size, root, a blank line, signatures (Ed25519)               C2SP
"""

import base64
import hashlib
import hmac
import json
import re
import time
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519

from .errors import AuditError, AuditPending

_MAGIC = "c2sp.org/tlog-proof@v1"
_ENTRY = 1 + 22 + 32
_PATH_MAX = 64  # a tree of 2^64 leaves
_ANSWER_MAX = 1 << 20
_NUMBER = re.compile(r"0|[1-9][0-9]{0,14}")
_VKEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)")


@dataclass(frozen=True)
class AuditEntry:
    """An entry that holds.

    record  what the gateway wrote down of the request; None where it was erased
    erased  whether the record is destroyed; the entry and its proof remain
    index   place of the entry in the log
    size    entries under the checkpoint
    origin  name of the log
    """

    id: str
    record: dict | None
    erased: bool
    index: int
    size: int
    origin: str


def _unb64(text, size=None):
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, TypeError):
        raise AuditError("form", "it holds text that is no base64") from None
    if size is not None and len(data) != size:
        raise AuditError("form", "it holds a value of an impossible length")
    return data


def _number(text):
    if not _NUMBER.fullmatch(text):
        raise AuditError("form", "it holds a number in another form than C2SP's")
    return int(text)


class _Proof:
    """The parts of a C2SP tlog-proof."""

    def __init__(self, text):
        head, cut, checkpoint = text.partition("\n\n")
        said, end, signatures = checkpoint.partition("\n\n")
        lines, three = head.split("\n"), said.split("\n")
        if not cut or not end or lines[0] != _MAGIC or len(lines) < 2 or not lines[1].startswith("index ") or len(three) < 3:
            raise AuditError("form", "its proof is not one of C2SP's form")
        if len(lines) - 2 > _PATH_MAX:
            raise AuditError("form", "its proof is too long")
        self.index = _number(lines[1].removeprefix("index "))
        self.path = [_unb64(line, 32) for line in lines[2:]]
        self.origin, self.size, self.root = three[0], _number(three[1]), _unb64(three[2], 32)
        self.signed = (said + "\n").encode()
        self.signatures = [line for line in signatures.split("\n") if line]


def _sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def _follow(leaf, proof):
    """The root to which the path leads (RFC 9162 2.1.3.2); None where the path has another length."""
    at, last, node = proof.index, proof.size - 1, leaf
    if at > last:
        return None
    for other in proof.path:
        if last == 0:
            return None
        if at & 1 or at == last:
            node = _sha256(b"\1", other, node)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            node = _sha256(b"\1", node, other)
        at, last = at >> 1, last >> 1
    return node if last == 0 else None


def parse_log_key(vkey):
    """(name, id, Ed25519 key) of "NAME+HASH+KEY", as `sotto audit vkey` prints it; else ValueError."""
    parts = _VKEY.fullmatch(vkey.strip())
    try:
        raw = base64.b64decode(parts[3], validate=True) if parts else b""
    except ValueError:
        raw = b""
    if len(raw) != 33 or raw[0] != 1:
        raise ValueError("a log's key is written NAME+HASH+KEY: `sotto audit vkey` prints it")
    ident = _sha256(parts[1].encode(), b"\n", raw)[:4]
    if ident.hex() != parts[2]:
        raise ValueError("this is no log's key: its hash does not fit")
    return parts[1], ident, raw[1:]


def _check_signature(proof, vkey):
    name, ident, key = parse_log_key(vkey)
    if name != proof.origin:
        raise AuditError("signature", f"the checkpoint is of the log {proof.origin!r}, not of {name!r}")
    for line in proof.signatures:
        if not line.startswith(f"\u2014 {name} "):
            continue
        signature = _unb64(line.rsplit(" ", 1)[1])
        if signature[:4] != ident:
            continue
        try:
            return ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature[4:], proof.signed)
        except InvalidSignature:
            raise AuditError("signature", "the log's signature of the checkpoint is wrong") from None
    raise AuditError("signature", "the checkpoint bears no signature of the log's key")


def _record_bytes(body):
    """The record as it stands there: it counts byte for byte."""
    end = body.rfind(b',"proof":')
    if not body.startswith(b'{"record":') or end < 0:
        raise AuditError("form", "it has no record where one belongs")
    return body[len(b'{"record":') : end]


def _committed(audit_id, body, said, entry):
    """The record, which the entry commits to."""
    text = _record_bytes(body)
    if not _same(hmac.digest(_unb64(said.get("opening"), 32), text, "sha256"), entry[23:]):
        raise AuditError("record", "the entry commits to another record")
    try:
        record = json.loads(text)
    except ValueError:
        raise AuditError("form", "its record is no JSON") from None
    if not isinstance(record, dict) or record.get("id") != audit_id:
        raise AuditError("record", "the record is that of another request")
    return record


def _same(a, b):
    return hmac.compare_digest(a, b)


def verify_audit(audit_id, body, log_key):
    """Checks the answer of `GET /v1/audit/{id}`; returns an AuditEntry.

    audit_id  "audit_" and 22 symbols, as the request's answer named it
    body      the answer's bytes, as they came
    log_key   the log's key, NAME+HASH+KEY

    Raises AuditError, whose `step` says what does not hold.
    """
    if len(body) > _ANSWER_MAX:
        raise AuditError("form", "it is too long")
    try:
        said = json.loads(body)
        erased = said.get("erased") is True
        entry, proof = _unb64(said["entry"]), _Proof(said["proof"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AuditError("form", "it is not what a gateway answers") from None
    if len(entry) != _ENTRY or entry[0] != 1 or not _same(entry[1:23], audit_id.removeprefix("audit_").encode()):
        raise AuditError("entry", f"the entry is not that of {audit_id}")
    record = None if erased else _committed(audit_id, body, said, entry)
    root = _follow(_sha256(b"\0", entry), proof)
    if root is None or not _same(root, proof.root):
        raise AuditError("inclusion", "the hashes do not lead from the entry to the checkpoint's root")
    _check_signature(proof, log_key)
    return AuditEntry(audit_id, record, erased, proof.index, proof.size, proof.origin)


_ID = re.compile(r"audit_[0-9A-Za-z]{22}")
_WAIT = 0.25


def reading(audit_id, logs, base_url, timeout):
    """Reads and checks an entry, without I/O: yields ("get", URL) and is sent (status, bytes), or yields
    ("wait", seconds); returns the AuditEntry.

    logs  which log is believed: see trust.Logs
    """
    if not _ID.fullmatch(audit_id):
        raise ValueError('an audit id is "audit_" and 22 letters and digits')
    until = time.monotonic() + timeout
    base = base_url.rstrip("/")
    status, body = yield "get", f"{base}/audit/{audit_id}"
    while status == 202:
        if time.monotonic() >= until:
            raise AuditPending(f"The entry of {audit_id} is not under a checkpoint yet: ask again.")
        yield "wait", _WAIT
        status, body = yield "get", f"{base}/audit/{audit_id}"
    vkey = logs.pinned
    if vkey is None:
        _, shown = yield "get", f"{base.removesuffix('/v1')}/log/vkey"
        vkey = logs.check(base_url, shown)
    return verify_audit(audit_id, body, vkey)
