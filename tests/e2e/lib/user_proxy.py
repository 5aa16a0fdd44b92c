# SPDX-License-Identifier: Apache-2.0
"""`sotto proxy` on the user's machine, and somebody between it and the gateway."""

import http.client
import http.server
import json
import re
import signal
import socket
import socketserver
import subprocess
import threading

from .gateway import environment
from .provider import chunk, completion
from .speed import binary
from .wire import TIMEOUT


def echo(seen, out):
    """Answers with what it was asked."""
    said = seen.texts
    if not seen.json.get("stream"):
        out.whole(completion(said))
        return
    half = len(said) // 2
    out.stream([chunk({"role": "assistant", "content": ""}), chunk({"content": said[:half]}), chunk({"content": said[half:]}), chunk({}, finish="stop")])


class Last(bytes):
    """What a relay sends before it closes."""


class Relay(socketserver.ThreadingTCPServer):
    """Between proxy and gateway: keeps all bytes, and may change or cut what comes back."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", 0), None)
        self.to, self.seen, self.change = port, bytearray(), lambda data: data
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, address):
        with socket.create_connection(("127.0.0.1", self.to)) as far:
            threading.Thread(target=self.pump, args=(request, far, lambda data: data), daemon=True).start()
            self.pump(far, request, lambda data: self.change(data))

    def pump(self, one, other, change):
        try:
            while data := one.recv(65536):
                self.seen += data
                data = change(data)
                other.sendall(data)
                if isinstance(data, Last):
                    break
            other.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class Middle(http.server.ThreadingHTTPServer):
    """Between proxy and gateway: keeps all that passes, and may change whole answers.

    change(path, answer) edits answer.status, answer.headers (a list) and answer.body in place.
    """

    daemon_threads = True

    def __init__(self, port):
        super().__init__(("127.0.0.1", 0), _Passing)
        self.to, self.asked, self.said, self.change = port, [], [], lambda path, answer: None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def paths(self):
        return [path for path, _, _ in self.asked]


class _Answer:
    def __init__(self, got):
        self.status, self.headers, self.body = got.status, got.getheaders(), got.read()


class _Passing(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        del words

    def pass_on(self):
        middle = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        middle.asked.append((self.path, dict(self.headers), body))
        far = http.client.HTTPConnection("127.0.0.1", middle.to, timeout=TIMEOUT)
        try:
            far.request(self.command, self.path, body, dict(self.headers))
            answer = _Answer(far.getresponse())
        except OSError:
            self.close_connection = True
            return
        finally:
            far.close()
        middle.said.append(answer.body)
        middle.change(self.path, answer)
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = pass_on


class Proxy:
    """One `sotto proxy` with an API key, and a folder in which it keeps whom it knows."""

    def __init__(self, port, *words, key, home):
        command = [binary(), "proxy", "--gateway", f"http://127.0.0.1:{port}/v1", "--listen", "127.0.0.1:0", *words]
        env = environment({"XDG_CONFIG_HOME": str(home), "SOTTO_API_KEY": key})
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        line = self.process.stdout.readline().decode()
        found = re.match(r"ready: http://127\.0\.0\.1:(\d+)$", line)
        if not found:
            raise RuntimeError(f"{line!r} {self.process.stderr.read()!r}")
        self.port = int(found[1])

    def ask(self, body=None, method="POST", path="/v1/chat/completions", headers=None):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        link.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
        answer = link.getresponse()
        try:
            return answer.status, answer.headers, answer.read()
        finally:
            link.close()

    def chat(self, body):
        status, _, answer = self.ask(body)
        return status, json.loads(answer)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(TIMEOUT)
        self.process.stdout.close()
        self.process.stderr.close()
        return status


def text_of(stream):
    """The text of a stream's events, and whether [DONE] was there."""
    datas = [line[6:] for line in stream.decode().splitlines() if line.startswith("data: ")]
    chunks = [json.loads(data) for data in datas if data != "[DONE]"]
    return "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c.get("choices")), datas[-1:] == ["[DONE]"]
