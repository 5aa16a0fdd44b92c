#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""The files of docs/examples, run as they are."""

import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading

from lib import packages
from lib.gateway import Gateway, config, environment
from lib.provider import TOKEN, Provider, chunk, completion
from lib.speed import SLOW, binary
from lib.tap import Tap
from lib.wire import free_port, text_of, wait_until

t = Tap()
ROOT = pathlib.Path(os.environ.get("SOTTO_SOURCE") or pathlib.Path(__file__).resolve().parents[2])
EXAMPLES = ROOT / "docs/examples"
VALUES = ["Margaret Thornbury", "m.thornbury@example.org", "12 March 1961"]


def echo(seen, out):
    text = f"Dear {seen.token('PERSON')}: done."
    if seen.json.get("stream"):
        out.speak(seen, text)
    else:
        out.whole(completion(text, model="upstream-model"))


provider = Provider(echo)
gateway = Gateway(config(provider))
ENV = environment({"SOTTO_URL": f"http://127.0.0.1:{gateway.port}", "SOTTO_KEY": gateway.key, "OPENAI_API_KEY": "sk-of-the-caller"})
WANT = "Dear Margaret Thornbury: done."


def run(*words, data="", env=ENV, folder=None):
    return subprocess.run([str(w) for w in words], input=data, capture_output=True, text=True, timeout=100 * SLOW, check=False, env=env, cwd=folder)


@t.case
def curl():
    if not shutil.which("curl"):
        return t.skip("the examples for curl", "curl is not installed")
    got = run(EXAMPLES / "curl-openai.sh")
    t.ok(got.returncode == 0 and json.loads(got.stdout)["choices"][0]["message"]["content"] == WANT, "curl-openai.sh", got)
    got = run(EXAMPLES / "curl-stream.sh")
    t.ok(got.returncode == 0 and text_of(got.stdout.encode()) == WANT and got.stdout.rstrip().endswith("[DONE]"), "curl-stream.sh", got)
    got = run(EXAMPLES / "curl-phi-header.sh")
    t.ok(got.returncode == 0 and json.loads(got.stdout) == {"content": WANT}, "curl-phi-header.sh", got)
    t.same(provider.last.get("authorization"), "Bearer sk-of-the-caller", "goes to the provider with the caller's key")
    got = run(EXAMPLES / "curl-anonymize.sh")
    t.ok(got.returncode == 0 and json.loads(got.stdout)["choices"][0]["message"]["content"] == WANT, "curl-anonymize.sh", got)
    wrong = run(EXAMPLES / "curl-openai.sh", env={**ENV, "SOTTO_KEY": "ql_x"})
    return t.ok(wrong.returncode != 0 and "invalid_api_key" in wrong.stdout, "a wrong key is a failure of the script", wrong)


@t.case
def sealed_messages():
    """curl-sealed.sh with sealed_messages.py"""
    if not shutil.which("curl"):
        return t.skip("curl-sealed.sh", "curl is not installed")
    try:
        python = packages.venv(*packages.OPENAI_TESTED)
    except packages.Missing as why:
        return t.skip("curl-sealed.sh", str(why))
    authority = gateway.folder / "ca.pem"
    made = gateway.command_line("keys", "mesh", "--export", str(authority), "--state", str(gateway.state))
    t.same(made.returncode, 0, "the gateway's certificate authority is exported")
    env = {**ENV, "PYTHON": str(python), "PYTHONPATH": str(ROOT / "sdk/python/src"), "SOTTO_MESH_CA": str(authority)}
    got = run(EXAMPLES / "curl-sealed.sh", env=env)
    t.ok(got.returncode == 0 and json.loads(got.stdout)["choices"][0]["message"]["content"] == WANT, "curl-sealed.sh", got)
    other = Gateway(config(provider))
    other.command_line("keys", "mesh", "--export", str(authority), "--state", str(other.state))
    other.stop()
    other.remove()
    got = run(EXAMPLES / "curl-sealed.sh", env=env)
    return t.ok(got.returncode != 0 and got.stdout == "", "curl-sealed.sh: a gateway of another authority is refused", got)


@t.case
def pipe():
    got = run(EXAMPLES / "pipe.sh", data="please call Margaret Thornbury, m.thornbury@example.org.\n", env={**ENV, "SOTTO": binary()})
    t.same((got.returncode, got.stdout, got.stderr), (0, "PLEASE CALL Margaret Thornbury, m.thornbury@example.org.\n", ""), "pipe.sh: the tool in the middle saw tokens")


@t.case
def python_client():
    try:
        python = packages.venv(*packages.OPENAI_TESTED)
    except packages.Missing as why:
        return t.skip("openai_client.py", str(why))
    got = run(python, EXAMPLES / "openai_client.py")
    return t.same((got.returncode, got.stdout), (0, f"{WANT}\n{WANT}\n"), "openai_client.py") or print(f"# {got.stderr[-1500:]}")


@t.case
def node_client():
    try:
        node, modules = packages.node(packages.OPENAI_NODE)
    except packages.Missing as why:
        return t.skip("openai-client.mjs", str(why))
    program = modules / "openai-client.mjs"  # a module looks for packages from the folder it lies in
    shutil.copyfile(EXAMPLES / "openai-client.mjs", program)
    got = run(node, program)
    return t.same((got.returncode, got.stdout), (0, f"{WANT}\n{WANT}\n"), "openai-client.mjs") or print(f"# {got.stderr[-1500:]}")


@t.case
def open_webui():
    """What Open WebUI sends with these settings: its package is gigabytes, so the requests are made here."""
    settings = dict(line.split("=", 1) for line in (EXAMPLES / "open-webui.env").read_text().splitlines() if not line.startswith("#"))
    t.same((settings["OPENAI_API_BASE_URL"], settings["OPENAI_API_KEY"][:3]), ("http://127.0.0.1:8484/v1", "ql_"), "open-webui.env: the gateway's address and key")
    configured = json.loads(settings["OPENAI_API_CONFIGS"])["0"]["headers"]
    own = [(name, value.replace("{{CHAT_ID}}", "8d4a3a86-chat")) for name, value in configured.items()]
    models = gateway.request("GET", "/v1/models", gateway.headers())
    t.ok(models.status == 200 and all(row["id"] and row["object"] == "model" for row in models.json["data"]), "open-webui.env: its list of models", models)
    ask = {"model": "gpt-4", "stream": True, "stream_options": {"include_usage": True},
           "messages": [{"role": "user", "content": "Write to Margaret Thornbury."}]}
    got = gateway.post("/v1/chat/completions", ask, headers=own)
    t.same((got.status, text_of(got.body)), (200, WANT), "open-webui.env: a chat, streamed")
    first = TOKEN.findall(provider.last.body.decode())
    got = gateway.post("/v1/chat/completions", {**ask, "messages": [{"role": "system", "content": "Be brief."}, *ask["messages"]]}, headers=own)
    t.same(TOKEN.findall(provider.last.body.decode()), first, "open-webui.env: a person keeps the token in a chat whose beginning changed")
    title = gateway.post("/v1/chat/completions", {**ask, "stream": False, "stream_options": None}, headers=own)
    return t.same(title.status, 200, "open-webui.env: the title of the chat, not streamed")


def slow(go):
    """A stream that waits in the middle."""

    def script(seen, out):
        out.begin()
        out.event(chunk({"role": "assistant", "content": "first "}))
        go.wait(30 * SLOW)
        out.event(chunk({"content": "second"}))
        out.event(chunk({}, finish="stop"))
        out.event("[DONE]")
        out.end()

    return script


def connect(port):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=30 * SLOW))


def is_up(port):
    try:
        connect(port).close()
        return True
    except OSError:
        return False


def request(**fields):
    body = json.dumps({"model": "gpt-4", "messages": [{"role": "user", "content": "Write to Margaret Thornbury."}], **fields}).encode()
    return (f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {gateway.key}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


def through(port, folder):
    t.ok(wait_until(lambda: is_up(port), 20), "nginx takes the example's configuration", (folder / "log").read_text() if (folder / "log").exists() else "")
    with connect(port) as s:
        s.sendall(request())
        got = b"".join(iter(lambda: s.recv(65536), b""))
    t.ok(got.startswith(b"HTTP/1.1 200") and WANT.encode() in got, "a request goes through nginx", got)
    go = threading.Event()
    provider.script = slow(go)
    with connect(port) as s:
        s.sendall(request(stream=True))
        got = b""
        while b"first" not in got:
            piece = s.recv(65536)
            if not piece:
                break
            got += piece
        t.ok(b"first" in got and not go.is_set(), "an event comes through while the provider still waits", got)
        go.set()
        got += b"".join(iter(lambda: s.recv(65536), b""))
    t.ok(b"second" in got and b"[DONE]" in got, "and the stream goes on to its end", got)


@t.case
def nginx():
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None or not shutil.which("openssl"):
        return t.skip("nginx.conf", "nginx or openssl is not installed")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sotto-nginx-"))
    port = free_port()
    text = (EXAMPLES / "nginx.conf").read_text()
    for old, new in (("127.0.0.1:8484", f"127.0.0.1:{gateway.port}"), ("127.0.0.1:8443", f"127.0.0.1:{port}")):
        t.same(text.count(old), 1, f"nginx.conf names {old} once")
        text = text.replace(old, new)
    paths = "".join(f"\t{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(f"daemon off;\nmaster_process off;\npid {folder}/pid;\n" + text.replace("http {\n", "http {\n" + paths, 1))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")], check=True, capture_output=True)
    process = subprocess.Popen([program, "-p", str(folder), "-e", str(folder / "log"), "-c", str(folder / "nginx.conf")], stderr=subprocess.PIPE)
    try:
        through(port, folder)
    finally:
        process.terminate()
        process.wait(20)
    shutil.rmtree(folder)
    return None


@t.case
def listed():
    page = (ROOT / "docs/examples.md").read_text()
    t.same([path.name for path in sorted(EXAMPLES.iterdir()) if f"(examples/{path.name})" not in page], [], "docs/examples.md names all of them")
    t.ok(all(TOKEN.search(seen.body.decode()) for seen in provider.seen if seen.body), "and the provider saw tokens in each")


provider.finish(t, VALUES)
gateway.finish(t, VALUES)
t.done()
