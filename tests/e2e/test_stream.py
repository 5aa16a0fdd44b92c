#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Streams: their form, and restoring under every cut a provider can make."""

import json
import re
import threading

from lib.canary import EMAIL, PERSON, PHONE
from lib.gateway import Gateway, config
from lib.provider import Provider, chunk, completion, pieces, sse, usage
from lib.speed import SLOW
from lib.tap import Tap
from lib.wire import build, chunks, text_of

t = Tap()
provider = Provider()
gateway = Gateway(config(provider, limits={"heartbeat": "300ms", "head_after": "500ms"}))
CHAT = "/v1/chat/completions"
ASK = f"Patient {PERSON} wrote from {EMAIL} and called {PHONE}."
# Tokens at the start, the end, side by side, in a word, and things that begin like one.
FORM = "{0} wrote PERSON to EMAIL ({1}), {0}'s {2}{0} PERSO end {1}"
WANT = FORM.format(PERSON, EMAIL, PHONE)


def said(seen):
    return FORM.format(seen.token("PERSON"), seen.token("EMAIL"), seen.token("PHONE"))


def request(client, body=None, **fields):
    """On a connection that stays open: a new one each time would be most of the work."""
    data = json.dumps(body or {"model": "gpt-4", "messages": [{"role": "user", "content": ASK}], "stream": True, **fields}).encode()
    return client.request("POST", CHAT, gateway.headers(), data)


@t.case
def form():
    provider.script = lambda seen, out: out.speak(seen, said(seen), size=4)
    got = gateway.chat(ASK, stream=True)
    t.same((got.status, got.get("content-type"), got.get("cache-control"), got.get("x-accel-buffering")),
           (200, "text/event-stream; charset=utf-8", "no-cache", "no"), "a stream's head tells everybody not to hold it back")
    t.same(got.events()[-1], "[DONE]", "[DONE] is last")
    t.ok(got.body.endswith(b"data: [DONE]\n\n"), "and exactly so")
    seen = chunks(got.body)
    t.ok(len({c["id"] for c in seen}) == 1 and re.fullmatch(r"qmchatcmpl-[0-9A-Za-z]{29}", seen[0]["id"]), "one id in all chunks", seen[0]["id"])
    t.same({(c["object"], c["model"], c["created"]) for c in seen}, {("chat.completion.chunk", "gpt-4", 1694268190)}, "the requested model and one date in all")
    t.same(seen[0]["choices"][0]["delta"]["role"], "assistant", "the role comes first")
    t.same(sum("role" in c["choices"][0]["delta"] for c in seen if c["choices"]), 1, "and once")
    finish = [i for i, c in enumerate(seen) if c["choices"] and c["choices"][0]["finish_reason"]]
    texts = [i for i, c in enumerate(seen) if c["choices"] and c["choices"][0]["delta"].get("content")]
    t.ok(len(finish) == 1 and max(texts) <= finish[0], "all text comes before finish_reason or with it", f"{texts} {finish}")
    t.same(text_of(got.body), WANT, "the text is restored")
    t.ok(all("usage" not in c or c["usage"] is None for c in seen), "usage is not told where nobody asked")
    t.ok(provider.last.json["stream_options"]["include_usage"], "but the provider is always asked")
    t.ok(got.get("x-request-id") and got.get("x-sotto-entities") == "3", "the headers of every answer are there", got.headers)


@t.case
def usage_asked():
    got = gateway.chat(ASK, stream=True, stream_options={"include_usage": True})
    seen = chunks(got.body)
    t.ok(seen[-1]["choices"] == [] and seen[-1]["usage"] == usage(), "with include_usage the usage chunk is the last", seen[-1])
    t.same(got.events()[-1], "[DONE]", "before [DONE]")
    got = gateway.chat(ASK, stream=True, stream_options={"include_usage": False, "include_obfuscation": True})
    t.ok(not any(c.get("usage") for c in chunks(got.body)), "include_usage false is none")

    def combined(seen, out):
        out.stream([chunk({"role": "assistant", "content": "x"}), chunk({}, finish="stop", usage=usage(3, 4))])

    provider.script = combined
    got = gateway.chat(ASK, stream=True)
    t.same([c.get("usage") for c in chunks(got.body) if c.get("usage")], [], "usage in the last choice's chunk is left out too")
    t.same(chunks(got.body)[-1]["choices"][0]["finish_reason"], "stop", "and the chunk stays")


@t.case
def obfuscation():
    provider.script = lambda seen, out: out.stream([chunk({"role": "assistant", "content": "x"}, obfuscation="abcdef"), chunk({}, finish="stop", obfuscation="abc")])
    got = gateway.chat(ASK, stream=True)
    t.lacks(got.body, b"obfuscation", "padding that no longer fits is dropped")


@t.case
def ndjson():
    provider.script = lambda seen, out: out.speak(seen, said(seen), size=4)
    got = gateway.chat(ASK, headers=[("Accept", "application/x-ndjson")], stream=True)
    lines = got.body.decode().split("\n")
    t.same((got.get("content-type").split(";")[0], lines[-1]), ("application/x-ndjson", ""), "Accept: application/x-ndjson gets bare lines")
    text = "".join(c["delta"].get("content") or "" for line in lines[:-1] for c in json.loads(line)["choices"])
    t.same(text, WANT, "which hold the same text")


@t.case
def every_split_of_the_text():
    """Two deltas, cut at every place; then pieces of 1, 2, 3, 4 ... characters."""
    bad = []
    length = [0]

    def script(seen, out):
        text = said(seen)
        length[0] = len(text)
        out.begin()
        out.part(b"".join(sse(chunk({"content": p})) for p in pieces(text, size[0])) + sse(chunk({}, finish="stop")) + sse("[DONE]"))
        out.end()

    provider.script = script
    with gateway.client() as client:
        for size in [[1], [2], [3], [4], [5], [7], [16], [1000]]:
            if text_of(request(client).body) != WANT:
                bad.append(size)
        for place in range(length[0] + 1):
            size = [[place]]
            if text_of(request(client).body) != WANT:
                bad.append(place)
    t.same(bad, [], f"a text cut at any of {length[0] + 1} places, or into equal pieces, is restored the same")


@t.case
def every_split_of_the_bytes():
    """The same events, but the provider's writes fall anywhere, also inside a chunk's size, a line, a character."""
    bad = []
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": "Patient Jörg Müller, x.y@example.net"}], "stream": True}
    want = "Grüße 🙂 Jörg Müller, x.y@example.net"

    def script(seen, out):
        text = f"Grüße 🙂 {seen.token('PERSON')}, {seen.token('EMAIL')}"
        events = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": p}) for p in pieces(text, 9)), chunk({}, finish="stop")]
        raw = b"".join(b"data: " + json.dumps(e, ensure_ascii=False).encode() + b"\n\n" for e in events) + b"data: [DONE]\n\n"
        framed = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (raw[:100], raw[100:101], raw[101:])) + b"0\r\n\r\n"
        out.begin()
        length[0] = len(framed)
        out.send(framed[: place[0]])
        out.send(framed[place[0] :])

    length, place = [1], [0]
    provider.script = script
    with gateway.client() as client:
        step = 1 if SLOW == 1 else 7
        while place[0] < length[0]:
            if text_of(request(client, body).body) != want:
                bad.append(place[0])
            place[0] += step

        def drip(seen, out):
            text = f"Grüße 🙂 {seen.token('PERSON')}, {seen.token('EMAIL')}"
            out.begin(chunked=False)
            for byte in b"".join(sse(e) for e in (chunk({"content": text}), chunk({}, finish="stop"), "[DONE]")):
                out.send(bytes([byte]))
            out.close()

        provider.script = drip
        t.same(text_of(request(client, body).body), want, "a stream that comes byte by byte and ends with the connection is restored")
    t.same(bad, [], f"a stream whose bytes are cut at any of {length[0]} places is restored the same")


@t.case
def line_ends():
    events = lambda seen: [chunk({"content": said(seen)}), chunk({}, finish="stop")]
    forms = {
        "CR LF": lambda e: b"data: " + json.dumps(e).encode() + b"\r\n\r\n",
        "CR": lambda e: b"data: " + json.dumps(e).encode() + b"\r\r",
        "no space behind the colon": lambda e: b"data:" + json.dumps(e).encode() + b"\n\n",
        "comments and ids": lambda e: b": ping\n\nid: 5\nevent: message\nretry: 5\ndata: " + json.dumps(e).encode() + b"\n\n",
        "JSON over several data lines": lambda e: b"".join(b"data: " + line.encode() + b"\n" for line in json.dumps(e, indent=1).split("\n")) + b"\n",
    }
    for name, write in forms.items():
        def script(seen, out, write=write):
            out.begin()
            out.part(b"".join(write(e) for e in events(seen)) + write("x").split(b'"x"')[0] + b"[DONE]\n\n")
            out.end()

        provider.script = script
        got = gateway.chat(ASK, stream=True)
        t.same((text_of(got.body), got.events()[-1]), (WANT, "[DONE]"), f"events with {name} are read")


@t.case
def several_choices():
    provider.script = lambda seen, out: out.speak(seen, said(seen), "B " + said(seen), said(seen)[::1] + " C", size=5)
    got = gateway.chat(ASK, stream=True, n=3)
    t.same([text_of(got.body, i) for i in range(3)], [WANT, "B " + WANT, WANT + " C"], "with n, each choice is restored by itself")
    provider.script = lambda seen, out: out.whole(completion(said(seen), "two " + seen.token("EMAIL")))
    got = gateway.chat(ASK, n=2)
    t.same([c["message"]["content"] for c in got.json["choices"]], [WANT, f"two {EMAIL}"], "also in a whole answer")


def arguments_of(seen):
    """JSON in a string, written with escapes that a model may use."""
    return json.dumps({"to": seen.token("EMAIL"), "who": {"name": seen.token("PERSON")}, seen.token("PHONE"): [1, True, None], "u": "\u00e9\n\"q\""})


WANT_ARGUMENTS = {"to": EMAIL, "who": {"name": PERSON}, PHONE: [1, True, None], "u": "\u00e9\n\"q\""}


def call(index, arguments=None, first=False):
    function = {"name": f"mail{index}", "arguments": ""} if first else {"arguments": arguments}
    return {"tool_calls": [{"index": index, **({"id": f"call_{index}", "type": "function"} if first else {}), "function": function}]}


@t.case
def tool_calls():
    bad = []
    for size in (1, 2, 3, 4, 7, 1000):
        def script(seen, out, size=size):
            parts = pieces(arguments_of(seen), size)
            events = [chunk({"role": "assistant", "content": None}), chunk(call(0, first=True)), chunk(call(1, first=True))]
            for part in parts:
                events += [chunk(call(0, part)), chunk(call(1, part))]
            out.stream([*events, chunk({}, finish="tool_calls")])

        provider.script = script
        got = gateway.chat(ASK, stream=True, tools=[{"type": "function", "function": {"name": "mail0", "parameters": {}}}])
        calls = {}
        for c in chunks(got.body):
            for choice in c["choices"]:
                for piece in choice["delta"].get("tool_calls", []):
                    calls.setdefault(piece["index"], []).append(piece)
        for index in (0, 1):
            text = "".join(p["function"].get("arguments") or "" for p in calls[index])
            try:
                if json.loads(text) != WANT_ARGUMENTS:
                    bad.append((size, text))
            except ValueError as error:
                bad.append((size, text, str(error)))
            if [p.get("id") for p in calls[index] if "id" in p] != [f"call_{index}"] or [p["function"]["name"] for p in calls[index] if "name" in p["function"]] != [f"mail{index}"]:
                bad.append((size, calls[index]))
    t.same(bad, [], "arguments in fragments of any size are restored inside their JSON; id and name come once")
    provider.script = lambda seen, out: out.whole(completion(None, finish="tool_calls", message={"tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "mail", "arguments": arguments_of(seen)}}]}))
    got = gateway.chat(ASK).json["choices"][0]["message"]["tool_calls"][0]
    t.same((json.loads(got["function"]["arguments"]), got["id"]), (WANT_ARGUMENTS, "call_1"), "arguments in a whole answer as well")


@t.case
def escaped_arguments():
    """A value with quotes and backslashes goes into JSON in a string."""
    secret = 'pa"ss\\wörd-9x#X'
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": f"password = '{secret}'"}]}
    provider.script = lambda seen, out: out.whole(completion(None, finish="tool_calls", message={"tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps({"p": seen.texts})}}]}))
    got = gateway.post(CHAT, body).json["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    t.same(json.loads(got), {"p": f"password = '{secret}'"}, "whole: it is escaped once more")
    bad = []
    for size in (1, 3, 5):
        provider.script = lambda seen, out, size=size: out.stream(
            [chunk(call(0, first=True)), *(chunk(call(0, p)) for p in pieces(json.dumps({"p": seen.texts}), size)), chunk({}, finish="tool_calls")])
        got = gateway.post(CHAT, {**body, "stream": True})
        text = "".join(p["function"].get("arguments") or "" for c in chunks(got.body) for ch in c["choices"] for p in ch["delta"].get("tool_calls", []))
        try:
            if json.loads(text) != {"p": f"password = '{secret}'"}:
                bad.append((size, text))
        except ValueError:
            bad.append((size, text))
    t.same(bad, [], "streamed: as well")

    def escaped(seen, out):
        token = seen.token("EMAIL")
        text = '{"to": "' + "".join(f"\\u{ord(c):04x}" for c in token) + '"}'
        out.stream([chunk(call(0, first=True)), *(chunk(call(0, p)) for p in pieces(text, 4)), chunk({}, finish="tool_calls")])

    provider.script = escaped
    got = gateway.chat(ASK, stream=True)
    text = "".join(p["function"].get("arguments") or "" for c in chunks(got.body) for ch in c["choices"] for p in ch["delta"].get("tool_calls", []))
    t.same(json.loads(text), {"to": EMAIL}, "a token spelled in \\u escapes is restored")


@t.case
def other_fields():
    for field in ("refusal", "reasoning", "reasoning_content", "x_new_field"):
        provider.script = lambda seen, out, f=field: out.speak(seen, said(seen), size=3, field=f)
        got = gateway.chat(ASK, stream=True)
        t.same(text_of(got.body, field=field), WANT, f"{field} is restored in a stream")
        provider.script = lambda seen, out, f=field: out.whole(completion(None, message={f: said(seen)}))
        got = gateway.chat(ASK)
        t.same(got.json["choices"][0]["message"][field], WANT, f"{field} is restored in a whole answer")

    def mixed(seen, out):
        events = [chunk({"role": "assistant", "content": ""})]
        for a, b in zip(pieces(said(seen), 5), pieces(said(seen), 5)):
            events += [chunk({"reasoning_content": a}), chunk({"content": b})]
        out.stream([*events, chunk({}, finish="length")])

    provider.script = mixed
    got = gateway.chat(ASK, stream=True)
    t.same((text_of(got.body), text_of(got.body, field="reasoning_content")), (WANT, WANT), "two fields that take turns are restored apart")
    provider.script = lambda seen, out: out.whole({**completion("x"), "x_top": {"deep": [seen.token("EMAIL")]}, "provider_says": seen.token("PERSON")})
    got = gateway.chat(ASK).json
    t.same((got["x_top"], got["provider_says"]), ({"deep": [EMAIL]}, PERSON), "fields nobody knows are restored, and stay")


def logprob(token, value=-0.5):
    return {"token": token, "logprob": value, "bytes": list(token.encode()), "top_logprobs": []}


@t.case
def logprobs():
    def entries(seen):
        token = seen.token("EMAIL")
        return "Write to " + token + " now", [logprob("Write"), logprob(" to "), *(logprob(p) for p in pieces(token, 3)), logprob(" now", -0.25)], len(pieces(token, 3))

    def script(seen, out):
        text, rows, _ = entries(seen)
        answer = completion(text)
        answer["choices"][0]["logprobs"] = {"content": rows, "refusal": None}
        out.whole(answer)

    provider.script = script
    choice = gateway.chat(ASK, logprobs=True).json["choices"][0]
    rows = choice["logprobs"]["content"]
    t.same("".join(r["token"] for r in rows), choice["message"]["content"], "logprobs spell the content after restoring")
    count = entries(provider.last)[2]
    merged = [r for r in rows if EMAIL in r["token"]]
    t.ok(len(merged) == 1 and abs(merged[0]["logprob"] + 0.5 * count) < 1e-6, "entries that spell a token become one, with the summed logprob", rows)
    t.ok(merged and bytes(merged[0]["bytes"]).decode() == merged[0]["token"], "and the value's bytes", merged)
    t.same([r["token"] for r in rows if r is not merged[0]], ["Write", " to ", " now"], "the others stay")

    def stream(seen, out):
        _, rows, _ = entries(seen)
        events = [chunk({"role": "assistant", "content": ""})]
        for row in rows:
            event = chunk({"content": row["token"]})
            event["choices"][0]["logprobs"] = {"content": [row], "refusal": None}
            events.append(event)
        out.stream([*events, chunk({}, finish="stop")])

    provider.script = stream
    got = gateway.chat(ASK, logprobs=True, stream=True)
    rows = [r for c in chunks(got.body) for ch in c["choices"] for r in ((ch.get("logprobs") or {}).get("content") or [])]
    t.same("".join(r["token"] for r in rows), text_of(got.body), "streamed logprobs spell the content as well")


@t.case
def citations():
    def script(seen, out):
        text = f"🙂 {seen.token('PERSON')} says [1] and {seen.token('EMAIL')} [2]"
        marks = [{"type": "url_citation", "url_citation": {"url": "https://a.example/x", "title": seen.token("PERSON"), "start_index": text.index(m), "end_index": text.index(m) + 3}} for m in ("[1]", "[2]")]
        out.whole(completion(text, message={"annotations": marks}))

    provider.script = script
    message = gateway.chat(ASK).json["choices"][0]["message"]
    spans = [message["content"][a["url_citation"]["start_index"] : a["url_citation"]["end_index"]] for a in message["annotations"]]
    t.same(spans, ["[1]", "[2]"], "offsets of citations point into the restored text")
    t.same(message["annotations"][0]["url_citation"]["title"], PERSON, "and their titles are restored")


@t.case
def hold_back():
    """Text that can be no token goes out at once, one write for each event."""
    go = threading.Event()

    def script(seen, out):
        out.begin()
        out.event(chunk({"role": "assistant", "content": "Hello "}))
        go.wait(20)
        out.event(chunk({"content": seen.token("PERSON")[:9]}))
        out.event(chunk({"content": "!"}))
        go.clear()
        go.wait(20)
        out.event(chunk({}, finish="stop"))
        out.event("[DONE]")
        out.end()

    provider.script = script
    with gateway.client() as client:
        client.send(build("POST", CHAT, gateway.headers(), json.dumps({"model": "gpt-4", "messages": [{"role": "user", "content": ASK}], "stream": True}).encode()))
        client.head()
        first = client.chunk()
        t.same(text_of(first), "Hello ", "the first text arrives while the provider is silent")
        go.set()
        text = ""
        while "!" not in text:
            text += text_of(client.chunk())
        t.ok(re.fullmatch(r"PERSON[0-9A-Z]{3}!", text), "half a token that ends otherwise comes out as soon as that is certain", text)
        go.set()
        while client.chunk():
            pass


@t.case
def unfinished_token():
    provider.script = lambda seen, out: out.stream([chunk({"content": "x " + seen.token("PERSON")[:-1]}), chunk({}, finish="length")])
    got = gateway.chat(ASK, stream=True)
    finish = next(i for i, c in enumerate(chunks(got.body)) if c["choices"][0]["finish_reason"])
    held = provider.last.token("PERSON")[:-1]
    t.ok(text_of(got.body) == "x " + held, "a token cut off by max_tokens comes out as it is", text_of(got.body))
    t.ok(not any((c["choices"][0]["delta"].get("content")) for c in chunks(got.body)[finish + 1 :]), "before finish_reason")


@t.case
def keepalive():
    heard = threading.Event()

    def script(seen, out):
        heard.wait(10)
        heard.clear()
        out.begin()
        out.event(chunk({"role": "assistant", "content": "a"}))
        heard.wait(10)
        out.event(chunk({"content": "b"}))
        out.event(chunk({}, finish="stop"))
        out.event("[DONE]")
        out.end()

    provider.script = script
    body = b""
    with gateway.client() as client:
        client.send(build("POST", CHAT, gateway.headers(), json.dumps({"model": "gpt-4", "messages": [{"role": "user", "content": ASK}], "stream": True}).encode()))
        got = client.head()
        while True:
            piece = client.chunk()
            if not piece:
                break
            body += piece
            if piece == b": keepalive\n\n":
                heard.set()
    before, after = body.split(b'"a"', 1)
    t.ok(got.status == 200 and b": keepalive\n\n" in before, "a silent provider: the head goes out, and comments", body[:200])
    t.has(after, b": keepalive\n\n", "a pause in the middle: comments")
    t.same(text_of(body), "ab", "and the text is whole")


@t.case
def long_stream():
    text = " ".join(f"word{i} {{0}}" for i in range(3000))
    provider.script = lambda seen, out: out.stream([*(chunk({"content": p}) for p in pieces(text.format(seen.token("PERSON")), 11)), chunk({}, finish="stop")])
    got = gateway.chat(ASK, stream=True)
    t.ok(text_of(got.body) == text.format(PERSON), "a stream of thousands of events is whole")


@t.case
def not_asked_to():
    provider.script = lambda seen, out: out.whole(completion("whole"))
    got = gateway.chat(ASK, stream=True)
    t.ok(got.status == 502 or text_of(got.body) == "whole", "a provider that does not stream when asked is an error or streamed for it", got)


provider.finish(t)
gateway.finish(t)
t.done()
