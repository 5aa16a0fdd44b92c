#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""PostgreSQL and Valkey in one configuration: two gateways share keys, use, limits and sessions, and survive
the death of each store, and of both."""

import concurrent.futures
import re

from lib.gateway import KEY, Gateway, config
from lib.postgres import Postgres
from lib.provider import Provider, completion, usage
from lib.tap import Tap
from lib.valkey import Valkey, need_server
from lib.wire import Client, Closed, wait_until

need_server()
t = Tap()
PATIENCE = 120
MASTER = "a master secret that all gateways of this fleet have"
PROMPT, ANSWER = 10, 20


def script(_seen, out):
    out.whole({**completion("Fine."), "usage": usage(PROMPT, ANSWER)})


provider = Provider(script)
postgres = Postgres()
valkey = Valkey()
SETTINGS = config(provider, secrets={"master": MASTER}, threads=1,
                  stores={"postgres": postgres.url(), "trust_keys": "10s", "valkey": {"url": valkey.url(), "wait": "10s"}})
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    pair = one, two = list(pool.map(lambda _: Gateway(SETTINGS, admin=True), range(2)))


def make_key(*words):
    done = one.command_line("keys", "create", *words, "--config", str(one.file))
    found = KEY.search(done.stdout)
    if found is None:
        raise RuntimeError(f"{done.returncode} {done.stderr!r}")
    return found[0].decode()


def status(gateway, key):
    """0: the connection broke."""
    try:
        return gateway.chat("Hello", key=key).status
    except (OSError, Closed):
        return 0


def serve(key):
    """Both gateways take the key and can ask about it."""
    return wait_until(lambda: all(status(g, key) == 200 for g in pair), PATIENCE, 0.05)


def at_once(key, count):
    """So many requests at once, one here, one there: how many got which status."""
    with concurrent.futures.ThreadPoolExecutor(20) as asking:
        got = list(asking.map(lambda i: status(pair[i % 2], key), range(count)))
    return {code: got.count(code) for code in sorted(set(got))}


def health(gateway):
    with Client(gateway.admin_port) as client:
        ready = client.request("GET", "/readyz")
        metrics = client.request("GET", "/metrics").body.decode()
    stores = dict(re.findall(r'^sotto_store_ready\{store="(\w+)"\} (\d)$', metrics, re.M))
    return ready.status, ready.body, int(stores["postgres"]), int(stores["valkey"])


KEYS, LIMITS = b"the API keys cannot be checked\n", b"limits and sessions cannot be checked\n"


def says(*wanted):
    return wait_until(lambda: all(health(g) == wanted for g in pair), PATIENCE, 0.05)


def in_valkey(key, field):
    found = valkey.ask("HGET", f"sotto:limit:{{{key[3:15]}}}", field)
    return int(found) if found is not None else None


def in_postgres(key, column):
    return int(postgres.sql(f"SELECT coalesce(sum({column}), 0) FROM sotto.usage WHERE key = '{key[3:15]}'"))


def refused(key, code):
    """Both refuse with 503 and this code, and the provider sees nothing of it."""
    before = len(provider.seen)
    answers = [g.chat("Hello", key=key) for g in pair]
    return (all(a.status == 503 and a.error["code"] == code and a.get("retry-after") for a in answers)
            and len(provider.seen) == before)


@t.case
def together():
    t.ok(says(200, b"ok\n", 1, 1), "both gateways have both stores", [health(g) for g in pair])
    minute = make_key("--requests-per-minute", "40")
    month = make_key("--monthly-requests", "30")
    t.same(at_once(minute, 120), {200: 40, 429: 80}, "a key that one command made works on both, and its minute is exact")
    t.same(at_once(month, 90), {200: 30, 429: 60}, "so is its month")
    t.ok(wait_until(lambda: in_postgres(month, "requests") == 30, PATIENCE, 0.2), "which PostgreSQL gets to know")
    new = KEY.search(one.command_line("keys", "rotate", month[3:15], "--grace", "0s", "--config", str(one.file)).stdout)[0].decode()
    t.ok(wait_until(lambda: [status(g, month) for g in pair] == [401, 401], PATIENCE, 0.05), "a secret that was replaced ends on both")
    t.same([status(g, new) for g in pair], [429, 429], "the new one has no month of its own")


@t.case
def memory_lost():
    """What all gateways know is the same database's: a server that forgot it is told once."""
    key = make_key()
    t.ok(wait_until(lambda: status(one, key) == 200, PATIENCE, 0.05), "a key without limits")
    t.same([status(one, key) for _ in range(4)], [200] * 4, "that one gateway serves")
    booked = in_valkey(key, "n")
    t.ok(wait_until(lambda: in_postgres(key, "requests") == booked, PATIENCE, 0.2), "its use is in PostgreSQL")
    valkey.ask("FLUSHALL")
    t.ok(wait_until(lambda: status(one, key) == 200, PATIENCE, 0.05), "the server forgets all, and the next request passes")
    t.same(in_valkey(key, "n"), booked + 1, "it was told what the month used")
    t.ok(wait_until(lambda: status(two, key) == 200, PATIENCE, 0.05), "the other gateway")
    t.same(in_valkey(key, "n"), booked + 2, "does not tell it again")


@t.case
def each_dies():
    key = make_key()
    spent = make_key("--monthly-requests", "2")
    t.ok(serve(key) and wait_until(lambda: status(one, spent) == 200, PATIENCE, 0.05), "two keys")
    t.same([status(g, spent) for g in (one, one, two)], [200, 429, 429], "the month of one is spent")

    valkey.kill()
    t.ok(refused(key, "store_unavailable"), "without Valkey: 503 store_unavailable, and nothing goes to the provider")
    t.ok(says(503, LIMITS, 1, 0), "readyz and the metrics name the store", [health(g) for g in pair])
    valkey.start()
    t.ok(says(200, b"ok\n", 1, 1), "found again by itself", [health(g) for g in pair])
    t.ok(serve(key), "requests pass")
    t.same([status(g, spent) for g in pair], [429, 429], "and a month that was spent stays so")

    postgres.kill()
    t.same(status(one, key), 200, "without PostgreSQL: for a while the keys in memory do")
    t.ok(wait_until(lambda: refused(key, "keys_unavailable"), PATIENCE, 0.1), "then 503 keys_unavailable, and nothing goes to the provider")
    t.ok(says(503, KEYS, 0, 1), "readyz and the metrics name the store", [health(g) for g in pair])

    valkey.kill()
    t.ok(says(503, KEYS, 0, 0), "without both", [health(g) for g in pair])
    t.ok(refused(key, "keys_unavailable"), "requests are refused")
    postgres.start()
    t.ok(says(503, LIMITS, 1, 0), "PostgreSQL alone is not enough", [health(g) for g in pair])
    t.ok(wait_until(lambda: refused(key, "store_unavailable"), PATIENCE, 0.1), "for any request")
    valkey.start()
    t.ok(says(200, b"ok\n", 1, 1), "with both the gateways are ready by themselves", [health(g) for g in pair])
    t.ok(serve(key), "and serve")
    t.same([status(g, spent) for g in pair], [429, 429], "nobody's month began anew")


@t.case
def booked_once():
    """Whatever died: what PostgreSQL and Valkey have of a key are the requests that the provider saw."""
    key = make_key()
    before = len(provider.seen)
    answered = sum(status(pair[i % 2], key) == 200 for i in range(20))
    t.ok(wait_until(lambda: in_postgres(key, "requests") == answered == len(provider.seen) - before, PATIENCE, 0.2),
         "each request is booked once in PostgreSQL", f"{in_postgres(key, 'requests')} of {answered}")
    t.ok(wait_until(lambda: in_valkey(key, "n") == answered and in_valkey(key, "t") == answered * (PROMPT + ANSWER), PATIENCE, 0.2),
         "and in Valkey, with its tokens", f"{in_valkey(key, 'n')} {in_valkey(key, 't')}")


for gateway in pair:
    log = gateway.log()
    t.lacks(log, Postgres.PASSWORD.encode() + b"@", "the log never tells a password")
    gateway.finish(t)
provider.finish(t)
valkey.remove()
postgres.remove()
t.done()
