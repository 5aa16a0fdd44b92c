#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""Two gateways share limits in a Valkey or Redis server: exactly, and never without it."""

import json
import re
import threading

from lib.gateway import Gateway, config, say
from lib.provider import Provider, chunk, completion
from lib.tap import Tap
from lib.valkey import Valkey, need_server
from lib.wire import Client, Closed, wait_until

need_server()
t = Tap()
MASTER = "a master secret that all gateways of this fleet have"
MODELS = {"gpt-4": {"upstream": "scripted", "input_price": 1, "output_price": 1}, "*": "scripted"}
used = {"prompt": 10, "answer": 20}
hold = threading.Event()
waiting = threading.Semaphore(0)


def script(seen, out):
    if seen.json.get("seed") == 7:
        waiting.release()
        hold.wait(60)
    answer = completion("Fine.")
    answer["usage"] = {"prompt_tokens": used["prompt"], "completion_tokens": used["answer"],
                       "total_tokens": used["prompt"] + used["answer"]}
    out.whole(answer)


def settings(valkey, threads=1, **more):
    """One thread, because each of them finds the store again by itself."""
    return config(provider, models=MODELS, secrets={"master": MASTER}, threads=threads,
                  stores={"valkey": {"url": valkey.url(), "wait": "2s", **more}})


def both(gateways, count, key, **fields):
    """Sends `count` requests at once, one here, one there; how many got which status."""
    got = []

    def ask(gateway):
        got.append(gateway.chat(key=key, **fields))

    threads = [threading.Thread(target=ask, args=(gateways[i % 2],)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def statuses(responses):
    found = {}
    for response in responses:
        found[response.status] = found.get(response.status, 0) + 1
    return found


def answered(gateway, key=None):
    try:
        return gateway.chat(key=key).status == 200
    except (OSError, Closed):
        return False


def when_back(gateway, key):
    """The first answer that is not 503: each thread of a gateway finds the store by itself."""
    got = []
    wait_until(lambda: got.append(gateway.chat(key=key)) or got[-1].status != 503, timeout=60)
    return got[-1]


READY = (200, b"ok\n", 1)
UNREADY = (503, b"limits and sessions cannot be checked\n", 0)


def health(gateway):
    """What /readyz says, and the metric of the store."""
    with Client(gateway.admin_port) as client:
        ready = client.request("GET", "/readyz")
        metrics = client.request("GET", "/metrics").body.decode()
    found = re.search(r'^sotto_store_ready\{store="valkey"\} (\d)$', metrics, re.M)
    return ready.status, ready.body, found and int(found[1])


def says(gateway, wanted):
    return wait_until(lambda: health(gateway) == wanted, timeout=60)


provider = Provider(script)
valkey = Valkey()
a = Gateway(settings(valkey), admin=True)
minute = a.make_key("--requests-per-minute", "50")
month = a.make_key("--monthly-requests", "30")
tokens = a.make_key("--tokens-per-minute", "1000")
money = a.make_key("--monthly-cost", "0.001")
held = a.make_key("--monthly-tokens", "400")
spent = a.make_key("--monthly-requests", "3")
free = a.make_key()
b = Gateway(settings(valkey), keys_of=a)
pair = (a, b)


@t.case
def exactly():
    two = [Gateway(settings(valkey, threads=2, wait="20s"), keys_of=a) for _ in pair]
    responses = both(two, 200, minute)
    for gateway in two:
        gateway.finish(t)
    t.same(statuses(responses), {200: 50, 429: 150}, "of 200 requests at once through two gateways 50 a minute pass")
    refused = next(r for r in responses if r.status == 429)
    t.same(refused.error["code"], "rate_limit_exceeded", "the others get 429 rate_limit_exceeded")
    t.ok(0 < int(refused.get("retry-after")) <= 61, "with Retry-After", refused.get("retry-after"))
    t.same(refused.get("x-ratelimit-limit-requests"), "50", "and the headers of the limit")
    t.same(refused.get("x-ratelimit-remaining-requests"), "0", "of which nothing is left")
    t.same(statuses(both(pair, 60, month)), {200: 30, 429: 30}, "30 requests a month are 30 for both together")


@t.case
def tokens_and_money():
    first = a.chat(key=tokens, max_tokens=100)
    left = int(first.get("x-ratelimit-remaining-tokens"))
    t.ok(first.status == 200 and left < 1000, "tokens are counted", first)

    def settled():
        response = b.chat(key=free)
        fields = valkey.ask("HMGET", f"sotto:limit:{{{tokens[3:15]}}}", "k", "t", "n")
        return response.status == 200 and fields == [b"30", b"30", b"1"]

    t.ok(wait_until(settled), "and settled: what the provider counted takes the place of what was reserved")
    used["answer"] = 990
    t.same(a.chat(key=money, max_tokens=5).status, 200, "a request within the month's money passes")
    used["answer"] = 20
    field = f"sotto:limit:{{{money[3:15]}}}"
    t.ok(wait_until(lambda: valkey.ask("HGET", field, "c") == b"1000000"), "its cost is booked in the store")
    refused = b.chat(key=money)
    t.same((refused.status, refused.error["code"]), (429, "insufficient_quota"), "the other gateway refuses the next one")


@t.case
def reserved():
    """What one gateway has reserved counts at the other, and lapses when the first one dies."""
    hold.clear()
    body = json.dumps({"model": "gpt-4", "messages": say("Hello"), "max_tokens": 300, "seed": 7}).encode()
    c = Gateway(settings(valkey, hold="2s"), keys_of=a)
    client = c.client()
    head = [f"{n}: {v}" for n, v in c.headers(held)]
    client.send("\r\n".join(["POST /v1/chat/completions HTTP/1.1", "Host: h", *head,
                             f"Content-Length: {len(body)}"]).encode() + b"\r\n\r\n" + body)
    t.ok(waiting.acquire(timeout=60), "a request that reserves runs at the first gateway")
    refused = b.chat(key=held, max_tokens=300)
    t.same((refused.status, refused.error["code"]), (429, "rate_limit_exceeded"), "the second one refuses what is reserved")
    c.kill()
    client.close()
    t.ok(wait_until(lambda: b.chat(key=held, max_tokens=300).status == 200, timeout=60),
         "when the first one was killed, its reservation lapses by itself")
    hold.set()
    c.remove()


@t.case
def death():
    """A server that is killed is survived."""
    t.same(a.chat(key=free).status, 200, "before, requests pass")
    t.ok(says(a, READY), "and the gateway says that it is ready", health(a))
    t.same(statuses([a.chat(key=spent) for _ in range(4)]), {200: 3, 429: 1}, "and a quota is used up")
    valkey.kill()
    refused = [g.chat(key=free) for g in pair]
    t.same([r.status for r in refused], [503, 503], "without the store requests that need it get 503")
    t.same(refused[0].error["code"], "store_unavailable", "with a code of its own")
    t.same(refused[0].get("retry-after"), "1", "and Retry-After")
    laravel = a.request("POST", "/v1/ai/completions", [("Api-token", free), ("Content-Type", "application/json")],
                        json.dumps({"model": "gpt-4", "messages": say("Hello")}).encode())
    t.same(laravel.status, 503, "in every dialect")
    count = len(provider.seen)
    t.same(a.chat(key=free).status, 503, "and none goes unprotected")
    t.same(len(provider.seen), count, "nothing of it reached the provider")
    t.ok(says(a, UNREADY), "readyz and the metrics say so", health(a))
    t.ok(a.process.poll() is None, "and the process lives")
    valkey.start()
    t.ok(says(a, READY), "they say that it is back without a request having asked", health(a))
    t.ok(wait_until(lambda: answered(a, free) and answered(b, free), timeout=60), "recovery is by itself")
    refused = when_back(a, spent)
    t.same((refused.status, refused.error["code"]), (429, "insufficient_quota"),
           "a server that lost its memory is told what the month used: the quota stays spent")


@t.case
def slow():
    """A server that does not answer counts as lost after the wait."""
    valkey.freeze()
    refused = [g.chat(key=free) for g in pair]
    t.same([r.status for r in refused], [503, 503], "while it stands still requests get 503, after the wait")
    valkey.thaw()
    t.ok(wait_until(lambda: answered(a, free) and answered(b, free), timeout=60), "when it goes on, so do they")


@t.case
def silent():
    """Nobody asks anything, and the server stands still."""
    t.ok(says(a, READY), "the store is there", health(a))
    valkey.freeze()
    t.ok(says(a, UNREADY), "the gateway notices without a request", health(a))
    valkey.thaw()
    t.ok(says(a, READY), "and that it goes on", health(a))


@t.case
def flushed():
    valkey.ask("FLUSHALL")
    t.same(when_back(a, spent).status, 429, "FLUSHALL gives no month anew")
    valkey.ask("SCRIPT", "FLUSH")
    t.ok(wait_until(lambda: answered(a, free) and answered(b, free), timeout=60), "scripts that are gone are loaded again")


@t.case
def settled_without_scripts():
    """The scripts are gone when a request ends: what it used is told when they are loaded again, once."""
    key = a.make_key()
    name = key[3:15]
    t.ok(wait_until(lambda: answered(a, key), timeout=60), "a key of its own")
    t.ok(wait_until(lambda: valkey.ask("HGET", f"sotto:limit:{{{name}}}", "t") == b"30"), "the first request is booked")
    hold.clear()
    answers = []
    asking = threading.Thread(target=lambda: answers.append(a.chat(key=key, seed=7)))
    asking.start()
    t.ok(waiting.acquire(timeout=60), "a request runs")
    valkey.ask("SCRIPT", "FLUSH")
    hold.set()
    asking.join()
    t.same(answers[0].status, 200, "it is answered")

    def booked():
        return valkey.ask("HMGET", f"sotto:limit:{{{name}}}", "n", "t", "ht")

    t.ok(wait_until(lambda: booked() == [b"2", b"60", b"0"], timeout=60), "and booked, with nothing held any more", booked())
    t.ok(wait_until(lambda: answered(a, key), timeout=60), "the next one passes")
    t.ok(wait_until(lambda: booked() == [b"3", b"90", b"0"], timeout=60), "nothing was booked twice", booked())


@t.case
def settled_late():
    """What ends while the store is away is told when it is back, once."""
    t.ok(wait_until(lambda: answered(a, free), timeout=60), "the store is there")
    field = f"sotto:limit:{{{free[3:15]}}}"
    wait_until(lambda: valkey.ask("ZCARD", f"sotto:held:{{{free[3:15]}}}") == 0)
    before = int(valkey.ask("HGET", field, "t"))
    hold.clear()
    answers = []
    asking = threading.Thread(target=lambda: answers.append(a.chat(key=free, seed=7)))
    asking.start()
    t.ok(waiting.acquire(timeout=60), "a request runs")
    valkey.freeze()
    t.same(a.chat(key=free).status, 503, "the store is lost meanwhile")
    hold.set()
    asking.join()
    t.same(answers[0].status, 200, "the request that has its reservation is answered all the same")
    valkey.thaw()
    t.ok(wait_until(lambda: int(valkey.ask("HGET", field, "t")) == before + 30, timeout=60), "what it used is booked later")
    t.ok(wait_until(lambda: answered(a, free), timeout=60), "and the next one passes")
    t.ok(wait_until(lambda: int(valkey.ask("HGET", field, "t")) == before + 60, timeout=60), "nothing is booked twice")


for gateway in pair:
    gateway.finish(t)
valkey.remove()
provider.close()
t.done()
