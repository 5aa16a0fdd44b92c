#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""HTTP/2 to providers: many requests on one connection, and what providers may do to it."""

import json
import pathlib
import shutil
import ssl
import subprocess
import tempfile
import threading

from lib import packages
from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, need_binary, say
from lib.provider import Provider, chunk, completion
from lib.speed import SLOW
from lib.tap import Tap, skip_all
from lib.wire import Client, Closed, build, text_of, wait_until

need_binary()
if not shutil.which("openssl"):
    skip_all("the openssl program is not installed")
try:
    packages.under(packages.venv(*packages.HTTP2))
    from h2.settings import SettingCodes
    from lib.h2provider import H2Provider
except packages.Missing as missing:
    skip_all(str(missing))

WAIT = 60 * SLOW
t = Tap()
folder = pathlib.Path(tempfile.mkdtemp(prefix="sotto-h2-up-"))
cert, key = folder / "cert.pem", folder / "key.pem"
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=provider",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
ASK = f"Patient {PERSON} wrote from {EMAIL}."
CANCEL = 8


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(cert, key)
    return made


def echo(seen, out):
    if seen.json.get("stream"):
        out.say("You wrote: ", seen.texts)
    else:
        out.whole(completion("You wrote: " + seen.texts))


provider = H2Provider(context(), echo)
narrow = H2Provider(context(), echo, {SettingCodes.MAX_CONCURRENT_STREAMS: 2})
tight = H2Provider(context(), echo, {SettingCodes.INITIAL_WINDOW_SIZE: 1000})
plain_tls = context()
plain_tls.set_alpn_protocols(["http/1.1"])
old = Provider(lambda seen, out: out.whole(completion(seen.texts)), tls=plain_tls)
both_tls = context()
both_tls.set_alpn_protocols(["h2", "http/1.1"])
forced = Provider(lambda seen, out: out.whole(completion(seen.texts)), tls=both_tls)


def upstream(p, **more):
    return {"kind": "openai", "url": p.url + "/v1", "key": "sk-upstream", **more}


# One event loop: what is told of connections is told of one pool.
gateway = Gateway(
    {"threads": 1, "limits": {"idle": "60s", "first_byte": "60s"},
     "upstreams": {"h2": upstream(provider), "narrow": upstream(narrow), "tight": upstream(tight), "old": upstream(old), "forced": upstream(forced, http2="off")},
     "models": {"narrow": "narrow", "tight": "tight", "old": "old", "forced": "forced", "*": "h2"}},
    env={"SSL_CERT_FILE": str(cert)})


def request(**fields):
    body = json.dumps({"model": "gpt-4", "messages": say(ASK), **fields}).encode()
    return build("POST", "/v1/chat/completions", gateway.headers(), body)


def open_stream(**fields):
    """A client whose stream has begun."""
    client = Client(gateway.port, timeout=WAIT)
    client.send(request(stream=True, **fields))
    client.head()
    return client


def rest(client):
    """The text of the stream to its end; None: it was cut off."""
    body = b""
    try:
        while piece := client.chunk():
            body += piece
    except Closed:
        return None
    return body


def at_once(count, model="gpt-4", script=None):
    """Answers to so many requests that run at the same time."""
    answers = [None] * count

    def ask(i):
        with Client(gateway.port, timeout=WAIT) as client:
            client.send(request(model=model))
            answers[i] = client.response()

    if script:
        script()
    threads = [threading.Thread(target=ask, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    return answers


def alive(what):
    provider.script = echo
    got = gateway.chat(ASK)
    t.ok(got.status == 200 and ASK in got.content, what, got)


def open_connections(p=None):
    return [c for c in (p or provider).connections if not c.closed.is_set()]


@t.case
def answers():
    got = gateway.chat(ASK)
    t.ok(got.status == 200 and got.content == "You wrote: " + ASK, "a request is answered, with the values restored", got)
    got = gateway.chat(ASK, stream=True)
    t.same(text_of(got.body), "You wrote: " + ASK, "so is a stream")
    seen = provider.seen[0]
    t.same((seen.method, seen.target, seen.scheme, seen.authority), ("POST", "/v1/chat/completions", "https", f"127.0.0.1:{provider.port}"), "the provider's path and authority")
    names = [name for name, _ in seen.fields]
    t.ok(not any(name != name.lower() for name in names), "names are in lower case", names)
    t.same([name for name in names if name in ("connection", "host", "keep-alive", "transfer-encoding", "upgrade")], [], "no field is of the connection")
    t.ok(seen.get("authorization") == "Bearer sk-upstream" and "authorization" in seen.never_indexed, "the credential is never to be indexed", seen.never_indexed)
    t.same(seen.get("content-length"), str(len(seen.body)), "the length is told")
    t.same(len(provider.connections), 1, "one connection serves both")


@t.case
def interleaved():
    count = 30
    begun, go_on = threading.Semaphore(0), threading.Event()

    def script(seen, out):
        out.begin()
        out.event(chunk({"role": "assistant", "content": "Hello "}))
        begun.release()
        go_on.wait(WAIT)
        out.event(chunk({"content": seen.token("PERSON")[:5]}))
        out.event(chunk({"content": seen.token("PERSON")[5:]}))
        out.finish()

    provider.script = script
    clients = [open_stream() for _ in range(count)]
    t.ok(all(begun.acquire(timeout=WAIT) for _ in range(count)), "thirty streams run")
    t.same(len(provider.connections), 1, "on one connection")
    go_on.set()
    texts = {text_of(rest(client)) for client in clients}
    t.same(texts, {"Hello " + PERSON}, "each to its own end")
    for client in clients:
        client.close()


@t.case
def limit_of_streams():
    gate = threading.Barrier(6, timeout=WAIT)

    def script(seen, out):
        gate.wait()
        echo(seen, out)

    gateway.chat(ASK, model="narrow")  # its limit is known from here on
    narrow.script = script
    got = at_once(6, "narrow")
    t.same([a and a.status for a in got], [200] * 6, "six at once where two fit on a connection")
    t.same(len(narrow.connections), 3, "need three")
    t.ok(wait_until(lambda: len(narrow.seen) == 7), "and none was sent twice", len(narrow.seen))


@t.case
def goaway():
    streams = []
    both, go_on = threading.Event(), threading.Event()

    def script(seen, out):
        streams.append(out)
        if len(streams) > 2:
            echo(seen, out)
            return
        if len(streams) == 2:
            both.set()
        go_on.wait(WAIT)
        if out is first():
            echo(seen, out)

    def first():
        return min(streams[:2], key=lambda s: s.number)

    before = len(provider.connections)
    provider.script = script
    results = []
    worker = threading.Thread(target=lambda: results.extend(at_once(2)))
    worker.start()
    t.ok(both.wait(WAIT), "two requests are at the provider")
    first().conn.goaway(first().number)  # the second was not begun
    t.ok(wait_until(lambda: len(streams) == 3, WAIT), "one of them comes again")
    t.ok(streams[2].conn is not streams[0].conn, "on another connection")
    go_on.set()
    worker.join(WAIT)
    t.same([a.status for a in results], [200, 200], "both are answered")
    t.same(len(provider.connections), before + 1, "with one more connection")
    t.ok(first().conn.closed.wait(WAIT), "the old one ends with its last answer")


@t.case
def refused():
    calls = []

    def once(seen, out):
        calls.append(out)
        if len(calls) == 1:
            out.refuse()
        else:
            echo(seen, out)

    provider.script = once
    got = gateway.chat(ASK)
    t.ok(got.status == 200 and len(calls) == 2, "what was refused once is sent again", got)
    calls.clear()

    def never(seen, out):
        calls.append(out)
        out.refuse()

    provider.script = never
    got = gateway.chat(ASK)
    t.same((got.status, got.error["code"], len(calls)), (502, "upstream_unreachable", 5), "but not for ever")
    alive("the next request is served")


@t.case
def resets():
    provider.script = lambda seen, out: out.reset(2)
    seen = len(provider.seen)
    got = gateway.chat(ASK)
    t.same((got.status, got.error["code"], len(provider.seen) - seen), (502, "upstream_unreachable", 1), "a reset before the answer is no answer, and the request is not repeated")
    said = threading.Event()

    def middle(seen, out):
        out.begin()
        out.event(chunk({"role": "assistant", "content": "Hello"}))
        said.wait(WAIT)
        out.reset(2)

    connections = len(provider.connections)
    provider.script = middle
    with open_stream() as client:
        client.chunk()
        said.set()
        body = rest(client)
    t.ok(body is not None and b"upstream" in body and b"[DONE]" not in body, "a reset in the middle is an error in the stream", body)
    t.same(len(provider.connections), connections, "the connection is not hurt")
    alive("and serves on")


MALFORMED = {
    "more than it said": lambda out: (out.head(200, ("content-type", "application/json"), ("content-length", "3")), out.conn.send(b"\0\0\5\0\1" + out.number.to_bytes(4, "big") + b"hello")),
    "less than it said": lambda out: (out.head(200, ("content-length", "9")), out.conn.send(b"\0\0\5\0\1" + out.number.to_bytes(4, "big") + b"hello")),
    "a field of a connection": lambda out: out.conn.send(b"\0\0\x10\1\5" + out.number.to_bytes(4, "big") + b"\x88\0\7upgrade\5hello"),
    "a name in upper case": lambda out: out.conn.send(b"\0\0\6\1\5" + out.number.to_bytes(4, "big") + b"\x88\0\1A\1b"),
    "data before its head": lambda out: out.conn.send(b"\0\0\5\0\1" + out.number.to_bytes(4, "big") + b"hello"),
}


@t.case
def malformed():
    for name, act in MALFORMED.items():
        provider.script = lambda seen, out, a=act: a(out)
        got = gateway.chat(ASK)
        t.ok(got.status == 502 and got.error["code"] == "upstream_invalid_response", f"{name}: a 502", got)
        alive(f"{name}: the next request is served")
    provider.script = lambda seen, out: out.head(200, *[(f"x-{i}", "v" * 1000) for i in range(80)])
    got = gateway.chat(ASK)
    t.same((got.status, got.error["code"]), (502, "upstream_invalid_response"), "a head of 80 KB is too large")
    alive("a head of 80 KB: the next request is served")


FLOODS = {
    "PING": b"\0\0\x08\6\0\0\0\0\0" + b"12345678", "SETTINGS": b"\0\0\0\4\0\0\0\0\0", "empty CONTINUATION": b"", "WINDOW_UPDATE": b"\0\0\4\x08\0\0\0\0\0\0\0\0\1",
}


@t.case
def floods():
    for name, frame in FLOODS.items():
        ended = threading.Event()

        def flood(seen, out, f=frame, done=ended):
            try:
                if not f:
                    out.conn.send(b"\0\0\1\1\0" + out.number.to_bytes(4, "big") + b"\x88")
                    f = b"\0\0\0\x09\0" + out.number.to_bytes(4, "big")
                for _ in range(200):
                    out.conn.sock.sendall(f * 100)
            except OSError:
                pass
            if out.conn.closed.wait(WAIT):
                done.set()

        provider.script = flood
        got = gateway.chat(ASK)
        t.ok(got.status == 502, f"{name} without end: the request fails", got)
        t.ok(ended.wait(WAIT), f"{name} without end: the connection ends")
        alive(f"{name} without end: the next request is served")


def stalled(out):
    """Whether the stream's window is used up."""
    with out.conn.changed:
        return out.conn.h2.local_flow_control_window(out.number) == 0


@t.case
def slow_client():
    """A client that reads nothing stops its own stream and no other."""
    outs = []

    def flood(seen, out):
        outs.append(out)
        out.begin()
        for _ in range(100000):
            out.event(chunk({"content": "word " * 2000}))

    provider.script = flood
    client = Client(gateway.port, timeout=WAIT, receive_buffer=4096)
    client.send(request(stream=True))
    t.ok(wait_until(lambda: outs and stalled(outs[0]), WAIT), "its provider is held back")
    connections = len(provider.connections)
    provider.script = echo
    got = [gateway.chat(ASK).status for _ in range(20)]
    t.same(got, [200] * 20, "others are answered meanwhile")
    t.same(len(provider.connections), connections, "on the same connection")
    t.ok(outs[0].sent < 32 << 20, "and what was sent is bounded", outs[0].sent)
    client.close()
    t.ok(outs[0].over.wait(WAIT) and outs[0].reset_code == CANCEL, "when it leaves, its stream is cancelled", outs[0].reset_code)
    alive("and the connection serves on")


@t.case
def client_leaves():
    streams = []

    def endless(seen, out):
        streams.append(out)
        out.begin()
        out.event(chunk({"role": "assistant", "content": "Hello"}))
        out.over.wait(WAIT)

    provider.script = endless
    client = open_stream()
    stays = open_stream()
    connection = streams[0].conn
    client.close()
    t.ok(wait_until(lambda: any(s.reset_code == CANCEL for s in streams), WAIT), "a client that leaves resets its stream")
    t.same(sum(s.over.is_set() for s in streams), 1, "and no other")
    stays.close()
    t.ok(wait_until(lambda: all(s.reset_code == CANCEL for s in streams), WAIT), "as the next does")
    alive("the connection goes on")
    t.ok(not connection.closed.is_set(), "and is the same")


@t.case
def upload():
    """A provider that lets little through at a time gets the whole request."""
    long = "word " * 40000
    got = gateway.chat(long + ASK, model="tight")
    t.ok(got.status == 200 and got.content.endswith(ASK), "200 KB through a window of 1,000 bytes", str(got)[:300])
    t.same(tight.seen[-1].get("content-length"), str(len(tight.seen[-1].body)), "come whole")


@t.case
def provider_dies():
    begun = threading.Semaphore(0)
    streams = []

    def script(seen, out):
        streams.append(out)
        if seen.json.get("stream"):
            out.begin()
            out.event(chunk({"role": "assistant", "content": "Hello"}))
        begun.release()
        out.over.wait(WAIT)

    provider.script = script
    clients = [open_stream() for _ in range(3)]
    for client in clients:
        client.chunk()
    silent = Client(gateway.port, timeout=WAIT)
    silent.send(request())
    t.ok(all(begun.acquire(timeout=WAIT) for _ in range(4)), "four requests run")
    seen = len(provider.seen)
    streams[0].conn.die()
    bodies = [rest(client) for client in clients]
    t.ok(all(b is not None and b"[DONE]" not in b and b"error" in b for b in bodies), "streams end in an error", bodies)
    got = silent.response()
    t.same((got.status, got.error["code"]), (502, "upstream_unreachable"), "what was not answered fails")
    t.same(len(provider.seen), seen, "nothing is sent again")
    for client in (*clients, silent):
        client.close()
    alive("the next request gets a new connection")


@t.case
def http1():
    got = at_once(8, "old")
    t.same([a and a.status for a in got], [200] * 8, "a provider that does not agree to HTTP/2 is spoken to in HTTP/1.1")
    t.ok(old.last.line.endswith("HTTP/1.1") and old.last.get("host") == f"127.0.0.1:{old.port}", "as ever", old.last.headers)
    got = gateway.chat(ASK, model="forced")
    t.ok(got.status == 200 and forced.last.line.endswith("HTTP/1.1"), "`http2: off` offers none", got)


for p in (provider, narrow, tight, old, forced):
    p.finish(t)
gateway.finish(t)
shutil.rmtree(folder, ignore_errors=True)
t.done()
