#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starting, reloading, ending; the mirror; health; what is left on disk."""

import json
import os
import re
import signal
import subprocess
import threading
import time

from lib.canary import ALL, EMAIL, PERSON, TEXT
from lib.gateway import Gateway, config
from lib.provider import TOKEN, Provider, chunk, completion
from lib.speed import SLOW
from lib.tap import Tap
from lib.wire import Client, build, chunks, free_port, text_of, wait_until

t = Tap()
CHAT = "/v1/chat/completions"
provider = Provider()


@t.case
def mirror():
    """Without a configuration and without a provider: the built-in mirror."""
    gateway = Gateway(None, admin=True)
    t.same((len(gateway.out), gateway.out[0][:9], gateway.out[-1][:7]), (2, b"api key: ", b"ready: "), "two lines on standard output: the key, and ready")
    t.ok(re.fullmatch(rb"ready: http://127\.0\.0\.1:\d+\n", gateway.out[-1]), "the ready line names the address", gateway.out)
    answer = gateway.chat(TEXT, model="anything")
    t.same((answer.status, answer.json["system_fingerprint"], answer.json["model"]), (200, "sotto-mirror", "anything"), "the mirror says what it is")
    t.ok(answer.content.startswith("You wrote: ") and TEXT in answer.content, "it answers with what it got, restored", answer.content)
    t.ok(answer.json["usage"]["total_tokens"] > 0, "and reports usage")
    told = gateway.chat(TEXT, headers=[("x-sotto-explain", "1")]).json["sotto"]
    t.ok(not any(value in json.dumps(told["sent"]) for value in ALL) and TOKEN.search(json.dumps(told["sent"])), "x-sotto-explain shows what it got", told)
    streamed = gateway.chat(TEXT, model="anything", stream=True, stream_options={"include_usage": True})
    t.ok(text_of(streamed.body) == answer.content and streamed.events()[-1] == "[DONE]", "streamed it says the same", streamed)
    t.ok(chunks(streamed.body)[-1]["usage"]["total_tokens"] > 0, "with usage if asked")
    t.same(len(gateway.chat(TEXT, n=3).json["choices"]), 3, "n is honoured")
    tools = [{"type": "function", "function": {"name": "note", "parameters": {"type": "object", "properties": {"who": {"type": "string"}}}}}]
    calls = gateway.chat(f"Patient {PERSON}, {EMAIL}", tools=tools).json["choices"][0]
    t.ok(calls["finish_reason"] == "tool_calls" and calls["message"]["tool_calls"][0]["function"]["name"] == "note", "tools: the first one is called", calls)
    t.ok(PERSON in calls["message"]["tool_calls"][0]["function"]["arguments"], "with the values as arguments, restored", calls)
    short = gateway.chat("one two three four five six", max_tokens=2).json["choices"][0]
    t.same(short["finish_reason"], "length", "max_tokens is honoured")
    with Client(gateway.admin_port) as client:
        t.same([client.request("GET", path).status for path in ("/livez", "/readyz")], [200, 200], "the admin listener says that it lives and is ready")
        t.same(client.request("GET", "/v1/models").status, 404, "and serves nothing else")
    t.same(gateway.request("GET", "/livez").status, 404, "which clients' listener does not show")
    gateway.finish(t)


@t.case
def environment():
    gateway = Gateway(None, env={"OPENAI_BASE_URL": provider.url + "/v1", "OPENAI_API_KEY": "sk-env"})
    provider.script = lambda seen, out: out.whole(completion("ok"))
    t.same(gateway.chat(f"Write to {EMAIL}").content, "ok", "OPENAI_BASE_URL and OPENAI_API_KEY name an upstream")
    t.same((provider.last.get("authorization"), provider.last.target), ("Bearer sk-env", "/v1/chat/completions"), "as the SDKs read them")
    gateway.finish(t)


gateway = Gateway(config(provider, limits={"drain": "20s"}), admin=True)


def stream_request(gw):
    body = json.dumps({"model": "gpt-4", "messages": [{"role": "user", "content": f"Patient {PERSON} wrote from {EMAIL}."}], "stream": True}).encode()
    return build("POST", CHAT, gw.headers(), body)


class Held:
    """Streams that wait in the middle."""

    def __init__(self):
        self.go = threading.Event()

    def __call__(self, seen, out):
        if not seen.json.get("stream"):
            return out.whole(completion("ok"))
        out.begin()
        out.event(chunk({"role": "assistant", "content": "so "}))
        self.go.wait(30 * SLOW)
        out.event(chunk({"content": seen.token("PERSON") + " far"}))
        out.event(chunk({}, finish="stop"))
        out.event("[DONE]")
        return out.end()


@t.case
def reload():
    held = Held()
    provider.script = held
    with gateway.client() as client:
        client.send(stream_request(gateway))
        client.head()
        body = client.chunk()
        gateway.write(config(provider, models={"only-this": "scripted"}))
        gateway.signal(signal.SIGHUP)
        t.ok(wait_until(lambda: gateway.chat("x", model="gpt-4").status == 404, 10), "SIGHUP reads the configuration again")
        held.go.set()
        while True:
            piece = client.chunk()
            if not piece:
                break
            body += piece
    t.same(text_of(body), f"so {PERSON} far", "a stream in flight goes on as it began")
    provider.script = lambda seen, out: out.whole(completion("ok"))
    t.same(gateway.chat("x", model="only-this").status, 200, "what is new is served")
    before = len(gateway.log())
    for bad in ("upstreams: {", '{"upstreams": {"x": {"kind": "openai", "url": "ftp://x"}}}', '{"nonsense": 1}', ""):
        gateway.write(bad or '{"models": {"a": "not-there"}, "upstreams": {"x": {"kind": "mirror"}}}')
        gateway.signal(signal.SIGHUP)
        grown = wait_until(lambda: len(gateway.log()) > before and b"refused" in gateway.log()[before:], 10)
        t.ok(grown, "a configuration that is not valid is refused in the log", gateway.log()[before:])
        before = len(gateway.log())
        t.same(gateway.chat("x", model="only-this").status, 200, "and the old one stays")
    gateway.write(config(provider, limits={"drain": "20s"}))
    gateway.signal(signal.SIGHUP)
    t.ok(wait_until(lambda: gateway.chat("x", model="gpt-4").status == 200, 10), "and a valid one is taken again")


@t.case
def drain():
    held = Held()
    provider.script = held
    idle = gateway.client()
    idle.request("GET", "/v1/models", gateway.headers())
    with gateway.client() as client:
        client.send(stream_request(gateway))
        client.head()
        body = client.chunk()
        gateway.signal(signal.SIGTERM)

        def refused():
            try:
                gateway.client(timeout=2).close()
                return False
            except OSError:
                return True

        t.ok(wait_until(refused, 10), "SIGTERM: nobody new is let in")
        t.ok(idle.is_closed(10), "idle connections are closed")
        with Client(gateway.admin_port) as admin:
            t.same((admin.request("GET", "/livez").status, admin.request("GET", "/readyz").status), (200, 503), "it lives, but is not ready")
        t.same(gateway.process.poll(), None, "a stream in flight is waited for")
        held.go.set()
        while True:
            piece = client.chunk()
            if not piece:
                break
            body += piece
    t.same((text_of(body), body.endswith(b"data: [DONE]\n\n")), (f"so {PERSON} far", True), "and finished")
    t.same(gateway.wait(), 0, "then it ends with status 0")
    gateway.start()
    provider.script = lambda seen, out: out.whole(completion("ok"))
    t.same(gateway.chat("x").status, 200, "and starts again with the same key")


@t.case
def drain_is_capped():
    gateway.write(config(provider, limits={"drain": "500ms"}))
    gateway.stop()
    gateway.start()
    provider.script = Held()
    with gateway.client() as client:
        client.send(stream_request(gateway))
        client.head()
        client.chunk()
        gateway.signal(signal.SIGTERM)
        try:
            status = gateway.wait(15 * SLOW)
        except subprocess.TimeoutExpired:
            status = None
        t.same(status, 0, "what does not end within limits.drain is cut")
    provider.script.go.set()
    gateway.start()


@t.case
def interrupted():
    gateway.signal(signal.SIGINT)
    t.same(gateway.wait(), 0, "SIGINT ends it as well")
    gateway.start()
    for number in (signal.SIGPIPE, signal.SIGWINCH):
        gateway.signal(number)
    time.sleep(0.1)
    provider.script = lambda seen, out: out.whole(completion("ok"))
    t.same(gateway.chat("x").status, 200, "other signals do nothing")


@t.case
def killed():
    """A crash: what was there before is there after."""
    key = gateway.make_key("--name", "kept")
    gateway.process.kill()
    gateway.process.wait()
    gateway.start()
    t.same((gateway.chat("x").status, gateway.chat("x", key=key).status), (200, 200), "after SIGKILL it starts, and the keys are there")


@t.case
def wrong_starts():
    def start(*words, env=()):
        return gateway.command_line("serve", *words, env=env)

    fresh = str(gateway.folder / "other")
    done = start("--listen", "nonsense", "--state", fresh)
    t.ok(done.returncode == 2 and done.stderr.startswith(b"sotto: ") and done.stderr.count(b"\n") == 1, "a wrong address: status 2 and one line", done)
    done = start("--config", "/no/such/file", "--state", fresh)
    t.ok(done.returncode == 1 and b"/no/such/file" in done.stderr, "a configuration that is not there: status 1", done)
    done = start("--listen", f"127.0.0.1:{gateway.port}", "--state", fresh, "--admin", "127.0.0.1:0")
    t.ok(done.returncode == 1 and str(gateway.port).encode() in done.stderr, "a port that is taken: status 1, and it is named", done)
    done = start("--listen", "127.0.0.1:0", "--state", fresh, env={"SOTTO_API_KEY": "ql_short"})
    t.ok(done.returncode == 1 and b"SOTTO_API_KEY" in done.stderr, "a key of the wrong form: status 1", done)
    done = start("--frobnicate")
    t.same(done.returncode, 2, "an unknown option: status 2")
    done = start("--help")
    t.ok(done.returncode == 0 and b"--listen" in done.stdout, "--help: status 0", done)
    os.mkdir(gateway.folder / "open", 0o755)
    os.chmod(gateway.folder / "open", 0o755)
    bad = gateway.folder / "bad.yaml"
    bad.write_text("listen: 5\nmodels:\n  a: {upstream: b}\nupstreams:\n  c: {kind: openia}\n")
    done = start("--config", str(bad), "--state", fresh)
    t.ok(done.returncode == 1 and b"line 1" in done.stderr and b"line 5" in done.stderr, "a configuration that is wrong: each line is named", done)


@t.case
def files():
    provider.script = lambda seen, out: out.whole(completion(seen.texts))
    t.same(gateway.chat(TEXT).content, TEXT, "a request with values of all kinds")
    gateway.chat(TEXT, stream=True)
    modes = {(path.name, oct(path.stat().st_mode & 0o777)) for path in gateway.state.rglob("*") if path.is_file()}
    t.ok(modes and all(mode == "0o600" for _, mode in modes), "files in the state folder are for their owner alone", modes)
    core = open(f"/proc/{gateway.process.pid}/limits", encoding="ascii").read()
    t.ok(re.search(r"Max core file size +0 +0", core) or not os.access(f"/proc/{gateway.process.pid}/mem", os.R_OK), "no core dump is written", core)


@t.case
def json_log():
    other = Gateway(config(provider, log={"format": "json"}))
    answer = other.chat(TEXT)
    t.same(other.stop(), 0, "it ends with 0")
    lines = [json.loads(line) for line in other.log_lines()]
    mine = [line for line in lines if answer.get("x-request-id") in line.values()]
    t.ok(len(mine) == 1, "log.format json: each line is JSON, one is about the request", lines)
    other.check_files(t)
    other.remove()


@t.case
def restarts_use_one_port():
    port = free_port()
    other = Gateway(config(provider), port=port)
    t.same((other.port, other.chat("x").status), (port, 200), "the port is the one asked for")
    other.stop()
    other.start()
    t.same(other.chat("x").status, 200, "it can be taken again at once")
    other.remove()


provider.finish(t)
gateway.finish(t)
t.done()
