#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""The JavaScript SDK with the profile privatemode."""

import json
import os
import pathlib
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


provider = Provider()
gateway, other = Gateway(config(provider)), Gateway(config(provider))
files = []  # PEM of its CA, and of another one
for one in (gateway, other):
    files.append(gateway.folder / f"ca-{len(files)}.pem")
    t.same(one.keys("mesh", "--export", str(files[-1])).returncode, 0, "a mesh CA is handed over")
other.finish(t)
here = pathlib.Path(__file__).parent
words = [node, "--no-warnings", here / "lib/sdk_privatemode.mjs", here.parents[1] / "sdk/js/src/index.js", folder,
         f"http://127.0.0.1:{gateway.port}", gateway.key, TEXT, *files]
rows = 0
with subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                      env={"PATH": os.environ["PATH"]}) as program:
    for line in program.stdout:
        row = json.loads(line)
        if row == ["restart"]:
            gateway.asked_port = gateway.port
            gateway.stop()
            gateway.start()
            program.stdin.write("go on\n")
            program.stdin.flush()
            continue
        rows += 1
        t.ok(*row)
    said = program.stderr.read()
    t.ok(program.wait(TIMEOUT) == 0 and rows == 43, f"the program came to its end after {rows} checks", said)
t.lacks("".join(seen.texts for seen in provider.seen), EMAIL, "the provider saw no address")

provider.finish(t)
gateway.finish(t)
t.done()
