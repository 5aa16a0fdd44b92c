#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
"""The JavaScript SDK in Chromium: with its own ML-KEM, and with the library that takes its place."""

import json
import pathlib
import shutil
import subprocess

from lib import packages
from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config, need_binary
from lib.provider import Provider, chunk, completion
from lib.tap import Tap, skip_all
from lib.wire import TIMEOUT, wait_until

need_binary()
program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
if program is None:
    skip_all("chromium is not installed: scripts/setup browser")
try:
    node, modules = packages.node(*packages.BROWSER, name="browser-packages")
    _, noble = packages.node(packages.NOBLE, name="node-noble")
except packages.Missing as missing:
    skip_all(str(missing))

t = Tap()


def echo(seen, out):
    """Answers with what it was asked."""
    if seen.json.get("stream"):
        out.stream([chunk({"role": "assistant", "content": seen.texts}), chunk({}, finish="stop")])
    else:
        out.whole(completion(seen.texts))


def has_rsa():
    return any("public_key" in row for row in gateway.request("GET", "/v1/seal/keys").json["suites"])


provider = Provider(echo)
gateway = Gateway(config(provider))
t.ok(wait_until(has_rsa, 120), "the gateway makes an RSA key")
words = {"url": f"http://127.0.0.1:{gateway.port}/", "key": gateway.key, "text": f"{PERSON} writes from {EMAIL}.", "chromium": program,
         "modules": str(modules), "noble": str(noble), "brought": gateway.request("GET", "/seal/ml-kem.js").status == 200}
done = subprocess.run([str(node), str(pathlib.Path(__file__).parent / "lib/sdk_browser.mjs"), json.dumps(words)], capture_output=True, text=True,
                      timeout=TIMEOUT * 40, check=False)
for line in done.stdout.splitlines():
    check = json.loads(line)
    t.ok(check["ok"], check["what"], check["detail"])
t.same(done.returncode, 0, "the browser went through all of it") or print(f"# {done.stderr[-2000:]}")
provider.finish(t)
gateway.finish(t)
t.done()
