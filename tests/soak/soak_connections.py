#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 7200
"""10,000 idle connections, 1,000 streams at once for ten minutes, a provider that dies under them: as
one process and as three.  Every stream is whole or ends in an error, and memory and descriptors are
back afterwards.  SOTTO_SOAK_SECONDS=20 makes a short one."""

import asyncio
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time

SOURCE = pathlib.Path(os.environ.get("SOTTO_SOURCE") or pathlib.Path(__file__).resolve().parents[2])
sys.path.insert(0, str(SOURCE / "tests/e2e"))

from lib.gateway import Gateway, config  # noqa: E402
from lib.memory import processes  # noqa: E402
from lib.provider import chunk, sse  # noqa: E402
from lib.speed import binary, is_sanitized  # noqa: E402
from lib.tap import Tap, skip_all  # noqa: E402
from lib.wire import events, text_of, wait_until  # noqa: E402

IDLE, STREAMS = 10000, 1000
SPARE = 24 << 20  # what may stay behind a thousand streams: tables that have grown, pages half free
SECONDS = int(os.environ.get("SOTTO_SOAK_SECONDS", "600"))
EMAIL = "m.thornbury@example.org"
WORDS = 20  # chunks of a stream, spread over its time


def raise_limit():
    """Descriptors for all of it, in this process and those it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = 3 * IDLE
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (want, max(want, hard)))
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def length_of(head):
    """Content-Length."""
    return next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))


# --- the provider: a process of its own ------------------------------------------------------------


async def speak(reader, writer):
    """Streams the request's last message, a word at a time, for as long as `seed` says."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.startswith(b"GET "):
                body = b'{"object":"list","data":[]}'
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
                continue
            asked = json.loads(await reader.readexactly(length_of(head)))
            said = asked["messages"][-1]["content"]
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            size = -(-len(said) // WORDS)
            for at in range(0, len(said), size):
                part(writer, chunk({"content": said[at : at + size]}))
                await asyncio.sleep(asked["seed"] / 1000 / WORDS)
            part(writer, chunk({}, finish="stop"))
            part(writer, "[DONE]")
            writer.write(b"0\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def part(writer, event):
    data = sse(event)
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


async def provide(port):
    server = await asyncio.start_server(speak, "127.0.0.1", port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Provider:
    def __init__(self):
        self.port = 0
        self.start()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        self.process = subprocess.Popen([sys.executable, __file__, "provider", str(self.port)], stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


# --- the clients ----------------------------------------------------------------------------------


def request(gateway, method, target, body=None):
    data = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {target} HTTP/1.1", "Host: h", *(f"{n}: {v}" for n, v in gateway.headers()), f"Content-Length: {len(data)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


async def connect(gateway):
    for _ in range(200):
        try:
            return await asyncio.open_connection("127.0.0.1", gateway.port)
        except OSError:
            await asyncio.sleep(0.05)
    raise TimeoutError("the gateway takes no connection")


async def idle(gateway, gate):
    """A connection on which one request was answered."""
    async with gate:
        reader, writer = await connect(gateway)
        writer.write(request(gateway, "GET", "/v1/models"))
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(length_of(head))
        return head.startswith(b"HTTP/1.1 200"), writer


async def stream(gateway, number, duration_ms, gate):
    """One stream from its beginning to its end: "whole", "error", or what is wrong with it."""
    text = f"Stream {number}: write to {EMAIL} about this. " + "word " * 60
    body = {"model": "gpt-4", "stream": True, "seed": duration_ms, "messages": [{"role": "user", "content": text}]}
    async with gate:
        reader, writer = await connect(gateway)
    try:
        writer.write(request(gateway, "POST", "/v1/chat/completions", body))
        head = await reader.readuntil(b"\r\n\r\n")
        if b"chunked" not in head.lower():
            return "error" if b" 502 " in head[:20] or b" 504 " in head[:20] else f"head {head[:80]!r}"
        got = b""
        while True:
            size = int(await reader.readuntil(b"\r\n"), 16)
            got += (await reader.readexactly(size + 2))[:size]
            if size == 0:
                break
        said = events(got)
        if said[-1] == "[DONE]":
            return "whole" if text_of(got) == text else f"another text: {text_of(got)[:200]!r}"
        return "error" if "error" in json.loads(said[-1]) else f"cut: {said[-1][:200]}"
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        return f"closed: {error!r}"
    finally:
        writer.close()


async def open_idle(gateway):
    gate = asyncio.Semaphore(64)
    found = await asyncio.gather(*(idle(gateway, gate) for _ in range(IDLE)))
    return [writer for good, writer in found if good]


async def run_streams(gateway, seconds, meanwhile=None):
    """STREAMS at once, each followed by the next, until the time is over."""
    gate = asyncio.Semaphore(64)
    counts, end = {}, time.monotonic() + seconds

    async def one(number):
        while time.monotonic() < end:
            result = await stream(gateway, number, 8000, gate)
            counts[result] = counts.get(result, 0) + 1

    work = asyncio.gather(*(one(number) for number in range(STREAMS)))
    if meanwhile:
        await meanwhile()
    await work
    return counts


# --- what the gateway takes --------------------------------------------------------------------------


def memory(gateway):
    """Bytes of all its processes, what they share counted once."""
    total = 0
    for pid in processes(gateway.process.pid):
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
            total += sum(int(line.split()[1]) * 1024 for line in rollup if line.startswith("Pss:"))
    return total


def descriptors(gateway):
    return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in processes(gateway.process.pid))


class OneProcess(Gateway):
    def command(self):
        return [*super().command(), "--single-process"]


def mb(value):
    return f"{value / 1e6:.1f} MB"


def cycle(t, name, gateway, provider, most, most_at_end):
    """The three loads once; after each memory goes below `most`, after the last below the other."""
    before, files = memory(gateway), descriptors(gateway)
    after = []

    def settle(what, bound=most):
        t.ok(wait_until(lambda: descriptors(gateway) <= files + 64, 60, 0.2), f"{name}: after {what} no connection is kept", (files, descriptors(gateway)))
        t.ok(wait_until(lambda: memory(gateway) <= bound, 60, 1), f"{name}: and memory is back", (mb(memory(gateway)), mb(bound)))
        after.append(memory(gateway))

    async def idling():
        writers = await open_idle(gateway)
        t.same(len(writers), IDLE, f"{name}: {IDLE} connections are open")
        held = memory(gateway)
        gate = asyncio.Semaphore(1)
        t.same(await stream(gateway, 0, 100, gate), "whole", f"{name}: and one more is served beside them")
        print(f"# {name}: {IDLE} idle connections: {(held - before) / IDLE:.0f} bytes each", flush=True)
        for writer in writers:
            writer.close()

    asyncio.run(idling())
    settle("idle connections")

    async def streaming():
        held = []

        async def look():
            await asyncio.sleep(6)
            held.append(memory(gateway))

        counts = await run_streams(gateway, SECONDS, look)
        t.same(sorted(counts), ["whole"], f"{name}: {counts.get('whole', 0)} streams, {STREAMS} at once for {SECONDS} s, are whole")
        print(f"# {name}: {STREAMS} streams: {(held[0] - before) / STREAMS:.0f} bytes each", flush=True)

    asyncio.run(streaming())
    settle("streams")

    async def dying():
        async def kill():
            await asyncio.sleep(5)
            provider.kill()

        return await run_streams(gateway, 6, kill)

    counts = asyncio.run(dying())
    t.ok(set(counts) <= {"whole", "error"} and counts.get("error", 0) >= STREAMS // 2, f"{name}: when the provider dies every stream ends in an error", counts)
    provider.start()
    gate = asyncio.Semaphore
    t.ok(wait_until(lambda: asyncio.run(stream(gateway, 0, 100, gate(1))) == "whole", 60, 0.2), f"{name}: and when it is there again the next is served")
    settle("a provider that died", most_at_end)
    print(f"# {name}: memory before {mb(before)}, after each load {', '.join(map(mb, after))}", flush=True)
    return after[-1]


def both(t):
    for name, kind in (("three processes", Gateway), ("one process", OneProcess)):
        provider = Provider()
        gateway = kind(config(provider))
        try:
            most = memory(gateway) + SPARE
            first = cycle(t, name, gateway, provider, most, most)
            cycle(t, name, gateway, provider, most, min(most, first * 1.1 + (4 << 20)))
            key = gateway.command_line("audit", "vkey", "--state", str(gateway.state)).stdout.decode().strip()
            t.same(gateway.stop(), 0, f"{name}: it ends")
            done = gateway.command_line("audit", "verify", str(gateway.state / "audit"), "--vkey", key)
            t.same(done.returncode, 0, f"{name}: the audit log is whole")
        finally:
            gateway.remove()
            provider.kill()


def main():
    if sys.argv[1:2] == ["provider"]:
        raise_limit()
        asyncio.run(provide(int(sys.argv[2])))
    if not os.access(binary(), os.X_OK):
        skip_all("the program is not built")
    if is_sanitized():
        skip_all("sanitizers keep freed memory")
    if raise_limit() < 2 * IDLE:
        skip_all(f"{2 * IDLE} descriptors are not allowed here: raise the limit (ulimit -n)")
    t = Tap()
    both(t)
    t.done()


main()
