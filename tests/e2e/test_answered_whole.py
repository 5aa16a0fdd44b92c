#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stream is asked for and the provider answers whole: clients get the stream that they can read."""

import json

from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config
from lib.provider import Provider, completion, usage
from lib.tap import Tap
from lib.wire import TIMEOUT, chunks, text_of, wait_until

t = Tap()
provider = Provider()
KINDS = {"openai": "/v1", "azure": "", "mistral": "/v1", "anthropic": ""}
gateway = Gateway(config(
    provider,
    upstreams={kind: {"kind": kind, "url": provider.url + path, "key": "k"} for kind, path in KINDS.items()},
    models={**{kind: kind for kind in KINDS}, "*": "openai"},
))
ASK = f"Patient {PERSON} wrote from {EMAIL}."
CHAT = "/v1/chat/completions"


def calls_of(body, index=0):
    """Tool calls as a client puts them together, by their places."""
    found = {}
    for part in chunks(body):
        for choice in part["choices"]:
            for call in (choice["delta"].get("tool_calls") or []) if choice["index"] == index else []:
                whole = found.setdefault(call["index"], {"id": "", "name": "", "arguments": ""})
                whole["id"] += call.get("id", "")
                whole["name"] += call["function"].get("name", "")
                whole["arguments"] += call["function"].get("arguments", "")
    return list(found.values())


def ends(body):
    return [c["finish_reason"] for part in chunks(body) for c in part["choices"] if c["finish_reason"]]


def of_anthropic(seen):
    return {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "stop_reason": "tool_use", "stop_sequence": None,
            "content": [{"type": "text", "text": f"Dear {seen.token('PERSON')}"},
                        {"type": "tool_use", "id": "toolu_1", "name": "mail", "input": {"to": seen.token("EMAIL")}}],
            "usage": {"input_tokens": 9, "output_tokens": 12}}


def of_openai(seen):
    call = {"id": "toolu_1", "type": "function", "function": {"name": "mail", "arguments": json.dumps({"to": seen.token("EMAIL")})}}
    return completion(f"Dear {seen.token('PERSON')}", message={"tool_calls": [call]}, finish="tool_calls")


@t.case
def every_provider():
    for kind in KINDS:
        provider.script = lambda seen, out, k=kind: out.whole(of_anthropic(seen) if k == "anthropic" else of_openai(seen))
        for asked in (False, True):
            got = gateway.chat(ASK, model=kind, stream=True, **({"stream_options": {"include_usage": True}} if asked else {}))
            t.ok(provider.last.json["stream"] is True, f"{kind}: is asked for a stream")
            t.same((got.status, got.get("content-type"), got.events()[-1]), (200, "text/event-stream; charset=utf-8", "[DONE]"), f"{kind}: what comes is one")
            t.same(text_of(got.body), f"Dear {PERSON}", f"{kind}: its text is restored")
            calls = calls_of(got.body)
            t.same([(c["id"], c["name"], json.loads(c["arguments"])) for c in calls], [("toolu_1", "mail", {"to": EMAIL})], f"{kind}: so are its tool calls")
            t.same(ends(got.body), ["tool_calls"], f"{kind}: it ends once, with the reason")
            told = [c["usage"]["total_tokens"] for c in chunks(got.body) if c.get("usage")]
            t.same(told, [21] if asked else [], f"{kind}: usage is told {'to who asked' if asked else 'to nobody else'}")
            t.same({c["object"] for c in chunks(got.body)}, {"chat.completion.chunk"}, f"{kind}: all are chunks")
            t.same(len({c["id"] for c in chunks(got.body)}), 1, f"{kind}: of one id")
            t.same([c["compliance"]["mode"] for c in chunks(got.body) if "compliance" in c], ["standard"], f"{kind}: what the gateway adds stands in one")


@t.case
def several_choices():
    provider.script = lambda seen, out: out.whole(completion(f"A {seen.token('PERSON')}", f"B {seen.token('EMAIL')}"))
    got = gateway.chat(ASK, stream=True, n=2)
    t.same([text_of(got.body, 0), text_of(got.body, 1)], [f"A {PERSON}", f"B {EMAIL}"], "each choice comes to its text")
    t.same((ends(got.body), got.events()[-1]), (["stop", "stop"], "[DONE]"), "and ends")


@t.case
def logprobs():
    def script(seen, out):
        token = seen.token("PERSON")
        answer = completion(f"Hi {token}")
        entries = [{"token": p, "logprob": -0.5, "bytes": list(p.encode()), "top_logprobs": []} for p in ("Hi ", token[:5], token[5:])]
        answer["choices"][0]["logprobs"] = {"content": entries, "refusal": None}
        out.whole(answer)

    provider.script = script
    got = gateway.chat(ASK, stream=True, logprobs=True)
    entries = [e for part in chunks(got.body) for c in part["choices"] for e in (c.get("logprobs") or {}).get("content") or []]
    t.same([(e["token"], e["logprob"]) for e in entries], [("Hi ", -0.5), (PERSON, -1.0)], "log probabilities are those of the restored text")


@t.case
def other_forms():
    provider.script = lambda seen, out: out.whole(completion(f"Dear {seen.token('PERSON')}"))
    got = gateway.chat(ASK, stream=True, headers=[("Accept", "application/x-ndjson")])
    said = [json.loads(line) for line in got.body.decode().splitlines()]
    t.same((got.get("content-type"), "".join(c["delta"].get("content") or "" for part in said for c in part["choices"])),
           ("application/x-ndjson", f"Dear {PERSON}"), "bare lines for who wants them")
    own = [("x-compliantchatgpt-key", gateway.key), ("x-openai-key", "sk-own"), ("Content-Type", "application/json")]
    messages = [{"role": "user", "content": ASK}]
    got = gateway.request("POST", CHAT, own, json.dumps({"model": "openai", "messages": messages, "stream": True}).encode())
    t.same((got.status, got.events()), (200, [json.dumps({"content": f"Dear {PERSON}"}, separators=(",", ":")), "[DONE]"]), "phi_header: events of content")
    provider.script = lambda seen, out: out.whole(completion("plain as day"))
    own = [("Api-token", gateway.key), ("Content-Type", "application/json")]
    got = gateway.request("POST", "/v1/ai/completions", own, json.dumps({"model": "openai", "messages": [{"role": "user", "content": "x"}], "stream": True, "anonymize": False}).encode())
    t.same((got.status, got.events()[-1], text_of(got.body)), (200, "[DONE]", "plain as day"), "anonymize: a stream")
    whole = gateway.chat(ASK, headers=[("x-sotto-explain", "1")], stream=True)
    t.ok("sotto" in chunks(whole.body)[0], "the explanation stands in the first event", whole)


@t.case
def every_split_of_the_bytes():
    """The provider's writes fall anywhere, also inside a character."""
    want = f"Grüße 🙂 {PERSON}, {EMAIL}"
    body = json.dumps({"model": "openai", "messages": [{"role": "user", "content": ASK}], "stream": True}).encode()
    length, place, bad = [1], [0], []

    def script(seen, out):
        answer = completion(f"Grüße 🙂 {seen.token('PERSON')}, {seen.token('EMAIL')}")
        data = json.dumps(answer, ensure_ascii=False).encode()
        raw = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n" % len(data) + data
        length[0] = len(raw)
        out.send(raw[: place[0]])
        out.send(raw[place[0] :])

    provider.script = script
    with gateway.client() as client:
        while place[0] < length[0]:
            got = client.request("POST", CHAT, gateway.headers(), body)
            if text_of(got.body) != want or got.events()[-1] != "[DONE]":
                bad.append(place[0])
            place[0] += 1
    t.same(bad, [], f"an answer cut at any of {length[0]} places is restored the same")


@t.case
def what_is_no_answer():
    for kind in ("text/html", "application/jsonp", "text/plain", "application/xml", "", "application/x-ndjson", "json"):
        provider.script = lambda seen, out, k=kind: out.whole(completion(f"Dear {seen.token('PERSON')}"), kind=k)
        got = gateway.chat(ASK, stream=True)
        t.same((got.status, got.error["code"]), (502, "upstream_invalid_response"), f"content type {kind or 'nothing'} is a 502")
    good = completion("said")
    for name, answer in {
        "no JSON": b"hello", "half of one": json.dumps(good).encode()[:60], "nothing": b"", "no choices": {**good, "choices": []},
        "a choice that is none": {**good, "choices": [5]}, "a choice without a message": {**good, "choices": [{"index": 0, "delta": {}}]},
        "events under this type": b"data: {}\n\n", "a second choice without a message": {**good, "choices": [*good["choices"], {"index": 1}]},
    }.items():
        provider.script = lambda seen, out, a=answer: out.whole(a)
        got = gateway.chat(ASK, stream=True, n=2)
        t.same((got.status, got.error["code"]), (502, "upstream_invalid_response"), f"{name} is a 502")
        t.lacks(got.body, b"said", f"{name}: nothing of it gets out")
    refused = {"error": {"message": "no", "type": "server_error", "param": None, "code": None}}
    provider.script = lambda seen, out: out.whole(refused, 500)
    got = gateway.chat(ASK, stream=True)
    t.same((got.status, got.json), (500, refused), "an error stays an error")


@t.case
def used():
    provider.script = lambda seen, out: out.whole({**completion("x"), "usage": usage(531, 642)})
    t.same(gateway.chat("Hello", stream=True).status, 200, "an answer")
    t.ok(wait_until(lambda: any("prompt_tokens=531 " in line and "completion_tokens=642 " in line + " " for line in gateway.log_lines()), TIMEOUT),
         "its usage is booked as that of any other", gateway.log()[-500:])


provider.finish(t)
gateway.finish(t)
t.done()
