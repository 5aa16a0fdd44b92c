#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full, or read-only, or fails: nothing is answered that is not in the log."""

import contextlib
import ctypes
import errno
import json
import os
import shutil
import sqlite3
import tempfile
import threading

from lib.canary import ALL
from lib.faults import Faults, FaultyGateway
from lib.gateway import Gateway, config
from lib.provider import Provider, chunk, echo
from lib.tap import Tap
from lib.wire import Client, Closed, wait_until

PATIENT = 60  # seconds that a condition may take on a slow machine

t = Tap()
release = threading.Event()


def script(seen, out):
    """Echoes; a stream with seed 1 waits in its middle."""
    if seen.json.get("seed") != 1:
        return echo(seen, out)
    out.begin()
    out.event(chunk({"role": "assistant", "content": "first"}))
    release.wait(PATIENT)
    out.event(chunk({"content": " last"}))
    out.event(chunk({}, finish="stop"))
    out.event("[DONE]")
    return out.end()


provider = Provider(script)
libc = ctypes.CDLL(None, use_errno=True)


class SmallDisk:
    """A file system of 8 MB in a folder."""

    def __init__(self, place):
        place.mkdir(mode=0o700, exist_ok=True)
        self.place = place
        self.ballast = place / "ballast"
        self.mounted = libc.mount(b"sotto-test", os.fsencode(place), b"tmpfs", 0, b"size=8m,mode=0700") == 0

    def fill(self):
        with open(self.ballast, "wb", buffering=0) as file:
            for size in (1 << 16, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    assert error.errno == errno.ENOSPC

    def free(self):
        self.ballast.unlink()

    def remount(self, options=0):
        return libc.mount(b"none", os.fsencode(self.place), None, 32 | options, None) == 0

    def close(self):
        libc.umount2(os.fsencode(self.place), 2)


def held(gateway, names):
    """Those of the entries that are not in the log."""
    missing = []
    for name in names:
        wait_until(lambda: gateway.request("GET", f"/v1/audit/{name}", gateway.headers()).status != 202, PATIENT, 0.05)
        if gateway.request("GET", f"/v1/audit/{name}", gateway.headers()).status != 200:
            missing.append(name)
    return missing


def verify(gateway):
    key = gateway.command_line("audit", "vkey", "--state", str(gateway.state)).stdout.decode().strip()
    return gateway.command_line("audit", "verify", str(gateway.state / "audit"), "--vkey", key)


def admin(gateway, path):
    with Client(gateway.admin_port) as client:
        return client.request("GET", path)


def until_refused(gateway):
    """Asks until an answer is withheld; the names of the entries that were promised."""
    promised = []
    for _ in range(3000):
        answer = gateway.chat("Hello " * 50)
        if answer.status != 200:
            return promised, answer
        promised.append(answer.get("x-sotto-audit-id"))
    return promised, answer


def recovers(gateway, what):
    """It serves again, and everything that it answered is in the log."""
    t.ok(wait_until(lambda: gateway.chat("Hello").status == 200, PATIENT, 0.1), f"{what}: when it can be written it serves again, by itself")
    t.ok(wait_until(lambda: admin(gateway, "/readyz").status == 200, PATIENT, 0.1), f"{what}: and says that it is ready")
    t.has(gateway.log(), b"event=audit_works_again", f"{what}: the log says so")


def refused(gateway, answer, what):
    t.same((answer.status, answer.json.get("error", {}).get("code")), (503, "audit_unavailable"), f"{what}: the answer is withheld")
    t.lacks(answer.body, b"Hello", f"{what}: nothing of it goes out")
    before = len(provider.seen)
    answer = gateway.chat("Hello")
    t.same((answer.status, answer.error["code"], len(provider.seen)), (503, "audit_unavailable", before), f"{what}: the next request is refused before it goes out")
    ready = admin(gateway, "/readyz")
    t.same((ready.status, ready.body), (503, b"the audit log cannot be written\n"), f"{what}: it is not ready, and says why")
    t.same((admin(gateway, "/livez").status, gateway.request("GET", "/v1/models", gateway.headers()).status), (200, 503), f"{what}: but lives, and serves nothing that has an entry")
    t.has(gateway.log(), b"event=audit_failed", f"{what}: the log says so")


def stream_begun(gateway):
    """A stream of which the first text has come."""
    client = gateway.client()
    body = json.dumps({"model": "gpt-4", "messages": [{"role": "user", "content": "Hi"}], "stream": True, "seed": 1}).encode()
    head = [f"{n}: {v}" for n, v in gateway.headers()]
    client.send("\r\n".join(["POST /v1/chat/completions HTTP/1.1", "Host: h", *head, f"Content-Length: {len(body)}"]).encode() + b"\r\n\r\n" + body)
    client.until(b"first")
    return client


def stream_ended(client, what):
    release.set()
    try:
        rest = client.until(b"\r\n0\r\n\r\n")
    except Closed as closed:
        rest = closed.args[0]
    t.ok(b"[DONE]" not in rest, f"{what}: a stream that runs does not end as if it were complete", rest[-300:])
    t.ok(b"audit_unavailable" in rest, f"{what}: its last event says why", rest[-300:])
    client.close()
    release.clear()


class OnSmallDisk(Gateway):
    disk = None

    def start(self):
        if self.disk is None:
            self.disk = SmallDisk(self.state)
        return super().start()

    def remove(self):
        self.kill()
        self.disk.close()
        super().remove()


@t.case
def full_disk():
    gateway = OnSmallDisk(config(provider), admin=True)
    try:
        if not gateway.disk.mounted:
            t.skip("a disk that is full", "no permission to mount a small one")
            return
        promised = [gateway.chat("Hello").get("x-sotto-audit-id") for _ in range(20)]
        client = stream_begun(gateway)
        gateway.disk.fill()
        more, answer = until_refused(gateway)
        refused(gateway, answer, "full disk")
        stream_ended(client, "full disk")
        done = gateway.keys("create", "--name", "x" * 60)
        t.ok(done.returncode in (0, 1) and (done.returncode == 0 or b"disk is full" in done.stderr), "the store says it in a sentence, where it needs room", done)
        gateway.disk.free()
        recovers(gateway, "full disk")
        t.same(held(gateway, promised + more), [], f"every one of {len(promised + more)} answered requests is in the log")
        done = verify(gateway)
        t.same(done.returncode, 0, "the log is whole")
        answered = sum("event=request " in line and "outcome=answered" in line and "upstream=scripted" in line for line in gateway.log_lines())
        t.same(gateway.stop(), 0, "it ends")
        with contextlib.closing(sqlite3.connect(gateway.state / "sotto.db")) as db:
            booked = db.execute("SELECT sum(requests) FROM usage").fetchone()[0]
        t.ok(booked >= answered > 20, "use that could not be saved is saved later", (booked, answered))
        t.ok(gateway.disk.remount(1), "the disk is read-only now", os.strerror(ctypes.get_errno()))
        try:
            gateway.start()
            t.ok(False, "on a read-only disk it does not start")
        except RuntimeError as error:
            t.ok("sotto: " in str(error) and str(gateway.state) in str(error), "on a read-only disk it does not start, and names the folder", str(error)[-600:])
        t.ok(gateway.disk.remount(0), "it can be written again")
        gateway.start()
        t.same(gateway.chat("Hello").status, 200, "and it starts")
        t.same(held(gateway, promised + more), [], "with everything that it promised")
        gateway.check_files(t, ALL)
    finally:
        gateway.remove()


folder = tempfile.mkdtemp(prefix="sotto-disk-")
faults = Faults(folder)
gateway = FaultyGateway(faults, config(provider), admin=True)


@t.case
def errors_of_writes():
    for number, name in ((errno.EROFS, "a file system that became read-only"), (errno.EIO, "writes that fail"), (errno.EDQUOT, "a quota that is used up")):
        client = stream_begun(gateway)
        faults.set(write_errno=number)
        promised, answer = until_refused(gateway)
        t.same(promised, [], f"{name}: nothing is answered")
        refused(gateway, answer, name)
        stream_ended(client, name)
        faults.set(write_errno=0)
        recovers(gateway, name)
    t.same(verify(gateway).returncode, 0, "the log is whole")


@t.case
def errors_of_syncs():
    """After a sync that failed nobody knows what the disk has."""
    promised = [gateway.chat("Hello").get("x-sotto-audit-id") for _ in range(5)]
    faults.set(sync_errno=errno.EIO)
    _, answer = until_refused(gateway)
    refused(gateway, answer, "a sync that fails")
    faults.set(sync_errno=0)
    t.ok(not wait_until(lambda: gateway.chat("Hello").status == 200, 2, 0.1), "a sync that fails: syncs that work again are no proof")
    gateway.kill()
    gateway.start()
    t.same(gateway.chat("Hello").status, 200, "a restart, which reads what is there, ends it")
    t.same(held(gateway, promised), [], "with everything that was answered")
    t.same(verify(gateway).returncode, 0, "and the log is whole")


provider.finish(t)
gateway.finish(t, ALL)
shutil.rmtree(folder, ignore_errors=True)
t.done()
