#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`sotto proxy --profile privatemode`: a plain client, sealed field by field from there on."""

import base64
import http.client
import json
import pathlib
import subprocess
import tempfile
import threading

from lib import user_proxy
from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config, environment, need_binary
from lib.provider import Provider, chunk
from lib.provider import echo as answer_echo
from lib.speed import binary
from lib.tap import Tap
from lib.user_proxy import Middle, text_of
from lib.wire import TIMEOUT

need_binary()
t = Tap()
TEXT = f"{PERSON} writes from {EMAIL}."
ASK = {"model": "gpt-4", "messages": [{"role": "user", "content": TEXT}], "temperature": 0.5}
CHAT = "/v1/chat/completions"
SECRET = "/privatemode/v1/secret"
folder = pathlib.Path(tempfile.mkdtemp(prefix="sotto-proxy-privatemode-"))


class Proxy(user_proxy.Proxy):
    """One `sotto proxy` of the gateway below."""

    def __init__(self, port, *words, key=None, home=folder):
        super().__init__(port, "--profile", "privatemode", *words, key=key or gateway.key, home=home)

    def chat(self, **more):
        return super().chat({**ASK, **more})

    def stream(self, **more):
        """Status, text, whether it ended well, and the code of the error if there is one."""
        status, _, body = self.ask({**ASK, "stream": True, **more})
        if not body.startswith(b"data: "):
            return status, "", False, json.loads(body)["error"]["code"]
        parts = [part for part in body.split(b"\n\n") if part]
        errors = [json.loads(part[6:])["error"]["code"] for part in parts if part.startswith(b'data: {"error"')]
        kept = b"\n\n".join(part for part in parts if not part.startswith(b'data: {"error"'))
        text, done = text_of(kept) if kept else ("", False)
        return status, text, done, errors[0] if errors else None


provider = Provider(answer_echo)
gateway = Gateway(config(provider))
middle = Middle(gateway.port)
far = middle.server_address[1]
proxy = Proxy(far)


def only_chat(edit):
    """A change of the answers to chat completions."""
    return lambda path, answer: edit(answer) if path == CHAT else None


def flipped(text, at):
    """The text with a hexadecimal digit changed."""
    at %= len(text)
    return text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1 :]


@t.case
def sealed():
    """A plain client through the proxy"""
    status, answer = proxy.chat()
    t.same((status, answer["choices"][0]["message"]["content"]), (200, TEXT), "the answer is restored")
    t.same((answer["encryption"]["algorithm"], answer["encryption"]["scope"]), ("x-wing", "end_to_end"), "sealed from end to end")
    t.same(middle.paths(), ["/privatemode/v1/attest", SECRET, CHAT], "it is this profile")
    t.lacks(repr(middle.asked + middle.said), EMAIL, "no text is on the way")
    t.lacks(provider.seen[-1].texts, EMAIL, "nor at the provider")
    _, headers, body = middle.asked[-1]
    fields = {name: value.split(":") for name, value in json.loads(body).items() if isinstance(value, str) and value.count(":") == 3}
    t.same(sorted(fields), ["cache_salt", "messages", "temperature"], "all but the plain members are sealed, and a salt")
    t.same({(value[0], value[1]) for value in fields.values()}, {(headers["Privatemode-Secret-ID"], fields["messages"][1])}, "under one secret with one nonce")
    t.same(proxy.stream(), (200, TEXT, True, None), "a stream")
    t.same(proxy.stream(n=2)[2:], (True, None), "one of two choices")
    status, _, body = proxy.ask({"model": "text-embedding-3-small", "input": TEXT}, path="/v1/embeddings")
    t.ok(status == 200 and json.loads(body)["data"], "embeddings", body)
    t.lacks(repr(middle.asked[-1]), EMAIL, "are sealed too")
    t.same(proxy.ask(method="GET", path="/v1/models")[0], 200, "the list of models")
    answers = []
    many = [threading.Thread(target=lambda: answers.append(proxy.chat()[1]["choices"][0]["message"]["content"])) for _ in range(20)]
    for one in many:
        one.start()
    for one in many:
        one.join()
    t.same(answers, [TEXT] * 20, "twenty at a time")
    t.same(middle.paths().count(SECRET), 1, "one secret serves them all")
    status, answer = proxy.chat(temperature=9)
    t.same((status, answer["error"]["param"]), (400, "temperature"), "an error of the gateway comes through its seal")


@t.case
def long_lines():
    """More text than fits into a line"""
    said = "All of it. " * 20000
    provider.script = lambda seen, out: out.stream([chunk({"role": "assistant", "content": said}), chunk({}, finish="stop")])
    t.same(proxy.stream(), (200, said, True, None), "comes whole")
    lines = [len(line) for line in middle.said[-1].split(b"\n") if line]
    t.ok(len(lines) > 4 and max(lines) < 65536, "in lines of less than 64 KiB", lines)
    provider.script = answer_echo


@t.case
def broken():
    """A provider that fails in mid-stream"""

    def fail(seen, out):
        del seen
        out.begin()
        out.event(chunk({"role": "assistant", "content": "half"}))
        out.reset()

    provider.script = fail
    status, text, done, code = proxy.stream()
    t.ok(status == 200 and not done and code != "seal_broken", "is told through the seal", (status, text, done, code))
    provider.script = answer_echo


@t.case
def cancelled():
    """A client that goes away in mid-stream"""
    direct, gone, results = Proxy(gateway.port), threading.Event(), []

    def endless(seen, out):
        del seen
        out.begin()
        out.event(chunk({"role": "assistant", "content": "so "}))
        results.append(out.gone())
        gone.set()

    provider.script = endless
    link = http.client.HTTPConnection("127.0.0.1", direct.port, timeout=TIMEOUT)
    link.request("POST", CHAT, json.dumps({**ASK, "stream": True}), {"Content-Type": "application/json"})
    answer = link.getresponse()
    t.has(answer.readline(), b"data: ", "the stream has begun")
    answer.close()
    link.close()
    t.ok(gone.wait(TIMEOUT) and results == [True], "the provider is told", results)
    provider.script = answer_echo
    t.same(direct.stream(), (200, TEXT, True, None), "the next one is served")
    t.same(direct.stop(), 0, "SIGTERM ends it in peace")


@t.case
def changed():
    """Somebody in between changes a whole answer"""

    def edit(change):
        def on(answer):
            said = json.loads(answer.body)
            change(said)
            answer.body = json.dumps(said).encode()

        return only_chat(on)

    def flip(name, at):
        def on(said):
            said[name] = flipped(said[name], at)

        return edit(on)

    def put(**members):
        return edit(lambda said: said.update(members))

    def swap(one, other):
        def on(said):
            said[one], said[other] = said[other], said[one]

        return edit(on)

    def reflect(said):
        asked = json.loads(middle.asked[-1][2])
        said["choices"] = asked["cache_salt"]  # both have number 0

    for name in ("choices", "created", "encryption", "model", "object"):
        for part, at in (("id", 3), ("nonce", 50), ("vector", 80), ("text", 95), ("tag", -1)):
            middle.change = flip(name, at)
            t.same(proxy.chat()[1]["error"]["code"], "seal_broken", f"{name}: a changed digit of its {part} shows")
    for what, change in (
        ("two that changed places", swap("created", "model")), ("one that is missing in their midst", edit(lambda said: said.pop("created"))),
        ("one more", put(extra="plain")), ("an answer in the clear", put(choices=[])), ("a field of the request in the answer", edit(reflect)),
        ("another status", only_chat(lambda answer: setattr(answer, "status", 400))),
        ("what is no JSON", only_chat(lambda answer: setattr(answer, "body", b"garbage"))),
        ("nothing", only_chat(lambda answer: setattr(answer, "body", b""))),
    ):
        middle.change = change
        status, answer = proxy.chat()
        t.same((status, answer["error"]["code"]), (502, "seal_broken"), f"{what}: it does not open")

    def clear(answer):
        answer.headers.append(("Privatemode-Encrypted", "false"))

    middle.change = only_chat(clear)
    status, answer = proxy.chat()
    t.same((status, answer["error"]["code"]), (502, "seal_broken"), "an answer that says that it is in the clear")
    t.has(answer["error"]["message"], "is not sealed", "is refused in a clear sentence")
    middle.change = lambda path, answer: None
    t.same(proxy.chat()[0], 200, "afterwards all is well")


@t.case
def changed_stream():
    """Somebody in between changes a stream"""

    def events(change):
        def on(answer):
            answer.body = b"".join(part + b"\n\n" for part in change([part for part in answer.body.split(b"\n\n") if part]))

        return only_chat(on)

    def flip(parts):
        said = json.loads(parts[1][6:])
        said["choices"] = flipped(said["choices"], -1)
        return [parts[0], b"data: " + json.dumps(said).encode(), *parts[2:]]

    for what, change, code in (
        ("a changed digit", flip, "seal_broken"), ("an event twice", lambda p: [p[0], p[0], *p[1:]], "seal_broken"),
        ("two events that changed places", lambda p: [p[1], p[0], *p[2:]], "seal_broken"), ("an event that is missing", lambda p: [p[0], *p[2:]], "seal_broken"),
        ("one that is in the clear", lambda p: [b'data: {"choices":[]}', *p], "seal_broken"), ("something behind the end", lambda p: [*p, p[0]], "seal_broken"),
        ("no end", lambda p: p[:-1], "stream_cut"), ("a cut", lambda p: p[:2], "stream_cut"),
        ("a cut, and an end that is forged", lambda p: [*p[:2], p[-1]], "seal_broken"), ("nothing but an end", lambda p: p[-1:], "seal_broken"),
    ):
        middle.change = events(change)
        got = proxy.stream()
        t.same(got[3], code, f"{what}: it is said")
    middle.change = only_chat(lambda answer: setattr(answer, "headers", [("Content-Type", "application/json")]))
    t.same(proxy.stream()[3], "seal_broken", "a stream that is none")
    middle.change = only_chat(lambda answer: setattr(answer, "headers", [("Content-Type", "text/event-stream")]))
    t.same(proxy.chat()[1]["error"]["code"], "seal_broken", "a stream that was not asked for")
    middle.change = lambda path, answer: None
    t.same(proxy.stream(), (200, TEXT, True, None), "afterwards all is well")


@t.case
def exchange():
    """Somebody in between changes the exchange"""

    def member(name, change):
        def on(path, answer):
            said = json.loads(answer.body)
            if name in said:
                raw = bytearray(base64.b64decode(said[name]))
                change(raw)
                said[name] = base64.b64encode(raw).decode()
                answer.body = json.dumps(said).encode()

        return on

    def flip(at):
        def on(raw):
            raw[at] ^= 1

        return on

    seen = len(provider.seen)
    for what, change in (
        ("the encapsulated key", member("EncapsulatedKey", flip(700))), ("the signature", member("Signature", flip(-1))), ("the certificate", member("MeshCert", flip(-1))),
        ("the certificate's key", member("MeshCert", flip(250))), ("half a signature", member("Signature", lambda raw: raw.pop())),
        ("the document", member("AttestationDoc", flip(0))), ("no JSON", lambda path, answer: setattr(answer, "body", b"x")),
    ):
        middle.change = change
        fresh = Proxy(far)
        status, answer = fresh.chat()
        t.same((status, answer["error"]["code"]), (502, "gateway_not_trusted_or_reached"), f"{what}: no secret is agreed on")
        t.ok("signed by its mesh CA" in answer["error"]["message"] or "does not" in answer["error"]["message"], "and it is said why", answer)
        fresh.stop()
    middle.change = lambda path, answer: None
    t.same(len(provider.seen), seen, "and nothing was sent")


@t.case
def restarted():
    """A gateway that forgot the secret"""
    gateway.asked_port = gateway.port
    begun, seen = middle.paths().count(SECRET), len(provider.seen)
    gateway.stop()
    gateway.start()
    t.same(proxy.chat()[0], 200, "another one is exchanged")
    t.same((middle.paths().count(SECRET), len(provider.seen)), (begun + 1, seen + 1), "once, and the request is served once")
    gateway.stop()
    gateway.start()
    t.same(proxy.stream(), (200, TEXT, True, None), "the same for a stream")
    gateway.stop()
    status, answer = proxy.chat()
    t.ok(status in (502, 504), "a gateway that is away is an error", answer)
    gateway.start()
    t.same(proxy.chat()[0], 200, "and when it is there again, none")

    def forget(answer):
        answer.status, answer.body = 500, b'{"error":{"message":"no secret for ID x","type":""}}'
        answer.headers = [("Content-Type", "application/json"), ("Privatemode-Encrypted", "false")]

    middle.change = only_chat(forget)
    chats = middle.paths().count(CHAT)
    status, answer = proxy.chat()
    t.same((status, middle.paths().count(CHAT) - chats), (500, 2), "who always forgets is asked twice and no more")
    middle.change = lambda path, answer: None


@t.case
def anonymized():
    """--anonymize"""
    veiled = Proxy(far, "--anonymize")
    status, answer = veiled.chat()
    t.same((status, answer["choices"][0]["message"]["content"]), (200, TEXT), "the answer is restored here")
    seen = provider.seen[-1].texts
    t.ok(PERSON not in seen and EMAIL not in seen, "the provider saw tokens", seen)
    t.same(veiled.stream(), (200, TEXT, True, None), "a stream")
    raw = Proxy(far, "--anonymize", key=gateway.make_key("--no-anonymize"))
    t.same(raw.stream(), (200, TEXT, True, None), "and with a gateway that leaves text alone")
    t.lacks(provider.seen[-1].texts, EMAIL, "which saw none either")
    t.same((veiled.stop(), raw.stop()), (0, 0), "both end in peace")


@t.case
def trust():
    """Which gateway is believed"""
    known = folder / "sotto/known_meshes"
    rows = {row["gateway"]: row for row in map(json.loads, known.read_text().splitlines())}
    t.same(sorted(rows), sorted([f"127.0.0.1:{far}", f"127.0.0.1:{gateway.port}"]), "the mesh CA of an address is remembered once")
    t.same(known.stat().st_mode & 0o777, 0o600, "for its owner only")
    t.ok(not (folder / "sotto/known_gateways").exists(), "in a file of its own")
    pins, other = folder / "ca.pem", Gateway(config(provider))
    t.same(gateway.keys("mesh", "--export", str(pins)).returncode, 0, "sotto keys mesh writes the certificate")
    ours, theirs = pins.read_text(), other.keys("mesh").stdout.decode()
    for what, text, good in (("the gateway's", ours, True), ("two", f"# house\n{theirs}{ours}", True), ("another one's", theirs, False), ("garbage", "garbage\n", False), ("none", "", False)):
        pins.write_text(text)
        pinned = Proxy(far, "--trust", str(pins))
        status, answer = pinned.chat()
        t.same(status, 200 if good else 502, f"pinned: {what}")
        t.ok(good or str(pins) in answer["error"]["message"], "the file is named where it does not hold", answer)
        pinned.stop()
    seen = len(provider.seen)
    middle.to = other.port
    fresh = Proxy(far, key=other.key)
    status, answer = fresh.chat()
    t.same(status, 502, "a gateway with another CA at the same address is refused")
    t.has(answer["error"]["message"], "another mesh CA than before", "in a clear sentence")
    t.has(answer["error"]["message"], str(known), "that names the file")
    t.same(len(provider.seen), seen, "and nothing was sent")
    fresh.stop()
    middle.to = gateway.port
    stranger = Proxy(far, key="ql_" + "x" * 12 + "_" + "y" * 32, home=folder / "other")
    t.has(stranger.chat()[1]["error"]["message"], "refuses the key", "so is a key that is none, by the gateway")
    stranger.stop()
    other.finish(t)


@t.case
def words():
    """What it does not start with"""
    for what, given in (("no such profile", ["--profile", "none"]), ("a suite that the profile has not", ["--profile", "privatemode", "--suite", "kyber512"])):
        done = subprocess.run([binary(), "proxy", "--gateway", "http://127.0.0.1:1/v1", *given], capture_output=True, timeout=TIMEOUT, check=False,
                              env=environment({"SOTTO_API_KEY": "ql_x", "HOME": str(folder)}))
        t.ok(done.returncode == 2 and done.stderr.startswith(b"sotto"), f"{what}: a sentence and status 2", done)


t.same(proxy.stop(), 0, "SIGTERM ends the proxy with status 0")
provider.finish(t)
gateway.finish(t)
t.done()
