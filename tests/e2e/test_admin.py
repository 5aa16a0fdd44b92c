#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The admin API on its own listener: keys, use and reload, with a key whose scope has `admin`."""

import json
import select
import signal
import threading

from lib.gateway import KEY, Gateway, config
from lib.provider import Provider
from lib.tap import Tap
from lib.wire import Client, build, wait_until

t = Tap()
provider = Provider()
MODELS = {"gpt-4": {"upstream": "scripted", "input_price": 2, "output_price": 10}, "*": "scripted"}
gateway = Gateway(config(provider, models=MODELS), admin=True)
ADMIN = gateway.make_key("--scopes", "admin", "--name", "boss")


def api(method, path, body=None, key=ADMIN):
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = [("Authorization", f"Bearer {key}")] if key else []
    with Client(gateway.admin_port) as client:
        return client.request(method, "/admin/v1/" + path, [*headers, ("Content-Type", "application/json")], data)


def api_quietly(*words):
    """The gateway may close meanwhile."""
    try:
        api(*words)
    except Exception:
        pass


@t.case
def who_may():
    for what, key, status in (("no key", None, 401), ("a key that is none", "sk-x", 401), ("a key without the scope", gateway.key, 403)):
        for method, path in (("GET", "keys"), ("POST", "keys"), ("POST", "reload"), ("GET", "usage"), ("DELETE", f"keys/{ADMIN[3:15]}")):
            t.same(api(method, path, key=key).status, status, f"{what}: {method} {path} is a {status}")
    t.same(gateway.request("GET", "/admin/v1/keys", gateway.headers(ADMIN)).status, 404, "the clients' listener has no such route")
    t.same(gateway.chat("Hello", key=ADMIN).status, 200, "an admin key without other scopes may do the rest too")
    answer = api("GET", "keys")
    t.same((answer.status, answer.get("cache-control")), (200, "no-store"), "an admin key may")


@t.case
def create_and_use():
    answer = api("POST", "keys", {"name": "Zoë \"q\"", "tenant": "ward", "scopes": "model:gpt-*", "mode": "hipaa", "style": "redact", "expires": "30d",
                                  "requests_per_minute": 60, "tokens_per_minute": 100000, "monthly_requests": 2, "monthly_tokens": 5000, "monthly_cost": 12.5})
    t.ok(answer.status == 201 and KEY.fullmatch(answer.json["key"].encode()), "a key is made", answer)
    key = answer.json["key"]
    made = answer.json["id"]
    one = api("GET", f"keys/{made}").json
    t.same({k: one[k] for k in ("id", "name", "tenant", "scopes", "mode", "style", "requests_per_minute", "tokens_per_minute", "monthly_requests", "monthly_tokens", "monthly_cost", "revoked")},
           {"id": made, "name": "Zoë \"q\"", "tenant": "ward", "scopes": "model:gpt-*", "mode": "hipaa", "style": "redact", "requests_per_minute": 60,
            "tokens_per_minute": 100000, "monthly_requests": 2, "monthly_tokens": 5000, "monthly_cost": 12.5, "revoked": 0}, "and does what was said")
    t.same(one["expires"] - one["created"], 30 * 86400, "it expires")
    everything = api("GET", "keys")
    t.ok(made in [k["id"] for k in everything.json["data"]], "it is listed")
    t.lacks(everything.body, key[16:].encode(), "without its secret")
    t.same([gateway.chat("Hello", key=key).status for _ in range(3)], [200, 200, 429], "it works at once, within its quota")
    used = {row["key"]: row for row in api("GET", "usage").json["data"]}[made]
    t.same(used, {"key": made, "requests": 2, "prompt_tokens": 18, "completion_tokens": 24, "estimated_tokens": 0, "cost": 0.000276}, "its use is told, with its cost")
    month = api("GET", "usage").json["month"]
    t.same(api("GET", f"usage?month={month}").json, api("GET", "usage").json, "by month")
    t.same(api("GET", "usage?month=1999-12").json["data"], [], "another month is empty")


@t.case
def rotate_and_revoke():
    made = api("POST", "keys").json
    new = api("POST", f"keys/{made['id']}/rotate", {"grace": "1h"}).json
    t.ok(new["id"] == made["id"] and new["key"] != made["key"], "a key is rotated")
    t.same([gateway.chat("Hello", key=k).status for k in (made["key"], new["key"])], [200, 200], "both secrets work for the grace")
    last = api("POST", f"keys/{made['id']}/rotate", {"grace": "0s"}).json
    t.same([gateway.chat("Hello", key=k).status for k in (new["key"], last["key"])], [401, 200], "or not at all")
    t.same(api("POST", f"keys/{made['id']}/revoke").json, {"id": made["id"], "revoked": True}, "a key is revoked")
    t.same(gateway.chat("Hello", key=last["key"]).status, 401, "at once")
    t.same(api("POST", f"keys/{made['id']}/rotate").status, 409, "a revoked key has no new secret")
    other = api("POST", "keys", {}).json
    t.same((api("DELETE", f"keys/{other['id']}").status, gateway.chat("Hello", key=other["key"]).status), (200, 401), "DELETE revokes too")
    t.ok(api("GET", f"keys/{other['id']}").json["revoked"] > 0, "a revoked key stays in the list")


@t.case
def bad_input():
    for what, body, param in (("no JSON", b"{", None), ("no object", b"[]", None), ("an unknown field", {"nmae": "x"}, None), ("an empty name", {"name": ""}, "name"),
                              ("a control character", {"tenant": "a\nb"}, "tenant"), ("scopes that are none", {"scopes": "nonsense"}, "scopes"),
                              ("a negative quota", {"monthly_tokens": -1}, "monthly_tokens"), ("a quota in words", {"monthly_tokens": "many"}, "monthly_tokens"),
                              ("no price", {"monthly_cost": "much"}, "monthly_cost"), ("a style that is none", {"style": "bold"}, "style"),
                              ("no time", {"expires": "soon"}, "expires"), ("too deep", b"[" * 5000, None)):
        answer = api("POST", "keys", body)
        t.same((answer.status, answer.error["param"]), (400, param), f"{what} is a 400 that names the field")
    t.same(api("POST", f"keys/{ADMIN[3:15]}/rotate", {"grace": "long"}).error["param"], "grace", "a grace that is none is a 400")
    t.same(api("GET", "usage?month=2026-13").status, 400, "a month that is none is a 400")
    for method, path, status in (("GET", "keys/" + "0" * 12, 404), ("POST", "keys/" + "0" * 12 + "/revoke", 404), ("GET", "keys/short", 404), ("GET", "nothing", 404),
                                 ("PUT", "keys", 405), ("GET", "reload", 405), ("POST", "keys/" + "0" * 12 + "/rotate", 404)):
        t.same(api(method, path).status, status, f"{method} {path} is a {status}")


@t.case
def reload():
    gateway.write(config(provider, models=MODELS, privacy={"deny": ["Nightjar"]}))
    t.same(api("POST", "reload").json, {"reloaded": True}, "the configuration is read again")
    gateway.chat("Project Nightjar")
    t.ok(wait_until(lambda: gateway.chat("Project Nightjar").status == 200 and "Nightjar" not in provider.last.texts), "and counts")
    gateway.write("listen: [")
    answer = api("POST", "reload")
    t.same((answer.status, answer.error["code"]), (400, "configuration_invalid"), "one that is not valid is refused")
    t.same(gateway.chat("Hello").status, 200, "and the old one stays")
    gateway.write(config(provider, models=MODELS))


@t.case
def health_during_reload():
    """A configuration that takes long to read, and the listener asked while it is read."""
    def overlaps():
        with Client(gateway.admin_port) as waiting, Client(gateway.admin_port) as probe:
            waiting.send(build("POST", "/admin/v1/reload", gateway.headers(ADMIN)))
            answers = set()
            for number in range(60):
                answers.add(probe.request("GET", "/livez" if number % 2 else "/readyz").status)
            early = select.select([waiting.sock], [], [], 0)[0] == []
            return waiting.response().status == 200 and answers == {200} and early

    words = [f"Nightjar {number:05d}" for number in range(40000)]
    gateway.write(config(provider, models=MODELS, privacy={"deny": words}))
    t.ok(wait_until(overlaps, 60), "livez and readyz answer sixty times while a reload is under way")
    gateway.write(config(provider, models=MODELS))
    t.same(api("POST", "reload").status, 200, "and a small one follows")


@t.case
def many_at_once():
    results = []
    threads = [threading.Thread(target=lambda: results.append(api("POST", "keys", {"name": "many"}).status)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    t.same(set(results), {201}, "sixteen at once are sixteen keys")
    t.same(sum(k["name"] == "many" for k in api("GET", "keys").json["data"]), 16, "which are there")
    threads = [threading.Thread(target=lambda: api_quietly("GET", "keys")) for _ in range(8)]
    for thread in threads:
        thread.start()
    gateway.signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    t.same(gateway.wait(), 0, "a stop in the middle of requests is clean")
    t.has(gateway.log(), b"event=administered action=create", "what was administered is in the log")
    gateway.start()


provider.finish(t)
gateway.finish(t)
t.done()
