# SPDX-License-Identifier: Apache-2.0
"""An HTTP/2 client, stream by stream, over the package h2."""

import json
import socket
import ssl

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from .speed import SLOW

TIMEOUT = 60 * SLOW


class Answer:
    """What came on one stream so far."""

    def __init__(self):
        self.status = None
        self.headers = {}
        self.body = b""
        self.informed = []  # 1xx
        self.ended = False
        self.reset = None

    @property
    def json(self):
        return json.loads(self.body)


class H2Client:
    """One connection.  strict=False lets a test send what no client may, hold=True fills no window again."""

    def __init__(self, port, trust, strict=True, hold=False):
        context = ssl.create_default_context(cafile=str(trust))
        context.set_alpn_protocols(["h2"])
        self.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT), server_hostname="localhost")
        assert self.sock.selected_alpn_protocol() == "h2"
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding="utf-8", validate_outbound_headers=strict, normalize_outbound_headers=strict))
        self.h2.initiate_connection()
        self.answers = {}
        self.goaway = None
        self.closed = False
        self.hold = hold
        self.agreed = False
        self.flush()
        self.until(lambda: self.agreed)  # the gateway waits for the answer to its settings, but not long

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            self.sock.sendall(data)

    def request(self, method, path, headers=(), body=None, end=True, authority="localhost"):
        """Begins a stream; its number."""
        stream = self.h2.get_next_available_stream_id()
        fields = [(":method", method), (":scheme", "https"), (":authority", authority), (":path", path), *headers]
        self.h2.send_headers(stream, fields, end_stream=end and not body)
        self.answers[stream] = Answer()
        if body:
            self.h2.send_data(stream, body, end_stream=end)
        self.flush()
        return stream

    def upload(self, stream, data):
        """A body larger than the windows; what the gateway does not take any more is left out."""
        answer = self.answers[stream]
        while data and not answer.ended and answer.reset is None:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(data))
            if room:
                self.h2.send_data(stream, data[:room], end_stream=room == len(data))
                data = data[room:]
                self.flush()
            elif not self.read():
                return

    def post(self, key, value, path="/v1/chat/completions", headers=()):
        body = json.dumps(value).encode()
        fields = [("authorization", f"Bearer {key}"), ("content-type", "application/json"), ("content-length", str(len(body))), *headers]
        return self.request("POST", path, fields, body)

    def take(self, event):
        answer = self.answers.get(getattr(event, "stream_id", None), Answer())
        if isinstance(event, h2.events.ResponseReceived):
            answer.headers = dict(event.headers)
            answer.status = int(answer.headers[":status"])
        elif isinstance(event, h2.events.InformationalResponseReceived):
            answer.informed.append(int(dict(event.headers)[":status"]))
        elif isinstance(event, h2.events.DataReceived):
            answer.body += event.data
            if not self.hold:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            answer.ended = True
        elif isinstance(event, h2.events.StreamReset):
            answer.reset = int(event.error_code)
        elif isinstance(event, h2.events.RemoteSettingsChanged):
            self.agreed = True
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = int(event.error_code)

    def read(self):
        """One read; False: the connection is over."""
        try:
            data = self.sock.recv(65536)
        except (ConnectionError, ssl.SSLError):
            data = b""
        if not data:
            self.closed = True
            return False
        try:
            for event in self.h2.receive_data(data):
                self.take(event)
        except h2.exceptions.ProtocolError:
            if self.goaway is None:
                raise
            pass  # h2 takes nothing behind a GOAWAY; what comes is read to the end all the same
        try:
            self.flush()
        except OSError:
            pass  # the gateway has closed behind its GOAWAY
        return True

    def until(self, done):
        """Reads until it is so; whether it ever was."""
        while not done():
            if not self.read():
                return done()
        return True

    def finish(self, stream):
        """The whole answer."""
        answer = self.answers[stream]
        self.until(lambda: answer.ended or answer.reset is not None)
        return answer

    def send(self, data):
        """Bytes of the test's own; False: the connection is over."""
        try:
            self.sock.sendall(data)
            return True
        except OSError:
            return False

    def cancel(self, stream):
        self.h2.reset_stream(stream, error_code=8)
        self.flush()

    def close(self):
        self.sock.close()
