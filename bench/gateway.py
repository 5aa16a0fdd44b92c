#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the gateway beside nginx and HAProxy in one run and prints a table of ratios.

usage: bench/gateway.py --build BUILDDIR [--seconds S] [--rounds N] [--only NAME,...]

Each system is pinned to one core, the provider and the load generator to another one.  CPU time is
user plus system time of the system's whole process tree, per request or per chunk.  Rounds of all
systems alternate, so that a busy machine is busy for all; printed are the median and the spread of
the rounds, and the ratio to nginx of the same round.
"""
import argparse
import base64
import ctypes
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
PRIVATE_TEXT = (
    "Please draft a short and friendly reply to our customer Margaret Thornbury, who wrote to us "
    "this morning from m.thornbury@example.org about her order. She asks to be called back on "
    "+1 212 555 0187 in the afternoon, since she is in meetings before noon, and she wants the "
    "outstanding amount to be charged to her card 4111 1111 1111 1111 once the new parts have "
    "been sent. Her account is held at our branch under IBAN DE89370400440532013000 and should "
    "stay as it is. Mention that the delivery will take about two weeks, that the warranty is "
    "not affected by the change, and that she can return what she does not need within thirty "
    "days without giving a reason. Keep the tone warm but brief, do not promise a discount, and "
    "end with an offer to help with the installation, which most of our customers find easy once "
    "they have read the first two pages of the manual. If anything in her message is unclear, "
    "say so plainly and ask one question only. Thank you for taking care of this today; the "
    "answer will be read by a colleague before it is sent."
)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port, seconds=20):
    end = time.time() + seconds
    while time.time() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.01)
    raise SystemExit(f"nothing listens on port {port}")


def tree(pid):
    """The process and all its descendants."""
    pids, todo = [], [pid]
    while todo:
        p = todo.pop()
        pids.append(p)
        try:
            for task in os.listdir(f"/proc/{p}/task"):
                todo += [int(c) for c in Path(f"/proc/{p}/task/{task}/children").read_text().split()]
        except OSError:
            pass
    return pids


def cpu_us(pid):
    """CPU time of the tree in microseconds, from the scheduler's nanosecond counters."""
    total = 0
    for p in tree(pid):
        try:
            for task in os.listdir(f"/proc/{p}/task"):
                total += int(Path(f"/proc/{p}/task/{task}/schedstat").read_text().split()[0])
        except OSError:
            pass
    return total / 1000


def memory_kb(pid):
    """Resident memory of the tree in KiB."""
    total = 0
    for p in tree(pid):
        try:
            m = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{p}/status").read_text())
            total += int(m[1]) if m else 0
        except OSError:
            pass
    return total


class Bench:
    """One run: a provider, the systems in front of it, and the load."""

    def __init__(self, build, folder, cores):
        self.build, self.folder = Path(build), Path(folder)
        self.front_core, self.load_core = cores
        self.started = []

    def spawn(self, name, argv, core, env=None):
        log = open(self.folder / f"{name}.log", "wb")
        argv = ["taskset", "-c", str(core)] + [str(a) for a in argv]
        p = subprocess.Popen(argv, stdout=log, stderr=log, env={**os.environ, **(env or {})},
                             start_new_session=True)
        self.started.append(p)
        return p

    def stop(self):
        for p in self.started:
            try:
                os.killpg(p.pid, signal.SIGTERM)
            except OSError:
                pass
        for p in self.started:
            try:
                p.wait(5)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)

    def provider(self, *args):
        port = free_port()
        self.spawn(f"provider-{port}", [self.build / "bench/provider", port, *args], self.load_core)
        wait_port(port)
        return port

    def nginx(self, upstream):
        if not shutil.which("nginx"):
            return None
        port, conf = free_port(), self.folder / "nginx.conf"
        conf.write_text(f"""daemon off; user root; worker_processes 1; pid {self.folder}/nginx.pid;
error_log {self.folder}/nginx-error.log;
events {{ worker_connections 20000; }}
http {{ access_log off; keepalive_requests 100000000; client_body_buffer_size 64k;
  client_body_temp_path {self.folder}/b; proxy_temp_path {self.folder}/p;
  fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
  upstream up {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 100000000; }}
  server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ proxy_pass http://up;
    proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }} }} }}""")
        p = self.spawn("nginx", ["nginx", "-c", conf], self.front_core)
        wait_port(port)
        return p, port

    def haproxy(self, upstream):
        if not shutil.which("haproxy"):
            return None
        port, conf = free_port(), self.folder / "haproxy.cfg"
        conf.write_text(f"""global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  option http-no-delay
  option abortonclose
  http-reuse always
frontend f
  bind 127.0.0.1:{port}
  default_backend b
backend b
  server s 127.0.0.1:{upstream}
""")
        p = self.spawn("haproxy", ["haproxy", "-f", conf, "-db"], self.front_core)
        wait_port(port)
        return p, port

    def sotto(self, upstream, trusted, name, tagger="none", rooms=("--single-process",)):
        state, conf = self.folder / f"state-{name}", self.folder / f"{name}.yaml"
        key = "ql_" + "bench0000000" + "_" + "0123456789abcdefghijklmnopqrstuv"
        conf.write_text(f"""listen: 127.0.0.1:0
admin: 127.0.0.1:0
threads: 1
upstreams:
  house: {{kind: openai, url: http://127.0.0.1:{upstream}/v1, trusted: {str(trusted).lower()}}}
models:
  "*": {{upstream: house}}
detection: {{tagger: {tagger}}}
""")
        begun = time.time()
        p = self.spawn(name, [self.build / "sotto", "serve", "--config", conf, "--state", state, *rooms],
                       self.front_core, {"SOTTO_API_KEY": key})
        log = self.folder / f"{name}.log"
        while time.time() < begun + 10:
            m = re.search(r"ready: http://127.0.0.1:(\d+)", log.read_text())
            if m:
                return p, int(m[1]), key
            if p.poll() is not None:
                break
            time.sleep(0.002)
        raise SystemExit(f"{name} did not start:\n{log.read_text()}")

    def load(self, port, connections, seconds, *request):
        out = subprocess.run(
            ["taskset", "-c", str(self.load_core), str(self.build / "bench/load"), "127.0.0.1",
             str(port), str(connections), str(seconds), *map(str, request)],
            capture_output=True, text=True, check=True)
        if out.stderr:
            print(out.stderr, file=sys.stderr)
        return {k: float(v) for k, v in (kv.split("=") for kv in out.stdout.split())}

    def request(self, name, body, key=None):
        path = self.folder / f"{name}.http"
        data = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        auth = f"Authorization: Bearer {key}\r\n" if key else ""
        path.write_bytes(f"POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\n{auth}"
                         f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
                         .encode() + data)
        return path


def spread(values):
    return f"{statistics.median(values):9.1f} [{min(values):.1f} .. {max(values):.1f}]"


def measure(bench, systems, connections, seconds, rounds, per):
    """CPU per request or chunk and latencies, rounds of all systems in turn."""
    rows = {name: {"cpu": [], "p50": [], "first": [], "rps": []} for name in systems}
    for _ in range(rounds):
        for name, (process, port, request) in systems.items():
            ready = request() if callable(request) else (request,)
            before = cpu_us(process.pid) if process else 0
            r = bench.load(port, connections, seconds, *ready)
            after = cpu_us(process.pid) if process else 0
            if r["errors"]:
                print(f"# {name}: {r['errors']:.0f} errors", file=sys.stderr)
            rows[name]["cpu"].append((after - before) / max(1, r[per]))
            rows[name]["p50"].append(r["p50_us"])
            rows[name]["first"].append(r["first_p50_us"])
            rows[name]["rps"].append(r["requests"] / seconds)
    return rows


def table(title, rows, columns, peer="nginx"):
    print(f"\n## {title}\n")
    print("| system | " + " | ".join(c[1] for c in columns) + f" | CPU / {peer} |")
    print("|---|" + "---|" * (len(columns) + 1))
    for name, row in rows.items():
        ratios = ([a / b for a, b in zip(row["cpu"], rows[peer]["cpu"]) if b]
                  if peer in rows else [])
        ratio = f"{statistics.median(ratios):.2f} [{min(ratios):.2f} .. {max(ratios):.2f}]" if ratios else ""
        print(f"| {name} | " + " | ".join(spread(row[c[0]]) for c in columns) + f" | {ratio} |")
    sys.stdout.flush()


def bench_requests(b, a):
    up = b.provider()
    plain = {"model": "bench", "messages": [{"role": "user", "content": "x y z w " * 244}]}
    private = {"model": "bench", "messages": [{"role": "user", "content": PRIVATE_TEXT}]}
    systems = {"provider alone": (None, up, b.request("plain", plain))}
    for name in ("nginx", "haproxy"):
        got = getattr(b, name)(up)
        if got:
            systems[name] = (*got, b.request("plain", plain))
    p, port, key = b.sotto(up, True, "sotto-trusted")
    systems["sotto, trusted upstream"] = (p, port, b.request("trusted", plain, key))
    p, port, key = b.sotto(up, False, "sotto")
    systems["sotto, 2 KB, nothing found"] = (p, port, b.request("nothing", plain, key))
    systems["sotto, 1 KB, five entities"] = (p, port, b.request("private", private, key))
    p, port, key = b.sotto(up, False, "sotto-rooms", rooms=())
    systems["sotto, the same in three processes"] = (p, port, b.request("private-rooms", private, key))
    p, port, key = b.sotto(up, False, "sotto-small", "small")
    systems["sotto, the same with the tagger (default)"] = (
        p, port, b.request("private-small", private, key))
    for connections in (64, 1):
        rows = measure(b, systems, connections, a.seconds, a.rounds, "requests")
        table(f"Requests, {connections} connection(s)", rows,
              [("cpu", "CPU us/request"), ("p50", "p50 us"), ("rps", "requests/s")])


class Sealer:
    """Sealed requests of one body, through libsotto: each call gives a file of fresh ones."""

    COUNT = 20000

    def __init__(self, b, port, key, name, body):
        self.lib = ctypes.CDLL(str(b.build / "src/library/libsotto.so"))
        self.port, self.key, self.path = port, key, b.folder / f"{name}.http"
        self.text = json.dumps(body, separators=(",", ":")).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/seal/keys") as answer:
            self.signing_key = base64.b64decode(json.load(answer)["signing_key"])

    def session(self):
        body, length, hello, sealer = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_void_p(), ctypes.c_void_p()
        self.must(self.lib.sotto_hello_new(b"auto", None, ctypes.c_size_t(0), ctypes.byref(body), ctypes.byref(length), ctypes.byref(hello)))
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1/seal/session", self.taken(body, length),
                                         {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            said = answer.read()
        self.must(self.lib.sotto_hello_finish(hello, said, ctypes.c_size_t(len(said)), self.signing_key, ctypes.byref(sealer)))
        self.lib.sotto_hello_free(hello)
        return sealer

    @staticmethod
    def must(status):
        if status != 0:
            raise SystemExit(f"libsotto: status {status}")

    def taken(self, text, length):
        got = ctypes.string_at(text, length.value)
        self.lib.sotto_text_free(text)
        return got

    def __call__(self):
        sealer = self.session()
        with open(self.path, "wb") as out:
            for _ in range(self.COUNT):
                body, length, opener = ctypes.c_void_p(), ctypes.c_size_t(), ctypes.c_void_p()
                self.must(self.lib.sotto_sealer_seal(sealer, b"POST", b"/v1/chat/completions", b"bench", self.text, ctypes.c_size_t(len(self.text)),
                                                     ctypes.byref(body), ctypes.byref(length), ctypes.byref(opener)))
                self.lib.sotto_opener_free(opener)
                out.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: bench\r\nContent-Type: application/vnd.sotto.sealed\r\n"
                          b"Content-Length: %d\r\n\r\n" % length.value + self.taken(body, length))
        self.lib.sotto_sealer_free(sealer)
        return self.path, self.COUNT


def bench_sealed(b, a):
    """The profile native beside the same requests in the clear."""
    text = PRIVATE_TEXT + " " + "x y z w " * 120
    for title, body, provider, connections, per in (
            ("Sealed requests of 2 KB, 64 connections", {"model": "bench", "messages": [{"role": "user", "content": text}]}, (), 64, "requests"),
            ("Sealed streams: 100 at a time, a chunk every 20 ms",
             {"model": "bench", "stream": True, "messages": [{"role": "user", "content": PRIVATE_TEXT}]}, (100, 20), 100, "chunks")):
        up = b.provider(*provider)
        got = b.nginx(up)
        systems = {"nginx": (*got, b.request(f"nginx-{per}", body))} if got else {}
        p, port, key = b.sotto(up, False, f"sotto-clear-{per}")
        systems["in the clear"] = (p, port, b.request(f"clear-{per}", body, key))
        p, port, key = b.sotto(up, False, f"sotto-sealed-{per}")
        systems["sealed"] = (p, port, Sealer(b, port, key, f"sealed-{per}", body))
        rows = measure(b, systems, connections, a.seconds if per == "requests" else max(4.2, a.seconds), a.rounds, per)
        table(title, rows, [("cpu", f"CPU us/{per[:-1]}"), ("p50", "p50 us")], "in the clear")
        more = [s - c for s, c in zip(rows["sealed"]["cpu"], rows["in the clear"]["cpu"])]
        print(f"\nMore than in the clear: {spread(more)} us")


def bench_streams(b, a):
    up = b.provider(100, 20)
    body = {"model": "bench", "stream": True,
            "messages": [{"role": "user", "content": PRIVATE_TEXT}]}
    systems = {"provider alone": (None, up, b.request("stream", body))}
    for name in ("nginx", "haproxy"):
        got = getattr(b, name)(up)
        if got:
            systems[name] = (*got, b.request("stream", body))
    p, port, key = b.sotto(up, False, "sotto-stream")
    systems["sotto, restoring"] = (p, port, b.request("stream-key", body, key))
    p, port, key = b.sotto(up, False, "sotto-stream-rooms", rooms=())
    systems["sotto, the same in three processes"] = (p, port, b.request("stream-rooms", body, key))
    rows = measure(b, systems, 100, max(4.2, a.seconds), a.rounds, "chunks")
    table("Streams: 100 at a time, a chunk every 20 ms", rows,
          [("cpu", "CPU us/chunk"), ("first", "first chunk p50 us")])
    rows = measure(b, systems, 1, max(4.2, a.seconds), a.rounds, "chunks")
    table("Streams: one at a time", rows,
          [("cpu", "CPU us/chunk"), ("first", "first chunk p50 us")])


def bench_first(b, a):
    """Time to the first chunk of short streams, one at a time, against nginx of the same round."""
    up = b.provider(2, 1)
    body = {"model": "bench", "stream": True,
            "messages": [{"role": "user", "content": PRIVATE_TEXT}]}
    systems = {"provider alone": (None, up, b.request("first", body))}
    got = b.nginx(up)
    if got:
        systems["nginx"] = (*got, b.request("first", body))
    for name, trusted in (("trusted upstream", True), ("restoring", False)):
        p, port, key = b.sotto(up, trusted, f"sotto-first-{trusted}")
        systems[f"sotto, {name}"] = (p, port, b.request(f"first-{trusted}", body, key))
    p, port, key = b.sotto(up, False, "sotto-first-rooms", rooms=())
    systems["sotto, restoring, in three processes"] = (p, port, b.request("first-rooms", body, key))
    rows = measure(b, systems, 1, a.seconds, a.rounds, "requests")
    print("\n## First chunk, one stream at a time\n\n| system | p50 us | later than nginx, us |\n|---|---|---|")
    for name, row in rows.items():
        later = [x - n for x, n in zip(row["first"], rows["nginx"]["first"])] if "nginx" in rows else []
        print(f"| {name} | {spread(row['first'])} | {spread(later) if later else ''} |")


def bench_memory(b, a):
    up, slow = b.provider(), b.provider(100000, 10000)
    p, port, key = b.sotto(up, False, "sotto-memory")
    print("\n## Memory\n\n| what | KiB |\n|---|---|")
    print(f"| idle | {memory_kb(p.pid)} |")
    private = {"model": "bench", "messages": [{"role": "user", "content": PRIVATE_TEXT}]}
    request = b.request("memory", private, key)
    done = 0
    for mark in (a.requests // 10, a.requests):
        while done < mark:
            done += int(b.load(port, 64, 5, request)["requests"])
        print(f"| after {done} requests | {memory_kb(p.pid)} |", flush=True)
    q, port, key = b.sotto(slow, False, "sotto-idle-streams")
    body = {"model": "bench", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    request = b.request("idle-stream", body, key)
    b.load(port, 8, 0.5, request)
    before = memory_kb(q.pid)
    load = subprocess.Popen([str(b.build / "bench/load"), "127.0.0.1", str(port), "1000", "6",
                             str(request)], stdout=subprocess.DEVNULL)
    time.sleep(4)
    print(f"| for each of 1,000 open, idle streams | {(memory_kb(q.pid) - before) / 1000:.1f} |")
    load.wait()


def bench_start(b, a):
    up, times = b.provider(), []
    for i in range(max(5, a.rounds)):
        begun = time.time()
        p, port, key = b.sotto(up, False, f"sotto-start-{i}", "small")
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/chat/completions", method="POST",
            data=json.dumps({"model": "bench", "messages": [
                {"role": "user", "content": PRIVATE_TEXT}]}).encode(),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
        urllib.request.urlopen(request).read()
        times.append((time.time() - begun) * 1000)
        os.killpg(p.pid, signal.SIGTERM)
        p.wait()
    print(f"\n## Start\n\nFrom nothing to the first answer, ms: {spread(times)}")


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    ap.add_argument("--build", required=True)
    ap.add_argument("--seconds", type=float, default=2)
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--requests", type=int, default=100000, help="for the memory test")
    ap.add_argument("--only", default="requests,streams,first,sealed,memory,start")
    a = ap.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    print(f"# {os.uname().machine}, {len(cores)} cores, "
          + next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if "model name" in l), ""))
    for part in a.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            b = Bench(a.build, folder, (cores[0], cores[-1]))
            try:
                globals()[f"bench_{part}"](b, a)
            finally:
                b.stop()


if __name__ == "__main__":
    main()
