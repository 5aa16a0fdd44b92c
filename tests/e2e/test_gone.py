#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that go away or do not read: the provider's request is closed at once, memory stays."""

import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import struct
import termios
import threading
import time

from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config
from lib.memory import processes
from lib.provider import Provider, chunk, completion, sse
from lib.speed import SLOW
from lib.tap import Tap
from lib.wire import build, chunks, wait_until

t = Tap()
provider = Provider()
gateway = Gateway(config(provider))
CHAT = "/v1/chat/completions"
ASK = f"Patient {PERSON} wrote from {EMAIL}."


def ask(model="gpt-4", **fields):
    data = json.dumps({"model": model, "messages": [{"role": "user", "content": ASK}], **fields}).encode()
    return build("POST", CHAT, gateway.headers(), data)


class Stage:
    """A provider that gets so far and then waits for the connection to end."""

    def __init__(self, send):
        self.send = send
        self.reached = threading.Event()
        self.gone = threading.Event()

    def __call__(self, seen, out):
        self.send(seen, out)
        self.reached.set()
        if out.gone(20 * SLOW):
            self.gone.set()
        out.close()


def head_only(seen, out):
    out.begin()


def first_text(seen, out):
    out.begin()
    out.event(chunk({"role": "assistant", "content": "Hello"}))


def held_text(seen, out):
    out.begin()
    out.event(chunk({"role": "assistant", "content": "Hello " + seen.token("PERSON")[:-2]}))


def half_event(seen, out):
    out.begin()
    out.part(b'data: {"id":"x","choices":[{"ind')


def half_whole(seen, out):
    out.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{")


def nothing(seen, out):
    pass


STAGES = {
    "before the provider's first byte": (nothing, False), "before it, with a stream": (nothing, True), "after the head of a stream": (head_only, True),
    "after the first text": (first_text, True), "while a token is held back": (held_text, True), "inside an event": (half_event, True), "in the middle of a whole answer": (half_whole, False),
}


@t.case
def every_stage():
    for name, (send, stream) in STAGES.items():
        for how in ("close", "reset", "shutdown"):
            stage = Stage(send)
            provider.script = stage
            client = gateway.client()
            client.send(ask(stream=stream))
            reached = stage.reached.wait(10)
            if send in (first_text, held_text):
                client.head()
                client.chunk()
            if how == "shutdown":
                client.sock.shutdown(socket.SHUT_RDWR)
            elif how == "reset":
                client.reset()
            else:
                client.close()
            t.ok(reached and stage.gone.wait(5 * SLOW), f"{how} {name}: the provider's connection is closed")
            client.close()


@t.case
def half_close():
    """A client that only says it will send no more still gets its answer."""
    def script(seen, out):
        time.sleep(0.3)
        out.whole(completion("late"))

    provider.script = script
    with gateway.client() as client:
        client.send(ask())
        client.sock.shutdown(socket.SHUT_WR)
        try:
            answer = client.response()
            t.ok(answer.status == 200, "half-closed: answered", answer)
        except Exception as error:
            t.ok(True, f"half-closed: treated as gone ({type(error).__name__})")


@t.case
def log_of_the_gone():
    t.ok(wait_until(lambda: any("outcome=gone" in line or "gone" in line for line in gateway.log_lines()), 5), "the log says that clients went away",
         gateway.log()[-500:])


@t.case
def during_the_request():
    whole = ask("half-sent")
    for cut in (5, 40, 200, len(whole) - 3):
        client = gateway.client()
        client.send(whole[:cut])
        client.reset() if cut % 2 else client.close()
    time.sleep(0.2)
    t.same([seen.raw for seen in provider.seen if b"half-sent" in seen.raw or seen.method == "CUT"], [], "half a request whose client left goes nowhere")


LATE = 1000  # bytes of a request that are sent last


def unread(client):
    """Bytes that the other end's system has not taken yet."""
    return struct.unpack("i", fcntl.ioctl(client.sock, termios.TIOCOUTQ, bytes(4)))[0]


@contextlib.contextmanager
def stopped(gateway):
    """All its processes stand still."""
    pids = list(processes(gateway.process.pid))
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@t.case
def during_the_work():
    """A large request is masked by a side thread: not to its end for somebody who has left."""
    data = json.dumps({"model": "gpt-4", "messages": [{"role": "user", "content": f"Write to {EMAIL}. " * 40000}]}).encode()
    request = build("POST", CHAT, gateway.headers(), data)

    def ended():
        lines = [line for line in gateway.log_lines() if "event=request" in line and "outcome=client_gone" in line]
        return [line for line in lines if int(re.search(r"request_bytes=(\d+)", line)[1]) > len(data)]

    # The end of the request and that of its client come together, however long this test is kept from its work.
    clients = [gateway.client() for _ in range(4)]
    for client in clients:
        client.send(request[:-LATE])
    wait_until(lambda: not any(map(unread, clients)), 60 * SLOW)
    with stopped(gateway):
        for client in clients:
            client.send(request[-LATE:])
            client.close()
    wait_until(lambda: len(ended()) == 4, 60 * SLOW)
    t.same([" entities=0 " in line for line in ended()], [True] * 4, "large requests whose clients left are given up, not masked to their end")
    provider.script = lambda seen, out: out.whole(completion("ok"))
    t.same(gateway.chat("Hello").status, 200, "a client that leaves while its large request is worked on does no harm")


@t.case
def before_the_entry():
    """Answered by the provider, not yet in the audit log: who leaves then takes nobody else's place."""
    provider.script = lambda seen, out: out.whole(completion("ok"))
    answered = []

    def leave_and_ask():
        for _ in range(25):
            leaving = [gateway.client() for _ in range(4)]
            for client in leaving:
                client.send(ask())
            time.sleep(0.004)
            for client in leaving:
                client.reset()
            try:
                answered.append(gateway.chat("Hello").status)
            except Exception as error:
                answered.append(repr(error))

    threads = [threading.Thread(target=leave_and_ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    t.same([status for status in answered if status != 200], [], "those who stay are answered while others leave at the end of theirs")


@t.case
def slow_reader():
    """The provider sends without end, the client does not read: back-pressure, not memory."""
    sent = [0]
    stop = threading.Event()
    blocked = threading.Event()
    event = sse(chunk({"content": "word " * 800}))

    def flood(seen, out):
        out.begin()
        out.sock.settimeout(1)
        try:
            while not stop.is_set() and sent[0] < 400 << 20:
                try:
                    out.part(event)
                    sent[0] += len(event)
                except (socket.timeout, TimeoutError):
                    blocked.set()
                    break
        except OSError:
            pass
        out.gone(20)
        out.close()

    provider.script = flood
    before = gateway.rss()
    with gateway.client(receive_buffer=8192) as client:
        client.send(ask(stream=True))
        client.head()
        t.ok(blocked.wait(30 * SLOW), "the provider is made to wait", f"{sent[0]} bytes sent")
        grown = gateway.rss() - before
        t.ok(grown < (16 << 20) * SLOW, "memory does not grow", f"{grown} bytes for {sent[0]} sent")
        t.same(gateway.request("GET", "/v1/models", gateway.headers()).status, 200, "others are served meanwhile")
    stop.set()

    def burst(seen, out):
        out.begin()
        for i in range(2000):
            out.event(chunk({"content": f"{i} {seen.token('PERSON')} " + "x" * 1000}))
        out.event(chunk({}, finish="stop"))
        out.event("[DONE]")
        out.end()

    provider.script = burst
    with gateway.client(receive_buffer=8192) as client:
        client.send(ask(stream=True))
        client.head()
        time.sleep(0.5)
        body = b""
        while True:
            piece = client.chunk()
            if not piece:
                break
            body += piece
    text = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks(body))
    want = "".join(f"{i} {PERSON} " + "x" * 1000 for i in range(2000))
    t.ok(text == want, "a client that reads late gets all of it", f"{len(text)} {len(want)}")


@t.case
def many_streams():
    """A hundred at once, each with its own values; some leave in the middle."""
    def script(seen, out):
        token = seen.token("EMAIL")
        out.begin()
        for i in range(10):
            out.event(chunk({"content": f"{i}:{token[:5]}"}))
            out.event(chunk({"content": f"{token[5:]} "}))
            time.sleep(0.01)
        out.event(chunk({}, finish="stop"))
        out.event("[DONE]")
        out.end()

    provider.script = script
    wrong = []

    def one(number):
        address = f"user{number}@example{number % 5}.org"
        data = json.dumps({"model": "gpt-4", "messages": [{"role": "user", "content": f"Write to {address}"}], "stream": True}).encode()
        try:
            with gateway.client() as client:
                client.send(build("POST", CHAT, gateway.headers(), data))
                client.head()
                if number % 4 == 3:
                    client.chunk()
                    client.reset()
                    return
                body = b""
                while True:
                    piece = client.chunk()
                    if not piece:
                        break
                    body += piece
            text = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks(body))
            if text != "".join(f"{i}:{address} " for i in range(10)):
                wrong.append((number, text[:200]))
        except Exception as error:
            wrong.append((number, repr(error)))

    threads = [threading.Thread(target=one, args=(n,)) for n in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    t.same(wrong, [], "a hundred streams at once do not mix their values")


@t.case
def no_leak_of_descriptors():
    import os

    provider.script = lambda seen, out: out.whole(completion("ok"))
    folder = f"/proc/{gateway.process.pid}/fd"
    gateway.chat("Hello")
    wait_until(lambda: len(os.listdir(folder)) < 60, 10)
    count = len(os.listdir(folder))
    for _ in range(100):
        client = gateway.client()
        client.send(ask())
        client.reset()
    t.ok(wait_until(lambda: len(os.listdir(folder)) <= count + 12, 20), "connections of clients that left are not kept", f"{count} {len(os.listdir(folder))}")


provider.finish(t)
gateway.finish(t)
t.done()
