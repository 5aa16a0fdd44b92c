# SPDX-License-Identifier: Apache-2.0
"""A Valkey or Redis server of our own, and a connection to look into it."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile

from .tap import skip_all
from .wire import TIMEOUT, free_port, wait_until


def program():
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return found
    return None


def need_server():
    if program() is None:
        skip_all("neither valkey-server nor redis-server is installed")


class Error(Exception):
    """An error that the server answers."""


class Valkey:
    """Started when made.  options: lines of its configuration, without port and folder."""

    def __init__(self, *options, password=None, tls=None, start=True):
        self.folder = tempfile.mkdtemp(prefix="sotto-valkey-")
        self.port = free_port()
        self.password = password
        self.options = [*options] + ([f"requirepass {password}"] if password else [])
        self.tls = tls  # (certificate, key, authority)
        self.process = None
        if start:
            self.start()

    def start(self):
        lines = ["save \"\"", "bind 127.0.0.1", f"dir {self.folder}", "enable-debug-command yes", *self.options]
        if self.tls:
            lines += ["port 0", f"tls-port {self.port}", "tls-auth-clients no"]
            lines += [f"tls-cert-file {self.tls[0]}", f"tls-key-file {self.tls[1]}", f"tls-ca-cert-file {self.tls[2]}"]
        else:
            lines.append(f"port {self.port}")
        path = os.path.join(self.folder, "conf")
        with open(path, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [program(), path], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
            )
        wait_until(self.answers, timeout=60)
        return self

    def answers(self):
        if self.tls:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True
            except OSError:
                return False
        try:
            return self.ask("PING") == b"PONG"
        except (OSError, Error, EOFError):
            return False

    def kill(self):
        """As a crash does; what it had in memory is gone."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database=0):
        return f"{'rediss' if self.tls else 'redis'}://127.0.0.1:{self.port}/{database}"

    def ask(self, *words):
        """One command on a connection of its own."""
        with socket.create_connection(("127.0.0.1", self.port), TIMEOUT) as sock:
            reader = sock.makefile("rb")
            if self.password:
                self.send(sock, "AUTH", self.password)
                self.read(reader)
            self.send(sock, *words)
            return self.read(reader)

    @staticmethod
    def send(sock, *words):
        data = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        sock.sendall(b"*%d\r\n" % len(data) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in data))

    def read(self, reader):
        line = reader.readline()
        if not line.endswith(b"\r\n"):
            raise EOFError
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise Error(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else reader.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self.read(reader) for _ in range(int(rest))]
        return rest

    def everything(self):
        """All that it holds, as it would lie on a disk: its own snapshot, and each value."""
        self.ask("CONFIG", "SET", "rdbcompression", "no")
        self.ask("SAVE")
        with open(os.path.join(self.folder, "dump.rdb"), "rb") as file:
            parts = [file.read()]
        for name in self.ask("KEYS", "*"):
            parts.append(name)
            kind = self.ask("TYPE", name)
            if kind == b"hash":
                parts += self.ask("HGETALL", name)
            elif kind == b"zset":
                parts += self.ask("ZRANGE", name, 0, -1)
            else:
                parts.append(self.ask("GET", name))
        return b"\0".join(parts)
