#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""`sotto proxy --trust evidence`: only a gateway for which a trusted execution environment vouches."""

import base64
import http.client
import json
import pathlib
import re
import signal
import subprocess
import tempfile
from types import SimpleNamespace

from lib import packages
from lib.gateway import Gateway, config, environment, need_binary
from lib.provider import Provider, completion
from lib.speed import binary
from lib.tap import Tap, skip_all
from lib.user_proxy import Middle
from lib.wire import TIMEOUT

need_binary()
try:
    packages.under(packages.venv("cryptography", packages.CRYPTOGRAPHY))
except packages.Missing as missing:
    skip_all(str(missing))

from lib import maker  # noqa: E402  (needs the packages)
from lib.tsm import Kernel  # noqa: E402

t = Tap()
provider = Provider(lambda seen, out: out.whole(completion("done")))
chip = maker.Chip()
gateway = Gateway({**config(provider), "sealing": {"tsm": str(chip.path), "evidence": "required"}})
folder = tempfile.mkdtemp(prefix="sotto-evidence-")


def ask(at, *words):
    """One question through a proxy of its own: its status, and the answer or the error's sentence."""
    command = [binary(), "proxy", "--gateway", f"http://127.0.0.1:{at.port}/v1", "--listen", "127.0.0.1:0", *words]
    env = environment({"XDG_CONFIG_HOME": folder, "SOTTO_API_KEY": at.key})
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as process:
        try:
            port = int(re.match(r"ready: http://127\.0\.0\.1:(\d+)$", process.stdout.readline().decode())[1])
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
            body = json.dumps({"model": "gpt-4", "messages": [{"role": "user", "content": "hello"}]})
            link.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
            answer = link.getresponse()
            said = json.loads(answer.read())
            link.close()
            return answer.status, said["error"]["message"] if "error" in said else said["choices"][0]["message"]["content"]
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(TIMEOUT)


@t.case
def believed():
    t.same(ask(gateway, "--trust", "evidence", "--roots", chip.root), (200, "done"), "a gateway with genuine evidence is believed")
    measured = f"evidence:{'00' * 48},{maker.MEASUREMENT.hex()}"
    t.same(ask(gateway, "--trust", measured, "--roots", chip.root), (200, "done"), "and one of these measurements")
    t.ok(not (pathlib.Path(folder) / "sotto").exists(), "nothing is remembered: evidence is asked for each time")


@t.case
def refused():
    seen = len(provider.seen)
    plain = Gateway(config(provider))
    unsigned = Kernel()
    faked = Gateway({**config(provider), "sealing": {"tsm": str(unsigned.path), "evidence": "required"}})
    for what, at, words, why in (
        ("no evidence", plain, ("evidence",), "it shows none"),
        ("another measurement", gateway, (f"evidence:{'11' * 48}", "--roots", chip.root), "the measurement is not among those allowed"),
        ("another maker", gateway, ("evidence",), "the certificates do not lead to a root of the maker"),
        ("no certificates", faked, ("evidence",), "the table of certificates cannot be read"),
    ):
        status, said = ask(at, "--trust", *words)
        t.same(status, 502, f"{what} is refused")
        t.has(said, why, "in a clear sentence")
    t.same(len(provider.seen), seen, "and nothing was sent")
    plain.finish(t)
    faked.finish(t)


@t.case
def mesh():
    """The profile privatemode, where evidence vouches for the mesh CA"""
    words = ("--profile", "privatemode", "--trust")
    t.same(ask(gateway, *words, "evidence", "--roots", chip.root), (200, "done"), "a gateway with genuine evidence is believed")
    t.same(ask(gateway, *words, f"evidence:{maker.MEASUREMENT.hex()}", "--roots", chip.root), (200, "done"), "and one with the measurement")
    t.ok(not (pathlib.Path(folder) / "sotto").exists(), "nothing is remembered")
    seen = len(provider.seen)
    plain = Gateway(config(provider))
    for what, at, given, why in (
        ("no evidence", plain, ("evidence",), "it shows none"),
        ("another measurement", gateway, (f"evidence:{'11' * 48}", "--roots", chip.root), "the measurement is not among those allowed"),
        ("another maker", gateway, ("evidence",), "the certificates do not lead to a root of the maker"),
    ):
        status, said = ask(at, *words, *given)
        t.same(status, 502, f"{what} is refused")
        t.has(said, why, "in a clear sentence")
    middle = Middle(gateway.port)

    def another_ca(path, answer):
        if path == "/privatemode/v1/attest":
            document = json.loads(base64.b64decode(json.loads(answer.body)["AttestationDoc"]))
            document["mesh_ca"] = base64.b64encode(plain.keys("mesh").stdout).decode()
            answer.body = json.dumps({"AttestationDoc": base64.b64encode(json.dumps(document).encode()).decode()}).encode()

    middle.change = another_ca
    status, said = ask(SimpleNamespace(port=middle.server_address[1], key=gateway.key), *words, "evidence", "--roots", chip.root)
    t.same(status, 502, "evidence for another mesh CA is refused")
    t.has(said, "No evidence vouches for the mesh CA", "in a clear sentence")
    t.same(len(provider.seen), seen, "and nothing was sent")
    plain.finish(t)


@t.case
def replayed():
    """Evidence of an earlier question"""
    old, fresh = chip.asked[-1], chip.report
    chip.report = lambda asked: fresh(old)
    status, said = ask(gateway, "--trust", "evidence", "--roots", chip.root)
    t.same(status, 502, "is refused, by the gateway itself")
    t.ok(said, "with a sentence")
    chip.report = fresh
    t.same(ask(gateway, "--trust", "evidence", "--roots", chip.root)[0], 200, "the next one is believed")


@t.case
def words():
    for what, given in {
        "a measurement that is too short": ("--trust", "evidence:00"),
        "a measurement that is no number": ("--trust", "evidence:" + "zz" * 48),
        "an empty one": ("--trust", "evidence:"),
        "too many": ("--trust", "evidence:" + ",".join(["00" * 48] * 17)),
        "roots without evidence": ("--roots", "00" * 32),
        "a root that is none": ("--trust", "evidence", "--roots", "00"),
    }.items():
        done = subprocess.run([binary(), "proxy", "--gateway", "http://127.0.0.1:1/v1", *given], capture_output=True, timeout=TIMEOUT, check=False,
                              env=environment({"SOTTO_API_KEY": "ql_x", "HOME": folder}))
        t.ok(done.returncode == 2 and done.stderr.startswith(b"sotto"), f"{what}: a sentence and status 2", done)


provider.finish(t)
gateway.finish(t)
t.done()
