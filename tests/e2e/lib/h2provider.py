# SPDX-License-Identifier: Apache-2.0
"""A provider that speaks HTTP/2 over TLS, stream by stream, over the package h2.

A script is a function of the request and its stream, `script(seen, out)`; each runs in a thread of its own.
"""

import json
import socket
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import hpack

from .provider import Seen, chunk, sse
from .speed import SLOW

TIMEOUT = 60 * SLOW


class H2Seen(Seen):
    """One request; beside what the HTTP/1.1 provider tells: its fields as they came."""

    def __init__(self, fields, body):
        self.fields = [(str(name), str(value)) for name, value in fields]
        self.never_indexed = {str(field[0]) for field in fields if isinstance(field, hpack.NeverIndexedHeaderTuple)}
        pseudo = dict(f for f in self.fields if f[0].startswith(":"))
        plain = [f for f in self.fields if not f[0].startswith(":")]
        head = "\r\n".join([f"{pseudo[':method']} {pseudo[':path']} HTTP/2", *(f"{n}: {v}" for n, v in plain)])
        super().__init__(head.encode("latin-1"), body)
        self.authority = pseudo[":authority"]
        self.scheme = pseudo[":scheme"]


class Stream:
    """The provider's end of one request."""

    def __init__(self, conn, number):
        self.conn = conn
        self.number = number
        self.reset_code = None  # of the gateway's RST_STREAM
        self.over = threading.Event()  # the gateway reset it, or the connection ended
        self.sent = 0

    def head(self, status=200, *fields, end=False):
        with self.conn.changed:
            self.conn.h2.send_headers(self.number, [(":status", str(status)), *fields], end_stream=end)
            self.conn.flush()

    def part(self, data, end=False):
        """As the windows let it through."""
        with self.conn.changed:
            while True:
                room = min(self.conn.h2.local_flow_control_window(self.number), self.conn.h2.max_outbound_frame_size) if not self.over.is_set() else 0
                if self.over.is_set():
                    raise BrokenPipeError
                if room > 0 or not data:
                    piece, data = data[:room], data[room:]
                    self.conn.h2.send_data(self.number, piece, end_stream=end and not data)
                    self.sent += len(piece)
                    self.conn.flush()
                    if not data:
                        return
                else:
                    self.conn.changed.wait(TIMEOUT)

    def whole(self, value, status=200, headers=()):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.head(status, ("content-type", "application/json"), ("content-length", str(len(body))), *headers)
        self.part(body, end=True)

    def begin(self):
        self.head(200, ("content-type", "text/event-stream"))

    def event(self, event):
        self.part(sse(event))

    def say(self, *texts):
        """A stream from its beginning to its end."""
        self.begin()
        for text in texts:
            self.event(chunk({"role": "assistant", "content": text}))
        self.finish()

    def finish(self):
        self.event(chunk({}, 0, "stop"))
        self.part(sse("[DONE]"), end=True)

    def reset(self, code):
        with self.conn.changed:
            self.conn.h2.reset_stream(self.number, code)
            self.conn.flush()
            self.over.set()

    def refuse(self):
        self.reset(h2.errors.ErrorCodes.REFUSED_STREAM)


class Connection:
    def __init__(self, provider, sock, settings):
        self.provider = provider
        self.sock = sock
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="latin-1"))
        self.settings = settings
        self.changed = threading.Condition(threading.RLock())
        self.streams = {}
        self.requests = {}
        self.pings = 0
        self.closed = threading.Event()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.sock.sendall(data)

    def send(self, data):
        """Bytes of the test's own."""
        with self.changed:
            self.sock.sendall(data)

    def goaway(self, last):
        """As a server says it that runs on with what it has begun; h2 itself would take nothing more."""
        self.send(b"\0\0\x08\x07\0\0\0\0\0" + last.to_bytes(4, "big") + b"\0\0\0\0")

    def die(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.shutdown(socket.SHUT_RDWR)

    def take(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.streams[event.stream_id] = Stream(self, event.stream_id)
            self.requests[event.stream_id] = (event.headers, bytearray())
        elif isinstance(event, h2.events.DataReceived):
            self.requests[event.stream_id][1].extend(event.data)
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            fields, body = self.requests.pop(event.stream_id)
            self.provider.begin(H2Seen(fields, bytes(body)), self.streams[event.stream_id])
        elif isinstance(event, h2.events.StreamReset):
            stream = self.streams[event.stream_id]
            stream.reset_code = int(event.error_code)
            stream.over.set()
        elif isinstance(event, h2.events.PingAckReceived):
            self.pings += 1

    def serve(self):
        with self.changed:
            self.h2.initiate_connection()
            self.h2.update_settings(self.settings)  # they hold once the gateway has taken them in
            self.flush()
        while True:
            data = self.sock.recv(65536)
            with self.changed:
                if data:
                    for event in self.h2.receive_data(data):
                        self.take(event)
                    self.flush()
                self.changed.notify_all()
            if not data:
                return

    def end(self):
        with self.changed:
            self.closed.set()
            for stream in self.streams.values():
                stream.over.set()
            self.changed.notify_all()
        self.sock.close()


class H2Provider:
    """settings: the provider's, by code"""

    def __init__(self, context, script, settings=None):
        self.script = script
        self.settings = settings or {}
        self.context = context
        context.set_alpn_protocols(["h2", "http/1.1"])
        self.seen = []
        self.connections = []
        self.faults = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        conn = None
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock = self.context.wrap_socket(sock, server_side=True)
            if sock.selected_alpn_protocol() != "h2":
                raise ValueError(f"no HTTP/2: {sock.selected_alpn_protocol()}")
            conn = Connection(self, sock, self.settings)
            with self.lock:
                self.connections.append(conn)
            conn.serve()
        except (OSError, h2.exceptions.StreamClosedError):
            pass
        except Exception as error:  # the test is to know
            self.faults.append(repr(error))
        finally:
            if conn is not None:
                conn.end()
            sock.close()

    def begin(self, seen, out):
        with self.lock:
            self.seen.append(seen)
        threading.Thread(target=self.run, args=(seen, out), daemon=True).start()

    def run(self, seen, out):
        try:
            self.script(seen, out)
        except (OSError, h2.exceptions.StreamClosedError):
            pass
        except Exception as error:
            self.faults.append(repr(error))

    def close(self):
        self.listener.close()

    def finish(self, tap, values=None):
        from .canary import leaks

        with self.lock:
            data = b"\n".join(seen.raw for seen in self.seen)
        tap.same(self.faults, [], "the scripted provider had no trouble of its own")
        tap.same(leaks(data, values), [], "the provider saw no value of a request in any encoding")
        self.close()
