#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""The OpenAI package's own tests of chat completions, models and embeddings, against the gateway: with
its own transports, and with those of the SDK, which seal."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from lib import packages
from lib.gateway import Gateway, config, need_binary
from lib.provider import Provider
from lib.tap import Tap, skip_all
from lib.wire import TIMEOUT

need_binary()
try:
    python = packages.venv(*packages.OPENAI_TESTED)
    source = packages.source("openai-source", packages.OPENAI_PYTHON, python)
except packages.Missing as missing:
    skip_all(str(missing))

t = Tap()
ROOT = pathlib.Path(os.environ.get("SOTTO_SOURCE") or pathlib.Path(__file__).resolve().parents[2])
provider = Provider()
MODELS = ["gpt-6-astra", "gpt-4o", "text-embedding-3-small"]
gateway = Gateway(config(provider, models={**{name: "scripted" for name in MODELS}, "*": "scripted"}))

# Stored completions and deleting models are not what a gateway does: these tests are left out.
FILES = ["tests/api_resources/chat/test_completions.py", "tests/api_resources/test_models.py", "tests/api_resources/test_embeddings.py"]
CHOSEN = "create or (Models and (retrieve or list))"


# Where the tests make their HTTP clients, and the same with a transport of the SDK around what sends.
SEALED = (
    ("DefaultHttpx2Client() if", "DefaultHttpx2Client(transport=sotto_client.httpx_transport()) if"),
    ("= DefaultAsyncHttpx2Client()", "= DefaultAsyncHttpx2Client(transport=sotto_client.httpx_async_transport())"),
    ("= DefaultAioHttpClient()",
     "= DefaultAsyncHttpx2Client(transport=sotto_client.httpx_async_transport(transport=DefaultAioHttpClient()._transport))"),
    ("import httpx2\n", "import httpx2\nimport sotto_client\n"),
)


def prepare(folder, sealed):
    shutil.copytree(source / "tests", folder / "tests")
    conftest = folder / "tests/conftest.py"
    text, count = re.subn(r'^api_key = ".*"$', f'api_key = "{gateway.key}"', conftest.read_text(), count=1, flags=re.M)
    for old, new in SEALED if sealed else ():
        count += text.count(old)
        text = text.replace(old, new)
    conftest.write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = session\nxfail_strict = true\n")
    return count


def run_tests(folder, how):
    env = dict(os.environ, TEST_API_BASE_URL=f"http://127.0.0.1:{gateway.port}/v1", DEFER_PYDANTIC_BUILD="false", XDG_CONFIG_HOME=str(folder),
               PYTHONPATH=str(ROOT / "sdk/python/src"))
    done = subprocess.run([str(python), "-m", "pytest", "-q", "-rA", "--tb=short", "-p", "no:cacheprovider", "-k", CHOSEN, *FILES], cwd=folder, env=env,
                          capture_output=True, text=True, timeout=TIMEOUT * 20, check=False)
    results = re.findall(r"^(PASSED|FAILED|ERROR|SKIPPED) (\S+)(.*)$", done.stdout, re.M)
    for word, name, why in results:
        name = f"{how}: {name.removeprefix('tests/api_resources/')}"
        if word == "SKIPPED":
            t.skip(name, why)
        else:
            t.ok(word == "PASSED", name, why)
    for path in FILES:
        count = sum(word == "PASSED" and name.startswith(path) for word, name, _ in results)
        t.ok(done.returncode == 0 and count > 3, f"{how}: {path}: all {count} pass", done.stdout[-3500:] + done.stderr[-1500:])


for is_sealed, how, changes in ((False, "in the clear", 1), (True, "sealed", 1 + len(SEALED))):
    with tempfile.TemporaryDirectory(prefix="sotto-suite-") as name:
        work = pathlib.Path(name)
        t.same(prepare(work, is_sealed), changes, f"{how}: the package's tests take the gateway's key and the transports")
        t.case(lambda: run_tests(work, how))
        t.same((work / "sotto/known_gateways").exists(), is_sealed, f"{how}: sessions were begun or not, as they should")

provider.finish(t)
gateway.finish(t)
t.done()
