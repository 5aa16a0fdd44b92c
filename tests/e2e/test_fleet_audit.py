#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""Gateways that have one audit log in PostgreSQL: each answers for all, holds a copy, and survives the others and the database."""

import filecmp
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time

from lib.gateway import Gateway, config
from lib.postgres import Postgres
from lib.provider import Provider, completion
from lib.tap import Tap
from lib.wire import wait_until

t = Tap()
PATIENCE = 60
MASTER = "a master secret that all gateways of this fleet have"
ORIGIN = "fleet.example/log"
provider = Provider(lambda seen, out: out.whole(completion("ok")))
server = Postgres()


def settings(master=MASTER, origin=ORIGIN, **audit):
    return config(provider, stores={"postgres": server.url(), "trust_keys": "60s"}, secrets={"master": master},
                  audit={"sequencer": "postgres", "origin": origin, **audit})


def newcomer(**more):
    gateway = Gateway(settings(**more))
    gateway.key = KEY
    return gateway


one = Gateway(settings())
KEY = one.key
two = newcomer()


def audit(gateway, *words):
    return gateway.command_line("audit", *words)


def state(gateway):
    return ("--state", str(gateway.state))


def whole(gateway):
    return (*state(gateway), "--config", str(gateway.file))


def vkey(gateway):
    return audit(gateway, "vkey", *state(gateway)).stdout.decode().strip()


def make_key(*words):
    done = one.command_line("keys", "create", *words, "--config", str(one.file))
    return re.search(rb"ql_[0-9A-Za-z]{12}_[0-9A-Za-z]{32}", done.stdout)[0].decode()


def entry(gateway, name, key=None):
    """What a gateway says of an entry when it is under its checkpoint."""
    got = []

    def look():
        got.append(gateway.request("GET", f"/v1/audit/{name}", gateway.headers(key or KEY)))
        return got[-1].status not in (202, 503)

    wait_until(look, PATIENCE, 0.05)
    return got[-1]


def ask(gateway, key=None):
    got = gateway.chat("Hello", key=key or KEY)
    return got.status, got.get("x-sotto-audit-id")


def size(gateway):
    return int((gateway.state / "audit/log/checkpoint").read_text().split("\n")[1])


def same_trees(*gateways):
    """The public files of all, once all have as much as the database."""
    wanted = int(server.sql("SELECT next FROM sotto.audit"))
    level = wait_until(lambda: all(size(g) == wanted for g in gateways), PATIENCE, 0.05)
    place = pathlib.Path(tempfile.mkdtemp(prefix="sotto-fleet-"))
    trees = []
    for number, gateway in enumerate(gateways):
        audit(gateway, "export", "--out", str(place / str(number)), *state(gateway))
        files = sorted(p.relative_to(place / str(number)) for p in (place / str(number)).rglob("*") if p.is_file())
        trees.append(files)
    alike = level and all(tree == trees[0] and len(tree) > 1 for tree in trees) and all(
        filecmp.cmpfiles(place / "0", place / str(n), trees[0], shallow=False)[1:] == ([], [])
        for n in range(1, len(gateways)))
    shutil.rmtree(place)
    return alike


def verified(gateway):
    return audit(gateway, "verify", str(gateway.state / "audit"), "--vkey", vkey(one), "--config", str(gateway.file), "--json")


@t.case
def one_log():
    names = []
    for number in range(40):
        names.append(ask((one, two)[number % 2]))
    t.same([status for status, _ in names], [200] * 40, "both serve")
    wrong = [name for _, name in names for g in (one, two) if entry(g, name).status != 200 or entry(g, name).json["record"]["id"] != name]
    t.same(wrong, [], "each answers for the requests of both")
    t.ok(same_trees(one, two), "and their tiles and checkpoints are the same, byte for byte")
    t.same(vkey(two), vkey(one), "under one key")
    t.ok(vkey(one).startswith(ORIGIN + "+"), "that is named as configured")
    for gateway in (one, two):
        done = verified(gateway)
        report = json.loads(done.stdout) if done.returncode == 0 else {"records": 0, "entries": 0}
        t.ok(report["records"] >= 40, "sotto audit verify takes the folder with its records", done)
        t.ok(report.get("in_database", -1) >= report["entries"], "and finds its entries in the database", done)
    shown = audit(two, "show", names[0][1], *whole(two))
    t.same(json.loads(shown.stdout)["id"], names[0][1], "the command line shows a record of the other gateway")
    t.same(audit(two, "prove", names[0][1], *whole(two)).returncode, 0, "and proves its entry")
    done = audit(two, "show", names[0][1], *state(two))
    t.ok(done.returncode == 1 and b"--config" in done.stderr, "without the configuration it says what it needs", done)


@t.case
def others_verify():
    gocode, compiler = pathlib.Path("/usr/share/gocode"), shutil.which("go", path="/usr/bin:/usr/lib/go/bin")
    if compiler is None or not (gocode / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        return t.skip("golang.org/x/mod/sumdb/tlog takes the log of each", "golang-go and golang-golang-x-mod-dev are not installed")
    place = pathlib.Path(tempfile.mkdtemp(prefix="sotto-fleet-"))
    env = dict(os.environ, GO111MODULE="off", GOPATH=str(gocode), GOCACHE=str(place / "cache"), GOFLAGS="", CGO_ENABLED="0")
    source = pathlib.Path(__file__).resolve().parents[1] / "audit/verify.go"
    subprocess.run([compiler, "build", "-o", str(place / "verify"), str(source)], env=env, check=True, capture_output=True)
    for number, gateway in enumerate((one, two)):
        out = place / str(number)
        audit(gateway, "export", "--out", str(out), *state(gateway))
        done = subprocess.run([str(place / "verify"), str(out), vkey(one)], capture_output=True, text=True, check=False)
        t.ok(done.returncode == 0 and int(done.stdout.split()[1]) >= 40, "golang.org/x/mod/sumdb/tlog takes the log of each", done)
    shutil.rmtree(place)
    return None


@t.case
def erasure():
    other = make_key("--name", "other")
    names = []
    for gateway in (one, two, one, two):
        wait_until(lambda g=gateway: ask(g, other)[0] == 200, PATIENCE, 0.05)
        names.append(ask(gateway, other)[1])
    kept = ask(two)[1]
    t.same([entry(g, name, other).status for g in (one, two) for name in names], [200] * 8, "records of a subject, on both")
    before = entry(two, names[0], other).json["proof"]
    done = audit(one, "erase", other[3:15], *state(one))
    t.same(done.returncode, 0, "it is erased beside a gateway that runs")
    gone = [entry(g, name, other) for g in (two, one) for name in names]
    t.same([(g.status, g.json["erased"]) for g in gone], [(410, True)] * 8, "at once on both")
    t.same(entry(two, kept).status, 200, "other subjects keep theirs")
    t.ok(before.startswith("c2sp.org/tlog-proof@v1"), "the proof from before is kept")
    t.same(int(server.sql("SELECT count(*) FROM sotto.audit_subject WHERE erasure > 0 AND slot = ('\\x02' || repeat('00', 175))::bytea")), 1,
           "the database has nothing of the subject's keys")
    again = ask(two, other)[1]
    t.same(entry(one, again, other).json["record"]["key"], other[3:15], "the key still works, and has records again")
    two.stop()
    done = audit(two, "erase", other[3:15], *whole(two))
    t.same(done.returncode, 0, "it is erased from a folder whose gateway does not run, too")
    t.same(entry(one, again, other).status, 410, "which the gateway that runs sees at once")
    two.start()
    t.ok(same_trees(one, two), "the trees are the same")
    report = json.loads(verified(two).stdout)
    t.ok(report["erased"] >= 5 and report["records"] + report["erased"] == report["entries"], "the copy is whole, its erased records counted", report)


def load(gateways, over, answered, seen):
    """Clients that ask until `over`; what was answered with 200 is in `answered`."""
    lock = threading.Lock()

    def client(number):
        gateway = gateways[number % len(gateways)]
        while not over.is_set():
            try:
                status, name = ask(gateway)
            except Exception:  # the gateway or the connection is being killed
                time.sleep(0.01)
                continue
            with lock:
                seen.add(status)
                if status == 200:
                    answered.append(name)

    threads = [threading.Thread(target=client, args=(n,), daemon=True) for n in range(2 * len(gateways))]
    for thread in threads:
        thread.start()
    return threads


def finish(threads, over):
    over.set()
    for thread in threads:
        thread.join(2 * PATIENCE)


@t.case
def killed():
    for _ in range(2):
        over, answered, seen = threading.Event(), [], set()
        threads = load((one, two), over, answered, seen)
        wait_until(lambda a=answered: len(a) > 10, PATIENCE, 0.01)
        two.kill()
        count = len(answered)
        wait_until(lambda a=answered, c=count: len(a) > c + 5, PATIENCE, 0.01)
        finish(threads, over)
        t.ok(len(answered) > count + 5, "the other one goes on when a gateway is killed under load")
        lost = [name for name in answered if entry(one, name).status != 200]
        t.same(lost, [], "and has every request that either answered")
        two.start()
        t.same([name for name in answered if entry(two, name).status != 200], [], "as has the one that was killed, when it is back")
    t.ok(same_trees(one, two), "the trees are the same")


def refused_before(gateway):
    """Whether a request is a 503 that no provider has seen."""
    before = len(provider.seen)
    got = gateway.chat("Hello", key=KEY)
    return got.status == 503 and got.error["code"] == "audit_unavailable" and len(provider.seen) == before


@t.case
def database_dies():
    over, answered, seen = threading.Event(), [], set()
    threads = load((one, two), over, answered, seen)
    wait_until(lambda: len(answered) > 10, PATIENCE, 0.01)
    server.kill()
    finish(threads, over)
    t.ok(seen <= {200, 503}, "when the database is killed under load, answers are whole or 503", seen)
    t.ok(wait_until(lambda: refused_before(one) and refused_before(two), PATIENCE, 0.1), "then requests are refused, and nothing goes to the provider")
    t.same(one.request("GET", f"/v1/audit/{answered[0]}", one.headers(KEY)).status, 503, "nor is a record told that may have been erased meanwhile")
    server.start()
    t.ok(wait_until(lambda: ask(one)[0] == 200 and ask(two)[0] == 200, PATIENCE, 0.1), "when it is back, both serve again by themselves")
    t.same([name for name in answered if entry(one, name).status != 200 or entry(two, name).status != 200], [], "every request that was answered is in the log")
    t.ok(same_trees(one, two), "and the trees are the same")


@t.case
def joins_later():
    three = newcomer()
    t.ok(same_trees(one, two, three), "a gateway that joins later has the whole log")
    name = ask(one)[1]
    t.same(entry(three, name).status, 200, "and follows it")
    t.same(three.stop(), 0, "it ends")
    shutil.rmtree(three.folder)


def start_fails(gateway, what, says):
    try:
        gateway.start()
        t.ok(False, f"{what}: the gateway does not start")
        gateway.stop()
    except RuntimeError as error:
        t.ok(re.search(says, str(error)), f"{what}: the gateway does not start and says so", str(error)[-800:])


def verify_fails(gateway, what, says):
    done = verified(gateway)
    t.ok(done.returncode == 1 and re.search(says, done.stderr.decode()), f"{what}: sotto audit verify says so", done)


def stop_both():
    one.stop()
    two.stop()


@t.case
def tampering():
    t.ok(same_trees(one, two), "both have all entries")
    stop_both()
    entries = int(server.sql("SELECT next FROM sotto.audit"))
    change = "UPDATE sotto.audit_frame SET frame = set_byte(frame, 60, get_byte(frame, 60) # 1) WHERE first = (SELECT first FROM sotto.audit_frame ORDER BY first OFFSET 5 LIMIT 1)"
    first = server.sql("SELECT first FROM sotto.audit_frame ORDER BY first OFFSET 5 LIMIT 1")
    server.sql(change)
    start_fails(one, "an entry was changed in the database", rf"entry {first} in sotto.audit_frame")
    verify_fails(one, "an entry was changed in the database", rf"entry {first} in sotto.audit_frame is not the one")
    server.sql(change)
    server.sql("CREATE TABLE kept AS SELECT * FROM sotto.audit_frame ORDER BY first DESC LIMIT 1")
    last = int(server.sql("SELECT first FROM kept"))
    server.sql(f"DELETE FROM sotto.audit_frame WHERE first = {last}")
    verify_fails(two, "an entry is missing in the database", rf"entries {last} to {entries - 1} are missing in sotto.audit_frame")
    server.sql("CREATE TABLE head AS SELECT * FROM sotto.audit")
    server.sql(f"UPDATE sotto.audit SET next = {last}, code = (SELECT code FROM sotto.audit_frame ORDER BY first DESC LIMIT 1)")
    start_fails(two, "the database was set back", rf"entries {last} to {entries - 1} are missing in the database")
    verify_fails(two, "the database was set back", rf"entries {last} to {entries - 1} are missing in the database")
    t.same(audit(two, "verify", str(two.state / "audit/log"), "--vkey", vkey(one)).returncode, 0, "the public part says nothing of the database")
    server.sql("INSERT INTO sotto.audit_frame SELECT * FROM kept; UPDATE sotto.audit a SET next = h.next, code = h.code FROM head h")
    for change in ("SET code = set_byte(code, 0, get_byte(code, 0) # 1)", "SET frame = set_byte(frame, 90, get_byte(frame, 90) # 1)"):
        change = f"UPDATE sotto.audit_frame {change} WHERE first = {last}"
        server.sql(change)
        verify_fails(two, "a frame was changed in the database", rf"frame of entries {last} to {entries - 1} in sotto.audit_frame is not the one")
        server.sql(change)
    t.same(verified(two).returncode, 0, "put back, it is verified")
    one.start()
    two.start()
    t.same(ask(one)[0], 200, "put back, all is as before")
    t.same(ask(two)[0], 200, "on both")


@t.case
def set_back_under_gateways_that_run():
    name = ask(one)[1]
    t.same(entry(two, name).status, 200, "both have an entry")
    t.ok(same_trees(one, two), "and all others, or one of them could not know that they are missing")
    server.sql("DROP TABLE head; CREATE TABLE head AS SELECT * FROM sotto.audit; DROP TABLE kept;"
               "CREATE TABLE kept AS SELECT * FROM sotto.audit_frame ORDER BY first DESC LIMIT 1")
    server.sql("BEGIN; DELETE FROM sotto.audit_frame f USING kept k WHERE f.first = k.first;"
               "UPDATE sotto.audit SET next = (SELECT first FROM kept),"
               " code = (SELECT code FROM sotto.audit_frame ORDER BY first DESC LIMIT 1); COMMIT")
    t.ok(wait_until(lambda: refused_before(one) and refused_before(two), PATIENCE, 0.1), "a database that was set back: both take no more requests")
    t.ok(re.search(rb"audit_contradicted .*are missing in the database", one.log()), "and the log says which entries are missing")
    server.sql("INSERT INTO sotto.audit_frame SELECT * FROM kept; UPDATE sotto.audit a SET next = h.next, code = h.code FROM head h")
    stop_both()
    one.start()
    two.start()
    t.ok(ask(one)[0] == 200 and ask(two)[0] == 200, "put back and opened anew, they serve")


@t.case
def refusals():
    one.stop()
    one.write(settings(master="another master secret, which is not that of the fleet"))
    start_fails(one, "another master secret", "another secrets.master")
    journal = settings()
    journal["audit"]["sequencer"] = "journal"
    one.write(journal)
    start_fails(one, "a copy of the fleet's log without the database", "copy of a fleet")
    lonely = config(provider, audit={"sequencer": "postgres"})
    one.write(lonely)
    start_fails(one, "no database", "postgres needs stores.postgres")
    one.write(settings())
    one.start()
    t.same(ask(one)[0], 200, "as it was, it serves")


for g in (one, two):
    t.lacks(g.log(), f":{server.PASSWORD}@".encode(), "the log never has the password")
    g.finish(t)
provider.finish(t)
server.remove()
t.done()
