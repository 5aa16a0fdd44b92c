# SPDX-License-Identifier: Apache-2.0
"""HTTP over a plain socket: what goes out is exactly what the test wrote."""

import json
import socket
import ssl
import time

from .speed import SLOW

TIMEOUT = 20 * SLOW


class Closed(Exception):
    """The other side closed before the answer was complete."""


class Response:
    def __init__(self, status, reason, headers, body=b"", pieces=()):
        self.status = status
        self.reason = reason
        self.headers = headers  # list of (lower-case name, value)
        self.body = body
        self.pieces = list(pieces)  # chunks of a chunked body, as they were framed

    def get(self, name):
        for key, value in self.headers:
            if key == name.lower():
                return value
        return None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def content(self):
        return self.json["choices"][0]["message"]["content"]

    @property
    def error(self):
        return self.json["error"]

    def events(self):
        return events(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:600]!r}>"


def events(body):
    """Payloads of a stream of `data:` events; strict about their form.  Comments are left out."""
    assert body == b"" or body.endswith(b"\n\n"), f"the stream does not end with an event: {body[-80:]!r}"
    found = []
    for block in body.decode().split("\n\n")[:-1]:
        if block.startswith(":") and "\n" not in block:
            continue
        assert block.startswith("data: ") and "\n" not in block, f"not one data line: {block!r}"
        found.append(block[6:])
    return found


def chunks(body):
    """The JSON of each event but the closing [DONE]."""
    return [json.loads(data) for data in events(body) if data != "[DONE]"]


def text_of(body, index=0, field="content"):
    """What a client puts together from a stream, for one choice."""
    return "".join(
        choice["delta"].get(field) or ""
        for chunk in chunks(body)
        for choice in chunk.get("choices", ())
        if choice["index"] == index
    )


def build(method, target, headers=(), body=b"", host="localhost"):
    """A well-formed request."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Client:
    """One connection.  Knows just enough to read an answer; sends bytes as given."""

    def __init__(self, port, host="127.0.0.1", tls=None, timeout=TIMEOUT, receive_buffer=None):
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(timeout)
        self.sock.connect((host, port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.sock = tls.wrap_socket(self.sock, server_hostname="localhost")
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.sock.close()
        except OSError:
            pass

    def reset(self):
        """Closes with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close()

    def send(self, data):
        self.sock.sendall(data)

    def more(self):
        try:
            data = self.sock.recv(65536)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError):
            data = b""
        if not data:
            raise Closed(self.rest)
        self.rest += data
        return data

    def until(self, mark):
        while mark not in self.rest:
            self.more()
        data, self.rest = self.rest.split(mark, 1)
        return data + mark

    def take(self, count):
        while len(self.rest) < count:
            self.more()
        data, self.rest = self.rest[:count], self.rest[count:]
        return data

    def head(self):
        """Status line and header fields of the next answer that is no 1xx."""
        while True:
            lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")[:-2]
            version, status, *reason = lines[0].split(" ", 2)
            assert version == "HTTP/1.1", lines[0]
            fields = []
            for line in lines[1:]:
                name, value = line.split(":", 1)
                fields.append((name.lower(), value.strip()))
            if not 100 <= int(status) <= 199:
                return Response(int(status), reason[0] if reason else "", fields)

    def chunk(self):
        """The next chunk of a chunked body; b"" is the end."""
        size = int(self.until(b"\r\n")[:-2], 16)
        data = self.take(size)
        assert self.take(2) == b"\r\n"
        return data

    def response(self):
        answer = self.head()
        if answer.get("transfer-encoding"):
            while True:
                piece = self.chunk()
                if not piece:
                    break
                answer.pieces.append(piece)
            answer.body = b"".join(answer.pieces)
        elif answer.get("content-length") is not None:
            answer.body = self.take(int(answer.get("content-length")))
        else:
            answer.body = self.to_end()
        return answer

    def to_end(self):
        try:
            while True:
                self.more()
        except Closed:
            data, self.rest = self.rest, b""
            return data

    def is_closed(self, timeout=TIMEOUT):
        """Whether the other side closes within the time, without sending more."""
        self.sock.settimeout(timeout)
        try:
            return self.rest == b"" and self.sock.recv(1) == b""
        except (ConnectionResetError, BrokenPipeError):
            return True
        except (socket.timeout, TimeoutError):
            return False

    def request(self, method, target, headers=(), body=b""):
        self.send(build(method, target, headers, body))
        return self.response()


def wait_until(check, timeout=TIMEOUT, step=0.01):
    """Polls until `check()` is true; returns its last result."""
    end = time.monotonic() + timeout
    while True:
        result = check()
        if result or time.monotonic() > end:
            return result
        time.sleep(step)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
