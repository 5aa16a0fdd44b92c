#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""As a service: what the service manager is told, and a reload under load that drops nothing."""

import json
import pathlib
import signal
import socket
import tempfile
import threading
import time

from lib.gateway import Gateway, config, say
from lib.provider import Provider
from lib.tap import Tap
from lib.wire import Client, text_of, wait_until

t = Tap()
provider = Provider()
folder = tempfile.TemporaryDirectory(prefix="sotto-notify-")
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(str(pathlib.Path(folder.name) / "socket"))
manager.settimeout(20)
gateway = Gateway(config(provider), env={"NOTIFY_SOCKET": manager.getsockname()}, admin=True)


def told():
    """The next message, as a mapping."""
    return dict(line.split("=", 1) for line in manager.recv(4096).decode().splitlines())


@t.case
def ready():
    t.same(told().get("READY"), "1", "the manager is told when requests are served")
    t.same(gateway.chat("Hello").status, 200, "and then they are")


@t.case
def reload_drops_nothing():
    """Requests, whole and streamed, new and kept connections, while the configuration is read anew."""
    stop = threading.Event()
    results, lock = [], threading.Lock()
    text = "Please greet Wilhelmina Ostrander. " * 20

    def work(number):
        while not stop.is_set():
            stream = number % 2 == 0
            try:
                if number % 4 < 2:
                    answer = gateway.chat(text, stream=stream)
                    answers = [answer]
                else:
                    with gateway.client() as client:
                        body = json.dumps({"model": "gpt-4", "messages": say(text), "stream": stream}).encode()
                        answers = [client.request("POST", "/v1/chat/completions", gateway.headers(), body) for _ in range(5)]
                good = all(a.status == 200 and (text_of(a.body) if stream else a.content) == text for a in answers)
                found = "good" if good else repr(answers)[:300]
            except Exception as error:
                found = repr(error)
            with lock:
                results.append(found)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for number in range(12):
        gateway.write(config(provider, privacy={"mode": "standard", "deny": [f"Project{number}"]}))
        gateway.signal(signal.SIGHUP)
        first, second = told(), told()
        if not (first.get("RELOADING") == "1" and int(first["MONOTONIC_USEC"]) > 0 and second.get("READY") == "1"):
            t.ok(False, "reloading and then ready are told", (first, second))
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    bad = [r for r in results if r != "good"]
    t.ok(len(results) > 8 and not bad, f"{len(results)} turns during twelve reloads, none dropped", bad[:3])
    with Client(gateway.admin_port) as client:
        body = client.request("GET", "/metrics").body
    t.has(body, b'sotto_config_reloads_total{result="taken"} 12', "and all twelve were taken")
    gateway.chat("Tell me about Project11.")
    t.lacks(provider.last.texts, "Project11", "the last one counts")


@t.case
def a_wrong_one():
    gateway.write("listen: nonsense")
    gateway.signal(signal.SIGHUP)
    t.same((told().get("RELOADING"), told().get("READY")), ("1", "1"), "a configuration that is not valid is read and left")
    t.same(gateway.chat("Hello").status, 200, "the old one stays")


@t.case
def stopping():
    gateway.signal(signal.SIGTERM)
    t.same(told().get("STOPPING"), "1", "the manager is told of the end")
    t.same(gateway.wait(), 0, "which comes")
    gateway.write(config(provider))
    gateway.start()
    t.ok(wait_until(lambda: gateway.chat("Hello").status == 200), "and a new start serves again")


provider.finish(t)
gateway.finish(t)
manager.close()
folder.cleanup()
t.done()
