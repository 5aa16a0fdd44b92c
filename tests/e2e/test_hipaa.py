#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The mode hipaa from end to end: the identifiers of 45 CFR 164.514(b)(2)(i), letter by letter, and modes made from it."""

from lib.gateway import Gateway, config
from lib.provider import Provider
from lib.tap import Tap

t = Tap()
provider = Provider()
gateway = Gateway(config(provider, privacy={"modes": {
    "coarse": {"inherits": "hipaa", "generalise": ["DATE", "AGE", "AGE_OVER_89", "POSTCODE"]},
    "strict": {"inherits": "hipaa", "block": ["US_SSN", "CREDIT_CARD"]},
}}))

# Generalised is weaker than tokenized, so only a key can have it.
coarse = gateway.make_key("--mode", "coarse")

# letter of the rule, what must not go out, a sentence with it
IDENTIFIERS = [
    ("A, names", "Margaret Thornbury", "Patient Margaret Thornbury was seen today."),
    ("A, names of relatives", "Oliver Thornbury", "Her husband Oliver Thornbury called."),
    ("B, streets", "4127 Elm Street", "She lives at 4127 Elm Street, Springfield, IL 62704."),
    ("B, towns", "Springfield", "She lives at 4127 Elm Street, Springfield, IL 62704."),
    ("B, ZIP codes", "62704", "She lives at 4127 Elm Street, Springfield, IL 62704."),
    ("C, birth dates", "March 3, 1961", "Date of birth: March 3, 1961."),
    ("C, admission dates", "11/14/2025", "Admitted on 11/14/2025."),
    ("C, discharge dates", "2025-11-21", "Discharged 2025-11-21."),
    ("C, ages over 89", "93 years", "The patient is 93 years old."),
    ("D, telephone numbers", "(212) 555-0187", "Phone: (212) 555-0187."),
    ("E, fax numbers", "(212) 555-0188", "Fax: (212) 555-0188."),
    ("F, email addresses", "m.thornbury@example.org", "Write to m.thornbury@example.org."),
    ("G, social security numbers", "536-22-8726", "SSN: 536-22-8726."),
    ("H, medical record numbers", "84729156", "Medical record number: MRN 84729156."),
    ("I, health plan beneficiary numbers", "1EG4-TE5-MK73", "Medicare number (MBI): 1EG4-TE5-MK73."),
    ("J, account numbers", "DE89 3704 0044 0532 0130 00", "Her account is IBAN DE89 3704 0044 0532 0130 00."),
    ("K, license numbers", "D1234567", "Driver's license number: D1234567 (California)."),
    ("L, vehicle identifiers", "1HGCM82633A004352", "VIN 1HGCM82633A004352 of her car."),
    ("M, device identifiers", "4827193", "The pacemaker has the serial number PJN4827193."),
    ("M, device identifiers", "7654321", "Implant UDI: (01)00844588003288(17)271231(10)A213B1(21)7654321."),
    ("N, URLs", "https://people.example.org/mthornbury", "Her page is https://people.example.org/mthornbury ."),
    ("O, IP addresses", "203.0.113.77", "Logged in from IP address 203.0.113.77."),
    ("R, study numbers", "20419", "She is enrolled under study ID KX-20419-07."),
    ("R, case numbers", "118274", "Her claim has the case number 2025-CV-118274."),
]
# what the rule lets stay
STAYS = [
    ("C, years", "2019", "The company was founded in 2019."),
    ("C, ages up to 89", "89", "The patient is 89 years old."),
    ("C, ages", "47", "A 47-year-old woman with a cough."),
    ("B, states", "California", "She moved to California."),
]


@t.case
def identifiers():
    for what, value, sentence in IDENTIFIERS:
        answer = gateway.chat(sentence, compliance_mode="hipaa")
        t.ok(answer.status == 200 and value not in provider.last.texts, f"{what}: does not go out", f"{sentence!r} went out as {provider.last.texts!r}")
        t.same(answer.content, sentence, f"{what}: and comes back")
        t.same(answer.json["compliance"]["mode"], "hipaa-aligned", f"{what}: the answer names the mode")


@t.case
def what_may_stay():
    for what, value, sentence in STAYS:
        gateway.chat(sentence, compliance_mode="hipaa")
        t.has(provider.last.texts, value, f"{what}: stay")


@t.case
def pictures_and_recordings():
    """P and Q: biometric identifiers and pictures of faces; what is in a picture cannot be told."""
    before = len(provider.seen)
    for name, part in (("a picture", {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}),
                       ("a voice", {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}),
                       ("a file", {"type": "file", "file": {"filename": "scan.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}})):
        answer = gateway.chat([{"role": "user", "content": [{"type": "text", "text": "Who is it?"}, part]}], compliance_mode="hipaa")
        t.same((answer.status, answer.error["code"]), (400, "content_not_protected"), f"{name} is refused")
    t.same(len(provider.seen), before, "and nothing of it goes out")


@t.case
def ages():
    for age, goes in ((1, True), (89, True), (90, False), (104, False)):
        gateway.chat(f"The patient is {age} years old.", compliance_mode="hipaa")
        t.same(f"{age} years" in provider.last.texts, goes, f"an age of {age} {'stays' if goes else 'does not'}")
    for age, becomes in ((47, "40 to 49 years old"), (89, "80 to 89 years old"), (90, "90 or older"), (104, "90 or older")):
        answer = gateway.chat(f"The patient is {age} years old.", key=coarse)
        t.ok(becomes in provider.last.texts and f"is {age} years" not in provider.last.texts, f"generalised, {age} becomes {becomes!r}", provider.last.texts)
        t.ok(becomes in answer.content and f"is {age} years" not in answer.content, "without a way back", answer.content)


@t.case
def zip_codes():
    """The first three digits, but of the 17 areas where 20,000 people or fewer live: 000."""
    for code, becomes in (("62704", "627"), ("90210", "902"), ("03601", "000"), ("05901", "000"), ("10201", "000"), ("89301", "000")):
        answer = gateway.chat(f"The ZIP code is {code}.", key=coarse)
        sent = provider.last.texts
        t.ok(code not in sent and becomes in sent, f"{code} becomes {becomes}", sent)
        t.ok(code not in answer.content, "without a way back", answer.content)


@t.case
def dates():
    for text, becomes in (("March 3, 1961", "1961"), ("2025-11-21", "2025")):
        gateway.chat(f"It happened on {text}, she said.", key=coarse)
        t.ok(becomes in provider.last.texts and text not in provider.last.texts, f"generalised, {text!r} becomes its year", provider.last.texts)


@t.case
def blocked():
    before = len(provider.seen)
    for value, sentence in (("536-22-8726", "SSN: 536-22-8726."), ("4111 1111 1111 1111", "Her credit card is 4111 1111 1111 1111.")):
        for stream in (False, True):
            answer = gateway.chat(sentence, compliance_mode="strict", stream=stream)
            t.same((answer.status, answer.error["code"]), (400, "content_blocked"), f"{sentence!r} is blocked (stream {stream})")
            t.has(answer.error["message"], "The mode strict lets no such ID out of the house", "with a sentence")
            t.lacks(answer.body, value.encode(), "which does not repeat it")
    t.same(len(provider.seen), before, "nothing goes out")
    answer = gateway.chat("Write to m.thornbury@example.org.", compliance_mode="strict")
    t.same(answer.content, "Write to m.thornbury@example.org.", "the rest is as in hipaa")
    t.lacks(provider.last.texts, "m.thornbury", "tokenized")


provider.finish(t, [])
gateway.finish(t, ["m.thornbury@example.org", "536-22-8726", "4111 1111 1111 1111"])
t.done()
