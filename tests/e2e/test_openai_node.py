#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""The official OpenAI client for Node, as an application uses it."""

import json
import pathlib
import shutil
import subprocess

from lib import packages
from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config, need_binary
from lib.provider import Provider
from lib.scenarios import ASK, WANT, Scenarios
from lib.tap import Tap, skip_all
from lib.wire import TIMEOUT

need_binary()
try:
    node, modules = packages.node(packages.OPENAI_NODE)
except packages.Missing as missing:
    skip_all(str(missing))

t = Tap()
scenarios = Scenarios()
provider = Provider(scenarios)
gateway = Gateway(config(provider, models={"plain": "scripted", "*": "scripted"}))
facts = {"ask": ASK, "want": WANT, "email": EMAIL, "person": PERSON, "poor": gateway.make_key("--monthly-requests", "1")}


@t.case
def node_client():
    # A module looks for packages from the folder it lies in.
    program = modules / "client.mjs"
    shutil.copyfile(pathlib.Path(__file__).parent / "lib/client.mjs", program)
    done = subprocess.run([str(node), str(program), f"http://127.0.0.1:{gateway.port}/v1", gateway.key, json.dumps(facts)], capture_output=True, text=True,
                          timeout=TIMEOUT * 6, check=False)
    ended = False
    for line in done.stdout.splitlines():
        result = json.loads(line)
        if "done" in result:
            ended = True
            major = int(result["version"].lstrip("v").split(".")[0])
            t.ok(major >= 22, f"with Node {result['version']}")
        else:
            t.ok(result["ok"], result["what"], result["detail"])
    t.ok(ended and done.returncode == 0, "the client ran to its end", done.stderr[-3000:])
    t.ok(scenarios.gone.wait(20), "the stream that it aborted is closed at the provider")
    t.same(scenarios.tries["busy"], 3, "429 was asked three times")


provider.finish(t)
gateway.finish(t)
t.done()
