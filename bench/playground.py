#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How heavy the playground is, and how soon Chromium paints it, beside a page of one line.

Each load is a new page of a browser that runs already; all pages are loaded in turn over loopback.  Nothing
looks into the page before it is painted: what a driver puts into it costs more than the page does, and so
does the start of a profile of its own for each load.  The playground asks for a process of its own
(Cross-Origin-Opener-Policy), which an empty page does not give it: so the page of one line is loaded with
and without.  Wall time means something only on a machine that does
nothing else; the CPU time of the page's own thread until the paint means something on any.

usage: SOTTO=build/sotto bench/playground.py [ROUNDS]
"""

import collections
import http.server
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))

from lib.gateway import Gateway  # noqa: E402  (of the tests)

CATEGORIES = ["devtools.timeline", "toplevel", "loading", "blink.user_timing"]
# Behind the end of what went before, and behind the paint; a page that is not painted by then is waited for again.
QUIET_S, PAINT_S = 0.2, 0.8
# Of the page: when it was painted, and the sizes of its files as sent.
LOOK = ("JSON.stringify([performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null, "
        "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')).map((one) => one.encodedBodySize)])")


class OneLine(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'<!doctype html><title>one line</title><link rel="icon" href="data:,"><p>one line'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        if self.path == "/own":
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Browser:
    """Chromium, spoken to over the pipes of its DevTools protocol."""

    def __init__(self, program):
        self.profile = tempfile.TemporaryDirectory(prefix="sotto-chromium-")
        theirs_in, self.out = os.pipe()
        self.answers, theirs_out = os.pipe()
        # It reads from descriptor 3 and writes to 4.
        words = ["bash", "-c", f'exec 3<&{theirs_in} 4>&{theirs_out}; exec "$@"', "bash", program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                 "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}", "--window-size=1280,900", "about:blank"]
        self.process = subprocess.Popen(words, pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.rest, self.last, self.told = b"", 0, collections.deque()

    def receive(self):
        while b"\0" not in self.rest:
            data = os.read(self.answers, 1 << 20)
            if not data:
                sys.exit("chromium ended")
            self.rest += data
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, session=None, **params):
        self.last += 1
        os.write(self.out, json.dumps({"id": self.last, "method": method, "params": params, **({"sessionId": session} if session else {})}).encode() + b"\0")
        while True:
            message = self.receive()
            if message.get("id") == self.last:
                return message["result"]
            self.told.append(message)

    def trace(self):
        """Ends tracing; what was seen."""
        self.told.clear()
        self.ask("Tracing.end")
        events = []
        while True:
            message = self.told.popleft() if self.told else self.receive()
            if message.get("method") == "Tracing.dataCollected":
                events += message["params"]["value"]
            if message.get("method") == "Tracing.tracingComplete":
                return events

    def load(self, url, traced):
        """ms until the paint, the sizes of the files, CPU ms of the page's thread (None: not traced)."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        time.sleep(QUIET_S)
        if traced:
            self.ask("Tracing.start", transferMode="ReportEvents", traceConfig={"includedCategories": CATEGORIES})
        self.ask("Page.navigate", session, url=url)
        paint = None
        while paint is None:
            time.sleep(PAINT_S)
            paint, sizes = json.loads(self.ask("Runtime.evaluate", session, expression=LOOK, returnByValue=True)["result"]["value"])
        cpu = busy(self.trace()) if traced else None
        self.ask("Target.closeTarget", targetId=target)
        return paint, sizes, cpu

    def stop(self):
        self.ask("Browser.close")
        self.process.wait(30)
        self.profile.cleanup()


def busy(events):
    """CPU ms of the thread that painted, from the navigation to the paint; None: the trace was full, or began late."""
    paint = next((one for one in reversed(events) if one["name"] == "firstContentfulPaint"), None)
    begin = next((one for one in reversed(events) if paint and one["name"] == "navigationStart" and one["pid"] == paint["pid"] and one["ts"] <= paint["ts"]), None)
    if begin is None:
        return None
    return sum(one.get("tdur", 0) for one in events if one["name"] == "ThreadControllerImpl::RunTask" and (one["pid"], one["tid"]) == (paint["pid"], paint["tid"])
               and begin["ts"] <= one["ts"] < paint["ts"]) / 1000


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    program = shutil.which("chromium") or sys.exit("chromium is not installed: scripts/setup browser")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OneLine)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    gateway = Gateway({"upstreams": {"mirror": {"kind": "mirror"}}, "models": {"*": "mirror"}})
    line = f"http://127.0.0.1:{server.server_port}"
    urls = {"one line": f"{line}/", "one line in a process of its own": f"{line}/own", "playground": f"http://127.0.0.1:{gateway.port}/"}
    seen = {name: {"paint": [], "cpu": [], "sizes": []} for name in urls}
    browser = Browser(program)
    try:
        for i in range(rounds + 1):
            for name, url in urls.items():
                paint, sizes, _ = browser.load(url, traced=False)
                cpu = browser.load(url, traced=True)[2]
                if i > 0:  # the first one warms the browser up
                    seen[name]["paint"].append(paint)
                    seen[name]["cpu"] += [] if cpu is None else [cpu]
                    seen[name]["sizes"] = [size for size in sizes if size]
        browser.stop()
    finally:
        gateway.stop()
        gateway.remove()
    for name, got in seen.items():
        print(f"{name}: first contentful paint {spread(got['paint'])} ms, of its thread's CPU {spread(got['cpu'])} ms, {len(got['sizes'])} files, {sum(got['sizes'])} bytes as sent")


def spread(values):
    return f"{statistics.median(values):.0f} [{min(values):.0f} .. {max(values):.0f}]" if values else "unknown"


if __name__ == "__main__":
    main()
