#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Token styles `angle` and `surrogate`: what the provider sees, and that the client gets its values."""

import json
import re

from lib.gateway import Gateway, config, say
from lib.provider import Provider, completion
from lib.tap import Tap
from lib.wire import text_of

t = Tap()
provider = Provider()
gateway = Gateway(config(provider, privacy={"style": "surrogate"}))
VALUES = ("Margaret Thornbury", "m.thornbury@acme-health.org", "+1 415-867-5309", "4111 1111 1111 1111", "10.20.30.40")
ASK = "Call Margaret Thornbury, m.thornbury@acme-health.org or +1 415-867-5309, card 4111 1111 1111 1111, host 10.20.30.40. Margaret Thornbury waits."


def leaks(text):
    return [v for v in VALUES if v in text]


@t.case
def surrogate():
    answer = gateway.chat(ASK)
    sent = provider.last.texts
    t.same(answer.content, ASK, "surrogate: the answer is restored")
    t.same(leaks(sent), [], "the provider sees no value")
    t.ok(re.fullmatch(r"Call ([A-Z][a-z]+ [A-Z][a-z]+), [a-z]+@example\.(com|org|net) or \+1-\d{3}-555-01\d\d, card 4\d{3} \d{4} \d{4} \d{4}, "
                      r"host (192\.0\.2|198\.51\.100|203\.0\.113)\.\d+\. \1 waits\.", sent), "but stand-ins in reserved ranges, one for each value", sent)
    status = gateway.chat(ASK, stream=True)
    t.same(text_of(status.body), ASK, "a stream is restored")
    t.same(provider.last.texts, sent, "the same conversation has the same stand-ins")
    more = say(ASK) + [{"role": "assistant", "content": ASK}, {"role": "user", "content": "And Margaret Thornbury? Or Peter Ashdown?"}]
    gateway.chat(more)
    name = re.search(r"Call ([A-Z]\w+ [A-Z]\w+),", sent)[1]
    t.ok(provider.last.texts.startswith(sent) and f"And {name}?" in provider.last.texts and "Ashdown" not in provider.last.texts, "in every turn of it",
         provider.last.texts)
    gateway.chat("Hello! " + ASK)
    t.lacks(provider.last.texts, name, "another conversation has others")
    given, family = name.split()
    t.same(leaks(json.dumps(provider.last.json)), [], "no value is anywhere in the body")
    answer = gateway.chat(f"{ASK} Who is {family}?")
    t.ok(f"Who is {family}?" in answer.content, "a word that the caller wrote stays", answer.content)


@t.case
def parts():
    """A model that writes a part of a name."""
    def script(seen, out):
        name = re.search(r"Call ([A-Z]\w+) ([A-Z]\w+),", seen.texts)
        text = f"Dear {name[1]}, Ms. {name[2]}; **{name[1]} {name[2]}**, {name[2].upper()}, {name[2]}'s"
        out.whole(completion(text))
    before, provider.script = provider.script, script
    try:
        answer = gateway.chat(ASK)
        t.ok(answer.status == 200, "an answer", answer)
        t.same(answer.content, "Dear Margaret, Ms. Thornbury; **Margaret Thornbury**, Thornbury, Thornbury's", "parts of a name become parts of the name")
    finally:
        provider.script = before


@t.case
def angle():
    key = gateway.make_key("--style", "angle")
    answer = gateway.chat(ASK, key=key)
    t.same(provider.last.texts, "Call <PERSON_1>, <EMAIL_1> or <PHONE_1>, card <ID_1>, host <ID_2>. <PERSON_1> waits.", "angle: numbers in the order of the text")
    t.same(answer.content, ASK, "the answer is restored")
    t.same(text_of(gateway.chat(ASK, key=key, stream=True).body), ASK, "a stream as well")
    answer = gateway.chat(f"What is <PERSON_1>? {ASK}", key=key)
    t.has(provider.last.texts, "What is <PERSON_1>? Call <PERSON_2>,", "a number that the caller wrote is not taken")
    t.same(answer.content, f"What is <PERSON_1>? {ASK}", "and stays")
    t.same(gateway.chat(ASK, headers=[("x-sotto-style", "token")]).content, ASK, "a request may ask for another style")
    t.same(len(provider.last.tokens), 5, "and gets it")


@t.case
def command_line():
    for style in ("angle", "surrogate", "token"):
        path = str(gateway.folder / f"{style}.map")
        done = gateway.command_line("redact", "--style", style, "--map", path, data=ASK.encode())
        t.ok(done.returncode == 0 and leaks(done.stdout.decode()) == [], f"sotto redact --style {style}", done)
        again = gateway.command_line("redact", "--style", style, "--map", path, data=ASK.encode())
        t.same(again.stdout, done.stdout, "a second text with the same map has the same stand-ins")
        back = gateway.command_line("restore", "--map", path, data=done.stdout)
        t.same(back.stdout.decode(), ASK, "sotto restore puts the values back")


gateway.finish(t, VALUES[:2])
t.done()
