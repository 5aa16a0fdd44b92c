#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Witnesses of the audit log: cosignatures made here (C2SP tlog-cosignature), taken, shown, kept and checked against."""

import base64
import hashlib
import json
import re
import shutil
import struct

from lib import packages
from lib.gateway import Gateway, config, need_binary
from lib.provider import Provider
from lib.tap import Tap, skip_all
from lib.wire import wait_until

need_binary()
try:
    packages.under(packages.venv("cryptography", packages.CRYPTOGRAPHY))
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519
except packages.Missing as missing:
    skip_all(str(missing))

PATIENT = 60
t = Tap()
cosigned = []  # notes of this log
provider = Provider()


class Witness:
    def __init__(self, name):
        self.name, self.key = name, ed25519.Ed25519PrivateKey.generate()
        raw = b"\4" + self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.ident = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        self.vkey = f"{name}+{self.ident.hex()}+{base64.b64encode(raw).decode()}"

    def line(self, text, when=1790000000):
        signed = b"cosignature/v1\ntime %d\n" % when + text
        data = self.ident + struct.pack(">Q", when) + self.key.sign(signed)
        return f"\u2014 {self.name} {base64.b64encode(data).decode()}\n".encode()

    def cosign(self, note):
        return note + self.line(note.split(b"\n\n")[0] + b"\n")


known, stranger = Witness("witness.example/w1"), Witness("witness.example/w2")
gateway = Gateway(config(provider, audit={"witnesses": [known.vkey]}))
folder = gateway.state / "audit"
admin = gateway.headers(gateway.make_key("--scopes", "admin"))
vkey = gateway.command_line("audit", "vkey", "--state", str(gateway.state)).stdout.decode().strip()


def checkpoint():
    return gateway.request("GET", "/log/checkpoint", admin).body


def grow(count=5):
    """Requests, and the checkpoint that covers the last of them."""
    last = [gateway.chat("Hello").get("x-sotto-audit-id") for _ in range(count)][-1]
    wait_until(lambda: gateway.request("GET", f"/v1/audit/{last}", gateway.headers()).status == 200, PATIENT, 0.05)
    return checkpoint()


def verify(place, *words, witnesses=(known,), note=None):
    if note is not None:
        file = gateway.folder / "cosigned"
        file.write_bytes(note)
        words += ("--cosigned", str(file))
    return gateway.command_line("audit", "verify", str(place), "--vkey", vkey, "--witness", ",".join(w.vkey for w in witnesses), *words)


def says(done, status, pattern, what):
    t.ok(done.returncode == status and re.search(pattern, (done.stderr if status else done.stdout).decode()), what, done)


@t.case
def taken_and_kept():
    note = grow()
    answers = [gateway.request("POST", "/log/cosignatures", admin, body).status for body in (
        stranger.cosign(note), known.cosign(b"x" + note), b"nonsense\n", note + known.line(b"something else\n"), known.cosign(note))]
    t.same(answers, [403, 422, 400, 422, 200], "a cosignature is taken of a known witness alone, of this log, with a signature that holds")
    kept = list((folder / "witnessed").iterdir())
    t.same([p.name for p in kept], [known.ident.hex()], "it is kept")
    t.ok(kept[0].read_bytes().startswith(note.split(b"\n\n")[0]) and known.line(note.split(b"\n\n")[0] + b"\n") in kept[0].read_bytes(), "with the checkpoint")


@t.case
def checked_against():
    note = known.cosign(grow())
    cosigned.append(note)
    says(verify(folder, note=note), 0, "entries, all as signed", "a log that has what was cosigned is whole")
    grow()
    done = verify(folder, "--json", note=note)
    t.ok(done.returncode == 0 and json.loads(done.stdout)["entries"] > int(note.split(b"\n")[1]), "so is one that went on", done)
    own = note.removesuffix(known.line(note.split(b"\n\n")[0] + b"\n"))
    says(verify(folder, note=stranger.cosign(own)), 1, "no checkpoint of this log that one of the witnesses cosigned",
         "a checkpoint of another witness says nothing")
    says(verify(folder, note=b"nonsense\n"), 1, "no checkpoint of this log that one of the witnesses cosigned", "what is no note neither")
    says(verify(folder, note=own), 1, "no checkpoint of this log", "nor one that nobody cosigned")
    damaged = bytearray(note)
    damaged[-20] ^= 1
    says(verify(folder, note=bytes(damaged)), 1, "no checkpoint of this log", "nor one whose cosignature is wrong")
    says(verify(folder, "--cosigned", "/nowhere/at/all"), 1, "/nowhere/at/all", "a file that is missing is named")
    says(gateway.command_line("audit", "verify", str(folder), "--vkey", vkey, "--witness", "no+key"), 2, "--witness must be keys like", "and so is what is no key")


@t.case
def shown():
    copy = gateway.folder / "public"
    t.same(gateway.command_line("audit", "export", "--state", str(gateway.state), "--out", str(copy)).returncode, 0, "the public files are exported")
    says(verify(copy), 0, "cosigned by 0 of 1 witnesses", "a checkpoint that nobody cosigned")
    says(verify(copy, note=cosigned[0]), 0, "all as signed", "an earlier cosigned one is checked without the tiles of its time")
    file = copy / "checkpoint"
    plain = file.read_bytes()
    file.write_bytes(known.cosign(plain))
    says(verify(copy), 0, "cosigned by 1 of 1 witnesses", "cosignatures on it are counted")
    says(verify(copy, witnesses=(known, stranger)), 0, "cosigned by 1 of 2 witnesses", "of each witness that is named")
    file.write_bytes(stranger.cosign(known.cosign(plain)))
    t.same(json.loads(verify(copy, "--json", witnesses=(known, stranger)).stdout)["witnesses"], 2, "in JSON, too")


@t.case
def rolled_back_and_rewritten():
    """The state folder is put back as a whole, and goes on otherwise."""
    grow()
    t.same(gateway.stop(), 0, "the gateway stops")
    old = gateway.folder / "old"
    shutil.copytree(folder, old)
    gateway.start()
    note = known.cosign(grow(9))
    t.same(gateway.request("POST", "/log/cosignatures", admin, note).status, 200, "a later checkpoint is cosigned")
    t.same(gateway.stop(), 0, "the gateway stops")
    size = int(note.split(b"\n")[1])
    says(verify(old, note=note), 1, rf"the log was rolled back: entries \d+ to {size - 1}, which the witness {known.name} cosigned, are missing", "a log that was rolled back is found out")
    says(gateway.command_line("audit", "verify", str(old), "--vkey", vkey), 0, "all as signed", "which by itself looks whole")

    witnessed = gateway.folder / "witnessed"
    shutil.copytree(folder / "witnessed", witnessed)
    shutil.rmtree(folder)
    shutil.copytree(old, folder)
    shutil.rmtree(folder / "witnessed")
    shutil.copytree(witnessed, folder / "witnessed")
    try:
        gateway.start()
        t.ok(False, "the gateway does not start on it")
    except RuntimeError as error:
        t.ok("rolled back" in str(error) or "cosigned" in str(error), "the gateway does not start on it, where the cosignature is there, and says why", str(error)[-600:])
    shutil.rmtree(folder / "witnessed")
    gateway.start()
    while int(grow(4).split(b"\n")[1]) < size:
        pass
    t.same(gateway.stop(), 0, "without it, it does, and goes on otherwise")
    says(verify(folder, note=note), 1, rf"the log was rewritten: the first {size} entries are not those that the witness {known.name} cosigned", "which is found out as well")
    gateway.start()


provider.finish(t)
gateway.finish(t)
t.done()
