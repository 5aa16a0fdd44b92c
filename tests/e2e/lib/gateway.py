# SPDX-License-Identifier: Apache-2.0
"""A gateway of our own: its configuration, state folder, process and keys."""

import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading

from .canary import leaks
from .speed import SLOW, binary
from .tap import skip_all
from .wire import TIMEOUT, Client, free_port

KEY = re.compile(rb"ql_[0-9A-Za-z]{12}_[0-9A-Za-z]{32}")
FAULT = re.compile(rb"ERROR: |runtime error:|Sanitizer|[Aa]ssert")
PROVIDER_NAMES = ("OPENAI", "MISTRAL", "ANTHROPIC", "AZURE", "SOTTO", "SSL_CERT", "XDG")


def need_binary():
    if not os.access(binary(), os.X_OK):
        skip_all("the program is not built")


def environment(extra=()):
    env = {k: v for k, v in os.environ.items() if not k.startswith(PROVIDER_NAMES)}
    env.update(extra)
    return env


class Gateway:
    """Started when made; stop() ends it, start() begins it again on the same state.

    config  the configuration as a value; None: without a file
    keys_of another gateway, whose keys this one has from the start
    """

    def __init__(self, config=None, env=(), port=0, admin=False, tls=None, keys_of=None):
        need_binary()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sotto-e2e-"))
        self.state = self.folder / "state"
        self.file = self.folder / "sotto.yaml"
        self.env = dict(env)
        self.asked_port = port
        self.log_file = self.folder / "log"
        self.admin_port = free_port() if admin else None
        self.tls = tls  # (certificate, key)
        self.tls_port = free_port() if tls else None
        self.process = None
        self.out = []
        self.key = None
        self.with_file = config is not None
        if self.with_file:
            self.write(config)
        if keys_of is not None:
            self.copy_keys(keys_of)
        self.start()

    def copy_keys(self, other):
        self.state.mkdir(mode=0o700)
        with sqlite3.connect(other.state / "sotto.db") as source, sqlite3.connect(self.state / "sotto.db") as to:
            source.backup(to)
        (self.state / "sotto.db").chmod(0o600)
        self.key = other.key

    def write(self, config):
        """JSON is YAML."""
        text = config if isinstance(config, str) else json.dumps(config)
        self.file.write_text(text)

    def command(self):
        words = [binary(), "serve", "--state", str(self.state), "--listen", f"127.0.0.1:{self.asked_port}"]
        words += ["--admin", f"127.0.0.1:{self.admin_port or 0}"]
        if self.with_file:
            words += ["--config", str(self.file)]
        if self.tls:
            words += ["--tls-listen", f"127.0.0.1:{self.tls_port}"]
            words += ["--tls-cert", str(self.tls[0]), "--tls-key", str(self.tls[1])]
        return words

    def start(self):
        self.ready = threading.Event()
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), env=environment(self.env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=log, cwd=self.folder,
            )
        self.port = None
        self.out = []
        self.reader = threading.Thread(target=self.read_output, args=(self.process, self.ready, self.out), daemon=True)
        self.reader.start()
        if not self.ready.wait(30 * SLOW) or self.port is None:
            self.kill()
            raise RuntimeError(f"the gateway did not start: {self.out} {self.log()[-3000:]!r}")
        return self

    def read_output(self, process, ready, out):
        for line in process.stdout:
            out.append(line)
            if line.startswith(b"api key: "):
                self.key = line[9:].strip().decode()
            if line.startswith(b"ready: "):
                self.port = int(line.strip().rsplit(b":", 1)[1])
                ready.set()
        ready.set()

    def log(self):
        return self.log_file.read_bytes()

    def log_lines(self):
        return self.log().decode(errors="replace").splitlines()

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout=TIMEOUT):
        status = self.process.wait(timeout)
        self.reader.join(5)
        return status

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.signal(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def rss(self):
        """Resident bytes."""
        for line in open(f"/proc/{self.process.pid}/status", encoding="ascii"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    # --- asking ---

    def client(self, **more):
        return Client(self.port, **more)

    def headers(self, key=None, *more):
        return [("Authorization", f"Bearer {key or self.key}"), ("Content-Type", "application/json"), *more]

    def request(self, method, target, headers=(), body=b""):
        """On a connection of its own."""
        with self.client() as client:
            return client.request(method, target, headers, body)

    def post(self, target, body, headers=(), key=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("POST", target, self.headers(key, *headers), data)

    def chat(self, text="Hello", headers=(), key=None, **fields):
        """`text`: the user's message, or all messages."""
        body = {"model": "gpt-4", "messages": text if isinstance(text, list) else say(text), **fields}
        return self.post("/v1/chat/completions", body, headers, key)

    # --- the command line beside it ---

    def command_line(self, *words, data=b"", env=()):
        return subprocess.run(
            [binary(), *words], input=data, capture_output=True, env=environment(env), timeout=TIMEOUT * 2,
            check=False, cwd=self.folder,
        )

    def keys(self, *words):
        return self.command_line("keys", *words, "--state", str(self.state))

    def make_key(self, *options):
        """A new key, as `sotto keys create` prints it."""
        done = self.keys("create", *options)
        found = KEY.search(done.stdout)
        if done.returncode != 0 or found is None:
            raise RuntimeError(f"keys create {options}: {done.returncode} {done.stdout!r} {done.stderr!r}")
        return found[0].decode()

    # --- the end ---

    def check_files(self, tap, values=None, but=()):
        """No value is in the log or in a file of the state folder."""
        found = [f"log: {leak}" for leak in leaks(self.log(), values)]
        secrets = [self.key] if self.key else []
        for path in sorted(self.state.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                found += [f"{path.name}: {leak}" for leak in leaks(data, values)]
                found += [f"{path.name}: the API key" for key in secrets if key[-32:].encode() in data]
        found += ["log: the API key" for key in secrets if key[-32:].encode() in self.log()]
        found = [leak for leak in found if not any(word in leak for word in but)]
        tap.same(found, [], "neither the log nor the state folder holds a value of a request or the key")

    def finish(self, tap, values=None):
        """Ends it as an operator would, and looks at what it leaves behind."""
        if self.process.poll() is None:
            tap.same(self.stop(), 0, "SIGTERM ends the gateway with status 0")
        else:
            tap.ok(False, "the gateway still runs", f"status {self.process.returncode}: {self.log()[-3000:]!r}")
        self.check_files(tap, values)
        log = self.log()
        fault = FAULT.search(log)
        around = log[max(0, fault.start() - 300):fault.end() + 3600] if fault else b""
        tap.ok(not fault, "the gateway's log tells of no fault", around.decode(errors="replace"))
        self.remove()

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def say(text):
    return [{"role": "user", "content": text}]


def config(provider, **more):
    """One upstream that serves every model, and whatever else the test says."""
    return {
        "upstreams": {"scripted": {"kind": "openai", "url": provider.url + "/v1", "key": "sk-upstream"}},
        "models": {"gpt-4": "scripted", "gpt-3.5-turbo": "scripted", "*": "scripted"},
        **more,
    }
