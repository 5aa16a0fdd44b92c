#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""API keys: where they may stand, when they end, what they may do, how often."""

import json
import re

from lib.gateway import Gateway, config, say
from lib.provider import Provider
from lib.tap import Tap
from lib.wire import wait_until

t = Tap()
provider = Provider()
gateway = Gateway(config(provider, models={"gpt-4": "scripted", "small": "scripted", "*": "scripted"}))
CHAT = "/v1/chat/completions"
BODY = json.dumps({"model": "gpt-4", "messages": say("Hello")}).encode()
JSON = ("Content-Type", "application/json")


def ask(headers, target=CHAT, body=BODY):
    return gateway.request("POST", target, [*headers, JSON], body)


def status(key, **more):
    return gateway.chat("Hello", key=key, **more).status


@t.case
def first_key():
    t.ok(re.fullmatch(r"ql_[0-9A-Za-z]{12}_[0-9A-Za-z]{32}", gateway.key), "the first start prints a key of the right form")
    t.same(status(gateway.key), 200, "and the key works")


@t.case
def places():
    key = gateway.key
    for name, value in (("Authorization", f"Bearer {key}"), ("authorization", f"bearer {key}"), ("Authorization", f"BEARER   {key}"),
                        ("x-api-key", key), ("X-Api-Key", key), ("api-key", key)):
        t.same(ask([(name, value)]).status, 200, f"a key may stand in {name}: {value.split(' ')[0][:6]}")
    t.same(ask([("Authorization", f"Bearer {key}"), ("x-api-key", key), ("api-key", key)]).status, 200, "several places may agree")
    other = gateway.make_key("--name", "other")
    for first, second in (("Authorization", "x-api-key"), ("x-api-key", "api-key"), ("Authorization", "api-key"), ("api-key", "api-key")):
        a = f"Bearer {key}" if first == "Authorization" else key
        answer = ask([(first, a), (second, other)])
        t.ok(answer.status == 401 and answer.error["code"] == "invalid_api_key", f"{first} and {second} that disagree are a 401", answer)
    t.same(ask([("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {other}")]).status, 401, "two Authorization headers that disagree are a 401")
    answer = gateway.request("POST", CHAT, [("x-compliantchatgpt-key", key), ("x-openai-key", "sk-x"), ("Authorization", f"Bearer {other}"), JSON], BODY)
    t.same(answer.status, 401, "phi_header: a key elsewhere that disagrees is a 401")
    answer = ask([("Api-token", key), ("x-api-key", other)], "/v1/ai/completions")
    t.same((answer.status, answer.body), (401, b'{"error":"Unauthenticated"}'), "anonymize: a key elsewhere that disagrees is a 401")
    t.same(ask([("Authorization", f"Bearer {key}")], "/v1/ai/completions").status, 200, "anonymize: a Bearer key does as well")


@t.case
def wrong_keys():
    before = len(provider.seen)
    key = gateway.key
    for what, wrong in {"an empty key": "", "no key of ours": "sk-abc", "a wrong secret": key[:-1] + ("a" if key[-1] != "a" else "b"),
                        "an unknown id": "ql_" + "0" * 12 + key[15:], "a key cut short": key[:-1], "a key too long": key + "a",
                        "a key in other case": key[:16] + key[16:].swapcase(), "a space in the key": key.replace("_", " ", 1),
                        "a very long key": "ql_" + "a" * 20000}.items():
        answer = ask([("Authorization", f"Bearer {wrong}")])
        t.ok(answer.status == 401 and answer.error["code"] == "invalid_api_key" and wrong not in answer.error["message"] + " ",
             f"{what} is a 401", answer) if wrong else t.same(answer.status, 401, f"{what} is a 401")
    for what, headers in {"no header": [], "Basic": [("Authorization", "Basic " + key)], "no scheme": [("Authorization", key)]}.items():
        t.same(ask(headers).status, 401, f"{what} is a 401")
    answer = ask([])
    t.ok(answer.get("x-request-id"), "a 401 bears an x-request-id")
    answer = gateway.request("GET", "/v1/models")
    t.same(answer.status, 401, "the list of models needs a key")
    t.same(len(provider.seen), before, "nothing of this went upstream")


def key_id(key):
    return key[3:15]


@t.case
def revoked():
    key = gateway.make_key("--name", "short-lived")
    t.same(status(key), 200, "a new key works without a restart")
    with gateway.client() as client:
        headers = gateway.headers(key)
        t.same(client.request("POST", CHAT, headers, BODY).status, 200, "it works on a connection that stays open")
        t.same(gateway.keys("revoke", key_id(key)).returncode, 0, "it is revoked")
        t.same(client.request("POST", CHAT, headers, BODY).status, 401, "the next request on the same connection is refused")
    t.same([status(key) for _ in range(8)], [401] * 8, "and on every other, whichever thread takes it")
    listing = gateway.keys("list")
    t.ok(listing.returncode == 0 and key_id(key).encode() in listing.stdout, "it is still listed", listing.stdout)
    t.lacks(listing.stdout, key[16:].encode(), "the list shows no secret")
    t.ok(gateway.keys("revoke", "nosuchkey000").returncode == 1, "revoking a key that is not there fails")


@t.case
def rotated():
    key = gateway.make_key()
    done = gateway.keys("rotate", key_id(key), "--grace", "2s")
    found = re.search(rb"ql_[0-9A-Za-z]{12}_[0-9A-Za-z]{32}", done.stdout)
    t.ok(done.returncode == 0 and found, "rotating prints the new key", done.stdout + done.stderr)
    new = found[0].decode()
    t.ok(key_id(new) == key_id(key) and new != key, "it keeps its id")
    t.same((status(key), status(new)), (200, 200), "old and new secret both work for the grace period")
    t.ok(wait_until(lambda: status(key) == 401, timeout=60, step=0.2), "then the old one ends")
    t.same(status(new), 200, "and the new one stays")
    gateway.keys("rotate", key_id(key))
    t.same(gateway.keys("revoke", key_id(key)).returncode, 0, "revoking ends both secrets")
    t.same((status(key), status(new)), (401, 401), "at once")


@t.case
def expired():
    key = gateway.make_key("--expires", "2s")
    t.same(status(key), 200, "a key works until it expires")
    t.ok(wait_until(lambda: status(key) == 401, timeout=60, step=0.2), "and not after")


@t.case
def scopes():
    key = gateway.make_key("--scopes", "model:small")
    t.same(status(key, model="small"), 200, "a key may use a model in its scope")
    answer = gateway.chat("Hello", key=key)
    t.same((answer.status, answer.error["code"]), (403, "permission_denied"), "and no other")
    listed = gateway.request("GET", "/v1/models", gateway.headers(key)).json["data"]
    t.same([m["id"] for m in listed], ["small"], "and sees no other")
    t.same(gateway.request("GET", "/v1/models/gpt-4", gateway.headers(key)).status, 404, "nor by name")
    t.same(gateway.post("/v1/embeddings", {"model": "gpt-4", "input": "x"}, key=key).status, 403, "embeddings keep to the scope as well")
    key = gateway.make_key("--scopes", "dialect:anonymize")
    t.same(status(key), 403, "a key for one dialect may use no other")
    answer = ask([("Api-token", key)], "/v1/ai/completions")
    t.same(answer.status, 200, "but its own")
    key = gateway.make_key("--scopes", "mode:gdpr,mode:hipaa")
    t.same((status(key), status(key, compliance_mode="gdpr"), status(key, compliance_mode="hipaa")), (403, 200, 200), "a scope of modes is kept")
    t.ok(gateway.keys("create", "--scopes", "nonsense").returncode != 0, "scopes that are none are refused")


@t.case
def modes_of_keys():
    key = gateway.make_key("--mode", "hipaa")
    text = "She moved to Zurich on 12 March 2021."
    gateway.chat(text, key=key)
    t.lacks(provider.last.texts, "12 March 2021", "a key's mode counts without being asked for")
    answer = gateway.chat(text, key=key, compliance_mode="standard")
    t.same((answer.status, answer.error["param"]), (400, "compliance_mode"), "a weaker mode than the key's is a 400")
    t.same(status(key, compliance_mode="hipaa"), 200, "the same mode may be asked for")
    t.ok(gateway.keys("create", "--mode", "none-such").returncode in (0, 1, 2), "a mode that the configuration lacks does not crash")
    key = gateway.make_key("--style", "redact")
    answer = gateway.chat("Patient John Doe called.", key=key)
    t.has(provider.last.texts, "[PERSON]", "a key's style counts")
    t.has(answer.content, "[PERSON]", "and redact has no way back")


@t.case
def per_minute():
    key = gateway.make_key("--requests-per-minute", "3")
    answers = [gateway.chat("Hello", key=key) for _ in range(4)]
    t.same([a.status for a in answers], [200, 200, 200, 429], "three requests a minute are three")
    t.same([a.get("x-ratelimit-limit-requests") for a in answers[:3]], ["3"] * 3, "x-ratelimit-limit-requests is told")
    t.same([a.get("x-ratelimit-remaining-requests") for a in answers[:3]], ["2", "1", "0"], "x-ratelimit-remaining-requests counts down")
    t.ok(all(re.fullmatch(r"\d+ms|(\d+m)?\d+(\.\d+)?s", a.get("x-ratelimit-reset-requests") or "") for a in answers[:3]),
         "x-ratelimit-reset-requests is a duration as OpenAI writes it", answers[0].headers)
    last = answers[3]
    t.same((last.error["code"], last.error["type"] != ""), ("rate_limit_exceeded", True), "the refusal is rate_limit_exceeded")
    t.ok(1 <= int(last.get("retry-after") or 0) <= 61, "with a Retry-After", last.headers)
    t.ok(last.get("x-should-retry") != "false", "which a client may follow")
    answer = ask([("x-compliantchatgpt-key", key), ("x-openai-key", "sk-x")])
    t.same((answer.status, sorted(answer.json)), (429, ["description", "error"]), "phi_header: the same limit is its 429")
    answer = ask([("Api-token", key)], "/v1/ai/completions")
    t.same(answer.status, 429, "anonymize: the same limit is a 429")
    t.same(status(gateway.key), 200, "another key is not concerned")


@t.case
def per_month():
    key = gateway.make_key("--monthly-requests", "2")
    bad = gateway.post(CHAT, b"{", key=key)
    t.same(bad.status, 400, "a refused request")
    t.same([status(key), status(key)], [200, 200], "does not count for the month")
    answer = gateway.chat("Hello", key=key)
    t.same((answer.status, answer.error["code"]), (429, "insufficient_quota"), "a spent month is insufficient_quota")
    t.same(answer.get("x-should-retry"), "false", "with x-should-retry: false, so that no client tries again")
    answer = ask([("Api-token", key)], "/v1/ai/completions")
    t.same((answer.status, answer.body), (403, b'{"error":"Subscription amount limit has been reached"}'), "anonymize: a spent month is its 403")
    answer = ask([("x-compliantchatgpt-key", key), ("x-openai-key", "sk-x")])
    t.same(answer.status, 429, "phi_header: a spent month is its 429")
    t.same(gateway.stop(), 0, "the gateway stops")
    gateway.start()
    t.same(status(key), 429, "the month is remembered through a restart")
    t.same(status(gateway.key), 200, "and the first key works after it")
    t.ok(not any(line.startswith(b"api key") for line in gateway.out), "which the second start does not print again", gateway.out)


@t.case
def used():
    key = gateway.make_key("--monthly-requests", "7", "--monthly-tokens", "100000", "--name", "ward 3")
    idle = gateway.make_key()
    t.same([status(key), status(key), status(key)], [200, 200, 200], "three requests")

    def rows(*words):
        done = gateway.keys("usage", *words)
        return json.loads(done.stdout)

    def mine(*words):
        return next(row for row in rows("--json", *words)["data"] if row["key"] == key[3:15])

    t.ok(wait_until(lambda: mine()["requests"] == 3, 60, 0.5), "come to be in what the key used, beside the running gateway", mine())
    row = mine()
    t.ok(row["prompt_tokens"] > 0 and row["completion_tokens"] > 0, "with their tokens", row)
    t.same((row["name"], row["monthly_requests"], row["monthly_tokens"]), ("ward 3", 7, 100000), "beside name and quotas")
    text = gateway.keys("usage").stdout.decode().splitlines()
    t.same(text[0].split("\t"), ["ID", "REQUESTS", "TOKENS", "ESTIMATED", "COST", "TENANT", "NAME"], "as text it has a line of names")
    line = next(line.split("\t") for line in text if line.startswith(key[3:15]))
    tokens = row["prompt_tokens"] + row["completion_tokens"]
    t.same((line[1], line[2], line[6]), ("3/7", f"{tokens}/100000", "ward 3"), "and the same figures, behind a / the quotas")
    t.has("\n".join(text), f"{idle[3:15]}\t0\t0\t0\t0\t{idle[3:15]}\t", "a key that used nothing is there with nothing")
    t.same((mine("--month", "2001-02")["requests"], rows("--json", "--month", "2001-02")["month"]), (0, "2001-02"), "another month has other figures")
    wrong = gateway.keys("usage", "--month", "2026-13")
    t.ok(wrong.returncode == 2 and b"--month must be a month such as 2026-11, not '2026-13'" in wrong.stderr, "what is no month is refused", wrong)


@t.case
def many_at_once():
    import threading

    key = gateway.make_key("--requests-per-minute", "10")
    results = []
    threads = [threading.Thread(target=lambda: results.append(status(key))) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    t.same((results.count(200), results.count(429)), (10, 20), "thirty at once get exactly the ten that are allowed")


@t.case
def given_key():
    given = "ql_" + "a1B2c3D4e5F6" + "_" + "x" * 32
    other = Gateway(config(provider), env={"SOTTO_API_KEY": given})
    try:
        t.same(other.chat("Hello", key=given).status, 200, "SOTTO_API_KEY is the first key")
        t.ok(not any(given.encode() in line for line in other.out), "and is not printed", other.out)
        t.same(other.stop(), 0, "the gateway stops")
        other.start()
        t.same(other.chat("Hello", key=given).status, 200, "and starts again with the same one")
        t.lacks(other.log(), b"x" * 32, "the log does not show it")
    finally:
        other.remove()


provider.finish(t)
gateway.finish(t)
t.done()
