#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The wires of the providers: what each is sent, and how its answers look to a client."""

import json
import re

from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config
from lib.provider import Provider, chunk, completion
from lib.tap import Tap
from lib.wire import chunks, text_of

t = Tap()
provider = Provider()
gateway = Gateway(config(
    provider,
    upstreams={
        "mistral": {"kind": "mistral", "url": provider.url + "/v1", "key": "m-key"},
        "claude": {"kind": "anthropic", "url": provider.url, "key": "a-key"},
        "azure": {"kind": "azure", "url": provider.url, "key": "z-key"},
        "azure-dated": {"kind": "azure", "url": provider.url, "key": "z-key", "api_version": "2024-10-21"},
        "local": {"kind": "openai", "url": provider.url + "/base/v1/"},
    },
    models={"mistral-*": "mistral", "claude-*": "claude", "az": {"upstream": "azure", "as": "my deployment"},
            "az-dated": {"upstream": "azure-dated", "as": "my deployment"}, "*": "local"},
))
ASK = f"Patient {PERSON} wrote from {EMAIL}."
TOOLS = [{"type": "function", "function": {"name": "mail", "description": "sends mail", "parameters": {"type": "object", "properties": {"to": {"type": "string"}}}}}]
HISTORY = [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": ASK},
    {"role": "assistant", "content": None, "tool_calls": [{"id": "call_abc123XYZ", "type": "function", "function": {"name": "mail", "arguments": json.dumps({"to": EMAIL})}}]},
    {"role": "tool", "tool_call_id": "call_abc123XYZ", "content": json.dumps({"sent_to": EMAIL})},
    {"role": "user", "content": "Thanks. And now?"},
]


@t.case
def openai_compatible():
    provider.script = lambda seen, out: out.whole(completion("ok"))
    gateway.chat(ASK, model="llama")
    sent = provider.last
    t.same((sent.target, sent.get("host"), sent.get("authorization")), ("/base/v1/chat/completions", f"127.0.0.1:{provider.port}", None), "a base URL's path is kept, no key is sent where none is")
    t.same(sent.get("accept-encoding"), "identity", "no compression is asked for")
    t.ok(not any(name.startswith(("x-sotto", "cookie", "x-forwarded")) for name, _ in sent.headers), "nothing of the client's headers goes on", sent.headers)
    with_headers = gateway.chat(ASK, model="llama", headers=[("Cookie", "a=b"), ("X-Forwarded-For", "10.9.8.7"), ("OpenAI-Organization", "org-x"), ("X-Custom", EMAIL)])
    t.ok(with_headers.status == 200 and not any(value in provider.last.raw.decode() for value in ("a=b", "10.9.8.7", EMAIL)), "also not when they hold something", provider.last.headers)


@t.case
def mistral():
    provider.script = lambda seen, out: out.whole(completion(f"Dear {seen.token('PERSON')}", finish="model_length"))
    got = gateway.chat(HISTORY, model="mistral-small", tools=TOOLS, tool_choice="required", seed=7, max_completion_tokens=50, logit_bias={"1": 1}, user="u", x_unknown="y",
                       store=True, metadata={"a": "b"})
    sent = provider.last.json
    t.same((provider.last.target, provider.last.get("authorization")), ("/v1/chat/completions", "Bearer m-key"), "mistral: path and key")
    t.same((sent.get("random_seed"), sent.get("max_tokens"), sent.get("tool_choice")), (7, 50, "any"), "mistral: fields have its names")
    t.same([f for f in ("seed", "max_completion_tokens", "logit_bias", "user", "x_unknown", "store", "metadata") if f in sent], [], "mistral: what it refuses is left out")
    t.same(sent["messages"][0]["role"], "system", "mistral: developer is system")
    ids = [sent["messages"][2]["tool_calls"][0]["id"], sent["messages"][3]["tool_call_id"]]
    t.ok(ids[0] == ids[1] and re.fullmatch(r"[a-zA-Z0-9]{9}", ids[0]), "mistral: ids of tool calls are nine letters and digits", ids)
    t.same((got.content, got.json["choices"][0]["finish_reason"]), (f"Dear {PERSON}", "length"), "mistral: model_length is length")
    provider.script = lambda seen, out: out.whole({"object": "error", "message": {"detail": [{"type": "extra_forbidden"}]}, "type": "invalid_request_error", "param": None, "code": "1"}, 422)
    got = gateway.chat(ASK, model="mistral-small")
    t.ok(got.status == 422 and sorted(got.error) == ["code", "message", "param", "type"] and isinstance(got.error["message"], str), "mistral: a flat error becomes OpenAI's", got)

    def thinking(seen, out):
        events = [chunk({"role": "assistant", "content": ""}), chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": f"about {seen.token('PERSON')}"}]}]}),
                  chunk({"content": [{"type": "text", "text": f"Dear {seen.token('PERSON')}"}]}), chunk({"content": "."}, finish="stop", usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3})]
        out.stream(events)

    provider.script = thinking
    got = gateway.chat(ASK, model="mistral-small", stream=True, stream_options={"include_usage": True})
    t.same((text_of(got.body), text_of(got.body, field="reasoning_content")), (f"Dear {PERSON}.", f"about {PERSON}"), "mistral: content in pieces becomes text, thoughts reasoning_content")
    t.ok(chunks(got.body)[-1].get("usage", {}).get("total_tokens") == 3, "mistral: usage comes in OpenAI's place", got)
    got = gateway.chat(ASK, model="mistral-small", functions=[{"name": "f", "parameters": {}}])
    t.same((got.status, got.error["param"]), (400, "functions"), "mistral: what it cannot do is refused")


def event(kind, **more):
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n".encode()


@t.case
def anthropic():
    provider.script = lambda seen, out: out.whole({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "stop_reason": "tool_use", "stop_sequence": None, "usage": {"input_tokens": 11, "output_tokens": 7},
        "content": [{"type": "thinking", "thinking": f"{seen.token('PERSON')}?", "signature": "x"}, {"type": "text", "text": f"Dear {seen.token('PERSON')}"}, {"type": "tool_use", "id": "toolu_1", "name": "mail", "input": {"to": seen.token("EMAIL")}}]})
    got = gateway.chat(HISTORY, model="claude-x", tools=TOOLS, tool_choice="required", stop=["END"], temperature=0.5, max_tokens=99)
    sent = provider.last
    t.same((sent.target, sent.get("x-api-key"), sent.get("anthropic-version"), sent.get("authorization")), ("/v1/messages", "a-key", "2023-06-01", None), "anthropic: path, key and version")
    body = sent.json
    t.ok(body["max_tokens"] == 99 and body["stop_sequences"] == ["END"] and "Be brief." in json.dumps(body["system"]), "anthropic: system, max_tokens, stop_sequences", body)
    t.ok(body["tools"][0]["name"] == "mail" and "input_schema" in body["tools"][0] and body["tool_choice"]["type"] == "any", "anthropic: tools", body)
    blocks = json.dumps(body["messages"])
    t.ok('"tool_use"' in blocks and '"tool_result"' in blocks and EMAIL not in blocks, "anthropic: tool calls and results are blocks, and masked", blocks)
    message = got.json["choices"][0]["message"]
    t.same((message["content"], json.loads(message["tool_calls"][0]["function"]["arguments"]), message["tool_calls"][0]["id"]), (f"Dear {PERSON}", {"to": EMAIL}, "toolu_1"), "anthropic: the answer is OpenAI's")
    t.same((got.json["choices"][0]["finish_reason"], got.json["usage"]["prompt_tokens"], got.json["usage"]["total_tokens"], got.json["object"]), ("tool_calls", 11, 18, "chat.completion"), "anthropic: reason and usage")
    t.same(message.get("reasoning_content"), f"{PERSON}?", "anthropic: thoughts are reasoning_content")

    def stream(seen, out):
        p, e = seen.token("PERSON"), seen.token("EMAIL")
        out.begin()
        out.part(event("message_start", message={"id": "msg_1", "role": "assistant", "model": "claude-x", "content": [], "usage": {"input_tokens": 11, "output_tokens": 1}}))
        out.part(event("ping"))
        out.part(event("content_block_start", index=0, content_block={"type": "text", "text": ""}))
        for part in (f"Dear {p[:7]}", p[7:], " bye"):
            out.part(event("content_block_delta", index=0, delta={"type": "text_delta", "text": part}))
        out.part(event("content_block_stop", index=0))
        out.part(event("content_block_start", index=1, content_block={"type": "tool_use", "id": "toolu_1", "name": "mail", "input": {}}))
        for part in ('{"to": "' + e[:6], e[6:] + '"', "}"):
            out.part(event("content_block_delta", index=1, delta={"type": "input_json_delta", "partial_json": part}))
        out.part(event("content_block_stop", index=1))
        out.part(event("message_delta", delta={"stop_reason": "tool_use", "stop_sequence": None}, usage={"output_tokens": 7}))
        out.part(event("message_stop"))
        out.end()

    provider.script = stream
    got = gateway.chat(ASK, model="claude-x", stream=True, stream_options={"include_usage": True}, tools=TOOLS)
    seen = chunks(got.body)
    t.same((text_of(got.body), got.events()[-1], seen[-1]["usage"]["total_tokens"]), (f"Dear {PERSON} bye", "[DONE]", 18), "anthropic: a stream becomes OpenAI's")
    calls = [c for e in seen for ch in e["choices"] for c in ch["delta"].get("tool_calls", [])]
    t.same((json.loads("".join(c["function"].get("arguments", "") for c in calls)), calls[0]["id"], calls[0]["index"]), ({"to": EMAIL}, "toolu_1", 0), "anthropic: so do its tool calls")

    def broken(seen, out):
        out.begin()
        out.part(event("message_start", message={"id": "m", "role": "assistant", "model": "c", "content": [], "usage": {"input_tokens": 1, "output_tokens": 1}}))
        out.part(event("error", error={"type": "overloaded_error", "message": "Overloaded"}))
        out.end()

    provider.script = broken
    got = gateway.chat(ASK, model="claude-x", stream=True)
    t.same(json.loads(got.events()[-1])["error"]["message"], "Overloaded", "anthropic: an error event passes")
    provider.script = lambda seen, out: out.whole({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, 529, [("retry-after", "3")])
    got = gateway.chat(ASK, model="claude-x")
    t.same((got.status, got.error["message"], got.get("retry-after")), (529, "Overloaded", "3"), "anthropic: so does an error")


@t.case
def azure():
    provider.script = lambda seen, out: out.whole(completion(f"Dear {seen.token('PERSON')}"))
    t.same(gateway.chat(ASK, model="az", metadata={"a": "b"}).content, f"Dear {PERSON}", "azure: answered")
    t.same((provider.last.target, provider.last.get("api-key"), provider.last.json["model"]), ("/openai/v1/chat/completions", "z-key", "my deployment"), "azure: its v1 path, api-key, deployment")
    gateway.chat(ASK, model="az-dated")
    t.same(provider.last.target, "/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21", "azure: the dated path")

    def stream(seen, out):
        out.stream([{"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": [{"prompt_index": 0}]},
                    chunk({"role": "assistant", "content": ""}), chunk({"content": "Dear " + seen.token("PERSON")}),
                    {**chunk({}), "choices": [{"index": 0, "finish_reason": None, "content_filter_offsets": {"check_offset": 1}}]}, chunk({}, finish="stop")])

    provider.script = stream
    got = gateway.chat(ASK, model="az", stream=True)
    t.same((text_of(got.body) if all("delta" in ch for e in chunks(got.body) for ch in e["choices"]) else "a choice without a delta", got.events()[-1]), (f"Dear {PERSON}", "[DONE]"), "azure: filter chunks do no harm")
    t.ok(len({e["id"] for e in chunks(got.body)}) == 1, "azure: one id in all chunks")


@t.case
def own_key():
    """A caller's own provider key goes to the OpenAI-compatible upstream and nowhere else."""
    provider.script = lambda seen, out: out.whole(completion("ok"))
    for model in ("claude-x", "mistral-small", "az", "llama"):
        body = json.dumps({"model": model, "messages": [{"role": "user", "content": "x"}]}).encode()
        got = gateway.request("POST", "/v1/chat/completions", [("x-compliantchatgpt-key", gateway.key), ("x-openai-key", "sk-own"), ("Content-Type", "application/json")], body)
        t.ok(got.status == 200 and provider.last.target == "/base/v1/chat/completions" and provider.last.get("authorization") == "Bearer sk-own", f"{model}: the caller's key goes to the OpenAI-compatible upstream", provider.last.line)


provider.finish(t)
gateway.finish(t)
t.done()
