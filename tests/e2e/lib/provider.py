# SPDX-License-Identifier: Apache-2.0
"""A provider that does what a test tells it, and remembers every byte it saw.

A script is a function of the request and the connection: `script(seen, out)`.
"""

import json
import re
import socket
import threading
import time

from .wire import TIMEOUT, wait_until

WORDS = "PERSON|LOCATION|ADDRESS|ORG|DATE|AGE|OCCUPATION|NRP|PHONE|EMAIL|URL|ID|SECRET"
TOKEN = re.compile(rf"(?:{WORDS})[2-9BCDFGHJKLMNPQRSTVWXYZ]{{9}}")


class Seen:
    """One request."""

    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.raw = head + body
        self.line = lines[0]
        self.method, self.target, _ = lines[0].split(" ", 2)
        self.headers = [(n.lower(), v.strip()) for n, v in (line.split(":", 1) for line in lines[1:] if line)]
        self.body = body

    def get(self, name):
        return next((value for key, value in self.headers if key == name.lower()), None)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def texts(self):
        """Contents of all messages, as one text."""
        found = []
        for message in self.json.get("messages", []):
            content = message.get("content")
            if isinstance(content, list):
                content = " ".join(part.get("text", "") for part in content)
            found.append(content or "")
        return "\n".join(found)

    @property
    def tokens(self):
        """Tokens in the order in which they stand in the body, each once."""
        return list(dict.fromkeys(TOKEN.findall(self.body.decode())))

    def token(self, word):
        return next(token for token in self.tokens if token.startswith(word))


def usage(prompt=9, completion=12):
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def completion(*contents, message=None, finish="stop", model="upstream-model", **more):
    """A whole answer; one choice for each content."""
    choices = []
    for index, content in enumerate(contents or (None,)):
        said = {"role": "assistant", "content": content, "refusal": None, **(message or {})}
        choices.append({"index": index, "message": said, "logprobs": None, "finish_reason": finish})
    return {
        "id": "chatcmpl-upstream", "object": "chat.completion", "created": 1677652288, "model": model,
        "choices": choices, "usage": usage(), "service_tier": "default", "system_fingerprint": "fp_1", **more,
    }


def chunk(delta=None, index=0, finish=None, **more):
    choices = [] if delta is None else [{"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}]
    return {
        "id": "chatcmpl-upstream", "object": "chat.completion.chunk", "created": 1694268190,
        "model": "upstream-model", "system_fingerprint": "fp_1", "choices": choices, **more,
    }


def sse(event):
    return b"data: " + (event if isinstance(event, str) else json.dumps(event)).encode() + b"\n\n"


def pieces(text, size):
    """Cut into pieces of `size` characters, or at the places of a list."""
    if isinstance(size, int):
        return [text[i : i + size] for i in range(0, len(text), size)] or [""]
    cuts = [0, *size, len(text)]
    return [text[a:b] for a, b in zip(cuts, cuts[1:])]


class Out:
    """The provider's end of a connection."""

    def __init__(self, sock):
        self.sock = sock
        self.chunked = False
        self.closed = False

    def send(self, data):
        self.sock.sendall(data)

    def whole(self, value, status=200, headers=(), kind="application/json"):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        lines = [f"HTTP/1.1 {status} Status", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def begin(self, chunked=True, headers=()):
        """The head of a stream."""
        self.chunked = chunked
        lines = ["HTTP/1.1 200 OK", "Content-Type: text/event-stream; charset=utf-8"]
        lines += ["Transfer-Encoding: chunked"] if chunked else ["Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n")

    def part(self, data):
        if data:
            self.send(b"%x\r\n%s\r\n" % (len(data), data) if self.chunked else data)

    def event(self, event):
        self.part(sse(event))

    def end(self):
        if self.chunked:
            self.send(b"0\r\n\r\n")
        else:
            self.close()

    def stream(self, events, done=True):
        """A whole stream in one write."""
        self.begin()
        data = b"".join(sse(event) for event in events) + (sse("[DONE]") if done else b"")
        self.part(data)
        self.end()

    def speak(self, seen, *texts, size=7, field="content", extra=()):
        """Streams one choice for each text, in pieces that take turns."""
        self.begin()
        parts = [pieces(text, size) for text in texts]
        for index in range(len(texts)):
            self.event(chunk({"role": "assistant", "content": ""}, index))
        for turn in range(max(len(p) for p in parts)):
            for index, p in enumerate(parts):
                if turn < len(p):
                    self.event(chunk({field: p[turn]}, index))
        for event in extra:
            self.event(event)
        for index in range(len(texts)):
            self.event(chunk({}, index, "stop"))
        if (seen.json.get("stream_options") or {}).get("include_usage"):
            self.event(chunk(usage=usage()))
        self.event("[DONE]")
        self.end()

    def close(self):
        self.closed = True
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.sock.close()

    def reset(self):
        self.closed = True
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def gone(self, timeout=TIMEOUT):
        """Whether the gateway closes within the time."""
        self.sock.settimeout(timeout)
        try:
            while self.sock.recv(65536):
                pass
            return True
        except (socket.timeout, TimeoutError):
            return False
        except OSError:
            return True


def echo(seen, out):
    """Says what it got: the default."""
    text = seen.texts
    if seen.json.get("stream"):
        out.speak(seen, *[text] * (seen.json.get("n") or 1))
    elif "input" in seen.json:
        embeddings(seen, out)
    else:
        out.whole(completion(*[text] * (seen.json.get("n") or 1)))


def embeddings(seen, out):
    given = seen.json["input"]
    rows = given if isinstance(given, list) else [given]
    data = [{"object": "embedding", "index": i, "embedding": [0.25, -0.5]} for i in range(len(rows))]
    out.whole({"object": "list", "data": data, "model": "upstream-model",
               "usage": {"prompt_tokens": 5, "total_tokens": 5}})


class Provider:
    """models  the names that GET .../models lists; None: the script answers that as well"""

    def __init__(self, script=echo, tls=None, models=()):
        self.script = script
        self.models = models
        self.tls = tls
        self.seen = []
        self.connections = 0
        self.faults = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                sock = self.tls.wrap_socket(sock, server_side=True)
            rest = b""
            while True:
                while b"\r\n\r\n" not in rest:
                    data = sock.recv(65536)
                    if not data:
                        if rest:
                            self.keep(Seen(b"CUT / HTTP/1.1\r\n", rest))
                        return
                    rest += data
                head, rest = rest.split(b"\r\n\r\n", 1)
                seen = Seen(head, b"")
                length = int(seen.get("content-length") or 0)
                while len(rest) < length:
                    data = sock.recv(1 << 20)
                    if not data:
                        break
                    rest += data
                seen = Seen(head, rest[:length])
                rest = rest[length:]
                out = Out(sock)
                if seen.method == "GET" and self.models is not None:
                    out.whole({"object": "list", "data": [{"id": name, "object": "model"} for name in self.models]})
                    continue
                self.keep(seen)
                self.script(seen, out)
                if out.closed:
                    return
        except (BrokenPipeError, ConnectionResetError):
            pass
        except Exception as error:  # a script of the test went wrong: the test is to know
            self.faults.append(repr(error))
        finally:
            sock.close()

    def keep(self, seen):
        with self.lock:
            self.seen.append(seen)

    @property
    def last(self):
        return self.seen[-1]

    def wait_seen(self, count):
        """Until so many requests have come in all."""
        return wait_until(lambda: len(self.seen) >= count)

    def all_bytes(self):
        with self.lock:
            return b"\n".join(seen.raw for seen in self.seen)

    def close(self):
        self.listener.close()

    def finish(self, tap, values=None):
        from .canary import leaks

        tap.same(self.faults, [], "the scripted provider had no trouble of its own")
        tap.same(leaks(self.all_bytes(), values), [], "the provider saw no value of a request in any encoding")
        self.close()


def sleep_until_gone(seen, out):
    """Never answers."""
    del seen
    out.gone(60)


def now():
    return time.monotonic()
