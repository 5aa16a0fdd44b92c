#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What somebody meets first: the guide, the demonstration, errors that say what to do, completion."""

import contextlib
import io
import os
import pathlib
import re
import runpy
import shutil
import socket
import ssl
import subprocess
import tempfile

from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, environment
from lib.speed import SLOW, binary
from lib.tap import Tap
from lib.wire import wait_until

t = Tap()
ROOT = pathlib.Path(os.environ.get("SOTTO_SOURCE") or pathlib.Path(__file__).resolve().parents[2])


class Guided(Gateway):
    def command(self):
        return [*super().command(), "--guide"]


gateway = Guided(None, admin=True)


def wait_for(word):
    """The guide is printed behind the ready line."""
    for _ in range(int(200 * SLOW)):
        if any(word in line for line in gateway.out):
            break
        gateway.reader.join(0.05)
    return b"".join(gateway.out).decode()


@t.case
def guide():
    """--guide, as `make run` asks for it"""
    said = wait_for(b"-d '{")
    for part in (f"playground  http://127.0.0.1:{gateway.port}/", f"base URL    http://127.0.0.1:{gateway.port}/v1",
                 f"health      http://127.0.0.1:{gateway.admin_port}/readyz", "OPENAI_API_KEY"):
        t.has(said, part, f"the guide says: {part.split('  ')[0]}")
    pasted = re.search(r"  curl (.*?)\n\n", said, re.S)[1]
    if shutil.which("curl"):
        done = subprocess.run(["sh", "-c", f"curl -s {pasted}"], capture_output=True, text=True, timeout=60, check=False)
        t.ok('"sent"' in done.stdout and "Margaret Thornbury" in done.stdout, "its request works as it is printed", done)
    else:
        t.ok(gateway.key in pasted and "/v1/chat/completions" in pasted, "its request has address and key", pasted)


@t.case
def second_start():
    gateway.stop()
    gateway.start()
    said = wait_for(b"sotto keys create")
    t.ok("api key:" not in said and "Bearer ql_..." in said and "sotto keys create" in said, "a later start has no key to show and says how to get one", said)


def message(answer):
    return answer.json["error"]["message"]


@t.case
def wrong_key():
    provider = gateway.request("POST", "/v1/chat/completions", [("Authorization", "Bearer sk-abcdef"), ("Content-Type", "application/json")], b"{}")
    t.ok(provider.status == 401 and "ql_" in message(provider) and "provider's key" in message(provider), "a provider's key in the client: it says where that belongs", provider)
    unknown = gateway.post("/v1/chat/completions", {}, key="ql_" + "a" * 12 + "_" + "b" * 32)
    t.ok(unknown.status == 401 and "sotto keys create" in message(unknown), "an unknown key: it says how to make one", unknown)
    t.ok("bbbb" not in message(unknown), "and repeats nothing of it")


@t.case
def wrong_place():
    for path, part in (("/metrics", "admin listener"), ("/readyz", "admin listener"), ("/chat/completions", "ends in /v1"),
                       ("/v1/v1/models", "leave it out"), ("/api/generate", "/v1/chat/completions")):
        answer = gateway.request("GET", path)
        t.ok(answer.status == 404 and part in message(answer), f"GET {path}: it says where to go", answer)
    with socket.create_connection(("127.0.0.1", gateway.admin_port)) as s:
        s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        got = b"".join(iter(lambda: s.recv(4096), b""))
    t.ok(b" 404 " in got and b"other address" in got, "the admin listener sends clients to the other one", got)


@t.case
def unknown_model():
    alone = Gateway({"upstreams": {"m": {"kind": "mirror"}}, "models": {"only-this": "m"}})
    answer = alone.chat("x", model="gpt-9")
    t.ok(answer.status == 404 and answer.json["error"]["code"] == "model_not_found" and "GET /v1/models" in message(answer), "a model that nobody serves: it says where the list is", answer)
    alone.finish(t)


@t.case
def tls_where_there_is_none():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", gateway.port)) as raw:
        try:
            context.wrap_socket(raw)
            t.ok(False, "a TLS client cannot speak to a plain listener")
        except ssl.SSLError:
            t.ok(True, "a TLS client cannot speak to a plain listener")
    t.ok(wait_until(lambda: b"use http://" in gateway.log(), 10), "the log says why", gateway.log()[-500:])


@t.case
def plain_where_tls_is():
    if not shutil.which("openssl"):
        return t.skip("plain HTTP to a TLS listener", "the openssl program is not installed")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sotto-first-"))
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=x",
                    "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    secure = Gateway(None, tls=(cert, key))
    with socket.create_connection(("127.0.0.1", secure.tls_port)) as s:
        s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n" + b"x" * 99)
        got = b"".join(iter(lambda: s.recv(4096), b""))
    t.ok(got.startswith(b"HTTP/1.1 400 ") and b"use https://" in got, "plain HTTP to a TLS listener is told to use https", got)
    t.ok(got.count(b"HTTP/1.1") == 1, "and nothing of it is taken for a request", got)
    secure.finish(t)
    shutil.rmtree(folder)


@t.case
def demonstration():
    """make demo"""
    done = subprocess.run([ROOT / "scripts/demo", binary()], capture_output=True, text=True, timeout=100, check=False, env=environment({"NO_COLOR": "1"}))
    t.same((done.returncode, done.stderr), (0, ""), "the demonstration runs")
    saw = re.findall(r"the provider saw\n(.*)\n", done.stdout)
    t.ok(len(saw) == 3 and all("Thornbury" not in line and re.search(r"PERSON[0-9A-Z]{9}", line) for line in saw), "it shows what the provider saw", done.stdout)
    t.ok("Dear Margaret Thornbury, your" in done.stdout and "Dear |Margaret Thornbury" in done.stdout and "\x1b" not in done.stdout, "and what the user reads, whole and in pieces", done.stdout)
    t.ok(re.search(r"the wire saw.*\n +(?:[0-9a-f]{2} ?){32}\n", done.stdout) and "end_to_end" in done.stdout, "and a sealed request, with what the wire saw", done.stdout)


@t.case
def hostile_answers():
    """What the demonstration shows of an answer that means harm"""
    show = runpy.run_path(str(ROOT / "scripts/demo"), run_name="demo")["show"]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        show("an answer", "\x1b[2J\x1b]0;attack\x07 \u202egnp.exe \x9b31m\r<script>\nsecond" + "x" * 1_000_000)
    said = out.getvalue()
    t.same([c for c in said if not c.isprintable() and c != "\n"], [], "escape sequences and what turns text around do nothing in a terminal")
    t.ok("<script>" in said and "    second" in said and len(said) < 20_000, "markup is text, and a megabyte in one line is cut", len(said))


def completion(shell):
    return subprocess.run([ROOT / "scripts/make-completions", binary(), shell], capture_output=True, text=True, timeout=60, check=True).stdout


@t.case
def bash_completion():
    script = completion("bash") + """
try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }; _sotto; echo "${COMPREPLY[*]}"; }
try sotto re
try sotto serve --tls-c
try sotto keys rot
try sotto keys create --mode h
"""
    got = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    t.same((got.stdout.splitlines(), got.stderr), (["redact restore", "--tls-cert", "rotate", "hipaa"], ""), "bash completes commands, options, commands of commands and values")


@t.case
def fish_completion():
    if not shutil.which("fish"):
        return t.skip("fish completes commands and options", "fish is not installed")
    script = completion("fish") + "\ncomplete -C 'sotto re'\ncomplete -C 'sotto serve --tls-c'\ncomplete -C 'sotto keys rot'\n"
    got = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, timeout=60, check=False,
                         env=environment({"HOME": str(gateway.folder)}))
    t.same([line.split("\t")[0] for line in got.stdout.splitlines()], ["redact", "restore", "--tls-cert", "rotate"], "fish completes commands, options and commands of commands")


@t.case
def zsh_completion():
    if not shutil.which("zsh"):
        return t.skip("zsh takes the completion", "zsh is not installed")
    script = completion("zsh")
    got = subprocess.run(["zsh", "-f", "-n"], input=script, capture_output=True, text=True, timeout=60, check=False)
    t.same((got.returncode, got.stderr), (0, ""), "zsh takes the completion")
    t.ok(all(part in script for part in ("'redact:", "--tls-cert[", "'rotate:")), "which has commands, options and commands of commands", script)


gateway.finish(t, values=[PERSON, EMAIL])
t.done()
