#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples that the API documents print, byte for byte, through a real socket."""

import json
import re

from lib.canary import ALL, TEXT
from lib.gateway import Gateway, config
from lib.provider import Provider, completion, usage
from lib.tap import Tap

t = Tap()
provider = Provider()
gateway = Gateway(config(provider, models={
    "gpt-4": {"upstream": "scripted", "as": "gpt-4o"},
    **{name: "scripted" for name in ("gpt-4-1106-preview", "gpt-3.5-turbo-1106", "mistral-tiny", "gpt-3.5-turbo")},
    "*": "scripted",
}))
key = gateway.key
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def raw(head, body):
    """Sends head lines and a body as a document prints them; only the address is ours."""
    data = body.encode()
    lines = head.strip("\n").replace("\n", "\r\n")
    with gateway.client() as client:
        client.send(f"{lines}\r\nHost: gateway\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data)
        return client.response()


def answer(*contents, **more):
    provider.script = lambda seen, out: out.whole(completion(*contents, **more))


# --- the OpenAI API with encryption and compliance_mode ---------------------------------------------

CURL_000 = """{
    "model": "gpt-4",
    "messages": [
      {
        "role": "system",
        "content": "You are a helpful medical assistant."
      },
      {
        "role": "user", 
        "content": "Analyze this patient data for potential risks..."
      }
    ],
    "encryption": "kyber512",
    "temperature": 0.7,
    "max_tokens": 1000,
    "compliance_mode": "hipaa"
  }"""
RESPONSE_000 = """{
  "id": "qmchatcmpl-7QyqpwdfhqwajicIEznoc6Q47XAyW",
  "object": "chat.completion",
  "created": 1677652288,
  "model": "gpt-4",
  "usage": {
    "prompt_tokens": 56,
    "completion_tokens": 31,
    "total_tokens": 87
  },
  "choices": [
    {
      "message": {
        "role": "assistant",
        "content": "Based on the encrypted analysis..."
      },
      "finish_reason": "stop",
      "index": 0
    }
  ],
  "encryption": {
    "algorithm": "kyber512",
    "overhead_ms": 47,
    "key_id": "key_abc123"
  },
  "compliance": {
    "mode": "hipaa-aligned",
    "audit_id": "audit_def456",
    "retention_policy": "immediate_deletion"
  }
}"""
HEAD_000 = f"POST /v1/chat/completions HTTP/1.1\nAuthorization: Bearer {key}\nContent-Type: application/json"


@t.case
def document_000():
    want = json.loads(RESPONSE_000)

    def script(seen, out):
        theirs = {name: value for name, value in want.items() if name not in ("encryption", "compliance")}
        out.whole({**theirs, "id": "chatcmpl-abc", "model": "gpt-4o-2024-08-06"})

    provider.script = script
    got = raw(HEAD_000, CURL_000)
    t.same(got.status, 200, "000: the example request is answered")
    t.ok(re.fullmatch(r"qmchatcmpl-[0-9A-Za-z]{29}", got.json["id"]), "000: the id is qmchatcmpl- and 29 symbols",
         got.json["id"])
    t.same(len(got.json["id"]), len(want["id"]), "000: the id is as long as the example's")
    said = got.json
    t.ok(re.fullmatch(r"audit_[0-9A-Za-z]{22}", said["compliance"]["audit_id"]), "000: the audit id is audit_ and 22 symbols",
         said["compliance"])
    t.same(got.get("x-sotto-audit-id"), said["compliance"]["audit_id"], "000: and stands in a header, too")
    said["compliance"]["audit_id"] = want["compliance"]["audit_id"]
    told = said["encryption"]
    t.same((told["algorithm"], told.pop("scope")), ("kyber512", "gateway"), "000: encryption names what was asked for, and who sealed")
    t.ok(re.fullmatch(r"key_[0-9A-Za-z]{12}", told["key_id"]), "000: and the key pair", told)
    t.ok(0 < told["overhead_ms"] < 1000, "000: and what it took", told)
    said["encryption"] = want["encryption"]
    t.same({**said, "id": want["id"]}, want, "000: the rest of the answer is the example's")
    t.same(list(got.json), list(want), "000: its fields stand in the example's order")
    sent = provider.last.json
    t.same(sent["model"], "gpt-4o", "000: the upstream gets its own name of the model")
    t.ok("encryption" not in sent and "compliance_mode" not in sent, "000: the gateway's own fields are taken out", sent)
    t.same(sent["temperature"], 0.7, "000: temperature goes on")
    t.same(sent["max_tokens"], 1000, "000: max_tokens goes on")
    t.same(sent["messages"], json.loads(CURL_000)["messages"], "000: text without personal data goes on as it is")
    t.has(provider.last.body, b'"temperature":0.7', "000: numbers are not rewritten")
    t.same(provider.last.get("authorization"), "Bearer sk-upstream", "000: the upstream gets its own key")
    t.lacks(provider.all_bytes(), key[3:15].encode(), "000: nothing of the caller's key goes upstream")


@t.case
def document_000_python():
    body = {"model": "gpt-4", "encryption": "kyber512", "temperature": 0.7, "compliance_mode": "hipaa",
            "messages": [{"role": "system", "content": "You are a helpful assistant."},
                         {"role": "user", "content": "Analyze this sensitive data..."}]}
    answer("Based on the encrypted analysis...")
    got = gateway.post("/v1/chat/completions", body)
    t.same((got.status, got.content), (200, "Based on the encrypted analysis..."), "000: the Python example is answered")
    for model in ("gpt-4", "gpt-4-turbo", "gpt-3.5-turbo", "mistral-7b", "mistral-medium"):
        got = gateway.chat("Hello", model=model)
        t.same((got.status, got.json["model"]), (200, model), f"000: {model} is served under the name asked for")
    for word in ("kyber512", "rsa4096", "auto", "x-wing"):
        t.same(gateway.chat("Hello", encryption=word).status, 200, f"000: encryption {word} is taken")
        t.ok("encryption" not in provider.last.json, f"000: encryption {word} is taken out")
    for mode in ("hipaa", "sox", "gdpr", "standard"):
        t.same(gateway.chat("Hello", compliance_mode=mode).status, 200, f"000: compliance_mode {mode} is taken")
    body = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hello"}]}
    gateway.post("/v1/chat/completions", body)
    t.ok("temperature" not in provider.last.json, "000: a temperature nobody gave is not sent")


@t.case
def document_000_errors():
    before = len(provider.seen)
    got = raw(HEAD_000.replace(key, "ql_your_api_key"), CURL_000)
    t.same((got.status, got.error["code"]), (401, "invalid_api_key"), "000: 401 for an invalid API key")
    t.same(sorted(got.error), ["code", "message", "param", "type"], "000: the error has OpenAI's four fields")
    got = raw(HEAD_000, CURL_000.replace('"kyber512"', '"rot13"'))
    t.same((got.status, got.error["param"], got.error["type"]), (400, "encryption", "invalid_request_error"),
           "000: 400 for an encryption that does not exist")
    got = raw(HEAD_000, CURL_000.replace('"hipaa"', '"hippo"'))
    t.same((got.status, got.error["param"]), (400, "compliance_mode"), "000: 400 for a mode that does not exist")
    got = raw(HEAD_000, CURL_000.replace("0.7", "2.1"))
    t.same((got.status, got.error["param"]), (400, "temperature"), "000: temperature is at most 2")
    got = raw(HEAD_000, CURL_000.replace("0.7", "-0.1"))
    t.same((got.status, got.error["param"]), (400, "temperature"), "000: temperature is at least 0")
    got = raw(HEAD_000, CURL_000.replace("1000", '"many"'))
    t.same((got.status, got.error["param"]), (400, "max_tokens"), "000: max_tokens is an integer")
    got = raw(HEAD_000, CURL_000.replace('"model": "gpt-4",', ""))
    t.same((got.status, got.error["param"]), (400, "model"), "000: model is required")
    got = gateway.post("/v1/chat/completions", {"model": "gpt-4"})
    t.same((got.status, got.error["param"]), (400, "messages"), "000: messages is required")
    got = gateway.chat([{"role": "wizard", "content": "x"}])
    t.same((got.status, got.error["param"]), (400, "messages[0].role"), "000: roles are checked, and the place is named")
    got = gateway.chat([{"role": "user", "content": "x"}, {"role": "user", "content": 5}])
    t.same((got.status, got.error["param"]), (400, "messages[1].content"), "000: contents are checked")
    t.same(len(provider.seen), before, "000: nothing of this went upstream")


# --- two keys in headers ----------------------------------------------------------------------------

HEAD_001 = f"""POST /v1/chat/completions HTTP/1.1
x-compliantchatgpt-key: {key}
x-openai-key: sk-the-callers-own
Content-Type: application/json"""
# As json.dumps() writes the data of the example.
BODY_001 = json.dumps({
    "model": "gpt-4o-2024-05-13",
    "messages": [
        {"role": "system", "content": "You are a helpful medical assistant." },
        {"role": "user", "content": "Patient John Doe has complained about recurring headaches for the past two weeks. "}
    ]
})
RESPONSE_001 = """
        {
          "content": "Thank you for letting me know. Have they seen a doctor or received any treatment for their headaches?"
        }
"""


@t.case
def document_001():
    answer(json.loads(RESPONSE_001)["content"])
    got = raw(HEAD_001, BODY_001)
    t.same((got.status, got.json), (200, json.loads(RESPONSE_001)), "001: the example request gets the example response")
    t.same(got.body, json.dumps(json.loads(RESPONSE_001), separators=(",", ":")).encode(), "001: nothing but its content")
    sent = provider.last
    t.same(sent.get("authorization"), "Bearer sk-the-callers-own", "001: the upstream gets the caller's own key")
    t.lacks(sent.raw, b"John Doe", "001: the patient's name does not leave")
    t.ok(re.search(r"Patient PERSON[0-9A-Z]{9} has complained about recurring headaches for the past two weeks. ",
                   sent.texts), "001: a token stands in its place, and nothing else is changed", sent.texts)
    t.same(sent.json["temperature"], 0.7, "001: temperature is 0.7 by default")
    t.same(sent.json["n"], 1, "001: n is 1 by default")
    t.same(sent.json["model"], "gpt-4o-2024-05-13", "001: the model is the caller's")
    t.lacks(sent.raw, b"compliantchatgpt", "001: the gateway's key does not go upstream")

    provider.script = lambda seen, out: out.whole(completion(f"Has {seen.token('PERSON')} seen a doctor?"))
    t.same(raw(HEAD_001, BODY_001).json, {"content": "Has John Doe seen a doctor?"}, "001: the name comes back")


@t.case
def document_001_fields():
    answer("one", "two", "three")
    body = json.loads(BODY_001)
    got = raw(HEAD_001, json.dumps({**body, "n": 3}))
    t.same(got.json, {"content": ["one", "two", "three"]}, "001: with n, content is an array")
    answer("x")
    got = raw(HEAD_001, json.dumps({"messages": body["messages"]}))
    t.same((got.status, provider.last.json["model"]), (200, "gpt-3.5-turbo"), "001: the model is gpt-3.5-turbo by default")
    raw(HEAD_001, json.dumps({**body, "temperature": 0, "max_tokens": 5}))
    t.same((provider.last.json["temperature"], provider.last.json["max_tokens"]), (0, 5), "001: what is given goes on")

    provider.script = lambda seen, out: out.speak(seen, f"Has {seen.token('PERSON')} slept?", size=3)
    got = raw(HEAD_001, json.dumps({**body, "stream": True}))
    events = got.events()
    t.same((got.get("content-type"), events[-1]), ("text/event-stream; charset=utf-8", "[DONE]"), "001: a stream ends with [DONE]")
    said = [json.loads(event) for event in events[:-1]]
    t.ok(all(list(event) == ["content"] for event in said), "001: events hold nothing but content", said)
    t.same("".join(event["content"] for event in said), "Has John Doe slept?", "001: a stream is restored")
    provider.script = lambda seen, out: out.speak(seen, f"A {seen.token('PERSON')}", f"B {seen.token('PERSON')}", size=4)
    said = [json.loads(e) for e in raw(HEAD_001, json.dumps({**body, "stream": True, "n": 2})).events()[:-1]]
    both = ["".join(e["content"] for e in said if e["index"] == i) for i in (0, 1)]
    t.same(both, ["A John Doe", "B John Doe"], "001: with n, each event bears its index")


@t.case
def document_001_errors():
    before = len(provider.seen)
    got = raw(HEAD_001.replace(key, "ql_wrong"), BODY_001)
    t.same((got.status, sorted(got.json)), (401, ["description", "error"]), "001: 401 for an invalid gateway key")
    got = raw(HEAD_001.replace(f"x-compliantchatgpt-key: {key}\n", ""), BODY_001)
    t.same(got.status, 401, "001: 401 where the gateway key is missing")
    got = raw(HEAD_001.replace("x-openai-key: sk-the-callers-own\n", ""), BODY_001)
    t.same((got.status, sorted(got.json)), (400, ["description", "error"]), "001: 400 where the OpenAI key is missing")
    for name, body in {"no JSON": "{", "no messages": "{}", "messages empty": '{"messages": []}', "a wrong role":
                       '{"messages": [{"role": "tool", "content": "x"}]}', "temperature above 2":
                       '{"messages": [{"role": "user", "content": "x"}], "temperature": 3}'}.items():
        got = raw(HEAD_001, body)
        t.same((got.status, sorted(got.json)), (400, ["description", "error"]), f"001: 400 for {name}")
    t.same(len(provider.seen), before, "001: nothing of this went upstream")
    for status, want in ((401, 400), (403, 400), (400, 400), (404, 400), (429, 429), (500, 500), (503, 500)):
        provider.script = lambda seen, out, s=status: out.whole({"error": {"message": "no", "type": "x", "param": None, "code": None}}, s)
        got = raw(HEAD_001, BODY_001)
        t.same((got.status, sorted(got.json)), (want, ["description", "error"]), f"001: {status} of the provider is {want}")


# --- with a Laravel back end ------------------------------------------------------------------------

HEAD_003 = f"""POST /v1/ai/completions HTTP/1.1
Api-token: {key}
X-Requested-With: XMLHttpRequest
Accept: application/json
Content-Type: application/json"""
BODY_003 = """{
"model": "gpt-4-1106-preview",
"messages": [
{
"role": "user",
"content": "content"
}
],
"temperature": null,
"top_p": null,
"max_tokens": null,
"random_seed": null,
"safe_prompt": null,
"anonymize": true
}"""
RESPONSE_003 = """{
"id": "1df8f5af-c96d-42ba-938a-3f5c4f62e633",
"object": "chat.completion",
"created": 1705942239,
"model": "gpt-3.5-turbo-1106",
"choices": [
{
"finish_reason": "stop",
"index": 0,
"message": {
"content": "Hello! How can I assist you today?",
"role": "assistant"
}
}
],
"usage": {
"completion_tokens": 9,
"prompt_tokens": 8,
"total_tokens": 17
}
}"""


@t.case
def document_003():
    want = json.loads(RESPONSE_003)
    upstream = completion("Hello! How can I assist you today?", model="gpt-3.5-turbo-1106", usage=usage(8, 9))
    provider.script = lambda seen, out: out.whole({**upstream, "created": 1705942239})
    got = raw(HEAD_003, BODY_003)
    t.same(got.status, 200, "003: the example request is answered")
    t.ok(re.fullmatch(UUID, got.json["id"]), "003: the id is a UUID", got.json["id"])
    packed = json.dumps(want, separators=(",", ":")).replace(want["id"], got.json["id"])
    t.same(got.body.decode().replace('"gpt-4-1106-preview"', '"gpt-3.5-turbo-1106"'), packed,
           "003: the answer is the example's, in its order, and nothing more")
    sent = provider.last.json
    t.same((sent["temperature"], sent["top_p"]), (0.7, 1), "003: null means the default")
    t.same([name for name in ("max_tokens", "seed", "random_seed", "safe_prompt", "anonymize", "stream") if name in sent], [],
           "003: fields that are null are not sent")

    got = raw(HEAD_003, """{
"model": "gpt-4-1106-preview",
"messages": [
{
"role": "assistant",
"content": "content"
}
],
"temperature": null,
"top_p": null,
"max_tokens": null,
"random_seed": null,
"safe_prompt": null,
"anonymize": true
}""")
    t.same(got.status, 200, "003: a first message of the assistant is accepted, as the document's own is")


@t.case
def document_003_fields():
    body = json.loads(BODY_003)

    def ask(**more):
        return raw(HEAD_003, json.dumps({**body, **more}))

    answer("x")
    ask(random_seed=7, max_tokens=0, temperature=1, top_p=0)
    sent = provider.last.json
    t.same((sent["seed"], sent["max_tokens"], sent["temperature"], sent["top_p"]), (7, 0, 1, 0), "003: random_seed goes on as seed")
    text = [{"role": "user", "content": TEXT}]
    provider.script = lambda seen, out: out.whole(completion(seen.texts))
    got = ask(messages=text)
    t.same(got.json["choices"][0]["message"]["content"], TEXT, "003: what was replaced comes back")
    t.lacks(provider.last.raw, ALL[1].encode(), "003: anonymize is on by default")
    seen_before = len(provider.seen)
    provider.script = lambda seen, out: out.whole(completion(seen.texts))
    got = ask(messages=[{"role": "user", "content": "plain as day"}], anonymize=False)
    t.same((got.status, provider.seen[seen_before].texts), (200, "plain as day"), "003: anonymize false leaves the text alone")
    provider.script = lambda seen, out: out.speak(seen, "one two three", size=2)
    got = ask(stream=True, anonymize=False)
    t.ok(got.get("content-type").startswith("text/event-stream") and got.events()[-1] == "[DONE]",
         "003: stream true with anonymize false is a stream", got)
    provider.script = lambda seen, out: out.whole(completion("whole"))
    got = ask(stream=True)
    t.same((got.status, got.json["choices"][0]["message"]["content"]), (200, "whole"), "003: anonymize forces stream to false")
    t.ok("stream" not in provider.last.json or not provider.last.json["stream"], "003: and the upstream is not asked for one")


@t.case
def document_003_errors():
    before = len(provider.seen)
    got = raw(HEAD_003, "{}".replace("{}", json.dumps({k: v for k, v in json.loads(BODY_003).items() if k != "model"})))
    t.same((got.status, got.body), (400, b'{"message":"Validation error","errors":{"model":["The model field is required."]}}'),
           "003: the example of a validation error, byte for byte")
    got = raw(HEAD_003.replace(key, "nonsense"), BODY_003)
    t.same((got.status, got.body), (401, b'{"error":"Unauthenticated"}'), "003: 401, byte for byte")
    got = raw(HEAD_003.replace(f"Api-token: {key}\n", ""), BODY_003)
    t.same((got.status, got.body), (401, b'{"error":"Unauthenticated"}'), "003: 401 without a token, byte for byte")
    body = {"messages": "x", "temperature": 1.5, "top_p": -1, "max_tokens": -1, "random_seed": "y", "safe_prompt": "z",
            "anonymize": 5, "stream": "no"}
    got = raw(HEAD_003, json.dumps(body))
    t.same(got.json, {"message": "Validation error", "errors": {
        "model": ["The model field is required."],
        "messages": ["The messages field must be an array."],
        "temperature": ["The temperature field must be between 0 and 1."],
        "top_p": ["The top p field must be between 0 and 1."],
        "max_tokens": ["The max tokens field must be at least 0."],
        "random_seed": ["The random seed field must be an integer."],
        "safe_prompt": ["The safe prompt field must be true or false."],
        "anonymize": ["The anonymize field must be true or false."],
        "stream": ["The stream field must be true or false."],
    }}, "003: all bad fields at once, in Laravel's words")
    t.same(len(provider.seen), before, "003: nothing of this went upstream")
    spent = gateway.make_key("--monthly-requests", "1")
    answer("x")
    head = HEAD_003.replace(key, spent)
    t.same(raw(head, BODY_003).status, 200, "003: a quota of one request lets one pass")
    got = raw(head, BODY_003)
    t.same((got.status, got.body), (403, b'{"error":"Subscription amount limit has been reached"}'), "003: 403, byte for byte")


@t.case
def document_003_models():
    got = raw(f"""GET /v1/ai/models HTTP/1.1
Api-token: {key}
X-Requested-With: XMLHttpRequest
Accept: application/json
Content-Type: application/json""", "")
    t.same((got.status, list(got.json)), (200, ["object", "data"]), "003: the list of models")
    first = got.json["data"][0]
    t.same(list(first), ["id", "object", "created", "owned_by"], "003: a model has the example's fields")
    t.same((first["object"], first["created"], type(first["owned_by"])), ("model", 0, str), "003: created is 0, owned_by a string")
    t.has([m["id"] for m in got.json["data"]], "gpt-4-1106-preview", "003: configured models are listed")
    got = raw("GET /v1/ai/models HTTP/1.1\nApi-token: ", "")
    t.same((got.status, got.body), (401, b'{"error":"Unauthenticated"}'), "003: the list of models needs a token")


provider.finish(t)
gateway.finish(t)
t.done()
