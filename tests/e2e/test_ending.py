#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGTERM at a moment of its own choosing, under load: streams, large bodies, keys that change.

What is in the hands of a side thread when the end comes is the hard part, so the time to drain is
short and large bodies are many.
"""

import json
import random
import signal
import threading
import time

from lib.gateway import Gateway, config
from lib.provider import Provider, chunk, completion
from lib.speed import SLOW
from lib.tap import Tap
from lib.wire import build

t = Tap()
CHAT = "/v1/chat/completions"
ROUNDS = 4


def answer(seen, out):
    if not seen.json.get("stream"):
        time.sleep(0.01)
        return out.whole(completion("ok " + (seen.tokens or ["none"])[0]))
    out.begin()
    for number in range(40):
        out.event(chunk({"content": f"{number} "}))
        time.sleep(0.005)
    out.event(chunk({}, finish="stop"))
    out.event("[DONE]")
    return out.end()


provider = Provider(answer)
gateway = Gateway(config(provider, limits={"drain": "300ms"}))
TEXT = "Patient Margaret Thornbury, m.thornbury@example.org, came on Monday. "
BODIES = [json.dumps({"model": "gpt-4", "stream": stream, "messages": [{"role": "user", "content": TEXT * count}]}).encode()
          for stream, count in ((False, 1), (True, 1), (False, 1200), (False, 4000), (True, 1500))]


def ask(over, chance):
    """One client: requests, pipelined at times, until the gateway is gone."""
    headers = gateway.headers()
    while not over.is_set():
        try:
            with gateway.client(timeout=10 * SLOW) as client:
                while not over.is_set():
                    count = chance.choice((1, 1, 3))
                    client.send(b"".join(build("POST", CHAT, headers, chance.choice(BODIES)) for _ in range(count)))
                    for _ in range(count):
                        client.response()
        except Exception:  # whatever the end does to a client
            time.sleep(0.01)


@t.case
def ends_under_load():
    for number in range(ROUNDS):
        over = threading.Event()
        chance = random.Random(number)
        clients = [threading.Thread(target=ask, args=(over, random.Random(number * 100 + i)), daemon=True) for i in range(6)]
        for client in clients:
            client.start()
        time.sleep(chance.uniform(0.2, 0.8) * SLOW)
        if number % 2:  # requests wait for the new keys when the end comes
            gateway.make_key("--name", f"n{number}")
        gateway.signal(signal.SIGTERM)
        if number % 3 == 0:
            gateway.signal(signal.SIGHUP)
        status = gateway.wait(60 * SLOW)
        over.set()
        for client in clients:
            client.join(30 * SLOW)
        if not t.same(status, 0, f"round {number}: SIGTERM under load ends the gateway with status 0"):
            print("\n".join("# " + line for line in gateway.log_lines()[-60:]))
        gateway.start()


gateway.finish(t)
t.done()
