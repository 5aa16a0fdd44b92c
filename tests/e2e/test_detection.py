#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`sotto detect` and the gateway find the same, with the tagger by default and without it where the configuration says so."""

import json
import os
import pathlib

from lib.gateway import Gateway, config
from lib.provider import Provider
from lib.tap import Tap

t = Tap()
provider = Provider()
gateway = Gateway(config(provider))

TEXTS = [
    "Dear Ms Okonkwo, Dr. Anna-Lena Weiß will see you on 3 May 2021 at St. Mary's Hospital in Leeds.",
    "can you remind me to call karen whitfield about the invoice from acme corp tomorrow",
    "Sehr geehrter Herr Brückner, Ihre Tochter Mila (geb. 14.02.2016) wohnt in der Lindenallee 7, 50674 Köln.",
    "Mme Delphine Roussel, 56 ans, habite 12 rue des Lilas à Nantes ; son mari s'appelle Karim.",
    "Paciente: María del Carmen Ortiz Vega, 71 años, ingresó en el Hospital La Paz de Madrid el 12/03/2019.",
    "Il signor Giovanni Esposito vive a Torino con la moglie Lucia; telefono 011 555 0199.",
    '{"patient": {"name": "J. R. Hartley", "mrn": "00123456", "notes": "seen by nurse Patel, h/o Crohn\'s disease"}}',
]
FILES = ("en/clinical-queries", "en/ewt-dev", "en/wnut17-dev", "de/germeval14", "fr/echr-manual-dev", "es/meddocan-dev", "it/wikinews-unlabelled")
PER_FILE = 12


def dev_texts():
    """A few records of each source, spread over it; none where SOTTO_DATA names no folder with them."""
    root = os.environ.get("SOTTO_DATA")
    for name in FILES if root else ():
        path = pathlib.Path(root, "data", name + ".jsonl")
        if path.exists():
            lines = path.read_text("utf-8").splitlines()
            yield from (json.loads(line)["text"] for line in lines[::max(1, len(lines) // PER_FILE)][:PER_FILE])


def on_command_line(texts, mode, *more):
    lines = "".join(json.dumps({"id": i, "text": text}) + "\n" for i, text in enumerate(texts))
    done = gateway.command_line("detect", "--jsonl", "--mode", mode, *more, data=lines.encode())
    return [[[s[0], s[1], s[2], s[4] if len(s) > 4 else None] for s in json.loads(line)["spans"]] for line in done.stdout.splitlines()]


def in_gateway(text, mode, through=gateway):
    told = through.chat(text, headers=[("x-sotto-explain", "1")], compliance_mode=mode).json["sotto"]
    return [[f["start"], f["end"], f["label"], f["type"]] for f in told["findings"] if f["token"] is not None]


@t.case
def one_path():
    texts = TEXTS + list(dev_texts())
    if len(texts) == len(TEXTS):
        t.skip("the development texts", "SOTTO_DATA names no folder that holds data/")
    for mode in ("gdpr", "standard"):
        want = on_command_line(texts, mode)
        for text, spans in zip(texts, want):
            t.same(in_gateway(text, mode), spans, f"{mode}: the gateway finds what sotto detect finds in {text[:40]!r}")


@t.case
def tagger_is_on():
    rule = gateway.chat("Ask Brackenridge.", headers=[("x-sotto-explain", "1")]).json["sotto"]["findings"]
    t.ok([f["rule"] for f in rule] == ["tagger"], "a surname on no list is found by the tagger", rule)


@t.case
def tagger_may_be_larger():
    texts = TEXTS + [" ".join(TEXTS[:3] * 12)]  # passages by the dozen
    for name in ("cascade", "large"):
        larger = Gateway(config(provider, detection={"tagger": name}))
        for text, spans in zip(texts, on_command_line(texts, "standard", "--tagger", name)):
            t.same(in_gateway(text, "standard", larger), spans, f"{name}: the gateway finds what sotto detect finds in {text[:40]!r}")
        larger.finish(t, [])


@t.case
def tagger_can_be_left_out():
    plain = Gateway(config(provider, detection={"tagger": "none"}))
    text = "Ask Brackenridge and ann@example.org."
    labels = [span[2] for span in in_gateway(text, "standard", plain)]
    t.same(labels, ["EMAIL"], "without the tagger the recognizers are left")
    plain.finish(t, [])


provider.finish(t, [])
gateway.finish(t, [])
t.done()
