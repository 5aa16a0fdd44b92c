#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""The profile native through a running gateway, by clients in Python and JavaScript."""

import json
import pathlib
import shutil
import subprocess

from lib import packages
from lib.canary import EMAIL, PERSON, leaks
from lib.gateway import Gateway, config
from lib.provider import Provider, chunk, completion
from lib.tap import Tap, skip_all
from lib.wire import TIMEOUT, wait_until

try:
    packages.under(packages.venv("cryptography", packages.CRYPTOGRAPHY))
except packages.Missing as missing:
    skip_all(str(missing))

from lib import native  # noqa: E402  (needs the packages)
from lib.provider import echo  # noqa: E402

t = Tap()
provider = Provider()
gateway = Gateway(config(provider))
CHAT = "/v1/chat/completions"
TEXT = f"{PERSON} writes from {EMAIL}."
ASK = {"model": "gpt-4", "messages": [{"role": "user", "content": TEXT}]}


def keys():
    return gateway.request("GET", "/v1/seal/keys").json


def begin(suite="x-wing", **more):
    hello = native.Hello(suite, keys(), **more)
    response = gateway.post("/v1/seal/session", hello.body)
    assert response.status == 200, response
    return hello.agreed(response.json, native.unb64(keys()["signing_key"]))


def send(body, key=None, path=CHAT, method="POST"):
    headers = [("Content-Type", native.SEALED)]
    if key:
        headers.append(("Authorization", f"Bearer {key}"))
    return gateway.request(method, path, headers, body)


def ask(session, key=None, path=CHAT, **body):
    sealed, pending = session.request(path, json.dumps(body).encode(), body["model"])
    return send(sealed, key, path), pending


def opened(response, pending):
    assert response.get("content-type") == native.SEALED, response
    return json.loads(pending.whole(response.status, response.body))


def count():
    return len(provider.seen)


session = begin()


@t.case
def whole_answer():
    response, pending = ask(session, **ASK)
    t.same(leaks(response.body, [PERSON, EMAIL]), [], "the answer on the wire holds no value")
    t.same(leaks(provider.seen[-1].raw, [PERSON, EMAIL]), [], "nor does what the provider saw")
    answer = opened(response, pending)
    t.same((response.status, answer["choices"][0]["message"]["content"]), (200, TEXT), "the client reads them, without a key of its own")
    told = answer["encryption"]
    t.same((told["algorithm"], told["scope"]), ("x-wing", "end_to_end"), "encryption says how")


@t.case
def stream():
    response, pending = ask(session, stream=True, stream_options={"include_usage": True}, **ASK)
    t.ok(response.get("content-type").startswith("text/event-stream"), "a stream", response)
    chunks = [json.loads(text) for text in pending.events(response.body.splitlines(keepends=True))]
    t.same("".join(c["delta"].get("content") or "" for part in chunks for c in part["choices"]), TEXT, "comes to the text")
    t.same(chunks[-1]["encryption"]["scope"], "end_to_end", "and ends with what was done")
    response, pending = ask(session, stream=True, **ASK)
    lines = response.body.splitlines(keepends=True)
    data = [i for i, line in enumerate(lines) if line.startswith(b"data: ")]

    def refused(what, changed):
        response, pending = ask(session, stream=True, **ASK)
        pieces = [line for line in response.body.splitlines(keepends=True) if line.startswith(b"data: ")]
        try:
            list(pending.events(changed(pieces)))
            t.ok(False, f"a stream is refused with {what}")
        except native.Refused:
            t.ok(True, f"a stream is refused with {what}")

    t.ok(len(data) > 3, "there are events to lose")
    refused("its end cut off", lambda p: p[:-1])
    refused("an event left out", lambda p: p[:2] + p[3:])
    refused("an event twice", lambda p: p[:2] + p[1:])
    refused("two events in each other's place", lambda p: [p[0], p[2], p[1], *p[3:]])


@t.case
def stream_answered_whole():
    provider.script = lambda seen, out: out.whole(completion(seen.texts))
    response, pending = ask(session, stream=True, stream_options={"include_usage": True}, **ASK)
    provider.script = echo
    chunks = [json.loads(text) for text in pending.events(response.body.splitlines(keepends=True))]
    t.same("".join(c["delta"].get("content") or "" for part in chunks for c in part["choices"]), TEXT, "a provider that answers whole: a stream with the text")
    t.same(chunks[-1]["encryption"]["scope"], "end_to_end", "and with encryption at its end")


@t.case
def other_routes():
    response, pending = ask(session, path="/v1/embeddings", model="gpt-4", input=TEXT)
    t.same(opened(response, pending)["data"][0]["embedding"], [0.25, -0.5], "embeddings are sealed too")
    t.same(leaks(provider.seen[-1].raw, [PERSON, EMAIL]), [], "and masked")


@t.case
def sealed_errors():
    response, pending = ask(session, model="gpt-4", messages=[])
    t.same((response.status, opened(response, pending)["error"]["param"]), (400, "messages"), "an error about the text is sealed")
    provider.script = lambda seen, out: out.whole({"error": {"message": f"no {seen.texts}", "type": "t", "param": None, "code": "c"}}, 422)
    response, pending = ask(session, **ASK)
    t.same((response.status, opened(response, pending)["error"]["message"]), (422, f"no {TEXT}"), "as is one of the provider, restored")

    def breaks(seen, out):
        out.stream([chunk({"role": "assistant", "content": "one"}), {"error": {"message": "late", "type": "t"}}], done=False)

    provider.script = breaks
    response, pending = ask(session, stream=True, **ASK)
    events = [json.loads(text) for text in pending.events(response.body.splitlines(keepends=True))]
    t.ok("error" in events[-1], "and one in mid-stream, which ends it", events)
    provider.script = echo


@t.case
def one_refusal():
    body, _ = session.request(CHAT, json.dumps(ASK).encode(), "gpt-4")
    t.same(send(body, gateway.key).status, 200, "a request passes, with a key of its own")
    before = count()
    first = send(body, gateway.key)
    t.same((first.status, first.error["code"]), (400, "seal_refused"), "the same request again is refused")
    fresh = [session.request(CHAT, json.dumps(ASK).encode(), "gpt-4")[0] for _ in range(3)]
    other_model, _ = session.request(CHAT, json.dumps(ASK).encode(), "gpt-3.5-turbo")
    other_path, _ = session.request("/v1/embeddings", json.dumps(ASK).encode(), "gpt-4")
    cases = {
        "another model": other_model, "another path": other_path, "cut": fresh[0][:-1], "longer": fresh[0] + b"\0", "empty": b"",
        "the record of another request": fresh[0][:33] + fresh[1][33:], "an unknown session": fresh[0][:1] + bytes(16) + fresh[0][17:],
        "another version": b"\2" + fresh[0][1:],
    }
    for what, case in cases.items():
        response = send(case, gateway.key)
        t.same((response.status, response.body), (first.status, first.body), f"in the same words is refused: {what}")
    t.same(send(fresh[0][:-1]).status, 401, "without a key it is unauthenticated")
    t.same(count(), before, "nothing of it was forwarded")
    wrong = []
    with gateway.client() as connection:
        headers = [("Content-Type", native.SEALED), ("Authorization", f"Bearer {gateway.key}")]
        for i in range(len(fresh[2])):
            flipped = bytearray(fresh[2])
            flipped[i] ^= 1 << (i % 8)
            response = connection.request("POST", CHAT, headers, bytes(flipped))
            if (response.status, response.body) != (first.status, first.body):
                wrong.append((i, response))
    t.same(wrong[:2], [], f"a bit of each of {len(fresh[2])} bytes flipped: all are refused in the same words")
    t.same(count(), before, "and nothing is forwarded")
    t.same(send(fresh[2]).status, 200, "the request itself opens")


@t.case
def revoked():
    mine = gateway.make_key("--name", "mine")
    hello = native.Hello("x-wing")
    response = gateway.post("/v1/seal/session", hello.body, key=mine)
    own = hello.agreed(response.json, native.unb64(keys()["signing_key"]))
    t.same(ask(own, **ASK)[0].status, 200, "a session of another key")
    gateway.keys("revoke", mine[3:15])
    t.same(ask(own, **ASK)[0].status, 401, "ends with its key")
    t.same(gateway.request("POST", "/v1/seal/session", [("Content-Type", "application/json")], b"{}").status, 401, "a session needs a key to begin")


@t.case
def rsa():
    t.ok(wait_until(lambda: "public_key" in keys()["suites"][-1], TIMEOUT * 6), "the RSA pair is made beside what is served")
    old = begin("rsa4096")
    response, pending = ask(old, **ASK)
    answer = opened(response, pending)
    t.same((answer["choices"][0]["message"]["content"], answer["encryption"]["algorithm"]), (TEXT, "rsa4096"), "rsa4096 works")
    response, pending = ask(old, encryption="rsa4096", **ASK)
    t.same(opened(response, pending)["encryption"]["algorithm"], "rsa4096", "and may be asked for by name")
    before = count()
    for word in ("auto", "x-wing", "kyber512"):
        response, pending = ask(old, encryption=word, **ASK)
        error = opened(response, pending)["error"]
        t.same((response.status, error["code"], error["param"]), (400, "encryption_too_weak", "encryption"), f"{word} in a session of rsa4096 is refused")
    t.same(count(), before, "nothing of it was forwarded")
    for word in ("auto", "x-wing", "kyber512", "rsa4096"):
        response, pending = ask(session, encryption=word, **ASK)
        t.same(opened(response, pending)["encryption"]["algorithm"], "x-wing", f"{word} in a session of x-wing gets no less")


@t.case
def no_anonymize():
    plain = gateway.make_key("--no-anonymize")
    hello = native.Hello("x-wing")
    own = hello.agreed(gateway.post("/v1/seal/session", hello.body, key=plain).json, native.unb64(keys()["signing_key"]))
    said = "Write to Leonora Vance, leonora.vance@example.org."
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": said}]}
    response, pending = ask(own, **body)
    t.same((provider.seen[-1].texts, opened(response, pending)["choices"][0]["message"]["content"]), (said, said), "a key may say that sealed requests stay as they are")
    ask(own, compliance_mode="hipaa", **body)
    t.lacks(provider.seen[-1].texts, "leonora", "but not where a mode asks for more")


@t.case
def javascript():
    try:
        node, modules = packages.node(*packages.HPKE, name="node-hpke")
    except packages.Missing as missing:
        t.skip("a client in JavaScript", str(missing))
        return
    program = modules / "native.mjs"
    shutil.copyfile(pathlib.Path(__file__).parent / "lib/native.mjs", program)
    asked = [[CHAT, "gpt-4", json.dumps(ASK)], [CHAT, "gpt-4", json.dumps({**ASK, "stream": True})]]
    for suite in ("x-wing", "kyber512", "rsa4096"):
        done = subprocess.run([str(node), str(program), "ask", f"http://127.0.0.1:{gateway.port}", gateway.key, suite, json.dumps(asked)],
                              capture_output=True, text=True, timeout=TIMEOUT * 6, check=False)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        if not t.same(len(answers), 2, f"a client in JavaScript asks with {suite}"):
            t.ok(False, "its answers", done.stderr)
            continue
        t.same(json.loads(answers[0]["texts"][0])["choices"][0]["message"]["content"], TEXT, "and reads a whole answer")
        chunks = [json.loads(text) for text in answers[1]["texts"]]
        t.same("".join(c["delta"].get("content") or "" for part in chunks for c in part["choices"]), TEXT, "and a stream")


provider.finish(t)
gateway.finish(t, [PERSON, EMAIL])
t.done()
