#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How a gateway begins with a store: what is wrong is refused with a sentence, what is away is waited for."""

import pathlib
import subprocess
import tempfile

from lib.gateway import Gateway, config
from lib.provider import Provider
from lib.tap import Tap
from lib.valkey import Valkey, need_server
from lib.wire import free_port, wait_until

need_server()
t = Tap()
# As docs/operating.md says.
COMMANDS = (
    "+auth +select +info +script|load +evalsha +time +exists +del +pexpire +get +set +hget +hset +hmget +hdel "
    "+hincrby +hexists +hsetnx +hlen +zadd +zrem +zcard +zpopmin +zrangebyscore +zremrangebyscore"
)
MASTER = "a master secret that all gateways of this fleet have"
provider = Provider()


def settings(**valkey):
    return config(provider, threads=1, secrets={"master": MASTER}, stores={"valkey": {"wait": "2s", **valkey}})


def refused(**valkey):
    try:
        Gateway(settings(**valkey)).remove()
    except RuntimeError as error:
        return str(error)
    return "it started"


def works(**valkey):
    gateway = Gateway(settings(**valkey))
    status = wait_until(lambda: gateway.chat().status == 200, timeout=60)
    gateway.finish(t)
    return status


@t.case
def passwords():
    server = Valkey(f"user gate on >other-secret ~fleet:* -@all {COMMANDS}", password="a-secret-of-the-store")
    wrong = refused(url=server.url(), password="wrong")
    t.has(wrong, "stores.valkey: the server refuses the username and password", "a wrong password is refused at the start")
    t.lacks(wrong, "a-secret", "without a word of it")
    t.has(refused(url=server.url()), "stores.valkey: the server wants a password", "so is none")
    t.ok(works(url=server.url(), password="a-secret-of-the-store"), "with the right one it works")
    t.ok(works(url=server.url(), username="gate", password="other-secret", prefix="fleet:"),
         "a user who may use one prefix is enough")
    server.ask("CONFIG", "SET", "maxmemory", "100mb")
    server.ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    t.has(refused(url=server.url(), password="a-secret-of-the-store"), "set its maxmemory-policy to noeviction",
          "a server that may drop counters is refused")
    server.remove()


@t.case
def bad_urls():
    for url in ("http://127.0.0.1:6379", "redis://", "redis://host:6379/one", "redis://host:0", "redis://user@host"):
        t.has(refused(url=url), "stores.valkey.url: must be a URL such as", f"{url} is refused at its place")


@t.case
def away():
    server = Valkey(start=False)
    gateway = Gateway(settings(url=server.url()))
    t.same(gateway.chat().status, 503, "without its store a gateway starts, and answers 503")
    server.start()
    t.ok(wait_until(lambda: gateway.chat().status == 200, timeout=60), "until the store is there")
    gateway.finish(t)
    server.remove()


@t.case
def tls():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sotto-valkey-tls-"))
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-days", "2",
                    "-subj", "/CN=store", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    server = Valkey(tls=(cert, key, cert))
    t.ok(works(url=server.url(), certificates=str(cert)), "a certificate of one's own authority is verified")
    t.has(refused(url=server.url()), "stores.valkey: TLS:", "one of nobody's is refused")
    other = server.url().replace("127.0.0.1", "localhost")
    t.has(refused(url=other, certificates=str(cert)), "stores.valkey: TLS:", "so is one for another name")
    server.remove()


@t.case
def not_a_store():
    t.has(refused(url=f"redis://127.0.0.1:{provider.port}", wait="1s"), "", "what is no store does not stop a gateway from starting")
    gateway = Gateway(settings(url=f"redis://127.0.0.1:{free_port()}"))
    t.same(gateway.chat().status, 503, "but nothing passes")
    gateway.finish(t)


provider.close()
t.done()
