#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 1200
"""The playground: how it is served, and what it does in Chromium.

SOTTO_UPDATE_SHOTS=1 writes docs/images/playground-*.png anew.
"""

import base64
import gzip
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import threading

from lib import packages
from lib.gateway import Gateway, config
from lib.provider import Provider, chunk
from lib.speed import SLOW
from lib.tap import Tap
from lib.wire import Client, build

t = Tap()
ROOT = pathlib.Path(os.environ.get("SOTTO_SOURCE") or pathlib.Path(__file__).resolve().parents[2])
KEY = "ql_playground00_" + "p" * 32
PATHS = {"/": ("text/html", "index.html"), "/playground.js": ("text/javascript", "playground.js"),
         **{f"/seal/{path.name}": ("text/javascript", f"../../sdk/js/src/{path.name}") for path in sorted((ROOT / "sdk/js/src").glob("*.js"))}}
# What scripts/bundle-mlkem made, where it could.
MLKEM = packages.folder().parent / "playground/ml-kem.js"
if MLKEM.exists():
    PATHS["/seal/ml-kem.js"] = ("text/javascript", str(MLKEM))
# Fixed, so that tokens and pictures are the same in each run.
FIXED = {"SOTTO_API_KEY": KEY, "FIXED_MASTER": "a master secret for pictures only, of enough length"}

STYLE = (ROOT / "web/playground/playground.css").read_bytes()


def served_as(name):
    """A file under web/playground as it is served: a page with its stylesheet in it."""
    data = (ROOT / "web/playground" / name).read_bytes()
    return data.replace(b'<link rel="stylesheet" href="playground.css">', b"<style>" + STYLE + b"</style>")


HOSTILE = ("<script>document.title='attack'</script><img src=x onerror=\"alert('attack')\"> \x1b[2J\x1b]0;attack\x07 "
           "\u202egnp.exe [link](javascript:alert(1))")


def hostile(seen, out):
    text = seen.texts
    out.begin()
    if "megabyte" in text:
        out.event(chunk({"role": "assistant", "content": "x" * 1_000_000}))
    elif "cut" in text:
        out.event(chunk({"role": "assistant", "content": "half"}))
        return out.close()
    elif "slow" in text:
        for word in ("one ", "two "):
            out.event(chunk({"role": "assistant", "content": word}))
        threading.Event().wait(1.5 * SLOW)
        out.event(chunk({"content": "three"}))
    else:
        out.event(chunk({"role": "assistant", "content": HOSTILE}))
    out.event(chunk({}, finish="stop"))
    out.event("[DONE]")
    return out.end()


provider = Provider(hostile)
gateway = Gateway({"secrets": {"master": "${FIXED_MASTER}"}, "upstreams": {"mirror": {"kind": "mirror"}}, "models": {"*": "mirror"}}, env=FIXED, admin=True)
bad = Gateway(config(provider), env=FIXED)


@t.case
def served():
    total = 0
    for path, (kind, name) in PATHS.items():
        plain = gateway.request("GET", path)
        data = served_as(name)
        t.ok(plain.status == 200 and plain.body == data, f"GET {path} answers what is in web/playground", plain.status)
        t.same(plain.get("content-type"), f"{kind}; charset=utf-8", f"{path}: its type")
        policy = plain.get("content-security-policy") or ""
        style = base64.b64encode(hashlib.sha256(STYLE).digest()).decode()
        t.ok("default-src 'none'" in policy and f"style-src 'sha256-{style}';" in policy and "unsafe" not in policy and "http" not in policy and "require-trusted-types-for 'script'" in policy,
             f"{path}: a strict policy", policy)
        packed = gateway.request("GET", path, [("Accept-Encoding", "br, gzip")])
        t.ok(packed.get("content-encoding") == "gzip" and gzip.decompress(packed.body) == data, f"{path}: compressed where that is understood")
        total += len(packed.body)
        with gateway.client() as client:
            client.send(build("HEAD", path))
            client.head()
            client.send(build("GET", "/nothing"))
            t.same(client.response().status, 404, f"HEAD {path} has no body: what comes next is the next answer")
    t.ok(total < 100_000, f"the whole page is {total} bytes, compressed: under 100 kB")
    with Client(gateway.admin_port) as client:
        page = client.request("GET", "/")
        t.ok(page.body == served_as("../admin/admin.html") and "default-src 'none'" in page.get("content-security-policy"), "the admin listener has a page of its own")
        t.same([client.request("GET", path).status for path in ("/admin.js", "/playground.js")], [200, 404], "with what it needs, and not the playground's")
    t.same(gateway.request("GET", "/admin.js").status, 404, "which clients' listener does not have")
    refused = gateway.request("POST", "/")
    t.same((refused.status, refused.get("allow")), (405, "GET"), "POST / is refused with what is allowed")
    t.same(gateway.request("GET", "/?x=1").status, 200, "a query changes nothing")
    t.same([gateway.request("GET", path).status for path in ("/index.html", "/playground.css", "/..", "//", "/playground")], [404] * 5, "and there is nothing else")


@t.case
def sources():
    for path in sorted(path for path in (ROOT / "web").glob("*/*.*") if path.parent.name != "mlkem"):  # a list of packages
        text = path.read_text()
        t.ok(not any(word in text for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage", "http://", "https://")) and path.suffix in (".html", ".css", ".js"),
             f"{path.name} writes no markup, keeps nothing and names no other place")


@t.case
def styles():
    text = "Patient Margaret Thornbury called."
    sent = gateway.chat(text, headers=[("x-sotto-explain", "1"), ("x-sotto-style", "redact")], key=KEY).json["sotto"]["sent"]
    t.has(json.dumps(sent), "[PERSON]", "x-sotto-style chooses the style of a request")
    unknown = gateway.chat(text, headers=[("x-sotto-style", "nothing")], key=KEY)
    t.same((unknown.status, unknown.json["error"]["param"]), (400, "x-sotto-style"), "one that is none is refused")
    fixed = gateway.make_key("--style", "redact")
    other = gateway.chat(text, headers=[("x-sotto-style", "token")], key=fixed)
    t.same((other.status, other.json["error"]["param"]), (400, "x-sotto-style"), "a key's own style holds")
    t.same(gateway.chat(text, headers=[("x-sotto-style", "redact")], key=fixed).status, 200, "and may be asked for")


@t.case
def browser():
    """in Chromium"""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        return t.skip("what the page does in a browser", "chromium is not installed: scripts/setup browser")
    try:
        node, modules = packages.node(*packages.BROWSER, name="browser-packages")
    except packages.Missing as why:
        return t.skip("what the page does in a browser", str(why))
    boss = gateway.make_key("--name", "boss", "--scopes", "admin")
    gateway.make_key("--name", "poor", "--tenant", "ward", "--mode", "hipaa", "--monthly-requests", "5")
    vkey = gateway.command_line("audit", "vkey", "--state", str(gateway.state)).stdout.decode().strip()
    words = json.dumps({
        "boss": boss, "vkey": vkey, "brought": MLKEM.exists(),
        "url": f"http://127.0.0.1:{gateway.port}/", "hostile": f"http://127.0.0.1:{bad.port}/", "key": KEY, "admin": f"http://127.0.0.1:{gateway.admin_port}/", "chromium": program,
        "modules": str(modules), "shots": str(ROOT / "docs/images"), "update": os.environ.get("SOTTO_UPDATE_SHOTS") == "1",
    })
    done = subprocess.run([node, str(pathlib.Path(__file__).parent / "lib/playground.mjs"), words], capture_output=True, text=True,
                          timeout=1000, check=False)
    for line in done.stdout.splitlines():
        check = json.loads(line)
        if "note" in check:
            print(f"# {check['note']}", flush=True)
        else:
            t.ok(check["ok"], check["what"], check["detail"])
    return t.same(done.returncode, 0, "the browser went through all of it") or print(f"# {done.stderr[-2000:]}")


bad.finish(t)
gateway.finish(t)
t.done()
