#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tokens through a conversation, apart between conversations and tenants, and all that models do to them."""

import json
import re

import mangler
from lib.canary import ALL, EMAIL, PERSON, PHONE, TEXT
from lib.gateway import Gateway, config, say
from lib.provider import TOKEN, Provider, completion, echo
from lib.tap import Tap
from lib.wire import text_of

t = Tap()
provider = Provider()
# A fleet shares the master secret, so that a second gateway issues the same tokens.
MASTER = "0123456789abcdef" * 4
gateway = Gateway(config(provider, secrets={"master": MASTER}))
CHAT = "/v1/chat/completions"


def tokens_of(text, key=None, headers=(), where=gateway):
    where.chat(text, headers=headers, key=key)
    return provider.last.tokens


@t.case
def round_trip():
    answer = gateway.chat(TEXT)
    t.same(answer.content, TEXT, "every value comes back where it was")
    sent = provider.last.texts
    t.ok(not any(value in sent for value in ALL), "none of them was sent", sent)
    t.ok(len(provider.last.tokens) == len(ALL) and all(mangler.valid(token) for token in provider.last.tokens),
         "a token for each, well-formed", provider.last.tokens)
    frame = re.sub(TOKEN, "*", sent)
    want = TEXT
    for value in ALL:
        want = want.replace(value, "*")
    t.same(frame, want, "the rest of the text is sent as it is")


@t.case
def conversation():
    first = f"Patient {PERSON} wrote from {EMAIL}."
    provider.script = lambda seen, out: out.whole(completion(f"{seen.token('PERSON')} is known."))
    one = gateway.chat(first)
    t.same(one.content, f"{PERSON} is known.", "turn one is restored")
    issued = provider.last.tokens
    history = [*say(first), {"role": "assistant", "content": one.content}, {"role": "user", "content": f"Call {PERSON} at {PHONE}."}]
    two = gateway.chat(history)
    t.same(two.content, f"{PERSON} is known.", "turn two is restored")
    t.same(provider.last.tokens[:2], issued, "the same person has the same token in every turn")
    texts = [m["content"] for m in provider.last.json["messages"]]
    t.ok(all(issued[0] in text for text in texts), "in messages of every role", texts)
    again = tokens_of(f"Patient {PERSON.upper()} wrote from {EMAIL.upper()}.", headers=[("x-sotto-conversation", "c1")])
    lower = tokens_of(f"Patient {PERSON} wrote from {EMAIL}.", headers=[("x-sotto-conversation", "c1")])
    t.ok(again == lower, "spellings in other case share a token", f"{again} {lower}")
    provider.script = echo
    answer = gateway.chat(f"Patient {PERSON}. Dear {PERSON.upper()}, ...")
    t.ok(len(provider.last.tokens) == 1 and provider.last.tokens[0] in provider.last.texts, "two spellings, one token", provider.last.texts)
    t.has(answer.content, PERSON.upper(), "it comes back as it was last written")


@t.case
def apart():
    text = f"Patient {PERSON} wrote from {EMAIL}."
    here = tokens_of(text)
    t.same(tokens_of(text), here, "the same chat has the same tokens")
    t.ok(set(tokens_of("Another chat. " + text)).isdisjoint(here), "another conversation has others")
    a = tokens_of(text, headers=[("x-sotto-conversation", "a")])
    b = tokens_of(text, headers=[("x-sotto-conversation", "b")])
    t.ok(set(a).isdisjoint(b), "x-sotto-conversation tells conversations apart")
    t.same(tokens_of("Something before. " + text, headers=[("x-sotto-conversation", "a")]), a, "and holds one together that lost its start")
    other = gateway.make_key("--tenant", "other-house")
    t.ok(set(tokens_of(text, key=other)).isdisjoint(here), "another tenant has others")
    t.ok(set(tokens_of(text, key=other, headers=[("x-sotto-conversation", "a")])).isdisjoint(a), "also under the same header")
    sister = gateway.make_key("--tenant", "other-house")
    t.same(tokens_of(text, key=sister), tokens_of(text, key=other), "keys of one tenant share tokens")


@t.case
def restart():
    text = f"Patient {PERSON} wrote from {EMAIL}."
    before = tokens_of(text)
    t.same(gateway.stop(), 0, "the gateway stops")
    gateway.start()
    t.same(tokens_of(text), before, "after a restart the tokens are the same")


@t.case
def own_master():
    text = f"Patient {PERSON} wrote from {EMAIL}."
    own = Gateway(config(provider))
    try:
        first = tokens_of(text, where=own)
        t.same(own.stop(), 0, "a gateway with a secret of its own stops")
        own.start()
        t.same(tokens_of(text, where=own), first, "and makes the same tokens again, from the secret in its state folder")
        modes = {oct(p.stat().st_mode & 0o777) for p in own.state.rglob("*") if p.is_file()}
        t.ok(modes <= {"0o600"}, "its files are its own alone", modes)
        t.same(oct(own.state.stat().st_mode & 0o777), "0o700", "and so is the folder")
    finally:
        own.remove()


@t.case
def not_issued():
    """A token that this request did not issue is never restored."""
    text = f"Patient {PERSON} wrote from {EMAIL}."
    stolen = tokens_of(text, headers=[("x-sotto-conversation", "mine")])
    provider.script = lambda seen, out: out.whole(completion(" ".join(stolen)))
    t.same(gateway.chat("Who is it?").content, " ".join(stolen), "tokens of another chat stay as they are")
    t.same(gateway.chat(f"Write to x.y@example.net").content, " ".join(stolen), "also where this chat has tokens")
    answer = gateway.chat(f"Who is {stolen[0]}?", headers=[("x-sotto-conversation", "mine")])
    t.same(answer.content, " ".join(stolen), "a client that types a token gets no value for it")
    invented = "PERSON" + "BCDFGHJK" + mangler.check("BCDFGHJK")
    provider.script = lambda seen, out: out.whole(completion(f"{invented} PERSON_1 <EMAIL_1> EMAIL {{PERSON}} [PERSON]"))
    t.same(gateway.chat(text).content, f"{invented} PERSON_1 <EMAIL_1> EMAIL {{PERSON}} [PERSON]", "invented ones stay")


@t.case
def typed_tokens():
    """What the user types and looks like a token is shielded."""
    text = f"Patient {PERSON} wrote."
    issued = tokens_of(text, headers=[("x-sotto-conversation", "shield")])[0]
    provider.script = echo
    both = f"Patient {PERSON} wrote. The code is {issued}."
    answer = gateway.chat(both, headers=[("x-sotto-conversation", "shield")])
    t.same(answer.content, both, "a typed token comes back as typed, and the value as the value")


@t.case
def mangled_whole():
    """All the forms in which models were seen to write placeholders."""
    text = f"Patient {PERSON} wrote from {EMAIL} and called {PHONE}."
    values = {}

    def learn(seen, out):
        for token, value in zip(seen.tokens, (PERSON, EMAIL, PHONE)):
            values[token] = value
        out.whole(completion("ok"))

    provider.script = learn
    gateway.chat(text)
    t.same(len(values), 3, "three tokens to begin with")
    plain = "Dear " + ", or ".join(values) + ". End"
    for number, form in enumerate(mangler.FORMS):
        said = mangler.mangle(plain, values, form, number)
        want = mangler.expected(plain, values, form, number)
        provider.script = lambda seen, out, s=said: out.whole(completion(s))
        got = gateway.chat(text).content
        provider.script = lambda seen, out, s=said: out.speak(seen, s, size=1 + number % 4)
        streamed = text_of(gateway.chat(text, stream=True).body)
        t.same((got, streamed), (want, want), f"{form}: {'comes back' if form in mangler.RESTORES else 'stays'}, whole and streamed")


@t.case
def markdown_and_code():
    text = f"Patient {PERSON} wrote from {EMAIL}."

    def script(seen, out):
        p, e = seen.tokens
        out.whole(completion(f"| Name | Mail |\n|---|---|\n| {p} | <{e}> |\n\n```python\nto = '{e}'  # {p}\n```\n[mail](mailto:{e}?subject=Re%3A%20{p})"))

    provider.script = script
    t.same(gateway.chat(text).content, f"| Name | Mail |\n|---|---|\n| {PERSON} | <{EMAIL}> |\n\n```python\nto = '{EMAIL}'  # {PERSON}\n```\n"
           f"[mail](mailto:{EMAIL}?subject=Re%3A%20{PERSON})", "tables, code and links are restored")


@t.case
def json_escapes():
    """A value that JSON has to escape."""
    provider.script = lambda seen, out: out.whole(completion(f"A {seen.tokens[0]}" if seen.tokens else "none"))
    secret = 'pa"ss\\wörd-9\t#X'
    answer = gateway.chat(f"password = '{secret}'")
    t.ok(answer.status == 200, "an answer with such a value is JSON", answer)
    provider.script = echo
    t.same(gateway.chat(f"password = '{secret}'").content, f"password = '{secret}'", "and the value comes back to the letter")


@t.case
def many_values():
    people = "\n".join(f"Write to user{i}@host{i % 7}.example.org now." for i in range(2000))
    answer = gateway.chat(people)
    t.ok(answer.status == 200 and answer.content == people, "two thousand values come back", str(answer)[:400])
    t.same(answer.get("x-sotto-entities"), "2000", "and are counted")
    t.same(len(set(provider.last.tokens)), 2000, "each has its own token")


@t.case
def error_text():
    provider.script = lambda seen, out: out.whole({"error": {"message": f"I do not like {seen.token('EMAIL')}", "type": "invalid_request_error", "param": "messages", "code": "odd"}}, 400)
    answer = gateway.chat(f"Write to {EMAIL}")
    t.same((answer.status, answer.error), (400, {"message": f"I do not like {EMAIL}", "type": "invalid_request_error", "param": "messages", "code": "odd"}),
           "an error of the provider is restored as well")


@t.case
def embeddings():
    provider.script = echo
    answer = gateway.post("/v1/embeddings", {"model": "gpt-4", "input": [f"Write to {EMAIL}", "plain"]})
    t.same((answer.status, answer.json["object"], len(answer.json["data"]), answer.json["model"]), (200, "list", 2, "gpt-4"), "embeddings are answered")
    one = provider.last.json["input"]
    t.ok(EMAIL not in one[0] and one[1] == "plain", "their inputs are replaced", one)
    gateway.post("/v1/embeddings", {"model": "gpt-4", "input": f"Please write to {EMAIL}"}, headers=[("x-sotto-conversation", "z")])
    t.same(TOKEN.findall(provider.last.json["input"]), TOKEN.findall(one[0]), "with tokens that are the same in every request, for retrieval")
    gateway.post("/v1/embeddings", {"model": "gpt-4", "input": f"Write to {EMAIL}"}, key=gateway.make_key("--tenant", "t2"))
    t.ok(TOKEN.findall(provider.last.json["input"]) != TOKEN.findall(one[0]), "but not for another tenant")
    for bad in ([1, 2, 3], [[1, 2]], [], {}, 5):
        t.same(gateway.post("/v1/embeddings", {"model": "gpt-4", "input": bad}).status, 400, f"input {bad} is refused")
    t.same(gateway.post("/v1/embeddings", {"input": "x"}).error["param"], "model", "a missing model is named")
    t.same(answer.get("x-sotto-entities"), "1", "entities are counted")


@t.case
def models():
    listed = gateway.request("GET", "/v1/models", gateway.headers())
    t.same((listed.status, listed.json["object"]), (200, "list"), "models are listed")
    first = listed.json["data"][0]
    t.same(sorted(first), ["created", "id", "object", "owned_by"], "with OpenAI's fields")
    t.ok(not any("*" in m["id"] for m in listed.json["data"]), "wildcards are not listed", listed)
    one = gateway.request("GET", "/v1/models/gpt-4", gateway.headers())
    t.same((one.status, one.json["id"], one.json["object"]), (200, "gpt-4", "model"), "one model by name")
    one = gateway.request("GET", "/v1/models/org%2Fname", gateway.headers())
    t.same((one.status, one.json["id"]), (200, "org/name"), "a name with an encoded slash")


provider.finish(t)
gateway.finish(t)
t.done()
