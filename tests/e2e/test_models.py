#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""GET /v1/models: what the configuration names, and what upstreams list behind a pattern."""

import json

from lib.gateway import Gateway, config
from lib.provider import Provider
from lib.tap import Tap
from lib.wire import build, wait_until

t = Tap()


def serve(*names, status=200, body=None):
    """A provider that lists these models."""
    text = body if body is not None else json.dumps({"object": "list", "data": [{"id": n, "object": "model"} for n in names]})
    return Provider(lambda seen, out: out.whole(text.encode(), status=status), models=None)


def names(gateway, key=None, path="/v1/models"):
    answer = gateway.request("GET", path, gateway.headers(key))
    return [model["id"] for model in answer.json["data"]] if answer.status == 200 else answer


@t.case
def mirror():
    gateway = Gateway(None)
    t.same(names(gateway), ["mirror"], "without a configuration the mirror lists its name")
    t.same(gateway.chat("x", model="mirror").status, 200, "which can be called")
    gateway.finish(t)


@t.case
def behind_patterns():
    plain = serve("gpt-4o", "o3", "claude-of-the-wrong-house", "gpt-4")
    claude = serve("claude-opus", "claude-haiku", "other")
    gateway = Gateway(config(
        plain, upstreams={"plain": {"kind": "openai", "url": plain.url + "/base/v1", "key": "sk-upstream"},
                          "claude": {"kind": "anthropic", "url": claude.url, "key": "a-key"}},
        models={"gpt-4": {"upstream": "claude", "as": "claude-x"}, "claude-*": "claude", "*": "plain"}))
    t.same(names(gateway), ["gpt-4", "claude-opus", "claude-haiku", "gpt-4o", "o3"],
           "names of the configuration, then those that upstreams list and that go there")
    t.same((plain.last.method, plain.last.target, plain.last.get("authorization"), plain.last.body), ("GET", "/base/v1/models", "Bearer sk-upstream", b""), "openai is asked with its key")
    t.same((claude.last.target, claude.last.get("x-api-key"), claude.last.get("anthropic-version")), ("/v1/models?limit=1000", "a-key", "2023-06-01"), "anthropic too")
    asked = (len(plain.seen), len(claude.seen))
    with gateway.client() as client:
        for _ in range(3):
            client.request("GET", "/v1/models", gateway.headers())
    now = (len(plain.seen), len(claude.seen))
    t.ok(now[0] - asked[0] <= 1 and now[1] - asked[1] <= 1, "once in a while", (asked, now))
    scoped = gateway.make_key("--scopes", "model:o3,model:gpt-4")
    t.same(names(gateway, scoped), ["gpt-4", "o3"], "a key sees what it may call")
    ids = gateway.request("GET", "/v1/ai/models", [("Api-token", gateway.key)])
    t.ok(ids.status == 200 and b"gpt-4o" in ids.body, "the other list has them too", ids)
    gateway.finish(t)


@t.case
def what_for():
    provider = serve("mixtral-8x7b", "other")
    gateway = Gateway(config(provider, models={"llama": {"upstream": "scripted", "tasks": ["generate", "tool_calling"]},
                                               "mixtral-*": {"upstream": "scripted", "tasks": ["generate"]}, "*": "scripted"}))
    listed = {model["id"]: model.get("tasks") for model in gateway.request("GET", "/v1/models", gateway.headers()).json["data"]}
    t.same(listed, {"llama": ["generate", "tool_calling"], "mixtral-8x7b": ["generate"], "other": None}, "tasks are told where the configuration names some")
    alone = gateway.request("GET", "/v1/models/llama", gateway.headers()).json
    t.same(alone.get("tasks"), ["generate", "tool_calling"], "of one model too")
    ids = gateway.request("GET", "/v1/ai/models", [("Api-token", gateway.key)])
    t.ok(ids.status == 200 and b"tasks" not in ids.body, "the other list has its documented members alone", ids)
    gateway.finish(t)


@t.case
def no_list():
    for what, provider in {
        "an error": serve(status=500), "no JSON": serve(body="<html>"), "no list": serve(body='{"data": 7}'),
        "odd names": serve(body=json.dumps({"data": [{"id": "a\nb"}, {"id": "x" * 300}, {"id": 5}, {}, 3, {"id": ""}]})),
        "a megabyte": serve(body=json.dumps({"data": [{"id": "x", "pad": "y" * 1100000}]})),
        "a cut answer": Provider(lambda seen, out: out.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{") or out.close(), models=None),
    }.items():
        gateway = Gateway(config(provider, models={"named": "scripted", "*": "scripted"}))
        t.same(names(gateway), ["named"], f"{what}: what the configuration names is listed all the same")
        gateway.finish(t)
    gone = Gateway({"upstreams": {"u": {"kind": "openai", "url": "http://127.0.0.1:9/v1"}}, "models": {"named": "u", "*": "u"}})
    t.same(names(gone), ["named"], "nobody there: likewise")
    gone.finish(t)


@t.case
def impatient():
    silent = Provider(lambda seen, out: out.gone(60), models=None)
    gateway = Gateway(config(silent, models={"named": "scripted", "*": "scripted"}))
    with gateway.client() as client:
        client.send(build("GET", "/v1/models", gateway.headers()))
        wait_until(lambda: silent.seen, 10)
    t.same(names(gateway), ["named"], "an upstream that is silent is given up, also after a client that went away")
    gateway.finish(t)


t.done()
