#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Quotas of tokens and money, and what is booked: every figure of a provider once, else an estimate
that is marked as one, over random mixes of streams, cancellations and errors."""

import json
import random
import sqlite3
import threading

from lib.gateway import Gateway, config, say
from lib.provider import Provider, chunk, completion, sse
from lib.tap import Tap
from lib.wire import Closed, wait_until

t = Tap()
CHAT = "/v1/chat/completions"
MODELS = {"gpt-4": {"upstream": "scripted", "input_price": 2.5, "output_price": "10"}, "*": "scripted"}
table = {}  # seed of a request -> what the provider does with it


def counted(prompt, answer):
    return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}


def script(seen, out):
    case = table[seen.json["seed"]]
    kind, usage = case["kind"], case.get("usage")
    if kind == "whole":
        answer = completion("Fine words " * 5)
        answer["usage"] = usage
        out.whole({k: v for k, v in answer.items() if v is not None})
    elif kind == "refused":
        out.whole({"error": {"message": "no", "type": "server_error", "param": None, "code": None}}, status=case["status"])
    elif kind == "silent":
        case["came"].set()
        out.gone(60)
    else:
        out.begin()
        out.event(chunk({"role": "assistant", "content": ""}))
        for word in case["words"]:
            out.event(chunk({"content": word}))
        if usage:
            out.event(chunk(usage=usage))
        if kind == "stream":
            out.event(chunk({}, finish="stop"))
            out.event("[DONE]")
            out.end()
        elif kind == "cancelled":
            out.event(chunk({"content": "last"}))
            out.gone(60)
        elif kind == "error":
            out.event({"error": {"message": "broken", "type": "server_error"}})
            out.end()
        else:
            out.close()


provider = Provider(script)
gateway = Gateway(config(provider, models=MODELS))


def make_case(seed, dice):
    kind = dice.choice(["whole", "stream", "stream", "cancelled", "silent", "error", "cut", "refused"])
    case = {"kind": kind, "seed": seed, "status": dice.choice([400, 429, 500]), "came": threading.Event(),
            "words": [dice.choice(["one ", "two ", "three "]) for _ in range(dice.randrange(1, 9))]}
    if kind not in ("silent", "refused") and dice.random() < 0.6:
        case["usage"] = counted(dice.randrange(1, 5000), dice.randrange(0, 3000))
    return case


def ask(case, key):
    body = {"model": "gpt-4", "messages": say("Tell me more."), "seed": case["seed"]}
    if case["kind"] not in ("whole", "refused"):
        body["stream"] = True
    with gateway.client() as client:
        data = json.dumps(body).encode()
        head = [f"{n}: {v}" for n, v in gateway.headers(key)]
        client.send("\r\n".join([f"POST {CHAT} HTTP/1.1", "Host: h", *head, f"Content-Length: {len(data)}"]).encode() + b"\r\n\r\n" + data)
        if case["kind"] == "silent":
            case["came"].wait(30)
        elif case["kind"] == "cancelled":
            client.until(b"last")
        else:
            try:
                client.response()
            except Closed:
                pass


def booked(key):
    """The row of the key, once the gateway has stopped."""
    with sqlite3.connect(gateway.state / "sotto.db") as db:
        rows = db.execute("SELECT sum(requests), sum(prompt_tokens), sum(completion_tokens), sum(estimated_tokens), sum(cost)"
                          " FROM usage WHERE key = ?", (key[3:15],)).fetchall()
    return tuple(n or 0 for n in rows[0])


def lines(key):
    """The log's lines of the key, as mappings."""
    found = []
    for line in gateway.log_lines():
        if f"key={key[3:15]}" in line and "request" in line:
            found.append(dict(word.split("=", 1) for word in line.split() if "=" in word))
    return found


def expected_tokens(case):
    """A token for four bytes of what the provider said."""
    if case["kind"] == "silent":
        return 0
    said = "Fine words " * 5 if case["kind"] == "whole" else "".join(case["words"])
    return -(-len("assistant" + said + ("last" if case["kind"] == "cancelled" else "")) // 4)


@t.case
def random_mixes():
    dice = random.Random(20261122)
    key = gateway.make_key("--tokens-per-minute", "1000000000", "--monthly-tokens", "1000000000", "--monthly-cost", "1000000")
    cases = [make_case(seed, dice) for seed in range(1, 161)]
    table.update({case["seed"]: case for case in cases})
    queue = list(cases)

    def work():
        while True:
            try:
                case = queue.pop()
            except IndexError:
                return
            ask(case, key)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    t.ok(wait_until(lambda: len(lines(key)) == len(cases)), "each request has one line in the log", len(lines(key)))
    prompts = answers = cost = 0
    for case in cases:
        if "usage" in case:
            prompts += case["usage"]["prompt_tokens"]
            answers += case["usage"]["completion_tokens"]
            cost += case["usage"]["prompt_tokens"] * 2500 + case["usage"]["completion_tokens"] * 10000
    logged = lines(key)
    exact = [line for line in logged if line["estimated_tokens"] == "0" and line["prompt_tokens"] != "-1"]
    t.same(len(exact), sum("usage" in case for case in cases), "as many lines bear a count as the provider sent")
    t.same((sum(int(line["prompt_tokens"]) for line in exact), sum(int(line["completion_tokens"]) for line in exact)),
           (prompts, answers), "and they are the provider's figures")
    guessed = [line for line in logged if line["estimated_tokens"] != "0"]
    wanted = [case for case in cases if "usage" not in case and case["kind"] != "refused"]
    t.same(len(guessed), len(wanted), "where it began to answer and sent none, an estimate stands")
    t.ok(all(int(line["estimated_tokens"]) == int(line["prompt_tokens"]) + int(line["completion_tokens"]) for line in guessed),
         "which is marked as one")
    t.same(sorted(int(line["completion_tokens"]) for line in guessed), sorted(map(expected_tokens, wanted)), "by the text that came until then")
    none = [line for line in logged if line["prompt_tokens"] == "-1"]
    t.same(len(none), sum(case["kind"] == "refused" for case in cases), "what the provider refused used nothing")
    t.same(gateway.stop(), 0, "the gateway stops")
    row = booked(key)
    t.same(row[0], len(cases), "every request that went out is booked once")
    t.same(row[1:4], (sum(int(line["prompt_tokens"]) for line in exact + guessed), sum(int(line["completion_tokens"]) for line in exact + guessed),
                      sum(int(line["estimated_tokens"]) for line in guessed)), "with its tokens and what of them is an estimate")
    extra = sum(int(line["prompt_tokens"]) * 2500 + int(line["completion_tokens"]) * 10000 for line in guessed)
    t.same(row[4], cost + extra, "and its money, by the prices of the model")
    gateway.start()


def simple(seed, usage, kind="whole"):
    table[seed] = {"kind": kind, "seed": seed, "usage": usage, "words": ["word "] * 8, "came": threading.Event(), "status": 500}
    return seed


@t.case
def tokens_per_minute():
    key = gateway.make_key("--tokens-per-minute", "1000")
    seed = simple(1001, counted(300, 100))
    first = gateway.chat("Tell me more.", key=key, seed=seed, max_tokens=600)
    t.same((first.status, first.get("x-ratelimit-limit-tokens")), (200, "1000"), "x-ratelimit-limit-tokens is told")
    t.ok(300 <= int(first.get("x-ratelimit-remaining-tokens")) < 400, "what it may need is taken off x-ratelimit-remaining-tokens", first.headers)
    second = gateway.chat("Tell me more.", key=key, seed=seed, max_tokens=500)
    t.same(second.status, 200, "what it did not use is free again")
    third = gateway.chat("Tell me more.", key=key, seed=seed, max_tokens=500)
    t.same((third.status, third.error["code"], third.error["type"]), (429, "rate_limit_exceeded", "tokens"), "a minute's tokens have an end")
    t.ok(1 <= int(third.get("retry-after")) <= 61 and third.get("x-should-retry") == "true", "with Retry-After and x-should-retry: true", third.headers)
    huge = gateway.chat("Tell me more.", key=key, seed=seed, max_tokens=5000)
    t.same((huge.status, huge.get("x-should-retry"), huge.get("retry-after")), (429, "false", None), "what never fits is not to be tried again")
    phi = gateway.post(CHAT, {"messages": say("Tell me more."), "seed": seed, "max_tokens": 900},
                       [("x-compliantchatgpt-key", key), ("x-openai-key", "sk-x")], key=key)
    t.same((phi.status, sorted(phi.json)), (429, ["description", "error"]), "phi_header: the same limit is its 429")
    before = len(provider.seen)
    gateway.chat("Tell me more.", key=key, seed=seed, max_tokens=5000)
    t.same(len(provider.seen), before, "what is refused goes nowhere")


@t.case
def tokens_and_money_of_a_month():
    for option, limit, usage in (("--monthly-tokens", "2000", counted(1500, 500)), ("--monthly-cost", "0.01", counted(2000, 500))):
        key = gateway.make_key(option, limit)
        seed = simple(1002, usage)
        t.same(gateway.chat("Tell me more.", key=key, seed=seed, max_tokens=100).status, 200, f"{option}: the first request goes")
        spent = gateway.chat("Tell me more.", key=key, seed=seed, max_tokens=100)
        t.same((spent.status, spent.error["code"], spent.get("x-should-retry")), (429, "insufficient_quota", "false"), f"{option}: then the quota is spent")
        other = gateway.request("POST", "/v1/ai/completions", [("Api-token", key), ("Content-Type", "application/json")],
                                json.dumps({"model": "gpt-4", "messages": say("x")}).encode())
        t.same((other.status, other.body), (403, b'{"error":"Subscription amount limit has been reached"}'), f"{option}: anonymize says its 403")
        t.same(gateway.stop(), 0, "the gateway stops")
        gateway.start()
        t.same(gateway.chat("Tell me more.", key=key, seed=seed).status, 429, f"{option}: a restart changes nothing")


@t.case
def one_after_another():
    """While a request runs, what it reserved is not given away."""
    key = gateway.make_key("--monthly-tokens", "1000")
    seed = simple(1003, None, "silent")
    body = json.dumps({"model": "gpt-4", "messages": say("Hi."), "seed": seed, "max_tokens": 900, "stream": True}).encode()
    with gateway.client() as client:
        head = [f"{n}: {v}" for n, v in gateway.headers(key)]
        client.send("\r\n".join([f"POST {CHAT} HTTP/1.1", "Host: h", *head, f"Content-Length: {len(body)}"]).encode() + b"\r\n\r\n" + body)
        table[seed]["came"].wait(30)
        held = gateway.chat("Hi.", key=key, seed=seed, max_tokens=900)
        t.same((held.status, held.error["code"], held.get("x-should-retry")), (429, "rate_limit_exceeded", "true"), "a reserved rest may be asked for again soon")
    simple(1004, counted(1, 1))
    t.ok(wait_until(lambda: gateway.chat("Hi.", key=key, seed=1004, max_tokens=900).status == 200), "the cancelled request gives it back")


@t.case
def cut_at_the_end():
    """What the end of the gateway cuts is booked as well."""
    other = Gateway(config(provider, models=MODELS, limits={"drain": "0s"}))
    try:
        seed = simple(1005, None, "cancelled")
        table[seed]["words"] = ["twelve bytes"] * 3
        body = json.dumps({"model": "gpt-4", "messages": say("Hi."), "seed": seed, "stream": True}).encode()
        with other.client() as client:
            head = [f"{n}: {v}" for n, v in other.headers()]
            client.send("\r\n".join([f"POST {CHAT} HTTP/1.1", "Host: h", *head, f"Content-Length: {len(body)}"]).encode() + b"\r\n\r\n" + body)
            client.until(b"last")
            t.same(other.stop(), 0, "the gateway ends at once")
        with sqlite3.connect(other.state / "sotto.db") as db:
            row = db.execute("SELECT requests, completion_tokens, estimated_tokens - prompt_tokens FROM usage WHERE key = ?", (other.key[3:15],)).fetchone()
        t.same(row, (1, expected_tokens(table[seed]), expected_tokens(table[seed])), "what the provider had said until then is booked, as an estimate")
    finally:
        other.remove()


provider.finish(t)
gateway.finish(t)
t.done()
