#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""The JavaScript SDK where things go wrong on the way: answers in the clear, callers who leave, gateways that come back."""

import json
import os
import pathlib
import socket
import subprocess
import threading

from lib import packages
from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config, need_binary
from lib.provider import Provider, chunk, echo
from lib.tap import Tap, skip_all
from lib.wire import TIMEOUT, wait_until

need_binary()
try:
    node, folder = packages.node(packages.OPENAI_NODE)
except packages.Missing as missing:
    skip_all(str(missing))

t = Tap()
TEXT = f"{PERSON} writes from {EMAIL}."
PATIENCE = 3 * TIMEOUT


class Relay:
    """Hands connections on to the port that `target` names: one address for a gateway that comes and goes.

    open  pairs of sockets that neither side has closed
    """

    def __init__(self, target):
        self.target = target
        self.open = set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                pair = (client, socket.create_connection(("127.0.0.1", self.target())))
            except OSError:
                client.close()
                continue
            with self.lock:
                self.open.add(pair)
            for one, other in (pair, pair[::-1]):
                threading.Thread(target=self.hand_on, args=(pair, one, other), daemon=True).start()

    def hand_on(self, pair, one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        for sock in pair:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        with self.lock:
            self.open.discard(pair)


provider = Provider()
gateway = Gateway(config(provider, secrets={"master": "one master secret of enough length for a gateway"}))
relay = Relay(lambda: gateway.port)
held = threading.Event()


def hold(seen, out):
    """Says a part, and then waits for its client to leave."""
    out.begin()
    out.event(chunk({"role": "assistant", "content": ""}))
    out.event(chunk({"content": seen.texts}))
    if out.gone(PATIENCE):
        held.set()
    out.close()


def restart():
    gateway.stop()
    gateway.start()
    return wait_until(lambda: not relay.open, PATIENCE)


def asked(what):
    """Does what the program asks for; its answer."""
    if what == "hold":
        held.clear()
        provider.script = hold
    elif what == "echo":
        provider.script = echo
    elif what == "left":
        return {"provider": held.wait(PATIENCE), "gateway": wait_until(lambda: not relay.open, PATIENCE)}
    elif what == "restart":
        return restart()
    elif what == "keys":
        gateway.write(config(provider, secrets={"master": "another master secret of enough length for a gateway"}))
        restart()
    return len(provider.seen)


words = [node, "--no-warnings", pathlib.Path(__file__).parent / "lib/sdk_life.mjs", pathlib.Path(__file__).parents[2] / "sdk/js/src/index.js", folder,
         relay.url, gateway.key, TEXT]
count = 0
with subprocess.Popen([str(word) for word in words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]}) as program:
    for line in program.stdout:
        row = json.loads(line)
        if isinstance(row, str):
            program.stdin.write(json.dumps(asked(row)) + "\n")
            program.stdin.flush()
        else:
            count += 1
            t.ok(*row)
t.ok(program.returncode == 0 and count > 40, "the program came to its end", (program.returncode, count))
t.lacks("".join(seen.texts for seen in provider.seen), EMAIL, "the provider saw no address")

provider.finish(t)
gateway.finish(t)
t.done()
