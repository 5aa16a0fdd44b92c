#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""Sealed conversations: a client of the Privatemode protocol and one of document 002."""

import base64
import json
import os
import pathlib
import shutil
import subprocess

from lib import packages
from lib.canary import EMAIL, PERSON, leaks
from lib.gateway import Gateway, config
from lib.memory import Marks, processes, readable, search
from lib.provider import Provider, chunk, completion, echo, usage
from lib.speed import is_sanitized
from lib.tap import Tap, skip_all
from lib.wire import TIMEOUT, wait_until

try:
    packages.under(packages.venv("cryptography", packages.CRYPTOGRAPHY))
except packages.Missing as missing:
    skip_all(str(missing))

from lib import sealed  # noqa: E402  (needs what the lines above installed)

t = Tap()
provider = Provider()
gateway = Gateway(config(provider))
client = sealed.Client(gateway)
TEXT = f"{PERSON} writes from {EMAIL}."
ASK = [{"role": "user", "content": TEXT}]


provider.script = echo


def count():
    return len(provider.seen)


@t.case
def vectors():
    """The known answers of the protocol, made by others"""
    folder = os.environ.get("SOTTO_DATA")
    path = pathlib.Path(folder or "/nonexistent") / "vectors" / "privatemode-vector.json"
    if not path.exists():
        t.skip("known answers of the protocol", "SOTTO_DATA has none")
        return
    vector = json.loads(path.read_text())
    pair = sealed.XWing(bytes.fromhex(vector["skRm"]))
    t.same(pair.public.hex(), vector["PublicKey_hex"], "the client of this test makes the public key of the vector")
    secret = sealed.export(pair.open(bytes.fromhex(vector["EncapsulatedKey_hex"])))
    t.same(secret.hex(), vector["inference_secret"], "and exports its secret")
    exchange = sealed.Exchange(secret, vector["secret_id"], bytes.fromhex(vector["exchange_nonce"]))
    t.same(exchange.open_object(vector["request_encrypted"], sealed.PLAIN_REQUEST), vector["request_plain"], "and opens its request")


@t.case
def attest():
    document = client.attest()
    t.same(document["attested"], False, "without a TEE the evidence says so")
    t.same((document["tee"], document["raw_attestation_doc"], len(document["manifests"])), ("none", "", 1),
           "and there is none; one manifest names the authority")
    shown = gateway.keys("mesh")
    t.ok(shown.returncode == 0 and base64.b64decode(document["mesh_ca"]) in shown.stdout, "sotto keys mesh shows the same authority", shown)
    file = gateway.folder / "ca.pem"
    t.same(gateway.keys("mesh", "--export", str(file)).returncode, 0, "sotto keys mesh --export writes it")
    t.same(file.read_bytes(), base64.b64decode(document["mesh_ca"]), "into the file that was named")
    for body in (b"", b"{}", b'{"Nonce":"AAAA"}', b'{"Nonce":7}', b'{"Nonce":"' + b"!" * 44 + b'"}'):
        response = client.post("/privatemode/v1/attest", body)
        t.same((response.status, response.get("privatemode-encrypted")), (400, "false"), f"attest refuses {body[:20]!r}")
    response = client.post("/privatemode/v1/attest", b"{}", key=False)
    t.same(response.status, 401, "attest needs a key")
    t.same(gateway.request("GET", "/privatemode/v1/attest", gateway.headers()).status, 405, "and POST")


@t.case
def share():
    pair = sealed.XWing()
    response = client.share(pair)
    t.same(response.status, 200, "a secret is exchanged, signed by a leaf of the authority")
    t.ok((response.get("x-sotto-audit-id") or "").startswith("audit_"), "which has its record", response.headers)
    t.same(client.share(pair).status, 400, "the same public key a second time is refused: its secret stays")
    bad = {
        "too short": pair.public[:-1], "too long": pair.public + b"\0", "empty": b"",
        "coefficients out of range": b"\xff" * 1184 + os.urandom(32), "a point of small order": sealed.XWing().public[:1184] + bytes(32),
    }
    for what, public in bad.items():
        response = client.post("/privatemode/v1/secret", {"PublicKey": base64.b64encode(public).decode()})
        t.same((response.status, response.get("privatemode-encrypted")), (400, "false"), f"a public key is refused that is {what}")
    t.same(client.post("/privatemode/v1/secret", {"PublicKey": base64.b64encode(sealed.XWing().public).decode()}, key=False).status, 401,
           "an exchange needs a key")


@t.case
def whole_answer():
    body = {"messages": ASK, "model": "gpt-4", "temperature": 0.5, "cache_salt": "s" * 32, "max_tokens": 100}
    response = client.ask(**body)
    seen = provider.seen[-1]
    t.same(leaks(response.body, [PERSON, EMAIL]), [], "the answer on the wire holds no value")
    answer = client.whole(response)
    t.same(leaks(seen.raw, [PERSON, EMAIL]), [], "the provider saw tokens in place of values")
    t.same(answer["choices"][0]["message"]["content"], TEXT, "the client reads them back")
    t.same((seen.json["temperature"], seen.json["max_tokens"], "cache_salt" in seen.json), (0.5, 100, False), "fields pass, the salt does not")
    told = answer["encryption"]
    t.same((told["algorithm"], told["scope"]), ("x-wing", "end_to_end"), "encryption says how, in its sorted place")
    t.ok(told["key_id"].startswith("key_") and len(told["key_id"]) == 16 and told["overhead_ms"] >= 0, "with the key's id and the time it took")
    t.same((answer["compliance"]["mode"], answer["compliance"]["audit_id"]), ("standard", response.get("x-sotto-audit-id")),
           "compliance stands sealed beside it; the record's id is a header too")
    t.ok(response.json["id"].startswith("chatcmpl-") and response.json["usage"] == usage(), "id and usage are plain")
    t.same(set(response.json) - sealed.PLAIN_ANSWER - {k for k, v in response.json.items() if isinstance(v, str) and v.count(":") == 3}, set(),
           "everything else is sealed")


@t.case
def stream():
    response = client.ask(messages=ASK, model="gpt-4", stream=True)
    t.same(response.get("content-type"), "text/event-stream", "a stream")
    chunks = client.stream(response)
    t.same("".join(c["delta"].get("content") or "" for part in chunks for c in part["choices"]), TEXT, "its pieces come to the text")
    t.same(chunks[-1]["usage"], usage(), "usage is told, as these clients expect")
    t.same(chunks[-1]["encryption"]["scope"], "end_to_end", "and encryption with it")


@t.case
def stream_answered_whole():
    provider.script = lambda seen, out: out.whole(completion(seen.texts))
    response = client.ask(messages=ASK, model="gpt-4", stream=True)
    provider.script = echo
    chunks = client.stream(response)
    t.same((response.get("content-type"), "".join(c["delta"].get("content") or "" for part in chunks for c in part["choices"])), ("text/event-stream", TEXT),
           "a provider that answers whole: a stream with the text")
    t.same((chunks[-1]["usage"], chunks[-1]["encryption"]["scope"]), (usage(), "end_to_end"), "and with usage and encryption at its end")


@t.case
def long_lines():
    """A piece of 300 kB is cut into lines that the clients can read"""
    word = "é\u0001x" * 60000

    def huge(seen, out):
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": json.dumps({"a": "y" * 90000})}}
        out.stream([chunk({"role": "assistant", "content": word}), chunk({"tool_calls": [call]}), chunk({}, finish="stop")])

    provider.script = huge
    chunks = client.stream(client.ask(messages=ASK, model="gpt-4", stream=True))
    provider.script = echo
    deltas = [c["delta"] for part in chunks for c in part["choices"]]
    t.same("".join(d.get("content") or "" for d in deltas), word, "the text is whole")
    t.same([d["role"] for d in deltas if "role" in d], ["assistant"], "the role is told once")
    calls = [c for d in deltas for c in d.get("tool_calls", ())]
    t.same("".join(c["function"].get("arguments", "") for c in calls), json.dumps({"a": "y" * 90000}), "the arguments are whole")
    t.same([(c["id"], c["function"]["name"]) for c in calls if "id" in c], [("call_1", "f")], "the call is named once")


@t.case
def without_a_key():
    response = client.ask(messages=ASK, model="gpt-4", key=False)
    t.same(client.whole(response)["choices"][0]["message"]["content"], TEXT, "a secret that was exchanged with a key speaks for it")
    other = gateway.make_key("--name", "other")
    friend = sealed.Client(gateway, key=other, ca=client.ca)
    friend.secret, friend.name = client.secret, client.name
    t.same(friend.whole(friend.ask(messages=ASK, model="gpt-4"))["model"], "gpt-4", "another key may use a secret that its client knows")
    response = client.ask(messages=ASK, model="gpt-4", headers=[("x-api-key", other)])
    t.same(response.status, 401, "two keys that differ are refused")
    mine = sealed.Client(gateway, key=other)
    mine.begin()
    gateway.keys("revoke", other[3:15])
    t.same(mine.ask(messages=ASK, model="gpt-4", key=False).status, 401, "the secret of a revoked key opens nothing")


@t.case
def embeddings():
    provider.script = lambda seen, out: out.whole({"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}],
                                                   "model": "m", "usage": {"prompt_tokens": 1, "total_tokens": 1}})
    response = client.ask("/v1/embeddings", plain={"model"}, input=TEXT, model="gpt-4")
    t.same(client.whole(response)["data"][0]["embedding"], [0.5], "embeddings are sealed too")
    t.same(leaks(provider.seen[-1].raw, [PERSON, EMAIL]), [], "and masked")
    provider.script = echo


@t.case
def other_routes():
    for path in ("/v1/completions", "/v1/audio/transcriptions", "/unstructured/v1"):
        before = count()
        response = client.post(path, {"model": "gpt-4"}, *client.headers())
        t.same((response.status, response.get("privatemode-encrypted")), (501, "false"), f"{path}: a route that is not served is said to be none, in the clear")
        t.same(count(), before, "and nothing is forwarded")
    t.same(gateway.request("POST", "/v1/completions", gateway.headers(), b"{}").status, 404, "other clients get what they expect")


@t.case
def no_anonymize():
    plain = sealed.Client(gateway, key=gateway.make_key("--no-anonymize"), ca=client.ca)
    said = "Write to Leonora Vance, leonora.vance@example.org."
    ask = [{"role": "user", "content": said}]
    plain.whole(plain.ask(messages=ask, model="gpt-4"))
    t.same(provider.seen[-1].texts, said, "a key may say that sealed requests stay as they are")
    plain.whole(plain.ask(messages=ask, model="gpt-4", compliance_mode="hipaa"))
    t.lacks(provider.seen[-1].texts, "leonora", "but not where a mode asks for more")


@t.case
def policy():
    text = "rules=allow-good,allow-unknown; revocation-time-not-before=1700000000"
    client.begin()
    name, mac = "Privatemode-NVIDIA-OCSP-Policy", "Privatemode-NVIDIA-OCSP-Policy-MAC"
    good = [(name, text), (mac, client.mac(text))]
    t.same(client.ask(messages=ASK, model="gpt-4", headers=good).status, 200, "a policy with its code passes")
    before = count()
    for what, headers in {"another text": [(name, text + " "[:0] + "x"), good[1]], "no code": good[:1], "no text": good[1:],
                          "another code": [good[0], (mac, client.mac("x"))]}.items():
        response = client.ask(messages=ASK, model="gpt-4", headers=headers)
        t.same((response.status, "no secret for ID" in response.error["message"]), (500, True), f"a policy is refused with {what}")
    t.same(count(), before, "nothing of it was forwarded")


# --- refusals ------------------------------------------------------------------------------------------


def refused(what, body, *headers, want=None):
    """Sends a request that must be refused as all others are."""
    before = count()
    response = client.post("/v1/chat/completions", body, *(headers or client.headers()))
    got = (response.status, response.body, response.get("privatemode-encrypted"), response.get("x-content-type-options"), count() - before)
    if want is not None and got == want:
        return True
    return t.same(got, want or got, f"refused: {what}")


def good(**more):
    return client.begin().seal_object({"messages": ASK, "model": "gpt-4", "temperature": 0.5, **more})


@t.case
def one_refusal():
    body = good()
    t.same(client.post("/v1/chat/completions", body, *client.headers()).status, 200, "a request passes")
    before = count()
    response = client.post("/v1/chat/completions", body, *client.headers())
    want = (500, response.body, "false", "nosniff", 0)
    t.ok(response.status == 500 and "no secret for ID" in response.error["message"] and count() == before,
         "the same request again is refused, in words that make the clients exchange a new secret", response)
    body = good()
    swapped = {**body, "messages": body["temperature"], "temperature": body["messages"]}
    other = good()
    cases = {
        "fields swapped": swapped,
        "a field of another request": {**body, "temperature": other["temperature"]},
        "a field left out": {k: v for k, v in body.items() if k != "messages"},
        "a field added": {**body, "user": body["temperature"]},
        "a field in the clear": {**body, "user": "me"},
        "a field that is no string": {**body, "temperature": 0.5},
        "nothing sealed": {"model": "gpt-4", "stream": False},
        "an empty field": {**body, "temperature": ""},
        "too many fields": {**body, **{f"f{i}": "x" for i in range(300)}},
        "a huge field": {**body, "temperature": "A" * 3_000_000},
        "an array": [body],
        "no JSON": b'{"messages":',
    }
    for what, case in cases.items():
        refused(what, case, want=want)
    t.ok(True, "each of them in the same words")
    refused("an unknown secret", body, ("Privatemode-Secret-ID", "A" * 43 + "="), want=want)
    refused("an id that is none", body, ("Privatemode-Secret-ID", "x"), want=want)
    refused("an empty id", body, ("Privatemode-Secret-ID", ""), want=want)
    stranger = sealed.Exchange(os.urandom(32), client.name)
    refused("sealed with another key", stranger.seal_object({"messages": ASK, "model": "gpt-4"}), want=want)
    response = client.post("/v1/chat/completions", body, *client.headers(("Accept", "text/event-stream")), key=True)
    t.same(response.status, 200, "what was refused before it was whole was not used up")
    response = client.post("/v1/chat/completions", body, *client.headers(("Accept", "text/event-stream")))
    t.ok(response.status == 500 and response.body.startswith(b"event: error\n\ndata: {") and response.get("content-type") == "text/event-stream",
         "who wants events gets the refusal as one", response)
    response = client.post("/v1/chat/completions", body, *client.headers(), key=False)
    t.same(response.status, 401, "without a key a request that does not open is unauthenticated")
    response = client.post("/v1/chat/completions", body, ("Privatemode-Secret-ID", "A" * 43 + "="), key=False)
    t.same((response.status, b"no secret for ID" in response.body), (401, True), "as is one of an unknown secret")


@t.case
def every_bit():
    """Each bit of each sealed field"""
    body = client.begin().seal_object({"messages": "x", "model": "gpt-4"})
    response = client.post("/v1/chat/completions", {**body, "messages": "?"}, *client.headers())
    want = (500, response.body, "false", "nosniff", 0)
    field, wrong = body["messages"], []
    with gateway.client() as connection:
        for i in range(len(field)):
            for bit in range(7):
                c = chr(ord(field[i]) ^ (1 << bit))
                data = json.dumps({**body, "messages": field[:i] + c + field[i + 1:]}).encode()
                before = count()
                headers = [("Authorization", f"Bearer {client.key}"), *client.headers()]
                response = connection.request("POST", "/v1/chat/completions", headers, data)
                got = (response.status, response.body, response.get("privatemode-encrypted"), response.get("x-content-type-options"),
                       count() - before)
                if got != want:
                    wrong.append((i, bit, got))
    t.same(wrong[:3], [], f"all {7 * len(field)} are refused in the same words and nothing is forwarded")
    response = client.post("/v1/chat/completions", body, *client.headers())
    t.same(response.status, 400, "and the request itself opens")


@t.case
def sealed_errors():
    response = client.ask(messages=[], model="gpt-4")
    t.same((response.status, list(response.json), response.get("privatemode-encrypted")), (400, ["error"], None), "an error about the text")
    t.has(client.exchange.open_object(response.json)["error"]["message"], "messages", "is sealed")
    provider.script = lambda seen, out: out.whole({"error": {"message": f"no {seen.texts}", "type": "t", "param": None, "code": "c"}}, 422)
    response = client.ask(messages=ASK, model="gpt-4")
    t.same(leaks(response.body, [PERSON, EMAIL]), [], "an error of the provider")
    t.same((response.status, client.exchange.open_object(response.json)["error"]["message"]), (422, f"no {TEXT}"), "is restored and sealed")

    def breaks(seen, out):
        out.stream([chunk({"role": "assistant", "content": "one "}), {"error": {"message": "late", "type": "t"}}], done=False)

    provider.script = breaks
    response = client.ask(messages=ASK, model="gpt-4", stream=True)
    lines = [json.loads(b[6:]) for b in response.body.decode().split("\n\n") if b.startswith("data: {")]
    opened = [client.exchange.open_object(line) for line in lines]
    t.ok("error" in opened[-1] and "[DONE]" not in response.body.decode(), "an error in mid-stream is a sealed line, and no [DONE] follows",
         opened)
    provider.script = echo


# --- document 002 ----------------------------------------------------------------------------------------


def continuum(body, *headers, **more):
    return client.post("/v1/chat/completions", body, ("Content-Type", "application/json"), *headers, **more)


class Continuum(sealed.Client):
    """As document 002 has it: no header, no version."""

    def post(self, path, body, *headers, key=True):
        lines = [("Authorization", f"Bearer {self.key}")] if key else []
        return self.gateway.request("POST", path, [*lines, *headers], json.dumps(body).encode())


old = Continuum(gateway, ca=client.ca)
CONTENT = ("Content-Type", "application/json")


def open_choices(exchange, answer):
    return {**answer, "choices": json.loads(exchange.open(answer["choices"]))}


@t.case
def document_002():
    exchange = old.begin()
    response = old.post("/v1/chat/completions", {"model": "/model", "messages": exchange.seal(json.dumps(ASK))}, CONTENT)
    printed = ["id", "object", "created", "model", "system_fingerprint", "choices", "usage"]
    t.same((response.status, sorted(set(response.json) - {"service_tier"})), (200, sorted(printed)), "the answer has what the document prints")
    t.same((response.json["object"], response.json["model"], response.json["usage"]), ("chat.completion", "/model", usage()), "as it prints it")
    t.same(open_choices(exchange, response.json)["choices"][0]["message"]["content"], TEXT, "choices opens to the answer")
    t.same(leaks(provider.seen[-1].raw, [PERSON, EMAIL]), [], "the provider saw tokens")
    for what, plain in {"messages": json.dumps(ASK), "one message": json.dumps(ASK[0]), "a JSON string": json.dumps(TEXT), "a prompt": TEXT}.items():
        exchange = old.begin()
        response = old.post("/v1/chat/completions", {"model": "/model", "message": exchange.seal(plain)}, CONTENT)
        t.same(open_choices(exchange, response.json)["choices"][0]["message"]["content"], TEXT, f"message may be {what}")


@t.case
def document_002_streams():
    exchange = old.begin()
    body = {"model": "/model", "messages": exchange.seal(json.dumps(ASK)), "stream": True, "temperature": 0.1}
    response = old.post("/v1/chat/completions", body, CONTENT)
    chunks = [json.loads(data) for data in response.events() if data != "[DONE]"]
    t.same(response.events()[-1], "[DONE]", "a stream of events")
    text = "".join(c["delta"].get("content") or "" for part in chunks for c in json.loads(exchange.open(part["choices"])))
    t.same(text, TEXT, "one field a chunk, counted on")
    exchange = old.begin()
    body["messages"] = exchange.seal(json.dumps(ASK))
    response = old.post("/v1/chat/completions", body, CONTENT, ("Accept", "application/x-ndjson"))
    t.same(response.get("content-type"), "application/x-ndjson", "bare lines for who wants them")
    lines = response.body.decode().splitlines()
    text = "".join(c["delta"].get("content") or "" for line in lines for c in json.loads(exchange.open(json.loads(line)["choices"])))
    t.same(text, TEXT, "with the same text")
    t.ok(all(set(json.loads(line)) >= {"id", "object", "created", "model", "choices"} for line in lines), "and the fields that are printed")


@t.case
def document_002_answered_whole():
    provider.script = lambda seen, out: out.whole(completion(seen.texts))
    for accept in ("text/event-stream", "application/x-ndjson"):
        exchange = old.begin()
        body = {"model": "/model", "messages": exchange.seal(json.dumps(ASK)), "stream": True}
        response = old.post("/v1/chat/completions", body, CONTENT, ("Accept", accept))
        parts = [line.removeprefix("data: ") for line in response.body.decode().splitlines() if line and line != "data: [DONE]"]
        text = "".join(c["delta"].get("content") or "" for part in parts for c in json.loads(exchange.open(json.loads(part)["choices"])))
        t.same((response.get("content-type").split(";")[0], text), (accept, TEXT), "a whole answer of the provider becomes the stream that was asked for")
    provider.script = echo


@t.case
def document_002_refusals():
    exchange = old.begin()
    before = count()
    sealed_text = exchange.seal(json.dumps(ASK))
    for what, body in {
        "the document's own placeholder": {"model": "/model", "messages": "<encrypted-payload>"},
        "a flipped digit": {"model": "/model", "messages": sealed_text[:-1] + ("0" if sealed_text[-1] != "0" else "1")},
        "an unknown id": {"model": "/model", "messages": "A" + sealed_text[1:] if sealed_text[0] != "A" else "B" + sealed_text[1:]},
        "an empty string": {"model": "/model", "message": ""},
    }.items():
        response = old.post("/v1/chat/completions", body, CONTENT)
        t.same((response.status, response.error["code"]), (400, "not_sealed"), f"a string that is no sealed message is a 400: {what}")
    t.same(old.post("/v1/chat/completions", {"model": "/model", "messages": "<encrypted-payload>"}, CONTENT, key=False).status, 401,
           "without a key a 401")
    t.same(count(), before, "nothing of it was forwarded")
    exchange = old.begin()
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.test/y.png"}}]}]
    response = old.post("/v1/chat/completions", {"model": "/model", "messages": exchange.seal(json.dumps(image))}, CONTENT)
    t.same(response.status, 400, "image_url is refused")
    t.has(json.loads(exchange.open(response.json["error"]))["message"], "image_url", "with a sealed error")
    exchange = old.begin()
    body = {"model": "/model", "messages": exchange.seal(json.dumps(ASK))}
    t.same(old.post("/v1/chat/completions", body, CONTENT, key=False).status, 200, "no key is needed once a secret is exchanged")
    t.same(old.post("/v1/chat/completions", body, CONTENT).status, 400, "a request seen before is refused")


def untouched(exchange, fields):
    """What a client still opens when one byte of one of these fields is another one."""
    wrong = []
    for name, field in fields.items():
        for i in range(len(field)):
            fresh = sealed.Exchange(client.secret, client.name, exchange.nonce)
            fresh.received = list(fields).index(name)
            try:
                fresh.open(field[:i] + chr(ord(field[i]) ^ 1) + field[i + 1:])
                wrong.append((name, i))
            except (sealed.Broken, ValueError):
                pass
    return wrong, sum(map(len, fields.values()))


@t.case
def every_byte_of_answers():
    for what, stream in {"an answer": False, "a stream": True}.items():
        response = client.ask(messages=ASK, model="gpt-4", stream=stream)
        documents = [json.loads(data) for data in response.events() if data != "[DONE]"] if stream else [response.json]
        fields = {f"{i} {key}": part[key] for i, part in enumerate(documents) for key in sorted(part, key=sealed.sort_key) if key not in sealed.PLAIN_ANSWER}
        wrong, size = untouched(client.exchange, fields)
        t.same(wrong[:3], [], f"{what}: none of {size} bytes of {len(fields)} fields can be another one")
    exchange = old.begin()
    response = old.post("/v1/chat/completions", {"model": "/model", "messages": exchange.seal(json.dumps(ASK))}, CONTENT)
    wrong, size = untouched(exchange, {"choices": response.json["choices"]})
    t.same(wrong[:3], [], f"continuum-2024: none of {size} bytes")


@t.case
def every_byte_of_document_002():
    exchange = old.begin()
    field, wrong, before = exchange.seal(json.dumps(ASK)), [], count()
    for i in range(len(field)):
        changed = field[:i] + chr(ord(field[i]) ^ 1) + field[i + 1:]
        response = old.post("/v1/chat/completions", {"model": "/model", "messages": changed}, CONTENT)
        if (response.status, response.error["code"]) != (400, "not_sealed"):
            wrong.append((i, response))
    t.same((wrong[:2], count()), ([], before), f"a bit of each of {len(field)} bytes flipped: all are refused, and nothing is forwarded")
    t.same(old.post("/v1/chat/completions", {"model": "/model", "messages": field}, CONTENT).status, 200, "the message itself opens")


# --- JavaScript -------------------------------------------------------------------------------------------


@t.case
def javascript():
    try:
        node, modules = packages.node(*packages.HPKE, name="node-hpke")
    except packages.Missing as missing:
        t.skip("a client in JavaScript", str(missing))
        return
    program = modules / "privatemode.mjs"
    shutil.copyfile(pathlib.Path(__file__).parent / "lib/privatemode.mjs", program)
    file = gateway.folder / "ca.pem"
    gateway.keys("mesh", "--export", str(file))
    body = {"model": "gpt-4", "messages": ASK, "temperature": 0.25}
    asked = [[profile, {**body, "stream": stream}] for profile in ("privatemode", "continuum-2024") for stream in (False, True)]
    done = subprocess.run([str(node), str(program), f"http://127.0.0.1:{gateway.port}", gateway.key, str(file), json.dumps(asked)],
                          capture_output=True, text=True, timeout=TIMEOUT * 6, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    t.same(len(answers), 4, f"a client in JavaScript with the exported authority asks {done.stderr[-500:]}")
    for (profile, said), objects in zip(asked, answers):
        parts = [c.get("delta", c.get("message")) for one in objects for c in one["choices"]]
        t.same("".join(part.get("content") or "" for part in parts), TEXT, f"{profile} with stream {said['stream']} comes to the text")


# --- what is left ----------------------------------------------------------------------------------------


@t.case
def retention():
    """Neither the opened text nor the answer before it was sealed stays in memory"""
    if is_sanitized() or not readable():
        t.skip("memory is searched", "sanitizers keep freed memory, and only root may read a process's")
        return
    marks = Marks()
    quiet = Gateway(config(provider))
    try:
        mine, before = sealed.Client(quiet), Continuum(quiet)
        mine.begin()
        before.secret, before.name, before.ca = mine.secret, mine.name, mine.ca
        for i in range(6):
            ask = [{"role": "user", "content": f"{marks.text(f'request {i}')} for {PERSON}"}]
            mine.whole(mine.ask(messages=ask, model="gpt-4", user=marks.text("a field")))
            mine.stream(mine.ask(messages=ask, model="gpt-4", stream=True))
            exchange = before.begin()
            body = {"model": "/model", "message": exchange.seal(marks.text("a prompt"))}
            t.same(before.post("/v1/chat/completions", body, CONTENT).status, 200, "document 002")
            mine.post("/v1/chat/completions", mine.exchange.seal_object({"messages": ask, "model": "gpt-4"}), *mine.headers())
        left = wait_until(lambda: None if any(search(pid, marks) for pid in processes(quiet.process.pid)) else True, 5)
        t.ok(left, "no text of a request or an answer is left", [line for pid in processes(quiet.process.pid) for line in search(pid, marks)][:5])
    finally:
        quiet.remove()


# --- the life of secrets ---------------------------------------------------------------------------------


@t.case
def expiry():
    short = Gateway(config(provider, sealing={"life": "1s"}))
    brief = sealed.Client(short)
    brief.begin()

    def anew():
        """Another secret, and a request under it: on a busy machine that may take longer than it lives."""
        brief.secret = None
        return brief.ask(messages=ASK, model="gpt-4").status == 200

    wait_until(lambda: brief.ask(messages=ASK, model="gpt-4").status != 200)
    response = brief.ask(messages=ASK, model="gpt-4")
    t.ok(response.status == 500 and "no secret for ID" in response.error["message"], "a secret ends, with the words that clients know", response)
    t.ok(wait_until(anew, 60), "and another one is exchanged")
    before = brief.ca.fingerprint(sealed.hashes.SHA256())
    short.stop()
    short.start()
    t.same(brief.ask(messages=ASK, model="gpt-4").status, 500, "a restart forgets all secrets")
    t.ok(wait_until(anew, 60), "but keeps the authority")
    brief.attest()
    t.same(brief.ca.fingerprint(sealed.hashes.SHA256()), before, "which is the same as before")
    short.finish(t, [PERSON, EMAIL])


provider.finish(t)
gateway.finish(t, [PERSON, EMAIL])
t.done()
