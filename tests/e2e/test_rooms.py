#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three rooms as three processes: what each holds, what each may do, and what its end does."""

import errno
import json
import os
import signal
import subprocess
import threading
import time

from lib.gateway import Gateway, config, say
from lib.inject import possible, taken
from lib.memory import Marks, processes, readable, regions, search
from lib.provider import Provider, chunk, completion
from lib.speed import SLOW, is_sanitized
from lib.tap import Tap
from lib.wire import Closed, build, events, text_of, wait_until

t = Tap()
CHAT = "/v1/chat/completions"
marks = Marks()
PROVIDER_KEY = "sk-" + marks.text("provider's key")
provider = Provider()
NO = {-errno.EPERM, -errno.EACCES, -errno.ENOSYS}


def start(**more):
    upstream = {"scripted": {"kind": "openai", "url": provider.url + "/v1", "key": PROVIDER_KEY}}
    return Gateway(config(provider, upstreams=upstream, **more), admin=True)


def rooms(gateway):
    """Process numbers of front, vault and back."""
    found = {"vault": gateway.process.pid}
    for pid in processes(gateway.process.pid)[1:]:
        words = open(f"/proc/{pid}/cmdline", "rb").read().split(b"\0")
        found[words[2].decode()] = pid
    return found


def status(pid):
    lines = open(f"/proc/{pid}/status", encoding="ascii").read().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def alive(pid):
    try:
        return open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Hold:
    """A provider that says what it was told once it may."""

    def __init__(self):
        self.go = threading.Event()

    def __call__(self, seen, out):
        if not seen.json.get("stream"):
            self.go.wait(20 * SLOW)
            return out.whole(completion("ok " + seen.texts))
        out.begin()
        out.event(chunk({"role": "assistant", "content": "so "}))
        self.go.wait(20 * SLOW)
        out.event(chunk({"content": "far"}))
        out.event(chunk({}, finish="stop"))
        out.event("[DONE]")
        return out.end()


gateway = start()
room = rooms(gateway)


@t.case
def three_processes():
    t.same(sorted(room), ["back", "front", "vault"], "the gateway is three processes")
    t.same(gateway.chat("Hello").status, 200, "which answer")
    for name, pid in room.items():
        now = status(pid)
        if is_sanitized():
            t.same(now["NoNewPrivs"], "1", f"{name} gains no privileges")
            continue
        t.same((now["NoNewPrivs"], now["Seccomp"]), ("1", "2"), f"{name} gains no privileges and has a list of system calls")
        keeps = 1 << 1 if name == "vault" else 0  # CAP_DAC_OVERRIDE, for a state folder of another user
        t.same(int(now["CapEff"], 16) & ~keeps, 0, f"{name} has no capabilities")
    closed = [line for line in gateway.log_lines() if ("room_open" if is_sanitized() else "room_closed_off") in line]
    t.ok(len(closed) == 3, "the log says what closes each of them off", gateway.log()[:800])
    variables = {name: open(f"/proc/{pid}/environ", "rb").read() for name, pid in room.items() if name != "vault"}
    t.ok(all(b"PATH=" not in value and b"HOME=" not in value for value in variables.values()), "front and back have no environment but what says where trust is kept", variables)


@t.case
def who_has_sockets():
    """The vault has no socket of the network, the front no upstream, the back no client."""
    numbers = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in open(f"/proc/net/{table}", encoding="ascii").read().splitlines()[1:]:
            numbers.add(line.split()[9])
    held = {}
    for name, pid in room.items():
        links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
        held[name] = sum(link.startswith("socket:[") and link[8:-1] in numbers for link in links)
    t.same(held["vault"], 0, "the vault has no network sockets")
    t.ok(held["front"] > 0, "the front has", held)


@t.case
def who_holds_what():
    """In flight and at rest, each process holds only what is its own."""
    if not readable() or is_sanitized():
        t.skip("what lies in whose memory", "only root may read it, and not under sanitizers")
        return
    secret = (gateway.state / "secrets").read_bytes() if (gateway.state / "secrets").is_file() else b""
    hold = Hold()
    provider.script = hold
    mail = marks.text("address in flight") + "@example.org"
    count = len(provider.seen)
    with gateway.client() as client:
        client.send(build("POST", CHAT, gateway.headers(), json.dumps({"model": "gpt-4", "messages": say(f"Write to {mail} today.")}).encode()))
        provider.wait_seen(count + 1)
        inside = {name: search(pid, marks) for name, pid in room.items()}
        value = {name: [line for line in found if "address in flight" in line] for name, found in inside.items()}
        key = {name: [line for line in found if "provider's key" in line] for name, found in inside.items()}
        hold.go.set()
        t.same(client.response().content, f"ok Write to {mail} today.", "a request is answered with its value")
    # In the vault it may lie sealed while it waits; that the search finds things shows the key.
    t.same((value["back"], value["front"]), ([], []), "while it waits, its value is neither in the back nor in the front")
    t.ok(key["vault"], "the provider's key is in the vault")
    t.same(key["front"], [], "and never in the front")
    at_rest = {name: [line for line in search(pid, marks) if "provider's key" in line] for name, pid in room.items()}
    t.same((at_rest["front"], at_rest["back"]), ([], []), "nor in the back when nothing is in flight")
    if secret:
        pieces = [secret[i : i + 16] for i in range(0, len(secret) - 15, 16)]
        for name in ("front", "back"):
            blob = b""
            with open(f"/proc/{room[name]}/mem", "rb", buffering=0) as memory:
                for _, begin, end in regions(room[name]):
                    try:
                        memory.seek(begin)
                        blob += memory.read(end - begin)
                    except OSError:
                        pass
            t.ok(not any(piece in blob for piece in pieces), f"the {name} has nothing of the master secret")


def try_all(victim, vault, heap):
    """What somebody in a room would try; name -> result."""
    def path(name):
        return name.encode() + b"\0"

    yield "process_vm_readv of the vault", victim.read_memory_of(vault, heap)
    yield "ptrace of the vault", victim.call("ptrace", 16, vault)
    yield "/proc/PID/mem of the vault", victim.call("openat", -100, path(f"/proc/{vault}/mem"), os.O_RDONLY)
    yield "/proc/PID/maps of the vault", victim.call("openat", -100, path(f"/proc/{vault}/maps"), os.O_RDONLY)
    yield "a descriptor of the vault", victim.call("pidfd_open", vault, 0)
    yield "a signal to the vault", victim.call("kill", vault, 0)
    yield "the state folder", victim.call("openat", -100, path(str(gateway.state) + "/secrets"), os.O_RDONLY)
    yield "a file of the system", victim.call("openat", -100, path("/etc/shadow"), os.O_RDONLY)
    yield "a file to write", victim.call("openat", -100, path("/tmp/sotto-was-here"), os.O_WRONLY | os.O_CREAT, 0o600)
    yield "a shell", victim.call("execve", path("/bin/sh"), 0, 0)
    yield "a process", victim.call("clone", int(signal.SIGCHLD), 0)
    yield "a namespace", victim.call("unshare", 0x10000000)


@t.case
def takeover():
    """Somebody who has taken over the front or the back cannot read the vault's memory."""
    if not possible() or is_sanitized():
        t.skip("a takeover that tries", "it needs root on x86-64 and no sanitizer")
        return
    heap = next(begin for name, begin, _ in regions(room["vault"]) if name == "[heap]")
    for name in ("front", "back"):
        with taken(room[name]) as victim:
            for what, result in try_all(victim, room["vault"], heap):
                t.ok(result in NO, f"the {name} is refused: {what}", result)
            t.ok(victim.call("mmap", 0, 4096, 7, 0x22, -1, 0) in NO, f"the {name} gets no executable memory")
            if name == "front":
                t.ok(victim.call("socket", 2, 1, 0) in NO, "the front opens no connections")
            else:
                t.ok(victim.call("listen", 0, 1) in NO, "the back does not listen")
    with taken(room["vault"]) as victim:
        for what, result in (("a socket", victim.call("socket", 2, 1, 0)), ("a shell", victim.call("execve", b"/bin/sh\0", 0, 0)),
                             ("a file of the system", victim.call("openat", -100, b"/etc/shadow\0", os.O_RDONLY)),
                             ("a process", victim.call("clone", int(signal.SIGCHLD), 0))):
            t.ok(result in NO, f"the vault is refused: {what}", result)
    provider.script = lambda seen, out: out.whole(completion("ok"))
    t.same(gateway.chat("x").status, 200, "and all of them still work")
    free = subprocess.Popen(["sleep", "60"])
    try:
        time.sleep(0.1)
        with taken(free.pid) as victim:
            t.same(victim.read_memory_of(room["vault"], heap), 8, "the control: a process that is not closed off reads the vault's memory with the same call")
    finally:
        free.kill()
        free.wait()


@t.case
def nonsense_through_the_door():
    """A front that writes what no front may say ends the gateway."""
    if not possible() or is_sanitized():
        t.skip("a front that writes nonsense", "it needs root on x86-64 and no sanitizer")
        return
    other = start()
    with taken(rooms(other)["front"]) as victim:
        # A thread's door is descriptor 4; 1 is write(2).
        from lib import inject

        inject.CALLS["write"] = 1
        t.same(victim.call("write", 4, b"\xff" * 64, 64), 64, "64 bytes of nonsense are written into a door")
    t.same(other.wait(20 * SLOW), 1, "the gateway ends with status 1")
    t.has(other.log(), b"door_broken room=front", "and says which room it was")
    other.remove()


@t.case
def front_dies():
    other = start()
    pids = rooms(other)
    provider.script = Hold()
    with other.client() as client:
        client.send(build("POST", CHAT, other.headers(), json.dumps({"model": "gpt-4", "messages": say("x"), "stream": True}).encode()))
        client.head()
        os.kill(pids["front"], signal.SIGKILL)
        t.ok(client.to_end() is not None, "the front is killed: its clients' connections close")
    provider.script.go.set()
    t.same(other.wait(20 * SLOW), 1, "the gateway ends with status 1")
    t.has(other.log(), b"room_lost room=front", "and says why")
    t.ok(wait_until(lambda: not any(alive(pid) for pid in pids.values()), 10 * SLOW), "no process is left")
    other.start()
    provider.script = lambda seen, out: out.whole(completion("ok"))
    t.same(other.chat("x").status, 200, "started again it serves")
    other.stop()
    other.remove()


@t.case
def back_dies():
    other = start()
    pids = rooms(other)
    hold = provider.script = Hold()
    count = len(provider.seen)
    answers = {}

    def ask(stream):
        with other.client() as client:
            client.send(build("POST", CHAT, other.headers(), json.dumps({"model": "gpt-4", "messages": say("x"), "stream": stream}).encode()))
            try:
                answers[stream] = client.response()
            except Closed as closed:
                answers[stream] = closed

    clients = [threading.Thread(target=ask, args=(stream,)) for stream in (False, True)]
    for client in clients:
        client.start()
    provider.wait_seen(count + 2)
    time.sleep(0.2 * SLOW)
    os.kill(pids["back"], signal.SIGKILL)
    for client in clients:
        client.join(30 * SLOW)
    hold.go.set()
    whole, stream = answers.get(False), answers.get(True)
    t.ok(getattr(whole, "status", 0) == 502 and "error" in whole.json, "the back is killed: who waits for an answer gets 502 and an error", whole)
    last = events(stream.body)[-1] if getattr(stream, "body", None) else ""
    t.ok("error" in last and "[DONE]" not in last, "a stream ends with an error", stream)
    t.same(other.wait(20 * SLOW), 1, "the gateway ends with status 1")
    t.ok(wait_until(lambda: not any(alive(pid) for pid in pids.values()), 10 * SLOW), "no process is left")
    other.remove()


@t.case
def vault_dies():
    other = start()
    pids = rooms(other)
    with other.client() as client:
        client.request("GET", "/v1/models", other.headers())
        os.kill(pids["vault"], signal.SIGKILL)
        other.process.wait()
        t.ok(client.is_closed(20 * SLOW), "the vault is killed: connections close")
    t.ok(wait_until(lambda: not any(alive(pid) for pid in pids.values()), 10 * SLOW), "and front and back end")
    other.remove()


@t.case
def front_hears_late():
    """A front that had no time learns of the drain when its doors are closed already."""
    other = start(limits={"drain": "100ms"})
    for number in range(4):
        front = rooms(other)["front"]
        os.kill(front, signal.SIGSTOP)
        other.signal(signal.SIGTERM)
        stopped = wait_until(lambda: other.log().count(b"event=stopped") > number, 10 * SLOW)
        os.kill(front, signal.SIGCONT)
        t.ok(stopped, "a front that stands still does not hold the gateway's end up")
        t.same(other.wait(30 * SLOW), 0, "which ends with status 0")
        t.ok(wait_until(lambda: not alive(front), 10 * SLOW), "and the front with it")
        other.start()
    other.finish(t)


@t.case
def signals_are_for_the_vault():
    for name in ("front", "back"):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(room[name], number)
    time.sleep(0.2)
    provider.script = lambda seen, out: out.whole(completion("ok"))
    t.same((gateway.process.poll(), gateway.chat("x").status), (None, 200), "SIGTERM, SIGINT and SIGHUP to front or back do nothing: a terminal sends them to all")


@t.case
def much_at_once():
    """Doors that are full hold back what fills them; nothing is lost."""
    text = "word " * 100
    parts = 400

    def long(seen, out):
        out.begin()
        for number in range(parts):
            out.event(chunk({"content": f"{number} {text}"}))
        out.event(chunk({}, finish="stop"))
        out.event("[DONE]")
        out.end()

    provider.script = long
    want = "".join(f"{number} {text}" for number in range(parts))
    good = []

    def ask(slow):
        with gateway.client(receive_buffer=4096 if slow else None) as client:
            client.send(build("POST", CHAT, gateway.headers(), json.dumps({"model": "gpt-4", "messages": say("x"), "stream": True}).encode()))
            if slow:
                time.sleep(0.5)
            good.append(text_of(client.response().body) == want)

    clients = [threading.Thread(target=ask, args=(i % 3 == 0,)) for i in range(24)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(60 * SLOW)
    t.same((len(good), all(good)), (24, True), "24 long streams, some read slowly, come whole")
    provider.script = lambda seen, out: out.whole(completion(str(len(seen.body))))
    big = "lorem ipsum " * 30000
    t.same(gateway.chat(big).status, 200, "a body of 360 kB passes the doors")


@t.case
def one_process():
    class Single(Gateway):
        def command(self):
            return [*super().command(), "--single-process"]

    single = Single(config(provider), admin=True)
    t.same(len(processes(single.process.pid)), 1, "--single-process: it is one process")
    provider.script = lambda seen, out: out.whole(completion("ok"))
    t.same(single.chat("x").status, 200, "which answers as well")
    single.finish(t)


@t.case
def required():
    class Required(Gateway):
        def command(self):
            return [*super().command(), "--require-sandbox"]

    if is_sanitized():
        t.skip("--require-sandbox", "a program with sanitizers is not closed off")
        return
    try:
        other = Required(config(provider))
    except RuntimeError as error:
        t.ok("cannot be closed off" in str(error), "--require-sandbox: it does not start where the kernel lacks something, and says what", error)
        return
    provider.script = lambda seen, out: out.whole(completion("ok"))
    t.same(other.chat("x").status, 200, "--require-sandbox: it starts where the kernel has all")
    other.finish(t)


gateway.finish(t)
provider.close()
t.done()
