#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Modes of one's own: what is blocked, what becomes coarser, and which providers may have the rest."""

from lib.canary import CARD, IBAN, PERSON
from lib.gateway import Gateway, config
from lib.provider import Provider
from lib.tap import Tap

t = Tap()
abroad, swiss, house = Provider(), Provider(), Provider()
gateway = Gateway(config(
    abroad,
    upstreams={
        "abroad": {"kind": "openai", "url": abroad.url + "/v1", "key": "k", "region": "us", "agreements": ["baa"]},
        "swiss": {"kind": "openai", "url": swiss.url + "/v1", "key": "k", "region": "ch", "agreements": ["baa", "dpa"]},
        "house": {"kind": "openai", "url": house.url + "/v1", "trusted": True},
    },
    models={"far": "abroad", "near": "swiss", "ours": "house", "*": "swiss"},
    policy={"require_agreements": True},
    privacy={"modes": {
        "bank": {"inherits": "gdpr", "block": ["CREDIT_CARD"], "generalise": ["DATE", "AGE"], "regions": ["ch", "eu"]},
        "open": {"inherits": "standard", "content": "refuse"},
    }},
))
IMAGE = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]


@t.case
def blocked():
    before = len(swiss.seen)
    answer = gateway.chat(f"My card is {CARD}.", model="near", compliance_mode="bank")
    t.same((answer.status, answer.error["code"]), (400, "content_blocked"), "what a mode blocks is refused")
    t.has(answer.error["message"], "The mode bank lets no such ID out of the house, and the request has 1.", "with a sentence that says what")
    t.lacks(answer.body, CARD.encode(), "and does not repeat it")
    t.same(len(swiss.seen), before, "nothing was sent")
    t.same(gateway.chat(f"My IBAN is {IBAN}.", model="near", compliance_mode="bank").content, f"My IBAN is {IBAN}.", "the rest is tokenized as inherited")
    t.lacks(swiss.last.texts, IBAN, "and does not go out")
    t.same(gateway.chat(f"My card is {CARD}.", model="near").status, 200, "other modes do not block it")


@t.case
def coarser():
    answer = gateway.chat(f"{PERSON}, 47 years old, was admitted on 3 May 2021.", model="near", compliance_mode="bank")
    sent = swiss.last.texts
    t.ok("40 to 49 years old" in sent and "2021" in sent, "ages and dates become coarser", sent)
    t.ok("47" not in sent and "3 May" not in sent and PERSON not in sent, "the exact ones do not go out", sent)
    t.ok(PERSON in answer.content and "3 May" not in answer.content, "and have no way back, while tokens have", answer.content)


@t.case
def providers():
    before = len(abroad.seen)
    answer = gateway.chat("Hello", model="far", compliance_mode="bank")
    t.same((answer.status, answer.error["code"], answer.error["param"]), (403, "provider_not_permitted", "model"), "a provider that a mode excludes is a 403")
    for part in ("lets data go to ch or eu only, and the upstream abroad is in us.", "asks for the agreement dpa, which the upstream abroad does not have."):
        t.has(answer.error["message"], part, "every violation is told")
    t.same(len(abroad.seen), before, "and nothing was sent")
    t.same(gateway.chat("Hello", model="near", compliance_mode="bank").status, 200, "one that has all may be used")
    t.same(gateway.chat("Hello", model="ours", compliance_mode="bank").status, 200, "an upstream of our own always")
    t.same(gateway.chat("Hello", model="far", compliance_mode="hipaa").status, 200, "hipaa asks for baa")
    t.same(gateway.chat("Hello", model="far", compliance_mode="gdpr").status, 403, "gdpr asks for dpa")
    t.same(gateway.chat("Hello", model="far").status, 200, "standard asks for nothing")


@t.case
def content():
    t.same(gateway.chat(IMAGE, model="near").status, 200, "standard lets an image pass")
    answer = gateway.chat(IMAGE, model="near", compliance_mode="open")
    t.same((answer.status, answer.error["code"]), (400, "content_not_protected"), "a mode of one's own may refuse it")


@t.case
def bad_configurations():
    for what, text, line in (
        ("contradictory modes", "privacy:\n  modes:\n    x: {inherits: gdpr, block: [ID], pass: [ID]}\n", "line 3, column 45: privacy.modes.x.pass[0]: must not stand in block as well"),
        ("a provider that is none", "upstreams:\n  a: {kind: opnai}\n", "line 2, column 13: upstreams.a.kind: must be openai"),
        ("a mode without a provider", "upstreams:\n  a: {kind: openai, key: k, region: us}\nprivacy:\n  modes:\n    x: {inherits: gdpr, regions: [eu]}\n",
         "line 5, column 8: privacy.modes.x: no upstream may be used: The mode x lets data go to eu only, and the upstream a is in us."),
        ("a price that is no number", "upstreams: {a: {kind: mirror}}\nmodels:\n  m: {upstream: a, input_price: free}\n",
         "line 3, column 33: models.m.input_price: must be a number such as 2.50, from 0 to 10000, not 'free'"),
    ):
        file = gateway.folder / "bad.yaml"
        file.write_text(text)
        done = gateway.command_line("check", "--config", str(file))
        t.ok(done.returncode == 1 and line in (done.stdout + done.stderr).decode(), f"{what}: line and sentence", done.stdout + done.stderr)
        done = gateway.command_line("serve", "--config", str(file), "--state", str(gateway.folder / "other"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
        t.ok(done.returncode == 1 and line in done.stderr.decode(), f"{what}: the gateway does not start", done.stderr)


for one in (abroad, swiss, house):
    one.finish(t, [CARD] if one is abroad else [IBAN])
gateway.finish(t, [PERSON, IBAN, CARD])
t.done()
