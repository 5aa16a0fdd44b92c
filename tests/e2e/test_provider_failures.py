#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Providers that refuse, answer nonsense, stop in the middle, or do not answer at all."""

import json
import threading
import time

from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config
from lib.provider import Provider, chunk, completion, sse, sleep_until_gone
from lib.speed import SLOW
from lib.tap import Tap
from lib.wire import free_port, text_of

t = Tap()
provider = Provider()
SCRIPTED = {"kind": "openai", "url": provider.url + "/v1", "key": "sk-upstream"}
gateway = Gateway(config(
    provider,
    upstreams={
        "scripted": SCRIPTED,
        "nobody": {"kind": "openai", "url": f"http://127.0.0.1:{free_port()}/v1"},
        "nowhere": {"kind": "openai", "url": "http://no-such-host.invalid/v1"},
        "hasty": {**SCRIPTED, "first_byte": "500ms", "idle": "500ms"},
        "tls": {**SCRIPTED, "url": provider.url.replace("http", "https") + "/v1"},
    },
    models={"nobody": "nobody", "nowhere": "nowhere", "hasty": "hasty", "tls": "tls", "*": "scripted"},
    limits={"event": "256KiB", "answer": "1MiB"},
))
ASK = f"Patient {PERSON} wrote from {EMAIL}."


def error(message="no", kind="invalid_request_error", param=None, code=None):
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


@t.case
def refusals_pass():
    cases = [
        (400, error("bad", param="messages", code="empty_array")), (404, error("no model", code="model_not_found")),
        (409, error("busy")), (413, error("too long")), (422, error("odd")),
        (429, error("slow down", "rate_limit_error", code="rate_limit_exceeded")), (500, error("oops", "server_error")),
        (503, error("overloaded", "server_error")), (529, error("overloaded", "overloaded_error")),
    ]
    for status, body in cases:
        provider.script = lambda seen, out, s=status, b=body: out.whole(b, s, [("Retry-After", "7"), ("x-ratelimit-remaining-tokens", "0")])
        count = len(provider.seen)
        for stream in (False, True):
            got = gateway.chat(ASK, stream=stream)
            t.same((got.status, got.json), (status, body), f"{status} of the provider passes{' before a stream' if stream else ''}")
            t.same((got.get("retry-after"), got.get("x-ratelimit-remaining-tokens")), ("7", "0"), f"{status}: with Retry-After and x-ratelimit-*")
        t.same(len(provider.seen), count + 2, f"{status}: the gateway does not retry what a client would retry")


@t.case
def retry_hints():
    provider.script = lambda seen, out: out.whole(error(), 429, [("retry-after-ms", "1500"), ("x-should-retry", "false"), ("Set-Cookie", "a=b"), ("Server", "x")])
    got = gateway.chat(ASK)
    t.same((got.get("retry-after-ms"), got.get("x-should-retry")), ("1500", "false"), "retry-after-ms and x-should-retry pass")
    t.same((got.get("set-cookie"), got.get("server")), (None, None), "cookies and the like do not")
    provider.script = lambda seen, out: out.whole(completion("ok"), 200, [("openai-processing-ms", "5"), ("x-ratelimit-limit-requests", "100"), ("x-request-id", "req_upstream")])
    got = gateway.chat(ASK)
    t.same((got.get("openai-processing-ms"), got.get("x-ratelimit-limit-requests")), ("5", "100"), "limits of the provider pass with good answers too")
    t.ok(got.get("x-request-id") != "req_upstream", "x-request-id is the gateway's own", got.headers)


@t.case
def our_key_refused():
    for status in (401, 403):
        provider.script = lambda seen, out, s=status: out.whole(error("Incorrect API key provided: sk-upstream"), s)
        got = gateway.chat(ASK)
        t.same((got.status, got.error["code"]), (502, "upstream_auth_failed"), f"{status}: the gateway's key refused is a 502")
        t.lacks(got.body, b"sk-upstream", f"{status}: without the provider's words")


ODD_ERRORS = {
    "no JSON": b"<html>Bad Gateway</html>", "an empty body": b"", "a string": b'"no"', "an error that is a string": b'{"error":"model not found"}',
    "a flat error": b'{"object":"error","message":"flat","type":"x","param":null,"code":null}', "an array": b"[1,2]", "bytes that are not UTF-8": b"\xff\xfe\x00",
    "an error without a message": b'{"error":{"code":5}}',
}


@t.case
def odd_errors():
    for name, body in ODD_ERRORS.items():
        for status in (400, 500):
            provider.script = lambda seen, out, b=body, s=status: out.whole(b, s, kind="text/html")
            got = gateway.chat(ASK)
            t.ok(got.status == status and sorted(got.error) == ["code", "message", "param", "type"], f"{status} with {name} is a proper error", got)
    provider.script = lambda seen, out: out.whole(b"x" * (3 << 20), 500)
    got = gateway.chat(ASK)
    t.ok(got.status == 500 and len(got.body) < 10000, "an error of 3 MB is not passed on", str(got)[:200])


GARBAGE = {
    "no JSON": b"hello", "half an answer": json.dumps(completion("x")).encode()[:50], "an empty body": b"", "an array": b"[]", "null": b"null",
    "bytes that are not UTF-8": b'{"choices":[{"index":0,"message":{"content":"\xff"}}]}', "nesting 100,000 deep": b"[" * 100000,
    "no choices": b'{"id":"x","object":"chat.completion"}', "choices that are none": b'{"choices":5}', "HTML": b"<html></html>",
}


@t.case
def garbage():
    for name, body in GARBAGE.items():
        provider.script = lambda seen, out, b=body: out.whole(b)
        got = gateway.chat(ASK)
        t.ok(got.status == 502 and got.error["code"] == "upstream_invalid_response", f"an answer of {name} is a 502", got)
    provider.script = lambda seen, out: out.whole(completion("x" * (2 << 20)))
    got = gateway.chat(ASK)
    t.same((got.status, got.error["code"]), (502, "upstream_invalid_response"), "an answer over the limit is a 502")


RAW = {
    "no HTTP": b"SSH-2.0-OpenSSH_9\r\n\r\n", "HTTP/2": b"HTTP/2 200\r\n\r\n", "a status that is none": b"HTTP/1.1 2x0 OK\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a chunk size that is none": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", "a chunk size too large": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    "a folded header": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\n{}", "a head of 1 MB": b"HTTP/1.1 200 OK\r\nX: " + b"a" * (1 << 20) + b"\r\n\r\n",
    "a NUL in the head": b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\n{}",
}


@t.case
def no_http():
    for name, data in RAW.items():
        def script(seen, out, data=data):
            out.send(data)
            out.close()

        provider.script = script
        got = gateway.chat(ASK)
        t.ok(got.status == 502 and "code" in got.error, f"{name} is a 502", got)


@t.case
def never_there():
    got = gateway.chat(ASK, model="nobody")
    t.same((got.status, got.error["code"]), (502, "upstream_unreachable"), "nobody listens: 502")
    got = gateway.chat(ASK, model="nobody", stream=True)
    t.same((got.status, got.error["code"]), (502, "upstream_unreachable"), "nobody listens: 502 for a stream too")
    got = gateway.chat(ASK, model="nowhere")
    t.ok(got.status in (502, 504) and got.error["code"].startswith("upstream_"), "a name that does not resolve: 502", got)
    got = gateway.chat(ASK, model="tls")
    t.ok(got.status in (502, 504) and got.error["code"].startswith("upstream_"), "plain HTTP where TLS is due: 502 or 504", got)

    def reset(seen, out):
        out.reset()

    provider.script = reset
    t.same(gateway.chat(ASK).status, 502, "a reset before the answer: 502")
    provider.script = lambda seen, out: out.close()
    t.same(gateway.chat(ASK).status, 502, "a close before the answer: 502")


@t.case
def never_answers():
    provider.script = sleep_until_gone
    for stream in (False, True):
        got = gateway.chat(ASK, model="hasty", stream=stream)
        t.same((got.status, got.error["code"]), (504, "upstream_timeout"), f"silence is a 504{' for a stream' if stream else ''}")
    closed = []

    def half(seen, out):
        out.begin()
        out.event(chunk({"role": "assistant", "content": "so far"}))
        closed.append(out.gone())

    provider.script = half
    got = gateway.chat(ASK, model="hasty", stream=True)
    events = got.events()
    t.ok(got.status == 200 and "error" in json.loads(events[-1]) and "[DONE]" not in events, "silence in mid-stream is an error event and no [DONE]", got)
    t.same(text_of(got.body.rsplit(b"data: ", 1)[0]), "so far", "after what had come")
    t.ok(closed == [True] or (time.sleep(1) or closed == [True]), "and the provider's connection is closed")

    def whole(seen, out):
        out.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        out.gone()

    provider.script = whole
    got = gateway.chat(ASK, model="hasty")
    t.ok(got.status in (502, 504), "silence in the middle of a whole answer is an error", got)


def cut_after(events, finish=False, reset=False, chunked=True):
    def script(seen, out):
        out.begin(chunked=chunked)
        for event in events:
            out.event(event(seen) if callable(event) else event)
        if finish:
            out.event(chunk({}, finish="stop"))
        time.sleep(0.05)
        out.reset() if reset else out.close()

    return script


@t.case
def cut_streams():
    hello = chunk({"role": "assistant", "content": "so "})
    token = lambda seen: chunk({"content": seen.token("PERSON") + " far"})
    for name, more in {"close": {}, "reset": {"reset": True}, "close, body until close": {"chunked": False}}.items():
        provider.script = cut_after([hello, token], **more)
        got = gateway.chat(ASK, stream=True)
        events = got.events()
        last = json.loads(events[-1]) if events and events[-1] != "[DONE]" else {}
        t.ok("error" in last and "[DONE]" not in events, f"{name} in mid-stream: an error event and no [DONE]", got)
        t.same(text_of(b"".join(sse(e) for e in events[:-1])), f"so {PERSON} far", f"{name}: after all that had come, restored")
        t.same(sorted(last.get("error", {})), ["code", "message", "param", "type"], f"{name}: OpenAI's form")
    for name, more in {"close": {}, "body until close": {"chunked": False}, "reset": {"reset": True}}.items():
        provider.script = cut_after([hello, token], finish=True, **more)
        got = gateway.chat(ASK, stream=True)
        if name == "reset":  # what lay in the socket may be lost with it
            t.ok(got.events()[-1] == "[DONE]" or "error" in json.loads(got.events()[-1]), "a finished stream, then reset: completed or an error", got)
        else:
            t.same(got.events()[-1], "[DONE]", f"a finished stream without [DONE], then {name}: completed")
    provider.script = cut_after([hello], chunked=False)
    got = gateway.chat(ASK, stream=True, n=2)
    t.ok("[DONE]" not in got.events(), "one of two choices unfinished is not complete", got)

    def one_of_two(seen, out):
        out.stream([chunk({"content": "a"}, 0), chunk({"content": "b"}, 1), chunk({}, 0, "stop")], done=False)

    provider.script = one_of_two
    got = gateway.chat(ASK, stream=True, n=2)
    t.ok("[DONE]" not in got.events() and "error" in json.loads(got.events()[-1]), "also where the body ends in good form", got)

    def empty(seen, out):
        out.stream([], done=False)

    provider.script = empty
    got = gateway.chat(ASK, stream=True)
    t.ok(got.status == 502 or "error" in json.loads(got.events()[-1]), "a stream without any event is an error", got)


@t.case
def cut_whole():
    def script(seen, out):
        body = json.dumps(completion("x" * 1000)).encode()
        out.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:500])
        out.close()

    provider.script = script
    got = gateway.chat(ASK)
    t.ok(got.status == 502 and got.error["code"].startswith("upstream_"), "a whole answer cut short is a 502", got)


BAD_EVENTS = {
    "no JSON": b"data: {oops\n\n", "half an event": b'data: {"id":"x","choices":[{"ind', "a string": b'data: "x"\n\n', "an array": b"data: []\n\n",
    "bytes that are not UTF-8": b'data: {"choices":[{"index":0,"delta":{"content":"\xff"}}]}\n\n', "nesting": b"data: " + b"[" * 5000 + b"\n\n",
}


@t.case
def bad_events():
    for name, data in BAD_EVENTS.items():
        def script(seen, out, data=data):
            out.begin()
            out.event(chunk({"role": "assistant", "content": "so far"}))
            out.part(data)
            out.end()

        provider.script = script
        got = gateway.chat(ASK, stream=True)
        events = got.events()
        t.ok(events and "[DONE]" not in events and "error" in json.loads(events[-1]), f"{name} in a stream is an error event", got)
        t.same(text_of(b"".join(sse(e) for e in events[:-1])), "so far", f"{name}: what came before it went out")


@t.case
def error_events():
    provider.script = lambda seen, out: out.stream([chunk({"role": "assistant", "content": "so "}), error(f"no more of {seen.token('PERSON')}", "server_error", code="boom")], done=False)
    got = gateway.chat(ASK, stream=True)
    last = json.loads(got.events()[-1])
    t.same(last, error(f"no more of {PERSON}", "server_error", code="boom"), "an error event of the provider passes, restored, and ends the stream")


@t.case
def huge_event():
    """An event of 100 MB: the limit cuts it, and memory does not hold it."""
    stopped = threading.Event()

    def script(seen, out):
        out.begin()
        out.event(chunk({"role": "assistant", "content": "so far"}))
        try:
            out.part(b'data: {"choices":[{"index":0,"delta":{"content":"')
            for _ in range(100):
                out.part(b"a" * (1 << 20))
            out.gone()
        except OSError:
            pass
        stopped.set()
        out.close()

    provider.script = script
    before = gateway.rss()
    got = gateway.chat(ASK, stream=True)
    events = got.events()
    t.ok("[DONE]" not in events and json.loads(events[-1])["error"]["code"] == "upstream_invalid_response", "an event of 100 MB is an error event", got)
    t.ok(stopped.wait(30), "the provider's connection is closed before it is all sent")
    if SLOW == 1:
        t.ok(gateway.rss() - before < 32 << 20, "and it is not kept in memory", f"{before} {gateway.rss()}")

    def line(seen, out):
        out.begin()
        try:
            for _ in range(40):
                out.part(b": " + b"c" * (1 << 20))
            out.gone()
        except OSError:
            pass
        out.close()

    provider.script = line
    got = gateway.chat(ASK, stream=True)
    t.ok(got.status == 502 or "error" in json.loads(got.events()[-1]), "nor is a line that never ends", str(got)[:200])


@t.case
def stale_connections():
    """A kept connection that the provider has closed meanwhile."""
    def once(seen, out):
        out.whole(completion("ok"))
        out.close()

    provider.script = once
    t.same([gateway.chat(ASK).status for _ in range(20)], [200] * 20, "a provider that closes after each answer is no trouble")
    provider.script = lambda seen, out: out.whole(completion("ok"))
    before = provider.connections
    for _ in range(20):
        gateway.chat(ASK)
    t.ok(provider.connections - before <= 8, "connections are used again", provider.connections - before)


@t.case
def slow_but_sure():
    def script(seen, out):
        data = json.dumps(completion(seen.token("PERSON"))).encode()
        out.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(data))
        for i in range(0, len(data), 20):
            out.send(data[i : i + 20])
            time.sleep(0.005)

    provider.script = script
    t.same(gateway.chat(ASK).content, PERSON, "an answer in dribs and drabs is whole")
    provider.script = lambda seen, out: out.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n") or out.whole(completion("late"))
    t.same(gateway.chat(ASK).content, "late", "1xx answers of a provider are passed over")
    provider.script = lambda seen, out: out.send(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
    got = gateway.chat(ASK)
    t.ok(got.status == 502, "a redirect is not followed", got)


provider.finish(t)
gateway.finish(t, [PERSON, EMAIL, "sk-upstream"])
t.done()
