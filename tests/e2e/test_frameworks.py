#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 1500
"""The examples for LangChain, LlamaIndex and the Vercel AI SDK, as they are, with the SDKs' sealing."""

import os
import pathlib
import shutil
import subprocess

from lib import packages
from lib.gateway import Gateway, config, environment, need_binary
from lib.provider import TOKEN, Provider, completion
from lib.tap import Tap
from lib.wire import TIMEOUT

need_binary()
t = Tap()
ROOT = pathlib.Path(os.environ.get("SOTTO_SOURCE") or pathlib.Path(__file__).resolve().parents[2])
EXAMPLES = ROOT / "docs/examples"
VALUES = ["Margaret Thornbury", "m.thornbury@example.org"]
WANT = "Dear Margaret Thornbury: done.\n"


def echo(seen, out):
    text = f"Dear {seen.token('PERSON')}: done."
    if seen.json.get("stream"):
        out.speak(seen, text)
    else:
        out.whole(completion(text, model="upstream-model"))


def example(program, name, path):
    """Runs it against a gateway that takes sealed requests only, as far as its provider can tell."""
    folder = gateway.folder / name
    env = environment({"SOTTO_URL": f"http://127.0.0.1:{gateway.port}", "SOTTO_KEY": gateway.key, "PYTHONPATH": str(ROOT / "sdk/python/src"),
                       "XDG_CONFIG_HOME": str(folder), "LITELLM_LOCAL_MODEL_COST_MAP": "True"})
    before = len(provider.seen)
    got = subprocess.run([str(program), str(path)], capture_output=True, text=True, timeout=TIMEOUT * 20, check=False, env=env)
    t.same((got.returncode, got.stdout), (0, WANT + WANT), f"{name}: whole and streamed") or print(f"# {got.stderr[-1500:]}")
    t.ok(len(provider.seen) == before + 2 and all(TOKEN.search(seen.body.decode()) for seen in provider.seen[before:]), f"{name}: the provider saw tokens")
    return folder


def python_example(python, name):
    folder = example(python, name, EXAMPLES / name)
    t.ok((folder / "sotto/known_gateways").exists(), f"{name}: it was sealed")


provider = Provider(echo)
gateway = Gateway(config(provider))


@t.case
def langchain_and_llama_index():
    try:
        python = packages.venv(*packages.FRAMEWORKS)
    except packages.Missing as why:
        return t.skip("langchain_chat.py and llama_index_chat.py", str(why))
    python_example(python, "langchain_chat.py")
    return python_example(python, "llama_index_chat.py")


@t.case
def vercel():
    try:
        node, modules = packages.node(*packages.VERCEL, name="node-vercel")
    except packages.Missing as why:
        return t.skip("vercel-ai.mjs", str(why))
    # A module looks for packages from the folder it lies in.
    shutil.copytree(ROOT / "sdk/js", modules / "node_modules/sotto-client", dirs_exist_ok=True)
    program = modules / "vercel-ai.mjs"
    shutil.copyfile(EXAMPLES / "vercel-ai.mjs", program)
    return example(node, "vercel-ai.mjs", program)


provider.finish(t, VALUES)
gateway.finish(t, VALUES)
t.done()
