#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
"""LiteLLM's own `presidio` guardrail with Sotto in the place of Presidio, configured as examples/litellm-presidio says."""

import json
import os
import pathlib
import subprocess
import urllib.error
import urllib.request

from lib import packages
from lib.gateway import Gateway, config, environment, need_binary
from lib.provider import Provider, completion
from lib.tap import Tap, skip_all
from lib.wire import chunks, free_port, text_of, wait_until

need_binary()
try:
    python = packages.venv("litellm", packages.LITELLM)
except packages.Missing as missing:
    skip_all(str(missing))

ROOT = pathlib.Path(os.environ.get("SOTTO_SOURCE") or pathlib.Path(__file__).resolve().parents[2])
PERSON, EMAIL, PHONE = "Jane Doe", "jane.doe@acme-health.org", "+1 202-555-0147"
ASK = f"Write to {PERSON} at {EMAIL}, phone {PHONE}."
MASKED = "Write to <PERSON_1> at <EMAIL_ADDRESS_2>, phone <PHONE_NUMBER_3>."

t = Tap()
provider = Provider()
gateway = Gateway(env={"OPENAI_BASE_URL": ""})


def echo(seen, out):
    text = f"Dear {seen.token('PERSON')}: done."
    if seen.json.get("stream"):
        out.speak(seen, text)
    else:
        out.whole(completion(text, model="upstream-model"))


behind = Provider(echo)
echoing = Gateway(config(behind))  # with a provider of its own, for LiteLLM in front of the gateway
port = free_port()
env = environment({
    "SOTTO_PRESIDIO": f"http://{gateway.key}@127.0.0.1:{gateway.port}/presidio", "OPENAI_API_KEY": "sk-upstream", "OPENAI_BASE_URL": provider.url + "/v1",
    "LITELLM_MASTER_KEY": "sk-master", "LITELLM_TELEMETRY": "False", "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "127.0.0.1",
})
log = open(gateway.folder / "litellm.log", "wb")
litellm = subprocess.Popen([str(python.parent / "litellm"), "--config", str(ROOT / "examples/litellm-presidio/config.yaml"), "--host", "127.0.0.1", "--port", str(port)],
                           env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=gateway.folder)


def is_up():
    if litellm.poll() is not None:
        return True
    try:
        return urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=5).status == 200
    except OSError:
        return False


def ask(text=ASK, **more):
    body = {"model": "gpt-4o", "messages": text if isinstance(text, list) else [{"role": "user", "content": text}], **more}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", json.dumps(body).encode(),
                                     {"Content-Type": "application/json", "Authorization": "Bearer sk-master"})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def content(answer):
    return json.loads(answer[1])["choices"][0]["message"]["content"]


@t.case
def whole():
    t.ok(wait_until(is_up, 400) and litellm.poll() is None, "LiteLLM starts with the example's configuration")
    answer = ask()
    t.same(answer[0], 200, "a request is answered")
    t.same(json.loads(provider.seen[-1].body)["messages"][0]["content"], MASKED, "the provider sees what the guardrail masked")
    t.same(content(answer), ASK, "and the client its values again")


@t.case
def streamed():
    status, body = ask(stream=True)
    t.same((status, text_of(body)), (200, ASK), "a stream is restored")
    t.ok(chunks(body)[-1] and body.rstrip().endswith(b"data: [DONE]"), "and complete")
    t.same(json.loads(provider.seen[-1].body)["messages"][0]["content"], MASKED, "with nothing but placeholders upstream")


@t.case
def messages():
    parts = [{"role": "system", "content": f"You help {PERSON}."}, {"role": "user", "content": [{"type": "text", "text": f"My card is 4111 1111 1111 1111, mail {EMAIL}"}]}]
    answer = ask(parts)
    sent = provider.seen[-1].body
    t.ok(answer[0] == 200 and all(v not in sent for v in (PERSON.encode(), EMAIL.encode(), b"4111 1111")), "several messages and parts", sent)
    t.ok(b"<CREDIT_CARD" in sent, "a card is one for LiteLLM", sent)
    before = len(provider.seen)
    t.same((ask("The weather is fine today.")[0], json.loads(provider.seen[-1].body)["messages"][0]["content"], len(provider.seen)),
           (200, "The weather is fine today.", before + 1), "ordinary text passes as it is")


@t.case
def as_library():
    """litellm_client.py, sealed by the SDK's transport."""
    env = environment({"SOTTO_URL": f"http://127.0.0.1:{echoing.port}", "SOTTO_KEY": echoing.key, "PYTHONPATH": str(ROOT / "sdk/python/src"),
                       "XDG_CONFIG_HOME": str(echoing.folder), "LITELLM_LOCAL_MODEL_COST_MAP": "True"})
    done = subprocess.run([str(python), str(ROOT / "docs/examples/litellm_client.py")], capture_output=True, text=True, timeout=400, check=False, env=env)
    want = "Dear Margaret Thornbury: done.\n"
    t.same((done.returncode, done.stdout), (0, want + want), "litellm_client.py: whole and streamed") or print(f"# {done.stderr[-1500:]}")
    t.ok((echoing.folder / "sotto/known_gateways").exists(), "litellm_client.py: it was sealed")


@t.case
def fail_closed():
    gateway.stop()
    before = len(provider.seen)
    t.ok(ask()[0] >= 400 and len(provider.seen) == before, "with the gateway gone nothing reaches the provider")


litellm.terminate()
try:
    litellm.wait(30)
except subprocess.TimeoutExpired:
    litellm.kill()
log.close()
if t.failed:
    print("\n".join("# " + line for line in (gateway.folder / "litellm.log").read_text(errors="replace").splitlines()[-40:]))
gateway.remove()
behind.finish(t, ["Margaret Thornbury", "m.thornbury@example.org"])
echoing.finish(t, ["Margaret Thornbury", "m.thornbury@example.org"])
t.done()
