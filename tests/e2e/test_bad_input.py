#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Input that cannot be understood: a clear error of its dialect, and nothing forwarded."""

import json
import os

from lib.gateway import Gateway, config, say
from lib.provider import Provider
from lib.speed import SLOW
from lib.tap import Tap
from lib.wire import Closed, build

t = Tap()
provider = Provider()
gateway = Gateway(config(provider, models={"gpt-4": "scripted", "gpt-3.5-turbo": "scripted"}))
CHAT = "/v1/chat/completions"
DIALECTS = {
    "openai": (CHAT, [("Authorization", f"Bearer {gateway.key}")]),
    "phi_header": (CHAT, [("x-compliantchatgpt-key", gateway.key), ("x-openai-key", "sk-x")]),
    "anonymize": ("/v1/ai/completions", [("Api-token", gateway.key)]),
}
GOOD = {"model": "gpt-4", "messages": say("Hello")}


def has_form(dialect, answer):
    body = answer.json
    if dialect == "openai":
        return sorted(body["error"]) == ["code", "message", "param", "type"] and body["error"]["message"] != ""
    if dialect == "phi_header":
        return sorted(body) == ["description", "error"] and body["description"] != ""
    return sorted(body) in (["errors", "message"], ["error"])


def refused(what, body, statuses=(400,), dialects=DIALECTS, headers=(("Content-Type", "application/json"),)):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    for dialect in dialects:
        target, auth = DIALECTS[dialect]
        with gateway.client() as client:
            try:
                client.send(build("POST", target, [*auth, *headers], data))
            except (BrokenPipeError, ConnectionResetError):
                pass
            answer = client.response()
        t.ok(answer.status in statuses and has_form(dialect, answer), f"{dialect}: {what}", answer)
    return answer


def text_body(raw):
    """A request whose user's text is these bytes inside the quotes."""
    return b'{"model":"gpt-4","messages":[{"role":"user","content":"' + raw + b'"}]}'


BAD_JSON = {
    "an empty body": b"",
    "half a request": json.dumps(GOOD).encode()[:-9],
    "something behind the request": json.dumps(GOOD).encode() + b"{}",
    "a comma too many": b'{"model":"gpt-4","messages":[],}',
    "single quotes": b"{'model':'gpt-4'}",
    "a comment": b'{"model":"gpt-4",/* x */"messages":[]}',
    "NaN": b'{"model":"gpt-4","temperature":NaN,"messages":[{"role":"user","content":"x"}]}',
    "a number that is none": b'{"model":"gpt-4","temperature":01,"messages":[{"role":"user","content":"x"}]}',
    "a byte order mark": b"\xef\xbb\xbf" + json.dumps(GOOD).encode(),
    "UTF-16": json.dumps(GOOD).encode("utf-16-le"),
    "a raw NUL byte": text_body(b"a\0b"),
    "a raw line break in a string": text_body(b"a\nb"),
    "a byte that is not UTF-8": text_body(b"a\xffb"),
    "a UTF-8 sequence cut short": text_body(b"a\xe2\x82"),
    "an over-long UTF-8 sequence": text_body(b"\xc0\xaf"),
    "a surrogate in UTF-8": text_body(b"\xed\xa0\x80"),
    "a high surrogate alone": text_body(b"\\ud800"),
    "a low surrogate alone": text_body(b"\\udc00 x"),
    "surrogates in the wrong order": text_body(b"\\udc00\\ud800"),
    "an escape that is none": text_body(b"\\x41"),
    "a doubled key": b'{"model":"gpt-4","model":"gpt-4","messages":[{"role":"user","content":"x"}]}',
    "a doubled key deep down": b'{"model":"gpt-4","messages":[{"role":"user","content":"x","content":"y"}]}',
    "a doubled key, once escaped": b'{"model":"gpt-4","messages":[{"role":"user","content":"x","c\\u006fntent":"y"}]}',
    "nesting 10,000 deep": b'{"model":"gpt-4","messages":' + b"[" * 10000 + b"]" * 10000 + b"}",
    "nesting 10,000 deep, never closed": b'{"a":' * 10000,
    "an array": b"[]",
    "a string": b'"x"',
    "null": b"null",
}


@t.case
def bad_json():
    for what, body in BAD_JSON.items():
        refused(what, body)


@t.case
def places():
    answer = refused("a fault with its place", b'{\n"model": "gpt-4",\n"messages": [}', dialects=["openai"])
    t.ok("line 3" in answer.error["message"] and "column" in answer.error["message"], "an error names line and column", answer)
    answer = refused("nesting over the limit", b'{"model":"gpt-4","messages":' + b"[" * 200 + b"]" * 200 + b"}", dialects=["openai"])
    t.lacks(answer.body, b"[[[[", "an error does not quote the request")


@t.case
def nul_is_text():
    provider_before = len(provider.seen)
    answer = gateway.request("POST", CHAT, gateway.headers(), text_body(b"a\\u0000b"))
    t.same((answer.status, answer.content), (200, "a\0b"), "an escaped NUL is text and comes back")
    t.same(provider.seen[provider_before].texts, "a\0b", "and reaches the provider")


@t.case
def wrong_types():
    cases = {
        "model": 5, "messages": "", "temperature": "warm", "top_p": [], "n": 1.5, "max_tokens": {}, "stop": 5,
        "presence_penalty": 3, "frequency_penalty": -3, "logprobs": 1, "top_logprobs": 21, "logit_bias": [],
        "stream": "yes", "stream_options": [], "tools": {}, "tool_choice": 1, "parallel_tool_calls": 1,
        "response_format": "json", "seed": "x", "user": 7, "metadata": [], "modalities": "text",
    }
    before = len(provider.seen)
    for field, value in cases.items():
        if field == "messages":
            continue  # a string as messages is another dialect's
        answer = gateway.post(CHAT, {**GOOD, field: value})
        t.ok(answer.status == 400 and answer.error["param"] == field and answer.error["type"] == "invalid_request_error",
             f"{field} of a wrong type or out of range is refused, and named", answer)
    for field, value in {"n": 0, "n ": 129, "messages": [], "messages ": [[]], "messages  ": [{}], "messages   ": [None]}.items():
        answer = gateway.post(CHAT, {**GOOD, field.strip(): value})
        t.ok(answer.status == 400 and answer.error["param"].startswith(field.strip()), f"{field.strip()} {value} is refused", answer)
    deep = [{"role": "user", "content": [{"type": "text"}]}]
    answer = gateway.post(CHAT, {**GOOD, "messages": deep})
    t.same((answer.status, answer.error["param"]), (400, "messages[0].content[0].text"), "a part without its text is named")
    deep = [{"role": "assistant", "tool_calls": [{"id": "x", "type": "function", "function": {"name": "f", "arguments": {}}}]}]
    answer = gateway.post(CHAT, {**GOOD, "messages": deep})
    t.same((answer.status, answer.error["param"]), (400, "messages[0].tool_calls[0].function.arguments"),
           "arguments that are no string are named")
    t.same(len(provider.seen), before, "nothing of this went upstream")


@t.case
def sealed_look_alikes():
    before = len(provider.seen)
    for what, body in {"a string as messages": {"model": "gpt-4", "messages": "plain text"},
                       "a string as message": {"model": "gpt-4", "message": "plain text"}}.items():
        answer = gateway.post(CHAT, body)
        t.same(answer.status, 400, f"{what} that is nothing sealed is refused")
    answer = gateway.request("POST", CHAT, [("Authorization", f"Bearer {gateway.key}"),
                                            ("Content-Type", "application/vnd.sotto.sealed")], b"\x01\x02")
    t.ok(answer.status in (400, 415), "a sealed content type that cannot be opened is refused", answer)
    t.same(len(provider.seen), before, "nothing of this went upstream")


@t.case
def models_and_routes():
    before = len(provider.seen)
    answer = gateway.chat("Hello", model="gpt-17")
    t.same((answer.status, answer.error["code"], answer.error["param"]), (404, "model_not_found", "model"), "an unknown model is a 404")
    answer = gateway.post("/v1/ai/completions", {"model": "gpt-17", "messages": say("x")})
    t.same((answer.status, answer.json.get("errors")), (400, {"model": ["The selected model is invalid."]}),
           "anonymize: an unknown model is a validation error")
    answer = gateway.request("POST", CHAT, [*DIALECTS["phi_header"][1], ("Content-Type", "application/json")],
                             json.dumps({"model": "gpt-17", "messages": say("x")}).encode())
    t.same((answer.status, sorted(answer.json)), (400, ["description", "error"]), "phi_header: an unknown model is a 400")
    for target in ("/", "/v1", "/v1/chat", "/v1/chat/completions/", "/v1//chat/completions", "/v1/completions", "/v1/%63hat/completions",
                   "/V1/chat/completions", "/../v1/chat/completions", "/v1/chat/completions/../../models"):
        answer = gateway.request("POST", target, gateway.headers(), json.dumps(GOOD).encode())
        t.ok(answer.status in (404, 405) and sorted(answer.error) == ["code", "message", "param", "type"], f"no such route: {target}", answer)
    for method, target, allow in (("GET", CHAT, "POST"), ("PUT", CHAT, "POST"), ("DELETE", "/v1/models", "GET"),
                                  ("POST", "/v1/models/gpt-4", "GET"), ("GET", "/v1/embeddings", "POST")):
        answer = gateway.request(method, target, gateway.headers())
        t.ok(answer.status == 405 and allow in (answer.get("allow") or "") and "error" in answer.json, f"{method} {target} is a 405 with Allow", answer)
    answer = gateway.request("GET", "/v1/ai/completions", [("Api-token", gateway.key)])
    t.ok(answer.status == 405 and "allow" in dict(answer.headers), "anonymize: a wrong method is a 405", answer)
    answer = gateway.request("POST", "/v1/ai/nothing", [("Api-token", gateway.key)])
    t.ok(answer.status == 404 and "error" in answer.json or "message" in answer.json, "anonymize: an unknown route is a 404", answer)
    t.same(gateway.request("POST", CHAT + "?x=1", gateway.headers(), json.dumps(GOOD).encode()).status, 200, "a query does not matter")
    t.same(len(provider.seen), before + 1, "only that went upstream")


@t.case
def content_types():
    before = len(provider.seen)
    for coding in ("gzip", "br", "deflate", "zstd", "gzip, gzip"):
        refused(f"Content-Encoding {coding}", GOOD, (415,), ["openai"], (("Content-Type", "application/json"), ("Content-Encoding", coding)))
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        refused(f"Content-Type {kind}", GOOD, (400, 415), ["openai"], (("Content-Type", kind),))
    t.same(len(provider.seen), before, "nothing of this went upstream")
    for kind in ("application/json; charset=utf-8", "APPLICATION/JSON"):
        answer = gateway.request("POST", CHAT, [("Authorization", f"Bearer {gateway.key}"), ("Content-Type", kind)], json.dumps(GOOD).encode())
        t.same(answer.status, 200, f"Content-Type {kind} is JSON")


@t.case
def large_bodies():
    before = len(provider.seen)
    size = 100 << 20
    head = build("POST", CHAT, gateway.headers(), b"")[:-len(b"Content-Length: 0\r\n\r\n")]
    with gateway.client() as client:
        client.send(head + b"Content-Length: %d\r\n\r\n" % size)
        answer = client.response()
        t.ok(answer.status == 413 and "error" in answer.json, "a body of 100 MB is refused before it is sent", answer)
        t.ok(client.is_closed(), "and the connection is closed")
    rss = gateway.rss()
    with gateway.client() as client:
        block = b"%x\r\n" % (1 << 20) + b"a" * (1 << 20) + b"\r\n"
        client.send(head + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(100):
                client.send(block)
        except OSError:
            pass
        try:
            status = client.head().status
        except (Closed, OSError):
            status = "reset"
        t.ok(status in (413, "reset"), "100 MB in chunks are cut off", status)
    if SLOW == 1:
        t.ok(gateway.rss() - rss < 64 << 20, "and were not kept", f"{rss} {gateway.rss()}")
    with gateway.client() as client:
        client.send(head + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % size)
        answer = client.response()
        t.same(answer.status, 413, "Expect: 100-continue gets the refusal before the body")
    t.same(len(provider.seen), before, "nothing of this went upstream")
    text = "word " * 400000
    answer = gateway.chat(text)
    t.ok(answer.status == 200 and answer.content == text, "a body of 2 MB passes whole", str(answer)[:300])


@t.case
def strange_but_good():
    text = "\u0001 \u007f \u2028 \ufeff \U0001f642 é e\u0301 \\ \" / \t \r\n end"
    answer = gateway.chat(text)
    t.same((answer.status, answer.content), (200, text), "control characters, line separators and emoji come back as they are")
    t.same(provider.last.texts, text, "and reach the provider as they are")
    body = b'{ "model" : "gpt-4" , "big": 123456789012345678901234567890, "exp": 1e-7, "neg": -0.0, "messages":[{"role":"user","content":"\\ud83d\\ude42"}]}'
    answer = gateway.request("POST", CHAT, gateway.headers(), body)
    sent = provider.last.body
    t.ok(answer.status == 200 and all(word in sent for word in (b"123456789012345678901234567890", b"1e-7", b"-0.0")),
         "numbers reach the provider digit by digit", sent)
    t.same(answer.content, "\U0001f642", "a surrogate pair is one character")


@t.case
def random_bytes():
    before = len(provider.seen)
    for size in (1, 17, 300, 5000):
        body = os.urandom(size)
        answer = gateway.request("POST", CHAT, gateway.headers(), body)
        t.ok(answer.status == 400, f"{size} random bytes are refused", answer)
    t.same(len(provider.seen), before, "and not forwarded")


provider.finish(t)
gateway.finish(t)
t.done()
