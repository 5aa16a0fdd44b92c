#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""The Python SDK: the OpenAI client, sealed."""

import asyncio
import base64
import json
import os
import pathlib
import sys
import tempfile
import threading

from lib import packages
from lib.canary import EMAIL, PERSON
from lib.gateway import Gateway, config, need_binary
from lib.provider import Provider, chunk, completion, echo
from lib.speed import binary
from lib.tap import Tap, skip_all
from lib.wire import TIMEOUT, free_port, wait_until

need_binary()
try:
    packages.under(packages.venv(*packages.OPENAI_TESTED))
except packages.Missing as missing:
    skip_all(str(missing))

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "sdk/python/src"))
import openai  # noqa: E402  (needs the packages)
from lib import proofs  # noqa: E402

import sotto_client  # noqa: E402
from sotto_client import AsyncSecureGPT, SecureGPT, Trust, evidence, kem, mlkem512, records, sessions  # noqa: E402

httpx = sotto_client.http.libraries()[0]  # the one of this OpenAI client

t = Tap()
folder = pathlib.Path(tempfile.mkdtemp(prefix="sotto-sdk-"))
os.environ["XDG_CONFIG_HOME"] = str(folder)
TEXT = f"{PERSON} writes from {EMAIL}."
ASK = [{"role": "user", "content": TEXT}]
vectors = json.loads((pathlib.Path(__file__).parents[1] / "vectors/native.json").read_text())


def unhex(value):
    return bytes.fromhex(value)


def fails(run, kind):
    try:
        run()
    except kind:
        return True
    return False


def cause(run, kind):
    """The first of what `run` raises and its causes that is exactly of that kind."""
    try:
        run()
    except Exception as error:  # noqa: BLE001  (the chain is what is looked at)
        while error is not None and type(error) is not kind:
            error = error.__cause__ or error.__context__
        return error
    return None


def library():
    """libsotto of this build, where a Python that is not sanitized can load it."""
    file = pathlib.Path(binary()).parent / "src/library/libsotto.so.1"
    data = file.read_bytes() if file.exists() else b""
    return file if b"sotto_mlkem512_new" in data and b"__asan_init" not in data else None


def known_session(row, suite):
    name = row["suite"]
    hello = suite(seed=unhex(row["client_seed"]))
    t.same(hello.public.hex(), row["public_key"], f"{name}: the public key")
    member = {part: base64.b64encode(unhex(row[part])).decode() for part in ("ciphertext", "random", "session", "signature")}
    answer = {**member, "suite": name, "expires_in": row["expires_in"], "renew_in": 1, "tee": row["tee"]}
    key = unhex(row["signing_key"])
    t.same(hello.finish(answer)[1].hex(), row["shared"], f"{name}: the exported secret")
    session = sessions.agree(name, hello, answer, key, 0)
    t.same((session.ident.hex(), session._secret.hex()), (row["session"], row["secret"]), f"{name}: the session")
    for part in ("signature", "session", "random", "ciphertext"):
        changed = dict(answer, **{part: base64.b64encode(bytes([unhex(row[part])[0] ^ 1]) + unhex(row[part])[1:]).decode()})
        t.ok(fails(lambda c=changed: sessions.agree(name, hello, c, key, 0), sotto_client.SealError), f"{name}: another {part} is no session")


@t.case
def known_answers():
    """The known answers of the profile"""
    known = {row["suite"]: row for row in vectors["sessions"]}
    known_session(known["x-wing"], kem.XWing)
    if library() is None:
        t.skip("kyber512: the known answers", "libsotto is not built, or is sanitized")
    else:
        os.environ["SOTTO_LIBRARY"] = str(library())
        known_session(known["kyber512"], kem.Kyber512)
    for row in vectors["requests"]:
        channel = records.Channel(unhex(row["key"]), 1, 0, (row["method"], row["path"], row["model"]))
        t.ok(unhex(row["body"]).endswith(channel.seal(row["text"].encode(), True)), "a request is sealed to the same bytes")
    for row in vectors["answers"]:
        pending = records.Pending(unhex(row["secret"]), unhex(row["request_nonce"]), (row["method"], row["path"], row["model"]))
        opener = pending.stream(row["status"])
        opener.feed(unhex(row["head"]))
        t.same([opener.feed(unhex(r)).decode() for r in row["records"]], row["texts"], "an answer opens")
        opener.end()


@t.case
def reports():
    """Evidence of real machines"""
    data = pathlib.Path(os.environ.get("SOTTO_DATA", "/nonexistent")) / "vectors/attestation"
    if not data.is_dir():
        t.skip("evidence of real machines", "SOTTO_DATA has none")
        return
    at = evidence.datetime.datetime(2026, 2, 10, tzinfo=evidence.datetime.timezone.utc)
    roots = evidence._Roots(None, at)
    for name in ("tdx4.dat", "tdx5.dat"):
        quote = (data / name).read_bytes()
        t.same(len(evidence._read_tdx(quote, roots)["measurement"]), 48, f"{name} is genuine")
        changed = bytearray(quote)
        changed[300] ^= 1
        t.ok(fails(lambda c=bytes(changed): evidence._read_tdx(c, roots), evidence.EvidenceError), f"{name}: a changed bit shows")
    others, leaf = (data / "milan").read_bytes(), (data / "vcek").read_bytes()
    start = 24 * 3
    table = bytes(15) + b"\1" + (start).to_bytes(4, "little") + len(others).to_bytes(4, "little")
    table += evidence._SNP_GUIDS[0] + (start + len(others)).to_bytes(4, "little") + len(leaf).to_bytes(4, "little") + bytes(24)
    report = (data / "snp.bin").read_bytes()
    t.ok(evidence._read_snp(report + table + others + leaf, roots)["debug"], "the report of SEV-SNP is genuine, and one of a guest for debugging")
    changed = bytes([*report[:0x95], report[0x95] ^ 1, *report[0x96:]])
    t.ok(fails(lambda: evidence._read_snp(changed + table + others + leaf, roots), evidence.EvidenceError), "a changed bit of it shows")
    attestation = {"tee": "tdx", "evidence": base64.b64encode((data / "tdx5.dat").read_bytes()).decode()}
    t.ok(fails(lambda: sotto_client.verify_evidence(attestation, bytes(32), bytes(32), at=at), sotto_client.EvidenceError),
         "genuine evidence of somebody else vouches for nothing")


@t.case
def makers():
    """AMD's certificates"""
    folder = pathlib.Path(__file__).parent.parent / "vectors"
    at = evidence.datetime.datetime(2026, 2, 10, tzinfo=evidence.datetime.timezone.utc)
    for name in ("milan", "genoa", "turin"):
        maker, root = evidence._certs((folder / f"amd-{name}.pem").read_bytes())
        root.verify_directly_issued_by(root)
        t.ok(evidence._Roots(None, at)._is_root(root), f"{name}: the root signed itself and is known")
        t.ok(not fails(lambda m=maker, r=root: evidence._Roots(None, at).verify(m, [r]), evidence.EvidenceError), f"{name}: it vouches for the maker's key")
        t.ok(fails(lambda m=maker, r=root: evidence._Roots(evidence.ROOTS[3:], at).verify(m, [r]), evidence.EvidenceError), f"{name}: another maker's root does not")


provider = Provider()
gateway = Gateway(config(provider))
URL = f"http://127.0.0.1:{gateway.port}/v1"


class Tap2(httpx.HTTPTransport):
    """Sends and keeps what was sent."""

    def __init__(self):
        super().__init__()
        self.sent = []

    def handle_request(self, request):
        self.sent.append((request.url.path, dict(request.headers), request.read()))
        return super().handle_request(request)


def has_rsa():
    return any("public_key" in row for row in httpx.get(f"{URL}/seal/keys", timeout=TIMEOUT).json()["suites"])


@t.case
def as_documented():
    """The documented example, with sealing"""
    client = SecureGPT(api_key=gateway.key, base_url=URL)
    for encryption, algorithm in ((None, "x-wing"), ("auto", "x-wing"), ("x-wing", "x-wing"), ("kyber512", "kyber512"), ("rsa4096", "rsa4096")):
        named = {"encryption": encryption} if encryption else {}
        if encryption == "kyber512" and library() is None:
            t.skip("kyber512", "libsotto is not built, or is sanitized")
            continue
        if encryption == "rsa4096":
            t.ok(wait_until(has_rsa, 120), "the gateway makes an RSA key")
        answer = client.chat.completions.create(model="gpt-4", messages=ASK, temperature=0.7, compliance_mode="hipaa", **named)
        t.same(answer.choices[0].message.content, TEXT, f"{algorithm}: the answer is restored")
        t.lacks(provider.seen[-1].texts, EMAIL, "the provider saw no address")
        t.same(answer.encryption.algorithm, algorithm, "the answer says how it was sealed")
        t.same(answer.encryption.scope, "end_to_end", "from end to end")
    t.ok(fails(lambda: client.chat.completions.create(model="gpt-4", messages=ASK, encryption="none"), ValueError), "an unknown suite is refused")
    with_library = os.environ.get("SOTTO_LIBRARY")
    os.environ["SOTTO_LIBRARY"] = str(folder / "no-library.so")
    mlkem512.library.cache_clear()
    before = len(provider.seen)
    wrong = cause(lambda: client.chat.completions.create(model="gpt-4", messages=ASK, encryption="kyber512"), mlkem512.Missing)
    t.ok("needs libsotto" in str(wrong) and len(provider.seen) == before, "without libsotto kyber512 is refused before anything is sent", wrong)
    os.environ.pop("SOTTO_LIBRARY")
    mlkem512.library.cache_clear()
    if with_library:
        os.environ["SOTTO_LIBRARY"] = with_library


@t.case
def on_the_wire():
    """What leaves the client"""
    inner = Tap2()
    client = openai.OpenAI(api_key=gateway.key, base_url=URL, http_client=httpx.Client(transport=sotto_client.httpx_transport(transport=inner)))
    answer = client.chat.completions.create(model="gpt-4", messages=ASK)
    t.same(answer.choices[0].message.content, TEXT, "a plain OpenAI client with the transport")
    path, headers, body = inner.sent[-1]
    t.same((path, headers["content-type"]), ("/v1/chat/completions", "application/vnd.sotto.sealed"), "the request is sealed")
    t.ok("authorization" not in headers, "and bears no key")
    t.ok(PERSON.encode() not in body and EMAIL.encode() not in body, "nor text")
    t.ok(client.models.list().data is not None, "lists of models pass")
    t.ok(fails(lambda: client.files.create(file=b"x", purpose="assistants"), openai.APIConnectionError), "what cannot be sealed is not sent")
    seen = len(inner.sent)
    client.chat.completions.create(model="gpt-4", messages=ASK)
    t.same(len(inner.sent), seen + 1, "a session serves several requests")


@t.case
def streams():
    """Streams"""
    client = SecureGPT(api_key=gateway.key, base_url=URL)
    pieces = [c.choices[0].delta.content or "" for c in client.chat.completions.create(model="gpt-4", messages=ASK, stream=True) if c.choices]
    t.same("".join(pieces), TEXT, "a stream is opened and restored")
    t.ok(len([p for p in pieces if p]) > 1, "in pieces")
    with client.chat.completions.stream(model="gpt-4", messages=ASK) as stream:
        t.same(stream.get_final_completion().choices[0].message.content, TEXT, "the stream helper")
    stream = client.chat.completions.create(model="gpt-4", messages=ASK, stream=True)
    next(iter(stream))
    stream.close()
    t.same(client.chat.completions.create(model="gpt-4", messages=ASK).choices[0].message.content, TEXT, "a stream may be left")


@t.case
def asynchronous():
    """The asynchronous client"""

    async def run():
        async with AsyncSecureGPT(api_key=gateway.key, base_url=URL) as client:
            answers = await asyncio.gather(*(client.chat.completions.create(model="gpt-4", messages=ASK) for _ in range(5)))
            t.same({a.choices[0].message.content for a in answers}, {TEXT}, "five at a time")
            stream = await client.chat.completions.create(model="gpt-4", messages=ASK, stream=True)
            t.same("".join([c.choices[0].delta.content or "" async for c in stream if c.choices]), TEXT, "a stream")

    asyncio.run(run())


@t.case
def cancelled():
    """A request that is cancelled"""
    gone, begun = threading.Event(), threading.Event()

    def waiting(seen, out):
        del seen
        out.begin()
        out.event(chunk({"role": "assistant", "content": "first"}))
        begun.set()
        if out.gone(60):
            gone.set()

    async def run():
        async with AsyncSecureGPT(api_key=gateway.key, base_url=URL) as client:
            await client.chat.completions.create(model="gpt-4", messages=ASK)
            provider.script = waiting

            async def ask():
                async for _ in await client.chat.completions.create(model="gpt-4", messages=ASK, stream=True):
                    pass

            task = asyncio.create_task(ask())
            while not begun.is_set():
                await asyncio.sleep(0.02)
            task.cancel()
            ended = (await asyncio.gather(task, return_exceptions=True))[0]
            provider.script = echo
            answer = await client.chat.completions.create(model="gpt-4", messages=ASK)
            return isinstance(ended, asyncio.CancelledError), answer.choices[0].message.content

    t.same(asyncio.run(run()), (True, TEXT), "a stream is cancelled, and the client goes on")
    t.ok(gone.wait(60), "the provider's stream is closed, too")


@t.case
def copies():
    """Copies of a client"""
    client = SecureGPT(api_key=gateway.key, base_url=URL, compliance_mode="gdpr").with_options(timeout=20, max_retries=0)
    t.same(client.compliance_mode, "gdpr", "keep what the OpenAI client does not know")
    t.same(client.chat.completions.create(model="gpt-4", messages=ASK).choices[0].message.content, TEXT, "and seal")
    raw = client.chat.completions.with_raw_response.create(model="gpt-4", messages=ASK)
    t.same(raw.parse().choices[0].message.content, TEXT, "raw answers are open ones")


@t.case
def errors():
    """Errors"""
    client = SecureGPT(api_key=gateway.key, base_url=URL, max_retries=0)
    t.ok(fails(lambda: client.chat.completions.create(model="gpt-4", messages=ASK, temperature=9), openai.BadRequestError), "a sealed error has its status")
    stranger = SecureGPT(api_key="ql_" + "x" * 12 + "_" + "y" * 32, base_url=URL, max_retries=0)
    t.ok(fails(lambda: stranger.chat.completions.create(model="gpt-4", messages=ASK), openai.AuthenticationError), "a wrong key is told as such")
    nobody = SecureGPT(api_key=gateway.key, base_url=f"http://127.0.0.1:{free_port()}/v1", max_retries=0)
    t.ok(fails(lambda: nobody.chat.completions.create(model="gpt-4", messages=ASK), openai.APIConnectionError), "nobody there")


@t.case
def trust():
    """Which gateway is believed"""
    key = httpx.get(f"{URL}/seal/keys", timeout=TIMEOUT).json()["signing_key"]

    def ask(trust):
        return SecureGPT(api_key=gateway.key, base_url=URL, trust=trust, max_retries=0).chat.completions.create(model="gpt-4", messages=ASK)

    t.same(ask(Trust.pinned(key)).choices[0].message.content, TEXT, "a pinned key")
    other = base64.b64encode(bytes(32)).decode()
    t.ok(fails(lambda: ask(Trust.pinned(other)), sotto_client.UntrustedGateway), "another key is refused")
    t.ok(fails(lambda: ask(Trust.evidence()), sotto_client.UntrustedGateway), "evidence that is missing is refused")
    known = folder / "sotto/known_gateways"
    rows = [json.loads(line) for line in known.read_text().splitlines()]
    t.same([row["signing_key"] for row in rows if row["gateway"] == f"127.0.0.1:{gateway.port}"], [key], "the first key is remembered, once")
    t.same(known.stat().st_mode & 0o777, 0o600, "in a file of one's own")
    known.write_text(known.read_text().replace(key, other))
    t.ok(fails(lambda: ask(Trust.first_use()), sotto_client.UntrustedGateway), "another key afterwards is refused")
    t.ok(fails(lambda: ask(None), sotto_client.UntrustedGateway), "which is what happens unasked")
    known.unlink()


@t.case
def audit_vectors():
    """Answers of the audit log, right and wrong"""
    known = json.loads((pathlib.Path(__file__).parents[1] / "vectors/audit.json").read_text())
    t.same(proofs.vectors(), known, "the known answers are those that lib/proofs.py makes")
    for row in known["answers"]:
        try:
            sotto_client.verify_audit(row["id"], row["answer"].encode(), known["vkey"])
            step = None
        except sotto_client.AuditError as error:
            step = error.step
        t.same(step, row["step"], row["what"])
    for key in ("", "nonsense", known["vkey"][:-1], known["vkey"].replace("log+", "lag+"), known["vkey"].replace("+A", "+B")):
        t.ok(fails(lambda k=key: sotto_client.verify_audit(known["answers"][0]["id"], known["answers"][0]["answer"].encode(), k), ValueError),
             "a log's key that is none is refused")


def vkey():
    return gateway.command_line("audit", "vkey", "--state", str(gateway.state)).stdout.decode().strip()


@t.case
def audited():
    """client.audit()"""
    client = SecureGPT(api_key=gateway.key, base_url=URL, compliance_mode="hipaa")
    answer = client.chat.completions.create(model="gpt-4", messages=ASK)
    entry = client.audit(answer.compliance.audit_id, timeout=60)
    t.same((entry.id, entry.record["mode"], entry.record["outcome"], entry.erased), (answer.compliance.audit_id, "hipaa", "answered", False),
           "the entry of a sealed request")
    t.ok(entry.index < entry.size and entry.origin == vkey().split("+")[0], "its place in the log", entry)
    logs = folder / "sotto/known_logs"
    row = json.loads(logs.read_text())
    t.same((row["gateway"], row["log_key"]), (f"127.0.0.1:{gateway.port}", vkey()), "the log's key is remembered")
    logs.write_text(logs.read_text().replace(vkey(), proofs.Log().signer.vkey))
    t.ok(fails(lambda: client.audit(entry.id), sotto_client.UntrustedLog), "a log with another key than before is refused")
    logs.unlink()
    pinned = SecureGPT(api_key=gateway.key, base_url=URL, log_key=vkey()).with_options(max_retries=0)
    t.ok(pinned.audit(entry.id).record == entry.record and not logs.exists(), "a pinned log's key, which copies keep")
    other = SecureGPT(api_key=gateway.key, base_url=URL, log_key=proofs.Log().signer.vkey)
    t.ok(fails(lambda: other.audit(entry.id), sotto_client.AuditError), "a log that another key signed is refused")
    t.ok(fails(lambda: SecureGPT(api_key=gateway.key, log_key="none"), ValueError), "a key that is none is refused at once")
    t.ok(fails(lambda: client.audit("audit_" + "0" * 22), openai.NotFoundError), "an entry that is not there")
    t.ok(fails(lambda: client.audit("../keys"), ValueError), "what is no id is not asked for")
    stranger = SecureGPT(api_key=gateway.make_key("--name", "stranger"), base_url=URL)
    t.ok(fails(lambda: stranger.audit(entry.id), openai.NotFoundError), "nor of another key")

    async def run():
        async with AsyncSecureGPT(api_key=gateway.key, base_url=URL, log_key=vkey()) as one:
            made = await one.chat.completions.create(model="gpt-4", messages=ASK)
            return (await one.audit(made.compliance.audit_id, timeout=60)).record["id"] == made.compliance.audit_id

    t.ok(asyncio.run(run()), "asynchronously")


@t.case
def erased():
    """An entry whose record was erased"""
    key = gateway.make_key("--name", "leaver")
    client = SecureGPT(api_key=key, base_url=URL, log_key=vkey())
    name = client.chat.completions.create(model="gpt-4", messages=ASK).compliance.audit_id
    client.audit(name, timeout=60)
    done = gateway.command_line("audit", "erase", key[3:15], "--state", str(gateway.state))
    t.same(done.returncode, 0, "a subject is erased")
    entry = client.audit(name, timeout=60)
    t.same((entry.erased, entry.record), (True, None), "the entry is still proved, without its record")


@t.case
def restarts():
    """A gateway that is restarted"""
    client = SecureGPT(api_key=gateway.key, base_url=URL, max_retries=0)
    client.chat.completions.create(model="gpt-4", messages=ASK)
    gateway.asked_port = gateway.port
    gateway.stop()
    gateway.start()
    t.same(client.chat.completions.create(model="gpt-4", messages=ASK).choices[0].message.content, TEXT, "the client begins a new session by itself")


@t.case
def new_keys():
    """A gateway that comes back with other keys"""
    words = {"secrets": {"master": "one master secret of enough length for a gateway"}}
    other = Gateway(config(provider, **words))
    base = f"http://127.0.0.1:{other.port}/v1"
    client = SecureGPT(api_key=other.key, base_url=base, max_retries=0)
    t.same(client.chat.completions.create(model="gpt-4", messages=ASK).choices[0].message.content, TEXT, "a gateway with a secret of its own")
    other.asked_port = other.port
    other.stop()
    other.write(config(provider, secrets={"master": "another master secret of enough length for a gateway"}))
    other.start()
    before = len(provider.seen)
    wrong = cause(lambda: client.chat.completions.create(model="gpt-4", messages=ASK), sotto_client.UntrustedGateway)
    t.ok("signs with another key" in str(wrong) and len(provider.seen) == before, "its new key is refused, and nothing was sent", wrong)
    other.finish(t)


def meddling(change):
    """A client behind somebody who changes the gateway's answers."""

    class Meddling(httpx.HTTPTransport):
        def handle_request(self, request):
            response = super().handle_request(request)
            if "/seal/" in request.url.path:
                return response
            return change(response, b"".join(response.stream))

    return openai.OpenAI(api_key=gateway.key, base_url=URL, max_retries=0,
                         http_client=httpx.Client(transport=sotto_client.httpx_transport(transport=Meddling())))


@t.case
def meddled():
    """What somebody in between may do, each with its own exception"""

    def ask(change, stream=False):
        client = meddling(change)

        def run():
            answer = client.chat.completions.create(model="gpt-4", messages=ASK, stream=stream)
            return list(answer) if stream else answer

        return run

    def lines_of(change):
        def changed(response, data):
            return httpx.Response(200, headers=response.headers, content=b"".join(line + b"\n\n" for line in change(data.split(b"\n\n")[:-1])))

        return changed

    def clear(response, data):
        del response, data
        return httpx.Response(200, json=completion("in the clear"))

    def clear_stream(response, data):
        del response, data
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=b'data: {"choices": []}\n\ndata: [DONE]\n\n')

    def flipped(response, data):
        return httpx.Response(response.status_code, headers=response.headers, content=data[:100] + bytes([data[100] ^ 1]) + data[101:])

    seal, cut = sotto_client.SealError, sotto_client.CutStream
    for what, run, kind in (
        ("an answer in the clear", ask(clear), seal),
        ("a stream in the clear", ask(clear_stream, True), seal),
        ("a changed answer", ask(flipped), seal),
        ("a stream without its last record", ask(lines_of(lambda lines: lines[:-1]), True), cut),
        ("a stream without a record in its middle", ask(lines_of(lambda lines: lines[:1] + lines[2:]), True), seal),
        ("a stream with a record twice", ask(lines_of(lambda lines: lines[:2] + lines[1:]), True), seal),
        ("a stream with two records in another order", ask(lines_of(lambda lines: [lines[0], lines[2], lines[1], *lines[3:]]), True), seal),
        ("a stream that goes on behind its end", ask(lines_of(lambda lines: [*lines, lines[-1]]), True), seal),
        ("a stream that is cut in the middle of a line", ask(lambda r, data: httpx.Response(200, headers=r.headers, content=data[:-40]), True), seal),
    ):
        wrong = cause(run, kind)
        t.ok(type(wrong) is kind, f"{what} is {kind.__name__}", wrong)
    t.ok(not issubclass(sotto_client.UntrustedGateway, seal), "which are other ones than that of a changed key")


provider.finish(t)
gateway.finish(t)
t.done()
