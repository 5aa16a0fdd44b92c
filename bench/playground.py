#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How heavy the playground is, and how soon Chromium paints it, beside a page of one line.

Both pages are loaded in turn over loopback, each with an empty cache.  Wall time means something only on a
machine that does nothing else; the CPU time of the page's own thread until the paint means something on any.

usage: SOTTO=build/sotto bench/playground.py [ROUNDS]
"""

import http.server
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))

from lib import packages  # noqa: E402  (of the tests)
from lib.gateway import Gateway  # noqa: E402

# Prints a line for each load: [URL, ms until the paint, CPU ms of the page's thread until then, sizes of the files].
SCRIPT = """
const path = require("node:path"), { createRequire } = require("node:module");
const [modules, program, rounds, ...urls] = process.argv.slice(1);
const { chromium } = createRequire(path.join(modules, "x.js"))("playwright-core");

/** CPU ms of the thread that painted, from the navigation to the paint. */
function busy({ traceEvents }) {
  const paint = traceEvents.filter((one) => one.name === "firstContentfulPaint").pop();
  const begin = traceEvents.filter((one) => one.name === "navigationStart" && one.pid === paint?.pid && one.ts <= paint.ts).pop();
  if (!begin) return null; // the trace was full, or began late
  return traceEvents.filter((one) => one.name === "ThreadControllerImpl::RunTask" && one.pid === paint.pid && one.tid === paint.tid && one.ts >= begin.ts && one.ts < paint.ts)
    .reduce((sum, one) => sum + one.tdur, 0) / 1000;
}

(async () => {
  const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox", "--disable-gpu"] });
  for (let i = 0; i < Number(rounds); i++) {
    for (const url of urls) {
      for (const traced of [false, true]) {
        const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
        const page = await context.newPage();
        if (traced) await browser.startTracing(page, { categories: ["devtools.timeline", "toplevel", "loading", "blink.user_timing"] });
        await page.goto(url);
        await page.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length !== 0);
        const cpu = traced ? busy(JSON.parse((await browser.stopTracing()).toString())) : null;
        console.log(JSON.stringify([url, traced ? null : await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime), cpu,
          await page.evaluate(() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation")).map((one) => one.encodedBodySize))]));
        await context.close();
      }
    }
  }
  await browser.close();
})();
"""


class OneLine(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"<!doctype html><title>one line</title><p>one line"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    rounds = sys.argv[1] if len(sys.argv) > 1 else "15"
    program = shutil.which("chromium") or sys.exit("chromium is not installed: scripts/setup browser")
    node, modules = packages.node(*packages.BROWSER, name="browser-packages")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OneLine)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    gateway = Gateway({"upstreams": {"mirror": {"kind": "mirror"}}, "models": {"*": "mirror"}})
    urls = {f"http://127.0.0.1:{server.server_port}/": "one line", f"http://127.0.0.1:{gateway.port}/": "playground"}
    try:
        done = subprocess.run([str(node), "-e", SCRIPT, str(modules), program, rounds, *urls], stdout=subprocess.PIPE, text=True, check=True)
    finally:
        gateway.stop()
        gateway.remove()
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    for url, name in urls.items():
        paints = [paint for at, paint, _, _ in rows if at == url and paint is not None]
        busy = [cpu for at, _, cpu, _ in rows if at == url and cpu is not None]
        sizes = [size for size in next(sizes for at, _, _, sizes in rows if at == url) if size]
        print(f"{name}: first contentful paint {spread(paints)} ms, of its thread's CPU {spread(busy)} ms, {len(sizes)} files, {sum(sizes)} bytes as sent")


def spread(values):
    return f"{statistics.median(values):.0f} [{min(values):.0f} .. {max(values):.0f}]"


if __name__ == "__main__":
    main()
