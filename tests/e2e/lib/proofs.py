# SPDX-License-Identifier: Apache-2.0
"""Proofs of an audit log made here, for verifiers to judge: written from docs/wire/audit.md alone.

    python3 tests/e2e/lib/proofs.py > tests/vectors/audit.json      writes the known answers anew
"""

import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

ORIGIN = "sotto.example/log"
COUNT = 11


def b64(data):
    return base64.b64encode(data).decode()


def sha256(data):
    return hashlib.sha256(data).digest()


def seed(what):
    return sha256(what.encode())


class Signer:
    def __init__(self, name, what):
        self.name, self.key = name, ed25519.Ed25519PrivateKey.from_private_bytes(seed(what))
        raw = b"\1" + self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.ident = sha256(name.encode() + b"\n" + raw)[:4]
        self.vkey = f"{name}+{self.ident.hex()}+{b64(raw)}"

    def line(self, text):
        return f"\u2014 {self.name} {b64(self.ident + self.key.sign(text.encode()))}\n"


def root(leaves):
    """RFC 6962 2.1."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + root(leaves[:k]) + root(leaves[k:]))


def path(m, leaves):
    """RFC 6962 2.1.1."""
    if len(leaves) == 1:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return path(m, leaves[:k]) + [root(leaves[k:])] if m < k else path(m - k, leaves[k:]) + [root(leaves[:k])]


def ident(number):
    return f"Vector{number:016d}"


def record(number):
    value = {"v": 1, "id": f"audit_{ident(number)}", "kind": "request", "time": "2026-02-10T09:00:00Z", "key": "vectors00000",
             "mode": "hipaa", "status": 200, "outcome": "answered", "entities": {"PERSON": number}}
    return json.dumps(value, separators=(",", ":"))


class Log:
    def __init__(self):
        self.signer = Signer(ORIGIN, "log")
        self.openings = [seed(f"opening {n}") for n in range(COUNT)]
        self.records = [record(n) for n in range(COUNT)]
        self.entries = [b"\1" + ident(n).encode() + hmac.digest(self.openings[n], self.records[n].encode(), "sha256") for n in range(COUNT)]
        self.leaves = [sha256(b"\0" + entry) for entry in self.entries]

    def parts(self, n, size=COUNT):
        """What an answer is made of; the caller may change it before it becomes one."""
        leaves = self.leaves[:size]
        return {"id": f"audit_{ident(n)}", "record": self.records[n], "entry": self.entries[n], "opening": self.openings[n], "index": n,
                "path": path(n, leaves), "text": f"{ORIGIN}\n{size}\n{b64(root(leaves))}\n", "signers": [self.signer], "erased": False}


def answer(parts):
    lines = ["c2sp.org/tlog-proof@v1", f"index {parts['index']}", *(b64(node) for node in parts["path"])]
    checkpoint = parts["text"] + "\n" + "".join(signer.line(parts.get("signed", parts["text"])) for signer in parts["signers"])
    proof = parts.get("proof", "\n".join(lines) + "\n\n" + checkpoint)
    tail = f',"proof":{json.dumps(proof, ensure_ascii=False)},"entry":"{b64(parts["entry"])}"'
    if parts["erased"]:
        return '{"erased":true' + tail + "}"
    return f'{{"record":{parts["record"]}{tail},"opening":"{b64(parts["opening"])}"}}'


def flip(data, at=0):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def wrong_ones(log):
    """(what, step, changes of a right answer)."""
    right = log.parts(5)
    other = Signer(ORIGIN, "another log of that name")
    stranger = Signer("sotto.example/other", "log")
    swapped = [*right["path"][1:2], *right["path"][:1], *right["path"][2:]]
    forged = record(5).replace('"hipaa"', '"standard"')
    return [
        ("the record was changed", "record", {"record": forged}),
        ("the opening was changed", "record", {"opening": flip(log.openings[5])}),
        ("the record is that of another request", "record",
         {"record": log.records[4], "entry": right["entry"][:23] + hmac.digest(log.openings[5], log.records[4].encode(), "sha256")}),
        ("the entry is that of another request", "entry", {"entry": log.entries[4], "record": log.records[4], "opening": log.openings[4]}),
        ("the entry is of another version", "entry", {"entry": b"\2" + right["entry"][1:]}),
        ("the entry is too short", "entry", {"entry": right["entry"][:-1]}),
        ("record and entry were made anew", "inclusion", {"record": forged, "entry": right["entry"][:23] + hmac.digest(log.openings[5], forged.encode(), "sha256")}),
        ("the index is another one", "inclusion", {"index": 4}),
        ("the index is outside", "inclusion", {"index": COUNT}),
        ("a hash was changed", "inclusion", {"path": [flip(right["path"][0]), *right["path"][1:]]}),
        ("two hashes are swapped", "inclusion", {"path": swapped}),
        ("a hash is missing", "inclusion", {"path": right["path"][:-1]}),
        ("there is a hash too many", "inclusion", {"path": [*right["path"], right["path"][0]]}),
        ("the root is another one", "inclusion", {"text": f"{ORIGIN}\n{COUNT}\n{b64(seed('root'))}\n"}),
        ("the size is another one", "inclusion", {"text": right["text"].replace(f"\n{COUNT}\n", "\n4\n")}),
        ("nobody signed", "signature", {"signers": []}),
        ("another key of that name signed", "signature", {"signers": [other]}),
        ("a log of another name signed", "signature", {"signers": [stranger]}),
        ("another checkpoint was signed", "signature", {"signed": right["text"].replace(f"\n{COUNT}\n", "\n12\n")}),
        ("the proof is of another form", "form", {"proof": "c2sp.org/tlog-proof@v2\nindex 5\n\n"}),
        ("the proof has no checkpoint", "form", {"proof": "c2sp.org/tlog-proof@v1\nindex 5\n"}),
        ("the index has a leading zero", "form", {"index": "05"}),
        ("the index has sixteen digits", "form", {"index": "1000000000000000"}),
        ("a hash is too short", "form", {"path": [right["path"][0][:31], *right["path"][1:]]}),
        ("the path is longer than any tree", "form", {"path": [seed(str(n)) for n in range(65)]}),
    ]


def vectors():
    log, rows = Log(), []

    def add(what, parts, step=None):
        rows.append({"what": what, "id": parts["id"], "answer": answer(parts), "step": step})

    for size in (1, 2, 3, 7, 8, COUNT):
        for n in sorted({0, size // 2, size - 1}):
            add(f"leaf {n} of {size}", log.parts(n, size))
    add("the record was erased", {**log.parts(5), "erased": True})
    add("a witness signed too", {**log.parts(5), "signers": [Signer("witness.example", "witness"), log.signer]})
    for what, step, changes in wrong_ones(log):
        add(what, {**log.parts(5), **changes}, step)
    rows.append({"what": "an answer that is no JSON", "id": rows[0]["id"], "answer": "<html>", "step": "form"})
    rows.append({"what": "an answer without an entry", "id": rows[0]["id"], "answer": '{"record":{},"proof":""}', "step": "form"})
    return {"about": "Answers of GET /v1/audit/{id} (docs/wire/audit.md); `step` is what does not hold, null: all of it does.",
            "vkey": log.signer.vkey, "answers": rows}


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=1, ensure_ascii=False))
