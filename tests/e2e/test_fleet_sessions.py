#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""Sealing sessions move between two gateways by a Valkey or Redis server, and only wrapped."""

import base64
import json

from lib import packages
from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config
from lib.provider import Provider
from lib.tap import Tap, skip_all
from lib.valkey import Valkey, need_server
from lib.wire import wait_until

need_server()
try:
    packages.under(packages.venv("cryptography", packages.CRYPTOGRAPHY))
except packages.Missing as missing:
    skip_all(str(missing))

from lib import native, sealed  # noqa: E402  (need the packages)

t = Tap()
MASTER = "a master secret that all gateways of this fleet have"
CHAT = "/v1/chat/completions"
ASK = {"model": "gpt-4", "messages": [{"role": "user", "content": f"{PERSON} writes from {EMAIL}."}]}
provider = Provider()
valkey = Valkey()


def settings(master=MASTER, **more):
    return config(provider, threads=1, secrets={"master": master},
                  stores={"valkey": {"url": valkey.url(), "wait": "2s", **more}})


def begin(gateway):
    keys = gateway.request("GET", "/v1/seal/keys").json
    hello = native.Hello("x-wing", keys)
    response = gateway.post("/v1/seal/session", hello.body)
    assert response.status == 200, response
    return hello.agreed(response.json, native.unb64(keys["signing_key"]))


def send(gateway, body):
    return gateway.request("POST", CHAT, [("Content-Type", native.SEALED)], body)


def ask(gateway, session, **fields):
    body, pending = session.request(CHAT, json.dumps({**ASK, **fields}).encode(), "gpt-4")
    return send(gateway, body), pending, body


def is_answer(response, pending):
    if response.status != 200 or response.get("content-type") != native.SEALED:
        return False
    answer = json.loads(pending.whole(response.status, response.body))
    return PERSON in answer["choices"][0]["message"]["content"]


a = Gateway(settings())
b = Gateway(settings(), keys_of=a)
other = Gateway(settings("another master secret, that of no gateway of this fleet"), keys_of=a)
secrets = []


@t.case
def native_moves():
    session = begin(a)
    secrets.append(session.secret)
    first, pending, body = ask(a, session)
    t.ok(is_answer(first, pending), "a session that was begun at A is used at A", first)
    again = send(b, body)
    t.ok(again.status >= 400 and again.get("content-type") != native.SEALED, "B refuses what A has taken", again)
    second, pending, body = ask(b, session)
    t.ok(is_answer(second, pending), "a new request of the same session is answered at B", second)
    again = send(a, body)
    t.ok(again.status >= 400 and again.get("content-type") != native.SEALED, "A refuses what B has taken", again)
    large, pending, body = ask(b, session, metadata={"note": "x" * 100000})
    t.ok(is_answer(large, pending), "so is a large one, which a worker reads", large.status)
    again = send(a, body)
    t.ok(again.status >= 400, "whose replay is refused, too", again)
    stranger, _, _ = ask(other, session)
    t.ok(stranger.status >= 400, "a gateway with another master secret does not know the session", stranger)


@t.case
def privatemode_moves():
    first = sealed.Client(a)
    exchange = first.begin()
    secrets.append(first.secret)
    body = exchange.seal_object(ASK)
    t.same(first.post(CHAT, body, *first.headers()).status, 200, "a secret of Privatemode's is used where it was exchanged")
    second = sealed.Client(b)
    second.secret, second.name, second.ca = first.secret, first.name, first.ca
    t.ok(second.post(CHAT, body, *second.headers()).status >= 400, "the other gateway refuses what the first one took")
    response = second.ask(**ASK)
    t.same(response.status, 200, "and answers what is new")


@t.case
def only_wrapped():
    """Nothing in the store's memory, snapshot or values gives a secret away."""
    whole = valkey.everything()
    t.ok(len(secrets) == 2 and b"session:" in whole, "sessions lie in the store")
    for secret in secrets:
        forms = [secret, secret.hex().encode(), base64.b64encode(secret)[:40], base64.urlsafe_b64encode(secret)[:40]]
        t.same([form for form in forms if form in whole or form.upper() in whole], [], "but not their secrets, in any form")


@t.case
def lost():
    """Who loses the sessions loses the nonces with them: no request is opened twice."""
    session = begin(a)
    _, _, body = ask(a, session)
    first, pending, taken = ask(b, session)
    t.ok(is_answer(first, pending), "a session is known to both gateways")
    valkey.ask("FLUSHALL")
    t.ok(send(a, taken).status >= 400, "after FLUSHALL a replay is refused at the gateway that did not see it")
    fresh, _, _ = ask(b, session)
    t.ok(fresh.status >= 400, "and so is everything of the session: its client begins another one", fresh)
    snapshot = begin(a)
    ask(a, snapshot)
    valkey.ask("SAVE")
    _, _, taken = ask(a, snapshot)
    valkey.kill()
    t.same(send(b, taken).status, 503, "without the store sealed requests get 503")
    t.same(a.post("/v1/seal/session", native.Hello("x-wing").body).status, 503, "and no session is begun")
    valkey.start()
    wait_until(lambda: send(b, taken).status != 503, timeout=60)
    t.ok(send(b, taken).status in (400, 401), "a server that comes back with an old snapshot has no sessions", send(b, taken))
    got = []
    wait_until(lambda: got.append(a.post("/v1/seal/session", native.Hello("x-wing").body)) or got[-1].status == 200, timeout=60)
    t.same(got[-1].status, 200, "and new ones are begun")


for gateway in (a, b, other):
    gateway.finish(t)
valkey.remove()
provider.close()
t.done()
