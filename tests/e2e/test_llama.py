#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 900
"""A real model behind the gateway: llama.cpp's server with Gemma 3, 270 million parameters.

It is far too small to be trusted with an instruction, so nothing is asked of its words: what it says is the same as
without the gateway, tokens aside, and whatever it repeats comes back as the value.
"""

import json
import pathlib
import re
import subprocess

from lib import packages
from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, need_binary
from lib.provider import TOKEN
from lib.tap import Tap, skip_all
from lib.wire import Client, chunks, free_port, text_of

need_binary()
try:
    python = packages.venv("llama", packages.LLAMA, packages.MODEL)
except packages.Missing as missing:
    skip_all(str(missing))

t = Tap()
port = free_port()
llama = subprocess.Popen([str(python), str(pathlib.Path(__file__).parent / "lib/llama_server.py"), str(port)], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
if not llama.stdout.readline().startswith("http"):
    skip_all("the llama.cpp server does not run here")
gateway = Gateway({"upstreams": {"llama": {"kind": "openai", "url": f"http://127.0.0.1:{port}/v1"}}, "models": {"gemma": "llama"}, "limits": {"first_byte": "600s"}})
ASK = f"Repeat after me: Dear {PERSON}, write to {EMAIL}. Dear {PERSON}, write to"
FEW = {"model": "gemma", "max_tokens": 12, "temperature": 0, "seed": 1}


def straight(body):
    with Client(port, timeout=300) as client:
        return client.request("POST", "/v1/chat/completions", [("Content-Type", "application/json")], json.dumps(body).encode())


def through(text, **more):
    with gateway.client(timeout=300) as client:
        body = json.dumps({**FEW, "messages": [{"role": "user", "content": text}], **more}).encode()
        return client.request("POST", "/v1/chat/completions", gateway.headers(None, ("x-sotto-explain", "1")), body)


@t.case
def plain_text():
    text = "The capital of France is"
    want = straight({**FEW, "messages": [{"role": "user", "content": text}]})
    got = through(text)
    t.same((got.status, got.content), (200, want.content), "text without personal data gets the model's answer word for word")
    t.ok(got.json["model"] == "gemma" and got.json["usage"]["completion_tokens"] == want.json["usage"]["completion_tokens"], "with its usage", got)
    t.has(got.json, "timings", "and llama.cpp's own fields")


@t.case
def restored():
    got = through(ASK)
    sent = got.json["sotto"]["sent"][0]["content"]
    tokens = TOKEN.findall(sent)
    t.ok(got.status == 200 and PERSON not in sent and EMAIL not in sent and len(set(tokens)) == 2, "the model sees tokens", sent)
    said = straight({**FEW, "messages": [{"role": "user", "content": sent}]}).content
    want = said
    for token, value in dict(zip(tokens, (PERSON, EMAIL))).items():
        want = want.replace(token, value)
    t.same(got.content, want, "its answer is what it says to the tokens, with the values in their place")
    streamed = through(ASK, stream=True, stream_options={"include_usage": True})
    t.same(text_of(streamed.body), got.content, "a stream gives the same text")
    t.ok(streamed.events()[-1] == "[DONE]" and chunks(streamed.body)[-1]["usage"]["completion_tokens"] > 0, "with usage and [DONE]")
    t.ok(not TOKEN.search(got.content) or any(m not in tokens for m in TOKEN.findall(got.content)), "no issued token is left in the text", got.content)


@t.case
def logprobs():
    got = through(ASK, logprobs=True, top_logprobs=1, max_tokens=8)
    rows = got.json["choices"][0]["logprobs"]["content"]
    t.same("".join(row["token"] for row in rows), got.content, "logprobs spell the restored text")


@t.case
def structured():
    schema = {"type": "json_schema", "json_schema": {"name": "r", "schema": {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}}}
    got = through("Is water wet?", response_format=schema)
    t.ok(got.status == 200 and re.fullmatch(r"\s*\{\s*\"ok\"\s*:\s*(true|false)\s*\}\s*", got.content), "response_format reaches the model", got)
    got = through("x " * 1000)
    t.ok(got.status == 400 and got.error["type"] == "exceed_context_size_error", "an error of the server passes", got)


@t.case
def gone():
    with gateway.client(timeout=300) as client:
        body = json.dumps({**FEW, "max_tokens": 60, "stream": True, "messages": [{"role": "user", "content": ASK}]}).encode()
        client.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n" % (gateway.key.encode(), len(body)) + body)
        client.head()
        client.chunk()
    got = through("Hello", max_tokens=4)
    t.same(got.status, 200, "after a client that left in mid-stream the next one is served")


llama.stdin.close()
try:
    llama.wait(10)
except subprocess.TimeoutExpired:
    llama.kill()
gateway.finish(t)
t.done()
