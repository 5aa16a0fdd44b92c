#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 at the edge: what smugglers try, limits, connections that stay open."""

import json
import time

from lib.canary import EMAIL
from lib.gateway import Gateway, config, say
from lib.provider import Provider, completion
from lib.tap import Tap
from lib.wire import Closed, build

t = Tap()
provider = Provider(lambda seen, out: out.whole(completion("ok")))
gateway = Gateway(config(provider, limits={"slow_after": "600ms", "slow_rate": "1MiB", "keep_open": "2s", "header": "64KiB"}))
CHAT = "/v1/chat/completions"
AUTH = f"Authorization: Bearer {gateway.key}"
BODY = json.dumps({"model": "gpt-4", "messages": say("Hello")}).encode()
SMUGGLED = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n" + AUTH.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


def head(*lines, line=f"POST {CHAT} HTTP/1.1", end="\r\n"):
    return end.join([line, "Host: localhost", AUTH, "Content-Type: application/json", *lines, "", ""]).encode("latin-1")


LENGTH = f"Content-Length: {len(BODY)}"
CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"

REFUSED = {
    "bare LF in the head": head(LENGTH, end="\n") + BODY,
    "one bare LF": head(LENGTH).replace(b"localhost\r\n", b"localhost\n") + BODY,
    "a bare CR in a value": head("X: a\rb", LENGTH) + BODY,
    "a folded header": head("X: a\r\n b", LENGTH) + BODY,
    "a header folded with a tab": head("X: a\r\n\tb", LENGTH) + BODY,
    "two lengths": head(LENGTH, "Content-Length: 5") + BODY,
    "the same length twice": head(LENGTH, LENGTH) + BODY,
    "a list of lengths": head(f"Content-Length: {len(BODY)}, {len(BODY)}") + BODY,
    "length and chunks": head(LENGTH, CHUNKED) + CHUNKS,
    "chunks and length": head(CHUNKED, LENGTH) + CHUNKS,
    "a signed length": head(f"Content-Length: +{len(BODY)}") + BODY,
    "a negative length": head("Content-Length: -1") + BODY,
    "a length in hexadecimal": head("Content-Length: 0x10") + BODY,
    "a length that is none": head("Content-Length: ten") + BODY,
    "a length with a blank": head("Content-Length: 1 0") + BODY,
    "a length that overflows": head("Content-Length: 18446744073709551626") + BODY,
    "an empty length": head("Content-Length:") + BODY,
    "a space before the colon": head("Content-Length : 5") + BODY,
    "a space before the name": head(" X: y", LENGTH) + BODY,
    "a name with a space": head("X Y: z", LENGTH) + BODY,
    "a name with a NUL": head("X\0Y: z", LENGTH) + BODY,
    "a value with a NUL": head("X: a\0b", LENGTH) + BODY,
    "a line without a colon": head("nonsense", LENGTH) + BODY,
    "a line that begins with a colon": head(": x", LENGTH) + BODY,
    "gzip under the chunks": head("Transfer-Encoding: gzip, chunked") + CHUNKS,
    "a transfer coding that is none": head("Transfer-Encoding: xchunked") + CHUNKS,
    "identity": head("Transfer-Encoding: identity", LENGTH) + BODY,
    "chunked twice": head("Transfer-Encoding: chunked, chunked") + CHUNKS,
    "chunked in two headers": head(CHUNKED, CHUNKED) + CHUNKS,
    "chunked with a vertical tab": head("Transfer-Encoding: \x0bchunked") + CHUNKS,
    "LF behind a chunk size": head(CHUNKED) + CHUNKS.replace(b"\r\n", b"\n", 1),
    "LF behind a chunk": head(CHUNKED) + b"%x\r\n" % len(BODY) + BODY + b"\n0\r\n\r\n",
    "LF behind the last chunk": head(CHUNKED) + b"%x\r\n" % len(BODY) + BODY + b"\r\n0\n\r\n",
    "a chunk longer than its size": head(CHUNKED) + b"%x\r\n" % (len(BODY) - 2) + BODY + b"\r\n0\r\n\r\n",
    "a chunk size that is none": head(CHUNKED) + b"xyz\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a chunk size with 0x": head(CHUNKED) + b"0x%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n",
    "a chunk size with a sign": head(CHUNKED) + b"+%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n",
    "a chunk size that overflows": head(CHUNKED) + b"1%016x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n",
    "a blank before a chunk size": head(CHUNKED) + b" %x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n",
    "an empty chunk size": head(CHUNKED) + b"\r\n" + BODY + b"\r\n0\r\n\r\n",
    "a smuggled length in a trailer": head(CHUNKED) + b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\nContent-Length: 5\r\n\r\n",
    "no host": head(LENGTH).replace(b"Host: localhost\r\n", b"") + BODY,
    "two hosts": head("Host: other", LENGTH) + BODY,
    "HTTP/1.2": head(LENGTH, line=f"POST {CHAT} HTTP/1.2") + BODY,
    "HTTP/2.0": head(LENGTH, line=f"POST {CHAT} HTTP/2.0") + BODY,
    "HTTP/0.9": b"GET /v1/models\r\n\r\n",
    "two spaces in the first line": head(LENGTH, line=f"POST  {CHAT} HTTP/1.1") + BODY,
    "a tab in the first line": head(LENGTH, line=f"POST\t{CHAT} HTTP/1.1") + BODY,
    "a method that is none": head(LENGTH, line=f"PO(ST {CHAT} HTTP/1.1") + BODY,
    "a control character in the target": head(LENGTH, line="POST /v1/\x01 HTTP/1.1") + BODY,
    "a fragment in the target": head(LENGTH, line=f"POST {CHAT}#x HTTP/1.1") + BODY,
    "CONNECT": b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n",
    "a TLS hello on the plain port": bytes.fromhex("160301020001000 1fc0303".replace(" ", "")) + b"\0" * 64 + b"\r\n\r\n",
    "an HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@t.case
def smuggling():
    before = len(provider.seen)
    for name, data in REFUSED.items():
        # What a lax reader would take for a second request must not be answered either.
        with gateway.client() as client:
            client.send(data + SMUGGLED)
            try:
                answer = client.response()
                closed = client.is_closed()
                t.ok(400 <= answer.status <= 501 and answer.status not in (401, 404) and closed, f"{name}: {answer.status} and close", f"{answer} closed {closed} {client.rest[:200]}")
            except (Closed, ConnectionResetError):
                t.ok(True, f"{name}: close")
    t.same(len(provider.seen), before, "nothing of all this was forwarded")


@t.case
def errors_have_a_form():
    with gateway.client() as client:
        client.send(head(LENGTH, "Content-Length: 5") + BODY)
        answer = client.response()
    t.ok(answer.get("content-type") == "application/json" and sorted(answer.error) == ["code", "message", "param", "type"],
         "what is no request gets an OpenAI error all the same", answer)
    t.ok("close" in (answer.get("connection") or ""), "and Connection: close", answer.headers)


GOOD = {
    "a length": head(LENGTH) + BODY,
    "chunks": head(CHUNKED) + CHUNKS,
    "chunks of one byte": head(CHUNKED) + b"".join(b"1\r\n%c\r\n" % b for b in BODY) + b"0\r\n\r\n",
    "chunk extensions": head(CHUNKED) + CHUNKS.replace(b"\r\n", b";a=b;c=\"d\"\r\n", 1),
    "upper case and zeros in a chunk size": head(CHUNKED) + b"000%X\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n",
    "a trailer": head(CHUNKED) + CHUNKS[:-2] + b"X-Checksum: 5\r\n\r\n",
    "names in odd case": head("CONTENT-LENGTH: %d" % len(BODY)) + BODY,
    "blanks around values": head(f"Content-Length:   {len(BODY)}  ") + BODY,
    "a value in Latin-1": head("X: \xe9", LENGTH) + BODY,
    "an absolute target": head(LENGTH, line=f"POST http://localhost{CHAT} HTTP/1.1") + BODY,
}


@t.case
def what_is_allowed():
    for name, data in GOOD.items():
        with gateway.client() as client:
            client.send(data)
            answer = client.response()
        t.same((answer.status, provider.last.json["messages"]), (200, say("Hello")), f"{name}: 200")
        sent = provider.last
        t.ok(sent.get("content-length") == str(len(sent.body)) and sent.get("transfer-encoding") is None and sent.get("x") is None,
             f"{name}: what is forwarded is written anew", sent.headers)


@t.case
def every_split():
    """A request whose bytes arrive cut at each place."""
    for name in ("a length", "a trailer"):
        data = GOOD[name]
        bad = []
        with gateway.client() as client:
            for cut in range(1, len(data), 3):
                client.send(data[:cut])
                time.sleep(0.0005)
                client.send(data[cut:])
                if client.response().status != 200:
                    bad.append(cut)
        t.same(bad, [], f"{name}: cut anywhere it is the same request")


@t.case
def pipelining():
    with gateway.client() as client:
        client.send(b"".join(build("POST", CHAT, gateway.headers(), json.dumps({"model": f"m{i}", "messages": say("x")}).encode()) for i in range(30)))
        models = [client.response().json["model"] for _ in range(30)]
    t.same(models, [f"m{i}" for i in range(30)], "thirty requests sent at once are answered in order")
    with gateway.client() as client:
        client.send(build("GET", "/nothing") + build("GET", "/v1/models", gateway.headers()) + build("POST", CHAT, gateway.headers(), b"{"))
        t.same([client.response().status for _ in range(3)], [404, 200, 400], "an error does not end the connection")


@t.case
def versions():
    with gateway.client() as client:
        client.send(head(LENGTH, line=f"POST {CHAT} HTTP/1.0") + BODY)
        answer = client.response()
        t.ok(answer.status == 200 and client.is_closed(), "HTTP/1.0 is answered, and closed", answer)
    with gateway.client() as client:
        client.send(head(LENGTH, "Connection: close") + BODY)
        answer = client.response()
        t.ok(answer.status == 200 and "close" in answer.get("connection") and client.is_closed(), "Connection: close is kept", answer.headers)
    with gateway.client() as client:
        client.send(head(LENGTH, "Expect: 100-continue"))
        t.same(client.until(b"\r\n\r\n"), b"HTTP/1.1 100 Continue\r\n\r\n", "Expect: 100-continue gets it")
        client.send(BODY)
        t.same(client.response().status, 200, "and then the answer")
    with gateway.client() as client:
        client.send(head(LENGTH, "Expect: 200-ok") + BODY)
        t.same(client.response().status, 417, "another expectation is a 417")
    with gateway.client() as client:
        client.send(head(LENGTH) + BODY)
        answer = client.response()
        t.ok(answer.get("date") and answer.get("content-length"), "an answer bears Date and Content-Length", answer.headers)


@t.case
def large_heads():
    before = len(provider.seen)
    for name, lines in {"one header": ["X: " + "a" * 70000], "many headers": [f"X{i}: {'b' * 200}" for i in range(400)]}.items():
        with gateway.client() as client:
            client.send(head(*lines, LENGTH) + BODY)
            try:
                answer = client.response()
                t.ok(answer.status == 431 and client.is_closed(), f"{name} over 64 KiB: 431 and close", answer)
            except (Closed, ConnectionResetError):
                t.ok(False, f"{name} over 64 KiB: 431 and close", "closed without an answer")
    with gateway.client() as client:
        client.send(head(LENGTH, line="POST /" + "a" * 70000 + " HTTP/1.1") + BODY)
        t.ok(client.response().status in (414, 431), "a target over 64 KiB: 414 or 431")
    with gateway.client() as client:
        client.send(head("X: " + "a" * 50000, LENGTH) + BODY)
        t.same(client.response().status, 200, "a head of 50 KB is fine")
    t.same(len(provider.seen), before + 1, "and only that was forwarded")


@t.case
def slow_clients():
    for name, start in {"half a head": b"POST /v1/chat", "a head without its end": head(LENGTH)[:-2], "half a body": head(LENGTH) + BODY[:10], "half a chunk": head(CHUNKED) + b"40\r\n" + BODY[:10]}.items():
        with gateway.client() as client:
            client.send(start)
            try:
                answer = client.response()
                t.ok(answer.status == 408 and client.is_closed(), f"{name} and then nothing: 408 and close", answer)
            except Closed:
                t.ok(False, f"{name} and then nothing: 408 and close", "closed without an answer")
    with gateway.client() as client:
        t.ok(client.is_closed(), "a connection on which nothing comes is closed")
    with gateway.client() as client:
        client.send(GOOD["a length"])
        client.response()
        t.ok(client.is_closed(), "so is one that was used")
    t.ok(not any(seen.method == "CUT" for seen in provider.seen), "nothing half was forwarded")


@t.case
def answers_at_once():
    """One write for each event and TCP_NODELAY: no event waits for the next, nor for an acknowledgement."""
    from lib.provider import chunk
    gaps = []

    def script(seen, out):
        out.begin()
        for i in range(20):
            out.event(chunk({"content": f"w{i} "}))
            time.sleep(0.01)
        out.event(chunk({}, finish="stop"))
        out.event("[DONE]")
        out.end()

    provider.script = script
    with gateway.client() as client:
        client.send(build("POST", CHAT, gateway.headers(), json.dumps({"model": "gpt-4", "messages": say(f"Write to {EMAIL}"), "stream": True}).encode()))
        client.head()
        while True:
            piece = client.chunk()
            if not piece:
                break
            gaps.append(piece.count(b"data: "))
    t.ok(len(gaps) >= 20, "each event arrives in a chunk of its own", gaps)


provider.finish(t)
gateway.finish(t)
t.done()
