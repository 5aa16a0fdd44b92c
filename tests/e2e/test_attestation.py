#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Evidence of the machine, as the kernel gives it: from a folder that behaves alike."""

import base64
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile

from lib.gateway import Gateway, config, environment, need_binary
from lib.provider import Provider
from lib.speed import binary
from lib.tap import Tap
from lib.tsm import Kernel
from lib.wire import TIMEOUT

need_binary()
t = Tap()


def start(**sealing):
    """A gateway that cannot start, or does: its words."""
    file = pathlib.Path(tempfile.mkdtemp(prefix="sotto-att-")) / "c.yaml"
    file.write_text(json.dumps({**config(provider), "sealing": sealing}))
    return subprocess.run([binary(), "serve", "--config", str(file), "--state", str(file.parent / "state"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"],
                          capture_output=True, env=environment(), timeout=TIMEOUT, check=False)


provider = Provider()
kernel = Kernel()
gateway = Gateway({**config(provider), "sealing": {"tsm": str(kernel.path), "evidence": "required"}})


@t.case
def native():
    """Evidence for clients of the profile native"""
    nonce = os.urandom(32)
    keys = json.loads(gateway.request("GET", f"/v1/seal/keys?nonce={nonce.hex()}").body)
    said = keys["attestation"]
    t.same((said["tee"], said["attested"]), ("sev-snp", True), "it says of what kind")
    want = hashlib.sha256(b"sotto-native-1 evidence".ljust(24, b"\0") + base64.b64decode(keys["signing_key"])).digest() + nonce
    t.same(kernel.asked[-1], want, "the kernel was asked about the key and the nonce")
    evidence = base64.b64decode(said["evidence"])
    t.same((evidence[0x50:0x90], evidence[1184:]), (want, b"table"), "the evidence is the report and the host's table")
    t.same(base64.b64decode(said["report_data"]), want, "and what it vouches for is said")


@t.case
def broken():
    """A report about something else"""
    kernel.broken = True
    answer = gateway.request("GET", f"/v1/seal/keys?nonce={'00' * 32}")
    t.ok(answer.status >= 500 and b"evidence" not in answer.body, "is not given out", answer.body)
    kernel.broken = False
    t.same(gateway.request("GET", f"/v1/seal/keys?nonce={'00' * 32}").status, 200, "the next one is")


@t.case
def nothing():
    """A machine without"""
    done = start(tsm="/nonexistent", evidence="required")
    t.ok(done.returncode == 1 and b"sealing.evidence" in done.stderr, "does not start where evidence is required", done)
    plain = Gateway({**config(provider), "sealing": {"tsm": "/nonexistent"}})
    said = json.loads(plain.request("GET", "/v1/seal/keys").body)["attestation"]
    t.same((said["tee"], said["attested"], "evidence" in said), ("none", False, False), "says plainly that there is none")
    plain.finish(t)


provider.finish(t)
gateway.finish(t)
t.done()
