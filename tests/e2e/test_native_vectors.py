#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""The known answers of the profile native, computed in Python and in JavaScript: the C code's test has
the same file."""

import json
import pathlib
import shutil
import subprocess

from lib import packages
from lib.tap import Tap, skip_all
from lib.wire import TIMEOUT

try:
    packages.under(packages.venv("cryptography", packages.CRYPTOGRAPHY))
except packages.Missing as missing:
    skip_all(str(missing))

from lib import native  # noqa: E402  (needs the packages)

t = Tap()
vectors = pathlib.Path(__file__).parents[1] / "vectors"


@t.case
def python():
    known = json.loads((vectors / "native.json").read_text())
    t.same(native.vectors(json.loads((vectors / "hpke.json").read_text())), known, "Python computes the known answers")
    x_wing = next(v for v in known["sessions"] if v["suite"] == "x-wing")
    pair = native.XWing(bytes.fromhex(x_wing["client_seed"]))
    t.same(pair.public.hex(), x_wing["public_key"], "X-Wing put together from cryptography's ML-KEM and X25519 has the public key")
    secret = pair.open(bytes.fromhex(x_wing["ciphertext"]))
    shared = native.hpke_export(native.KEM["x-wing"], secret, b"sotto-native-1", b"session")
    t.same(shared.hex(), x_wing["shared"], "and opens the ciphertext")


@t.case
def javascript():
    try:
        node, modules = packages.node(*packages.HPKE, name="node-hpke")
    except packages.Missing as missing:
        t.skip("JavaScript computes the known answers", str(missing))
        return
    program = modules / "native.mjs"
    shutil.copyfile(pathlib.Path(__file__).parent / "lib/native.mjs", program)
    done = subprocess.run([str(node), str(program), "vectors", str(vectors / "native.json")], capture_output=True, text=True, timeout=TIMEOUT * 6, check=False)
    got = json.loads(done.stdout) if done.stdout else done.stderr
    t.same(got, {"sessions": 2, "requests": 3, "answers": 3, "wrong": []}, "JavaScript computes the known answers")


t.done()
