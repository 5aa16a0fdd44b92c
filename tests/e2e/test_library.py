#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""libsotto against a running gateway: sealed conversations and proofs, in C and through ctypes."""

import base64
import ctypes
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from lib.gateway import Gateway, config
from lib.provider import Provider, completion
from lib.speed import SLOW
from lib.tap import Tap, skip_all
from lib.wire import events, wait_until

ROOT = pathlib.Path(os.environ.get("SOTTO_SOURCE") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("SOTTO_BUILD") or ROOT / "build")
SHARED = BUILD / "src/library/libsotto.so"
if not SHARED.is_file():
    skip_all("the library is not built: sanitizers look at its objects alone")
SEALED = "application/vnd.sotto.sealed"
PATH = "/v1/chat/completions"

t = Tap()


def answer(seen, out):
    if seen.json.get("stream"):
        return out.speak(seen, f"Dear {seen.token('PERSON')}: done.")
    return out.whole(completion(f"I got {len(seen.tokens)} tokens."))


provider = Provider(answer)
gateway = Gateway(config(provider, models={"*": "scripted"}, audit={"durability": "strict"}))
lib = ctypes.CDLL(str(SHARED))
P, S, CP = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p


def keys():
    return json.loads(gateway.request("GET", "/v1/seal/keys").body)


def signing_key():
    return base64.b64decode(keys()["signing_key"])


def taken(text, length):
    got = ctypes.string_at(text, length.value)
    lib.sotto_text_free(text)
    return got


def begin(suite, key=None):
    """A session of a suite, or the status with which it was refused."""
    row = next(row for row in keys()["suites"] if row["suite"] == suite)
    published = base64.b64decode(row.get("public_key", ""))
    hello, body, length, sealer = P(), P(), S(), P()
    status = lib.sotto_hello_new(suite.encode(), published, S(len(published)), ctypes.byref(body), ctypes.byref(length), ctypes.byref(hello))
    t.same(status, 0, f"{suite}: a hello")
    got = gateway.post("/v1/seal/session", taken(body, length))
    status = lib.sotto_hello_finish(hello, got.body, S(len(got.body)), key or signing_key(), ctypes.byref(sealer))
    lib.sotto_hello_free(hello)
    return sealer if status == 0 else status


def seal(sealer, text, model="gpt-4"):
    body, length, opener = P(), S(), P()
    status = lib.sotto_sealer_seal(sealer, b"POST", PATH.encode(), model.encode(), text, S(len(text)), ctypes.byref(body), ctypes.byref(length), ctypes.byref(opener))
    assert status == 0, status
    return taken(body, length), opener


def ask(sealer, stream=False):
    text = json.dumps({"model": "gpt-4", "stream": stream, "messages": [{"role": "user", "content": "I am Margaret Thornbury."}]}).encode()
    body, opener = seal(sealer, text)
    return gateway.request("POST", PATH, [("Content-Type", SEALED)], body), opener


def open_whole(opener, got):
    text, length = P(), S()
    status = lib.sotto_opener_answer(opener, got.status, got.body, S(len(got.body)), ctypes.byref(text), ctypes.byref(length))
    return taken(text, length) if status == 0 else status


def open_events(opener, got):
    out, last = [], ctypes.c_int(0)
    for data in events(got.body):
        text, length = P(), S()
        data = data.encode() if isinstance(data, str) else data
        status = lib.sotto_opener_event(opener, data, S(len(data)), ctypes.byref(text), ctypes.byref(length), ctypes.byref(last))
        if status != 0:
            return status, last.value
        out.append(taken(text, length))
    return out, last.value


@t.case
def conversations():
    wait_until(lambda: all("public_key" in row for row in keys()["suites"] if row["suite"] == "rsa4096"), 120, 0.2)
    for suite in ("x-wing", "kyber512", "rsa4096"):
        sealer = begin(suite)
        got, opener = ask(sealer)
        text = open_whole(opener, got)
        t.ok(got.status == 200 and isinstance(text, bytes) and json.loads(text)["choices"][0]["message"]["content"] == "I got 1 tokens.", f"{suite}: a request there and back", (got.status, text))
        said = json.loads(text)["encryption"]
        t.same((said["algorithm"], said["scope"]), (suite, "end_to_end"), f"{suite}: and the answer says what it was sealed with")
        lib.sotto_opener_free(opener)
        got, opener = ask(sealer, stream=True)
        chunks, last = open_events(opener, got)
        words = "".join(c["delta"].get("content") or "" for one in chunks if one for c in json.loads(one)["choices"])
        t.same((words, last), ("Dear Margaret Thornbury: done.", 1), f"{suite}: a stream")
        lib.sotto_opener_free(opener)
        lib.sotto_sealer_free(sealer)


@t.case
def refusals():
    t.same(begin("x-wing", bytes(32)), 8, "a gateway with another key is refused")
    sealer = begin("x-wing")
    got, opener = ask(sealer)
    changed = got.body[:40] + bytes([got.body[40] ^ 1]) + got.body[41:]
    t.same(open_whole(opener, type("Got", (), {"status": 200, "body": changed})), 8, "a changed answer is refused")
    lib.sotto_opener_free(opener)
    got, opener = ask(sealer)
    t.same(open_whole(opener, type("Got", (), {"status": 400, "body": got.body})), 8, "and another status")
    lib.sotto_opener_free(opener)
    lib.sotto_sealer_free(sealer)


class Trust(ctypes.Structure):
    _fields_ = [("size", S), ("log", CP), ("witnesses", P), ("least_witnesses", S)]


class Place(ctypes.Structure):
    _fields_ = [("size", S), ("index", ctypes.c_uint64), ("entries", ctypes.c_uint64), ("witnesses", S)]


def vkey():
    return gateway.command_line("audit", "vkey", "--state", str(gateway.state)).stdout.decode().strip()


def entry():
    audit_id = gateway.chat("I am Margaret Thornbury.").get("x-sotto-audit-id")
    got = []
    wait_until(lambda: got.append(gateway.request("GET", f"/v1/audit/{audit_id}", gateway.headers())) or got[-1].status != 202, 60, 0.1)
    return audit_id, got[-1].body


@t.case
def proofs():
    audit_id, body = entry()
    trust, place = Trust(ctypes.sizeof(Trust), vkey().encode(), None, 0), Place(ctypes.sizeof(Place))

    def prove(name, said):
        record, length = P(), S()
        status = lib.sotto_proof_answer(ctypes.byref(trust), name.encode(), said, S(len(said)), ctypes.byref(record), ctypes.byref(length), ctypes.byref(place))
        return taken(record, length) if status == 0 else status

    record = prove(audit_id, body)
    t.ok(isinstance(record, bytes) and json.loads(record)["id"] == audit_id, "an entry of a running gateway is proved", record)
    t.ok(place.index < place.entries, "with its place in the log")
    t.same(prove("audit_" + "0" * 22, body), 8, "it is not the entry of another request")
    t.same(prove(audit_id, body.replace(b'"status":200', b'"status":500')), 8, "nor with another record")


NEEDS = subprocess.run(["pkg-config", "--static", "--libs-only-l", str(SHARED.parent / "sotto.pc")], capture_output=True, text=True, timeout=60, check=True).stdout.split()
WAYS = {"shared": [f"-L{SHARED.parent}", f"-Wl,-rpath,{SHARED.parent}", "-lsotto"],
        "static": [str(SHARED.parent / "libsotto.a"), *(word for word in NEEDS if word != "-lsotto")]}


def program(folder, name, way):
    out = folder / f"{name}-{way}"
    built = subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include", str(ROOT / f"docs/examples/{name}.c"), "-o", str(out), *WAYS[way]],
                           capture_output=True, text=True, timeout=120 * SLOW, check=False)
    t.same((built.returncode, built.stderr), (0, ""), f"{name}.c compiles against the {way} library")
    return str(out)


@t.case
def examples():
    if not shutil.which("cc"):
        return t.skip("the examples in C", "there is no C compiler")
    audit_id, body = entry()
    with tempfile.TemporaryDirectory(prefix="sotto-library-") as name:
        folder = pathlib.Path(name)
        for way in WAYS:
            got = subprocess.run([program(folder, "library-seal", way), str(gateway.port), gateway.key, signing_key().hex()], capture_output=True, timeout=60 * SLOW, check=False)
            t.ok(got.returncode == 0 and json.loads(got.stdout)["encryption"]["scope"] == "end_to_end", f"library-seal, {way}: one sealed question", got)
            got = subprocess.run([program(folder, "library-proof", way), vkey(), audit_id], input=body, capture_output=True, timeout=60 * SLOW, check=False)
            t.ok(got.returncode == 0 and audit_id.encode() in got.stdout, f"library-proof, {way}: one entry", got)
    return None


gateway.finish(t)
provider.close()
t.done()
