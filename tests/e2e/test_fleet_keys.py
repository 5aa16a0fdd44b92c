#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two gateways that share keys and use in PostgreSQL, and what they do when it hangs, dies and comes back.
timeout: 300
"""

import concurrent.futures
import json
import re
import shutil
import signal
import subprocess

from lib.gateway import KEY, Gateway, config, environment
from lib.postgres import Postgres
from lib.provider import Provider
from lib.speed import binary
from lib.tap import Tap
from lib.wire import Client, wait_until

t = Tap()
PATIENCE = 60
MASTER = "0123456789abcdef0123456789abcdef"
provider = Provider()
server = Postgres()


def settings(url=None, **more):
    stores = {"postgres": url or server.url(), "trust_keys": "15s"}
    return config(provider, stores=stores, secrets={"master": MASTER}, **more)


with concurrent.futures.ThreadPoolExecutor(2) as pool:
    one, two = pool.map(lambda _: Gateway(settings(), admin=True), range(2))


def keys(*words):
    return one.command_line("keys", *words, "--config", str(one.file))


def make_key(*words):
    done = keys("create", *words)
    found = KEY.search(done.stdout)
    if found is None:
        raise RuntimeError(f"{done.returncode} {done.stderr!r}")
    return found[0].decode()


def status(gateway, key):
    return gateway.chat("Hello", key=key).status


def becomes(gateway, key, wanted):
    return wait_until(lambda: status(gateway, key) == wanted, PATIENCE, 0.05)


def administer(gateway, method, path, key, body=b""):
    with Client(gateway.admin_port) as client:
        return client.request(method, path, gateway.headers(key), body)


@t.case
def first_key():
    made = [gateway.key for gateway in (one, two) if gateway.key]
    t.same(len(made), 1, "of two gateways that start at once on an empty database, one makes the first key")
    t.same((status(one, made[0]), status(two, made[0])), (200, 200), "which works on both")
    t.same(server.sql("SELECT version FROM sotto.fleet"), "2", "the schema was made once")
    one.key = two.key = made[0]


@t.case
def keys_of_all():
    key = make_key("--name", "Grüße 'x'")
    t.ok(becomes(one, key, 200) and becomes(two, key, 200), "a key of the command line works on both")
    new = KEY.search(keys("rotate", key[3:15], "--grace", "0s").stdout)[0].decode()
    t.ok(becomes(two, new, 200) and becomes(one, new, 200), "so does its new secret")
    t.ok(becomes(two, key, 401) and becomes(one, key, 401), "the old one ends")
    t.same(keys("revoke", key[3:15]).returncode, 0, "revoked")
    t.ok(becomes(one, new, 401) and becomes(two, new, 401), "it is refused by both")
    listed = {k["id"]: k for k in json.loads(keys("list", "--json").stdout)}
    t.same(listed[key[3:15]]["name"], "Grüße 'x'", "the list has it")
    done = one.command_line("keys", "list", "--state", str(one.state))
    t.ok(done.returncode == 1 and b"the keys are in PostgreSQL" in done.stderr, "the folder alone has no keys, and says so", done.stderr)


@t.case
def barrier():
    admin = make_key("--scopes", "admin")
    t.ok(becomes(one, admin, 200), "an administrator's key")
    late = []
    for _ in range(10):
        made = administer(one, "POST", "/admin/v1/keys", admin, b'{"name": "short"}').json
        key = made["key"]
        early = status(one, key)
        revoked = administer(one, "POST", f"/admin/v1/keys/{made['id']}/revoke", admin).status
        late.append((early, revoked, status(one, key)))
        if not becomes(two, key, 401):
            late.append("the other one takes it still")
    t.same(late, [(200, 200, 401)] * 10, "the gateway that revokes refuses the key from the next request on, the other one soon")


@t.case
def shared_use():
    key = make_key("--monthly-requests", "6")
    t.ok(becomes(one, key, 200), "a key with a quota")
    taken = 1 + sum(status(one, key) == 200 for _ in range(5))
    t.same(taken, 6, "one gateway takes all of it")
    t.ok(becomes(two, key, 429), "the other one gets to know")
    admin = make_key("--scopes", "admin")
    t.ok(becomes(two, admin, 200), "an administrator")

    def sums_agree():
        found = [administer(gateway, "GET", "/admin/v1/usage", admin).json["data"] for gateway in (one, two)]
        return found[0] == found[1] and any(row["key"] == key[3:15] and row["requests"] >= 6 for row in found[0])

    t.ok(wait_until(sums_agree, PATIENCE, 0.2), "both tell the same of its use")

    def command_line_agrees():
        found = administer(one, "GET", "/admin/v1/usage", admin).json["data"]
        told = {row["key"]: row for row in json.loads(keys("usage", "--json").stdout)["data"]}
        return all(told[row["key"]].items() >= row.items() for row in found) and told[key[3:15]]["monthly_requests"] == 6

    t.ok(wait_until(command_line_agrees, PATIENCE, 0.2), "and so does the command line, for every key")


def readiness(gateway):
    with Client(gateway.admin_port) as client:
        answer = client.request("GET", "/readyz")
        return answer.status, answer.body


def store_ready(gateway):
    with Client(gateway.admin_port) as client:
        found = re.search(rb'^sotto_store_ready\{store="postgres"\} (\d)$', client.request("GET", "/metrics").body, re.M)
    return found and int(found[1])


READY = (200, b"ok\n")
UNREADY = (503, b"the API keys cannot be checked\n")


def refused(gateway, key):
    answer = gateway.chat("Hello", key=key)
    return answer.status == 503 and answer.error["code"] == "keys_unavailable" and answer.get("retry-after") is not None


@t.case
def hangs():
    key = make_key()
    t.ok(becomes(one, key, 200) and becomes(two, key, 200), "a key that both know")
    t.same((readiness(one), readiness(two)), (READY, READY), "and are ready")
    t.same(store_ready(one), 1, "as the metrics say")
    before = len(provider.seen)
    server.signal_all(signal.SIGSTOP)
    t.same(status(one, key), 200, "a server that hangs: for a while the keys in memory do")
    t.ok(wait_until(lambda: refused(one, key) and refused(two, key), PATIENCE, 0.1), "then requests are a 503 that says when to try again")
    seen = len(provider.seen)
    t.ok(refused(one, key) and len(provider.seen) == seen and seen > before, "and nothing goes to the provider")
    answer = one.request("POST", "/v1/ai/completions", [("Api-token", key), ("Content-Type", "application/json")], b"{}")
    t.ok(answer.status >= 500 and answer.get("retry-after") is not None, "the same in another dialect", answer)
    t.same(administer(one, "GET", "/livez", key).status, 200, "the process lives")
    t.same((readiness(one), readiness(two)), (UNREADY, UNREADY), "and says that it is not ready, and why")
    t.same(store_ready(one), 0, "and the metrics which store it is")
    t.same(administer(one, "GET", "/admin/v1/keys", key).status, 503, "the admin API says the same")
    server.signal_all(signal.SIGCONT)
    t.ok(wait_until(lambda: (readiness(one), readiness(two)) == (READY, READY), PATIENCE, 0.1), "it is ready again by itself, without a request")
    t.ok(becomes(one, key, 200) and becomes(two, key, 200), "and serves again")


@t.case
def dies():
    key = make_key()
    taken = {"count": 0}

    def ask(gateway):
        done = status(gateway, key) == 200
        taken["count"] += done
        return done

    t.ok(wait_until(lambda: ask(one), PATIENCE, 0.05) and wait_until(lambda: ask(two), PATIENCE, 0.05), "a key that both know")
    server.kill()
    for _ in range(5):
        ask(one)
        ask(two)
    t.ok(wait_until(lambda: not ask(one), PATIENCE, 0.1), "a server that was killed: in the end 503")
    server.start()
    t.ok(wait_until(lambda: ask(one), PATIENCE, 0.05) and wait_until(lambda: ask(two), PATIENCE, 0.05), "when it is back, all is as before")

    def booked():
        return int(server.sql(f"SELECT coalesce(sum(requests), 0) FROM sotto.usage WHERE key = '{key[3:15]}'"))

    t.ok(wait_until(lambda: booked() == taken["count"], PATIENCE, 0.2), "every request is booked once", f"{booked()} of {taken['count']}")


def start_fails(url):
    """What `sotto serve` says with this URL."""
    folder = one.folder / "other"
    folder.mkdir(exist_ok=True)
    (folder / "sotto.yaml").write_text(json.dumps(settings(url)))
    done = subprocess.run(
        [binary(), "serve", "--config", str(folder / "sotto.yaml"), "--state", str(folder / "state"), "--listen", "127.0.0.1:0",
         "--admin", "127.0.0.1:0"], env=environment(), capture_output=True, timeout=PATIENCE * 2, check=False)
    return done.returncode, done.stderr.decode()


@t.case
def refusals():
    code, said = start_fails(server.url("hush-hush"))
    t.ok(code == 1 and re.search(r"sotto: PostgreSQL localhost:\d+/postgres: .*password authentication failed.*correct the user or the password", said),
         "a wrong password is said at the start", said)
    t.lacks(said, "hush-hush", "without the password")
    code, said = start_fails("mysql://sotto:hush-hush@localhost/postgres")
    t.ok(code == 1 and "stores.postgres: must be postgresql://" in said, "another scheme is refused with its place", said)
    t.lacks(said, "hush-hush", "without the password")
    code, said = start_fails(f"postgresql://sotto:hush-hush@localhost:{server.port}/none?sslmode=verify-full&sslrootcert=/nowhere")
    t.ok(code == 1 and "cannot be connected" in said, "a server without TLS where TLS is asked for, too", said)


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=server.folder)


@t.case
def tls():
    """libpq brings an OpenSSL of its own, and runs where nothing but what was allowed can be read."""
    data = server.folder / "data"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            "-keyout", "key.pem", "-out", "cert.pem")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", "other.key", "-out", "other.pem")
    owner = data.stat()
    for name in ("key.pem", "cert.pem"):
        target = data / name
        shutil.copy(server.folder / name, target)
        shutil.chown(target, owner.st_uid, owner.st_gid)
        target.chmod(0o600)
    with open(data / "postgresql.conf", "a", encoding="ascii") as conf:
        conf.write("ssl = on\nssl_cert_file = 'cert.pem'\nssl_key_file = 'key.pem'\n")
    server.kill()
    server.start()
    safe = f"?sslmode=verify-full&sslrootcert={server.folder}"
    code, said = start_fails(server.url(more=f"{safe}/other.pem"))
    t.ok(code == 1 and "certificate verify failed" in said, "a certificate of somebody else is refused", said)
    gateway = Gateway(settings(server.url(more=f"{safe}/cert.pem")))
    try:
        t.same(server.sql("SELECT count(*) > 0 FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)"
                          " WHERE s.ssl AND a.application_name = 'sotto'"), "t", "with its own, the connection is TLS")
        key = make_key()
        t.ok(becomes(gateway, key, 200), "and keys come over it")
    finally:
        gateway.finish(t)


for gateway in (one, two):
    log = gateway.log()
    t.ok(b"store_lost" in log and b"store_back" in log, "the log tells when the store was lost and back")
    t.lacks(log, server.PASSWORD.encode(), "and never the password")
provider.finish(t)
one.finish(t)
two.finish(t)
server.remove()
t.done()
