#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS on both sides: listener and upstream, and the post-quantum key exchange."""

import json
import pathlib
import shutil
import ssl
import subprocess
import tempfile

from lib import packages
from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config, say
from lib.provider import Provider, completion
from lib.tap import Tap, skip_all
from lib.wire import Client, free_port

if not shutil.which("openssl"):
    skip_all("the openssl program is not installed")

t = Tap()
folder = pathlib.Path(tempfile.mkdtemp(prefix="sotto-tls-"))


def certificate(name, *names):
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
         "-addext", "subjectAltName=" + ",".join(names), "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    return cert, key


own = certificate("gateway", "DNS:localhost", "IP:127.0.0.1")
good = certificate("provider", "DNS:localhost", "IP:127.0.0.1")
other = certificate("other", "DNS:elsewhere.example")


def server_context(pair, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    if version:
        context.maximum_version = version
    return context


provider = Provider(lambda seen, out: out.whole(completion(seen.texts)), tls=server_context(good))
unknown = Provider(tls=server_context(certificate("unknown", "IP:127.0.0.1")))
misnamed = Provider(tls=server_context(other))
bundle = folder / "trust.pem"
bundle.write_bytes(good[0].read_bytes() + other[0].read_bytes())


def upstream(p):
    return {"kind": "openai", "url": p.url + "/v1", "key": "k"}


gateway = Gateway(
    config(provider, upstreams={"good": upstream(provider), "unknown": upstream(unknown), "misnamed": upstream(misnamed)},
           models={"unknown": "unknown", "misnamed": "misnamed", "*": "good"}),
    env={"SSL_CERT_FILE": str(bundle)}, tls=own)
client_context = ssl.create_default_context(cafile=str(own[0]))


def ask(client, text="Hello", **fields):
    return client.request("POST", "/v1/chat/completions", gateway.headers(), json.dumps({"model": "gpt-4", "messages": say(text), **fields}).encode())


@t.case
def listener():
    text = f"Patient {PERSON} wrote from {EMAIL}."
    with Client(gateway.tls_port, tls=client_context) as client:
        t.same(client.sock.version(), "TLSv1.3", "the listener speaks TLS 1.3")
        t.same(ask(client, text).content, text, "a request over TLS, to a provider over TLS")
        t.same(ask(client, text).status, 200, "and another on the same connection")
        large = "word " * 200000
        t.ok(ask(client, large).content == large, "a megabyte each way")
    t.same(gateway.chat(text).content, text, "the plain listener runs beside it")
    t.ok(gateway.out[-1].startswith(b"ready: http://"), "the ready line names the plain one", gateway.out)


@t.case
def old_versions():
    context = ssl.create_default_context(cafile=str(own[0]))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        with Client(gateway.tls_port, tls=context) as client:
            cipher = client.sock.cipher()[0]
            t.ok(cipher.startswith("ECDHE-") and ("GCM" in cipher or "POLY1305" in cipher), "a client without TLS 1.3 gets forward secrecy and AEAD", cipher)
    except (ssl.SSLError, ConnectionResetError):
        t.ok(True, "a client without TLS 1.3 is refused")
    for words in ("AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256"):
        context.set_ciphers(words + ":@SECLEVEL=0")
        try:
            with Client(gateway.tls_port, tls=context) as client:
                t.ok(False, f"{words} is refused", client.sock.cipher())
        except (ssl.SSLError, ConnectionResetError):
            t.ok(True, f"{words} is refused")
    with Client(gateway.tls_port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        t.ok(b"HTTP/1.1 200" not in client.to_end(), "plain HTTP on the TLS port is refused")
    with Client(gateway.tls_port, tls=client_context) as client:
        t.same(client.request("GET", "/v1/models", gateway.headers()).status, 200, "and others are served after that")


@t.case
def upstream_certificates():
    got = gateway.chat("x", model="unknown")
    t.same((got.status, got.error["code"], len(unknown.seen)), (502, "upstream_unreachable", 0), "a provider with a certificate nobody vouches for gets nothing")
    got = gateway.chat("x", model="misnamed")
    t.same((got.status, got.error["code"], len(misnamed.seen)), (502, "upstream_unreachable", 0), "nor one whose certificate names somebody else")


def openssl_client():
    """Words of a program that connects with this group alone and says so; None: there is none."""
    done = subprocess.run(["openssl", "list", "-tls-groups"], capture_output=True, text=True, check=False)
    if "X25519MLKEM768" in done.stdout:
        return ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.tls_port}", "-groups", "X25519MLKEM768", "-CAfile", str(own[0]), "-brief"]
    # Node brings an OpenSSL of its own, which is newer than Debian 12's.
    try:
        node, _ = packages.node(packages.OPENAI_NODE)
    except packages.Missing:
        return None
    program = (f"const s = require('tls').connect({{port: {gateway.tls_port}, host: '127.0.0.1', servername: 'localhost', ecdhCurve: 'X25519MLKEM768', minVersion: 'TLSv1.3',"
               f" ca: require('fs').readFileSync('{own[0]}')}}, () => {{ console.log(s.authorized, s.getProtocol(), 'X25519MLKEM768'); s.end(); }});"
               "s.on('error', (e) => { console.log(String(e.message)); process.exit(1); });")
    return [str(node), "-e", program]


@t.case
def post_quantum():
    words = openssl_client()
    if words is None:
        t.skip("X25519MLKEM768 is negotiated", "no program here knows it")
        return
    done = subprocess.run(words, input="", capture_output=True, text=True, timeout=60, check=False)
    t.ok(done.returncode == 0 and "X25519MLKEM768" in done.stdout + done.stderr, "a client that knows X25519MLKEM768 alone is served", done.stdout + done.stderr)


@t.case
def alpn():
    context = ssl.create_default_context(cafile=str(own[0]))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with Client(gateway.tls_port, tls=context) as client:
        t.same(client.sock.selected_alpn_protocol(), "h2", "ALPN chooses HTTP/2 where the client has it")
    context.set_alpn_protocols(["http/1.1"])
    with Client(gateway.tls_port, tls=context) as client:
        t.same(client.sock.selected_alpn_protocol(), "http/1.1", "and HTTP/1.1 where it has not")
        t.same(client.request("GET", "/v1/models", gateway.headers()).status, 200, "and speaks it")


@t.case
def wrong_files():
    def start(*words):
        return gateway.command_line("serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--state", str(folder / "state"), "--tls-listen", f"127.0.0.1:{free_port()}", *words)

    for name, words in {"no certificate": (), "a certificate that is not there": ("--tls-cert", "/no/such.pem", "--tls-key", str(own[1])),
                        "a key of another": ("--tls-cert", str(own[0]), "--tls-key", str(good[1]))}.items():
        done = start(*words)
        t.ok(done.returncode in (1, 2) and done.stderr.splitlines()[-1].startswith(b"sotto: "), f"{name}: it does not start, and says why", done)


for p in (provider, unknown, misnamed):
    if p is provider:
        p.finish(t)
    p.close()
gateway.finish(t)
shutil.rmtree(folder, ignore_errors=True)
t.done()
