# SPDX-License-Identifier: Apache-2.0
"""What the provider does for the real clients, chosen by the model's name; the same for Python and Node."""

import json
import threading
import time

from .canary import EMAIL, PERSON
from .provider import chunk, completion, echo, embeddings, pieces, usage

ASK = f"Patient {PERSON} wrote from {EMAIL}."
WANT = f"Dear {PERSON}, we write to {EMAIL}."


def text(seen):
    return f"Dear {seen.token('PERSON')}, we write to {seen.token('EMAIL')}."


class Scenarios:
    def __init__(self):
        self.tries = {}
        self.lock = threading.Lock()
        self.gone = threading.Event()

    def __call__(self, seen, out):
        body = seen.json
        if "input" in body:
            return embeddings(seen, out)
        name = body["model"].replace("-", "_")
        with self.lock:
            self.tries[name] = count = self.tries.get(name, 0) + 1
        return getattr(self, name, self.other)(seen, out, body, count)

    @staticmethod
    def other(seen, out, body, count):
        del body, count
        echo(seen, out)

    @staticmethod
    def plain(seen, out, body, count):
        del count
        if body.get("stream"):
            out.speak(seen, *[text(seen)] * (body.get("n") or 1), size=3)
        else:
            out.whole(completion(*[text(seen)] * (body.get("n") or 1)))

    @staticmethod
    def tools(seen, out, body, count):
        del count
        arguments = json.dumps({"to": seen.token("EMAIL"), "name": seen.token("PERSON")})
        call = {"id": "call_1", "type": "function", "function": {"name": "mail", "arguments": arguments}}
        if not body.get("stream"):
            return out.whole(completion(None, finish="tool_calls", message={"tool_calls": [call]}))
        events = [chunk({"role": "assistant", "content": None}),
                  chunk({"tool_calls": [{"index": 0, **call, "function": {"name": "mail", "arguments": ""}}]})]
        events += [chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}) for part in pieces(arguments, 4)]
        return out.stream([*events, chunk({}, finish="tool_calls"), chunk(usage=usage())])

    @staticmethod
    def structured(seen, out, body, count):
        del count
        answer = json.dumps({"name": seen.token("PERSON"), "mail": seen.token("EMAIL")})
        if body.get("stream"):
            out.speak(seen, answer, size=5)
        else:
            out.whole(completion(answer))

    def busy(self, seen, out, body, count):
        """Refuses twice, then answers."""
        if count % 3:
            return out.whole({"error": {"message": "slow down", "type": "rate_limit_error", "param": None, "code": "rate_limit_exceeded"}}, 429, [("retry-after-ms", "10")])
        return self.plain(seen, out, body, count)

    @staticmethod
    def failing(seen, out, body, count):
        del seen, body, count
        out.whole({"error": {"message": "the model fell over", "type": "server_error", "param": None, "code": None}}, 500)

    @staticmethod
    def refused(seen, out, body, count):
        del body, count
        out.whole({"error": {"message": f"I do not know {seen.token('PERSON')}", "type": "invalid_request_error", "param": "messages", "code": "odd"}}, 400)

    @staticmethod
    def broken(seen, out, body, count):
        del body, count
        out.begin()
        for part in pieces(text(seen), 9)[:4]:
            out.event(chunk({"content": part}))
        time.sleep(0.05)
        out.close()

    def endless(self, seen, out, body, count):
        """Goes on until the client leaves."""
        del body, count
        out.begin()
        try:
            for number in range(2000):
                out.event(chunk({"content": f"{number} {seen.token('PERSON')} "}))
                time.sleep(0.01)
        except OSError:
            self.gone.set()
