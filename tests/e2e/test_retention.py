#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Zero retention: marks in every place of every dialect, then a search of all that is left.

Each place of a request or an answer holds a text of its own around one mark.  When all is answered,
with connections on both sides still open, the writable memory of every process of the gateway, its
log, its output, its metrics and its state folder are searched for the mark, raw and encoded.  The
same is done to a build that does not wipe (sotto-unwiped): there the search has to find it.
"""

import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time

from lib import packages
from lib.gateway import Gateway, need_binary
from lib.memory import Marks, processes, readable, search
from lib.provider import Provider, chunk, completion, echo, usage
from lib.speed import binary, is_sanitized
from lib.tap import Tap, skip_all
from lib.wire import Client, Closed, build, wait_until

# What fills freed memory hides what was left in it.
os.environ.pop("MALLOC_PERTURB_", None)

need_binary()
if is_sanitized():
    skip_all("sanitizers keep freed memory and copies of stacks")
if not readable():
    skip_all("only root may read the memory of a process that forbids it")

try:
    packages.under(packages.venv("cryptography", packages.CRYPTOGRAPHY))
    from lib import native, sealed
except packages.Missing as missing:
    native = sealed = None
    print(f"# no sealed conversations: {missing}", flush=True)
try:
    # Pure Python: it does for this interpreter as well.
    sys.path.append(next(str(place) for place in packages.venv(*packages.HTTP2).parent.parent.glob("lib/*/site-packages")))
    from lib.h2wire import H2Client
except packages.Missing as missing:
    H2Client = None
    print(f"# no HTTP/2: {missing}", flush=True)

t = Tap()
CHAT = "/v1/chat/completions"
folder = pathlib.Path(tempfile.mkdtemp(prefix="sotto-retention-"))


def certificate():
    """One for both sides; none where there is no openssl program."""
    if not shutil.which("openssl"):
        return None
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    return cert, key


class Round:
    """One gateway, one provider, one set of marks, all requests."""

    def __init__(self, pair):
        self.marks = Marks()
        self.pair = pair
        server_tls = None
        if pair:
            server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server_tls.load_cert_chain(*pair)
        self.plain = Provider(self.answer)
        self.secure = Provider(self.answer, tls=server_tls) if pair else self.plain
        self.release = threading.Event()
        upstreams = {
            "scripted": {"kind": "openai", "url": self.plain.url + "/v1", "key": "sk-upstream"},
            "secure": {"kind": "openai", "url": self.secure.url + "/v1", "key": "sk-upstream"},
            "claude": {"kind": "anthropic", "url": self.plain.url, "key": "sk-upstream"},
            "mirror": {"kind": "mirror"},
        }
        models = {"secure": "secure", "claude": "claude", "mirror": "mirror", "here": "scripted", "gpt-3.5-turbo": "scripted", "gpt-4": "scripted", "mistral-tiny": "scripted"}
        self.gateway = Gateway({"upstreams": upstreams, "models": models, "limits": {"body": "1MiB", "header": "16KiB"}},
                               env={"SSL_CERT_FILE": str(pair[0])} if pair else {}, admin=True, tls=pair)
        self.key = self.gateway.make_key("--name", "caller")
        self.marks.secret("the caller's key", self.key[-32:])
        self.marks.secret("the first key", self.gateway.key[-32:])
        self.kept = []  # connections that stay open
        self.asked = 0
        self.h2_statuses = []

    # --- the provider ---

    def answer(self, seen, out):
        """Does what the model's request says in its `seed`."""
        if "messages" not in seen.body.decode(errors="replace"):
            return echo(seen, out)
        kind = seen.json.get("seed") or 0
        say = self.marks.text("answer")
        if seen.target.endswith("/messages"):
            return self.answer_claude(seen, out, say)
        script = {1: self.refuse, 2: self.break_off, 3: self.nonsense, 4: self.hold, 5: self.flood, 6: self.tools, 7: self.crash}.get(kind)
        if script:
            return script(seen, out, say)
        if seen.json.get("stream"):
            return out.speak(seen, f"{say} {seen.texts}"[:4000], size=9)
        return out.whole(completion(f"{say} {seen.texts}"[:4000], system_fingerprint=self.marks.text("fingerprint")),
                         headers=[("x-ratelimit-limit-requests", self.marks.text("answer header")), ("x-other", self.marks.text("other answer header"))])

    @staticmethod
    def answer_claude(seen, out, say):
        if seen.json.get("stream"):
            out.begin()
            start = {"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant", "model": "c", "content": [], "usage": {"input_tokens": 1, "output_tokens": 1}}}
            for event in (start, {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
                          {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": say}},
                          {"type": "content_block_stop", "index": 0},
                          {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}, {"type": "message_stop"}):
                out.part(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
            return out.end()
        return out.whole({"id": "m", "type": "message", "role": "assistant", "model": "c", "stop_reason": "end_turn",
                          "content": [{"type": "text", "text": say}], "usage": {"input_tokens": 3, "output_tokens": 3}})

    def refuse(self, seen, out, say):
        del seen
        out.whole({"error": {"message": f"no: {say}", "type": "invalid_request_error", "param": self.marks.text("param"), "code": "odd"}}, 400)

    def crash(self, seen, out, say):
        del seen
        out.whole(f"<html>{say}</html>".encode(), 500, kind="text/html")

    @staticmethod
    def break_off(seen, out, say):
        if seen.json.get("stream"):
            out.begin()
            out.event(chunk({"content": say}))
            out.part(b'data: {"choices":[{"delta":{"content":"' + say.encode())
        else:
            out.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{\"choices\": \"" + say.encode())
        out.close()

    @staticmethod
    def nonsense(seen, out, say):
        if seen.json.get("stream"):
            out.begin()
            out.part(f"data: {{{say}\n\n".encode())
            out.end()
        else:
            out.whole(f"{{{say}".encode())

    def hold(self, seen, out, say):
        """Begins, and waits until the client is gone."""
        if seen.json.get("stream"):
            out.begin()
            out.event(chunk({"role": "assistant", "content": say}))
        out.gone(20)

    @staticmethod
    def flood(seen, out, say):
        """More than the client takes."""
        out.begin()
        try:
            for _ in range(3000):
                out.event(chunk({"content": (say + " ") * 20}))
        except OSError:
            pass
        out.close()

    def tools(self, seen, out, say):
        arguments = json.dumps({"to": say, "note": self.marks.text("tool argument")})
        call = {"id": "call_1", "type": "function", "function": {"name": "mail", "arguments": arguments}}
        if seen.json.get("stream"):
            parts = [chunk({"tool_calls": [{"index": 0, **call, "function": {"name": "mail", "arguments": ""}}]})]
            parts += [chunk({"tool_calls": [{"index": 0, "function": {"arguments": arguments[i : i + 7]}}]}) for i in range(0, len(arguments), 7)]
            return out.stream([*parts, chunk({}, finish="tool_calls"), chunk(usage=usage())])
        return out.whole(completion(None, finish="tool_calls", message={"tool_calls": [call]}))

    # --- the clients ---

    def headers(self):
        return self.gateway.headers(self.key)

    def connect(self, secure=False):
        if secure and self.pair:
            context = ssl.create_default_context(cafile=str(self.pair[0]))
            return Client(self.gateway.tls_port, tls=context)
        return self.gateway.client()

    def whole(self, target, body, headers=None, method="POST", secure=False, raw=False):
        """One request with an answer; the connection stays open as long as the gateway lets it."""
        data = body if raw else json.dumps(body, ensure_ascii=False).encode()
        client = self.connect(secure)
        self.kept.append(client)
        self.asked += 1
        client.send(build(method, target, self.headers() if headers is None else headers, data))
        try:
            return client.response().status
        except Closed:
            return None

    def body(self, place, **more):
        """A chat request with a mark in every field that takes text."""
        m = self.marks
        person = m.text(f"{place}: address")
        messages = [
            {"role": "system", "content": f"You are {m.text(place + ': system')}."},
            {"role": "user", "name": m.text(place + ": name"), "content": [
                {"type": "text", "text": f"Write to {person}@example.org, {m.text(place + ': part')}. \"{m.text(place + ': quoted')}\" \\ \u00e9"}]},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "call_9", "type": "function", "function": {
                "name": "look", "arguments": json.dumps({"who": m.text(place + ": arguments"), m.text(place + ": argument key"): 1})}}]},
            {"role": "tool", "tool_call_id": "call_9", "content": json.dumps([{"found": m.text(place + ": tool result")}])},
            {"role": "user", "content": f"Patient Margaret Thornbury, {person}@example.org, says {m.text(place + ': user')}"},
        ]
        return {"model": "here", "messages": messages, "user": m.text(place + ": user field"), "metadata": {"note": m.text(place + ": metadata")},
                "stop": [m.text(place + ": stop")], "prediction": {"type": "content", "content": m.text(place + ": prediction")},
                "tools": [{"type": "function", "function": {"name": "look", "description": m.text(place + ": tool"), "parameters": {
                    "type": "object", "properties": {"who": {"type": "string", "description": m.text(place + ": parameter")}}}}}],
                "unknown_field": {"deep": [m.text(place + ": unknown")]}, **more}

    def chats(self, secure):
        """What is well-formed: whole and streamed, each thing a provider may do."""
        where = "TLS" if secure else "plain"
        model = "secure" if secure else "here"
        for seed in (0, 1, 2, 3, 6, 7):
            for stream in (False, True):
                self.whole(CHAT, self.body(f"{where} chat {seed} {stream}", seed=seed, stream=stream, model=model), secure=secure)
        big = self.body(f"{where} large", model=model)
        big["messages"][-1]["content"] += f" {self.marks.text(where + ' bulk')}" * 2500
        self.whole(CHAT, big, secure=secure)
        self.whole(CHAT, {**big, "stream": True}, secure=secure)
        self.whole(CHAT, {**big, "messages": [1, {"content": self.marks.text(where + " large and wrong") * 4000}]}, secure=secure)
        self.whole("/v1/embeddings", {"model": model, "input": [self.marks.text(where + " embedding"), f"{self.marks.text(where + ' embedding address')}@example.org"]}, secure=secure)

    def others(self):
        m = self.marks
        for name in ("mirror", "claude"):
            for stream in (False, True):
                self.whole(CHAT, self.body(f"{name} {stream}", model=name, stream=stream))
        self.whole(CHAT, self.body("explain"), [*self.headers(), ("x-sotto-explain", "1"), ("x-sotto-conversation", m.text("conversation")),
                                                ("User-Agent", m.text("user agent")), ("Cookie", m.text("cookie")), ("X-Any", m.text("any header"))])
        self.whole(CHAT, self.body("unknown model", model=m.text("model", 3)))
        self.whole(CHAT, self.body("wrong type", temperature=m.text("temperature")))
        self.whole(CHAT, self.body("wrong mode", compliance_mode=m.text("mode")))
        self.whole("/v1/chat/completions?q=" + m.text("query"), self.body("query body"))
        self.whole("/v1/nowhere/" + m.text("path"), {"x": m.text("body of no route")})
        self.whole("/v1/models/" + m.text("model path"), b"", method="GET", raw=True)
        phi = self.body("phi_header", model="gpt-3.5-turbo")
        phi = {"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": phi["messages"][-1]["content"]}]}
        keys = [("x-compliantchatgpt-key", self.key), ("x-openai-key", "sk-" + m.text("caller's key")), ("Content-Type", "application/json")]
        self.whole(CHAT, phi, keys)
        self.whole(CHAT, {**phi, "stream": True}, keys)
        self.whole(CHAT, {**phi, "messages": m.text("phi_header refused")}, keys)
        key = [("Api-token", self.key), ("Content-Type", "application/json")]
        text = {"model": "mistral-tiny", "messages": [{"role": "user", "content": f"{m.text('anonymize')} {m.text('anonymize address')}@example.org"}]}
        self.whole("/v1/ai/completions", text, key)
        self.whole("/v1/ai/completions", {**text, "anonymize": False, "stream": True}, key)
        self.whole("/v1/ai/completions", {**text, "temperature": m.text("anonymize temperature")}, key)
        wrong = m.text("wrong key", 4) + "xx"
        for name, value in (("Authorization", f"Bearer ql_{'A' * 12}_{wrong}"), ("Authorization", m.text("no key")), ("x-api-key", m.text("x-api-key"))):
            self.whole(CHAT, self.body("not admitted"), [(name, value)])
        self.whole(CHAT, self.body("basic"), [("Authorization", "Basic " + m.text("basic"))])

    def malformed(self):
        m = self.marks
        good = json.dumps(self.body("malformed", stop=None))
        for place, data in (
            ("cut JSON", good[: len(good) // 2].encode()), ("behind JSON", (good + m.text("behind")).encode()), ("no JSON", m.text("no JSON").encode()),
            ("no UTF-8", good.encode() + b"\xff\xfe"), ("not UTF-8 in text", b'{"model":"here","messages":"' + m.text("bytes").encode() + b'\xff"}'),
            ("twice", ('{"a":"%s","a":1}' % m.text("twice")).encode()), ("surrogate", ('{"model":"\\ud800%s"}' % m.text("surrogate")).encode()),
            ("deep", b"[" * 3000 + m.text("deep").encode()), ("array", json.dumps([m.text("array")] * 50).encode())):
            self.whole(CHAT, data, raw=True)
            self.whole("/v1/ai/completions", data, raw=True)
            self.marks.text(place)
        self.whole(CHAT, json.dumps({"messages": m.text("oversize") * 40000}).encode(), raw=True)
        self.whole(CHAT, good.encode(), [*self.headers(), ("Content-Encoding", "gzip")], raw=True)
        self.whole(CHAT, good.encode(), [*self.headers(), ("X-Long", m.text("long header") * 800)], raw=True)
        for head in (f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nX-{m.text('bad head')}\r\n\r\n", f"POST /{m.text('bare')} HTTP/1.1\nHost: x\n\n", f"{m.text('no method')} / HTTP/9\r\n\r\n",
                     f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: {m.text('length')}\r\n\r\n",
                     f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz{m.text('bad chunk')}\r\n"):
            client = self.connect()
            client.send(head.encode())
            client.to_end()
            self.kept.append(client)
        with self.connect() as client:  # a whole request in chunks, one behind the other, and one that is cut
            data = json.dumps(self.body("chunked")).encode()
            head = build("POST", CHAT, [*self.headers(), ("Transfer-Encoding", "chunked")])
            head = head.replace(b"Content-Length: 0\r\n", b"")
            whole = head + b"".join(b"%x\r\n%s\r\n" % (len(data[i : i + 500]), data[i : i + 500]) for i in range(0, len(data), 500)) + b"0\r\n\r\n"
            client.send(whole + whole + whole[: len(whole) // 2])
            client.response()
            client.response()

    def presidio(self):
        m = self.marks
        text = f"{m.text('presidio text')} is Margaret Thornbury, {m.text('presidio address')}@example.org"
        found = [{"start": 5, "end": 20, "score": 0.9, "entity_type": "PERSON"}]
        adhoc = [{"name": m.text("recognizer", 2), "supported_language": "en", "supported_entity": "X", "deny_list": [m.text("deny list")],
                  "patterns": [{"name": "p", "regex": m.text("pattern", 2), "score": 0.5}]}]
        secret = m.text("operator key", 4)[:16]
        encrypt = {"DEFAULT": {"type": "encrypt", "key": secret}}
        for route, body in (
            ("analyze", {"text": text, "language": "en"}), ("analyze", {"text": [text, m.text("second text")], "language": "de"}),
            ("analyze", {"text": text, "language": "en", "ad_hoc_recognizers": adhoc, "context": [m.text("context")], "allow_list": [m.text("allow list")]}),
            ("analyze", {"text": text}), ("analyze", {"text": text, "language": m.text("language", 2)}), ("analyze", {"text": text, "language": "en", "entities": [m.text("entity", 2)]}),
            ("anonymize", {"text": text, "analyzer_results": found}), ("anonymize", {"text": text, "analyzer_results": found, "anonymizers": encrypt}),
            ("anonymize", {"text": text, "analyzer_results": found, "anonymizers": {"PERSON": {"type": "replace", "new_value": m.text("new value")}}}),
            ("anonymize", {"text": text, "analyzer_results": found, "anonymizers": {"PERSON": {"type": m.text("operator", 2)}}}),
            ("anonymize", {"text": text, "analyzer_results": [{"start": 1, "end": 9000, "score": 1, "entity_type": m.text("type", 2)}]}),
            ("deanonymize", {"text": text, "anonymizer_results": [{"start": 0, "end": 9, "entity_type": "X", "text": m.text("result")}], "deanonymizers": {"DEFAULT": {"type": "decrypt", "key": secret}}}),
        ):
            self.whole("/presidio/" + route, body)
        good = json.dumps({"text": text, "language": "en"}).encode()
        for data in (good[:-9], good + m.text("behind presidio").encode(), b"[" + good, m.text("no JSON for presidio").encode()):
            self.whole("/presidio/analyze", data, raw=True)
            self.whole("/presidio/anonymize", data, raw=True)
        client = self.connect()
        client.send(build("POST", "/presidio/analyze", self.headers(), good)[:-12])
        client.close()

    def admin(self):
        """Keys that are made there are secrets; names of keys are meant to stay, and bear no mark."""
        m = self.marks
        boss = self.gateway.make_key("--scopes", "admin")
        m.secret("an admin's key", boss[-32:])
        head = [("Authorization", f"Bearer {boss}"), ("Content-Type", "application/json")]

        def ask(method, path, body=b"", headers=None):
            client = Client(self.gateway.admin_port)
            self.kept.append(client)
            return client.request(method, path, head if headers is None else headers, body)

        made = ask("POST", "/admin/v1/keys", b'{"name":"new"}').json
        m.secret("a key made by the admin API", made["key"][-32:])
        turned = ask("POST", f"/admin/v1/keys/{made['id']}/rotate").json
        m.secret("a rotated key", turned["key"][-32:])
        self.whole(CHAT, self.body("with a new key"), self.gateway.headers(turned["key"]))
        for body in (m.text("admin: no JSON"), json.dumps({"expires": m.text("admin: expires")}), json.dumps({m.text("admin: field"): 1}), '{"name": "%s' % m.text("admin: cut")):
            ask("POST", "/admin/v1/keys", body.encode())
        ask("GET", "/admin/v1/keys/" + m.text("admin: id"))
        ask("GET", "/admin/v1/usage?month=" + m.text("admin: month"))
        ask("GET", "/admin/v1/keys", headers=[("Authorization", "Bearer " + m.text("admin: bad key"))])
        ask("POST", "/" + m.text("admin: path"), m.text("admin: body").encode())

    def sealing_keys(self):
        """What GET /v1/seal/keys says, once it names a key of each suite; else None."""
        keys = self.gateway.request("GET", "/v1/seal/keys").json
        named = {row["suite"] for row in keys["suites"] if "public_key" in row}
        return keys if "rsa4096" in named else None

    def sealed(self):
        """Whole, streamed, refused, damaged and abandoned, through each profile."""
        if sealed is None:
            return
        mine = sealed.Client(self.gateway, key=self.key)
        old = sealed.Client(self.gateway, key=self.key)
        keys = wait_until(self.sealing_keys, 120, 0.1)  # a pair for RSA takes a while to make
        session = None
        for suite in native.SUITES:
            hello = native.Hello(suite, keys)
            answer = self.gateway.post("/v1/seal/session", hello.body, key=self.key).json
            session = hello.agreed(answer, native.unb64(keys["signing_key"]))
        mine.begin()
        old.secret, old.name, old.ca = mine.secret, mine.name, mine.ca
        sealed_type = [("Content-Type", native.SEALED)]
        for seed in (0, 1, 2, 3, 6, 7):
            for stream in (False, True):
                place = f"{seed} {stream}"
                body = self.body("privatemode " + place, seed=seed, stream=stream)
                self.whole(CHAT, json.dumps(mine.begin().seal_object(body)).encode(), [*self.headers(), *mine.headers()], raw=True)
                texts = json.dumps([{"role": "user", "content": self.marks.text("continuum " + place)}])
                exchange = old.begin()
                self.whole(CHAT, {"model": "here", "messages": exchange.seal(texts), "stream": stream, "seed": seed})
                data, _ = session.request(CHAT, json.dumps(self.body("native " + place, seed=seed, stream=stream)).encode(), "here")
                self.whole(CHAT, data, sealed_type, raw=True)
        bad = json.dumps({"model": "here", "messages": self.marks.text("sealed and wrong")})
        data, _ = session.request(CHAT, bad.encode(), "here")
        for wrong in (data, data[:-1] + bytes([data[-1] ^ 1]), data[:-40]):
            self.whole(CHAT, wrong, sealed_type, raw=True)
        self.whole(CHAT, {"model": "here", "messages": old.begin().seal(self.marks.text("sealed, no JSON"))})
        text = old.begin().seal(json.dumps([{"role": "user", "content": self.marks.text("sealed and damaged")}]))
        self.whole(CHAT, {"model": "here", "messages": text[:-1] + ("0" if text[-1] != "0" else "1")})
        for stream in (False, True):
            data, _ = session.request(CHAT, json.dumps(self.body(f"sealed left {stream}", seed=4, stream=stream)).encode(), "here")
            before = len(self.plain.seen)
            client = self.connect()
            client.send(build("POST", CHAT, sealed_type, data))
            wait_until(lambda: len(self.plain.seen) > before)
            client.close()

    def cancelled(self, secure):
        where = "TLS" if secure else "plain"
        model = "secure" if secure else "here"
        for stream in (False, True):
            client = self.connect(secure)
            data = json.dumps(self.body(f"{where} left {stream}", model=model, stream=stream, seed=4)).encode()
            before = len(self.plain.seen) + len(self.secure.seen) * (self.secure is not self.plain)
            client.send(build("POST", CHAT, self.headers(), data))
            if stream:
                client.head()
                client.chunk()
            else:
                wait_until(lambda: len(self.plain.seen) + len(self.secure.seen) * (self.secure is not self.plain) > before)
            client.close()
        client = self.connect(secure)
        data = json.dumps(self.body(f"{where} half", model=model)).encode()
        client.send(build("POST", CHAT, self.headers(), data)[:-200])
        time.sleep(0.05)
        client.close()
        client = self.connect(secure)
        client.send(build("POST", CHAT, self.headers(), json.dumps(self.body(f"{where} flood", model=model, seed=5, stream=True)).encode()))
        client.head()
        client.chunk()
        time.sleep(0.3)  # the gateway's buffers fill, the provider is held back
        client.close()

    def over_http2(self):
        """One connection with many streams, and some that end badly."""
        if H2Client is None or not self.pair:
            return
        m = self.marks

        def connect(**more):
            self.kept.append(H2Client(self.gateway.tls_port, self.pair[0], **more))
            return self.kept[-1]

        def finish(client, number):
            self.h2_statuses.append(client.finish(number).status)

        client = connect()
        for seed in (0, 1, 2, 3, 6, 7):
            running = [client.post(self.key, self.body(f"h2 chat {seed} {stream}", seed=seed, stream=stream), headers=[("x-any", m.text("h2 header"))])
                       for stream in (False, True)]
            for number in running:
                finish(client, number)
                self.asked += 1
        big = self.body("h2 large")
        big["messages"][-1]["content"] += f" {m.text('h2 bulk')}" * 2500
        for body in (big, {**big, "messages": [1, {"content": m.text("h2 large and wrong") * 4000}]}):
            data = json.dumps(body).encode()
            number = client.request("POST", CHAT, self.h2_headers(), end=False)
            client.upload(number, data)
            finish(client, number)
        for path, body in (("/v1/nowhere/" + m.text("h2 path"), {"x": m.text("h2 body of no route")}), (CHAT + "?q=" + m.text("h2 query"), self.body("h2 query body")),
                           (CHAT, self.body("h2 wrong type", temperature=m.text("h2 temperature")))):
            finish(client, client.post(self.key, body, path=path))
        finish(client, client.post("ql_" + "A" * 12 + "_" + m.text("h2 wrong key", 4) + "xx", self.body("h2 not admitted")))
        finish(client, client.request("POST", CHAT, [*self.h2_headers(), ("x-long", m.text("h2 long header") * 800)], b"{}"))
        for stream in (False, True):  # the client leaves while the provider answers
            before = len(self.plain.seen)
            number = client.post(self.key, self.body(f"h2 left {stream}", seed=4, stream=stream))
            wait_until(lambda: len(self.plain.seen) > before)
            if stream:
                client.until(lambda: client.answers[number].body)
            client.cancel(number)
        data = json.dumps(self.body("h2 half")).encode()
        number = client.request("POST", CHAT, self.h2_headers(), data[:-200], end=False)
        client.cancel(number)
        gone = connect()  # the connection is cut in the middle of a request
        gone.request("POST", CHAT, self.h2_headers(), json.dumps(self.body("h2 cut")).encode()[:-200], end=False)
        gone.close()
        stuck = connect(hold=True)  # takes no more than a window of its answer
        number = stuck.post(self.key, self.body("h2 flood", seed=5, stream=True))
        stuck.until(lambda: len(stuck.answers[number].body) > 60000)
        stuck.close()
        bad = connect(strict=False)
        finish(bad, bad.request("POST", CHAT, [("X-Upper", m.text("h2 upper case")), *self.h2_headers()], b"{}"))
        finish(client, client.post(self.key, self.body("h2 last")))

    def h2_headers(self):
        return [("authorization", f"Bearer {self.key}"), ("content-type", "application/json")]

    def run(self):
        for secure in (False, True) if self.pair else (False,):
            self.chats(secure)
            self.cancelled(secure)
        self.over_http2()
        self.others()
        self.presidio()
        self.admin()
        self.sealed()
        self.malformed()

    # --- what is left ---

    def memory(self):
        return [line for pid in processes(self.gateway.process.pid) for line in search(pid, self.marks)]

    def rest(self):
        """Everything else that the gateway wrote."""
        found = self.marks.found(self.gateway.log(), "log") + self.marks.found(b"".join(self.gateway.out[1:]), "output")
        for path in sorted(self.gateway.state.rglob("*")):
            if path.is_file():
                found += self.marks.found(path.name.encode(), "name of a file") + self.marks.found(path.read_bytes(), path.name)
        with Client(self.gateway.admin_port) as client:
            found += self.marks.found(client.request("GET", "/metrics").body, "metrics")
        return found

    def end(self):
        for client in self.kept:
            client.close()
        self.plain.close()
        if self.secure is not self.plain:
            self.secure.close()


pair = certificate()


@t.case
def nothing_is_left():
    """Nothing of a conversation is left."""
    work = Round(pair)
    try:
        work.run()
        left = wait_until(lambda: not work.memory(), 3, 0.1)
        found = [] if left else work.memory()
        if "--show" in sys.argv:
            print("\n".join(f"# {line}" for line in found))
        t.ok(work.asked > 100 and len(work.marks.places) > 150, "requests were made, and their texts had places", (work.asked, len(work.marks.places)))
        if work.pair and H2Client is not None:
            counted = [sum(status is not None and status // 100 == kind for status in work.h2_statuses) for kind in (2, 4, 5)]
            t.ok(counted[0] >= 8 and counted[1] >= 5 and counted[2] >= 1, "over HTTP/2 they were answered, and refused", work.h2_statuses)
        t.same(work.plain.faults + work.secure.faults, [], "the scripted provider had no trouble of its own")
        t.ok(not found, "no process holds a text in its memory", "\n".join(found[:40]))
        t.same(work.rest(), [], "neither log, output, metrics nor the state folder holds one")
        for pid in processes(work.gateway.process.pid):
            core = [line.split()[4:6] for line in open(f"/proc/{pid}/limits", encoding="ascii") if line.startswith("Max core file size")]
            t.same(core, [["0", "0"]], "no core dump can be written")
            locked = any(line.startswith("VmLck:") and line.split()[1] != "0" for line in open(f"/proc/{pid}/status", encoding="ascii"))
            swap = len(open("/proc/swaps", encoding="ascii").readlines()) > 1
            t.ok(locked or not swap or b"memory_may_be_swapped" in work.gateway.log(), "memory is kept out of swap, or the log says that it is not")
        t.same(work.gateway.stop(), 0, "the gateway ends with status 0")
        t.same(work.marks.found(work.gateway.log(), "log"), [], "its last lines hold none either")
    finally:
        work.end()
        work.gateway.remove()


@t.case
def the_search_finds():
    """The same search finds texts in a build that does not wipe."""
    unwiped = pathlib.Path(os.environ.get("SOTTO_BUILD", pathlib.Path(binary()).parent)) / "tests/e2e/sotto-unwiped"
    if not unwiped.exists():
        t.skip("the control", "there is no build without wiping")
        return
    os.environ["SOTTO"] = str(unwiped)
    work = Round(pair)
    try:
        work.run()
        found = work.memory()
        heap = [line for line in found if "heap" in line or "anonymous" in line]
        t.ok(len(heap) >= 20, "without wiping the search finds texts in memory", found[:10])
        t.ok(any("raw" in line for line in heap), "as they were")
    finally:
        work.end()
        work.gateway.remove()


shutil.rmtree(folder, ignore_errors=True)
t.done()
