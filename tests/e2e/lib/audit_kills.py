# SPDX-License-Identifier: Apache-2.0
"""Kills a gateway under load, again and again, and asks its audit log for every answer it gave."""

import random
import threading
import time

from .gateway import Gateway, config
from .provider import Provider, completion
from .speed import SLOW


def kills(t, rounds, clients=4, seed=1, longest_s=1.0):
    """longest_s  how long a gateway lives at most before it is killed"""
    provider = Provider(lambda seen, out: out.whole(completion("ok")))
    gateway = Gateway(config(provider))
    chance = random.Random(seed)
    answered, lock = [], threading.Lock()

    def ask(over):
        while not over.is_set():
            try:
                got = gateway.chat("Hello")
                if got.status == 200:
                    with lock:
                        answered.append(got.get("x-sotto-audit-id"))
            except Exception:  # the gateway is being killed
                time.sleep(0.01)

    for number in range(rounds):
        over = threading.Event()
        threads = [threading.Thread(target=ask, args=(over,), daemon=True) for _ in range(clients)]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.0, longest_s) * SLOW)
        gateway.kill()
        over.set()
        for thread in threads:
            thread.join(30 * SLOW)
        try:
            gateway.start()
        except RuntimeError as error:
            t.ok(False, f"after kill {number} the gateway starts", str(error)[-1500:])
            return
    t.ok(answered, f"{len(answered)} requests were answered before {rounds} kills")
    time.sleep(1.5)
    key = gateway.command_line("audit", "vkey", "--state", str(gateway.state)).stdout.decode().strip()
    done = gateway.command_line("audit", "verify", str(gateway.state / "audit"), "--vkey", key)
    t.same(done.returncode, 0, "the log is whole")
    with gateway.client() as client:
        lost = [name for name in answered if client.request("GET", f"/v1/audit/{name}", gateway.headers()).status != 200]
    t.same(lost, [], "every request that was answered is in it")
    gateway.remove()
