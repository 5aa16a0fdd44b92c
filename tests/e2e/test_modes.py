#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What each mode replaces, content that cannot be protected, and the gateway's own fields."""

import json
import re

from lib.canary import AHV, CARD, EMAIL, IBAN, PERSON, PHONE, SSN
from lib.gateway import Gateway, config, say
from lib.provider import TOKEN, Provider
from lib.tap import Tap
from lib.wire import wait_until

t = Tap()
provider = Provider()
gateway = Gateway(config(
    provider,
    upstreams={
        "scripted": {"kind": "openai", "url": provider.url + "/v1", "key": "sk-upstream"},
        "house": {"kind": "openai", "url": provider.url + "/house", "trusted": True},
    },
    models={"ours": "house", "gpt-4": "scripted", "*": "scripted"},
    privacy={
        "allow": ["helpdesk@example.org"],
        "deny": [{"text": "Project Nightjar", "label": "ORG"}, "BLUE HERON"],
        "recognizers": [{"name": "STAFF_NUMBER", "label": "ID", "pattern": "STF-[0-9]{6}"}],
        "modes": {"ward": {"inherits": "standard", "tokenize": ["DATE", "LOCATION"]}},
    },
))
CHAT = "/v1/chat/completions"
SECRET = "sk-proj-" + "Zq8Lr2Vx" * 5 + "T3BlbkFJ" + "Hn4Kw9Pd" * 5
ADDRESS = "Bahnhofstrasse 12, 8001 Zürich"

# value, sentence, the modes in which it stays
VALUES = [
    (PERSON, f"Patient {PERSON} was admitted.", ""),
    (EMAIL, f"Write to {EMAIL} please.", ""),
    (PHONE, f"Her phone number is {PHONE}.", ""),
    (IBAN, f"The IBAN is {IBAN}.", ""),
    (CARD, f"The credit card is {CARD}.", ""),
    (SSN, f"His social security number is {SSN}.", ""),
    (AHV, f"AHV-Nr. {AHV} is on file.", ""),
    (SECRET, f"api_key = {SECRET}", ""),
    (ADDRESS, f"She lives at {ADDRESS}.", ""),
    ("12 March 2021", "The operation was on 12 March 2021 at noon.", "standard sox"),
    ("94 years old", "He is 94 years old.", "standard sox"),
    ("45 years old", "He is 45 years old.", "standard sox hipaa"),
    ("1987", "The company was founded in 1987.", "standard sox hipaa gdpr"),
    ("Switzerland", "They moved to Switzerland.", "standard sox hipaa gdpr"),
]


@t.case
def table_of_modes():
    for mode in ("standard", "hipaa", "gdpr", "sox"):
        for value, sentence, stays in VALUES:
            answer = gateway.chat(sentence, compliance_mode=mode)
            kept = value in provider.last.texts
            want = mode in stays.split()
            t.ok(answer.status == 200 and kept == want, f"{mode}: {value!r} {'stays' if want else 'is replaced'}",
                 f"sent {provider.last.texts!r}")
            t.same(answer.content, sentence, f"{mode}: and {value!r} comes back")


@t.case
def mode_of_ones_own():
    gateway.chat("Seen on 12 March 2021.", compliance_mode="ward")
    t.lacks(provider.last.texts, "12 March 2021", "a mode of one's own replaces what it adds")
    gateway.chat(f"Write to {EMAIL}, 45 years old.", compliance_mode="ward")
    t.ok(EMAIL not in provider.last.texts and "45 years old" in provider.last.texts, "and what it inherits, and no more", provider.last.texts)


@t.case
def lists():
    gateway.chat("Write to helpdesk@example.org about STF-204815 and Project Nightjar, code BLUE HERON.", compliance_mode="gdpr")
    sent = provider.last.texts
    t.has(sent, "helpdesk@example.org", "allowed words stay")
    t.lacks(sent, "STF-204815", "a recognizer of one's own finds")
    t.ok("Nightjar" not in sent and "BLUE HERON" not in sent, "denied words are replaced", sent)


@t.case
def trusted():
    answer = gateway.chat(f"Patient {PERSON}, {EMAIL}", model="ours")
    t.ok(provider.last.target == "/house/chat/completions" and EMAIL in provider.last.texts, "a trusted upstream gets the text as it is", provider.last.line)
    t.same((answer.status, answer.get("x-sotto-entities")), (200, "0"), "and nothing is counted")
    t.same(provider.last.get("authorization"), None, "an upstream without a key gets none")
    provider.seen.clear()


@t.case
def headers():
    answer = gateway.chat(f"Write to {EMAIL} or {PHONE}.")
    t.same(answer.get("x-sotto-entities"), "2", "x-sotto-entities counts")
    t.ok(re.fullmatch(r"\d+\.\d+", answer.get("x-sotto-overhead-ms") or ""), "x-sotto-overhead-ms is a number", answer.headers)
    t.ok(re.fullmatch(r"req_[0-9A-Za-z]+", answer.get("x-request-id") or ""), "x-request-id is there", answer.headers)
    other = gateway.chat("Hello")
    t.ok(other.get("x-request-id") != answer.get("x-request-id"), "and differs from request to request")
    t.same(other.get("x-sotto-entities"), "0", "nothing found is 0")
    t.same(other.get("content-type"), "application/json", "an answer is JSON")
    t.same(answer.get("x-sotto-unprotected"), None, "x-sotto-unprotected is not there where all is text")
    line = wait_until(lambda: next((line for line in gateway.log_lines() if answer.get("x-request-id") in line), ""), 10)
    t.ok("openai" in line and "200" in line and gateway.key[3:15] in line, "the log has a line for the request", line)


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
AUDIO = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
FILE = {"type": "file", "file": {"filename": "letter.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}


@t.case
def content_that_cannot_be_protected():
    text = {"type": "text", "text": f"Patient {PERSON}"}
    for name, part in (("image", IMAGE), ("audio", AUDIO), ("file", FILE)):
        answer = gateway.chat([{"role": "user", "content": [text, part]}])
        t.same((answer.status, answer.get("x-sotto-unprotected")), (200, name), f"standard: {name} passes and is said so")
        t.same(provider.last.json["messages"][0]["content"][1], part, f"standard: {name} reaches the provider as it is")
        t.lacks(provider.last.raw, PERSON.encode(), f"standard: the text beside {name} is replaced")
        before = len(provider.seen)
        for mode in ("hipaa", "gdpr", "sox"):
            answer = gateway.chat([{"role": "user", "content": [text, part]}], compliance_mode=mode)
            t.same((answer.status, answer.error["code"], answer.error["param"]), (400, "content_not_protected", "messages[0].content"),
                   f"{mode}: {name} is refused")
        t.same(len(provider.seen), before, f"{name}: and not forwarded")
    answer = gateway.chat([{"role": "user", "content": [IMAGE, FILE]}])
    t.same(answer.get("x-sotto-unprotected"), "image,file", "several kinds are listed")
    named = json.loads(json.dumps(FILE))
    named["file"]["filename"] = f"{PERSON}.pdf"
    gateway.chat([{"role": "user", "content": [{"type": "text", "text": f"Patient {PERSON}"}, named]}])
    t.lacks(provider.last.raw, PERSON.encode(), "a name is replaced in a file's name too")


@t.case
def own_fields():
    answer = gateway.chat("Hello", encryption=5)
    t.same((answer.status, answer.error["param"]), (400, "encryption"), "encryption is a string")
    answer = gateway.chat("Hello", encryption="kyber1024")
    t.same((answer.status, answer.error["param"]), (400, "encryption"), "encryption is one of the words")
    t.lacks(answer.body, b"kyber1024", "the error does not quote the request") if answer.status == 400 else None
    answer = gateway.chat("Hello", compliance_mode="")
    t.ok(answer.status in (200, 400), "an empty mode is no crash", answer)


@t.case
def user_is_hashed():
    gateway.chat("Hello", user=EMAIL, safety_identifier=f"user:{EMAIL}")
    first = provider.last.json
    t.ok(EMAIL not in json.dumps(first) and 16 <= len(first["user"]) <= 64, "user is replaced by a hash", first)
    t.ok(EMAIL not in first["safety_identifier"], "safety_identifier too", first)
    gateway.chat("Something else", user=EMAIL)
    t.same(provider.last.json["user"], first["user"], "the same user has the same hash")
    gateway.chat("Hello", user="another")
    t.ok(provider.last.json["user"] != first["user"], "another user has another")
    gateway.chat("Hello", key=gateway.make_key("--tenant", "elsewhere"), user=EMAIL)
    t.ok(provider.last.json["user"] != first["user"], "another tenant has another")
    gateway.chat("Hello", key=gateway.make_key("--tenant", "elsewhere"), user=EMAIL)
    elsewhere = provider.last.json["user"]
    gateway.chat("Hello", key=gateway.make_key("--tenant", "elsewhere"), user=EMAIL)
    t.same(provider.last.json["user"], elsewhere, "keys of one tenant share it")


@t.case
def store_is_false():
    gateway.chat("Hello", store=True)
    t.same(provider.last.json["store"], False, "store is forced to false")
    gateway.chat("Hello", store=False, metadata={"note": f"about {EMAIL}"})
    t.ok(EMAIL not in provider.last.body.decode(), "metadata is text like any other", provider.last.body)


@t.case
def unknown_fields():
    strange = {"x_new": {"deep": [1, {"text": f"Write to {EMAIL}"}], "flag": None}, "x_number": 1.50, "x_list": []}
    gateway.chat("Hello", **strange)
    sent = provider.last.json
    t.ok(EMAIL not in json.dumps(sent), "strings in fields nobody knows are text", sent)
    t.same((sent["x_new"]["deep"][0], sent["x_new"]["flag"], sent["x_list"]), (1, None, []), "what is no text passes as it is")
    t.has(provider.last.body, b'"x_number":1.5', "with its numbers")
    answer = gateway.chat("Hello", stream=False, seed=7, logit_bias={"50256": -100}, service_tier="flex", reasoning_effort="low", verbosity="low")
    sent = provider.last.json
    t.same([sent[k] for k in ("seed", "logit_bias", "service_tier", "reasoning_effort", "verbosity")], [7, {"50256": -100}, "flex", "low", "low"],
           "OpenAI's other fields pass")
    t.same(answer.status, 200, "and are answered")


@t.case
def every_slot():
    """Every string that a provider would see."""
    who = f"Patient {PERSON}, {EMAIL}, {PHONE}"
    body = {
        "model": "gpt-4",
        "messages": [
            {"role": "system", "content": f"You help {who}", "name": "x"},
            {"role": "developer", "content": [{"type": "text", "text": who}]},
            {"role": "user", "content": who, "name": EMAIL},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "mail", "arguments": json.dumps({"to": EMAIL, EMAIL: 1, "deep": {"phones": [PHONE]}})}},
                {"id": "call_2", "type": "custom", "custom": {"name": "note", "input": who}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": json.dumps({"status": "ok", "patient": f"Patient {PERSON}", "mail": EMAIL})},
            {"role": "assistant", "content": who, "refusal": who},
            {"role": "user", "content": [{"type": "text", "text": who}, {"type": "refusal", "refusal": who}]},
        ],
        "tools": [{"type": "function", "function": {"name": "mail", "description": who, "parameters": {
            "type": "object", "description": who, "properties": {"to": {"type": "string", "description": who, "enum": [EMAIL], "default": EMAIL, "examples": [PHONE]}}}}}],
        "stop": [EMAIL], "metadata": {"k": EMAIL}, "user": EMAIL, "safety_identifier": EMAIL, "prompt_cache_key": EMAIL,
        "prediction": {"type": "content", "content": who},
        "response_format": {"type": "json_schema", "json_schema": {"name": "r", "description": who, "schema": {"type": "object", "properties": {"a": {"const": EMAIL}}}}},
        "web_search_options": {"user_location": {"type": "approximate", "approximate": {"city": f"near {EMAIL}"}}},
        "future": [who],
    }
    answer = gateway.post(CHAT, body)
    raw = provider.last.body.decode()
    sent = json.loads(raw)
    t.same(answer.status, 200, "a request with text everywhere is answered")
    t.ok(not any(v in raw for v in (PERSON, EMAIL, PHONE)), "none of it is left", raw[:3000])
    arguments = json.loads(sent["messages"][3]["tool_calls"][0]["function"]["arguments"])
    t.ok(TOKEN.fullmatch(arguments["to"]) and arguments["to"] in arguments and TOKEN.fullmatch(arguments["deep"]["phones"][0]),
         "JSON in a string is replaced value by value, keys too, and is JSON still", arguments)
    t.same(json.loads(sent["messages"][4]["content"])["mail"], arguments["to"], "one value, one token, wherever it stands")
    t.same((sent["tools"][0]["function"]["name"], list(sent["tools"][0]["function"]["parameters"]["properties"])), ("mail", ["to"]),
           "names of tools and their properties stay")
    t.same([m["role"] for m in sent["messages"]], [m["role"] for m in body["messages"]], "roles stay")
    t.same(sent["messages"][4]["tool_call_id"], "call_1", "ids stay")


@t.case
def explain():
    text = f"Ünïcode 🙂 Patient {PERSON}, {EMAIL}, in Switzerland."
    answer = gateway.chat(text, headers=[("x-sotto-explain", "1")])
    told = answer.json.get("sotto", {})
    t.same(told.get("sent"), provider.last.json["messages"], "x-sotto-explain: sent is what the provider got")
    found = [f for f in told.get("findings", []) if f["label"] == "EMAIL"]
    t.ok(len(found) == 1 and text[found[0]["start"]:found[0]["end"]] == EMAIL, "findings point into the text by code points", told)
    t.ok(found and all(name in found[0] for name in ("label", "score", "rule")), "with label, score and rule", found)
    t.ok(found and found[0]["token"] in provider.last.texts, "and the token", found)
    t.ok("sotto" not in gateway.chat(text).json, "without the header there is nothing of it")
    answer = gateway.chat(text, headers=[("x-sotto-explain", "1")], stream=True)
    told = [json.loads(e) for e in answer.events() if e != "[DONE]" and "sotto" in json.loads(e)]
    t.ok(len(told) == 1 and told[0]["sotto"]["sent"] == provider.last.json["messages"], "in a stream it stands in one chunk", told)


@t.case
def json_mode():
    provider.script = lambda seen, out: out.whole({"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": json.dumps({"who": seen.token("PERSON")})}}]})
    answer = gateway.chat('Patient Jörg Müller called.', response_format={"type": "json_object"})
    t.same(json.loads(answer.content), {"who": "Jörg Müller"}, "JSON in the answer is JSON after restoring")


provider.finish(t, [EMAIL, PHONE, IBAN, CARD, SSN, AHV, SECRET])
gateway.finish(t, [PERSON, EMAIL, PHONE, IBAN, CARD, SSN, AHV, SECRET])
t.done()
