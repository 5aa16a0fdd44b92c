#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""The JavaScript SDK: npm's openai with a fetch that seals."""

import json
import os
import pathlib
import shutil
import subprocess

from lib import packages
from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config, need_binary
from lib.provider import Provider
from lib.tap import Tap, skip_all
from lib.wire import TIMEOUT

need_binary()
try:
    node, folder = packages.node(packages.OPENAI_NODE)
except packages.Missing as missing:
    skip_all(str(missing))

t = Tap()
TEXT = f"{PERSON} writes from {EMAIL}."


@t.case
def hashes():
    """SHA3-256, which browsers lack, against Node's own at every length around its block of 136 bytes."""
    script = """
import { createHash, randomBytes } from 'node:crypto'
const { sha3 } = await import(process.argv[1])
let wrong = 0
for (let n = 0; n < 420; n++) {
  const data = randomBytes(n)
  wrong += Buffer.compare(Buffer.from(sha3(data)), createHash('sha3-256').update(data).digest()) === 0 ? 0 : 1
}
console.log(wrong)
"""
    module = pathlib.Path(__file__).resolve().parents[2] / "sdk/js/src/sha3.js"
    done = subprocess.run([str(node), "--no-warnings", "--input-type=module", "-e", script, str(module)], capture_output=True, text=True, timeout=TIMEOUT * 2, check=False)
    t.same((done.stdout, done.stderr), ("0\n", ""), "its SHA3-256 is Node's")


provider = Provider()
gateway = Gateway(config(provider))
here = pathlib.Path(__file__).parent
words = [node, "--no-warnings", here / "lib/sdk.mjs", here.parents[1] / "sdk/js/src/index.js", folder, f"http://127.0.0.1:{gateway.port}", gateway.key, TEXT,
         gateway.command_line("audit", "vkey", "--state", str(gateway.state)).stdout.decode().strip(), here.parent / "vectors/audit.json"]
done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=TIMEOUT * 10, check=False, env={"PATH": os.environ["PATH"]})
rows = [json.loads(line) for line in done.stdout.splitlines()]
for good, sentence, detail in rows:
    t.ok(good, sentence, detail)
t.ok(done.returncode == 0 and len(rows) > 70, "the program came to its end", done.stderr)
t.lacks("".join(seen.texts for seen in provider.seen), EMAIL, "the provider saw no address")


@t.case
def without_mlkem():
    """A WebCrypto of before ML-KEM, with and without the library that takes its place."""
    try:
        _, modules = packages.node(packages.NOBLE, name="node-noble")
    except packages.Missing as why:
        return t.skip("the library in the place of WebCrypto's ML-KEM", str(why))
    # A module looks for packages from the folder it lies in.
    shutil.copytree(here.parents[1] / "sdk/js", modules / "node_modules/sotto-client", dirs_exist_ok=True)
    for sdk, installed in ((modules / "node_modules/sotto-client", "yes"), (here.parents[1] / "sdk/js", "no")):
        got = subprocess.run([str(node), "--no-warnings", str(here / "lib/noble.mjs"), str(sdk / "src/index.js"), f"http://127.0.0.1:{gateway.port}", gateway.key,
                              TEXT, installed], capture_output=True, text=True, timeout=TIMEOUT * 10, check=False)
        checks = [json.loads(line) for line in got.stdout.splitlines()]
        for good, sentence, detail in checks:
            t.ok(good, sentence, detail)
        t.same((got.returncode, len(checks)), (0, 3), f"the library is there: {installed}") or print(f"# {got.stderr[-1500:]}")
    return None


provider.finish(t)
gateway.finish(t)
t.done()
