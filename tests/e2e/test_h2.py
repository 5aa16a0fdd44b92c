#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""HTTP/2 at the gateway's TLS listener: streams, clients that go, hostile ones, and the end."""

import json
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading

from lib import packages
from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config, need_binary, say
from lib.provider import Provider, chunk, completion
from lib.speed import SLOW
from lib.tap import Tap, skip_all
from lib.wire import events, text_of

need_binary()
if not shutil.which("openssl"):
    skip_all("the openssl program is not installed")
try:
    packages.under(packages.venv(*packages.HTTP2))
    import openai
    import h2.exceptions
    from lib.h2wire import H2Client
except packages.Missing as missing:
    skip_all(str(missing))

t = Tap()
folder = pathlib.Path(tempfile.mkdtemp(prefix="sotto-h2-"))
cert, key = folder / "cert.pem", folder / "key.pem"
subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=gateway",
                "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)

ASK = f"Patient {PERSON} wrote from {EMAIL}."
STREAMS = 1000
CONNECTIONS = 8
go_on = threading.Event()  # lets the streams of model "held" end
gone = threading.Semaphore(0)


def script(seen, out):
    model = seen.json["model"]
    if model == "held":
        out.begin()
        out.event(chunk({"role": "assistant", "content": "Hello " + seen.token("PERSON")}))
        go_on.wait(120 * SLOW)
        out.event(chunk({}, 0, "stop"))
        out.event("[DONE]")
        out.end()
    elif model == "endless":
        out.begin()
        out.event(chunk({"role": "assistant", "content": "Hello"}))
        if out.gone(60 * SLOW):
            gone.release()
        out.close()
    elif model == "flood":
        out.begin()
        try:
            for _ in range(4000):
                out.event(chunk({"role": "assistant", "content": "word " * 1000}))
        except OSError:
            gone.release()
            return
        out.close()
    elif seen.json.get("stream"):
        out.speak(seen, "You wrote: " + seen.texts)
    else:
        out.whole(completion("You wrote: " + seen.texts))


provider = Provider(script)
gateway = Gateway(config(provider, limits={"drain": "60s"}), tls=(cert, key))


def connect(**more):
    return H2Client(gateway.tls_port, cert, **more)


def ask(client, model="gpt-4", **fields):
    return client.post(gateway.key, {"model": model, "messages": say(ASK), **fields})


def alive(what):
    client = connect()
    answer = client.finish(ask(client))
    t.ok(answer.status == 200 and EMAIL in answer.body.decode(), what, answer.body)
    client.close()


@t.case
def answers():
    client = connect()
    answer = client.finish(ask(client))
    t.same(answer.status, 200, "a request is answered")
    t.has(answer.json["choices"][0]["message"]["content"], ASK, "with the values restored")
    t.ok("date" in answer.headers and answer.headers["content-length"] == str(len(answer.body)) and "connection" not in answer.headers, "with a head of HTTP/2",
         answer.headers)
    answer = client.finish(ask(client, stream=True))
    t.same(text_of(answer.body), "You wrote: " + ASK, "on the same connection, a stream")
    t.same(events(answer.body)[-1], "[DONE]", "to its end")
    several = [ask(client, stream=bool(i % 2)) for i in range(50)]
    t.ok(all(client.finish(s).status == 200 for s in several), "fifty at once")
    auth = [("authorization", f"Bearer {gateway.key}")]
    head = client.finish(client.request("HEAD", "/", auth))
    t.ok(head.status == 200 and head.body == b"" and int(head.headers["content-length"]) > 0, "HEAD", head.headers)
    t.same(client.finish(client.request("GET", "/nowhere", auth)).status, 404, "an unknown route")
    t.same(client.finish(client.request("GET", "/v1/models", [("authorization", "Bearer ql_000000000000_x")])).status, 401, "a wrong key")
    body = json.dumps({"model": "gpt-4", "messages": say(ASK)}).encode()
    waits = client.request("POST", "/v1/chat/completions", [*auth, ("expect", "100-continue"), ("content-length", str(len(body)))], end=False)
    client.until(lambda: client.answers[waits].informed)
    t.same(client.answers[waits].informed, [100], "a client that waits is told to go on")
    client.h2.send_data(waits, body, end_stream=False)
    client.h2.send_headers(waits, [("x-trailer", "dropped")], end_stream=True)
    client.flush()
    t.same(client.finish(waits).status, 200, "trailers do no harm")
    client.close()


@t.case
def curl():
    if not shutil.which("curl") or "HTTP2" not in subprocess.run(["curl", "--version"], capture_output=True, text=True, check=False).stdout:
        t.skip("curl speaks HTTP/2", "it does not have it here")
        return
    body = json.dumps({"model": "gpt-4", "stream": True, "messages": say(ASK)})
    done = subprocess.run(["curl", "-sS", "--http2", "--cacert", str(cert), "-w", "\n%{http_version} %{http_code}", "-H", f"Authorization: Bearer {gateway.key}",
                           "-H", "Content-Type: application/json", "-d", "@-", f"https://localhost:{gateway.tls_port}/v1/chat/completions"],
                          input=body, capture_output=True, text=True, timeout=60 * SLOW, check=False)
    answer, versions = done.stdout.rsplit("\n", 1)
    t.same(versions, "2 200", "curl gets HTTP/2")
    t.same(text_of(answer.encode()), "You wrote: " + ASK, "and the stream")


@t.case
def official_client():
    with openai.DefaultHttpxClient(http2=True, verify=ssl.create_default_context(cafile=str(cert)), timeout=60 * SLOW) as http:
        versions = []
        http.event_hooks["response"] = [lambda response: versions.append(response.http_version)]
        client = openai.OpenAI(base_url=f"https://localhost:{gateway.tls_port}/v1", api_key=gateway.key, http_client=http, max_retries=0)
        whole = client.chat.completions.create(model="gpt-4", messages=say(ASK))
        t.same(whole.choices[0].message.content, "You wrote: " + ASK, "the official client over HTTP/2")
        parts = client.chat.completions.create(model="gpt-4", messages=say(ASK), stream=True)
        t.same("".join(p.choices[0].delta.content or "" for p in parts if p.choices), "You wrote: " + ASK, "streams")
        with client.chat.completions.create(model="endless", messages=say(ASK), stream=True) as parts:
            t.same(next(iter(parts)).choices[0].delta.content, "Hello", "and leaves in the middle")
        t.same(set(versions), {"HTTP/2"}, "all of it over HTTP/2")
    t.ok(gone.acquire(timeout=60 * SLOW), "and when its connection closes the provider's request ends")


@t.case
def thousand_streams():
    go_on.clear()
    before = len(provider.seen)
    clients = [connect() for _ in range(CONNECTIONS)]
    streams = [(c, ask(c, "held", stream=True)) for c in clients for _ in range(STREAMS // CONNECTIONS)]
    t.ok(provider.wait_seen(before + STREAMS), "a thousand streams run at once", len(provider.seen) - before)
    for client in clients:
        client.until(lambda c=client: all(PERSON.encode() in c.answers[s].body for d, s in streams if d is c))
    t.ok(all(PERSON.encode() in c.answers[s].body and not c.answers[s].ended for c, s in streams), "each has got its text and is not over",
         [(vars(c.answers[s]), c.goaway, c.closed) for c, s in streams if PERSON.encode() not in c.answers[s].body or c.answers[s].ended][:2])
    go_on.set()
    whole = [c.finish(s).ended and events(c.answers[s].body)[-1] == "[DONE]" for c, s in streams]
    t.ok(all(whole), "and all come to their end", [(vars(c.answers[s]), c.goaway, c.closed) for (c, s), good in zip(streams, whole) if not good][:2])
    for client in clients:
        client.close()


@t.case
def clients_that_go():
    client = connect()
    stream, other = ask(client, "endless", stream=True), ask(client, "endless", stream=True)
    client.until(lambda: b"Hello" in client.answers[stream].body and b"Hello" in client.answers[other].body)
    client.cancel(stream)
    t.ok(gone.acquire(timeout=60 * SLOW), "a stream that is taken back ends the provider's request")
    t.ok(not gone.acquire(timeout=0.2), "but not that of another")
    t.same(client.finish(ask(client)).status, 200, "and the connection serves on")
    client.close()
    t.ok(gone.acquire(timeout=60 * SLOW), "a connection that closes ends the rest")


@t.case
def clients_that_do_not_read():
    client = connect(hold=True)
    before = gateway.rss()
    stream = ask(client, "flood", stream=True)
    client.until(lambda: len(client.answers[stream].body) >= 60000)
    other = ask(client)
    client.until(lambda: client.answers[other].status is not None)
    t.same(client.answers[other].status, 200, "a client whose window is closed holds up no head of another answer")
    t.ok(gateway.rss() < before + (16 << 20) * SLOW, "and no memory: the provider is held back", gateway.rss() - before)
    client.cancel(stream)
    t.ok(gone.acquire(timeout=60 * SLOW), "until it goes")
    client.close()


BAD = {
    "Connection": [("connection", "close")],
    "Transfer-Encoding": [("transfer-encoding", "chunked")],
    "a name in upper case": [("X-Upper", "1")],
    "te: gzip": [("te", "gzip")],
    "a length that is not that of the body": [("content-length", "3")],
    "two lengths": [("content-length", "3"), ("content-length", "4")],
}


@t.case
def malformed():
    for what, fields in BAD.items():
        client = connect(strict=False)
        before = len(provider.seen)
        body = json.dumps({"model": "gpt-4", "messages": say("Hello")}).encode()
        bad = client.request("POST", "/v1/chat/completions", [("authorization", f"Bearer {gateway.key}"), *fields], body)
        t.ok(client.finish(bad).reset == 1 and client.answers[bad].status is None, f"{what}: the stream ends with an error", vars(client.answers[bad]))
        t.same(len(provider.seen), before, "nothing of it reaches the provider")
        t.same(client.finish(ask(client)).status, 200, "and the connection goes on")
        client.close()
    client = connect(strict=False)
    other = client.request("GET", "/v1/models", [("host", "b.example"), ("authorization", f"Bearer {gateway.key}")], authority="a.example")
    answer = client.finish(other)
    t.ok(answer.status == 400 and "error" in answer.json, "another Host than :authority is refused", answer.body)
    big = client.request("GET", "/v1/models", [("x-big", "a" * 15000) for _ in range(6)])
    t.same(client.finish(big).status, 431, "a head that is too large")
    client.close()


def frame(kind, flags, stream, body=b""):
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body


@t.case
def hostile():
    floods = {
        "PING": lambda i: frame(6, 0, 0, b"12345678"),
        "SETTINGS": lambda i: frame(4, 0, 0),
        "PRIORITY": lambda i: frame(2, 0, 1, b"\0\0\0\0\x10"),
        "CONTINUATION": lambda i: frame(9, 0, 1) if i else frame(1, 0, 1),
        "small WINDOW_UPDATE": lambda i: frame(8, 0, 0, b"\0\0\0\1"),
    }
    for what, make in floods.items():
        client = connect()
        for at in range(0, 100000, 100):
            if not client.send(b"".join(make(i) for i in range(at, at + 100))):
                break
        client.until(lambda: False)
        t.ok(client.closed and client.goaway in (None, 11), f"{what}: a flood ends the connection", client.goaway)
        client.close()
    client = connect()
    try:
        for _ in range(2000):
            client.cancel(ask(client, "endless", stream=True))
    except (OSError, h2.exceptions.ProtocolError):  # it is closed while we send
        pass
    client.until(lambda: False)
    t.ok(client.closed and client.goaway in (None, 11), "rapid reset ends the connection", client.goaway)
    client.close()
    alive("and others are served")


@t.case
def only_by_alpn():
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60 * SLOW) as plain:
        plain.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0))
        t.has(plain.recv(4096), b"HTTP/1.1 400 ", "without TLS there is no HTTP/2")


def curl_held():
    """A client of its own, which has got its first text."""
    body = json.dumps({"model": "held", "stream": True, "messages": say(ASK)})
    client = subprocess.Popen(["curl", "-sSN", "--http2", "--cacert", str(cert), "-H", f"Authorization: Bearer {gateway.key}", "-H", "Content-Type: application/json",
                               "-d", body, f"https://localhost:{gateway.tls_port}/v1/chat/completions"], stdout=subprocess.PIPE)
    seen = b""
    while PERSON.encode() not in seen:
        seen += client.stdout.read1(65536)
    return client, seen


@t.case
def drain():
    """With curl: the package h2 takes nothing more once it was told to begin no more."""
    go_on.clear()
    idle = connect()
    idle.finish(ask(idle))
    clients = [curl_held() for _ in range(3)] if shutil.which("curl") else []
    gateway.signal(signal.SIGTERM)
    idle.until(lambda: False)
    t.ok(idle.closed and idle.goaway == 0, "at the end idle connections are closed in good order", idle.goaway)
    t.ok(not clients or gateway.process.poll() is None, "the gateway waits for what runs")
    go_on.set()
    for client, seen in clients:
        whole = seen + client.stdout.read()
        t.ok(client.wait(60 * SLOW) == 0 and events(whole)[-1] == "[DONE]", "a stream that runs comes to its end", (client.returncode, whole[-300:]))
    t.same(gateway.wait(), 0, "then it ends")


gateway.check_files(t)
provider.finish(t)
gateway.remove()
shutil.rmtree(folder, ignore_errors=True)
t.done()
