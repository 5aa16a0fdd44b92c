#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`sotto proxy`: a plain client on the user's machine, sealed from there on."""

import base64
import json
import pathlib
import subprocess
import tempfile
import threading

from lib import user_proxy
from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config, environment, need_binary
from lib.provider import Provider
from lib.speed import binary
from lib.tap import Tap
from lib.user_proxy import Last, Middle, Relay, echo, text_of
from lib.wire import TIMEOUT, free_port

need_binary()
t = Tap()
TEXT = f"{PERSON} writes from {EMAIL}."
ASK = {"model": "gpt-4", "messages": [{"role": "user", "content": TEXT}]}
folder = pathlib.Path(tempfile.mkdtemp(prefix="sotto-proxy-"))


class Proxy(user_proxy.Proxy):
    """One `sotto proxy` of the gateway below."""

    def __init__(self, port, *words, key=None, home=folder):
        super().__init__(port, *words, key=key or gateway.key, home=home)

    def chat(self, **more):
        return super().chat({**ASK, **more})


provider = Provider()
provider.script = echo
gateway = Gateway(config(provider))
relay = Relay(gateway.port)
far = relay.server_address[1]
proxy = Proxy(far)


@t.case
def sealed():
    """A plain client through the proxy"""
    status, answer = proxy.chat()
    t.same((status, answer["choices"][0]["message"]["content"]), (200, TEXT), "the answer is restored")
    t.same((answer["encryption"]["algorithm"], answer["encryption"]["scope"]), ("x-wing", "end_to_end"), "sealed from end to end")
    t.lacks(bytes(relay.seen), EMAIL.encode(), "no text is on the way")
    t.lacks(provider.seen[-1].texts, EMAIL, "nor at the provider")
    sessions = bytes(relay.seen).count(b"POST /v1/seal/session")
    status, headers, body = proxy.ask({**ASK, "stream": True})
    t.same((status, text_of(body)), (200, (TEXT, True)), "a stream")
    t.has(headers["Content-Type"], "text/event-stream", "is one")
    t.same(proxy.chat(encryption="kyber512")[0], 200, "a word for the gateway's own keeping is no trouble")
    t.same(bytes(relay.seen).count(b"POST /v1/seal/session"), sessions, "one session serves them all")
    t.same(proxy.ask(method="GET", path="/v1/models")[0], 200, "the list of models")
    answers = []
    many = [threading.Thread(target=lambda: answers.append(proxy.chat()[1]["choices"][0]["message"]["content"])) for _ in range(20)]
    for one in many:
        one.start()
    for one in many:
        one.join()
    t.same(answers, [TEXT] * 20, "twenty at a time")


@t.case
def refusals():
    """What does not go out"""
    seen = len(provider.seen)
    for what, status, more in (("garbage", 400, {"body": b"{"}), ("no model", 400, {"body": {"messages": []}}),
                               ("another route", 404, {"body": ASK, "path": "/v1/files"}), ("another method", 405, {"method": "PUT", "body": ASK}),
                               ("another host", 421, {"body": ASK, "headers": {"Host": "evil.example"}}),
                               ("what a page of the web can send", 421, {"body": ASK, "headers": {"Content-Type": "text/plain"}})):
        got, _, body = proxy.ask(**more)
        t.same(got, status, what)
        t.ok(json.loads(body)["error"]["message"], f"{what}: it is said why")
    t.same(len(provider.seen), seen, "nothing of it was sent")
    status, answer = proxy.chat(temperature=9)
    t.same((status, answer["error"]["param"]), (400, "temperature"), "an error of the gateway comes through its seal")


@t.case
def changed():
    """Somebody in between"""
    middle = Middle(gateway.port)
    between = Proxy(middle.server_address[1], home=folder / "between")
    middle.change = lambda path, answer: setattr(answer, "headers", [("Content-Type", "application/json")]) if path == "/v1/chat/completions" else None
    status, answer = between.chat()
    t.same((status, answer["error"]["code"]), (502, "seal_broken"), "an answer in the clear is none")

    def flip(path, answer):
        if path == "/v1/chat/completions":
            answer.body = answer.body[:60] + bytes([answer.body[60] ^ 1]) + answer.body[61:]

    middle.change = flip
    t.same(between.chat()[1]["error"]["code"], "seal_broken", "a changed bit shows")
    between.stop()

    def cut(data):
        at = data.find(b"data: ")
        return data if at < 0 else Last(data[: at + 20])

    relay.change = cut
    status, _, body = proxy.ask({**ASK, "stream": True})
    text, done = text_of(body) if b'"error"' not in body else ("", False)
    t.ok(not done, "a stream that is cut does not end well", body[-300:])
    t.has(body, b'"error"', "and says so")
    relay.change = lambda data: data
    t.same(proxy.chat()[0], 200, "afterwards all is well")


@t.case
def restarted():
    """A gateway that forgot the session"""
    gateway.asked_port = gateway.port
    gateway.stop()
    gateway.start()
    t.same(proxy.chat()[0], 200, "another one is begun")
    gateway.stop()
    status, answer = proxy.chat()
    t.ok(status in (502, 504), "a gateway that is away is an error", answer)
    gateway.start()
    t.same(proxy.chat()[0], 200, "and when it is there again, none")


@t.case
def anonymized():
    """--anonymize"""
    veiled = Proxy(far, "--anonymize", "--suite", "kyber512")
    status, answer = veiled.chat()
    t.same((status, answer["choices"][0]["message"]["content"]), (200, TEXT), "the answer is restored here")
    t.same(answer["encryption"]["algorithm"], "kyber512", "in another suite")
    seen = provider.seen[-1].texts
    t.ok(PERSON not in seen and EMAIL not in seen, "the provider saw tokens", seen)
    t.same(text_of(veiled.ask({**ASK, "stream": True})[2]), (TEXT, True), "a stream")
    key = gateway.make_key("--no-anonymize")
    raw = Proxy(far, "--anonymize", key=key)
    raw.chat()
    t.lacks(provider.seen[-1].texts, EMAIL, "a gateway that leaves text alone saw none either")
    t.same((veiled.stop(), raw.stop()), (0, 0), "both end in peace")


@t.case
def trust():
    """Which gateway is believed"""
    known = folder / "sotto/known_gateways"
    rows = [json.loads(line) for line in known.read_text().splitlines()]
    t.same([row["gateway"] for row in rows], [f"127.0.0.1:{far}"], "the key is remembered once")
    t.same(known.stat().st_mode & 0o777, 0o600, "for its owner only")
    key = rows[0]["signing_key"]
    other = base64.b64encode(bytes(32)).decode()
    pins = folder / "pins"
    for text, good in ((f"# house\n{key}\n", True), (json.dumps(rows[0]), True), (f"{other}\n", False), ("garbage\n", False), ("", False)):
        pins.write_text(text)
        pinned = Proxy(far, "--trust", str(pins))
        status, answer = pinned.chat()
        t.same(status, 200 if good else 502, f"pinned: {text[:12]!r}")
        t.ok(good or str(pins) in answer["error"]["message"], "the file is named where it does not hold", answer)
        pinned.stop()
    known.write_text(known.read_text().replace(key, other))
    seen = len(provider.seen)
    fresh = Proxy(far)
    status, answer = fresh.chat()
    t.same(status, 502, "a changed key is refused")
    t.has(answer["error"]["message"], "signs with another key than before", "in a clear sentence")
    t.same(len(provider.seen), seen, "and nothing was sent")
    fresh.stop()
    stranger = Proxy(far, key="ql_" + "x" * 12 + "_" + "y" * 32, home=folder / "other")
    t.has(stranger.chat()[1]["error"]["message"], "refuses the key", "so is a key that is none, by the gateway")
    stranger.stop()


@t.case
def words():
    """What it does not start with"""
    for what, given in (("no gateway", []), ("no URL", ["--gateway", "nonsense"]), ("another machine", ["--gateway", "http://127.0.0.1:1/v1", "--listen", "0.0.0.0:0"]),
                        ("no such mode", ["--gateway", "http://127.0.0.1:1/v1", "--anonymize", "--mode", "nonsense"]),
                        ("no such suite", ["--gateway", "http://127.0.0.1:1/v1", "--suite", "none"])):
        done = subprocess.run([binary(), "proxy", *given], capture_output=True, env=environment({"SOTTO_API_KEY": "ql_x", "HOME": str(folder)}), timeout=TIMEOUT, check=False)
        t.ok(done.returncode == 2 and done.stderr.startswith(b"sotto"), f"{what}: a sentence and status 2", done)
    nobody = Proxy(free_port())
    t.has(nobody.chat()[1]["error"]["message"], "cannot be reached", "a gateway that is not there")
    nobody.stop()


t.same(proxy.stop(), 0, "SIGTERM ends the proxy with status 0")
provider.finish(t)
gateway.finish(t)
t.done()
