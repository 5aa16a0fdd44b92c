#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""The Python SDK with the profile privatemode."""

import asyncio
import base64
import hashlib
import json
import os
import pathlib
import ssl
import sys
import tempfile

from lib import packages
from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config, need_binary
from lib.provider import Provider, chunk, completion, echo
from lib.tap import Tap, skip_all

need_binary()
try:
    packages.under(packages.venv(*packages.OPENAI_TESTED))
except packages.Missing as missing:
    skip_all(str(missing))

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "sdk/python/src"))
import openai  # noqa: E402  (needs the packages)

import sotto_client  # noqa: E402
from sotto_client import AsyncSecureGPT, CutStream, SealError, SecureGPT, Trust, UntrustedGateway  # noqa: E402

httpx = sotto_client.http.libraries()[0]  # the one of this OpenAI client

t = Tap()
folder = pathlib.Path(tempfile.mkdtemp(prefix="sotto-sdk-"))
os.environ["XDG_CONFIG_HOME"] = str(folder)
TEXT = f"{PERSON} writes from {EMAIL}."
ASK = [{"role": "user", "content": TEXT}]


provider = Provider()
gateway = Gateway(config(provider))
URL = f"http://127.0.0.1:{gateway.port}/v1"


class Watched(httpx.HTTPTransport):
    """Sends; keeps what was sent, and lets `change` (response, its bytes, path) change what comes."""

    def __init__(self, change=None):
        super().__init__()
        self.sent, self._change = [], change

    def handle_request(self, request):
        self.sent.append((request.url.path, dict(request.headers), request.read()))
        response = super().handle_request(request)
        response.request = request
        if self._change is None or (request.url.path.startswith("/privatemode/") and not getattr(self._change, "exchange", False)):
            return response
        return self._change(response, b"".join(response.stream), request.url.path)


def behind(inner, trust=None, **options):
    """An OpenAI client that seals through `inner`."""
    transport = sotto_client.httpx_transport(transport=inner, profile="privatemode", trust=trust)
    return openai.OpenAI(api_key=gateway.key, base_url=URL, max_retries=0, http_client=httpx.Client(transport=transport), **options)


def ask(client, **more):
    return client.chat.completions.create(model="gpt-4", messages=ASK, **more)


def cause(run, kind):
    """The first of what `run` raises and its causes that is exactly of that kind."""
    try:
        run()
    except Exception as error:  # noqa: BLE001  (the chain is what is looked at)
        last = error
        while error is not None and type(error) is not kind:
            error = error.__cause__ or error.__context__
        return error or last
    return None


def refused(run, kind, what, says=""):
    wrong = cause(run, kind)
    t.ok(type(wrong) is kind and says in str(wrong), f"{what} is {kind.__name__}", wrong)


@t.case
def whole():
    """Whole answers"""
    client = SecureGPT(api_key=gateway.key, base_url=URL, profile="privatemode")
    answer = ask(client, temperature=0.7, compliance_mode="hipaa", encryption="x-wing")
    t.same(answer.choices[0].message.content, TEXT, "the answer is restored")
    t.lacks(provider.seen[-1].texts, EMAIL, "the provider saw no address")
    t.same((answer.encryption.scope, answer.encryption.algorithm), ("end_to_end", "x-wing"), "the answer says how it was sealed")
    t.ok(answer.compliance.audit_id.startswith("audit_"), "and which entry of the log it is")
    t.same(ask(client.with_options(timeout=30)).choices[0].message.content, TEXT, "a copy seals too")
    before = len(provider.seen)
    for suite in ("kyber512", "rsa4096", "none"):
        refused(lambda s=suite: ask(client, encryption=s), ValueError, f"the suite {suite}, which the profile lacks,", "has one suite")
    t.same(len(provider.seen), before, "and nothing was sent")
    refused(lambda: SecureGPT(api_key=gateway.key, base_url=URL, profile="other"), ValueError, "a profile that is none", "native, privatemode")


@t.case
def on_the_wire():
    """What leaves the client"""
    inner = Watched()
    client = behind(inner)
    t.same(ask(client).choices[0].message.content, TEXT, "a plain OpenAI client with the transport")
    t.same([path for path, _, _ in inner.sent], ["/privatemode/v1/attest", "/privatemode/v1/secret", "/v1/chat/completions"], "it exchanges a secret first")
    _, headers, body = inner.sent[-1]
    t.ok("privatemode-secret-id" in headers and PERSON.encode() not in body and EMAIL.encode() not in body, "and seals the text", body)
    sent = json.loads(body)
    t.ok(sent["model"] == "gpt-4" and sent["messages"].startswith(headers["privatemode-secret-id"] + ":"), "members are sealed each by itself", sent)
    seen = len(inner.sent)
    ask(client)
    t.same(len(inner.sent), seen + 1, "a secret serves several requests")
    t.ok(client.models.list().data is not None, "lists of models pass")
    refused(lambda: client.files.create(file=b"x", purpose="assistants"), SealError, "what cannot be sealed")


@t.case
def streams():
    """Streams"""
    client = SecureGPT(api_key=gateway.key, base_url=URL, profile="privatemode")
    pieces = [c.choices[0].delta.content or "" for c in ask(client, stream=True) if c.choices]
    t.same("".join(pieces), TEXT, "a stream is opened and restored")
    t.ok(len([p for p in pieces if p]) > 1, "in pieces")
    stream = ask(client, stream=True)
    next(iter(stream))
    stream.close()
    t.same(ask(client).choices[0].message.content, TEXT, "a stream may be left")


@t.case
def asynchronous():
    """The asynchronous client"""

    async def run():
        async with AsyncSecureGPT(api_key=gateway.key, base_url=URL, profile="privatemode") as client:
            answers = await asyncio.gather(*(ask(client) for _ in range(5)))
            t.same({a.choices[0].message.content for a in answers}, {TEXT}, "five at a time")
            stream = await ask(client, stream=True)
            t.same("".join([c.choices[0].delta.content or "" async for c in stream if c.choices]), TEXT, "a stream")

    asyncio.run(run())


@t.case
def errors():
    """Errors"""
    client = SecureGPT(api_key=gateway.key, base_url=URL, profile="privatemode", max_retries=0)
    wrong = cause(lambda: ask(client, temperature=9), openai.BadRequestError)
    t.ok("temperature" in str(wrong), "a sealed error is opened", wrong)
    as_success = behind(Watched(lambda response, data, path: httpx.Response(200, headers=response.headers, content=data)))
    refused(lambda: ask(as_success, temperature=9), SealError, "a sealed error under the status of an answer")
    stranger = SecureGPT(api_key="ql_" + "x" * 12 + "_" + "y" * 32, base_url=URL, profile="privatemode", max_retries=0)
    refused(lambda: ask(stranger), openai.AuthenticationError, "a wrong key")

    def broken(seen, out):
        del seen
        out.begin()
        out.event(chunk({"role": "assistant", "content": "first"}))
        out.close()

    provider.script = broken
    wrong = cause(lambda: list(ask(client, stream=True)), openai.APIError)
    provider.script = echo
    t.ok(type(wrong) is openai.APIError, "a stream that the provider cuts ends in an error", wrong)


def pem():
    return gateway.command_line("keys", "mesh", "--state", str(gateway.state)).stdout


@t.case
def trust():
    """Which gateway is believed"""
    file = folder / "mesh.pem"
    file.write_bytes(pem())
    for what, given in (("bytes", pem()), ("text", pem().decode()), ("a file", file), ("a file's name", str(file))):
        inner = Watched()
        t.same(ask(behind(inner, Trust.mesh_ca(given))).choices[0].message.content, TEXT, f"a mesh CA as {what}")
        t.ok(inner.sent[0][0] == "/privatemode/v1/secret", "which needs not be asked for")
    known = folder / "sotto/known_meshes"
    row = json.loads(known.read_text())
    der = ssl.PEM_cert_to_DER_cert(pem().decode()[pem().decode().index("-----BEGIN CERT"):])
    t.same((row["gateway"], row["mesh_ca_sha256"]), (f"127.0.0.1:{gateway.port}", base64.b64encode(hashlib.sha256(der).digest()).decode()),
           "the first CA is remembered, as `sotto proxy` remembers it")
    other = Gateway(config(provider))
    other_pem = other.command_line("keys", "mesh", "--state", str(other.state)).stdout
    other.finish(t)
    refused(lambda: ask(behind(Watched(), Trust.mesh_ca(other_pem))), UntrustedGateway, "a gateway of another CA", "did not issue")
    known.write_text(known.read_text().replace(row["mesh_ca_sha256"], base64.b64encode(bytes(32)).decode()))
    refused(lambda: ask(behind(Watched())), UntrustedGateway, "another CA than before", "has another mesh CA")
    known.unlink()
    key = base64.b64encode(bytes(32)).decode()
    refused(lambda: ask(behind(Watched(), Trust.pinned(key))), UntrustedGateway, "a trust that names signing keys only", "Trust.mesh_ca()")
    refused(lambda: ask(SecureGPT(api_key=gateway.key, base_url=URL, trust=Trust.mesh_ca(pem()), max_retries=0)), UntrustedGateway,
            "a trust that names a mesh CA only, in the profile native", "native needs another trust")


@t.case
def restarts():
    """A gateway that is restarted and forgot the secret"""
    inner = Watched()
    client = behind(inner)
    ask(client)
    gateway.asked_port = gateway.port
    gateway.stop()
    gateway.start()
    del inner.sent[:]
    t.same(ask(client).choices[0].message.content, TEXT, "the client exchanges a new one by itself")
    t.same([path for path, _, _ in inner.sent], ["/v1/chat/completions", "/privatemode/v1/attest", "/privatemode/v1/secret", "/v1/chat/completions"], "and asks once more")


@t.case
def meddled():
    """What somebody in between may do, each with its own exception"""

    def lines_of(change):
        def changed(response, data, path):
            del path
            return httpx.Response(200, headers=response.headers, content=b"".join(line + b"\n\n" for line in change(data.split(b"\n\n")[:-1])))

        return changed

    def clear(response, data, path):
        del response, data, path
        return httpx.Response(200, json=completion("in the clear"))

    def clear_stream(response, data, path):
        del response, data, path
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=b'data: {"choices": []}\n\ndata: [DONE]\n\n')

    def only_plain(response, data, path):
        del response, data, path
        return httpx.Response(200, json={"id": "x", "usage": {}})

    def flipped(response, data, path):
        del path
        body = json.loads(data)
        field = body["choices"]
        body["choices"] = field[:-1] + ("0" if field[-1] != "0" else "1")
        return httpx.Response(response.status_code, headers=response.headers, json=body)

    def swapped(response, data, path):
        del path
        body = json.loads(data)
        body["choices"], body["created"] = body["created"], body["choices"]
        return httpx.Response(response.status_code, headers=response.headers, json=body)

    def reflected(response, data, path):
        del data, path
        sent = json.loads(response.request.content)
        return httpx.Response(response.status_code, headers=response.headers, json={"choices": sent["messages"]})

    def one(change, stream=False):
        def run():
            answer = ask(behind(Watched(change)), stream=stream)
            return list(answer) if stream else answer

        return run

    def with_status(status):
        return lambda response, data, path: httpx.Response(status, headers=response.headers, content=data)

    for what, run, kind in (
        ("an answer in the clear", one(clear), SealError),
        ("an answer under the status of an error", one(with_status(400)), SealError),
        ("a stream that somebody ends early", one(lines_of(lambda lines: [*lines[:3], b"data: [DONE]"]), True), CutStream),
        ("an answer with nothing sealed in it", one(only_plain), SealError),
        ("a stream in the clear", one(clear_stream, True), SealError),
        ("a changed answer", one(flipped), SealError),
        ("an answer whose members changed places", one(swapped), SealError),
        ("a field of the request that comes back", one(reflected), SealError),
        ("a stream without its end", one(lines_of(lambda lines: lines[:-1]), True), CutStream),
        ("a stream without an event in its middle", one(lines_of(lambda lines: lines[:1] + lines[2:]), True), SealError),
        ("a stream with an event twice", one(lines_of(lambda lines: lines[:2] + lines[1:]), True), SealError),
        ("a stream with two events in another order", one(lines_of(lambda lines: [lines[0], lines[2], lines[1], *lines[3:]]), True), SealError),
        ("a stream that is cut in the middle of a line", one(lambda r, data, path: httpx.Response(200, headers=r.headers, content=data[:-20]), True), SealError),
    ):
        refused(run, kind, what)


@t.case
def exchanges():
    """What somebody in between may do to the exchange of a secret"""

    def changed(name):
        def change(response, data, path):
            if path != "/privatemode/v1/secret":
                return httpx.Response(response.status_code, headers=response.headers, content=data)
            body = json.loads(data)
            raw = bytearray(base64.b64decode(body[name]))
            raw[len(raw) // 2] ^= 1
            return httpx.Response(200, json={**body, name: base64.b64encode(raw).decode()})

        change.exchange = True
        return change

    before = len(provider.seen)
    for name, kind in (("EncapsulatedKey", SealError), ("Signature", SealError), ("MeshCert", UntrustedGateway)):
        refused(lambda n=name: ask(behind(Watched(changed(n)), Trust.mesh_ca(pem()))), kind, f"a changed {name}")
    t.same(len(provider.seen), before, "and nothing was sent")


provider.finish(t)
gateway.finish(t)
t.done()
