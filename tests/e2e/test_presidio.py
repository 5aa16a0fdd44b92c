#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# timeout: 600
"""Presidio's REST API: analyzer, anonymizer, who may call; Presidio's own package says what is right."""

import base64
import json
import random

from lib import packages
from lib.gateway import Gateway, need_binary
from lib.tap import Tap, skip_all

need_binary()
try:
    packages.under(packages.venv("presidio-anonymizer", packages.PRESIDIO_ANONYMIZER))
    from presidio_anonymizer import AnonymizerEngine, DeanonymizeEngine
    from presidio_anonymizer.entities import InvalidParamError
    from presidio_anonymizer.services.app_entities_convertor import AppEntitiesConvertor as Convert
except packages.Missing as missing:
    skip_all(str(missing))

t = Tap()
gateway = Gateway(env={"OPENAI_BASE_URL": ""})
JSON = [("Content-Type", "application/json")]
AUTH = [("Authorization", f"Bearer {gateway.key}")]
TEXT = "Meet Jane Doe, jane.doe@acme-health.org, card 4111 1111 1111 1111, on 5 May 2021."
ENGINE, BACK = AnonymizerEngine(), DeanonymizeEngine()


def post(route, body, headers=None):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return gateway.request("POST", f"/presidio/{route}", (AUTH if headers is None else headers) + JSON, data)


def get(route, headers=None):
    return gateway.request("GET", f"/presidio/{route}", AUTH if headers is None else headers)


def analyze(text, **more):
    return post("analyze", {"text": text, "language": "en", **more})


def found(answer):
    return {(r["entity_type"], r["start"], r["end"]) for r in answer.json}


# --- analyzer ---


@t.case
def analyzer():
    answer = analyze(TEXT)
    t.same((answer.status, answer.get("content-type")), (200, "application/json"), "analyze answers JSON")
    spans = {kind: TEXT[start:end] for kind, start, end in found(answer)}
    t.same((spans.get("PERSON"), spans.get("EMAIL_ADDRESS"), spans.get("CREDIT_CARD"), spans.get("DATE_TIME")),
           ("Jane Doe", "jane.doe@acme-health.org", "4111 1111 1111 1111", "5 May 2021"), "with Presidio's names of types")
    t.same(sorted(answer.json[0]), ["analysis_explanation", "end", "entity_type", "score", "start"], "and its fields")
    scores = [r["score"] for r in answer.json]
    t.ok(scores == sorted(scores, reverse=True) and all(0 < s <= 1 for s in scores), "the surest comes first", scores)
    t.ok(all(r["analysis_explanation"] is None for r in answer.json), "explanations only when they are asked for")
    explained = analyze(TEXT, return_decision_process=True).json[0]["analysis_explanation"]
    t.same(sorted(explained), sorted(["recognizer", "pattern_name", "pattern", "original_score", "score", "textual_explanation",
                                      "score_context_improvement", "supportive_context_word", "validation_result", "regex_flags"]),
           "return_decision_process explains with Presidio's fields")


@t.case
def offsets_are_code_points():
    text = "😀é Ärztin: Jane Doe, +1 202-555-0147"
    spans = {kind: text[start:end] for kind, start, end in found(analyze(text))}
    t.same(spans.get("PERSON"), "Jane Doe", "offsets count code points")
    answer = analyze([text, "nothing here", 5, None, True, text])
    t.same([len(r) > 0 for r in answer.json], [True, False, False, False, False, True], "a list of texts is answered with a list of lists")
    t.same(answer.json[0], answer.json[5], "each as by itself")
    t.same(analyze(5).json, [], "a number is analyzed as its text")


@t.case
def entities():
    t.same({k for k, _, _ in found(analyze(TEXT, entities=["CREDIT_CARD", "EMAIL_ADDRESS"]))}, {"CREDIT_CARD", "EMAIL_ADDRESS"}, "entities limits the types")
    t.same({k for k, _, _ in found(analyze(TEXT, entities=["NOPE", "PERSON"]))}, {"PERSON"}, "those that nobody knows are ignored")
    t.same(found(analyze(TEXT, entities=[])), found(analyze(TEXT)), "an empty list means all")
    t.same(analyze("AHV 756.9217.0769.85", entities=["CH_AHV"]).json[0]["entity_type"], "CH_AHV", "Sotto's exact types may be asked for")
    t.same(analyze("Passport C01X00T47").json[0]["entity_type"], "US_PASSPORT", "a passport is the language's")
    t.same(post("analyze", {"text": "Passport C01X00T47", "language": "es"}).json[0]["entity_type"], "ES_PASSPORT", "in Spanish a Spanish one")
    t.same(analyze("Passport C01X00T47", entities=["UK_PASSPORT"]).json[0]["entity_type"], "UK_PASSPORT", "or the one that is asked for")
    t.same(analyze(TEXT, score_threshold=1).json, [r for r in analyze(TEXT).json if r["score"] >= 1], "score_threshold drops what is less sure")


@t.case
def allow_lists():
    t.lacks({k for k, _, _ in found(analyze(TEXT, allow_list=["Jane Doe"]))}, "PERSON", "allow_list drops a text")
    t.has({k for k, _, _ in found(analyze(TEXT, allow_list=["jane doe"]))}, "PERSON", "exactly as it is written")
    t.lacks({k for k, _, _ in found(analyze(TEXT, allow_list=["^jane"], allow_list_match="regex"))}, "PERSON", "as an expression without case")
    t.has({k for k, _, _ in found(analyze(TEXT, allow_list=["^jane"], allow_list_match="regex", regex_flags=0))}, "PERSON", "regex_flags count")
    answer = analyze(TEXT, allow_list=["x"], allow_list_match="foo")
    t.same((answer.status, answer.json), (500, {"error": "allow_list_match must either be set to 'exact' or 'regex'."}), "another way to match is refused")


@t.case
def ad_hoc_recognizers():
    zip_code = {"name": "Zip code Recognizer", "supported_language": "en", "supported_entity": "ZIP", "context": ["zip", "code"],
                "patterns": [{"name": "zip code (weak)", "regex": r"(\b\d{5}(?:\-\d{4})?\b)", "score": 0.01}]}
    text = "my zip code is 10023 and not 99999 as it happened to be written on the envelope back then in 10117"
    answer = analyze(text, ad_hoc_recognizers=[zip_code], entities=["ZIP"])
    t.same([(text[r["start"]:r["end"]], r["score"]) for r in answer.json], [("10023", 0.4), ("99999", 0.4), ("10117", 0.01)],
           "patterns are found, context words beside them raise the score")
    deny = {"supported_entity": "TITLE", "deny_list": ["Mr.", "Mrs."]}
    answer = analyze("Mr. Smith met Mrs. Jones", ad_hoc_recognizers=[deny], entities=["TITLE"])
    t.same([(r["start"], r["end"] <= r["start"] + 4, r["score"]) for r in answer.json], [(0, True, 1.0), (14, True, 1.0)], "a deny list is found")
    t.same(analyze("Mr. Smith", ad_hoc_recognizers=[{**deny, "supported_language": "de"}], entities=["TITLE"]).status, 500, "one of another language does not count")
    parse = "Failed to parse /analyze request for AnalyzerEngine.analyze(). "
    for what, rec, status, error in (
        ("without an entity", {"name": "Z"}, 400, parse + "PatternRecognizer.__init__() missing 1 required positional argument: 'supported_entity'"),
        ("with an unknown field", {"supported_entity": "Z", "foo": 1}, 400, parse + "PatternRecognizer.__init__() got an unexpected keyword argument 'foo'"),
        ("with an empty entity", {"supported_entity": "", "deny_list": ["x"]}, 500, "Pattern recognizer should be initialized with entity"),
        ("with nothing to find", {"supported_entity": "Z"}, 500, "Pattern recognizer should be initialized with patterns or with deny list"),
        ("without a score", {"supported_entity": "Z", "patterns": [{"name": "p", "regex": "x"}]}, 400, parse + "Pattern.__init__() missing 1 required positional argument: 'score'"),
        ("with a score above 1", {"supported_entity": "Z", "patterns": [{"name": "p", "regex": "x", "score": 1.5}]}, 500, "Invalid score: 1.5. Score should be between 0 and 1"),
    ):
        answer = analyze(text, ad_hoc_recognizers=[rec])
        t.same((answer.status, answer.json), (status, {"error": error}), f"a recognizer {what} is refused as Presidio refuses it")
    answer = analyze(text, ad_hoc_recognizers=[{"supported_entity": "Z", "patterns": [{"name": "p", "regex": "(", "score": 0.5}]}])
    t.ok(answer.status == 500 and answer.json["error"].startswith("Invalid regex pattern: "), "so is an expression that is none", answer)
    slow = {"supported_entity": "Z", "patterns": [{"name": "p", "regex": "(x+x+)+y", "score": 0.5}]}
    answer = analyze("x" * 3000 + " y", ad_hoc_recognizers=[slow])
    t.ok(answer.status >= 400, "an expression that would never end is an error, not an answer without results", answer)
    t.same(analyze("hello").status, 200, "and the gateway goes on")


@t.case
def analyzer_errors():
    none = "No matching recognizers were found to serve the request."
    for body, status, error in (
        ({"text": TEXT}, 500, "No language provided"), ({"language": "en"}, 500, "No text provided"), ({}, 500, "No text provided"),
        ({"text": "", "language": "en"}, 500, "No text provided"), ({"text": [], "language": "en"}, 500, "No text provided"),
        ({"text": TEXT, "language": "xx"}, 500, none), ({"text": TEXT, "language": ["en"]}, 500, none),
        ({"text": TEXT, "language": "en", "entities": ["NOPE"]}, 500, none), ({"text": TEXT, "language": "en", "entities": "PERSON"}, 500, none),
        ({"text": [{"a": 1}], "language": "en"}, 500,
         "Analyzer.analyze_iterator only works on primitive types (int, float, bool, str). Lists of objects are not yet supported."),
    ):
        answer = post("analyze", body)
        t.same((answer.status, answer.json), (status, {"error": error}), f"analyze: {json.dumps(body)[:70]}")
    t.same(analyze(TEXT, score_threshold="x").status, 400, "a threshold that is no number is a 400")
    t.same((post("analyze", b"{").status, post("anonymize", b"{").status), (500, 400), "what is no JSON: 500 and 400, as theirs")
    answer = post("analyze", b'{"text": "a\xff", "language": "en"}')
    t.ok(answer.status == 400 and "at byte 11" in answer.json["error"], "invalid UTF-8 is a 400 with its offset", answer)
    answer = gateway.request("POST", "/presidio/anonymize", AUTH + [("Content-Type", "text/plain")], b"{}")
    t.same(answer.status, 415, "another content type than JSON is a 415")


@t.case
def lists():
    names = get("supportedentities?language=en").json
    t.ok({"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "US_SSN", "IBAN_CODE", "LOCATION", "DATE_TIME", "NRP", "URL", "IP_ADDRESS", "CRYPTO",
          "MEDICAL_LICENSE", "US_PASSPORT", "US_DRIVER_LICENSE", "US_BANK_NUMBER", "US_ITIN", "UK_NHS", "ORGANIZATION", "MAC_ADDRESS", "UUID", "AGE"} <= set(names)
         and len(names) == len(set(names)), "supportedentities has Presidio's names, each once", names)
    t.ok("DE_PASSPORT" in get("supportedentities?language=de").json and "DE_PASSPORT" not in names, "those of the language")
    t.ok("iban" in get("recognizers").json, "recognizers lists what finds")
    for route in ("recognizers", "supportedentities"):
        answer = get(f"{route}?language=xx")
        t.same((answer.status, answer.json), (500, {"error": "No matching recognizers were found to serve the request."}), f"{route}: an unknown language")
    answer = get("health")
    t.same((answer.status, answer.body), (200, b"Presidio Analyzer service is up"), "health")
    t.same(get("deanonymizers").json, BACK.get_deanonymizers(), "deanonymizers")
    t.same(set(get("anonymizers").json), set(ENGINE.get_anonymizers()) - {"surrogate_ahds"}, "anonymizers, but for the one that asks a cloud service")
    t.same((get("nope").status, get("nope").json["error"][:36]), (404, "The requested URL was not found on t"), "an unknown route is a 404 in their form")
    answer = get("analyze")
    t.same((answer.status, answer.json, answer.get("allow")), (405, {"error": "The method is not allowed for the requested URL."}, "POST"), "a wrong method a 405")


# --- anonymizer: Presidio's package is asked the same question ---


def reference(route, body):
    """What Presidio's services answer: (status, JSON)."""
    try:
        if not body:
            return 400, {"error": "Invalid request json"}
        forward = route == "anonymize"
        operators = None
        if forward:
            operators = Convert.operators_config_from_json(body.get("anonymizers"))
            if Convert.check_custom_operator(operators):
                return 400, {"error": "Custom type anonymizer is not supported"}
            results = Convert.analyzer_results_from_json(body.get("analyzer_results"))
            done = ENGINE.anonymize(text=body.get("text", ""), analyzer_results=results, operators=operators)
        else:
            results = Convert.deanonymize_entities_from_json(body)
            operators = Convert.operators_config_from_json(body.get("deanonymizers"))
            done = BACK.deanonymize(text=body.get("text", ""), entities=results, operators=operators)
        return 200, json.loads(done.to_json())
    except InvalidParamError as error:
        return 422, {"error": error.err_msg}
    except Exception:
        return 500, {"error": "Internal server error"}


def compare(route, body, what):
    want = reference(route, json.loads(json.dumps(body)))
    answer = post(route, body)
    return t.same((answer.status, answer.json), want, what)


def result(start=5, end=13, score=0.8, entity_type="PERSON", **more):
    return {"start": start, "end": end, "score": score, "entity_type": entity_type, **more}


@t.case
def operators():
    salt = "0123456789abcdef"
    for op in (None, {"type": "replace"}, {"type": "replace", "new_value": "X"}, {"type": "replace", "new_value": ""}, {"type": "replace", "new_value": 5},
               {"type": "redact"}, {"type": "keep"}, {"type": "custom"}, {"type": "custom", "lambda": "x"}, {"type": "nope"}, {"type": ""}, {}, 5, [], {"type": 5},
               {"type": "decrypt", "key": salt},
               {"type": "hash", "salt": salt}, {"type": "hash", "hash_type": "sha512", "salt": salt * 3}, {"type": "hash", "hash_type": "md5"},
               {"type": "hash", "hash_type": None}, {"type": "hash", "hash_type": 5}, {"type": "hash", "salt": "short"}, {"type": "hash", "salt": ""},
               {"type": "hash", "salt": 5}, {"type": "hash", "salt": None},
               *({"type": "mask", "masking_char": c, "chars_to_mask": n, "from_end": e} for c in ("*", "é", "", "**", 5, None)
                 for n in (0, 3, 100, -1, "4", 2.5, None) for e in (True, False, None, "x")),
               {"type": "mask"}, {"type": "mask", "masking_char": "*"}, {"type": "encrypt"}, {"type": "encrypt", "key": "short"}, {"type": "encrypt", "key": 5}):
        body = {"text": TEXT, "analyzer_results": [result()], "anonymizers": {"PERSON": op}}
        want = reference("anonymize", json.loads(json.dumps(body)))
        answer = post("anonymize", body)
        if (answer.status, answer.json) != want:
            t.same((answer.status, answer.json), want, f"operator {op}")
    t.ok(True, "every operator with good and bad parameters is answered as Presidio does")
    for where in ("DEFAULT", "OTHER"):
        compare("anonymize", {"text": TEXT, "analyzer_results": [result()], "anonymizers": {where: {"type": "redact"}}}, f"an operator for {where}")
    first = post("anonymize", {"text": TEXT, "analyzer_results": [result()], "anonymizers": {"PERSON": {"type": "hash"}}}).json["items"][0]["text"]
    again = post("anonymize", {"text": TEXT, "analyzer_results": [result()], "anonymizers": {"PERSON": {"type": "hash"}}}).json["items"][0]["text"]
    t.ok(len(first) == 64 and first != again, "a hash without a salt is another one each time")


@t.case
def there_and_back():
    for key in ("k" * 16, "k" * 24, "k" * 32):
        sealed = post("anonymize", {"text": TEXT, "analyzer_results": [result()], "anonymizers": {"PERSON": {"type": "encrypt", "key": key}}}).json
        item = sealed["items"][0]
        undo = {"text": sealed["text"], "anonymizer_results": sealed["items"], "deanonymizers": {"DEFAULT": {"type": "decrypt", "key": key}}}
        t.same(reference("deanonymize", json.loads(json.dumps(undo)))[1]["text"], TEXT, f"Presidio decrypts what was encrypted here ({len(key) * 8} bits)")
        theirs = reference("anonymize", {"text": TEXT, "analyzer_results": [result()], "anonymizers": {"PERSON": {"type": "encrypt", "key": key}}})[1]
        undo = {"text": theirs["text"], "anonymizer_results": theirs["items"], "deanonymizers": {"PERSON": {"type": "decrypt", "key": key}}}
        compare("deanonymize", undo, "and the other way round")
        wrong = dict(undo, deanonymizers={"PERSON": {"type": "decrypt", "key": "x" * 16}})
        t.ok(post("deanonymize", wrong).json.get("text") != TEXT, "another key does not", item)
    for body in ({}, {"text": TEXT}, {"text": TEXT, "anonymizer_results": [result()]}, {"text": TEXT, "anonymizer_results": [result()], "deanonymizers": {"DEFAULT": {"type": "deanonymize_keep"}}},
                 {"text": TEXT, "anonymizer_results": [result(score=None)], "deanonymizers": {"DEFAULT": {"type": "deanonymize_keep"}}},
                 {"text": TEXT, "anonymizer_results": [result()], "deanonymizers": {"DEFAULT": {"type": "decrypt", "key": "short"}}},
                 {"text": TEXT, "anonymizer_results": [result()], "deanonymizers": {"DEFAULT": {"type": "decrypt", "key": "k" * 16}}},
                 {"text": TEXT, "anonymizer_results": [result()], "deanonymizers": {"DEFAULT": {"type": "encrypt", "key": "k" * 16}}},
                 {"text": TEXT, "anonymizer_results": [result()], "deanonymizers": {"DEFAULT": {"type": "custom"}}},
                 {"text": TEXT, "anonymizer_results": "x"}, {"anonymizer_results": []}, {"text": None, "anonymizer_results": []},
                 {"text": TEXT, "anonymizer_results": [result(0, 5), result(0, 9), result(0, 2), result(4, 6)], "deanonymizers": {"DEFAULT": {"type": "deanonymize_keep"}}}):
        compare("deanonymize", body, f"deanonymize {json.dumps(body)[-90:]}")


@t.case
def places():
    bad = ("x", 1.5, -1, None, "", [], [1], {})
    bodies = [{"text": TEXT, "analyzer_results": [dict(result(), **{field: value})]} for field in ("start", "end") for value in bad]
    bodies += [{"text": TEXT, "analyzer_results": [{k: v for k, v in result().items() if k != field}]} for field in ("start", "end", "score", "entity_type")]
    bodies += [{"text": TEXT, "analyzer_results": [result(entity_type=value)]} for value in (None, "", [], 0)]
    bodies += [{"text": TEXT, "analyzer_results": value} for value in ({}, [], "", "x", 5, None, [5], [[]], {"a": 1}, [result(), "x"])]
    bodies += [{"text": value, "analyzer_results": [result()]} for value in (None, 5, "")] + [{"analyzer_results": [result()]}, {"text": TEXT}, {}, [], [1], 5, None]
    bodies += [{"text": TEXT, "analyzer_results": [result()], "anonymizers": value} for value in ({}, None, [], 5, "x")]
    bodies += [{"text": TEXT, "analyzer_results": [result(*at)]} for at in ((15, 12), (5, 999), (999, 1000), (len(TEXT), len(TEXT)), (0, 0), (0, len(TEXT)))]
    bodies += [{"text": TEXT, "analyzer_results": [result(True, 13)]}, {"text": TEXT, "analyzer_results": [result(score=1)]}]
    for body in bodies:
        compare("anonymize", body, f"anonymize {json.dumps(body)[-110:]}")


@t.case
def places_that_touch():
    """Random results, overlapping and not, are settled as Presidio settles them."""
    chance = random.Random(7)
    text = "Aé 😀  bb c\n dd   eé ff  "
    wrong = []
    for _ in range(400):
        results = []
        for _ in range(chance.randint(0, 7)):
            start = chance.randint(0, len(text))
            results.append(result(start, chance.randint(start, min(len(text), start + 8)), chance.choice((0.1, 0.5, 0.85, 1)), chance.choice("XY")))
        body = {"text": text, "analyzer_results": results, "anonymizers": {"Y": {"type": chance.choice(("redact", "keep", "replace"))}}}
        want = reference("anonymize", json.loads(json.dumps(body)))
        answer = post("anonymize", body)
        if (answer.status, answer.json) != want:
            wrong.append((body, answer.json, want))
    t.same(wrong[:2], [], "400 random lists of results have the same answer")


@t.case
def analyze_then_anonymize():
    both = post("anonymize", {"text": TEXT, "analyzer_results": analyze(TEXT).json})
    t.ok(both.status == 200 and "<PERSON>" in both.json["text"] and "<EMAIL_ADDRESS>" in both.json["text"] and "Doe" not in both.json["text"],
         "results of analyze are what anonymize takes", both)
    many = " ".join(f"Jane Doe wrote from host 192.0.2.{i % 250} to +1 202-555-01{i % 100:02d};" for i in range(4000))
    answer = analyze(many)
    t.ok(answer.status == 200 and len(answer.json) > 8000, "a long text is analyzed", answer.status)
    answer = post("anonymize", {"text": many, "analyzer_results": answer.json})
    t.ok(answer.status == 200 and "Jane" not in answer.json["text"], "and anonymized", answer.status)


# --- who may call ---


def raw_status(host):
    with gateway.client() as client:
        client.send(f"GET /presidio/health HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        return client.response().status


@t.case
def keys():
    basic = base64.b64encode(f"{gateway.key}:".encode()).decode()
    other = gateway.make_key("--name", "other")
    local = [("Host", "localhost")]
    for what, headers, status in (
        ("Bearer", AUTH, 200), ("x-api-key", [("x-api-key", gateway.key)], 200), ("the user of Basic", [("Authorization", f"Basic {basic}")], 200),
        ("none, from this machine", [], 200), ("none, by another name of this machine", [("Host", "example.org")], 401),
        ("none, through a proxy", [("X-Forwarded-For", "127.0.0.1")], 401), ("none, forwarded", [("Forwarded", "for=127.0.0.1")], 401),
        ("a wrong one", [("Authorization", "Bearer ql_" + "0" * 12 + "_" + "0" * 32)], 401), ("an empty one", [("x-api-key", "")], 401),
        ("a wrong user of Basic", [("Authorization", "Basic " + base64.b64encode(b"joe:x").decode())], 401), ("what is no Basic", [("Authorization", "Basic ???")], 401),
        ("two that differ", [("Authorization", f"Basic {basic}"), ("x-api-key", other)], 401),
        ("two that agree", [("Authorization", f"Basic {basic}"), ("x-api-key", gateway.key)], 200),
    ):
        named = any(name == "Host" for name, _ in headers)
        lines = [f"{n}: {v}" for n, v in ([] if named else local) + headers]
        raw = f"GET /presidio/health HTTP/1.1\r\n" + "\r\n".join(lines) + "\r\n\r\n"
        with gateway.client() as client:
            client.send(raw.encode())
            answer = client.response()
        t.same(answer.status, status, f"a key: {what}")
        if status == 401:
            t.ok(isinstance(answer.json["error"], str), "an error in Presidio's form", answer)
    for host in ("127.0.0.1", "127.0.0.1:8484", "localhost:1", "[::1]:80", "LOCALHOST"):
        t.same(raw_status(host), 200, f"without a key, Host: {host}")
    for host in ("127.example.org", "localhost.example.org", "10.0.0.1", "", "[::2]"):
        t.ok(raw_status(host) in (400, 401), f"not without a key, Host: {host}")
    limited = gateway.make_key("--scopes", "dialect:openai")
    t.same(get("health", [("Authorization", f"Bearer {limited}")]).status, 403, "a key for other interfaces is refused")


gateway.finish(t, ["jane.doe@acme-health.org", "Jane Doe", "4111 1111 1111 1111"])
t.done()
